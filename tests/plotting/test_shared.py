"""Styles of the user are taken under any name; fits look alike in all displays."""

import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from sklearn_w2s.plotting import (
    GapDisplay,
    GapLearningCurveDisplay,
    OverlapCurveDisplay,
    OverlapDisplay,
    RegionScoreDisplay,
    SourceSelectionDisplay,
)
from sklearn_w2s.plotting._shared import (
    collection_style,
    draw_svg,
    half_width,
    line_style,
    score_text,
)

FOLDS = [[0.7, 0.72], [0.75, 0.74], [0.8, 0.82]]
FITS = ["weak", "strong_on_labels", "weak_to_strong", "ceiling"]
SCORES = np.linspace(0.1, 0.9, 9)
DISPLAYS = {
    "gap": GapDisplay(scores={name: [0.7, 0.8, 0.9] for name in FITS}),
    "learning curve": GapLearningCurveDisplay(
        sizes=[10, 20, 30], scores=dict.fromkeys(FITS, FOLDS)
    ),
    "overlap": OverlapDisplay(
        confidence=SCORES,
        overlap_score=SCORES[::-1],
        regions=["easy", "hard", "overlap"] * 3,
        confidence_threshold=0.5,
        overlap_threshold=0.5,
    ),
    "overlap curve": OverlapCurveDisplay(
        overlap_share=[0, 0.5, 1],
        weak_score=[0.7, 0.72],
        weak_to_strong_score=FOLDS,
        ceiling_score=FOLDS,
        weak_label_accuracy=FOLDS,
    ),
    "regions": RegionScoreDisplay.from_predictions(
        [0, 1, 1, 0], ["easy", "easy", "hard", "overlap"], {"weak": [0, 1, 0, 0]}
    ),
    "sources": SourceSelectionDisplay(
        history={
            "round": [0, 1, 2],
            "source": ["shop", "web", "web"],
            "n_drawn": [32, 32, 32],
            "overlap_density": [0.125, 0.5, 0.53],
            "density_low": [0.04, 0.32, 0.41],
            "density_high": [0.29, 0.68, 0.65],
            "index": [0.5, 0.6, 0.71],
            "error": ["", "", ""],
        }
    ),
}
LINE = (
    {"c": "red", "ls": ":", "lw": 5, "mec": "blue", "ms": 9, "aa": True},
    {
        "color": "red",
        "linestyle": ":",
        "linewidth": 5,
        "markeredgecolor": "blue",
        "markersize": 9,
        "antialiased": True,
    },
)
BAND = {"fc": "red", "ec": "blue", "lw": 5, "ls": ":"}
FULL_BAND = {"facecolor": "red", "edgecolor": "blue", "linewidth": 5, "linestyle": ":"}
CASES = [
    ("gap", "mean_kwargs", *LINE),
    ("learning curve", "mean_kwargs", *LINE),
    ("overlap", "line_kwargs", *LINE),
    ("overlap", "scatter_kwargs", {"c": "red", "lw": 5}, {"color": "red", "lw": 5}),
    ("overlap", "scatter_kwargs", {"lw": 5}, {"linewidths": 5}),
    ("overlap curve", "line_kwargs", *LINE),
    ("overlap curve", "band_kwargs", BAND, FULL_BAND),
    ("regions", None, *LINE),
    ("sources", "line_kwargs", *LINE),
    ("sources", "interval_kwargs", *LINE),
]


def picture(plt, display, argument, given):
    arguments = given if argument is None else {argument: given}
    figure = DISPLAYS[display].plot(**arguments).figure_
    # Enough to see differences of colors and widths by.
    figure.set_dpi(40)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba()).copy()
    plt.close(figure)
    return pixels


@pytest.mark.parametrize(("display", "argument", "short", "full"), CASES)
def test_short_names_draw_what_full_names_draw(plt, display, argument, short, full):
    drawn = picture(plt, display, argument, short)

    assert np.array_equal(drawn, picture(plt, display, argument, full))
    default = picture(plt, display, argument, {})
    assert not np.array_equal(drawn, default)


@pytest.mark.parametrize(("display", "argument", "_short", "_full"), CASES)
def test_order_and_label_may_be_given(plt, display, argument, _short, _full):
    given = {"zorder": 9, "label": "mine"}

    assert picture(plt, display, argument, given).size


def test_an_argument_under_two_names_is_refused():
    for style in (line_style, collection_style):
        with pytest.raises(TypeError, match="'lw'"):
            style({}, {"lw": 1, "linewidth": 2})


def test_what_was_given_and_the_defaults_are_left_as_they_were():
    given, defaults = {"c": "red"}, {"linewidths": 1}
    for style in (line_style, collection_style):
        style(defaults, given)
    assert (given, defaults) == ({"c": "red"}, {"linewidths": 1})


# Results and their numbers


OF_GAP = {"gap_recovered_accuracy": 0.5, "weak_accuracy": [0.5]}
OF_SIZES = {"labeled_sizes": [10], **OF_GAP}
OF_SHARES = {"overlap_share": [0.5], "weak_score": [0.5]}


@pytest.mark.parametrize(
    ("display", "results", "named"),
    [
        (GapDisplay, OF_SIZES, "gap_learning_curve"),
        (GapDisplay, OF_SHARES, "overlap_curve"),
        (RegionScoreDisplay, OF_SIZES, "gap_learning_curve"),
        (GapLearningCurveDisplay, OF_GAP, "cross_validate_gap"),
        (GapLearningCurveDisplay, OF_SHARES, "overlap_curve"),
        (OverlapCurveDisplay, OF_GAP, "cross_validate_gap"),
        (OverlapCurveDisplay, OF_SIZES, "gap_learning_curve"),
    ],
)
def test_results_of_another_function_are_refused_by_its_name(display, results, named):
    with pytest.raises(ValueError, match=f"results are those of {named}, but must be"):
        display.from_cv_results(results)


@pytest.mark.parametrize(
    "display",
    [GapDisplay, GapLearningCurveDisplay, OverlapCurveDisplay, RegionScoreDisplay],
)
@pytest.mark.parametrize("results", [{"test_score": [0.5]}, [0.5], None])
def test_results_of_no_function_are_refused(display, results):
    with pytest.raises(ValueError, match="results must be the dict that"):
        display.from_cv_results(results)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_half_widths_are_those_of_students_interval(level):
    scores = np.random.default_rng(0).normal(size=(3, 5))
    low, high = stats.t.interval(
        level, 4, loc=scores.mean(axis=1), scale=stats.sem(scores, axis=1)
    )
    np.testing.assert_allclose(half_width(scores, level), (high - low) / 2)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.5, "0.500"),
        (0.0, "0.000"),
        (-3.14159, "-3.142"),
        (-1234567.0, "-1.235e+06"),
        (1.5e-5, "1.5e-05"),
        (np.nan, "nan"),
    ],
)
def test_scores_are_told_in_any_unit(score, text):
    assert score_text(score) == text


# SVG for a page of several figures


SVG = "{http://www.w3.org/2000/svg}"
SIZE = (5, 3.8)


def draw(ax):
    ax.plot([1, 2, 3], [2, 1, 2], marker="o", label="<b>bold</b> & 'more'")
    ax.scatter([1, 2], [1, 2], rasterized=True)
    ax.fill_between([1, 2], [1, 2])
    ax.set_title('id="x" href="#x" url(#x)')
    ax.legend()


def ids_of(svg):
    return re.findall(r'<[^>]* id="([^"]*)"', svg)


def test_the_same_drawing_gives_the_same_text():
    assert draw_svg(draw, prefix="a", size=SIZE) == draw_svg(
        draw, prefix="a", size=SIZE
    )


def test_ids_are_unique_over_figures_and_every_reference_is_one():
    drawn = [draw_svg(draw, prefix=prefix, size=SIZE) for prefix in "ab"]
    ids = [name for svg in drawn for name in ids_of(svg)]
    assert len(set(ids)) == len(ids)
    for svg in drawn:
        tags = "".join(re.findall("<[^>]*>", svg))
        references = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', tags)
        assert references
        assert {a or b for a, b in references} <= set(ids_of(svg))


def test_text_stays_text_and_is_escaped():
    svg = draw_svg(draw, prefix="a", size=SIZE)
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "<b>bold</b> & 'more'" in texts
    assert 'id="x" href="#x" url(#x)' in texts


@pytest.mark.filterwarnings("ignore:Glyph")
def test_characters_that_are_no_xml_are_replaced():
    svg = draw_svg(lambda ax: ax.set_title("a\x0bb\x7fc"), prefix="a", size=SIZE)
    texts = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]
    assert "a\ufffdb\ufffdc" in texts


def test_the_background_is_transparent_and_rules_stay_in_the_drawing():
    svg = draw_svg(draw, prefix="a", size=SIZE)
    root = ET.fromstring(svg)
    assert root.get("id") == "a"
    background = root.find(f".//*[@id='a-patch_1']/{SVG}path")
    assert "fill: none" in background.get("style")
    (style,) = root.iter(f"{SVG}style")
    assert style.text.startswith("#a *{")
    assert "metadata" not in svg


def test_nothing_of_pyplot_stays_open_or_changed():
    before = plt.get_fignums()
    settings = dict(plt.rcParams)
    draw_svg(draw, prefix="a", size=SIZE)
    assert plt.get_fignums() == before
    assert dict(plt.rcParams) == settings


def test_without_matplotlib_the_error_says_how_to_get_it(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        draw_svg(draw, prefix="a", size=SIZE)

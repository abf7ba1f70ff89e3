"""Arguments for matplotlib may have any name that matplotlib has for them."""

import numpy as np
import pytest

from sklearn_w2s.plotting import (
    GapDisplay,
    GapLearningCurveDisplay,
    OverlapCurveDisplay,
    OverlapDisplay,
    RegionScoreDisplay,
    SourceSelectionDisplay,
)
from sklearn_w2s.plotting._style import collection_style, line_style

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

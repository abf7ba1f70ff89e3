"""The display draws the scores it was given, their thresholds and their regions."""

import numpy as np
import pandas as pd
import pytest

from sklearn_w2s._algorithms.overlap import split_regions
from sklearn_w2s.plotting import OverlapDisplay

REGIONS = ("easy", "hard", "overlap")


def scores(n=60):
    rng = np.random.default_rng(0)
    confidence, overlap_score = rng.random(n), rng.random(n)
    return {
        "confidence": confidence,
        "overlap_score": overlap_score,
        "regions": split_regions(confidence < 0.4, overlap_score, 0.7),
        "confidence_threshold": 0.4,
        "overlap_threshold": 0.7,
    }


class Detector:
    """What the display asks of a detector."""

    confidence_threshold_ = 0.4
    overlap_threshold_ = 0.7

    def confidence_samples(self, X):
        return X[:, 0]

    def score_samples(self, X):
        return X[:, 1]

    def predict(self, X):
        return split_regions(X[:, 0] < 0.4, X[:, 1], 0.7)


def test_curves_are_the_sorted_scores_over_their_shares():
    given = scores()
    display = OverlapDisplay.from_predictions(**given)
    drawn = (given["confidence"], given["overlap_score"][given["regions"] != "hard"])
    for curve, values in zip(display.curves_, drawn, strict=True):
        shares, heights = curve.get_data()
        assert heights.tolist() == sorted(values)
        np.testing.assert_allclose(shares, (np.arange(len(values)) + 0.5) / len(values))
    for ax in display.axes_[:2]:
        assert ax.get_xlim() == (0, 1)


def test_a_curve_crosses_its_threshold_at_the_share_of_rows_below():
    given = scores(2_000)
    display = OverlapDisplay.from_predictions(**given)
    shares, heights = display.curves_[0].get_data()
    crossing = np.interp(given["confidence_threshold"], heights, shares)
    assert crossing == pytest.approx(np.mean(given["regions"] == "hard"), abs=1e-3)


def test_every_row_is_marked_in_the_scatter_of_its_region():
    given = scores()
    display = OverlapDisplay.from_predictions(**given)
    points = np.column_stack([given["confidence"], given["overlap_score"]])
    assert tuple(display.scatters_) == REGIONS
    for region, marks in display.scatters_.items():
        expected = points[given["regions"] == region]
        assert np.asarray(marks.get_offsets()).tolist() == expected.tolist()


def test_regions_differ_in_colour_in_lightness_and_in_shape():
    from matplotlib.colors import to_rgb

    scatters = OverlapDisplay.from_predictions(**scores()).scatters_.values()
    greys = sorted(
        np.dot(to_rgb(marks.get_edgecolor()[0, :3]), [0.299, 0.587, 0.114])
        for marks in scatters
    )
    assert np.diff(greys).min() > 0.1
    shapes = {tuple(marks.get_paths()[0].vertices.ravel()) for marks in scatters}
    assert len(shapes) == 3


def test_thresholds_are_drawn_where_they_part_the_scores():
    confidence_ax, score_ax, scatter_ax = OverlapDisplay.from_predictions(
        **scores()
    ).axes_
    assert [list(line.get_ydata()) for line in confidence_ax.lines[1:]] == [[0.4, 0.4]]
    assert [list(line.get_ydata()) for line in score_ax.lines[1:]] == [[0.7, 0.7]]
    vertical, horizontal = scatter_ax.lines
    assert list(vertical.get_xdata()) == [0.4, 0.4]
    assert list(horizontal.get_ydata()) == [0.7, 0.7]


@pytest.mark.parametrize("threshold", [None, np.inf, -np.inf, np.nan])
def test_without_a_threshold_no_line_is_drawn(threshold):
    given = scores() | {
        "confidence_threshold": threshold,
        "overlap_threshold": threshold,
    }
    display = OverlapDisplay.from_predictions(**given)
    assert [len(ax.lines) for ax in display.axes_] == [1, 1, 0]
    assert display.axes_[0].get_legend() is None


def test_legends_count_the_rows():
    given = scores()
    given["regions"] = np.array(["easy"] * 30 + ["hard"] * 21 + ["overlap"] * 9)
    display = OverlapDisplay.from_predictions(**given)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [
        "easy: 50%\n30 rows",
        "hard: 35%\n21 rows",
        "overlap: 15%\n9 rows",
    ]
    (text,) = display.axes_[0].get_legend().get_texts()
    below = np.mean(given["confidence"] < 0.4)
    assert text.get_text() == f"threshold 0.4: {below:.0%} below"


def test_panels_and_legends_stay_in_the_figure_of_its_own():
    display = OverlapDisplay.from_predictions(**scores(12_345))
    display.figure_.canvas.draw()
    width, height = display.figure_.bbox.size
    for panel in display.axes_:
        box = panel.get_tightbbox()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    legends = [panel.get_legend().get_window_extent() for panel in display.axes_]
    assert not legends[0].overlaps(legends[1])
    assert max(display.figure_.get_size_inches()) < 6


def test_the_scatter_is_the_largest_panel():
    display = OverlapDisplay.from_predictions(**scores())
    display.figure_.canvas.draw()
    areas = [np.prod(ax.get_position().size) for ax in display.axes_]
    assert areas[2] > 2 * max(areas[:2])


def test_axes_are_named():
    axes = OverlapDisplay.from_predictions(**scores()).axes_
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in axes] == [
        ("share of rows", "confidence"),
        ("share of rows not hard", "overlap score"),
        ("confidence", "overlap score"),
    ]


def test_a_name_is_the_title_of_the_legend():
    display = OverlapDisplay.from_predictions(**scores(), name="trees")
    assert display.ax_.get_legend().get_title().get_text() == "trees"
    display.plot(name="forest")
    assert display.ax_.get_legend().get_title().get_text() == "forest"
    unnamed = OverlapDisplay.from_predictions(**scores())
    assert not unnamed.ax_.get_legend().get_title().get_text()


def test_given_axes_are_drawn_in(plt):
    figure, axes = plt.subplots(3)
    display = OverlapDisplay.from_predictions(**scores(), ax=axes)
    assert display.axes_.tolist() == axes.tolist()
    assert display.ax_ is axes[2]
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("ax", [[], [None] * 3, 1])
def test_anything_but_three_axes_is_refused(plt, ax):
    with pytest.raises(ValueError, match="three axes"):
        OverlapDisplay.from_predictions(**scores(), ax=ax)
    _, single = plt.subplots()
    with pytest.raises(ValueError, match="three axes"):
        OverlapDisplay.from_predictions(**scores(), ax=single)


def test_a_display_can_be_drawn_again():
    display = OverlapDisplay(**scores())
    first = display.plot().figure_
    assert display.plot() is display
    assert display.figure_ is not first


def test_styles_are_handed_on():
    display = OverlapDisplay.from_predictions(
        **scores(), scatter_kwargs={"s": 99, "alpha": 1}, line_kwargs={"linewidth": 7}
    )
    assert all(marks.get_sizes() == [99] for marks in display.scatters_.values())
    assert [curve.get_linewidth() for curve in display.curves_] == [7, 7]


@pytest.mark.parametrize(("n", "expected"), [(100, False), (6_000, True)])
def test_many_rows_are_rasterized(n, expected):
    display = OverlapDisplay.from_predictions(**scores(n))
    artists = [*display.curves_, *display.scatters_.values()]
    assert {artist.get_rasterized() for artist in artists} == {expected}


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_may_have_no_rows_or_all(region):
    given = scores() | {"regions": np.full(60, region)}
    display = OverlapDisplay.from_predictions(**given)
    counts = {
        name: len(marks.get_offsets()) for name, marks in display.scatters_.items()
    }
    assert counts == {name: 60 * (name == region) for name in REGIONS}
    display.figure_.canvas.draw()


def test_a_detector_is_asked_for_its_scores_regions_and_thresholds():
    X = np.random.default_rng(0).random((50, 2))
    display = OverlapDisplay.from_estimator(Detector(), X, name="net")
    assert display.confidence.tolist() == X[:, 0].tolist()
    assert display.overlap_score.tolist() == X[:, 1].tolist()
    assert display.regions.tolist() == Detector().predict(X).tolist()
    assert (display.confidence_threshold, display.overlap_threshold) == (0.4, 0.7)
    assert display.name == "net"
    assert len(display.axes_) == 3


@pytest.mark.parametrize("container", [list, pd.Series])
def test_scores_come_in_any_container(container):
    given = scores()
    for name in ("confidence", "overlap_score", "regions"):
        given[name] = container(given[name])
    display = OverlapDisplay.from_predictions(**given)
    assert display.curves_[0].get_ydata().tolist() == sorted(scores()["confidence"])


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("confidence", np.ones(3), "inconsistent numbers of samples"),
        ("confidence", np.ones((60, 2)), "1d array"),
        ("overlap_score", np.full(60, np.nan), "overlap_score contains NaN"),
        ("regions", np.full(60, "medium"), "regions holds .*'medium'"),
    ],
)
def test_bad_values_are_named(argument, value, message):
    with pytest.raises(ValueError, match=message):
        OverlapDisplay(**(scores() | {argument: value}))


def test_without_matplotlib_the_fix_is_named(hide_matplotlib):
    display = OverlapDisplay(**scores())
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        display.plot()

"""The display draws the folds it was given, their means, and the share recovered."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.plotting import GapDisplay

LINES = ["weak", "strong_on_labels", "weak_to_strong", "ceiling"]
MODEL = WeakToStrongClassifier(GaussianNB(), KNeighborsClassifier(), strategy="all")
X, Y = load_iris(return_X_y=True)


def results(**changes):
    given = {
        "weak_score": [0.7, 0.72, 0.71],
        "weak_to_strong_score": [0.8, 0.81, 0.82],
        "strong_on_labels_score": [0.75, 0.74, 0.76],
        "ceiling_score": [0.9, 0.92, 0.91],
        "gap_recovered": 0.5,
        "gap_recovered_interval": [0.45, 0.55],
        "confidence_level": 0.9,
        "ceiling_fit_time": [1.0, 1.0, 1.0],
    }
    return given | changes


def tick_labels(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


def test_every_fold_and_every_mean_is_drawn_from_the_weak_up_to_the_ceiling():
    display = GapDisplay.from_cv_results(results())
    assert list(display.means_) == list(display.folds_) == LINES
    for height, name in enumerate(LINES):
        scores = results()[f"{name}_score"]
        ((mean, level),) = display.means_[name].lines[0].get_xydata()
        assert (mean, level) == (pytest.approx(np.mean(scores)), height)
        drawn = np.asarray(display.folds_[name].get_offsets())
        assert drawn[:, 0].tolist() == scores
        assert (drawn[:, 1] < height).all()
    assert tick_labels(display) == [
        "weak",
        "strong on labels",
        "weak-to-strong",
        "ceiling",
    ]


def test_intervals_are_those_of_students_t():
    display = GapDisplay.from_cv_results(results())
    (segments,) = display.means_["weak"].lines[2]
    (low, _), (high, _) = segments.get_segments()[0]
    # Three folds: 2.92 is the 0.95 quantile for two degrees of freedom.
    half = 2.91999 * 0.01 / np.sqrt(3)
    assert (low, high) == (
        pytest.approx(0.71 - half, abs=1e-6),
        pytest.approx(0.71 + half, abs=1e-6),
    )
    assert "90% interval" in display.ax_.get_xlabel()


def test_dashed_lines_bound_the_gap():
    display = GapDisplay.from_cv_results(results())
    places = [line.get_xdata()[0] for line in display.bounds_]
    assert places == pytest.approx([0.71, 0.91])


def test_the_share_recovered_is_written_beside_weak_to_strong():
    texts = GapDisplay.from_cv_results(results()).texts_
    assert texts["weak_to_strong"].get_text() == "0.810\n50% of the gap\n[45%, 55%]"
    assert texts["ceiling"].get_text() == "0.910"


def test_a_share_that_is_undefined_is_called_so():
    changes = {"gap_recovered": np.nan, "gap_recovered_interval": [np.nan] * 2}
    display = GapDisplay.from_cv_results(results(**changes))
    assert "undefined" in display.texts_["weak_to_strong"].get_text()


def test_a_ceiling_of_the_same_labels_is_drawn_once():
    same = {"strong_on_labels_score": results()["ceiling_score"]}
    display = GapDisplay.from_cv_results(results(**same))
    assert tick_labels(display)[-1] == "ceiling =\nstrong on labels"
    assert "strong_on_labels" not in display.means_


def test_without_labels_there_is_no_line_for_them():
    display = GapDisplay.from_cv_results(results(strong_on_labels_score=[np.nan] * 3))
    assert tick_labels(display) == ["weak", "weak-to-strong", "ceiling"]


def test_one_fold_has_no_interval():
    one = {f"{name}_score": [0.5] for name in LINES[:-1]} | {"ceiling_score": [0.9]}
    display = GapDisplay.from_cv_results(results(**one))
    (segments,) = display.means_["weak"].lines[2]
    assert np.ptp(segments.get_segments()[0][:, 0]) == 0
    assert "1 fold," in display.ax_.get_xlabel()


def test_lines_differ_in_colour_in_lightness_and_in_shape():
    from matplotlib.colors import to_rgb

    marks = [m.lines[0] for m in GapDisplay.from_cv_results(results()).means_.values()]
    greys = sorted(np.dot(to_rgb(m.get_color()), [0.299, 0.587, 0.114]) for m in marks)
    assert np.diff(greys).min() > 0.05
    assert len({mark.get_marker() for mark in marks}) == 4


def test_texts_beside_the_axes_stay_in_the_figure():
    display = GapDisplay.from_cv_results(results())
    display.figure_.canvas.draw()
    for text in display.texts_.values():
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= display.figure_.bbox.width


def test_axes_and_styles_of_the_user_are_used(plt):
    _, ax = plt.subplots()
    display = GapDisplay.from_cv_results(results(), ax=ax, mean_kwargs={"color": "red"})
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.means_["weak"].lines[0].get_color() == "red"


def test_an_estimator_is_compared_and_drawn():
    run = {"labeled_size": 12, "cv": 3, "random_state": 0}
    display = GapDisplay.from_estimator(MODEL, X, Y, **run)
    expected = cross_validate_gap(MODEL, X, Y, **run)
    for name in LINES:
        assert display.scores[name].tolist() == expected[f"{name}_score"].tolist()
    assert display.ax_.get_xlabel().startswith("accuracy: 3 folds")


def test_one_of_several_scores_is_chosen_by_name():
    found = cross_validate_gap(
        MODEL, X, Y, labeled_size=12, cv=3, scoring=["accuracy", "neg_log_loss"]
    )
    display = GapDisplay.from_cv_results(found, metric="neg_log_loss")
    assert display.scores["weak"].tolist() == found["weak_neg_log_loss"].tolist()
    assert display.ax_.get_xlabel().startswith("neg_log_loss")
    with pytest.raises(ValueError, match=r"metric=None must be one of .*'accuracy'"):
        GapDisplay.from_cv_results(found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weak_score": [0.1, 0.2]}, "inconsistent numbers of samples"),
        ({"weak_score": [np.inf, 0.2, 0.1]}, "infinity"),
        ({"confidence_level": 95}, "confidence_level=95 must be"),
        ({"gap_recovered_interval": 0.5}, "must be two numbers"),
    ],
)
def test_results_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        GapDisplay.from_cv_results(results(**changes))
    with pytest.raises(ValueError, match="has no 'weak_to_strong'"):
        GapDisplay(scores={"weak": [0.5], "ceiling": [0.6]})


def test_without_matplotlib_the_extra_is_named(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        GapDisplay.from_cv_results(results())


def test_no_share_of_the_gap_is_minus_zero():
    scores = {
        "weak": [0.5, 0.52],
        "weak_to_strong": [0.5, 0.519],
        "ceiling": [0.9, 0.9],
    }
    display = GapDisplay(
        scores=scores, gap_recovered=-0.001, gap_recovered_interval=(-0.004, 0.02)
    ).plot()

    text = display.texts_["weak_to_strong"].get_text()

    assert text.splitlines()[1:] == ["0% of the gap", "[0%, 2%]"]

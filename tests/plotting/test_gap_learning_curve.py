"""The display draws the means it was given against the sizes, with their intervals."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap, gap_learning_curve
from sklearn_w2s.plotting import GapDisplay, GapLearningCurveDisplay

FITS = ["weak", "strong_on_labels", "weak_to_strong", "ceiling"]
MODEL = WeakToStrongClassifier(GaussianNB(), KNeighborsClassifier(), strategy="all")
X, Y = load_iris(return_X_y=True)


def results(n_labeled=(20, 60, 300), n_unlabeled=(280, 240, 0), n_folds=3, **changes):
    rng = np.random.default_rng(0)
    shape = (len(n_labeled), n_folds)
    levels = dict(zip(FITS, (0.7, 0.6, 0.8, 0.9), strict=True))
    made = {
        f"{name}_score": level + rng.normal(scale=0.02, size=shape)
        for name, level in levels.items()
    }
    made |= {
        "labeled_sizes": np.array(n_labeled),
        "confidence_level": np.full(len(n_labeled), 0.9),
        "n_labeled": np.tile(np.transpose([n_labeled]), n_folds),
        "n_unlabeled": np.tile(np.transpose([n_unlabeled]), n_folds),
        "ceiling_fit_time": np.ones(shape),
        "gap_recovered": np.full(len(n_labeled), 0.5),
    }
    return made | changes


def draw(*args, **kwargs):
    return GapLearningCurveDisplay.from_cv_results(results(*args, **kwargs))


def tick_labels(display):
    return [text.get_text() for text in display.ax_.get_xticklabels()]


def test_every_line_is_the_mean_over_folds_against_the_labels():
    display = draw()
    assert sorted(display.means_) == sorted(FITS)
    for name, means in display.means_.items():
        line = means.lines[0]
        assert line.get_xdata().tolist() == [20, 60, 300]
        expected = results()[f"{name}_score"].mean(axis=1)
        assert line.get_ydata().tolist() == expected.tolist()


def test_bars_are_the_intervals_of_the_display_of_one_size():
    made = results()
    display = draw()
    for i in range(3):
        scores = {name: made[f"{name}_score"][i] for name in FITS}
        one = GapDisplay(scores=scores, confidence_level=0.9).plot()
        for name in FITS:
            bar = display.means_[name].lines[2][0].get_segments()[i]
            expected = one.means_[name].lines[2][0].get_segments()[0]
            assert bar[:, 0].tolist() == [display.sizes[i]] * 2
            assert bar[:, 1].tolist() == expected[:, 0].tolist()


@pytest.mark.parametrize(
    ("sizes", "scale"),
    [((20, 60, 200), "linear"), ((20, 60, 201), "log"), ((0, 20, 900), "linear")],
)
def test_the_axis_is_logarithmic_beyond_a_decade(sizes, scale):
    assert draw(sizes).ax_.get_xscale() == scale


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((20, 60, 1200), ["20", "60", "1,200"]),
        ((20, 21, 60, 61), ["20", "60"]),
        ((100, 101, 1000, 10_000), ["100", "1,000", "10,000"]),
        ((50,), ["50"]),
    ],
)
def test_ticks_are_the_sizes_that_there_is_room_for(sizes, expected):
    display = draw(sizes, sizes)
    display.figure_.canvas.draw()
    assert tick_labels(display) == expected


def test_labels_and_legend_say_what_is_drawn():
    display = GapLearningCurveDisplay.from_cv_results(results(), score_name="accuracy")
    assert display.ax_.get_xlabel() == "labels"
    assert display.ax_.get_ylabel() == "accuracy"
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "ceiling",
        "weak-to-strong",
        "strong on labels",
        "weak",
    ]
    assert legend.get_title().get_text() == "3 folds, mean with 90% interval"


def test_all_that_is_drawn_is_within_the_limits():
    display = draw((20, 60, 3000))
    low, high = display.ax_.get_ylim()
    left, right = display.ax_.get_xlim()
    for means in display.means_.values():
        ends = np.concatenate(means.lines[2][0].get_segments())
        assert left < ends[:, 0].min() <= ends[:, 0].max() < right
        assert low < ends[:, 1].min() <= ends[:, 1].max() < high


@pytest.mark.parametrize("sizes", [(20, 60), (20, 600)])
def test_lines_stand_beside_each_other_at_the_same_size(sizes):
    display = draw(sizes, sizes)
    display.figure_.canvas.draw()
    lines = [means.lines[0] for means in display.means_.values()]
    places = [line.get_transform().transform((20, 0.5))[0] for line in lines]
    assert np.ptp(np.diff(places)) == pytest.approx(0, abs=1e-6)
    assert abs(places[1] - places[0]) > 3
    centre = display.ax_.transData.transform((20, 0.5))[0]
    assert np.mean(places) == pytest.approx(centre)
    for means in display.means_.values():
        assert len({str(child.get_transform()) for child in means.get_children()}) == 1


def test_unlabeled_rows_are_on_the_axis_where_only_they_differ():
    display = draw((30, 30, 30), (100, 300, 900))
    assert display.sizes.tolist() == [100, 300, 900]
    assert display.ax_.get_xlabel() == "unlabeled rows"
    chosen = GapLearningCurveDisplay.from_cv_results(results(), against="n_unlabeled")
    assert chosen.sizes.tolist() == [280, 240, 0]
    assert chosen.ax_.get_xlabel() == "unlabeled rows"
    with pytest.raises(ValueError, match="against='rows' must be one of"):
        GapLearningCurveDisplay.from_cv_results(results(), against="rows")


def test_sizes_are_drawn_from_left_to_right():
    order = [2, 0, 1]
    made = results()
    shuffled = {name: values[order] for name, values in made.items()}
    displays = [
        GapLearningCurveDisplay.from_cv_results(each) for each in (made, shuffled)
    ]
    for name in FITS:
        one, other = (display.means_[name].lines[0] for display in displays)
        assert one.get_xydata().tolist() == other.get_xydata().tolist()


def test_a_size_without_labels_has_no_mark_of_the_strong_estimator_on_them():
    scores = results()["strong_on_labels_score"]
    scores[0] = np.nan
    display = draw((0, 60, 300), strong_on_labels_score=scores)
    heights = display.means_["strong_on_labels"].lines[0].get_ydata()
    assert np.isnan(heights).tolist() == [True, False, False]
    display.figure_.canvas.draw()
    none = draw(strong_on_labels_score=np.full((3, 3), np.nan))
    assert "strong_on_labels" not in none.means_


def test_a_ceiling_of_the_same_labels_is_drawn_once():
    display = draw(strong_on_labels_score=results()["ceiling_score"])
    assert "strong_on_labels" not in display.means_
    first = display.ax_.get_legend().get_texts()[0]
    assert first.get_text() == "ceiling = strong on labels"


def test_one_fold_has_no_interval():
    display = draw(n_folds=1)
    for means in display.means_.values():
        for segment in means.lines[2][0].get_segments():
            assert np.ptp(segment[:, 1]) == 0
    title = display.ax_.get_legend().get_title().get_text()
    assert title.startswith("1 fold,")


def test_lines_differ_in_colour_in_lightness_in_marker_and_in_style():
    from matplotlib.colors import to_rgb

    lines = [means.lines[0] for means in draw().means_.values()]
    greys = sorted(np.dot(to_rgb(m.get_color()), [0.299, 0.587, 0.114]) for m in lines)
    assert np.diff(greys).min() > 0.05
    assert len({line.get_marker() for line in lines}) == 4
    assert len({line.get_linestyle() for line in lines}) == 4


def test_axes_and_styles_of_the_user_are_used(plt):
    _, ax = plt.subplots()
    display = GapLearningCurveDisplay.from_cv_results(
        results(), ax=ax, mean_kwargs={"color": "red"}
    )
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.means_["weak"].lines[0].get_color() == "red"
    assert display.plot().figure_ is not ax.figure


def test_an_estimator_is_compared_and_drawn():
    run = {"labeled_sizes": [12, 60], "cv": 3, "random_state": 0}
    display = GapLearningCurveDisplay.from_estimator(MODEL, X, Y, **run)
    expected = gap_learning_curve(MODEL, X, Y, **run)
    for name in FITS:
        assert display.scores[name].tolist() == expected[f"{name}_score"].tolist()
    assert display.sizes.tolist() == [12, 60]
    assert display.confidence_level == 0.95
    assert display.ax_.get_ylabel() == "accuracy"


def test_one_of_several_scores_is_chosen_by_name():
    scoring = ["accuracy", "neg_log_loss"]
    found = gap_learning_curve(MODEL, X, Y, labeled_sizes=[12], cv=3, scoring=scoring)
    display = GapLearningCurveDisplay.from_cv_results(found, metric="neg_log_loss")
    assert display.scores["weak"].tolist() == found["weak_neg_log_loss"].tolist()
    assert display.ax_.get_ylabel() == "neg_log_loss"
    with pytest.raises(ValueError, match=r"metric=None must be one of .*'accuracy'"):
        GapLearningCurveDisplay.from_cv_results(found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weak_score": np.ones((3, 2))}, r"has shape \(3, [23]\); with 3 sizes"),
        ({"weak_score": np.ones(3)}, r"scores\['weak'\] has shape \(3,\)"),
        ({"weak_score": np.full((3, 3), np.inf)}, "infinity"),
        ({"n_labeled": (-1, 2, 3)}, "must be numbers of rows"),
        ({"confidence_level": np.full(3, 95)}, "confidence_level=95.0 must be"),
    ],
)
def test_results_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        GapLearningCurveDisplay.from_cv_results(results(**changes))
    with pytest.raises(ValueError, match="has no 'weak_to_strong'"):
        GapLearningCurveDisplay(sizes=[1], scores={"weak": [[1.0]], "ceiling": [[1.0]]})


def test_results_of_one_size_are_refused_by_name():
    one = cross_validate_gap(MODEL, X, Y, labeled_size=12, cv=3)
    with pytest.raises(ValueError, match=r"of cross_validate_gap.* GapDisplay"):
        GapLearningCurveDisplay.from_cv_results(one)


def test_without_matplotlib_the_extra_is_named(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        draw()

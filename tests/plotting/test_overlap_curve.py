"""The display draws the scores, what bounds them, and how good the weak labels were."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import gap_regime, performance_gap_recovered
from sklearn_w2s.model_selection import overlap_curve
from sklearn_w2s.plotting import OverlapCurveDisplay

SHARES = [0.0, 0.25, 0.5, 1.0]


def results(n_scores=3, **changes):
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.01, size=(3, len(SHARES), n_scores))
    made = {
        "overlap_share": np.array(SHARES),
        "weak_score": 0.7 + noise[0, 0],
        "weak_to_strong_score": np.array([[0.6], [0.74], [0.8], [0.88]]) + noise[0],
        "ceiling_score": 0.9 + noise[1],
        "weak_label_accuracy": np.array([[0.6], [0.7], [0.8], [0.9]]) + noise[2] / 10,
        "class_share": np.full((len(SHARES), n_scores, 2), 0.5),
        "overlap_density": np.full(n_scores, 0.3),
        "n_samples": 1234,
    }
    return {**made, **changes}


def test_lines_are_the_means_over_the_repeats():
    made = results()
    display = OverlapCurveDisplay.from_cv_results(made)
    weak = np.full(len(SHARES), made["weak_score"].mean())
    drawn = {
        "weak": weak,
        "weak_to_strong": made["weak_to_strong_score"].mean(axis=1),
        "ceiling": made["ceiling_score"].mean(axis=1),
    }
    assert display.lines_.keys() == drawn.keys()
    for name, heights in drawn.items():
        assert display.lines_[name].get_xdata().tolist() == SHARES
        np.testing.assert_allclose(display.lines_[name].get_ydata(), heights)
    quality = made["weak_label_accuracy"].mean(axis=1)
    assert display.quality_line_.get_ydata().tolist() == quality.tolist()


def test_bands_are_one_standard_deviation():
    made = results()
    display = OverlapCurveDisplay.from_cv_results(made)
    scores = made["weak_to_strong_score"]
    (path,) = display.bands_["weak_to_strong"].get_paths()
    mean, deviation = scores.mean(axis=1), scores.std(axis=1, ddof=1)
    at_first = path.vertices[path.vertices[:, 0] == 0, 1]
    assert at_first.min() == pytest.approx(mean[0] - deviation[0])
    assert at_first.max() == pytest.approx(mean[0] + deviation[0])
    assert OverlapCurveDisplay.from_cv_results(results(1)).bands_ == {}


def test_regimes_are_those_of_the_mean_scores():
    made = results()
    display = OverlapCurveDisplay.from_cv_results(made)
    gap = performance_gap_recovered(
        made["weak_score"].mean(),
        made["weak_to_strong_score"].mean(axis=1),
        made["ceiling_score"].mean(axis=1),
    )
    assert display.gap_regime_.tolist() == gap_regime(gap).tolist()
    assert display.gap_regime_.tolist() == ["low", "medium", "high", "high"]
    assert tuple(display.regimes_) == ("medium", "high")
    assert [text.get_text() for text in display.ax_.texts] == ["medium", "high"]
    middle = (made["weak_score"].mean() + made["ceiling_score"][0].mean()) / 2
    (path,) = display.regimes_["medium"].get_paths()
    at_first = path.vertices[path.vertices[:, 0] == 0, 1]
    assert at_first.max() == pytest.approx(middle)


def test_there_are_no_regimes_without_a_gap():
    display = OverlapCurveDisplay.from_cv_results(
        results(ceiling_score=np.ones((4, 3)))
    )
    assert display.regimes_
    no_gap = results(ceiling_score=np.full((4, 3), 0.5))
    display = OverlapCurveDisplay.from_cv_results(no_gap)
    assert display.regimes_ == {}
    assert set(display.gap_regime_) == {"undefined"}


def test_labels_and_legend_name_all_that_is_drawn():
    display = OverlapCurveDisplay.from_cv_results(results(), score_name="AUC")
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [
        "ceiling: true labels",
        "strong on weak labels",
        "weak estimator",
        "share in the data: 0.3",
    ]
    assert display.ax_.get_ylabel() == "AUC"
    assert display.axes_[1].get_ylabel() == "weak labels\nright"
    assert display.axes_[1].get_xlabel() == "share of overlap rows among 1,234"


def test_shares_are_drawn_from_left_to_right():
    made = results()
    order = [2, 0, 3, 1]
    shuffled = {
        name: values[order] if np.shape(values)[:1] == (4,) else values
        for name, values in made.items()
    }
    lines = [
        OverlapCurveDisplay.from_cv_results(each).lines_ for each in (made, shuffled)
    ]
    for name in lines[0]:
        np.testing.assert_array_equal(
            lines[0][name].get_xydata(), lines[1][name].get_xydata()
        )


def test_one_axes_get_the_scores_and_two_the_weak_labels_as_well(plt):
    figure, panels = plt.subplots(2, 1)
    one = OverlapCurveDisplay.from_cv_results(results(), ax=panels[0])
    assert one.ax_ is panels[0]
    assert one.quality_line_ is None
    assert one.ax_.get_xlabel().startswith("share of overlap rows")
    assert not panels[1].lines
    two = OverlapCurveDisplay.from_cv_results(results(), ax=panels)
    assert two.axes_.tolist() == panels.tolist()
    assert two.figure_ is figure


def test_what_is_held_fixed_looks_fixed():
    fixed = results(weak_label_accuracy=np.full((4, 3), 0.8) + np.eye(4, 3) * 1e-3)
    display = OverlapCurveDisplay.from_cv_results(fixed)
    low, high = display.axes_[1].get_ylim()
    assert high - low == pytest.approx(0.1)


def test_a_share_without_a_score_is_left_out():
    made = results()
    made["weak_to_strong_score"][-1, 0] = np.nan
    display = OverlapCurveDisplay.from_cv_results(made)
    assert np.isnan(display.lines_["weak_to_strong"].get_ydata()).tolist() == [
        *(False, False, False, True)
    ]
    assert display.gap_regime_[-1] == "undefined"
    display.figure_.canvas.draw()


def test_styles_can_be_chosen():
    display = OverlapCurveDisplay.from_cv_results(
        results(), line_kwargs={"color": "red"}, band_kwargs={"alpha": 0.5}
    )
    assert display.lines_["weak_to_strong"].get_color() == "red"
    assert display.bands_["weak_to_strong"].get_alpha() == 0.5


def test_lines_differ_without_their_colours():
    display = OverlapCurveDisplay.from_cv_results(results())
    looks = [
        (line.get_linestyle(), line.get_marker()) for line in display.lines_.values()
    ]
    assert len(set(looks)) == 3


def test_results_are_drawn_as_they_are_computed():
    X, y, regions = make_overlap_classification(400, random_state=0)
    made = overlap_curve(
        DecisionTreeClassifier(max_depth=2),
        LogisticRegression(),
        X,
        y,
        regions,
        overlap_shares=[0, 1],
        n_repeats=2,
        random_state=0,
    )
    display = OverlapCurveDisplay.from_cv_results(made)
    mean = made["weak_to_strong_score"].mean(axis=1)
    assert display.lines_["weak_to_strong"].get_ydata().tolist() == mean.tolist()


def test_estimators_are_compared_and_drawn(plt):
    X, y, regions = make_overlap_classification(400, random_state=0)
    weak, strong = DecisionTreeClassifier(max_depth=2), LogisticRegression()
    run = {"overlap_shares": [0, 1], "n_repeats": 2, "random_state": 0}
    ax = plt.subplots()[1]
    display = OverlapCurveDisplay.from_estimator(
        weak, strong, X, y, regions, ax=ax, line_kwargs={"color": "red"}, **run
    )
    made = overlap_curve(weak, strong, X, y, regions, **run)
    for name in ("weak_score", "weak_to_strong_score", "ceiling_score"):
        assert getattr(display, name).tolist() == made[name].tolist()
    assert display.ax_ is ax
    assert display.ax_.get_ylabel() == "accuracy"
    assert display.lines_["weak_to_strong"].get_color() == "red"


@pytest.mark.parametrize(
    ("scoring", "label"), [("roc_auc", "roc_auc"), (None, "score")]
)
def test_a_score_with_a_name_is_named(scoring, label):
    X, y, regions = make_overlap_classification(400, random_state=0)
    models = (DecisionTreeClassifier(max_depth=2), LogisticRegression())
    run = {"overlap_shares": [0, 1], "n_repeats": 1, "random_state": 0}
    display = OverlapCurveDisplay.from_estimator(
        *models, X, y, regions, scoring=scoring, **run
    )
    assert display.ax_.get_ylabel() == label


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ceiling_score": np.ones((3, 3))}, r"ceiling_score has shape \(3, 3\)"),
        ({"overlap_share": [0, np.nan, 0.5, 1]}, "overlap_share contains NaN"),
        ({"weak_score": [[1.0, 2.0]]}, "should be a 1d array"),
    ],
)
def test_results_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        OverlapCurveDisplay.from_cv_results(results(**changes))


def test_missing_results_are_named():
    made = results()
    del made["weak_score"]
    with pytest.raises(ValueError, match=r"results lacks \['weak_score'\]"):
        OverlapCurveDisplay.from_cv_results(made)


def test_other_axes_are_refused(plt):
    with pytest.raises(ValueError, match="must be one axes or two"):
        OverlapCurveDisplay.from_cv_results(results(), ax=plt.subplots(1, 3)[1])
    with pytest.raises(ValueError, match="must be one axes or two"):
        OverlapCurveDisplay.from_cv_results(results(), ax="axes")


def test_matplotlib_is_asked_for_when_it_is_missing(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        OverlapCurveDisplay.from_cv_results(results())


def test_values_are_drawn_with_their_errors():
    errors = np.tile([[199.9], [200.0], [200.0], [200.1]], 3)
    made = results(weak_label_rmse=errors)
    display = OverlapCurveDisplay.from_cv_results(made)
    panel = display.axes_[1]
    assert panel.get_ylabel() == "RMSE of\nweak labels"
    np.testing.assert_allclose(display.quality_line_.get_ydata(), errors[:, 0])
    assert panel.get_ylim() == pytest.approx((190, 210))


def test_a_curve_of_regressors_is_named_by_its_score():
    X, y, regions = make_overlap_classification(200, random_state=0)
    display = OverlapCurveDisplay.from_estimator(
        LinearRegression(), Ridge(), X, y + X[:, 0], regions, overlap_shares=[0, 0.2]
    )
    assert display.ax_.get_ylabel() == "negative RMSE"


@pytest.mark.parametrize("given", [{}, {"weak_label_rmse": [[1.0]]}])
def test_labels_are_classes_or_values(given):
    made = {"weak_score": [0.5], "weak_to_strong_score": [[0.6]]}
    if given:
        made["weak_label_accuracy"] = [[0.5]]
    with pytest.raises(ValueError, match="One of weak_label_accuracy"):
        OverlapCurveDisplay(overlap_share=[0.5], ceiling_score=[[0.7]], **made, **given)

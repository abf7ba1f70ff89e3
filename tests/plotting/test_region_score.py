"""The display draws accuracy, or error, in each region, with its interval."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import binomtest
from sklearn.datasets import make_friedman1
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier, WeakToStrongRegressor
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import region_accuracy, region_rmse
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.plotting import GapDisplay, RegionScoreDisplay

COLUMNS = ("easy", "hard", "overlap", "all")


def labels(n=120, names=("weak", "strong", "ceiling")):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=n)
    regions = rng.choice(COLUMNS[:3], size=n, p=[0.5, 0.3, 0.2])
    wrong = rng.random((len(names), n)) < 0.3
    return y, regions, dict(zip(names, np.where(wrong, 1 - y, y), strict=True))


def test_accuracies_are_those_of_the_regions_and_of_all_rows():
    y, regions, predictions = labels()
    display = RegionScoreDisplay.from_predictions(y, regions, predictions)
    for accuracy, predicted in zip(display.scores, predictions.values(), strict=True):
        expected = region_accuracy(y, predicted, regions)
        assert accuracy.tolist() == [*expected.values(), np.mean(predicted == y)]
    counts = [np.sum(regions == region) for region in COLUMNS[:3]]
    assert display.n_rows.tolist() == [*counts, len(y)]


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_are_those_of_wilson(level):
    y, regions, predictions = labels()
    display = RegionScoreDisplay.from_predictions(
        y, regions, predictions, confidence_level=level
    )
    for i, predicted in enumerate(predictions.values()):
        for j, region in enumerate(COLUMNS):
            rows = np.full(len(y), True) if region == "all" else regions == region
            n_right = int(np.sum(predicted[rows] == y[rows]))
            expected = binomtest(n_right, int(rows.sum())).proportion_ci(
                level, method="wilson"
            )
            drawn = (display.low[i, j], display.high[i, j])
            assert drawn == pytest.approx(tuple(expected), abs=1e-12)


def test_marks_stand_at_the_accuracies_side_by_side():
    y, regions, predictions = labels()
    display = RegionScoreDisplay.from_predictions(y, regions, predictions)
    assert tuple(display.marks_) == tuple(predictions)
    places = []
    for i, (points, _, (bars,)) in enumerate(display.marks_.values()):
        assert points.get_ydata().tolist() == display.scores[i].tolist()
        assert np.rint(points.get_xdata()).tolist() == [0, 1, 2, 3]
        places.append(points.get_xdata())
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends[:, 0], display.low[i])
        np.testing.assert_allclose(ends[:, 1], display.high[i])
    assert (np.diff(places, axis=0) > 0.1).all()
    np.testing.assert_allclose(np.mean(places, axis=0), np.arange(4), atol=1e-12)


def test_labels_and_legend_name_regions_rows_and_predictors():
    y, regions, predictions = labels(names=("_weak", "$5 rule", "ceiling"))
    display = RegionScoreDisplay.from_predictions(y, regions, predictions)
    ticks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert [text.split("\n")[0] for text in ticks] == list(COLUMNS)
    assert ticks[-1] == "all\n120 rows"
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(predictions)
    assert legend.get_title().get_text() == "with 95% intervals"
    assert display.ax_.get_ylabel() == "accuracy"
    display.figure_.canvas.draw()


def test_a_region_without_rows_has_no_mark():
    display = RegionScoreDisplay.from_predictions(
        [0, 1], ["easy", "easy"], {"weak": [0, 0]}
    )
    assert np.isnan(display.scores[0]).tolist() == [False, True, True, False]
    assert np.isnan(display.low[0]).tolist() == [False, True, True, False]
    assert display.ax_.get_xticklabels()[1].get_text() == "hard\n0 rows"
    display.figure_.canvas.draw()


def test_estimators_are_drawn_by_what_they_predict(plt):
    X, y, regions = make_overlap_classification(300, random_state=0)
    ax = plt.subplots()[1]
    estimators = {
        "constant": DummyClassifier().fit(X, y),
        "logistic": LogisticRegression().fit(X, y),
    }
    detector = OverlapDetector(random_state=0).fit(X, y)
    for given in (regions, detector):
        named = regions if given is regions else detector.predict(X)
        display = RegionScoreDisplay.from_estimator(estimators, X, y, given, ax=ax)
        expected = RegionScoreDisplay.from_predictions(
            y, named, {name: each.predict(X) for name, each in estimators.items()}
        )
        assert display.ax_ is ax
        np.testing.assert_array_equal(display.scores, expected.scores)


def test_twelve_predictors_differ_without_their_colours():
    names = [str(i) for i in range(12)]
    display = RegionScoreDisplay.from_predictions(*labels(names=names))
    looks = {
        (marks[0].get_marker(), marks[0].get_markerfacecolor() == "white")
        for marks in display.marks_.values()
    }
    assert len(looks) == 12


def test_names_of_classes_and_series_are_welcome():
    y, regions, predictions = labels()
    names = np.array(["no", "yes"])
    display = RegionScoreDisplay.from_predictions(
        pd.Series(names[y]),
        pd.Series(regions),
        {name: names[each] for name, each in predictions.items()},
        capsize=0,
    )
    same = RegionScoreDisplay.from_predictions(y, regions, predictions)
    np.testing.assert_array_equal(display.scores, same.scores)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions": [0, 1]}, "predictions=.* must be a dict"),
        ({"predictions": {}}, "must be a dict"),
        ({"regions": ["easy", "dull"]}, "regions holds 'dull'"),
        ({"regions": ["easy"]}, "inconsistent numbers"),
        ({"predictions": {"weak": ["a", "b"]}}, "differ in kind"),
        ({"confidence_level": 95}, "confidence_level=95 must be a number in"),
    ],
)
def test_bad_input_is_refused(changes, message):
    given = {"y_true": [0, 1], "regions": ["easy"] * 2, "predictions": {"a": [0, 1]}}
    with pytest.raises(ValueError, match=message):
        RegionScoreDisplay.from_predictions(**{**given, **changes})


def test_tables_of_another_shape_and_names_given_twice_are_refused():
    numbers = {name: np.ones((2, 4)) for name in ("scores", "low", "high")}
    given = {**numbers, "n_rows": [1, 1, 1, 3], "names": ["a", "b"]}
    with pytest.raises(ValueError, match=r"low has shape \(2, 3\)"):
        RegionScoreDisplay(**{**given, "low": np.ones((2, 3))})
    with pytest.raises(ValueError, match="are not unique"):
        RegionScoreDisplay(**{**given, "names": ["a", "a"]})
    with pytest.raises(ValueError, match="n_rows"):
        RegionScoreDisplay(**{**given, "n_rows": [1]})


def test_matplotlib_is_asked_for_when_it_is_missing(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        RegionScoreDisplay.from_predictions([0], ["easy"], {"weak": [0]})


def cv_results(**changes):
    """Three folds, the last of which has no overlap row."""
    shares = {"easy": [0.5, 0.4, 0.7], "hard": [0.3] * 3, "overlap": [0.2, 0.3, 0.0]}
    accuracy = {"easy": [0.9, 0.8, 0.9], "hard": [0.5, 0.6, 0.7]}
    accuracy["overlap"] = [0.8, 0.6, np.nan]
    fits = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")
    made = {
        "region_share": {name: np.array(values) for name, values in shares.items()},
        "region_accuracy": {
            fit: {name: np.array(values) + i / 100 for name, values in accuracy.items()}
            for i, fit in enumerate(fits)
        },
        "n_test": np.array([100, 100, 100]),
        "gap_recovered": 0.5,
        "confidence_level": 0.9,
    }
    return made | changes


def test_of_folds_the_means_are_drawn_with_students_interval():
    display = RegionScoreDisplay.from_cv_results(cv_results())
    assert display.names == ["weak", "strong on labels", "weak-to-strong", "ceiling"]
    folds = [0.9, 0.8, 0.9]
    assert display.scores[0, 0] == pytest.approx(np.mean(folds))
    ends = stats.t.interval(0.9, 2, loc=np.mean(folds), scale=stats.sem(folds))
    assert (display.low[0, 0], display.high[0, 0]) == pytest.approx(ends)


def test_a_fold_without_rows_of_a_region_counts_for_nothing_there():
    display = RegionScoreDisplay.from_cv_results(cv_results())
    assert display.scores[0, 2] == pytest.approx(0.7)
    whole = 0.5 * 0.9 + 0.3 * 0.5 + 0.2 * 0.8
    assert display.fold_scores[0, 3, 0] == pytest.approx(whole)
    assert display.fold_scores[0, 3, 2] == pytest.approx(0.7 * 0.9 + 0.3 * 0.7)
    shares = {name: np.ones(3) * (name == "easy") for name in COLUMNS[:3]}
    easy = RegionScoreDisplay.from_cv_results(cv_results(region_share=shares))
    assert np.isnan(easy.scores[0]).tolist() == [False, True, True, False]
    assert easy.scores[0, 3] == easy.scores[0, 0]
    easy.figure_.canvas.draw()


def test_a_fold_that_failed_is_left_out_and_a_fit_that_failed_is_not_drawn():
    made = cv_results()
    for fit in made["region_accuracy"].values():
        for name, accuracy in fit.items():
            accuracy[0] = made["region_share"][name][0] = np.nan
    made["region_accuracy"]["ceiling"]["hard"][1] = np.nan
    display = RegionScoreDisplay.from_cv_results(made)
    assert display.scores[0, 0] == pytest.approx((0.8 + 0.9) / 2)
    assert np.isnan(display.scores[3]).tolist() == [False, True, False, True]
    title = display.ax_.get_legend().get_title().get_text()
    assert title.startswith("2 folds,")
    display.figure_.canvas.draw()


def test_every_fold_is_a_dot_right_of_its_mean():
    display = RegionScoreDisplay.from_cv_results(cv_results())
    assert tuple(display.folds_) == tuple(display.marks_)
    for i, name in enumerate(display.names):
        drawn = np.asarray(display.folds_[name].get_offsets())
        np.testing.assert_array_equal(drawn[:, 1], display.fold_scores[i].ravel())
        means = display.marks_[name].lines[0].get_xdata()
        distance = drawn[:, 0].reshape(4, 3) - means[:, np.newaxis]
        assert (distance > 0).all()
        assert np.ptp(distance) < 1e-9
    y, regions, predictions = labels()
    unfolded = RegionScoreDisplay.from_predictions(y, regions, predictions)
    assert unfolded.folds_ == {}


def test_labels_tell_of_folds():
    display = RegionScoreDisplay.from_cv_results(cv_results())
    ticks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert ticks[0] == "easy\n53 rows\nper fold"
    assert ticks[3] == "all\n100 rows\nper fold"
    title = display.ax_.get_legend().get_title().get_text()
    assert title == "3 folds, mean with 90% interval"


def test_a_fit_looks_as_it_does_in_the_display_of_the_gap():
    display = RegionScoreDisplay.from_cv_results(cv_results())
    scores = {name: [0.5, 0.6] for name in ("weak", "weak_to_strong", "ceiling")}
    scores["strong_on_labels"] = [0.4, 0.6]
    gap = GapDisplay(scores=scores).plot()
    for marks, means in zip(display.marks_.values(), gap.means_.values(), strict=True):
        assert marks.lines[0].get_color() == means.lines[0].get_color()
        assert marks.lines[0].get_marker() == means.lines[0].get_marker()


def test_fits_that_are_none_or_the_same_are_drawn_once():
    by_fit = cv_results()["region_accuracy"]
    same = by_fit | {"strong_on_labels": by_fit["ceiling"]}
    display = RegionScoreDisplay.from_cv_results(cv_results(region_accuracy=same))
    assert display.names == ["weak", "weak-to-strong", "ceiling = strong on labels"]
    none = by_fit | {"strong_on_labels": dict.fromkeys(COLUMNS[:3], np.full(3, np.nan))}
    display = RegionScoreDisplay.from_cv_results(cv_results(region_accuracy=none))
    assert display.names == ["weak", "weak-to-strong", "ceiling"]


def test_the_accuracy_on_all_rows_is_that_of_the_cross_validation():
    X, y, _ = make_overlap_classification(500, random_state=0)
    model = WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(C=0.01),
        weak_features=slice(0, 20),
        strategy="confidence",
        overlap_detector=OverlapDetector(),
    )
    found = cross_validate_gap(model, X, y, labeled_size=100, cv=3, random_state=0)
    display = RegionScoreDisplay.from_cv_results(found)
    scores = [
        found[f"{name}_score"]
        for name in ("weak", "strong_on_labels", "weak_to_strong", "ceiling")
    ]
    np.testing.assert_allclose(display.fold_scores[:, 3], scores)


def test_results_without_regions_are_refused():
    without = {k: v for k, v in cv_results().items() if not k.startswith("region")}
    with pytest.raises(ValueError, match=r"'region_share'.* Set its overlap_det"):
        RegionScoreDisplay.from_cv_results(without)


def test_a_table_of_folds_of_another_shape_is_refused():
    numbers = {name: np.ones((1, 4)) for name in ("scores", "low", "high")}
    given = {**numbers, "n_rows": [1, 1, 1, 3], "names": ["a"]}
    for shape in ((1, 4), (1, 3, 2), (1, 4, 0)):
        with pytest.raises(ValueError, match="fold_scores has shape"):
            RegionScoreDisplay(**given, fold_scores=np.ones(shape))


@pytest.mark.parametrize("mark", [-1, None, np.nan])
def test_rows_without_a_true_label_are_not_drawn(mark):
    y, regions, predictions = labels()
    known = np.arange(len(y)) % 3 > 0
    marked = [label if k else mark for label, k in zip(y.tolist(), known, strict=True)]
    display = RegionScoreDisplay.from_predictions(marked, regions, predictions)
    alone = RegionScoreDisplay.from_predictions(
        y[known], regions[known], {name: p[known] for name, p in predictions.items()}
    )
    np.testing.assert_array_equal(display.scores, alone.scores)
    np.testing.assert_array_equal(display.n_rows, alone.n_rows)
    with pytest.raises(ValueError, match="y_true has no label"):
        RegionScoreDisplay.from_predictions([mark] * len(y), regions, predictions)


def values(n=120):
    rng = np.random.default_rng(0)
    y = 1000 + 50 * rng.normal(size=n)
    regions = rng.choice(COLUMNS[:3], size=n, p=[0.5, 0.3, 0.2])
    said = {name: y + 10 * rng.normal(size=n) for name in ("weak", "strong")}
    return y, regions, said


def test_of_values_the_error_is_drawn_in_their_unit():
    y, regions, predictions = values()
    unknown = np.arange(len(y)) % 5 == 0
    given = np.where(unknown, np.nan, y)
    display = RegionScoreDisplay.from_predictions(given, regions, predictions)
    for scores, said in zip(display.scores, predictions.values(), strict=True):
        expected = [*region_rmse(given, said, regions).values()]
        expected.append(np.sqrt(np.mean((said - y)[~unknown] ** 2)))
        np.testing.assert_allclose(scores, expected)
    assert display.ax_.get_ylabel() == "RMSE"
    assert display.n_rows[3] == np.sum(~unknown)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_of_errors_are_those_of_the_mean_square(level):
    y, regions, predictions = values()
    display = RegionScoreDisplay.from_predictions(
        y, regions, predictions, confidence_level=level
    )
    squares = (predictions["strong"] - y)[regions == "easy"] ** 2
    error = np.std(squares) / np.sqrt(len(squares))
    low, high = stats.norm.interval(level, squares.mean(), error)
    np.testing.assert_allclose(display.low[1, 0] ** 2, low)
    np.testing.assert_allclose(display.high[1, 0] ** 2, high)
    # One row tells no error of its square.
    one = RegionScoreDisplay.from_predictions([1.5], ["easy"], {"weak": [4.0]})
    assert one.low[0, 0] == one.high[0, 0] == 2.5


def test_whole_numbers_are_values_on_demand_and_of_regressors():
    y, regions, _ = labels()
    model = LinearRegression().fit(np.c_[y], y)
    display = RegionScoreDisplay.from_estimator(
        {"linear": model}, np.c_[y], np.where(y == 0, -1, y), regions
    )
    share = np.mean(y == 0)
    assert display.scores[0, 3] == pytest.approx(np.sqrt(share))
    told = RegionScoreDisplay.from_predictions(
        y, regions, {"weak": 1 - y}, score="rmse"
    )
    assert told.scores.tolist() == [[1, 1, 1, 1]]


def test_errors_on_all_rows_are_those_of_the_cross_validation():
    X, y = make_friedman1(240, n_features=6, random_state=0)
    model = WeakToStrongRegressor(
        LinearRegression(),
        Ridge(),
        weak_features=[0, 1],
        strategy="all",
        overlap_detector=OverlapDetector(max_references=50),
    )
    found = cross_validate_gap(model, X, y, labeled_size=60, cv=3, random_state=0)
    display = RegionScoreDisplay.from_cv_results(found)
    means = {
        name.replace("\n", " "): -found[f"{fit}_score"]
        for fit, name in [("weak", "weak"), ("ceiling", "ceiling")]
    }
    for name, errors in means.items():
        drawn = display.fold_scores[display.names.index(name), 3]
        np.testing.assert_allclose(drawn, errors)
    assert display.ax_.get_ylabel() == "RMSE"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"score": "mae"}, "score='mae' must be one of"),
        ({"y_true": ["a", "b"], "score": "rmse"}, "'a', which is not a real number"),
        ({"y_true": [np.nan, np.nan], "score": "rmse"}, "y_true has no label"),
        ({"predictions": {"weak": [1.5, np.nan]}}, "weak.* contains NaN"),
    ],
)
def test_what_is_no_value_is_refused(params, message):
    given = {"y_true": [1.5, 2.0], "predictions": {"weak": [1.0, 2.0]}} | params
    with pytest.raises(ValueError, match=message):
        RegionScoreDisplay.from_predictions(regions=["easy", "hard"], **given)


def test_classifiers_and_regressors_are_not_drawn_together():
    X, y, regions = make_overlap_classification(100, random_state=0)
    estimators = {
        "one": DummyClassifier().fit(X, y),
        "other": LinearRegression().fit(X, y),
    }
    with pytest.raises(ValueError, match=r"\['other'\] are regressors"):
        RegionScoreDisplay.from_estimator(estimators, X, y, regions)

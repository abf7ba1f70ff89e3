"""Splits, scores and gaps of regressions, where y holds values."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import OverlapDetector, WeakToStrongRegressor
from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
    weak_strong_split,
)

NAN = float("nan")
X, TRUTH = make_friedman1(120, random_state=0)
Y = np.where(np.arange(120) < 60, TRUTH, NAN)
MODEL = WeakToStrongRegressor(
    DecisionTreeRegressor(max_depth=2), Ridge(), strategy="all", random_state=0
)


def test_a_number_below_zero_is_a_value_to_splits_and_scores():
    y = Y.copy()
    y[:20] = -1
    tests = [test for _, test in LabeledSplit(3).split(X, y)]
    assert_array_equal(np.sort(np.concatenate(tests)), np.arange(60))
    model = LinearRegression().fit(X, TRUTH)
    score = LabeledScorer("r2", missing_label=NAN)(model, X, y)
    assert score == model.score(X[:60], y[:60])


def test_whole_values_are_split_without_strata_on_demand():
    y = np.where(np.isnan(Y), NAN, np.floor(Y))
    split = LabeledSplit(4, missing_label=NAN, stratify=False)
    parts = list(split.split(X, y))
    assert [len(test) for _, test in parts] == [15] * 4
    assert all(np.isin(np.arange(60, 120), train).all() for train, _ in parts)


def test_folds_of_values_are_the_same_at_each_call():
    first, second = (
        [test.tolist() for _, test in LabeledSplit(3).split(X, Y)] for _ in range(2)
    )
    assert first == second


def test_a_splitter_of_the_user_splits_values():
    tests = [test for _, test in LabeledSplit(KFold(3)).split(X, Y)]
    assert_array_equal(np.concatenate(tests), np.arange(60))
    groups = np.arange(120) % 6
    for train, test in LabeledSplit(GroupKFold(3)).split(X, Y, groups):
        assert not np.isin(groups[train], groups[test]).any()


def test_labels_of_values_are_hidden_at_random():
    *_, y_train, y_test, y_true = weak_strong_split(
        X, TRUTH, labeled_size=30, test_size=40, random_state=0
    )
    known = ~np.isnan(y_train)
    assert (known.sum(), len(y_train), len(y_test)) == (30, 80, 40)
    assert_array_equal(y_train[known], y_true[known])
    whole = np.floor(TRUTH)
    _, _, y_train, *_ = weak_strong_split(
        X, whole, labeled_size=5, missing_label=NAN, stratify=False, random_state=0
    )
    assert (~np.isnan(y_train)).sum() == 5


def test_searches_and_cross_validation_take_a_regressor():
    pipeline = make_pipeline(StandardScaler(), MODEL)
    search = GridSearchCV(
        pipeline,
        {"weaktostrongregressor__strategy": ["all", "smooth"]},
        cv=LabeledSplit(3),
        scoring="neg_root_mean_squared_error",
        error_score="raise",
    ).fit(X, Y)
    assert np.isfinite(search.best_score_)
    mixed = KFold(3, shuffle=True, random_state=0)
    scores = cross_validate(
        pipeline, X, Y, cv=mixed, scoring=LabeledScorer("r2", missing_label=NAN)
    )
    assert np.isfinite(scores["test_score"]).all()


def test_the_gap_of_a_regressor_is_that_of_fits_by_hand():
    results = cross_validate_gap(MODEL, X, Y, cv=KFold(3), random_state=0)
    splits = list(LabeledSplit(KFold(3)).split(X, Y))
    for k, (train, test) in enumerate(splits):
        student = MODEL.fit(X[train], Y[train])
        known = train[train < 60]
        alone = Ridge().fit(X[known], Y[known])
        for name, model in (
            ("weak", student.weak_estimator_),
            ("weak_to_strong", student),
            ("ceiling", alone),
        ):
            rmse = np.sqrt(np.mean((model.predict(X[test]) - Y[test]) ** 2))
            assert_allclose(-results[f"{name}_score"][k], rmse)
    assert_array_equal(results["n_unlabeled"], [60] * 3)


def test_shares_of_the_gap_do_not_depend_on_the_unit_of_y():
    options = {"labeled_size": 30, "cv": 4, "random_state": 0}
    first = cross_validate_gap(MODEL, X, TRUTH, **options)
    second = cross_validate_gap(MODEL, X, 1000 - 7 * TRUTH, **options)
    assert_allclose(second["weak_score"], 7 * first["weak_score"])
    assert_allclose(
        second["performance_gap_recovered"], first["performance_gap_recovered"]
    )
    assert_array_equal(first["n_hidden"], [60] * 4)


def test_the_curve_of_a_regressor_keeps_the_sizes_asked_for():
    curve = gap_learning_curve(
        MODEL, X, TRUTH, labeled_sizes=[15, 40], cv=3, random_state=0
    )
    assert curve["weak_score"].shape == (2, 3)
    assert_array_equal(curve["n_labeled"], [[15] * 3, [40] * 3])


def test_no_label_is_needed_where_the_weak_regressor_is_given():
    weak = FrozenEstimator(RandomForestRegressor(5, random_state=0).fit(X, TRUTH))
    model = WeakToStrongRegressor(weak, Ridge(), strategy="all")
    results = cross_validate_gap(model, X, TRUTH, labeled_size=0, cv=3)
    assert np.isnan(results["strong_on_labels_score"]).all()
    assert np.isfinite(results["weak_to_strong_score"]).all()


REGIONS = np.array(["easy", "overlap", "hard"])[np.arange(120) % 3]
WEAK, STRONG = DecisionTreeRegressor(max_depth=2, random_state=0), Ridge()


def curve(weak=WEAK, strong=STRONG, y=TRUTH, regions=REGIONS, **params):
    params = {"overlap_shares": [0, 0.5], "n_repeats": 2, "random_state": 0} | params
    return overlap_curve(weak, strong, X, y, regions, **params)


def test_the_curve_over_overlap_shares_is_that_of_fits_by_hand():
    drawn = []

    class Remembering(Ridge):
        def fit(self, X, y):
            drawn.append((X, y))
            return super().fit(X, y)

    cv = [(np.arange(90), np.arange(90, 120))]
    result = curve(strong=Remembering(), cv=cv, n_repeats=1)
    for k, fits in enumerate(zip(drawn[::2], drawn[1::2], strict=True)):
        (rows, weak), (_, truth) = fits
        assert_allclose(
            result["weak_label_rmse"][k, 0], np.sqrt(np.mean((weak - truth) ** 2))
        )
        for name, values in (("weak_to_strong", weak), ("ceiling", truth)):
            said = Ridge().fit(rows, values).predict(X[90:])
            rmse = np.sqrt(np.mean((said - TRUTH[90:]) ** 2))
            assert_allclose(-result[f"{name}_score"][k, 0], rmse)
    assert not {"weak_label_accuracy", "class_share"} & result.keys()


def test_the_curve_over_overlap_shares_follows_the_unit_of_y():
    first, second = curve(), curve(y=1000 - 7 * TRUTH)
    for name in ("weak_score", "weak_to_strong_score", "weak_label_rmse"):
        assert_allclose(second[name], 7 * first[name])


@pytest.mark.parametrize("cv", [None, 3])
def test_rows_of_whole_values_are_held_out_at_random(cv):
    ordered = np.sort(np.floor(TRUTH))
    result = curve(y=ordered, cv=cv, scoring="r2")
    assert result["weak_score"].shape == (2 * (cv or 1),)
    # Of values in order, folds that are not mixed would know none like those tested.
    assert np.isfinite(result["ceiling_score"]).all()


def test_a_detector_of_the_curve_sees_no_value_of_the_pool():
    seen = []

    class Watching(OverlapDetector):
        def fit(self, X, y):
            seen.append(np.asarray(y))
            return super().fit(X, y)

    y = np.where(np.arange(120) % 9, TRUTH, -1.0)
    curve(y=y, regions=Watching(max_references=50), overlap_shares=[0.1, 0.2])
    assert all(np.isnan(labels).sum() == 45 for labels in seen)
    assert all((labels == -1).any() for labels in seen)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"weak": LogisticRegression()}, "the other is not. Pass two of a kind"),
        ({"strong": LogisticRegression()}, "the other is not. Pass two of a kind"),
        ({"matched": True}, "values have neither"),
        ({"y": Y}, "no label in 60 row"),
        ({"y": np.column_stack([TRUTH, TRUTH])}, "one of its columns at a time"),
        ({"regions": OverlapDetector(LogisticRegression())}, "of another kind"),
        ({"weak": LogisticRegression(), "strong": LogisticRegression()}, "regressors"),
    ],
)
def test_a_curve_that_values_have_not_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        curve(**params)


def test_several_outputs_are_compared_one_at_a_time():
    both = np.column_stack([Y, Y])
    for compare in (cross_validate_gap, advise):
        with pytest.raises(ValueError, match="one of its columns at a time"):
            compare(MODEL, X, both)


@pytest.mark.parametrize(
    ("scoring", "names"), [("r2", [""]), (["r2", "neg_mean_absolute_error"], ["_r2"])]
)
def test_any_scorer_of_values_measures_the_gap(scoring, names):
    results = cross_validate_gap(
        MODEL, X, TRUTH, labeled_size=30, cv=3, scoring=scoring
    )
    for name in names:
        assert f"gap_recovered{name}" in results

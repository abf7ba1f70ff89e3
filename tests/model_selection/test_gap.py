"""Four fits are compared per fold as one would by hand, whatever runs them."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import FitFailedWarning, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.metrics import performance_gap_recovered, region_accuracy
from sklearn_w2s.model_selection import LabeledSplit, cross_validate_gap
from sklearn_w2s.model_selection._gap import pool

X, Y = load_digits(n_class=3, return_X_y=True)
X, Y = X[:300] / 16, Y[:300]
RIVALS = ["weak", "weak_to_strong", "strong_on_labels", "ceiling"]


def model(**params):
    defaults = {
        "weak_estimator": GaussianNB(),
        "strong_estimator": LogisticRegression(max_iter=500),
        "weak_features": list(range(32)),
        "strategy": "all",
    }
    return WeakToStrongClassifier(**(defaults | params))


def equal(first, second):
    """Say whether two results are the same, clocks apart."""
    assert first.keys() == second.keys()
    for name in first:
        if not name.endswith("_time"):
            np.testing.assert_equal(first[name], second[name])


class Remembering(LogisticRegression):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = X, y
        return super().fit(X, y, sample_weight)


def rows_of(seen):
    return [row.tobytes() for row in np.asarray(seen, dtype=np.float64)]


def test_scores_are_those_of_fits_by_hand():
    strong = Remembering(max_iter=500)
    estimator = model(strong_estimator=strong, weak_estimator=clone(strong))
    results = cross_validate_gap(
        estimator, X, Y, labeled_size=30, cv=3, random_state=0, return_estimator=True
    )
    fits = zip(*(results[f"{name}_estimator"] for name in RIVALS[1:]), strict=True)
    splits = StratifiedKFold(3).split(X, Y)
    for fold, ((train, test), (student, alone, top)) in enumerate(
        zip(splits, fits, strict=True)
    ):
        kept = np.isin(rows_of(X[train]), rows_of(alone.seen_[0]))
        assert kept.sum() == 30
        y = np.where(kept, Y[train], -1)
        by_hand = clone(estimator).fit(X[train], y)
        assert_array_equal(student.weak_estimator_.seen_[0], X[train][kept][:, :32])
        assert_array_equal(alone.seen_[1], Y[train][kept])
        assert_array_equal(top.seen_[1], Y[train])
        expected = (
            by_hand.weak_estimator_.score(X[test][:, :32], Y[test]),
            by_hand.score(X[test], Y[test]),
            clone(strong).fit(X[train][kept], Y[train][kept]).score(X[test], Y[test]),
            clone(strong).fit(X[train], Y[train]).score(X[test], Y[test]),
        )
        assert tuple(results[f"{name}_score"][fold] for name in RIVALS) == expected
    for name, n_rows in (
        ("n_labeled", 30),
        ("n_hidden", 170),
        ("n_unlabeled", 170),
        ("n_test", 100),
    ):
        assert results[name].tolist() == [n_rows] * 3
    assert results["strategy"].tolist() == ["all"] * 3


def test_the_share_per_fold_is_the_metric_of_its_scores():
    results = cross_validate_gap(model(), X, Y, labeled_size=30, cv=3, random_state=0)
    compared = [
        results[f"{name}_score"] for name in ("weak", "weak_to_strong", "ceiling")
    ]
    expected = performance_gap_recovered(*compared, zero_division=np.nan)
    assert_array_equal(results["performance_gap_recovered"], expected)
    floor, student, top = np.mean(compared, axis=1)
    assert results["gap_recovered"] == pytest.approx((student - floor) / (top - floor))


def test_with_no_label_hidden_it_is_cross_validate_and_the_ceiling_has_these_labels():
    y = np.where(np.arange(len(Y)) % 3 == 0, Y, -1)
    results = cross_validate_gap(model(), X, y, cv=3, random_state=0)
    expected = cross_validate(model(), X, y, cv=LabeledSplit(3))["test_score"]
    assert_array_equal(results["weak_to_strong_score"], expected)
    assert_array_equal(results["strong_on_labels_score"], results["ceiling_score"])
    assert_array_equal(results["n_hidden"], 0)
    assert_array_equal(results["n_unlabeled"], 200)
    labeled = y != -1
    alone = cross_validate(
        LogisticRegression(max_iter=500), X[labeled], y[labeled], cv=3
    )
    assert_array_equal(results["ceiling_score"], alone["test_score"])


@pytest.mark.parametrize("labeled_size", [3, 10, 0.1])
def test_every_class_keeps_a_label(labeled_size):
    y = np.where(np.arange(300) % 30 == 0, Y, np.where(Y == 2, 1, Y))
    results = cross_validate_gap(
        model(weak_estimator=DecisionTreeClassifier()),
        X,
        y,
        labeled_size=labeled_size,
        cv=2,
        random_state=0,
        return_estimator=True,
    )
    for alone in results["strong_on_labels_estimator"]:
        assert alone.classes_.tolist() == [0, 1, 2]


def test_results_depend_on_the_seed_and_not_on_the_number_of_jobs():
    estimator = model(strong_estimator=DecisionTreeClassifier(max_features=3))
    run = {"labeled_size": 0.2, "cv": 3}
    results = cross_validate_gap(estimator, X, Y, **run, random_state=0)
    equal(results, cross_validate_gap(estimator, X, Y, **run, random_state=0))
    equal(results, cross_validate_gap(estimator, X, Y, **run, random_state=0, n_jobs=2))
    other = cross_validate_gap(estimator, X, Y, **run, random_state=1)
    assert (results["weak_score"] != other["weak_score"]).any()


def test_fewer_unlabeled_rows_bound_the_ceiling_as_well():
    results = cross_validate_gap(
        model(store_rows=True),
        X,
        Y,
        labeled_size=30,
        unlabeled_size=20,
        cv=3,
        return_estimator=True,
        random_state=0,
    )
    assert_array_equal(results["n_hidden"], 20)
    for student in results["weak_to_strong_estimator"]:
        assert len(student.rows_["label"]) == 50


@pytest.mark.parametrize("missing_label", [-1, "none"])
def test_tables_with_string_labels_give_what_arrays_give(missing_label):
    names = np.array(["zero", "one", "two"])
    table = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
    y = pd.Series(names[Y], dtype=object)
    y[::4] = missing_label
    columns = [f"pixel {i}" for i in range(32)]
    # Sorted alike, so that draws by class are the same ones.
    codes = np.where(np.arange(300) % 4 == 0, -1, np.array([2, 0, 1])[Y])
    run = {"labeled_size": 0.2, "cv": 3, "random_state": 0}
    results = cross_validate_gap(
        model(weak_features=columns, missing_label=missing_label), table, y, **run
    )
    expected = cross_validate_gap(model(), X, codes, **run)
    equal(results, expected)
    assert_array_equal(results["n_unlabeled"], 75 + results["n_hidden"])


def test_pipelines_are_compared_as_a_whole():
    pipeline = make_pipeline(StandardScaler(), model())
    results = cross_validate_gap(
        pipeline, X, Y, labeled_size=30, cv=3, random_state=0, return_estimator=True
    )
    for fold, (_, test) in enumerate(StratifiedKFold(3).split(X, Y)):
        scaler, student = results["weak_to_strong_estimator"][fold]
        view = scaler.transform(X[test])[:, :32]
        assert results["weak_score"][fold] == student.weak_estimator_.score(
            view, Y[test]
        )
        alone = results["strong_on_labels_estimator"][fold]
        assert isinstance(alone[-1], LogisticRegression)
        assert alone[0].n_samples_seen_ == 30


def test_default_estimators_can_be_compared():
    results = cross_validate_gap(
        WeakToStrongClassifier(strategy="all"),
        X[:90],
        Y[:90],
        labeled_size=30,
        cv=2,
        random_state=0,
    )
    assert np.isfinite([results[f"{name}_score"] for name in RIVALS]).all()


@pytest.mark.parametrize(
    "scoring",
    [
        ["accuracy", "neg_log_loss"],
        ("accuracy", "neg_log_loss"),
        {"accuracy": "accuracy", "neg_log_loss": "neg_log_loss"},
    ],
)
def test_several_scores_are_those_of_single_ones(scoring):
    run = {"labeled_size": 30, "cv": 3, "random_state": 0}
    both = cross_validate_gap(model(), X, Y, scoring=scoring, **run)
    for metric in ("accuracy", "neg_log_loss"):
        alone = cross_validate_gap(model(), X, Y, scoring=metric, **run)
        for name in RIVALS:
            assert_array_equal(both[f"{name}_{metric}"], alone[f"{name}_score"])
        for name in (
            "performance_gap_recovered",
            "gap_recovered",
            "gap_recovered_interval",
        ):
            assert_array_equal(both[f"{name}_{metric}"], alone[name])


def test_a_callable_scores_as_the_name_it_stands_for():
    def score(estimator, X, y):
        return np.mean(estimator.predict(X) == y)

    run = {"labeled_size": 30, "cv": 3, "random_state": 0}
    equal(
        cross_validate_gap(model(), X, Y, scoring=score, **run),
        cross_validate_gap(model(), X, Y, **run),
    )


def test_accuracies_by_region_add_up_to_the_scores():
    results = cross_validate_gap(
        model(overlap_detector=OverlapDetector(confidence_threshold=0.99)),
        X,
        Y,
        labeled_size=60,
        cv=3,
        random_state=0,
        return_estimator=True,
    )
    shares = results["region_share"]
    assert_allclose(sum(shares.values()), 1)
    for name in RIVALS:
        parts = results["region_accuracy"][name]
        total = sum(np.nan_to_num(parts[r]) * shares[r] for r in shares)
        assert_allclose(total, results[f"{name}_score"])
    student = results["weak_to_strong_estimator"][0]
    test = next(StratifiedKFold(3).split(X, Y))[1]
    regions = student.overlap_detector_.predict(X[test])
    expected = region_accuracy(Y[test], student.predict(X[test]), regions)
    for region, accuracy in expected.items():
        found = results["region_accuracy"]["weak_to_strong"][region][0]
        assert found == pytest.approx(accuracy, nan_ok=True)
    densities = [e.overlap_density_ for e in results["weak_to_strong_estimator"]]
    assert_array_equal(results["overlap_density"], densities)


def test_without_a_detector_there_are_no_regions():
    results = cross_validate_gap(model(), X, Y, labeled_size=30, cv=3, random_state=0)
    assert not {"region_accuracy", "region_share", "overlap_density"} & results.keys()


def test_a_weak_estimator_that_needs_no_label_can_do_with_none():
    weak = FrozenEstimator(GaussianNB().fit(X[::5, :32], Y[::5]))
    results = cross_validate_gap(
        model(weak_estimator=weak), X, Y, labeled_size=0, cv=3, random_state=0
    )
    assert_array_equal(results["n_labeled"], 0)
    assert np.isnan(results["strong_on_labels_score"]).all()
    assert np.isfinite(results["weak_to_strong_score"]).all()


def test_the_pooled_share_is_the_ratio_of_mean_differences():
    weak = np.array([0.5, 0.6, 0.5, 0.6])
    student, ceiling = weak + np.tile([0.1, 0.2], 2), weak + 0.3
    share, interval = pool(weak, student, ceiling, confidence_level=0.9, seed=0)
    assert share == pytest.approx(0.5)
    assert 0.333 < interval[0] < share < interval[1] < 0.667
    wider = pool(weak, student, ceiling, confidence_level=0.99, seed=0)[1]
    assert wider[0] <= interval[0]
    assert interval[1] <= wider[1]


def test_the_interval_of_folds_that_agree_is_a_point():
    weak = np.array([0.5, 0.6, 0.7])
    share, interval = pool(weak, weak + 0.1, weak + 0.2, confidence_level=0.95, seed=0)
    assert_allclose([share, *interval], 0.5)


@pytest.mark.parametrize(
    "gaps",
    [[0.0, 0.0, 0.0], [-0.1, -0.1, -0.1], [0.1, -0.1, 0.05], [0.2], [0.1, np.nan]],
)
def test_a_gap_within_its_noise_leaves_the_share_undefined(gaps):
    weak = np.full(len(gaps), 0.5)
    share, interval = pool(weak, weak, weak + gaps, confidence_level=0.95, seed=0)
    assert np.isnan([share, *interval]).all()


def test_a_gap_counts_from_the_quantile_of_students_t_on():
    # Two folds: one degree of freedom, of which the 0.95 quantile is 6.314.
    spread = np.array([-1, 1]) / 100  # standard error 0.01

    def share_of(gap, level):
        weak = np.array([0.5, 0.6])
        ceiling = weak + gap + spread
        return pool(weak, ceiling, ceiling, confidence_level=level, seed=0)[0]

    assert np.isnan(share_of(0.0631, 0.95))
    assert share_of(0.0632, 0.95) == 1
    assert share_of(0.0632, 0.9) == 1
    assert np.isnan(share_of(0.0632, 0.99))


def test_a_ceiling_no_better_than_the_weak_estimator_recovers_nothing_defined():
    strong = DecisionTreeClassifier(max_depth=1)
    results = cross_validate_gap(
        model(strong_estimator=strong), X, Y, labeled_size=60, cv=3, random_state=0
    )
    assert np.isnan(results["performance_gap_recovered"]).all()
    assert np.isnan(results["gap_recovered"])
    assert np.isnan(results["gap_recovered_interval"]).all()


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_weights_reach_both_estimators_without_routing():
    weights = np.where(np.arange(300) % 2, 1.0, 0.0)
    results = cross_validate_gap(
        model(),
        X,
        Y,
        cv=2,
        params={"sample_weight": weights},
        return_estimator=True,
    )
    for fold, (train, _) in enumerate(StratifiedKFold(2).split(X, Y)):
        weak = results["weak_to_strong_estimator"][fold].weak_estimator_
        assert weak.class_count_.sum() == weights[train].sum()
        alone = LogisticRegression(max_iter=500)
        alone.fit(X[train], Y[train], weights[train])
        assert_array_equal(results["ceiling_estimator"][fold].coef_, alone.coef_)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_metadata_is_routed_as_requested():
    weights = np.linspace(0.5, 2, 300)
    groups = np.arange(300) % 7
    seen = []

    def weighted_accuracy(y, predicted, sample_weight=None):
        seen.append(sample_weight)
        return np.average(y == predicted, weights=sample_weight)

    scorer = make_scorer(weighted_accuracy)
    with config_context(enable_metadata_routing=True):
        estimator = model(
            weak_estimator=GaussianNB().set_fit_request(sample_weight=False),
            strong_estimator=LogisticRegression(max_iter=500).set_fit_request(
                sample_weight="heft"
            ),
        )
        scorer.set_score_request(sample_weight="heft")
        results = cross_validate_gap(
            estimator,
            X,
            Y,
            cv=GroupKFold(3),
            scoring=scorer,
            params={"heft": weights, "groups": groups},
            return_estimator=True,
        )
        splits = list(GroupKFold(3).split(X, Y, groups))
    for fold, (train, test) in enumerate(splits):
        assert_array_equal(seen[4 * fold], weights[test])
        alone = LogisticRegression(max_iter=500)
        alone.fit(X[train], Y[train], weights[train])
        assert_array_equal(results["ceiling_estimator"][fold].coef_, alone.coef_)
    assert len(seen) == 12


@pytest.mark.parametrize("cv", [GroupKFold(3), TimeSeriesSplit(3)])
def test_no_fit_learns_from_rows_of_a_test_group_or_of_the_future(cv):
    y = np.where(np.arange(300) % 2, Y, -1)
    by_group = isinstance(cv, GroupKFold)
    groups = np.arange(300) // 9
    params = {"groups": groups} if by_group else None
    with config_context(enable_metadata_routing=by_group):
        results = cross_validate_gap(
            model(strong_estimator=Remembering(max_iter=500)),
            X,
            y,
            labeled_size=30,
            cv=cv,
            params=params,
            return_estimator=True,
            random_state=0,
        )
    inner = cv.split(X[1::2], y[1::2], groups[1::2] if by_group else None)
    numbers = {row: number for number, row in enumerate(rows_of(X))}
    for student, (_, test) in zip(
        results["weak_to_strong_estimator"], inner, strict=True
    ):
        seen = [numbers[row] for row in rows_of(student.strong_estimator_.seen_[0])]
        assert (y[seen] == -1).any()
        if by_group:
            assert not set(groups[seen]) & set(groups[2 * test + 1])
        else:
            assert max(seen) < 2 * test.min() + 1


def test_groups_need_routing_to_reach_the_splitter():
    groups = np.arange(300) % 7
    with pytest.raises(TypeError, match=r"groups.*enable_metadata_routing=True"):
        cross_validate_gap(model(), X, Y, cv=GroupKFold(3), params={"groups": groups})
    with pytest.raises(ValueError, match=r"needs groups.*enable_metadata_routing=True"):
        cross_validate_gap(model(), X, Y, cv=GroupKFold(3))


def test_metadata_that_nobody_requests_is_refused():
    params = {"sample_weight": np.ones(300)}
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises((TypeError, UnsetMetadataPassedError), match="sample_weight"),
    ):
        cross_validate_gap(model(), X, Y, cv=3, params=params)
    pipeline = make_pipeline(StandardScaler(), model())
    with pytest.raises(TypeError, match="cannot reach the steps of a pipeline"):
        cross_validate_gap(pipeline, X, Y, cv=3, params=params)


class Failing(LogisticRegression):
    """Fails where it gets more rows than it can take."""

    def __init__(self, most=200, max_iter=500):
        super().__init__(max_iter=max_iter)
        self.most = most

    def fit(self, X, y, sample_weight=None):
        if len(X) > self.most:
            msg = "too many rows"
            raise RuntimeError(msg)
        return super().fit(X, y, sample_weight)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_a_fit_that_fails_costs_its_own_score_only():
    estimator = model(strong_estimator=Failing(most=190), pseudo_labels="hard")
    cv = [(np.arange(180), np.arange(180, 300)), (np.arange(300), np.arange(90))]
    with pytest.warns(FitFailedWarning, match="too many rows"):
        results = cross_validate_gap(
            estimator, X, Y, labeled_size=30, cv=cv, random_state=0
        )
    for name in ("weak", "weak_to_strong", "ceiling"):
        assert_array_equal(np.isnan(results[f"{name}_score"]), [False, True])
    assert np.isfinite(results["strong_on_labels_score"]).all()
    assert np.isnan(results["gap_recovered"])
    with pytest.warns(FitFailedWarning):
        results = cross_validate_gap(estimator, X, Y, cv=cv, error_score=0)
    assert results["ceiling_score"][1] == 0
    with pytest.raises(RuntimeError, match="too many rows"):
        cross_validate_gap(estimator, X, Y, cv=cv, error_score="raise")
    with pytest.raises(ValueError, match="multi_class"):
        cross_validate_gap(model(), X, Y, cv=3, scoring="roc_auc", error_score="raise")


def test_if_every_fit_fails_so_does_the_comparison():
    estimator = model(strong_estimator=Failing(most=1), pseudo_labels="hard")
    with pytest.raises(ValueError, match=r"All 3 fits(.|\n)*too many rows"):
        cross_validate_gap(estimator, X, Y, labeled_size=30, cv=3, random_state=0)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_a_score_that_fails_costs_its_own_name_only():
    estimator = model(strong_estimator=KNeighborsClassifier(1))
    scoring = {"accuracy": "accuracy", "broken": "roc_auc"}
    with pytest.warns(FitFailedWarning, match="multi_class"):
        results = cross_validate_gap(estimator, X, Y, cv=3, scoring=scoring)
    assert np.isnan(results["weak_broken"]).all()
    assert np.isfinite(results["weak_accuracy"]).all()


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="no parameter 'weak_estimator'"):
        cross_validate_gap(LogisticRegression(), X, Y)
    for arguments, message in (
        ({"labeled_size": 2}, "labeled_size=2 keeps 2 of 200 labels, but there are 3"),
        ({"labeled_size": 201}, "labeled_size=201 must be a number of rows from 0"),
        ({"unlabeled_size": -1, "labeled_size": 9}, "unlabeled_size=-1 must be"),
        ({"confidence_level": 95}, "confidence_level=95 must be a number in"),
        ({"error_score": "nan"}, "error_score='nan' must be"),
        ({"scoring": None}, "scoring=None must be"),
    ):
        with pytest.raises(ValueError, match=message):
            cross_validate_gap(model(), X, Y, cv=3, **arguments)
    with pytest.raises(ValueError, match=r"y has the classes \[0\]"):
        cross_validate_gap(model(), X, np.zeros(300, dtype=int))
    proba = np.full((300, 3), 1 / 3)
    with pytest.raises(ValueError, match="weak_proba alone"):
        cross_validate_gap(model(), X, Y, cv=3, params={"weak_proba": proba})


def test_the_estimator_is_not_changed():
    estimator = model()
    before = clone(estimator)
    cross_validate_gap(estimator, X, Y, labeled_size=30, cv=2, random_state=0)
    assert str(vars(estimator)) == str(vars(before))


def test_verbose_tells_the_time_that_is_left(capfd):
    cross_validate_gap(model(), X, Y, labeled_size=60, cv=3, verbose=1)
    lines = capfd.readouterr().err.splitlines()

    told = [re.sub(r"\d+ s", "0 s", line) for line in lines]
    assert told == [
        "1 of 3 folds done in 0 s, about 0 s left",
        "2 of 3 folds done in 0 s, about 0 s left",
        "3 of 3 folds done in 0 s",
    ]

"""Strategies: those that ask neighbouring rows, and what is made of all."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._algorithms.overlap import margin_confidence
from sklearn_w2s.weak_to_strong._strategies import (
    KEPT_SHARE,
    N_NEIGHBORS,
    STRATEGIES,
    Strategy,
    keep_true_labels,
    loss_message,
    weak_targets,
)
from sklearn_w2s.weak_to_strong._views import Search

N = 400
NEIGHBORLY = [n for n, strategy in STRATEGIES.items() if strategy.needs_neighbors]


@pytest.fixture
def noisy():
    """Rows of two well separated classes, and weak probabilities wrong for a fifth."""
    rng = np.random.default_rng(0)
    truth = np.arange(N) % 2
    rows = rng.normal(size=(N, 2)) + 4 * truth[:, None]
    wrong = rng.uniform(size=N) < 0.2
    second = np.where(truth ^ wrong, 0.8, 0.2)
    return rows, np.column_stack([1 - second, second]), truth, wrong


def apply(name, rows, proba, labeled=None):
    labeled = np.zeros(len(proba), dtype=bool) if labeled is None else labeled
    near = Search(rows, N_NEIGHBORS).own() if len(rows) > 1 else None
    return STRATEGIES[name].function(proba, None, near, labeled, None)


def test_disputed_labels_are_dropped(noisy):
    rows, proba, _, wrong = noisy
    targets, weights = apply("cut_statistic", rows, proba)
    assert_array_equal(targets, proba)
    assert set(weights) == {0, 1}
    assert weights.mean() == pytest.approx(KEPT_SHARE, abs=0.02)
    assert not weights[wrong].any()


def test_the_share_that_is_kept_is_one_of_unlabeled_rows(noisy):
    rows, proba, _, _ = noisy
    labeled = np.arange(N) < 300
    _, weights = apply("cut_statistic", rows, proba, labeled)
    assert weights[~labeled].mean() == pytest.approx(KEPT_SHARE, abs=0.02)


@pytest.mark.parametrize("name", NEIGHBORLY)
@pytest.mark.parametrize("n", [1, 2, 3, 15, 16])
def test_few_rows_have_few_neighbours(noisy, name, n):
    rows, proba, _, _ = noisy
    targets, weights = apply(name, rows[:n], proba[:n])
    assert_allclose(targets.sum(axis=1), 1)
    assert weights.shape == (n,)
    assert weights.any()


@pytest.mark.parametrize("name", NEIGHBORLY)
def test_rows_that_are_all_alike_are_nothing_special(name):
    proba = np.tile([0.3, 0.7], (50, 1))
    targets, weights = apply(name, np.ones((50, 2)), proba)
    assert_allclose(targets, proba)
    assert_array_equal(weights, np.ones(50))


@pytest.mark.parametrize("name", NEIGHBORLY)
def test_rows_of_weight_zero_are_nobody_s_neighbours(problem, proba, name):
    X, y, _ = problem
    weights = np.random.default_rng(0).integers(0, 2, size=len(X)).astype(float)
    model = WeakToStrongClassifier(
        LogisticRegression(), DecisionTreeClassifier(random_state=0), strategy=name
    )
    first = model.fit(X, y, weak_proba=proba, sample_weight=weights).predict_proba(X)
    ignored = weights == 0
    X_changed, proba_changed = X.copy(), proba.copy()
    X_changed[ignored] = 0
    proba_changed[ignored] = [0, 0, 1]
    model.fit(X_changed, y, weak_proba=proba_changed, sample_weight=weights)
    assert_array_equal(model.predict_proba(X), first)


# Targets and weights


PROBA = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]])
REGIONS = np.array(["easy", "overlap", "hard", "easy"])
LABELED = np.array([False, False, False, True])


def targets_of(strategy, unlabeled=~LABELED, name="mine", **evidence):
    if not isinstance(strategy, Strategy):
        strategy = Strategy(strategy, needs_regions=True, needs_weights=False)
    evidence = {
        "regions": REGIONS,
        "representation": None,
        "labeled": LABELED,
        "rng": None,
    } | evidence
    return weak_targets(name, strategy, PROBA, unlabeled, **evidence)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("all", [1, 1, 1, 1]),
        ("confidence", margin_confidence(PROBA)),
        ("confident", [1, 1, 0, 1]),
    ],
)
def test_strategies_keep_the_probabilities_and_choose_weights(name, weights):
    targets, got, lost = targets_of(STRATEGIES[name], name=name)
    assert_array_equal(targets, PROBA)
    assert_array_equal(got, weights)
    assert not len(lost)


def test_the_strategy_of_the_paper_keeps_overlap_rows_alone():
    _, weights = STRATEGIES["overlap"].function(PROBA, REGIONS)
    assert_array_equal(weights, REGIONS == "overlap")


def test_a_class_that_no_row_is_kept_of_is_lost():
    _, _, lost = targets_of(STRATEGIES["overlap"], name="overlap")
    assert_array_equal(lost, [0])
    assert re.search(
        r"strategy='overlap' drops .* \[0\] of", loss_message("overlap", lost)
    )


def test_a_class_of_which_next_to_nothing_is_left_is_lost():
    proba = np.repeat([[0.9, 0.1], [0.1, 0.9]], 100, axis=0)
    evidence = {"representation": None, "labeled": np.zeros(200, bool), "rng": None}

    def lost(n_kept):
        regions = np.repeat(["overlap", "easy", "overlap"], [n_kept, 100 - n_kept, 100])
        unlabeled = np.ones(200, dtype=bool)
        return weak_targets(
            *("overlap", STRATEGIES["overlap"], proba, unlabeled),
            regions=regions,
            **evidence,
        )[2]

    assert not len(lost(3))
    assert_array_equal(lost(2), [0])


def test_hard_labels_that_would_be_of_one_class_are_soft():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    p = 0.3 / (1 + np.exp(-X[:, 0]))
    model = WeakToStrongClassifier(
        strong_estimator=LogisticRegression(), strategy="smooth", random_state=0
    )

    model.fit(X, np.full(300, -1), weak_proba=np.column_stack([1 - p, p]))

    assert model.pseudo_labels_ == "soft"
    assert model.predict_proba(X)[:, 1].max() > 0.1


def test_a_class_of_labeled_rows_alone_is_not_lost():
    unlabeled = np.array([False, True, False, False])
    _, _, lost = targets_of(STRATEGIES["overlap"], unlabeled, name="overlap")
    assert not len(lost)


def test_true_labels_replace_what_was_said_of_labeled_rows():
    for include in (False, True):
        targets, weights = PROBA.copy(), np.full(4, 0.5)
        keep_true_labels(targets, weights, [0], LABELED, include_labeled=include)
        assert_array_equal(targets[:3], PROBA[:3])
        assert_array_equal(targets[3], [1, 0])
        assert_array_equal(weights, [0.5, 0.5, 0.5, include])


def returns(targets, weights):
    return lambda *_: (targets, weights)


ONES = np.ones(4)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (returns(PROBA[:3], ONES), r"targets of shape \(3, 2\).*expected \(4, 2\)"),
        (returns(PROBA, ONES[:2]), r"weights of shape \(2,\).*and \(4,\)"),
        (returns(PROBA, -ONES), "weights that are negative or not finite"),
        (returns(PROBA * np.nan, ONES), "targets that are negative or not finite"),
        (returns(PROBA * 2, ONES), r"do not sum to 1: row 0 is \[1.8, 0.2\]"),
        (returns(PROBA * 0, ONES), r"do not sum to 1: row 0 is \[0.0, 0.0\]"),
    ],
)
def test_what_is_no_target_is_refused(strategy, message):
    with pytest.raises(ValueError, match=rf"strategy=.* returned {message}|{message}"):
        targets_of(strategy)


def test_targets_of_rows_that_are_not_used_may_be_anything():
    targets = PROBA * [[1], [1], [0], [7]]
    _, weights, lost = targets_of(returns(targets, [1.0, 1, 0, 1]))
    assert not len(lost)
    assert_array_equal(weights, [1, 1, 0, 1])


def test_a_function_gets_probabilities_regions_rows_labels_and_a_generator(problem):
    X, y, _ = problem
    seen = []

    def strategy(weak_proba, regions, representation, labeled, rng):
        seen.append((weak_proba, regions, representation, labeled, rng.uniform()))
        return weak_proba, np.ones(len(weak_proba))

    model = WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(),
        strategy=strategy,
        overlap_detector=OverlapDetector(overlap_measure="unexplained"),
        store_rows=True,
        random_state=0,
    )
    for _ in range(2):
        model.fit(X, y)
    weak_proba, regions, representation, labeled, number = seen[0]
    assert_array_equal(weak_proba, stacked(model, "weak_proba"))
    assert_array_equal(regions, model.rows_["region"])
    assert_array_equal(representation, model.overlap_detector_.represent(X))
    assert_array_equal(labeled, y >= 0)
    assert number == seen[1][-1]
    assert model.strategy_ is strategy

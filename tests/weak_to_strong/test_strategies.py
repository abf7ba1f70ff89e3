"""Strategies that ask neighbouring rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.weak_to_strong._strategies import KEPT_SHARE, N_NEIGHBORS, STRATEGIES
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

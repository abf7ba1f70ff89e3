"""A teacher without labels: what smoothing the weak labels is worth."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.weak_to_strong import _members, _smooth
from sklearn_w2s.weak_to_strong._smooth import (
    Bags,
    Neighbors,
    Ridge,
    Smooth,
    ValueSmooth,
)
from sklearn_w2s.weak_to_strong._teachers import Known
from sklearn_w2s.weak_to_strong._views import Search


def known_of(X, weak_proba, *, second=None, weights=None):
    return Known(
        labels=None,
        others=X,
        weak_held_out=weak_proba[:0],
        weak_proba=weak_proba,
        weights=np.ones(len(weak_proba)) if weights is None else weights,
        strong=None,
        columns=None,
        second=second,
        complete=True,
        seed=0,
    )


@pytest.fixture(scope="module")
def clusters():
    """Rows of four clusters, two to a class, and a stump that sees one border."""
    rng = np.random.default_rng(0)
    cluster = rng.integers(4, size=800)
    centers = np.array([[0, 0], [0, 6], [6, 0], [6, 6.0]])
    X = centers[cluster] + rng.normal(size=(800, 2))
    y = np.isin(cluster, [0, 1, 2]).astype(int)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    return X, y, tree.fit(X[:60], y[:60]).predict_proba(X)


def hits(proba, y):
    return np.mean(proba.argmax(axis=1) == y)


def test_rows_that_resemble_each_other_come_to_agree():
    rng = np.random.default_rng(0)
    y = np.arange(600) % 2
    X = rng.normal(size=(600, 2)) + 4 * y[:, None]
    wrong = rng.uniform(size=600) < 0.2
    proba = np.where(np.eye(2)[y ^ wrong], 0.8, 0.2)
    teacher = Smooth().teach(known_of(X, proba))
    assert hits(teacher.proba, y) > 0.97
    assert_allclose(teacher.proba.sum(axis=1), 1)


def test_clusters_across_the_leaves_of_a_tree_settle_into_classes():
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X[:400], y[:400])
    weak = tree.predict_proba(X[400:])
    teacher = Smooth().teach(known_of(X[400:], weak))
    assert hits(teacher.proba, y[400:]) > hits(weak, y[400:]) + 0.08


def test_bags_keep_the_shares_that_the_weak_estimator_says():
    rng = np.random.default_rng(0)
    weak = np.array([[0.7, 0.3], [0.2, 0.8]])[rng.integers(2, size=300)]
    chosen = np.arange(300)
    bags = Bags(weak, chosen, np.ones(300), rng)
    scaled = bags.start
    for _ in range(20):
        scaled = bags.fit(scaled * rng.uniform(0.5, 2, size=(300, 2)), chosen)
        for leaf in np.unique(weak, axis=0):
            rows = (weak == leaf).all(axis=1)
            assert_allclose(
                scaled[rows].mean(axis=0), bags.start[rows].mean(axis=0), atol=0.02
            )


def test_many_predictions_are_clustered_into_bags():
    weak = np.random.default_rng(0).dirichlet([1, 1, 1], size=500)
    bags = Bags(weak, np.arange(400), np.ones(400), np.random.RandomState(0))
    assert len(np.unique(bags._bags)) == 20


def test_members_of_columns_of_their_own_are_multiplied():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=800)
    X = np.column_stack([y + rng.normal(size=800), *(y + rng.normal(size=(3, 800)))])
    sure = np.where(X[:, 0] > 0.5, 0.8, 0.3)
    weak = np.column_stack([1 - sure, sure])
    teacher = Smooth().teach(known_of(X, weak, second=[1, 2, 3]))
    assert hits(teacher.proba, y) > hits(weak, y) + 0.04


@pytest.mark.parametrize("smooth_weak", [False, True])
def test_a_sample_stands_for_all(clusters, monkeypatch, smooth_weak):
    X, _, weak = clusters
    if smooth_weak:
        rng = np.random.default_rng(0)
        weak = 0.9 * weak + 0.1 * rng.dirichlet([1, 1], size=len(weak))
    whole = Smooth().teach(known_of(X, weak)).proba
    monkeypatch.setattr(_smooth, "MAX_SMOOTHED", 300)
    monkeypatch.setattr(_members, "BLOCK_ROWS", 70)
    sampled = Smooth().teach(known_of(X, weak)).proba
    assert np.mean(sampled.argmax(axis=1) == whole.argmax(axis=1)) > 0.93
    assert_allclose(sampled.sum(axis=1), 1)


def test_a_class_of_next_to_no_row_is_not_taught():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2))
    weak = np.tile([[0.6, 0.38, 0.02], [0.38, 0.6, 0.02]], (500, 1))
    weak[:3] = [0.1, 0.1, 0.8]
    teacher = Smooth().teach(known_of(X, weak))
    assert 2 not in teacher.judged.argmax(axis=1)
    assert_allclose(teacher.judged.sum(axis=1), 1)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_rows_are_enough(n):
    weak = np.tile([0.3, 0.7], (n, 1))
    teacher = Smooth().teach(known_of(np.arange(2.0 * n).reshape(n, 2), weak))
    assert_allclose(teacher.proba, weak, atol=1e-4)


def test_sparse_rows_are_welcome(clusters):
    X, y, weak = clusters
    teacher = Smooth().teach(known_of(sparse.csr_matrix(X), weak))
    assert hits(teacher.proba, y) >= hits(weak, y) - 0.02


def test_the_shares_count_rows_by_their_weight():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    weak = np.array([[0.9, 0.1], [0.1, 0.9]])[(X[:, 0] > 0).astype(int)]
    weights = np.where(X[:, 0] > 0, 3.0, 1.0)
    bags = Bags(weak, np.arange(400), weights, rng)
    prior = np.average(weak, axis=0, weights=weights)
    assert_allclose(bags.start, 0.95 * weak + 0.05 * prior)


# Smoothers


def test_ridge_says_of_its_own_rows_what_the_others_tell():
    rng = np.random.default_rng(0)
    X, targets = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    ridge = Ridge(None, 2.0).fit(X)
    plain = PlainRidge(alpha=2.0).fit(X, targets)
    assert_allclose(ridge.new(X[:5], targets), plain.predict(X[:5]))
    predicted = ridge.own(targets)
    for i in range(40):
        kept = np.arange(40) != i
        # The mean of the features stays that of all rows.
        centred = X - X.mean(axis=0)
        refit = PlainRidge(alpha=2.0).fit(centred[kept], targets[kept])
        assert_allclose(predicted[i], refit.predict(centred[i : i + 1])[0], atol=0.1)


def test_neighbours_leave_the_row_itself_out():
    X = np.array([[0.0], [0.1], [5.0]])
    near = Neighbors(Search(X, 30), len(X))
    near_targets = np.array([[1.0], [2.0], [3.0]])
    assert_allclose(near.own(near_targets)[0], 2.5)
    assert_array_equal(near.new(X[:1], near_targets), [[1.5]])


# Values


def test_smoothing_removes_noise_and_leaves_what_is_smooth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    truth = X[:, 0] - X[:, 1]
    smoothed = ValueSmooth().teach(known_of(X, truth[:, None])).proba[:, 0]
    assert_allclose(smoothed, truth, atol=0.02)
    noisy = truth + 0.7 * rng.normal(size=400)
    smoothed = ValueSmooth().teach(known_of(X, noisy[:, None])).proba[:, 0]
    assert np.mean((smoothed - truth) ** 2) < 0.5 * np.mean((noisy - truth) ** 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_rows_and_equal_values_are_smoothed_as_well(n):
    X = np.arange(2.0 * n).reshape(n, 2)
    assert_allclose(ValueSmooth().teach(known_of(X, np.ones((n, 1)))).proba, 1)
    assert np.isfinite(
        ValueSmooth().teach(known_of(X, np.arange(n)[:, None] * 1.0)).proba
    ).all()

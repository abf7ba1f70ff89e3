"""The gain is at least the misfit where a class is convex and holds the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import rel_entr
from sklearn.linear_model import LogisticRegression

from sklearn_w2s._algorithms.misfit import log_misfit, squared_misfit

seeds = st.integers(0, 10_000)


def two_columns(positive):
    return np.column_stack([1 - positive, positive])


def mixtures(rng, n_members, n=40, n_classes=3):
    """Return given estimators, whose mixtures are a convex class, and a truth in it."""
    members = rng.dirichlet(np.full(n_classes, 0.5), size=(n_members, n)) + 1e-3
    members /= members.sum(axis=2, keepdims=True)
    truth = np.tensordot(rng.dirichlet(np.ones(n_members)), members, axes=1)
    return members, truth


def nearest_mixture(members, weak, distance):
    """Return the mixture at the smallest mean distance from the weak predictions."""

    def predict(logits):
        shares = np.exp(logits - logits.max())
        return np.tensordot(shares / shares.sum(), members, axes=1)

    found = minimize(
        lambda logits: distance(weak, predict(logits)).mean(),
        np.zeros(len(members)),
        options={"gtol": 1e-9},
    )
    return predict(found.x)


@given(seed=seeds)
def test_a_linear_least_squares_student_gains_at_least_its_misfit(seed):
    rng = np.random.default_rng(seed)
    X, weak = rng.normal(size=(30, 5)), rng.normal(size=(30, 2))
    truth = X @ rng.normal(size=(5, 2))
    strong = X @ np.linalg.lstsq(X, weak, rcond=None)[0]
    gain = squared_misfit(truth, weak) - squared_misfit(truth, strong)
    # A subspace has the equality of Pythagoras.
    assert gain.mean() == pytest.approx(squared_misfit(weak, strong).mean())


@given(seed=seeds, n_members=st.integers(2, 4))
@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_the_nearest_mixture_gains_at_least_its_misfit(distance, seed, n_members):
    rng = np.random.default_rng(seed)
    members, truth = mixtures(rng, n_members)
    weak = rng.dirichlet(np.ones(3), size=40) + 1e-3
    weak /= weak.sum(axis=1, keepdims=True)
    strong = nearest_mixture(members, weak, distance)
    gain = distance(weak, truth).mean() - distance(strong, truth).mean()
    assert gain >= distance(weak, strong).mean() - 1e-5


def test_a_student_outside_of_the_class_of_the_truth_may_lose():
    truth = two_columns(np.array([0.0, 1.0]))
    weak = two_columns(np.array([0.4, 0.6]))
    # The nearest constant.
    strong = two_columns(np.array([0.5, 0.5]))
    gain = squared_misfit(truth, weak).mean() - squared_misfit(truth, strong).mean()
    assert gain < 0 < squared_misfit(weak, strong).mean()


def test_cross_entropy_on_soft_labels_has_the_equality_of_the_other_direction():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    truth = two_columns(1 / (1 + np.exp(-(X @ [1.0, -2.0, 0.5]))))
    weak = two_columns(rng.uniform(0.05, 0.95, size=500))
    student = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000)
    student.fit(
        np.repeat(X, 2, axis=0), np.tile([0, 1], 500), sample_weight=weak.ravel()
    )
    strong = student.predict_proba(X)
    gain = log_misfit(truth, weak).mean() - log_misfit(truth, strong).mean()
    assert gain == pytest.approx(log_misfit(strong, weak).mean(), abs=1e-6)


@given(seed=seeds)
def test_the_divergence_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    weak, strong = rng.dirichlet(np.full(3, 0.1), size=(2, 20)).round(3)
    expected = rel_entr(strong, weak).sum(axis=1)
    np.testing.assert_allclose(log_misfit(weak, strong), expected, atol=1e-12)


def test_tiny_probabilities_do_not_overflow():
    weak, strong = np.array([[5e-324, 1.0]]), np.array([[1.0, 0.0]])
    assert log_misfit(weak, strong) == pytest.approx([744.44], abs=0.01)


@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_predictions_are_at_no_distance_from_themselves(distance):
    proba = np.random.default_rng(0).dirichlet(np.ones(4), size=10)
    assert (distance(proba, proba) == 0).all()


@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_each_row_has_a_distance_of_its_own(distance):
    weak, strong = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 10))
    alone = [distance(weak[[i]], strong[[i]]).item() for i in range(10)]
    np.testing.assert_allclose(distance(weak, strong), alone)

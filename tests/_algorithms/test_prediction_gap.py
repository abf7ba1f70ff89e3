"""The form by singular values is that of the kernels, without their n by n matrices."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.prediction_gap import gap_of_labels, largest_gap, smoother

problems = st.tuples(
    st.integers(1, 12),
    st.integers(1, 15),
    st.integers(1, 15),
    st.sampled_from([1e-3, 0.1, 10.0]),
    st.integers(0, 10_000),
)


def draw(n, d_weak, d_strong, seed):
    rng = np.random.default_rng(seed)
    shapes = (n, d_weak), (n, d_strong), (n, 2)
    return [rng.normal(size=shape) for shape in shapes]


def kernel_smoother(X, alpha):
    K = X @ X.T
    return K @ np.linalg.inv(K + alpha * np.trace(K) / len(K) * np.eye(len(K)))


@given(problem=problems)
def test_both_gaps_are_those_of_the_kernels(problem):
    n, d_weak, d_strong, alpha, seed = problem
    weak, strong, targets = draw(n, d_weak, d_strong, seed)
    lost = kernel_smoother(strong, alpha) @ (np.eye(n) - kernel_smoother(weak, alpha))
    smoothers = smoother(weak, alpha), smoother(strong, alpha)
    expected = np.linalg.norm(lost @ targets) / np.linalg.norm(targets)
    assert gap_of_labels(*smoothers, targets) == pytest.approx(expected, abs=1e-9)
    assert largest_gap(*smoothers) == pytest.approx(np.linalg.norm(lost, 2), abs=1e-6)


@given(problem=problems)
def test_no_labels_lose_more_than_the_largest_gap(problem):
    n, d_weak, d_strong, alpha, seed = problem
    weak, strong, targets = draw(n, d_weak, d_strong, seed)
    smoothers = smoother(weak, alpha), smoother(strong, alpha)
    assert gap_of_labels(*smoothers, targets) <= largest_gap(*smoothers) + 1e-9


@pytest.mark.parametrize("scale", [1e-200, 1e-5, 1e200])
def test_units_do_not_matter(scale):
    X = np.random.default_rng(0).normal(size=(20, 3))
    for own, scaled in zip(smoother(X, 0.1), smoother(X * scale, 0.1), strict=True):
        np.testing.assert_allclose(np.abs(scaled), np.abs(own))


@pytest.mark.parametrize("seed", range(10))
def test_rounding_moves_no_gap_out_of_zero_and_one(seed):
    weak, strong, targets = draw(30, 1, 30, seed)
    line, space = smoother(weak, 1e-300), smoother(strong, 1e-300)
    nothing = smoother(np.zeros((30, 1)), 0.1)
    assert gap_of_labels(nothing, space, targets) == pytest.approx(1)
    assert gap_of_labels(nothing, space, targets) <= 1
    assert largest_gap(line, line) == pytest.approx(0, abs=1e-6)
    assert largest_gap(line, space) == pytest.approx(1)
    assert largest_gap(line, space) <= 1


def test_a_representation_of_zeros_predicts_nothing():
    rng = np.random.default_rng(0)
    X, targets = rng.normal(size=(10, 3)), rng.normal(size=(10, 1))
    nothing, something = smoother(np.zeros((10, 2)), 0.1), smoother(X, 0.1)
    assert (nothing[1] == 0).all()
    assert gap_of_labels(something, nothing, targets) == 0
    predicted = kernel_smoother(X, 0.1) @ targets
    expected = np.linalg.norm(predicted) / np.linalg.norm(targets)
    assert gap_of_labels(nothing, something, targets) == pytest.approx(expected)


def test_memory_grows_with_the_rows_and_not_with_their_square():
    weak, strong, targets = draw(20_000, 5, 10, 0)
    tracemalloc.start()
    smoothers = smoother(weak, 0.1), smoother(strong, 0.1)
    gap_of_labels(*smoothers, targets)
    largest_gap(*smoothers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * strong.nbytes

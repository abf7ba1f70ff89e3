"""Leave-one-out predictions are those of refits without the row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklearn_w2s._algorithms.kernel_ridge import leave_one_out


def problem(seed, n):
    rng = np.random.default_rng(seed)
    rows, targets = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    kernel = np.exp(-((rows[:, None] - rows) ** 2).sum(axis=2))
    return kernel, targets


@given(seed=st.integers(0, 2**16), n=st.integers(2, 12))
@pytest.mark.parametrize("ridge", [0.01, 1.0, 30.0])
def test_they_are_those_of_refits(seed, n, ridge):
    kernel, targets = problem(seed, n)
    coefficients, held_out = leave_one_out(*np.linalg.eigh(kernel), targets, ridge)
    assert_allclose(kernel @ coefficients + ridge * coefficients, targets, atol=1e-9)
    for i in range(n):
        others = np.delete(np.arange(n), i)
        inner = kernel[np.ix_(others, others)] + ridge * np.eye(n - 1)
        refit = kernel[i, others] @ np.linalg.solve(inner, targets[others])
        assert_allclose(held_out[i], refit, atol=1e-8)


def test_eigenvalues_that_round_below_zero_are_zero():
    values, vectors = np.array([-1e-12, 2.0]), np.eye(2)
    coefficients, _ = leave_one_out(values, vectors, [[1.0], [1.0]], 0.5)
    assert_allclose(coefficients, [[2.0], [0.4]])

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms import similarity, similarity_xp

strict = pytest.importorskip(
    "array_api_strict", reason="checks against the strict reading of the array API"
)

numbers = st.floats(-100, 100, width=32)
sizes = st.integers(1, 7)
budgets = st.sampled_from([1, 100, 2**20])


@st.composite
def compared(draw):
    """Return rows, references and their weights."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    n, m, d = draw(sizes), draw(sizes), draw(sizes)
    rows = draw(arrays(dtype, (n, d), elements=numbers))
    references = draw(arrays(dtype, (m, d), elements=numbers))
    weights = draw(arrays(np.float64, m, elements=st.floats(0.5, 3)))
    return rows, references, weights


def tolerance(rows, references):
    largest = np.abs(rows).max() * np.abs(references).max() * rows.shape[1]
    eps = np.finfo(rows.dtype).eps
    return {"rtol": 20 * eps, "atol": 20 * eps * max(largest, 1)}


def agree(found, expected, rows, references):
    assert found.dtype == getattr(strict, expected.dtype.name)
    assert_allclose(np.asarray(found), expected, **tolerance(rows, references))


@given(data=compared(), budget=budgets, absolute=st.booleans(), unit=st.booleans())
def test_the_largest_similarity_is_that_of_numpy(data, budget, absolute, unit):
    rows, references, _ = data
    chosen = {"absolute": absolute, "unit": unit}

    found = similarity_xp.largest_similarity(
        strict, strict.asarray(rows), strict.asarray(references), budget, **chosen
    )

    expected = similarity.largest_similarity(rows, references, budget, **chosen)
    agree(found, expected, rows, references)


@given(data=compared(), budget=budgets, unit=st.booleans())
def test_the_mean_similarity_is_that_of_numpy(data, budget, unit):
    rows, references, weights = data
    given_arrays = map(strict.asarray, data)

    found = similarity_xp.mean_similarity(strict, *given_arrays, budget, unit=unit)

    expected = similarity.mean_similarity(rows, references, weights, budget, unit=unit)
    agree(found, expected, rows, references)


@given(rows=arrays(np.float64, (4, 3), elements=numbers))
def test_unit_rows_are_those_of_numpy(rows):
    found = similarity_xp.unit_rows(strict, strict.asarray(rows))

    assert_allclose(np.asarray(found), similarity.unit_rows(rows), atol=1e-15)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_neither_overflow_nor_underflow(scale):
    rows = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32) * np.float32(scale)

    found = similarity_xp.unit_rows(strict, strict.asarray(rows))

    assert_allclose(np.asarray(found), [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_rows_of_two_precisions_are_compared_in_the_higher_one():
    rows = strict.asarray([[1.0], [2.0]], dtype=strict.float32)
    references = strict.asarray([[1 / 3]], dtype=strict.float64)

    found = similarity_xp.largest_similarity(strict, rows, references, 2**20)

    assert found.dtype == strict.float32
    assert_array_equal(np.asarray(found), np.array([1 / 3, 2 / 3], dtype=np.float32))


class Watched:
    """A namespace that notes how many numbers it takes the absolute values of."""

    def __init__(self):
        self.sizes = []

    def __getattr__(self, name):
        return getattr(strict, name)

    def abs(self, x):
        self.sizes.append(x.size)
        return strict.abs(x)


@pytest.mark.parametrize("budget", [32, 1000, 10_000])
@pytest.mark.parametrize(("n", "m"), [(50, 60), (500, 3), (3, 500)])
def test_a_block_and_its_absolute_values_fit_the_memory(budget, n, m):
    xp = Watched()

    similarity_xp.largest_similarity(
        xp, strict.ones((n, 2)), strict.ones((m, 2)), budget
    )

    assert sum(xp.sizes) == n * m
    assert 2 * 8 * max(xp.sizes) <= budget
    # Few blocks: each is a launch of kernels.
    assert len(xp.sizes) <= 4 * (1 + n * m * 2 * 8 / budget) + max(n, m)

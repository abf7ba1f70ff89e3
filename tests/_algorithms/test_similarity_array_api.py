import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from sklearn_w2s._algorithms import similarity

strict = pytest.importorskip(
    "array_api_strict", reason="checks against the strict reading of the array API"
)

numbers = st.floats(-100, 100, width=32)
sizes = st.integers(1, 7)
budgets = st.sampled_from([1, 100, 2**20])
SHAPES = [(50, 60), (500, 3), (3, 500)]


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

    found = similarity.largest_similarity(
        strict.asarray(rows), strict.asarray(references), budget, **chosen, xp=strict
    )

    expected = similarity.largest_similarity(rows, references, budget, **chosen)
    agree(found, expected, rows, references)


@given(data=compared(), budget=budgets, unit=st.booleans())
def test_the_mean_similarity_is_that_of_numpy(data, budget, unit):
    rows, references, weights = data
    given_arrays = map(strict.asarray, data)

    found = similarity.mean_similarity(*given_arrays, budget, unit=unit, xp=strict)

    expected = similarity.mean_similarity(rows, references, weights, budget, unit=unit)
    agree(found, expected, rows, references)


@given(rows=arrays(np.float64, (4, 3), elements=numbers))
def test_unit_rows_are_those_of_numpy(rows):
    found = similarity.unit_rows(strict.asarray(rows), strict)

    assert_allclose(np.asarray(found), similarity.unit_rows(rows), atol=1e-15)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_neither_overflow_nor_underflow(scale):
    rows = np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32) * np.float32(scale)

    found = similarity.unit_rows(strict.asarray(rows), strict)

    assert_allclose(np.asarray(found), [[0.6, 0.8], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4")])
def test_rows_of_two_precisions_are_compared_in_the_higher_one(dtypes):
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 3, size=7)
    pair = [
        rng.normal(size=(n, 5)).astype(t) for n, t in zip((30, 7), dtypes, strict=True)
    ]
    given_pair = [strict.asarray(array) for array in pair]

    largest = similarity.largest_similarity(*given_pair, 2**20, xp=strict)
    mean = similarity.mean_similarity(
        *given_pair, strict.asarray(weights), 2**20, xp=strict
    )

    products = np.abs(pair[0].astype(float) @ pair[1].T)
    averages = np.average(products, axis=1, weights=weights)
    for found, expected in ((largest, products.max(axis=1)), (mean, averages)):
        assert found.dtype == strict.asarray(pair[0]).dtype
        assert_allclose(np.asarray(found), expected.astype(dtypes[0]), rtol=1e-14)


class Watched:
    """A namespace that notes its copies and what it takes the absolute values of."""

    def __init__(self):
        self.shapes = []
        self.n_copies = 0

    @property
    def sizes(self):
        return [n * m for n, m in self.shapes]

    def __getattr__(self, name):
        return getattr(strict, name)

    def abs(self, x):
        self.shapes.append(x.shape)
        return strict.abs(x)

    def astype(self, x, dtype, *, copy=True):
        converted = strict.astype(x, dtype, copy=copy)
        self.n_copies += converted is not x
        return converted


def test_arrays_of_the_right_precision_are_not_copied():
    xp, rows, references = Watched(), strict.ones((4, 2)), strict.ones((3, 2))

    similarity.largest_similarity(rows, references, 2**20, xp=xp)
    similarity.mean_similarity(rows, references, strict.ones(3), 2**20, xp=xp)

    assert xp.n_copies == 0


def test_blocks_of_many_rows_and_references_are_square():
    xp = Watched()

    similarity.largest_similarity(
        strict.ones((60, 2)), strict.ones((70, 2)), 2 * 8 * 400, xp=xp
    )

    assert max(xp.shapes) == (20, 20)


@pytest.mark.parametrize(
    ("n", "m", "budget"),
    [(5, 6, 16), *((*shape, b) for shape in SHAPES for b in (32, 1000, 10_000))],
)
def test_a_block_and_its_absolute_values_fit_the_memory(n, m, budget):
    xp = Watched()

    similarity.largest_similarity(
        strict.ones((n, 2)), strict.ones((m, 2)), budget, xp=xp
    )

    assert sum(xp.sizes) == n * m
    assert 2 * 8 * max(xp.sizes) <= budget
    # Few blocks: each is a launch of kernels.
    assert len(xp.sizes) <= 4 * (1 + n * m * 2 * 8 / budget) + max(n, m)

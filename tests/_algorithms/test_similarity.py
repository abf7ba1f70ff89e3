"""Blockwise similarity equals the whole matrix at once, dense or sparse."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix

from sklearn_w2s._algorithms.similarity import (
    _similarities,
    largest_similarity,
    mean_similarity,
    unit_rows,
)

CONTAINERS = [np.asarray, csr_array, csr_matrix]
AMPLE = 1_000_000


def draw(seed, n_rows, n_features=4):
    rows = np.random.default_rng(seed).normal(size=(n_rows, n_features))
    rows[np.abs(rows) < 0.3] = 0
    return rows


@pytest.mark.parametrize("container", CONTAINERS)
def test_unit_rows_have_length_one_and_zero_rows_stay_zero(container):
    rows = np.r_[draw(0, 20), np.zeros((1, 4))]
    scaled = unit_rows(container(rows))
    dense = scaled if container is np.asarray else scaled.toarray()
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(dense[:-1], rows[:-1] / lengths[:-1])
    assert not dense[-1].any()


@pytest.mark.parametrize("magnitude", [1e-200, 1e-3, 1e200])
def test_the_squares_of_dense_rows_neither_over_nor_underflow(magnitude):
    scaled = unit_rows(magnitude * np.array([[3.0, -4.0]]))
    np.testing.assert_allclose(scaled, [[0.6, -0.8]])


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_the_rows_is_kept(container, dtype):
    rows, references = container(draw(0, 9).astype(dtype)), draw(1, 3).astype(dtype)
    assert unit_rows(rows).dtype == dtype
    assert largest_similarity(rows, container(references), AMPLE).dtype == dtype
    weights = np.ones(3, dtype=dtype)
    scores = mean_similarity(rows, container(references), weights, AMPLE)
    assert scores.dtype == dtype


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("absolute", [True, False])
def test_the_largest_similarity_is_that_of_the_full_matrix(container, absolute):
    rows, references = draw(0, 30), draw(1, 7)
    full = rows @ references.T
    expected = (np.abs(full) if absolute else full).max(axis=1)
    scores = largest_similarity(
        container(rows), container(references), AMPLE, absolute=absolute
    )
    np.testing.assert_allclose(scores, expected)


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_mean_similarity_is_that_of_the_full_matrix(container):
    rows, references, weights = draw(0, 30), draw(1, 7), np.arange(1.0, 8.0)
    expected = np.average(np.abs(rows @ references.T), axis=1, weights=weights)
    scores = mean_similarity(container(rows), container(references), weights, AMPLE)
    np.testing.assert_allclose(scores, expected)


@given(
    seed=st.integers(0, 99),
    n_rows=st.integers(1, 40),
    n_references=st.integers(1, 12),
    working_bytes=st.integers(1, 5_000),
)
def test_the_size_of_the_blocks_does_not_matter(
    seed, n_rows, n_references, working_bytes
):
    rows, references = draw(seed, n_rows), draw(seed + 100, n_references)
    weights = np.arange(1.0, n_references + 1)
    for container in (np.asarray, csr_array):
        arrays = container(rows), container(references)
        np.testing.assert_allclose(
            largest_similarity(*arrays, working_bytes),
            largest_similarity(*arrays, AMPLE),
            atol=1e-12,
        )
        np.testing.assert_allclose(
            mean_similarity(*arrays, weights, working_bytes),
            mean_similarity(*arrays, weights, AMPLE),
            atol=1e-12,
        )


@pytest.mark.parametrize("working_bytes", [1, 100, 1_000, AMPLE])
@pytest.mark.parametrize(
    ("dtype", "other"), [("f8", "f8"), ("f4", "f4"), ("f4", "f8"), ("f8", "f4")]
)
def test_blocks_meet_every_pair_once_in_the_bytes_allowed(dtype, other, working_bytes):
    rows, references = draw(0, 100).astype(dtype), draw(1, 10).astype(other)
    itemsize = max(rows.itemsize, references.itemsize)
    met, n_blocks = np.zeros((100, 10), dtype=int), 0
    blocks = _similarities(rows, references, working_bytes, unit=False)
    for block, reference_block, similarities in blocks:
        met[block, reference_block] += 1
        n_blocks += 1
        assert similarities.shape == met[block, reference_block].shape
        assert similarities.itemsize == itemsize
        assert similarities.nbytes <= max(working_bytes, itemsize)
    assert (met == 1).all()
    assert n_blocks <= 1 + 2 * itemsize * met.size / working_bytes


@contextmanager
def peak_memory(limit):
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [True, False])
def test_memory_does_not_grow_with_the_rows(unit, dtype):
    rows, references = (draw(n, n, 16).astype(dtype) for n in (20_000, 3_000))
    weights = np.ones(3_000)
    scores = 2 * weights.itemsize * len(rows)
    with peak_memory(9 * 2**20 + scores):
        largest_similarity(rows, references, 2**30, unit=unit)
        mean_similarity(rows, references, weights, 2**30, unit=unit)


@pytest.mark.parametrize(("n_rows", "n_references"), [(200_000, 1), (1, 200_000)])
def test_neither_scores_nor_weights_are_held_twice(n_rows, n_references):
    rows, references = np.ones((n_rows, 1)), np.ones((n_references, 1))
    weights = np.ones(n_references)
    with peak_memory(1.2 * 8 * 200_000):
        mean_similarity(rows, references, weights, 10_000)


@pytest.mark.parametrize(("dtype", "other"), [("f4", "f8"), ("f8", "f4")])
def test_two_precisions_are_compared_in_the_higher_one(dtype, other):
    rows, references = draw(0, 30).astype(dtype), draw(1, 7).astype(other)
    weights = np.random.default_rng(2).uniform(0.5, 3, size=7)
    products = np.abs(rows.astype(float) @ references.T)
    average = np.average(products, axis=1, weights=weights)
    for scores, expected in (
        (largest_similarity(rows, references, AMPLE), products.max(axis=1)),
        (mean_similarity(rows, references, weights, AMPLE), average),
    ):
        np.testing.assert_allclose(scores, expected.astype(dtype), rtol=1e-14)


@pytest.mark.parametrize("container", CONTAINERS)
def test_rows_may_be_scaled_block_by_block(container):
    rows, references = container(draw(0, 90)), container(draw(1, 7))
    weights, few = np.arange(1.0, 8.0), 500
    np.testing.assert_allclose(
        largest_similarity(rows, references, few, unit=True),
        largest_similarity(unit_rows(rows), references, AMPLE),
    )
    np.testing.assert_allclose(
        mean_similarity(rows, references, weights, few, unit=True),
        mean_similarity(unit_rows(rows), references, weights, AMPLE),
    )


@pytest.mark.parametrize("of_references", CONTAINERS)
@pytest.mark.parametrize("of_rows", CONTAINERS)
def test_rows_and_references_may_be_of_different_kinds(of_rows, of_references):
    rows, references = draw(0, 30), draw(1, 7)
    expected = np.abs(rows @ references.T)
    arrays = of_rows(rows), of_references(references)
    np.testing.assert_allclose(largest_similarity(*arrays, AMPLE), expected.max(axis=1))
    np.testing.assert_allclose(
        mean_similarity(*arrays, np.ones(7), AMPLE), expected.mean(axis=1)
    )


def test_sparse_rows_are_never_dense():
    rng = np.random.default_rng(0)
    n_rows, n_references, width = 2_000, 300, 10**8  # 1.5 TiB if it were dense
    columns = rng.integers(0, width, size=n_rows)
    rows = csr_array((np.ones(n_rows), columns, np.arange(n_rows + 1)), (n_rows, width))
    scores = largest_similarity(rows, rows[:n_references], AMPLE)
    assert (scores[:n_references] == 1).all()
    assert set(scores[n_references:]) <= {0.0, 1.0}


@pytest.mark.parametrize("order", ["C", "F"])
def test_many_references_in_single_precision_are_averaged_as_in_double(order):
    rows, references = draw(0, 20, 32), draw(1, 9_000, 32)
    weights = np.random.default_rng(2).uniform(0.1, 1, size=9_000)
    exact = np.average(np.abs(rows @ references.T), axis=1, weights=weights)
    arrays = (np.asarray(a, np.float32, order=order) for a in (rows, references))
    means = mean_similarity(*arrays, weights, AMPLE)
    np.testing.assert_allclose(means, exact, rtol=3e-6)


def test_threads_do_not_disturb_one_another():
    rows, references = draw(0, 3_000, 16), draw(1, 500, 16)
    expected = largest_similarity(rows, references, 100_000)
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(
            lambda _: largest_similarity(rows, references, 100_000), range(8)
        )
        for result in results:
            np.testing.assert_array_equal(result, expected)


def test_the_input_is_left_as_it_was():
    arrays = draw(0, 30), draw(1, 7), np.arange(1.0, 8.0)
    for array in arrays:
        array.flags.writeable = False
    largest_similarity(*arrays[:2], AMPLE, unit=True)
    mean_similarity(*arrays, AMPLE, unit=True)


def test_rows_without_features_stay_so():
    assert unit_rows(np.empty((3, 0))).shape == (3, 0)


def test_no_rows_have_no_scores():
    none = np.empty((0, 4), dtype=np.float32)
    assert largest_similarity(none, draw(1, 7), AMPLE).shape == (0,)
    assert mean_similarity(none, draw(1, 7), np.ones(7), AMPLE).shape == (0,)


def test_weights_of_references_count_repetitions():
    rows, references, counts = draw(0, 30), draw(1, 5), np.array([1, 3, 2, 1, 4])
    repeated = np.repeat(references, counts, axis=0)
    np.testing.assert_allclose(
        mean_similarity(rows, references, counts.astype(float), AMPLE),
        mean_similarity(rows, repeated, np.ones(len(repeated)), AMPLE),
    )


def test_opposite_rows_are_alike_only_in_absolute_terms():
    row = np.array([[0.6, -0.8]])
    assert largest_similarity(row, -row, AMPLE) == pytest.approx(1)
    assert largest_similarity(row, -row, AMPLE, absolute=False) == pytest.approx(-1)


def test_a_row_of_zeros_is_like_nothing():
    assert largest_similarity(np.zeros((1, 4)), draw(0, 5), AMPLE) == 0

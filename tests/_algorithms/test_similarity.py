"""Blockwise similarity equals the whole matrix at once, dense or sparse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix

from sklearn_w2s._algorithms.similarity import (
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


def test_a_block_holds_no_more_than_the_bytes_allowed():
    blocks = []

    class Spy(np.ndarray):
        def __matmul__(self, other):
            block = np.asarray(self) @ np.asarray(other)
            blocks.append(block.nbytes)
            return block

    rows = draw(0, 100).view(Spy)
    largest_similarity(rows, draw(1, 10), working_bytes=1_000)
    assert len(blocks) == 9
    assert max(blocks) <= 1_000


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

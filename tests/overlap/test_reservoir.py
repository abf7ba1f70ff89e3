"""A sample of bounded size stands for the stream that it was drawn from."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_w2s.overlap._reservoir import Reservoir

N = 200
ROWS = np.arange(N)
WEIGHTS = np.random.default_rng(0).exponential(size=N) ** 2
GROUPS = ROWS % 4
cuts = st.lists(st.integers(0, N), max_size=6).map(sorted)


def filled(size, seed, weights=WEIGHTS, cuts=(), columns=(ROWS,)):
    """Offer rows in pieces that end at the cuts."""
    reservoir = Reservoir(size, np.random.RandomState(seed))
    for piece in np.split(np.arange(len(weights)), cuts):
        reservoir.add(weights[piece], *(column[piece] for column in columns))
    return reservoir


def sums(reservoir):
    """Estimate the sum of the weights of each group of rows."""
    kept = GROUPS[reservoir.columns[0]]
    return np.bincount(kept, weights=reservoir.weights, minlength=4)


@given(size=st.integers(N, 2 * N), seed=st.integers(0, 99), cuts=cuts)
def test_rows_that_fit_all_stay_as_they_are(size, seed, cuts):
    reservoir = filled(size, seed, cuts=cuts)
    assert_array_equal(reservoir.columns[0], ROWS)
    assert_array_equal(reservoir.weights, WEIGHTS)
    assert reservoir.n_seen == N


@given(size=st.integers(1, 2 * N), seed=st.integers(0, 99), cuts=cuts)
def test_no_more_rows_stay_than_it_holds_and_none_twice(size, seed, cuts):
    reservoir = filled(size, seed, cuts=cuts)
    (kept,) = reservoir.columns
    assert len(kept) == len(reservoir.weights) == min(size, N)
    assert len(set(kept)) == len(kept)
    assert reservoir.n_seen == N
    assert (reservoir.weights >= WEIGHTS[kept]).all()


@pytest.mark.parametrize("cuts", [(), (50, 120), tuple(range(10, N, 10))])
@pytest.mark.parametrize("size", [5, 40])
def test_sums_over_groups_are_unbiased(size, cuts):
    estimates = np.array([sums(filled(size, seed, cuts=cuts)) for seed in range(2000)])
    errors = estimates.std(axis=0) / np.sqrt(len(estimates))
    expected = np.bincount(GROUPS, weights=WEIGHTS)
    assert (np.abs(estimates.mean(axis=0) - expected) < 4 * errors).all()


def test_the_variance_is_that_of_priority_sampling():
    # M. Szegedy, STOC 2006: the sum has a variance of at most W^2 / (k - 1).
    estimates = [sums(filled(20, seed)).sum() for seed in range(2000)]
    assert np.var(estimates) <= WEIGHTS.sum() ** 2 / 19


def test_rows_of_equal_weight_stay_equally_often():
    weights = np.ones(N)
    kept = [filled(50, s, weights, cuts=(20, 90)).columns[0] for s in range(2000)]
    often = np.bincount(np.concatenate(kept), minlength=N) / 2000
    assert often == pytest.approx(np.full(N, 0.25), abs=0.05)
    assert often[:20].mean() == pytest.approx(often[90:].mean(), abs=0.01)


def test_heavy_rows_stay_and_keep_their_weight():
    weights = np.where(ROWS < 3, 1e6, 1.0)
    for seed in range(20):
        reservoir = filled(10, seed, weights, cuts=(1, 2, 100))
        assert_array_equal(reservoir.columns[0][:3], [0, 1, 2])
        assert_array_equal(reservoir.weights[:3], [1e6] * 3)
        assert (reservoir.weights[3:] > 1).all()


@given(size=st.integers(1, N), seed=st.integers(0, 99), cuts=cuts)
def test_rows_of_weight_zero_never_stay(size, seed, cuts):
    weights = np.where(ROWS % 3, 0, WEIGHTS)
    reservoir = filled(size, seed, weights, cuts)
    (kept,) = reservoir.columns
    assert len(kept) == min(size, np.count_nonzero(weights))
    assert (weights[kept] > 0).all()
    assert reservoir.n_seen == N


@given(
    size=st.integers(1, N), seed=st.integers(0, 99), factor=st.sampled_from([2, 2**-9])
)
def test_only_ratios_of_weights_decide(size, seed, factor):
    reservoir, scaled = filled(size, seed), filled(size, seed, WEIGHTS * factor)
    assert_array_equal(scaled.columns[0], reservoir.columns[0])
    assert_array_equal(scaled.weights, reservoir.weights * factor)


def test_where_the_stream_is_cut_does_not_matter():
    whole = filled(30, 0)
    for cuts in [(1,), (30,), (31, 77), tuple(range(1, N))]:
        pieces = filled(30, 0, cuts=cuts)
        assert_array_equal(pieces.columns[0], whole.columns[0])
        assert_array_equal(pieces.weights, whole.weights)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix])
def test_columns_of_every_kind_stay_together(make):
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(N, 3)).astype(np.float32)
    dense[rng.uniform(size=dense.shape) < 0.6] = 0
    columns = (ROWS, dense, make(dense))
    reservoir = filled(30, 0, cuts=(10, 100), columns=columns)
    kept, rows, sparse_rows = reservoir.columns
    assert_array_equal(rows, dense[kept])
    assert sparse.issparse(sparse_rows)
    assert sparse_rows.format == "csr"
    assert_array_equal(sparse_rows.toarray(), dense[kept])
    assert rows.dtype == sparse_rows.dtype == np.float32


def test_it_goes_on_after_pickling_as_it_would_have():
    first, second = np.split(ROWS, [120])
    reservoir = Reservoir(30, np.random.RandomState(0))
    reservoir.add(WEIGHTS[first], first)
    restored = pickle.loads(pickle.dumps(reservoir))
    for other in (reservoir, restored):
        other.add(WEIGHTS[second], second)
    assert_array_equal(restored.columns[0], reservoir.columns[0])
    assert_array_equal(restored.weights, reservoir.weights)


def test_what_was_offered_may_change_afterwards():
    weights, rows = WEIGHTS.copy(), ROWS.copy()
    reservoir = Reservoir(2 * N, np.random.RandomState(0))
    reservoir.add(weights, rows)
    weights[:], rows[:] = 0, 0
    assert_array_equal(reservoir.columns[0], ROWS)
    assert_array_equal(reservoir.weights, WEIGHTS)

"""What is typical of a column becomes zero, whatever the kind of column."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from sklearn_w2s.overlap._representations import DeviationEncoder

SPARSE = [sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.coo_array]
numbers = st.integers(-40, 40).map(lambda i: i / 8)
tables = arrays(np.float64, (12, 3), elements=numbers)
counts = st.lists(st.integers(0, 3), min_size=12, max_size=12).filter(any)


@pytest.fixture
def frame():
    """Mixed columns in which 1.5, "red" and False are typical."""
    return pd.DataFrame(
        {
            "size": [1.5, 1.5, 1.5, 2.5, np.nan, -3.0],
            "colour": ["red", "red", "blue", "green", "red", None],
            "flag": [False, False, False, False, True, False],
        }
    )


def mostly_zero(seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(60, 4)).astype(dtype)
    rows[rng.uniform(size=rows.shape) < 0.7] = 0
    return rows


# Numbers


def test_the_formula():
    rows = DeviationEncoder().fit_transform([[1.0], [1.0], [2.0], [0.0]])
    assert_array_equal(rows, [[0], [0], [2], [-2]])


@given(rows=tables, typical=arrays(np.float64, 3, elements=numbers))
def test_a_value_of_most_rows_becomes_zero(rows, typical):
    rows = np.concatenate([rows, np.tile(typical, (13, 1))])
    encoder = DeviationEncoder().fit(rows)
    assert_array_equal(encoder.center_, typical)
    assert_array_equal(encoder.transform(typical[None]), np.zeros((1, 3)))


@given(rows=tables)
def test_deviations_are_one_on_average_or_zero_throughout(rows):
    encoded = DeviationEncoder().fit_transform(rows)
    constant = (rows == rows[0]).all(axis=0)
    assert_allclose(np.abs(encoded).mean(axis=0), np.where(constant, 0, 1))


@given(
    rows=tables,
    scale=st.sampled_from([2.0**-60, 0.5, 8.0, 2.0**60]),
    shift=st.sampled_from([-16.0, 0.0, 3.0]),
)
def test_units_and_origins_of_columns_do_not_matter(rows, scale, shift):
    encoded = DeviationEncoder().fit_transform(rows)
    moved = DeviationEncoder().fit_transform((rows + shift) * scale)
    assert_allclose(moved, encoded, atol=1e-12)


@given(rows=tables, missing=arrays(np.bool_, (12, 3)))
def test_missing_values_count_as_typical_and_are_not_learned_from(rows, missing):
    encoder = DeviationEncoder().fit(np.where(missing, np.nan, rows))
    encoded = encoder.transform(np.where(missing, np.nan, rows))
    assert (encoded[missing] == 0).all()
    for j in range(3):
        known = rows[~missing[:, j]][:, [j]]
        if len(known):
            alone = DeviationEncoder().fit_transform(known)
            assert_allclose(encoded[~missing[:, j]][:, [j]], alone)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.5, np.nan])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_constant_and_empty_columns_become_zeros(value, dtype):
    rows = np.full((5, 2), value, dtype=dtype)
    rows[:, 1] = np.arange(5)
    encoded = DeviationEncoder().fit_transform(rows)
    assert_array_equal(encoded[:, 0], np.zeros(5))
    assert np.isfinite(encoded).all()


def test_float32_stays():
    rows = mostly_zero(0, np.float32)
    for given_rows in (rows, sparse.csr_array(rows)):
        encoded = DeviationEncoder().fit_transform(given_rows)
        assert encoded.dtype == np.float32
        expected = DeviationEncoder().fit_transform(given_rows.astype(np.float64))
        difference = abs(encoded - expected).max()
        assert difference < 1e-5


# Sparse matrices


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", SPARSE)
def test_sparse_equals_dense_where_most_of_each_column_is_zero(make, seed):
    rows = mostly_zero(seed)
    encoded = DeviationEncoder().fit_transform(make(rows))
    assert sparse.issparse(encoded)
    assert encoded.format == "csr"
    assert_allclose(encoded.toarray(), DeviationEncoder().fit_transform(rows))


def test_sparse_columns_are_scaled_only_and_never_made_dense(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    X = sparse.csr_array(sparse.random(400, 30_000, density=1e-3, random_state=0))
    for name in ("toarray", "todense"):
        monkeypatch.setattr(sparse.csr_array, name, refuse)
    encoded = DeviationEncoder().fit_transform(X)
    assert_array_equal(encoded.indices, X.indices)
    assert_array_equal(encoded.indptr, X.indptr)


def test_zeros_that_are_stored_are_zeros():
    X = sparse.csr_array(np.array([[1.0, 2.0], [1.0, 0.0]]))
    X.data[:] = [0.0, 2.0, 0.0]
    encoded = DeviationEncoder().fit_transform(X)
    assert_array_equal(encoded.toarray(), [[0, 2], [0, 0]])


def test_missing_entries_of_sparse_columns_become_zero():
    rows = np.array([[0.0, 1.0], [np.nan, 0.0], [2.0, 0.0], [0.0, 0.0]])
    encoded = DeviationEncoder().fit_transform(sparse.csr_array(rows)).toarray()
    assert encoded[1, 0] == 0
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("make", [np.array, *SPARSE[:2]])
def test_the_input_is_left_as_it_was(make):
    rows = mostly_zero(0)
    rows[0, 0] = np.nan
    X = make(rows)
    DeviationEncoder().fit(X).transform(X)
    assert_array_equal(X.toarray() if sparse.issparse(X) else X, rows)


# Categories


def test_the_most_frequent_category_has_no_indicator(frame):
    encoder = DeviationEncoder().fit(frame)
    assert encoder.numeric_columns_ == [0, 2]
    assert encoder.categorical_columns_ == [1]
    assert encoder.categories_ == [["blue", "green"]]
    encoded = encoder.transform(frame)
    assert_array_equal(encoded[:, 2], [0, 0, 1, 0, 0, 0])
    assert_array_equal(encoded[:, 3], [0, 0, 0, 1, 0, 0])
    assert_array_equal(encoded[:2], np.zeros((2, 4)))


def test_unknown_and_missing_categories_count_as_typical(frame):
    encoder = DeviationEncoder().fit(frame)
    new = frame.assign(size=1.5, flag=False)
    new["colour"] = ["violet", None, np.nan, "None", "nan", "red"]
    assert_array_equal(encoder.transform(new), np.zeros((6, 4)))


def test_only_the_32_most_frequent_others_are_distinguished():
    # Category i occurs 50 - i times.
    names = np.repeat([f"c{i:02d}" for i in range(50)], np.arange(50, 0, -1))
    encoder = DeviationEncoder().fit(pd.DataFrame({"name": names}))
    assert encoder.categories_ == [[f"c{i:02d}" for i in range(1, 33)]]
    rare = pd.DataFrame({"name": ["c33", "c49", "c00", "c32"]})
    assert encoder.transform(rare).sum(axis=1).tolist() == [0, 0, 0, 1]


def test_a_column_without_any_category_has_no_indicator(frame):
    frame["empty"] = pd.Series([None] * 6, dtype="object")
    encoder = DeviationEncoder().fit(frame)
    assert encoder.transform(frame).shape[0] == 6
    assert np.isfinite(encoder.transform(frame)).all()


def test_pandas_and_polars_and_objects_are_distinguished_alike(frame):
    expected = DeviationEncoder().fit_transform(frame)
    others = {
        "polars": pl.from_pandas(frame),
        "category": frame.astype({"colour": "category"}),
        "nullable": frame.convert_dtypes(),
        "objects": frame.astype(object).to_numpy(),
    }
    for kind, other in others.items():
        encoded = DeviationEncoder().fit_transform(other)
        assert_array_equal(encoded, expected, err_msg=kind)


def test_a_frame_of_numbers_equals_its_array():
    rows = mostly_zero(0)
    expected = DeviationEncoder().fit_transform(rows)
    for frame in (pd.DataFrame(rows), pl.DataFrame(rows)):
        assert_array_equal(DeviationEncoder().fit_transform(frame), expected)


# Weights


@given(rows=tables, weights=counts)
def test_a_weight_counts_repetitions_and_zero_removes_a_row(rows, weights):
    repeated = np.repeat(rows, weights, axis=0)
    for make in (np.asarray, sparse.csr_array):
        weighted = DeviationEncoder().fit(make(rows), sample_weight=weights)
        expected = DeviationEncoder().fit(make(repeated))
        assert_array_equal(weighted.center_, expected.center_)
        assert_allclose(weighted.scale_, expected.scale_)


def test_categories_are_counted_with_weights(frame):
    encoder = DeviationEncoder().fit(frame, sample_weight=[1, 1, 9, 0, 1, 1])
    assert encoder.categories_ == [["red"]]


# The contract


def test_it_passes_the_checks_of_scikit_learn():
    results = check_estimator(DeviationEncoder(), on_fail=None, on_skip=None)
    failed = [
        (result["check_name"], result["exception"])
        for result in results
        if result["status"] == "failed"
    ]
    assert not failed


def test_it_must_be_fitted_and_forgets_a_former_fit(frame):
    encoder = DeviationEncoder()
    with pytest.raises(NotFittedError):
        encoder.transform(frame)
    encoder.fit(frame).fit(mostly_zero(0))
    expected = clone(encoder).fit_transform(mostly_zero(0))
    assert_array_equal(encoder.transform(mostly_zero(0)), expected)


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, pd.DataFrame])
def test_columns_must_be_those_of_the_fit(make):
    encoder = DeviationEncoder().fit(make(mostly_zero(0)))
    with pytest.raises(ValueError, match=r"3 features, but .* expecting 4"):
        encoder.transform(make(mostly_zero(0)[:, :3]))

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s._tables import (
    as_batch,
    is_table,
    require_alike,
    require_finite,
    rows_of,
    stack,
)
from sklearn_w2s._validation import n_rows

VALUES = np.arange(12.0).reshape(6, 2)
KINDS = {
    "array": np.asarray,
    "matrix": sp.csr_matrix,
    "sparse": sp.csr_array,
    "pandas": lambda values: pd.DataFrame(values, columns=["a", "b"]),
    "polars": lambda values: pl.DataFrame(values, schema=["a", "b"]),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def dense(X):
    return X.toarray() if sp.issparse(X) else np.asarray(X)


class Lazy:
    def __init__(self, value):
        self.value = value

    def compute(self):
        return self.value


@each_kind
@given(cuts=st.lists(st.integers(0, 6), max_size=4))
def test_cutting_and_stacking_a_table_gives_it_back(kind, cuts):
    X = KINDS[kind](VALUES)
    bounds = [0, *sorted(cuts), 6]
    parts = [rows_of(X, *pair) for pair in pairwise(bounds)]
    whole = stack(parts)
    assert type(whole) is type(X)
    assert_array_equal(dense(whole), VALUES)
    assert sum(map(n_rows, parts)) == 6


@each_kind
def test_a_single_table_is_not_copied(kind):
    X = KINDS[kind](VALUES)
    assert stack([X]) is X


def test_pandas_rows_are_numbered_anew():
    X = KINDS["pandas"](VALUES)
    assert stack([X, X]).index.tolist() == list(range(12))


def test_whole_and_broken_numbers_of_polars_can_be_stacked():
    whole = stack([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [0.5]})])
    assert whole["a"].to_list() == [1.0, 0.5]


def test_categories_of_pandas_stay_categories_when_stacked():
    tables = [
        pd.DataFrame({"a": pd.Categorical([3, 1]), "b": [1, 2]}),
        pd.DataFrame({"a": pd.Categorical([2, None]), "b": [3, 4]}),
        pd.DataFrame({"a": pd.Series([None], dtype=object), "b": [5]}),
    ]
    whole = stack(tables)
    assert whole["a"].cat.categories.tolist() == [1, 3, 2]
    assert whole["a"].dropna().tolist() == [3, 1, 2]
    assert whole["b"].dtype == np.int64
    assert tables[0]["a"].cat.categories.tolist() == [1, 3]


def test_labels_keep_their_kind_when_stacked():
    assert stack([np.array([-1]), np.array(["b"])]).tolist() == [-1, "b"]


@each_kind
def test_a_table_is_a_batch_without_labels(kind):
    X, y = as_batch(KINDS[kind](VALUES))
    assert y is None
    assert is_table(X)
    assert_array_equal(dense(X), VALUES)


@each_kind
def test_a_tuple_of_two_is_rows_and_labels(kind):
    X, y = as_batch((KINDS[kind](VALUES), list("abcdef")))
    assert_array_equal(dense(X), VALUES)
    assert y.tolist() == list("abcdef")


@pytest.mark.parametrize("column", [np.array, pd.Series, pl.Series])
def test_labels_may_come_from_any_library(column):
    _, y = as_batch((VALUES, column([0, 1, 0, 1, 0, 1])))
    assert isinstance(y, np.ndarray)
    assert y.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_list_of_numbers_and_strings_keeps_both():
    X, y = as_batch(([[1, "x"], [2, "y"]], [-1, "a"]))
    assert X.tolist() == [[1, "x"], [2, "y"]]
    assert y.tolist() == [-1, "a"]


@pytest.mark.parametrize(
    "item", [Lazy(VALUES), Lazy((VALUES, np.ones(6))), (Lazy(VALUES), Lazy(np.ones(6)))]
)
def test_lazy_objects_are_computed(item):
    assert_array_equal(as_batch(item)[0], VALUES)


@pytest.mark.parametrize("sparse", [sp.csc_matrix, sp.coo_array])
def test_sparse_rows_become_csr(sparse):
    assert as_batch(sparse(VALUES))[0].format == "csr"


def test_pyarrow_becomes_pandas():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    for item in (table, table.to_batches()[0]):
        X, _ = as_batch(item)
        assert isinstance(X, pd.DataFrame)
        assert X.columns.tolist() == ["a", "b"]


def test_nothing_is_an_empty_table():
    assert as_batch([])[0].shape == (0, 0)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ([[1, 2], [3]], "row 0 has 2 values and row 1 has 1 values"),
        ([[1, 2], 3], "row 0 has 2 values and row 1 has a single value"),
        ([[1, [2]], [3, 4]], "some values are lists themselves"),
        ([1, 2], "a table of rows and columns, got list of int"),
        ([{"a": 1}], "got list of dict"),
        (np.ones(3), r"got ndarray of shape \(3,\)"),
        (np.ones((1, 2, 3)), r"got ndarray of shape \(1, 2, 3\)"),
        (None, "got NoneType"),
        ("a.csv", "got str"),
        (pl.LazyFrame({"a": [1]}), "got LazyFrame"),
        ((VALUES, [0, 1]), "6 rows but 2 labels"),
        ((VALUES, VALUES), r"labels of a batch must be one column, got ndarray"),
        ((VALUES, 3), "labels of a batch must be one column, got int"),
    ],
)
def test_items_that_are_not_batches_are_refused_in_plain_words(item, message):
    with pytest.raises(ValueError, match=message):
        as_batch(item)


@each_kind
def test_a_table_is_like_its_own_rows(kind):
    X = KINDS[kind](VALUES)
    require_alike(rows_of(X, 0, 2), np.ones(2), X, np.zeros(6))


@each_kind
@pytest.mark.parametrize("other", KINDS)
def test_tables_of_other_libraries_are_refused(kind, other):
    X, like = KINDS[kind](VALUES), KINDS[other](VALUES)
    if kind == other or {kind, other} == {"matrix", "sparse"}:
        require_alike(X, None, like, None)
        return
    with pytest.raises(ValueError, match=r"the batch is a .* where a .* is expected"):
        require_alike(X, None, like, None)


def test_labels_must_be_there_in_both_or_in_none():
    with pytest.raises(ValueError, match="has no labels where some are expected"):
        require_alike(VALUES, None, VALUES, np.ones(6))
    with pytest.raises(ValueError, match="has labels where none are expected"):
        require_alike(VALUES, np.ones(6), VALUES, None)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1], "b": [2]}, r"lacks the columns \['c'\]"),
        (
            {"a": [1], "b": [2], "c": [3], "d": [4]},
            r"has the unexpected columns \['d'\]",
        ),
        ({"a": [1], "b": [2], "d": [3]}, r"lacks .*'c'.* and has .*'d'"),
        ({"a": [1], "c": [2], "b": [3]}, "another order: column 1 is 'c' where 'b'"),
        ({"a": [1], "b": ["x"], "c": [3]}, "no numbers in column 'b' where numbers"),
    ],
)
def test_what_differs_between_frames_is_named(frame, columns, message):
    like = frame({"a": [1.5], "b": [True], "c": [2]})
    with pytest.raises(ValueError, match=message):
        require_alike(frame(columns), None, like, None)


def test_repeated_names_count():
    like = pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="2 columns where 3"):
        require_alike(like.iloc[:, :2], None, like, None)


def test_arrays_of_numbers_and_of_others_differ():
    with pytest.raises(ValueError, match="no numbers in its table where numbers are"):
        require_alike(VALUES.astype(object), None, VALUES, None)


@each_kind
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_column_that_is_not_finite_is_named(kind, value):
    values = VALUES.copy()
    require_finite(KINDS[kind](values))
    values[3, 1] = value
    name = "'b'" if kind in {"pandas", "polars"} else "1"
    with pytest.raises(ValueError, match=f"first in column {name}"):
        require_finite(KINDS[kind](values))


@pytest.mark.parametrize(
    "X",
    [
        np.array([["a", "b"], ["c", None]], dtype=object),
        np.array([[1, 2], [3, np.nan]], dtype=object),
        np.array([[1, 2], [3, pd.NA]], dtype=object),
    ],
)
def test_missing_objects_are_found(X):
    with pytest.raises(ValueError, match="first in column 1"):
        require_finite(X)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["x", None]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, np.inf], dtype="Float64"),
        pd.Series(["x", None], dtype="category"),
        pd.Series([pd.Timestamp(0), pd.NaT]),
        pl.Series(["x", None]),
        pl.Series([1, None]),
    ],
)
def test_missing_values_of_any_type_are_found(column):
    library = pd if isinstance(column, pd.Series) else pl
    X = library.DataFrame({"a": [1, 2], "b": column})
    with pytest.raises(ValueError, match="first in column 'b'"):
        require_finite(X)


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_without_gaps_pass(library):
    columns = {"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.0], "d": [True, False]}
    require_finite(library.DataFrame(columns))


def test_strings_and_whole_numbers_are_never_missing():
    require_finite(np.array([["a", "b"]]))
    require_finite(np.array([[1, 2]]))

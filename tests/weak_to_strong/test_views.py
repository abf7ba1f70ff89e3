import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s.weak_to_strong._views import Search, View, draw, unknown_columns


def generator():
    return np.random.RandomState(0)


def mixed(n=50):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": np.where(rng.uniform(size=n) < 0.2, np.nan, rng.normal(size=n)),
            "ward": pd.Categorical(rng.choice(["a", "b"], size=n)),
            "note": np.where(rng.uniform(size=n) < 0.2, None, "x"),
            "unit": np.ones(n),
        }
    )


TABLES = {
    "numbers": np.random.default_rng(0).normal(size=(50, 3)),
    "one row": np.array([[1.0, 2.0]]),
    "two rows": np.array([[1.0, 2.0], [3.0, 2.0]]),
    "equal rows": np.ones((50, 2)),
    "gaps": np.where(np.eye(50, 3), np.nan, 1.0),
    "nothing": np.full((50, 2), np.nan),
    "mixed": mixed(),
    "polars": pl.DataFrame({"a": np.arange(50.0), "b": ["x", None] * 25}),
    "sparse rows": sparse.csr_array(np.eye(50, 4)),
    "sparse columns": sparse.csc_array(np.eye(50, 4)),
    "texts": np.array([["a", 1.0], ["b", None]] * 25, dtype=object),
}


WAYS = ["scaled", "ranked", "plain"]


def fit_view(X, columns=None, positions=None):
    positions = np.arange(X.shape[0]) if positions is None else positions
    return View(X, positions, generator(), columns)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TABLES)
def test_every_table_has_a_view_of_finite_numbers(kind, way):
    X = TABLES[kind]
    view = fit_view(X)
    rows = view.numbers(X, way)
    assert rows.shape[0] == X.shape[0]
    assert rows.dtype == np.float32
    assert sparse.issparse(rows) == view.is_sparse_ == kind.startswith("sparse")
    assert np.isfinite(rows.data if sparse.issparse(rows) else rows).all()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["numbers", "mixed", "sparse rows"])
def test_a_view_sees_its_columns_alone(kind, way):
    X = TABLES[kind]
    view = fit_view(X, [0])
    if isinstance(X, pd.DataFrame):
        changed = X.assign(ward="c", note="y")
    else:
        changed = X * ([1.0] + [2.0] * (X.shape[1] - 1))
    changed = changed.tocsr() if sparse.issparse(X) else changed
    assert abs(view.numbers(X, way) - view.numbers(changed, way)).max() == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_view_learns_from_the_rows_it_is_given(way):
    X = TABLES["numbers"].copy()
    chosen = np.arange(10)
    first = fit_view(X, None, chosen)
    changed = X.copy()
    changed[10:] *= 100
    second = fit_view(changed, None, chosen)
    assert_array_equal(first.numbers(X, way), second.numbers(X, way))


def test_columns_are_scaled_to_compare():
    X = TABLES["numbers"] * [1, 100, 0.01] + [0, 5, 9]
    rows = fit_view(X).numbers(X, "scaled")
    assert_allclose(rows.mean(axis=0), 0, atol=1e-5)
    assert_allclose(rows.std(axis=0), 1, rtol=1e-4)


def test_samples_are_drawn_only_where_rows_are_many():
    assert_array_equal(draw(5, 5, generator()), np.arange(5))
    drawn = draw(100, 7, generator())
    assert len(np.unique(drawn)) == 7
    assert_array_equal(drawn, np.sort(drawn))


# Columns that labeled rows lack


NAN = np.nan
NUMBERS = np.array([[1, NAN, NAN, NAN], [2, NAN, NAN, 3], [3, 4, NAN, 5.0]])
LABELED, UNLABELED = np.array([0, 1]), np.array([2])


def as_objects(X):
    return np.where(np.isnan(X), None, X.astype(object))


def as_texts(X):
    texts = as_objects(X)
    texts[2, 1] = "four"
    return texts


@pytest.mark.parametrize(
    "convert",
    [
        np.array,
        np.float32,
        as_objects,
        as_texts,
        pd.DataFrame,
        lambda X: pd.DataFrame(as_texts(X)),
        lambda X: pd.DataFrame(X).astype("Float64"),
        lambda X: pd.DataFrame(as_texts(X)).astype("category"),
        lambda X: pl.DataFrame(X, schema=list("abcd"), nan_to_null=True),
        lambda X: pl.DataFrame(X, schema=list("abcd")),
    ],
)
def test_columns_that_only_unlabeled_rows_know_are_found(convert):
    X = convert(NUMBERS)
    assert unknown_columns(X, LABELED, UNLABELED) == [1]
    assert unknown_columns(X, UNLABELED, LABELED) == []
    assert unknown_columns(X, LABELED, np.array([], dtype=int)) == []


@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array])
def test_what_a_sparse_matrix_does_not_store_is_not_unknown(convert):
    X = convert(np.nan_to_num(NUMBERS))
    assert unknown_columns(X, LABELED, UNLABELED) == []


def test_integers_are_never_unknown():
    X = pd.DataFrame({"a": [0, 0, 1], "b": [True, False, True]})
    assert unknown_columns(X, LABELED, UNLABELED) == []
    assert_allclose(unknown_columns(X.to_numpy(), LABELED, UNLABELED), [])


def test_a_rare_column_that_labeled_rows_lack_by_chance_is_not_unknown():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    labeled, unlabeled = np.arange(50), np.arange(50, 500)
    for share, expected in [(0.02, []), (0.5, [1])]:
        rare = X.copy()
        rare[:, 1] = np.where(rng.uniform(size=500) < share, rare[:, 1], np.nan)
        rare[labeled, 1] = np.nan
        assert unknown_columns(rare, labeled, unlabeled) == expected


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_neighbors_are_those_of_scikit_learn(convert):
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(2, 80, 3)).astype(np.float32)
    search = Search(convert(rows), 5)
    plain = NearestNeighbors(n_neighbors=5).fit(rows)
    for found, wanted in (
        (search.own(), plain.kneighbors()),
        (search.of(convert(others)), plain.kneighbors(others)),
    ):
        assert_array_equal(found[1], wanted[1])
        assert_allclose(found[0], wanted[0], rtol=1e-3)


def test_of_neighbors_at_the_same_distance_the_first_are_taken():
    rows = np.repeat(np.eye(4), 5, axis=0).astype(np.float32)
    search = Search(rows, 7)
    distances, neighbors = search.own()
    assert_array_equal(neighbors[2], [0, 1, 3, 4, 5, 6, 7])
    assert_array_equal(neighbors[19], [15, 16, 17, 18, 0, 1, 2])
    assert_allclose(distances[2], [0, 0, 0, 0, 2**0.5, 2**0.5, 2**0.5])
    assert_array_equal(search.of(rows[[19]])[1], [[15, 16, 17, 18, 19, 0, 1]])


def test_of_rows_that_are_all_equal_the_first_are_near():
    distances, neighbors = Search(np.ones((6, 2), dtype=np.float32), 2).own()
    assert_array_equal(neighbors, [[1, 2], [0, 2], *[[0, 1]] * 4])
    assert not distances.any()

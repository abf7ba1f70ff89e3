"""Readers of every kind of source: order, labels, size and what is opened."""

import sqlite3

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sklearn_w2s.sources._readers import SourceReader


def reader_of(source, **options):
    return SourceReader("web", source, rng=np.random.default_rng(0), **options)


def numbered(start, stop):
    return np.column_stack([np.arange(start, stop), np.zeros(stop - start)])


class Batches:
    """An iterable that can be read again, and counts what is taken."""

    def __init__(self, *batches):
        self.batches = batches
        self.n_taken = 0
        self.n_opened = 0

    def __iter__(self):
        self.n_opened += 1
        for batch in self.batches:
            self.n_taken += 1
            yield batch


class Lazy:
    def __init__(self, value):
        self.value = value

    def compute(self):
        return self.value


def make_sql():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    pd.DataFrame(numbered(0, 20)).to_sql("rows", connection, index=False)
    return pd.read_sql("select * from rows", connection, chunksize=6)


def make_function(*, resumable):
    state = {"at": 0}

    def give(n, start):
        stop = min(start + n, 20)
        return numbered(start, stop) if start < stop else None

    def live(n):
        start, state["at"] = state["at"], state["at"] + n
        return give(n, start)

    def with_offset(n, offset):
        return give(n, offset)

    return with_offset if resumable else live


def make_dask(kind):
    module = pytest.importorskip(f"dask.{kind}")
    if kind == "dataframe":
        return module.from_pandas(pd.DataFrame(numbered(0, 20)), npartitions=3)
    if kind == "array":
        return module.from_array(numbered(0, 20), chunks=(6, 1))
    return module.from_sequence(numbered(0, 20).tolist(), npartitions=3)


def make_arrow(kind):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": np.arange(20), "b": np.zeros(20)})
    if kind == "table":
        return table
    if kind == "batch":
        return table.to_batches()[0]
    if kind == "reader":
        return pa.RecordBatchReader.from_batches(
            table.schema, table.to_batches(max_chunksize=6)
        )
    parquet = pytest.importorskip("pyarrow.parquet")
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, row_group_size=6)
    return parquet.ParquetFile(pa.BufferReader(sink.getvalue()))


def chunks(make):
    return [make(numbered(start, min(start + 6, 20))) for start in range(0, 20, 6)]


ITERABLES = {
    "arrays": lambda: chunks(np.asarray),
    "lists": lambda: chunks(np.ndarray.tolist),
    "sparse": lambda: chunks(sp.csr_matrix),
    "pandas": lambda: chunks(pd.DataFrame),
    "polars": lambda: chunks(pl.DataFrame),
    "lazy": lambda: chunks(Lazy),
    "dask frame": lambda: make_dask("dataframe"),
    "dask array": lambda: make_dask("array"),
    "dask bag": lambda: make_dask("bag"),
    "arrow table": lambda: make_arrow("table"),
    "arrow batch": lambda: make_arrow("batch"),
    "parquet": lambda: make_arrow("parquet"),
    "function with offset": lambda: make_function(resumable=True),
}


ITERATORS = {
    "generator": lambda: (batch for batch in chunks(np.asarray)),
    "arrow reader": lambda: make_arrow("reader"),
    "sql": make_sql,
    "function": lambda: make_function(resumable=False),
}


TABLES = {
    "array": np.asarray,
    "sparse": sp.csr_matrix,
    "triplets": sp.coo_array,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
}


@pytest.mark.parametrize("kind", [*ITERABLES, *ITERATORS])
@pytest.mark.parametrize("n", [1, 4, 6, 50])
def test_all_rows_come_in_order(read_all, kind, n):
    reader = reader_of((ITERABLES | ITERATORS)[kind]())
    assert not reader.has_ended
    assert read_all(reader, n) == (list(range(20)), [])
    assert reader.has_ended
    assert reader.delivered == 20


@pytest.mark.parametrize("kind", ["sql", "dask frame", "polars", "function"])
def test_a_time_limit_changes_nothing_where_all_goes_well(read_all, kind):
    reader = reader_of((ITERABLES | ITERATORS)[kind](), timeout=60)
    assert read_all(reader) == (list(range(20)), [])


@pytest.mark.parametrize("kind", ITERABLES)
@pytest.mark.parametrize("offset", [0, 3, 6, 19, 20])
def test_reading_goes_on_from_any_row(read_all, kind, offset):
    reader = reader_of(ITERABLES[kind](), offset=offset)
    assert read_all(reader)[0] == list(range(offset, 20))
    assert reader.delivered == 20


@pytest.mark.parametrize("kind", ITERATORS)
def test_what_goes_on_by_itself_is_not_skipped(first_column, read_all, kind):
    source = ITERATORS[kind]()
    first = first_column(reader_of(source).read(6)[0])
    again = reader_of(source, offset=6)
    rest, _ = read_all(again)
    assert first + rest == list(range(20))
    assert again.delivered == 20


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("offset", [0, 7, 20])
def test_rows_of_a_table_are_shuffled_once_and_resumed(read_all, kind, offset):
    table = TABLES[kind](numbered(0, 20))
    whole, _ = read_all(reader_of(table))
    assert sorted(whole) == list(range(20)) != whole

    reader = reader_of(table, offset=offset)
    assert reader.size == 20
    assert read_all(reader, 3) == (whole[offset:], [])


def test_the_order_of_a_table_is_drawn_when_it_is_opened():
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    SourceReader("web", numbered(0, 20), rng=rng)
    other.permutation(20)
    assert rng.integers(1000) == other.integers(1000)


@pytest.mark.parametrize("kind", TABLES)
def test_labels_stay_with_their_rows(first_column, kind):
    X = TABLES[kind](numbered(0, 20))
    reader = reader_of((X, [f"label {i}" for i in range(20)]))
    for _ in range(3):
        rows, labels = reader.read(7)
        assert labels.tolist() == [f"label {i}" for i in first_column(rows)]
    assert reader.has_ended


def test_labels_of_batches_stay_with_their_rows():
    batches = [(batch, batch[:, 0] * 2) for batch in chunks(np.asarray)]
    reader = reader_of(batches)
    for _ in range(4):
        X, y = reader.read(5)
        assert_array_equal(y, 2 * X[:, 0])


@pytest.mark.parametrize("kind", ["arrow table", "arrow batch", "parquet"])
def test_the_size_of_arrow_data_is_known(kind):
    reader = reader_of(ITERABLES[kind]())
    assert reader.size == 20
    reader.read(20)
    assert reader.has_ended


def test_the_size_of_other_sources_is_not_known():
    assert reader_of(chunks(np.asarray)).size == np.inf


def test_nothing_is_opened_before_the_first_read_and_no_more_taken_than_needed():
    source = Batches(*chunks(np.asarray))
    reader = reader_of(source)
    assert source.n_opened == source.n_taken == 0
    for n_taken in (1, 2, 2, 3, 4):
        reader.read(4)
        assert source.n_taken == n_taken
    assert source.n_opened == 1


def test_partitions_are_computed_one_by_one():
    delayed = pytest.importorskip("dask").delayed
    dataframe = pytest.importorskip("dask.dataframe")
    computed = []

    def load(i):
        computed.append(i)
        return pd.DataFrame({"a": [4 * i + j for j in range(4)]})

    meta = pd.DataFrame({"a": [0]})
    parts = [delayed(load)(i) for i in range(3)]
    reader = reader_of(dataframe.from_delayed(parts, meta=meta, verify_meta=False))
    assert computed == []
    reader.read(3)
    assert computed == [0]
    reader.read(3)
    assert computed == [0, 1]


def test_a_single_delayed_object_is_a_single_batch(read_all):
    delayed = pytest.importorskip("dask").delayed
    reader = reader_of(delayed(numbered)(0, 6))
    assert read_all(reader) == (list(range(6)), [])


def test_a_callable_is_asked_once_per_read_for_what_is_missing(first_column):
    asked = []

    def source(n):
        asked.append(n)
        return numbered(0, 6) if len(asked) == 1 else numbered(6, 7)

    reader = reader_of(source)
    assert first_column(reader.read(4)[0]) == [0, 1, 2, 3]
    assert first_column(reader.read(4)[0]) == [4, 5, 6]
    assert asked == [4, 2]


def test_a_callable_need_not_have_a_signature(first_column):
    class Opaque:
        __signature__ = "unknown"

        def __call__(self, n):
            return numbered(0, n)

    assert first_column(reader_of(Opaque(), offset=5).read(2)[0]) == [0, 1]


@pytest.mark.parametrize(
    "source",
    [
        "rows.csv",
        b"rows",
        {"a": [1]},
        3,
        None,
        np.ones(3),
        pd.Series([1, 2]),
        pl.LazyFrame({"a": [1]}),
        ([[1, 2]], [0]),
    ],
)
def test_what_is_no_source_is_refused_at_once(source):
    with pytest.raises(TypeError, match=r"source 'web' is a .*Pass a table"):
        reader_of(source)

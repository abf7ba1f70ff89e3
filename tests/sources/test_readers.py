import datetime as dt
import sqlite3
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import validate_data

from sklearn_w2s._validation import n_rows
from sklearn_w2s.sources._batches import require_finite
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed, open_reader


def reader_of(source, **options):
    return open_reader("web", source, rng=np.random.default_rng(0), **options)


def numbered(start, stop):
    return np.column_stack([np.arange(start, stop), np.zeros(stop - start)])


def first_column(X):
    if sp.issparse(X):
        X = X.toarray()
    return np.asarray(X)[:, 0].astype(int).tolist()


def read_all(reader, n=4, max_faults=1000):
    """Read to the end; return the first column, and the reasons of all faults."""
    rows, reasons = [], []
    while len(reasons) <= max_faults:
        try:
            X, _ = reader.read(n)
        except SourceEnded:
            return rows, reasons
        except SourceFailed as fault:
            reasons.append(fault.reason)
        else:
            assert 1 <= len(first_column(X)) <= n
            rows += first_column(X)
    raise AssertionError(reasons)


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


class Faulty:
    """An iterator of items, or of exceptions, which it raises."""

    def __init__(self, items):
        self.items = iter(items)

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        if isinstance(item, Exception):
            raise item
        return item() if callable(item) else item


class Lazy:
    def __init__(self, value, n_failures=0):
        self.value = value
        self.n_failures = n_failures

    def compute(self):
        if self.n_failures:
            self.n_failures -= 1
            raise OSError("no answer")
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
def test_all_rows_come_in_order(kind, n):
    reader = reader_of((ITERABLES | ITERATORS)[kind]())
    assert not reader.has_ended
    assert read_all(reader, n) == (list(range(20)), [])
    assert reader.has_ended
    assert reader.delivered == 20


@pytest.mark.parametrize("kind", ["sql", "dask frame", "polars", "function"])
def test_a_time_limit_changes_nothing_where_all_goes_well(kind):
    reader = reader_of((ITERABLES | ITERATORS)[kind](), timeout=60)
    assert read_all(reader) == (list(range(20)), [])


@pytest.mark.parametrize("kind", ITERABLES)
@pytest.mark.parametrize("offset", [0, 3, 6, 19, 20])
def test_reading_goes_on_from_any_row(kind, offset):
    reader = reader_of(ITERABLES[kind](), offset=offset)
    assert read_all(reader)[0] == list(range(offset, 20))
    assert reader.delivered == 20


@pytest.mark.parametrize("kind", ITERATORS)
def test_what_goes_on_by_itself_is_not_skipped(kind):
    source = ITERATORS[kind]()
    first = first_column(reader_of(source).read(6)[0])
    again = reader_of(source, offset=6)
    rest, _ = read_all(again)
    assert first + rest == list(range(20))
    assert again.delivered == 20


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("offset", [0, 7, 20])
def test_rows_of_a_table_are_shuffled_once_and_resumed(kind, offset):
    table = TABLES[kind](numbered(0, 20))
    whole, _ = read_all(reader_of(table))
    assert sorted(whole) == list(range(20)) != whole

    reader = reader_of(table, offset=offset)
    assert reader.size == 20
    assert read_all(reader, 3) == (whole[offset:], [])


def test_the_order_of_a_table_is_drawn_when_it_is_opened():
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    open_reader("web", numbered(0, 20), rng=rng)
    other.permutation(20)
    assert rng.integers(1000) == other.integers(1000)


@pytest.mark.parametrize("kind", TABLES)
def test_labels_stay_with_their_rows(kind):
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


def test_a_single_delayed_object_is_a_single_batch():
    delayed = pytest.importorskip("dask").delayed
    reader = reader_of(delayed(numbered)(0, 6))
    assert read_all(reader) == (list(range(6)), [])


def test_a_callable_is_asked_once_per_read_for_what_is_missing():
    asked = []

    def source(n):
        asked.append(n)
        return numbered(0, 6) if len(asked) == 1 else numbered(6, 7)

    reader = reader_of(source)
    assert first_column(reader.read(4)[0]) == [0, 1, 2, 3]
    assert first_column(reader.read(4)[0]) == [4, 5, 6]
    assert asked == [4, 2]


def test_a_callable_is_asked_again_for_rows_that_were_refused():
    offsets = []

    def source(n, offset):
        offsets.append(offset)
        batch = numbered(offset, offset + n)
        batch[0, 1] = np.nan if len(offsets) == 2 else 0
        return batch

    reader = reader_of(source, check=lambda X, _: require_finite(X))
    reader.read(3)
    with pytest.raises(SourceFailed, match="missing or infinite"):
        reader.read(3)
    assert first_column(reader.read(3)[0]) == [3, 4, 5]
    assert offsets == [0, 3, 3]


def test_a_callable_need_not_say_what_it_takes():
    class Opaque:
        __signature__ = "unknown"

        def __call__(self, n):
            return numbered(0, n)

    assert first_column(reader_of(Opaque(), offset=5).read(2)[0]) == [0, 1]


def test_a_fault_names_source_and_cause():
    reader = reader_of(Faulty([OSError("no answer"), [], [[1, 2], [3]]]))
    with pytest.raises(SourceFailed, match=r"'web' raised OSError: no answer") as info:
        reader.read(2)
    assert info.value.reason == "raised"
    assert isinstance(info.value.__cause__, OSError)
    assert info.value.batch is None

    with pytest.raises(SourceFailed, match=r"'web' gave an empty batch") as info:
        reader.read(2)
    assert info.value.reason == "empty"

    with pytest.raises(SourceFailed, match=r"'web' gave an invalid batch: ") as info:
        reader.read(2)
    assert info.value.reason == "invalid"
    assert info.value.batch == [[1, 2], [3]]

    with pytest.raises(SourceEnded, match="'web' has no rows left"):
        reader.read(2)


def test_the_check_sees_every_batch_and_may_refuse_it():
    def check(X, y):
        if len(X) > y.sum() + 1:
            raise ValueError("two are not positive")

    items = [(numbered(0, 2), [1, 0]), (numbered(2, 4), [0, 0])]
    reader = reader_of(items, check=check)
    reader.read(2)
    with pytest.raises(SourceFailed, match="two are not positive") as info:
        reader.read(2)
    assert info.value.batch is items[1]


def test_a_table_is_checked_as_a_whole():
    X = numbered(0, 20)
    X[11, 1] = np.nan
    reader = reader_of(X, check=lambda X, _: require_finite(X))
    assert read_all(reader, 2) == ([], ["invalid"])
    assert reader.has_ended


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (numbered(0, 2), pd.DataFrame(numbered(2, 4))),
        (numbered(0, 2), (numbered(2, 4), [0, 1])),
        (pl.DataFrame({"a": [dt.time(1)]}), pl.DataFrame({"a": [dt.date(2024, 1, 1)]})),
    ],
)
def test_batches_that_do_not_go_together_are_not_mixed(first, second):
    reader = reader_of([first, second])
    X, y = reader.read(4)
    assert type(X) is type(first)
    assert n_rows(X) == n_rows(first)
    assert y is None
    with pytest.raises(SourceFailed, match="invalid batch"):
        reader.read(4)


def test_rows_that_came_before_a_fault_are_read_before_it():
    reader = reader_of(Faulty([numbered(0, 3), OSError(), numbered(3, 6)]))
    assert first_column(reader.read(5)[0]) == [0, 1, 2]
    with pytest.raises(SourceFailed):
        reader.read(5)
    assert first_column(reader.read(5)[0]) == [3, 4, 5]


def test_a_source_with_a_fault_to_come_has_not_ended():
    reader = reader_of(Faulty([numbered(0, 3), OSError()]))
    reader.read(5)
    assert not reader.has_ended


def test_names_that_no_table_may_have_are_a_fault_of_the_source():
    def check(X, _):
        validate_data(LogisticRegression(), X)

    frame = pd.DataFrame([[1, 2]], columns=["a", 1])
    reader = reader_of([frame, numbered(0, 3)], check=check)
    with pytest.raises(SourceFailed, match="invalid batch: Feature names"):
        reader.read(2)


def test_a_generator_that_raised_has_failed_once_more_when_it_ends():
    def source():
        yield numbered(0, 3)
        raise OSError("gone")

    reader = reader_of(source())
    assert first_column(reader.read(5)[0]) == [0, 1, 2]
    faults = []
    for _ in range(2):
        with pytest.raises(SourceFailed, match="raised OSError: gone") as info:
            reader.read(5)
        faults.append(info.value.__cause__)
    assert faults[0] is faults[1]
    assert reader.has_ended
    with pytest.raises(SourceEnded):
        reader.read(5)


def test_a_batch_that_cannot_be_computed_is_tried_again():
    reader = reader_of([Lazy(numbered(0, 3), n_failures=2), Lazy(numbered(3, 6))])
    assert read_all(reader) == (list(range(6)), ["raised", "raised"])


def test_a_source_that_cannot_be_opened_is_tried_again():
    class Database:
        n_failures = 1

        def __iter__(self):
            if self.n_failures:
                self.n_failures -= 1
                raise OSError("no answer")
            return iter([numbered(0, 6)])

    assert read_all(reader_of(Database())) == (list(range(6)), ["raised"])


@pytest.mark.parametrize("timeout", [None, 60])
def test_interrupts_pass_through_and_are_no_end_of_the_source(timeout):
    def source():
        yield numbered(0, 2)
        raise KeyboardInterrupt

    reader = reader_of(source(), timeout=timeout)
    reader.read(2)
    with pytest.raises(KeyboardInterrupt):
        reader.read(2)
    with pytest.raises(SourceFailed, match="KeyboardInterrupt"):
        reader.read(2)
    with pytest.raises(SourceEnded):
        reader.read(2)


def test_rows_that_come_late_are_not_lost():
    arrived = threading.Event()

    def source():
        arrived.wait(60)
        yield numbered(0, 3)

    reader = reader_of(source(), timeout=0.01)
    for _ in range(2):
        with pytest.raises(SourceFailed, match=r"timeout=0\.01") as info:
            reader.read(3)
        assert info.value.reason == "stalled"
    arrived.set()
    rows, _ = read_all(reader, 3)
    assert rows == [0, 1, 2]


def test_closing_ends_a_generator():
    closed = []

    def source():
        try:
            yield numbered(0, 3)
            yield numbered(3, 6)
        finally:
            closed.append(True)

    reader = reader_of(source())
    reader.read(2)
    reader.close()
    assert closed == [True]
    assert not reader.has_ended
    with pytest.raises(SourceEnded, match="is closed"):
        reader.read(2)
    reader.close()


def test_closing_does_not_wait_for_a_stalled_source():
    arrived = threading.Event()

    def source():
        arrived.wait(60)
        yield numbered(0, 3)

    reader = reader_of(source(), timeout=0.01)
    with pytest.raises(SourceFailed):
        reader.read(2)
    reader.close()
    arrived.set()


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


def items_of(schedule, releases):
    """Make items: rows for a number, a fault for a word."""
    items, at = [], 0
    for part in schedule:
        if part == "raised":
            items.append(OSError("no answer"))
        elif part == "empty":
            items.append(np.empty((0, 2)))
        elif part == "invalid":
            items.append(np.full((2, 2), np.nan))
        else:
            batch = numbered(at, at + abs(part))
            at += abs(part)
            items.append(batch if part > 0 else stalling(batch, releases))
    return items, at


def stalling(batch, releases):
    def give():
        release = threading.Event()
        releases.append(release)
        release.wait(60)
        return batch

    return give


sizes = st.integers(1, 7)
faults = st.sampled_from(["raised", "empty", "invalid"])


@given(
    schedule=st.lists(st.one_of(sizes, faults), max_size=12),
    reads=st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_every_valid_row_comes_once_whatever_happens(schedule, reads):
    items, n = items_of(schedule, [])
    reader = reader_of(Faulty(items), check=lambda X, _: require_finite(X))
    rows, reasons, n_before = [], [], []
    for step in range(1000):
        try:
            X, _ = reader.read(reads[step % len(reads)])
        except SourceEnded:
            break
        except SourceFailed as fault:
            reasons.append(fault.reason)
            n_before.append(len(rows))
            continue
        assert 1 <= len(X) <= reads[step % len(reads)]
        rows += first_column(X)
        assert reader.delivered == len(rows)
    assert rows == list(range(n))
    # An end right after an error is one more fault.
    again = ["raised"] if schedule[-1:] == ["raised"] else []
    assert reasons == [part for part in schedule if isinstance(part, str)] + again
    # No row that came before a fault is still to be read when it is raised.
    sizes = [0 if isinstance(part, str) else part for part in schedule]
    at_faults = [
        sum(sizes[:i]) for i, part in enumerate(schedule) if isinstance(part, str)
    ]
    assert n_before == at_faults + [n for _ in again]


@given(
    schedule=st.lists(st.one_of(sizes, sizes.map(lambda n: -n), faults), max_size=6),
    n=st.integers(1, 9),
)
def test_every_valid_row_comes_once_even_if_late(schedule, n):
    releases = []
    items, n_rows = items_of(schedule, releases)
    reader = reader_of(
        Faulty(items), timeout=0.005, check=lambda X, _: require_finite(X)
    )
    rows = []
    for _ in range(10_000):
        try:
            rows += first_column(reader.read(n)[0])
        except SourceEnded:
            break
        except SourceFailed as fault:
            if fault.reason == "stalled":
                for release in releases:
                    release.set()
    assert rows == list(range(n_rows))


@given(
    schedule=st.lists(st.one_of(sizes, st.just("invalid"), st.just("empty"))),
    reads=st.lists(st.integers(1, 9), max_size=5),
    n=st.integers(1, 9),
)
def test_a_second_reader_goes_on_where_the_first_stopped(schedule, reads, n):
    items, n_rows = items_of(schedule, [])
    options = {"check": lambda X, _: require_finite(X)}
    first = reader_of(items, **options)
    rows = []
    for size in reads:
        try:
            rows += first_column(first.read(size)[0])
        except SourceEnded:
            break
        except SourceFailed:
            continue
    rest, _ = read_all(reader_of(items, offset=first.delivered, **options), n)
    assert rows + rest == list(range(n_rows))

"""Faults of sources: none loses a row, and none brings one twice."""

import datetime as dt
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import validate_data

from sklearn_w2s._tables import require_finite
from sklearn_w2s._validation import n_rows
from sklearn_w2s.sources import _readers
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed, SourceReader


def reader_of(source, **options):
    return SourceReader("web", source, rng=np.random.default_rng(0), **options)


def numbered(start, stop):
    return np.column_stack([np.arange(start, stop), np.zeros(stop - start)])


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


def test_a_callable_is_asked_again_for_rows_that_were_refused(first_column):
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


def test_a_table_is_checked_as_a_whole(read_all):
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


def test_rows_that_came_before_a_fault_are_read_before_it(first_column):
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


def test_a_generator_that_raised_has_failed_once_more_when_it_ends(first_column):
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


def test_a_batch_that_cannot_be_computed_is_tried_again(read_all):
    reader = reader_of([Lazy(numbered(0, 3), n_failures=2), Lazy(numbered(3, 6))])
    assert read_all(reader) == (list(range(6)), ["raised", "raised"])


def test_a_source_that_cannot_be_opened_is_tried_again(read_all):
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


def test_an_interrupt_while_rows_are_put_together_loses_no_row(read_all, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    reader = reader_of(numbered(0, 10))
    reader.read(3)
    with monkeypatch.context() as patch:
        patch.setattr(_readers, "stack", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reader.read(3)
    assert reader.delivered == 3
    assert len(read_all(reader, 3)[0]) == 7


def test_rows_that_come_late_are_not_lost(read_all):
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


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_of_a_late_call_is_raised_without_another_read(error):
    goes_on = threading.Event()

    def source():
        goes_on.wait(60)
        if goes_on.is_set():
            raise error
        yield numbered(0, 2)

    reader = reader_of(source(), timeout=0.5)
    assert not reader.raise_interrupt()
    with pytest.raises(SourceFailed, match="stalled"):
        reader.read(2)
    assert reader.raise_interrupt()
    goes_on.set()
    with pytest.raises(error):  # noqa: PT012
        while reader.raise_interrupt():
            pass
    assert not reader.raise_interrupt()
    with pytest.raises(SourceFailed, match=error.__name__):
        reader.read(2)


def test_what_else_comes_of_a_late_call_waits_for_the_next_read(read_all):
    goes_on = threading.Event()

    def source():
        goes_on.wait(60)
        yield numbered(0, 3)

    reader = reader_of(source(), timeout=0.01)
    with pytest.raises(SourceFailed, match="stalled"):
        reader.read(3)
    goes_on.set()
    while reader.raise_interrupt():
        pass
    assert read_all(reader, 3) == ([0, 1, 2], [])


# Any schedule of rows and faults


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
def test_every_valid_row_comes_once_whatever_happens(first_column, schedule, reads):
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
def test_every_valid_row_comes_once_even_if_late(first_column, schedule, n):
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
def test_a_second_reader_goes_on_where_the_first_stopped(
    first_column, read_all, schedule, reads, n
):
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

"""Read rows from tables, functions, Dask, pyarrow and iterables, a few at a time.

Whatever a source does, no row is lost and none comes twice. Nothing here knows what the
rows are for.
"""

import inspect
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from threading import Thread
from types import GeneratorType
from typing import Any

import numpy as np

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import (
    as_batch,
    computed,
    is_table,
    owned,
    require_alike,
    rows_of,
    stack,
)
from sklearn_w2s._validation import n_rows

_END = object()


class SourceEnded(Exception):
    """A source has no rows left."""


class SourceFailed(Exception):
    """A source gave no rows although it has not ended; it may be read again.

    `reason` is "raised", "stalled", "empty" or "invalid"; `batch` is what was invalid.
    """

    def __init__(self, message, reason="raised", batch=None):
        super().__init__(message)
        self.reason = reason
        self.batch = batch


def open_reader(name, source, *, rng, offset=0, timeout=None, check=None):
    """Return a reader of a source, from which nothing is drawn yet.

    `fit_sources` describes the kinds of sources. Of tables and of iterables that can be
    read from their beginning again, the first `offset` rows are left out. With a
    `timeout` the source runs in another thread. `check(X, y)` raises ValueError to
    refuse a batch.
    """
    order = None
    size = _known_size(source)
    feed: _Items | _Calls
    if _is_table_source(source):
        size = n_rows(source[0] if isinstance(source, tuple) else source)
        order = rng.permutation(size)
        feed = _Items(source, lambda: [source], offset)
    elif _is_asked(source):
        feed = _Calls(source)
    else:
        feed = _Items(source, _find_items(name, source), offset)
    return SourceReader(
        name, feed, size, order=order, offset=offset, timeout=timeout, check=check
    )


class SourceReader:
    """Read the rows of one source, a few at a time; made by `open_reader`.

    The `size` is infinite where unknown; `delivered` includes rows of runs before this
    one.
    """

    def __init__(self, name, feed, size, *, order, offset, timeout, check):
        self.name = name
        self.size = size
        self.delivered = offset
        self._feed = feed
        self._order = order
        self._timeout = timeout
        self._check = check
        self._parts: deque[_Part] = deque()
        self._uncomputed: Any = _END
        self._pending = None
        self._error = None
        self._held = None
        self._is_at_end = False
        self._is_closed = False

    @property
    def has_ended(self):
        """Whether it is known that no row is left."""
        is_empty = self._is_at_end and not self._parts and self._held is None
        return is_empty or self.delivered >= self.size

    def read(self, n):
        """Return the next n rows or fewer, and their labels or None.

        A callable is asked once. Rows that came before a failure are returned before it
        is raised. An iterator that ends right after it raised fails once more before it
        counts as ended.
        """
        if self._is_closed:
            msg = f"source {self.name!r} is closed"
            raise SourceEnded(msg)
        self._fill_or_hold(n)
        if not self._parts:
            msg = f"source {self.name!r} has no rows left"
            raise SourceEnded(msg)
        X, y = self._cut(n)
        self.delivered += n_rows(X)
        return X, y

    def give_back(self, X, y):
        """Put back the rows that were read last, to be read again."""
        n = n_rows(X)
        self.delivered -= n
        self._parts.appendleft(_Part(X, y, None, 0, n))

    def raise_interrupt(self):
        """Raise an interrupt that ended a late call; return whether it still runs."""
        if self._pending is None or not self._pending.is_done(0):
            return self._pending is not None
        _, error = self._pending.outcome
        if error is not None and not isinstance(error, Exception):
            self._pending, self._error = None, error
            raise error
        # Rows, or a fault, which wait for the next read.
        return False

    def close(self):
        """Release the source and close its generator."""
        self._is_closed = True
        # A generator that runs in a thread cannot be closed; it ends with its fetch.
        if self._pending is None:
            self._feed.close()

    def _fill_or_hold(self, n):
        # Rows that are there already come first, the failure with the next read.
        held, self._held = self._held, None
        if held is not None:
            raise held
        try:
            self._fill(n)
        except SourceFailed as failure:
            if not self._parts:
                raise
            self._held = failure

    def _n_buffered(self):
        return sum(part.n_left for part in self._parts)

    def _fill(self, n):
        missing = n - self._n_buffered()
        while missing > 0 and not self._is_at_end:
            item = self._fetch(missing)
            if item is _END:
                self._end()
            else:
                self._accept(item)
            if self._feed.is_asked:
                return
            missing = n - self._n_buffered()

    def _end(self):
        self._is_at_end = True
        # A generator that raised is over; that is not the end of its rows.
        if self._error is not None and not self._feed.is_asked:
            raise self._raised(self._error) from self._error

    def _fetch(self, n):
        position = self.delivered + self._n_buffered()
        if self._timeout is None:
            item, error = _attempt(self._draw, n, position)
        else:
            item, error = self._wait(n, position)
        if error is None:
            if item is not _END:
                self._error = None
            return item
        self._error = error
        if not isinstance(error, Exception):
            raise error
        raise self._raised(error) from error

    def _draw(self, n, position):
        # An item that could not be computed waits, so that its rows are not lost.
        if self._uncomputed is _END:
            self._uncomputed = self._feed.fetch(n, position)
        item = computed(self._uncomputed)
        self._uncomputed = _END
        return item

    def _wait(self, n, position):
        if self._pending is None:
            self._pending = _Fetch(self._draw, n, position)
        if not self._pending.is_done(self._timeout):
            reason = f"stalled: nothing came within timeout={self._timeout:g} seconds"
            raise self._failed("stalled", reason)
        outcome, self._pending = self._pending.outcome, None
        return outcome

    def _accept(self, item):
        try:
            X, y = as_batch(item)
            rows = n_rows(X)
            if rows:
                self._require_fitting(X, y)
        except (TypeError, ValueError) as error:
            if self._feed.n_to_skip:
                return  # It was refused when its neighbours were read before.
            cause = f"gave an invalid batch: {error}"
            raise self._failed("invalid", cause, item) from error
        if not rows and not self._feed.n_to_skip:
            raise self._failed("empty", "gave an empty batch")
        skipped = min(self._feed.n_to_skip, rows)
        self._feed.n_to_skip -= skipped
        if skipped < rows:
            if self._order is None:
                # A source may fill the same memory again with its next batch.
                X, y = owned(X), None if y is None else owned(y)
            self._parts.append(_Part(X, y, self._order, skipped, rows))

    def _require_fitting(self, X, y):
        if self._check is not None:
            self._check(X, y)
        if self._parts:
            last = self._parts[-1]
            require_alike(X, y, last.X, last.y)
            _require_stackable(X, last.X)

    def _cut(self, n):
        taken = []
        while n and self._parts:
            part = self._parts[0]
            taken.append(part.take(n))
            n -= n_rows(taken[-1][0])
            if not part.n_left:
                self._parts.popleft()
        tables, labels = zip(*taken, strict=True)
        return stack(list(tables)), None if labels[0] is None else stack(list(labels))

    def _raised(self, error):
        return self._failed("raised", f"raised {type(error).__name__}: {error}")

    def _failed(self, reason, cause, batch=None):
        return SourceFailed(f"source {self.name!r} {cause}", reason, batch)


@dataclass(eq=False, repr=False)
class _Part:
    """What is left of an item."""

    X: Any
    y: Any
    order: Any
    start: int
    stop: int

    @property
    def n_left(self):
        return self.stop - self.start

    def take(self, n):
        start = self.start
        self.start = min(start + n, self.stop)
        if self.order is None:
            X = rows_of(self.X, start, self.start)
            return X, None if self.y is None else self.y[start : self.start]
        rows = self.order[start : self.start]
        X = safe_indexing(self.X, rows)
        return X, None if self.y is None else self.y[rows]


class _Items:
    """Items of an iterable, which is opened when the first is fetched."""

    is_asked = False

    def __init__(self, source, open_items, n_to_skip):
        self.n_to_skip = n_to_skip
        self._source = source
        self._open_items = open_items
        self._iterator = None

    def fetch(self, _n, _position):
        if self._iterator is None:
            self._iterator = iter(self._open_items())
            if self._iterator is self._source:
                self.n_to_skip = 0  # It goes on where it stopped.
        return next(self._iterator, _END)

    def close(self):
        iterator, self._iterator = self._iterator, None
        if isinstance(iterator, GeneratorType):
            iterator.close()


class _Calls:
    """Items that a callable gives when asked."""

    is_asked = True
    n_to_skip = 0

    def __init__(self, source):
        self._source = source
        self._takes_offset = _has_parameter(source, "offset")

    def fetch(self, n, position):
        options = {"offset": position} if self._takes_offset else {}
        item = self._source(n, **options)
        return _END if item is None else item

    def close(self):
        """Do nothing: a callable has no end to come to."""


class _Fetch:
    """A fetch in a thread that does not keep the program from ending."""

    def __init__(self, draw, n, position):
        self.outcome = None
        self._thread = Thread(target=self._run, args=(draw, n, position), daemon=True)
        self._thread.start()

    def is_done(self, timeout):
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self, draw, n, position):
        self.outcome = _attempt(draw, n, position)


def _attempt(draw, n, position):
    # Foreign code runs here and may raise anything. The caller turns errors into faults
    # of the source and raises the others, such as KeyboardInterrupt, again.
    try:
        return draw(n, position), None
    except BaseException as error:
        return _END, error


def _require_stackable(X, other):
    try:
        stack([rows_of(other, 0, 0), rows_of(X, 0, 0)])
    # Each library has its own error; that of polars is no ValueError.
    except Exception as error:
        msg = f"its columns are of other types than those before: {error}"
        raise ValueError(msg) from error


def _has_parameter(function, name):
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # Some built-in functions have no signature.
        return False


def _is_table_source(source):
    if isinstance(source, tuple) and len(source) == 2:
        return is_table(source[0])
    return is_table(source)


def _is_asked(source):
    # Lazy objects of Dask answer to any name and can be called.
    return callable(source) and not hasattr(source, "compute")


def _find_items(name, source):
    """Return a function that opens the items of a source."""
    if hasattr(source, "compute"):
        is_collection = isinstance(getattr(source, "npartitions", None), Integral)
        return lambda: _partitions(source) if is_collection else [source]
    for method in ("to_batches", "iter_batches"):
        if hasattr(source, method):
            return getattr(source, method)
    if hasattr(source, "to_pandas"):  # a single record batch
        return lambda: [source]
    is_pair = isinstance(source, tuple) and len(source) == 2
    is_other = isinstance(source, str | bytes | Mapping) or hasattr(source, "shape")
    if is_pair or is_other or not hasattr(source, "__iter__"):
        inside = f" of {type(source[0]).__name__} and another" if is_pair else ""
        msg = (
            f"source {name!r} is a {type(source).__name__}{inside}. Pass a table "
            "(two-dimensional array, sparse matrix, data frame of pandas or polars), a "
            "tuple (X, y) of one, a callable that returns n rows when asked, a Dask "
            "collection, a pyarrow table or reader, or an iterable of tables."
        )
        raise TypeError(msg)
    return lambda: source


def _partitions(source):
    if not hasattr(source, "numblocks"):  # a data frame or a bag
        yield from source.to_delayed()
        return
    # The blocks of an array side by side are parts of the same rows.
    for i in range(source.numblocks[0]):
        yield source.partitions[i]


def _known_size(source):
    if _is_asked(source) or hasattr(source, "compute"):
        return np.inf
    # A Parquet file knows its rows from its metadata.
    for holder in (source, getattr(source, "metadata", None)):
        size = getattr(holder, "num_rows", None)
        if isinstance(size, Integral):
            return size
    return np.inf

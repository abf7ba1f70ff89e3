"""Read rows from tables, functions, Dask, pyarrow and iterables, a few at a time.

Whatever a source does, no row is lost and none comes twice.
"""

import inspect
from collections import deque
from collections.abc import Mapping
from numbers import Integral
from threading import Thread
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


class SourceReader:
    """Read the rows of one source, a few at a time; nothing is drawn before `read`.

    `fit_sources` describes the kinds of sources. Of tables and of iterables that can be
    read from their beginning again, the first `offset` rows are left out. With a
    `timeout` the source runs in another thread. `check(X, y)` raises ValueError to
    refuse a batch. `delivered` counts the rows read, the `offset` included.
    """

    def __init__(self, name, source, *, rng, offset=0, timeout=None, check=None):
        self.name = name
        self.size: Any = np.inf
        self.delivered = offset
        self._source = source
        self._n_to_skip = offset
        self._timeout = timeout
        self._check = check
        self._order = None
        self._takes_offset = False
        table = source[0] if isinstance(source, tuple) and len(source) == 2 else source
        is_lazy = hasattr(source, "compute")
        # Lazy objects of Dask have every attribute and can be called.
        self._is_asked = callable(source) and not is_lazy
        if is_table(table):
            self.size = n_rows(table)
            self._order = rng.permutation(self.size)
            self._open_items = lambda: [source]
        elif self._is_asked:
            self._n_to_skip = 0
            self._takes_offset = _has_parameter(source, "offset")
        else:
            self._open_items = _find_items(name, source)
            # A Parquet file has its number of rows in its metadata.
            holders = () if is_lazy else (source, getattr(source, "metadata", None))
            sizes = [getattr(holder, "num_rows", None) for holder in holders]
            self.size = next((n for n in sizes if isinstance(n, Integral)), np.inf)
        self._iterator: Any = None
        # An item that was taken from the source and could not be computed yet.
        self._item: Any = _END
        # Of a call of the source: its thread, and its item or error.
        self._thread: Thread | None = None
        self._outcome: Any = None
        self._error: BaseException | None = None
        # Rows that were not read yet: X, y, and their positions in these.
        self._parts: deque[tuple[Any, Any, Any]] = deque()
        self._held: SourceFailed | None = None
        self._is_at_end = False

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
        if self._held is not None:
            failure, self._held = self._held, None
            raise failure
        try:
            self._fill(n)
        except SourceFailed as failure:
            if not self._parts:
                raise
            self._held = failure
        if not self._parts:
            msg = f"source {self.name!r} has no rows left"
            raise SourceEnded(msg)
        taken, parts, delivered = [], self._parts.copy(), self.delivered
        while n and parts:
            X, y, positions = parts.popleft()
            now, later = positions[:n], positions[n:]
            if len(later):
                parts.appendleft((X, y, later))
            if isinstance(now, range):
                X = rows_of(X, now.start, now.stop)
                taken.append((X, None if y is None else y[now.start : now.stop]))
            else:
                X = safe_indexing(X, now)
                taken.append((X, None if y is None else y[now]))
            n -= len(now)
            delivered += len(now)
        tables, labels = zip(*taken, strict=True)
        X = stack(list(tables))
        y = None if labels[0] is None else stack(list(labels))
        # Last, so that no row is lost if an interrupt comes before.
        self._parts, self.delivered = parts, delivered
        return X, y

    def give_back(self, X, y):
        """Put back the rows that were read last, to be read again."""
        n = n_rows(X)
        self.delivered -= n
        self._parts.appendleft((X, y, range(n)))

    def raise_interrupt(self):
        """Raise an interrupt that ended a late call; return whether it still runs."""
        if self._thread is None or self._thread.is_alive():
            return self._thread is not None
        _, error = self._outcome
        if error is not None and not isinstance(error, Exception):
            self._thread, self._error = None, error
            raise error
        # Rows, or a fault, wait for the next read.
        return False

    def _fill(self, n):
        """Take items of the source until n rows are there, or one where it is asked."""
        while not self._is_at_end:
            n_there = sum(len(positions) for _, _, positions in self._parts)
            if n_there >= n:
                return
            item, error = self._fetch(n - n_there, self.delivered + n_there)
            if error is not None:
                self._error = error
                if not isinstance(error, Exception):
                    raise error
            elif item is not _END:
                self._error = None
                self._accept(item)
            else:
                self._is_at_end = True
                # A generator that raised is over; that is not the end of its rows.
                error = None if self._is_asked else self._error
            if error is not None:
                msg = f"source {self.name!r} raised {type(error).__name__}: {error}"
                raise SourceFailed(msg) from error
            if self._is_asked:
                return

    def _fetch(self, n, position):
        """Return the next item of the source, or `_END` and an error."""
        if self._timeout is None:
            self._call(n, position)
        else:
            if self._thread is None:
                # A thread that does not keep the program from ending.
                self._thread = Thread(
                    target=self._call, args=(n, position), daemon=True
                )
                self._thread.start()
            self._thread.join(self._timeout)
            if self._thread.is_alive():
                msg = (
                    f"source {self.name!r} stalled: nothing came within "
                    f"timeout={self._timeout:g} seconds"
                )
                raise SourceFailed(msg, "stalled")
            self._thread = None
        outcome, self._outcome = self._outcome, None
        return outcome

    def _call(self, n, position):
        # Foreign code runs here and may raise anything. The caller turns errors into
        # faults of the source and raises the others, such as KeyboardInterrupt, again.
        try:
            # An item that could not be computed is kept, so that its rows are not lost.
            if self._item is _END and self._is_asked:
                options = {"offset": position} if self._takes_offset else {}
                item = self._source(n, **options)
                self._item = _END if item is None else item
            elif self._item is _END:
                if self._iterator is None:
                    self._iterator = iter(self._open_items())
                    if self._iterator is self._source:
                        self._n_to_skip = 0  # It continues where it stopped.
                self._item = next(self._iterator, _END)
            self._outcome = computed(self._item), None
            self._item = _END
        except BaseException as error:
            self._outcome = _END, error

    def _accept(self, item):
        """Keep the rows of an item, without those that were read before."""
        try:
            X, y = as_batch(item)
            n = n_rows(X)
            if n and self._check is not None:
                self._check(X, y)
            if n and self._parts:
                last_X, last_y, _ = self._parts[-1]
                require_alike(X, y, last_X, last_y)
                _require_stackable(X, last_X)
        except (TypeError, ValueError) as error:
            if self._n_to_skip:
                return  # It was refused before, too.
            msg = f"source {self.name!r} gave an invalid batch: {error}"
            raise SourceFailed(msg, "invalid", item) from error
        if not n and not self._n_to_skip:
            msg = f"source {self.name!r} gave an empty batch"
            raise SourceFailed(msg, "empty")
        skipped = min(self._n_to_skip, n)
        self._n_to_skip -= skipped
        if skipped < n:
            positions = self._order
            if positions is None:
                # A source may fill the same memory again with its next batch.
                X, y = owned(X), None if y is None else owned(y)
                positions = range(n)
            self._parts.append((X, y, positions[skipped:]))


def _require_stackable(X, other):
    try:
        stack([rows_of(other, 0, 0), rows_of(X, 0, 0)])
    # Each library raises its own error; that of polars is not a ValueError.
    except Exception as error:
        msg = f"its columns are of other types than those before: {error}"
        raise ValueError(msg) from error


def _has_parameter(function, name):
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # Some built-in functions have no signature.
        return False


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

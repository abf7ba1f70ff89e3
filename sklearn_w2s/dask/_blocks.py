"""Dask collections as blocks of rows, each of which fits in memory."""

from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.dataframe.utils import make_meta

from sklearn_w2s._validation import check_labels, check_values, n_rows

# Parts merged at once: few, so that no worker holds many of them.
MERGED_AT_ONCE = 8


@dataclass(eq=False, repr=False)
class Block:
    """Rows of the partition `number`; labels may be None, weights are not negative."""

    number: int
    X: Any
    y: Any
    weights: Any

    def __len__(self):
        return n_rows(self.X)

    def values(self):
        """Return the values of the labeled rows, and the mask of these rows."""
        if self.y is None:
            return np.empty(0), np.zeros(len(self), dtype=bool)
        return check_values(self.y)

    def labels(self, missing_label):
        """Return the labels of the labeled rows, and the mask of these rows."""
        if self.y is None:
            return np.empty(0, dtype=np.intp), np.zeros(len(self), dtype=bool)
        # No class is known, and those of a block must not tell what -1 means.
        return check_labels(self.y, missing_label, classes=())


def is_collection(X):
    """Say whether X is a collection of Dask."""
    return dask.is_dask_collection(X)


def is_frame(X):
    """Say whether X is a data frame or series of Dask."""
    return isinstance(X, dd.DataFrame | dd.Series)


def as_rows(X):
    """Return the collection with all columns in one chunk, and refuse other types."""
    if isinstance(X, dd.DataFrame):
        return X
    if isinstance(X, da.Array) and X.ndim == 2:
        return X.rechunk({1: -1})
    msg = (
        f"X is a {type(X).__name__}. Pass a Dask data frame or a two-dimensional Dask "
        "array, or use the estimator of the same name in sklearn_w2s."
    )
    raise TypeError(msg)


def row_blocks(X, y=None, sample_weight=None):
    """Return one `Delayed` of a `Block` per partition of the collections."""
    X = as_rows(X)
    columns = {"X": X, "y": y, "sample_weight": sample_weight}
    columns = {name: column for name, column in columns.items() if column is not None}
    for name in list(columns)[1:]:
        columns[name] = aligned(name, columns[name], X)
    frames = {name: column for name, column in columns.items() if is_frame(column)}
    arrays = {name: column for name, column in columns.items() if name not in frames}
    parts = [_array_parts(arrays[name]) for name in arrays]
    if frames:
        parts.append(_frame_parts(frames))
    names = [*arrays, tuple(frames)] if frames else list(arrays)
    assemble = dask.delayed(_assemble)
    return [
        assemble(number, names, list(pieces))
        for number, pieces in enumerate(zip(*parts, strict=True))
    ]


def aligned(name, column, X):
    """Return a column with the partitions of X; `name` is its argument."""
    if not isinstance(column, da.Array | dd.Series) or column.ndim != 1:
        msg = (
            f"{name} is a {type(column).__name__}. Pass a Dask series or a "
            "one-dimensional Dask array with the partitions of X."
        )
        raise TypeError(msg)
    arrays = isinstance(X, da.Array) and isinstance(column, da.Array)
    if arrays and X.shape[0] == column.shape[0]:
        column = column.rechunk((X.chunks[0],))
    counts = [_n_partitions(X), _n_partitions(column)]
    if counts[0] != counts[1]:
        msg = (
            f"X has {counts[0]} partitions and {name} has {counts[1]}. Repartition "
            "them alike, or take both from one data frame."
        )
        raise ValueError(msg)
    return column


def merge_tree(parts, merge):
    """Merge `Delayed` parts in order, a few at once, with an associative function."""
    merged = dask.delayed(merge)
    while True:
        groups = range(0, len(parts), MERGED_AT_ONCE)
        parts = [merged(parts[start : start + MERGED_AT_ONCE]) for start in groups]
        if len(parts) == 1:
            return parts[0]


def shipped(value):
    """Return an object as a node of the graph: a node can be sent to another worker."""
    return dask.delayed(value, pure=False, traverse=False)


def _n_partitions(column):
    return column.numblocks[0] if isinstance(column, da.Array) else column.npartitions


def _array_parts(array):
    # Unoptimised, so that what several collections are made of is made once.
    return list(array.to_delayed(optimize_graph=False).ravel())


def _frame_parts(frames):
    first, *others = frames.values()
    # Together, for the same reason.
    together = first.map_partitions(
        _as_tuple,
        *others,
        meta=make_meta(first),
        enforce_metadata=False,
        align_dataframes=False,
    )
    return together.to_delayed()


def _as_tuple(*parts):
    return parts


def _assemble(number, names, pieces):
    columns: dict[str, Any] = {}
    for name, piece in zip(names, pieces, strict=True):
        named = zip(name, piece, strict=True) if isinstance(name, tuple) else None
        columns.update(named or {name: piece})
    X, y = columns["X"], columns.get("y")
    weights = columns.get("sample_weight")
    for name, column in columns.items():
        if len(column) != len(X):
            msg = (
                f"Partition {number} has {len(X)} rows in X, but {len(column)} in "
                f"{name}. Repartition them alike, or take both from one data frame."
            )
            raise ValueError(msg)
    if weights is None:
        return Block(number, X, y, np.ones(len(X)))
    weights = np.asarray(weights, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        msg = (
            f"sample_weight is {weights[wrong[0]]} in row {wrong[0]} of partition "
            f"{number}; pass finite numbers that are not negative."
        )
        raise ValueError(msg)
    return Block(number, X, y, weights)

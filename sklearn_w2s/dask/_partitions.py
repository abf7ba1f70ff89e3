"""Partitions of Dask collections: as blocks of rows, as lazy results, as sources."""

from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import scipy.sparse as sp
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
        # The classes of one block must not decide whether -1 is a label.
        return check_labels(self.y, missing_label, classes=())


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
    columns = {"X": X}
    for name, column in (("y", y), ("sample_weight", sample_weight)):
        if column is not None:
            columns[name] = aligned(name, column, X)
    arrays = {name: c for name, c in columns.items() if isinstance(c, da.Array)}
    frames = {name: c for name, c in columns.items() if name not in arrays}
    # Unoptimised, so that what several collections have in common is computed once.
    parts = [
        list(array.to_delayed(optimize_graph=False).ravel())
        for array in arrays.values()
    ]
    if frames:
        first, *others = frames.values()
        # Together, for the same reason.
        together = first.map_partitions(
            _as_tuple,
            *others,
            meta=make_meta(first),
            enforce_metadata=False,
            align_dataframes=False,
        )
        parts.append(together.to_delayed())
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
    if X.npartitions != column.npartitions:
        msg = (
            f"X has {X.npartitions} partitions and {name} has {column.npartitions}. "
            "Repartition them alike, or take both from one data frame."
        )
        raise ValueError(msg)
    return column


def merge_tree(parts, merge, **options):
    """Merge `Delayed` parts in order, a few at once, with an associative function."""
    merged = dask.delayed(merge)
    while True:
        groups = [
            parts[start : start + MERGED_AT_ONCE]
            for start in range(0, len(parts), MERGED_AT_ONCE)
        ]
        parts = [merged(group, **options) for group in groups]
        if len(parts) == 1:
            return parts[0]


def shipped(value):
    """Return an object as a node of the graph: a node can be sent to another worker."""
    return dask.delayed(value, pure=False, traverse=False)


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


def map_rows(judge, method, X, *, names, dtype):
    """Call a method of a fitted estimator on each block of rows, lazily.

    `names` is one name, or a list of columns; `dtype` one type, or one per column.
    """
    X = as_rows(X)
    options = {"method": method, "names": names, "kind": dtype}
    if isinstance(X, dd.DataFrame):
        index = make_meta(X).index
        return X.map_partitions(
            _judge_block,
            **options,
            judge=shipped(judge),
            meta=_as_pandas(_nothing(names), index, names, dtype),
            align_dataframes=False,
        )
    is_column = isinstance(names, str)
    shape = {"drop_axis": 1} if is_column else {"chunks": (X.chunks[0], (len(names),))}
    meta = _nothing(names).astype(dtype)
    judge = shipped(judge)
    return da.map_blocks(
        _judge_block, X, **options, judge=judge, **shape, dtype=dtype, meta=meta
    )


def _judge_block(rows, *, judge, method, names, kind):
    values = getattr(judge, method)(rows) if len(rows) else _nothing(names)
    if sp.issparse(values):
        values = values.toarray()
    if hasattr(rows, "index"):
        return _as_pandas(np.asarray(values), rows.index, names, kind)
    return np.asarray(values).astype(kind, copy=False)


def _nothing(names):
    return np.empty(0 if isinstance(names, str) else (0, len(names)))


def _as_pandas(values, index, names, dtype):
    import pandas as pd

    if isinstance(names, str):
        return pd.Series(values, index=index[: len(values)], name=names, dtype=dtype)
    columns = pd.DataFrame(values, index=index[: len(values)], columns=list(names))
    return columns.astype(dtype)


def partition_sources(X: Any, y: Any = None, *, names: Any = None) -> dict[str, Any]:
    """Return the partitions of a collection as sources to draw from.

    Nothing is computed here. A partition is computed when a row of it is drawn for the
    first time, one at a time.

    Parameters
    ----------
    X : {dask data frame, dask array} of shape (n, n_features)
        Rows.
    y : {dask series, dask array} of shape (n,), default=None
        Labels, with the partitions of X.
    names : list of str, default=None
        Name of the source of each partition; partitions of one name are one source,
        read in their order. None makes each partition one source, named by its number.

    Returns
    -------
    dict of str to list
        Sources for :meth:`~sklearn_w2s.UCBSourceSelector.fit_sources`.

    Raises
    ------
    TypeError
        If X or y is not a collection of Dask.
    ValueError
        If y has other partitions than X, or `names` is not one per partition.

    See Also
    --------
    sklearn_w2s.UCBSourceSelector : Draws from the source with the highest density.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_w2s.dask import partition_sources
    >>> X = da.ones((90, 2), chunks=(30, 2))
    >>> sources = partition_sources(X, names=["web", "shop", "web"])
    >>> {name: len(partitions) for name, partitions in sources.items()}
    {'web': 2, 'shop': 1}
    """
    X = as_rows(X)
    parts = [X.partitions[i] for i in range(X.npartitions)]
    if y is not None:
        y = aligned("y", y, X)
        parts = [(part, y.partitions[i]) for i, part in enumerate(parts)]
    names = range(len(parts)) if names is None else list(names)
    if len(names) != len(parts):
        msg = (
            f"names has {len(names)} names for {len(parts)} partitions of X; give one "
            "per partition."
        )
        raise ValueError(msg)
    sources: dict[str, list[Any]] = {}
    for name, part in zip(names, parts, strict=True):
        sources.setdefault(str(name), []).append(part)
    return sources

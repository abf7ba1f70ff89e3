"""Batches of rows from tables of any library.

A *table* is a two-dimensional NumPy array, a SciPy sparse matrix or array, or a pandas
or polars data frame.
"""

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import is_dataframe, is_missing, n_rows, values_of

_N_NAMED = 5


def is_table(X):
    """Return whether X is a table."""
    # The shape first: lazy frames have none, and asking for their columns is costly.
    if not hasattr(X, "shape"):
        return False
    if isinstance(X, np.ndarray) or sp.issparse(X):
        return X.ndim == 2
    return is_dataframe(X) and not hasattr(X, "compute")


def computed(item):
    """Return the result of a lazy object (of Dask), anything else unchanged."""
    if isinstance(item, tuple) and any(hasattr(part, "compute") for part in item):
        return tuple(computed(part) for part in item)
    return item.compute() if hasattr(item, "compute") else item


def as_batch(item):
    """Return the rows, and labels or None, of an item that a source returned.

    A tuple of two is rows and labels; each may be lazy, from pyarrow, or a list.
    """
    item = computed(item)
    X, y = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    X = _as_table(X)
    if y is None:
        return X, None
    try:
        labels = values_of(y)
    except (TypeError, ValueError) as error:
        msg = (
            f"the labels of a batch must be one column, got {_describe(y)}. A tuple "
            "of two is read as (rows, labels)."
        )
        raise ValueError(msg) from error
    if len(labels) != n_rows(X):
        msg = (
            f"a batch has {n_rows(X)} rows but {len(labels)} labels. Give one label "
            "per row, the marker of missing labels where there is none."
        )
        raise ValueError(msg)
    return X, labels


def _as_table(item):
    X = item
    if hasattr(X, "to_pandas") and not is_table(X):
        X = X.to_pandas()
    if isinstance(X, list | tuple):
        X = _array_of_rows(X)
    if not is_table(X):
        msg = (
            "a batch must be a table of rows and columns, got "
            f"{_describe(item)}. Give a two-dimensional array, a sparse matrix or a "
            "data frame."
        )
        raise ValueError(msg)
    return X.tocsr() if sp.issparse(X) else X


def _describe(item):
    kind = type(item).__name__
    if hasattr(item, "shape"):
        return f"{kind} of shape {tuple(item.shape)}"
    if isinstance(item, list | tuple) and item:
        return f"{kind} of {type(item[0]).__name__}"
    return kind


def _array_of_rows(rows):
    if not len(rows):
        return np.empty((0, 0))
    lengths = [
        f"{len(row)} values"
        if hasattr(row, "__len__") and not isinstance(row, str)
        else "a single value"
        for row in rows
    ]
    ragged = next((i for i, size in enumerate(lengths) if size != lengths[0]), None)
    if ragged is not None:
        msg = (
            f"a batch must have rows of one length, but row 0 has {lengths[0]} and row "
            f"{ragged} has {lengths[ragged]}. Give every row the same columns."
        )
        raise ValueError(msg)
    try:
        array = np.asarray(rows)
        # NumPy would turn numbers beside strings into strings.
        return np.asarray(rows, dtype=object) if array.dtype.kind in "US" else array
    except (TypeError, ValueError) as error:
        msg = (
            "a batch must hold one value per row and column, but some values are "
            "lists themselves. Give a table."
        )
        raise ValueError(msg) from error


def require_alike(X, y, like_X, like_y):
    """Refuse a batch whose library, columns or presence of labels differ."""
    if _library_of(X) != _library_of(like_X):
        msg = f"the batch is {_library_of(X)} where {_library_of(like_X)} is expected."
        raise ValueError(msg)
    if (y is None) != (like_y is None):
        has, expected = ("no labels", "some") if y is None else ("labels", "none")
        msg = f"the batch has {has} where {expected} are expected."
        raise ValueError(msg)
    if is_dataframe(X):
        _require_names(list(X.columns), list(like_X.columns))
    elif X.shape[1] != like_X.shape[1]:
        msg = (
            f"the batch has {X.shape[1]} columns where {like_X.shape[1]} are expected."
        )
        raise ValueError(msg)
    _require_kinds(X, like_X)


def _library_of(X):
    if sp.issparse(X):
        return "a sparse matrix"
    if isinstance(X, np.ndarray):
        return "a NumPy array"
    return f"a data frame of {type(X).__module__.partition('.')[0]}"


def _require_names(names, expected):
    if names == expected:
        return
    lacking = [name for name in expected if name not in names][:_N_NAMED]
    strange = [name for name in names if name not in expected][:_N_NAMED]
    parts = [f"lacks the columns {lacking}"] if lacking else []
    parts += [f"has the unexpected columns {strange}"] if strange else []
    if not parts and len(names) != len(expected):
        parts = [f"has {len(names)} columns where {len(expected)} are expected"]
    elif not parts:
        pairs = zip(names, expected, strict=True)
        place, (name, other) = next(
            (j, pair) for j, pair in enumerate(pairs) if pair[0] != pair[1]
        )
        order = f"column {place} is {name!r} where {other!r} is expected"
        parts = [f"has its columns in another order: {order}"]
    msg = f"the batch {' and '.join(parts)}."
    raise ValueError(msg)


def _require_kinds(X, like_X):
    kinds = [
        [
            # The kinds of NumPy and pandas, and the types of polars.
            dtype.is_numeric() or str(dtype) == "Boolean"
            if hasattr(dtype, "is_numeric")
            else getattr(dtype, "kind", "O") in "biuf"
            for dtype in (table.dtypes if is_dataframe(table) else [table.dtype])
        ]
        for table in (X, like_X)
    ]
    for j, (is_number, expected) in enumerate(zip(*kinds, strict=True)):
        if is_number != expected:
            names = {True: "numbers", False: "no numbers"}
            where = f"column {X.columns[j]!r}" if is_dataframe(X) else "its table"
            msg = (
                f"the batch holds {names[is_number]} in {where} where "
                f"{names[expected]} are expected."
            )
            raise ValueError(msg)


def require_finite(X):
    """Refuse rows with missing or infinite values."""
    if is_dataframe(X):
        is_bad = _bad_columns_of_polars if hasattr(X, "hstack") else _bad_columns
        bad = is_bad(X)
    elif sp.issparse(X):
        bad = np.unique(X.indices[~np.isfinite(X.data)])
    elif X.dtype.kind in "fcmM":
        bad = np.flatnonzero(~np.isfinite(X).all(axis=0))
    elif X.dtype.kind == "O":
        bad = [j for j in range(X.shape[1]) if any(map(is_missing, X[:, j]))]
    else:
        bad = []
    if len(bad):
        where = repr(X.columns[bad[0]]) if is_dataframe(X) else bad[0]
        msg = f"the batch has missing or infinite values, first in column {where}."
        raise ValueError(msg)


def _bad_columns(X):
    is_bad = X.isna().to_numpy().any(axis=0)
    for j, dtype in enumerate(X.dtypes):
        if getattr(dtype, "kind", "O") == "f" and not is_bad[j]:
            is_bad[j] = np.isinf(X.iloc[:, j].to_numpy(dtype=np.float64)).any()
    return np.flatnonzero(is_bad)


def _bad_columns_of_polars(X):
    return [
        j
        for j, column in enumerate(X.get_columns())
        if column.null_count()
        or (column.dtype.is_float() and not column.is_finite().all())
    ]


def rows_of(X, start, stop):
    """Return rows or labels from `start` to `stop`."""
    return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]


def owned(X):
    """Return a copy of labels or a table of at least one row, sharing no memory."""
    if not is_dataframe(X):
        return X.copy()
    # A copy of a frame may share memory of Arrow, and so may all rows in their order.
    n = n_rows(X)
    return rows_of(safe_indexing(X, [*range(n), 0]), 0, n)


def stack(tables):
    """Return tables of equal columns, or labels, below one another."""
    first = tables[0]
    if len(tables) == 1:
        return first
    if sp.issparse(first):
        # Old SciPy makes matrices of some arrays.
        return type(first)(sp.vstack(tables, format="csr"))
    if isinstance(first, np.ndarray):
        # NumPy would turn numbers beside strings into strings.
        if len({table.dtype.kind in "US" for table in tables}) > 1:
            tables = [table.astype(object) for table in tables]
        return np.concatenate(tables)
    if hasattr(first, "iloc"):
        import pandas as pd

        if is_dataframe(first):
            tables = _with_equal_categories(tables)
        return pd.concat(tables, ignore_index=True)
    import polars as pl

    # Relaxed: numbers of one column may be whole in one batch and not in the next.
    return pl.concat(tables, how="vertical_relaxed")


def _with_equal_categories(tables):
    """Return pandas data frames with equal categories in columns of the same name."""
    # Columns with different categories would become columns of plain values.
    tables = [table.copy(deep=False) for table in tables]
    for name in tables[0].columns:
        columns = [table[name] for table in tables]
        is_category = [hasattr(column, "cat") for column in columns]
        if not any(is_category) or all(c.dtype == columns[0].dtype for c in columns):
            continue
        columns = [column.astype("category") for column in columns]
        known = dict.fromkeys(v for column in columns for v in column.cat.categories)
        for table, column in zip(tables, columns, strict=True):
            table[name] = column.cat.set_categories(list(known))
    return tables

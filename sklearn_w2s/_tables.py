"""Batches of rows, whatever library their table comes from.

A *table* is a two-dimensional NumPy array, a SciPy sparse matrix or array, or a pandas
or polars data frame.
"""

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import is_dataframe, is_missing, n_rows, values_of

_N_NAMED = 5


def is_table(X):
    """Say whether X is a table."""
    # The shape first: lazy frames have none, and asking for their columns is costly.
    if not hasattr(X, "shape"):
        return False
    if isinstance(X, np.ndarray) or sp.issparse(X):
        return X.ndim == 2
    return is_dataframe(X) and not hasattr(X, "compute")


def computed(item):
    """Return what a lazy object (of Dask) stands for, anything else unchanged."""
    if isinstance(item, tuple) and any(hasattr(part, "compute") for part in item):
        return tuple(computed(part) for part in item)
    return item.compute() if hasattr(item, "compute") else item


def as_batch(item):
    """Return the rows and labels of an item that a source gave.

    Parameters
    ----------
    item : table, tuple (X, y), lazy object, pyarrow batch or table, or list of rows
        Lazy objects are those with a method `compute`; pyarrow becomes pandas. A tuple
        of two is rows and labels.

    Returns
    -------
    X : table of shape (n, n_features)
        Rows; sparse ones as CSR.
    y : ndarray of shape (n,) or None
        Labels, None where the item has none.

    Raises
    ------
    ValueError
        If the item is no table, or its labels are not one per row.

    Examples
    --------
    >>> from sklearn_w2s._tables import as_batch
    >>> X, y = as_batch(([[1, 2], [3, 4]], ["a", "b"]))
    >>> X.shape, y.tolist()
    ((2, 2), ['a', 'b'])
    """
    item = computed(item)
    X, y = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    X = _as_table(X)
    return X, None if y is None else _as_labels(y, n_rows(X))


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
        len(row) if hasattr(row, "__len__") and not isinstance(row, str) else None
        for row in rows
    ]
    ragged = next((i for i, size in enumerate(lengths) if size != lengths[0]), None)
    if ragged is not None:
        msg = (
            f"a batch must have rows of one length, but row 0 has "
            f"{_count_values(lengths[0])} and row {ragged} has "
            f"{_count_values(lengths[ragged])}. Give every row the same columns."
        )
        raise ValueError(msg)
    try:
        return _as_array(rows)
    except (TypeError, ValueError) as error:
        msg = (
            "a batch must hold one value per row and column, but some values are "
            "lists themselves. Give a table."
        )
        raise ValueError(msg) from error


def _as_array(values):
    # NumPy would turn numbers beside strings into strings.
    array = np.asarray(values)
    return np.asarray(values, dtype=object) if array.dtype.kind in "US" else array


def _count_values(length):
    return "a single value" if length is None else f"{length} values"


def _as_labels(y, n):
    try:
        labels = values_of(y)
    except (TypeError, ValueError) as error:
        msg = (
            f"the labels of a batch must be one column, got {_describe(y)}. A tuple "
            "of two is read as (rows, labels)."
        )
        raise ValueError(msg) from error
    if len(labels) != n:
        msg = (
            f"a batch has {n} rows but {len(labels)} labels. Give one label per row, "
            "the marker of missing labels where there is none."
        )
        raise ValueError(msg)
    return labels


def require_alike(X, y, like_X, like_y):
    """Refuse a batch whose table or labels are of another form than those before.

    Parameters
    ----------
    X : table
        Rows of the batch.
    y : ndarray or None
        Labels of the batch.
    like_X : table
        Rows that set the form.
    like_y : ndarray or None
        Labels that set the form.

    Raises
    ------
    ValueError
        If the library of the table, the number, names, order or kinds (number or truth
        value, or something else) of its columns, or the presence of labels differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s._tables import require_alike
    >>> require_alike(np.ones((2, 3)), None, np.ones((2, 4)), None)
    Traceback (most recent call last):
        ...
    ValueError: the batch has 3 columns where 4 are expected.
    """
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
    pairs = zip(_are_numbers(X), _are_numbers(like_X), strict=True)
    for j, (is_number, expected) in enumerate(pairs):
        if is_number != expected:
            kinds = {True: "numbers", False: "no numbers"}
            where = f"column {X.columns[j]!r}" if is_dataframe(X) else "its table"
            msg = (
                f"the batch holds {kinds[is_number]} in {where} where "
                f"{kinds[expected]} are expected."
            )
            raise ValueError(msg)


def _are_numbers(X):
    dtypes = list(X.dtypes) if is_dataframe(X) else [X.dtype]
    return [_is_number_type(dtype) for dtype in dtypes]


def _is_number_type(dtype):
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric() or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in "biuf"


def require_finite(X):
    """Refuse rows with missing or infinite values.

    Parameters
    ----------
    X : table of shape (n, n_features)
        Rows.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, or another value is missing; it names the first
        column of this kind.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s._tables import require_finite
    >>> require_finite(np.array([[1.0, np.inf]]))
    Traceback (most recent call last):
        ...
    ValueError: the batch has missing or infinite values, first in column 1.
    """
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
    """Return the rows of a table, or the labels, from `start` up to `stop`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s._tables import rows_of
    >>> rows_of(np.arange(6).reshape(3, 2), 1, 2)
    array([[2, 3]])
    """
    return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]


def owned(X):
    """Return a table of one row at least, or labels, in memory of their own.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s._tables import owned
    >>> buffer = np.ones((2, 3))
    >>> bool(np.shares_memory(owned(buffer[:1]), buffer))
    False
    """
    if not is_dataframe(X):
        return X.copy()
    # A copy of a frame may share memory of Arrow, and so may all rows in their order.
    n = n_rows(X)
    return rows_of(safe_indexing(X, [*range(n), 0]), 0, n)


def stack(tables):
    """Return tables of one form below one another.

    Parameters
    ----------
    tables : list of table or of ndarray of shape (n,)
        Tables of one library with equal columns, or labels; one at least. A single one
        is returned as it is.

    Returns
    -------
    table or ndarray of shape (n,)
        Their rows in order; the index of pandas is numbered anew.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s._tables import stack
    >>> stack([np.zeros((2, 3)), np.ones((1, 3))]).shape
    (3, 3)
    """
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
    """Return data frames of pandas that agree in their columns of categories.

    Of columns with different categories, pandas would make one of plain values.
    """
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

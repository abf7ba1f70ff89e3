"""What a fitted estimator says of the rows of a collection, lazily."""

import dask.array as da
import numpy as np
import scipy.sparse as sp
from dask.dataframe.utils import make_meta

from sklearn_w2s.dask._blocks import as_rows, is_frame, shipped


def map_rows(judge, method, X, *, names, dtype):
    """Call a method of a fitted estimator on each block of rows, lazily.

    `names` is one name, or a list of columns; `dtype` one type, or one per column.
    """
    X = as_rows(X)
    options = {"method": method, "names": names, "kind": dtype}
    if is_frame(X):
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

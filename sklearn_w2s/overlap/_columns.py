"""The columns that `OverlapDetector.transform` gives."""

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._validation import is_dataframe

COLUMN_NAMES = ("confidence", "overlap_score", *(f"region_{name}" for name in REGIONS))


def stack_columns(confidence, overlap_score, regions, dtype):
    """Return the columns `COLUMN_NAMES` of each row as one matrix."""
    indicators = [regions == name for name in REGIONS]
    return np.column_stack([confidence, overlap_score, *indicators]).astype(dtype)


def prepend(X, columns, *, named):
    """Return X with the columns behind its own, in the kind of container that X has.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    columns : ndarray of shape (n, 5)
        The columns `COLUMN_NAMES`.
    named : bool
        Whether the columns of X had names in `fit`; a data frame stays one only then.

    Returns
    -------
    {ndarray, csr matrix, data frame} of shape (n, n_features + 5)
        All columns.

    Raises
    ------
    ValueError
        If X has a column of the same name.
    """
    if sp.issparse(X):
        return sp.hstack([X, columns]).tocsr()
    if not (named and is_dataframe(X)):
        return np.hstack([X, columns])
    taken = [name for name in COLUMN_NAMES if name in X.columns]
    if taken:
        msg = (
            f"X has columns that transform adds with passthrough=True: {taken}. Rename "
            "them, or set passthrough=False."
        )
        raise ValueError(msg)
    added = dict(zip(COLUMN_NAMES, columns.T, strict=True))
    if hasattr(X, "hstack"):  # polars
        return X.hstack(type(X)(added))
    return X.assign(**added)

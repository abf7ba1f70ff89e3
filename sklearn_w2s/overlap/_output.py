"""What a detector returns: columns of `transform`, region names of `predict`."""

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


class RegionArray(np.ndarray):
    """An array of strings for which "close" means equal.

    Scikit-learn compares what `predict` returns by numerical closeness, which NumPy
    does not define for strings. In all else this is a plain array.
    """

    def __array_function__(self, func, types, args, kwargs):
        """Answer `numpy.isclose` by equality; leave everything else to NumPy."""
        if func is np.isclose:
            first, second, *_ = args
            return np.equal(np.asarray(first), np.asarray(second))
        return super().__array_function__(func, types, args, kwargs)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        """Give plain arrays: a mask of regions is no array of regions."""
        plain = [np.asarray(x) if isinstance(x, RegionArray) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

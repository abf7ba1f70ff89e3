"""What a detector returns: columns of `transform`, region names of `predict`."""

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._validation import is_dataframe

COLUMN_NAMES = ("confidence", "overlap_score", *(f"region_{name}" for name in REGIONS))


def prepend(X, columns, *, named):
    """Return X with the columns `COLUMN_NAMES` after its own, in the container of X."""
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
    """An array of strings for which `isclose` means equal, as scikit-learn needs."""

    def __array_function__(self, func, types, args, kwargs):
        """Answer `numpy.isclose` by equality; leave everything else to NumPy."""
        if func is np.isclose:
            first, second, *_ = args
            return np.equal(np.asarray(first), np.asarray(second))
        return super().__array_function__(func, types, args, kwargs)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        """Return plain arrays: a mask of regions is not an array of regions."""
        plain = [np.asarray(x) if isinstance(x, RegionArray) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

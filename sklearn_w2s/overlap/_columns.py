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


def prepend(X, columns):
    """Return X with the columns behind its own, in the kind of container that X has."""
    if sp.issparse(X):
        return sp.hstack([X, columns]).tocsr()
    if not is_dataframe(X):
        return np.hstack([X, columns])
    named = dict(zip(COLUMN_NAMES, columns.T, strict=True))
    if hasattr(X, "hstack"):  # polars
        return X.hstack(type(X)(named))
    return X.assign(**named)

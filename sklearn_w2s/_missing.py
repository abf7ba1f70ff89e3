"""Missing values in rows: refused if an estimator inside would refuse them."""

import numpy as np
from sklearn.base import MetaEstimatorMixin, OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from sklearn_w2s._sklearn import namespace_of, safe_indexing
from sklearn_w2s._validation import check_features, is_dataframe, is_missing

# Libraries whose tags are right; estimators of others may not declare what they take.
_KNOWN = ("sklearn.", "sklearn_w2s.")


def strict_readers(readers):
    """Return name and columns of the `(name, estimator, columns)` that refuse gaps."""
    return [
        (f"{name}={estimator!r}", columns)
        for name, estimator, columns in readers
        if not accepts_missing(estimator, unknown=True)
    ]


def refuse_missing(X, readers):
    """Refuse missing values in columns that one of the `strict_readers` sees."""
    # Whether or not the part would see these rows, so that fit and predict agree. One
    # pass suffices where nothing is missing.
    if not readers or not has_missing(X):
        return
    for name, columns in readers:
        view = X if columns is None else safe_indexing(X, columns, axis=1)
        if has_missing(view):
            msg = (
                f"Input X contains NaN, and {name} takes no missing values. Put an "
                "imputer before it in a pipeline, or pass an estimator that takes them."
            )
            raise ValueError(msg)


def check_new_rows(fitted, X):
    """Validate rows for a fitted meta-estimator, missing values included."""
    X = check_features(fitted, X, reset=False, allow_nan=True)
    refuse_missing(X, fitted._strict_readers_)
    return X


def accepts_missing(estimator, *, unknown=None):
    """Return whether an estimator takes missing values; compositions ask their parts.

    The answer is `unknown`, unless that is None, where the tags cannot be trusted.
    """
    inner = getattr(estimator, "estimator", None)
    if isinstance(estimator, FrozenEstimator):
        return accepts_missing(inner, unknown=unknown)
    tags = get_tags(estimator)
    if tags.input_tags.allow_nan:
        return True
    if isinstance(estimator, Pipeline):
        return _steps_accept(estimator, unknown)
    if isinstance(estimator, MetaEstimatorMixin) and inner is not None:
        return accepts_missing(inner, unknown=unknown)
    if isinstance(estimator, ColumnTransformer | FeatureUnion):
        return True
    is_known = type(estimator).__module__.startswith(_KNOWN) and not tags.no_validation
    return False if unknown is None or is_known else unknown


def _steps_accept(pipeline, unknown):
    steps = [step for _, step in pipeline.steps if step not in (None, "passthrough")]
    for step in steps:
        if not accepts_missing(step, unknown=unknown):
            return False
        # Scalers keep missing values; other transformers may fill them in.
        if not isinstance(step, OneToOneFeatureMixin):
            return True
    return bool(steps)


def has_missing(X):
    """Return whether a value of X is missing."""
    if is_dataframe(X):
        return any(_column_lacks(X[name]) for name in X.columns)
    xp, _ = namespace_of(X)
    if xp is not None:
        return xp.isdtype(X.dtype, "real floating") and bool(xp.any(xp.isnan(X)))
    values = getattr(X, "data", X) if hasattr(X, "nnz") else X
    if values.dtype.kind == "O":
        return any(map(is_missing, values.ravel()))
    # The least value is NaN where any is, and needs no second array.
    return values.dtype.kind == "f" and values.size > 0 and bool(np.isnan(values.min()))


def _column_lacks(column):
    if hasattr(column, "is_null"):  # polars
        return column.null_count() > 0 or (
            column.dtype.is_float() and bool(column.is_nan().any())
        )
    return bool(column.isna().any())

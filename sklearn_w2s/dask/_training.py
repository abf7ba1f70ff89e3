"""Three ways to fit a strong estimator: on a sample, by blocks, by its own means."""

import copy

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.dataframe.utils import make_meta

from sklearn_w2s._fitting import (
    fit_on_targets,
    labels_of_targets,
    partial_fit_weighted,
    takes_weights,
)
from sklearn_w2s.dask._blocks import is_frame, shipped

# Libraries whose module `dask` has classifiers for collections.
_WITH_DASK = ("cuml", "lightgbm", "xgboost")
SAMPLE, PARTIAL_FIT, DASK = "sample", "partial_fit", "dask"


def is_distributed(estimator):
    """Say whether an estimator is known to take collections of Dask."""
    root, *inner = type(estimator).__module__.split(".")
    return root in _WITH_DASK and inner[:1] == ["dask"]


def require_trainable(estimator, how):
    """Refuse an estimator without `partial_fit` where it is asked for."""
    if how == PARTIAL_FIT and not hasattr(estimator, "partial_fit"):
        msg = (
            f'strong_fit="partial_fit" needs a strong estimator with partial_fit; '
            f'{type(estimator).__name__} has none. Use "sample".'
        )
        raise TypeError(msg)


def require_codes(estimator, classes):
    """Refuse labels that XGBoost does not take from collections."""
    if type(estimator).__name__ != "DaskXGBClassifier":
        return
    if not np.array_equal(classes, np.arange(len(classes))):
        msg = (
            "DaskXGBClassifier takes class codes 0, 1, ... only, and the classes are "
            f"{classes[:5].tolist()}. Encode y, or pass an XGBClassifier, which gets "
            "codes by itself and learns from a sample of the rows."
        )
        raise ValueError(msg)


def way_to_fit(strong_fit, estimator):
    """Return "sample", "partial_fit" or "dask", and refuse what cannot be done."""
    if strong_fit == "auto":
        return DASK if is_distributed(estimator) else SAMPLE
    require_trainable(estimator, strong_fit)
    return strong_fit


def fit_on_sample(estimator, sample, classes, *, count, weighted):
    """Fit an estimator on a sample whose tables are rows and targets."""
    X, targets = sample.tables
    # With the mean weight of all rows: else a sample of a billion rows would be fitted
    # with the regularisation of a billion.
    mean = count / sample.n_offered
    weights = sample.weights * (mean * len(sample) / sample.weights.sum())
    return fit_on_targets(
        estimator, X, targets, classes, weights, weighted=weighted, params={}
    )


def fit_by_blocks(estimator, lesson, blocks):
    """Call `partial_fit` of a copy once with each block, in order."""
    expand, step = dask.delayed(_expand), dask.delayed(_partial_fit)
    lesson, classes = shipped(lesson), lesson.predictor.classes
    estimator = shipped(estimator)
    for block in blocks:
        estimator = step(estimator, expand(lesson, block), classes)
    return estimator.compute()


def fit_on_collections(estimator, lesson, blocks, X):
    """Fit an estimator of a library that takes collections, in place.

    Soft targets become one weighted row per class.
    """
    expand, shared = dask.delayed(_expand, nout=3), shipped(lesson)
    parts = [expand(shared, block) for block in blocks]
    rows, labels, weights = (list(part) for part in zip(*parts, strict=True))
    classes, number = lesson.predictor.classes, np.dtype(np.float64)
    names = {"label": number if classes is None else classes.dtype, "weight": number}
    if is_frame(X):
        rows = dd.from_delayed(rows, meta=make_meta(X), verify_meta=False)
        y, weights = (
            _series(*column)
            for column in zip((labels, weights), names.items(), strict=True)
        )
    else:
        rows = _stacked(rows, X.dtype, X.shape[1])
        y, weights = map(_stacked, (labels, weights), names.values())
    options = {"sample_weight": weights} if takes_weights(estimator) else {}
    estimator.fit(rows, y, **options)
    return estimator


def _series(parts, name_and_dtype):
    name, dtype = name_and_dtype
    import pandas as pd

    named = dask.delayed(pd.Series)
    parts = [named(part, name=name) for part in parts]
    meta = pd.Series(np.empty(0, dtype=dtype), name=name)
    return dd.from_delayed(parts, meta=meta, verify_meta=False)


def _stacked(parts, dtype, *width):
    shape = (np.nan, *width)
    return da.concatenate(
        [da.from_delayed(part, shape=shape, dtype=dtype) for part in parts],
        allow_unknown_chunksizes=True,
    )


def _expand(lesson, block):
    """Return rows, labels and weights, one row for each class that a target names."""
    classes = lesson.predictor.classes
    if not len(block):
        labels = np.empty(0) if classes is None else classes[:0]
        return block.X, labels, np.empty(0)
    taught = lesson.teach(block)
    return labels_of_targets(taught.X, taught.targets, classes, taught.weights)


def _partial_fit(estimator, part, classes):
    X, y, weights = part
    if not len(y):
        return estimator
    # What another task has made is never changed: it may be asked for once more.
    estimator = copy.deepcopy(estimator)
    partial_fit_weighted(estimator, X, y, classes, weights, name="strong_estimator")
    return estimator

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
    """Refuse an estimator that cannot be fitted in a way.

    Raises
    ------
    TypeError
        If it has no `partial_fit`.
    """
    if how == PARTIAL_FIT and not hasattr(estimator, "partial_fit"):
        msg = (
            f'strong_fit="partial_fit" needs a strong estimator with partial_fit; '
            f'{type(estimator).__name__} has none. Use "sample".'
        )
        raise TypeError(msg)


def require_codes(estimator, classes):
    """Refuse labels that XGBoost does not take from collections.

    Raises
    ------
    ValueError
        If they are not 0, 1, ...
    """
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
    """Fit an estimator on a sample of rows, targets and weights.

    Weights are scaled to the mean that they have over all rows. Else a sample of a
    billion rows would be fitted with the regularisation of a billion.

    Parameters
    ----------
    estimator : classifier instance
        Fitted in place.
    sample : Sample
        Its tables are rows and targets.
    classes : ndarray of shape (n_classes,) or None
        Labels of the columns of the targets; None for one column of values.
    count : float
        Rows that are learned from, each as often as its `sample_weight`.
    weighted : bool
        Whether weights were given by the user.

    Returns
    -------
    classifier instance
        The estimator.
    """
    X, targets = sample.tables
    mean = count / sample.n_offered
    weights = sample.weights * (mean * len(sample) / sample.weights.sum())
    return fit_on_targets(
        estimator, X, targets, classes, weights, weighted=weighted, params={}
    )


def fit_by_blocks(estimator, lesson, blocks):
    """Call `partial_fit` with one block after the other, once, in their order.

    Parameters
    ----------
    estimator : classifier instance
        Not changed.
    lesson : Lesson
        Gives targets and weights.
    blocks : list of Delayed
        Blocks.

    Returns
    -------
    classifier instance
        The fitted estimator.
    """
    expand, step = dask.delayed(_expand), dask.delayed(_partial_fit)
    lesson, classes = shipped(lesson), lesson.predictor.classes
    estimator = shipped(estimator)
    for block in blocks:
        estimator = step(estimator, expand(lesson, block), classes)
    return estimator.compute()


def fit_on_collections(estimator, lesson, blocks, X):
    """Fit an estimator that takes collections of Dask.

    Parameters
    ----------
    estimator : classifier instance
        Fitted in place; its `fit` gets rows, labels and, if it takes them, weights,
        with soft targets as one weighted row per class.
    lesson : Lesson
        Gives targets and weights.
    blocks : list of Delayed
        Blocks.
    X : {dask data frame, dask array} of shape (n, n_features)
        What they are blocks of.

    Returns
    -------
    classifier instance
        The estimator.
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

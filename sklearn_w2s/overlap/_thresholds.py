"""Where scores are cut: between groups, at a number, a quantile or by a rule."""

from numbers import Real

import numpy as np

from sklearn_w2s._algorithms.change_point import change_point
from sklearn_w2s._algorithms.mixture import mixture_threshold
from sklearn_w2s._algorithms.quantile import weighted_quantile
from sklearn_w2s._warnings import warn
from sklearn_w2s.overlap._ruptures import (
    is_change_point_estimator,
    published_threshold,
    ruptures_threshold,
)

# Scores below this share of the largest are alike on the logarithmic scale.
_SMALLEST_SHARE = 1e-3


class NoChangePointWarning(UserWarning):
    """Scores that are all equal cannot be split, so that every row counts as easy."""


def split_mixture(scores, weights):
    """Part two groups of scores of unequal size and spread.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores to split. Where none is negative, their logarithms are: similarities
        spread in proportion to their size.
    weights : ndarray of shape (n,)
        Their non-negative weights.

    Returns
    -------
    float or None
        Smallest score of the upper group; None where all are equal.
    """
    x = np.asarray(scores, dtype=np.float64)
    # Rows that do not count must not change the scale.
    counted = x[np.asarray(weights) > 0]
    on_log_scale = counted.min() >= 0 < counted.max()
    if on_log_scale:
        x = np.log(np.maximum(x, _SMALLEST_SHARE * counted.max()))
    start = change_point(x, weights)
    if start is None:
        return change_point(scores, weights)
    threshold = mixture_threshold(x, weights, start)
    return float(np.exp(threshold)) if on_log_scale else threshold


SPLITS = {"change_point": change_point, "mixture": split_mixture}
# Of the paper's code, by a function that names the parameter.
PUBLISHED = "published"


def find_threshold(threshold, scores, weights, *, auto, threshold_type, name):
    """Return the smallest score of the upper group.

    Parameters
    ----------
    threshold : str, float, callable or change point estimator
        "auto", "published" or a key of `SPLITS`; a float is the value itself or a
        quantile; a callable gets ``(scores, sample_weight)``.
    scores : ndarray of shape (n,)
        Scores to split.
    weights : ndarray of shape (n,)
        Their non-negative weights.
    auto : str
        The key of `SPLITS` that "auto" stands for.
    threshold_type : {"value", "quantile"}
        What a float means.
    name : str
        Parameter that `threshold` was given as, for messages.

    Returns
    -------
    float or None
        None where all scores are equal.

    Raises
    ------
    ValueError
        If a threshold is no number, a quantile is outside [0, 1], or an estimator
        cannot split these scores.

    Warns
    -----
    NoChangePointWarning
        If all scores are equal and the threshold is to part two groups of them.
    """
    if callable(threshold):
        return _number(threshold(scores, weights), f"{name}(values, sample_weight)")
    if isinstance(threshold, Real):
        number = _number(threshold, name)
        if threshold_type == "value":
            return number
        if not 0 <= number <= 1:
            msg = f'{name}={number} with threshold_type="quantile" is not in [0, 1].'
            raise ValueError(msg)
        return weighted_quantile(scores, number, weights)
    if is_change_point_estimator(threshold):
        found = ruptures_threshold(threshold, scores, weights, name=name)
    elif threshold == PUBLISHED:
        found = published_threshold(scores, weights, name=name)
    else:
        found = SPLITS[auto if threshold == "auto" else threshold](scores, weights)
    if found is None:
        warn(
            f"{name}={threshold!r} found no change point: the {len(scores)} scores are "
            "all equal, so that no row counts as overlap. Pass a number, or a weak "
            "estimator whose probabilities differ between rows.",
            NoChangePointWarning,
        )
    return found


def _number(value, name):
    if not isinstance(value, Real) or value != value:
        msg = f"{name}={value!r} is not a number."
        raise ValueError(msg)
    return float(value)

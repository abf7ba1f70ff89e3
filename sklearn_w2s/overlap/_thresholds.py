"""Where scores are cut: a change point, a number, a quantile or a rule of the user."""

import warnings
from numbers import Real

from sklearn_w2s._algorithms.change_point import change_point
from sklearn_w2s._algorithms.quantile import weighted_quantile


class NoChangePointWarning(UserWarning):
    """Scores that are all equal cannot be split, so that every row counts as easy."""


def find_threshold(threshold, scores, weights, *, threshold_type, name):
    """Return the smallest score of the upper group.

    Parameters
    ----------
    threshold : {"auto"}, float or callable
        "auto" is the weighted change point; a float is the value itself or a
        quantile; a callable gets ``(scores, sample_weight)``.
    scores : ndarray of shape (n,)
        Scores to split.
    weights : ndarray of shape (n,)
        Their non-negative weights.
    threshold_type : {"value", "quantile"}
        What a float means.
    name : str
        Parameter that `threshold` was given as, for messages.

    Returns
    -------
    float or None
        None where there is no change point.

    Raises
    ------
    ValueError
        If a threshold is no number, or a quantile is outside [0, 1].

    Warns
    -----
    NoChangePointWarning
        If all scores are equal and the threshold is "auto".
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
    found = change_point(scores, weights)
    if found is None:
        warnings.warn(
            f'{name}="auto" found no change point: the {len(scores)} scores are all '
            "equal, so that no row counts as overlap. Pass a number, or a weak "
            "estimator whose probabilities differ between rows.",
            NoChangePointWarning,
            stacklevel=2,
        )
    return found


def _number(value, name):
    if not isinstance(value, Real) or value != value:
        msg = f"{name}={value!r} is not a number."
        raise ValueError(msg)
    return float(value)

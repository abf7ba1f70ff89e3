"""Split a sequence of scores once, where two means explain it best."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Spreads below this share of the largest magnitude are rounding, not signal.
_RELATIVE_RESOLUTION = 1e-12


def change_point(values: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    r"""Return the threshold that splits `values` into two groups of least variance.

    Over all thresholds :math:`t` that lie between two neighbouring distinct values,
    minimise the weighted within-group sum of squares

    .. math::
        \sum_{x_i < t} w_i (x_i - \mu_<)^2 + \sum_{x_i \ge t} w_i (x_i - \mu_\ge)^2

    which is the single change point under an l2 cost of the sorted values, Otsu's
    threshold, and the exact two-means clustering in one dimension. Equal values never
    part, a weight counts repetitions, and ties go to the smallest threshold.

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite scores in any order.
    weights : array-like of shape (n,), default=None
        Non-negative weights; None counts every value once.

    Returns
    -------
    float or None
        Midway between the two neighbouring values; None where all values of positive
        weight are equal, so that there is nothing to split.

    References
    ----------
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE
    Transactions on Systems, Man, and Cybernetics 9(1), 1979.

    Examples
    --------
    >>> change_point([0.1, 0.2, 0.9, 1.0])
    0.55
    """
    x = np.asarray(values, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    x, w = x[w > 0], w[w > 0]
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    if not _has_spread(x):
        return None

    # Scaled first, so that neither the mean nor its squares overflow.
    scaled = x / np.abs(x).max()
    centred = scaled - np.average(scaled, weights=w)
    weight_below = np.cumsum(w)[:-1]
    # Summed from above: a difference of totals would lose small weights.
    weight_above = np.cumsum(w[::-1])[::-1][1:]
    sum_below = np.cumsum(w * centred)[:-1]
    # The centred total is zero, so both groups' sums have the same square.
    gain = sum_below**2 * (1 / weight_below + 1 / weight_above)
    gain[x[1:] == x[:-1]] = -np.inf
    last_below = np.argmax(gain >= gain.max() * (1 - _RELATIVE_RESOLUTION))
    return _midpoint(x[last_below], x[last_below + 1])


def _has_spread(ordered: FloatArray) -> bool:
    if ordered.size < 2:
        return False
    largest = max(abs(ordered[0]), abs(ordered[-1]))
    return bool(ordered[-1] - ordered[0] > _RELATIVE_RESOLUTION * largest)


def _midpoint(low: float, high: float) -> float:
    middle = low + (high - low) / 2
    # Between adjacent floats the midpoint rounds to one of them: keep `low` below it.
    return float(middle if middle > low else high)

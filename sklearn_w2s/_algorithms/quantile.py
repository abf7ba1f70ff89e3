"""Quantiles of weighted values."""

import numpy as np
from numpy.typing import ArrayLike


def weighted_quantile(values: ArrayLike, q: float, weights: ArrayLike) -> float:
    """Return the smallest value below or at which a share `q` of the weight lies.

    The inverse of the weighted distribution function, so that a weight of two equals
    a value given twice.

    Parameters
    ----------
    values : array-like of shape (n,)
        At least one value of positive weight.
    q : float
        Share of the weight, in [0, 1].
    weights : array-like of shape (n,)
        Non-negative weights.

    Returns
    -------
    float
        One of the values.

    Examples
    --------
    >>> weighted_quantile([3.0, 1.0, 2.0], 0.5, [1, 1, 1])
    2.0
    """
    x = np.asarray(values, dtype=np.float64)
    w = np.asarray(weights, dtype=np.float64)
    x, w = x[w > 0], w[w > 0]
    order = np.argsort(x, kind="stable")
    share = np.cumsum(w[order])
    # A share that misses q by rounding alone has reached it.
    reached = share >= q * share[-1] * (1 - 1e-12)
    return float(x[order][np.argmax(reached)])

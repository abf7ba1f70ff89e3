"""The value that parts two overlapping groups of different size and spread."""

from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]
# Share of the weight, mean and variance.
Normal = tuple[float, float, float]

# Sorted values are merged into so many groups of equal weight: a threshold that is off
# by one group moves 1/4096 of the weight.
_MOST_GROUPS = 4096
_MOST_STEPS = 200
_TOLERANCE = 1e-6
# Standard deviations are at least this share of the range, so that a group of equal
# values has a likelihood.
_LEAST_SPREAD = 5e-3
# A part of less weight is made of outliers.
_LEAST_SHARE = 1e-3


def mixture_threshold(values: ArrayLike, weights: ArrayLike, start: float) -> float:
    r"""Return where the upper part of a mixture of two normals becomes the likelier.

    The mixture :math:`\pi_0 N(\mu_0, \sigma_0^2) + \pi_1 N(\mu_1, \sigma_1^2)` is
    fitted to the weighted values by expectation-maximisation that starts from the
    groups below and above `start`. The threshold is the :math:`t \in (\mu_0, \mu_1)`
    with :math:`\pi_0 N(t; \mu_0, \sigma_0^2) = \pi_1 N(t; \mu_1, \sigma_1^2)`. Unlike a
    change point it allows for groups of unequal size and spread, of which a change
    point cuts the wider one.

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite values.
    weights : array-like of shape (n,)
        Their non-negative weights.
    start : float
        A value with weight below and at or above it.

    Returns
    -------
    float
        Smallest value of the upper part; `start` where the parts merge, one of them
        vanishes (below a thousandth of the weight), or neither is likelier between
        the means.

    References
    ----------
    A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum Likelihood from Incomplete Data
    via the EM Algorithm", Journal of the Royal Statistical Society B 39(1), 1977.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> values = np.r_[rng.normal(0, 0.1, 900), rng.normal(2, 0.5, 100)]
    >>> round(mixture_threshold(values, np.ones(1000), start=1.0), 1)
    0.4
    """
    x, w = _grouped(np.asarray(values, float), np.asarray(weights, float))
    lower = (x < start).astype(np.float64)
    # Between 0 and 1, squares neither cancel nor overflow.
    lowest, width = x[0], (x[-1] - x[0]) or 1.0
    x = (x - lowest) / width
    powers = np.stack([np.ones_like(x), x, x**2])
    whole = powers @ w
    for _ in range(_MOST_STEPS):
        sums = powers @ (lower * w)
        if not _LEAST_SHARE <= sums[0] <= 1 - _LEAST_SHARE:
            return start
        below, above = _normal(*sums.tolist()), _normal(*(whole - sums).tolist())
        excess = _excess(below, above) @ powers
        previous, lower = lower, 1 / (1 + np.exp(np.minimum(excess, 700)))
        if np.abs(lower - previous).max() < _TOLERANCE:
            break
    crossing = _crossing(below, above)
    return start if crossing is None else float(lowest + width * crossing)


def _grouped(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sorted values and weights that sum to one, merged where there are many."""
    kept = weights > 0
    x, w = values[kept], weights[kept]
    order = np.argsort(x, kind="stable")
    # The largest weight first: a sum of large ones overflows.
    x, w = x[order], w[order] / w.max()
    w /= w.sum()
    if len(x) <= _MOST_GROUPS:
        return x, w
    group = (np.cumsum(w) * _MOST_GROUPS).astype(np.intp)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    weight = np.add.reduceat(w, starts)
    return np.add.reduceat(w * x, starts) / weight, weight


def _normal(share: float, total: float, squares: float) -> Normal:
    """Return share, mean and variance of a part by the sums of its powers."""
    mean = total / share
    return share, mean, max(squares / share - mean**2, _LEAST_SPREAD**2)


def _excess(below: Normal, above: Normal) -> FloatArray:
    """Return coefficients of the log density of one part less that of the other.

    They belong to the powers 0, 1 and 2.
    """
    (share0, mean0, var0), (share1, mean1, var1) = below, above
    return np.array(
        [
            log(share1 / share0)
            + (log(var0 / var1) + mean0**2 / var0 - mean1**2 / var1) / 2,
            mean1 / var1 - mean0 / var0,
            (1 / var0 - 1 / var1) / 2,
        ]
    )


def _crossing(below: Normal, above: Normal) -> float | None:
    """Return where the weighted densities are equal between the means, if anywhere."""
    # Of roots that are not real both have one real part.
    roots = np.roots(_excess(below, above)[::-1]).real
    between = roots[(below[1] < roots) & (roots < above[1])]
    return float(between[0]) if len(between) == 1 else None

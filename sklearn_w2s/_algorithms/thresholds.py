"""Where weighted values part in two, and where they are densest."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
# Share of the weight, mean and variance.
Normal = tuple[float, float, float]

# Spreads below this share of the largest magnitude are rounding, not signal.
_RELATIVE_RESOLUTION = 1e-12
# Shortlisted by sums, gains that differ by less are computed anew.
_CLOSE = 1e-6
# Values taken at a time: few enough that what is computed of them stays in cache.
_BLOCK = 16_384
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


def change_point(values: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    r"""Return the threshold t that parts values in two groups of least variance.

    .. math::
        \min_t \sum_{x_i < t} w_i (x_i - \mu_<)^2
        + \sum_{x_i \ge t} w_i (x_i - \mu_\ge)^2

    Equal values never part, ties go to the smallest threshold, and it is None where all
    values of positive weight are equal. Source: N. Otsu, IEEE Trans. SMC 9(1), 1979.
    """
    x, w = _in_order(np.asarray(values, dtype=np.float64), weights)
    if x.size < 2:
        return None
    # No difference and no square of what is divided by it overflows.
    unit = _power_of_two(max(-x[0], x[-1]))
    lowest, highest = x[0] / unit, x[-1] / unit
    if highest - lowest <= _RELATIVE_RESOLUTION * max(-lowest, highest):
        return None
    below = _best_split(x, unit) if w is None else _best_weighted_split(x, w, unit)
    return midpoint(x[below], x[below + 1])


def best_break(ordered: ArrayLike, places: ArrayLike) -> int:
    """Return at which of some places to break ascending values in two, as ruptures.

    A place is the number of values below it; ties go to the last, and gains that differ
    by rounding alone are not ties.
    """
    x = np.asarray(ordered, dtype=np.float64)
    below = np.asarray(places, dtype=np.intp)
    x = x / _power_of_two(max(-x[0], x[-1]))
    centred = x - x.mean()
    gain = np.cumsum(centred)[below - 1] ** 2 / (below * (x.size - below))
    close = below[gain >= gain.max() * (1 - _CLOSE)]
    # A column, as ruptures has it: a row would be summed up in another order.
    column = x[:, np.newaxis]
    whole = _squares(column)
    gains = [whole - _squares(column[:k]) - _squares(column[k:]) for k in close]
    return int(max(zip(gains, close, strict=True))[1])


def _squares(column: FloatArray) -> float:
    return float(column.var(axis=0).sum() * len(column))


def _in_order(
    x: FloatArray, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray | None]:
    """Sort the values of positive weight; weights that are all equal are dropped."""
    if weights is None:
        return np.sort(x), None
    w = np.asarray(weights, dtype=np.float64)
    w = w / _power_of_two(w.max(initial=0))
    is_positive = w > 0
    if not is_positive.all():
        x, w = x[is_positive], w[is_positive]
    if not w.size or w.min() == w.max():
        return np.sort(x), None
    order = np.argsort(x)
    return x[order], w[order]


def _best_split(x: FloatArray, unit: float) -> int:
    """Return the last position below the best split, in the memory of a few blocks."""
    origin = x[x.size // 2] / unit
    mean = math.fsum((x[b] / unit - origin).sum() for b in _blocks(x.size)) / x.size

    def judge(block: slice, sum_before: float) -> tuple[FloatArray, float]:
        sums = x[block] / unit
        # Not at once: the sum of the two would round the mean of a distant origin.
        sums -= origin
        sums -= mean
        sums[0] += sum_before
        np.cumsum(sums, out=sums)
        n_below = np.arange(block.start + 1, block.stop + 1, dtype=np.float64)
        # The centred total is zero, so both groups' sums have the same square.
        gain = sums * sums
        gain /= n_below * (x.size - n_below)
        gain[x[block.start + 1 : block.stop + 1] == x[block]] = -np.inf
        return gain, float(sums[-1])

    blocks, sums_before, peaks = _blocks(x.size - 1), [0.0], []
    for block in blocks:
        gain, sum_below = judge(block, sums_before[-1])
        sums_before.append(sum_below)
        peaks.append(gain.max())
    best = _first_of_the_largest(np.array(peaks))
    gain, _ = judge(blocks[best], sums_before[best])
    return best * _BLOCK + _first_of_the_largest(gain, max(peaks))


def _best_weighted_split(x: FloatArray, w: FloatArray, unit: float) -> int:
    """Return the last position below the best split."""
    moments = w * (x / unit - x[x.size // 2] / unit)
    weight_below, sum_below = np.cumsum(w)[:-1], np.cumsum(moments)[:-1]
    # Summed from above: a difference of totals would lose small weights.
    weight_above = np.cumsum(w[::-1])[-2::-1]
    sum_above = np.cumsum(moments[::-1])[-2::-1]
    gain = sum_above / weight_above - sum_below / weight_below
    gain *= gain
    gain *= weight_below
    gain *= weight_above
    gain[x[1:] == x[:-1]] = -np.inf
    return _first_of_the_largest(gain)


def _first_of_the_largest(gain: FloatArray, largest: float | None = None) -> int:
    peak = gain.max() if largest is None else largest
    return int(np.argmax(gain >= peak * (1 - _RELATIVE_RESOLUTION)))


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _power_of_two(magnitude: float) -> float:
    """Return one of a magnitude's size, by which division rounds nothing."""
    return math.ldexp(0.5, math.frexp(magnitude)[1])


def midpoint(low: float, high: float) -> float:
    """Return what lies midway between two numbers, in (low, high]."""
    # Halved first: the difference of large numbers would overflow.
    middle = low + (high / 2 - low / 2)
    # Between adjacent floats the midpoint rounds to one of them: keep `low` below it.
    return float(middle if low < middle else high)


def mixture_threshold(values: ArrayLike, weights: ArrayLike, start: float) -> float:
    r"""Return where the upper part of a mixture of two normals becomes the likelier.

    .. math:: \pi_0 N(t; \mu_0, \sigma_0^2) = \pi_1 N(t; \mu_1, \sigma_1^2), \qquad
        \mu_0 < t < \mu_1

    of a fit by expectation-maximisation from the groups below and above `start`, which
    is returned where the parts merge, one vanishes, or there is no such t. Source:
    A. P. Dempster, N. M. Laird, D. B. Rubin, J. Royal Stat. Soc. B 39(1), 1977.
    """
    x, w = _grouped(
        np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    )
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
        # Coefficients of the log density of one part less that of the other.
        excess = _log_ratio(below, above)
        previous, lower = lower, 1 / (1 + np.exp(np.minimum(excess @ powers, 700)))
        if np.abs(lower - previous).max() < _TOLERANCE:
            break
    # Of roots that are not real both have one real part.
    roots = np.roots(excess[::-1]).real
    between = roots[(below[1] < roots) & (roots < above[1])]
    return float(lowest + width * between[0]) if len(between) == 1 else start


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


def _log_ratio(below: Normal, above: Normal) -> FloatArray:
    """Return the log of the ratio of densities, as coefficients of powers 0, 1, 2."""
    (share0, mean0, var0), (share1, mean1, var1) = below, above
    return np.array(
        [
            math.log(share1 / share0)
            + (math.log(var0 / var1) + mean0**2 / var0 - mean1**2 / var1) / 2,
            mean1 / var1 - mean0 / var0,
            (1 / var0 - 1 / var1) / 2,
        ]
    )


def weighted_quantile(values: ArrayLike, q: float, weights: ArrayLike) -> float:
    """Return the smallest value at or below which a share q of the weight lies."""
    x = np.asarray(values, dtype=np.float64)
    w = np.asarray(weights, dtype=np.float64)
    x, w = x[w > 0], w[w > 0]
    order = np.argsort(x, kind="stable")
    share = np.cumsum(w[order])
    # A share that misses q by rounding alone has reached it.
    reached = share >= q * share[-1] * (1 - 1e-12)
    return float(x[order][np.argmax(reached)])


def half_sample_mode(values: ArrayLike, weights: ArrayLike) -> float:
    """Return what is left when of the weight the shortest half is kept, over and over.

    Ties go to the lower half. Source: D. R. Bickel, R. Frühwirth, Computational
    Statistics & Data Analysis 50(12), 2006.
    """
    x = np.asarray(values, dtype=np.float64)
    w = np.asarray(weights, dtype=np.float64)
    x, w = x[w > 0], w[w > 0]
    if np.all(w == w[0]):
        # Counting sorts values where grouping sorts indices, at half the speed.
        x, total = np.unique(x, return_counts=True)
    else:
        x, group = np.unique(x, return_inverse=True)
        total = np.bincount(group, weights=w)
    while len(x) > 1:
        below = np.concatenate([[0.0], np.cumsum(total)])
        # A weight that misses one half by rounding alone has reached it.
        half = below[-1] / 2 * (1 - 1e-12)
        n_starts = np.searchsorted(below, below[-1] - half, side="right")
        starts = np.arange(n_starts)
        ends = np.searchsorted(below, below[:n_starts] + half)
        # Rounding must not end an interval after the last value.
        ends = np.minimum(ends, len(x))
        shortest = np.argmin(x[ends - 1] - x[starts])
        first, end = starts[shortest], ends[shortest]
        x, total = x[first:end], total[first:end]
    return float(x[0])

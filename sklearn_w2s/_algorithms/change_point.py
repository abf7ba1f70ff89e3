"""Split a sequence of scores once, where two means explain it best."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Spreads below this share of the largest magnitude are rounding, not signal.
_RELATIVE_RESOLUTION = 1e-12
# Shortlisted by sums, gains that differ by less are computed anew.
_CLOSE = 1e-6
# Values taken at a time: few enough that what is computed of them stays in cache.
_BLOCK = 16_384


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
    x, w = _in_order(np.asarray(values, dtype=np.float64), weights)
    if not _has_spread(x):
        return None
    last_below = _best_split(x) if w is None else _best_weighted_split(x, w)
    return midpoint(x[last_below], x[last_below + 1])


def best_break(ordered: ArrayLike, places: ArrayLike) -> int:
    """Return where to break ordered values so that two means explain them best.

    Ties go to the last place, and are judged by the variances of the values on both
    sides, as ruptures judges them: gains that differ by rounding are no ties there.

    Parameters
    ----------
    ordered : array-like of shape (n,)
        Finite values in ascending order, not all equal.
    places : array-like of int
        Numbers of values below the break that may be chosen, in [1, n - 1].

    Returns
    -------
    int
        One of the places.

    Examples
    --------
    >>> best_break([0.1, 0.2, 0.9, 1.0], [1, 2])
    2
    """
    x = np.asarray(ordered, dtype=np.float64)
    below = np.asarray(places, dtype=np.intp)
    # Division by a power of two rounds nothing.
    x = x / _unit(x)
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


def _has_spread(ordered: FloatArray) -> bool:
    if ordered.size < 2:
        return False
    unit = _unit(ordered)
    lowest, highest = ordered[0] / unit, ordered[-1] / unit
    return bool(highest - lowest > _RELATIVE_RESOLUTION * max(-lowest, highest))


def _best_split(x: FloatArray) -> int:
    """Return the position of the last value below the best split of ordered values.

    Beside the values, it takes the memory of a few blocks.
    """
    unit = _unit(x)
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
        _rule_out_ties(gain, x[block.start : block.stop + 1])
        return gain, float(sums[-1])

    blocks, sums_before, peaks = _blocks(x.size - 1), [0.0], []
    for block in blocks:
        gain, sum_below = judge(block, sums_before[-1])
        sums_before.append(sum_below)
        peaks.append(gain.max())
    best = _first_of_the_largest(np.array(peaks))
    gain, _ = judge(blocks[best], sums_before[best])
    return best * _BLOCK + _first_of_the_largest(gain, max(peaks))


def _best_weighted_split(x: FloatArray, w: FloatArray) -> int:
    """Return the position of the last value below the best split of ordered values."""
    unit = _unit(x)
    moments = w * (x / unit - x[x.size // 2] / unit)
    weight_below, sum_below = np.cumsum(w)[:-1], np.cumsum(moments)[:-1]
    # Summed from above: a difference of totals would lose small weights.
    weight_above = np.cumsum(w[::-1])[-2::-1]
    sum_above = np.cumsum(moments[::-1])[-2::-1]
    gain = sum_above / weight_above - sum_below / weight_below
    gain *= gain
    gain *= weight_below
    gain *= weight_above
    _rule_out_ties(gain, x)
    return _first_of_the_largest(gain)


def _rule_out_ties(gain: FloatArray, x: FloatArray) -> None:
    gain[x[1:] == x[:-1]] = -np.inf


def _first_of_the_largest(gain: FloatArray, largest: float | None = None) -> int:
    peak = gain.max() if largest is None else largest
    return int(np.argmax(gain >= peak * (1 - _RELATIVE_RESOLUTION)))


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _unit(ordered: FloatArray) -> float:
    """Return what to divide by so that no difference and no square overflows."""
    return _power_of_two(max(-ordered[0], ordered[-1]))


def _power_of_two(magnitude: float) -> float:
    """Return one of a magnitude's size, by which division rounds nothing."""
    return math.ldexp(0.5, math.frexp(magnitude)[1])


def midpoint(low: float, high: float) -> float:
    """Return what lies midway between two numbers, above the lower one.

    Parameters
    ----------
    low, high : float
        Finite numbers, the lower one first.

    Returns
    -------
    float
        In (low, high].

    Examples
    --------
    >>> midpoint(1.0, 2.0)
    1.5
    """
    # Halved first: the difference of large numbers would overflow.
    middle = low + (high / 2 - low / 2)
    # Between adjacent floats the midpoint rounds to one of them: keep `low` below it.
    return float(middle if low < middle else high)

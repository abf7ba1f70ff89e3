"""Deal rows whose regions are known to sources of known overlap density."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state, column_or_1d

from sklearn_w2s._algorithms.overlap import OVERLAP, REGIONS
from sklearn_w2s._algorithms.shares import apportion
from sklearn_w2s.datasets._overlap import IntArray, region_counts, require_count
from sklearn_w2s.datasets._sources import require_shares, source_name

StrArray = NDArray[np.str_]


def split_sources_by_ratio(
    regions: ArrayLike,
    ratios: Sequence[float] = (0.1, 0.9),
    *,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[IntArray, StrArray]:
    r"""Deal all rows to sources, the overlap rows in given ratios.

    Easy and hard rows are dealt in equal parts, so that a source of a larger ratio is
    denser and larger.

    Parameters
    ----------
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap", as known or detected.
    ratios : sequence of float, default=(0.1, 0.9)
        Share of all overlap rows that each source gets; they sum to 1.
    random_state : int, RandomState instance or None, default=None
        Seed of which rows each source gets.

    Returns
    -------
    sample_indices : ndarray of shape (n,)
        Positions of the rows, ascending: all of them.
    sample_source : ndarray of shape (n,)
        Source of each of these rows, "source_0", "source_1" and so on.

    Raises
    ------
    ValueError
        If a region has another name, if the ratios are no distribution, or if a source
        would get no row.

    See Also
    --------
    split_sources_by_count : Sources of equal size and given densities.

    Notes
    -----
    With :math:`O` overlap rows, :math:`R` others and :math:`K` sources, the density of
    the source of ratio :math:`r_k` is, but for rounding,

    .. math:: o_k = \frac{r_k O}{r_k O + R / K}

    Parts that are no whole numbers are rounded by the largest remainders, ties to the
    source listed first. This is the experiment on data selection of [1]_, with two
    sources and the default ratios.

    References
    ----------
    .. [1] C. Shin, J. Cooper and F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025. https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s.datasets import split_sources_by_ratio
    >>> regions = np.repeat(["easy", "hard", "overlap"], [4, 4, 10])
    >>> rows, source = split_sources_by_ratio(regions, (0.2, 0.8), random_state=0)
    >>> for name in ["source_0", "source_1"]:
    ...     print(np.unique(regions[rows[source == name]], return_counts=True)[1])
    [2 2 2]
    [2 2 8]
    """
    names = _as_regions(regions)
    shares = _as_ratios(ratios)
    equal = np.full(len(shares), 1 / len(shares))
    counts = np.array(
        [
            apportion(np.sum(names == r) * (shares if r == OVERLAP else equal))
            for r in REGIONS
        ]
    )
    idle = np.flatnonzero(counts.sum(axis=0) == 0)
    if len(idle):
        msg = (
            f"ratios={ratios!r} leave {source_name(idle[0])} without a row of the "
            f"{len(names)} in regions. Pass fewer ratios, or more rows."
        )
        raise ValueError(msg)
    return _deal(names, counts, check_random_state(random_state))


def split_sources_by_count(
    regions: ArrayLike,
    overlap_densities: Sequence[float] = (0.1, 0.9),
    *,
    n_samples: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[IntArray, StrArray]:
    """Deal rows to sources of equal size and given overlap densities.

    No row is dealt twice, and rows that would spoil a density are left out.

    Parameters
    ----------
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap", as known or detected.
    overlap_densities : sequence of float, default=(0.1, 0.9)
        Share of overlap rows of each source, in [0, 1], rounded to whole rows. The
        others are half easy, half hard, and the odd one is easy.
    n_samples : int, default=None
        Number of rows of each source; None makes the sources as large as the rows
        allow.
    random_state : int, RandomState instance or None, default=None
        Seed of which rows each source gets.

    Returns
    -------
    sample_indices : ndarray of shape (n_sources * n_samples,)
        Positions of the rows dealt, ascending.
    sample_source : ndarray of shape (n_sources * n_samples,)
        Source of each of these rows, "source_0", "source_1" and so on.

    Raises
    ------
    ValueError
        If a region has another name, if a number is out of its range, or if there are
        too few rows of a region.

    See Also
    --------
    split_sources_by_ratio : Deals all rows, whatever densities come of it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s.datasets import split_sources_by_count
    >>> regions = np.repeat(["easy", "hard", "overlap"], [30, 30, 12])
    >>> rows, source = split_sources_by_count(
    ...     regions, (0.1, 0.5), n_samples=20, random_state=0
    ... )
    >>> for name in ["source_0", "source_1"]:
    ...     print(np.unique(regions[rows[source == name]], return_counts=True)[1])
    [9 9 2]
    [ 5  5 10]
    """
    names = _as_regions(regions)
    densities = require_shares("overlap_densities", overlap_densities)
    available = np.array([np.sum(names == region) for region in REGIONS])

    def counts_of(n: int) -> IntArray:
        return np.array([region_counts(n, density) for density in densities]).T

    def is_too_large(n: int) -> bool:
        return bool((counts_of(n).sum(axis=1) > available).any())

    # No region needs fewer rows for larger sources, so the fitting sizes come first.
    largest = bisect_left(range(1, len(names) + 2), True, key=is_too_large)
    if n_samples is not None:
        require_count("n_samples", n_samples, 1)
    size = max(largest, 1) if n_samples is None else int(n_samples)
    if size > largest:
        short = _shortage(counts_of(size).sum(axis=1), available)
        limit = f"n_samples={largest} at most, " if largest else ""
        msg = (
            f"n_samples={n_samples!r} with overlap_densities={overlap_densities!r} "
            f"needs {short}. Pass {limit}other densities or more rows."
        )
        raise ValueError(msg)
    return _deal(names, counts_of(size), check_random_state(random_state))


def _deal(
    regions: StrArray, counts: IntArray, rng: np.random.RandomState
) -> tuple[IntArray, StrArray]:
    """Give `counts` (regions by sources) rows to each source at random."""
    n_sources = counts.shape[1]
    source = np.full(len(regions), -1)
    for region, parts in zip(REGIONS, counts, strict=True):
        rows = rng.permutation(np.flatnonzero(regions == region))[: parts.sum()]
        source[rows] = np.repeat(np.arange(n_sources), parts)
    sample_indices = np.flatnonzero(source >= 0)
    names = np.array([source_name(k) for k in range(n_sources)])
    return sample_indices, names[source[sample_indices]]


def _shortage(needed: IntArray, available: IntArray) -> str:
    return " and ".join(
        f"{need} {region} rows (regions has {have})"
        for region, need, have in zip(REGIONS, needed, available, strict=True)
        if need > have
    )


def _as_regions(regions: ArrayLike) -> StrArray:
    names = np.asarray(column_or_1d(regions))
    unknown = names[~np.isin(names, REGIONS)].tolist()
    if unknown or not names.size:
        held = repr(unknown[0]) if unknown else "no row"
        msg = f"regions holds {held}; name each of the rows by one of {REGIONS}."
        raise ValueError(msg)
    return names.astype(str)


def _as_ratios(ratios: Any) -> NDArray[np.float64]:
    shares = np.array(require_shares("ratios", ratios), dtype=np.float64)
    if abs(shares.sum() - 1) > 1e-8:
        msg = f"ratios={ratios!r} must sum to 1. Divide them by their sum."
        raise ValueError(msg)
    # Of many rows, what the sum misses 1 by would be whole rows.
    shares /= shares.sum()
    return shares

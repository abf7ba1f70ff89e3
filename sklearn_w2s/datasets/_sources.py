"""Sources of rows whose overlap density is known, drawn in batches or dealt."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.overlap import EASY, HARD, OVERLAP, REGIONS
from sklearn_w2s._algorithms.shares import apportion
from sklearn_w2s._validation import check_regions
from sklearn_w2s.datasets._overlap import (
    FloatArray,
    IntArray,
    absent_entries,
    class_shares,
    draw_centers,
    region_counts,
    require_count,
    require_number,
)

StrArray = NDArray[np.str_]

ROWS_PER_DRIFT = 1000


class OverlapSource:
    """Rows drawn one batch after the other, a known share of which is overlap.

    Calling it is drawing from a live source: ``source(n)`` is the next rows and their
    classes, at most `n` of them, or None where no row is left. `make_overlap_sources`
    makes several around the same centres, and checks the arguments.

    Parameters
    ----------
    centers : ndarray of shape (n_classes, n_features)
        Centre of each class, the easy block first.
    overlap_density : float
        Share of overlap rows, in [0, 1], at the first row.
    n_easy_features : int
        Number of features in the easy block.
    n_samples : int or None, default=None
        Number of rows; None never ends.
    drift : float, default=0.0
        Change of the density in 1,000 rows.
    noise : float, default=sqrt(5)
        Standard deviation of the features around the centre of their class.
    absent_noise : float, default=0.0
        Standard deviation of the features in the block that a row does not carry.
    class_weights : array-like of shape (n_classes,), default=None
        Probabilities of the classes; None makes them equal.
    random_state : int, RandomState instance or None, default=None
        Seed of the regions, the classes and the noise.

    Attributes
    ----------
    n_samples : int or None
        Number of rows in all; None where it never ends.
    n_drawn : int
        Number of rows drawn so far.

    See Also
    --------
    make_overlap_sources : Several sources around the same centres.

    Notes
    -----
    The rows do not depend on the sizes in which they are drawn. A source pickled in the
    middle continues with the same rows.

    Examples
    --------
    >>> from sklearn_w2s.datasets import make_overlap_sources
    >>> source = make_overlap_sources([0.25], n_samples=8, random_state=0)["source_0"]
    >>> X, y = source(3)
    >>> X.shape, y.shape, source.n_drawn
    ((3, 40), (3,), 3)
    >>> X, y, regions = source.draw(100)
    >>> len(regions), source(1)
    (5, None)
    """

    def __init__(
        self,
        centers: FloatArray,
        overlap_density: float,
        *,
        n_easy_features: int,
        n_samples: int | None = None,
        drift: float = 0.0,
        noise: float = 5**0.5,
        absent_noise: float = 0.0,
        class_weights: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_samples = n_samples
        self.n_drawn = 0
        self._centers = centers
        self._density = float(overlap_density)
        self._n_easy_features = n_easy_features
        self._drift = float(drift)
        self._noise = noise
        self._absent_noise = absent_noise
        self._shares = class_shares(class_weights, len(centers))
        # A separate stream for each quantity, so that every row takes the same
        # numbers from each of them whatever the size of its batch.
        rng = check_random_state(random_state)
        self._region_rng, self._class_rng, self._noise_rng = _streams(rng, 3)
        self._order: NDArray[np.int8] | None = None
        if n_samples is not None and drift == 0:
            counts = region_counts(n_samples, overlap_density)
            codes = np.repeat(np.arange(len(REGIONS), dtype=np.int8), counts)
            self._order = self._region_rng.permutation(codes)
            self._density = counts[REGIONS.index(OVERLAP)] / int(n_samples)

    def __call__(self, n: int) -> tuple[FloatArray, IntArray] | None:
        """Draw the next rows as a live source gives them.

        Parameters
        ----------
        n : int
            Number of rows, fewer where the source ends before.

        Returns
        -------
        X : ndarray of shape (n, n_features)
            Features.
        y : ndarray of shape (n,)
            Classes. None is returned for both where no row is left.

        Raises
        ------
        ValueError
            If `n` is not a positive integer.
        """
        X, y, _ = self.draw(n)
        return (X, y) if len(X) else None

    def draw(self, n: int) -> tuple[FloatArray, IntArray, StrArray]:
        """Draw the next rows with their regions.

        Parameters
        ----------
        n : int
            Number of rows, fewer where the source ends before, and then none.

        Returns
        -------
        X : ndarray of shape (n, n_features)
            Features.
        y : ndarray of shape (n,)
            Classes, integers from 0.
        regions : ndarray of shape (n,)
            "easy", "hard" or "overlap".

        Raises
        ------
        ValueError
            If `n` is not a positive integer.
        """
        require_count("n", n, 1)
        size = int(n)
        if self.n_samples is not None:
            size = min(size, int(self.n_samples) - self.n_drawn)
        n_classes, n_features = self._centers.shape
        regions = self._draw_regions(size)
        y = self._class_rng.choice(n_classes, size=size, p=self._shares)
        absent = absent_entries(regions, self._n_easy_features, n_features)
        X = np.where(absent, 0, self._centers[y])
        scale = np.where(absent, self._absent_noise, self._noise)
        X += scale * self._noise_rng.normal(size=X.shape)
        self.n_drawn += size
        return X, y.astype(np.int64), regions

    def overlap_density(self, at: int | None = None) -> float:
        """Return the expected share of overlap rows at one row.

        Parameters
        ----------
        at : int, default=None
            Position of the row, from 0; None is the next one to be drawn.

        Returns
        -------
        float
            Share in [0, 1]. Of a finite source without drift it is the exact share of
            its rows, the same at all of them.

        Raises
        ------
        ValueError
            If `at` is negative or no integer.
        """
        row = self.n_drawn if at is None else at
        require_count("at", row, 0)
        return float(self._density_at(np.asarray(row)))

    def _density_at(self, rows: NDArray[np.integer[Any]]) -> FloatArray:
        density = self._density + self._drift * rows / ROWS_PER_DRIFT
        clipped: FloatArray = np.clip(density, 0, 1)
        return clipped

    def _draw_regions(self, n: int) -> StrArray:
        if self._order is not None:
            codes = self._order[self.n_drawn : self.n_drawn + n]
            return np.asarray(REGIONS)[codes]
        density = self._density_at(np.arange(self.n_drawn, self.n_drawn + n))
        # One number decides: overlap below the density, and halves of what is above.
        u = self._region_rng.uniform(size=n)
        is_easy = u < (1 + density) / 2
        return np.where(u < density, OVERLAP, np.where(is_easy, EASY, HARD))


def make_overlap_sources(
    overlap_densities: Sequence[float] = (0.1, 0.5),
    *,
    n_samples: int | Sequence[int | None] | None = 1000,
    drift: float | Sequence[float] = 0.0,
    n_easy_features: int = 20,
    n_hard_features: int = 20,
    n_classes: int = 2,
    noise: float = 5**0.5,
    absent_noise: float = 0.0,
    class_weights: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> dict[str, OverlapSource]:
    r"""Generate sources of known overlap density around the same class centres.

    The rows are those of `make_overlap_classification`, drawn in batches. One strong
    estimator serves all sources, for only the shares of the regions differ.

    Parameters
    ----------
    overlap_densities : sequence of float, default=(0.1, 0.5)
        Share of overlap rows of each source, in [0, 1]. The others are half easy, half
        hard.
    n_samples : int, None or a sequence of them, default=1000
        Number of rows of each source; None never ends.
    drift : float or sequence of float, default=0.0
        Change of the density of each source in 1,000 rows.
    n_easy_features : int, default=20
        Number of features in the easy block, the first columns of X.
    n_hard_features : int, default=20
        Number of features in the hard block, the last columns of X.
    n_classes : int, default=2
        Number of classes.
    noise : float, default=sqrt(5)
        Standard deviation of the features around the centre of their class, in the
        units of X.
    absent_noise : float, default=0.0
        Standard deviation of the features in the block that a row does not carry; 0
        makes them exact zeros.
    class_weights : array-like of shape (n_classes,), default=None
        Probabilities of the classes; None makes them equal.
    random_state : int, RandomState instance or None, default=None
        Seed of the centres and of the sources.

    Returns
    -------
    dict of str to OverlapSource
        Sources by their names, "source_0", "source_1" and so on.

    Raises
    ------
    ValueError
        If a number is out of its range, or a sequence has not one number per source.

    See Also
    --------
    make_overlap_classification : All rows at once, of one density.
    split_sources_by_ratio : Deals given rows to sources.

    Notes
    -----
    A finite source without drift holds exactly ``round(overlap_density * n_samples)``
    overlap rows, in random order. In an endless or a drifting one every row is drawn
    independently, overlap with probability

    .. math:: o_t = \min(1, \max(0, o_0 + \text{drift} \cdot t / 1000))

    at row :math:`t`, counted from 0.

    Each source has its own streams of random numbers: its rows depend neither on the
    order in which sources are drawn from, nor on those listed after it. The centres are
    those of ``make_overlap_classification(random_state=random_state)`` with the same
    integer, numbers of features and classes, which gives labeled and test rows.

    Examples
    --------
    >>> from sklearn_w2s.datasets import make_overlap_sources
    >>> sources = make_overlap_sources((0.1, 0.5), n_samples=(60, None), random_state=0)
    >>> X, y, regions = sources["source_0"].draw(100)
    >>> len(X), int((regions == "overlap").sum())
    (60, 6)
    >>> X, y = sources["source_1"](100)
    >>> X.shape, sources["source_1"].overlap_density()
    ((100, 40), 0.5)
    """
    densities = require_shares("overlap_densities", overlap_densities)
    sizes = _per_source("n_samples", n_samples, len(densities), _require_size)
    drifts = _per_source("drift", drift, len(densities), _require_finite)
    require_count("n_easy_features", n_easy_features, 1)
    require_count("n_hard_features", n_hard_features, 1)
    require_count("n_classes", n_classes, 2)
    require_number("noise", noise)
    require_number("absent_noise", absent_noise)
    shares = class_shares(class_weights, n_classes)
    rng = check_random_state(random_state)

    centers = draw_centers(rng, n_classes, n_easy_features + n_hard_features)
    streams = _streams(rng, len(densities))
    parts = zip(densities, sizes, drifts, streams, strict=True)
    return {
        source_name(k): OverlapSource(
            centers,
            density,
            n_easy_features=n_easy_features,
            n_samples=size,
            drift=change,
            noise=noise,
            absent_noise=absent_noise,
            class_weights=shares,
            random_state=stream,
        )
        for k, (density, size, change, stream) in enumerate(parts)
    }


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
        If a region has another name, if the ratios do not sum to 1, or if a source
        would get no row.

    See Also
    --------
    split_sources_by_count : Sources of equal size and given densities.

    Notes
    -----
    With :math:`O` overlap rows, :math:`R` others and :math:`K` sources, the density of
    the source of ratio :math:`r_k` is, but for rounding,

    .. math:: o_k = \frac{r_k O}{r_k O + R / K}

    Parts that are not whole numbers are rounded by the largest remainders, ties to the
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
    names = check_regions(regions)
    shares = np.array(require_shares("ratios", ratios), dtype=np.float64)
    if abs(shares.sum() - 1) > 1e-8:
        msg = f"ratios={ratios!r} must sum to 1. Divide them by their sum."
        raise ValueError(msg)
    # Of many rows, what the sum misses 1 by would be whole rows.
    shares /= shares.sum()
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
    names = check_regions(regions)
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


def _streams(rng: np.random.RandomState, n: int) -> list[np.random.RandomState]:
    return [np.random.RandomState(seed) for seed in rng.randint(2**31 - 1, size=n)]


def _per_source(
    name: str, value: Any, n_sources: int, require: Callable[[str, Any], None]
) -> list[Any]:
    """Return the value of each source, checked."""
    if not np.iterable(value):
        require(name, value)
        return [value] * n_sources
    values = list(value)
    if isinstance(value, str) or len(values) != n_sources:
        msg = (
            f"{name}={value!r} must be one value for all {n_sources} sources, or a "
            "list of one for each."
        )
        raise ValueError(msg)
    for k, item in enumerate(values):
        require(f"{name}[{k}]", item)
    return values


def _require_size(name: str, value: Any) -> None:
    if value is not None:
        require_count(name, value, 1)


def _require_finite(name: str, value: Any) -> None:
    if not isinstance(value, Real) or not np.isfinite(float(value)):
        msg = f"{name}={value!r} must be a finite number."
        raise ValueError(msg)


def source_name(position: int) -> str:
    """Return the name of the source at a position, from 0."""
    return f"source_{position}"


def require_shares(name: str, values: Any) -> list[float]:
    """Return one number in [0, 1] per source, one at least."""
    shares = list(values) if np.iterable(values) else []
    if not shares:
        msg = f"{name}={values!r} must be a list of numbers, one for each source."
        raise ValueError(msg)
    for k, share in enumerate(shares):
        require_number(f"{name}[{k}]", share, 1)
    return shares


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

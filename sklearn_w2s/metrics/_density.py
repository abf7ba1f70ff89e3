"""How sure an overlap density is, and what can be expected of it."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.overlap import OVERLAP, density_regime
from sklearn_w2s._algorithms.shares import (
    corrected_share,
    effective_size,
    share_interval,
)
from sklearn_w2s._sklearn import check_weights
from sklearn_w2s.metrics._overlap import check_regions


def overlap_density_interval(
    regions: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> tuple[float, float]:
    r"""Return the confidence interval of the share of overlap rows.

    It covers the chance of drawing these rows, not errors of detection;
    :func:`corrected_overlap_density` covers both. With the overlap density :math:`o`
    and the normal quantile :math:`z` it is Wilson's [1]_,

    .. math:: \frac{o + z^2 / 2n \pm z \sqrt{o (1 - o) / n + z^2 / 4 n^2}}{1 + z^2 / n},
        \qquad n = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}

    with the number :math:`n` of equally weighted rows that tell as much as the rows of
    weights :math:`w_i` [2]_.

    Parameters
    ----------
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap"; rows drawn independently.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights, such as inverse probabilities of being drawn; None counts
        every row once. Only their ratios matter.
    confidence_level : float, default=0.95
        Share in (0, 1) of samples whose interval covers the density.

    Returns
    -------
    low, high : float
        Ends in [0, 1]; the overlap density lies between them.

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if the weights are negative, not
        finite, all zero or of another length, or if `confidence_level` is not in
        (0, 1).

    See Also
    --------
    overlap_density : The share itself.
    corrected_overlap_density : Corrected for errors of detection.

    References
    ----------
    .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22(158), 1927.
    .. [2] L. Kish, "Survey Sampling", Wiley, 1965.

    Examples
    --------
    >>> from sklearn_w2s.metrics import overlap_density_interval
    >>> low, high = overlap_density_interval(["easy", "overlap"] * 50)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)
    """
    density, n = _density_and_size(regions, sample_weight)
    return share_interval(density, n, _normal_quantile(confidence_level))


def corrected_overlap_density(
    regions: ArrayLike,
    *,
    audited_regions: ArrayLike,
    audited_true_regions: ArrayLike,
    sample_weight: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> tuple[float, tuple[float, float]]:
    r"""Return the share of overlap rows, corrected for errors of detection.

    A detector that finds a share TPR of the overlap rows and mistakes a share FPR of
    the others for overlap finds the density :math:`o` where it is

    .. math:: p = \frac{o - \mathrm{FPR}}{\mathrm{TPR} - \mathrm{FPR}}

    up to clipping to [0, 1] [1]_. The rates are estimated on audited rows, whose true
    regions are known. The variance, by the delta method [1]_, is

    .. math:: \frac{o (1 - o) / n
                    + p^2 \, \mathrm{TPR} (1 - \mathrm{TPR}) / n_1
                    + (1 - p)^2 \, \mathrm{FPR} (1 - \mathrm{FPR}) / n_0}
                   {(\mathrm{TPR} - \mathrm{FPR})^2}

    with :math:`n_1` audited overlap rows, :math:`n_0` other audited rows and :math:`n`
    as in :func:`overlap_density_interval`. Its numerator takes each share as
    :math:`(k + 1/2) / (n + 1)`: k = 0 or k = n of few rows make no rate certain.

    Parameters
    ----------
    regions : array-like of shape (n,)
        Regions that the detector names: "easy", "hard" or "overlap".
    audited_regions : array-like of shape (n_audited,)
        Regions that it names for audited rows, which it must not have learned from.
    audited_true_regions : array-like of shape (n_audited,)
        Their true regions. Of overlap rows and of others, each must be typical of its
        kind; how many there are of each is free.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights of `regions`; None counts every row once.
    confidence_level : float, default=0.95
        Share in (0, 1) of samples whose interval covers the density.

    Returns
    -------
    density : float
        Corrected overlap density in [0, 1].
    interval : tuple of two float
        Its confidence interval, clipped to [0, 1].

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if lengths differ, if the weights are
        negative, not finite or all zero, if `confidence_level` is not in (0, 1), if no
        audited row is overlap or all are, or if the detector calls audited overlap
        rows overlap no more often than others.

    See Also
    --------
    overlap_density : The share without correction.

    References
    ----------
    .. [1] W. J. Rogan, B. Gladen, "Estimating Prevalence from the Results of a
       Screening Test", American Journal of Epidemiology 107(1), 1978.

    Examples
    --------
    Half of the overlap rows are missed, and no other row is mistaken for one:

    >>> from sklearn_w2s.metrics import corrected_overlap_density
    >>> density, (low, high) = corrected_overlap_density(
    ...     ["overlap"] * 20 + ["easy"] * 80,
    ...     audited_regions=["overlap", "easy", "easy", "easy"] * 25,
    ...     audited_true_regions=["overlap", "overlap", "easy", "hard"] * 25,
    ... )
    >>> round(density, 2), round(low, 2), round(high, 2)
    (0.4, 0.2, 0.6)
    """
    share, n = _density_and_size(regions, sample_weight)
    z = _normal_quantile(confidence_level)
    named = _is_overlap("audited_regions", audited_regions)
    true = _is_overlap("audited_true_regions", audited_true_regions)
    check_consistent_length(named, true)
    _require_both_kinds(true)
    found, mistaken = float(named[true].mean()), float(named[~true].mean())
    if found <= mistaken:
        msg = (
            f"audited_regions names {found:.3g} of the audited overlap rows overlap, "
            f"and {mistaken:.3g} of the others: such a detector tells nothing of the "
            "density. Pass regions of one that finds overlap rows, or audit more rows."
        )
        raise ValueError(msg)
    density = float(corrected_share(share, found, mistaken))
    variance = (
        _variance(share, n)
        + density**2 * _variance(found, true.sum())
        + (1 - density) ** 2 * _variance(mistaken, (~true).sum())
    )
    radius = z * np.sqrt(variance) / (found - mistaken)
    low, high = np.clip([density - radius, density + radius], 0, 1).tolist()
    return density, (low, high)


def overlap_regime(density: ArrayLike) -> str | NDArray[np.str_]:
    """Name how much can be expected of an overlap density.

    The paper tells three regimes apart: too little overlap for the strong estimator to
    learn from, enough to improve on the weak estimator, and so much that it nears the
    ceiling. It gives no numbers; these follow what a strong estimator recovers on its
    synthetic data (``benchmarks/results/regimes.csv``):

    ======= ================ ==========================
    regime  overlap density  gap recovered
    ======= ================ ==========================
    low     below 0.1        nothing or hardly anything
    medium  from 0.1 to 0.2  part of it
    high    from 0.2         more than half
    ======= ================ ==========================

    Parameters
    ----------
    density : float or array-like
        Overlap density in [0, 1].

    Returns
    -------
    str or ndarray of str
        "low", "medium" or "high": a string for a number.

    Raises
    ------
    ValueError
        If a density is not in [0, 1].

    See Also
    --------
    gap_regime : The regime of a performance gap recovered.

    References
    ----------
    C. Shin, J. Cooper and F. Sala, "Weak-to-Strong Generalization Through the
    Data-Centric Lens", ICLR 2025. https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> from sklearn_w2s.metrics import overlap_regime
    >>> overlap_regime(0.15)
    'medium'
    >>> overlap_regime([0.02, 0.2])
    array(['low', 'high'], dtype='<U6')
    """
    values = np.asarray(density, dtype=np.float64)
    # Written so that NaN fails it.
    if not ((values >= 0) & (values <= 1)).all():
        msg = f"density={density!r} must be in [0, 1]: it is a share of rows."
        raise ValueError(msg)
    return density_regime(values)


def _density_and_size(
    regions: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[float, float]:
    is_overlap = _is_overlap("regions", regions)
    weights = check_weights(sample_weight, is_overlap)
    return float(np.average(is_overlap, weights=weights)), effective_size(weights)


def _is_overlap(name: str, regions: ArrayLike) -> NDArray[np.bool_]:
    is_overlap: NDArray[np.bool_] = check_regions(regions, name=name) == OVERLAP
    return is_overlap


def _require_both_kinds(is_overlap: NDArray[np.bool_]) -> None:
    if is_overlap.all() or not is_overlap.any():
        missing = "other than overlap" if is_overlap.all() else "overlap"
        msg = (
            f"audited_true_regions has no row that is {missing}: both error rates of "
            "the detector are needed. Audit rows of that kind as well."
        )
        raise ValueError(msg)


def _normal_quantile(confidence_level: Any) -> float:
    is_number = isinstance(confidence_level, Real)
    if not (is_number and 0 < confidence_level < 1):
        msg = f"confidence_level={confidence_level!r} must be in (0, 1), such as 0.95."
        raise ValueError(msg)
    return float(ndtri((1 + confidence_level) / 2))


def _variance(share: float, n: float) -> float:
    smoothed = (share * n + 0.5) / (n + 1)
    return smoothed * (1 - smoothed) / n

"""The share of overlap rows, how sure it is, and what predictions are worth there."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from sklearn.metrics import accuracy_score, root_mean_squared_error
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.overlap import (
    OVERLAP,
    REGIONS,
    density_regime,
    region_shares,
)
from sklearn_w2s._algorithms.shares import (
    corrected_share,
    effective_size,
    share_interval,
)
from sklearn_w2s._sklearn import check_weights
from sklearn_w2s._validation import (
    check_labels,
    check_level,
    check_regions,
    check_values,
    is_class,
    values_of,
)


def overlap_density(
    regions: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Return the share of overlap rows.

    .. math:: \sum_i w_i [r_i = \text{overlap}] / \sum_i w_i

    with the region :math:`r_i` and the weight :math:`w_i` of row :math:`i`.

    Parameters
    ----------
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    float
        Share in [0, 1].

    Raises
    ------
    ValueError
        If there is no row or an unknown region, or if the weights are negative, not
        finite, all zero or of another length.

    Examples
    --------
    >>> from sklearn_w2s.metrics import overlap_density
    >>> overlap_density(["easy", "hard", "overlap", "overlap"])
    0.5
    """
    names = check_regions(regions)
    return region_shares(names, check_weights(sample_weight, names))[OVERLAP]


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

    with the number :math:`n` of equally weighted rows that are worth as much as those
    of weights :math:`w_i` [2]_.

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
    check_level(confidence_level)
    return share_interval(density, n, float(ndtri((1 + confidence_level) / 2)))


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
    check_level(confidence_level)
    named = _is_overlap("audited_regions", audited_regions)
    true = _is_overlap("audited_true_regions", audited_true_regions)
    check_consistent_length(named, true)
    if true.all() or not true.any():
        missing = "other than overlap" if true.all() else "overlap"
        msg = (
            f"audited_true_regions has no row that is {missing}: both error rates of "
            "the detector are needed. Audit rows of that kind as well."
        )
        raise ValueError(msg)
    found, mistaken = float(named[true].mean()), float(named[~true].mean())
    if found <= mistaken:
        msg = (
            f"audited_regions names {found:.3g} of the audited overlap rows overlap, "
            f"and {mistaken:.3g} of the others: such a detector does not measure the "
            "density. Pass regions of one that finds overlap rows, or audit more rows."
        )
        raise ValueError(msg)
    density = float(corrected_share(share, found, mistaken))
    variance = (
        _variance(share, n)
        + density**2 * _variance(found, true.sum())
        + (1 - density) ** 2 * _variance(mistaken, (~true).sum())
    )
    z = float(ndtri((1 + confidence_level) / 2))
    radius = z * np.sqrt(variance) / (found - mistaken)
    low, high = np.clip([density - radius, density + radius], 0, 1).tolist()
    return density, (low, high)


def overlap_regime(density: ArrayLike) -> str | NDArray[np.str_]:
    """Name how much can be expected of an overlap density.

    The paper distinguishes three regimes: too little overlap for the strong estimator
    to learn from, enough to improve on the weak estimator, and so much that it nears
    the ceiling. It gives no numbers; these follow what a strong estimator recovers on
    its synthetic data (``benchmarks/results/regimes.csv``):

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


def region_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    regions: ArrayLike,
    *,
    missing_label: Any = -1,
    sample_weight: ArrayLike | None = None,
) -> dict[str, float]:
    """Return the accuracy within each region.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels.
    y_pred : array-like of shape (n,)
        Predicted labels. A `missing_label` among them is a class.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    missing_label : scalar, default=-1
        Label of rows without one, which are left out, as are None, NaN, NaT and
        pandas.NA.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    dict of str to float
        Accuracy on "easy", "hard" and "overlap" rows, in this order; NaN for a region
        without labeled rows of positive weight.

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if the lengths or the kinds of labels
        differ, or if the weights are negative, not finite or all zero.

    See Also
    --------
    region_rmse : The same for values.

    Examples
    --------
    >>> from sklearn_w2s.metrics import region_accuracy
    >>> region_accuracy([0, 1, 1], [0, 1, 0], ["easy", "hard", "hard"])
    {'easy': 1.0, 'hard': 0.5, 'overlap': nan}
    """
    predicted, names = values_of(y_pred), check_regions(regions)
    check_consistent_length(y_true, predicted, names)
    weights = check_weights(sample_weight, names)
    truth, labeled = check_truth(y_true, [predicted], missing_label)
    if not labeled.any():
        return dict.fromkeys(REGIONS, np.nan)
    predicted, names, weights = predicted[labeled], names[labeled], weights[labeled]
    if isinstance(truth[0], str) != isinstance(predicted[0], str):
        msg = (
            "y_true and y_pred differ in kind: they start with "
            f"{truth[0]!r} and {predicted[0]!r}. Use strings or numbers in both."
        )
        raise ValueError(msg)
    return _by_region(accuracy_score, truth, predicted, names, weights)


def region_rmse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    regions: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> dict[str, float]:
    """Return the root mean squared error within each region.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True values; rows with None, NaN, NaT or pandas.NA are left out.
    y_pred : array-like of shape (n,)
        Predicted values.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap".
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    dict of str to float
        Error on "easy", "hard" and "overlap" rows, in this order and in the unit of y;
        NaN for a region without labeled rows of positive weight.

    Raises
    ------
    ValueError
        If there is no row or an unknown region, if the lengths differ, if a value is
        infinite or not a number, or if the weights are negative, not finite or all
        zero.

    See Also
    --------
    region_accuracy : The same for classes.

    Examples
    --------
    >>> from sklearn_w2s.metrics import region_rmse
    >>> region_rmse([1.0, 2.0, 3.0], [1.0, 5.0, 7.0], ["easy", "hard", "hard"])
    {'easy': 0.0, 'hard': 3.5355339059327378, 'overlap': nan}
    """
    names = check_regions(regions)
    predicted = check_array(
        y_pred, dtype=np.float64, ensure_2d=False, input_name="y_pred"
    )
    check_consistent_length(y_true, predicted, names)
    weights = check_weights(sample_weight, names)
    truth, labeled = check_values(y_true)
    predicted, names = column_or_1d(predicted)[labeled], names[labeled]
    return _by_region(
        root_mean_squared_error, truth, predicted, names, weights[labeled]
    )


def check_truth(
    y_true: ArrayLike, predictions: list[Any], missing_label: Any
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return known labels and which rows have one; a predicted marker is a class."""
    predicted = [np.unique(values) for values in predictions]
    is_known = any(is_class(missing_label, classes) for classes in predicted)
    labels, labeled = check_labels(y_true, None if is_known else missing_label)
    return labels, labeled


def _density_and_size(
    regions: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[float, float]:
    is_overlap = _is_overlap("regions", regions)
    weights = check_weights(sample_weight, is_overlap)
    return float(np.average(is_overlap, weights=weights)), effective_size(weights)


def _is_overlap(name: str, regions: ArrayLike) -> NDArray[np.bool_]:
    is_overlap: NDArray[np.bool_] = check_regions(regions, name=name) == OVERLAP
    return is_overlap


def _variance(share: float, n: float) -> float:
    smoothed = (share * n + 0.5) / (n + 1)
    return smoothed * (1 - smoothed) / n


def _by_region(
    score: Callable[..., float],
    truth: NDArray[Any],
    predicted: NDArray[Any],
    names: NDArray[np.str_],
    weights: NDArray[np.float64],
) -> dict[str, float]:
    """Return a score of each region, NaN where no row counts."""
    scores = dict.fromkeys(REGIONS, np.nan)
    for region in REGIONS:
        rows = (names == region) & (weights > 0)
        if rows.any():
            scores[region] = float(
                score(truth[rows], predicted[rows], sample_weight=weights[rows])
            )
    return scores

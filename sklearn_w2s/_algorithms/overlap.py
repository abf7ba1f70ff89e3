"""From weak probabilities and overlap scores to regions and their density."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

EASY, HARD, OVERLAP = "easy", "hard", "overlap"
REGIONS = (EASY, HARD, OVERLAP)


def margin_confidence(proba: ArrayLike) -> FloatArray:
    """Return the distance between the two largest probabilities of each row.

    With two classes it equals ``2 * abs(p - 1/2)``.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities, two classes at least.

    Returns
    -------
    ndarray of shape (n,)
        Confidence in [0, 1].

    Examples
    --------
    >>> margin_confidence([[0.25, 0.75], [0.5, 0.5]])
    array([0.5, 0. ])
    """
    p = np.asarray(proba, dtype=np.float64)
    top_two = np.partition(p, p.shape[1] - 2, axis=1)[:, -2:]
    margin: FloatArray = top_two[:, 1] - top_two[:, 0]
    return margin


def balanced_margin_confidence(proba: ArrayLike, prior: ArrayLike) -> FloatArray:
    r"""Return the margin that the probabilities would have if classes were equal.

    .. math:: \tilde p_k = \frac{p_k / \pi_k}{\sum_l p_l / \pi_l}

    With unequal classes the plain margin of a row of which nothing is known, whose
    probabilities are the shares :math:`\pi_k` of the classes, is large; this one is 0.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities, two classes at least.
    prior : array-like of shape (n_classes,)
        Shares of the classes; a class of share zero is left out.

    Returns
    -------
    ndarray of shape (n,)
        Confidence in [0, 1].

    Examples
    --------
    >>> balanced_margin_confidence([[0.75, 0.25], [0.5, 0.5]], [0.75, 0.25])
    array([0. , 0.5])
    """
    shares = np.asarray(prior, dtype=np.float64)
    ratio = np.asarray(proba, dtype=np.float64) / np.where(shares > 0, shares, np.inf)
    total = ratio.sum(axis=1, keepdims=True)
    # A row that has classes of share zero only is of no known class.
    return margin_confidence(ratio / np.where(total > 0, total, 1))


def max_proba_confidence(proba: ArrayLike) -> FloatArray:
    r"""Return :math:`(K \max_k p_k - 1) / (K - 1)` of each row.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities, two classes at least.

    Returns
    -------
    ndarray of shape (n,)
        Confidence in [0, 1].

    Examples
    --------
    >>> max_proba_confidence([[0.25, 0.75], [0.5, 0.5]])
    array([0.5, 0. ])
    """
    p = np.asarray(proba, dtype=np.float64)
    n_classes = p.shape[1]
    confidence: FloatArray = (n_classes * p.max(axis=1) - 1) / (n_classes - 1)
    return confidence


def entropy_confidence(proba: ArrayLike) -> FloatArray:
    r"""Return :math:`1 + \sum_k p_k \log p_k / \log K` of each row.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities, two classes at least.

    Returns
    -------
    ndarray of shape (n,)
        Confidence in [0, 1].

    Examples
    --------
    >>> entropy_confidence([[0.0, 1.0], [0.5, 0.5]])
    array([1., 0.])
    """
    p = np.asarray(proba, dtype=np.float64)
    # p log p tends to 0 with p.
    p_log_p = p * np.log(np.where(p > 0, p, 1))
    confidence: FloatArray = 1 + p_log_p.sum(axis=1) / np.log(p.shape[1])
    return confidence


def split_regions(
    is_hard: ArrayLike, overlap_score: ArrayLike, overlap_threshold: float
) -> NDArray[np.str_]:
    """Name the region of each row.

    Of the rows that are not hard, those whose overlap score reaches its threshold are
    overlap rows, and the rest is easy.

    Parameters
    ----------
    is_hard : array-like of bool of shape (n,)
        Whether the row is hard.
    overlap_score : array-like of shape (n,)
        Similarity to the hard rows.
    overlap_threshold : float
        Smallest overlap score of an overlap row.

    Returns
    -------
    ndarray of shape (n,)
        "easy", "hard" or "overlap".

    Examples
    --------
    >>> split_regions([True, False, False], [1.0, 0.8, 0.2], 0.5)
    array(['hard', 'overlap', 'easy'], dtype='<U7')
    """
    # Thresholds are doubles: a float32 score must not be compared in single precision.
    is_overlap = np.asarray(overlap_score, dtype=np.float64) >= overlap_threshold
    return np.where(is_hard, HARD, np.where(is_overlap, OVERLAP, EASY))


def region_shares(
    regions: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Return the weighted share of every region.

    Parameters
    ----------
    regions : array-like of shape (n,)
        Region names, one row at least.
    weights : array-like of shape (n,), default=None
        Non-negative weights that do not sum to zero; None counts every row once.

    Returns
    -------
    dict of str to float
        Share in [0, 1] of "easy", "hard" and "overlap", in this order.

    Examples
    --------
    >>> region_shares(["easy", "easy", "hard", "overlap"])
    {'easy': 0.5, 'hard': 0.25, 'overlap': 0.25}
    """
    names = np.asarray(regions)
    w = None if weights is None else np.asarray(weights, dtype=np.float64)
    return {name: float(np.average(names == name, weights=w)) for name in REGIONS}


def density_regime(density: ArrayLike) -> str | NDArray[np.str_]:
    """Name how much can be expected of an overlap density.

    "low" is below 0.1, "medium" below 0.2, "high" at 0.2 or above, after what a strong
    estimator recovers on the synthetic data of the paper.

    Parameters
    ----------
    density : float or array-like
        Overlap density in [0, 1].

    Returns
    -------
    str or ndarray of str
        "low", "medium" or "high": a string for a number.

    References
    ----------
    C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
    Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> density_regime(0.15)
    'medium'
    """
    share = np.asarray(density, dtype=np.float64)
    regime = np.select([share < 0.1, share < 0.2], ["low", "medium"], "high")
    return regime if regime.ndim else str(regime)

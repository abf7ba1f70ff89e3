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
    confidence: ArrayLike,
    overlap_score: ArrayLike,
    confidence_threshold: float,
    overlap_threshold: float,
) -> NDArray[np.str_]:
    """Name the region of each row.

    Hard rows have a confidence below its threshold; of the others, those whose overlap
    score reaches its threshold are overlap rows, and the rest is easy.

    Parameters
    ----------
    confidence : array-like of shape (n,)
        Confidence of the weak estimator.
    overlap_score : array-like of shape (n,)
        Similarity to the hard rows.
    confidence_threshold : float
        Smallest confidence that is not hard.
    overlap_threshold : float
        Smallest overlap score of an overlap row.

    Returns
    -------
    ndarray of shape (n,)
        "easy", "hard" or "overlap".

    Examples
    --------
    >>> split_regions([0.1, 0.9, 0.9], [1.0, 0.8, 0.2], 0.5, 0.5)
    array(['hard', 'overlap', 'easy'], dtype='<U7')
    """
    # Thresholds are doubles: a float32 score must not be compared in single precision.
    is_hard = np.asarray(confidence, dtype=np.float64) < confidence_threshold
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

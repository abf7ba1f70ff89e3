"""From weak probabilities and overlap scores to regions and their density."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

EASY, HARD, OVERLAP = "easy", "hard", "overlap"
REGIONS = (EASY, HARD, OVERLAP)


def margin_confidence(proba: ArrayLike) -> FloatArray:
    """Return the difference of the two largest probabilities of each row."""
    p = np.asarray(proba, dtype=np.float64)
    top_two = np.partition(p, p.shape[1] - 2, axis=1)[:, -2:]
    margin: FloatArray = top_two[:, 1] - top_two[:, 0]
    return margin


def balanced_margin_confidence(proba: ArrayLike, prior: ArrayLike) -> FloatArray:
    r"""Return the margin of the probabilities divided by the shares of the classes.

    :math:`\tilde p_k \propto p_k / \pi_k`: it is 0 where nothing is known of a row,
    whose probabilities are the shares.
    """
    shares = np.asarray(prior, dtype=np.float64)
    ratio = np.asarray(proba, dtype=np.float64) / np.where(shares > 0, shares, np.inf)
    total = ratio.sum(axis=1, keepdims=True)
    # A row whose only classes have a share of zero keeps a margin of zero.
    return margin_confidence(ratio / np.where(total > 0, total, 1))


def max_proba_confidence(proba: ArrayLike) -> FloatArray:
    r"""Return :math:`(K \max_k p_k - 1) / (K - 1)` of each row."""
    p = np.asarray(proba, dtype=np.float64)
    n_classes = p.shape[1]
    confidence: FloatArray = (n_classes * p.max(axis=1) - 1) / (n_classes - 1)
    return confidence


def entropy_confidence(proba: ArrayLike) -> FloatArray:
    r"""Return :math:`1 + \sum_k p_k \log p_k / \log K` of each row."""
    p = np.asarray(proba, dtype=np.float64)
    # p log p tends to 0 with p.
    p_log_p = p * np.log(np.where(p > 0, p, 1))
    confidence: FloatArray = 1 + p_log_p.sum(axis=1) / np.log(p.shape[1])
    return confidence


def split_regions(
    is_hard: ArrayLike, overlap_score: ArrayLike, overlap_threshold: float
) -> NDArray[np.str_]:
    """Return "hard", or "overlap" where the score reaches the threshold, or "easy"."""
    # Thresholds are doubles: a float32 score must not be compared in single precision.
    is_overlap = np.asarray(overlap_score, dtype=np.float64) >= overlap_threshold
    return np.where(is_hard, HARD, np.where(is_overlap, OVERLAP, EASY))


def region_shares(
    regions: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Return the weighted share of "easy", "hard" and "overlap", in this order."""
    names = np.asarray(regions)
    w = None if weights is None else np.asarray(weights, dtype=np.float64)
    return {name: float(np.average(names == name, weights=w)) for name in REGIONS}


def density_regime(density: ArrayLike) -> str | NDArray[np.str_]:
    """Return "low" for an overlap density below 0.1, "medium" below 0.2, else "high".

    The limits follow what a strong estimator recovers on the synthetic data of Shin et
    al., ICLR 2025.
    """
    share = np.asarray(density, dtype=np.float64)
    regime = np.select([share < 0.1, share < 0.2], ["low", "medium"], "high")
    return regime if regime.ndim else str(regime)

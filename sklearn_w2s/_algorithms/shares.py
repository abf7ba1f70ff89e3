"""Shares of rows: rounded to whole rows, with their intervals, and compared."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
# Normal quantile of a two-sided level of 95%.
Z_95 = 1.959963984540054


def apportion(quotas: ArrayLike) -> NDArray[np.intp]:
    """Round quotas to integers of the same rounded sum, the largest remainders up.

    Ties go to the first.
    """
    # Products such as 0.7 * 10 are whole but for rounding.
    exact = np.round(np.asarray(quotas, dtype=np.float64), 9)
    total = int(np.floor(np.round(exact.sum(), 9) + 0.5))
    whole = np.floor(exact).astype(np.intp)
    # Rounded too: equal remainders may differ in their last bits.
    by_remainder = np.argsort(np.round(whole - exact, 9), kind="stable")
    whole[by_remainder[: total - whole.sum()]] += 1
    return whole


def effective_size(weights: ArrayLike) -> float:
    r"""Return the number of equally weighted rows that carry as much information.

    .. math:: \left(\sum_i w_i\right)^2 / \sum_i w_i^2

    Source: L. Kish, "Survey Sampling", Wiley, 1965.
    """
    w = np.asarray(weights, dtype=np.float64)
    # Scaled first, so that squares neither over- nor underflow.
    w = w / w.max()
    return float(w.sum() ** 2 / (w @ w))


def share_interval(share: float, n: float, z: float) -> tuple[float, float]:
    r"""Return the Wilson interval of a share among n rows, by a normal quantile z.

    .. math:: \frac{o + z^2 / 2n \pm z \sqrt{o (1 - o) / n + z^2 / 4 n^2}}{1 + z^2 / n}

    Source: E. B. Wilson, J. American Statistical Association 22(158), 1927.
    """
    centre = share + z**2 / (2 * n)
    radius = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (centre - radius) / (1 + z**2 / n), (centre + radius) / (1 + z**2 / n)
    # It holds the share, and touches 0 or 1 with it, but for rounding.
    return float(np.clip(low, 0, share)), float(np.clip(high, share, 1))


def corrected_share(
    share: ArrayLike, found: ArrayLike, mistaken: ArrayLike, most: float = 1.0
) -> FloatArray:
    r"""Return the share of a kind among rows, given how often a test finds it.

    .. math:: \frac{o - \mathrm{FPR}}{\mathrm{TPR} - \mathrm{FPR}}
        \text{ clipped to } [0, \text{most}]

    with the rates `found` (TPR) and `mistaken` (FPR); a bound on o gives a bound on it.
    Source: W. J. Rogan, B. Gladen, American Journal of Epidemiology 107(1), 1978.
    """
    rate, errors = np.asarray(found), np.asarray(mistaken)
    corrected: FloatArray = (np.asarray(share) - errors) / (rate - errors)
    return np.clip(corrected, 0, most)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    weights: ArrayLike,
    rows: ArrayLike | None = None,
) -> tuple[float, float]:
    r"""Return how much more often the first is right than the second, and the error.

    .. math:: d = b - c, \qquad
        \sigma^2 = \frac{\tilde b + \tilde c - (\tilde b - \tilde c)^2}{n + 2}, \qquad
        \tilde b = \frac{n b + 1/2}{n + 2}

    with the shares b and c of rows that one of them alone gets right, so that few rows
    do not pass for certainty; values of the same row add none to n.
    Source: A. Agresti, Y. Min, Statistics in Medicine 24(5), 2005.
    """
    w = np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    of_rows = w if rows is None else np.bincount(np.asarray(rows, np.intp), w)
    n = 1 / (of_rows @ of_rows)
    won = float(w @ (np.asarray(first, bool) & ~np.asarray(second, bool)))
    lost = float(w @ (np.asarray(second, bool) & ~np.asarray(first, bool)))
    b, c = (n * won + 0.5) / (n + 2), (n * lost + 0.5) / (n + 2)
    return won - lost, float(np.sqrt((b + c - (b - c) ** 2) / (n + 2)))


def normal_posterior(
    contrasts: Sequence[ArrayLike],
    means: Sequence[ArrayLike],
    covariances: Sequence[ArrayLike],
) -> tuple[FloatArray, FloatArray]:
    r"""Return mean and covariance of scores x by normal estimates of contrasts of them.

    .. math:: C = \left( \sum_i A_i^T \Sigma_i^{-1} A_i \right)^{-1}, \qquad
        x = C \sum_i A_i^T \Sigma_i^{-1} m_i

    with estimates :math:`m_i` of :math:`A_i x`, of which a prior is one.
    """
    precision: FloatArray = np.zeros((1, 1))
    evidence: FloatArray = np.zeros(1)
    for matrix, mean, covariance in zip(contrasts, means, covariances, strict=True):
        a = np.asarray(matrix, dtype=np.float64)
        weighted = np.linalg.solve(np.asarray(covariance, dtype=np.float64), a).T
        precision = precision + weighted @ a
        evidence = evidence + weighted @ np.asarray(mean, dtype=np.float64)
    spread = np.linalg.inv(precision).astype(np.float64)
    return spread @ evidence, spread

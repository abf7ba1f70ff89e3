"""What two classifiers are worth beside each other, from rows that both have judged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    weights: ArrayLike,
    rows: ArrayLike | None = None,
) -> tuple[float, float]:
    r"""Return how much more often the first is right than the second, and the error.

    Only rows that one of them alone gets right tell them apart. With b and c the shares
    of those that the first and the second gets right, of n rows, the difference is

    .. math:: d = b - c, \qquad
              \sigma^2 = \frac{\tilde b + \tilde c - (\tilde b - \tilde c)^2}{n + 2}

    where :math:`\tilde b = (n b + 1/2) / (n + 2)` and likewise for c, so that a few
    rows without a difference do not pass for certainty.

    Parameters
    ----------
    first, second : array-like of shape (m,) of bool
        Whether each of the two is right in a row.
    weights : array-like of shape (m,)
        Weights, with a positive sum; n is the effective number of rows.
    rows : array-like of shape (m,) of int, default=None
        Which row each value is of, from zero on, where rows were judged several times:
        that is no further evidence. None means a row each.

    Returns
    -------
    difference : float
        In [-1, 1].
    error : float
        Its standard error.

    References
    ----------
    A. Agresti, Y. Min, "Simple Improved Confidence Intervals for Comparing Matched
    Proportions", Statistics in Medicine 24(5), 2005.

    Examples
    --------
    >>> difference, error = paired_difference([1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1])
    >>> difference, round(error, 3)
    (0.5, 0.255)
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
    r"""Return what several normal estimates of contrasts say of the scores together.

    With estimates :math:`m_i` of :math:`A_i x`, of covariance :math:`\Sigma_i`,

    .. math:: C = \left( \sum_i A_i^T \Sigma_i^{-1} A_i \right)^{-1}, \qquad
              x = C \sum_i A_i^T \Sigma_i^{-1} m_i

    A prior is one of the estimates.

    Parameters
    ----------
    contrasts : sequence of array-like of shape (k_i, p)
        Matrices A.
    means : sequence of array-like of shape (k_i,)
        Estimates.
    covariances : sequence of array-like of shape (k_i, k_i)
        Their covariances. Together they must say something of each score.

    Returns
    -------
    mean : ndarray of shape (p,)
        Scores.
    covariance : ndarray of shape (p, p)
        Their covariance.

    Examples
    --------
    >>> mean, covariance = normal_posterior([[[1]], [[1]]], [[0], [1]], [[[1]], [[1]]])
    >>> mean.item(), covariance.item()
    (0.5, 0.5)
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

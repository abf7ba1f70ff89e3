"""What a strong representation could learn and a weak one cannot teach it."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def smoother(X: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    r"""Return a ridge smoother in the form of its eigenvectors and eigenvalues.

    .. math:: P = K \left(K + \alpha \frac{\operatorname{tr} K}{n} I\right)^{-1}
        = U \operatorname{diag}(d)\, U^\top, \qquad K = X X^\top

    takes labels to the predictions of a ridge regression on them. From the singular
    values :math:`\sigma` of X, :math:`d = \sigma^2 / (\sigma^2 + \alpha
    \operatorname{tr} K / n)`, so that no matrix of n by n is formed.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Representation; where it is zero everywhere, P is zero.
    alpha : float
        Positive regularisation, in units of the mean eigenvalue of K.

    Returns
    -------
    vectors : ndarray of shape (n, min(n, n_features))
        Orthonormal columns U.
    values : ndarray of shape (min(n, n_features),)
        Eigenvalues d in [0, 1).

    Examples
    --------
    >>> vectors, values = smoother(np.array([[3.0], [4.0]]), alpha=2.0)
    >>> vectors * np.sign(vectors[0]), values
    (array([[0.6],
           [0.8]]), array([0.5]))
    """
    # Only ratios count; a power of two cancels exactly, and squares do not overflow.
    X = np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))
    vectors, singular, _ = np.linalg.svd(X, full_matrices=False)
    energy = singular**2
    penalty = alpha * energy.sum() / len(X)
    # Zero energy is that of a direction that the rows do not have.
    values = np.divide(
        energy, energy + penalty, out=np.zeros_like(energy), where=energy > 0
    )
    return vectors, values


def gap_of_labels(
    weak: tuple[FloatArray, FloatArray],
    strong: tuple[FloatArray, FloatArray],
    targets: FloatArray,
) -> float:
    r"""Return the share of labels that is lost between two smoothers.

    .. math:: \|P_s (I - P_w) Y\| / \|Y\|

    in the Frobenius norm.

    Parameters
    ----------
    weak : tuple of two ndarray
        Vectors and values of :math:`P_w`, from :func:`smoother`.
    strong : tuple of two ndarray
        Vectors and values of :math:`P_s`.
    targets : ndarray of shape (n, n_outputs)
        Labels Y as numbers, not all zero.

    Returns
    -------
    float
        Share in [0, 1].

    Examples
    --------
    >>> first, second = np.eye(2)[:, :1], np.eye(2)[:, 1:]
    >>> one = np.ones(1)
    >>> gap_of_labels((first, one), (second, one), second)
    1.0
    >>> gap_of_labels((second, one), (second, one), second)
    0.0
    """
    (weak_vectors, weak_values), (vectors, values) = weak, strong
    fitted = weak_vectors @ (weak_values[:, None] * (weak_vectors.T @ targets))
    lost = values[:, None] * (vectors.T @ (targets - fitted))
    share = float(np.linalg.norm(lost) / np.linalg.norm(targets))
    return min(share, 1.0)


def largest_gap(
    weak: tuple[FloatArray, FloatArray], strong: tuple[FloatArray, FloatArray]
) -> float:
    r"""Return the largest share of any labels that is lost between two smoothers.

    It is the largest singular value of :math:`P_s (I - P_w)`, the square root of the
    largest eigenvalue of

    .. math:: D_s (I - C (2 D_w - D_w^2) C^\top) D_s, \qquad C = U_s^\top U_w

    with the vectors U and values D of either smoother.

    Parameters
    ----------
    weak : tuple of two ndarray
        Vectors and values of :math:`P_w`, from :func:`smoother`.
    strong : tuple of two ndarray
        Vectors and values of :math:`P_s`.

    Returns
    -------
    float
        Share in [0, 1].

    Examples
    --------
    >>> first, second = np.eye(2)[:, :1], np.eye(2)[:, 1:]
    >>> one = np.ones(1)
    >>> largest_gap((first, one), (second, one))
    1.0
    >>> largest_gap((first, one), (first, one))
    0.0
    """
    (weak_vectors, weak_values), (vectors, values) = weak, strong
    overlap = vectors.T @ weak_vectors
    kept = np.eye(len(values)) - (overlap * (2 - weak_values) * weak_values) @ overlap.T
    largest = np.linalg.eigvalsh(values[:, None] * kept * values)[-1]
    return float(np.sqrt(np.clip(largest, 0, 1)))

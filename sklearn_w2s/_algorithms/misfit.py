"""How far a strong estimator has moved away from its weak labels."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def squared_misfit(weak: FloatArray, strong: FloatArray) -> FloatArray:
    """Return the squared distance of each row of predictions.

    Parameters
    ----------
    weak : ndarray of shape (n, n_classes)
        Predictions of the weak estimator.
    strong : ndarray of shape (n, n_classes)
        Predictions of the strong estimator.

    Returns
    -------
    ndarray of shape (n,)
        Sums over classes of squared differences.

    Examples
    --------
    >>> squared_misfit(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    array([0.5])
    """
    distance: FloatArray = ((strong - weak) ** 2).sum(axis=1)
    return distance


def log_misfit(weak: FloatArray, strong: FloatArray) -> FloatArray:
    r"""Return the divergence of each row of strong probabilities from the weak ones.

    .. math:: \mathrm{KL}(s \,\|\, w) = \sum_k s_k \log (s_k / w_k)

    with :math:`0 \log 0 = 0`.

    Parameters
    ----------
    weak : ndarray of shape (n, n_classes)
        Class probabilities w of the weak estimator.
    strong : ndarray of shape (n, n_classes)
        Class probabilities s of the strong estimator.

    Returns
    -------
    ndarray of shape (n,)
        Divergences in nats; infinite where the weak estimator rules out a class that
        the strong one does not.

    Examples
    --------
    >>> log_misfit(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])).round(3)
    array([0.693])
    >>> log_misfit(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))
    array([inf])
    """
    terms = np.zeros(strong.shape)
    possible = strong > 0
    # A difference of logarithms, as a ratio of probabilities may overflow.
    with np.errstate(divide="ignore"):
        log_weak = np.log(weak[possible])
    terms[possible] = strong[possible] * (np.log(strong[possible]) - log_weak)
    divergence: FloatArray = terms.sum(axis=1)
    return divergence

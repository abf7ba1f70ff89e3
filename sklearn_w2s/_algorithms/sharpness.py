"""How sharp class probabilities should be, told from rows of known label."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_POWERS = np.exp(np.linspace(np.log(0.05), np.log(12.0), 56))
_LEAST_PROBA = 1e-4


def sharpen(
    proba: ArrayLike, sharpness: float, *, least: float = _LEAST_PROBA
) -> FloatArray:
    r"""Raise class probabilities to a power and renormalise.

    .. math:: P_{ik} \mapsto P_{ik}^\beta \Big/ \sum_j P_{ij}^\beta

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities.
    sharpness : float
        The power :math:`\beta`, the inverse of the temperature; 1 changes nothing else.
    least : float, default=1e-4
        Smaller probabilities count as that.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Class probabilities, the most probable class the same.

    Examples
    --------
    >>> sharpen([[0.8, 0.2]], 2.0).round(2)
    array([[0.94, 0.06]])
    """
    given = np.maximum(np.asarray(proba, dtype=np.float64), least)
    powers = (given / given.max(axis=1, keepdims=True)) ** sharpness
    shares: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def best_sharpness(
    proba: ArrayLike,
    targets: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    least: float = _LEAST_PROBA,
) -> float:
    r"""Return the power under which known labels, or distributions, are likeliest.

    This is temperature scaling [1]_. A forest trained on few labels of many classes is
    right with small probabilities, a linear model wrong with large ones; brought to the
    sharpness that their hits justify, their probabilities can be compared. With targets
    T, the power maximises

    .. math:: \sum_i v_i \sum_k T_{ik} \log P_{ik}(\beta) - \frac{(\log \beta)^2}{2},

    so that few rows do not make a model infallible, or useless.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities of rows that the model has not seen.
    targets : array-like of shape (n, n_classes)
        Distributions of the true class; indicators where it is known.
    weights : array-like of shape (n,), default=None
        Non-negative weights v; a weight of two equals a row given twice.
    least : float, default=1e-4
        Smaller probabilities count as that.

    Returns
    -------
    float
        One of 56 powers between 0.05 and 12; 1 without rows of positive weight.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, https://arxiv.org/abs/1706.04599

    Examples
    --------
    >>> proba = [[0.6, 0.4], [0.6, 0.4], [0.3, 0.7]]
    >>> bool(best_sharpness(proba, [[1, 0], [1, 0], [0, 1]]) > 1)
    True
    """
    wanted = np.asarray(targets, dtype=np.float64)
    v = np.ones(len(wanted)) if weights is None else np.asarray(weights, np.float64)
    if not v.any():
        return 1.0
    logs = np.log(np.maximum(np.asarray(proba, dtype=np.float64), least))
    logs -= logs.max(axis=1, keepdims=True)
    hits = v @ (wanted * logs).sum(axis=1)
    total = v * wanted.sum(axis=1)
    scores = [
        power * hits - total @ np.log(np.exp(power * logs).sum(axis=1))
        for power in _POWERS
    ]
    return float(_POWERS[np.argmax(scores - np.log(_POWERS) ** 2 / 2)])

"""How sharp class probabilities should be, told from rows of known label."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# A model that was never wrong in few rows is not infallible, nor one that was useless.
_GRID = np.exp(np.linspace(np.log(0.3), np.log(6.0), 25))
_LEAST_PROBA = 1e-4


def sharpen(proba: ArrayLike, sharpness: float) -> FloatArray:
    r"""Raise class probabilities to a power and renormalise.

    .. math:: P_{ik} \mapsto P_{ik}^\beta \Big/ \sum_j P_{ij}^\beta

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities; less than a ten-thousandth counts as that.
    sharpness : float
        The power :math:`\beta`, the inverse of the temperature; 1 changes nothing else.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Class probabilities, the most probable class the same.

    Examples
    --------
    >>> sharpen([[0.8, 0.2]], 2.0).round(2)
    array([[0.94, 0.06]])
    """
    given = np.maximum(np.asarray(proba, dtype=np.float64), _LEAST_PROBA)
    powers = (given / given.max(axis=1, keepdims=True)) ** sharpness
    shares: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def best_sharpness(
    proba: ArrayLike, codes: ArrayLike, weights: ArrayLike | None = None
) -> float:
    r"""Return the power under which known labels are likeliest.

    This is temperature scaling [1]_. A forest trained on few labels of many classes is
    right with small probabilities, a linear model wrong with large ones; brought to the
    sharpness that their hits justify, their probabilities can be compared.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities of rows that the model has not seen.
    codes : array-like of int of shape (n,)
        Class codes of the rows.
    weights : array-like of shape (n,), default=None
        Non-negative weights; a weight of two equals a row given twice.

    Returns
    -------
    float
        One of 25 powers between 0.3 and 6; 1 without rows of positive weight.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, https://arxiv.org/abs/1706.04599

    Examples
    --------
    >>> best_sharpness([[0.6, 0.4], [0.6, 0.4], [0.3, 0.7]], [0, 0, 1]) > 5
    True
    """
    labels = np.asarray(codes, dtype=np.intp)
    v = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    if not v.any():
        return 1.0
    rows = np.arange(len(labels))
    scores = [v @ np.log(sharpen(proba, power)[rows, labels]) for power in _GRID]
    return float(_GRID[np.argmax(scores)])

"""Kernel ridge regression on class indicators, and what it says of rows left out."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def leave_one_out(
    values: ArrayLike, vectors: ArrayLike, targets: ArrayLike, ridge: float
) -> tuple[FloatArray, FloatArray]:
    r"""Return dual coefficients, and predictions of rows that were not learned from.

    With the kernel matrix :math:`K = U \Lambda U^\top` and :math:`G = (K + \lambda
    I)^{-1}`, the coefficients are :math:`A = G Y`, and the model of all rows but i
    predicts row i as

    .. math:: Y_i - A_i / G_{ii} ,

    in closed form, so that one eigendecomposition serves every ridge.

    Parameters
    ----------
    values : array-like of shape (n,)
        Eigenvalues of the kernel matrix.
    vectors : array-like of shape (n, n)
        Its eigenvectors, in columns.
    targets : array-like of shape (n, n_targets)
        Targets Y.
    ridge : float
        Positive ridge :math:`\lambda`.

    Returns
    -------
    coefficients : ndarray of shape (n, n_targets)
        Dual coefficients of the model of all rows.
    held_out : ndarray of shape (n, n_targets)
        Predictions of each row by the model of all others.

    References
    ----------
    R. Rifkin, R. Lippert, "Notes on Regularized Least Squares", MIT-CSAIL-TR-2007-025.

    Examples
    --------
    >>> values, vectors = np.linalg.eigh([[1.0, 0.5], [0.5, 1.0]])
    >>> _, held_out = leave_one_out(values, vectors, [[1.0], [-1.0]], ridge=1.0)
    >>> held_out  # 0.5 / (1 + 1) of the other row's target
    array([[-0.25],
           [ 0.25]])
    """
    basis = np.asarray(vectors, dtype=np.float64)
    y = np.asarray(targets, dtype=np.float64)
    shrunk = 1 / (np.maximum(np.asarray(values, dtype=np.float64), 0) + ridge)
    coefficients = basis @ (shrunk[:, None] * (basis.T @ y))
    diagonal = (basis**2) @ shrunk
    return coefficients, y - coefficients / diagonal[:, None]

"""The mean of several models that errs least in rows held out from them."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def stacking_weights(
    errors: ArrayLike, *, weights: ArrayLike | None = None, n_prior: float = 1.0
) -> FloatArray:
    r"""Return the weights of the mean of models that has the least squared error.

    With :math:`e_{mi}` the error of model m in the held-out row i, the weights
    :math:`\theta` on the simplex minimise

    .. math:: \sum_i v_i \Big(\sum_m \theta_m e_{mi}\Big)^2
        + n_0 \bar{s} \sum_m \theta_m^2

    where :math:`\bar{s}` is the least mean squared error of a model, so that the
    penalty counts as :math:`n_0` rows and no unit of the values matters. Every subset
    of the models is solved in closed form, so that the result is exact.

    Parameters
    ----------
    errors : array-like of shape (n_members, n)
        Predictions less true values, for at most ten models.
    weights : array-like of shape (n,), default=None
        Non-negative weights v of the rows; a weight of two equals a row given twice.
        None counts every row once.
    n_prior : float, default=1.0
        Rows that the pull to equal weights counts as.

    Returns
    -------
    ndarray of shape (n_members,)
        Non-negative weights that sum to one; equal ones without rows, or without
        errors.

    References
    ----------
    L. Breiman, "Stacked Regressions", Machine Learning 24, 1996.

    Examples
    --------
    >>> stacking_weights([[1.0, -1.0, 1.0, -1.0], [-3.0, 3.0, -3.0, 3.0]], n_prior=0)
    array([0.75, 0.25])
    """
    e = np.asarray(errors, dtype=np.float64)
    n_members, n = e.shape
    v = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    equal: FloatArray = np.full(n_members, 1 / n_members)
    products = (e * v) @ e.T
    unit = products.diagonal().max(initial=0.0)
    if not v.any() or unit <= 0:
        return equal
    least = products.diagonal().min() / v.sum()
    # A trace keeps models that never differ apart.
    ridge = n_prior * least + 1e-12 * unit
    products = products + ridge * np.eye(n_members)
    best, found = np.inf, equal
    for size in range(1, n_members + 1):
        for chosen in combinations(range(n_members), size):
            rows = list(chosen)
            part = np.linalg.solve(products[np.ix_(rows, rows)], np.ones(size))
            # The sum is positive, for the matrix is positive definite.
            part = part / part.sum()
            if part.min() < 0:
                continue
            theta = np.zeros(n_members)
            theta[rows] = part
            loss = float(theta @ products @ theta)
            if loss < best:
                best, found = loss, theta
    return found

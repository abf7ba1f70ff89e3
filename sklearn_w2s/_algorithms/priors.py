"""Class probabilities brought to given class shares, and joined across views."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Full steps are exact for rows of equal chances alone; shorter ones are safer.
_DAMPING = 0.8
# A class of a smaller share is one that no row can be: no factor raises it.
_LEAST_SHARE = 1e-12
# No view rules out a class for good, nor does a class that is rare.
_LEAST_PROBA = 1e-6


def matching_factors(
    proba: ArrayLike,
    prior: ArrayLike,
    *,
    n_steps: int = 30,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the factors per class that give probabilities the wanted class shares.

    Damped iterative scaling: from :math:`b = 1`, with :math:`s_k(b)` the mean of
    :func:`reweigh` over the rows,

    .. math:: b_k \leftarrow b_k \, (\pi_k / s_k(b))^{0.8}

    until :math:`s(b) = \pi`. A change of the class shares alone, with the rows of each
    class distributed as before, changes the probabilities by just such factors. Rows
    that are certain of their class cannot move, so that the shares of certain rows are
    approached only as far as the others allow.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities of at least one row.
    prior : array-like of shape (n_classes,)
        Wanted class shares; at least one is positive.
    n_steps : int, default=30
        Number of steps.
    weights : array-like of shape (n,), default=None
        Non-negative weights of the rows; a weight of two equals a row given twice.

    Returns
    -------
    ndarray of shape (n_classes,)
        Factors that sum to one; 0 where the prior is 0. They tell nothing about a
        class of positive prior that has probability zero in all rows.

    References
    ----------
    W. E. Deming, F. F. Stephan, "On a Least Squares Adjustment of a Sampled Frequency
    Table When the Expected Marginal Totals are Known", Annals of Mathematical
    Statistics 11(4), 1940. M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the
    Outputs of a Classifier to New a Priori Probabilities", Neural Computation 14(1),
    2002.

    Examples
    --------
    >>> proba = [[0.5, 0.5], [0.5, 0.5]]
    >>> factors = matching_factors(proba, [0.2, 0.8])
    >>> factors.round(3)
    array([0.2, 0.8])
    """
    given = np.asarray(proba, dtype=np.float64)
    wanted = np.asarray(prior, dtype=np.float64)
    v = None if weights is None else np.asarray(weights, dtype=np.float64)
    factors = (wanted > 0) / np.count_nonzero(wanted > 0)
    for _ in range(n_steps):
        shares = np.average(reweigh(given, factors), axis=0, weights=v)
        ratios = np.ones_like(wanted)
        np.divide(wanted, shares, out=ratios, where=shares > _LEAST_SHARE)
        factors = factors * ratios**_DAMPING
        factors /= factors.sum()
    return factors


def reweigh(proba: ArrayLike, factors: ArrayLike) -> FloatArray:
    r"""Multiply class probabilities by factors and renormalise.

    .. math:: P'_{ik} = \frac{b_k P_{ik}}{\sum_l b_l P_{il}}

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities.
    factors : array-like of shape (n_classes,)
        Non-negative factors, not all zero; their scale does not matter.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Class probabilities. Rows that are certain of classes of factor zero get the
        factors, as they would if they held every class a little possible.

    Examples
    --------
    >>> reweigh([[0.5, 0.5], [1, 0]], [1, 3])
    array([[0.25, 0.75],
           [1.  , 0.  ]])
    """
    b = np.asarray(factors, dtype=np.float64)
    product = np.asarray(proba, dtype=np.float64) * b
    product = np.where(product.any(axis=1, keepdims=True), product, b)
    # The largest first: a sum of products that are almost zero loses its digits.
    return _normalised(product / product.max(axis=1, keepdims=True))


def combine_views(first: ArrayLike, second: ArrayLike, prior: ArrayLike) -> FloatArray:
    r"""Join the class probabilities of two views independent given the class.

    .. math:: P(k \mid x_1, x_2) \propto
        \frac{P(k \mid x_1) \, P(k \mid x_2)}{P(k)},

    which is naive Bayes over the two. Each view holds the class shares already; they
    are taken out once.

    Parameters
    ----------
    first, second : array-like of shape (n, n_classes)
        Class probabilities given each view; less than a millionth counts as that.
    prior : array-like of shape (n_classes,)
        Class shares, with the same floor.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Class probabilities given both.

    References
    ----------
    A. Blum, T. Mitchell, "Combining Labeled and Unlabeled Data with Co-Training",
    COLT 1998.

    Examples
    --------
    >>> combine_views([[0.75, 0.25]], [[0.75, 0.25]], [0.5, 0.5]).round(3)
    array([[0.9, 0.1]])
    """
    joint = _log(first) + _log(second) - _log(prior)
    return _normalised(np.exp(joint - joint.max(axis=1, keepdims=True)))


def _normalised(rows: FloatArray) -> FloatArray:
    shares: FloatArray = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _log(proba: ArrayLike) -> FloatArray:
    floored = np.maximum(np.asarray(proba, dtype=np.float64), _LEAST_PROBA)
    return np.log(floored)

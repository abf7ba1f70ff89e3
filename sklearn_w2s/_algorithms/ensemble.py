"""Class probabilities and values of several models, made comparable and joined."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Powers to choose from, and the least probability whose logarithm is taken.
_POWERS = np.exp(np.linspace(np.log(0.05), np.log(12.0), 56))
_LEAST_TO_SHARPEN = 1e-4
# Full steps are exact for rows of equal chances alone; shorter ones are safer.
_DAMPING = 0.8
# A class of a smaller share is one that no row can be: no factor raises it.
_LEAST_SHARE = 1e-12
# No confident mistake rules out a member, a class of a view, or a rare class, for good.
_LEAST_PROBA = 1e-6


def sharpen(
    proba: ArrayLike, sharpness: float, *, least: float = _LEAST_TO_SHARPEN
) -> FloatArray:
    r"""Raise class probabilities, `least` at least, to a power, and renormalise.

    .. math:: P_{ik} \mapsto P_{ik}^\beta \Big/ \sum_j P_{ij}^\beta
    """
    given = np.maximum(np.asarray(proba, dtype=np.float64), least)
    powers: FloatArray = (given / given.max(axis=1, keepdims=True)) ** sharpness
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def best_sharpness(
    proba: ArrayLike,
    targets: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    least: float = _LEAST_TO_SHARPEN,
) -> float:
    r"""Return the power of held-out probabilities that explains target distributions.

    .. math:: \max_\beta \sum_i v_i \sum_k T_{ik} \log P_{ik}(\beta)
        - \frac{(\log \beta)^2}{2}

    The last term keeps few rows from making a model infallible, or useless; without
    rows of positive weight the power is 1. Source: temperature scaling, C. Guo,
    G. Pleiss, Y. Sun, K. Weinberger, ICML 2017, https://arxiv.org/abs/1706.04599
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


def matching_factors(
    proba: ArrayLike,
    prior: ArrayLike,
    *,
    n_steps: int = 30,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the factors per class that give probabilities the wanted class shares.

    .. math:: b_k \leftarrow b_k \, (\pi_k / s_k(b))^{0.8}

    with s(b) the mean of :func:`reweigh` over rows; they sum to one, and are 0 where
    the prior is. Rows that are certain of their class cannot move. Sources: W. E.
    Deming, F. F. Stephan, Annals of Mathematical Statistics 11(4), 1940; M. Saerens,
    P. Latinne, C. Decaestecker, Neural Computation 14(1), 2002.
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
    r"""Multiply class probabilities by non-negative factors and renormalise.

    .. math:: P'_{ik} = \frac{b_k P_{ik}}{\sum_l b_l P_{il}}
    """
    b = np.asarray(factors, dtype=np.float64)
    product = np.asarray(proba, dtype=np.float64) * b
    # Rows certain of classes of factor zero, as if every class were a little possible.
    product = np.where(product.any(axis=1, keepdims=True), product, b)
    # The largest first: a sum of products that are almost zero loses its digits.
    product /= product.max(axis=1, keepdims=True)
    product /= product.sum(axis=1, keepdims=True)
    return product


def combine_views(first: ArrayLike, second: ArrayLike, prior: ArrayLike) -> FloatArray:
    r"""Join the class probabilities of two views independent given the class.

    .. math:: P(k \mid x_1, x_2) \propto P(k \mid x_1) \, P(k \mid x_2) / P(k)

    Source: A. Blum, T. Mitchell, "Combining Labeled and Unlabeled Data with
    Co-Training", COLT 1998.
    """
    one, other, shares = (
        np.log(np.maximum(np.asarray(proba, dtype=np.float64), _LEAST_PROBA))
        for proba in (first, second, prior)
    )
    logs = one + other - shares
    joint: FloatArray = np.exp(logs - logs.max(axis=1, keepdims=True))
    joint /= joint.sum(axis=1, keepdims=True)
    return joint


def blend_weights(
    likelihoods: ArrayLike,
    *,
    prior: ArrayLike | None = None,
    max_iter: int = 300,
    tol: float = 1e-6,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the weights of the mixture of members that best explains the labels.

    .. math:: \max_\theta \sum_i v_i \log \sum_m \theta_m L_{mi}
        + \sum_m \alpha_m \log \theta_m

    by expectation-maximisation, with :math:`L_{mi}` the probability that member m gave
    the true label of held-out row i, and a prior that counts as so many rows. Source:
    A. P. Dempster, N. M. Laird, D. B. Rubin, J. Royal Stat. Soc. B 39(1), 1977.
    """
    known = np.maximum(np.asarray(likelihoods, dtype=np.float64), _LEAST_PROBA)
    n_members, n = known.shape
    v = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    alpha = np.full(n_members, 0.5) if prior is None else np.asarray(prior, np.float64)
    blend: FloatArray = alpha / alpha.sum()
    if not v.any():
        return blend
    for _ in range(max_iter):
        joint = blend[:, None] * known
        counts = alpha + (joint / joint.sum(axis=0)) @ v
        previous, blend = blend, counts / counts.sum()
        if np.abs(blend - previous).max() <= tol:
            break
    return blend


def stacking_weights(
    errors: ArrayLike, *, weights: ArrayLike | None = None, n_prior: float = 1.0
) -> FloatArray:
    r"""Return the weights of the mean of at most ten models of least squared error.

    .. math:: \min_\theta \sum_i v_i \Big(\sum_m \theta_m e_{mi}\Big)^2
        + n_0 \bar{s} \sum_m \theta_m^2

    on the simplex, exactly, with the errors e of held-out rows and the least mean
    squared error :math:`\bar{s}` of a model. Source: L. Breiman, "Stacked Regressions",
    Machine Learning 24, 1996.
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


def leave_one_out(
    values: ArrayLike, vectors: ArrayLike, targets: ArrayLike, ridge: float
) -> tuple[FloatArray, FloatArray]:
    r"""Return dual coefficients of kernel ridge regression, and held-out predictions.

    .. math:: G = (U \Lambda U^\top + \lambda I)^{-1}, \qquad A = G Y, \qquad
        \hat{Y}_i = Y_i - A_i / G_{ii}

    so that one eigendecomposition of the kernel matrix serves every ridge. Source:
    R. Rifkin, R. Lippert, "Notes on Regularized Least Squares", MIT-CSAIL-TR-2007-025.
    """
    basis = np.asarray(vectors, dtype=np.float64)
    y = np.asarray(targets, dtype=np.float64)
    shrunk = 1 / (np.maximum(np.asarray(values, dtype=np.float64), 0) + ridge)
    coefficients = basis @ (shrunk[:, None] * (basis.T @ y))
    diagonal = (basis**2) @ shrunk
    return coefficients, y - coefficients / diagonal[:, None]

"""How much to trust each of several models, told from few rows of known label."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# One confident mistake must not veto a member.
_LEAST_LIKELIHOOD = 1e-6


def blend_weights(
    likelihoods: ArrayLike,
    *,
    sharpness: float = 8.0,
    n_prior: float = 30.0,
    max_iter: int = 200,
    tol: float = 1e-6,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the weights of the mixture of models that best explains the labels.

    With :math:`L_{mi}` the probability that member m gave the true label of the
    held-out row i, the weights :math:`\theta` on the simplex maximise

    .. math:: \sum_i v_i \log \sum_m \theta_m L_{mi} + \sum_m \alpha_m \log \theta_m,
        \qquad \alpha_m = n_0 \, \mathrm{softmax}_m \left(
        s \, \frac{\sum_i v_i \log L_{mi}}{\sum_i v_i} \right),

    by expectation-maximisation,

    .. math:: \theta_m \leftarrow \frac{\alpha_m + \sum_i v_i r_{mi}}
        {n_0 + \sum_i v_i}, \qquad
        r_{mi} = \frac{\theta_m L_{mi}}{\sum_l \theta_l L_{li}}.

    The prior is worth :math:`n_0` rows, spread as the members do on their own (s is
    the sharpness), so that few rows do not pick a single member by luck. The
    objective is concave: there is one best mixture.

    Parameters
    ----------
    likelihoods : array-like of shape (n_members, n)
        Probability of the true label of each held-out row; less than a millionth
        counts as that.
    sharpness : float, default=8.0
        How steeply the prior follows the mean log likelihood; 0 is a uniform prior.
    n_prior : float, default=30.0
        Number of rows that the prior is worth; with 0 the labels alone decide.
    max_iter : int, default=200
        Largest number of steps.
    tol : float, default=1e-6
        No weight moves by more in the last step.
    weights : array-like of shape (n,), default=None
        Non-negative weights v of the rows; a weight of two equals a row given twice.
        None counts every row once.

    Returns
    -------
    ndarray of shape (n_members,)
        Non-negative weights that sum to one; uniform without rows of positive weight.

    References
    ----------
    A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum Likelihood from Incomplete Data
    via the EM Algorithm", Journal of the Royal Statistical Society B 39(1), 1977.
    Stacking: D. H. Wolpert, "Stacked Generalization", Neural Networks 5(2), 1992.

    Examples
    --------
    >>> likelihoods = [[0.9, 0.9, 0.6], [0.4, 0.4, 0.5]]
    >>> blend_weights(likelihoods).round(2)
    array([0.99, 0.01])
    >>> blend_weights(likelihoods, sharpness=0).round(2)
    array([0.51, 0.49])
    """
    known = np.maximum(np.asarray(likelihoods, dtype=np.float64), _LEAST_LIKELIHOOD)
    n_members, n = known.shape
    v = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if not v.any():
        return np.full(n_members, 1 / n_members)
    start = _softmax(sharpness * (np.log(known) @ v) / v.sum())
    blend = start
    for _ in range(max_iter):
        joint = blend[:, None] * known
        counts = n_prior * start + (joint / joint.sum(axis=0)) @ v
        previous, blend = blend, counts / counts.sum()
        if np.abs(blend - previous).max() <= tol:
            break
    return blend


def _softmax(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max())
    shares: FloatArray = powers / powers.sum()
    return shares

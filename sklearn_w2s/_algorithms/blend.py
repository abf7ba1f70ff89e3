"""How much to trust each of several models, told from few rows of known label."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# One confident mistake must not veto a member.
_LEAST_LIKELIHOOD = 1e-6


def blend_weights(
    likelihoods: ArrayLike,
    *,
    prior: ArrayLike | None = None,
    max_iter: int = 300,
    tol: float = 1e-6,
    weights: ArrayLike | None = None,
) -> FloatArray:
    r"""Return the weights of the mixture of models that best explains the labels.

    With :math:`L_{mi}` the probability that member m gave the true label of the
    held-out row i, the weights :math:`\theta` on the simplex maximise

    .. math:: \sum_i v_i \log \sum_m \theta_m L_{mi} + \sum_m \alpha_m \log \theta_m

    by expectation-maximisation,

    .. math:: \theta_m \leftarrow \frac{\alpha_m + \sum_i v_i r_{mi}}
        {\sum_l \alpha_l + \sum_i v_i}, \qquad
        r_{mi} = \frac{\theta_m L_{mi}}{\sum_l \theta_l L_{li}}.

    The prior :math:`\alpha` counts as so many rows. The objective is concave: there is
    one best mixture.

    Parameters
    ----------
    likelihoods : array-like of shape (n_members, n)
        Probability of the true label of each held-out row; less than a millionth
        counts as that.
    prior : array-like of shape (n_members,), default=None
        Positive pseudo-counts of the members; None is half a row each.
    max_iter : int, default=300
        Largest number of steps.
    tol : float, default=1e-6
        No weight moves by more in the last step.
    weights : array-like of shape (n,), default=None
        Non-negative weights v of the rows; a weight of two equals a row given twice.
        None counts every row once.

    Returns
    -------
    ndarray of shape (n_members,)
        Positive weights that sum to one; those of the prior without rows of positive
        weight.

    References
    ----------
    A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum Likelihood from Incomplete Data
    via the EM Algorithm", Journal of the Royal Statistical Society B 39(1), 1977.
    Stacking: D. H. Wolpert, "Stacked Generalization", Neural Networks 5(2), 1992.

    Examples
    --------
    >>> likelihoods = [[0.9, 0.9, 0.6], [0.4, 0.4, 0.5]]
    >>> blend_weights(likelihoods).round(2)
    array([0.76, 0.24])
    >>> blend_weights(likelihoods, prior=[10, 90]).round(2)
    array([0.1, 0.9])
    """
    known = np.maximum(np.asarray(likelihoods, dtype=np.float64), _LEAST_LIKELIHOOD)
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

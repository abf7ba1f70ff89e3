"""Confidence intervals of shares."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
# Normal quantile of a two-sided level of 95%.
Z_95 = 1.959963984540054


def effective_size(weights: ArrayLike) -> float:
    r"""Return the number of equally weighted rows that tell as much.

    .. math:: \left(\sum_i w_i\right)^2 / \sum_i w_i^2

    Parameters
    ----------
    weights : array-like of shape (n,)
        Non-negative weights that do not sum to zero.

    Returns
    -------
    float
        Between 1 and n.

    References
    ----------
    L. Kish, "Survey Sampling", Wiley, 1965.

    Examples
    --------
    >>> effective_size([2.0, 2.0, 0.0])
    2.0
    """
    w = np.asarray(weights, dtype=np.float64)
    # Scaled first, so that squares neither over- nor underflow.
    w = w / w.max()
    return float(w.sum() ** 2 / (w @ w))


def share_interval(share: float, n: float, z: float) -> tuple[float, float]:
    r"""Return the Wilson score interval of a share among n independent rows.

    .. math:: \frac{o + z^2 / 2n \pm z \sqrt{o (1 - o) / n + z^2 / 4 n^2}}{1 + z^2 / n}

    with o the share. It stays within [0, 1] and has a length where the share is 0 or 1.

    Parameters
    ----------
    share : float
        Share in [0, 1].
    n : float
        Number of rows.
    z : float
        Quantile of the standard normal distribution, 1.96 for a level of 95%.

    Returns
    -------
    low, high : float
        Ends.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
    Inference", Journal of the American Statistical Association 22(158), 1927.

    Examples
    --------
    >>> low, high = share_interval(0.5, 100, 1.96)
    >>> round(low, 3), round(high, 3)
    (0.404, 0.596)
    """
    centre = share + z**2 / (2 * n)
    radius = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (centre - radius) / (1 + z**2 / n), (centre + radius) / (1 + z**2 / n)
    # It holds the share, and touches 0 or 1 with it, but for rounding.
    return float(np.clip(low, 0, share)), float(np.clip(high, share, 1))


def corrected_share(
    share: ArrayLike, found: ArrayLike, mistaken: ArrayLike, most: float = 1.0
) -> FloatArray:
    r"""Return the share of a kind among rows, given how often a test says so.

    .. math:: \frac{o - \mathrm{FPR}}{\mathrm{TPR} - \mathrm{FPR}}, \text{ clipped to }
        [0, 1]

    A bound on the one is a bound on the other.

    Parameters
    ----------
    share : float or array-like
        Share o of rows that the test says are of the kind.
    found : float or array-like
        Rate TPR at which it says so of rows of the kind; above `mistaken`.
    mistaken : float or array-like
        Rate FPR at which it says so of other rows.
    most : float, default=1.0
        Largest value; infinity for upper bounds that may lie above all shares.

    Returns
    -------
    ndarray
        Share in [0, `most`].

    References
    ----------
    W. J. Rogan, B. Gladen, "Estimating Prevalence from the Results of a Screening
    Test", American Journal of Epidemiology 107(1), 1978.

    Examples
    --------
    >>> corrected_share([0.3, 0.01], 0.8, 0.05).round(3)
    array([0.333, 0.   ])
    """
    rate, errors = np.asarray(found), np.asarray(mistaken)
    corrected: FloatArray = (np.asarray(share) - errors) / (rate - errors)
    return np.clip(corrected, 0, most)

"""What a strong estimator could learn from true labels, and weak ones do not teach."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.gap import gap_of_labels, largest_gap, smoother
from sklearn_w2s._validation import check_labels

FloatArray = NDArray[np.float64]


def prediction_gap(
    X_weak: ArrayLike,
    X_strong: ArrayLike,
    y: ArrayLike | None = None,
    *,
    alpha: float = 0.1,
    missing_label: Any = -1,
) -> float:
    r"""Return the share of labels that a weak representation keeps from a strong one.

    .. math:: \frac{\|P_s (I - P_w) Y\|}{\|Y\|}, \qquad
        P = K \left(K + \alpha \frac{\operatorname{tr} K}{n} I\right)^{-1},
        \quad K = X X^\top

    The smoothers :math:`P_w` and :math:`P_s` predict as ridge regressions on either
    representation do. Weak labels are :math:`P_w Y`; learning from them instead of Y
    costs the strong estimator the difference of :math:`P_s Y` and :math:`P_s P_w Y`,
    which is the numerator [1]_. It is 0 where the strong estimator taught by weak
    labels ends up as if it had been taught by true ones.

    Parameters
    ----------
    X_weak : array-like of shape (n, n_weak_features)
        Representation that the weak estimator sees.
    X_strong : array-like of shape (n, n_strong_features)
        Representation that the strong estimator sees, of the same rows.
    y : array-like of shape (n,), default=None
        Class labels of the rows. None gives the largest share that any labels could
        have: the largest singular value of :math:`P_s (I - P_w)`.
    alpha : float, default=0.1
        Regularisation of both smoothers, in units of the mean eigenvalue of their K.
    missing_label : scalar, default=-1
        Label of rows without one, which are left out where y is given, as are None,
        NaN, NaT and pandas.NA.

    Returns
    -------
    float
        Share in [0, 1]; smaller is better.

    Raises
    ------
    ValueError
        If lengths differ, if values are not finite, if `alpha` is not a positive
        number, or if y has one class only.

    See Also
    --------
    expansion : Whether weak labels can spread to hard rows.
    misfit : Lower bound on the gain of a fitted strong estimator.

    Notes
    -----
    Columns of both representations are centred, as by an intercept, but not scaled:
    scale them as the estimators do. Y has a column per class that is 1 in the rows of
    the class and 0 in others, centred as well; the norm is that of Frobenius. The thin
    singular value decompositions cost of the order of n d min(n, d) for d features, and
    no matrix of n by n is formed for d < n.

    Without labels the number is close to 1 as soon as one direction of the strong
    representation is foreign to the weak one, whether or not it matters. It tells
    representations apart only where the weak one nearly contains the strong one.

    References
    ----------
    .. [1] Y. Xue, J. Li and B. Mirzasoleiman, "Representations Shape Weak-to-Strong
       Generalization: Theoretical Insights and Empirical Predictions", 2025.
       https://arxiv.org/abs/2502.00620

    Examples
    --------
    A class that depends on two columns, of which the weak estimator sees one:

    >>> import numpy as np
    >>> from sklearn_w2s.metrics import prediction_gap
    >>> X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] * 10)
    >>> y = np.array([0, 0, 0, 1] * 10)
    >>> round(prediction_gap(X[:, :1], X, y), 3)
    0.574
    >>> round(prediction_gap(X, X, y), 3)
    0.004
    >>> round(prediction_gap(X[:, :1], X), 3)
    0.995
    """
    if not isinstance(alpha, Real) or not 0 < alpha < np.inf:
        msg = f"alpha={alpha!r} must be a positive number, such as 0.1."
        raise ValueError(msg)
    X_weak = check_array(X_weak, dtype=np.float64, input_name="X_weak")
    X_strong = check_array(X_strong, dtype=np.float64, input_name="X_strong")
    check_consistent_length(X_weak, X_strong, y)
    if y is None:
        return largest_gap(_smoother(X_weak, alpha), _smoother(X_strong, alpha))
    labels, labeled = check_labels(y, missing_label)
    weak, strong = (_smoother(X[labeled], alpha) for X in (X_weak, X_strong))
    return gap_of_labels(weak, strong, _targets(labels))


def _smoother(checked: FloatArray, alpha: Real) -> tuple[FloatArray, FloatArray]:
    centred: FloatArray = checked - checked.mean(axis=0)
    # The mean of equal numbers may differ from them in the last digit.
    centred[:, np.ptp(checked, axis=0) == 0] = 0
    return smoother(centred, float(alpha))


def _targets(labels: NDArray[Any]) -> FloatArray:
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        msg = (
            f"y holds the classes {classes.tolist()}; give rows of two classes "
            "or more, or y=None."
        )
        raise ValueError(msg)
    one_hot = np.eye(len(classes))[codes]
    centred: FloatArray = one_hot - one_hot.mean(axis=0)
    return centred

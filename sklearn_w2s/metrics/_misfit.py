"""How much a strong estimator disagrees with its weak labels, as a promised gain."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.gap import log_misfit, squared_misfit
from sklearn_w2s._sklearn import check_weights
from sklearn_w2s._validation import is_dataframe, require_distributions

LOSSES = {"squared": squared_misfit, "log": log_misfit}


def misfit(
    weak_proba: ArrayLike,
    strong_proba: ArrayLike,
    *,
    loss: str = "squared",
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Return how far the strong estimator is from its weak labels.

    If the strong estimator is the one of its class that is nearest to the weak labels,
    and if its class is convex and holds the true class probabilities, then by the
    theorem of Pythagoras for projections

    .. math:: \ell(y, w) - \ell(y, s) \ge D(s, w)

    in expectation over rows [1]_ [2]_: it gains on its teacher at least what it
    disagrees. No true label is needed.

    Parameters
    ----------
    weak_proba : {array-like, data frame} of shape (n, n_classes) or (n,)
        Class probabilities w of the weak estimator, or the values that it predicts.
    strong_proba : {array-like, data frame} of shape (n, n_classes) or (n,)
        Class probabilities s of the strong estimator for the same rows, with columns in
        the same order, or the values that it predicts.
    loss : {"squared", "log"}, default="squared"
        Loss :math:`\ell` of which a gain is promised, and the disagreement D with it:

        - "squared" : the Brier score :math:`\sum_k (y_k - p_k)^2`, which for two
          classes is twice the squared error of the second probability, and
          :math:`D = \sum_k (s_k - w_k)^2`; of values the squared error, in the squared
          unit of y, and :math:`D = (s - w)^2`;
        - "log" : the logarithmic loss, and
          :math:`D = \mathrm{KL}(s \| w) = \sum_k s_k \log(s_k / w_k)`.
    sample_weight : array-like of shape (n,), default=None
        Non-negative weights; None counts every row once.

    Returns
    -------
    float
        Mean of D over rows. For "log" it is infinite where the weak estimator rules out
        a class that the strong one does not.

    Raises
    ------
    ValueError
        If the loss is unknown, or "log" of values, if shapes or names of columns
        differ, if rows are no distributions, or if the weights are negative, not finite
        or all zero.

    See Also
    --------
    expansion : Whether weak labels can spread to hard rows.
    prediction_gap : What the weak estimator cannot teach.

    Notes
    -----
    What the promise takes, and where it fails:

    - *Nearest* is meant in D with s as its first argument. For "log" the strong
      estimator must minimise KL(s || w), not the usual cross-entropy, which minimises
      KL(w || s). A logistic regression on soft weak labels has the equality
      KL(w || f) - KL(s || f) = KL(w || s) for the true probabilities f if these are
      logistic: a gain in another loss.
    - *Convex* means that mixtures of two members of the class belong to it. Linear
      models of probabilities, values on fixed cells and mixtures of given estimators
      are convex classes; trees and boosting that choose their splits, and neural
      networks, are not.
    - Of values, y may be the value less a function of the row, with noise of mean zero:
      the squared error of w less that of s is then the same for y as for what is
      expected of it. Linear models on given features are a convex class.
    - The class must *hold the truth*. A strong estimator that cannot learn it, such as
      a tree without splits, disagrees much and loses.
    - *Weak labels of all rows*: a strong estimator that learns from chosen rows, from
      hard labels, or with regularisation is no projection of w.

    References
    ----------
    .. [1] M. Charikar, C. Pabbaraju and K. Shiragur, "Quantifying the Gain in
       Weak-to-Strong Generalization", 2024. https://arxiv.org/abs/2405.15116
    .. [2] A. Mulgund and C. Pabbaraju, "Relating Misfit to Gain in Weak-to-Strong
       Generalization Beyond the Squared Loss", 2025. https://arxiv.org/abs/2501.19105

    Examples
    --------
    >>> from sklearn_w2s.metrics import misfit
    >>> weak = [[0.5, 0.5], [0.5, 0.5]]
    >>> strong = [[1.0, 0.0], [0.5, 0.5]]
    >>> misfit(weak, strong)
    0.25
    >>> round(misfit(weak, strong, loss="log"), 3)
    0.347

    Of values, where the strong regressor gains four at least in squared error:

    >>> misfit([1.0, 5.0], [3.0, 3.0])
    4.0
    """
    if loss not in list(LOSSES):
        msg = f"loss={loss!r} must be one of {list(LOSSES)}."
        raise ValueError(msg)
    if np.ndim(weak_proba) == 1 and np.ndim(strong_proba) == 1:
        return _misfit_of_values(weak_proba, strong_proba, loss, sample_weight)
    weak = _as_distributions("weak_proba", weak_proba)
    strong = _as_distributions("strong_proba", strong_proba)
    check_consistent_length(weak, strong)
    _require_alike(weak_proba, strong_proba, weak.shape, strong.shape)
    weights = check_weights(sample_weight, weak)
    distance = LOSSES[loss](weak, strong)
    # A row of weight zero may be infinitely far.
    counted = weights > 0
    return float(np.average(distance[counted], weights=weights[counted]))


def _misfit_of_values(
    weak_values: Any, strong_values: Any, loss: str, sample_weight: Any
) -> float:
    if loss != "squared":
        msg = f'loss={loss!r} is that of probabilities. Of values it must be "squared".'
        raise ValueError(msg)
    weak, strong = (
        check_array(values, dtype=np.float64, ensure_2d=False, input_name=name)
        for name, values in (
            ("weak_proba", weak_values),
            ("strong_proba", strong_values),
        )
    )
    check_consistent_length(weak, strong)
    weights = check_weights(sample_weight, weak)
    distance = squared_misfit(weak[:, None], strong[:, None])
    return float(np.average(distance, weights=weights))


def _as_distributions(name: str, proba: Any) -> NDArray[np.float64]:
    checked: NDArray[np.float64] = check_array(
        proba, dtype=np.float64, input_name=name, ensure_min_features=2
    )
    require_distributions(checked, name=name)
    return checked


def _require_alike(
    weak_proba: Any,
    strong_proba: Any,
    weak_shape: tuple[int, ...],
    strong_shape: tuple[int, ...],
) -> None:
    if weak_shape != strong_shape:
        msg = (
            f"weak_proba has {weak_shape[1]} columns and strong_proba has "
            f"{strong_shape[1]}: give both one column per class, of the same classes."
        )
        raise ValueError(msg)
    if not (is_dataframe(weak_proba) and is_dataframe(strong_proba)):
        return
    names, others = list(weak_proba.columns), list(strong_proba.columns)
    if names != others:
        msg = (
            f"weak_proba has the columns {names} and strong_proba has {others}. Put "
            "the classes in the same order."
        )
        raise ValueError(msg)

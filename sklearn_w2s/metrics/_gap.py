"""Performance gap recovered and its regime, and the regret of a source selector."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.gap import recovered_share
from sklearn_w2s._warnings import warn

FloatArray = NDArray[np.float64]


def performance_gap_recovered(
    weak_score: ArrayLike,
    weak_to_strong_score: ArrayLike,
    ceiling_score: ArrayLike,
    *,
    zero_division: float | str = "warn",
) -> float | FloatArray:
    r"""Return the share of the gap between weak and ceiling that is recovered.

    .. math:: \frac{s_\text{weak-to-strong} - s_\text{weak}}
                   {s_\text{ceiling} - s_\text{weak}}

    is 0 where the strong estimator is as good as its weak labels, 1 where it is as good
    as if it had learned from true labels, and negative where it is worse than the weak
    estimator.

    Parameters
    ----------
    weak_score : float or array-like
        Score of the weak estimator; greater is better.
    weak_to_strong_score : float or array-like
        Score of the strong estimator fitted on weak labels.
    ceiling_score : float or array-like
        Score of the strong estimator fitted on true labels. The scores broadcast.
    zero_division : "warn" or float, default="warn"
        Value where there is no gap, that is unless the ceiling score is above the weak
        score. "warn" gives NaN and a warning; a number, NaN included, is taken without.

    Returns
    -------
    float or ndarray
        Share recovered: a float for three numbers. NaN where a score is NaN.

    Raises
    ------
    ValueError
        If a score is infinite, or if `zero_division` is neither "warn" nor a number.

    Warns
    -----
    UndefinedMetricWarning
        If `zero_division` is "warn" and there is no gap.

    References
    ----------
    C. Burns et al., "Weak-to-Strong Generalization: Eliciting Strong Capabilities With
    Weak Supervision", ICML 2024. https://arxiv.org/abs/2312.09390

    Examples
    --------
    >>> from sklearn_w2s.metrics import performance_gap_recovered
    >>> performance_gap_recovered(0.5, 0.625, 0.75)
    0.5
    >>> performance_gap_recovered([0.5, 0.5], [0.75, 0.25], 0.75)
    array([ 1., -1.])
    >>> performance_gap_recovered(0.75, 0.75, 0.5, zero_division=0.0)
    0.0
    """
    is_number = isinstance(zero_division, Real)
    if not is_number and zero_division != "warn":
        msg = f'zero_division={zero_division!r} must be "warn" or a number.'
        raise ValueError(msg)
    weak, strong, ceiling = np.broadcast_arrays(
        _as_scores("weak_score", weak_score),
        _as_scores("weak_to_strong_score", weak_to_strong_score),
        _as_scores("ceiling_score", ceiling_score),
    )
    # A NaN score is unknown, not a missing gap.
    no_gap = (ceiling <= weak) & ~np.isnan(strong)
    if not is_number and no_gap.any():
        warn(
            "The performance gap recovered is undefined, and set to NaN, where the "
            "ceiling score is not above the weak score: there is no gap to recover. "
            "Use `zero_division` to control this.",
            UndefinedMetricWarning,
        )
    share = recovered_share(weak, strong, ceiling)
    share = np.where(no_gap, zero_division if is_number else np.nan, share)
    return share if share.ndim else float(share)


def performance_gap_recovered_score(
    y_true: ArrayLike,
    y_weak: ArrayLike,
    y_weak_to_strong: ArrayLike,
    y_ceiling: ArrayLike,
    *,
    metric: Callable[..., float] = accuracy_score,
    greater_is_better: bool = True,
    sample_weight: ArrayLike | None = None,
    zero_division: float | str = "warn",
) -> float:
    """Return the performance gap recovered, computed from predictions.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True labels or values.
    y_weak : array-like of shape (n,) or as `metric` takes it
        Predictions of the weak estimator.
    y_weak_to_strong : array-like of shape (n,) or as `metric` takes it
        Predictions of the strong estimator fitted on weak labels.
    y_ceiling : array-like of shape (n,) or as `metric` takes it
        Predictions of the strong estimator fitted on true labels.
    metric : callable, default=accuracy_score
        ``metric(y_true, y_pred)``, or with ``sample_weight=...`` where weights are
        given.
    greater_is_better : bool, default=True
        Whether the metric is a score. False takes it for an error, such as
        :func:`~sklearn.metrics.root_mean_squared_error`.
    sample_weight : array-like of shape (n,), default=None
        Weights; None passes none to the metric.
    zero_division : "warn" or float, default="warn"
        Value where there is no gap, as in :func:`performance_gap_recovered`.

    Returns
    -------
    float
        Share recovered.

    Raises
    ------
    ValueError
        If the lengths differ.

    Warns
    -----
    UndefinedMetricWarning
        If `zero_division` is "warn" and there is no gap.

    Examples
    --------
    >>> from sklearn_w2s.metrics import performance_gap_recovered_score
    >>> y_true = [0, 1, 1, 0]
    >>> y_weak, y_strong, y_ceiling = [0, 1, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0]
    >>> performance_gap_recovered_score(y_true, y_weak, y_strong, y_ceiling)
    0.5

    Of values, in root mean squared error:

    >>> from sklearn.metrics import root_mean_squared_error
    >>> performance_gap_recovered_score(
    ...     [1.0, 3.0],
    ...     [5.0, 7.0],
    ...     [2.0, 4.0],
    ...     [1.0, 3.0],
    ...     metric=root_mean_squared_error,
    ...     greater_is_better=False,
    ... )
    0.75
    """
    predictions = (y_weak, y_weak_to_strong, y_ceiling)
    check_consistent_length(y_true, *predictions, sample_weight)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    sign = 1 if greater_is_better else -1
    weak, strong, ceiling = (sign * metric(y_true, y, **weights) for y in predictions)
    return float(
        performance_gap_recovered(weak, strong, ceiling, zero_division=zero_division)
    )


def gap_regime(gap_recovered: ArrayLike) -> str | NDArray[np.str_]:
    """Name the regime that a performance gap recovered stands for.

    The paper distinguishes three regimes: too little overlap for the strong estimator
    to learn from, enough to improve on the weak estimator, and so much that it nears
    the ceiling. It gives no numbers; here they are:

    ========== =========================
    regime     performance gap recovered
    ========== =========================
    low        at most 0
    medium     between 0 and 0.5
    high       at least 0.5
    undefined  NaN
    ========== =========================

    Parameters
    ----------
    gap_recovered : float or array-like
        Performance gap recovered.

    Returns
    -------
    str or ndarray of str
        "low", "medium", "high" or "undefined": a string for a number.

    References
    ----------
    C. Shin, J. Cooper and F. Sala, "Weak-to-Strong Generalization Through the
    Data-Centric Lens", ICLR 2025. https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> from sklearn_w2s.metrics import gap_regime
    >>> gap_regime(0.7)
    'high'
    >>> gap_regime([-0.1, 0.3, float("nan")])
    array(['low', 'medium', 'undefined'], dtype='<U9')
    """
    share = np.asarray(gap_recovered, dtype=np.float64)
    conditions = [np.isnan(share), share <= 0, share < 0.5]
    regime = np.select(conditions, ["undefined", "low", "medium"], "high")
    return regime if regime.ndim else str(regime)


def source_regret(
    history: Mapping[str, Any], overlap_density: Mapping[Any, float] | None = None
) -> dict[str, float]:
    r"""Return how many overlap rows were missed by not drawing from the best source.

    .. math:: \sum_k n_k (o^* - o_k)

    with :math:`n_k` the rows drawn of source k, :math:`o_k` its overlap density and
    :math:`o^*` that of the densest source. The *floor* is what the first draws of every
    source miss, which cannot be avoided without knowing the densities; the *excess* is
    the rest, which is due to the policy. The excess of the best policies grows like
    the logarithm of the number of rows [1]_.

    Parameters
    ----------
    history : dict of str to array-like of shape (n_rounds,)
        The `history_` of a :class:`~sklearn_w2s.UCBSourceSelector`, of which "source",
        "n_drawn", "index" (NaN in the first draws) and "overlap_density" are used.
    overlap_density : dict of str to float, default=None
        True densities by name of the source. None takes the last estimates, which makes
        the regret an estimate as well.

    Returns
    -------
    dict of str to float
        "floor", "excess" and "total", in rows.

    Raises
    ------
    ValueError
        If `overlap_density` lacks a source that was drawn.

    References
    ----------
    .. [1] T. L. Lai, H. Robbins, "Asymptotically Efficient Adaptive Allocation Rules",
       Advances in Applied Mathematics 6(1), 1985.

    Examples
    --------
    >>> from sklearn_w2s.metrics import source_regret
    >>> history = {
    ...     "source": ["north", "south", "south", "north"],
    ...     "n_drawn": [10, 10, 10, 10],
    ...     "index": [float("nan"), float("nan"), 0.6, 0.5],
    ... }
    >>> source_regret(history, {"north": 0.25, "south": 0.5})
    {'floor': 2.5, 'excess': 2.5, 'total': 5.0}
    """
    source = np.asarray(history["source"]).tolist()
    if overlap_density is None:
        # The last entry of a source is the one that counts.
        overlap_density = dict(zip(source, history["overlap_density"], strict=True))
    unknown = sorted({str(name) for name in source if name not in overlap_density})
    if unknown:
        msg = (
            f"overlap_density lacks the sources {unknown}, which were drawn. Give the "
            "density of every source."
        )
        raise ValueError(msg)
    best = np.nanmax(list(overlap_density.values()))
    missed = np.array([best - overlap_density[name] for name in source])
    n_drawn = np.asarray(history["n_drawn"])
    # Of a source that only failed no row was drawn, and its density is unknown.
    regret = np.where(n_drawn > 0, n_drawn * missed, 0)
    is_first = np.isnan(np.asarray(history["index"], dtype=np.float64))
    parts = {"floor": regret[is_first].sum(), "excess": regret[~is_first].sum()}
    parts["total"] = regret.sum()
    return {name: float(part) for name, part in parts.items()}


def _as_scores(name: str, score: Any) -> FloatArray:
    values = np.asarray(score, dtype=np.float64)
    if np.isinf(values).any():
        msg = f"{name}={score!r} must be finite or NaN."
        raise ValueError(msg)
    return values

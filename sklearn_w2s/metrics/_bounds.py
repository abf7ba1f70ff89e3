"""What theory promises of a strong estimator, or rules out, without its test labels."""

from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.gap import (
    corner_sets,
    expansion_bounds,
    gap_of_labels,
    largest_gap,
    log_misfit,
    smoother,
    squared_misfit,
)
from sklearn_w2s._algorithms.overlap import HARD, OVERLAP
from sklearn_w2s._sklearn import check_weights
from sklearn_w2s._validation import (
    check_frame,
    check_labels,
    check_regions,
    is_dataframe,
    require_distributions,
)

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

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
        differ, if rows are not distributions, or if the weights are negative, not
        finite or all zero.

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
      hard labels, or with regularisation is not a projection of w.

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
        msg = f'loss={loss!r} must be "squared" for values: "log" is of probabilities.'
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


def _as_distributions(name: str, proba: Any) -> FloatArray:
    checked: FloatArray = check_array(
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


def expansion(
    X: ArrayLike,
    regions: ArrayLike,
    *,
    q: float = 0.1,
    y: ArrayLike | None = None,
    missing_label: Any = -1,
    n_neighbors: int = 10,
    metric: str = "euclidean",
) -> dict[str, Any]:
    r"""Return how much of the overlap rows every set of hard rows has as neighbours.

    Overlap rows A expand to hard rows B by c above the mass q where

    .. math:: \frac{|N(U) \cap A|}{|A|} \ge c \, \frac{|U|}{|B|}
        \quad \text{for every } U \subseteq B \text{ with } |U| > q |B|

    with the neighbours N(U) of any row in U [1]_. The larger the c, the less a strong
    estimator whose predictions change little between neighbours can be wrong about hard
    rows while it agrees with the weak labels of overlap rows. No label is needed.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n, n_features)
        Representation of the strong estimator, in which rows near one another should
        get the same prediction.
    regions : array-like of shape (n,)
        "easy", "hard" or "overlap". Easy rows play no part.
    q : float, default=0.1
        Share of the hard rows in [0, 1) that a set must exceed to be looked at.
    y : array-like of shape (n,), default=None
        Class labels, true or weak. With them every class has a separate graph, and
        the result is that of the class that expands least. None takes all rows as one.
    missing_label : scalar, default=-1
        Label of rows without one, which are left out, as are None, NaN, NaT and
        pandas.NA.
    n_neighbors : int, default=10
        Two rows are neighbours if either is among so many nearest of the other, of all
        hard and overlap rows taken together.
    metric : str, default="euclidean"
        Distance, as :class:`~sklearn.neighbors.NearestNeighbors` takes it.

    Returns
    -------
    dict
        - "expansion" : float in [0, 1], the largest c that is certain;
        - "upper_bound" : float, the ratio that the worst set attains: c is not larger.
          Where both are equal they are exact;
        - "worst_set" : ndarray, positions in X of the hard rows of that set;
        - "set_mass" and "neighbor_mass" : ndarrays of shape (n_corners,), shares
          :math:`|U| / |B|` and :math:`|N(U)| / |A|` at the corners of the curve below
          which no set lies;
        - "by_class" : dict from class to its c, empty without `y`.

    Raises
    ------
    ValueError
        If `q` or `n_neighbors` is out of its range, if lengths differ, if X is not
        finite, or if there is no hard or no overlap row, in some class where `y` is
        given.

    See Also
    --------
    overlap_density : The share of overlap rows.
    prediction_gap : What the weak estimator cannot teach, from linear algebra.

    Notes
    -----
    There are :math:`2^{|B|}` sets. For a price u / v of a hard row, the set that
    minimises :math:`v |N(U)| - u |U|` is a minimum cut: of a network from a source to
    each hard row with capacity u, to its neighbours, and from each of these to a sink
    with capacity v. The cuts at all prices are the corners of the largest convex curve
    that no set lies below. It gives c, exactly where the smallest mass above q is that
    of a corner, and from below in between; all capacities are integers.

    The number is pessimistic. All sets count, also those that no strong estimator would
    be wrong on together; c = 0 means that a share q of the hard rows has no overlap row
    nearby, not that nothing can be learned about them. It does not measure the weak
    labels themselves, and depends on `n_neighbors`, with which it grows: compare values
    at the same `n_neighbors` and about the same number of rows.

    References
    ----------
    .. [1] H. Lang, D. Sontag and A. Vijayaraghavan, "Theoretical Analysis of
       Weak-to-Strong Generalization", 2024. https://arxiv.org/abs/2405.16043

    Examples
    --------
    Two hard rows have an overlap row nearby, two have not:

    >>> from sklearn_w2s.metrics import expansion
    >>> X = [[0.0], [0.1], [1.0], [1.1], [9.0], [9.1]]
    >>> regions = ["hard", "overlap", "hard", "overlap", "hard", "hard"]
    >>> result = expansion(X, regions, q=0.25, n_neighbors=1)
    >>> result["expansion"], result["worst_set"].tolist()
    (0.0, [4, 5])
    >>> result["set_mass"].tolist(), result["neighbor_mass"].tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.0, 1.0])
    >>> round(expansion(X, regions, q=0.5, n_neighbors=1)["expansion"], 3)
    0.667
    """
    names = check_regions(regions)
    if is_dataframe(X):
        check_frame(X)
    X = check_array(X, accept_sparse="csr", input_name="X")
    check_consistent_length(X, names)
    if not isinstance(q, Real) or not 0 <= q < 1:
        msg = f"q={q!r} must be a share of the hard rows in [0, 1), such as 0.1."
        raise ValueError(msg)
    if not isinstance(n_neighbors, Integral) or n_neighbors < 1:
        msg = f"n_neighbors={n_neighbors!r} must be a positive integer."
        raise ValueError(msg)
    nearest = NearestNeighbors(n_neighbors=n_neighbors, metric=metric)
    if y is None:
        return _expand(X, names, np.ones(len(names), dtype=bool), nearest, q) | {
            "by_class": {}
        }
    labels, labeled = check_labels(y, missing_label)
    check_consistent_length(X, labeled)
    if not labeled.any():
        msg = "y has no label; give some, or y=None to take all rows as one class."
        raise ValueError(msg)
    classes, codes = np.unique(labels, return_inverse=True)
    code = np.full(len(labeled), -1)
    code[labeled] = codes
    found = {
        label: _expand(X, names, code == k, nearest, q, f" of class {label!r}")
        for k, label in enumerate(classes.tolist())
    }
    worst = min(found.values(), key=lambda result: result["expansion"])
    return worst | {"by_class": {c: r["expansion"] for c, r in found.items()}}


def _expand(
    X: Any,
    regions: NDArray[np.str_],
    chosen: BoolArray,
    nearest: NearestNeighbors,
    q: float,
    whose: str = "",
) -> dict[str, Any]:
    hard = np.flatnonzero(chosen & (regions == HARD))
    overlap = np.flatnonzero(chosen & (regions == OVERLAP))
    for region, rows in ((HARD, hard), (OVERLAP, overlap)):
        if not len(rows):
            msg = (
                f'regions has no "{region}" row{whose}: expansion is from overlap rows '
                "to hard rows and needs both."
            )
            raise ValueError(msg)
    if nearest.n_neighbors >= len(hard) + len(overlap):
        msg = (
            f"n_neighbors={nearest.n_neighbors} must be less than the number of hard "
            f"and overlap rows{whose}, {len(hard) + len(overlap)}."
        )
        raise ValueError(msg)
    graph = nearest.fit(X[np.concatenate([hard, overlap])]).kneighbors_graph()
    graph = csr_matrix(graph.maximum(graph.T))[: len(hard), len(hard) :]
    sets = corner_sets(
        len(hard), partial(_neighbors_of, graph), partial(_cheapest_set, graph)
    )
    set_mass = np.array([rows.mean() for rows in sets])
    neighbor_mass = np.array([_neighbors_of(graph, rows).mean() for rows in sets])
    low, high, corner = expansion_bounds(set_mass, neighbor_mass, n_rows=len(hard), q=q)
    return {
        "expansion": low,
        "upper_bound": high,
        "worst_set": hard[sets[corner]],
        "set_mass": set_mass,
        "neighbor_mass": neighbor_mass,
    }


def _neighbors_of(graph: csr_matrix, rows: BoolArray) -> BoolArray:
    reached = np.zeros(graph.shape[1], dtype=bool)
    reached[graph[np.flatnonzero(rows)].indices] = True
    return reached


def _cheapest_set(
    graph: csr_matrix, rows: BoolArray, covered: BoolArray, u: int, v: int
) -> BoolArray:
    """Return the smallest set U of rows that minimises v |N(U)| - u |U|."""
    candidates = np.flatnonzero(rows)
    network = _network(graph[candidates][:, np.flatnonzero(covered)], u, v)
    flow = maximum_flow(network, 0, network.shape[0] - 1).flow
    residual = csr_matrix(network - flow)
    residual.eliminate_zeros()
    # What the source still reaches is its side of the smallest of all minimum cuts.
    reached = breadth_first_order(residual, 0, return_predecessors=False)
    is_row = (reached >= 1) & (reached <= len(candidates))
    cheapest: BoolArray = np.zeros(len(rows), dtype=bool)
    cheapest[candidates[reached[is_row] - 1]] = True
    return cheapest


def _network(graph: csr_matrix, u: int, v: int) -> csr_matrix:
    """Return the network of the source, rows, covered rows and the sink, in order."""
    n_rows, n_covered = graph.shape
    edges = graph.tocoo()
    rows = 1 + np.arange(n_rows)
    covered = 1 + n_rows + np.arange(n_covered)
    sink = 1 + n_rows + n_covered
    start = np.concatenate([np.zeros(n_rows, dtype=np.intp), rows[edges.row], covered])
    end = np.concatenate([rows, covered[edges.col], np.full(n_covered, sink)])
    # No more than u enters a row, so that an edge of u + 1 is never full.
    capacity = np.repeat([u, u + 1, v], [n_rows, edges.nnz, n_covered])
    return csr_matrix(
        (capacity.astype(np.int32), (start, end)), shape=(sink + 1, sink + 1)
    )


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
    representation is foreign to the weak one, whether or not it matters. It
    distinguishes representations only where the weak one nearly contains the strong
    one.

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

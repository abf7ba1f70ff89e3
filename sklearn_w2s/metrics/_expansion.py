"""How far labels could spread from overlap rows to hard rows."""

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

from sklearn_w2s._algorithms.gap import corner_sets, expansion_bounds
from sklearn_w2s._algorithms.overlap import HARD, OVERLAP
from sklearn_w2s._validation import check_frame, check_labels, is_dataframe
from sklearn_w2s.metrics._overlap import check_regions

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]


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
        Class labels, true or weak. With them every class has a graph of its own, and
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
    be wrong on together; c = 0 says that a share q of the hard rows has no overlap row
    nearby, not that nothing can be learned about them. It says nothing about the weak
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

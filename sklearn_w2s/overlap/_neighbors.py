"""Overlap scores from a neighbour search, exact or approximate."""

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone

from sklearn_w2s._algorithms.similarity import unit_rows

# From distances between rows of length one to cosines.
_COSINES = {
    "cosine": lambda distance: 1 - distance,
    "euclidean": lambda distance: 1 - distance**2 / 2,
    "sqeuclidean": lambda distance: 1 - distance / 2,
}


def is_neighbors_transformer(measure):
    """Say whether an overlap measure is a transformer rather than a name or function.

    Parameters
    ----------
    measure : object
        What the user passed.

    Returns
    -------
    bool
        Whether it is an instance with `fit` and `transform`.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsTransformer
    >>> is_neighbors_transformer(KNeighborsTransformer())
    True
    >>> is_neighbors_transformer("max_abs_cosine")
    False
    """
    able = hasattr(measure, "fit") and hasattr(measure, "transform")
    return able and not isinstance(measure, type)


class NeighborsMeasure:
    r"""Similarity of a row to the hard row that a neighbour search finds nearest.

    With a metric of "euclidean", "l2", "minkowski" with p=2, "sqeuclidean" or "cosine",
    rows are scaled to length one and the score is that of "max_abs_cosine",
    :math:`\max_{h \in H} |\cos(x, h)|`, as far as the search is exact: the nearest
    neighbour of x or of -x has the largest absolute cosine. With any other metric, or
    metric parameters, rows stay as they are and the score is the negative distance
    :math:`-\min_{h \in H} d(x, h)`.

    Only the nearest of the neighbours counts: of an exact search, one is enough, while
    an approximate one misses fewer nearest rows the more it is asked for.

    Parameters
    ----------
    transformer : transformer instance
        Cloned. Its `transform` gives the distances to its neighbours as a sparse matrix
        of shape (n, n_references), as
        :class:`~sklearn.neighbors.KNeighborsTransformer` does.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsTransformer
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, -4.0]])
    >>> measure = NeighborsMeasure(KNeighborsTransformer(n_neighbors=1))
    >>> measure.fit(rows, None, np.array([0, 1]), np.ones(3)).score(rows, None)
    array([1. , 1. , 0.8])
    """

    def __init__(self, transformer):
        self.transformer = transformer

    def fit(self, rows, weak_rows, hard, weights):
        """Index the hard rows.

        Raises
        ------
        ValueError
            If the transformer gives no distances, or asks for more neighbours than
            there are hard rows.
        """
        self.search = clone(self.transformer)
        parameters = self.search.get_params()
        self._require_distances(parameters)
        self.metric = _metric_of_directions(parameters)
        self.references = indexed = rows[hard]
        if self.metric:
            self.references = unit_rows(indexed)
            # Zeros are near every direction, yet similar to none: never to be found.
            indexed = self.references[_is_nonzero(self.references)]
        self.n_indexed = indexed.shape[0]
        if self.n_indexed:
            self._require_enough(parameters.get("n_neighbors"))
            self.search.fit(indexed)
        return self

    def score(self, rows, weak_rows):
        """Return the similarity of each row to the nearest reference.

        Raises
        ------
        ValueError
            If the transformer gives no graph of distances to the references, or finds
            no neighbour of some row.
        """
        scores = np.zeros(rows.shape[0], dtype=rows.dtype)
        if not self.n_indexed:
            return scores
        if not self.metric:
            scores[:] = -self._require_found(self._nearest(rows))
            return scores
        unit = unit_rows(rows)
        directed = _is_nonzero(unit)
        if directed.any():
            directions = unit[directed]
            # An absolute cosine is the larger one of both orientations.
            nearest = np.minimum(self._nearest(directions), self._nearest(-directions))
            scores[directed] = _COSINES[self.metric](self._require_found(nearest))
        return scores

    def _nearest(self, rows):
        # A sparse graph fits no data frame.
        with config_context(transform_output="default"):
            graph = self.search.transform(rows)
        if not sp.issparse(graph) or graph.shape != (rows.shape[0], self.n_indexed):
            shape = getattr(graph, "shape", None)
            msg = (
                f"overlap_measure={self.transformer!r} returned {type(graph).__name__} "
                f"of shape {shape}; it must return a sparse matrix of distances of "
                f"shape ({rows.shape[0]}, {self.n_indexed}), one column per hard row. "
                "Pass a neighbours transformer such as KNeighborsTransformer."
            )
            raise ValueError(msg)
        graph = graph.tocsr()
        nearest = np.full(rows.shape[0], np.inf)
        filled = np.flatnonzero(np.diff(graph.indptr))
        # A stored zero is a distance; what is not stored is unknown.
        nearest[filled] = np.minimum.reduceat(graph.data, graph.indptr[filled])
        return nearest

    def _require_distances(self, parameters):
        modes = [v for k, v in parameters.items() if k.split("__")[-1] == "mode"]
        if "connectivity" in modes:
            msg = (
                f"overlap_measure={self.transformer!r} says which rows are neighbours, "
                'but not how near they are. Pass mode="distance".'
            )
            raise ValueError(msg)

    def _require_enough(self, n_neighbors):
        # By convention, transformers return one neighbour more than they are asked for.
        if n_neighbors is not None and self.n_indexed <= n_neighbors:
            msg = (
                f"overlap_measure={self.transformer!r} needs more than n_neighbors="
                f"{n_neighbors} hard rows to search, but there are {self.n_indexed}. "
                "Lower n_neighbors, for only the nearest one counts, or pass "
                'overlap_measure="max_abs_cosine".'
            )
            raise ValueError(msg)

    def _require_found(self, nearest):
        n_lonely = np.count_nonzero(~np.isfinite(nearest))
        if n_lonely:
            msg = (
                f"overlap_measure={self.transformer!r} found no hard row near "
                f"{n_lonely} of {len(nearest)} rows. Widen its search (a larger radius "
                "or n_neighbors), or pass KNeighborsTransformer."
            )
            raise ValueError(msg)
        return nearest


def _metric_of_directions(parameters):
    """Return the key of `_COSINES` that the metric has, or None."""
    if parameters.get("metric_params") or parameters.get("metric_kwds"):
        return None
    metric = parameters.get("metric")
    if metric == "l2" or (metric == "minkowski" and parameters.get("p", 2) == 2):
        return "euclidean"
    return metric if isinstance(metric, str) and metric in _COSINES else None


def _is_nonzero(unit):
    # Rows of length one or zero: their sums neither over- nor underflow.
    return np.asarray(abs(unit).sum(axis=1)).ravel() > 0

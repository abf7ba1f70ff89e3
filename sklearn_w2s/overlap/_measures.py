"""Overlap measures: how much a row looks as if it carried the hard pattern.

A measure is fitted once on the rows of `fit` and then scores any rows. To add one,
write a subclass of `Measure` and name it in `MEASURES`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from joblib import effective_n_jobs
from sklearn import get_config
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.utils import gen_even_slices
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from sklearn_w2s._algorithms import similarity_xp
from sklearn_w2s._algorithms.similarity import (
    largest_similarity,
    mean_similarity,
    unit_rows,
)
from sklearn_w2s._cross_fit import out_of_bag_proba
from sklearn_w2s._neighbors import distances_to, require_distances, require_enough
from sklearn_w2s._seeds import draw_seed
from sklearn_w2s._sklearn import move_like, namespace_of, safe_indexing, to_numpy
from sklearn_w2s._validation import check_scores, place_of

# Residuals of less than so many units in the last place of the largest entry are none.
_ROUNDING = 1000


class Measure:
    """An overlap measure, and what it declares.

    Attributes
    ----------
    second_view : {"weak", "unseen"}
        What `fit` and `score` get beside the rows: the weak view, or the codes of the
        weak labels followed by the columns that the weak estimator does not see.
    takes_sparse : bool
        Whether rows may be sparse.
    needs_numpy : bool
        Whether rows must be NumPy arrays or sparse matrices.
    is_random : bool
        Whether it draws at random, so that laws hold approximately.
    """

    second_view = "weak"
    takes_sparse = True
    needs_numpy = False
    is_random = False

    references: Any

    def fit(self, rows, second, hard, weights) -> "Measure":
        """Learn from rows, of which those at the positions `hard` become references."""
        raise NotImplementedError

    def score(self, rows, second) -> Any:
        """Return a score for each row: the higher, the more of the hard pattern."""
        raise NotImplementedError

    def fit_score(self, rows, second, hard, weights, rng) -> Any:
        """Fit on rows, some of them hard, and return the scores of all."""
        return self.fit(rows, second, hard, weights).score(rows, second)


class Similarity(Measure):
    """Similarity of a row to the hard rows.

    Parameters
    ----------
    cosine : bool
        Compare directions instead of inner products.
    reduce : {"max", "mean"}
        Over the hard rows.
    absolute : bool
        Whether opposite directions count as similar.
    n_jobs : int or None
        Parts of the rows that are scored at the same time.
    """

    def __init__(self, *, cosine, reduce="max", absolute=True, n_jobs=None):
        self.cosine = cosine
        self.reduce = reduce
        self.absolute = absolute
        self.n_jobs = n_jobs

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        references = safe_indexing(rows, hard)
        unit = _for_namespace(rows)[0]
        self.references = unit(references) if self.cosine else references
        self.weights = move_like(weights[hard], rows)
        return self

    def score(self, rows, weak_rows):
        """Return the similarity of each row to the references."""
        if not self.references.shape[0]:
            return np.zeros(rows.shape[0])
        n_parts = min(effective_n_jobs(self.n_jobs), rows.shape[0])
        working_bytes = int(get_config()["working_memory"] * 2**20) // n_parts
        if n_parts == 1:
            return self._score_part(rows, working_bytes)
        # The matrix products must not start threads of their own beside these.
        with threadpool_limits(1, user_api="blas"):
            parts = Parallel(n_jobs=n_parts, require="sharedmem")(
                delayed(self._score_part)(safe_indexing(rows, part), working_bytes)
                for part in gen_even_slices(rows.shape[0], n_parts)
            )
        return np.concatenate(parts)

    def _score_part(self, rows, working_bytes):
        _, largest, mean = _for_namespace(rows)
        if self.reduce == "mean":
            scores = mean(
                rows, self.references, self.weights, working_bytes, unit=self.cosine
            )
        else:
            scores = largest(
                rows,
                self.references,
                working_bytes,
                absolute=self.absolute,
                unit=self.cosine,
            )
        return to_numpy(scores)


def _for_namespace(rows):
    """Return the functions for unit rows, largest and mean similarity."""
    xp, _ = namespace_of(rows)
    if xp is None:
        return unit_rows, largest_similarity, mean_similarity
    return tuple(
        partial(function, xp)
        for function in (
            similarity_xp.unit_rows,
            similarity_xp.largest_similarity,
            similarity_xp.mean_similarity,
        )
    )


class Unexplained(Measure):
    r"""Length of what the weak view does not explain of a row.

    The rows are regressed on their weak view v with weighted least squares over the
    rows of `fit`, :math:`r(x) = \varphi(x) - B^T v(x) - b`; the score is
    :math:`\lVert r(x) \rVert_2`. Hard rows play no part in it.
    """

    # The least squares of scikit-learn have no sparse targets.
    takes_sparse = False
    needs_numpy = True

    def fit(self, rows, weak_rows, hard, weights):
        """Regress the rows on their weak view."""
        if sp.issparse(rows) or sp.issparse(weak_rows):
            msg = (
                'overlap_measure="unexplained" needs dense rows. Pass representation='
                "TruncatedSVD(), or another overlap_measure."
            )
            raise ValueError(msg)
        self.references = rows[hard]
        self.regression = LinearRegression().fit(weak_rows, rows, weights)
        self.rounding = _ROUNDING * np.finfo(rows.dtype).eps * np.abs(rows).max()
        return self

    def score(self, rows, weak_rows):
        """Return the length of each row's residual."""
        # A single column of rows comes back one-dimensional.
        explained = self.regression.predict(weak_rows).reshape(rows.shape)
        lengths = np.linalg.norm(rows - explained, axis=1)
        # Of rows that are explained, rounding errors must not make two groups.
        return np.where(lengths > self.rounding, lengths, 0)


class FunctionMeasure(Measure):
    """A function of the user, ``func(rows, hard_rows, weak_rows) -> scores``."""

    def __init__(self, func):
        self.func = func

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        self.references = safe_indexing(rows, hard)
        return self

    def score(self, rows, weak_rows):
        """Call the function."""
        scores = to_numpy(self.func(rows, self.references, weak_rows))
        return check_scores(scores, rows.shape[0], name="overlap_measure")


class Agreement(Measure):
    r"""How far the other columns agree with the weak label.

    A random forest learns the weak labels from the columns that the weak estimator does
    not see, or from all where it sees all. The score is

    .. math:: \frac{q(\hat y \mid x)}{\pi(\hat y)}

    with :math:`\hat y` the weak label of a row, q the probability that the forest gives
    it, out-of-bag for the rows of `fit`, and :math:`\pi` its share among the weak
    labels. Where the two patterns of a row belong together, each tells the label of the
    other; where one of them is another row's, they agree by chance only. Hard rows play
    no part in it.

    Parameters
    ----------
    n_jobs : int or None
        Trees grown at the same time.
    """

    second_view = "unseen"
    needs_numpy = True
    is_random = True

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    def fit_score(self, rows, context, hard, weights, rng):
        """Grow the forest; return the out-of-bag scores of its rows.

        Parameters
        ----------
        rows : {ndarray, csr matrix} of shape (n, n_components)
            Rows; those at `hard` are kept as references.
        context : {ndarray, csr matrix} of shape (n, 1 + n_other)
            Codes of the weak labels, then the other columns as numbers.
        hard : ndarray of int
            Positions of the hard rows.
        weights : ndarray of shape (n,)
            Non-negative weights.
        rng : RandomState instance
            Seeds the forest.

        Returns
        -------
        ndarray of shape (n,)
            Scores.
        """
        self.references = safe_indexing(rows, hard)
        codes, other = _parts(context)
        self.classes, labels = np.unique(codes, return_inverse=True)
        self.shares = np.bincount(labels, weights=weights) / weights.sum()
        self.forest = RandomForestClassifier(
            200,
            min_samples_leaf=3,
            n_jobs=self.n_jobs,
            random_state=draw_seed(rng),
        ).fit(other, codes, sample_weight=weights)
        proba = out_of_bag_proba(self.forest, other)
        # Every tree may have seen a row, if it is one of few or of great weight.
        proba[np.isnan(proba[:, 0])] = 1 / len(self.classes)
        return self._lift(codes, proba)

    def score(self, rows, context):
        """Return the score of each row."""
        codes, other = _parts(context)
        return self._lift(codes, self.forest.predict_proba(other))

    def _lift(self, codes, proba):
        # A label that no row of the fit had is agreed with by none.
        known = np.isin(codes, self.classes)
        position = np.searchsorted(self.classes, codes[known])
        found, share = proba[known, position], self.shares[position]
        lift = np.zeros(len(codes))
        lift[known] = np.divide(found, share, out=np.zeros_like(found), where=share > 0)
        return lift


def _parts(context):
    codes = context[:, [0]]
    codes = codes.toarray() if sp.issparse(codes) else codes
    return codes.ravel(), context[:, 1:]


# From distances between rows of length one to cosines.
_COSINES = {
    "cosine": lambda distance: 1 - distance,
    "euclidean": lambda distance: 1 - distance**2 / 2,
    "sqeuclidean": lambda distance: 1 - distance / 2,
}


def is_neighbors_transformer(measure):
    """Say whether an overlap measure is a transformer, not a name or function."""
    able = hasattr(measure, "fit") and hasattr(measure, "transform")
    return able and not isinstance(measure, type)


class NeighborsMeasure(Measure):
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

    needs_numpy = True

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
        require_distances(self.search, name="overlap_measure")
        self.metric = _metric_of_directions(self.search.get_params())
        self.references = indexed = rows[hard]
        if self.metric:
            self.references = unit_rows(indexed)
            # Zeros are near every direction, yet similar to none: never to be found.
            indexed = self.references[_is_nonzero(self.references)]
        self.n_indexed = indexed.shape[0]
        if self.n_indexed:
            require_enough(
                self.search,
                self.n_indexed,
                name="overlap_measure",
                rows="hard rows",
                fix="Lower n_neighbors, for only the nearest one counts, or pass "
                'overlap_measure="max_abs_cosine".',
            )
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
        graph = distances_to(
            self.search,
            "transform",
            rows,
            self.n_indexed,
            name="overlap_measure",
            columns="hard row",
        )
        nearest = np.full(rows.shape[0], np.inf)
        filled = np.flatnonzero(np.diff(graph.indptr))
        # A stored zero is a distance; what is not stored is unknown.
        nearest[filled] = np.minimum.reduceat(graph.data, graph.indptr[filled])
        return nearest

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


def mean_abs_cosine(n_jobs):
    """Return the measure by which easy rows are told from hard ones as well."""
    return Similarity(cosine=True, reduce="mean", n_jobs=n_jobs)


MEASURES: dict[str, Callable[[int | None], Measure]] = {
    "agreement": Agreement,
    "max_abs_cosine": lambda n_jobs: Similarity(cosine=True, n_jobs=n_jobs),
    "max_abs_dot": lambda n_jobs: Similarity(cosine=False, n_jobs=n_jobs),
    "max_dot": lambda n_jobs: Similarity(cosine=False, absolute=False, n_jobs=n_jobs),
    "mean_abs_cosine": mean_abs_cosine,
    "mean_abs_dot": lambda n_jobs: Similarity(
        cosine=False, reduce="mean", n_jobs=n_jobs
    ),
    "unexplained": lambda _: Unexplained(),
}


def new_measure(measure, n_jobs=None):
    """Return an unfitted overlap measure by its name, function or neighbour search."""
    if is_neighbors_transformer(measure):
        return NeighborsMeasure(measure)
    if callable(measure):
        return FunctionMeasure(measure)
    return MEASURES[measure](n_jobs)


def require_numpy(measure, rows, given):
    """Refuse rows that are not NumPy's where the measure needs NumPy."""
    if measure.needs_numpy and namespace_of(rows)[0] is not None:
        msg = (
            f"overlap_measure={given!r} does not compute with arrays of "
            f"{place_of(rows)}. Pass a cosine or dot product measure or a callable, "
            "or pass X as a NumPy array."
        )
        raise ValueError(msg)

"""Overlap measures: how much a row looks as if it carried the hard pattern.

A measure is fitted once on the rows of `fit` and then scores any rows. To add one,
write a subclass of `Measure` and name it in `MEASURES`.
"""

from collections.abc import Callable
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

from sklearn_w2s._algorithms.similarity import (
    largest_similarity,
    mean_similarity,
    unit_rows,
)
from sklearn_w2s._cross_fit import out_of_bag_proba
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._sklearn import move_like, namespace_of, safe_indexing, to_numpy
from sklearn_w2s._validation import (
    check_scores,
    distances_to,
    require_distances,
    require_enough,
)

# Residuals of less than so many units in the last place of the largest entry are none.
_ROUNDING = 1000


class Measure:
    """An overlap measure and its requirements.

    `second_view` names what `fit` and `score` get next to the rows: the "weak" view, or
    the codes of the weak labels followed by the columns "unseen" by the weak estimator.
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
    """Similarity of a row to the hard rows: the largest or the mean over these."""

    def __init__(self, *, cosine, reduce="max", absolute=True, n_jobs=None):
        self.cosine = cosine
        self.reduce = reduce
        self.absolute = absolute
        self.n_jobs = n_jobs

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        self.references = safe_indexing(rows, hard)
        if self.cosine:
            self.references = unit_rows(self.references, namespace_of(rows)[0] or np)
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
        # The matrix products must not start further threads.
        with threadpool_limits(1, user_api="blas"):
            parts = Parallel(n_jobs=n_parts, require="sharedmem")(
                delayed(self._score_part)(safe_indexing(rows, part), working_bytes)
                for part in gen_even_slices(rows.shape[0], n_parts)
            )
        return np.concatenate(parts)

    def _score_part(self, rows, working_bytes):
        options = {"unit": self.cosine, "xp": namespace_of(rows)[0] or np}
        arrays = rows, self.references
        if self.reduce == "mean":
            scores = mean_similarity(*arrays, self.weights, working_bytes, **options)
        else:
            options["absolute"] = self.absolute
            scores = largest_similarity(*arrays, working_bytes, **options)
        return to_numpy(scores)


class Unexplained(Measure):
    r"""Length of the part of a row that its weak view does not explain.

    It is :math:`\lVert \varphi(x) - B^T v(x) - b \rVert_2`, with B and b from weighted
    least squares of the rows of `fit` on their weak views v. Hard rows are not used.
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
    r"""How well the columns that the weak estimator does not see agree with its label.

    A random forest learns the weak labels from these columns, or from all where it sees
    all. The score is :math:`q(\hat y \mid x) / \pi(\hat y)`, with q the probability
    that the forest gives to the weak label and :math:`\pi` its share. Hard rows are not
    used.
    """

    second_view = "unseen"
    needs_numpy = True
    is_random = True

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    def fit_score(self, rows, context, hard, weights, rng):
        """Grow the forest on the unseen columns; return its out-of-bag scores."""
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
        # No row agrees with a label that no row of the fit had.
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


class NeighborsMeasure(Measure):
    r"""Similarity of a row to the hard row that a neighbour search finds nearest.

    With a metric of directions in `_COSINES` the score is :math:`\max_h |\cos(x, h)|`,
    as far as the search is exact: the nearest neighbour of x or -x has the largest
    absolute cosine. With any other metric it is the negative distance :math:`-\min_h
    d(x, h)`.
    """

    needs_numpy = True

    def __init__(self, transformer):
        self.transformer = transformer

    def fit(self, rows, weak_rows, hard, weights):
        """Index the hard rows."""
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
        """Return the similarity of each row to the nearest reference."""
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


MEASURES: dict[str, Callable[[int | None], Measure]] = {
    "agreement": Agreement,
    "max_abs_cosine": lambda n_jobs: Similarity(cosine=True, n_jobs=n_jobs),
    "max_abs_dot": lambda n_jobs: Similarity(cosine=False, n_jobs=n_jobs),
    "max_dot": lambda n_jobs: Similarity(cosine=False, absolute=False, n_jobs=n_jobs),
    "mean_abs_cosine": lambda n_jobs: Similarity(
        cosine=True, reduce="mean", n_jobs=n_jobs
    ),
    "mean_abs_dot": lambda n_jobs: Similarity(
        cosine=False, reduce="mean", n_jobs=n_jobs
    ),
    "unexplained": lambda _: Unexplained(),
}


def new_measure(measure, n_jobs=None):
    """Return an unfitted overlap measure by its name, function or neighbour search."""
    if isinstance(measure, str):
        return MEASURES[measure](n_jobs)
    is_transformer = hasattr(measure, "fit") and hasattr(measure, "transform")
    if is_transformer and not isinstance(measure, type):
        return NeighborsMeasure(measure)
    return FunctionMeasure(measure)

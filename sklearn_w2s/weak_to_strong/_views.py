"""Columns of a table as numbers that the members of a teacher learn from."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.extmath import row_norms

from sklearn_w2s._columns import known_share
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s._validation import distances_to, require_distances, require_enough
from sklearn_w2s._weak import select_columns

# Encoders learn from a sample of this size; more rows would tell no more.
MAX_ROWS = 20_000
_LEAST_CHANCE = 1e-3
# Beside the mean length of a row, far above what rounding loses and below what tells.
_TIE_BREAK = 1e-3
_LEAST_SQUARE = 1e-4


_SCALES = {"scaled": True, "ranked": "quantile", "plain": False}


class View:
    """Chosen columns of X as numbers, in scales between which the evidence decides."""

    def __init__(self, X, positions, rng, columns=None):
        chosen = positions[draw(len(positions), MAX_ROWS, rng)]
        sample = select_columns(safe_indexing(X, chosen), columns)
        self.columns = columns  # positions, None for all
        self._encoders = {
            way: TabularEncoder(scale=scale, flag_missing=True).fit(sample)
            for way, scale in _SCALES.items()
        }
        self.is_sparse_ = sp.issparse(sample)  # all ways are then the same
        # Whether all columns are numbers, which may share a unit.
        are_plain = self._encoders["scaled"].columns_.are_plain
        self.is_plain_ = are_plain and not self.is_sparse_
        self.ways_ = ["scaled"] if self.is_sparse_ else ["scaled", "ranked"]

    def numbers(self, X, way):
        """Return rows "scaled" to variance 1, "ranked" to normal scores, or "plain"."""
        rows = self._encoders[way].transform(select_columns(X, self.columns))
        return rows.astype(np.float32)


class Search:
    """The nearest neighbours of rows, and of several at the same distance the first."""

    def __init__(self, rows, n_neighbors, n_jobs=None):
        # Of values that repeat, distances are tied, and the last bits of a sum, which
        # differ with the number of threads, would decide who is near. One more column
        # tells them apart: rows are the further from all the later they come.
        n = rows.shape[0]
        self._center = 0.0 if sp.issparse(rows) else rows.mean(axis=0)
        self._rows = rows.astype(np.float64) - self._center
        spread = np.sqrt(row_norms(self._rows, squared=True).mean())
        self._unit = _TIE_BREAK * (spread if spread > 0 else 1.0)
        self._places = self._unit * (1 + np.arange(n) / n)
        self.n_neighbors = min(n_neighbors, n - 1)
        self._search = NearestNeighbors(algorithm="brute", n_jobs=n_jobs)
        self._search.fit(_with_column(self._rows, self._places))

    def own(self):
        """Return distances and positions of the neighbours of each row, others only."""
        distances, neighbors = self._find(self._rows, self.n_neighbors + 1)
        is_own = neighbors == np.arange(len(neighbors))[:, None]
        # It is not among them where many before it are equal.
        is_own[~is_own.any(axis=1), -1] = True
        shape = len(neighbors), self.n_neighbors
        return distances[~is_own].reshape(shape), neighbors[~is_own].reshape(shape)

    def of(self, rows):
        """Return distances and positions of the neighbours of other rows."""
        return self._find(rows.astype(np.float64) - self._center, self.n_neighbors)

    def _find(self, rows, n_neighbors):
        extended = _with_column(rows, np.zeros(rows.shape[0]))
        distances, neighbors = self._search.kneighbors(extended, n_neighbors)
        squared = distances**2 - self._places[neighbors] ** 2
        # Between equal rows, what the sums have lost is not a distance.
        squared[squared < self._unit**2 * _LEAST_SQUARE] = 0
        return np.sqrt(squared), neighbors


class GivenSearch:
    """The neighbours that a transformer of the user finds, as many as it looks for."""

    def __init__(self, rows, transformer):
        require_distances(transformer, name="neighbors")
        require_enough(transformer, rows.shape[0], name="neighbors")
        self._transformer = transformer
        self._rows = rows
        self._own = self._ask("fit_transform", rows)

    def own(self):
        """Return what `Search` does, at infinite distance where fewer are found."""
        graph = self._own.tocoo()
        others = (graph.row != graph.col) & np.isfinite(graph.data)
        if not others.any():
            msg = (
                f"neighbors={self._transformer!r} finds no neighbour of any of "
                f"{graph.shape[0]} rows. Widen its search, or pass "
                "KNeighborsTransformer."
            )
            raise ValueError(msg)
        places = graph.row[others], graph.col[others], graph.data[others]
        return _nearest_first(*places, graph.shape[0])

    def of(self, rows):
        """Return distances and positions of the neighbours of other rows."""
        graph = self._ask("transform", rows).tocoo()
        return _nearest_first(graph.row, graph.col, graph.data, graph.shape[0])

    def _ask(self, method, rows):
        n = self._rows.shape[0]
        return distances_to(self._transformer, method, rows, n, name="neighbors")


def _nearest_first(rows, columns, distances, n):
    """Return distances and positions by row, infinite and zero where there are none."""
    counts = np.bincount(rows, minlength=n)
    order = np.lexsort((columns, distances, rows))
    places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    near = np.full((n, counts.max(initial=0)), np.inf)
    neighbors = np.zeros(near.shape, dtype=np.intp)
    near[rows[order], places] = distances[order]
    neighbors[rows[order], places] = columns[order]
    return near, neighbors


def search_for(rows, n_neighbors, *, given=None, rng=None, n_jobs=None):
    """Return a search for neighbours, by a clone of the user's if one is given."""
    if given is None:
        return Search(rows, n_neighbors, n_jobs)
    return GivenSearch(rows, seed_nested(clone(given), rng))


def _with_column(rows, column):
    if sp.issparse(rows):
        return sp.hstack([rows, column[:, None]]).tocsr()
    return np.column_stack([rows, column])


def draw(n, size, rng):
    """Return sorted positions of a sample of rows, or of all where there are few."""
    if n <= size:
        return np.arange(n)
    return np.sort(rng.choice(n, size, replace=False))


def unknown_columns(X, labeled, unlabeled):
    """Return positions of columns that labeled rows lack, and not by chance."""
    if hasattr(X, "nnz") or not (len(labeled) and len(unlabeled)):
        return []  # what a sparse matrix lacks is zero
    rows = safe_indexing(X, labeled)
    empty = [j for j in range(X.shape[1]) if not known_share(rows, j)]
    if not empty:
        return []
    rows = safe_indexing(X, unlabeled)
    # Known so often that all labeled rows would hardly lack it at random.
    shares = {j: known_share(rows, j) for j in empty}
    return [j for j in empty if (1 - shares[j]) ** len(labeled) < _LEAST_CHANCE]

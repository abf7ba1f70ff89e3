"""Columns of a table as numbers that the members of a teacher learn from."""

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._columns import known_share
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s._weak import select_columns

# Encoders learn from a sample of this size; more rows would tell no more.
MAX_ROWS = 20_000
_LEAST_CHANCE = 1e-3


class View:
    """Chosen columns of X as numbers, in ways of which the evidence chooses.

    Parameters
    ----------
    columns : list of int or None
        Positions of the columns; None means all.

    Attributes
    ----------
    is_sparse_ : bool
        Whether rows are sparse; all ways are then the same.
    is_plain_ : bool
        Whether all columns are numbers, which may share a unit.
    """

    def __init__(self, columns=None):
        self.columns = columns

    def fit(self, X, positions, rng):
        """Learn the scales from the rows at `positions`, or from a sample of them."""
        chosen = positions[draw(len(positions), MAX_ROWS, rng)]
        sample = select_columns(safe_indexing(X, chosen), self.columns)
        self._encoders = {
            scale: TabularEncoder(scale=scale, flag_missing=True).fit(sample)
            for scale in (True, "quantile", False)
        }
        self.is_sparse_ = sp.issparse(sample)
        are_plain = self._encoders[True].columns_.are_plain
        self.is_plain_ = are_plain and not self.is_sparse_
        return self

    def scaled(self, X):
        """Return rows with columns of mean 0 and variance 1, (n, n_encoded) float32."""
        return self._encode(X, scale=True)

    def ranked(self, X):
        """Return rows with columns of normal scores, (n, n_encoded) float32."""
        return self._encode(X, scale="quantile")

    def plain(self, X):
        """Return rows with the numbers as they are, (n, n_encoded) float32."""
        return self._encode(X, scale=False)

    def _encode(self, X, *, scale):
        rows = self._encoders[scale].transform(select_columns(X, self.columns))
        return rows.astype(np.float32)


def draw(n, size, rng):
    """Return sorted positions of a sample of rows, or of all where there are few."""
    if n <= size:
        return np.arange(n)
    return np.sort(rng.choice(n, size, replace=False))


def unknown_columns(X, labeled, unlabeled):
    """Return columns that labeled rows lack, and not by chance.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    labeled, unlabeled : ndarray of int
        Positions of either kind.

    Returns
    -------
    list of int
        Positions of the columns. A value is known so often in unlabeled rows that all
        labeled rows would lack it once in a thousand times, were it missing at random.
    """
    if hasattr(X, "nnz") or not (len(labeled) and len(unlabeled)):
        return []  # what a sparse matrix lacks is zero
    rows = safe_indexing(X, labeled)
    empty = [j for j in range(X.shape[1]) if not known_share(rows, j)]
    if not empty:
        return []
    rows = safe_indexing(X, unlabeled)
    shares = {j: known_share(rows, j) for j in empty}
    return [j for j in empty if (1 - shares[j]) ** len(labeled) < _LEAST_CHANCE]

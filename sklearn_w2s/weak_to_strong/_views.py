"""Columns of a table as numbers that helper estimators learn from."""

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.utils.extmath import row_norms

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tabular import (
    TabularEncoder,
    numeric_rows,
    split_columns,
    text_rows,
)
from sklearn_w2s._weak import select_columns

# Helpers learn from a sample of this size; more rows would cost more than they tell.
MAX_ROWS = 20_000
MAX_COMPONENTS = 300
_N_PAIRS = 2_000
_LEAST_CHANCE = 1e-3


class View:
    """Chosen columns of X as numbers of comparable scale, and a kernel over them.

    Parameters
    ----------
    columns : list of int or None
        Positions of the columns; None means all.
    encoder : TabularEncoder
        Fitted on these columns.
    kernel_map : Nystroem
        Fitted: features of the Gaussian kernel whose width is the median distance.
    """

    def __init__(self, columns, encoder, kernel_map):
        self.columns = columns
        self.encoder = encoder
        self.kernel_map = kernel_map

    def rows(self, X):
        """Return rows of X as numbers, of shape (n, n_encoded)."""
        return self.encoder.transform(select_columns(X, self.columns))


def fit_view(X, columns, positions, rng):
    """Return the view of some columns, learnt from given rows or a sample of them.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    columns : list of int or None
        Positions of the columns; None means all.
    positions : ndarray of int
        Rows to learn from.
    rng : RandomState instance
        Draws the sample and the components of the kernel.

    Returns
    -------
    View
        The view.
    """
    chosen = positions[draw(len(positions), MAX_ROWS, rng)]
    sample = select_columns(safe_indexing(X, chosen), columns)
    encoder = TabularEncoder(scale="quantile", flag_missing=True).fit(sample)
    rows = encoder.transform(sample)
    n = rows.shape[0]
    first, second = rng.randint(n, size=(2, _N_PAIRS))
    width = np.median(row_norms(rows[first] - rows[second], squared=True))
    kernel_map = Nystroem(
        gamma=0.5 / width if width > 0 else 1.0,
        n_components=min(MAX_COMPONENTS, n),
        random_state=rng.randint(np.iinfo(np.int32).max),
    ).set_output(transform="default")
    return View(columns, encoder, kernel_map.fit(rows))


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
    empty = _known_shares(safe_indexing(X, labeled), range(X.shape[1]))
    empty = [j for j, share in empty.items() if not share]
    shares = _known_shares(safe_indexing(X, unlabeled), empty)
    return [j for j in empty if (1 - shares[j]) ** len(labeled) < _LEAST_CHANCE]


def _known_shares(X, columns):
    """Return the share of rows in which a value is known, by column."""
    numeric, _ = split_columns(X)
    is_numeric = set(numeric)
    return {
        j: (
            1 - np.isnan(numeric_rows(X, [j])).mean()
            if j in is_numeric
            else np.mean([value is not None for value in text_rows(X, [j])[:, 0]])
        )
        for j in columns
    }

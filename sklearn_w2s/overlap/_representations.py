"""Representations by name: the numeric spaces in which rows are compared.

Each is a function that gets the rows of `fit` and returns an unfitted transformer.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_w2s._sklearn import check_weights
from sklearn_w2s._tabular import numeric_encoder
from sklearn_w2s.overlap._deviation import DeviationEncoder


class PrincipalDeviations(TransformerMixin, BaseEstimator):
    """Deviations along the principal axes that explain most of their variance.

    Unlike the scores of a principal component analysis they are not centred at the
    mean: what is typical stays zero.

    Parameters
    ----------
    share : float, default=0.9
        Share of the variance that they explain, at least.

    Examples
    --------
    >>> from sklearn_w2s.overlap._representations import PrincipalDeviations
    >>> rows = [[0.0, 0.0], [3.0, 0.1], [6.0, -0.1]]
    >>> abs(PrincipalDeviations().fit_transform(rows)).round(1).tolist()
    [[0.0], [3.0], [6.0]]
    """

    def __init__(self, share=0.9):
        self.share = share

    def fit(self, X, y=None, sample_weight=None):
        """Find the axes."""
        rows = np.asarray(X, dtype=np.float64)
        weights = check_weights(sample_weight, X)
        # PCA of scikit-learn takes no weights.
        share = weights / weights.sum()
        centred = rows - share @ rows
        variances, axes = np.linalg.eigh(centred.T @ (share[:, None] * centred))
        explained = np.cumsum(variances[::-1])
        n_axes = 1 + np.searchsorted(explained, self.share * explained[-1])
        self.axes_ = axes.T[::-1][:n_axes]
        return self

    def transform(self, X):
        """Project rows on the axes."""
        rows = np.asarray(X)
        return rows @ self.axes_.T.astype(rows.dtype)


class LeafEncoder(TransformerMixin, BaseEstimator):
    """The leaves of random trees in which rows fall, but for the fullest of each tree.

    Rows are alike where they share leaves. The fullest leaf is the typical one: as a
    value that all have in common, it says nothing of a row.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seeds the trees.

    Examples
    --------
    >>> from sklearn_w2s.overlap._representations import LeafEncoder
    >>> rows = [[0.0], [0.0], [0.0], [1.0]]
    >>> LeafEncoder(random_state=0).fit_transform(rows).sum(axis=1).tolist()
    [[0.0], [0.0], [0.0], [100.0]]
    """

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Grow the trees."""
        self.forest_ = RandomTreesEmbedding(random_state=self.random_state)
        leaves = self.forest_.fit(X, sample_weight=sample_weight).apply(X)
        fullest = [_most_frequent(column, sample_weight) for column in leaves.T]
        self.encoder_ = OneHotEncoder(drop=fullest).fit(leaves)
        return self

    def transform(self, X):
        """Return an indicator of each leaf, as a sparse matrix."""
        return self.encoder_.transform(self.forest_.apply(X))


def _most_frequent(values, weights):
    distinct, group = np.unique(values, return_inverse=True)
    return distinct[np.argmax(np.bincount(group, weights=weights))]


def _pca(_):
    return make_pipeline(DeviationEncoder(), PrincipalDeviations())


def _forest(_):
    return make_pipeline(DeviationEncoder(), LeafEncoder())


REPRESENTATIONS = {"forest": _forest, "passthrough": numeric_encoder, "pca": _pca}

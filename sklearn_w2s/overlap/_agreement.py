"""Overlap scores from the columns that the weak estimator does not see."""

import numpy as np
import scipy.sparse as sp
from sklearn.ensemble import RandomForestClassifier

from sklearn_w2s._cross_fit import out_of_bag_proba
from sklearn_w2s._sklearn import safe_indexing


class Agreement:
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
            random_state=rng.randint(np.iinfo(np.int32).max),
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

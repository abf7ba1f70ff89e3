"""Helper students: they learn a teacher's probabilities and smooth them."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s._algorithms.priors import matching_factors, reweigh
from sklearn_w2s._algorithms.weak_labels import expand_soft_targets
from sklearn_w2s._sklearn import seed_nested
from sklearn_w2s._validation import align_proba
from sklearn_w2s.weak_to_strong._helpers import make_soft_forest, out_of_bag
from sklearn_w2s.weak_to_strong._views import MAX_ROWS, draw

N_NEIGHBORS = 15
_N_LIKELIEST = 2


class HelperStudents:
    """The mean of a forest, a kernel machine and the nearest neighbours.

    Each smooths in its own way what a rule or a linear model says abruptly.

    Parameters
    ----------
    view : View
        What they see.
    labels : bool
        Whether labels had a say in what is learnt: without, there is more noise to
        smooth away.
    n_jobs : int or None
        Trees fitted, and searches made, at the same time.
    keep_shares : bool, default=True
        Whether the class shares of the targets are right, so that smoothing must not
        change them.
    """

    def __init__(self, view, labels, n_jobs, *, keep_shares=True):
        self.view = view
        self.keep_shares = keep_shares
        self.labels = labels
        self.n_jobs = n_jobs

    def fit(self, X, targets, weights, rng):
        """Learn target probabilities, from a sample where there are many rows.

        Parameters
        ----------
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        targets : ndarray of shape (n, n_classes)
            Target probabilities.
        weights : ndarray of shape (n,)
            Positive weights.
        rng : RandomState instance
            Draws the sample and seeds the forest.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Their probabilities of these rows; forest and neighbours say them without
            having seen the row.
        """
        rows = self.view.rows(X)
        chosen = draw(len(targets), MAX_ROWS, rng)
        own, taught, counts = rows[chosen], targets[chosen], weights[chosen]
        self.targets_ = taught
        self.forest_ = seed_nested(make_soft_forest(self.n_jobs), rng)
        self.forest_.fit(own, taught, counts)
        self.kernel_ = self._fit_kernel(own, taught, counts)
        n_neighbors = N_NEIGHBORS if self.labels else 2 * N_NEIGHBORS
        self.neighbors_ = NearestNeighbors(
            n_neighbors=min(n_neighbors, len(chosen) - 1), n_jobs=self.n_jobs
        ).fit(own)
        nearest = self._unseen_nearest(rows, chosen)
        opinions = [
            out_of_bag(self.forest_, rows, chosen),
            self._ask_kernel(rows, nearest),
            nearest,
        ]
        proba = np.mean(opinions, axis=0)
        self.factors_ = np.ones(proba.shape[1])
        if self.keep_shares:
            prior = np.average(targets, axis=0, weights=weights)
            self.factors_ = matching_factors(proba, prior, weights=weights)
        return reweigh(proba, self.factors_)

    def proba(self, X):
        """Return probabilities of rows of X, of shape (n, n_classes)."""
        opinions = self._opinions(self.view.rows(X))
        return reweigh(np.mean(opinions, axis=0), self.factors_)

    def _opinions(self, rows):
        nearest = self._nearest(rows)
        return [self.forest_.predict(rows), self._ask_kernel(rows, nearest), nearest]

    def _nearest(self, rows):
        """Return the mean over neighbours; without rows, of those fitted on."""
        neighbors = self.neighbors_.kneighbors(rows, return_distance=False)
        return self.targets_[neighbors].mean(axis=1)

    def _unseen_nearest(self, rows, chosen):
        proba = np.empty((rows.shape[0], self.targets_.shape[1]))
        proba[chosen] = self._nearest(None)
        others = np.delete(np.arange(len(proba)), chosen)
        if len(others):
            proba[others] = self._nearest(rows[others])
        return proba

    def _ask_kernel(self, rows, nearest):
        if self.kernel_ is None:  # of one class there is nothing to tell
            return nearest
        proba = self.kernel_.predict_proba(self.view.kernel_map.transform(rows))
        return align_proba(
            proba, self.kernel_.classes_, np.arange(self.targets_.shape[1])
        )

    def _fit_kernel(self, rows, targets, weights):
        # Of many classes most are impossible for a row, and each would repeat it.
        rank = np.argsort(np.argsort(-targets, axis=1, kind="stable"), axis=1)
        likeliest = np.where(rank < _N_LIKELIEST, targets, 0.0)
        likeliest /= likeliest.sum(axis=1, keepdims=True)
        if np.count_nonzero(likeliest.any(axis=0)) == 1:
            return None
        positions, codes, counts = expand_soft_targets(likeliest, weights)
        features = self.view.kernel_map.transform(rows)[positions]
        return LogisticRegression(C=10.0, max_iter=2_000).fit(features, codes, counts)

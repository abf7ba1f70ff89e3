"""How far a weak regressor may be off in each row, which stands for its confidence."""

from inspect import signature

import numpy as np
import scipy.sparse as sp
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s._validation import check_scores, n_rows
from sklearn_w2s._weak import WeakPredictor

UNCERTAINTIES = ("residual", "spread", "distance")
_LEAST_NEIGHBORS = 5
_BLOCK_ROWS = 5_000


class Uncertainty:
    """Expected error, spread or distance of rows; the larger, the less is known.

    Parameters
    ----------
    kind : {"auto", "residual", "spread", "distance"} or callable
        See `OverlapDetector`. A function of the user returns confidences, of the weak
        estimator and rows.
    """

    def __init__(self, kind):
        self.kind = kind

    def fit(self, weak, X, values, y, labeled, weights):
        """Learn from labeled rows of positive weight what the errors depend on.

        Parameters
        ----------
        weak : WeakPredictor
            The weak estimator.
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        values : ndarray of shape (n,)
            Its predictions, of labeled rows held out.
        y : ndarray of shape (n_labeled,)
            Values of the labeled rows.
        labeled : ndarray of shape (n,) of bool
            Which rows these are.
        weights : ndarray of shape (n,)
            Weights of the rows.

        Returns
        -------
        Uncertainty
            Fitted.

        Raises
        ------
        ValueError
            If there is nothing to learn from.
        """
        self.weak = weak
        known = np.flatnonzero(labeled & (weights > 0))
        if self.kind == "auto":
            self.kind = "residual" if len(known) > 1 else "spread"
        if callable(self.kind) or self.kind == "spread":
            if weak.estimator is None:
                msg = (
                    f"confidence={self.kind!r} asks the weak estimator, but there are "
                    "only its predictions. Pass labels with confidence='residual', "
                    "or weak_estimator=FrozenEstimator(fitted regressor)."
                )
                raise ValueError(msg)
            return self
        if len(known) < 2:
            msg = (
                f"confidence={self.kind!r} needs two labeled rows at least, and y has "
                f"{len(known)}. Label more, or pass confidence='spread' with an "
                "ensemble as weak_estimator."
            )
            raise ValueError(msg)
        rows = weak.view(safe_indexing(X, known))
        self.encoder = TabularEncoder().fit(rows)
        own = y[np.searchsorted(np.flatnonzero(labeled), known)]
        self.errors = np.abs(own - values[known])
        n_neighbors = min(max(_LEAST_NEIGHBORS, int(np.sqrt(len(known)))), len(known))
        self.search = NearestNeighbors(n_neighbors=n_neighbors)
        self.search.fit(self.encoder.transform(rows))
        self.known = known
        return self

    def of_fit(self, X):
        """Return the uncertainty of the rows of `fit`, of each by the others."""
        uncertainty = self.predict(X)
        if not (callable(self.kind) or self.kind == "spread"):
            n_neighbors = min(self.search.n_neighbors, len(self.known) - 1)
            found = self.search.kneighbors(n_neighbors=n_neighbors)
            uncertainty[self.known] = self._mean(*found)
        return uncertainty

    def predict(self, X):
        """Return the uncertainty of rows."""
        if callable(self.kind):
            said = self.kind(self.weak.estimator, self.weak.view(X))
            return -check_scores(said, n_rows(X), name="confidence")
        view = self.weak.view(X)
        if self.kind == "spread":
            return spread(self.weak.estimator, view)
        uncertainty = np.empty(n_rows(X))
        for start in range(0, len(uncertainty), _BLOCK_ROWS):
            block = np.arange(start, min(start + _BLOCK_ROWS, len(uncertainty)))
            rows = self.encoder.transform(safe_indexing(view, block))
            uncertainty[block] = self._mean(*self.search.kneighbors(rows))
        return uncertainty

    def _mean(self, distances, neighbors):
        if self.kind == "distance":
            return distances.mean(axis=1)
        return self.errors[neighbors].mean(axis=1)


def spread(estimator, X):
    """Return the standard deviation that an estimator says its prediction has.

    Parameters
    ----------
    estimator : regressor
        Fitted: a forest, bagging, or another list of regressors, of which it is that of
        their predictions, or one with ``predict(X, return_std=True)``.
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n,)
        Standard deviations.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(estimator, FrozenEstimator):
        return spread(estimator.estimator, X)
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        return spread(estimator.steps[-1][1], estimator[:-1].transform(X))
    if "return_std" in signature(estimator.predict).parameters:
        return np.asarray(estimator.predict(X, return_std=True)[1], dtype=np.float64)
    parts = getattr(estimator, "estimators_", None)
    if not isinstance(parts, list) or len(parts) < 2:
        msg = (
            f"weak_estimator={estimator!r} does not say how sure it is: "
            'confidence="spread" needs an ensemble such as a random forest, or a '
            "regressor with predict(X, return_std=True). Pass one, or labels."
        )
        raise ValueError(msg)
    features = getattr(estimator, "estimators_features_", [None] * len(parts))
    rows = X if sp.issparse(X) or not hasattr(X, "to_numpy") else X.to_numpy()
    said = [
        part.predict(rows if own is None else safe_indexing(rows, own, axis=1))
        for part, own in zip(parts, features, strict=True)
    ]
    return np.std(said, axis=0)


class ValuePredictor(WeakPredictor):
    """A weak regressor that says two columns: its value, and its uncertainty.

    Parameters
    ----------
    weak : WeakPredictor
        The weak estimator.
    uncertainty : Uncertainty
        Fitted.
    """

    def __init__(self, weak, uncertainty):
        super().__init__(weak.estimator, weak.columns, None)
        self.uncertainty = uncertainty

    def proba(self, X):
        """Return values and uncertainties, in two columns."""
        return self.join(super().proba(X), X)

    def join(self, values, X):
        """Return given values with the uncertainties of their rows."""
        return np.column_stack([values, self.uncertainty.predict(X)])

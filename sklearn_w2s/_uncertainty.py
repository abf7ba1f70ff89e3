"""How far a weak regressor may be off in each row, which serves as its confidence."""

from inspect import signature

import numpy as np
import scipy.sparse as sp
from sklearn.frozen import FrozenEstimator
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.pipeline import Pipeline

from sklearn_w2s._sklearn import namespace_of, safe_indexing
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s._validation import check_scores, n_rows
from sklearn_w2s._weak import WeakPredictor

UNCERTAINTIES = ("residual", "spread", "distance")
# Share of the weight of all labels, since a weight counts rows.
_NEAREST_SHARE = 0.15
_MOST_LABELED = 5_000
_BLOCK_SIZE = 4_000_000
_ROUNDING = 1e-9


class Uncertainty:
    """Expected error, spread or distance of rows; the larger, the less is known."""

    def __init__(self, kind):
        self.kind = kind

    def fit(self, weak, X, values, y, labeled, weights):
        """Learn from labeled rows of positive weight what the errors depend on."""
        self.weak = weak
        known = np.flatnonzero(labeled & (weights > 0))
        if self.kind == "auto":
            # The error at a row is learned from the other labels.
            uses_spread = len(known) < 2 and _has_spread(weak.estimator)
            self.kind = "spread" if uses_spread else "residual"
        if callable(self.kind) or self.kind == "spread":
            if weak.estimator is None:
                msg = (
                    f"confidence={self.kind!r} needs the weak estimator, but only its "
                    "predictions are given. Pass labels with confidence='residual', or "
                    "weak_estimator=FrozenEstimator(fitted regressor)."
                )
                raise ValueError(msg)
            return self
        if namespace_of(X)[0] is not None:
            msg = (
                f"confidence={self.kind!r} of a weak regressor computes with NumPy "
                "only. Pass X as a NumPy array or a data frame."
            )
            raise ValueError(msg)
        if len(known) < 2:
            msg = (
                f"confidence={self.kind!r} needs at least two labeled rows, but y "
                f"labels {len(known)} sample(s). Label more, or pass an ensemble as "
                "weak_estimator with confidence='spread'."
            )
            raise ValueError(msg)
        if len(known) > _MOST_LABELED:
            known = known[np.linspace(0, len(known) - 1, _MOST_LABELED).astype(int)]
        rows, self.weights = weak.view(safe_indexing(X, known)), weights[known]
        self.encoder = TabularEncoder().fit(rows, sample_weight=self.weights)
        self.rows = self.encoder.transform(rows)
        own = y[np.searchsorted(np.flatnonzero(labeled), known)]
        self.errors = np.abs(own - values[known])
        return self

    def predict(self, X):
        """Return the uncertainty of rows."""
        view = self.weak.view(X)
        if callable(self.kind):
            scores = self.kind(self.weak.estimator, view)
            return -check_scores(scores, n_rows(X), name="confidence")
        if self.kind == "spread":
            return spread(self.weak.estimator, view)
        uncertainty = np.empty(n_rows(X))
        size = max(1, _BLOCK_SIZE // len(self.weights))
        for start in range(0, len(uncertainty), size):
            block = np.arange(start, min(start + size, len(uncertainty)))
            rows = self.encoder.transform(safe_indexing(view, block))
            uncertainty[block] = self._of_nearest(euclidean_distances(rows, self.rows))
        return uncertainty

    def _of_nearest(self, distances):
        """Return the mean error of the nearest labels, or how far they reach."""
        order = np.argsort(distances, axis=1, kind="stable")
        reached = np.cumsum(self.weights[order], axis=1)
        last = (reached >= _NEAREST_SHARE * reached[:, -1:]).argmax(axis=1)[:, None]
        sorted_distances = np.take_along_axis(distances, order, axis=1)
        radius = np.take_along_axis(sorted_distances, last, axis=1)
        if self.kind == "distance":
            return radius[:, 0]
        # Rows at the same distance all count.
        counts = self.weights * (distances <= radius * (1 + _ROUNDING))
        return counts @ self.errors / counts.sum(axis=1)


def _has_spread(estimator):
    """Return whether `spread` can be computed from an estimator."""
    if isinstance(estimator, FrozenEstimator):
        return _has_spread(estimator.estimator)
    if isinstance(estimator, Pipeline):
        return _has_spread(estimator.steps[-1][1])
    if not hasattr(estimator, "predict"):
        return False
    parts = getattr(estimator, "estimators_", None)
    returns_std = "return_std" in signature(estimator.predict).parameters
    return returns_std or (isinstance(parts, list) and len(parts) > 1)


def spread(estimator, X):
    """Return the standard deviation of each prediction.

    That of its list of regressors, or that of ``predict(X, return_std=True)``.
    """
    if isinstance(estimator, FrozenEstimator):
        return spread(estimator.estimator, X)
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        return spread(estimator.steps[-1][1], estimator[:-1].transform(X))
    if not _has_spread(estimator):
        msg = (
            f'confidence="spread" needs an ensemble such as a random forest, or a '
            "regressor with predict(X, return_std=True), but weak_estimator is "
            f"{estimator!r}. Pass one, or labels."
        )
        raise ValueError(msg)
    if "return_std" in signature(estimator.predict).parameters:
        return np.asarray(estimator.predict(X, return_std=True)[1], dtype=np.float64)
    parts = estimator.estimators_
    features = getattr(estimator, "estimators_features_", [None] * len(parts))
    rows = X if sp.issparse(X) or not hasattr(X, "to_numpy") else X.to_numpy()
    predicted = [
        part.predict(rows if own is None else safe_indexing(rows, own, axis=1))
        for part, own in zip(parts, features, strict=True)
    ]
    return np.std(predicted, axis=0)


class ValuePredictor(WeakPredictor):
    """A weak regressor that predicts two columns: its value, and its uncertainty."""

    def __init__(self, weak, uncertainty):
        super().__init__(weak.estimator, weak.columns, None)
        self.uncertainty = uncertainty

    def proba(self, X):
        """Return values and uncertainties, in two columns."""
        return self.join(super().proba(X), X)

    def join(self, values, X):
        """Return given values with the uncertainties of their rows."""
        return np.column_stack([values, self.uncertainty.predict(X)])

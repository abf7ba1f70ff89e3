"""Fitting an OverlapDetector batch by batch."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sklearn_w2s._fitting import require_same_place
from sklearn_w2s._missing import check_new_rows
from sklearn_w2s._parameters import takes_one_table
from sklearn_w2s._sklearn import (
    check_weights,
    fit_context,
    raise_for_params,
)
from sklearn_w2s._validation import check_features, check_weak_proba
from sklearn_w2s.overlap._reservoir import Reservoir

_OF_THE_ROWS_OF_FIT = ("confidence_", "overlap_score_", "regions_")


class StreamMixin(BaseEstimator):
    """Thresholds, references and density of rows that are never in memory together."""

    @takes_one_table
    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None, *, weak_proba=None, sample_weight=None, **params):
        """Take another batch of rows into account.

        The first batch fits the weak estimator and the representation, as `fit` does,
        unless `fit` was called before: then its weak estimator and representation stay,
        and its rows are forgotten. Of all rows seen, `reservoir_size` are kept, drawn
        at random with regard to their weights, and thresholds, references and density
        are those that `fit` finds on them: the same as on all rows while these are no
        more, and as if drawn from them later on, with a standard error of the density
        of at most ``0.5 / sqrt(reservoir_size)``, 0.005 by default. What `fit` says of
        its rows
        (`regions_`, `confidence_`, `overlap_score_`) is not known of a stream; ask
        `predict` and `transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled. Each call takes the time of a `fit` on the rows
            kept, so that batches should not be much smaller.
        y : array-like of shape (n_samples,), default=None
            Labels. Only those of the batch that fits the weak estimator are used.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Probabilities of a weak estimator that is not at hand; then for each batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.
        **params : dict
            Metadata for `weak_estimator.fit` and for the splitter `cv`, such as
            ``groups``, with metadata routing switched on.

        Returns
        -------
        OverlapDetector
            The estimator.

        Raises
        ------
        ValueError
            If the first batch has nothing to learn confidences from, a later one does
            not fit it, or an argument does not fit.

        Warns
        -----
        NoChangePointWarning
            If confidences or scores of the rows kept cannot be split.
        """
        raise_for_params(params, self, "partial_fit")
        first = not hasattr(self, "views_")
        if first:
            X = check_features(self, X, reset=True, allow_nan=True)
        else:
            X = check_new_rows(self, X)
            method = f"{type(self).__name__}.partial_fit"
            require_same_place(X, self.views_.place, method=method)
        weights = check_weights(sample_weight, X)
        rng = check_random_state(self.random_state)
        if first:
            weighted = sample_weight is not None
            proba = self._fit_views(
                X, y, weak_proba, weights, weighted, params, rng, method="partial_fit"
            )
        else:
            proba = self._proba_of_batch(X, weak_proba)
        if not hasattr(self, "reservoir_"):
            self.reservoir_ = Reservoir(self.reservoir_size, rng)
            for name in _OF_THE_ROWS_OF_FIT:
                if hasattr(self, name):
                    delattr(self, name)
        rows, weak_rows = self.views_.views(X, proba)
        self.reservoir_.add(weights, proba, rows, weak_rows)
        self._part(
            *self.reservoir_.columns, self.reservoir_.weights, self.reservoir_.rng
        )
        self.n_samples_seen_ = self.reservoir_.n_seen
        return self

    def _proba_of_batch(self, X, weak_proba):
        if weak_proba is None:
            return self.weak_predictor_.proba(X)
        proba, classes = check_weak_proba(weak_proba, X, self.classes_)
        if not np.array_equal(classes, self.classes_):
            msg = (
                f"weak_proba has the classes {classes.tolist()}, but the first batch "
                f"had {self.classes_.tolist()}. Pass the same classes in every batch."
            )
            raise ValueError(msg)
        return proba

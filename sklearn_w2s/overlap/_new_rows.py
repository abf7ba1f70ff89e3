"""What a fitted OverlapDetector says of new rows."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._algorithms.overlap import (
    entropy_confidence,
    margin_confidence,
    max_proba_confidence,
    split_regions,
)
from sklearn_w2s._validation import check_features, check_scores
from sklearn_w2s.overlap._columns import prepend, stack_columns
from sklearn_w2s.overlap._regions import RegionArray

CONFIDENCES = {
    "margin": margin_confidence,
    "max_proba": max_proba_confidence,
    "entropy": entropy_confidence,
}


class NewRowsMixin(TransformerMixin):
    """Rows judged by the weak estimator, thresholds and references of `fit`."""

    def predict(self, X):
        """Name the region of new rows, by the thresholds and references of `fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,) of str
            "easy", "hard" or "overlap".
        """
        regions = self._regions(*self._describe(self._check(X)))
        return regions.view(RegionArray)

    def transform(self, X):
        """Describe new rows by confidence, overlap score and region.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        {ndarray, csr matrix, data frame} of shape (n, 5) or (n, n_features + 5)
            Columns confidence, overlap score, and one indicator per region; behind
            those of X with `passthrough`, in the kind of container that X has, which
            is an array where the columns had no names in `fit`.

        Raises
        ------
        ValueError
            If the rows do not fit those of `fit`, have a column of a name that is
            added, or if there is no weak estimator to ask.
        """
        X = self._check(X)
        confidence, score = self._describe(X)
        regions = self._regions(confidence, score)
        dtype = np.float32 if _is_single_precision(X) else np.float64
        columns = stack_columns(confidence, score, regions, dtype)
        if not self.passthrough:
            return columns
        return prepend(X, columns, named=hasattr(self, "feature_names_in_"))

    def confidence_samples(self, X):
        """Return the weak estimator's confidence on new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Confidence.
        """
        return self._describe(self._check(X))[0]

    def represent(self, X):
        """Return new rows in the space in which they are compared.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        {ndarray, csr matrix} of shape (n, n_components)
            Numbers.
        """
        return self.comparison_.represent(self._check(X))

    def score_samples(self, X):
        """Return the overlap score of new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Overlap score: the higher, the more a row resembles the hard rows.
        """
        return self._describe(self._check(X))[1]

    def decision_function(self, X):
        """Return the overlap score minus its threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Not negative where a row that is not hard is an overlap row.
        """
        return self.score_samples(X) - self.overlap_threshold_

    def _check(self, X):
        check_is_fitted(self)
        return check_features(self, X, reset=False)

    def _describe(self, X):
        proba = self.weak_predictor_.proba(X)
        return self._confidence(proba), self.comparison_.score(X, proba)

    def _confidence(self, proba):
        if callable(self.confidence):
            scores = self.confidence(proba)
            return check_scores(scores, len(proba), name="confidence")
        return CONFIDENCES[self.confidence](proba)

    def _regions(self, confidence, score):
        return split_regions(
            confidence, score, self.confidence_threshold_, self.overlap_threshold_
        )


def _is_single_precision(X):
    return getattr(X, "dtype", None) == np.float32

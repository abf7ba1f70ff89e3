"""What a fitted OverlapDetector says of new rows."""

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._fitting import require_same_place
from sklearn_w2s._missing import check_new_rows
from sklearn_w2s._sklearn import move_like, namespace_of
from sklearn_w2s.overlap._columns import prepend, stack_columns
from sklearn_w2s.overlap._regions import RegionArray


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
        _, _, regions = self._describe(self._check(X, "predict"))
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
        X = self._check(X, "transform")
        confidence, score, regions = self._describe(X)
        dtype = np.float32 if _is_single_precision(X) else np.float64
        columns = move_like(stack_columns(confidence, score, regions, dtype), X)
        if not self.passthrough:
            return columns
        xp, _ = namespace_of(X)
        if xp is not None:
            return xp.concat([xp.astype(X, columns.dtype, copy=False), columns], axis=1)
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
        X = self._check(X, "confidence_samples")
        return move_like(self._describe(X)[0], X)

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
        return self.views_.represent(self._check(X, "represent"))

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
        X = self._check(X, "score_samples")
        return move_like(self._describe(X)[1], X)

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
        X = self._check(X, "decision_function")
        return move_like(self._describe(X)[1], X) - self.overlap_threshold_

    def _check(self, X, method):
        check_is_fitted(self)
        X = check_new_rows(self, X)
        method = f"{type(self).__name__}.{method}"
        require_same_place(X, self.views_.place, method=method)
        return X

    def _describe(self, X):
        proba = self.weak_predictor_.proba(X)
        return self.partition_.describe(proba, *self.views_.views(X, proba))


def _is_single_precision(X):
    xp, _ = namespace_of(X)
    return getattr(X, "dtype", None) == (np if xp is None else xp).float32

"""Rows in the space where they are compared, and the measure that compares them."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array

from sklearn_w2s._fitting import weight_arguments
from sklearn_w2s._sklearn import safe_indexing, seed_nested
from sklearn_w2s._tabular import default_representation
from sklearn_w2s.overlap._measures import MEASURES, FunctionMeasure


class Comparison:
    """Overlap scores of rows: representation first, then the measure.

    Parameters
    ----------
    representation : transformer instance or None
        Cloned; None is the default representation of X.
    measure : str or callable
        A key of `MEASURES`, or a function of the user.
    max_references : int or None
        Bound on the hard rows that are kept.
    """

    def __init__(self, representation, measure, max_references):
        self.representation = representation
        self.measure = measure
        self.max_references = max_references

    def fit_score(self, X, proba, hard, weights, *, predictor, weighted, seeds, rng):
        """Fit the representation on rows of positive weight, then the measure.

        Parameters
        ----------
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        proba : ndarray of shape (n, n_classes)
            Their weak probabilities.
        hard : ndarray of shape (n,) of bool
            Which of them are hard.
        weights : ndarray of shape (n,)
            Their weights.
        predictor : WeakPredictor
            Knows the columns of the weak view.
        weighted : bool
            Whether the weights are the user's and go to the representation.
        seeds, rng : RandomState instance
            Seeds the representation unless None; draws the references.

        Returns
        -------
        ndarray of shape (n,)
            Overlap score of each row.
        """
        self._predictor = predictor
        kept = np.flatnonzero(weights)
        rows = safe_indexing(X, kept)
        transformer = seed_nested(
            default_representation(X)
            if self.representation is None
            else clone(self.representation),
            seeds,
        )
        fit_params = weight_arguments(transformer, weights[kept]) if weighted else {}
        # A frozen transformer asks for y, even if it is not used.
        self.transformer = transformer.fit(rows, None, **fit_params)
        self._weak_transformer = None
        if predictor.columns is not None:
            view = predictor.view(rows)
            self._weak_transformer = default_representation(view).fit(view)
        references = self._draw_references(np.flatnonzero(hard & (weights > 0)), rng)
        rows, weak_rows = self.represent(X), self._weak_rows(X, proba)
        self.fitted_measure = self._new_measure().fit(
            rows, weak_rows, references, weights
        )
        return self.fitted_measure.score(rows, weak_rows)

    def represent(self, X):
        """Return rows in the space of the representation.

        Raises
        ------
        ValueError
            If they are not finite numbers.
        """
        return _as_matrix(self.transformer.transform(X), "representation.transform(X)")

    def score(self, X, proba):
        """Return the overlap score of each row, given its weak probabilities."""
        return self.fitted_measure.score(self.represent(X), self._weak_rows(X, proba))

    def _new_measure(self):
        if callable(self.measure):
            return FunctionMeasure(self.measure)
        return MEASURES[self.measure]()

    def _draw_references(self, positions, rng):
        if self.max_references is None or len(positions) <= self.max_references:
            return positions
        return np.sort(rng.choice(positions, self.max_references, replace=False))

    def _weak_rows(self, X, proba):
        if self._weak_transformer is None:
            # The probabilities of all classes sum to one: the first adds nothing.
            return proba[:, 1:]
        view = self._predictor.view(X)
        return _as_matrix(self._weak_transformer.transform(view), "weak_features of X")


def _as_matrix(rows, name):
    kinds = [np.float64, np.float32]
    return check_array(rows, accept_sparse="csr", dtype=kinds, input_name=name)

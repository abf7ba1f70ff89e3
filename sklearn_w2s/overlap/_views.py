"""Rows as numbers: in the space where they are compared, and as the weak view."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array

from sklearn_w2s._fitting import require_array_support, weight_arguments
from sklearn_w2s._sklearn import move_like, namespace_of, safe_indexing, seed_nested
from sklearn_w2s._tabular import numeric_encoder
from sklearn_w2s._validation import place_of
from sklearn_w2s._weak import other_columns, select_columns
from sklearn_w2s.overlap._deviation import DeviationEncoder
from sklearn_w2s.overlap._representations import REPRESENTATIONS


class Views:
    """The representation of rows, and what the weak estimator sees of them.

    Parameters
    ----------
    representation : transformer instance, str or None
        Cloned; a str is a key of `REPRESENTATIONS`; None compares deviations from the
        typical row.
    predictor : WeakPredictor
        Knows the columns of the weak view.
    measure : object
        The overlap measure. For "agreement" the second view is that of the columns that
        the weak estimator does not see, behind the codes of the weak labels, instead of
        the weak view.
    """

    def __init__(self, representation, predictor, measure):
        self.representation = representation
        self.predictor = predictor
        self.others = isinstance(measure, str) and measure == "agreement"

    def fit(self, X, proba, weights, *, weighted, seeds):
        """Fit on rows of positive weight, with their weak labels as targets.

        Parameters
        ----------
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        proba : ndarray of shape (n, n_classes)
            Their weak probabilities.
        weights : ndarray of shape (n,)
            Their weights.
        weighted : bool
            Whether the weights are the user's and go to the representation.
        seeds : RandomState instance or None
            Seeds the representation unless None.

        Returns
        -------
        Views
            Fitted.
        """
        # A name: modules, such as namespaces, cannot be pickled.
        self.place = place_of(X)
        kept = np.flatnonzero(weights)
        rows = safe_indexing(X, kept)
        weak_labels = self.predictor.classes[proba[kept].argmax(axis=1)]
        transformer = seed_nested(self._new_transformer(X), seeds)
        require_array_support(transformer, X, name="representation")
        fit_params = weight_arguments(transformer, weights[kept]) if weighted else {}
        transformer.fit(rows, weak_labels, **fit_params)
        self.transformer = transformer
        self._second_columns = self.predictor.columns
        if self.others:
            self._second_columns = other_columns(X, self.predictor.columns)
        self._second_transformer = None
        if self._second_columns is not None or self.others:
            view = select_columns(rows, self._second_columns)
            self._second_transformer = _as_numbers(view).fit(view)
        return self

    def represent(self, X):
        """Return rows in the space of the representation.

        Raises
        ------
        ValueError
            If they are not finite numbers.
        """
        return _as_matrix(self.transformer.transform(X), "representation.transform(X)")

    def views(self, X, proba):
        """Return rows in the space of the representation, and their second view."""
        return self.represent(X), self._second_view(X, proba)

    def _second_view(self, X, proba):
        if self._second_transformer is None:
            # The probabilities of all classes sum to one: the first adds nothing.
            return move_like(proba[:, 1:], X)
        view = select_columns(X, self._second_columns)
        rows = self._second_transformer.transform(view)
        if not self.others:
            return _as_matrix(rows, "weak_features of X", missing=True)
        rows = _as_matrix(rows, "X")
        codes = proba.argmax(axis=1)[:, None].astype(rows.dtype)
        if sp.issparse(rows):
            return sp.hstack([codes, rows], format="csr")
        return np.hstack([codes, rows])

    def _new_transformer(self, X):
        if self.representation is None:
            return DeviationEncoder()
        if self.representation == "passthrough":
            return _as_numbers(X)
        if isinstance(self.representation, str):
            return REPRESENTATIONS[self.representation](X)
        return clone(self.representation)


def _as_numbers(X):
    """Return a transformer that leaves numbers as they are."""
    if namespace_of(X)[0] is None:
        return numeric_encoder(X)
    return Pipeline([("rows", "passthrough")])


def _as_matrix(rows, name, *, missing=False):
    xp, _ = namespace_of(rows)
    kinds = [np.float64, np.float32] if xp is None else [xp.float64, xp.float32]
    return check_array(
        rows,
        accept_sparse="csr",
        dtype=kinds,
        ensure_all_finite="allow-nan" if missing else True,
        input_name=name,
    )

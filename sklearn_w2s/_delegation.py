"""Predictions of a fitted part, available where the part has them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, is_regressor
from sklearn.metrics import r2_score
from sklearn.utils.metadata_routing import MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._sklearn import (
    available_if,
    raise_for_params,
    routing_enabled,
    safe_indexing,
)
from sklearn_w2s._validation import (
    check_features,
    check_target,
    check_values,
    columns_of,
)

PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def _part_has(method):
    def check(self):
        is_fitted = hasattr(self, f"{self._predicting_part}_")
        getattr(self._fitted_part() if is_fitted else self._unfitted_part(), method)
        return True

    return check


class ValueDelegate:
    """The prediction of one fitted part of a meta-estimator.

    The host names it in `_predicting_part`, and `_unfitted_part` returns it unfitted.
    """

    _predicting_part = "estimator"

    @available_if(_part_has("predict"))
    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Predict.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for the estimator that predicts, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        return self._ask("predict", X, params)

    def _ask(self, method, X, params):
        check_is_fitted(self)
        params = self._route(method, params)
        X = self._check_new(X)
        return getattr(self._fitted_part(), method)(X, **params)

    def _check_new(self, X):
        return check_features(self, X, reset=False)

    def _route(self, method, params, **own):
        """Return the arguments that a method of the part receives."""
        raise_for_params(params, self, method)
        if not routing_enabled():
            return {}
        routed = process_routing(self, method, **own, **params)
        return routed.get(self._predicting_part, {}).get(method, {})

    def _fitted_part(self):
        return getattr(self, f"{self._predicting_part}_")


class PredictionDelegate(ValueDelegate):
    """The prediction methods of one fitted part, those of classifiers included."""

    @available_if(_part_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> NDArray[Any]:
        """Predict class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for the estimator that predicts, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, columns in the order of `classes_`.
        """
        return self._ask("predict_proba", X, params)

    @available_if(_part_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> NDArray[Any]:
        """Predict logarithms of class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for the estimator that predicts, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms, columns in the order of `classes_`.
        """
        return self._ask("predict_log_proba", X, params)

    @available_if(_part_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> Any:
        """Return decision values.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for the estimator that predicts, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decision values of the estimator that predicts: of two classes, positive for
            the last of `classes_`; of several, columns in their order.
        """
        return self._ask("decision_function", X, params)


def prediction_mapping(*methods):
    """Return a mapping of `PREDICTIONS` and further methods to themselves."""
    mapping = MethodMapping()
    for method in (*methods, *PREDICTIONS):
        mapping.add(caller=method, callee=method)
    return mapping


def take_labeled(fitted, X, y):
    """Return the labeled rows of a scored set, their labels and their positions."""
    check_consistent_length(X, y)
    labels, labeled = check_target(
        y,
        fitted.missing_label,
        of_values=is_regressor(fitted),
        classes=getattr(fitted, "classes_", None),
    )
    positions = np.flatnonzero(labeled)
    return safe_indexing(X, positions), labels, positions


class LabeledClassifierMixin(ClassifierMixin):
    """A classifier with `missing_label`, whose score is that of labeled rows."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy on the labeled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Labels; rows marked `missing_label` are left out.
        sample_weight : array-like of shape (n,), default=None
            Weights.

        Returns
        -------
        float
            Accuracy; NaN if no row is labeled.
        """
        check_is_fitted(self)
        rows, labels, positions = take_labeled(self, X, y)
        if not len(positions):
            return float("nan")
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)[positions]
        return super().score(rows, labels, sample_weight)


class LabeledRegressorMixin(RegressorMixin):
    """A regressor whose score is that of labeled rows, each output by its own."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination on the labeled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,) or (n, n_outputs)
            Values; rows marked NaN are left out, in each output its own.
        sample_weight : array-like of shape (n,), default=None
            Weights.

        Returns
        -------
        float
            R², the mean over outputs; NaN if an output has no labeled row.
        """
        check_is_fitted(self)
        columns = columns_of(y)
        check_consistent_length(X, *columns)
        predicted = np.asarray(self.predict(X)).reshape(-1, len(columns))
        scores = []
        for column, said in zip(columns, predicted.T, strict=True):
            values, labeled = check_values(column)
            weights = None if sample_weight is None else np.asarray(sample_weight)
            scores.append(
                r2_score(
                    values,
                    said[labeled],
                    sample_weight=None if weights is None else weights[labeled],
                )
                if len(values)
                else float("nan")
            )
        return float(np.mean(scores))

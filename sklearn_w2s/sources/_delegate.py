"""Predict with a fitted `estimator_`, and score it on labeled rows."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._fitting import take_metadata
from sklearn_w2s._sklearn import raise_for_params, safe_indexing
from sklearn_w2s._validation import check_features, check_labels, n_rows

DELEGATES = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
)


def _estimator_has(method):
    def check(self):
        fitted = getattr(self, "estimator_", None)
        getattr(self.estimator if fitted is None else fitted, method)
        return True

    return check


class EstimatorDelegate:
    """Methods of the parameter `estimator`, available where it has them.

    The host has the parameters `estimator` and `missing_label` and, once fitted,
    `estimator_`, and `classes_` where that has any.
    """

    @available_if(_estimator_has("predict"))
    def predict(self, X, **params):
        """Predict with the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for `estimator.predict`, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples,)
            Its predictions.
        """
        return _call(self, "predict", X, params)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict class probabilities with the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for `estimator.predict_proba`, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Its probabilities.
        """
        return _call(self, "predict_proba", X, params)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Predict logarithms of class probabilities with the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for `estimator.predict_log_proba`, with metadata routing switched
            on.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Its logarithmic probabilities.
        """
        return _call(self, "predict_log_proba", X, params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Return the decision values of the fitted estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        **params : dict
            Metadata for `estimator.decision_function`, with metadata routing switched
            on.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Its decision values.
        """
        return _call(self, "decision_function", X, params)

    @available_if(_estimator_has("score"))
    def score(self, X, y, **params):
        """Score the fitted estimator on the labeled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels; rows with `missing_label` are left out.
        **params : dict
            Metadata for `estimator.score`, with metadata routing switched on.

        Returns
        -------
        float
            Its score; NaN where no row has a label.
        """
        return _score_labeled(self, X, y, params)


def route_params(owner, method, params, **requested):
    """Return the arguments that the estimator's method receives.

    Parameters
    ----------
    owner : EstimatorDelegate
        Its method was called.
    method : str
        Name of the method.
    params : dict
        Extra arguments of the method.
    **requested : dict
        Arguments that `owner` asks for itself.

    Returns
    -------
    dict
        Arguments; none where there is no estimator.

    Raises
    ------
    TypeError
        If nobody asks for one of `params`.
    """
    raise_for_params(params, owner, method)
    routed = process_routing(owner, method, **requested, **params)
    return {} if owner.estimator is None else routed["estimator"][method]


def _call(owner, method, X, params):
    check_is_fitted(owner)
    routed = route_params(owner, method, params)
    X = check_features(owner, X, reset=False)
    return getattr(owner.estimator_, method)(X, **routed)


def _score_labeled(owner, X, y, params):
    check_is_fitted(owner)
    routed = route_params(owner, "score", params)
    X = check_features(owner, X, reset=False)
    check_consistent_length(X, y)
    y = column_or_1d(y)
    rows = np.flatnonzero(_is_labeled(y, owner))
    if not len(rows):
        return np.nan
    return owner.estimator_.score(
        safe_indexing(X, rows), y[rows], **take_metadata(routed, rows, n_rows(X))
    )


def _is_labeled(y, owner):
    if owner.missing_label in np.asarray(getattr(owner, "classes_", ())).tolist():
        return np.ones(len(y), dtype=bool)
    # As objects, -1 and +1 alone are not taken for two classes: those are known.
    return check_labels(y.astype(object), owner.missing_label)[1]

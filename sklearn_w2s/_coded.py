"""Class codes for estimators that take no other labels."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import _boosting
from sklearn_w2s._sklearn import available_if
from sklearn_w2s._validation import classes_of
from sklearn_w2s.persistence import VersionStampMixin


def needs_codes(estimator):
    """Return whether an estimator, or the one that it wraps, needs codes 0, 1, ..."""
    # To a self-training classifier -1 marks unlabeled rows; a code would be a class.
    if isinstance(estimator, CodedClassifier | SelfTrainingClassifier):
        return False
    if isinstance(estimator, Pipeline):
        return needs_codes(estimator.steps[-1][1])
    if isinstance(estimator, MetaEstimatorMixin) and hasattr(estimator, "estimator"):
        return needs_codes(estimator.estimator)
    # XGBoost refuses strings, and integers with gaps.
    return any(
        base.__name__ == "XGBClassifier" and base.__module__ == "xgboost.sklearn"
        for base in type(estimator).__mro__
    )


def _inner_has(method):
    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class CodedClassifier(
    VersionStampMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Fit an estimator to codes 0, 1, ... of the labels, and return labels."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, sample_weight=None, **params):
        """Fit a clone to codes of the labels, also of those in an `eval_set`."""
        self.classes_ = classes_of(y)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if params.get("eval_set") is not None:
            params["eval_set"] = [
                (rows, self._codes(labels, "eval_set"))
                for rows, labels in params["eval_set"]
            ]
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(X, self._codes(y, "y"), **params)
        return self

    def takes_distributions(self):
        """Return whether the estimator learns from target distributions directly."""
        return _boosting.takes_distributions(self.estimator)

    def fit_distributions(self, X, distributions, classes, sample_weight):
        """Fit to distributions over the classes, leaving out classes without any."""
        named = sample_weight @ distributions > 0
        self.classes_ = classes[named]
        if not named.all():
            distributions = distributions[:, named]
        self.estimator_ = clone(self.estimator)
        codes = np.arange(len(self.classes_))
        _boosting.fit_distributions(
            self.estimator_, X, distributions, codes, sample_weight
        )
        return self

    def predict(self, X, **params):
        """Return the label that the estimator predicts for each row."""
        check_is_fitted(self)
        codes = np.asarray(self.estimator_.predict(X, **params))
        return self.classes_[codes.astype(np.intp)]

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Return the estimator's probabilities, columns in the order of `classes_`."""
        return self._call("predict_proba", X, params)

    @available_if(_inner_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Return the logarithms of the estimator's probabilities."""
        return self._call("predict_log_proba", X, params)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X, **params):
        """Return the estimator's decision values."""
        return self._call("decision_function", X, params)

    def _call(self, method, X, params):
        check_is_fitted(self)
        return getattr(self.estimator_, method)(X, **params)

    def _codes(self, labels, name):
        labels = np.asarray(labels)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            msg = (
                f"{name} has labels {unknown[:5].tolist()}, but the training rows have "
                f"{self.classes_.tolist()}. Leave other rows out."
            )
            raise ValueError(msg)
        return np.searchsorted(self.classes_, labels)

    def get_metadata_routing(self):
        """Return the routing of the estimator, as if it was not wrapped."""
        return get_routing_for_object(self.estimator)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        return get_tags(self.estimator)

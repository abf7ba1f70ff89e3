"""Base of the classifiers that can label rows before they are fitted."""

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._delegation import LabeledClassifierMixin
from sklearn_w2s._estimators import fit_context
from sklearn_w2s._sklearn import check_weights, safe_indexing
from sklearn_w2s._validation import (
    check_features,
    check_labels,
    classes_of,
    require_distributions,
)
from sklearn_w2s._weak import resolve_columns, select_columns
from sklearn_w2s.persistence import VersionStampMixin


class GivenClassifier(
    VersionStampMixin, LabeledClassifierMixin, ClassifierMixin, BaseEstimator
):
    """Base of classifiers that need no `fit` where their classes are named.

    The host returns probabilities of checked rows from `_proba`.
    """

    # A rule accepts weights, so that they need not be requested for it.
    __metadata_request__fit = {"sample_weight": True}

    @property
    def classes_(self) -> Any:
        """Sorted class labels."""
        if hasattr(self, "_classes_"):
            return self._classes_
        named = self._named_classes()
        if named is None:
            msg = (
                f"{type(self).__name__} has no classes_: call fit, or name the classes "
                "with classes=[...]."
            )
            raise AttributeError(msg)
        return np.sort(named)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Record the columns, and the classes unless they are named.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Labels, `missing_label` where there is none. Needed where nothing else
            names the classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; a weight of two equals a row given twice, one of zero a row left
            out. They change only what is learned from rows.

        Returns
        -------
        estimator
            The classifier.

        Raises
        ------
        ValueError
            If the classes are not named, or fewer than two, or an argument does not
            fit.
        """
        X = check_features(self, X, reset=True)
        weights = check_weights(sample_weight, X)
        if hasattr(self, "columns"):
            # A callable might choose other columns for other rows.
            self._chosen_ = self._choose_columns(X)
        named = self._named_classes()
        labels = self._check_y(X, y, named, weights)
        counted = np.flatnonzero(weights)
        if len(counted) < len(weights):
            X, weights = safe_indexing(X, counted), weights[counted]
            y = None if y is None else safe_indexing(y, counted)
        found = self._find_classes(X, labels) if named is None else named
        if len(found) < 2:
            msg = (
                f"Found the classes {found.tolist()}; a classifier needs 2, so that "
                "one class is too few. Name them with classes=[...], or pass y with "
                "labels."
            )
            raise ValueError(msg)
        self._classes_ = np.sort(found)
        self._learn(X, y, weights)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class, the first in sorted order where several are.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return class probabilities.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If the answers for the rows are neither classes nor distributions over the
            classes.
        """
        check_is_fitted(self)
        if hasattr(self, "n_features_in_"):
            return self._proba(check_features(self, X, reset=False))
        self._validate_params()
        # A copy records the columns: prediction does not change the estimator.
        return self._proba(check_features(copy.copy(self), X, reset=True))

    def _view(self, X):
        """Return the columns of X that were chosen in `fit`, if there was one."""
        chosen = getattr(self, "_chosen_", None) or self._choose_columns(X)
        return select_columns(X, chosen)

    def _choose_columns(self, X):
        chosen = self.columns
        chosen = list(chosen.values()) if isinstance(chosen, dict) else chosen
        return resolve_columns(chosen, X, name="columns")

    def _check_y(self, X, y, named, weights):
        """Return the labels that y holds in rows that count."""
        if y is None:
            if not get_tags(self).target_tags.required:
                return np.array([])
            msg = (
                f"This {type(self).__name__} requires y to be passed, but the target y "
                "is None. Pass labels, or name the classes with classes=[...]."
            )
            raise ValueError(msg)
        labels, labeled = check_labels(y, self.missing_label, classes=named)
        check_consistent_length(X, labeled)
        return labels[weights[labeled] > 0]

    def _named_classes(self):
        """Return the classes that the parameters name, in their order, or None."""
        if self.classes is None:
            return None
        return check_classes(self.classes, name="classes")

    def _find_classes(self, X, labels):
        """Return the classes where none are named."""
        return classes_of(labels)

    def _learn(self, X, y, weights):
        """Learn more than the classes."""

    def _in_order(self, values):
        """Put columns that follow the named classes in the order of `classes_`."""
        named = self._named_classes()
        return values if named is None else values[..., np.argsort(named)]

    def _prior(self):
        """Return the probabilities of the classes before anything is known."""
        n_classes = len(self.classes_)
        if self.class_prior is None:
            return np.full(n_classes, 1 / n_classes)
        prior = np.asarray(self.class_prior, dtype=np.float64)
        if prior.shape != (n_classes,) or not np.isfinite(prior).all():
            msg = (
                f"class_prior={self.class_prior!r} must hold one finite number per "
                f"class of {self.classes_.tolist()}."
            )
            raise ValueError(msg)
        require_distributions(prior[None, :], name="class_prior")
        return self._in_order(prior)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_classes_") or self._named_classes() is not None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.classes is None
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        # Nothing is learned from the data.
        tags.classifier_tags.poor_score = True
        return tags


def check_classes(classes, *, name):
    """Return the class labels of a parameter, in its order, and refuse bad ones."""
    plain = np.asarray(classes, dtype=object).ravel().tolist()
    if len(plain) < 2 or len({isinstance(label, str) for label in plain}) > 1:
        msg = f"{name}={classes!r} must name 2 classes at least, all strings or numbers"
        raise ValueError(f"{msg}.")
    if len(set(plain)) < len(plain):
        msg = f"{name}={classes!r} names a class twice; name each once."
        raise ValueError(msg)
    return np.array(plain)


def split_abstentions(values, abstain, *, name, classes=()):
    """Return the labels among answers, and a mask of the answers that are labels."""
    # An `abstain` among the known classes is a class.
    try:
        return check_labels(values, abstain, classes=classes)
    except ValueError as error:
        msg = f"{name} must give class labels, or {abstain!r} to abstain: {error}"
        raise ValueError(msg) from error


def class_codes(values, abstain, classes, *, name):
    """Return the position of each answer among the classes, -1 for an abstention."""
    labels, given = split_abstentions(values, abstain, name=name, classes=classes)
    codes = np.full(len(given), -1, dtype=np.intp)
    if not len(labels):
        return codes
    # Compared across kinds, the number 1 would equal the string "1".
    alike = (labels.dtype.kind in "US") == (classes.dtype.kind in "US")
    known = np.isin(labels, classes) if alike else np.zeros(len(labels), dtype=bool)
    if not known.all():
        msg = (
            f"{name} gives {labels[~known][0].item()!r} in row "
            f"{np.flatnonzero(given)[~known][0]}, which is neither one of the classes "
            f"{classes.tolist()} nor abstain={abstain!r}. Name all classes with "
            "classes=[...]."
        )
        raise ValueError(msg)
    codes[given] = np.searchsorted(classes, labels)
    return codes


def check_proba(proba, n_classes, *, name):
    """Return float64 probabilities, one column per class, and refuse others."""
    if proba.shape[1] != n_classes:
        msg = (
            f"{name} gives {proba.shape[1]} column(s) of probabilities for {n_classes} "
            "classes; it must give one per class."
        )
        raise ValueError(msg)
    try:
        proba = np.asarray(proba, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} must give numbers as probabilities: {error}"
        raise ValueError(msg) from error
    strange = np.flatnonzero(~np.isfinite(proba).all(axis=1))
    if len(strange):
        msg = (
            f"{name} gives {proba[strange[0]].tolist()} for row {strange[0]}; "
            "probabilities must be finite. Fill them in, or drop these rows."
        )
        raise ValueError(msg)
    require_distributions(proba, name=name)
    return proba

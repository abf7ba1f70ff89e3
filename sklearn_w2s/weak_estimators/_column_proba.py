"""ColumnProbaClassifier: probabilities that are columns of the table."""

from numbers import Integral
from typing import Any

import numpy as np

from sklearn_w2s._columns import numbers_of
from sklearn_w2s._sklearn import to_numpy
from sklearn_w2s.weak_estimators._base import (
    GivenClassifier,
    check_classes,
    check_proba,
)


class ColumnProbaClassifier(GivenClassifier):
    """Classify with probabilities that are columns of the table.

    Examples are scores of a vendor, of a language model, or of a former model.
    Where the classes are named there is nothing left to learn: the classifier predicts
    without `fit`, and as a weak estimator it needs no label.

    Parameters
    ----------
    columns : str, int, list or dict
        Names or positions of the columns. One column holds the probability of the
        second class. A list holds one column per class, in the order of `classes`, or
        of the sorted labels of y where it is None. A dict maps class labels to columns
        and so names the classes.
    classes : array-like of shape (n_classes,), default=None
        Class labels. None takes them from the dict, or from the labels in `fit`.
    missing_label : scalar, default=-1
        Label of unlabeled rows in `fit` and `score`. None, NaN, NaT and pandas.NA are
        such labels as well.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; there before `fit` where `classes` or a dict names them.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    FunctionClassifier : A rule that computes labels or probabilities.
    VoteClassifier : Votes of several functions, which are columns of the table.

    Notes
    -----
    With a single column :math:`p`, and `classes` of two labels in the order given, the
    probabilities are :math:`1 - p` and :math:`p`. A strong estimator that is trained
    on its labels sees the columns as well unless they are taken out of its input.

    Scores that are not frequencies are calibrated on labeled rows by
    :class:`~sklearn.calibration.CalibratedClassifierCV`: with ``ensemble=False`` all
    labels serve one calibration, since nothing else is learned from them. Its method
    "sigmoid", or "temperature" from scikit-learn 1.8 on, copes with few labels;
    "isotonic" takes many of them, or scores of few different values. Each class of
    the classifier must have labels.

    Examples
    --------
    >>> from sklearn_w2s.weak_estimators import ColumnProbaClassifier
    >>> X = [[5.1, 0.25], [4.9, 0.75]]
    >>> vendor = ColumnProbaClassifier(1, classes=["good", "bad"])
    >>> vendor.classes_
    array(['bad', 'good'], dtype='<U4')
    >>> vendor.predict_proba(X)
    array([[0.25, 0.75],
           [0.75, 0.25]])
    >>> vendor.predict(X)
    array(['good', 'bad'], dtype='<U4')

    Of ten loans that a vendor is sure of, two turn out otherwise:

    >>> import numpy as np
    >>> from sklearn.calibration import CalibratedClassifierCV
    >>> X = np.repeat([[0.01], [0.99]], 10, axis=0)
    >>> y = np.where(X[:, 0] > 0.5, "bad", "good")
    >>> y[[0, 1, 10, 11]] = ["bad", "bad", "good", "good"]
    >>> sure = ColumnProbaClassifier(0, classes=["good", "bad"])
    >>> modest = CalibratedClassifierCV(sure, method="isotonic", ensemble=False)
    >>> modest.fit(X, y).predict_proba([[0.01], [0.99]]).round(2)
    array([[0.2, 0.8],
           [0.8, 0.2]])
    """

    _parameter_constraints = {
        "columns": [str, Integral, list, tuple, dict],
        "classes": ["array-like", None],
        "missing_label": "no_validation",
    }

    def __init__(
        self, columns: Any, *, classes: Any = None, missing_label: Any = -1
    ) -> None:
        self.columns = columns
        self.classes = classes
        self.missing_label = missing_label

    def _named_classes(self):
        named = super()._named_classes()
        if not isinstance(self.columns, dict):
            return named
        keys = check_classes(list(self.columns), name="columns")
        if named is not None and set(named.tolist()) != set(keys.tolist()):
            msg = (
                f"columns names the classes {keys.tolist()}, but classes="
                f"{self.classes!r}. Leave classes None, or give both the same."
            )
            raise ValueError(msg)
        return keys

    def _learn(self, X, y, weights):
        self._proba(X)

    def _proba(self, X):
        view = to_numpy(self._view(X))
        try:
            proba = numbers_of(view)
        except (TypeError, ValueError) as error:
            msg = f"columns={self.columns!r} must hold numbers: {error}"
            raise ValueError(msg) from error
        if proba.shape[1] == 1:
            proba = np.hstack([1 - proba, proba])
        name = f"columns={self.columns!r}"
        return self._in_order(check_proba(proba, len(self.classes_), name=name))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required &= not isinstance(self.columns, dict)
        return tags

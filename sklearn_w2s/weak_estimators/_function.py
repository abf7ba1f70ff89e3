"""FunctionClassifier: a function as a weak estimator."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._sklearn import to_numpy
from sklearn_w2s._validation import is_dataframe, n_rows
from sklearn_w2s.weak_estimators._base import (
    GivenClassifier,
    check_proba,
    class_codes,
)


class FunctionClassifier(GivenClassifier):
    """Classify with a function: a rule, a legacy system, a service.

    The function gets the rows as they are given, a data frame as a data frame, and
    returns labels or probabilities. With `classes` there is nothing left to learn: the
    classifier predicts without `fit`, and as a weak estimator it needs no label.

    Parameters
    ----------
    func : callable
        ``func(X)`` returns class labels of shape (n,), or probabilities of shape
        (n, n_classes). Columns of probabilities follow `classes`, or the sorted
        labels of y where it is None; those of a data frame are named by the classes.
        To clone and pickle the classifier, `func` must be a function of a module.
    classes : array-like of shape (n_classes,), default=None
        Class labels. None takes them from the labels in `fit`.
    abstain : scalar, default=None
        Label that the function returns where it abstains. None, NaN, NaT and pandas.NA
        are abstentions as well.
    class_prior : array-like of shape (n_classes,), default=None
        Probabilities of rows on which the function abstains, in the order of `classes`.
        None takes all classes for equally likely.
    missing_label : scalar, default=-1
        Label of unlabeled rows in `fit` and `score`. None, NaN, NaT and pandas.NA are
        such labels as well.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels; there before `fit` where `classes` names them.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    ColumnProbaClassifier : Probabilities that are columns of the table.
    VoteClassifier : Several functions, whose votes are columns of the table.
    sklearn.preprocessing.FunctionTransformer : A function as a transformer.

    Notes
    -----
    A label becomes the probability 1 of its class, which no rule deserves: where some
    rows are labeled, ``CalibratedClassifierCV(rule, ensemble=False)`` learns from them
    how far to trust it, see :class:`ColumnProbaClassifier`. Missing values are left to
    the function.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.weak_estimators import FunctionClassifier
    >>> def long_is_spam(X):
    ...     return np.where(X[:, 0] > 100, "spam", "ham")
    >>> rule = FunctionClassifier(long_is_spam, classes=["ham", "spam"])
    >>> X = np.array([[20.0, 0.0], [150.0, 1.0], [30.0, 0.0], [400.0, 1.0]])
    >>> rule.predict_proba(X[:2])
    array([[1., 0.],
           [0., 1.]])

    No label is needed to train a strong estimator on the labels of the rule:

    >>> model = WeakToStrongClassifier(rule, DecisionTreeClassifier())
    >>> model.fit(X, np.full(4, -1)).predict(X)
    array(['ham', 'spam', 'ham', 'spam'], dtype='<U4')
    """

    _parameter_constraints = {
        "func": [callable],
        "classes": ["array-like", None],
        "abstain": "no_validation",
        "class_prior": ["array-like", None],
        "missing_label": "no_validation",
    }

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        classes: Any = None,
        abstain: Any = None,
        class_prior: Any = None,
        missing_label: Any = -1,
    ) -> None:
        self.func = func
        self.classes = classes
        self.abstain = abstain
        self.class_prior = class_prior
        self.missing_label = missing_label

    def _proba(self, X):
        given = self.func(X)
        answer = np.asarray(to_numpy(given))
        if answer.ndim not in {1, 2} or len(answer) != n_rows(X):
            msg = (
                f"func returned an array of shape {answer.shape} for {n_rows(X)} rows; "
                "it must return labels of shape (n,) or probabilities of shape "
                "(n, n_classes)."
            )
            raise ValueError(msg)
        classes = self.classes_
        if answer.ndim == 1:
            codes = class_codes(given, self.abstain, classes, name="func(X)")
            proba = one_hot(codes, len(classes))
            proba[codes < 0] = self._prior()
            return proba
        proba = check_proba(answer, len(classes), name="func(X)")
        if not is_dataframe(given):
            return self._in_order(proba)
        names = list(given.columns)
        if set(names) != set(classes.tolist()):
            msg = (
                f"func(X) is a data frame with the columns {names}; name them by the "
                f"classes {classes.tolist()}, or return an array."
            )
            raise ValueError(msg)
        return proba[:, [names.index(label) for label in classes.tolist()]]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

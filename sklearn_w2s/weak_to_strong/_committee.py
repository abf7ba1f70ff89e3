"""A committee: teacher and students that predict together."""

import warnings

import numpy as np

from sklearn_w2s._sklearn import safe_indexing, to_numpy
from sklearn_w2s._validation import align_proba

LEAST_LEARNT = 0.25


class Committee:
    """The mean of strong estimator, helper students and teacher.

    Parameters
    ----------
    strong : classifier instance or None
        Fitted strong estimator; None where it has no vote.
    students : HelperStudents or None
        Fitted helper students, which have one vote together.
    teacher : Teacher or CoTeacher or None
        None where it knows nothing that the students do not see.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    """

    def __init__(self, strong, students, teacher, classes):
        self.strong = strong
        self.students = students
        self.teacher = teacher
        self.classes_ = classes

    def predict_proba(self, X, **params):
        """Return probabilities of rows of X; `params` are for the strong estimator."""
        parts = []
        if self.strong is not None:
            own = to_numpy(self.strong.predict_proba(X, **params))
            parts.append(align_proba(own, self.strong.classes_, self.classes_))
        if self.students is not None:
            parts.append(self.students.proba(X))
        if self.teacher is not None:
            parts.append(self.teacher.proba(X))
        return np.mean(parts, axis=0)

    def predict(self, X, **params):
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X, **params).argmax(axis=1)]

    def predict_log_proba(self, X, **params):
        """Return logarithms of probabilities."""
        proba = self.predict_proba(X, **params)
        with np.errstate(divide="ignore"):
            return np.log(proba)

    def decision_function(self, X, **params):
        """Return log-probabilities; their difference where there are two classes."""
        proba = self.predict_proba(X, **params)
        # Scorers refuse infinite scores.
        scores = np.log(np.maximum(proba, np.finfo(np.float64).tiny))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores


def may_vote(strong, X, labels, weights):
    """Say whether a strong estimator has learnt what it was taught.

    Boosting can collapse where classes are rare. Whoever misses the labels of its own
    training set has learnt nothing that others should listen to.

    Parameters
    ----------
    strong : classifier instance
        Fitted.
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    labels : ndarray of shape (n,)
        Labels that it was trained on.
    weights : ndarray of shape (n,)
        Weights that it was trained with.

    Returns
    -------
    bool
        Whether it gets at least a quarter of the way from the share of the most
        frequent label to all labels right.

    Warns
    -----
    UserWarning
        If it may not.
    """
    rows = np.flatnonzero(weights)
    predicted = np.ravel(to_numpy(strong.predict(safe_indexing(X, rows))))
    right = np.average(predicted == labels[rows], weights=weights[rows])
    _, codes = np.unique(labels[rows], return_inverse=True)
    most_frequent = np.bincount(codes, weights[rows]).max() / weights[rows].sum()
    wrong = 1 - right
    # Where all labels are alike both are zero but for rounding.
    if wrong <= (1 - LEAST_LEARNT) * (1 - most_frequent) + 1e-9:
        return True
    warnings.warn(
        f"strong_estimator={strong!r} predicts {right:.0%} of the labels that it was "
        f"trained on, of which the most frequent makes {most_frequent:.0%}, so that it "
        "has no vote. Regularise it less, or take another.",
        UserWarning,
        stacklevel=4,
    )
    return False

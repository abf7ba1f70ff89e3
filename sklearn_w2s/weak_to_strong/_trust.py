"""Trust: the probability that a weak label is right, row by row."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s._algorithms.overlap import margin_confidence
from sklearn_w2s.weak_to_strong._students import N_NEIGHBORS


class TrustingTeacher:
    r"""A teacher that trusts the weak label as far as the labeled rows justify.

    A logistic regression learns on labeled rows whether the weak label is right [1]_,
    from the margin of the weak probabilities, the share of neighbouring rows with the
    same weak label and the probability that the strong estimator trained on the labels
    gives it. With the trust t of a row, its weak label :math:`\hat y` and the other
    probabilities s of that estimator,

    .. math:: P_{\hat y} = t, \qquad
        P_k = (1 - t) \, s_k \Big/ \sum_{j \ne \hat y} s_j .

    Parameters
    ----------
    teacher : Teacher
        The weak estimator, and the strong one trained on the labels if it could be.
    view : View
        Where neighbours are looked for.

    References
    ----------
    .. [1] A. Uzunoğlu, A. Zhang, D. Khashabi, "Trust Functions: Near-Lossless
       Weak-to-Strong Generalization by Learning When to Trust the Weak Teacher",
       ICML 2026, https://arxiv.org/abs/2606.01000
    """

    def __init__(self, teacher, view):
        self.teacher = teacher
        self.view = view

    def fit(self, labels, X, weak_proba):
        """Learn from labeled rows when weak labels are right.

        Parameters
        ----------
        labels : Labels
            Labeled rows.
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Unlabeled rows, among which neighbours are looked for.
        weak_proba : ndarray of shape (n, n_classes)
            What the weak estimator says of them.

        Returns
        -------
        TrustingTeacher
            The teacher.
        """
        self.weak_codes_ = weak_proba.argmax(axis=1)
        self.neighbors_ = NearestNeighbors(
            n_neighbors=min(N_NEIGHBORS, len(weak_proba))
        ).fit(self.view.rows(X))
        strong = self.teacher.members.get("strong")
        held_out = labels.weak_proba if strong is None else strong.held_out_proba
        known = ~np.isnan(held_out).any(axis=1) & (labels.weights > 0)
        weights = labels.weights[known]
        is_right = (labels.weak_proba.argmax(axis=1) == labels.codes)[known]
        # By the rule of succession: a few rows prove nobody infallible.
        self.share_right_ = (weights @ is_right + 1) / (weights.sum() + 2)
        self.is_known_ = bool(known.any())
        self.model_ = None
        if len(np.unique(is_right)) == 2:
            evidence = self._evidence(labels.X, labels.weak_proba, held_out)[known]
            self.model_ = LogisticRegression().fit(evidence, is_right, weights)
        return self

    def proba(self, X, weak_proba=None):
        """Return probabilities of rows of X, see `Teacher.proba`."""
        if weak_proba is None:
            weak_proba = self.teacher.weak.proba(X)
        strong = self.teacher.members.get("strong")
        second = weak_proba if strong is None else strong.proba(X, None)
        trust = self._trust(X, weak_proba, second)
        best = weak_proba.argmax(axis=1)[:, None]
        others = second + 1e-6
        np.put_along_axis(others, best, 0.0, axis=1)
        others *= (1 - trust)[:, None] / others.sum(axis=1, keepdims=True)
        np.put_along_axis(others, best, trust[:, None], axis=1)
        return others

    def _trust(self, X, weak_proba, second):
        if self.model_ is not None:
            evidence = self._evidence(X, weak_proba, second)
            return self.model_.predict_proba(evidence)[:, 1]
        if self.is_known_:
            return np.full(len(second), self.share_right_)
        # No row was held out to tell better.
        return weak_proba.max(axis=1)

    def _evidence(self, X, weak_proba, second):
        codes = weak_proba.argmax(axis=1)
        neighbors = self.neighbors_.kneighbors(self.view.rows(X), return_distance=False)
        return np.column_stack(
            [
                margin_confidence(weak_proba),
                (self.weak_codes_[neighbors] == codes[:, None]).mean(axis=1),
                second[np.arange(len(codes)), codes],
            ]
        )

"""Ways of others to use weak labels, and what all ways share.

Each is a function ``(situation, strong, seed) -> proba``, as those of ours are.

Biquality-learn 0.1.0 is not among the peers itself: its estimators call a method that
scikit-learn has removed. Two of its ideas are restated here, with the labeled rows as
the trusted and the rows with weak labels as the untrusted ones.
"""

from functools import partial

import numpy as np
from cleanlab.classification import CleanLearning
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from sklearn_w2s._tabular import TabularEncoder


def self_training(situation, strong, *_, base):
    """Let an estimator label its own training set (scikit-learn)."""
    if not has_labels(situation):
        return None
    # It takes arrays of numbers only.
    encoder = TabularEncoder().fit(situation.X)
    estimator = (situation.weak if base == "weak" else strong)[-1]
    model = SelfTrainingClassifier(clone(estimator), threshold=0.9)
    model.fit(encoder.transform(situation.X), situation.y)
    return aligned(model, encoder.transform(situation.X_test), situation)


def label_spreading(situation, *_):
    """Spread labels over neighbours (scikit-learn)."""
    if not has_labels(situation):
        return None
    encoder = TabularEncoder().fit(situation.X)
    model = LabelSpreading(kernel="knn", n_neighbors=7, max_iter=100)
    model.fit(encoder.transform(situation.X), situation.y)
    return aligned(model, encoder.transform(situation.X_test), situation)


def clean_learning(situation, strong, seed):
    """Leave out labels that confident learning holds to be wrong (cleanlab)."""
    X, labels, _ = _rows(situation)
    # It wants the labels 0, 1, ... without gaps.
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        return aligned(_fit(strong, X, labels), situation.X_test, situation)
    model = CleanLearning(
        clone(strong), seed=seed, find_label_issues_kwargs={"n_jobs": 1}
    ).fit(X, codes)
    proba = np.zeros((len(situation.X_test), situation.truth.max() + 1))
    proba[:, classes[model.clf.classes_]] = model.predict_proba(situation.X_test)
    return proba


def importance_reweighting(situation, strong, *_):
    """Weigh weak labels by how much likelier true labels make them (IRBL).

    Of a row x with the weak label k the weight is P(k | x) of a model of the true
    labels over that of a model of the weak ones; true labels weigh one. P. Nodet, V.
    Lemaire, A. Bondu, A. Cornuejols, "Importance Reweighting for Biquality Learning",
    IJCNN 2021.
    """
    if not has_labels(situation):
        return None
    X, labels, trusted = _rows(situation)
    likelihoods = [
        aligned(_fit(strong, X[rows], labels[rows]), X, situation)[
            np.arange(len(labels)), labels
        ]
        for rows in (trusted, ~trusted)
    ]
    weights = np.zeros(len(labels))
    np.divide(*likelihoods, out=weights, where=likelihoods[1] > 0)
    weights[trusted] = 1
    return aligned(_fit(strong, X, labels, weights), situation.X_test, situation)


def trusted_duplicates(situation, strong, *_):
    """Repeat the true labels until they weigh as much as the weak ones."""
    if not has_labels(situation):
        return None
    X, labels, trusted = _rows(situation)
    weights = np.where(trusted, (~trusted).sum() / trusted.sum(), 1)
    return aligned(_fit(strong, X, labels, weights), situation.X_test, situation)


PEERS = {
    "SelfTrainingClassifier, weak base": partial(self_training, base="weak"),
    "SelfTrainingClassifier, strong base": partial(self_training, base="strong"),
    "LabelSpreading": label_spreading,
    "CleanLearning": clean_learning,
    "importance reweighting (IRBL)": importance_reweighting,
    "trusted duplicates": trusted_duplicates,
}


def has_labels(situation):
    """Say whether a strong estimator can be trained on labeled rows."""
    return situation.labels_for_strong and (situation.y >= 0).any()


def fitted_weak(situation):
    """Return the weak estimator, fitted on the labeled rows unless it is frozen."""
    if isinstance(situation.weak, FrozenEstimator):
        return situation.weak
    known = situation.y >= 0
    X = weak_view(situation, situation.X[known])
    return clone(situation.weak).fit(X, situation.y[known])


def weak_view(situation, X):
    """Return the columns that the weak estimator sees."""
    return X if situation.weak_features is None else X[situation.weak_features]


def aligned(estimator, X, situation):
    """Return probabilities with a column for each class, known to it or not."""
    proba = np.zeros((len(X), situation.truth.max() + 1))
    proba[:, estimator.classes_] = estimator.predict_proba(X)
    return proba


def _rows(situation):
    """Return rows to train a strong estimator on, labels, and which are true."""
    labels = situation.y.copy()
    unlabeled = labels < 0
    X = weak_view(situation, situation.X[unlabeled])
    labels[unlabeled] = fitted_weak(situation).predict(X)
    if situation.labels_for_strong:
        return situation.X, labels, ~unlabeled
    # The labeled rows lack columns.
    return situation.X[unlabeled], labels[unlabeled], np.zeros(unlabeled.sum(), bool)


def _fit(strong, X, labels, weights=None):
    if len(np.unique(labels)) < 2:
        return DummyClassifier().fit(X, labels)
    if weights is None:
        return clone(strong).fit(X, labels)
    step = strong.steps[-1][0]
    return clone(strong).fit(X, labels, **{f"{step}__sample_weight": weights})

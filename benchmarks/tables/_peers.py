"""Ways of others to use weak labels, and what all ways share.

Each is a function ``(situation, strong, seed) -> proba``, as those of ours are. Peers
that are packages of their own are imported where they are called.

Biquality-learn 0.1.0 is not among the peers itself: its estimators call a method that
scikit-learn has removed. Two of its ideas are restated here, with the labeled rows as
the trusted and the rows with weak labels as the untrusted ones.
"""

from functools import partial
from itertools import product

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from sklearn_w2s._columns import Columns
from sklearn_w2s._tabular import TabularEncoder

# Shares that neighbours have in a label, and numbers of neighbours.
SPREADING = list(product([0.2, 0.8], [3, 7, 20]))


def self_training(situation, strong, seed, *, base, threshold=0.9):
    """Let an estimator label its own training set (scikit-learn)."""
    if not has_labels(situation):
        return None
    if base == "strong" and isinstance(strong[-1], RandomForestClassifier):
        # The same as with a forest as the base.
        return None
    # It takes arrays of numbers only.
    encoder = TabularEncoder().fit(situation.X)
    forest = [RandomForestClassifier(random_state=seed)]
    estimator = {"weak": situation.weak, "strong": strong, "forest": forest}[base][-1]
    model = SelfTrainingClassifier(clone(estimator), threshold=threshold)
    model.fit(encoder.transform(situation.X), situation.y)
    return answers(model, encoder.transform(situation.X_test), situation)


def label_spreading(situation, *_):
    """Spread labels over neighbours (scikit-learn)."""
    if not has_labels(situation):
        return None
    encoder = TabularEncoder().fit(situation.X)
    X = encoder.transform(situation.X)
    model = _spread(X, situation.y, alpha=0.2, n_neighbors=7)
    return answers(model, encoder.transform(situation.X_test), situation)


def tuned_label_spreading(situation, _strong, seed):
    """Choose the share and number of neighbours by cross-validation on the labels.

    Labels of a fold are hidden while all rows stay, so that the fold is labeled as
    unlabeled rows are.
    """
    if not has_labels(situation):
        return None
    encoder = TabularEncoder().fit(situation.X)
    X, y = encoder.transform(situation.X), situation.y
    known = np.flatnonzero(situation.known)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    hits = np.zeros(len(SPREADING))
    for _, fold in folds.split(known, y[known]):
        hidden = known[fold]
        shown = y.copy()
        shown[hidden] = -1
        for k, (alpha, n_neighbors) in enumerate(SPREADING):
            labels = _spread(X, shown, alpha, n_neighbors).transduction_
            hits[k] += (labels[hidden] == y[hidden]).sum()
    model = _spread(X, y, *SPREADING[hits.argmax()])
    return answers(model, encoder.transform(situation.X_test), situation)


def tuned_logistic_regression(situation, _strong, seed):
    """Choose the penalty of a logistic regression by cross-validation on the labels."""
    if not has_labels(situation):
        return None
    known = situation.known
    model = make_pipeline(TabularEncoder(), LogisticRegression(max_iter=1000))
    search = GridSearchCV(
        model,
        {"logisticregression__C": np.logspace(-3, 2, 6)},
        cv=StratifiedKFold(5, shuffle=True, random_state=seed),
    ).fit(situation.X[known], situation.y[known])
    return answers(search, situation.X_test, situation)


def catboost(situation, _strong, seed):
    """Train CatBoost on the labeled rows, with its own treatment of categories."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    if not has_labels(situation):
        return None
    known = situation.known
    others = Columns().fit(situation.X).categorical
    categorical = list(situation.X.columns[others])
    model = CatBoostRegressor if situation.is_regression else CatBoostClassifier
    model = model(
        cat_features=categorical,
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    ).fit(_with_texts(situation.X[known], categorical), situation.y[known])
    return answers(model, _with_texts(situation.X_test, categorical), situation)


def clean_learning(situation, strong, seed):
    """Leave out labels that confident learning holds to be wrong (cleanlab)."""
    from cleanlab.classification import CleanLearning

    X, labels, _ = _rows(situation)
    # It wants the labels 0, 1, ... without gaps.
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        return answers(_fit(strong, X, labels), situation.X_test, situation)
    model = CleanLearning(
        clone(strong), seed=seed, find_label_issues_kwargs={"n_jobs": 1}
    ).fit(X, codes)
    proba = np.zeros((len(situation.X_test), situation.n_classes))
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
        answers(_fit(strong, X[rows], labels[rows]), X, situation)[
            np.arange(len(labels)), labels
        ]
        for rows in (trusted, ~trusted)
    ]
    weights = np.zeros(len(labels))
    np.divide(*likelihoods, out=weights, where=likelihoods[1] > 0)
    weights[trusted] = 1
    return answers(_fit(strong, X, labels, weights), situation.X_test, situation)


def trusted_duplicates(situation, strong, *_):
    """Repeat the true labels until they weigh as much as the weak ones."""
    if not has_labels(situation):
        return None
    X, labels, trusted = _rows(situation)
    weights = np.where(trusted, (~trusted).sum() / trusted.sum(), 1)
    return answers(_fit(strong, X, labels, weights), situation.X_test, situation)


# The strong estimator has no part in these.
PEERS_WITHOUT_STRONG = {
    # The threshold is .9 where none is named.
    "SelfTrainingClassifier, weak base": partial(self_training, base="weak"),
    "SelfTrainingClassifier, weak base, threshold 0.75": partial(
        self_training, base="weak", threshold=0.75
    ),
    "SelfTrainingClassifier, forest base": partial(self_training, base="forest"),
    "SelfTrainingClassifier, forest base, threshold 0.75": partial(
        self_training, base="forest", threshold=0.75
    ),
    "LabelSpreading": label_spreading,
    "LabelSpreading, by cross-validation": tuned_label_spreading,
    "logistic regression on the labels, by cross-validation": tuned_logistic_regression,
    "CatBoost on the labels": catboost,
}
PEERS = {
    **PEERS_WITHOUT_STRONG,
    "SelfTrainingClassifier, strong base": partial(self_training, base="strong"),
    "CleanLearning": clean_learning,
    "importance reweighting (IRBL)": importance_reweighting,
    "trusted duplicates": trusted_duplicates,
}


def has_labels(situation):
    """Say whether a strong estimator can be trained on labeled rows."""
    return situation.labels_for_strong and situation.known.any()


def fitted_weak(situation):
    """Return the weak estimator, fitted on the labeled rows unless it is frozen."""
    if isinstance(situation.weak, FrozenEstimator):
        return situation.weak
    known = situation.known
    X = weak_view(situation, situation.X[known])
    return clone(situation.weak).fit(X, situation.y[known])


def weak_view(situation, X):
    """Return the columns that the weak estimator sees."""
    return X if situation.weak_features is None else X[situation.weak_features]


def answers(estimator, X, situation):
    """Return values, or probabilities with a column for each class, known or not."""
    if situation.is_regression:
        return estimator.predict(X)
    proba = np.zeros((len(X), situation.n_classes))
    proba[:, estimator.classes_] = estimator.predict_proba(X)
    return proba


def _spread(X, y, alpha, n_neighbors):
    model = LabelSpreading(
        kernel="knn", alpha=alpha, n_neighbors=n_neighbors, max_iter=100
    )
    return model.fit(X, y)


def _with_texts(X, categorical):
    """Return rows in which a missing category is one of its own."""
    texts = X[categorical].astype(object)
    return X.assign(**texts.where(texts.notna(), "missing").astype(str))


def _rows(situation):
    """Return rows to train a strong estimator on, labels, and which are true."""
    labels = situation.y.copy()
    unlabeled = ~situation.known
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

"""Ways to use weak labels, ours and those of others, for one situation.

Each is a function ``(situation, strong, seed) -> proba`` that returns probabilities of
the rows held out, columns by class code, or None where it does not apply.
"""

from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._tabular import TabularEncoder

STRONG = {
    "hgb": lambda seed: make_pipeline(
        TabularEncoder(categories="ordinal", impute=False, scale=False),
        HistGradientBoostingClassifier(random_state=seed),
    ),
    "rf": lambda seed: make_pipeline(
        TabularEncoder(scale=False), RandomForestClassifier(random_state=seed)
    ),
    "mlp": lambda seed: make_pipeline(
        TabularEncoder(), MLPClassifier(early_stopping=True, random_state=seed)
    ),
}


def weak(situation, *_):
    """Predict with the weak estimator."""
    if situation.weak_test_proba is not None:
        return situation.weak_test_proba
    estimator, view = situation.weak, partial(_view, situation)
    if not isinstance(estimator, FrozenEstimator):
        known = situation.y >= 0
        estimator = clone(estimator).fit(view(situation.X[known]), situation.y[known])
    return _aligned(estimator, view(situation.X_test), situation)


def strong_on_labels(situation, strong, *_):
    """Train the strong estimator on the labeled rows alone."""
    known = situation.y >= 0
    if not situation.labels_for_strong or not known.any():
        return None
    fitted = clone(strong).fit(situation.X[known], situation.y[known])
    return _aligned(fitted, situation.X_test, situation)


def better_of_both(situation, strong, seed):
    """Choose between weak and strong-on-labels by cross-validation on the labels."""
    known = situation.y >= 0
    if not situation.labels_for_strong or not known.any():
        return None
    X, y = situation.X[known], situation.y[known]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    accuracy = [
        accuracy_score(y, cross_val_predict(clone(estimator), rows, y, cv=folds))
        for estimator, rows in ((situation.weak, _view(situation, X)), (strong, X))
    ]
    choice = weak if accuracy[0] >= accuracy[1] else strong_on_labels
    return choice(situation, strong, seed)


def weak_to_strong(situation, strong, seed, *, naive=False, **params):
    """Train the strong estimator on weak labels, by a strategy of ours."""
    model = WeakToStrongClassifier(
        situation.weak,
        strong,
        weak_features=situation.weak_features,
        include_labeled=situation.labels_for_strong and not naive,
        overlap_detector=OverlapDetector(max_references=2000),
        random_state=seed,
        **params,
    ).fit(situation.X, situation.y, weak_proba=situation.weak_proba)
    return _aligned(model, situation.X_test, situation)


def self_training(situation, strong, *_, base):
    """Let an estimator label its own training set (scikit-learn)."""
    known = situation.y >= 0
    if not situation.labels_for_strong or not known.any():
        return None
    # It takes arrays of numbers only.
    encoder = TabularEncoder().fit(situation.X)
    estimator = (situation.weak if base == "weak" else strong)[-1]
    model = SelfTrainingClassifier(clone(estimator), threshold=0.9)
    model.fit(encoder.transform(situation.X), situation.y)
    return _aligned(model, encoder.transform(situation.X_test), situation)


def label_spreading(situation, *_):
    """Spread labels over neighbours (scikit-learn)."""
    known = situation.y >= 0
    if not situation.labels_for_strong or not known.any():
        return None
    encoder = TabularEncoder().fit(situation.X)
    model = LabelSpreading(kernel="knn", n_neighbors=7, max_iter=100)
    model.fit(encoder.transform(situation.X), situation.y)
    return _aligned(model, encoder.transform(situation.X_test), situation)


def ceiling(situation, strong, *_):
    """Train the strong estimator on the true labels of all rows."""
    rows = slice(None) if situation.labels_for_strong else situation.y < 0
    fitted = clone(strong).fit(situation.X[rows], situation.truth[rows])
    return _aligned(fitted, situation.X_test, situation)


CONTESTANTS = {
    "weak": weak,
    "naive, hard labels": partial(
        weak_to_strong, naive=True, strategy="all", pseudo_labels="hard"
    ),
    "naive, soft labels": partial(
        weak_to_strong, naive=True, strategy="all", pseudo_labels="soft"
    ),
    "strong on the labels": strong_on_labels,
    "the better of both, by cross-validation": better_of_both,
    **{
        f"strategy={name}": partial(weak_to_strong, strategy=name)
        for name in ("all", "confidence", "confident", "overlap", "auto")
    },
    "SelfTrainingClassifier, weak base": partial(self_training, base="weak"),
    "SelfTrainingClassifier, strong base": partial(self_training, base="strong"),
    "LabelSpreading": label_spreading,
    "ceiling": ceiling,
}


def _view(situation, X):
    return X if situation.weak_features is None else X[situation.weak_features]


def _aligned(estimator, X, situation):
    """Return probabilities with a column for each class, known to it or not."""
    proba = np.zeros((len(X), situation.truth.max() + 1))
    proba[:, estimator.classes_] = estimator.predict_proba(X)
    return proba

"""Any pair: the same promises, whichever classifiers are weak and strong."""

import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification

pytestmark = pytest.mark.usefixtures("few_folds")

N_LABELED = 150


def skorch_net():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    return skorch.NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 3)),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.05,
        max_epochs=15,
        verbose=0,
    )


def from_library(library, name, **params):
    return getattr(pytest.importorskip(library), name)(**params)


BOTH = {
    "tree": partial(DecisionTreeClassifier, max_depth=4),
    "forest": partial(RandomForestClassifier, n_estimators=10),
    "boosting": partial(HistGradientBoostingClassifier, max_iter=10, max_leaf_nodes=8),
    "slow_boosting": partial(GradientBoostingClassifier, n_estimators=5),
    "logistic": LogisticRegression,
    "naive_bayes": GaussianNB,
    "neighbors": KNeighborsClassifier,
    "perceptron": partial(
        MLPClassifier, (8,), solver="lbfgs", alpha=1.0, max_iter=2000
    ),
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "calibrated": lambda: CalibratedClassifierCV(LinearSVC()),
    "skorch": skorch_net,
    "lightgbm": partial(
        from_library,
        "lightgbm",
        "LGBMClassifier",
        n_estimators=10,
        n_jobs=1,
        verbose=-1,
    ),
    "xgboost": partial(from_library, "xgboost", "XGBClassifier", n_estimators=10),
    "catboost": partial(
        from_library,
        "catboost",
        "CatBoostClassifier",
        iterations=10,
        verbose=False,
        allow_writing_files=False,
    ),
}
STRONG_ONLY = {"svm": SVC, "linear_svm": LinearSVC}
PAIRS = [
    *((name, "boosting") for name in BOTH if name != "logistic"),
    *(("logistic", name) for name in {**BOTH, **STRONG_ONLY}),
]


@pytest.fixture(scope="module")
def problem():
    X, y, _ = make_overlap_classification(
        600,
        n_easy_features=4,
        n_hard_features=4,
        n_classes=3,
        noise=0.4,
        random_state=0,
    )
    partial_y = np.where(np.arange(600) < N_LABELED, y, -1)
    return X, y, partial_y


WITH_VOTE = [(weak, strong) for weak, strong in PAIRS if strong in BOTH]


@pytest.mark.parametrize(
    ("weak", "strong", "strategy"),
    [
        *((*pair, "all") for pair in PAIRS),
        *((*pair, "mix") for pair in WITH_VOTE),
        *(("logistic", name, "auto") for name in {**BOTH, **STRONG_ONLY}),
    ],
)
def test_every_pair_keeps_the_promises_of_a_classifier(problem, weak, strong, strategy):
    X, y, partial_y = problem
    estimators = BOTH[weak](), {**BOTH, **STRONG_ONLY}[strong]()
    model = WeakToStrongClassifier(
        *estimators, strategy=strategy, store_rows=True, random_state=0
    )
    model.fit(X, partial_y)

    assert model.classes_.tolist() == [0, 1, 2]
    predicted = model.predict(X)
    assert set(predicted) <= {0, 1, 2}
    assert np.mean(predicted == y) > 1.2 * max(np.bincount(y)) / len(y)
    assert_array_equal(model.rows_["label"][:N_LABELED], y[:N_LABELED])
    assert_allclose(stacked(model, "target").sum(axis=1), 1)
    if not hasattr(model.estimator_, "predict_proba"):
        assert strong in STRONG_ONLY
        assert not hasattr(model, "predict_proba")
    else:
        proba = model.predict_proba(X)
        assert proba.min() >= 0
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
        assert_array_equal(model.classes_[proba.argmax(axis=1)], predicted)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), predicted)
    assert_array_equal(clone(model).fit(X, partial_y).predict(X), predicted)
    assert model.weak_estimator_ is not estimators[0]
    assert model.strong_estimator_ is not estimators[1]

"""Strategies with a teacher, end to end."""

import copy
import pickle

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import LabeledSplit
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]
N_LABELED = 60
SOME = ["mix", "smooth", "blend"]


def make(strategy, weak=None, strong=None, **params):
    weak = GaussianNB() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    if strategy == "co_train":
        params["weak_features"] = [0, 1, 3]
    return WeakToStrongClassifier(
        weak,
        strong,
        strategy=strategy,
        **{"random_state": 0, "store_rows": True} | params,
    )


@pytest.fixture
def weights():
    return np.random.default_rng(1).integers(0, 3, size=240).astype(float)


# Its life


@pytest.mark.parametrize("strategy", TAUGHT)
def test_what_is_fitted_survives_copies_and_seeds_repeat_it(problem, strategy):
    X, y, _ = problem
    model = make(strategy).fit(X, y)
    proba = model.predict_proba(X)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(copied.predict_proba(X), proba)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)
    again = clone(model).fit(X, y)
    assert_array_equal(again.predict_proba(X), proba)
    assert_array_equal(stacked(again, "target"), stacked(model, "target"))
    assert again.evidence_ == model.evidence_


def test_another_seed_is_another_lesson(problem):
    X, y, _ = problem
    first, second = (
        make("blend", random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("strategy", ["co_train", "blend", "smooth"])
def test_the_number_of_jobs_does_not_matter(problem, strategy):
    X, y, _ = problem
    with parallel_config(backend="threading"):
        one, two = (make(strategy, n_jobs=n).fit(X, y) for n in (None, 2))
        assert_allclose(one.predict_proba(X), two.predict_proba(X), rtol=1e-9)
    assert_array_equal(one.rows_["label"], two.rows_["label"])


@pytest.mark.parametrize("strategy", ["co_train", "smooth"])
def test_neither_threads_nor_processes_decide_on_values_that_are_tied(strategy):
    rng = np.random.default_rng(0)
    X = rng.integers(-1, 2, size=(300, 6)).astype(float)
    truth = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=300) > 0).astype(int)
    y = np.where(np.arange(300) < N_LABELED, truth, -1)
    model = make(strategy, LogisticRegression(), DecisionTreeClassifier(max_depth=5))
    predicted = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            predicted.append(clone(model).fit(X, y).predict_proba(X))
    with parallel_config(backend="loky", inner_max_num_threads=1):
        predicted.append(clone(model).set_params(n_jobs=2).fit(X, y).predict_proba(X))
    assert_allclose(predicted[1], predicted[0], atol=1e-5)
    assert_allclose(predicted[2], predicted[0], atol=1e-5)


@pytest.mark.parametrize("strategy", [*TAUGHT, "auto"])
def test_the_names_of_the_classes_do_not_matter(problem, strategy):
    X, y, _ = problem
    names = np.array(["first", "at last", "as it seems", ""])
    model = make(strategy, strong=GaussianNB()).fit(X, y)
    named = make(strategy, strong=GaussianNB(), missing_label="").fit(X, names[y])
    assert_array_equal(named.predict(X), names[model.predict(X)])
    assert_allclose(named.predict_proba(X)[:, ::-1], model.predict_proba(X), atol=1e-8)


def test_a_change_of_strategy_leaves_nothing_behind(problem):
    X, y, _ = problem
    model = make("mix").fit(X, y)
    assert model.calibration_ != (1, 0)
    model.set_params(strategy="all").fit(X, y)
    assert model.calibration_ == (1, 0)
    assert not hasattr(model, "evidence_")
    assert_array_equal(model.predict(X), model.strong_estimator_.predict(X))


@pytest.mark.parametrize("strategy", SOME)
def test_all_answers_agree(problem, strategy):
    X, y, _ = problem
    model = make(strategy).fit(X, y)
    proba = model.predict_proba(X)
    assert_array_equal(model.predict(X), proba.argmax(axis=1))
    assert_allclose(np.exp(model.predict_log_proba(X)), proba)
    assert_array_equal(model.decision_function(X).argmax(axis=1), proba.argmax(axis=1))


# Weights


def in_place(counts):
    """Return positions, each as often as it counts."""
    return np.repeat(np.arange(len(counts)), counts)


def at_the_end(counts):
    """Return the same, the further ones behind all others."""
    return np.concatenate([np.flatnonzero(counts > k) for k in range(counts.max())])


@pytest.mark.parametrize("strategy", TAUGHT)
@pytest.mark.parametrize("cv", [5, PredefinedSplit(np.arange(60) % 4)])
def test_rows_of_weight_zero_have_no_say(problem, weights, strategy, cv):
    X, y, _ = problem
    ignored = weights == 0
    X_changed, y_changed = X.copy(), y.copy()
    X_changed[ignored] = 0
    y_changed[ignored & (y >= 0)] = 2
    detector = OverlapDetector(cv=cv)
    first, second = (
        make(strategy, overlap_detector=detector).fit(*rows, sample_weight=weights)
        for rows in ((X, y), (X_changed, y_changed))
    )
    assert_allclose(second.predict_proba(X), first.predict_proba(X), rtol=1e-6)
    assert not first.rows_["weight"][ignored].any()


@pytest.mark.parametrize("strategy", [*TAUGHT, "auto"])
@pytest.mark.parametrize("order", [in_place, at_the_end])
def test_a_weight_of_two_is_a_row_given_twice(problem, strategy, order):
    X, y, _ = problem
    counts = np.random.default_rng(1).integers(1, 4, size=len(y))
    repeated = order(counts)
    weighted = make(strategy, strong=GaussianNB()).fit(X, y, sample_weight=counts)
    twice = make(strategy, strong=GaussianNB()).fit(X[repeated], y[repeated])
    assert_allclose(twice.predict_proba(X), weighted.predict_proba(X), atol=1e-8)
    assert twice.strategy_ == weighted.strategy_
    assert_array_equal(twice.rows_["label"], weighted.rows_["label"][repeated])


@pytest.mark.parametrize("strategy", SOME)
def test_weights_of_one_are_none(problem, strategy):
    X, y, _ = problem
    plain = make(strategy).fit(X, y)
    weighted = make(strategy).fit(X, y, sample_weight=np.ones(len(X)))
    assert_allclose(weighted.predict_proba(X), plain.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("strategy", SOME)
def test_weights_are_refused_where_they_cannot_be_taken(problem, weights, strategy):
    X, y, _ = problem
    model = make(strategy, strong=KNeighborsClassifier())
    with pytest.raises(TypeError, match=r"KNeighborsClassifier\.fit takes no sampl"):
        model.fit(X, y, sample_weight=weights)


# Routing


@pytest.mark.parametrize("strategy", TAUGHT)
@pytest.mark.parametrize("weighted", [False, True])
def test_routing_changes_nothing(problem, weights, strategy, weighted):
    X, y, _ = problem
    weights = weights if weighted else None
    plain = make(strategy).fit(X, y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        model = make(
            strategy,
            GaussianNB().set_fit_request(sample_weight=True),
            LogisticRegression().set_fit_request(sample_weight=True),
        ).fit(X, y, sample_weight=weights)
        assert_allclose(model.predict_proba(X), plain.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("strategy", SOME)
def test_a_strong_estimator_gets_no_weights_that_it_did_not_request(
    problem, weights, strategy
):
    X, y, _ = problem
    seen = []

    class Recorder(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(sample_weight)
            return super().fit(X, y, sample_weight)

    with config_context(enable_metadata_routing=True):
        weak = GaussianNB().set_fit_request(sample_weight=True)
        strong = Recorder().set_fit_request(sample_weight=False)
        make(strategy, weak, strong).fit(X, y, sample_weight=weights)
    # It is taught what it can take, and the folds that it needs are not weighted.
    assert all(weights is None for weights in seen[:-1])


# Who can be strong


@pytest.mark.parametrize("strategy", [*TAUGHT, "auto"])
@pytest.mark.parametrize(
    "strong",
    [
        KNeighborsClassifier(),
        DecisionTreeClassifier(max_depth=4),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=["neighbors", "tree", "pipeline"],
)
def test_any_classifier_with_probabilities_can_be_taught(problem, strategy, strong):
    X, y, truth = problem
    model = make(strategy, strong=strong).fit(X, y)
    assert np.mean(model.predict(X) == truth) > 0.65
    assert_allclose(stacked(model, "target").sum(axis=1), 1)


@pytest.mark.parametrize("strategy", SOME)
def test_a_net_can_be_taught(problem, strategy):
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    X, y, truth = problem
    net = skorch.NeuralNetClassifier(
        torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
        ),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.05,
        max_epochs=40,
        batch_size=-1,
        train_split=None,
        verbose=0,
    )
    model = make(strategy, strong=net).fit(X, y)
    assert np.mean(model.predict(X) == truth) > 0.75
    assert type(model.strong_estimator_.net_) is skorch.NeuralNetClassifier


def test_a_student_needs_no_probabilities():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    truth = (X[:, 0] > 0).astype(int)
    y = np.where(np.arange(400) < 80, truth, -1)
    model = make("auto", strong=LinearSVC()).fit(X, y)
    assert model.strategy_ == "blend"
    assert "strong" not in model.evidence_["accuracy"]
    assert not hasattr(model, "predict_proba")
    assert model.score(X, truth) > 0.9


# Searches


def test_a_search_finds_a_strategy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(360, 4))
    truth = (X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=360) > 0).astype(int)
    y = np.where(np.arange(360) < 90, truth, -1)
    # Pure leaves have classes of probability zero, and infinite scores.
    tree = DecisionTreeClassifier(max_depth=4)
    model = make("all", tree, tree)
    grid = {"strategy": ["all", "smooth", "mix", "auto"]}
    search = GridSearchCV(
        model, grid, cv=LabeledSplit(3), scoring="roc_auc", error_score="raise"
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.mean(search.predict(X) == truth) > 0.75

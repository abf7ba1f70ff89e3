"""Boosting libraries learn soft labels as if each row stood there once per class."""

import pickle
import tracemalloc
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s._algorithms.weak_labels import expand_soft_targets
from sklearn_w2s._boosting import _objective, fit_distributions, takes_distributions
from sklearn_w2s._fitting import adapt, fit_on_targets, take_metadata


def from_library(library, name, settings, **params):
    return getattr(pytest.importorskip(library), name)(**(settings | params))


MAKE = {
    "xgboost": partial(
        from_library, "xgboost", "XGBClassifier", {"n_estimators": 20, "n_jobs": 1}
    ),
    "lightgbm": partial(
        from_library,
        "lightgbm",
        "LGBMClassifier",
        {"n_estimators": 20, "n_jobs": 1, "verbose": -1},
    ),
    "catboost": partial(
        from_library,
        "catboost",
        "CatBoostClassifier",
        {
            "iterations": 20,
            "thread_count": 1,
            "verbose": False,
            "allow_writing_files": False,
            "random_state": 0,
        },
    ),
}
# So that limits count neither rows nor their mean weight, which repetition changes.
BY_WEIGHT = {
    "xgboost": {},
    "lightgbm": {"min_child_samples": 1, "min_data_in_bin": 1, "min_child_weight": 5},
    "catboost": {"bootstrap_type": "No", "random_strength": 0, "learning_rate": 0.2},
}
BOTH = [("xgboost", 2), ("lightgbm", 2), ("catboost", 2), ("xgboost", 3)]
BOTH.append(("lightgbm", 3))
PAIRS = pytest.mark.parametrize(("library", "n_classes"), BOTH)
LIBRARIES = pytest.mark.parametrize("library", list(MAKE))


def problem(n_classes, seed=0, n=500):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).round(1) + 0.0
    scores = rng.normal(size=(n, n_classes))
    scores[:, 1:] += 2 * X[:, : n_classes - 1]
    proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return X, proba, rng.uniform(0.5, 2, n)


def fit_repeated(estimator, X, proba, weights, classes):
    rows, codes, weights = expand_soft_targets(proba, weights)
    return estimator.fit(X[rows], classes[codes], sample_weight=weights)


@given(
    st.integers(2, 5),
    st.integers(0, 2**32 - 1),
    st.floats(0.1, 10),
)
@settings(deadline=None)
def test_gradients_are_those_of_one_row_for_each_class(n_classes, seed, scale):
    rng = np.random.default_rng(seed)
    scores = scale * rng.normal(size=(6, n_classes))
    proba, weights = rng.dirichlet(np.ones(n_classes), 6), rng.uniform(size=6)
    rows, codes, repeated = expand_soft_targets(proba, weights)
    learned = scores[:, 1] - scores[:, 0] if n_classes == 2 else scores

    def loss(step):
        logs = log_softmax(scores[rows] + step, axis=1)
        return -repeated @ logs[np.arange(len(rows)), codes]

    gradients, hessians = _objective(proba, weights, 1.0)(
        learned, np.empty_like(learned)
    )

    assert gradients.shape == hessians.shape == learned.shape
    step = 1e-5 * np.eye(n_classes)
    for k in range(n_classes):
        numeric = (loss(step[k]) - loss(-step[k])) / 2e-5
        column = gradients if n_classes == 2 else gradients[:, k]
        sign = -1 if (n_classes, k) == (2, 0) else 1
        assert_allclose(sign * column.sum(), numeric, atol=1e-7)
        own = np.exp(log_softmax(scores, axis=1))[:, k]
        diagonal = hessians if n_classes == 2 else hessians[:, k]
        assert_allclose(diagonal, weights * own * (1 - own), atol=1e-9)


def test_gradients_are_written_in_place_and_need_little_more_than_hessians():
    rng = np.random.default_rng(0)
    n, at_once = 200_000, 1_000
    scores = rng.normal(size=(n, 3)).astype(np.float32)
    proba, weights = rng.dirichlet(np.ones(3), n), rng.uniform(size=n)
    few = slice(n - at_once, n)
    expected = _objective(proba[few], weights[few], 2.0)(
        scores[few], np.empty((at_once, 3), np.float32)
    )
    gradients_of = _objective(proba, weights, 2.0)

    tracemalloc.start()
    gradients, hessians = gradients_of(scores, out=scores)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert gradients is scores
    assert_array_equal(gradients[few], expected[0])
    assert_array_equal(hessians[few], expected[1])
    assert peak < 1.5 * hessians.nbytes


@PAIRS
def test_a_fit_equals_that_on_one_row_for_each_class(library, n_classes):
    X, proba, weights = problem(n_classes)
    X_new, proba_new, _ = problem(n_classes, seed=1)
    classes = np.arange(n_classes)
    soft = MAKE[library](**BY_WEIGHT[library])
    repeated = clone(soft)
    if library == "catboost":
        # Its penalty is in units of the mean weight of a row.
        repeated.set_params(l2_leaf_reg=6)

    fit_distributions(soft, X, proba, classes, weights)
    fit_repeated(repeated, X, proba, weights, classes)
    hard = MAKE[library](**BY_WEIGHT[library]).fit(X, proba.argmax(axis=1))

    losses = [
        -np.mean((proba_new * np.log(m.predict_proba(X_new))).sum(axis=1))
        for m in (soft, repeated, hard)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert losses[0] < losses[2] - 0.01
    assert_allclose(soft.predict_proba(X), repeated.predict_proba(X), atol=1e-5)


@PAIRS
def test_no_row_is_repeated(library, n_classes, monkeypatch):
    X, proba, weights = problem(n_classes)
    estimator, shapes = MAKE[library](), []
    own_fit = type(estimator).fit

    def fit(self, X, *args, **params):
        shapes.append(X.shape)
        return own_fit(self, X, *args, **params)

    monkeypatch.setattr(type(estimator), "fit", fit)
    fit_on_targets(
        adapt(estimator),
        X,
        proba,
        np.arange(n_classes),
        weights,
        weighted=True,
        params={},
    )

    assert shapes.count(X.shape) == 1
    # What else is asked of the library has no columns of the user.
    assert all(n <= len(X) and p == 1 for n, p in shapes if (n, p) != X.shape)


@PAIRS
@pytest.mark.parametrize("classes", [None, ["no", "perhaps", "yes"], [2, 5, 7]])
def test_what_is_fitted_is_like_one_fitted_on_labels(library, n_classes, classes):
    X, proba, weights = problem(n_classes)
    classes = np.array(classes or [0, 1, 2])[:n_classes]
    estimator = adapt(MAKE[library]())
    labels = classes[proba.argmax(axis=1)]

    soft, hard = clone(estimator), clone(estimator).fit(X, labels)
    fit_on_targets(soft, X, proba, classes, weights, weighted=True, params={})

    assert_array_equal(soft.classes_, classes)
    expected = soft.predict_proba(X)
    assert expected.shape == proba.shape
    assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(np.ravel(soft.predict(X)), classes[expected.argmax(axis=1)])
    again = pickle.loads(pickle.dumps(soft))
    assert_array_equal(again.predict_proba(X), expected)
    assert_array_equal(again.classes_, classes)
    refitted, known = clone(soft).fit(X, labels), hard.predict_proba(X)
    assert_array_equal(refitted.predict_proba(X), known)
    for inner, other in zip(
        map(inside, (soft, again)), [inside(hard)] * 2, strict=True
    ):
        assert_same_params(inner.get_params(), other.get_params())
        assert objective_of(library, inner) == objective_of(library, other)


def load(library, fitted, path):
    """Save a model as its library does, and return what the file predicts."""
    if library == "lightgbm":
        fitted.booster_.save_model(path)
        return import_module("lightgbm").Booster(model_file=path).predict
    fitted.save_model(str(path))
    again = MAKE[library]()
    again.load_model(str(path))
    return again.predict_proba


@PAIRS
def test_a_saved_model_predicts_the_same_probabilities(library, n_classes, tmp_path):
    X, proba, weights = problem(n_classes)
    fitted = MAKE[library]()
    fit_distributions(fitted, X, proba, np.arange(n_classes), weights)
    expected = fitted.predict_proba(X)
    found = load(library, fitted, tmp_path / "model.json")(X)
    assert_allclose(found, expected[:, 1] if found.ndim == 1 else expected, rtol=1e-6)


def test_what_catboost_exports_to_onnx_predicts_the_same_probabilities(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    X, proba, weights = problem(2)
    fitted = MAKE["catboost"]()
    fit_distributions(fitted, X, proba, np.array(["a", "b"]), weights)
    fitted.save_model(str(tmp_path / "model.onnx"), format="onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    labels, found = session.run(None, {"features": X.astype(np.float32)})
    assert_array_equal(labels, fitted.predict(X))
    expected = fitted.predict_proba(X.astype(np.float32))
    assert_allclose([[row["a"], row["b"]] for row in found], expected, atol=1e-6)


class StopAtOnce:
    def after_iteration(self, _):
        return False


@pytest.mark.parametrize(
    ("n", "params"),
    [
        (500, {"iterations": 50}),
        (20_000, {"iterations": 50}),
        (20_000, {"iterations": 5}),
        (20_000, {"iterations": 5, "l2_leaf_reg": 5}),
    ],
)
def test_catboost_chooses_the_learning_rate_that_it_has_for_labels(n, params):
    X = np.arange(n)[:, None]
    proba = np.column_stack([X % 2, 1 - X % 2]) * 0.8 + 0.1
    soft, hard = (MAKE["catboost"](**params, max_depth=1) for _ in range(2))
    fit_distributions(soft, X, proba, np.arange(2), np.ones(n))
    hard.fit(X, proba.argmax(axis=1), callbacks=[StopAtOnce()])
    assert soft.learning_rate_ == pytest.approx(hard.learning_rate_, rel=1e-4)
    assert "learning_rate" not in soft.get_params()


def test_catboost_takes_the_memory_of_few_rows_to_choose_it(monkeypatch):
    sizes, kind = [], type(MAKE["catboost"]())
    own_fit = kind.fit

    def fit(self, X, *args, **params):
        sizes.append(len(X))
        return own_fit(self, X, *args, **params)

    monkeypatch.setattr(kind, "fit", fit)
    X, proba, weights = problem(2, n=20_000)
    fit_distributions(MAKE["catboost"](), X, proba, np.arange(2), weights)
    assert sizes.count(len(X)) == 1
    assert sum(sizes) < 1.5 * len(X)


def inside(estimator):
    return getattr(estimator, "estimator_", estimator)


def assert_same_params(params, expected):
    assert list(params) == list(expected)
    assert repr(params) == repr(expected)


def objective_of(library, fitted):
    """Return what a saved model says of its objective."""
    if library == "xgboost":
        import json

        learner = json.loads(fitted.get_booster().save_raw("json"))["learner"]
        shape = learner["learner_model_param"]
        return learner["objective"], shape["num_class"], fitted.objective
    if library == "lightgbm":
        lines = fitted.booster_.model_to_string().splitlines()
        head = lines[: lines.index("Tree=0")]
        rest = lines[lines.index("parameters:") :]
        fixed = [line for line in head if not line.startswith("tree_sizes")]
        return fixed, rest, fitted.objective_
    params = fitted.get_all_params()
    return params["loss_function"], params["eval_metric"], params["learning_rate"]


# What is not understood is not claimed


@LIBRARIES
def test_the_default_takes_distributions(library):
    assert takes_distributions(MAKE[library](), 2)
    assert takes_distributions(MAKE[library]()) == (library != "catboost")
    assert takes_distributions(MAKE[library](), 3) == (library != "catboost")


@pytest.mark.parametrize(
    ("library", "params"),
    [
        ("xgboost", {"scale_pos_weight": 3}),
        ("xgboost", {"objective": "binary:hinge"}),
        ("xgboost", {"booster": "dart"}),
        ("xgboost", {"multi_strategy": "multi_output_tree"}),
        ("xgboost", {"early_stopping_rounds": 3}),
        ("xgboost", {"of_a_later_version": 1}),
        ("lightgbm", {"class_weight": "balanced"}),
        ("lightgbm", {"is_unbalance": True}),
        ("lightgbm", {"scale_pos_weight": 3.0}),
        ("lightgbm", {"boosting_type": "rf"}),
        ("lightgbm", {"linear_tree": True}),
        ("lightgbm", {"boost_from_average": False}),
        ("lightgbm", {"objective": "cross_entropy"}),
        ("catboost", {"auto_class_weights": "Balanced"}),
        ("catboost", {"class_weights": [1, 2]}),
        ("catboost", {"loss_function": "Focal:focal_alpha=0.5;focal_gamma=2"}),
        ("catboost", {"eval_fraction": 0.2}),
    ],
)
def test_a_parameter_that_means_something_else_is_not_claimed(library, params):
    assert not takes_distributions(MAKE[library](**params), 2)


@LIBRARIES
def test_a_subclass_is_not_trusted(library):
    own = type("Own", (type(MAKE[library]()),), {})
    assert not takes_distributions(own(), 2)


@pytest.mark.parametrize(
    ("library", "version"),
    [("xgboost", "2.0.3"), ("lightgbm", "3.3.5"), ("catboost", "1.1.1")],
)
def test_an_older_version_is_not_trusted(library, version, monkeypatch):
    estimator = MAKE[library]()
    monkeypatch.setattr(f"{library}.__version__", version)
    assert not takes_distributions(estimator, 2)


def test_other_estimators_take_no_distributions():
    assert not takes_distributions(LogisticRegression(), 2)


@pytest.mark.parametrize(
    ("library", "params"),
    [
        ("xgboost", {"base_margin": np.ones(500)}),
        ("lightgbm", {"callbacks": [lambda _: None]}),
        ("catboost", {"baseline": np.ones(500)}),
    ],
)
def test_further_arguments_of_fit_are_left_to_repetition(library, params):
    X, proba, weights = problem(2)
    estimator, plain = adapt(MAKE[library]()), MAKE[library]()
    fit_on_targets(
        estimator, X, proba, np.arange(2), weights, weighted=True, params=params
    )
    rows, codes, weights = expand_soft_targets(proba, weights)
    params = take_metadata(params, rows, len(X))
    plain.fit(X[rows], codes, sample_weight=weights, **params)
    assert_allclose(estimator.predict_proba(X), plain.predict_proba(X), atol=1e-6)


# Data


@PAIRS
def test_a_class_that_is_nowhere_likeliest_is_learned(library, n_classes):
    X, proba, weights = problem(n_classes)
    proba[:, -1] *= 0.2
    proba /= proba.sum(axis=1, keepdims=True)
    proba = np.where(proba.argmax(1)[:, None] == n_classes - 1, 1 / n_classes, proba)
    assert not (proba.argmax(axis=1) == n_classes - 1).any()
    classes = np.array(["a", "b", "c"])[:n_classes]
    estimator = adapt(MAKE[library]())
    fit_on_targets(estimator, X, proba, classes, weights, weighted=True, params={})
    assert_array_equal(estimator.classes_, classes)
    means = estimator.predict_proba(X).mean(axis=0)
    assert_allclose(means, np.average(proba, axis=0, weights=weights), atol=0.05)


@PAIRS
def test_a_class_without_probability_is_left_out(library, n_classes):
    X, proba, weights = problem(n_classes)
    proba = np.insert(proba, 1, 0.0, axis=1)
    classes = np.array(["a", "b", "c", "d"])[: n_classes + 1]
    estimator = adapt(MAKE[library]())
    if library == "catboost":
        # Of three columns it cannot know that one is empty.
        assert not takes_distributions(estimator, 3)
    fit_on_targets(estimator, X, proba, classes, weights, weighted=True, params={})
    assert_array_equal(estimator.classes_, np.delete(classes, 1))


@PAIRS
def test_rows_that_are_all_alike_get_the_class_shares(library, n_classes):
    X, proba, weights = problem(n_classes)
    estimator = MAKE[library]()
    columns = np.zeros_like(X)
    if library == "catboost":
        columns[0] = 1.0  # It refuses columns of one value.
        estimator.set_params(iterations=300, learning_rate=0.3)
    fit_distributions(estimator, columns, proba, np.arange(n_classes), weights)
    shares = np.average(proba, axis=0, weights=weights)
    assert_allclose(estimator.predict_proba(columns)[1], shares, atol=0.01)


@LIBRARIES
def test_categories_and_missing_values_are_used(library):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 6, 600)
    proba = np.array([0.1, 0.9, 0.2, 0.8, 0.1, 0.9])[kinds]
    proba = np.clip(proba + rng.uniform(-0.1, 0.1, 600), 0, 1)
    noise = rng.normal(size=600)
    noise[::7] = np.nan
    X = pd.DataFrame(
        {"noise": noise, "kind": pd.Categorical.from_codes(kinds, list("xaybzc"))}
    )
    params = {
        "xgboost": {"enable_categorical": True},
        "lightgbm": {},
        "catboost": {"cat_features": ("kind",)},
    }
    estimator = MAKE[library](**params[library])
    distributions = np.column_stack([1 - proba, proba])
    fit_distributions(estimator, X, distributions, np.arange(2), np.ones(600))
    found = pickle.loads(pickle.dumps(estimator)).predict_proba(X)[:, 1]
    assert np.abs(found - proba).mean() < 0.1
    if library == "lightgbm":
        # It knows the categories by value.
        X["kind"] = X["kind"].cat.reorder_categories(list("abcxyz"))
        assert_allclose(estimator.predict_proba(X)[:, 1], found, atol=1e-6)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_fit_that_fails_leaves_the_parameters_as_they_were(library):
    _, proba, weights = problem(2)
    estimator = MAKE[library]()
    before = estimator.get_params()
    with pytest.raises(ValueError, match=r"."):
        fit_distributions(
            estimator, np.full((500, 2), "text"), proba, np.arange(2), weights
        )
    assert_same_params(estimator.get_params(), before)


# Pipelines


class Recorder(TransformerMixin, BaseEstimator):
    """Keep what `fit` was given."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = X.shape, np.asarray(y), sample_weight
        return self

    def transform(self, X):
        return X


@LIBRARIES
def test_steps_before_the_last_see_each_row_once_with_its_label(library, tmp_path):
    X, proba, weights = problem(2)
    classes = np.array(["a", "b"])
    last = make_pipeline("passthrough", MAKE[library]())
    pipe = Pipeline([("see", Recorder()), ("last", last)], memory=str(tmp_path))
    pipe = adapt(pipe)
    fit_on_targets(pipe, X, proba, classes, weights, weighted=True, params={})

    shape, labels, seen_weights = pipe[0].seen_
    assert shape == X.shape
    assert_array_equal(labels, classes[proba.argmax(axis=1)])
    assert_array_equal(seen_weights, weights)
    alone = fit_distributions(
        MAKE[library](), X, proba, np.arange(2), weights
    ).predict_proba(X)
    assert_allclose(pipe.predict_proba(X), alone)
    assert_array_equal(pipe.classes_, classes)
    assert_allclose(pickle.loads(pickle.dumps(pipe)).predict_proba(X), alone)


@LIBRARIES
def test_a_selection_that_ignores_weights_keeps_its_signal(library):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    truth = (X[:, 2] > 0).astype(int)
    proba = np.where(truth[:, None] == [0, 1], 0.9, 0.1)
    pipe = adapt(make_pipeline(StandardScaler(), SelectKBest(k=1), MAKE[library]()))
    fit_on_targets(
        pipe, X, proba, np.arange(2), np.ones(400), weighted=False, params={}
    )
    assert pipe.score(X, truth) > 0.98


@LIBRARIES
def test_steps_that_see_one_label_only_are_left_to_repetition(library):
    X, proba, weights = problem(2)
    proba = 0.4 * proba + [0.6, 0.0]
    pipe = adapt(make_pipeline(SelectKBest(k=2), MAKE[library]()))
    fit_on_targets(pipe, X, proba, np.arange(2), weights, weighted=True, params={})
    assert pipe[0].n_features_in_ == 4
    assert pipe.predict_proba(X)[:, 1].mean() < 0.5

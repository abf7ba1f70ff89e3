import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from sklearn_w2s import OverlapSampler
from sklearn_w2s._fitting import (
    adapt,
    fit_on_labels,
    fit_on_targets,
    fit_weighted,
    is_skorch_net,
    predict_aligned,
    splits_inside,
    take_metadata,
    takes_distributions,
    takes_weights,
    weight_arguments,
)

WEIGHABLE, PLAIN = LogisticRegression(), KNeighborsClassifier()


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, (X[:, 0] > 0).astype(int), rng.integers(0, 3, size=60).astype(float)


# Who takes weights


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (WEIGHABLE, True),
        (PLAIN, False),
        (FrozenEstimator(WEIGHABLE), False),
        (GridSearchCV(WEIGHABLE, {}), False),
        (RandomForestClassifier(), True),
        (BaggingClassifier(), True),
        (CalibratedClassifierCV(WEIGHABLE), True),
        (CalibratedClassifierCV(PLAIN), False),
        (CalibratedClassifierCV(make_pipeline(WEIGHABLE)), False),
        (make_pipeline(StandardScaler(), WEIGHABLE), True),
        (make_pipeline(PCA(), make_pipeline(WEIGHABLE)), True),
        (make_pipeline(StandardScaler(), PLAIN), False),
        (make_pipeline(WEIGHABLE, "passthrough"), False),
        (Pipeline([("last", None)]), False),
        (Pipeline([("sampler", OverlapSampler()), ("last", WEIGHABLE)]), False),
    ],
)
def test_weights_are_taken_by_those_who_use_them_to_the_end(estimator, expected):
    assert takes_weights(estimator) == expected


def requesting(value):
    return LogisticRegression().set_fit_request(sample_weight=value)


def test_with_routing_the_last_step_must_have_requested_weights():
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        for value, expected in [(True, True), (False, False), (None, False)]:
            last = requesting(value)
            assert takes_weights(make_pipeline(scaler, last)) == expected
            assert takes_weights(make_pipeline(make_pipeline(last))) == expected
            inner = CalibratedClassifierCV(make_pipeline(last))
            assert takes_weights(inner) == expected
        assert takes_weights(requesting(None))


def test_every_step_that_can_use_weights_gets_them():
    pipe = Pipeline(
        [
            ("scale", StandardScaler()),
            ("skip", "passthrough"),
            ("bound", MinMaxScaler()),
            ("rest", Pipeline([("scale", StandardScaler()), ("last", WEIGHABLE)])),
        ]
    )
    weights = np.ones(3)
    arguments = weight_arguments(pipe, weights)
    assert sorted(arguments) == [
        "rest__last__sample_weight",
        "rest__scale__sample_weight",
        "scale__sample_weight",
    ]
    assert all(value is weights for value in arguments.values())
    assert weight_arguments(PLAIN, weights) == {}
    assert list(weight_arguments(WEIGHABLE, weights)) == ["sample_weight"]


def test_a_pipeline_with_weights_equals_one_with_repeated_rows(rows):
    X, y, weights = rows
    repeated = np.repeat(np.arange(60), weights.astype(int))
    pipe = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8))
    weighted = fit_weighted(pipe, X, y, weights).predict_proba(X)
    assert_allclose(weighted, pipe.fit(X[repeated], y[repeated]).predict_proba(X), 1e-4)


@pytest.mark.parametrize("estimator", [PLAIN, make_pipeline(StandardScaler(), PLAIN)])
def test_weights_that_cannot_be_used_are_refused(rows, estimator):
    X, y, weights = rows
    with pytest.raises(TypeError, match=r"\w+.fit takes no sample_weight: "):
        fit_weighted(estimator, X, y, weights)
    assert fit_weighted(estimator, X, y).predict(X).shape == y.shape


# Labels


def test_rows_of_weight_zero_are_not_seen(rows):
    X, y, weights = rows
    kept = weights > 0
    fitted = fit_on_labels(GaussianNB(), X, y, weights, {}, name="weak_estimator")
    alone = GaussianNB().fit(X[kept], y[kept], weights[kept])
    assert_array_equal(fitted.theta_, alone.theta_)


@pytest.mark.parametrize(
    ("y", "weights", "message"),
    [
        ([], None, "y has no label; mine needs"),
        ([1, 1, 1], None, r"one class only, \[1\]; mine needs labeled rows of 2"),
        (
            [0, 1, 1],
            [0, 1, 1],
            r"one class only, \[1\] in rows of positive weight; mine",
        ),
        ([0, 1, 1], [0, 0, 0], "y has no label in rows of positive weight; mine"),
    ],
)
def test_labels_that_teach_nothing_are_refused(y, weights, message):
    X, y = np.zeros((len(y), 1)), np.array(y)
    weights = None if weights is None else np.array(weights)
    with pytest.raises(ValueError, match=message):
        fit_on_labels(GaussianNB(), X, y, weights, {}, name="mine")


def test_an_estimator_without_probabilities_is_refused(rows):
    X, y, _ = rows
    with pytest.raises(TypeError, match=r"mine=LinearSVC\(\) has no predict_proba. W"):
        fit_on_labels(LinearSVC(), X, y, None, {}, name="mine")


class Degenerate(GaussianNB):
    """A classifier that knows nothing of negative rows."""

    def predict_proba(self, X):
        return np.where(X[:, :1] < 0, np.nan, super().predict_proba(X))


def test_probabilities_are_of_all_classes_and_finite(rows):
    X, y, _ = rows
    fitted = Degenerate().fit(X, 2 * y)
    positive = X[X[:, 0] >= 0]
    proba = predict_aligned(fitted, positive, np.array([0, 1, 2]))
    assert_array_equal(proba[:, [0, 2]], fitted.predict_proba(positive))
    assert not proba[:, 1].any()
    n_negative = len(X) - len(positive)
    message = rf"Degenerate\(\) predicts \[nan, nan\] for {n_negative} of 60 rows"
    with pytest.raises(ValueError, match=message):
        predict_aligned(fitted, X, np.array([0, 1, 2]))


# Targets


class Recorder(GaussianNB):
    """A classifier that keeps what it was fitted with."""

    def fit(self, X, y, sample_weight=None, note=None):
        self.seen_ = X, y, sample_weight, note
        return super().fit(X, y, sample_weight)


class Distributions(BaseEstimator):
    """An estimator that learns from distributions."""

    def takes_distributions(self):
        return True

    def fit(self, X, y, sample_weight=None):
        raise NotImplementedError

    def fit_distributions(self, X, distributions, classes, sample_weight=None):
        self.seen_ = X, distributions, classes, sample_weight
        return self


CLASSES = np.array(["a", "b", "c"])
X4 = np.arange(4.0)[:, None]
SOFT = np.array([[0.5, 0.5, 0], [0, 0.25, 0.75], [1, 0, 0], [0, 1, 0]])
WEIGHTS = np.array([2.0, 1, 0, 4])


def fit_targets(estimator, distributions, weights, *, weighted=False, **params):
    return fit_on_targets(
        estimator,
        X4,
        distributions,
        CLASSES,
        weights,
        weighted=weighted,
        params=params,
    )


def test_a_row_is_repeated_once_per_class_it_may_have():
    notes = np.array(["p", "q", "r", "s"])
    X, y, weights, note = fit_targets(Recorder(), SOFT, WEIGHTS, note=notes).seen_
    assert_array_equal(X.ravel(), [0, 0, 1, 1, 3])
    assert_array_equal(y, ["a", "b", "b", "c", "b"])
    assert_array_equal(weights, [1, 1, 0.25, 0.75, 4])
    assert_array_equal(note, ["p", "p", "q", "q", "s"])


def test_sure_targets_are_labels_without_weights_where_all_are_equal():
    sure = np.eye(3)[[0, 1, 2, 0]]
    for weighted in (False, True):
        X, y, weights, _ = fit_targets(
            Recorder(), sure, np.array([2.0, 2, 0, 2]), weighted=weighted
        ).seen_
        assert_array_equal(X.ravel(), [0, 1, 3])
        assert_array_equal(y, ["a", "b", "a"])
        assert (weights is not None) == weighted
    assert_array_equal(fit_targets(Recorder(), sure, WEIGHTS).seen_[2], [2, 1, 4])


def test_distributions_go_whole_to_an_estimator_that_takes_them():
    assert takes_distributions(Distributions())
    assert not takes_distributions(WEIGHABLE)


class Labels(BaseEstimator):
    """A transformer that keeps what it is fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = X, y, sample_weight
        return self

    def transform(self, X):
        return 2 * X


def fit_pipeline(rows, targets, weights, last=None):
    pipe = make_pipeline(
        Labels(), make_pipeline("passthrough", last or Distributions())
    )
    return fit_on_targets(
        pipe, rows, targets, CLASSES, weights, weighted=False, params={}
    )


def test_the_last_step_learns_distributions_where_others_see_labels():
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(20, 2)), rng.dirichlet(np.ones(3), size=20)
    weights = rng.integers(0, 3, size=20).astype(float)
    kept = weights > 0

    pipe = fit_pipeline(rows, targets, weights)

    X, y, seen_weights = pipe[0].seen_
    assert_array_equal(X, rows[kept])
    assert_array_equal(y, CLASSES[targets[kept].argmax(axis=1)])
    assert_array_equal(seen_weights, weights[kept])
    last = pipe[-1][-1]
    assert type(last) is Distributions
    for found, expected in zip(
        last.seen_, (2 * rows[kept], targets[kept], CLASSES, weights[kept]), strict=True
    ):
        assert_array_equal(found, expected)
    assert fit_pipeline(rows, targets, np.ones(20))[0].seen_[2] is None


def test_a_step_is_put_back_where_another_fails():
    targets = np.random.default_rng(0).dirichlet(np.ones(3), size=4)
    last = Distributions()
    pipe = make_pipeline(StandardScaler(), last)
    with pytest.raises(ValueError, match="could not convert string"):
        fit_on_targets(
            pipe,
            np.full((4, 2), "text"),
            targets,
            CLASSES,
            np.ones(4),
            weighted=False,
            params={},
        )
    assert pipe[-1] is last


def test_a_pipeline_takes_distributions_where_it_takes_weights():
    sampler = OverlapSampler()
    assert takes_distributions(make_pipeline(StandardScaler(), Distributions()))
    assert not takes_distributions(make_pipeline(StandardScaler(), WEIGHABLE))
    assert not takes_distributions(make_pipeline(Distributions(), "passthrough"))
    resampling = Pipeline([("sampler", sampler), ("last", Distributions())])
    assert not takes_distributions(resampling)
    seen = fit_targets(Distributions(), SOFT, WEIGHTS).seen_
    for got, expected in zip(
        seen, (X4[[0, 1, 3]], SOFT[[0, 1, 3]], CLASSES, WEIGHTS[[0, 1, 3]]), strict=True
    ):
        assert_array_equal(got, expected)


# Metadata


def test_what_is_as_long_as_the_rows_is_cut_with_them():
    params = {
        "array": np.arange(4),
        "list": list("abcd"),
        "matrix": np.eye(4),
        "text": "four",
        "bytes": b"four",
        "mapping": dict.fromkeys(range(4)),
        "number": 4,
        "nothing": None,
        "longer": np.arange(5),
    }
    taken = take_metadata(params, np.array([3, 0]), 4)
    assert_array_equal(taken["array"], [3, 0])
    assert list(taken["list"]) == ["d", "a"]
    assert_array_equal(taken["matrix"], np.eye(4)[[3, 0]])
    for name in ("text", "bytes", "mapping", "number", "nothing", "longer"):
        assert taken[name] is params[name]


# Nets


def test_only_nets_are_wrapped():
    assert adapt(WEIGHABLE) is WEIGHABLE
    net = type("NeuralNet", (), {"__module__": "skorch.net"})
    assert is_skorch_net(type("MyNet", (net,), {})())
    assert not is_skorch_net(type("NeuralNet", (), {"__module__": "skorchlike"})())
    assert not is_skorch_net(WEIGHABLE)


# Early stopping


@pytest.mark.parametrize(
    ("estimator", "n_rows", "splits"),
    [
        (HistGradientBoostingClassifier(), 10_000, False),
        (HistGradientBoostingClassifier(), 10_001, True),
        (HistGradientBoostingClassifier(early_stopping=True), 10, True),
        (HistGradientBoostingClassifier(early_stopping=False), 10**6, False),
        (make_pipeline(StandardScaler(), MLPClassifier()), 10**6, False),
        (make_pipeline(StandardScaler(), MLPClassifier(early_stopping=True)), 10, True),
        (GradientBoostingClassifier(), 10**6, False),
        (GradientBoostingClassifier(n_iter_no_change=3), 10, True),
        (LogisticRegression(), 10**6, False),
    ],
)
def test_who_holds_out_rows_of_its_training_set(estimator, n_rows, splits):
    assert splits_inside(estimator, n_rows) == splits


def test_a_share_that_catboost_holds_out_is_known():
    catboost = type("Boosting", (LogisticRegression,), {})()
    catboost.get_params = lambda deep=True: {"eval_fraction": 0.2}
    assert splits_inside(catboost, 10)


def test_copies_of_rows_do_not_turn_early_stopping_on():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 3))
    second = 1 / (1 + np.exp(-X[:, 0]))
    targets = np.column_stack([1 - second, second])
    boosting = HistGradientBoostingClassifier(max_iter=40)
    fit_on_targets(
        boosting, X, targets, np.arange(2), np.ones(6000), weighted=False, params={}
    )
    assert boosting.n_iter_ == 40


class Stopping(HistGradientBoostingClassifier):
    """Boosting that records what it was given, whatever the version takes."""

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        self.seen_ = X, y, sample_weight
        self.validation_ = X_val, y_val, sample_weight_val
        self.classes_ = np.unique(y)
        return self


SURE = np.eye(2)[[0, 1, 0, 1]]
STOP_ON = np.array([[8.0], [9.0]]), np.array(["a", "b"]), np.array([1.0, 2.0])


def fit_and_stop(estimator, targets=SURE, *, weighted=True, params=None):
    return fit_on_targets(
        estimator,
        X4,
        targets,
        CLASSES[:2],
        np.array([2.0, 1, 0, 4]),
        weighted=weighted,
        params=params or {},
        stop_on=STOP_ON,
    )


def assert_validated(last, X, *, weighted=True):
    rows, labels, weights = last.validation_
    assert_array_equal(rows, X)
    assert_array_equal(labels, ["a", "b"])
    if weighted:
        assert_array_equal(weights, [1, 2])


@pytest.mark.parametrize("targets", [SURE, SOFT[:, :2] / SOFT[:, :2].sum(1)[:, None]])
def test_validation_rows_reach_the_estimator_as_they_are(targets):
    last = fit_and_stop(Stopping(early_stopping=True), targets)
    assert_validated(last, STOP_ON[0])
    assert not set(last.seen_[0].ravel()) & set(STOP_ON[0].ravel())


def test_validation_rows_pass_the_other_steps_of_a_pipeline():
    last = Stopping(early_stopping=True)
    pipe = make_pipeline(StandardScaler(), make_pipeline(Labels(), last))
    fit_and_stop(pipe)
    assert pipe[-1][-1] is last
    # No step has learned from them.
    assert_array_equal(pipe[-1][0].seen_[0], pipe[0].transform(X4[[0, 1, 3]]))
    assert_allclose(pipe[0].mean_, np.average(X4, 0, weights=[2, 1, 0, 4]))
    assert_validated(last, 2 * pipe[0].transform(STOP_ON[0]))
    assert_array_equal(last.seen_[2], [2, 1, 4])
    alone = fit_and_stop(make_pipeline(Stopping(early_stopping=True)))
    assert_validated(alone[-1], STOP_ON[0])


def test_validation_rows_pass_a_pipeline_with_routing_and_a_cache(tmp_path):
    with config_context(enable_metadata_routing=True):
        last = Stopping(early_stopping=True).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, last, memory=str(tmp_path))
        fit_and_stop(pipe)
    assert_validated(last, pipe[0].transform(STOP_ON[0]))
    assert_array_equal(last.seen_[2], [2, 1, 4])


def test_the_last_step_is_put_back_where_validation_rows_do_not_pass():
    last = Stopping(early_stopping=True)
    pipe = make_pipeline(StandardScaler(), last)
    with pytest.raises(ValueError, match="features"):
        fit_on_targets(
            pipe,
            np.ones((4, 2)),
            SURE,
            CLASSES[:2],
            np.ones(4),
            weighted=False,
            params={},
            stop_on=STOP_ON,
        )
    assert pipe[-1] is last


def test_arguments_of_the_user_come_before_those_of_validation():
    given = {"sample_weight_val": np.array([5.0, 6.0])}
    last = fit_and_stop(Stopping(early_stopping=True), params=given)
    assert_array_equal(last.validation_[2], [5, 6])


def test_what_learns_distributions_learns_labels_where_it_stops_early():
    pytest.importorskip("xgboost")
    from xgboost import XGBClassifier
    from xgboost.callback import EarlyStopping

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    second = 1 / (1 + np.exp(-2 * X[:, 0]))
    boosting = adapt(XGBClassifier(n_jobs=1, callbacks=[EarlyStopping(rounds=2)]))
    held = X[:100], CLASSES[(X[:100, 0] > 0).astype(int)], None
    fit_on_targets(
        boosting,
        X[100:],
        np.column_stack([1 - second, second])[100:],
        CLASSES[:2],
        np.ones(200),
        weighted=False,
        params={},
        stop_on=held,
    )
    assert boosting.estimator_.best_iteration < 99

"""Weights, weak probabilities and other metadata reach whom they are meant for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tests import test_metaestimators_metadata_routing as harness
from sklearn.tests.metadata_routing_common import NonConsumingClassifier

from sklearn_w2s import (
    OverlapDetector,
    UCBSourceSelector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)
from sklearn_w2s.model_selection import LabeledSplit

PREDICTIONS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
# test_default_request forbids default requests; the last one came with 1.9.
NAMES = [
    "test_error_on_missing_requests_for_sub_estimator",
    "test_setting_request_on_sub_estimator_removes_error",
    "test_non_consuming_estimator_works",
    "test_metadata_routed_to_sub_estimator_in_pipeline",
    "test_metadata_is_routed_correctly_to_splitter",
]


def weighted_detector(**params):
    return OverlapDetector(**params).set_fit_request(sample_weight=True)


def entry(metaestimator, part, methods, *, preserves=True, **init_args):
    return {
        "metaestimator": metaestimator,
        "estimator": "classifier",
        "estimator_name": part,
        "X": harness.X,
        "y": harness.y_binary,
        "estimator_routing_methods": methods,
        "init_args": init_args,
        "preserves_metadata": preserves,
    }


def splitting_classifier(cv, **params):
    return WeakToStrongClassifier(
        strategy="all", overlap_detector=OverlapDetector(cv=cv), **params
    )


def splitting_entry(metaestimator, *methods):
    return {
        "metaestimator": metaestimator,
        "X": harness.X,
        "y": harness.y_binary,
        "cv_name": "cv",
        "cv_routing_methods": methods,
    }


OTHER = NonConsumingClassifier()
ENTRIES = [
    entry(
        WeakToStrongClassifier,
        "strong_estimator",
        ["fit", *PREDICTIONS],
        weak_estimator=OTHER,
        strategy="all",
    ),
    entry(
        WeakToStrongClassifier,
        "weak_estimator",
        ["fit"],
        strong_estimator=OTHER,
        strategy="all",
    ),
    entry(weighted_detector, "weak_estimator", ["fit"], preserves="subset"),
    entry(
        UCBSourceSelector,
        "estimator",
        ["fit", *PREDICTIONS, "score"],
        preserves="subset",
    ),
    splitting_entry(OverlapDetector, "fit", "partial_fit", "fit_transform"),
    splitting_entry(splitting_classifier, "fit"),
]


# The probabilities of the harness's classifiers are constants.
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("name", [name for name in NAMES if hasattr(harness, name)])
@pytest.mark.parametrize("metaestimator", ENTRIES)
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_the_harness_of_scikit_learn_passes(metaestimator, name):
    getattr(harness, name)(metaestimator)


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def problem():
    """Rows whose last column is the weak probability of class 1."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    truth = (X[:, 0] + 0.3 * rng.normal(size=120) > 0).astype(int)
    y = np.where(np.arange(120) % 2, truth, -1)
    proba = 1 / (1 + np.exp(-2 * X[:, 0]))
    return np.column_stack([X, proba]), y, np.column_stack([1 - proba, proba])


@pytest.fixture
def weights():
    return np.random.default_rng(1).integers(0, 3, size=120).astype(float)


class Recorder(LogisticRegression):
    """A classifier that keeps what it was fitted with."""

    def fit(self, X, y, sample_weight=None, note=None):
        self.seen_ = {"rows": X, "sample_weight": sample_weight, "note": note}
        return super().fit(X, y, sample_weight)


def requiring(**requests):
    return Recorder().set_fit_request(**requests)


def demand_aligned(weak_proba, _, representation, *__):
    """Learn from all, provided that each row came with its own probability."""
    assert_allclose(weak_proba[:, 1], representation[:, -1])
    return weak_proba, np.ones(len(weak_proba))


def student(**params):
    return WeakToStrongClassifier(
        strong_estimator=LogisticRegression(),
        strategy=demand_aligned,
        overlap_detector=OverlapDetector(representation="passthrough"),
        **params,
    )


# Routing off


def test_a_pipeline_hands_metadata_on_by_the_name_of_the_step(problem, weights):
    X, y, proba = problem
    unscaled = StandardScaler(with_mean=False, with_std=False)
    pipe = make_pipeline(unscaled, student())
    pipe.fit(
        X,
        y,
        weaktostrongclassifier__weak_proba=proba,
        weaktostrongclassifier__sample_weight=weights,
    )
    alone = student().fit(X, y, weak_proba=proba, sample_weight=weights)
    assert_array_equal(pipe.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("routed", [False, True])
@pytest.mark.parametrize("cv", [3, LabeledSplit(3)])
def test_a_search_cuts_weak_probabilities_into_folds(problem, routed, cv):
    X, y, proba = problem
    grid = {"strong_estimator__C": [0.1, 1.0]}
    search = GridSearchCV(student(), grid, cv=cv, error_score="raise")
    with config_context(enable_metadata_routing=routed):
        search.fit(X, y, weak_proba=proba)
    assert search.best_score_ > 0.7


@pytest.mark.parametrize("routed", [False, True])
def test_cross_validation_cuts_weak_probabilities_in_a_pipeline(problem, routed):
    X, y, proba = problem
    unscaled = StandardScaler(with_mean=False, with_std=False)
    name = "weak_proba" if routed else "weaktostrongclassifier__weak_proba"
    with config_context(enable_metadata_routing=routed):
        scores = cross_val_score(
            make_pipeline(unscaled, student()),
            X,
            y,
            cv=LabeledSplit(3),
            params={name: proba},
            error_score="raise",
        )
    assert min(scores) > 0.7


@pytest.mark.parametrize(
    "estimator",
    [
        OverlapDetector(),
        WeakToStrongClassifier(),
        UCBSourceSelector(WeakToStrongClassifier()),
    ],
)
def test_without_routing_unknown_metadata_are_named_and_refused(estimator, problem):
    X, y, _ = problem
    with pytest.raises(TypeError, match=r"fit got unexpected .*\['note', 'other'\]"):
        estimator.fit(X, y, other=1, note=2)


@pytest.mark.parametrize("method", PREDICTIONS)
def test_without_routing_predictions_take_no_metadata(problem, method):
    X, y, proba = problem
    fitted = student().fit(X, y, weak_proba=proba)
    with pytest.raises(TypeError, match=rf"{method} got unexpected .*\['note'\]"):
        getattr(fitted, method)(X, note=1)


def test_without_routing_both_estimators_get_the_weights(problem, weights):
    X, y, _ = problem
    model = WeakToStrongClassifier(Recorder(), Recorder(), strategy="all")
    model.fit(X, y, sample_weight=weights)
    kept = weights > 0
    weak, strong = model.weak_estimator_.seen_, model.strong_estimator_.seen_
    assert_array_equal(weak["sample_weight"], weights[(y >= 0) & kept])
    assert strong["sample_weight"].sum() == pytest.approx(weights.sum())


# Routing on


def test_what_is_requested_by_default():
    told = {
        OverlapDetector: ["weak_proba", "weak_prediction"],
        WeakToStrongClassifier: ["weak_proba"],
        WeakToStrongRegressor: ["weak_prediction"],
    }
    for estimator, names in told.items():
        requests = estimator().get_metadata_routing()._self_request.fit.requests
        assert requests == {**dict.fromkeys(names, True), "sample_weight": None}


@pytest.mark.usefixtures("routing")
def test_each_part_gets_what_it_requested(problem, weights):
    X, y, _ = problem
    notes = np.arange(120)
    model = WeakToStrongClassifier(
        requiring(note=True, sample_weight=False),
        requiring(note=True, sample_weight=True),
        strategy="all",
        pseudo_labels="hard",
    ).fit(X, y, sample_weight=weights, note=notes)
    weak, strong = model.weak_estimator_.seen_, model.strong_estimator_.seen_
    assert weak["sample_weight"] is None
    assert_array_equal(weak["note"], notes[y >= 0])
    assert_array_equal(strong["note"], notes[weights > 0])
    assert_array_equal(strong["sample_weight"], weights[weights > 0])


@pytest.mark.usefixtures("routing")
def test_metadata_of_other_lengths_are_handed_on_whole(problem):
    X, y, _ = problem
    model = WeakToStrongClassifier(
        requiring(note=True), requiring(note=True), strategy="all"
    ).fit(X, y, note="whole")
    assert model.weak_estimator_.seen_["note"] == "whole"
    assert model.strong_estimator_.seen_["note"] == "whole"


@pytest.mark.usefixtures("routing")
def test_soft_labels_repeat_the_metadata_with_their_rows(problem):
    X, y, _ = problem
    model = WeakToStrongClassifier(
        LogisticRegression(),
        requiring(note=True),
        strategy="all",
        pseudo_labels="soft",
    ).fit(X, y, note=np.arange(120))
    seen = model.strong_estimator_.seen_
    assert len(seen["note"]) > 120
    assert_array_equal(X[seen["note"]], seen["rows"])


@pytest.mark.usefixtures("routing")
def test_weights_may_come_under_another_name(problem, weights):
    X, y, _ = problem
    model = WeakToStrongClassifier(
        requiring(sample_weight="trust"), requiring(sample_weight="trust")
    )
    model.fit(X, y, trust=weights)
    seen = model.weak_estimator_.seen_["sample_weight"]
    assert_array_equal(seen, weights[(y >= 0) & (weights > 0)])


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    "make",
    [
        OverlapDetector,
        lambda weak: WeakToStrongClassifier(
            weak, LogisticRegression().set_fit_request(sample_weight=True)
        ),
    ],
)
def test_weights_that_a_part_neither_wants_nor_refuses_raise(make, problem, weights):
    X, y, _ = problem
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        make(LogisticRegression()).fit(X, y, sample_weight=weights)


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    "fit_params", [[], ["weak_proba"]], ids=["labels", "weak_proba"]
)
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("make", [OverlapDetector, WeakToStrongClassifier])
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_metadata_that_nobody_requested_raise(make, frozen, fit_params, problem):
    X, y, proba = problem
    weak = LogisticRegression().fit(X, y > 0)
    estimator = make(FrozenEstimator(weak) if frozen else weak)
    fit_params = dict.fromkeys(fit_params, proba)
    with pytest.raises(TypeError, match="nonsense"):
        estimator.fit(X, y > 0, nonsense=np.ones(120), **fit_params)


@pytest.mark.usefixtures("routing")
def test_default_parts_take_weights(problem, weights):
    X, y, _ = problem
    for estimator in (OverlapDetector(), WeakToStrongClassifier(random_state=0)):
        weighted = clone(estimator).fit(X, y, sample_weight=weights)
        with config_context(enable_metadata_routing=False):
            unrouted = clone(estimator).fit(X, y, sample_weight=weights)
        assert_array_equal(weighted.predict(X), unrouted.predict(X))


@pytest.mark.usefixtures("routing")
def test_weights_for_a_pipeline_are_requested_on_its_steps(problem, weights):
    X, y, _ = problem
    last = LogisticRegression()
    pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), last)
    model = WeakToStrongClassifier(LogisticRegression(), pipe)
    for request in (None, False):
        last.set_fit_request(sample_weight=request)
        model.fit(X, y)
        assert (model.strategy_, model.pseudo_labels_) == ("all", "hard")
    last.set_fit_request(sample_weight=True)
    model.weak_estimator.set_fit_request(sample_weight=True)
    model.fit(X, y, sample_weight=weights)
    assert model.strategy_ == "confidence"
    with config_context(enable_metadata_routing=False):
        unrouted = clone(model).fit(X, y, sample_weight=weights)
    assert_array_equal(model.predict_proba(X), unrouted.predict_proba(X))


@pytest.mark.usefixtures("routing")
def test_a_detector_inside_a_pipeline_gets_weights_and_probabilities(problem, weights):
    X, y, proba = problem
    classifier = LogisticRegression().set_fit_request(sample_weight=False)
    frozen = FrozenEstimator(LogisticRegression().fit(X, proba.argmax(axis=1)))
    pipe = make_pipeline(weighted_detector(weak_estimator=frozen), classifier)
    pipe.fit(X, y, sample_weight=weights, weak_proba=proba)
    with config_context(enable_metadata_routing=False):
        alone = OverlapDetector(frozen).fit(
            X, y, sample_weight=weights, weak_proba=proba
        )
    assert_array_equal(pipe[0].regions_, alone.regions_)
    assert_array_equal(pipe[0].transform(X), alone.transform(X))


@pytest.mark.usefixtures("routing")
def test_a_detector_inside_a_pipeline_passes_weights_to_its_estimator(problem, weights):
    X, y, _ = problem
    truth = (y > 0).astype(int)
    weak = requiring(sample_weight=True)
    classifier = LogisticRegression().set_fit_request(sample_weight=True)
    pipe = make_pipeline(weighted_detector(weak_estimator=weak), classifier)
    pipe.fit(X, truth, sample_weight=weights)
    seen = pipe[0].weak_estimator_.seen_["sample_weight"]
    assert_array_equal(seen, weights[weights > 0])


@pytest.mark.usefixtures("routing")
def test_a_search_routes_weights_to_estimator_and_scorer(problem, weights):
    X, y, proba = problem
    model = WeakToStrongClassifier(
        strong_estimator=requiring(sample_weight=True), strategy="all"
    ).set_fit_request(sample_weight=True)
    scorer = make_scorer(weighted_accuracy).set_score_request(sample_weight=True)
    search = GridSearchCV(
        make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            model,
        ),
        {"weaktostrongclassifier__strong_estimator__C": [0.1, 1.0]},
        cv=LabeledSplit(3),
        scoring=scorer,
        error_score="raise",
    ).fit(X, y, weak_proba=proba, sample_weight=weights + 1)
    assert search.best_score_ > 0.7


def weighted_accuracy(y_true, y_pred, sample_weight):
    """Demand that the weights were cut to the test rows."""
    assert len(sample_weight) == len(y_true)
    return np.average(y_true == y_pred, weights=sample_weight)


# Groups


def splitting(part, cv):
    """Return a detector that splits by `cv`, or a classifier or pipeline with one."""
    detector = OverlapDetector(GaussianNB(), cv=cv)
    if part == "detector":
        return detector
    detector.set_params(weak_estimator=None)
    model = WeakToStrongClassifier(
        GaussianNB(),
        LogisticRegression(),
        strategy="blend",
        overlap_detector=detector,
        random_state=0,
    )
    return model if part == "classifier" else make_pipeline(StandardScaler(), model)


def says(fitted, X):
    ask = getattr(fitted, "predict_proba", None) or fitted.confidence_samples
    found = getattr(fitted, "confidence_", ())
    return np.concatenate([np.ravel(ask(X)), found])


PARTS = ["detector", "classifier", "pipeline"]


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("part", PARTS)
def test_groups_of_the_labeled_rows_reach_the_splitter(part, problem):
    X, y, _ = problem
    groups = np.arange(120) // 5
    labeled = y >= 0
    splits = list(GroupKFold(3).split(X[labeled], groups=groups[labeled]))
    by_groups = splitting(part, GroupKFold(3)).fit(X, y, groups=groups)
    by_hand = splitting(part, splits).fit(X, y)
    assert_array_equal(says(by_groups, X), says(by_hand, X))


@pytest.mark.usefixtures("routing")
def test_groups_reach_the_splitter_batch_by_batch(problem):
    X, y, _ = problem
    groups = np.arange(120) // 5
    stream = splitting("detector", GroupKFold(3))
    stream.partial_fit(X, y, groups=groups).partial_fit(X, groups=groups)
    assert stream.n_samples_seen_ == 240


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("part", PARTS[1:])
def test_a_search_hands_groups_to_both_splitters(part, problem):
    X, y, _ = problem
    model = splitting(part, GroupKFold(3))
    name = "strong_estimator__C"
    grid = {f"weaktostrongclassifier__{name}" if part == "pipeline" else name: [1]}
    search = GridSearchCV(
        model, grid, cv=LabeledSplit(GroupKFold(2)), error_score="raise"
    )
    search.fit(X, y, groups=np.arange(120) // 5)
    assert search.n_splits_ == 2


@pytest.mark.usefixtures("routing")
def test_a_selector_hands_groups_on(problem):
    X, y, _ = problem
    selector = UCBSourceSelector(
        splitting("classifier", GroupKFold(2)), random_state=0, batch_size=10
    )
    sources = np.where(np.arange(120) < 60, "first", "second")
    selector.fit(X, y, sample_source=sources, groups=np.arange(120) // 5)
    assert selector.predict(X).shape == (120,)


@pytest.mark.parametrize("part", PARTS[:2])
@pytest.mark.parametrize("routed", [False, True])
def test_groups_that_are_lacking_are_asked_for_by_name(part, routed, problem):
    X, y, _ = problem
    model = splitting(part, GroupKFold(3))
    wanted = r"GroupKFold.* needs groups.*set_config\(enable_metadata_routing=True\)"
    with (
        config_context(enable_metadata_routing=routed),
        pytest.raises(ValueError, match=wanted),
    ):
        model.fit(X, y)
    with pytest.raises(TypeError, match=r"'groups'.*enable_metadata_routing=True"):
        model.fit(X, y, groups=np.arange(120))


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("part", PARTS)
def test_groups_that_no_splitter_asks_for_are_refused(part, problem):
    X, y, _ = problem
    with pytest.raises(TypeError, match="groups"):
        splitting(part, 3).fit(X, y, groups=np.arange(120))


# Scores


@pytest.mark.usefixtures("routing")
def test_score_takes_weights_of_the_labeled_rows(problem, weights):
    X, y, proba = problem
    fitted = student().fit(X, y, weak_proba=proba)
    correct = (fitted.predict(X) == y)[y >= 0]
    expected = np.average(correct, weights=weights[y >= 0])
    assert fitted.score(X, y, sample_weight=weights) == pytest.approx(expected)

"""Estimators that take class codes alone are given codes, and give labels back."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._coded import CodedClassifier, needs_codes
from sklearn_w2s._fitting import adapt, takes_weights
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import cross_validate_gap, overlap_curve
from sklearn_w2s.persistence import trusted_types
from sklearn_w2s.sources import UCBSourceSelector

KINDS = {
    "texts": np.array(["a", "b", "c"], dtype=object),
    "gaps": np.array([0, 2, 5]),
    "codes": np.arange(3),
}


class CodesOnly(LogisticRegression):
    """Refuse what XGBoost refuses."""

    def fit(self, X, y, sample_weight=None):
        classes = np.unique(y)
        if not np.array_equal(classes, np.arange(len(classes))):
            msg = f"Invalid classes inferred from unique values of `y`: {classes}"
            raise ValueError(msg)
        return super().fit(X, y, sample_weight)


# It stands in for XGBoost where that is not installed.
XGBClassifier = type("XGBClassifier", (CodesOnly,), {"__module__": "xgboost.sklearn"})


def stand_in():
    return XGBClassifier()


def xgboost():
    return pytest.importorskip("xgboost").XGBClassifier(n_estimators=5, n_jobs=1)


BOTH = pytest.mark.parametrize("make", [stand_in, xgboost])
LABELS = pytest.mark.parametrize("labels", list(KINDS))


@pytest.fixture(scope="module")
def problem():
    return make_overlap_classification(
        300,
        n_easy_features=4,
        n_hard_features=4,
        n_classes=3,
        noise=0.4,
        random_state=0,
    )[:2]


# Who needs codes


def test_estimators_that_need_codes_are_recognized():
    codes_only = stand_in()
    assert needs_codes(codes_only)
    assert needs_codes(type("Own", (XGBClassifier,), {})())
    assert needs_codes(make_pipeline(StandardScaler(), codes_only))
    assert needs_codes(CalibratedClassifierCV(codes_only))
    assert needs_codes(GridSearchCV(make_pipeline(codes_only), {}))
    assert not needs_codes(FrozenEstimator(codes_only))
    assert not needs_codes(LogisticRegression())
    assert not needs_codes(SelfTrainingClassifier(codes_only))
    assert not needs_codes(CodedClassifier(codes_only))
    assert not needs_codes(make_pipeline(codes_only, LogisticRegression()))


def test_wrapped_is_the_last_step_of_a_pipeline_and_else_the_whole():
    pipe = make_pipeline(StandardScaler(), stand_in())
    assert type(adapt(pipe)[-1]) is CodedClassifier
    assert type(pipe[-1]) is XGBClassifier
    assert type(adapt(GridSearchCV(stand_in(), {}))) is CodedClassifier
    assert type(adapt(adapt(stand_in())).estimator) is XGBClassifier


# What it does


@BOTH
@LABELS
def test_labels_come_back_and_all_else_is_that_of_the_estimator(problem, make, labels):
    X, y = problem
    weights = np.random.default_rng(0).uniform(size=len(y))
    coded = CodedClassifier(make()).fit(X, KINDS[labels][y], sample_weight=weights)
    plain = make().fit(X, y, sample_weight=weights)

    assert_array_equal(coded.classes_, KINDS[labels])
    assert_array_equal(coded.predict(X), KINDS[labels][plain.predict(X)])
    assert_array_equal(coded.predict_proba(X), plain.predict_proba(X))
    for method in ("decision_function", "predict_log_proba"):
        assert hasattr(coded, method) == hasattr(plain, method)
        if hasattr(coded, method):
            assert_allclose(getattr(coded, method)(X), getattr(plain, method)(X))
    check_is_fitted(coded)
    assert not hasattr(coded.estimator, "_Booster")
    assert coded.score(X, KINDS[labels][y]) == plain.score(X, y)


def test_tags_weights_and_routing_are_those_of_the_estimator():
    for inner in (stand_in(), GridSearchCV(stand_in(), {})):
        coded = CodedClassifier(inner)
        assert takes_weights(coded) == takes_weights(inner)
        assert get_tags(coded) == get_tags(inner)
    with config_context(enable_metadata_routing=True):
        requesting = stand_in().set_fit_request(sample_weight=True)
        for last in (stand_in(), requesting):
            pipe = make_pipeline(StandardScaler(), last)
            assert takes_weights(adapt(pipe)) == takes_weights(pipe)
            found = get_routing_for_object(CodedClassifier(last))
            assert repr(found) == repr(get_routing_for_object(last))


def test_a_pickle_predicts_the_same(problem):
    X, y = problem
    coded = CodedClassifier(xgboost()).fit(X, KINDS["texts"][y])
    assert_array_equal(pickle.loads(pickle.dumps(coded)).predict(X), coded.predict(X))


def test_a_saved_one_is_made_of_trusted_types(problem):
    skops = pytest.importorskip("skops.io")
    X, y = problem
    coded = CodedClassifier(LogisticRegression()).fit(X, KINDS["texts"][y].astype(str))
    loaded = skops.loads(skops.dumps(coded), trusted=trusted_types())
    assert_array_equal(loaded.predict(X), coded.predict(X))


def test_labels_to_evaluate_on_are_coded(problem):
    X, y = problem
    texts = KINDS["texts"][y]
    coded = CodedClassifier(xgboost().set_params(early_stopping_rounds=2))
    coded.fit(X[:200], texts[:200], eval_set=[(X[200:], texts[200:])], verbose=False)
    assert_array_equal(coded.classes_, KINDS["texts"])
    assert coded.estimator_.best_score < np.log(3)
    with pytest.raises(ValueError, match=r"eval_set has labels \['d'\] that no row"):
        coded.fit(X, texts, eval_set=[(X, np.full(len(X), "d"))])


# Every public entry that fits it


@BOTH
@LABELS
@pytest.mark.parametrize("strategy", ["all", "mix"])
@pytest.mark.parametrize("wrap", [None, "pipeline", "search"])
@pytest.mark.usefixtures("few_folds")
def test_it_can_be_strong(problem, make, labels, strategy, wrap):
    X, y = problem
    labels = KINDS[labels]
    strong = make()
    if wrap == "pipeline":
        strong = make_pipeline(StandardScaler(), strong)
    elif wrap == "search":
        strong = GridSearchCV(strong, {}, cv=2)
    known = np.where(np.arange(len(y)) < 100, labels[y], -1)
    model = WeakToStrongClassifier(
        None, strong, strategy=strategy, missing_label=-1, random_state=0
    ).fit(X, known)
    assert_array_equal(model.classes_, labels)
    assert model.score(X, labels[y]) > 0.7
    assert set(model.predict(X)) <= set(labels)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(clone(model).fit(X, known).predict(X), model.predict(X))


@BOTH
def test_a_class_without_hard_weak_labels_is_allowed(problem, make):
    X, _ = problem
    proba = np.random.default_rng(0).dirichlet([5, 5, 5], len(X))[:, [0, 2, 1]]
    proba[:, 1] = proba.min(axis=1) / 2
    proba /= proba.sum(axis=1, keepdims=True)
    for pseudo_labels in ("hard", "auto", "soft"):
        model = WeakToStrongClassifier(
            None, make(), strategy="all", pseudo_labels=pseudo_labels, random_state=0
        ).fit(X, np.full(len(X), -1), weak_proba=proba)
        assert_array_equal(model.classes_, [0, 1, 2])
        found = model.predict_proba(X)
        assert found.shape == (len(X), 3)
        assert (found[:, 1] > 0).all() == (model.pseudo_labels_ == "soft")


@BOTH
@LABELS
def test_it_can_be_weak(problem, make, labels):
    X, y = problem
    labels = KINDS[labels]
    known = np.where(np.arange(len(y)) < 100, labels[y], -1)
    model = WeakToStrongClassifier(
        make(), LogisticRegression(), strategy="all", missing_label=-1
    ).fit(X, known)
    assert_array_equal(model.weak_estimator_.classes_, labels)
    assert set(model.weak_estimator_.predict(X)) <= set(labels)
    detector = OverlapDetector(make(), missing_label=-1).fit(X, known)
    assert_array_equal(detector.weak_estimator_.classes_, labels)


@BOTH
def test_comparisons_fit_it_alone(problem, make):
    X, y = problem
    texts = KINDS["texts"][y]
    model = WeakToStrongClassifier(
        None, make(), strategy="all", missing_label=None, random_state=0
    )
    gap = cross_validate_gap(model, X, texts, labeled_size=100, cv=2, random_state=0)
    assert np.isfinite(gap["ceiling_score"]).all()
    assert np.isfinite(gap["strong_on_labels_score"]).all()
    detector = OverlapDetector(missing_label=None)
    curve = overlap_curve(
        LogisticRegression(),
        make(),
        X,
        texts,
        detector,
        overlap_shares=[0, 1],
        random_state=0,
    )
    assert np.isfinite(curve["ceiling_score"]).all()


@BOTH
@LABELS
def test_a_selector_fits_it(problem, make, labels):
    X, y = problem
    labels = KINDS[labels][y]
    sources = np.where(np.arange(len(y)) % 2, "rich", "poor")
    selector = UCBSourceSelector(make(), missing_label=None, random_state=0)
    selector.fit(X, labels, sample_source=sources)
    assert_array_equal(selector.classes_, np.unique(labels))
    assert (selector.predict(X) == labels).mean() > 0.7

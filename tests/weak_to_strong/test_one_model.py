"""One model predicts: what is kept, what it costs, and what settings change."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledSplit
from sklearn_w2s.weak_to_strong import _members, _smooth, _views
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

N_LABELED, N = 100, 500


@pytest.fixture(scope="module")
def rows():
    X, truth, _ = make_overlap_classification(
        N, n_easy_features=3, n_hard_features=3, overlap_density=0.5, random_state=0
    )
    return X, np.where(np.arange(N) < N_LABELED, truth, -1), truth


def make(strategy="auto", **params):
    defaults = {
        "weak_estimator": GaussianNB(),
        "strong_estimator": DecisionTreeClassifier(min_samples_leaf=5),
        "weak_features": slice(0, 3),
        "random_state": 0,
    }
    return WeakToStrongClassifier(strategy=strategy, **defaults | params)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "auto"])
def test_who_predicts_is_an_estimator_of_the_user(rows, strategy):
    X, y, _ = rows
    model = make(strategy).fit(X, y)
    assert model.estimator_ is model.strong_estimator_
    assert_array_equal(model.predict(X), model.estimator_.predict(X))
    calibrated = model.predict_proba(X)
    own = model.estimator_.predict_proba(X)
    if model.calibration_ == (1, 0):
        assert_array_equal(calibrated, own)
    # Raised to one power, they are in the same order.
    order = np.argsort(own[:, 1], kind="stable")
    assert (np.diff(calibrated[order, 1]) >= -1e-12).all()


def test_a_decision_is_as_sure_as_its_probabilities(rows):
    X, y, _ = rows
    model = make("blend", strong_estimator=LogisticRegression()).fit(X, y)
    assert model.calibration_ != (1, 0)
    proba = model.predict_proba(X)[:, 1]
    assert_allclose(1 / (1 + np.exp(-model.decision_function(X))), proba, rtol=1e-6)
    assert_allclose(np.exp(model.predict_log_proba(X))[:, 1], proba)


@pytest.mark.parametrize("detector", [None, OverlapDetector(max_references=50)])
@pytest.mark.parametrize("strategy", ["all", "blend", "smooth", "auto"])
def test_nothing_that_is_kept_grows_with_the_rows(strategy, detector):
    sizes = []
    for n in (600, 2400):
        X, y, _ = make_overlap_classification(n, random_state=0)
        y[N_LABELED:] = -1
        strong = LogisticRegression()
        model = make(strategy, strong_estimator=strong, overlap_detector=detector)
        model.fit(X, y)
        parts = [model.weak_estimator_, model.strong_estimator_]
        parts += [model.overlap_detector_] if detector is not None else []
        own = len(pickle.dumps(model)) - sum(len(pickle.dumps(p)) for p in parts)
        sizes.append((own, len(pickle.dumps(model))))
    assert sizes[0][0] < 20_000
    assert sizes[1][1] < sizes[0][1] + 4_000


def test_the_detector_that_is_kept_still_judges_other_rows(rows):
    X, y, _ = rows
    model = make("overlap", store_rows=True).fit(X, y)
    detector = model.overlap_detector_
    unlabeled = y < 0
    regions = model.rows_["region"][unlabeled]
    assert_array_equal(detector.predict(X[unlabeled]), regions)
    with pytest.raises(AttributeError, match="nor does the detector of a classifier"):
        detector.get_support()


# The table of rows


@pytest.mark.parametrize("strategy", [*STRATEGIES, "auto"])
def test_the_table_says_of_each_row_what_was_known(rows, strategy):
    X, y, _ = rows
    model = make(strategy, store_rows=True, overlap_detector=OverlapDetector())
    model.fit(X, y)
    table = pd.DataFrame(model.rows_)
    assert len(table) == N
    assert_array_equal(table["labeled"], y >= 0)
    assert_array_equal(table["label"][y >= 0], y[y >= 0])
    assert set(table["region"]) <= {"easy", "hard", "overlap"}
    for name in ("weak_proba", "target"):
        assert_allclose(stacked(model, name).sum(axis=1), 1)
    weak = stacked(model, "weak_proba").argmax(axis=1)
    assert_array_equal(table["weak_label"], weak)
    members = {"trees", "kernels", "graph", "strong"}
    predicted = {name[: -len("_label")] for name in table if name.endswith("_label")}
    assert predicted <= members | {"weak"}


def test_there_is_no_table_unless_it_is_asked_for(rows):
    X, y, _ = rows
    assert not hasattr(make().fit(X, y), "rows_")


def test_documented_attributes_come_back_from_processes(rows):
    X, y, _ = rows
    model = make(overlap_detector=OverlapDetector(), store_rows=True)
    models = cross_validate(
        model, X, y, cv=LabeledSplit(2), return_estimator=True, n_jobs=2
    )["estimator"]
    for fitted in models:
        for name in (
            *("estimator_", "weak_estimator_", "strong_estimator_", "calibration_"),
            *("evidence_", "overlap_detector_", "overlap_density_", "rows_"),
            *("strategy_", "pseudo_labels_", "classes_", "n_features_in_"),
        ):
            assert hasattr(fitted, name)
        assert fitted._findings().startswith("strategy: blend of weak 0.")


# Calibration


def test_probabilities_are_those_of_true_labels():
    X, truth = load_digits(return_X_y=True)
    y = np.where(np.arange(len(truth)) < 150, truth, -1)
    train, test = slice(0, 1200), slice(1200, None)
    for strong, lead in (
        (HistGradientBoostingClassifier(max_iter=20), -0.05),
        (DecisionTreeClassifier(min_samples_leaf=3), 0.05),
        # Forests are unsure of what they learn by themselves.
        (ExtraTreesClassifier(50), -0.1),
    ):
        weak = LogisticRegression(max_iter=3000)
        model = WeakToStrongClassifier(weak, strong, strategy="blend", random_state=0)
        model.fit(X[train], y[train])
        own = np.clip(model.estimator_.predict_proba(X[test]), 1e-12, None)
        calibrated = log_loss(truth[test], model.predict_proba(X[test]))
        assert calibrated < log_loss(truth[test], own) - lead


# What settings change


def test_a_search_over_thresholds_is_one_over_lessons(rows, tmp_path):
    X, y, _ = rows
    detector = OverlapDetector(threshold_type="quantile")
    model = make(overlap_detector=detector, memory=str(tmp_path))
    grid = {"overlap_detector__overlap_threshold": [0.1, 0.5, 0.9]}
    search = GridSearchCV(
        model, grid, cv=LabeledSplit(3), scoring="neg_log_loss", error_score="raise"
    ).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


def test_a_search_asks_members_once_per_fold(rows, tmp_path, monkeypatch):
    X, y, _ = rows
    counts = {"trees": 0, "kernels": 0, "graph": 0}
    for name, member in (
        ("trees", _members.Trees),
        ("kernels", _members.Kernels),
        ("graph", _members.Graph),
    ):
        fit = member.fit

        def counted(self, labels, rng, name=name, fit=fit):
            counts[name] += 1
            return fit(self, labels, rng)

        monkeypatch.setattr(member, "fit", counted)
    detector = OverlapDetector(threshold_type="quantile")
    model = make("blend", overlap_detector=detector, memory=str(tmp_path))
    grid = {"overlap_detector__overlap_threshold": np.linspace(0.1, 0.9, 10)}
    GridSearchCV(model, grid, cv=LabeledSplit(3), error_score="raise").fit(X, y)
    assert counts == dict.fromkeys(counts, 4)


def test_thresholds_that_change_nothing_are_warned_of(rows):
    X, _, _ = rows
    weak = FrozenEstimator(GaussianNB().fit(X[:50, :3], np.arange(50) % 2))
    detector = OverlapDetector(overlap_threshold=0.5)
    model = make(weak_estimator=weak, overlap_detector=detector)
    with pytest.warns(UserWarning, match=r"\['overlap_threshold'\] of overlap"):
        model.fit(X, np.full(N, -1))
    assert model.strategy_ == "smooth"


def test_a_fall_back_never_ties_for_best(rows):
    X, y, _ = rows
    loses = OverlapDetector(
        confidence="margin",
        confidence_threshold=2.0,
        refine_hard=False,
        overlap_threshold=0.5,
    )
    model = make(overlap_detector=loses, weak_features=None, fallback="raise")
    grid = {"strategy": ["all", "confident"]}
    with pytest.warns(Warning) as warned:  # noqa: PT030  of the search itself
        search = GridSearchCV(model, grid, cv=LabeledSplit(3)).fit(X, y)
    assert any("fits failed" in str(warning.message) for warning in warned)
    scores = search.cv_results_["mean_test_score"]
    assert not np.isnan(scores[0])
    assert np.isnan(scores[1])
    assert search.best_params_ == {"strategy": "all"}


@pytest.mark.parametrize("scoring", ["roc_auc", "balanced_accuracy"])
def test_members_are_weighed_by_the_users_measure(rows, scoring):
    X, y, truth = rows
    model = make("blend", scoring=scoring).fit(X, y)
    assert sum(model.evidence_["weights"].values()) == pytest.approx(1)
    assert model.score(X, truth) == np.mean(model.predict(X) == truth)


def test_a_cost_of_errors_shifts_what_is_predicted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    truth = (X[:, 0] + rng.normal(size=800) > 1.6).astype(int)
    y = np.where(np.arange(800) < 200, truth, -1)
    model = make("blend", strong_estimator=GaussianNB(), weak_features=None)
    plain = clone(model).fit(X, y)
    balanced = model.set_params(scoring="balanced_accuracy").fit(X, y)
    assert balanced.predict(X).mean() > plain.predict(X).mean()


# What it grows with


def test_members_learn_from_samples_where_rows_are_many(rows, monkeypatch):
    X, y, truth = rows
    for module, name, size in (
        (_members, "MAX_GRAPH_ROWS", 150),
        (_members, "N_SCREENED_NODES", 100),
        (_members, "MAX_KERNEL_ROWS", 60),
        (_members, "BLOCK_ROWS", 90),
        (_views, "MAX_ROWS", 120),
        (_smooth, "MAX_SMOOTHED", 150),
    ):
        monkeypatch.setattr(module, name, size)
    for strategy in ("blend", "smooth", "co_train"):
        model = make(strategy).fit(X, y)
        assert model.score(X, truth) > 0.6

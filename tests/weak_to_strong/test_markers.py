"""Markers of unlabeled rows that are lost before `fit`, and what to do about it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.model_selection import LabeledScorer, LabeledSplit

N_LABELED = 60


def make(weak=None, strong=None, **params):
    weak = LogisticRegression() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    return WeakToStrongClassifier(weak, strong, **params)


def test_a_y_without_unlabeled_rows_warns_once_and_says_what_to_wrap(problem):
    X, _, truth = problem
    with pytest.warns(UserWarning, match="y contains no unlabeled samples") as caught:
        make().fit(X, truth)
    assert len(caught) == 1
    assert "wrap weak_estimator or strong_estimator in" in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "wrap",
    [
        BaggingClassifier,
        OneVsRestClassifier,
        OneVsOneClassifier,
        lambda model: VotingClassifier([("model", model)]),
        lambda model: StackingClassifier([("model", model)], cv=2),
        lambda model: CalibratedClassifierCV(model, ensemble=False, cv=2),
    ],
)
def test_meta_estimators_that_take_the_marker_for_a_class_lead_to_a_warning(
    problem, wrap
):
    X, y, _ = problem
    with pytest.warns(UserWarning, match="y contains no unlabeled samples"):
        wrap(make(strategy="all")).fit(X, y)


def test_a_wrapped_sub_estimator_leaves_markers_alone(problem):
    X, y, truth = problem
    for wrapped in (
        BaggingClassifier(LogisticRegression()),
        VotingClassifier([("one", LogisticRegression())], voting="soft"),
        OneVsRestClassifier(LogisticRegression()),
        CalibratedClassifierCV(LogisticRegression()),
    ):
        model = make(wrapped, wrapped, strategy="all", pseudo_labels="hard").fit(X, y)
        assert model.score(X, truth) > 0.7


@pytest.mark.parametrize(
    "lost",
    [
        lambda y, truth: np.where(truth > 0, 1, -1),
        lambda y, truth: y.astype(str),
        lambda y, truth: y.astype(float).astype(str),
        lambda y, truth: np.array(["a", "b", "c", -1])[y],
    ],
)
def test_one_warning_is_enough(problem, lost):
    X, y, truth = problem
    with pytest.warns(UserWarning, match="class") as caught:
        make(strategy="all").fit(X, lost(y, truth))
    assert len(caught) == 1


def test_thresholds_and_calibration_are_learned_from_labeled_rows_held_out(problem):
    X, y, truth = problem
    y, truth = np.where(y > 0, 1, y), np.where(truth > 0, 1, truth)
    held_out, rest = np.arange(N_LABELED) % 2 == 0, np.arange(len(y)) >= N_LABELED
    held_out = np.concatenate([held_out, np.zeros(len(y) - N_LABELED, dtype=bool)])
    fitted = FrozenEstimator(make(strategy="all").fit(X[~held_out], y[~held_out]))
    calibrated = CalibratedClassifierCV(fitted).fit(X[held_out], y[held_out])
    tuned = TunedThresholdClassifierCV(
        fitted, cv="prefit", refit=False, scoring="balanced_accuracy"
    ).fit(X[held_out], y[held_out])

    def loss(model, rows):
        return log_loss(truth[rows], model.predict_proba(X[rows]))

    assert_array_equal(calibrated.classes_, [0, 1])
    assert_array_equal(tuned.classes_, [0, 1])
    assert loss(calibrated, held_out) <= loss(fitted, held_out)
    gain = [
        balanced_accuracy_score(truth[held_out], model.predict(X[held_out]))
        for model in (tuned, fitted)
    ]
    assert gain[0] >= gain[1]
    for model in (calibrated, tuned):
        assert np.mean(model.predict(X[rest]) == truth[rest]) > 0.7


def test_a_plain_search_scores_the_marker_as_a_class_and_ours_leaves_it_out(problem):
    X, y, _ = problem
    grid, folds = {"include_labeled": [True]}, StratifiedKFold(3)

    def best(cv, scoring):
        model = make(strategy="all")
        return GridSearchCV(model, grid, cv=cv, scoring=scoring).fit(X, y).best_score_

    # A quarter of the rows is labeled, and no more can be right.
    assert best(folds, "accuracy") <= N_LABELED / len(y)
    for cv, scoring in (
        (LabeledSplit(folds), "accuracy"),
        (LabeledSplit(folds), None),
        (folds, LabeledScorer("accuracy")),
        (folds, None),
    ):
        assert best(cv, scoring) > 0.7

"""Predictions are those of estimators that have not seen the row."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s._pipeline import final_step
from sklearn_w2s.advice._trial import MAX_FOLDS, Folds, run_trial

X, TRUTH = make_classification(200, random_state=0)
Y = np.where(np.arange(200) < 60, TRUTH, -1)


def trial(estimator, y=Y, **options):
    defaults = {
        "ask_labels": bool((np.asarray(y) >= 0).any()),
        "cv": None,
        "random_state": 0,
        "n_jobs": None,
        "params": None,
    }
    return run_trial(estimator, X, y, **(defaults | options), verbose=0)


def model(**params):
    defaults = {
        "weak_estimator": GaussianNB(),
        "strong_estimator": LogisticRegression(),
        "strategy": "all",
    }
    return WeakToStrongClassifier(**(defaults | params))


def test_every_row_is_held_out_once():
    _, predictions = trial(model())
    assert np.sort(predictions.rows).tolist() == list(range(200))
    assert predictions.of(Y >= 0).rows.max() < 60


def test_folds_train_on_no_row_that_they_hold_out():
    folds = Folds(4, missing_label=-1, seed=0)
    *splits, (everything, known) = folds.split(X, Y)
    for (train, test), held_out in zip(splits, folds.held_out, strict=True):
        assert not np.isin(held_out, train).any()
        assert np.isin(test, held_out).all()
        assert len(train) + len(held_out) == 200
    assert sorted(np.concatenate(folds.held_out)) == list(range(200))
    assert len(everything) == 200
    assert known.tolist() == list(range(60))


def test_folds_hold_out_whole_groups():
    y = np.where(np.arange(200) % 3, -1, TRUTH)
    groups = np.arange(200) // 7
    folds = Folds(GroupKFold(4), missing_label=-1, seed=0)
    *splits, _ = folds.split(X, y, groups)
    for (train, _), held_out in zip(splits, folds.held_out, strict=True):
        assert not set(groups[train]) & set(groups[held_out])
    assert sorted(np.concatenate(folds.held_out)) == list(range(200))


def test_a_fold_that_may_not_train_on_a_row_holds_it_out():
    y = np.where(np.arange(200) % 3, -1, TRUTH)
    folds = Folds(TimeSeriesSplit(4), missing_label=-1, seed=0)
    *splits, _ = folds.split(X, y)
    for (train, test), held_out in zip(splits, folds.held_out, strict=True):
        assert train.max() < test.min()
        assert not np.isin(held_out, train).any()
    unlabeled = np.concatenate(folds.held_out)
    unlabeled = np.sort(unlabeled[y[unlabeled] == -1])
    assert_array_equal(unlabeled, np.flatnonzero(y == -1))


class Memory(KNeighborsClassifier):
    """Knows the rows it was fitted on by heart."""

    def __init__(self):
        super().__init__(n_neighbors=1)


def test_a_student_that_learns_by_heart_still_differs_from_the_weak_estimator():
    student, predictions = trial(model(strong_estimator=Memory()))
    unlabeled = predictions.of(Y < 0)
    predicted = unlabeled.predicted
    assert (predicted["weak_to_strong"] != predicted["weak"]).mean() > 0.05
    rows = X[Y < 0]
    weak = final_step(student).weak_estimator_.predict(rows)
    assert (student.predict(rows) == weak).all()


def test_the_strong_estimator_on_labels_predicts_the_same_rows():
    _, predictions = trial(model())
    assert predictions.predicted.keys() == {
        "weak",
        "weak_to_strong",
        "strong_on_labels",
    }
    for predicted in predictions.predicted.values():
        assert predicted.shape == predictions.rows.shape
    assert (predictions.confidence >= 0.5).all()


def test_without_labels_a_fifth_of_the_rows_is_held_out():
    weak = FrozenEstimator(GaussianNB().fit(X[:60], TRUTH[:60]))
    _, predictions = trial(model(weak_estimator=weak), np.full(200, -1))
    assert len(predictions.rows) == 200 // MAX_FOLDS
    assert "strong_on_labels" not in predictions.predicted


def test_of_few_unlabeled_rows_one_is_held_out():
    kept = np.arange(62)
    _, predictions = run_trial(
        model(),
        X[kept],
        Y[kept],
        ask_labels=False,
        cv=None,
        random_state=0,
        n_jobs=None,
        params=None,
        verbose=0,
    )
    assert len(predictions.rows) == 1


def test_a_class_with_a_single_label_is_not_split():
    y = np.where(np.arange(200) < 60, TRUTH, -1)
    y[np.flatnonzero(y == 1)[1:]] = -1
    _, predictions = trial(model(weak_estimator=LogisticRegression()), y)
    assert (y[predictions.rows] == -1).all()


def test_labels_that_are_no_evidence_are_not_held_out():
    _, predictions = trial(model(), ask_labels=False)
    assert len(predictions.rows) == 140 // MAX_FOLDS
    assert (Y[predictions.rows] == -1).all()


def test_a_detector_is_added_where_there_is_none():
    given = model()
    student, _ = trial(given)
    assert 0 <= student.overlap_density_ <= 1
    assert given.overlap_detector is None


def test_pipelines_are_fitted_as_a_whole():
    student, predictions = trial(make_pipeline(StandardScaler(), model()))
    assert len(predictions.rows) == 200
    assert final_step(student).overlap_density_ >= 0


class Broken(ClassifierMixin, BaseEstimator):
    """Fails."""

    def fit(self, X, y):
        msg = "no luck"
        raise RuntimeError(msg)


@pytest.mark.parametrize("y", [Y, np.full(200, -1)])
def test_the_error_of_an_estimator_is_raised(y):
    weak = FrozenEstimator(GaussianNB().fit(X[:60], TRUTH[:60]))
    with pytest.raises(RuntimeError, match="no luck"):
        trial(model(weak_estimator=weak, strong_estimator=Broken()), y)

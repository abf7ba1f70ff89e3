"""The student: what it learns, when it learns again, and how sure it may be."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.weak_to_strong._student import (
    FAR_BEHIND,
    HELD_SHARE,
    Lesson,
    Pupil,
    surely_behind,
    train_student,
)

N_LABELED, N = 50, 650
CLASSES = np.array([0, 1])


@pytest.fixture
def lesson():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    second = 1 / (1 + np.exp(-2 * X[:, 0]))
    proba = np.column_stack([1 - second, second])
    proba[:N_LABELED] = np.eye(2)[(X[:N_LABELED, 0] > 0).astype(int)]
    taught = np.arange(N_LABELED, N)
    which = np.arange(len(taught))
    return X, Lesson(proba, proba, np.ones(N), taught, which, by_margin=True)


def learn(strong, X, lesson, **options):
    pupil = Pupil(strong, options.get("weights"), {})
    rng, kind = np.random.RandomState(0), options.get("pseudo_labels", "auto")
    return train_student(pupil, X, lesson, CLASSES, pseudo_labels=kind, rng=rng)


class Recorder(LogisticRegression):
    """A logistic regression that records what it was fitted on."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        Recorder.seen.append((X, y, sample_weight))
        return super().fit(X, y, sample_weight)


@pytest.fixture
def recorder():
    Recorder.seen = []
    return Recorder()


def test_it_learns_hard_labels_weighted_by_the_margin(lesson, recorder):
    X, lesson = lesson
    student = learn(recorder, X, lesson)
    ((rows, labels, weights),) = recorder.seen
    learned = np.setdiff1d(np.arange(N), student.held)
    assert_array_equal(rows, X[learned])
    assert_array_equal(labels, lesson.proba[learned].argmax(axis=1))
    margin = np.abs(lesson.proba[:, 1] - lesson.proba[:, 0]) + 0.02
    margin[:N_LABELED] = 1
    assert_allclose(weights / weights[0], margin[learned])
    assert not student.is_soft


def test_it_is_held_against_rows_that_only_the_teacher_labels(lesson):
    X, lesson = lesson
    student = learn(LogisticRegression(), X, lesson)
    assert len(student.held) == int(HELD_SHARE * (N - N_LABELED))
    assert student.held.min() >= N_LABELED
    assert not student.weights[student.held].any()


def test_few_rows_are_all_learned_from(lesson):
    X, lesson = lesson
    few = lesson._replace(
        taught=np.arange(N_LABELED, N_LABELED + 60), which=np.arange(60)
    )
    student = learn(LogisticRegression(), X, few)
    assert not len(student.held)
    assert student.calibration == (1, 0)
    assert student.weights.all()


def test_who_takes_no_weights_learns_all_rows_alike(lesson):
    X, lesson = lesson
    student = learn(KNeighborsClassifier(), X, lesson)
    learned = np.setdiff1d(np.arange(N), student.held)
    assert_array_equal(student.weights[learned], np.ones(len(learned)))


@pytest.mark.parametrize("by_margin", [True, False])
def test_a_teacher_says_whether_margins_count(lesson, recorder, by_margin):
    X, lesson = lesson
    learn(recorder, X, lesson._replace(by_margin=by_margin))
    weights = recorder.seen[0][2]
    assert (weights is not None) == by_margin


def test_calibrated_probabilities_are_those_of_the_teacher(lesson):
    X, lesson = lesson
    student = learn(DecisionTreeClassifier(min_samples_leaf=20), X, lesson)
    new = np.random.default_rng(1).normal(size=(500, 3))
    second = 1 / (1 + np.exp(-2 * new[:, 0]))
    truth = np.random.default_rng(2).uniform(size=500) < second
    own = np.clip(student.estimator.predict_proba(new), 1e-12, None)
    calibrated = student.calibration.apply(own)
    assert student.calibration.power < 1
    assert log_loss(truth, calibrated) < log_loss(truth, own) - 0.1
    assert_array_equal(calibrated.argmax(axis=1), own.argmax(axis=1))


def test_who_has_no_probabilities_is_not_calibrated(lesson):
    X, lesson = lesson
    assert learn(LinearSVC(), X, lesson).calibration == (1, 0)


class Fragile(ClassifierMixin, BaseEstimator):
    """Diverges where weights differ much, as boosting of rare classes may."""

    def fit(self, X, y, sample_weight=None):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        self.has_diverged_ = sample_weight is not None
        return self

    def predict_proba(self, X):
        proba = self.model_.predict_proba(X)
        return proba[:, ::-1] if self.has_diverged_ else proba

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_who_falls_behind_learns_another_kind_of_lesson(lesson):
    X, lesson = lesson
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        student = learn(Fragile(), X, lesson)
    assert not student.estimator.has_diverged_
    assert np.ptp(student.weights[student.weights > 0]) == 0


class Constant(Fragile):
    """Knows nothing."""

    def predict_proba(self, X):
        return np.tile([0.4, 0.6], (len(X), 1))


def test_what_cannot_be_learned_is_told(lesson):
    X, lesson = lesson
    assert learn(Constant(), X, lesson).behind > FAR_BEHIND
    assert learn(LogisticRegression(), X, lesson).behind < 0.02


def test_weights_of_the_user_multiply_the_margins(lesson, recorder):
    X, lesson = lesson
    weights = np.random.default_rng(3).integers(1, 5, size=N).astype(float)
    student = learn(recorder, X, lesson, weights=weights)
    learned = np.setdiff1d(np.arange(N), student.held)
    margin = np.abs(lesson.proba[:, 1] - lesson.proba[:, 0]) + 0.02
    margin[:N_LABELED] = 1
    expected = (margin * weights)[learned]
    seen = recorder.seen[0][2]
    assert_allclose(seen / seen[0], expected / expected[0])


@pytest.mark.parametrize("pseudo_labels", ["auto", "hard", "soft"])
def test_labels_of_one_class_are_softened_where_they_may(lesson, pseudo_labels):
    X, lesson = lesson
    proba = np.column_stack([1 - lesson.proba[:, 1] / 3, lesson.proba[:, 1] / 3])
    one_class = lesson._replace(proba=proba, judged=proba)
    strong = DecisionTreeClassifier(max_depth=3)
    student = learn(strong, X, one_class, pseudo_labels=pseudo_labels)
    assert student.is_soft == (pseudo_labels != "hard")


def test_soft_labels_are_learned_first_where_they_are_asked_for(lesson):
    X, lesson = lesson
    student = learn(LogisticRegression(), X, lesson, pseudo_labels="soft")
    assert student.is_soft
    assert_array_equal(student.targets, lesson.proba)


def test_only_what_is_sure_counts_as_behind():
    proba, rows = np.array([[0.6, 0.4]] * 4), np.arange(4)
    lesson = Lesson(proba, proba, np.ones(4), rows, rows, by_margin=True)
    assert surely_behind(lesson, rows, np.zeros(4, int)) == 0
    assert surely_behind(lesson, rows, np.ones(4, int)) == pytest.approx(0.2)
    assert surely_behind(lesson, rows, np.array([0, 0, 0, 1])) < 0


def test_rows_given_twice_make_nobody_surer():
    proba = np.array([[0.6, 0.4], [0.7, 0.3], [0.5, 0.5]])
    codes, counts = np.array([1, 0, 1]), np.array([1, 3, 2])
    rows, which = np.arange(3), np.repeat(np.arange(3), counts)
    weighted = Lesson(proba, proba, counts, rows, rows, by_margin=True)
    repeated = Lesson(
        proba[which], proba[which], np.ones(6), np.arange(6), which, by_margin=True
    )
    assert surely_behind(weighted, rows, codes) == pytest.approx(
        surely_behind(repeated, np.arange(6), codes[which])
    )

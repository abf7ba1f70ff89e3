import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.weak_to_strong._committee import Committee, may_vote

CLASSES = np.array(["a", "b", "c"])
X = np.random.default_rng(0).normal(size=(90, 3))
Y = CLASSES[X.argmax(axis=1)]


class Says:
    """A member of fixed opinion."""

    def __init__(self, proba):
        self.said = np.asarray(proba)

    def proba(self, X):
        return np.tile(self.said, (len(X), 1))


STUDENTS = Says([0.2, 0.8, 0])
TEACHER = Says([1, 0, 0])


def test_strong_estimator_helper_students_and_teacher_have_a_vote_each():
    strong = DecisionTreeClassifier(max_depth=2).fit(X, Y)
    own = strong.predict_proba(X)
    students = (own + STUDENTS.proba(X)) / 2
    for committee, expected in [
        (Committee(strong, None, None, CLASSES), own),
        (Committee(None, STUDENTS, None, CLASSES), STUDENTS.proba(X)),
        (Committee(None, None, TEACHER, CLASSES), TEACHER.proba(X)),
        (Committee(strong, STUDENTS, None, CLASSES), students),
        (Committee(strong, None, TEACHER, CLASSES), (own + TEACHER.proba(X)) / 2),
        (
            Committee(strong, STUDENTS, TEACHER, CLASSES),
            (own + STUDENTS.proba(X) + TEACHER.proba(X)) / 3,
        ),
    ]:
        assert_allclose(committee.predict_proba(X), expected)


def test_a_class_that_the_strong_estimator_never_saw_is_left_to_the_others():
    known = Y != "b"
    strong = LogisticRegression().fit(X[known], Y[known])
    committee = Committee(strong, STUDENTS, None, CLASSES)
    proba = committee.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(proba[:, 1], 0.4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_all_answers_agree_with_the_probabilities(n_classes):
    classes = CLASSES[:n_classes]
    codes = X[:, :n_classes].argmax(axis=1)
    # Pure leaves have classes of probability zero.
    strong = DecisionTreeClassifier(random_state=0).fit(X, classes[codes])
    committee = Committee(strong, None, None, classes)
    proba = committee.predict_proba(X)
    predicted = committee.predict(X)
    assert_array_equal(predicted, classes[proba.argmax(axis=1)])
    assert_allclose(np.exp(committee.predict_log_proba(X)), proba)
    scores = committee.decision_function(X)
    assert np.isfinite(scores).all()
    if n_classes == 2:
        assert scores.shape == (len(X),)
        assert_array_equal(scores > 0, predicted == "b")
    else:
        assert_array_equal(scores.argmax(axis=1), proba.argmax(axis=1))


def test_who_has_learnt_its_labels_may_vote():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strong = LogisticRegression().fit(X, Y)
        assert may_vote(strong, X, Y, np.ones(len(X)))
        single = DummyClassifier().fit(X, np.full(len(X), "a"))
        assert may_vote(single, X, np.full(len(X), "a"), np.ones(len(X)))


def test_who_always_says_the_same_may_not():
    strong = DummyClassifier().fit(X, Y)
    with pytest.warns(UserWarning, match=r"strong_estimator=Dummy.*has no vote"):
        assert not may_vote(strong, X, Y, np.ones(len(X)))


def test_a_quarter_of_the_way_to_all_labels_is_enough():
    labels = np.repeat(["a", "b"], [60, 30])
    strong = DummyClassifier().fit(X, labels)
    predicted = np.array(["a"] * 90)
    strong.predict = lambda rows: predicted[: len(rows)]
    weights = np.ones(90)
    predicted[60:67] = "b"
    with pytest.warns(UserWarning, match="predicts 74% of the labels"):
        assert not may_vote(strong, X, labels, weights)
    predicted[60:68] = "b"
    assert may_vote(strong, X, labels, weights)


def test_rows_that_it_was_not_trained_on_do_not_matter():
    strong = LogisticRegression().fit(X, Y)
    weights = np.arange(len(X)) % 2.0
    labels = np.where(weights > 0, Y, "a")
    assert may_vote(strong, X, labels, weights)

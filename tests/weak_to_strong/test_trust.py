import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_w2s.weak_to_strong._teachers import Labels, Member, Teacher
from sklearn_w2s.weak_to_strong._trust import TrustingTeacher
from sklearn_w2s.weak_to_strong._views import fit_view

N = 300


class Weak:
    """A weak estimator that is right on the right side, and guesses on the left."""

    estimator = columns = None
    classes = np.arange(3)

    def proba(self, X):
        codes = np.where(X[:, 0] > 0, X[:, 1], X[:, 2]).astype(int)
        return 0.2 + 0.4 * np.eye(3)[codes]


class Strong:
    """An estimator that knows the class everywhere, but not surely."""

    classes_ = np.arange(3)

    def predict_proba(self, X):
        return 0.1 + 0.7 * np.eye(3)[X[:, 1].astype(int)]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.column_stack([rng.normal(size=N), rng.integers(0, 3, size=(N, 2))])


def labels_of(X, truth, weights=None):
    return Labels(
        X=X,
        y=truth,
        codes=truth,
        weights=np.ones(len(X)) if weights is None else weights,
        weighted=weights is not None,
        strong_weights=weights,
        params={},
        weak_proba=Weak().proba(X),
        classes=np.arange(3),
        cv=3,
    )


def make(X, members=None):
    view = fit_view(X, None, np.arange(len(X)), np.random.RandomState(0))
    members = members or {}
    weights = np.full(1 + len(members), 1 / (1 + len(members)))
    return TrustingTeacher(Teacher(Weak(), members, weights, view), view)


def strong_member(X):
    estimator = Strong()
    return {"strong": Member(estimator, Weak.classes, estimator.predict_proba(X), None)}


def test_weak_labels_are_trusted_where_they_were_right(rows):
    teacher = make(rows, strong_member(rows))
    teacher.fit(labels_of(rows, rows[:, 1].astype(int)), rows, Weak().proba(rows))
    proba = teacher.proba(rows)
    codes = Weak().proba(rows).argmax(axis=1)
    trust = proba[np.arange(N), codes]
    right = codes == rows[:, 1]
    assert trust[right].mean() > 0.8
    assert trust[~right].mean() < 0.3
    assert np.mean(proba.argmax(axis=1) == rows[:, 1]) > np.mean(right) + 0.1


@pytest.mark.parametrize("with_strong", [False, True])
def test_the_rest_is_shared_as_the_strong_estimator_says(rows, with_strong):
    members = strong_member(rows) if with_strong else {}
    teacher = make(rows, members)
    weak_proba = Weak().proba(rows)
    teacher.fit(labels_of(rows, rows[:, 1].astype(int)), rows, weak_proba)
    proba = teacher.proba(rows)
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(teacher.proba(rows, weak_proba), proba)
    second = Strong().predict_proba(rows) if with_strong else weak_proba
    others = np.ones((N, 3), dtype=bool)
    others[np.arange(N), weak_proba.argmax(axis=1)] = False
    left, right = (p[others].reshape(N, 2) for p in (proba, second))
    assert_allclose(
        left / left.sum(axis=1, keepdims=True),
        right / right.sum(axis=1, keepdims=True),
        atol=1e-5,
    )


@pytest.mark.parametrize("right", [False, True])
def test_nobody_is_infallible_after_a_few_rows(rows, right):
    X = rows[:8]
    weak_proba = Weak().proba(X)
    truth = (weak_proba.argmax(axis=1) + (not right)) % 3
    teacher = make(rows).fit(labels_of(X, truth), rows, Weak().proba(rows))
    trust = teacher.proba(X)[np.arange(8), weak_proba.argmax(axis=1)]
    assert_allclose(trust, 0.9 if right else 0.1)


def test_where_no_row_was_held_out_the_weak_estimator_is_believed(rows):
    nobody = Member(Strong(), Weak.classes, np.full((N, 3), np.nan), None)
    teacher = make(rows, {"strong": nobody})
    weak_proba = Weak().proba(rows)
    teacher.fit(labels_of(rows, rows[:, 1].astype(int)), rows, weak_proba)
    assert_allclose(teacher.proba(rows).max(axis=1), weak_proba.max(axis=1))


def test_rows_of_weight_zero_tell_nothing(rows):
    weights = np.arange(N) % 2.0
    truth = rows[:, 1].astype(int)
    first, second = (
        make(rows, strong_member(rows))
        .fit(labels_of(rows, codes, weights), rows, Weak().proba(rows))
        .proba(rows)
        for codes in (truth, np.where(weights > 0, truth, 0))
    )
    assert_allclose(first, second)

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_w2s.weak_to_strong._students import HelperStudents
from sklearn_w2s.weak_to_strong._views import fit_view

N = 400


def step(X):
    """Say abruptly what grows smoothly."""
    return np.column_stack([X[:, 0] <= 0, X[:, 0] > 0]).astype(float)


def train(X, targets, *, labels=True, weights=None):
    rng = np.random.RandomState(0)
    view = fit_view(X, None, np.arange(X.shape[0]), rng)
    students = HelperStudents(view, labels, None)
    weights = np.ones(X.shape[0]) if weights is None else weights
    return students, students.fit(X, targets, weights, rng)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(N, 3))


def test_the_class_shares_of_what_labels_taught_are_kept(rows):
    targets = step(rows) * 0.6 + [0.3, 0.1]
    students, said = train(rows, targets)
    assert_allclose(said.sum(axis=1), 1)
    assert_allclose(said.mean(axis=0), targets.mean(axis=0), atol=1e-3)
    assert_allclose(students.proba(rows).sum(axis=1), 1)


def test_what_a_step_says_is_smoothed_towards_the_truth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2))
    truth = 1 / (1 + np.exp(-2 * X[:, 0]))
    drawn = rng.uniform(size=1000) < truth
    targets = np.column_stack([~drawn, drawn]).astype(float)
    for labels in (False, True):
        students, said = train(X, targets, labels=labels)
        new = rng.normal(size=(500, 2))
        new_truth = 1 / (1 + np.exp(-2 * new[:, 0]))
        error = np.abs(said[:, 1] - truth).mean()
        assert error < 0.5 * np.abs(targets[:, 1] - truth).mean()
        assert np.abs(students.proba(new)[:, 1] - new_truth).mean() < error + 0.05


def test_rows_are_judged_by_who_did_not_see_them(rows):
    rng = np.random.default_rng(1)
    noise = rng.uniform(size=N) > 0.5
    targets = np.column_stack([~noise, noise]).astype(float)
    students, said = train(rows, targets)
    seen = students.proba(rows)
    learnt_by_heart = np.mean((seen[:, 1] > 0.5) == noise)
    honest = np.mean((said[:, 1] > 0.5) == noise)
    assert honest < learnt_by_heart


def test_a_class_that_nobody_has_gets_no_probability(rows):
    targets = np.column_stack([step(rows), np.zeros(N)])
    students, said = train(rows, targets)
    for proba in (said, students.proba(rows)):
        assert proba.shape == (N, 3)
        assert not proba[:, 2].any()


def test_one_class_is_all_there_is_to_say(rows):
    targets = np.tile([0.0, 1.0], (N, 1))
    students, said = train(rows, targets)
    assert_allclose(said, targets)
    assert_allclose(students.proba(rows[:3]), targets[:3])


@pytest.mark.parametrize("n", [2, 3, 10, 31])
@pytest.mark.parametrize("labels", [False, True])
def test_few_rows_are_enough(rows, n, labels):
    students, said = train(rows[:n], step(rows[:n]), labels=labels)
    assert_allclose(said.sum(axis=1), 1)
    assert_allclose(students.proba(rows).sum(axis=1), 1)


@pytest.mark.parametrize(
    "X",
    [
        np.ones((60, 2)),
        np.column_stack([np.arange(60) % 2, np.zeros(60)]),
        sparse.random(60, 5, 0.4, format="csr", random_state=0),
    ],
    ids=["equal", "constant", "sparse"],
)
def test_odd_rows_are_learnt_from(X):
    targets = np.eye(26)[np.arange(60) % 26]
    students, said = train(X, targets)
    assert_allclose(said.sum(axis=1), 1)
    assert students.proba(X[:4]).shape == (4, 26)


def test_a_seed_makes_them_repeatable(rows):
    first, second = (train(rows, step(rows))[1] for _ in range(2))
    assert_array_equal(first, second)

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s._algorithms.sharpness import sharpen
from sklearn_w2s._weak import WeakPredictor
from sklearn_w2s.weak_to_strong import _teachers
from sklearn_w2s.weak_to_strong._helpers import out_of_bag
from sklearn_w2s.weak_to_strong._teachers import (
    Labels,
    Member,
    Teacher,
    co_train,
    fit_members,
    weigh_members,
)
from sklearn_w2s.weak_to_strong._views import fit_view

N = 90
CLASSES = np.arange(3)


@pytest.fixture
def labeled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    return X, (X + 0.5 * rng.normal(size=X.shape)).argmax(axis=1)


def labels_of(X, y, *, weights=None, cv=3, classes=CLASSES, **others):
    weak_proba = np.full((len(y), len(classes)), 1 / len(classes))
    weighted = weights is not None
    weights = weights if weighted else np.ones(len(y))
    return Labels(
        X=X,
        y=y,
        codes=np.searchsorted(classes, y).clip(max=len(classes) - 1),
        weights=weights,
        weighted=weighted,
        strong_weights=weights if weighted else None,
        params={},
        weak_proba=weak_proba,
        classes=classes,
        cv=cv,
    )._replace(**others)


def view_of(X, columns=None):
    return fit_view(X, columns, np.arange(len(X)), np.random.RandomState(0))


def members_of(labels, strong=None, *, helpers=True):
    view = view_of(labels.X)
    rng = np.random.RandomState(0)
    return fit_members(
        labels, strong, view, helpers=helpers, seeds=None, rng=rng, n_jobs=None
    )


def teacher_of(labels, members, weights=None):
    weak = GaussianNB().fit(labels.X, labels.y)
    if weights is None:
        weights = np.full(1 + len(members), 1 / (1 + len(members)))
    predictor = WeakPredictor(weak, None, labels.classes)
    return Teacher(predictor, members, weights, view_of(labels.X))


# Teachers


def test_a_teacher_of_one_member_is_that_member(labeled):
    X, _ = labeled
    labels = labels_of(*labeled)
    members = members_of(labels, DecisionTreeClassifier(max_depth=2))
    teacher = teacher_of(labels, members)
    tree = members["strong"].estimator
    assert_array_equal(teacher.only("strong").proba(X), tree.predict_proba(X))
    weak = teacher.weak.estimator
    assert_array_equal(teacher.only("weak").proba(X), weak.predict_proba(X))
    for position, name in enumerate(members, start=1):
        alone = teacher_of(labels, members, np.eye(1 + len(members))[position])
        plain = teacher.only(name).proba(X)
        assert_allclose(alone.proba(X), sharpen(plain, members[name].sharpness))


def test_a_teacher_is_the_weighted_mean_of_its_members(labeled):
    X, _ = labeled
    labels = labels_of(*labeled)
    members = members_of(labels, DecisionTreeClassifier(max_depth=2))
    weights = np.random.default_rng(0).dirichlet(np.ones(1 + len(members)))
    teacher = teacher_of(labels, members, weights)
    parts = [teacher.only("weak").proba(X)]
    parts += [
        sharpen(teacher.only(name).proba(X), member.sharpness)
        for name, member in members.items()
    ]
    expected = np.tensordot(weights, parts, axes=1)
    assert_allclose(teacher.proba(X), expected)
    assert_allclose(teacher.proba(X, parts[0]), expected)
    assert_allclose(expected.sum(axis=1), 1)


def test_a_weak_estimator_without_weight_is_not_asked(labeled):
    X, _ = labeled
    labels = labels_of(*labeled)
    members = members_of(labels, DecisionTreeClassifier(), helpers=False)
    absent = WeakPredictor(None, None, CLASSES)
    teacher = Teacher(absent, members, np.array([0.0, 1.0]), None)
    assert teacher.proba(X).shape == (N, 3)
    with pytest.raises(ValueError, match="New rows have no weak probabilities"):
        Teacher(absent, members, np.array([0.5, 0.5]), None).proba(X)


# Members


def test_held_out_rows_are_judged_by_clones_that_did_not_see_them(labeled):
    X, y = labeled
    folds = np.arange(N) % 3
    by_heart = KNeighborsClassifier(1)
    labels = labels_of(X, y, cv=PredefinedSplit(folds))
    member = members_of(labels, by_heart, helpers=False)["strong"]
    for fold in range(3):
        test = folds == fold
        alone = KNeighborsClassifier(1).fit(X[~test], y[~test])
        expected = alone.predict_proba(X[test])
        assert_allclose(
            member.held_out_proba[test], sharpen(expected, member.sharpness)
        )
    assert_array_equal(member.proba(X, None).argmax(axis=1), y)


def test_rows_of_weight_zero_teach_nobody_and_are_nobody_s_evidence(labeled):
    X, y = labeled
    weights = np.where(np.arange(N) % 4, 1.0, 0.0)
    changed = np.where(weights > 0, y, 0)
    for cv in (3, PredefinedSplit(np.arange(N) % 3)):
        first, second = (
            members_of(
                labels_of(X, codes, weights=weights, cv=cv),
                DecisionTreeClassifier(random_state=0),
            )
            for codes in (y, changed)
        )
        assert list(first) == list(second)
        for name, member in first.items():
            other = second[name]
            assert_array_equal(member.held_out_proba, other.held_out_proba)
            assert np.isnan(member.held_out_proba[weights == 0]).all()
            assert_allclose(
                member.proba(X, member.view and member.view.rows(X)),
                other.proba(X, other.view and other.view.rows(X)),
            )
        labels = labels_of(X, y, weights=weights)
        weighed = weigh_members(labels, first)
        again = weigh_members(labels._replace(codes=changed), second)
        assert_allclose(weighed[0], again[0])


def test_every_helper_beats_chance_on_rows_held_out(labeled):
    X, y = labeled
    members = members_of(labels_of(X, y))
    for member in members.values():
        assert np.mean(member.held_out_proba.argmax(axis=1) == y) > 0.5


@pytest.mark.parametrize("weights", [None, np.arange(N) % 3 + 0.5])
def test_classes_of_a_single_row_are_known_to_all(labeled, weights):
    X, y = labeled
    y = np.where(np.arange(N) == 5, 3, y)
    labels = labels_of(X, y, weights=weights, classes=np.arange(4))
    members = members_of(labels, DecisionTreeClassifier())
    for member in members.values():
        assert member.held_out_proba.shape == (N, 4)
        assert np.isnan(member.held_out_proba[5]).all()
    assert np.isfinite(weigh_members(labels, members)[1]).all()


def test_labels_of_one_class_teach_nobody(labeled):
    X, _ = labeled
    labels = labels_of(X, np.zeros(N, dtype=int))
    assert members_of(labels, DecisionTreeClassifier()) == {}
    weights, scores = weigh_members(labels, {})
    assert_array_equal(weights, [1])
    assert scores[0] == pytest.approx(scores[1]) == pytest.approx(-np.log(3))


def test_a_strong_estimator_that_needs_more_labels_is_left_out(labeled):
    X, _ = labeled
    few = labels_of(X[:8], np.arange(8) % 2, cv=2)
    with pytest.warns(UserWarning, match="KNeighbors.*cannot be trained on 8 labeled"):
        members = members_of(few, KNeighborsClassifier(7))
    assert "strong" not in members
    assert "forest" in members


def test_helpers_learn_from_a_sample_where_labels_are_many(labeled, monkeypatch):
    X, y = labeled
    monkeypatch.setattr(_teachers, "MAX_LABELED", 40)
    folds = np.arange(N) % 3
    for cv in (3, PredefinedSplit(folds)):
        labels = labels_of(X, y, cv=cv)
        members = members_of(labels, DecisionTreeClassifier())
        held_out = ~np.isnan(members["forest"].held_out_proba).any(axis=1)
        assert held_out.sum() == 40
        assert np.isfinite(members["strong"].held_out_proba).all()
        weights, scores = weigh_members(labels, members)
        assert weights.sum() == pytest.approx(1)
        assert np.isfinite(scores).all()


# Weights


def member_who_says(proba):
    return Member(None, CLASSES, proba, None)


def test_weights_follow_the_evidence(labeled):
    X, y = labeled
    labels = labels_of(X, y)
    sure = 0.05 + 0.85 * np.eye(3)[y]
    wrong = 0.05 + 0.85 * np.eye(3)[(y + 1) % 3]
    members = {"wrong": member_who_says(wrong), "right": member_who_says(sure)}
    weights, scores = weigh_members(labels, members)
    assert weights.sum() == pytest.approx(1)
    assert weights[2] > 0.95
    assert_allclose(scores[:3], np.log([1 / 3, 0.05, 0.9]))
    assert scores[3] == pytest.approx(np.log(weights @ [1 / 3, 0.05, 0.9]))


def test_without_any_row_held_out_all_count_alike(labeled):
    labels = labels_of(*labeled)
    nobody = member_who_says(np.full((N, 3), np.nan))
    weights, scores = weigh_members(labels, {"nobody": nobody})
    assert_array_equal(weights, [0.5, 0.5])
    assert np.isnan(scores).all()


def test_rows_that_one_member_never_judged_are_no_evidence(labeled):
    X, y = labeled
    labels = labels_of(X, y)
    judged = np.full((N, 3), 1 / 3)
    judged[N // 2 :] = np.nan
    sure = np.eye(3)[y]
    sure[N // 2 :] = np.eye(3)[(y[N // 2 :] + 1) % 3]
    members = {"half": member_who_says(judged), "sure": member_who_says(sure)}
    assert weigh_members(labels, members)[1][2] == pytest.approx(0)


# Two views


@pytest.fixture
def two_views():
    """Columns of two views that are independent given the class, and weak labels."""
    rng = np.random.default_rng(0)
    truth = (rng.uniform(size=1500) < 0.4).astype(int)
    X = rng.normal(size=(1500, 4)) + 1.2 * truth[:, None] * [1, 0.5, 1, 0.5]
    weak = LogisticRegression().fit(X[:, :2], truth)
    return X, truth, WeakPredictor(weak, [0, 1], np.arange(2))


def co_trained(X, weak, **params):
    teacher = Teacher(weak, {}, np.ones(1), None)
    taught = teacher.proba(X)
    return co_train(
        teacher,
        taught,
        X,
        view_of(X, [2, 3]),
        np.ones(len(X)),
        rng=np.random.RandomState(0),
        n_jobs=None,
        **params,
    )


def test_two_independent_views_know_more_than_either(two_views):
    X, truth, weak = two_views
    co_teacher, proba = co_trained(X, weak)
    other = out_of_bag(co_teacher.forest, co_teacher.view.rows(X), np.arange(len(X)))

    def accuracy(said):
        return np.mean(said.argmax(axis=1) == truth)

    assert accuracy(proba) > max(accuracy(weak.proba(X)), accuracy(other)) + 0.02
    assert np.mean(proba.argmax(axis=1) == co_teacher.proba(X).argmax(axis=1)) > 0.9


def test_co_training_keeps_the_class_shares(two_views):
    X, _, weak = two_views
    co_teacher, proba = co_trained(X, weak)
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(proba.mean(axis=0), weak.proba(X).mean(axis=0), atol=1e-3)
    assert_allclose(co_teacher.proba(X[:3]).sum(axis=1), 1)


def test_columns_of_noise_change_little(two_views):
    X, truth, weak = two_views
    X[:, 2:] = np.random.default_rng(1).normal(size=(len(X), 2))
    _, proba = co_trained(X, weak)
    before = weak.proba(X).argmax(axis=1)
    assert np.mean(proba.argmax(axis=1) == before) > 0.93
    assert np.mean(proba.argmax(axis=1) == truth) > np.mean(before == truth) - 0.02


def test_rows_beyond_the_sample_are_told_by_the_forest(two_views, monkeypatch):
    X, truth, weak = two_views
    monkeypatch.setattr(_teachers, "MAX_ROWS", 500)
    _, proba = co_trained(X, weak)
    assert proba.shape == (len(X), 2)
    before = weak.proba(X).argmax(axis=1)
    assert np.mean(proba.argmax(axis=1) == truth) > np.mean(before == truth)

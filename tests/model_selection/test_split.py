"""Test sets hold labeled rows only, and training sets hold all unlabeled ones."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.model_selection import LabeledScorer, LabeledSplit

half_labeled = st.lists(st.sampled_from([-1, -1, 0, 1]), min_size=8, max_size=40).map(
    lambda y: np.array([0, 0, 1, 1, *y])
)


def blobs(n_samples=120, n_classes=2, labeled=0.3):
    X, y_true = make_blobs(n_samples, centers=n_classes, random_state=0)
    rng = np.random.default_rng(0)
    return X, np.where(rng.random(n_samples) < labeled, y_true, -1)


def splits(cv, y, X=None, groups=None):
    X = np.zeros((len(y), 1)) if X is None else X
    return [(a.tolist(), b.tolist()) for a, b in cv.split(X, y, groups)]


@given(y=half_labeled)
def test_every_split_is_one_of_the_labeled_rows_plus_all_unlabeled_rows(y):
    labeled, unlabeled = np.flatnonzero(y != -1), np.flatnonzero(y == -1)
    inner = StratifiedKFold(2).split(labeled, y[labeled])
    for (train, test), (inner_train, inner_test) in zip(
        LabeledSplit(2).split(np.zeros((len(y), 1)), y), inner, strict=True
    ):
        assert test.tolist() == labeled[inner_test].tolist()
        assert train.tolist() == [*labeled[inner_train], *unlabeled]


@given(y=half_labeled)
def test_test_sets_partition_the_labeled_rows(y):
    tested = [row for _, test in splits(LabeledSplit(2), y) for row in test]
    assert sorted(tested) == np.flatnonzero(y != -1).tolist()


def test_without_unlabeled_rows_it_is_the_inner_splitter():
    y = np.array([0, 1, 2] * 6)
    assert splits(LabeledSplit(3), y) == splits(StratifiedKFold(3), y)


def test_five_stratified_folds_are_the_default():
    y = np.r_[np.tile([0, 1], 25), np.full(50, -1)]
    cv = LabeledSplit()
    assert cv.get_n_splits() == cv.get_n_splits(np.zeros(100), y) == 5
    for _, test in cv.split(np.zeros(100), y):
        assert np.bincount(y[test]).tolist() == [5, 5]


@pytest.mark.parametrize(
    ("y", "missing_label"),
    [
        (["a", "b", "", "a", "b", ""], ""),
        (pd.Series(["a", "b", "", "a", "b", ""], index=list("uvwxyz")), ""),
        (np.array(["a", "b", None, "a", "b", None], dtype=object), None),
        ([0.0, 1.0, np.nan, 0.0, 1.0, np.nan], np.nan),
        (np.array(["a", "b", -1, "a", "b", -1], dtype=object), -1),
        ([0, 1, 9, 0, 1, 9], 9),
    ],
)
def test_any_missing_label_is_left_out_of_the_test_sets(y, missing_label):
    cv = LabeledSplit(2, missing_label=missing_label)
    assert splits(cv, y) == [([3, 4, 2, 5], [0, 1]), ([0, 1, 2, 5], [3, 4])]


def test_minus_one_is_a_class_beside_plus_one_alone():
    y = np.array([-1, 1, 1, -1])
    with pytest.warns(UserWarning, match="missing_label"):
        drawn = splits(LabeledSplit(2), y)
    assert drawn == splits(StratifiedKFold(2), y)


def test_shuffles_are_drawn_from_the_labeled_rows():
    _, y = blobs()
    n_labeled = np.sum(y != -1)
    cv = LabeledSplit(ShuffleSplit(3, test_size=0.5, random_state=0))
    drawn = splits(cv, y)
    assert drawn == splits(cv, y)
    assert len(drawn) == 3
    for train, test in drawn:
        assert len(test) == np.ceil(n_labeled / 2)
        assert (y[test] != -1).all()
        assert len(train) + len(test) == len(y)


def test_given_splits_are_positions_among_the_labeled_rows():
    y = [-1, 0, 1, -1, 1]
    given_splits = [([0, 1], [2]), ([2], [0])]
    expected = [([1, 2, 0, 3], [4]), ([4, 0, 3], [1])]
    assert splits(LabeledSplit(given_splits), y) == expected
    once = LabeledSplit(split for split in given_splits)
    assert once.get_n_splits() == 2
    assert splits(once, y) == expected
    assert splits(once, y) == expected
    assert splits(LabeledSplit(PredefinedSplit([0, -1, 0])), y) == [([2, 0, 3], [1, 4])]


@pytest.mark.parametrize("container", [np.array, list, pd.Series, pd.Categorical])
def test_groups_are_those_of_the_labeled_rows(container):
    y = np.array([0, -1, 1, 0, 1, -1, 0, 1])
    groups = np.array(list("aabbccdd"))
    for train, test in splits(LabeledSplit(GroupKFold(2)), y, None, container(groups)):
        assert not set(groups[train]) & set(groups[test])
        left_out = np.setdiff1d(np.arange(8), [*train, *test])
        assert (y[left_out] == -1).all()
        assert set(groups[left_out]) <= set(groups[test])


@given(y=half_labeled, data=st.data())
def test_no_row_of_a_test_group_is_trained_on(y, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 9), **of_length(y))))
    groups[:2] = 0, 1
    for train, test in splits(LabeledSplit(GroupKFold(2)), y, None, groups):
        in_test = np.isin(groups, groups[test])
        assert sorted(train) == np.flatnonzero(~in_test).tolist()


def of_length(y):
    return {"min_size": len(y), "max_size": len(y)}


def test_a_missing_group_is_no_test_group():
    y = [0, 1, 0, 1, -1, -1, -1]
    for missing in (None, np.nan, pd.NA):
        groups = np.array(["a", "a", "b", "b", "a", missing, "c"], dtype=object)
        expected = [([2, 3, 5, 6], [0, 1]), ([0, 1, 4, 5, 6], [2, 3])]
        drawn = splits(LabeledSplit(GroupKFold(2)), y, None, groups)
        assert sorted(drawn) == sorted(expected)


def test_groups_that_a_split_does_not_keep_apart_cost_no_unlabeled_row():
    y = [0, 1, 0, 1, -1, -1]
    groups = ["a", "b", "b", "a", "a", "b"]
    with pytest.warns(UserWarning, match="groups parameter is ignored by KFold"):
        drawn = splits(LabeledSplit(KFold(2)), y, None, groups)
    assert [train[2:] for train, _ in drawn] == [[4, 5], [4, 5]]


# Time


@given(y=half_labeled, gap=st.integers(0, 1), most=st.sampled_from([None, 2]))
def test_no_row_of_the_future_is_trained_on(y, gap, most):
    """Not those within the gap either, in which labeled rows are left out."""
    inner = TimeSeriesSplit(2, test_size=1, gap=gap, max_train_size=most)
    labeled = np.flatnonzero(y != -1)
    plain = inner.split(labeled)
    # The largest and the last of few rows may be all that there is to train on.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "None of the .* unlabeled rows", UserWarning)
        drawn = splits(LabeledSplit(inner), y)
    for (train, test), (own, asked) in zip(drawn, plain, strict=True):
        assert test == labeled[asked].tolist()
        assert train[: len(own)] == labeled[own].tolist()
        first_after = labeled[own[-1] + 1]
        past = np.flatnonzero((y == -1) & (np.arange(len(y)) < first_after))
        assert train[len(own) :] == past.tolist()
        assert max(train) < first_after <= min(test)


def test_time_walks_forward_in_any_container_of_splits():
    y = np.array([0, -1, 1, -1, 0, -1, 1, -1])
    inner = TimeSeriesSplit(2, test_size=1)
    expected = [([0, 2, 1, 3], [4]), ([0, 2, 4, 1, 3, 5], [6])]
    given_splits = list(inner.split(np.zeros(4)))
    for cv in (inner, given_splits, given_splits[::-1]):
        assert sorted(splits(LabeledSplit(cv), y)) == sorted(expected)


@pytest.mark.parametrize(
    "cv",
    [
        [([0, 1, 2], [3])],
        [([0, 1, 2], [3]), ([0, 2, 1], [3])],
        [([0, 1], [2]), ([0, 3], [1])],
        KFold(2),
        LeaveOneOut(),
    ],
)
def test_what_is_not_a_walk_forward_costs_no_unlabeled_row(cv):
    y = [0, 1, 0, 1, -1, -1]
    for train, _ in splits(LabeledSplit(cv), y):
        assert train[-2:] == [4, 5]


def test_a_loss_of_all_unlabeled_rows_is_told():
    y = np.array([0, 1, 0, 1, -1, -1])
    by_group = GroupShuffleSplit(1, test_size=0.5, random_state=0)
    groups = np.array(list("aabb??"))
    _, test = next(by_group.split(np.zeros(4), groups=groups[:4]))
    groups[4:] = groups[test[0]]
    for cv, of_rows in ((TimeSeriesSplit(2), None), (by_group, groups)):
        with pytest.warns(UserWarning, match="None of the 2 unlabeled rows is in a"):
            drawn = splits(LabeledSplit(cv), y, None, of_rows)
        assert all(max(train) < 4 for train, _ in drawn)


@pytest.mark.parametrize(
    "container", [np.array, list, pd.DataFrame, csr_array, coo_matrix]
)
def test_the_inner_splitter_sees_the_labeled_rows(container):
    class Spy(KFold):
        def split(self, X, y=None, groups=None):
            seen.append((np.asarray(X.todense() if hasattr(X, "todense") else X), y))
            return super().split(X, y, groups)

    seen = []
    X, y = np.arange(12).reshape(6, 2), np.array([0, -1, 1, 0, 1, -1])
    splits(LabeledSplit(Spy(2)), y, container(X.tolist()))
    ((rows, labels),) = seen
    assert rows.tolist() == X[y != -1].tolist()
    assert labels.tolist() == y[y != -1].tolist()


@pytest.mark.parametrize(
    ("cv", "n_splits"),
    [
        (None, 5),
        (3, 3),
        (LeaveOneOut(), 6),
        (LeaveOneGroupOut(), 3),
        (GroupKFold(2), 2),
    ],
)
def test_the_number_of_splits_is_the_number_of_splits(cv, n_splits):
    y = np.array([0, 1, 0, 1, 0, 1, -1, -1])
    if cv is None:
        y = np.tile(y, 5)
    groups = np.resize([0, 1, 2, 2, 1, 0, 3, 3], len(y))
    if not isinstance(cv, GroupKFold | LeaveOneGroupOut):
        groups = None
    X, cv = np.zeros((len(y), 1)), LabeledSplit(cv)
    assert cv.get_n_splits(X, y, groups) == n_splits
    assert len(splits(cv, y, X, groups)) == n_splits


def test_the_number_of_splits_needs_data_only_where_it_depends_on_them():
    assert LabeledSplit(7).get_n_splits() == 7
    assert LabeledSplit(GroupKFold(4)).get_n_splits(np.zeros((3, 1))) == 4
    with pytest.raises(ValueError, match="should not be None"):
        LabeledSplit(LeaveOneOut()).get_n_splits(np.zeros((3, 1)))


@pytest.mark.parametrize("method", ["split", "get_n_splits"])
def test_nothing_labeled_is_refused(method):
    with pytest.raises(ValueError, match=r"y has no label: all 4 values are .* -1"):
        list(getattr(LabeledSplit(), method)(np.zeros((4, 1)), [-1] * 4))


def test_a_missing_y_is_refused():
    with pytest.raises(ValueError, match="LabeledSplit requires y, but y is None"):
        next(LabeledSplit().split(np.zeros((4, 1))))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(LabeledSplit(2).split(np.zeros((4, 1)), [0, 1, -1]))


@pytest.mark.parametrize("cv", ["five", 1, 2.5, 0])
def test_what_cannot_split_is_refused_at_once(cv):
    with pytest.raises(ValueError, match=r"cv|n_splits"):
        LabeledSplit(cv)


def test_it_is_shown_with_its_arguments():
    assert repr(LabeledSplit(3)) == (
        "LabeledSplit(cv=3, missing_label=-1, stratify=True)"
    )
    assert "GroupKFold(n_splits=2" in repr(
        LabeledSplit(GroupKFold(2), missing_label="")
    )


def pair(max_depth=3):
    return SelfTrainingClassifier(DecisionTreeClassifier(max_depth=max_depth))


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss", None])
def test_cross_validate_scores_the_labeled_rows_with_any_scorer(scoring):
    X, y = blobs()
    result = cross_validate(
        pair(), X, y, cv=LabeledSplit(3), scoring=scoring, error_score="raise"
    )
    assert np.isfinite(result["test_score"]).all()
    if scoring in {"accuracy", "roc_auc"}:
        assert result["test_score"].min() > 0.9


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_searches_take_it(container):
    X, y = blobs(240)
    grid = {"estimator__max_depth": [1, 2, 3]}
    arguments = {"cv": LabeledSplit(3), "error_score": "raise"}
    search = GridSearchCV(pair(), grid, scoring="roc_auc", **arguments)
    assert clone(search).fit(container(X), y).best_score_ > 0.9
    halving = HalvingGridSearchCV(
        pair(),
        grid,
        scoring=LabeledScorer("roc_auc"),
        min_resources=120,
        random_state=0,
        **arguments,
    )
    assert halving.fit(container(X), y).best_score_ > 0.8


@pytest.mark.parametrize(
    ("cv", "is_constant"),
    [
        (3, True),
        (None, True),
        ([([0, 1], [2, 3])], True),
        (StratifiedKFold(3), True),
        (StratifiedKFold(3, shuffle=True, random_state=0), True),
        (StratifiedKFold(3, shuffle=True), False),
        (StratifiedShuffleSplit(3), False),
        (RepeatedStratifiedKFold(n_splits=3, n_repeats=2), False),
        (ShuffleSplit(3, random_state=np.random.RandomState(0)), False),
    ],
)
def test_halving_refuses_what_draws_anew_as_it_refuses_the_inner_splitter(
    cv, is_constant
):
    X, y = blobs(240)
    search = HalvingGridSearchCV(
        DecisionTreeClassifier(),
        {"max_depth": [1, 2]},
        cv=LabeledSplit(cv),
        scoring=LabeledScorer(),
        min_resources=200,
        random_state=0,
    )
    if is_constant:
        search.fit(X, y)
        return
    with pytest.raises(ValueError, match="must yield consistent folds"):
        search.fit(X, y)


def test_the_draws_of_the_inner_splitter_are_seen():
    inner = StratifiedKFold(3, shuffle=True, random_state=7)
    assert LabeledSplit(inner).shuffle
    assert LabeledSplit(inner).random_state == 7
    for cv in (3, None, LeaveOneOut(), [([0], [1])]):
        assert not hasattr(LabeledSplit(cv), "shuffle")
        assert not hasattr(LabeledSplit(cv), "random_state")


@pytest.mark.parametrize("cv", [GroupKFold(2), StratifiedGroupKFold(2)])
def test_groups_that_are_lacking_are_asked_for(cv):
    with pytest.raises(ValueError, match=r"needs groups.*enable_metadata_routing=True"):
        splits(LabeledSplit(cv), [0, 1, 0, 1])
    assert LabeledSplit(cv).get_n_splits(np.zeros((4, 1)), [0, 1, 0, 1]) == 2


def test_metadata_are_requested_by_the_inner_splitter():
    X, y = blobs()
    run = {"estimator": DecisionTreeClassifier(), "X": X, "y": y}
    households = np.arange(len(y)) % 4
    with config_context(enable_metadata_routing=True):
        inner = GroupKFold(3).set_split_request(groups="household")
        params = {"household": households}
        cross_validate(**run, cv=LabeledSplit(inner), params=params)
        with pytest.raises(TypeError, match="household"):
            cross_validate(**run, cv=LabeledSplit(3), params=params)


def test_groups_reach_the_splitter_with_metadata_routing_off_and_on():
    X, y = blobs()
    groups = np.arange(len(y)) % 4
    search = GridSearchCV(
        DecisionTreeClassifier(),
        {"max_depth": [1, 2]},
        cv=LabeledSplit(LeaveOneGroupOut()),
        error_score="raise",
    )
    assert search.fit(X, y, groups=groups).n_splits_ == 4
    with config_context(enable_metadata_routing=True):
        assert clone(search).fit(X, y, groups=groups).n_splits_ == 4
        result = cross_validate(
            DecisionTreeClassifier(),
            X,
            y,
            cv=LabeledSplit(GroupKFold(3)),
            params={"groups": groups},
        )
    assert len(result["test_score"]) == 3

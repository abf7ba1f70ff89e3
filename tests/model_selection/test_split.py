"""Test sets hold labeled rows only, and training sets hold all unlabeled ones."""

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
    HalvingGridSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
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


def test_groups_are_those_of_the_labeled_rows():
    y = np.array([0, -1, 1, 0, 1, -1, 0, 1])
    groups = np.array(list("aabbccdd"))
    for container in (np.array, list, pd.Series):
        for train, test in splits(
            LabeledSplit(GroupKFold(2)), y, None, container(groups)
        ):
            labeled_train = [row for row in train if y[row] != -1]
            assert not set(groups[labeled_train]) & set(groups[test])


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
    assert repr(LabeledSplit(3)) == "LabeledSplit(cv=3, missing_label=-1)"
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

"""Training rows lose labels, every class keeps some, and nothing else changes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from sklearn_w2s.model_selection import weak_strong_split
from sklearn_w2s.model_selection._split import draw_labeled

X, Y = load_iris(return_X_y=True)


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    share=st.floats(0.01, 1),
    stratify=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_number_asked_for_is_kept_with_one_of_every_class(
    counts, share, stratify, seed
):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = max(len(counts), round(share * len(labels)))
    rng = np.random.RandomState(seed)
    kept = draw_labeled(labels, size, rng, stratify=stratify)
    assert len(np.unique(kept)) == len(kept) == size
    assert set(labels[kept]) == set(range(len(counts)))
    exact = size * np.array(counts) / len(labels)
    if stratify and exact.min() >= 1:
        assert np.abs(np.bincount(labels[kept]) - exact).max() < 1


def test_fewer_labels_are_among_more_of_them():
    labels = np.tile([0, 1], 50)
    fewer, more = (
        draw_labeled(labels, size, np.random.RandomState(0)) for size in (10, 30)
    )
    assert set(fewer) < set(more)


def test_the_test_rows_are_those_of_train_test_split():
    X_train, X_test, y_train, y_test, y_true = weak_strong_split(
        X, Y, test_size=30, labeled_size=0.2, random_state=0
    )
    rng = np.random.RandomState(0)
    expected = train_test_split(X, Y, test_size=30, stratify=Y, random_state=rng)
    for part, same in zip((X_train, X_test, y_true, y_test), expected, strict=True):
        np.testing.assert_array_equal(part, same)
    kept = y_train != -1
    assert kept.sum() == 24
    assert y_train.dtype == Y.dtype
    np.testing.assert_array_equal(y_train[kept], y_true[kept])


def test_further_arrays_are_split_alike_before_the_true_labels():
    rows = np.arange(len(Y))
    parts = weak_strong_split(X, Y, rows, csr_array(X), random_state=0)
    X_train, X_test, y_train, y_test, train, test, sparse, _, y_true = parts
    np.testing.assert_array_equal(X_train, X[train])
    np.testing.assert_array_equal(X_test, X[test])
    np.testing.assert_array_equal(sparse.toarray(), X_train)
    np.testing.assert_array_equal(y_test, Y[test])
    np.testing.assert_array_equal(y_true, Y[train])
    assert set(np.concatenate([train, test])) == set(rows)
    assert len(y_train) == len(train)


@pytest.mark.parametrize("missing_label", [-1, "", None])
def test_tables_of_strings_keep_types_and_index(missing_label):
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)
    table = pd.DataFrame(X, columns=list("abcd"), index=np.arange(150) + 7)
    table["kind"] = pd.Categorical(["u", "v"] * 75)
    y = pd.Series(names[Y], index=table.index, name="species")
    X_train, X_test, y_train, y_test, y_true = weak_strong_split(
        table, y, missing_label=missing_label, random_state=0
    )
    for part, labels in ((X_train, y_true), (X_test, y_test)):
        pd.testing.assert_frame_equal(part, table.loc[part.index])
        pd.testing.assert_series_equal(labels, y.loc[part.index])
    assert y_train.index.equals(X_train.index)
    assert y_train.name == "species"
    assert set(y_train[y_train.isin(names)]) == set(names)
    is_hidden = ~y_train.isin(names)
    assert is_hidden.sum() == len(y_train) - round(0.1 * len(y_train))


def test_rows_without_a_label_are_training_rows():
    y = np.where(np.arange(150) % 3 == 0, -1, Y)
    rows = np.arange(150)
    *_, train, test, y_true = weak_strong_split(X, y, rows, random_state=0)
    assert set(rows[y == -1]) <= set(train)
    assert len(test) == 25
    np.testing.assert_array_equal(y_true, y[train])


def test_zero_hides_all_labels():
    _, _, y_train, _, y_true = weak_strong_split(X, Y, labeled_size=0)
    assert set(y_train) == {-1}
    assert set(y_true) == {0, 1, 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labeled_size": 2}, "labeled_size=2 keeps 2 of 112 labels, but there are 3"),
        ({"labeled_size": 0.001}, "labeled_size=0.001 keeps 0"),
        ({"labeled_size": 113}, "labeled_size=113 must be a number of rows from 0"),
        ({"labeled_size": 1.5}, "labeled_size=1.5 must be"),
        ({"labeled_size": True}, "labeled_size=True must be"),
        ({"labeled_size": "all"}, "labeled_size='all' must be"),
        ({"test_size": 149}, "test_size=149 with stratify=True does not split"),
        ({"test_size": 148, "stratify": False}, "No training row has the label"),
    ],
)
def test_what_cannot_be_split_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        weak_strong_split(X, Y, **arguments, random_state=0)


def test_a_marker_that_is_a_class_is_refused():
    y = np.where(Y == 2, -1, 1)
    with (
        pytest.warns(UserWarning, match="-1 is taken as a class"),
        pytest.raises(ValueError, match="missing_label=-1 is a class of y"),
    ):
        weak_strong_split(X, y)


def test_labels_of_one_class_are_refused():
    with pytest.raises(ValueError, match=r"y has the classes \[0\]"):
        weak_strong_split(X, np.zeros(150, dtype=int))

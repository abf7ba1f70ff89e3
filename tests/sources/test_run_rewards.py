import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from sklearn_w2s.sources._run import DrawnRows, PoolRows, Rater


class Regions(BaseEstimator):
    """Overlap is a positive first feature; its own training rows it turns around."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        self.regions_ = np.where(X[:, 0] > 0, "easy", "overlap")
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0, "overlap", "easy")


@pytest.fixture
def table():
    X = np.random.RandomState(0).normal(size=(40, 2))
    return X, np.arange(40)


@pytest.fixture
def frozen(table):
    return FrozenEstimator(Regions().fit(*table))


def second_feature(_detector, X, _y):
    return np.abs(X[:, 1]).clip(0, 1)


def n_positive(X):
    return (X[:, 0] > 0).sum()


# Where the rows are


@given(st.permutations(range(12)), st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_batches_of_a_pool_are_found_in_the_order_of_the_table(order, cuts):
    X, y = np.arange(24).reshape(12, 2), np.arange(12) % 3
    at_hand, *batches = np.split(np.array(order), sorted(cuts))
    rows = PoolRows(X, y, at_hand)
    together, labels, places = rows.together(batches)
    assert_array_equal(together[:, 0], np.sort(together[:, 0]))
    assert len(together) == len(at_hand) + sum(map(len, batches))
    for batch, place in zip(batches, places, strict=True):
        assert_array_equal(together[place], X[batch])
        assert_array_equal(labels[place], y[batch])
        assert rows.size(batch) == len(batch)
        assert_array_equal(rows.table(batch)[0], X[batch])


def test_a_pool_may_be_without_labels(table):
    rows = PoolRows(table[0], None, np.arange(3))
    assert rows.table(np.array([4]))[1] is None
    assert rows.together([np.array([4])])[1] is None


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 4))
def test_batches_that_were_drawn_follow_the_rows_at_hand(sizes, n_at_hand):
    numbers = np.arange(n_at_hand + sum(sizes), dtype=float)[:, None]
    at_hand, *tables = np.split(numbers, n_at_hand + np.cumsum([0, *sizes[:-1]]))
    batches = [(X, X[:, 0]) for X in tables]
    given_rows = (at_hand, at_hand[:, 0]) if n_at_hand else (None, None)
    rows = DrawnRows(*given_rows, -1)
    X, y, places = rows.together(batches)
    assert_array_equal(X, numbers)
    assert_array_equal(y, numbers[:, 0])
    for (batch, _), place in zip(batches, places, strict=True):
        assert_array_equal(X[place], batch)
    assert [rows.size(batch) for batch in batches] == sizes


def test_rows_without_a_label_among_others_have_the_missing_one():
    X = np.zeros((2, 1))
    batches = [(X, None), (X, np.array([1, 0])), (X, None)]
    _, y, _ = DrawnRows(X, np.array([0, 1]), -1).together(batches)
    assert_array_equal(y, [0, 1, -1, -1, 1, 0, -1, -1])
    _, y, _ = DrawnRows(None, None, -9).together(batches)
    assert_array_equal(y, [-9, -9, 1, 0, -9, -9])


def test_without_any_label_there_are_none():
    X = np.zeros((2, 1))
    assert DrawnRows(X, None, -1).together([(X, None)])[1] is None


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, sp.csr_array])
def test_drawn_rows_keep_the_form_of_the_table(make):
    X = make(np.arange(6.0).reshape(3, 2))
    rows = DrawnRows(X, None, -1)
    together, _, (place,) = rows.together([(X, None)])
    assert type(together) is type(X)
    assert together.shape == (6, 2)
    assert_array_equal(place, [3, 4, 5])
    assert rows.like is X


# What they are worth


def pool_and_drawn(X, y, at_hand, batches):
    """The same rows as rows of one table, and as tables of their own."""
    yield PoolRows(X, y, at_hand), batches
    yield DrawnRows(X[at_hand], y[at_hand], -1), [(X[b], y[b]) for b in batches]


def test_a_detector_that_was_fitted_here_gives_the_regions_of_its_rows(table):
    X, y = table
    split = np.array([7, 3, 5]), np.array([1, 20])
    for rows, batches in pool_and_drawn(X, y, np.arange(30, 40), split):
        rater = Rater(rows, Regions(), None, None)
        assert rater.detector is None
        # Its own rows are turned around, those that come later are not.
        expected = [len(batch) - n_positive(X[batch]) for batch in split]
        assert rater.fit(batches) == expected
        assert rater.rate(*rows.table(batches[0])) == n_positive(X[split[0]])
        assert len(rater.detector.X_) == 15
        assert set(rater.detector.y_) == {7, 3, 5, 1, 20, *range(30, 40)}


def test_a_frozen_detector_predicts_what_it_was_not_fitted_on(table, frozen):
    X, y = table
    split = np.array([7, 3, 5]), np.array([1, 20])
    for rows, batches in pool_and_drawn(X, y, np.arange(30, 40), split):
        rater = Rater(rows, frozen, None, None)
        expected = [n_positive(X[batch]) for batch in split]
        assert rater.fit(batches) == expected
        assert [rater.rate(*rows.table(batch)) for batch in batches] == expected
        assert len(rater.detector.X_) == len(X)


def test_rating_fits_nothing(table):
    rater = Rater(PoolRows(*table, np.arange(5)), Regions(), None, None)
    rater.fit([np.arange(5, 10)])
    detector, rows = rater.detector, rater.detector.X_
    rater.rate(table[0][10:20], None)
    assert rater.detector is detector
    assert detector.X_ is rows


def test_the_detector_given_stays_unfitted_and_its_copy_is_seeded(table):
    detector = Regions()
    rows = PoolRows(*table, np.arange(5))
    rater = Rater(rows, detector, None, np.random.RandomState(0))
    rater.fit([np.arange(5, 10)])
    assert not hasattr(detector, "X_")
    assert detector.random_state is None
    assert isinstance(rater.detector.random_state, int)


def test_a_reward_is_summed_for_new_rows_and_those_of_the_fit(table):
    X, y = table
    split = np.array([7, 3, 5]), np.array([1, 20])
    for rows, batches in pool_and_drawn(X, y, np.arange(30, 40), split):
        rater = Rater(rows, Regions(), second_feature, None)
        expected = [second_feature(None, X[batch], None).sum() for batch in split]
        assert rater.fit(batches) == pytest.approx(expected)
        found = [rater.rate(*rows.table(batch)) for batch in batches]
        assert found == pytest.approx(expected)


def test_a_reward_gets_the_fitted_detector_and_the_rows_with_their_labels(table):
    X, y = table
    seen = []

    def reward(*arguments):
        seen.append(arguments)
        return np.ones(len(arguments[1]))

    rater = Rater(PoolRows(X, y, np.arange(5)), Regions(), reward, None)
    assert rater.fit([np.array([8, 6])]) == [2]
    ((detector, rows, labels),) = seen
    assert detector is rater.detector
    assert_array_equal(rows, X[[8, 6]])
    assert_array_equal(labels, [8, 6])


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (0.5, r"reward returned an array of shape \(\); .* shape \(3,\)"),
        ([0.5, 0.5], r"reward returned an array of shape \(2,\)"),
        ([[0.5], [0.5], [0.5]], r"reward returned an array of shape \(3, 1\)"),
        ([0, np.nan, 0], "reward returned nan for row 1"),
        ([0, 0, np.inf], "reward returned inf for row 2"),
        ([0, 1.5, 0.2], r"returned 1.5 for a row. Return a number in \[0, 1\]"),
        ([0, -0.25, 1], r"returned -0.25 for a row. Return a number in \[0, 1\]"),
    ],
)
def test_a_reward_must_be_a_number_between_0_and_1_for_each_row(
    table, frozen, returned, message
):
    rater = Rater(PoolRows(*table, np.arange(5)), frozen, lambda *_: returned, None)
    with pytest.raises(ValueError, match=message):
        rater.fit([np.array([6, 8, 10])])
    with pytest.raises(ValueError, match=message):
        rater.rate(table[0][[6, 8, 10]], None)


@pytest.mark.parametrize("returned", [[0, 1, 0], [True, True, False], [0.0, 1.0, 1.0]])
def test_the_ends_of_the_range_of_rewards_are_allowed(table, frozen, returned):
    rater = Rater(PoolRows(*table, np.arange(5)), frozen, lambda *_: returned, None)
    assert rater.fit([np.array([6, 8, 10])]) == [sum(returned)]

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_w2s._algorithms.bandit import (
    ArmStatistics,
    kl_ucb_index,
    paper_index,
    reference_index,
    ucb1_index,
)
from sklearn_w2s.sources._engine import SourceBandit
from sklearn_w2s.sources._policies import POLICIES, index_values


@pytest.fixture
def arms():
    return ArmStatistics(
        n_pulls=np.array([2, 3]),
        drawn=np.array([60, 90]),
        found=np.array([6, 45]),
        pool=np.array([100.0, 1000.0]),
        horizon=20,
        alpha=0.5,
        rng=np.random.RandomState(0),
    )


def test_names_stand_for_the_published_indices(arms):
    found, drawn, pulls = arms.found, arms.drawn, arms.n_pulls
    expected = {
        "kl_ucb": kl_ucb_index(found, drawn, 150, 0.5, arms.pool),
        "ucb1": ucb1_index(found, drawn, 150, 0.5),
        "paper": paper_index(found, drawn, pulls, 20, 0.5),
        "reference": reference_index(found, drawn, pulls, 20, 0.5),
    }
    for name, values in expected.items():
        assert_array_equal(index_values(name, arms), values)
    assert {*expected, "random"} == set(POLICIES)


def test_random_draws_from_the_rng_of_the_statistics(arms):
    first, second = index_values("random", arms), index_values("random", arms)
    assert (first != second).all()
    assert ((first >= 0) & (first < 1)).all()


def test_a_callable_gets_the_statistics(arms):
    assert_array_equal(index_values(lambda a: a.found / a.pool, arms), [0.06, 0.045])


@pytest.mark.parametrize(
    "returned", [1.0, [1.0], [1.0, 2.0, 3.0], ["a", "b"], None, [[1.0, 2.0]]]
)
def test_a_callable_must_return_one_number_per_source(arms, returned):
    with pytest.raises(ValueError, match="one number for each of the 2 sources"):
        index_values(lambda _: returned, arms)


def test_a_callable_must_not_return_nan_for_a_source_with_rows_left():
    bandit = SourceBandit([5, 5], lambda _: [np.nan, 1], horizon=2, alpha=1.0, rng=None)
    assert bandit.choose(np.array([False, True])) == (1, 1.0)
    with pytest.raises(ValueError, match="returned NaN for a source with rows left"):
        bandit.choose(np.array([True, True]))


def test_a_callable_cannot_change_the_counts():
    def greedy_and_careless(arms):
        arms.drawn[:] = 99
        return arms.found

    bandit = SourceBandit([5, 5], greedy_and_careless, horizon=2, alpha=1.0, rng=None)
    bandit.choose(np.array([True, True]))
    assert_array_equal(bandit.drawn, [0, 0])

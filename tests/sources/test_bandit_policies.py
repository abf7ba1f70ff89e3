from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.bandit import (
    ArmStatistics,
    fair_share_level,
    kl_ucb_index,
    next_arm,
    paper_index,
    reference_index,
    ucb1_index,
    ucb_tuned_index,
)
from sklearn_w2s.sources import _bandit as _policies
from sklearn_w2s.sources._bandit import (
    POLICIES,
    Limits,
    SourceBandit,
    index_values,
)

# What they return does not depend on chance.
INDICES = [name for name in POLICIES if name not in ("thompson", "random")]


@pytest.fixture
def arms():
    return ArmStatistics(
        n_pulls=np.array([2, 3]),
        drawn=np.array([60, 90]),
        found=np.array([6.0, 45.0]),
        cost=np.ones(2),
        sensitivity=np.ones(2),
        fall_out=np.zeros(2),
        is_open=np.array([True, True]),
        pool=np.array([100.0, 1000.0]),
        horizon=20,
        alpha=0.5,
        rng=np.random.RandomState(0),
    )


def make_bandit(policy):
    limits = Limits(5, n_rounds=4, budget=None, cost_budget=None, confidence=None)
    bandit = SourceBandit(
        policy=policy, alpha=1.0, burn_in=0, max_failures=3, limits=limits, rng=None
    )
    bandit.add("a")
    bandit.add("b")
    return bandit


def test_names_stand_for_the_published_indices(arms):
    found, drawn, pulls = arms.found, arms.drawn, arms.n_pulls
    level = 0.5 * fair_share_level(150, drawn, 2)
    expected = {
        "kl_ucb": kl_ucb_index(found, drawn, level, arms.pool),
        "ucb1": ucb1_index(found, drawn, 150, 0.5),
        "ucb_tuned": ucb_tuned_index(found, drawn, 150, 0.5),
        "paper": paper_index(found, drawn, pulls, 20, 0.5),
        "reference": reference_index(found, drawn, pulls, 20, 0.5),
        "greedy": found / drawn,
    }
    for name, values in expected.items():
        assert_array_equal(index_values(name, arms), values)
    assert {*expected, "kl_lucb", "thompson", "random"} == set(POLICIES)


@pytest.mark.parametrize("policy", ["thompson", "random"])
def test_chance_comes_from_the_rng_of_the_statistics(arms, policy):
    first, second = index_values(policy, arms), index_values(policy, arms)
    again = replace(arms, rng=np.random.RandomState(0))
    assert (first != second).all()
    assert ((first >= 0) & (first <= 1)).all()
    assert_array_equal(index_values(policy, again), first)


def test_thompson_draws_from_the_posterior_of_a_uniform_prior(arms):
    arms = replace(arms, alpha=1.0)
    drawn = np.array([index_values("thompson", arms) for _ in range(4000)])
    a, b = 1 + arms.found, 1 + arms.drawn - arms.found
    variance = a * b / (a + b) ** 2 / (a + b + 1)
    assert_allclose(drawn.mean(axis=0), a / (a + b), atol=0.005)
    assert_allclose(drawn.var(axis=0), variance, rtol=0.1)


def test_thompson_explores_more_with_a_larger_alpha(arms):
    spreads = [
        np.std(
            [index_values("thompson", replace(arms, alpha=a)) for _ in range(500)], 0
        )
        for a in (0.01, 1, 10)
    ]
    assert (np.diff(spreads, axis=0) > 0).all()


def test_kl_ucb_shares_among_the_sources_that_are_left(arms):
    one_left = replace(arms, is_open=np.array([True, False]))
    level = 0.5 * fair_share_level(150, arms.drawn, 1)
    expected = kl_ucb_index(arms.found, arms.drawn, level, arms.pool)
    assert_array_equal(index_values("kl_ucb", one_left), expected)


@pytest.mark.parametrize(
    ("drawn", "found", "is_open", "marked"),
    [
        # The leader has no fewer rows than its challenger.
        ([60, 90, 90], [6, 45, 30], [1, 1, 1], 1),
        # The challenger has fewer; it is the one of the largest upper bound.
        ([60, 90, 50], [6, 45, 24], [1, 1, 1], 2),
        ([10, 90, 60], [3, 45, 20], [1, 1, 1], 0),
        # Sources without rows left neither lead nor challenge.
        ([60, 90, 50], [6, 45, 24], [1, 1, 0], 0),
        ([60, 90, 50], [6, 45, 24], [1, 0, 0], 0),
        # What is not known challenges.
        ([60, 90, 0], [6, 45, 0], [1, 1, 1], 2),
    ],
)
def test_kl_lucb_marks_leader_or_challenger(arms, drawn, found, is_open, marked):
    three = ArmStatistics(
        n_pulls=np.ones(3),
        drawn=np.array(drawn),
        found=np.array(found, dtype=float),
        cost=np.ones(3),
        sensitivity=np.ones(3),
        fall_out=np.zeros(3),
        is_open=np.array(is_open, dtype=bool),
        pool=np.full(3, np.inf),
        horizon=np.inf,
        alpha=1.0,
        rng=arms.rng,
    )
    marks = index_values("kl_lucb", three)
    assert_array_equal(marks, np.arange(3) == marked)


@pytest.mark.parametrize("policy", ["kl_ucb", "ucb1", "ucb_tuned", "greedy"])
def test_indices_are_of_true_rates_per_unit_of_cost(arms, policy):
    sensitivity, fall_out = np.array([0.9, 0.8]), np.array([0.05, 0.2])
    cost = np.array([2.0, 0.5])
    other = replace(arms, cost=cost, sensitivity=sensitivity, fall_out=fall_out)
    plain = index_values(policy, arms)
    expected = (plain - fall_out) / (sensitivity - fall_out) / cost
    assert_allclose(index_values(policy, other), np.maximum(expected, 0))


@pytest.mark.parametrize("policy", INDICES)
def test_only_policies_that_declare_it_use_the_horizon(arms, policy):
    short, long = (
        index_values(policy, replace(arms, horizon=horizon)) for horizon in (10, 1000)
    )
    assert (short != long).any() == POLICIES[policy].needs_horizon


@pytest.mark.parametrize("policy", ["kl_ucb", "ucb1", "ucb_tuned", "greedy", "kl_lucb"])
def test_a_source_of_which_nothing_is_known_is_tried(arms, policy):
    unknown = replace(arms, drawn=np.array([0, 90]), found=np.array([0.0, 45.0]))
    assert np.argmax(index_values(policy, unknown)) == 0


def test_a_callable_gets_the_statistics(arms):
    assert_array_equal(index_values(lambda a: a.found / a.pool, arms), [0.06, 0.045])


@pytest.mark.parametrize(
    "returned", [1.0, [1.0], [1.0, 2.0, 3.0], ["a", "b"], None, [[1.0, 2.0]]]
)
def test_a_callable_must_return_one_number_per_source(arms, returned):
    with pytest.raises(ValueError, match="one number for each of the 2 sources"):
        index_values(lambda _: returned, arms)


def test_a_callable_must_not_return_nan_for_a_source_with_rows_left():
    bandit = make_bandit(lambda _: [np.nan, 1])
    source, indices = bandit.choose(np.array([False, True]))
    assert source == 1
    assert_array_equal(indices, [np.nan, 1])
    with pytest.raises(ValueError, match="returned NaN for a source with rows left"):
        bandit.choose()


def test_a_callable_avoids_a_source_by_minus_infinity():
    bandit = make_bandit(lambda _: [-np.inf, -5])
    assert bandit.choose()[0] == 1


def test_a_callable_cannot_change_the_counts():
    def careless(arms):
        for counts in (arms.n_pulls, arms.drawn, arms.found, arms.cost, arms.pool):
            counts[:] = 99
        arms.is_open[:] = False
        return arms.found

    bandit = make_bandit(careless)
    bandit.choose()
    for counts in (bandit.n_pulls, bandit.drawn, bandit.rated, bandit.found):
        assert_array_equal(counts, [0, 0])
    assert_array_equal(bandit.cost, [1, 1])
    assert_array_equal(bandit.pool, [np.inf, np.inf])
    assert bandit.is_open.all()


# Many sources


@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 5, 400]),
    st.booleans(),
    st.sampled_from([0, 0.5, 1.0, 20.0]),
    st.sampled_from(["kl_ucb", "kl_lucb", "ucb1"]),
)
def test_many_sources_are_chosen_as_if_all_were_looked_at_closely(
    seed, n_rows, has_costs, alpha, policy
):
    rng = np.random.RandomState(seed)
    n = 60
    drawn = rng.randint(0 if has_costs else 1, n_rows + 1, size=n)
    arms = ArmStatistics(
        n_pulls=np.ones(n, dtype=int),
        drawn=drawn,
        found=rng.binomial(drawn, rng.beta(2, 3, size=n)).astype(float),
        cost=rng.uniform(1, 3, size=n) if has_costs else np.ones(n),
        sensitivity=np.full(n, 0.9 if has_costs else 1.0),
        fall_out=np.full(n, 0.1 if has_costs else 0.0),
        is_open=rng.uniform(size=n) < 0.8,
        pool=drawn + rng.randint(0, 50, size=n) if has_costs else np.full(n, np.inf),
        horizon=np.inf,
        alpha=alpha,
        rng=rng,
    )
    arms.is_open[0] = True
    closely = index_values(policy, arms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_policies, "MANY", 3)
        patch.setattr(_policies, "_LOT", 16)
        values = index_values(policy, arms, exact=False)
    chosen = next_arm(values, drawn, arms.is_open)
    assert chosen == next_arm(closely, drawn, arms.is_open)
    assert values[chosen] == closely[chosen]
    assert ((values == closely) | (values == -np.inf)).all()

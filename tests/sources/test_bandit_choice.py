"""Which source is drawn next, and when a run ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s._algorithms.bandit import anytime_level, kl_ucb_index
from sklearn_w2s.sources import _bandit as _policies
from sklearn_w2s.sources._bandit import POLICIES

limits = st.one_of(st.none(), st.integers(1, 60))
policies = st.sampled_from(sorted(POLICIES))


def record(bandit, source, n_drawn, reward, indices=None):
    bandit.draw(source, n_drawn, indices)
    bandit.rate([reward])


# Limits


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.integers(1, 9),
    limits,
    limits,
    policies,
)
def test_limits_are_met_exactly_whatever_the_policy(
    make_bandit, play, sizes, batch_size, n_rounds, budget, policy
):
    bandit = make_bandit(
        *({"size": n} for n in sizes),
        policy=policy,
        batch_size=batch_size,
        n_rounds=n_rounds,
        budget=budget,
    )
    play(bandit, [0.5] * len(sizes), np.random.RandomState(0))
    assert bandit.n_rounds == bandit.n_pulls.sum() <= (n_rounds or np.inf)
    assert bandit.drawn.sum() <= (budget or np.inf)
    assert (bandit.drawn <= bandit.pool).all()
    reached = {
        "n_rounds": bandit.n_rounds == n_rounds,
        "budget": bandit.drawn.sum() == budget,
        "exhausted": bandit.drawn.sum() == sum(sizes),
    }
    assert reached[bandit.stop_reason()]


@given(
    st.lists(st.floats(0.1, 5), min_size=1, max_size=4),
    st.floats(1, 50),
    st.integers(1, 9),
    policies,
)
def test_the_cost_budget_is_never_overspent_and_never_left(
    make_bandit, play, costs, cost_budget, batch_size, policy
):
    bandit = make_bandit(
        *({"cost": cost} for cost in costs),
        policy=policy,
        batch_size=batch_size,
        cost_budget=cost_budget,
    )
    play(bandit, [0.5] * len(costs), np.random.RandomState(0))
    spent = bandit.drawn @ np.array(costs)
    assert bandit.stop_reason() == "cost_budget"
    assert spent <= cost_budget * (1 + 1e-12)
    assert spent > cost_budget * (1 - 1e-12) - min(costs)
    assert bandit.history()["cost"].sum() == pytest.approx(spent)


def test_a_budget_that_no_row_fits_ends_at_once(make_bandit):
    assert make_bandit({"cost": 2.0}, cost_budget=1.5).stop_reason() == "cost_budget"
    assert make_bandit({"cost": 2.0}, cost_budget=2).stop_reason() is None


def test_sources_that_cost_too_much_are_passed_over(make_bandit):
    bandit = make_bandit({"cost": 3.0}, {"cost": 1.0}, cost_budget=32)
    record(bandit, 0, 9, 9)
    record(bandit, 1, 3, 0)
    assert bandit.stop_reason() is None
    assert bandit.choose()[0] == 1
    assert bandit.batch_size(1) == 2


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"n_rounds": 2}, "n_rounds"),
        ({"budget": 20}, "budget"),
        ({"cost_budget": 20}, "cost_budget"),
        ({"cost_budget": 20.5}, "cost_budget"),
        ({"confidence": 0.9}, None),
        ({}, None),
    ],
)
def test_the_reason_names_the_limit(make_bandit, limit, reason):
    bandit = make_bandit({}, {}, **limit)
    record(bandit, 0, 10, 5)
    assert bandit.stop_reason() is None
    record(bandit, 1, 10, 5)
    assert bandit.stop_reason() == reason


def test_without_an_open_source_all_is_exhausted(make_bandit):
    assert make_bandit().stop_reason() == "exhausted"
    bandit = make_bandit({}, {}, n_rounds=5)
    bandit.is_open[0] = False
    assert bandit.stop_reason() is None
    bandit.is_open[1] = False
    assert bandit.stop_reason() == "exhausted"


def test_the_last_batch_fits_the_budget(make_bandit):
    bandit = make_bandit({}, {"cost": 2.0}, budget=14, cost_budget=16)
    assert [bandit.batch_size(0), bandit.batch_size(1)] == [10, 8]
    bandit.draw(0, 10)
    assert [bandit.batch_size(0), bandit.batch_size(1)] == [4, 3]


def test_the_horizon_is_the_tightest_limit(make_bandit):
    sources = {"size": 95, "cost": 2.0}, {"size": 31, "cost": 1.0}
    assert make_bandit(*sources).horizon == 14
    assert make_bandit(*sources, n_rounds=2).horizon == 2
    assert make_bandit(*sources, budget=81).horizon == 9
    assert make_bandit(*sources, cost_budget=35).horizon == 4
    assert make_bandit({"size": 95}, {}).horizon == np.inf


# Confidence


def test_the_best_source_is_known_when_its_bounds_leave_the_others(make_bandit):
    bandit = make_bandit({}, {}, confidence=0.9, batch_size=100)
    record(bandit, 0, 100, 5)
    assert not bandit.best_is_known()
    record(bandit, 1, 100, 95)
    assert bandit.best_is_known()
    assert bandit.stop_reason() == "confidence"


def test_more_confidence_takes_more_rows(make_bandit):
    def rows_for(confidence):
        bandit = make_bandit(
            {}, {}, confidence=confidence, policy="kl_lucb", budget=10_000
        )
        while bandit.stop_reason() is None:
            source, indices = bandit.choose()
            record(bandit, source, 10, [2, 6][source], indices)
        assert bandit.stop_reason() == "confidence"
        return bandit.drawn.sum()

    rows = [rows_for(confidence) for confidence in (0.1, 0.9, 0.999, 1 - 1e-9)]
    assert (np.diff(rows) > 0).all()


def test_equal_sources_are_distinguished_once_every_row_is_drawn(make_bandit):
    bandit = make_bandit({"size": 20}, {"size": 20}, confidence=0.9)
    for source in (0, 1, 0):
        record(bandit, source, 10, 5)
        assert not bandit.best_is_known()
    record(bandit, 1, 10, 4)
    assert bandit.best_is_known()


def test_the_best_source_is_one_of_those_that_are_left(make_bandit):
    bandit = make_bandit({}, {}, {}, confidence=0.9)
    for source, found in enumerate((95, 50, 48)):
        record(bandit, source, 100, found)
    assert bandit.best_is_known()
    bandit.is_open[0] = False
    assert not bandit.best_is_known()
    bandit.is_open[1] = False
    assert bandit.best_is_known()


def test_the_only_source_left_is_the_best_once_something_is_known_of_it(make_bandit):
    bandit = make_bandit({}, {}, confidence=0.9)
    bandit.is_open[0] = False
    assert not bandit.best_is_known()
    record(bandit, 1, 10, 0)
    assert bandit.best_is_known()


def test_the_best_source_is_the_best_for_its_cost(make_bandit):
    bandit = make_bandit({"cost": 4.0}, {}, confidence=0.9)
    record(bandit, 0, 200, 180)
    record(bandit, 1, 200, 100)
    assert bandit.best_is_known()
    # Without the cost it is 0 by as much.
    assert bandit.density[0] > bandit.density[1]
    bandit.cost[0] = 4 * 0.45
    assert not bandit.best_is_known()


@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=6),
    st.floats(0.01, 0.99),
    st.floats(0.5, 3),
    st.integers(0, 500),
)
def test_the_best_is_known_when_no_other_upper_bound_is_above_its_lower_one(
    make_bandit, rows, confidence, cost, n_left
):
    drawn = [n for n, _ in rows]
    arms = [{"size": n + n_left, "cost": 1 + cost * (n % 2)} for n in drawn]
    bandit = make_bandit(*arms, confidence=confidence)
    for source, (n, rate) in enumerate(rows):
        record(bandit, source, n, round(n * rate))
    level = anytime_level(bandit.n_pulls, len(rows), 1 - confidence)
    found, n = bandit.found, bandit.rated
    lower = (1 - kl_ucb_index(n - found, n, level)) / bandit.cost
    upper = kl_ucb_index(found, n, level) / bandit.cost
    middle = found / n / bandit.cost
    if not n_left:
        lower, upper = middle, middle
    best = np.argmax(middle)
    assert bandit.best_is_known() == (np.delete(upper, best) <= lower[best]).all()


# The choice


def test_the_burn_in_takes_turns(make_bandit):
    bandit = make_bandit({}, {"size": 10}, {}, burn_in=2)
    order = []
    while bandit.is_burning_in():
        source, indices = bandit.choose()
        assert np.isnan(indices).all()
        order.append(source)
        record(bandit, source, 10, 5)
        if source == 1:
            bandit.is_open[1] = False
    assert order == [0, 1, 2, 0, 2]
    assert np.isfinite(bandit.choose()[1]).all()


def test_a_source_that_comes_later_has_its_first_draws_first(make_bandit, play):
    bandit = make_bandit({}, {}, burn_in=2)
    rng = np.random.RandomState(0)
    play(bandit, [0.1, 0.9], rng, n_rounds=10)
    bandit.add("c", size=500, cost=1.0)
    assert bandit.is_burning_in()
    play(bandit, [0.1, 0.9, 1.0], rng, n_rounds=12)
    assert_array_equal(bandit.history()["source"][10:], ["c", "c"])
    assert not bandit.is_burning_in()
    assert bandit.drawn[bandit.positions["c"]] == 20
    table = bandit.index_history()
    assert table.shape == (12, 3)
    assert np.isnan(table[:, 2]).all()
    play(bandit, [0.1, 0.9, 1.0], rng, n_rounds=40)
    assert np.argmax(bandit.n_pulls) == 2
    assert np.isfinite(bandit.index_history()[12:]).all()


def test_only_sources_at_hand_are_chosen(make_bandit):
    bandit = make_bandit({}, {}, {})
    among = np.array([False, True, True])
    for source in (1, 2):
        assert bandit.choose(among)[0] == source
        record(bandit, source, 10, source)
    # Now it is the index that chooses, and 0 still has its burn-in before it.
    assert bandit.choose(among)[0] == 2
    assert bandit.choose()[0] == 0


def test_equal_indices_go_to_the_fewest_rows_that_are_rated(make_bandit):
    bandit = make_bandit({}, {}, policy=lambda _: np.ones(2))
    record(bandit, 0, 20, 5)
    record(bandit, 1, 10, 5)
    bandit.draw(1, 20)
    assert bandit.choose()[0] == 1


@pytest.mark.parametrize("policy", ["kl_ucb", "ucb1", "ucb_tuned", "greedy"])
def test_half_the_density_at_a_third_of_the_cost_is_preferred(
    make_bandit, play, policy
):
    sources = {"cost": 3.0}, {"cost": 1.0}
    bandit = make_bandit(*sources, policy=policy, cost_budget=3000)
    play(bandit, [0.6, 0.3], np.random.RandomState(0))
    spent = bandit.drawn * bandit.cost
    assert spent[1] > 0.7 * spent.sum()


def test_costs_and_rates_that_all_sources_share_change_no_choice(make_bandit, play):
    runs = [
        play(make_bandit(arm, arm, n_rounds=40), [0.3, 0.4], np.random.RandomState(0))
        for arm in ({}, {"cost": 4.0}, {"detection_rates": (0.9, 0.0)})
    ]
    for run in runs[1:]:
        assert_array_equal(run.history()["source"], runs[0].history()["source"])


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_run_does_not_depend_on_how_many_sources_are_many(
    make_bandit, play, monkeypatch, policy
):
    def run():
        bandit = make_bandit(*[{}] * 6, policy=policy, n_rounds=60, alpha=0.3)
        densities = [0.1, 0.2, 0.3, 0.4, 0.4, 0.5]
        return play(bandit, densities, np.random.RandomState(0)).history()

    history = run()
    monkeypatch.setattr(_policies, "MANY", 2)
    for column, values in run().items():
        assert_array_equal(values, history[column], err_msg=column)


# Failures


def test_a_source_that_failed_rests_as_many_rounds_as_it_failed(make_bandit):
    bandit = make_bandit({}, {}, max_failures=10, policy="greedy")
    record(bandit, 0, 10, 9)
    record(bandit, 1, 10, 1)
    chosen = []
    for _ in range(9):
        source, indices = bandit.choose()
        chosen.append(source)
        if source == 0:
            bandit.fail(0, "no answer", indices)
        else:
            record(bandit, 1, 10, 1, indices)
    assert chosen == [0, 1, 0, 1, 1, 0, 1, 1, 1]


def test_nothing_rests_while_nothing_else_can_be_drawn(make_bandit):
    bandit = make_bandit({}, {}, max_failures=10)
    bandit.fail(0, "no answer")
    assert bandit.choose(np.array([True, False]))[0] == 0
    bandit.is_open[1] = False
    assert bandit.choose()[0] == 0


@pytest.mark.parametrize("max_failures", [1, 2, 4])
def test_a_source_is_closed_after_failures_in_a_row(make_bandit, max_failures):
    bandit = make_bandit({}, {}, max_failures=max_failures)
    for _ in range(max_failures - 1):
        bandit.fail(0, "no answer")
        assert bandit.is_open[0]
    bandit.fail(0, "no answer")
    assert_array_equal(bandit.is_open, [False, True])


def test_a_draw_forgives_the_failures_before_it(make_bandit):
    bandit = make_bandit({}, max_failures=2)
    for _ in range(5):
        bandit.fail(0, "no answer")
        record(bandit, 0, 10, 5)
    assert bandit.is_open[0]
    assert bandit.n_rounds == 10


def test_a_failure_is_a_round_without_costs_and_without_rows(make_bandit):
    bandit = make_bandit({"cost": 2.0}, n_rounds=2, cost_budget=100)
    record(bandit, 0, 10, 5)
    bandit.fail(0, "source 'a' is away")
    history = bandit.history()
    assert_array_equal(history["error"], ["", "source 'a' is away"])
    assert_array_equal(history["n_drawn"], [10, 0])
    assert_array_equal(history["n_overlap"], [5, 0])
    assert_array_equal(history["cost"], [20, 0])
    assert_array_equal(history["overlap_density"], [0.5, 0.5])
    assert_array_equal(bandit.n_pulls, [1])
    assert bandit.stop_reason() == "n_rounds"

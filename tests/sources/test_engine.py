import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import hypergeom

from sklearn_w2s._algorithms.bandit import ArmStatistics, unseen_factor
from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s.sources._engine import Limits, SourceBandit
from sklearn_w2s.sources._policies import POLICIES, index_values

Z95 = 1.959964
COUNTS = ("n_pulls", "drawn", "rated", "found", "is_open")
limits = st.one_of(st.none(), st.integers(1, 60))
policies = st.sampled_from(sorted(POLICIES))


def make_bandit(
    *sources,
    policy="kl_ucb",
    batch_size=10,
    burn_in=1,
    max_failures=3,
    alpha=1.0,
    seed=0,
    **params,
):
    """A bandit of sources "a", "b" and so on, each given by its keywords."""
    nothing = dict.fromkeys(("n_rounds", "budget", "cost_budget", "confidence"))
    bandit = SourceBandit(
        policy=policy,
        alpha=alpha,
        burn_in=burn_in,
        max_failures=max_failures,
        limits=Limits(batch_size, **nothing | params),
        rng=np.random.RandomState(seed),
    )
    for name, arm in zip("abcdefgh", sources, strict=False):
        bandit.add(name, **arm)
    return bandit


def record(bandit, source, n_drawn, reward, indices=None):
    bandit.draw(source, n_drawn, indices)
    bandit.rate([reward])


def play(bandit, densities, rng, n_rounds=np.inf):
    """Draw until a limit is reached, every row with the density of its source."""
    while bandit.n_rounds < n_rounds and bandit.stop_reason() is None:
        source, indices = bandit.choose()
        left = bandit.pool[source] - bandit.drawn[source]
        n = int(min(bandit.batch_size(source), left))
        record(bandit, source, n, rng.binomial(n, densities[source]), indices)
        if n == left:
            bandit.close(source)
    return bandit


def assert_same_run(one, other):
    for counts in COUNTS:
        assert_array_equal(getattr(one, counts), getattr(other, counts))
    assert_array_equal(one.index_history(), other.index_history())
    for column, values in one.history().items():
        assert_array_equal(other.history()[column], values)


# Limits


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.integers(1, 9),
    limits,
    limits,
    policies,
)
def test_limits_are_met_exactly_whatever_the_policy(
    sizes, batch_size, n_rounds, budget, policy
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
    costs, cost_budget, batch_size, policy
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


def test_a_budget_that_no_row_fits_ends_at_once():
    assert make_bandit({"cost": 2.0}, cost_budget=1.5).stop_reason() == "cost_budget"
    assert make_bandit({"cost": 2.0}, cost_budget=2).stop_reason() is None


def test_sources_that_cost_too_much_are_passed_over():
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
def test_the_reason_names_the_limit(limit, reason):
    bandit = make_bandit({}, {}, **limit)
    record(bandit, 0, 10, 5)
    assert bandit.stop_reason() is None
    record(bandit, 1, 10, 5)
    assert bandit.stop_reason() == reason


def test_without_an_open_source_all_is_exhausted():
    assert make_bandit().stop_reason() == "exhausted"
    bandit = make_bandit({}, {}, n_rounds=5)
    bandit.close(0)
    assert bandit.stop_reason() is None
    bandit.close(1)
    assert bandit.stop_reason() == "exhausted"


def test_the_last_batch_fits_the_budget():
    bandit = make_bandit({}, {"cost": 2.0}, budget=14, cost_budget=16)
    assert [bandit.batch_size(0), bandit.batch_size(1)] == [10, 8]
    bandit.draw(0, 10)
    assert [bandit.batch_size(0), bandit.batch_size(1)] == [4, 3]


def test_the_horizon_is_the_tightest_limit():
    sources = {"size": 95, "cost": 2.0}, {"size": 31, "cost": 1.0}
    assert make_bandit(*sources).horizon == 14
    assert make_bandit(*sources, n_rounds=2).horizon == 2
    assert make_bandit(*sources, budget=81).horizon == 9
    assert make_bandit(*sources, cost_budget=35).horizon == 4
    assert make_bandit({"size": 95}, {}).horizon == np.inf


# Confidence


def test_the_best_source_is_known_when_its_bounds_leave_the_others():
    bandit = make_bandit({}, {}, confidence=0.9, batch_size=100)
    record(bandit, 0, 100, 5)
    assert not bandit.best_is_known()
    record(bandit, 1, 100, 95)
    assert bandit.best_is_known()
    assert bandit.stop_reason() == "confidence"


def test_more_confidence_takes_more_rows():
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


def test_equal_sources_are_told_apart_once_every_row_is_drawn():
    bandit = make_bandit({"size": 20}, {"size": 20}, confidence=0.9)
    for source in (0, 1, 0):
        record(bandit, source, 10, 5)
        assert not bandit.best_is_known()
    record(bandit, 1, 10, 4)
    assert bandit.best_is_known()


def test_the_best_source_is_one_of_those_that_are_left():
    bandit = make_bandit({}, {}, {}, confidence=0.9)
    for source, found in enumerate((95, 50, 48)):
        record(bandit, source, 100, found)
    assert bandit.best_is_known()
    bandit.close(0)
    assert not bandit.best_is_known()
    bandit.close(1)
    assert bandit.best_is_known()


def test_the_only_source_left_is_the_best_once_something_is_known_of_it():
    bandit = make_bandit({}, {}, confidence=0.9)
    bandit.close(0)
    assert not bandit.best_is_known()
    record(bandit, 1, 10, 0)
    assert bandit.best_is_known()


def test_the_best_source_is_the_best_for_its_cost():
    bandit = make_bandit({"cost": 4.0}, {}, confidence=0.9)
    record(bandit, 0, 200, 180)
    record(bandit, 1, 200, 100)
    assert bandit.best_is_known()
    # Without the cost it is 0 by as much.
    assert bandit.density[0] > bandit.density[1]
    bandit.cost[0] = 4 * 0.45
    assert not bandit.best_is_known()


# The choice


def test_the_burn_in_takes_turns():
    bandit = make_bandit({}, {"size": 10}, {}, burn_in=2)
    order = []
    while bandit.is_burning_in():
        source, indices = bandit.choose()
        assert np.isnan(indices).all()
        order.append(source)
        record(bandit, source, 10, 5)
        if source == 1:
            bandit.close(1)
    assert order == [0, 1, 2, 0, 2]
    assert np.isfinite(bandit.choose()[1]).all()


def test_a_source_that_comes_later_has_its_first_draws_first():
    bandit = make_bandit({}, {}, burn_in=2)
    rng = np.random.RandomState(0)
    play(bandit, [0.1, 0.9], rng, n_rounds=10)
    assert bandit.position("c") == (2, 0)
    bandit.add("c", size=500, cost=1.0)
    assert bandit.is_burning_in()
    play(bandit, [0.1, 0.9, 1.0], rng, n_rounds=12)
    assert_array_equal(bandit.history()["source"][10:], ["c", "c"])
    assert not bandit.is_burning_in()
    assert bandit.position("c") == (2, 20)
    table = bandit.index_history()
    assert table.shape == (12, 3)
    assert np.isnan(table[:, 2]).all()
    play(bandit, [0.1, 0.9, 1.0], rng, n_rounds=40)
    assert np.argmax(bandit.n_pulls) == 2
    assert np.isfinite(bandit.index_history()[12:]).all()


def test_only_sources_at_hand_are_chosen():
    bandit = make_bandit({}, {}, {})
    among = np.array([False, True, True])
    for source in (1, 2):
        assert bandit.choose(among)[0] == source
        record(bandit, source, 10, source)
    # Now it is the index that chooses, and 0 still has its burn-in before it.
    assert bandit.choose(among)[0] == 2
    assert bandit.choose()[0] == 0


def test_equal_indices_go_to_the_fewest_rows_that_are_rated():
    bandit = make_bandit({}, {}, policy=lambda _: np.ones(2))
    record(bandit, 0, 20, 5)
    record(bandit, 1, 10, 5)
    bandit.draw(1, 20)
    assert bandit.choose()[0] == 1


@pytest.mark.parametrize("policy", ["kl_ucb", "ucb1", "ucb_tuned", "greedy"])
def test_half_the_density_at_a_third_of_the_cost_is_preferred(policy):
    sources = {"cost": 3.0}, {"cost": 1.0}
    bandit = make_bandit(*sources, policy=policy, cost_budget=3000)
    play(bandit, [0.6, 0.3], np.random.RandomState(0))
    spent = bandit.drawn * bandit.cost
    assert spent[1] > 0.7 * spent.sum()


def test_costs_and_rates_that_all_sources_share_change_no_choice():
    runs = [
        play(make_bandit(arm, arm, n_rounds=40), [0.3, 0.4], np.random.RandomState(0))
        for arm in ({}, {"cost": 4.0}, {"detection_rates": (0.9, 0.0)})
    ]
    for run in runs[1:]:
        assert_array_equal(run.history()["source"], runs[0].history()["source"])


# Failures


def test_a_source_that_failed_rests_as_many_rounds_as_it_failed():
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


def test_nothing_rests_while_nothing_else_can_be_drawn():
    bandit = make_bandit({}, {}, max_failures=10)
    bandit.fail(0, "no answer")
    assert bandit.choose(np.array([True, False]))[0] == 0
    bandit.close(1)
    assert bandit.choose()[0] == 0


@pytest.mark.parametrize("max_failures", [1, 2, 4])
def test_a_source_is_closed_after_failures_in_a_row(max_failures):
    bandit = make_bandit({}, {}, max_failures=max_failures)
    for _ in range(max_failures - 1):
        bandit.fail(0, "no answer")
        assert bandit.is_open[0]
    bandit.fail(0, "no answer")
    assert_array_equal(bandit.is_open, [False, True])


def test_a_draw_forgives_the_failures_before_it():
    bandit = make_bandit({}, max_failures=2)
    for _ in range(5):
        bandit.fail(0, "no answer")
        record(bandit, 0, 10, 5)
    assert bandit.is_open[0]
    assert bandit.n_rounds == 10


def test_a_failure_is_a_round_that_costs_nothing_and_tells_nothing():
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


# Ratings


def test_rows_count_when_drawn_and_for_the_index_when_rated():
    bandit = make_bandit({}, {}, budget=30)
    bandit.draw(0, 10)
    bandit.draw(1, 10)
    bandit.draw(0, 10)
    assert bandit.stop_reason() == "budget"
    assert_array_equal(bandit.n_pulls, [2, 1])
    assert_array_equal(bandit.drawn, [20, 10])
    assert_array_equal(bandit.rated, [0, 0])
    assert np.isnan(bandit.index()).all()
    assert np.isnan(bandit.density).all()
    assert np.isnan(bandit.history()["n_overlap"]).all()

    bandit.rate([4, 7])
    assert_array_equal(bandit.rated, [10, 10])
    assert_array_equal(bandit.history()["n_overlap"], [4, 7, np.nan])
    bandit.rate([8])
    assert_array_equal(bandit.found, [12, 7])
    assert_array_equal(bandit.history()["overlap_density"], [0.4, 0.7, 0.6])


def test_rows_that_are_not_rated_change_no_index():
    rated, waiting = make_bandit({}, {}), make_bandit({}, {})
    for bandit in (rated, waiting):
        record(bandit, 0, 10, 5)
        record(bandit, 1, 10, 4)
    waiting.draw(1, 10)
    assert_array_equal(waiting.index(), rated.index())


def test_failures_between_draws_take_no_rating():
    bandit = make_bandit({}, {})
    bandit.draw(0, 10)
    bandit.fail(1, "no answer")
    bandit.draw(1, 10)
    bandit.rate([3, 6])
    assert_array_equal(bandit.history()["n_overlap"], [3, 0, 6])
    bandit.forget_ratings()
    bandit.rate([2, 5])
    assert_array_equal(bandit.history()["n_overlap"], [2, 0, 5])


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), min_size=1, max_size=9))
def test_ratings_that_replace_others_are_as_if_they_came_first(rounds):
    sources = {"size": 200}, {"size": 90, "cost": 2.0}, {"detection_rates": (0.9, 0.1)}
    first, anew = make_bandit(*sources), make_bandit(*sources)
    for source, share in rounds:
        record(first, source, 10, 10 * share)
        record(anew, source, 10, 10 * (1 - share))
    anew.forget_ratings()
    assert_array_equal(anew.rated, 0)
    anew.rate([10 * share for _, share in rounds])
    assert_same_run(first, anew)


def test_rewards_may_be_fractions_of_rows():
    bandit = make_bandit({}, {})
    record(bandit, 0, 10, 2.5)
    record(bandit, 0, 10, 3.25)
    assert bandit.density[0] == 5.75 / 20
    assert_array_equal(bandit.history()["n_overlap"], [2.5, 3.25])


# Densities


def test_a_source_of_which_nothing_was_drawn_has_no_density_and_no_index():
    bandit = make_bandit({"size": 4}, {"size": 4})
    record(bandit, 0, 4, 1)
    assert_array_equal(bandit.density, [0.25, np.nan])
    assert_array_equal(bandit.index(), [0.25, np.nan])
    assert np.isnan(bandit.estimate(1)).all()


@given(st.integers(1, 500), st.floats(0, 1), st.integers(2, 20))
def test_the_interval_is_that_of_wilson_for_the_rows_that_are_not_seen(n, share, times):
    found = round(share * n)
    bandit = make_bandit({}, {"size": times * n})
    for source in (0, 1):
        record(bandit, source, n, found)
    endless, finite = bandit.estimate(0), bandit.estimate(1)
    assert endless[0] == finite[0] == bandit.density[0] == found / n
    assert_allclose(endless[1:], share_interval(found / n, n, Z95), atol=1e-6)
    enough = n / unseen_factor([n], times * n)[0]
    assert_allclose(finite[1:], share_interval(found / n, enough, Z95), atol=1e-6)
    assert endless[1] <= finite[1] <= found / n <= finite[2] <= endless[2]


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_has_no_length_once_every_row_is_drawn(n, share):
    bandit = make_bandit({"size": n})
    record(bandit, 0, n, round(share * n))
    assert bandit.estimate(0) == (round(share * n) / n,) * 3


@pytest.mark.parametrize("n", [10, 30, 100, 180])
def test_the_interval_holds_the_density_of_a_finite_source(n):
    size = 200
    found = np.arange(n + 1)
    ends = []
    for count in found:
        bandit = make_bandit({"size": size})
        record(bandit, 0, n, count)
        ends.append(bandit.estimate(0)[1:])
    low, high = np.transpose(ends)
    covered = [
        hypergeom.pmf(found, size, rich, n)
        @ ((low <= rich / size) & (rich / size <= high))
        for rich in range(size + 1)
    ]
    # Counts are whole: no interval covers every density equally often.
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.84


@given(st.integers(0, 100), st.floats(0.5, 1), st.floats(0, 0.4))
def test_densities_are_corrected_by_the_detection_rates(found, sensitivity, fall_out):
    bandit = make_bandit({}, {"detection_rates": (sensitivity, fall_out)})
    for source in (0, 1):
        record(bandit, source, 100, found)
    plain, corrected = np.array([bandit.estimate(0), bandit.estimate(1)])
    expected = (plain - fall_out) / (sensitivity - fall_out)
    assert_allclose(corrected, np.clip(expected, 0, 1), atol=1e-12)
    assert bandit.density[1] == corrected[0]
    assert (bandit.history()["density_low"][1], corrected[2]) == (
        corrected[1],
        bandit.history()["density_high"][1],
    )


# History


def test_history_has_one_entry_per_round_in_every_column():
    bandit = make_bandit({}, {}, n_rounds=12)
    empty = bandit.history()
    assert {len(values) for values in empty.values()} == {0}
    play(bandit, [0.2, 0.4], np.random.RandomState(0), n_rounds=8)
    bandit.fail(0, "no answer")
    bandit.add("c")
    bandit.draw(2, 5)
    history = bandit.history()
    assert list(history) == list(empty)
    assert {values.shape for values in history.values()} == {(10,)}
    assert_array_equal(history["round"], np.arange(10))
    assert bandit.index_history().shape == (10, 3)


@pytest.mark.parametrize("policy", ["random", "kl_ucb"])
def test_history_adds_up_to_the_counts(policy):
    bandit = make_bandit({}, {"size": 65}, policy=policy, n_rounds=30, batch_size=20)
    play(bandit, [0.5, 0.6], np.random.RandomState(0))
    history = bandit.history()
    for source, name in enumerate(bandit.names):
        rounds = history["source"] == name
        assert rounds.sum() == bandit.n_pulls[source]
        assert history["n_drawn"][rounds].sum() == bandit.drawn[source]
        assert history["n_overlap"][rounds].sum() == bandit.found[source]
        last = [
            history[column][rounds][-1]
            for column in ("overlap_density", "density_low", "density_high")
        ]
        assert_array_equal(last, bandit.estimate(source))


@pytest.mark.parametrize("policy", sorted({*POLICIES} - {"thompson", "random"}))
def test_indices_follow_from_the_history_before_them(policy):
    arms = (
        {"size": 60, "cost": 1.0, "detection_rates": (0.9, 0.0)},
        {"size": 400, "cost": 2.0, "detection_rates": (0.8, 0.1)},
        {"size": 300, "cost": 1.5, "detection_rates": (1.0, 0.05)},
    )
    bandit = make_bandit(*arms, policy=policy, n_rounds=25, alpha=0.7)
    play(bandit, [0.3, 0.5, 0.4], np.random.RandomState(0))
    history, table = bandit.history(), bandit.index_history()
    pulls, drawn, found = (np.zeros(3, dtype=int) for _ in range(3))
    pool = np.array([arm["size"] for arm in arms])
    rates = np.array([arm["detection_rates"] for arm in arms]).T
    for t, name in enumerate(history["source"]):
        k = bandit.names.index(name)
        if t < 3:
            assert k == t
            assert np.isnan(table[t]).all()
        else:
            statistics = ArmStatistics(
                n_pulls=pulls,
                drawn=drawn,
                found=found,
                cost=np.array([arm["cost"] for arm in arms]),
                sensitivity=rates[0],
                fall_out=rates[1],
                is_open=drawn < pool,
                pool=pool,
                horizon=25,
                alpha=0.7,
                rng=None,
            )
            assert_array_equal(table[t], index_values(policy, statistics))
            assert table[t, k] == table[t][drawn < pool].max()
        assert_array_equal(history["index"][t], table[t, k])
        pulls[k] += 1
        drawn[k] += history["n_drawn"][t]
        found[k] += int(history["n_overlap"][t])


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_pickled_bandit_goes_on_the_same(policy):
    sources = {"size": 150}, {"size": 90, "cost": 2.0}
    bandit = make_bandit(*sources, policy=policy, n_rounds=20)
    rng = np.random.RandomState(0)
    play(bandit, [0.3, 0.4], rng, n_rounds=9)
    bandit.fail(0, "no answer")
    bandit.draw(1, 4)
    copy, other_rng = pickle.loads(pickle.dumps((bandit, rng)))
    for one, draws in ((bandit, rng), (copy, other_rng)):
        one.rate([2])
        play(one, [0.3, 0.4], draws)
    assert bandit.n_rounds == 20
    assert_same_run(bandit, copy)

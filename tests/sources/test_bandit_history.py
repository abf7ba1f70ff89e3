"""What a run knows of its draws: ratings, densities and the history."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import hypergeom

from sklearn_w2s._algorithms.bandit import ArmStatistics, unseen_factor
from sklearn_w2s._algorithms.shares import share_interval
from sklearn_w2s.sources._bandit import POLICIES, index_values

Z95 = 1.959964
COUNTS = ("n_pulls", "drawn", "rated", "found", "is_open")


def record(bandit, source, n_drawn, reward, indices=None):
    bandit.draw(source, n_drawn, indices)
    bandit.rate([reward])


def assert_same_run(one, other):
    for counts in COUNTS:
        assert_array_equal(getattr(one, counts), getattr(other, counts))
    assert_array_equal(one.index_history(), other.index_history())
    for column, values in one.history().items():
        assert_array_equal(other.history()[column], values)


# Ratings


def test_rows_count_when_drawn_and_for_the_index_when_rated(make_bandit):
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


def test_rows_that_are_not_rated_change_no_index(make_bandit):
    rated, waiting = make_bandit({}, {}), make_bandit({}, {})
    for bandit in (rated, waiting):
        record(bandit, 0, 10, 5)
        record(bandit, 1, 10, 4)
    waiting.draw(1, 10)
    assert_array_equal(waiting.index(), rated.index())


def test_failures_between_draws_take_no_rating(make_bandit):
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
def test_ratings_that_replace_others_are_as_if_they_came_first(make_bandit, rounds):
    sources = {"size": 200}, {"size": 90, "cost": 2.0}, {"detection_rates": (0.9, 0.1)}
    first, anew = make_bandit(*sources), make_bandit(*sources)
    for source, share in rounds:
        record(first, source, 10, 10 * share)
        record(anew, source, 10, 10 * (1 - share))
    anew.forget_ratings()
    assert_array_equal(anew.rated, 0)
    anew.rate([10 * share for _, share in rounds])
    assert_same_run(first, anew)


def test_rewards_may_be_fractions_of_rows(make_bandit):
    bandit = make_bandit({}, {})
    record(bandit, 0, 10, 2.5)
    record(bandit, 0, 10, 3.25)
    assert bandit.density[0] == 5.75 / 20
    assert_array_equal(bandit.history()["n_overlap"], [2.5, 3.25])


# Densities


def test_a_source_of_which_nothing_was_drawn_has_no_density_and_no_index(make_bandit):
    bandit = make_bandit({"size": 4}, {"size": 4})
    record(bandit, 0, 4, 1)
    assert_array_equal(bandit.density, [0.25, np.nan])
    assert_array_equal(bandit.index(), [0.25, np.nan])
    assert np.isnan(bandit.estimate(1)).all()


@given(st.integers(1, 500), st.floats(0, 1), st.integers(2, 20))
def test_the_interval_is_that_of_wilson_for_the_rows_that_are_not_seen(
    make_bandit, n, share, times
):
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
def test_the_interval_has_no_length_once_every_row_is_drawn(make_bandit, n, share):
    bandit = make_bandit({"size": n})
    record(bandit, 0, n, round(share * n))
    assert bandit.estimate(0) == (round(share * n) / n,) * 3


@pytest.mark.parametrize("n", [10, 30, 100, 180])
def test_the_interval_holds_the_density_of_a_finite_source(make_bandit, n):
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
def test_densities_are_corrected_by_the_detection_rates(
    make_bandit, found, sensitivity, fall_out
):
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


def test_history_has_one_entry_per_round_in_every_column(make_bandit, play):
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
def test_history_adds_up_to_the_counts(make_bandit, play, policy):
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
def test_indices_follow_from_the_history_before_them(make_bandit, play, policy):
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
def test_a_pickled_bandit_goes_on_the_same(make_bandit, play, policy):
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


def test_of_many_sources_only_the_index_of_the_one_drawn_is_kept(make_bandit):
    bandit = make_bandit(n_rounds=1_010, batch_size=1)
    for k in range(1_001):
        bandit.add(f"source {k}")
    while bandit.stop_reason() is None:
        source, indices = bandit.choose()
        bandit.draw(source, 1, indices)
        bandit.rate([source % 2])
    history, table = bandit.history(), bandit.index_history()
    chosen = np.array([bandit.positions[name] for name in history["source"]])
    assert np.isnan(table[:1_001]).all()
    assert_array_equal(table[range(1_010), chosen], history["index"])
    assert np.isfinite(table).sum() == 9
    assert not any(len(indices) for indices in bandit._indices)


def test_sources_that_come_one_by_one_keep_the_counts_of_those_before(make_bandit):
    bandit = make_bandit()
    for k in range(50):
        bandit.add(f"source {k}", size=k + 1, cost=k + 2, detection_rates=(1, 0.5))
        bandit.draw(k, k + 1)
        bandit.rate([k])
    assert_array_equal(bandit.drawn, np.arange(50) + 1)
    assert_array_equal(bandit.pool, bandit.rated)
    assert_array_equal(bandit.found, np.arange(50))
    assert_array_equal(bandit.cost, np.arange(50) + 2)
    assert_array_equal(bandit.fall_out, np.full(50, 0.5))
    assert bandit.is_open.all()
    assert bandit.positions["source 49"] == 49

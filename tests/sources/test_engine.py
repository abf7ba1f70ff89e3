import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s.sources._engine import RowPool, SourceBandit, draw_each, play

limits = st.one_of(st.none(), st.integers(1, 60))


def open_pool(sizes, *, batch_size=4, n_rounds=None, budget=None, seed=0):
    ends = np.cumsum(sizes)
    return RowPool(
        np.split(np.arange(ends[-1]), ends[:-1]),
        batch_size=batch_size,
        n_rounds=n_rounds,
        budget=budget,
        rng=np.random.RandomState(seed),
    )


def make_bandit(pool, policy="kl_ucb", seed=0):
    rng = np.random.RandomState(seed)
    return SourceBandit(pool.sizes, policy, horizon=pool.horizon, alpha=1.0, rng=rng)


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=4).filter(any),
    st.integers(1, 9),
    limits,
    limits,
    st.sampled_from(["kl_ucb", "ucb1", "paper", "reference", "random"]),
)
def test_limits_are_met_exactly_and_no_row_comes_twice(
    sizes, batch_size, n_rounds, budget, policy
):
    pool = open_pool(sizes, batch_size=batch_size, n_rounds=n_rounds, budget=budget)
    batches = play(pool, make_bandit(pool, policy), lambda _, rows: len(rows) // 2)

    rows = np.concatenate(batches)
    assert len(np.unique(rows)) == len(rows)
    assert len(rows) == sum(sizes) - pool.remaining.sum()
    assert len(batches) <= (n_rounds or np.inf)
    assert len(rows) <= (budget or np.inf)
    ended = len(batches) == n_rounds or len(rows) == budget or not pool.remaining.any()
    assert ended


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=4).filter(any),
    st.integers(1, 9),
    st.integers(1, 3),
)
def test_the_burn_in_takes_what_it_says(sizes, batch_size, n_pulls):
    pool = open_pool(sizes, batch_size=batch_size)
    needs = pool.burn_in_needs(n_pulls)
    rounds = draw_each(pool, n_pulls)
    assert needs == (len(rounds), sum(len(rows) for _, rows in rounds))


def test_the_burn_in_takes_turns():
    pool = open_pool([8, 4, 12])
    assert [source for source, _ in draw_each(pool, 2)] == [0, 1, 2, 0, 2]


def test_rows_come_from_the_source_asked_for():
    pool = open_pool([10, 10])
    assert_array_equal(pool.draw(1) >= 10, True)
    assert_array_equal(pool.draw(0) < 10, True)


def test_the_order_within_a_source_is_shuffled_once():
    first = open_pool([40], batch_size=40, seed=1).draw(0)
    again = open_pool([40], batch_size=40, seed=1).draw(0)
    other = open_pool([40], batch_size=40, seed=2).draw(0)
    assert_array_equal(first, again)
    assert (first != other).any()


def test_the_last_batch_may_be_short():
    pool = open_pool([6], batch_size=4)
    assert [len(pool.draw(0)), len(pool.draw(0))] == [4, 2]
    assert not pool.is_open


def test_the_horizon_is_the_tightest_limit():
    assert open_pool([10, 3]).horizon == 4
    assert open_pool([10, 3], n_rounds=2).horizon == 2
    assert open_pool([10, 3], budget=9).horizon == 3


def test_an_exhausted_source_drops_out():
    pool = open_pool([4, 40])
    bandit = make_bandit(pool)
    for source, rows in draw_each(pool, 1):
        bandit.record(source, len(rows), len(rows) if source == 0 else 0)
    play(pool, bandit, lambda *_: 0)
    assert_array_equal(bandit.n_pulls, [1, 10])


def test_the_reward_sees_every_batch_once():
    pool = open_pool([9, 9])
    seen = []
    batches = play(pool, make_bandit(pool), lambda _, rows: seen.append(rows) or 0)
    assert len(seen) == len(batches)
    for one, other in zip(seen, batches, strict=True):
        assert one is other


def test_history_adds_up_to_the_counts():
    pool = open_pool([30, 20])
    bandit = make_bandit(pool, "random")
    play(pool, bandit, lambda source, rows: int((rows % (source + 2) == 0).sum()))
    names = np.array(["a", "b"])
    history = bandit.history(names)
    for source, name in enumerate(names):
        rounds = history["source"] == name
        assert rounds.sum() == bandit.n_pulls[source]
        assert history["n_drawn"][rounds].sum() == bandit.drawn[source]
        assert history["n_overlap"][rounds].sum() == bandit.found[source]
        assert history["overlap_density"][rounds][-1] == bandit.density[source]
    assert_array_equal(history["round"], np.arange(len(history["round"])))


def test_a_source_of_which_nothing_was_drawn_has_no_density_and_no_index():
    pool = open_pool([4, 0])
    bandit = make_bandit(pool)
    play(pool, bandit, lambda *_: 1)
    assert_array_equal(bandit.density, [0.25, np.nan])
    assert_array_equal(bandit.index(), [0.25, np.nan])

"""Known densities, known optimum: what each policy collects, and when it is sure."""

import numpy as np
import pytest
from scipy.stats import binom

from sklearn_w2s._algorithms.bandit import fair_share_level, kl_ucb_index
from sklearn_w2s.sources._bandit import Limits, SourceBandit

DENSITIES = (0.08, 0.44)
POOL_SIZE = 4000
N_ROUNDS, BATCH_SIZE = 50, 38
TEN_SOURCES = (0.1,) * 9 + (0.2,)


def make_bandit(policy, n_sources, batch_size, rng, *, pool=np.inf, **limits):
    nothing = dict.fromkeys(("n_rounds", "budget", "cost_budget", "confidence"))
    bandit = SourceBandit(
        policy=policy,
        alpha=1.0,
        burn_in=1,
        max_failures=3,
        limits=Limits(batch_size, **nothing | limits),
        rng=rng,
    )
    for source in range(n_sources):
        bandit.add(str(source), size=pool)
    return bandit


def play(bandit, count_overlap):
    while bandit.stop_reason() is None:
        source, indices = bandit.choose()
        n = bandit.batch_size(source)
        bandit.draw(source, n, indices)
        bandit.rate([count_overlap(source, n)])


def collected_density(policy, rng):
    """Share of overlap rows among all rows drawn in one run."""
    is_overlap = np.zeros((len(DENSITIES), POOL_SIZE), dtype=bool)
    for rows, density in zip(is_overlap, DENSITIES, strict=True):
        rows[: round(density * POOL_SIZE)] = True
        rng.shuffle(rows)

    def count_overlap(source, n):
        start = bandit.drawn[source] - n
        return np.count_nonzero(is_overlap[source, start : start + n])

    n_sources = len(DENSITIES)
    limits = {"pool": POOL_SIZE, "n_rounds": N_ROUNDS}
    bandit = make_bandit(policy, n_sources, BATCH_SIZE, rng, **limits)
    play(bandit, count_overlap)
    assert bandit.drawn.sum() == N_ROUNDS * BATCH_SIZE
    return bandit.found.sum() / bandit.drawn.sum()


def mean_density(policy, n_runs=40):
    return np.mean(
        [collected_density(policy, np.random.RandomState(run)) for run in range(n_runs)]
    )


@pytest.mark.parametrize(
    ("policy", "low", "high"),
    [
        ("kl_ucb", 0.427, 0.438),
        ("ucb1", 0.427, 0.438),
        ("ucb_tuned", 0.427, 0.438),
        ("thompson", 0.427, 0.438),
        ("greedy", 0.427, 0.438),
        ("reference", 0.37, 0.41),
        ("paper", 0.33, 0.37),
        ("random", 0.24, 0.28),
    ],
)
def test_counting_rows_collects_more_overlap_than_counting_rounds(policy, low, high):
    assert low < mean_density(policy) < high


# Many runs at once


def rows_by_source(densities, n_rows, batch_size, n_runs, seed=0):
    """Rows that "kl_ucb" draws of each endless source, in runs side by side."""
    rng = np.random.RandomState(seed)
    rates, runs = np.array(densities), np.arange(n_runs)
    n_sources = len(rates)
    drawn = np.full((n_runs, n_sources), batch_size)
    found = rng.binomial(batch_size, rates, size=drawn.shape)
    for t in range(n_sources * batch_size, n_rows, batch_size):
        index = kl_ucb_index(found, drawn, fair_share_level(t, drawn, n_sources))
        # Ties go to the fewest rows, as everywhere.
        best = index == index.max(axis=1, keepdims=True)
        source = np.where(best, drawn, n_rows + 1).argmin(axis=1)
        found[runs, source] += rng.binomial(batch_size, rates[source])
        drawn[runs, source] += batch_size
    return drawn


def test_runs_side_by_side_choose_as_the_bandit_does():
    drawn = rows_by_source(TEN_SOURCES, 600, 10, n_runs=1)[0]
    rng = np.random.RandomState(0)
    bandit = make_bandit("kl_ucb", len(TEN_SOURCES), 10, rng, budget=600)
    play(bandit, lambda source, n: rng.binomial(n, TEN_SOURCES[source]))
    assert bandit.drawn.tolist() == drawn.tolist()


def test_one_rich_source_of_ten_is_found_within_a_thousand_rows():
    drawn = rows_by_source(TEN_SOURCES, 1000, 10, n_runs=200)
    density = drawn @ np.array(TEN_SOURCES) / 1000
    assert density.mean() >= 0.15
    assert density.std() <= 0.02


def lai_robbins_constant(densities):
    """Regret per log n that no consistent policy stays below."""
    rates = np.array(densities)
    best = rates.max()
    worse = rates[rates < best]
    divergence = worse * np.log(worse / best) + (1 - worse) * np.log(
        (1 - worse) / (1 - best)
    )
    return ((best - worse) / divergence).sum()


@pytest.mark.parametrize("densities", [DENSITIES, (0.3, 0.36), TEN_SOURCES])
def test_the_regret_after_the_first_round_grows_like_log_n(densities):
    batch_size, gaps = 10, max(densities) - np.array(densities)
    floor = batch_size * gaps.sum()
    ratios = []
    for n_rows in (1000, 10_000):
        drawn = rows_by_source(densities, n_rows, batch_size, n_runs=60)
        excess = (drawn @ gaps).mean() - floor
        ratios.append(excess / lai_robbins_constant(densities) / np.log(n_rows))
    assert max(ratios) < 2
    # A regret that grew with n would be some 7 times as much per log n.
    assert ratios[1] < 3 * max(ratios[0], 0.1)


# Confidence

THREE_SOURCES, BEST = (0.3, 0.5, 0.45), 1


def named_best(policy, seed, **limits):
    """Which source has the highest density when drawing stops, and the bandit."""
    rng = np.random.RandomState(seed)
    limits = {"confidence": 0.9} | limits
    bandit = make_bandit(policy, 3, 1000, rng, **limits)
    play(bandit, lambda source, n: rng.binomial(n, THREE_SOURCES[source]))
    return int(np.argmax(bandit.density)), bandit


def test_the_wrong_source_is_named_no_more_often_than_said():
    wrong, rows = 0, []
    for seed in range(200):
        best, bandit = named_best("kl_lucb", seed)
        assert bandit.stop_reason() == "confidence"
        wrong += best != BEST
        rows.append(bandit.drawn.sum())
    assert wrong <= binom.ppf(0.999, 200, 0.1)
    at_random = [named_best("random", seed)[1].drawn.sum() for seed in range(50)]
    assert np.mean(rows) < 0.85 * np.mean(at_random)


def test_with_few_rows_nothing_is_sure():
    for seed in range(20):
        assert named_best("kl_lucb", seed, budget=3000)[1].stop_reason() == "budget"

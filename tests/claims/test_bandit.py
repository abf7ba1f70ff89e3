"""Known densities, known optimum: what each policy collects from two sources."""

import numpy as np
import pytest

from sklearn_w2s.sources._engine import RowPool, SourceBandit, draw_each, play

DENSITIES = (0.08, 0.44)
POOL_SIZE = 4000
N_ROUNDS, BATCH_SIZE = 50, 38


def collected_density(policy, rng):
    """Share of overlap rows among all rows drawn in one run."""
    is_overlap = np.zeros((len(DENSITIES), POOL_SIZE), dtype=bool)
    for source, density in enumerate(DENSITIES):
        is_overlap[source, : round(density * POOL_SIZE)] = True

    def count_overlap(source, rows):
        return int(is_overlap[source, rows].sum())

    pool = RowPool(
        [np.arange(POOL_SIZE)] * len(DENSITIES),
        batch_size=BATCH_SIZE,
        n_rounds=N_ROUNDS,
        budget=None,
        rng=rng,
    )
    bandit = SourceBandit(pool.sizes, policy, horizon=pool.horizon, alpha=1.0, rng=rng)
    for source, rows in draw_each(pool, 1):
        bandit.record(source, len(rows), count_overlap(source, rows))
    play(pool, bandit, count_overlap)
    assert bandit.drawn.sum() == N_ROUNDS * BATCH_SIZE
    return bandit.found.sum() / bandit.drawn.sum()


def mean_density(policy, n_runs=40):
    return np.mean(
        [collected_density(policy, np.random.RandomState(run)) for run in range(n_runs)]
    )


@pytest.mark.parametrize(
    ("policy", "low", "high"),
    [
        ("kl_ucb", 0.42, 0.44),
        ("ucb1", 0.42, 0.44),
        ("reference", 0.37, 0.41),
        ("paper", 0.33, 0.37),
        ("random", 0.24, 0.28),
    ],
)
def test_counting_rows_collects_more_overlap_than_counting_rounds(policy, low, high):
    assert low < mean_density(policy) < high

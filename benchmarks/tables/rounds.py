"""What a round costs, however many were before it, and however many sources are."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator

from benchmarks.tables._results import RESULTS, peak_mib, write
from sklearn_w2s import UCBSourceSelector
from tests.known_regions import KnownRegions

RESULT = RESULTS / "rounds.csv"
MANY = RESULTS / "many_sources.csv"
N_SOURCES = [1_000, 10_000, 100_000]
N_PULLS = 200
# Rows told of each source: equal counts, and counts that hardly two sources share.
TOLD = {"32 rows each": (32, 33), "1 to 1,000 rows each": (1, 1_001)}
N_ROUNDS = [1_000, 3_000, 10_000]
N_REPETITIONS = 2
N_FEATURES, BATCH = 10, 64
DENSITIES = (0.1, 0.2, 0.3, 0.4)
# Reads regions off the first column, at no cost.
DETECTOR = KnownRegions().fit(np.zeros((1, N_FEATURES)))


class Endless:
    """A source that gives rows of a density as long as it is asked."""

    def __init__(self, density, seed):
        self._density = density
        self._rng = np.random.default_rng(seed)

    def __call__(self, n):
        """Return n rows."""
        rows = self._rng.random((n, N_FEATURES))
        rows[:, 0] = 0.5 + self._density - rows[:, 0]
        return rows


def selector(n_rounds, **params):
    """Return a selector that has to draw so many rounds."""
    return UCBSourceSelector(
        overlap_detector=FrozenEstimator(DETECTOR),
        n_rounds=n_rounds,
        batch_size=BATCH,
        random_state=0,
        **params,
    )


def ask_and_tell(n_rounds):
    """Ask for sources, and tell counts."""
    model, rng = selector(n_rounds), np.random.default_rng(0)
    names = [f"source_{k}" for k in range(len(DENSITIES))]
    densities = dict(zip(names, DENSITIES, strict=True))
    while (name := model.pull(names)) is not None:
        n_overlap = rng.binomial(BATCH, densities[name])
        model.update(name, n_drawn=BATCH, n_overlap=n_overlap)
    return model


def from_sources(n_rounds, **params):
    """Draw from callables."""
    sources = {f"source_{k}": Endless(p, k) for k, p in enumerate(DENSITIES)}
    return selector(n_rounds, **params).fit_sources(sources)


def with_checkpoint(n_rounds):
    """Draw from callables, and keep every step on disk."""
    with tempfile.TemporaryDirectory() as folder:
        return from_sources(n_rounds, checkpoint=Path(folder) / "run")


def cost(call, n_rounds):
    """Return the time that passes, and that of the processor alone."""
    passed, busy = time.perf_counter(), time.process_time()
    call(n_rounds)
    return time.perf_counter() - passed, time.process_time() - busy


WAYS = {
    "pull and update": (ask_and_tell, False),
    "fit_sources": (from_sources, True),
    "fit_sources, checkpoint": (with_checkpoint, True),
}


def times_of_pulls(n_sources, told, policy):
    """Return the times of the processor that pulls take, after all sources are told."""
    rng = np.random.default_rng(0)
    names = [f"source_{k}" for k in range(n_sources)]
    model = UCBSourceSelector(policy=policy, random_state=0)
    for name, density in zip(names, rng.beta(2, 5, n_sources), strict=True):
        n_drawn = int(rng.integers(*TOLD[told]))
        n_overlap = rng.binomial(n_drawn, density)
        model.update(name, n_drawn=n_drawn, n_overlap=n_overlap)
    times = []
    for _ in range(N_PULLS):
        start = time.process_time()
        name = model.pull(names)
        times.append(time.process_time() - start)
        model.update(name, n_drawn=BATCH, n_overlap=rng.binomial(BATCH, 0.3))
    return 1000 * np.array(times)


def fit_one_row_each(n_sources):
    """Draw the only row of every source of a table."""
    X = np.random.default_rng(0).random((n_sources, N_FEATURES)) - 0.5
    sources = np.array([f"source_{k:06d}" for k in range(n_sources)])
    model = UCBSourceSelector(overlap_detector=FrozenEstimator(DETECTOR))
    model.fit(X, np.full(n_sources, -1), sample_source=sources)


def many_sources():
    """Return a row per number of sources, of what is done with them."""
    rows = []
    for n_sources in N_SOURCES:
        for policy in ("kl_ucb", "ucb1"):
            for told in TOLD:
                times = times_of_pulls(n_sources, told, policy)
                rows.append(
                    {
                        "what": f"pull, {policy}, {told}",
                        "n_sources": n_sources,
                        "median_cpu_ms": f"{np.median(times):.2f}",
                        "largest_cpu_ms": f"{times.max():.2f}",
                    }
                )
                print(*rows[-1].values(), sep=", ", flush=True)
        start = time.process_time()
        fit_one_row_each(n_sources)
        milliseconds = f"{1000 * (time.process_time() - start):.0f}"
        rows.append(
            {
                "what": "fit, one row each",
                "n_sources": n_sources,
                "median_cpu_ms": milliseconds,
                "largest_cpu_ms": milliseconds,
            }
        )
        print(*rows[-1].values(), sep=", ", flush=True)
    return rows


def main():
    """Write both tables, or the one that is named: rounds or sources."""
    chosen = sys.argv[1:] or ["rounds", "sources"]
    if "rounds" in chosen:
        write(RESULT, rounds())
    if "sources" in chosen:
        write(MANY, many_sources())


def rounds():
    """Return a row per way to draw and number of rounds."""
    rows = []
    for way, (call, keeps_rows) in WAYS.items():
        for n_rounds in N_ROUNDS:
            runs = [cost(call, n_rounds) for _ in range(N_REPETITIONS)]
            passed, busy = np.min(runs, axis=0)
            drawn = n_rounds * BATCH * N_FEATURES * 8 / 2**20 if keeps_rows else 0.0
            peak = peak_mib(call, n_rounds) - drawn
            rows.append(
                {
                    "way": way,
                    "n_rounds": n_rounds,
                    "rows_per_round": BATCH,
                    "n_sources": len(DENSITIES),
                    "seconds": f"{passed:.2f}",
                    "ms_per_round": f"{1000 * passed / n_rounds:.3f}",
                    "cpu_ms_per_round": f"{1000 * busy / n_rounds:.3f}",
                    "rows_mib": f"{drawn:.1f}",
                    "peak_mib_beyond_rows": f"{peak:.2f}",
                    "kib_beyond_rows_per_round": f"{1024 * peak / n_rounds:.3f}",
                }
            )
            print(*rows[-1].values(), sep=", ", flush=True)
    return rows


if __name__ == "__main__":
    main()

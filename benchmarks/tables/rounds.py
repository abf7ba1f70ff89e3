"""What a round costs, however many were before it."""

import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from benchmarks.tables._results import RESULTS, peak_mib, write
from sklearn_w2s import UCBSourceSelector

RESULT = RESULTS / "rounds.csv"
N_ROUNDS = [1_000, 3_000, 10_000]
N_REPETITIONS = 2
N_FEATURES, BATCH = 10, 64
DENSITIES = (0.1, 0.2, 0.3, 0.4)


class KnownRegions(BaseEstimator):
    """A detector of no cost: the first column says what is overlap."""

    def fit(self, X, y=None):
        """Learn nothing."""
        return self

    def predict(self, X):
        """Name the region of each row."""
        return np.where(X[:, 0] > 0, "overlap", "hard")

    def __sklearn_is_fitted__(self):
        return True


class Endless:
    """A source that gives rows of a density as long as it is asked."""

    def __init__(self, density, seed):
        self._density = density
        self._rng = np.random.default_rng(seed)

    def __call__(self, n):
        """Return n rows."""
        rows = self._rng.random((n, N_FEATURES))
        rows[:, 0] = self._density - rows[:, 0]
        return rows


def selector(n_rounds, **params):
    """Return a selector that has to draw so many rounds."""
    return UCBSourceSelector(
        overlap_detector=FrozenEstimator(KnownRegions()),
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


def main():
    """Write the table."""
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
    write(RESULT, rows)


if __name__ == "__main__":
    main()

"""Time and memory of the detector on many rows, each case in a fresh process."""

import csv
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

import sklearn_w2s
from sklearn_w2s import OverlapDetector

N_EASY, N_HARD = 20, 30
DENSITY, ABSENT_NOISE = 0.3, 0.5
N_LABELED = 10_000
BATCH = 100_000
RESULT = Path(__file__).resolve().parents[1] / "results" / "scale.csv"


def draw(n, seed):
    """Draw rows of one problem, in the manner of `make_overlap_classification`.

    Its centres are the same in each call, and its rows are float32.
    """
    rng = np.random.default_rng([seed])
    theta = np.random.default_rng(0).uniform(size=N_EASY + N_HARD).astype(np.float32)
    y = rng.integers(2, size=n)
    X = rng.standard_normal((n, N_EASY + N_HARD), dtype=np.float32)
    shares = [DENSITY, (1 - DENSITY) / 2, (1 - DENSITY) / 2]
    region = rng.choice(["overlap", "easy", "hard"], size=n, p=shares)
    sign = (2 * y - 1).astype(np.float32)[:, None]
    blocks = (("hard", slice(0, N_EASY)), ("easy", slice(N_EASY, None)))
    for lacking, block in blocks:
        absent = (region == lacking)[:, None]
        present = sign * theta[block] + np.float32(5**0.5) * X[:, block]
        X[:, block] = np.where(absent, ABSENT_NOISE * X[:, block], present)
    return X, y, region == "overlap"


def new_detector():
    """Return the detector of all cases."""
    return OverlapDetector(
        LogisticRegression(),
        weak_features=slice(0, N_EASY),
        max_references=5000,
        random_state=0,
    )


def hide(y):
    """Return labels of the first rows only."""
    return np.where(np.arange(len(y)) < N_LABELED, y, -1)


def fit_at_once():
    """Fit on 1e6 rows in memory."""
    parts = [draw(BATCH, seed) for seed in range(10)]
    X, y, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    del parts
    detector = new_detector()
    start = time.perf_counter()
    detector.fit(X, hide(y))
    yield "fit", len(X), time.perf_counter() - start, detector, truth.mean()


def stream():
    """Take 1e7 rows in batches: thresholds first, then the regions of all."""
    detector, seconds, true_density = new_detector(), 0.0, []
    for seed in range(100):
        X, y, truth = draw(BATCH, seed)
        y = hide(y) if seed == 0 else None
        start = time.perf_counter()
        detector.partial_fit(X, y)
        seconds += time.perf_counter() - start
        true_density.append(truth.mean())
    yield "partial_fit", 100 * BATCH, seconds, detector, np.mean(true_density)
    seconds, found = 0.0, []
    for seed in range(100):
        X, _, _ = draw(BATCH, seed)
        start = time.perf_counter()
        found.append((detector.predict(X) == "overlap").mean())
        seconds += time.perf_counter() - start
    detector.overlap_density_ = np.mean(found)
    yield "predict", 100 * BATCH, seconds, detector, np.mean(true_density)


CASES = {"at once": fit_at_once, "stream": stream}


def run(case):
    """Print a row of the table for each step of a case."""
    for step, n_rows, seconds, detector, true_density in CASES[case]():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        row = [case, step, n_rows, N_EASY + N_HARD, f"{seconds:.1f}", f"{peak:.0f}"]
        row += [f"{detector.overlap_density_:.4f}", f"{true_density:.4f}"]
        print(",".join(map(str, row)), flush=True)


def main():
    """Write the table."""
    header = [
        *("case", "step", "n_rows", "n_columns", "seconds", "peak_rss_mib"),
        *("overlap_density", "true_density", "n_cpus"),
        *("sklearn_w2s_version", "sklearn_version", "numpy_version", "python_version"),
    ]
    versions = [
        *(os.cpu_count(), sklearn_w2s.__version__, sklearn.__version__),
        *(np.__version__, platform.python_version()),
    ]
    rows = []
    for case in CASES:
        command = [sys.executable, __file__, case]
        lines = subprocess.run(command, check=True, capture_output=True, text=True)
        rows += [line.split(",") + versions for line in lines.stdout.splitlines()]
        print(lines.stdout, end="")
    with RESULT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    run(sys.argv[1]) if len(sys.argv) > 1 else main()

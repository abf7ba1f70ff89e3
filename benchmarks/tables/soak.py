"""Twenty minutes of random operations in one process, and the memory that it holds.

A leak shows as a slope: the table has the memory minute by minute, and the last line of
the output the slope after the first quarter, in which allocators and caches fill.
"""

import argparse
import gc
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from benchmarks.tables._results import RESULTS, write
from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
)
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledSplit, cross_validate_gap

RESULT = RESULTS / "soak.csv"
EASY = slice(0, 20)
STRATEGIES = ["all", "confidence", "confident", "overlap", "smooth", "mix", "auto"]


def draw_rows(rng):
    """Draw rows of which some are labeled."""
    X, y, _ = make_overlap_classification(
        int(rng.integers(200, 1000)),
        overlap_density=rng.uniform(0.1, 0.5),
        random_state=int(rng.integers(2**31)),
    )
    y[int(rng.integers(60, 120)) :] = -1
    return X, y


def classifier(rng):
    """Return a classifier of random parts."""
    weak = [LogisticRegression(), GaussianNB()][rng.integers(2)]
    strong = [LogisticRegression(C=0.01), DecisionTreeClassifier()][rng.integers(2)]
    return WeakToStrongClassifier(
        weak, strong, weak_features=EASY, strategy=str(rng.choice(STRATEGIES))
    )


def detect(rng):
    """Fit a detector and ask all that it can be asked."""
    X, y = draw_rows(rng)
    detector = OverlapDetector(GaussianNB(), weak_features=EASY).fit(X, y)
    detector.predict(X)
    detector.transform(X)


def stream(rng):
    """Fit a detector batch by batch."""
    detector = OverlapDetector(GaussianNB(), weak_features=EASY, reservoir_size=200)
    for _ in range(5):
        detector.partial_fit(*draw_rows(rng))


def resample(rng):
    """Keep the rows of a region."""
    detector = OverlapDetector(GaussianNB(), weak_features=EASY)
    OverlapSampler(detector).fit_resample(*draw_rows(rng))


def train(rng):
    """Fit and predict."""
    X, y = draw_rows(rng)
    classifier(rng).fit(X, y).predict_proba(X)


def search(rng):
    """Search a grid of thresholds."""
    model = WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(C=0.01),
        weak_features=EASY,
        strategy="confident",
        overlap_detector=OverlapDetector(threshold_type="quantile"),
    )
    grid = {"overlap_detector__confidence_threshold": [0.2, 0.4, 0.6]}
    GridSearchCV(model, grid, cv=LabeledSplit(3)).fit(*draw_rows(rng))


def compare(rng):
    """Measure the gap."""
    cross_validate_gap(classifier(rng), *draw_rows(rng), cv=2)


def select(rng):
    """Draw from sources."""
    X, y = draw_rows(rng)
    detector = OverlapDetector(GaussianNB(), weak_features=EASY)
    selector = UCBSourceSelector(overlap_detector=detector, n_rounds=5)
    selector.fit(X, y, sample_source=rng.integers(3, size=len(y)))


def keep(rng):
    """Pickle a fitted classifier, and let the copy predict."""
    X, y = draw_rows(rng)
    pickle.loads(pickle.dumps(classifier(rng).fit(X, y))).predict(X)


OPERATIONS = [detect, stream, resample, train, search, compare, select, keep]


def memory_mib():
    """Return the memory that the process holds now."""
    status = Path("/proc/self/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args(arguments)
    if chosen.minutes < 4:
        parser.error("fewer than 4 minutes have no slope")
    # What is said of the data is not what is measured.
    warnings.simplefilter("ignore", UserWarning)
    rng, rows = np.random.default_rng(0), []
    start, n_done = time.perf_counter(), dict.fromkeys(OPERATIONS, 0)
    while (minutes := (time.perf_counter() - start) / 60) < chosen.minutes:
        operation = OPERATIONS[rng.integers(len(OPERATIONS))]
        operation(rng)
        n_done[operation] += 1
        if minutes >= len(rows):
            gc.collect()
            counts = {o.__name__: n for o, n in n_done.items()}
            memory = {"minute": len(rows), "memory_mib": f"{memory_mib():.1f}"}
            rows.append(memory | counts)
            write(chosen.out, rows)
    later = rows[len(rows) // 4 :]
    memory = [float(row["memory_mib"]) for row in later]
    slope, _ = np.polyfit([row["minute"] for row in later], memory, 1)
    print(f"{sum(n_done.values())} operations, {slope:+.2f} MiB a minute")


if __name__ == "__main__":
    main()

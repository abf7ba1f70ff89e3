"""Time a grid of overlap thresholds with and without a cache of the weak estimator."""

import os
import platform
import tempfile
import time
from statistics import median

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

import sklearn_w2s
from benchmarks.tables._results import RESULTS, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledSplit

REPETITIONS = 3
N_ROWS, N_LABELED = 10_000, 5_000
THRESHOLDS = np.linspace(0.05, 0.95, 10).round(2).tolist()
RESULT = RESULTS / "memory.csv"


def seconds(memory):
    """Return the time of the search."""
    X, y, _ = make_overlap_classification(N_ROWS, random_state=0)
    y[N_LABELED:] = -1
    model = WeakToStrongClassifier(
        HistGradientBoostingClassifier(random_state=0),
        LogisticRegression(),
        weak_features=slice(0, 20),
        strategy="overlap",
        overlap_detector=OverlapDetector(threshold_type="quantile", max_references=500),
        memory=memory,
        random_state=0,
    )
    grid = {"overlap_detector__overlap_threshold": THRESHOLDS}
    search = GridSearchCV(model, grid, cv=LabeledSplit(3), refit=False)
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


def main():
    """Write the table."""
    times = {"without memory": [], "with memory": []}
    for _ in range(REPETITIONS):
        times["without memory"].append(seconds(None))
        with tempfile.TemporaryDirectory() as folder:
            times["with memory"].append(seconds(folder))
    without = median(times["without memory"])
    rows = [
        {
            "search": name,
            "n_thresholds": len(THRESHOLDS),
            "n_folds": 3,
            "n_rows": N_ROWS,
            "median_seconds": f"{median(values):.2f}",
            "times_faster": f"{without / median(values):.2f}",
            "n_repetitions": REPETITIONS,
            "n_cpus": os.cpu_count(),
            "sklearn_w2s_version": sklearn_w2s.__version__,
            "sklearn_version": sklearn.__version__,
            "python_version": platform.python_version(),
        }
        for name, values in times.items()
    ]
    write(RESULT, rows)
    for row in rows:
        print(row["search"], row["median_seconds"], row["times_faster"])


if __name__ == "__main__":
    main()

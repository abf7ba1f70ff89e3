"""What fitting by a strategy costs beside fitting its two estimators by hand."""

import platform

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.tables._problems import paper_problem
from benchmarks.tables._results import RESULTS, seconds, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier

RESULT = RESULTS / "overhead.csv"
N_ROWS, N_FEATURES, N_LABELED = 100_000, 50, 1_000
STRATEGIES = ["all", "confidence", "confident", "overlap"]


def make_problem():
    """Return rows, labels with -1 for most of them, and the weak view."""
    problem = paper_problem(0, density=0.3, absent_noise=0.5, n=N_ROWS)
    noise = np.random.default_rng(0).normal(
        size=(N_ROWS, N_FEATURES - problem.X.shape[1])
    )
    y = np.where(np.arange(N_ROWS) < N_LABELED, problem.y, -1)
    return np.hstack([problem.X, noise]), y, problem.weak_features


def by_hand(X, y, weak_features):
    """Fit the weak estimator, label all other rows, fit the strong one on all."""
    labeled = y >= 0
    weak = LogisticRegression().fit(X[labeled][:, weak_features], y[labeled])
    labels = np.where(labeled, y, weak.predict(X[:, weak_features]))
    return HistGradientBoostingClassifier(random_state=0).fit(X, labels)


def by_strategy(X, y, weak_features, strategy):
    """Do the same by a strategy."""
    return WeakToStrongClassifier(
        LogisticRegression(),
        HistGradientBoostingClassifier(random_state=0),
        weak_features=weak_features,
        strategy=strategy,
        pseudo_labels="hard",
        overlap_detector=(
            OverlapDetector(max_references=500, random_state=0)
            if strategy in ("confident", "overlap")
            else None
        ),
    ).fit(X, y)


def main():
    """Write the table."""
    problem = make_problem()
    base = seconds(lambda: by_hand(*problem))
    rows = []
    for strategy in STRATEGIES:
        taken = seconds(lambda strategy=strategy: by_strategy(*problem, strategy))
        rows.append(
            {
                "strategy": strategy,
                "seconds": f"{taken:.2f}",
                "seconds_by_hand": f"{base:.2f}",
                "ratio": f"{taken / base:.3f}",
                "n_rows": N_ROWS,
                "n_features": N_FEATURES,
                "n_labeled": N_LABELED,
                "sklearn_version": sklearn.__version__,
                "python_version": platform.python_version(),
            }
        )
        print(rows[-1])
    write(RESULT, rows)


if __name__ == "__main__":
    main()

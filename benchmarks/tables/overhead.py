"""What fitting by a strategy costs beside fitting its two estimators by hand."""

import platform
from functools import partial

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.tables._problems import paper_problem
from benchmarks.tables._results import RESULTS, seconds, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier

RESULT = RESULTS / "overhead.csv"
N_ROWS, N_FEATURES, N_LABELED = 100_000, 50, 1_000
N_REPETITIONS = 5
# An early stop depends on the labels, and would hide what the strategy costs.
STRONG = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
STRATEGIES = ["all", "confidence", "confident", "overlap"]


def make_problem():
    """Return rows, labels with -1 for most of them, and the weak view."""
    problem = paper_problem(0, density=0.3, absent_noise=0.5, n=N_ROWS)
    noise = np.random.default_rng(0).normal(
        size=(N_ROWS, N_FEATURES - problem.X.shape[1])
    )
    y = np.where(np.arange(N_ROWS) < N_LABELED, problem.y, -1)
    return np.hstack([problem.X, noise]), y, problem.weak_features


def by_hand(X, y, weak_features, *, weighted):
    """Fit the weak estimator, label all other rows, fit the strong one on all."""
    labeled = y >= 0
    weak = LogisticRegression().fit(X[labeled][:, weak_features], y[labeled])
    proba = weak.predict_proba(X[:, weak_features])
    labels = np.where(labeled, y, weak.classes_[proba.argmax(axis=1)])
    weights = np.where(labeled, 1, proba.max(axis=1)) if weighted else None
    return clone(STRONG).fit(X, labels, sample_weight=weights)


def by_strategy(X, y, weak_features, strategy):
    """Do the same by a strategy."""
    return WeakToStrongClassifier(
        LogisticRegression(),
        STRONG,
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
    rows = []
    for strategy in STRATEGIES:
        # Gradient boosting takes several times as long on rows with weights.
        weighted = strategy == "confidence"
        pairs = [
            (
                seconds(partial(by_hand, *problem, weighted=weighted)),
                seconds(partial(by_strategy, *problem, strategy)),
            )
            for _ in range(N_REPETITIONS)
        ]
        base, taken = np.median(pairs, axis=0)
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

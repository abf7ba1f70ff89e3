"""What fitting by a strategy costs beside fitting its two estimators by hand.

Predictions and pickles are compared as well: those of the default come of all who vote.
"""

import pickle
import platform
import time
from functools import partial
from typing import NamedTuple

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.tables._results import RESULTS, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification

RESULT = RESULTS / "overhead.csv"
N_PREDICTED = 10_000
N_REPETITIONS = 5
# An early stop depends on the labels, and would hide what the strategy costs.
STRONG = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
STRATEGIES = ["auto", "all", "confidence", "confident", "overlap"]


class Size(NamedTuple):
    """Size of a problem; features that are neither easy nor hard are noise."""

    n_rows: int
    n_features: int
    n_labeled: int
    n_easy: int
    n_hard: int


SIZES = [Size(14_000, 13, 500, 6, 7), Size(100_000, 50, 1_000, 20, 20)]


def make_problem(size):
    """Return rows, labels with -1 for most of them, and the weak view."""
    X, y, _ = make_overlap_classification(
        size.n_rows,
        overlap_density=0.3,
        absent_noise=0.5,
        n_easy_features=size.n_easy,
        n_hard_features=size.n_hard,
        random_state=0,
    )
    noise = np.random.default_rng(0).normal(
        size=(size.n_rows, size.n_features - X.shape[1])
    )
    y = np.where(np.arange(size.n_rows) < size.n_labeled, y, -1)
    return np.hstack([X, noise]), y, slice(0, size.n_easy)


def by_hand(X, y, weak_features, *, weighted):
    """Fit the weak estimator, label all other rows, fit the strong one on all."""
    labeled = y >= 0
    weak = LogisticRegression().fit(X[labeled][:, weak_features], y[labeled])
    proba = weak.predict_proba(X[:, weak_features])
    labels = np.where(labeled, y, weak.classes_[proba.argmax(axis=1)])
    weights = np.where(labeled, 1, proba.max(axis=1)) if weighted else None
    return weak, clone(STRONG).fit(X, labels, sample_weight=weights)


def by_strategy(X, y, weak_features, strategy):
    """Do the same by a strategy."""
    params = {}
    if strategy != "auto":
        params["pseudo_labels"] = "hard"
    if strategy in ("confident", "overlap"):
        params["overlap_detector"] = OverlapDetector(max_references=500, random_state=0)
    return WeakToStrongClassifier(
        LogisticRegression(),
        STRONG,
        weak_features=weak_features,
        strategy=strategy,
        random_state=0,
        **params,
    ).fit(X, y)


def compare(problem, strategy):
    """Return seconds and bytes of a strategy and of what it is compared with."""
    X = problem[0][:N_PREDICTED]
    # Gradient boosting takes several times as long on rows with weights.
    weighted = strategy == "confidence"
    base, both = _timed(partial(by_hand, *problem, weighted=weighted))
    taken, model = _timed(partial(by_strategy, *problem, strategy))
    own = getattr(model, "estimator_", None)
    estimator = model.strong_estimator_ if own is None else own
    return {
        "seconds": taken,
        "seconds_by_hand": base,
        "predict_seconds": _timed(partial(model.predict, X))[0],
        "predict_seconds_of_estimator": _timed(partial(estimator.predict, X))[0],
        "predict_seconds_by_hand": _timed(partial(both[1].predict, X))[0],
        "pickle_bytes": len(pickle.dumps(model)),
        "pickle_bytes_by_hand": len(pickle.dumps(both)),
    }


def _timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def as_row(size, strategy, runs):
    """Return the medians over repetitions, as they stand in the table."""
    found = {key: np.median([run[key] for run in runs]) for key in runs[0]}
    predict = found["predict_seconds"] / found["predict_seconds_by_hand"]
    return {
        "strategy": strategy,
        "n_rows": size.n_rows,
        "n_features": size.n_features,
        "n_labeled": size.n_labeled,
        "seconds": f"{found['seconds']:.2f}",
        "seconds_by_hand": f"{found['seconds_by_hand']:.2f}",
        "ratio": f"{found['seconds'] / found['seconds_by_hand']:.3f}",
        **{key: f"{found[key]:.4f}" for key in found if key.startswith("predict")},
        "predict_ratio": f"{predict:.3f}",
        **{key: int(found[key]) for key in found if key.startswith("pickle")},
        "sklearn_version": sklearn.__version__,
        "python_version": platform.python_version(),
    }


def main():
    """Write the table."""
    rows = []
    for size in SIZES:
        problem = make_problem(size)
        for strategy in STRATEGIES:
            runs = [compare(problem, strategy) for _ in range(N_REPETITIONS)]
            rows.append(as_row(size, strategy, runs))
            print(rows[-1])
    write(RESULT, rows)


if __name__ == "__main__":
    main()

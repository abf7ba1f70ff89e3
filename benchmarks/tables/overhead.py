"""What fitting by a strategy costs beside fitting its two estimators by hand.

Predictions and pickles are compared as well, and a second table holds what whoever
deploys a model pays: for a fit, for one row and for many, by Python and by ONNX.
Times are those of the processor, with one thread, which others on the machine do not
lengthen much.
"""

import pickle
import platform
import time
from functools import partial
from typing import NamedTuple

import dask
import dask.array as da
import numpy as np
import onnxruntime
import sklearn
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

import sklearn_w2s.dask
from benchmarks.tables._results import parser_of, peak_mib, read, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.onnx import as_inputs, to_onnx
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

N_PREDICTED = 10_000
N_REPETITIONS = 3
# An early stop depends on the labels, and would hide what the strategy costs.
STRONG = HistGradientBoostingClassifier(early_stopping=False, random_state=0)


class Size(NamedTuple):
    """Size of a problem; features that are neither easy nor hard are noise."""

    n_rows: int
    n_features: int
    n_labeled: int
    n_easy: int
    n_hard: int


SIZES = [Size(14_000, 13, 500, 6, 7), Size(100_000, 50, 1_000, 20, 20)]
# What a deployment costs is measured here as well, for the default alone, in memory and
# over collections.
MANY = Size(1_000_000, 50, 1_000, 20, 20)
WITH_DASK = "auto, with Dask"
N_PARTITIONS = 10


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
    if strategy == WITH_DASK:
        return by_collections(X, y, weak_features)
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


def by_collections(X, y, weak_features):
    """Fit the default over collections of some partitions, in this process."""
    size = len(X) // N_PARTITIONS
    model = sklearn_w2s.dask.WeakToStrongClassifier(
        LogisticRegression(), STRONG, weak_features=weak_features, random_state=0
    )
    with dask.config.set(scheduler="synchronous"):
        return model.fit(da.from_array(X, (size, -1)), da.from_array(y, size))


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
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def deployed(problem, strategy):
    """Return what a model costs whoever fits it and lets it predict."""
    X = problem[0]
    taken, model = _timed(partial(by_strategy, *problem, strategy))
    graph = to_onnx(model, X).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)
    calls = {
        "predict": model.predict,
        "onnx": lambda rows: session.run(["label"], as_inputs(rows, session)),
    }
    times = {
        f"{name}_ms_{n}": f"{_milliseconds(partial(call, X[:n]), repeat):.{digits}f}"
        for n, repeat, digits in ((1, 200, 3), (N_PREDICTED, 5, 1))
        for name, call in calls.items()
    }
    return {
        "strategy": strategy,
        "n_rows": len(X),
        "n_features": X.shape[1],
        "fit_seconds": f"{taken:.2f}",
        "fit_peak_mib": f"{peak_mib(by_strategy, *problem, strategy):.0f}",
        "pickle_mib": f"{len(pickle.dumps(model)) / 2**20:.2f}",
        "onnx_mib": f"{len(graph) / 2**20:.2f}",
        **times,
        "sklearn_version": sklearn.__version__,
        "onnxruntime_version": onnxruntime.__version__,
    }


def _milliseconds(call, n_repetitions):
    """Return the median of some calls, after one that warms up."""
    call()
    return 1000 * np.median([_timed(call)[0] for _ in range(n_repetitions)])


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


def measure_costs(problem, strategy, path):
    """Put what a deployment costs into a table, in place of what is there."""
    found = {key: str(value) for key, value in deployed(problem, strategy).items()}
    key = [found["strategy"], found["n_rows"]]
    rows = [row for row in read(path) if [row["strategy"], row["n_rows"]] != key]
    write(path, [*rows, found])
    print(found, flush=True)


def main(arguments=None):
    """Write the tables, row by row."""
    parser = parser_of(__doc__.splitlines()[0])
    parser.add_argument(
        "--many", action="store_true", help="only the rows of the largest table"
    )
    options = parser.parse_args(arguments)
    shrink = 100 if options.quick else 1
    sizes = [size._replace(n_rows=size.n_rows // shrink) for size in (*SIZES, MANY)]
    costs = options.out / "costs.csv"
    rows = []
    for size in [] if options.many else sizes[:-1]:
        problem = make_problem(size)
        for strategy in ("auto", *STRATEGIES):
            runs = [compare(problem, strategy) for _ in range(N_REPETITIONS)]
            rows.append(as_row(size, strategy, runs))
            print(rows[-1], flush=True)
            write(options.out / "overhead.csv", rows)
            measure_costs(problem, strategy, costs)
    problem = make_problem(sizes[-1])
    for strategy in ("auto", WITH_DASK):
        measure_costs(problem, strategy, costs)


if __name__ == "__main__":
    main()

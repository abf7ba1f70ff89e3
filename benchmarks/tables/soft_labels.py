"""What boosting libraries learn from soft labels, beside repeated rows and hard labels.

The rows are repeated once for each class, weighted by its probability. What counts
rows sees each as many times then; `same_counts` has the parameters with which both see
the same. `difference_by_counts` is what these make, and `difference_by_one_bin` what
chance makes of two fits that are nearly equal. Memory is that of one fit in a fresh
process, beyond what the process held before it, rows and labels included.
"""

import multiprocessing
import os
import pickle
import tempfile
from importlib import import_module
from pathlib import Path
from statistics import mean, median, stdev

import numpy as np

from benchmarks.tables._results import options, write
from sklearn_w2s._algorithms.weak_labels import expand_soft_targets
from sklearn_w2s._boosting import fit_distributions
from sklearn_w2s._fitting import adapt, fit_on_targets, takes_distributions

N_ROWS, N_NEW_ROWS, N_COLUMNS, N_SEEDS, N_QUICK_SEEDS = 2_000, 10_000, 10, 5, 2
WIDTHS, N_LARGE, N_TREES, N_REPETITIONS = (10, 40), 100_000, 5, 3
KINDS = {
    "XGBoost": ("xgboost", "XGBClassifier", {"n_jobs": 1}),
    "LightGBM": ("lightgbm", "LGBMClassifier", {"n_jobs": 1, "verbose": -1}),
    "CatBoost": (
        "catboost",
        "CatBoostClassifier",
        {"thread_count": 1, "verbose": False, "allow_writing_files": False},
    ),
}
# Counts and chance would hide whether the gradients of the first tree are equal.
BY_GRADIENTS = {
    "LightGBM": {"min_child_samples": 1, "min_data_in_bin": 1, "min_child_weight": 5},
    "CatBoost": {"bootstrap_type": "No", "random_strength": 0},
}
ONE_BIN_LESS = {"XGBoost": 255, "LightGBM": 254, "CatBoost": 253}


def new(library, n_trees=100, **params):
    """Return a classifier with the parameters of its library."""
    module, name, settings = KINDS[library]
    kind = getattr(import_module(module), name)
    return kind(n_estimators=n_trees, **(settings | params))


def same_counts(library, n_classes, fitted):
    """Return the parameters with which repeated rows are counted once."""
    if library == "LightGBM":
        return {"min_child_samples": 20 * n_classes, "min_data_in_bin": 3 * n_classes}
    if library == "CatBoost" and n_classes == 2:
        # It chooses the rate by the number of rows, and its penalty is in units of
        # their mean weight.
        return {"learning_rate": fitted.learning_rate_, "l2_leaf_reg": 6}
    return {}


def draw(n_classes, seed, n, n_columns=N_COLUMNS):
    """Return rows, distributions over the classes, and weights."""
    rng = np.random.default_rng([n_classes, seed])
    slopes = np.random.default_rng(0).normal(size=(n_columns, n_classes))
    X = rng.normal(size=(n, n_columns))
    scores = X @ slopes + rng.normal(size=(n, n_classes))
    scores[:, 1:] += X[:, :1] * X[:, 1:2]
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return X, proba / proba.sum(axis=1, keepdims=True), rng.uniform(0.5, 2, n)


def fit_soft(estimator, X, proba, weights):
    """Fit as this package does, and return what its library fitted."""
    fitted = fit_on_targets(
        adapt(estimator),
        X,
        proba,
        np.arange(proba.shape[1]),
        weights,
        weighted=True,
        params={},
    )
    return getattr(fitted, "estimator_", fitted)


def fit_repeated(estimator, X, proba, weights):
    """Fit on one row for each class."""
    rows, codes, weights = expand_soft_targets(proba, weights)
    return estimator.fit(X[rows], codes, sample_weight=weights)


def log_loss(fitted, X, proba):
    """Return the mean cross-entropy."""
    found = np.log(np.clip(fitted.predict_proba(X), 1e-15, 1))
    return -np.mean((proba * found).sum(axis=1))


def losses(library, n_classes, seed):
    """Return the held-out log losses of one seed."""
    data = draw(n_classes, seed, N_ROWS)
    X, proba, _ = draw(n_classes, 1_000 + seed, N_NEW_ROWS)
    soft = fit_soft(new(library, random_state=seed), *data)
    params = same_counts(library, n_classes, soft) | {"random_state": seed}
    one_bin_less = params | {"max_bin": ONE_BIN_LESS[library]}
    fits = {
        "soft": soft,
        "repeated": fit_repeated(new(library, **params), *data),
        "one_bin_less": fit_repeated(new(library, **one_bin_less), *data),
        "as_is": fit_repeated(new(library, random_state=seed), *data),
    }
    return {name: log_loss(fitted, X, proba) for name, fitted in fits.items()}


def difference_of_first_tree(library, n_classes):
    """Return the largest difference of probabilities after one tree.

    Its splits and leaves are what gradients and Hessians make them.
    """
    X, proba, weights = draw(n_classes, 0, N_ROWS)
    # Values that all have a bin of their own.
    data = X.round(1) + 0.0, proba, weights
    params = BY_GRADIENTS.get(library, {}) | {"learning_rate": 0.3}
    soft = fit_soft(new(library, 1, **params), *data)
    params = same_counts(library, n_classes, soft) | params
    repeated = fit_repeated(new(library, 1, **params), *data)
    return abs(soft.predict_proba(data[0]) - repeated.predict_proba(data[0])).max()


def saved_and_loaded(library, fitted, path):
    """Return a model as its library saves and loads it, and its objective."""
    if library == "LightGBM":
        fitted.booster_.save_model(path)
        again = import_module("lightgbm").Booster(model_file=path)
        return again.predict, again.dump_model()["objective"]
    fitted.save_model(str(path))
    again = new(library)
    again.load_model(str(path))
    if library == "XGBoost":
        return again.predict_proba, again.objective
    return again.predict_proba, again.get_all_params()["loss_function"]


def comparison(library, n_classes, n_seeds):
    """Return the part of a row that compares soft labels with repeated rows."""
    runs = [losses(library, n_classes, seed) for seed in range(n_seeds)]
    found = {name: np.array([run[name] for run in runs]) for name in runs[0]}
    row = {
        "log_loss": f"{mean(found['soft']):.4f}",
        "of_repeated_rows": f"{mean(found['repeated']):.4f}",
    }
    for name, one in [
        ("difference", "soft"),
        ("difference_by_one_bin", "one_bin_less"),
        ("difference_by_counts", "as_is"),
    ]:
        values = found[one] - found["repeated"]
        row[name] = f"{mean(values):.5f}"
        row[f"{name}_sd"] = f"{stdev(values):.5f}"
    after_one = difference_of_first_tree(library, n_classes)
    return row | {"difference_of_first_tree": f"{after_one:.0e}"}


def of_library(library, n_classes, n_seeds):
    """Return a row of the table of losses."""
    X, proba, weights = draw(n_classes, 0, N_ROWS)
    fitted = fit_soft(new(library), X, proba, weights)
    found = fitted.predict_proba(X)
    with tempfile.TemporaryDirectory() as folder:
        predict, objective = saved_and_loaded(
            library, fitted, Path(folder, "model.json")
        )
        loaded = predict(X)
    pickled = pickle.loads(pickle.dumps(fitted)).predict_proba(X)
    repeats = not takes_distributions(new(library), n_classes)
    return {
        "library": library,
        "version": import_module(KINDS[library][0]).__version__,
        "n_classes": n_classes,
        "repeats_rows": repeats,
        **({} if repeats else comparison(library, n_classes, n_seeds)),
        "objective": objective,
        "same_when_pickled": bool((pickled == found).all()),
        "same_when_loaded": bool(
            np.allclose(loaded, found if loaded.ndim == 2 else found[:, 1], rtol=1e-6)
        ),
        "n_rows": N_ROWS,
        "n_seeds": n_seeds,
    }


def status(name):
    """Return what the system says of the memory of this process, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(name))
    return int(line.split()[1]) / 1024


def memory(library, n_classes, n_columns, way):
    """Return the MiB that a fit takes in this process."""
    X, proba, weights = draw(n_classes, 0, N_LARGE, n_columns)
    y = proba.argmax(axis=1)
    few = slice(1_000)
    fits = {
        "hard": lambda e, rows: e.fit(X[rows], y[rows], sample_weight=weights[rows]),
        "soft": lambda e, rows: _soft(e, X[rows], proba[rows], weights[rows]),
        "repeated": lambda e, rows: fit_repeated(
            e, X[rows], proba[rows], weights[rows]
        ),
    }
    # What the library takes at first is not counted.
    fits[way](new(library, N_TREES), few)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = status("VmRSS")
    fits[way](new(library, N_TREES), slice(None))
    return status("VmHWM") - before


def _soft(estimator, X, proba, weights):
    """Fit without the copy of the rows that hard labels would have as well."""
    n_classes = proba.shape[1]
    if not takes_distributions(estimator, n_classes):
        return fit_repeated(estimator, X, proba, weights)
    return fit_distributions(estimator, X, proba, np.arange(n_classes), weights)


def of_memory(library, n_classes, n_columns, found):
    """Return a row of the table of memory."""
    hard = median(found["hard"])
    return {
        "library": library,
        "n_classes": n_classes,
        "n_rows": N_LARGE,
        "n_columns": n_columns,
        "hard_mib": f"{hard:.1f}",
        "soft_mib": f"{median(found['soft']):.1f}",
        "repeated_mib": f"{median(found['repeated']):.1f}",
        "soft_to_hard": f"{median(found['soft']) / hard:.2f}",
        "largest_soft_to_hard": f"{max(found['soft']) / min(found['hard']):.2f}",
        "repeated_to_hard": f"{median(found['repeated']) / hard:.2f}",
        "n_trees": N_TREES,
        "n_repetitions": len(found["hard"]),
    }


def main(arguments=None):
    """Write the tables."""
    chosen = options(__doc__, arguments)
    cases = [(library, n_classes) for library in KINDS for n_classes in (2, 3)]
    widths = WIDTHS[:1] if chosen.quick else WIDTHS
    n_repetitions = 1 if chosen.quick else N_REPETITIONS
    times = {"hard": n_repetitions, "soft": n_repetitions, "repeated": 1}
    for module, *_ in KINDS.values():
        import_module(module)
    # A process for each task; none has fitted anything before.
    processes = multiprocessing.get_context("fork").Pool(
        os.cpu_count() if chosen.jobs < 1 else chosen.jobs, maxtasksperchild=1
    )
    with processes as pool:
        keys = [(*case, width) for case in cases for width in widths]
        tasks = [
            (*key, way) for key in keys for way, n in times.items() for _ in range(n)
        ]
        found = pool.starmap(memory, tasks, chunksize=1)
        by_key = {key: {way: [] for way in times} for key in keys}
        for (*key, way), mib in zip(tasks, found, strict=True):
            by_key[tuple(key)][way].append(mib)
        rows = [of_memory(*key, ways) for key, ways in by_key.items()]
        write(chosen.out / "soft_labels_memory.csv", rows)
        n_seeds = N_QUICK_SEEDS if chosen.quick else N_SEEDS
        tasks = [(*case, n_seeds) for case in cases]
        write(chosen.out / "soft_labels.csv", pool.starmap(of_library, tasks, 1))


if __name__ == "__main__":
    main()

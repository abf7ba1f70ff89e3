"""The synthetic experiment of the paper, and what it leaves out.

A weak estimator sees the easy block of the features; a student learns the hard weak
labels of some regions. Training rows, rows that get weak labels, and test rows are
drawn around the same centres. The test rows of the paper have the same numbers of easy,
hard and overlap rows as the training rows; those of the mixture "equal" have 100 each.
"""

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression

from benchmarks.tables._results import options as parse
from benchmarks.tables._results import write
from sklearn_w2s.datasets import make_overlap_classification

EASY_BLOCK = slice(0, 20)
REGIONS = ["easy", "hard", "overlap"]
N_FIXED = 100
N_SEEDS = {"overlap": 500, "easy": 200, "hard": 200, "students": 200}
N_QUICK_SEEDS = 5
# Regions that a student learns from, and inverse strength of its regularisation.
OVERLAP, EASY, HARD = [f"{region} rows, C=0.01" for region in ("overlap", *REGIONS[:2])]
STUDENTS = {
    OVERLAP: (["overlap"], 0.01),
    "overlap rows, C=1": (["overlap"], 1.0),
    EASY: (["easy"], 0.01),
    HARD: (["hard"], 0.01),
    "easy and overlap rows, C=0.01": (["easy", "overlap"], 0.01),
    "all rows, C=0.01": (REGIONS, 0.01),
    "all rows, C=1": (REGIONS, 1.0),
}
TABLES = {
    "overlap": ([(100, 100, n) for n in [*range(5, 100, 5), 400]], [OVERLAP]),
    "easy": ([(n, 100, 10) for n in range(5, 100, 5)], [EASY, OVERLAP]),
    "hard": ([(100, n, 10) for n in range(5, 100, 5)], [HARD, OVERLAP]),
    "students": (
        [(100, 100, n) for n in (20, 50, 95, 400)],
        [name for name in STUDENTS if name not in (EASY, HARD)],
    ),
}
# Accuracy by the number of overlap rows beside 100 easy and 100 hard ones: what the
# authors saved, and what an independent run of 200 seeds had.
HISTORICAL = {
    "weak": {5: 0.666, 10: 0.671, 20: 0.682},
    "ceiling": {5: 0.823, 10: 0.827, 20: 0.834},
    OVERLAP: {5: 0.515, 10: 0.592, 20: 0.673},
}
EXPECTED = {
    "weak": {
        5: 0.668,
        10: 0.673,
        20: 0.68,
        40: 0.697,
        50: 0.708,
        95: 0.729,
        400: 0.806,
    },
    "ceiling": {5: 0.828, 10: 0.828, 20: 0.834, 40: 0.843, 95: 0.861, 400: 0.906},
    OVERLAP: {
        5: 0.518,
        10: 0.591,
        20: 0.669,
        40: 0.762,
        50: 0.795,
        95: 0.83,
        400: 0.876,
    },
    "overlap rows, C=1": {20: 0.703, 50: 0.755, 95: 0.769, 400: 0.82},
    "easy and overlap rows, C=0.01": {20: 0.751, 50: 0.797, 95: 0.824, 400: 0.872},
    "all rows, C=0.01": {20: 0.631, 50: 0.667, 95: 0.704, 400: 0.816},
    "all rows, C=1": {20: 0.665, 50: 0.694, 95: 0.719, 400: 0.801},
}


def draw(counts, seed):
    """Draw training rows, rows for weak labels, and the test rows of both mixtures."""
    X, y, regions = make_overlap_classification(
        [3 * n + N_FIXED for n in counts], shuffle=False, random_state=seed
    )
    # Rows come region by region, each of them in the order of the four samples.
    sample = np.concatenate([np.repeat(range(4), [n, n, n, N_FIXED]) for n in counts])
    return [(X[sample == i], y[sample == i], regions[sample == i]) for i in range(4)]


def fit(X, y, **parameters):
    """Fit a logistic regression; labels of one class are predicted throughout."""
    if len(np.unique(y)) == 1:
        return lambda rows: np.full(len(rows), y[0])
    return LogisticRegression(**parameters).fit(X, y).predict


def one_seed(counts, students, seed):
    """Return accuracies, models by mixtures by all rows and those of each region."""
    train, given, *tests = draw(counts, seed)
    weak = fit(train[0][:, EASY_BLOCK], train[1], fit_intercept=False)
    weak_labels = weak(given[0][:, EASY_BLOCK])
    models = {
        "weak": lambda X: weak(X[:, EASY_BLOCK]),
        "ceiling": fit(train[0], train[1], fit_intercept=False),
    }
    for name in students:
        regions, C = STUDENTS[name]
        taught = np.isin(given[2], regions)
        models[name] = fit(given[0][taught], weak_labels[taught], C=C)
    return [
        [accuracies(predict, *test) for test in tests] for predict in models.values()
    ]


def accuracies(predict, X, y, regions):
    """Return the accuracy on all rows and on those of each region."""
    is_right = predict(X) == y
    groups = [is_right[regions == region] for region in REGIONS]
    return [np.mean(rows) for rows in (is_right, *groups)]


def measure(counts, students, n_seeds):
    """Return a row per model and test mixture."""
    runs = np.array([one_seed(counts, students, seed) for seed in range(n_seeds)])
    means, errors = runs.mean(axis=0), runs.std(axis=0, ddof=1) / np.sqrt(n_seeds)
    rows = []
    for i, model in enumerate(["weak", "ceiling", *students]):
        for j, mixture in enumerate(["paper", "equal"]):
            row = dict(zip(["n_easy", "n_hard", "n_overlap"], counts, strict=True))
            row |= {"model": model, "test_mixture": mixture}
            groups = zip(["accuracy", *REGIONS], means[i, j], strict=True)
            row |= {name: f"{mean:.4f}" for name, mean in groups}
            row["standard_error"] = f"{errors[i, j, 0]:.4f}"
            is_known = mixture == "paper" and counts[:2] == (100, 100)
            for name, known in (("historical", HISTORICAL), ("expected", EXPECTED)):
                value = known.get(model, {}).get(counts[2]) if is_known else None
                row |= beside(name, value, means[i, j, 0])
            rows.append(row | {"n_seeds": n_seeds})
    return rows


def beside(name, value, measured):
    """Return a known value and the difference from it, blank where none is known."""
    if value is None:
        return {name: "", f"difference_from_{name}": ""}
    return {
        name: f"{value:.3f}",
        f"difference_from_{name}": f"{measured - value:+.4f}",
    }


def main(arguments=None):
    """Write the tables."""
    options = parse(__doc__.partition("\n")[0], arguments)
    for name, (all_counts, students) in TABLES.items():
        n_seeds = N_QUICK_SEEDS if options.quick else N_SEEDS[name]
        rows = Parallel(n_jobs=options.jobs)(
            delayed(measure)(counts, students, n_seeds) for counts in all_counts
        )
        path = options.out / f"paper_synthetic_{name}.csv"
        write(path, [row for of_counts in rows for row in of_counts])


if __name__ == "__main__":
    main()

"""What theory promises beside what comes true, on the synthetic data of the paper.

At growing overlap densities, three numbers that need no true label of unlabeled rows
(expansion, misfit, prediction gap) stand beside the gains of three students:

- "overlap rows" is that of the paper: it learns the hard weak labels of the rows that
  are detected as overlap;
- "least squares" is the nearest to the weak probabilities of all rows in a convex
  class, as the misfit assumes;
- "boosting" learns the hard weak labels of all rows, in a class that is not convex.

A second table has the rank correlations of the numbers with the gains, and those of the
overlap density itself, which a number must beat to tell anything new.
"""

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from benchmarks.tables._problems import (
    PAPER_EASY_BLOCK,
    fit_detector,
    paper_parts,
)
from benchmarks.tables._results import options, read, write
from sklearn_w2s.metrics import (
    expansion,
    misfit,
    prediction_gap,
    region_accuracy,
)

DENSITIES = [0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]
N_TRAIN, N_TEST, N_SEEDS, N_QUICK_SEEDS = 250, 3000, 60, 2
HARD_BLOCK = slice(20, 40)
KEYS = ["overlap_density", "student", "seed"]
NUMBERS = ["expansion_0.1", "expansion_0.25", "prediction_gap", "largest_gap", "misfit"]
GAINS = ["squared_gain", "hard_accuracy_gain", "accuracy_gain"]


def students(X_new, weak_proba, found, X_test):
    """Return the class probabilities of the test rows that each student gives."""
    labels = (weak_proba[:, 1] > 0.5).astype(int)
    chosen = found == "overlap"
    line = LinearRegression().fit(X_new, weak_proba[:, 1]).predict(X_test)
    boosting = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    return {
        "overlap rows": learn(
            LogisticRegression(C=0.01), X_new[chosen], labels[chosen], X_test
        ),
        "least squares": two_columns(np.clip(line, 0, 1)),
        "boosting": learn(boosting, X_new, labels, X_test),
    }


def learn(estimator, X, labels, X_test):
    """Return the probabilities of an estimator, certain where it sees one class."""
    if len(np.unique(labels)) < 2:
        # Nothing to learn from: the most frequent class is what there is.
        return two_columns(np.full(len(X_test), float(labels.mean() > 0.5)))
    return estimator.fit(X, labels).predict_proba(X_test)


def two_columns(positive):
    """Return the probabilities of both classes."""
    return np.column_stack([1 - positive, positive])


def numbers(X, y, found, gold, new):
    """Return what is known without true labels of the new rows."""
    gold_rows, new_rows = X[gold], X[new]
    spread = {
        f"expansion_{q}": expansion(new_rows[:, HARD_BLOCK], found, q=q)["expansion"]
        for q in (0.1, 0.25)
    }
    gap = prediction_gap(gold_rows[:, PAPER_EASY_BLOCK], gold_rows, y[gold])
    largest = prediction_gap(new_rows[:, PAPER_EASY_BLOCK], new_rows)
    return spread | {"prediction_gap": gap, "largest_gap": largest}


def judge(density, seed):
    """Return a row per student."""
    X, y, regions, gold, new, test = paper_parts(
        density, seed, n_train=N_TRAIN, n_test=N_TEST
    )
    weak = LogisticRegression(fit_intercept=False).fit(
        X[gold][:, PAPER_EASY_BLOCK], y[gold]
    )
    found = fit_detector(X, y, gold, new).regions_[len(gold) :]
    known = numbers(X, y, found, gold, new)
    weak_test = weak.predict_proba(X[test][:, PAPER_EASY_BLOCK])
    weak_new = weak.predict_proba(X[new][:, PAPER_EASY_BLOCK])
    rows = []
    for name, proba in students(X[new], weak_new, found, X[test]).items():
        values = known | {"misfit": misfit(weak_test, proba)}
        values |= gains(y[test], weak_test, proba, regions[test])
        key = dict(zip(KEYS, [str(density), name, str(seed)], strict=True))
        rows.append(key | {k: f"{value:.5f}" for k, value in values.items()})
    return rows


def gains(y, weak_proba, strong_proba, regions):
    """Return what the strong estimator gains on the weak one."""
    one_hot = two_columns(y)
    weak, strong = weak_proba.argmax(axis=1), strong_proba.argmax(axis=1)
    on_hard = [region_accuracy(y, labels, regions)["hard"] for labels in (weak, strong)]
    return {
        "squared_gain": misfit(one_hot, weak_proba) - misfit(one_hot, strong_proba),
        "hard_accuracy_gain": on_hard[1] - on_hard[0],
        "accuracy_gain": np.mean(strong == y) - np.mean(weak == y),
    }


def column(rows, name):
    """Return a column of numbers."""
    return np.array([float(row[name]) for row in rows])


def average(rows):
    """Return means over seeds, and how often the gain reached the misfit."""
    table = []
    for student in dict.fromkeys(row["student"] for row in rows):
        for density in DENSITIES:
            runs = [
                row
                for row in rows
                if row["student"] == student and row["overlap_density"] == str(density)
            ]
            means = {k: f"{column(runs, k).mean():.3f}" for k in NUMBERS + GAINS}
            kept = column(runs, "squared_gain") >= column(runs, "misfit")
            table.append(
                {"student": student, "overlap_density": density}
                | means
                | {"gain_at_least_misfit": f"{kept.mean():.2f}", "n_seeds": len(runs)}
            )
    return table


def correlate(rows):
    """Return rank correlations: of all runs, and the mean of those at one density."""
    table = []
    for student in dict.fromkeys(row["student"] for row in rows):
        own = [row for row in rows if row["student"] == student]
        for number in ["overlap_density", *NUMBERS]:
            entry = {"student": student, "number": number}
            for gain in GAINS:
                entry[gain] = rank_correlation(own, number, gain)
                entry[f"{gain}_same_density"] = within(own, number, gain)
            table.append(entry | {"n_seeds": len({row["seed"] for row in own})})
    return table


def rank_correlation(rows, number, gain):
    """Return Spearman's correlation as text, nothing for a constant column."""
    first, second = column(rows, number), column(rows, gain)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return ""
    return f"{spearmanr(first, second).statistic:.2f}"


def within(rows, number, gain):
    """Return the mean over densities of the rank correlation at each."""
    found = [
        rank_correlation(
            [row for row in rows if row["overlap_density"] == str(density)],
            number,
            gain,
        )
        for density in DENSITIES
    ]
    found = [float(value) for value in found if value]
    return f"{np.mean(found):.2f}" if found else ""


def main(arguments=None):
    """Compute the runs that are missing, then write the tables."""
    chosen = options(__doc__, arguments)
    runs = chosen.out / "paper_theory_runs.csv"
    n_seeds = N_QUICK_SEEDS if chosen.quick else N_SEEDS
    rows = read(runs)
    done = {(row["overlap_density"], row["seed"]) for row in rows}
    tasks = [
        (density, seed)
        for seed in range(n_seeds)
        for density in DENSITIES
        if (str(density), str(seed)) not in done
    ]
    parallel = Parallel(n_jobs=chosen.jobs, return_as="generator")
    for found in parallel(delayed(judge)(*task) for task in tasks):
        rows += found
        write(runs, rows)
    write(chosen.out / "paper_theory.csv", average(rows))
    write(chosen.out / "paper_theory_correlation.csv", correlate(rows))


if __name__ == "__main__":
    main()

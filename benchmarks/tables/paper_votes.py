"""Weak supervision: what overlap in the labels of a label model is worth to a student.

After the experiment of the paper on votes of labelling functions. Three tenths of the
rows are held out, half of the others train a label model, and the student learns the
labels which that model gives to the other half. Everything is run on the data as they
are, and with the second class thinned to one row in 20 and the label model told so,
where overlap sets lose it. Rows that a results file has already are not computed again,
so that a run that was stopped goes on.
"""

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks.tables._problems import data_folder
from benchmarks.tables._protocols import data_sets, make_situation
from benchmarks.tables._results import as_they_end, options, read, write
from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.neural import HiddenLayer, NetClassifier
from sklearn_w2s.weak_estimators import VoteClassifier

KEYS = ["data_set", "classes", "seed"]
AS_THEY_ARE, ONE_IN_20 = "as they are", "one in 20"
RARE_SHARE = 0.05
ONE_CLASS = "one class only"
SHARES = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
N_SEEDS, N_QUICK_SEEDS = {AS_THEY_ARE: 25, ONE_IN_20: 5}, 1
QUICK_SETS = ["youtube_spam"]
# An overlap set with less of a class teaches next to nothing of it.
LEAST_CLASS_SHARE = 0.01
# Too little to make a row confident.
NUDGE = 1e-6
N_DRAWS = 1000
SCORES = ["label_model", "all_labels", "gold", "inside", "outside"]
STUDENTS = [f"student_{share:g}" for share in SHARES]
PACKAGE = ["package_overlap", "package_auto"]
# Of the paper's authors, on other votes and other features of data of these names;
# labels "inside" are those of the overlap set.
HISTORICAL = {
    name: dict(zip([*SCORES, *STUDENTS], values, strict=True))
    for name, values in {
        "mushroom": (
            *(0.864, 0.865, 0.990, 0.856, 0.873),
            *(0.630, 0.867, 0.864, 0.862, 0.854, 0.854, 0.598),
        ),
        "spambase": (
            *(0.769, 0.776, 0.929, 0.886, 0.544),
            *(0.682, 0.737, 0.765, 0.781, 0.796, 0.830, 0.867),
        ),
        "youtube_spam": (
            *(0.729, 0.834, 0.871, 0.886, 0.510),
            *(0.611, 0.736, 0.770, 0.813, 0.830, 0.826, 0.832),
        ),
    }.items()
}
CORRELATION = "correlation of slope and gap"
BY_DATA_SET = f"{CORRELATION}, over data sets"
# Over 275 runs on 11 data sets.
HISTORICAL_CONFOUND = {
    CORRELATION: 0.86,
    BY_DATA_SET: 0.87,
    "R2 of share alone": 0.12,
    "R2 of label accuracy alone": 0.47,
    "coefficient of share": -0.11,
    "coefficient of label accuracy": 0.92,
}


@dataclass
class Experiment:
    """Rows of the student with probabilities by the label model, and a test set.

    The truth is for the gold student and the judge; `label_model` is what that model
    says of the test rows.
    """

    X: Any
    proba: Any
    truth: Any
    X_test: Any
    y_test: Any
    label_model: Any
    seed: int

    @property
    def labels(self):
        """Class codes by the label model."""
        return self.proba.argmax(axis=1)

    def student(self):
        """Return the student of the paper, yet to be fitted."""
        net = NeuralNetClassifier(
            # Not built here, but where the seed holds.
            perceptron,
            module__n_features=self.X.shape[1],
            module__n_classes=self.proba.shape[1],
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            max_epochs=10,
            batch_size=32,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        )
        return NetClassifier(net, random_state=self.seed)

    def predict(self, rows, labels):
        """Return what a student of some rows says of the test rows."""
        if len(rows) == 0:
            return None
        classes = np.unique(labels[rows])
        if len(classes) == 1:
            # All that can be learned is this class.
            return np.full(len(self.X_test), classes[0])
        return self.student().fit(self.X[rows], labels[rows]).predict(self.X_test)

    def score(self, predicted):
        """Return the accuracy of predictions, NaN without any."""
        if predicted is None:
            return np.nan
        return float(np.mean(predicted == self.y_test))

    def both_scores(self, name, predicted):
        """Return accuracy and balanced accuracy of predictions, named."""
        balanced = np.nan
        if predicted is not None:
            balanced = float(balanced_accuracy_score(self.y_test, predicted))
        return {name: self.score(predicted), f"balanced_{name}": balanced}


def perceptron(n_features, n_classes):
    """Return a network of three hidden layers of 32 units."""
    widths = [n_features, 32, 32, 32]
    layers = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, n_classes))


def open_experiment(folder, entry, classes, seed):
    """Part a data set, fit the label model, and label the rows of the student."""
    situation = make_situation("votes", folder, entry, seed)
    rng = np.random.default_rng(seed)
    prior = None
    if classes == ONE_IN_20:
        thin(situation, rng)
        prior = [1 - RARE_SHARE, RARE_SHARE]
    votes, columns = situation.weak_features, situation.strong_features
    half = len(situation.truth) // 2
    model = VoteClassifier(classes=[0, 1], method="naive_bayes", class_prior=prior)
    model.fit(situation.X[votes][:half])
    proba, test_proba = (
        decided(model.predict_proba(X[votes]), rng)
        for X in (situation.X[half:], situation.X_test)
    )
    encoder = TabularEncoder().fit(situation.X[columns][half:])
    X, X_test = (
        encoder.transform(X[columns]).astype(np.float32)
        for X in (situation.X[half:], situation.X_test)
    )
    return Experiment(
        X=X,
        proba=proba,
        truth=situation.truth[half:],
        X_test=X_test,
        y_test=situation.y_test,
        label_model=test_proba.argmax(axis=1),
        seed=seed,
    )


def thin(situation, rng):
    """Leave one row in 20 of the second class, in training and in testing."""
    kept = thinned(situation.truth, rng)
    situation.X = situation.X.iloc[kept].reset_index(drop=True)
    situation.truth = situation.truth[kept]
    kept = thinned(situation.y_test, rng)
    situation.X_test = situation.X_test.iloc[kept].reset_index(drop=True)
    situation.y_test = situation.y_test[kept]


def thinned(y, rng):
    """Return the rows to keep, in their order."""
    first, second = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    n_kept = round(len(first) * RARE_SHARE / (1 - RARE_SHARE))
    second = rng.choice(second, min(n_kept, len(second)), replace=False)
    return np.sort(np.concatenate([first, second]))


def decided(proba, rng):
    """Let a class drawn at random be ahead where all are equally likely."""
    even = np.flatnonzero(np.ptp(proba, axis=1) < NUDGE)
    proba = proba.copy()
    winners = rng.integers(proba.shape[1], size=len(even))
    proba[even, winners] += NUDGE
    return proba / proba.sum(axis=1, keepdims=True)


def paper_detector(representation):
    """Return the detector of the paper, which compares rows in a representation."""
    return OverlapDetector(
        confidence="margin",
        confidence_threshold="change_point",
        refine_hard=False,
        overlap_threshold="change_point",
        overlap_measure="max_abs_cosine",
        representation=representation,
    )


def mix(is_overlap, share, rng):
    """Draw as many rows as the smaller set has, a share of them overlap rows."""
    n = min(is_overlap.sum(), (~is_overlap).sum())
    n_overlap = round(share * n)
    inside, outside = (
        rng.choice(np.flatnonzero(kind), size, replace=False)
        for kind, size in ((is_overlap, n_overlap), (~is_overlap, n - n_overlap))
    )
    return np.concatenate([inside, outside])


def judge(folder, entry, classes, seed):
    """Return the row of a data set, its classes and a seed."""
    # A strategy that gives way, or a detector without a threshold, says so.
    warnings.simplefilter("ignore", UserWarning)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        case = open_experiment(folder, entry, classes, seed)
        hidden = HiddenLayer(case.student()).fit(case.X, case.labels)
        table = pd.DataFrame(case.proba, columns=[0, 1])
        detector = paper_detector(FrozenEstimator(hidden))
        detector.fit(case.X, np.full(len(case.X), -1), weak_proba=table)
        is_overlap = detector.regions_ == "overlap"
        right = case.labels == case.truth
        rng = np.random.default_rng(seed)
        n = min(is_overlap.sum(), (~is_overlap).sum())
        gold = rng.choice(len(case.X), n, replace=False)
        all_labels = hidden.classifier_.predict(case.X_test)
        row = {
            "data_set": entry["name"],
            "classes": classes,
            "seed": str(seed),
            "n_overlap": int(is_overlap.sum()),
            "n_others": int((~is_overlap).sum()),
            "least_class_share": least_class_share(case, is_overlap),
            **case.both_scores("label_model", case.label_model),
            **case.both_scores("all_labels", all_labels),
            "gold": case.score(case.predict(gold, case.truth)),
            "inside": share_of(right, is_overlap),
            "outside": share_of(right, ~is_overlap),
            **students(case, is_overlap, right, rng),
            **package(case, detector, table),
        }
    return {key: as_text(value) for key, value in row.items()}


def share_of(values, chosen):
    """Return the mean over the chosen rows, NaN where there are none."""
    return float(values[chosen].mean()) if chosen.any() else np.nan


def least_class_share(case, is_overlap):
    """Return the share of the rarer weak label in the overlap set."""
    counts = np.bincount(case.labels[is_overlap], minlength=case.proba.shape[1])
    return counts.min() / max(counts.sum(), 1)


def students(case, is_overlap, right, rng):
    """Return accuracies of students, and of their labels, by share of overlap rows."""
    row = {}
    for share in SHARES:
        rows = mix(is_overlap, share, rng)
        predicted = case.predict(rows, case.labels)
        row |= {
            f"student_{share:g}": case.score(predicted),
            f"labels_{share:g}": float(right[rows].mean()) if len(rows) else np.nan,
        }
    # Of the last share, which is overlap rows alone.
    return row | case.both_scores("student_1", predicted)


def package(case, detector, table):
    """Return what the package makes of the same labels and regions."""
    row = {}
    for name in PACKAGE:
        strategy = name.removeprefix("package_")
        model = WeakToStrongClassifier(
            strong_estimator=case.student(),
            overlap_detector=detector if strategy == "overlap" else None,
            strategy=strategy,
            pseudo_labels="hard",
            random_state=case.seed,
        )
        predicted, used = None, ONE_CLASS
        try:
            model.fit(case.X, np.full(len(case.X), -1), weak_proba=table)
            predicted, used = model.predict(case.X_test), model.strategy_
        except ValueError as error:
            # What the strategy teaches has lost a class, and the net says so.
            if ONE_CLASS not in str(error):
                raise
        row |= case.both_scores(name, predicted)
        row[f"{name}_used"] = used
    return row


def as_text(value):
    """Return numbers as rounded texts, which is what a file gives back."""
    return f"{value:.5f}" if isinstance(value, float) else str(value)


def numbers(rows):
    """Return the rows as a data frame, numbers where texts are numbers."""
    texts = ["data_set", "classes", *(f"{name}_used" for name in PACKAGE)]
    table = pd.DataFrame(rows)
    return table.astype({name: float for name in table if name not in texts})


def summarise(table):
    """Return a row per data set, with the historical values below it."""
    summary = []
    for (name, classes), runs in table.groupby(["data_set", "classes"]):
        density = runs["n_overlap"] / (runs["n_overlap"] + runs["n_others"])
        measured = {
            "data_set": name,
            "classes": classes,
            "origin": "measured",
            "n_seeds": len(runs),
            "overlap_density": mean(density),
            **{column: mean(runs[column]) for column in [*SCORES, *STUDENTS]},
            "spread_of_student_1": f"{runs['student_1'].std(ddof=0):.3f}",
            **collapse(runs),
        }
        summary.append(measured)
        if name in HISTORICAL and classes == AS_THEY_ARE:
            summary.append(historical(name, measured))
    return summary


def collapse(runs):
    """Return how often a class is lost, and what the package makes of it."""
    is_lost = runs["least_class_share"] < LEAST_CLASS_SHARE
    one_class = runs["least_class_share"] == 0
    fell_back = runs["package_overlap_used"] == "all"
    columns = {
        "collapsed": mean(is_lost),
        "one_class": mean(one_class),
        "fell_back": mean(fell_back),
        "auto_refused": mean(runs["package_auto_used"] == ONE_CLASS),
        **{name: mean(runs[name]) for name in PACKAGE},
    }
    contestants = ["label_model", "all_labels", "student_1", *PACKAGE]
    for name in contestants:
        columns[f"balanced_{name}"] = mean(runs[f"balanced_{name}"])
    for name in contestants:
        lost = runs.loc[is_lost, f"balanced_{name}"]
        columns[f"balanced_{name}_where_collapsed"] = mean(lost)
    return columns


def historical(name, like):
    """Return the historical values in the columns of a measured row."""
    values = HISTORICAL[name]
    row = {key: f"{values[key]:.3f}" if key in values else "" for key in like}
    return row | {"data_set": name, "origin": "historical", "n_seeds": 25}


def mean(values):
    """Return a rounded mean, nothing where there is nothing."""
    return f"{values.mean():.3f}" if len(values) else ""


def confound(table):
    """Return how much of the benefit of overlap is the accuracy of its labels.

    Between the shares 0 and 1 no class is lost by taking rows of one set alone.
    """
    table = table.dropna(subset=["inside", "outside"])
    own = table[table["classes"] == AS_THEY_ARE]
    groups = [("all", own, SHARES), ("all, shares .2 to .9", own, SHARES[1:-1])]
    groups += [(name, runs, SHARES) for name, runs in own.groupby("data_set")]
    rare = table[table["classes"] == ONE_IN_20]
    groups.append((f"all, {ONE_IN_20}", rare, SHARES))
    return [row for group in groups for row in confound_of(*group)]


def confound_of(name, runs, shares):
    """Return the statistics of some runs, with bootstrap intervals over the runs."""
    slopes, gaps, moments = run_moments(runs, shares)
    values = statistics(slopes, gaps, moments)
    rng = np.random.default_rng(0)
    draws = [
        statistics(slopes[own], gaps[own], moments[own])
        for own in rng.integers(len(runs), size=(N_DRAWS, len(runs)))
    ]
    intervals = pd.DataFrame(draws).quantile([0.025, 0.975])
    if runs["data_set"].nunique() > 2:
        means = pd.DataFrame({"slope": slopes, "gap": gaps})
        means = means.groupby(runs["data_set"].to_numpy()).mean()
        values[BY_DATA_SET] = means["slope"].corr(means["gap"])
        intervals[BY_DATA_SET] = np.nan
    known = HISTORICAL_CONFOUND if name == "all" else {}
    return [
        {
            "runs": name,
            "quantity": key,
            "value": two_digits(value),
            "low": two_digits(intervals[key].iloc[0]),
            "high": two_digits(intervals[key].iloc[1]),
            "historical": two_digits(known.get(key, np.nan)),
            "n_runs": len(runs),
        }
        for key, value in values.items()
    ]


def run_moments(runs, shares):
    """Return of each run the slope of accuracy on share, the gap, and second moments.

    The moments are of share, label accuracy and accuracy, from their means in the run.
    """
    labels = runs[[f"labels_{share:g}" for share in shares]].to_numpy()
    scores = runs[[f"student_{share:g}" for share in shares]].to_numpy()
    columns = np.stack([np.broadcast_to(shares, scores.shape), labels, scores], axis=1)
    columns = columns - columns.mean(axis=2, keepdims=True)
    moments = columns @ columns.transpose(0, 2, 1)
    gaps = (runs["inside"] - runs["outside"]).to_numpy()
    return moments[:, 0, 2] / moments[:, 0, 0], gaps, moments


def statistics(slopes, gaps, moments):
    """Return the correlation of slope and gap, and regressions within the runs."""
    sums = moments.sum(axis=0)
    both, target, total = sums[:2, :2], sums[:2, 2], sums[2, 2]
    coefficients = np.linalg.lstsq(both, target)[0]
    is_varied = min(np.ptp(slopes), np.ptp(gaps)) > 0
    return {
        CORRELATION: np.corrcoef(slopes, gaps)[0, 1] if is_varied else np.nan,
        "R2 of share alone": target[0] ** 2 / both[0, 0] / total,
        "R2 of label accuracy alone": target[1] ** 2 / both[1, 1] / total,
        "R2 of both": coefficients @ target / total,
        "coefficient of share": coefficients[0],
        "coefficient of label accuracy": coefficients[1],
    }


def two_digits(value):
    """Return a rounded number, nothing where it is not defined."""
    return "" if np.isnan(value) else f"{value:.2f}"


def main(arguments=None):
    """Compute what is missing of the runs, then the tables beside them."""
    chosen = options(__doc__, arguments)
    folder = data_folder()
    entries = data_sets(folder)["votes"]
    n_seeds = N_SEEDS
    if chosen.quick:
        n_seeds = dict.fromkeys(N_SEEDS, N_QUICK_SEEDS)
        entries = [entry for entry in entries if entry["name"] in QUICK_SETS]
    out = chosen.out / "paper_votes_runs.csv"
    rows = read(out)
    done = {tuple(row[key] for key in KEYS) for row in rows}
    tasks = [
        (folder, entry, classes, seed)
        for classes in n_seeds
        for seed in range(n_seeds[classes])
        for entry in entries
        if (entry["name"], classes, str(seed)) not in done
    ]
    for row in as_they_end(judge, tasks, jobs=chosen.jobs):
        rows.append(row)
        write(out, rows)
    rows.sort(key=lambda row: (row["data_set"], row["classes"], int(row["seed"])))
    write(out, rows)
    table = numbers(rows)
    write(chosen.out / "paper_votes.csv", summarise(table))
    write(chosen.out / "paper_votes_confound.csv", confound(table))


if __name__ == "__main__":
    main()

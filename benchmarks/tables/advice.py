"""Whether advice comes true: expected and realised gains, and what it costs to obey.

In each situation of the scoreboard advice is asked for before the rows held out are
looked at, and judged by them. What disagreements are worth is fitted on all data sets
but the one that is judged. Rows that a results file has already are not computed again.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score

from benchmarks.tables._contestants import STRONG, make_strong
from benchmarks.tables._problems import data_folder
from benchmarks.tables._protocols import PROTOCOLS, data_sets, make_situation
from benchmarks.tables._results import RESULTS, as_they_end, read, write
from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s._pipeline import weak_alone
from sklearn_w2s.advice import advise
from sklearn_w2s.advice._expectation import (
    GAIN,
    LEAD,
    PAIRS,
    PRIORS,
    Prior,
    decide,
    expect,
    kind_of,
)

RESULT = RESULTS / "advice.csv"
KEYS = ["protocol", "strong", "data_set", "seed", "strategy"]
RIVALS = ["weak", "weak_to_strong", "strong_on_labels"]
STRATEGIES = ["auto", "confidence", "smooth"]
# Of fewer rows that differ nothing can be told.
LEAST_DISAGREEMENT = 0.002
LEVEL = 0.95


def judge(folder, entry, protocol, strong, seed, strategy):
    """Return what advice was given, on what evidence, and what was true."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", UserWarning)
    situation = make_situation(protocol, folder, entry, seed)
    estimator = WeakToStrongClassifier(
        situation.weak,
        make_strong(strong, situation, seed),
        weak_features=situation.weak_features,
        strategy=strategy,
    )
    start = time.perf_counter()
    advice = advise(estimator, situation.X, situation.y, random_state=seed)
    row = dict(
        zip(KEYS, [protocol, strong, entry["name"], str(seed), strategy], strict=True)
    )
    row["used"] = str(advice.strategy)
    row |= {name: f"{value:.5f}" for name, value in advice.indicators.items()}
    for pair in PAIRS:
        compared = advice.comparisons.get(pair.name, {})
        for name in ("difference", "error"):
            row[f"{name}, {pair.name}"] = f"{compared.get(name, np.nan):.5f}"
    row |= _accuracies(situation, advice.estimator, strong, seed)
    row["seconds"] = f"{time.perf_counter() - start:.0f}"
    return row


def _accuracies(situation, student, strong, seed):
    known = situation.y >= 0
    alone = None
    if known.any() and situation.labels_for_strong:
        alone = make_strong(strong, situation, seed)
        alone.fit(situation.X[known], situation.y[known])
    fitted = [weak_alone(student, situation.X_test), student, alone]
    accuracies = {}
    for name, estimator in zip(RIVALS, fitted, strict=True):
        if estimator is not None:
            predicted = estimator.predict(situation.X_test)
            accuracy = accuracy_score(situation.y_test, predicted)
        accuracies[f"accuracy of {name}"] = (
            "" if estimator is None else f"{accuracy:.5f}"
        )
    return accuracies


def fit_prior(table, pair):
    """Return what disagreements of a pair are worth on the data sets of a table."""
    table = table[table[pair.differ] > LEAST_DISAGREEMENT]
    realised = table[f"accuracy of {pair.first}"] - table[f"accuracy of {pair.second}"]
    table = table[realised.notna() & table[pair.advantage].notna()]
    if not len(table):
        return Prior(0.0, 1.0)
    differ, advantage = table[pair.differ], table[pair.advantage]
    worth = realised[table.index]
    # Each data set counts once, whatever the number of its situations, and each row
    # that differs as much as any other.
    weights = 1 / table.groupby("data_set")["data_set"].transform("size") / differ**2
    slope = (weights * worth * advantage).sum() / (weights * advantage**2).sum()
    weights *= differ**2
    spread = np.sqrt(
        np.average(((worth - slope * advantage) / differ) ** 2, weights=weights)
    )
    return Prior(round(float(slope), 2), round(float(spread), 2))


def priors_of(table):
    """Return the priors by kind of strategy, and by pair."""
    kinds = table["used"].map(kind_of)
    return {
        kind: {pair: fit_prior(table[kinds == kind], pair) for pair in (GAIN, LEAD)}
        for kind in PRIORS
    }


def predict(table):
    """Add expectation and choice by priors that do not know the data set."""
    table = table.copy()
    for name in table["data_set"].unique():
        priors = priors_of(table[table["data_set"] != name])
        for index, row in table[table["data_set"] == name].iterrows():
            standing = expect(row, _comparisons(row), priors[kind_of(row["used"])])
            gain = standing.of("weak_to_strong", "weak")
            table.loc[index, ["expected", "low", "high"]] = (
                gain.mean,
                *gain.interval(LEVEL),
            )
            table.loc[index, "choice"] = decide(standing, row["used"]).choice
    return table


def _comparisons(row):
    if np.isnan(row[f"error, {GAIN.name}"]):
        return {}
    return {
        pair.name: {key: row[f"{key}, {pair.name}"] for key in ("difference", "error")}
        for pair in PAIRS
    }


def summarise(table):
    """Return a row per strategy and situation, and one over all of them."""
    summary = []
    for strategy, block in table.groupby("strategy"):
        parts = [*block.groupby("protocol"), ("all", block)]
        summary += [
            {"strategy": strategy, "protocol": protocol} | _compare(part)
            for protocol, part in parts
        ]
    return summary


def _compare(table):
    accuracy = table[[f"accuracy of {name}" for name in RIVALS]].set_axis(
        RIVALS, axis=1
    )
    realised = accuracy["weak_to_strong"] - accuracy["weak"]
    best = accuracy.max(axis=1)
    followed = [accuracy.loc[i, choice] for i, choice in table["choice"].items()]
    regret = {"regret_of_advice": best - followed}
    regret |= {f"regret_of_{name}": best - accuracy[name] for name in RIVALS}
    rank = (
        spearmanr(table["expected"], realised).statistic if len(table) > 2 else np.nan
    )
    return {
        "n": len(table),
        "rank_correlation": f"{rank:.2f}",
        "mean_expected": f"{100 * table['expected'].mean():.2f}",
        "mean_realised": f"{100 * realised.mean():.2f}",
        "covered": f"{realised.between(table['low'], table['high']).mean():.2f}",
        **{name: f"{100 * values.mean():.2f}" for name, values in regret.items()},
        "worst_regret_of_advice": f"{100 * regret['regret_of_advice'].max():.2f}",
    }


def parse(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    parser.add_argument("--strong", choices=STRONG, action="append")
    parser.add_argument("--strategy", choices=STRATEGIES, action="append")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args(arguments)


def tasks_of(options, done):
    """Return the arguments of `judge` that the results lack."""
    folder = options.data_dir or data_folder()
    sets = data_sets(folder)
    return [
        (folder, entry, protocol, strong, seed, strategy)
        for strategy in options.strategy or STRATEGIES
        for protocol in options.protocol or PROTOCOLS
        for strong in options.strong or ["hgb"]
        for seed in range(options.seeds)
        for entry in sets[protocol]
        if (protocol, strong, entry["name"], str(seed), strategy) not in done
    ]


def main(arguments=None):
    """Compute what is missing of the results file, then the summary beside it."""
    options = parse(arguments)
    rows = read(options.out)
    done = {tuple(row[key] for key in KEYS) for row in rows}
    tasks = tasks_of(options, done)
    for row in as_they_end(judge, tasks, jobs=options.jobs):
        rows.append(row)
        write(options.out, rows)
    rows.sort(key=lambda row: [row[key] for key in KEYS])
    write(options.out, rows)
    table = pd.read_csv(options.out, keep_default_na=True)
    write(
        options.out.with_stem(f"{options.out.stem}_summary"), summarise(predict(table))
    )
    priors = [
        {"kind": kind, "pair": pair.name, **prior._asdict()}
        for kind, by_pair in priors_of(table).items()
        for pair, prior in by_pair.items()
    ]
    write(options.out.with_stem(f"{options.out.stem}_priors"), priors)


if __name__ == "__main__":
    main()

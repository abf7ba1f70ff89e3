"""The scoreboard: what each way to use weak labels is worth, data set by data set.

Rows that a results file has already are not computed again, so that a run that was
stopped goes on.
"""

import argparse
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    roc_auc_score,
)

from benchmarks.tables._contestants import CONTESTANTS, STRONG, make_strong
from benchmarks.tables._problems import data_folder
from benchmarks.tables._protocols import PROTOCOLS, data_sets, make_situation
from benchmarks.tables._results import RESULTS, as_they_end, read, write

RESULT = RESULTS / "effectiveness.csv"
KEYS = ["protocol", "strong", "data_set", "seed", "contestant"]
SCORES = ["accuracy", "balanced_accuracy", "roc_auc"]
HARM = 0.01
# What every contestant is compared with.
REFERENCES = ["weak", "strategy=auto", "ceiling"]


def judge(folder, entry, protocol, strong, seed, contestants):
    """Return a row of scores for each contestant."""
    # Neither is about the contest: the weak estimator stops early on raw columns, and a
    # strategy that gives way says so.
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", UserWarning)
    situation = make_situation(protocol, folder, entry, seed)
    rows = []
    for name in contestants:
        proba = CONTESTANTS[name](situation, make_strong(strong, situation, seed), seed)
        if proba is None:
            continue
        # As text, which is what a file gives back.
        key = [protocol, strong, entry["name"], str(seed), name]
        scores = _scores(situation.y_test, proba)
        rows.append(dict(zip(KEYS + SCORES, key + scores, strict=True)))
    return rows


def _scores(y, proba):
    # Label spreading says nothing of rows that are far from all others.
    total = np.nan_to_num(proba.sum(axis=1, keepdims=True))
    even = np.full_like(proba, 1 / proba.shape[1])
    proba = np.divide(proba, total, where=total > 0, out=even)
    predicted = proba.argmax(axis=1)
    positive = proba[:, 1] if proba.shape[1] == 2 else proba
    auc = roc_auc_score(
        y, positive, multi_class="ovr", labels=np.arange(proba.shape[1])
    )
    scores = [accuracy_score(y, predicted), balanced_accuracy_score(y, predicted), auc]
    return [f"{score:.5f}" for score in scores]


def summarise(rows, rng):
    """Return a row per protocol, strong estimator and contestant, best first.

    Each contestant is compared with the others on the seeds that it has been run with.
    """
    table = _whole(pd.DataFrame(rows).astype(dict.fromkeys(SCORES, float)))
    runs = ["protocol", "strong", "data_set", "seed"]
    wide = table.pivot_table(index=runs, columns="contestant", values=SCORES)
    summary = []
    for (protocol, strong), block in wide.groupby(level=["protocol", "strong"]):
        for contestant in block["accuracy"].columns:
            own = block[block["accuracy"][contestant].notna()]
            if len(own) and "ceiling" in own["accuracy"]:
                key = {"protocol": protocol, "strong": strong, "contestant": contestant}
                summary.append(key | _compare(own, contestant, rng))
    return sorted(
        summary,
        key=lambda row: (row["protocol"], row["strong"], -float(row["gap_recovered"])),
    )


def _whole(table):
    """Leave out what was stopped in the middle, and seeds that lack the reference."""
    n_sets = table.groupby("protocol")["data_set"].transform("nunique")
    run = ["protocol", "strong", "seed"]
    own = table.groupby([*run, "contestant"])["data_set"].transform("nunique")
    table = table[own == n_sets]
    is_reference = table["contestant"].isin(REFERENCES)
    n_references = is_reference.groupby([table[key] for key in run]).transform("sum")
    n_references /= table.groupby(run)["data_set"].transform("nunique")
    return table[n_references == len(REFERENCES)]


def _compare(runs, contestant, rng):
    """Return what a contestant is worth beside the others in the same runs."""
    means = runs.groupby(level="data_set").mean()
    accuracy = means["accuracy"]
    floor, gap = accuracy["weak"], accuracy["ceiling"] - accuracy["weak"]
    gain = accuracy[contestant] - floor
    # Without labels there is no strong estimator trained on them.
    labels = accuracy.get("strong on the labels", floor)
    regret = np.fmax(floor, labels) - accuracy[contestant]
    low, high = _bootstrap(gain.to_numpy(), gap.to_numpy(), rng)
    lead = accuracy["strategy=auto"] - accuracy[contestant]
    others = {
        f"{score}_gain": (means[score][contestant] - means[score]["weak"]).mean()
        for score in SCORES[1:]
    }
    return {
        "gap_recovered": f"{gain.sum() / gap.sum():.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "lead_of_auto": f"{lead.sum() / gap.sum():.3f}",
        "n_harmed": int((gain < -HARM).sum()),
        "n_below_better_of_both": int((regret > HARM).sum()),
        "mean_regret": f"{100 * regret.mean():.2f}",
        "worst": f"{100 * gain.min():.1f}",
        "n_won": int((gain > 0).sum()),
        **{name: f"{100 * value:.2f}" for name, value in others.items()},
        "n_data_sets": len(means),
        "n_seeds": runs.index.get_level_values("seed").nunique(),
    }


def by_data_set(rows):
    """Return mean and spread over seeds of every score, data set by data set."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in KEYS if key != "seed")].append(row)
    table = []
    for key, group in sorted(groups.items()):
        entry = dict(zip([key for key in KEYS if key != "seed"], key, strict=True))
        entry["n_seeds"] = len(group)
        for score in SCORES:
            values = [100 * float(row[score]) for row in group]
            entry[score] = f"{np.mean(values):.2f}"
            entry[f"{score}_spread"] = f"{np.std(values):.2f}"
        table.append(entry)
    return table


def overview(summary):
    """Return a row per contestant: the gap recovered in each situation."""
    table = defaultdict(dict)
    for row in summary:
        situation = f"{row['protocol']}, {row['strong']}"
        table[row["contestant"]][situation] = row["gap_recovered"]
    situations = sorted({situation for own in table.values() for situation in own})
    return [
        {"contestant": name, **{s: table[name].get(s, "") for s in situations}}
        for name in CONTESTANTS
        if name in table
    ]


def _bootstrap(gain, gap, rng, n_draws=2000):
    """Return the 95% interval of the pooled gap recovered, over data sets."""
    draws = rng.integers(len(gain), size=(n_draws, len(gain)))
    return np.quantile(gain[draws].sum(axis=1) / gap[draws].sum(axis=1), [0.025, 0.975])


def parse(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    parser.add_argument("--strong", choices=STRONG, action="append")
    parser.add_argument("--contestant", choices=CONTESTANTS, action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args(arguments)


def main(arguments=None):
    """Compute what is missing of the results file, then the summary beside it."""
    options = parse(arguments)
    folder = options.data_dir or data_folder()
    sets = data_sets(folder)
    rows = read(options.out)
    done = {tuple(str(row[key]) for key in KEYS) for row in rows}
    chosen = options.contestant or list(CONTESTANTS)
    tasks = []
    for protocol in options.protocol or PROTOCOLS:
        for strong in options.strong or ["hgb", "rf"]:
            for seed in range(options.seeds):
                for entry in sets[protocol]:
                    key = (protocol, strong, entry["name"], str(seed))
                    missing = [c for c in chosen if (*key, c) not in done]
                    if missing:
                        tasks.append((folder, entry, protocol, strong, seed, missing))
    for found in as_they_end(judge, tasks, jobs=options.jobs):
        rows += found
        write(options.out, rows)
    if not rows:
        return
    rows.sort(key=lambda row: [str(row[key]) for key in KEYS])
    write(options.out, rows)
    summary = summarise(rows, np.random.default_rng(0))
    tables = {
        "_summary": summary,
        "_by_data_set": by_data_set(rows),
        "_overview": overview(summary),
    }
    for suffix, table in tables.items():
        # Nothing is compared before the references have been run on all data sets.
        if table:
            write(options.out.with_stem(options.out.stem + suffix), table)


if __name__ == "__main__":
    main()

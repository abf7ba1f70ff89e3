"""The scoreboard: what each way to use weak labels is worth, data set by data set.

Rows that a results file has already are not computed again, so that a run that was
stopped goes on. Log loss and calibration are blank where a row is older than they are;
delete rows to have them computed again. Those of contestants that are gone are dropped.
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
    log_loss,
    roc_auc_score,
)

from benchmarks.tables._contestants import (
    CONTESTANTS,
    RIVALS,
    STRONG,
    WITHOUT_STRONG,
    make_strong,
    n_seeds,
)
from benchmarks.tables._problems import data_folder
from benchmarks.tables._protocols import PROTOCOLS, data_sets, make_situation
from benchmarks.tables._results import RESULTS, read
from benchmarks.tables._scoreboard import (
    KEYS,
    SEEDS_TO_CHOOSE,
    SEEDS_TO_JUDGE,
    bootstrap,
    go_on,
    interval,
    key_of,
    known_rows,
    missing_tasks,
    overview,
    whole,
    write_beside,
)

RESULT = RESULTS / "effectiveness.csv"
OVERHEAD = RESULTS / "overhead.csv"
# The more the better, and the less the better.
GAINS = ["accuracy", "balanced_accuracy", "roc_auc"]
LOSSES = ["log_loss", "calibration_error"]
SCORES = GAINS + LOSSES
HARM = 0.01
# Points that a data set must not surely lose against the weak estimator.
LIMITS = {"accuracy": 1, "balanced_accuracy": 2}
DEFAULT = "strategy=auto"
# What every contestant is compared with.
REFERENCES = ["weak", DEFAULT, "ceiling"]
NO_COST = {"fit_cost": "", "predict_cost": ""}


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
    scores = [
        accuracy_score(y, predicted),
        balanced_accuracy_score(y, predicted),
        auc,
        log_loss(y, proba, labels=np.arange(proba.shape[1])),
        calibration_error(y, proba),
    ]
    return [f"{score:.5f}" for score in scores]


def calibration_error(y, proba, n_bins=15):
    """Return how far hits are from what the likeliest class promises, on average.

    Rows are binned by the probability of the likeliest class, in bins of equal width.
    """
    confidence = proba.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    surplus = np.bincount(bins, weights=confidence - (proba.argmax(axis=1) == y))
    return np.abs(surplus).sum() / len(y)


def summarise(rows, rng):
    """Return a row per protocol, strong estimator and contestant, best first.

    Each contestant is compared with the others on the seeds that it has been run with.
    """
    table = pd.DataFrame(rows)
    table[SCORES] = table[SCORES].apply(pd.to_numeric)
    table = whole(table, REFERENCES)
    runs = ["protocol", "strong", "data_set", "seed"]
    wide = table.pivot_table(index=runs, columns="contestant", values=SCORES)
    summary = []
    costs = cost_by_contestant()
    for (protocol, strong), block in wide.groupby(level=["protocol", "strong"]):
        for contestant in block["accuracy"].columns:
            own = block[block["accuracy"][contestant].notna()]
            if len(own) and "ceiling" in own["accuracy"]:
                key = {"protocol": protocol, "strong": strong, "contestant": contestant}
                row = key | _compare(own, contestant, rng)
                summary.append(row | costs.get(contestant, NO_COST))
    return sorted(
        summary,
        key=lambda row: (row["protocol"], row["strong"], -float(row["gap_recovered"])),
    )


def _compare(runs, contestant, rng):
    """Return what a contestant is worth beside the others in the same runs."""
    means = runs.groupby(level="data_set").mean()
    accuracy = means["accuracy"]
    floor, gap = accuracy["weak"], accuracy["ceiling"] - accuracy["weak"]
    gain = accuracy[contestant] - floor
    # Without labels there is no strong estimator trained on them.
    labels = accuracy.get("strong on the labels", floor)
    regret = np.fmax(floor, labels) - accuracy[contestant]
    low, high = bootstrap(gain.to_numpy(), gap.to_numpy(), rng)
    lead = accuracy[DEFAULT] - accuracy[contestant]
    others = {
        f"{score}_gain": (means[score][contestant] - means[score]["weak"]).mean()
        for score in GAINS[1:]
    }
    return {
        "gap_recovered": f"{gain.sum() / gap.sum():.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "lead_of_auto": f"{lead.sum() / gap.sum():.3f}",
        "n_harmed": int((gain < -HARM).sum()),
        "n_below_better_of_both": int((regret > HARM).sum()),
        "mean_regret": f"{100 * regret.mean():.2f}",
        **_sure_harm(runs, contestant),
        "worst": f"{100 * gain.min():.1f}",
        "n_won": int((gain > 0).sum()),
        **{name: f"{100 * value:.2f}" for name, value in others.items()},
        **{score: _mean_loss(means, score, contestant) for score in LOSSES},
        "n_data_sets": len(means),
        "n_seeds": runs.index.get_level_values("seed").nunique(),
    }


def _mean_loss(means, score, contestant):
    """Return the mean over data sets, or nothing where some lack it."""
    values = means.get((score, contestant))
    return "" if values is None or values.isna().any() else f"{values.mean():.4f}"


def _sure_harm(runs, contestant):
    """Count the data sets whose whole interval over seeds is below what is allowed."""
    counts = {}
    for score, limit in LIMITS.items():
        gain = 100 * (runs[score][contestant] - runs[score]["weak"])
        highs = [interval(own)[1] for _, own in gain.groupby(level="data_set")]
        counts[f"n_surely_harmed_{score}"] = sum(high < -limit for high in highs)
    return counts


def cost_by_contestant():
    """Return what fits and predictions take, times those of the estimators by hand.

    It is that of the smaller problem in the table of overhead.
    """
    rows = [row for row in read(OVERHEAD) if row.get("predict_ratio")]
    least = min((int(row["n_rows"]) for row in rows), default=None)
    return {
        f"strategy={row['strategy']}": {
            "fit_cost": row["ratio"],
            "predict_cost": row["predict_ratio"],
        }
        for row in rows
        if int(row["n_rows"]) == least
    }


def by_data_set(rows):
    """Return mean and spread over seeds of every score, data set by data set.

    The limits are those of the gain over the weak estimator in points.
    """
    weak = {key_of(row)[:-1]: row for row in rows if row["contestant"] == "weak"}
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in KEYS if key != "seed")].append(row)
    table = []
    for key, group in sorted(groups.items()):
        entry = dict(zip([key for key in KEYS if key != "seed"], key, strict=True))
        entry["n_seeds"] = len(group)
        for score in SCORES:
            scale, digits = (1, 4) if score == "log_loss" else (100, 2)
            values = [scale * float(row[score]) for row in group if row[score]]
            # A mean is that of all seeds.
            known = len(values) == len(group)
            entry[score] = f"{np.mean(values):.{digits}f}" if known else ""
            entry[f"{score}_spread"] = f"{np.std(values):.{digits}f}" if known else ""
        pairs = [
            (row, weak[key_of(row)[:-1]]) for row in group if key_of(row)[:-1] in weak
        ]
        for score in LIMITS:
            gains = [100 * (float(a[score]) - float(b[score])) for a, b in pairs]
            for name, limit in zip(["low", "high"], interval(gains), strict=True):
                known = not np.isnan(limit)
                entry[f"{score}_gain_{name}"] = f"{limit:.2f}" if known else ""
        table.append(entry)
    return table


def best_peers(rows):
    """Return a row per data set: the peer best on some seeds, judged on the others."""
    accuracy = defaultdict(dict)
    for row in rows:
        problem = row["protocol"], row["strong"], row["data_set"]
        run = row["contestant"], str(row["seed"])
        accuracy[problem][run] = 100 * float(row["accuracy"])
    table = []
    for problem, own in sorted(accuracy.items()):
        first = _means(own, [*RIVALS, DEFAULT], SEEDS_TO_CHOOSE)
        then = _means(own, [*RIVALS, DEFAULT], SEEDS_TO_JUDGE)
        rivals = [name for name in RIVALS if name in first and name in then]
        if not rivals or DEFAULT not in then:
            continue
        best = max(rivals, key=first.get)
        entry = dict(zip(["protocol", "strong", "data_set"], problem, strict=True))
        entry |= {
            "best_peer": best,
            "its_accuracy": f"{then[best]:.2f}",
            "accuracy_of_auto": f"{then[DEFAULT]:.2f}",
            "points_behind": f"{then[best] - then[DEFAULT]:.2f}",
            "n_peers": len(rivals),
        }
        table.append(entry)
    return table


def _means(runs, names, seeds):
    """Return the means of those that have been run with all seeds."""
    found = {name: [runs.get((name, seed)) for seed in seeds] for name in names}
    return {name: np.mean(own) for name, own in found.items() if None not in own}


def behind_best_peer(table):
    """Return a row per situation: how far the default is behind the best peers."""
    groups = defaultdict(list)
    for row in table:
        groups[row["protocol"], row["strong"]].append(row)
    summary = []
    for (protocol, strong), own in groups.items():
        points = np.array([float(row["points_behind"]) for row in own])
        worst = own[points.argmax()]
        summary.append(
            {
                "protocol": protocol,
                "strong": strong,
                "mean_behind": f"{points.mean():.2f}",
                "worst_behind": f"{points.max():.2f}",
                "worst_data_set": worst["data_set"],
                "its_best_peer": worst["best_peer"],
                "n_behind": int((points > 0).sum()),
                "n_behind_1_point": int((points > 100 * HARM).sum()),
                "n_data_sets": len(own),
            }
        )
    return summary


def parse(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    parser.add_argument("--strong", choices=STRONG, action="append")
    parser.add_argument("--contestant", choices=CONTESTANTS, action="append")
    parser.add_argument(
        "--seeds", type=int, help="for all; by default 2 for single strategies, else 5"
    )
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args(arguments)


def write_tables(out, rows):
    """Write all tables that build on the results, beside them."""
    peers = best_peers(rows)
    summary = summarise(rows, np.random.default_rng(0))
    tables = {
        "_summary": summary,
        "_by_data_set": by_data_set(rows),
        "_overview": overview(summary, CONTESTANTS),
        "_best_peer": behind_best_peer(peers),
        "_best_peer_by_data_set": peers,
    }
    write_beside(out, tables)


def main(arguments=None):
    """Compute what is missing of the results file, then the summary beside it."""
    options = parse(arguments)
    strongs = options.strong or ["hgb", "rf"]
    folder = options.data_dir or data_folder()
    entries = {
        protocol: {entry["name"]: entry for entry in own}
        for protocol, own in data_sets(folder).items()
    }
    chosen = options.contestant or list(CONTESTANTS)
    most = {name: options.seeds or n_seeds(name) for name in chosen}
    rows = [
        dict.fromkeys(SCORES, "") | row
        for row in known_rows(options.out, CONTESTANTS, strongs, WITHOUT_STRONG)
    ]
    wanted = {p: list(entries[p]) for p in options.protocol or PROTOCOLS}
    tasks = [
        (folder, entries[protocol][name], protocol, *task)
        for protocol, name, *task in missing_tasks(
            rows, wanted, strongs, most, WITHOUT_STRONG
        )
    ]
    rows = go_on(
        options.out, rows, judge, tasks, strongs, WITHOUT_STRONG, jobs=options.jobs
    )
    if rows:
        write_tables(options.out, rows)


if __name__ == "__main__":
    main()

"""What source selection is worth on real tables: overlap collected, and accuracy.

Three tenths of the rows are held out, 200 of the others have labels, and rows are
bought of sources that the data names. The strong estimator is then trained on the
labeled rows and on weak labels of the bought ones. Rows that a results file has already
are not computed again, so that a run that was stopped goes on.
"""

import argparse
import json
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from benchmarks.tables._contestants import STRONG
from benchmarks.tables._problems import data_folder, read_table
from benchmarks.tables._results import RESULTS, as_they_end, read, write
from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s._tabular import TabularEncoder, default_weak_estimator

RESULT = RESULTS / "sources.csv"
KEYS = ["data_set", "seed", "contestant"]
MOST_IN_POOL = 10_000
TEST_SHARE, N_LABELED, PER_CLASS = 0.3, 200, 12
BUDGET, BATCH = 1_000, 32
N_ALONE, N_SEEDS_ALONE = 300, 3
BASE = "random policy"


@dataclass
class Market:
    """Rows at hand, rows for sale, and what is held out.

    Parameters
    ----------
    X, y, sources : data frame, ndarray, ndarray
        Labeled rows first; -1 for the others.
    X_test, y_test : data frame, ndarray
        Held out before anything else, from all sources.
    weak_features : list of str
        Columns that the weak estimator sees.
    budget, batch_size : int
        Rows bought in all, and at once.
    worth : dict of str to ndarray of shape (n,)
        What each row is worth by rewards other than overlap, in [0, 1].
    is_overlap : ndarray of bool of shape (n,)
        Regions by a detector that has seen the whole pool.
    """

    X: Any
    y: Any
    sources: Any
    X_test: Any
    y_test: Any
    weak_features: Any
    budget: int = BUDGET
    batch_size: int = BATCH
    worth: Any = None
    is_overlap: Any = None
    seed: int = 0

    @property
    def pool(self):
        """Positions of the rows for sale."""
        return np.flatnonzero(self.y < 0)

    def detector(self):
        """Return a detector to be fitted."""
        return OverlapDetector(
            default_weak_estimator(),
            weak_features=self.weak_features,
            max_references=2000,
            random_state=self.seed,
        )

    def accuracy(self, bought):
        """Return the accuracy of the strong estimator after a purchase."""
        rows = np.concatenate([np.flatnonzero(self.y >= 0), bought])
        model = WeakToStrongClassifier(
            default_weak_estimator(),
            STRONG["hgb"](self.seed),
            weak_features=self.weak_features,
            strategy="all",
            random_state=self.seed,
        )
        model.fit(self.X.iloc[rows], self.y[rows])
        return accuracy_score(self.y_test, model.predict(self.X_test))


def open_market(folder, entry, seed):
    """Part a table into rows at hand, a pool and a test set."""
    X, y, sources, _ = read_table(folder, entry)
    rows, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed
    )
    rng = np.random.default_rng(seed)
    rows = rng.permutation(rows)
    first = np.concatenate([rows[y[rows] == k][:PER_CLASS] for k in np.unique(y)])
    others = rows[~np.isin(rows, first)]
    n_more = max(N_LABELED - len(first), 0)
    labeled, pool = np.concatenate([first, others[:n_more]]), others[n_more:]
    chosen = np.concatenate([labeled, pool[:MOST_IN_POOL]])
    budget = min(BUDGET, (len(chosen) - len(labeled)) // 3)
    n_sources = len(np.unique(sources[chosen]))
    market = Market(
        X=X.iloc[chosen].reset_index(drop=True),
        y=np.where(np.arange(len(chosen)) < len(labeled), y[chosen], -1),
        sources=sources[chosen],
        X_test=X.iloc[test],
        y_test=y[test],
        weak_features=list(rng.permutation(X.columns)[: max(1, X.shape[1] // 2)]),
        budget=budget,
        # The first rounds of all sources are to leave two thirds of the budget.
        batch_size=min(BATCH, budget // (3 * n_sources)),
        seed=seed,
    )
    detector = market.detector().fit(market.X, market.y)
    market.is_overlap = detector.regions_ == "overlap"
    market.worth = rewards(market)
    return market


def rewards(market):
    """Return what each row is worth, by ways to say it without its label.

    "New to the strong" are weak labels that are sure, and improbable to the strong
    estimator when trained on the labeled rows; "far from labels" are rows farther from
    the next labeled row than half of the labeled rows are.
    """
    known = market.y >= 0
    X, y = market.X[known], market.y[known]
    view = market.weak_features
    weak = default_weak_estimator().fit(X[view], y).predict_proba(market.X[view])
    strong = STRONG["hgb"](market.seed).fit(X, y).predict_proba(market.X)
    encoder = TabularEncoder().fit(market.X)
    near = NearestNeighbors(n_neighbors=1).fit(encoder.transform(X))
    among_labeled = near.kneighbors()[0]
    distance = near.kneighbors(encoder.transform(market.X))[0][:, 0]
    label = weak.argmax(axis=1)
    sure = weak.max(axis=1)
    return {
        "weak confidence": sure,
        "weak uncertainty": 1 - sure,
        "disagreement": (label != strong.argmax(axis=1)).astype(float),
        "strong uncertainty": 1 - strong.max(axis=1),
        "new to the strong": sure * (1 - strong[np.arange(len(label)), label]),
        "far from labels": (distance > np.median(among_labeled)).astype(float),
    }


def select(market, **params):
    """Buy by a selector; its rewards are looked up by row."""
    selector = UCBSourceSelector(
        overlap_detector=market.detector(),
        budget=market.budget,
        batch_size=market.batch_size,
        random_state=market.seed,
        **params,
    )
    selector.fit(market.X, market.y, sample_source=market.sources)
    return selector.drawn_indices_


def by_reward(market, name, *, of_overlap=False):
    """Buy from the source of the highest reward, of all rows or of overlap rows."""

    def reward(detector, X, _y):
        worth = market.worth[name][X.index]
        return worth * (detector.predict(X) == "overlap") if of_overlap else worth

    return select(market, reward=reward)


def random_rows(market):
    """Buy rows without regard to their source."""
    rng = np.random.default_rng(market.seed)
    return rng.choice(market.pool, market.budget, replace=False)


def equal_shares(market):
    """Buy as many rows of each source as of any other, as far as there are."""
    pool = np.random.default_rng(market.seed).permutation(market.pool)
    rank = pd.Series(market.sources[pool]).groupby(market.sources[pool]).cumcount()
    return pool[np.argsort(rank, kind="stable")][: market.budget]


def oracle(market):
    """Buy of the source of the highest density that a detector finds in the pool."""
    pool = np.random.default_rng(market.seed).permutation(market.pool)
    overlap = pd.Series(market.is_overlap[pool], dtype=float)
    density = overlap.groupby(market.sources[pool]).transform("mean")
    # Sources of equal density one after another, not mixed.
    order = np.lexsort([market.sources[pool], -density])
    return pool[order][: market.budget]


CONTESTANTS = {
    "overlap": select,
    BASE: partial(select, policy="random"),
    "random rows": random_rows,
    "equal shares": equal_shares,
    "oracle of overlap": oracle,
    **{
        name: partial(by_reward, name=name)
        for name in [
            *("weak confidence", "weak uncertainty", "disagreement"),
            *("strong uncertainty", "new to the strong", "far from labels"),
        ]
    },
    **{
        f"overlap, {name}": partial(by_reward, name=name, of_overlap=True)
        for name in ("weak confidence", "far from labels")
    },
}


def judge(folder, entry, seed, contestants, alone):
    """Return a row per contestant, and a row per source bought alone."""
    # About the weak estimator on raw columns, and classes that no weak label names.
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", UserWarning)
    with threadpool_limits(1):
        market = open_market(folder, entry, seed)
        rows = []
        for name in contestants:
            bought = CONTESTANTS[name](market)
            rows.append(
                {
                    "data_set": entry["name"],
                    "seed": str(seed),
                    "contestant": name,
                    "n_bought": len(bought),
                    "density": f"{market.is_overlap[bought].mean():.4f}",
                    "accuracy": f"{market.accuracy(bought):.5f}",
                }
            )
        return rows, bought_alone(market, entry["name"]) if alone else []


def bought_alone(market, data_set):
    """Return what a purchase of one source leads to, source by source."""
    n_rows = min(N_ALONE, market.budget)
    rng = np.random.default_rng(market.seed)
    names, sizes = np.unique(market.sources[market.pool], return_counts=True)
    rows = []
    for name in names[sizes >= n_rows]:
        own = market.pool[market.sources[market.pool] == name]
        worth = {"overlap": market.is_overlap, **market.worth}
        accuracy = market.accuracy(rng.choice(own, n_rows, replace=False))
        rows.append(
            {
                "data_set": data_set,
                "seed": str(market.seed),
                "source": name,
                "n_bought": n_rows,
                **{key: f"{values[own].mean():.4f}" for key, values in worth.items()},
                "accuracy": f"{accuracy:.5f}",
            }
        )
    return rows


def summarise(rows):
    """Return a row per contestant: what it is worth beside random purchases."""
    means = by_data_set(rows)
    accuracy, density = (
        {(row["data_set"], row["contestant"]): float(row[score]) for row in means}
        for score in ("accuracy", "density")
    )
    summary = []
    for name in CONTESTANTS:
        sets = [d for d, contestant in accuracy if contestant == name]
        entry = {"contestant": name, "n_data_sets": len(sets)}
        for other in (BASE, "random rows"):
            gains = np.array([accuracy[d, name] - accuracy[d, other] for d in sets])
            entry |= {
                f"n_above_{other}": int((gains > 0).sum()),
                f"gain_over_{other}": f"{gains.mean():+.2f}",
                f"worst_beside_{other}": f"{gains.min():+.2f}",
            }
        found = np.mean([density[d, name] for d in sets])
        best = np.mean([density[d, "oracle of overlap"] for d in sets])
        entry |= {"density": f"{found:.3f}", "share_of_oracle": f"{found / best:.3f}"}
        summary.append({key.replace(" ", "_"): value for key, value in entry.items()})
    return summary


def by_data_set(rows):
    """Return mean and spread over seeds, accuracy in percent.

    The gain is that over the random policy, with its standard error.
    """
    groups = defaultdict(list)
    base = {}
    for row in rows:
        groups[row["data_set"], row["contestant"]].append(row)
        if row["contestant"] == BASE:
            base[row["data_set"], row["seed"]] = 100 * float(row["accuracy"])
    table = []
    for (data_set, contestant), group in sorted(groups.items()):
        accuracy = [100 * float(row["accuracy"]) for row in group]
        density = [float(row["density"]) for row in group]
        others = [base[data_set, row["seed"]] for row in group]
        gains = np.subtract(accuracy, others)
        table.append(
            {
                "data_set": data_set,
                "contestant": contestant,
                "n_seeds": len(group),
                "accuracy": f"{np.mean(accuracy):.2f}",
                "accuracy_spread": f"{np.std(accuracy):.2f}",
                "gain": f"{gains.mean():+.2f}",
                "error_of_gain": f"{gains.std() / max(len(gains) - 1, 1) ** 0.5:.2f}",
                "density": f"{np.mean(density):.4f}",
                "density_spread": f"{np.std(density):.4f}",
            }
        )
    return table


def correlate(rows, purchases):
    """Return how the worth of sources goes with their accuracy, set by set.

    It is Spearman's rank correlation over the sources, of means over seeds; and that of
    density and accuracy over all purchases of the contestants, less the means of their
    seeds.
    """
    if not rows:
        return []
    over_purchases = _over_purchases(purchases)
    keys = ["data_set", "seed", "source", "n_bought", "accuracy"]
    measures = [key for key in rows[0] if key not in keys]
    table = pd.DataFrame(rows).astype(dict.fromkeys([*measures, "accuracy"], float))
    means = table.groupby(["data_set", "source"])[[*measures, "accuracy"]].mean()
    found = []
    for name, group in means.groupby("data_set"):
        if len(group) < 3:
            continue
        spread = 100 * (group["accuracy"].max() - group["accuracy"].min())
        found.append(
            {
                "data_set": name,
                "n_sources": len(group),
                "spread_of_accuracy": f"{spread:.2f}",
                **{
                    key: f"{_rank_correlation(group[key], group['accuracy']):.2f}"
                    for key in measures
                },
                "overlap_over_purchases": f"{over_purchases[name]:.2f}",
            }
        )
    average = {
        key: f"{np.nanmean([float(row[key]) for row in found]):.2f}"
        for key in ["spread_of_accuracy", *measures, "overlap_over_purchases"]
    }
    n_sources = sum(row["n_sources"] for row in found)
    return [*found, {"data_set": "mean", "n_sources": n_sources} | average]


def _over_purchases(rows):
    scores = ["density", "accuracy"]
    table = pd.DataFrame(rows).astype(dict.fromkeys(scores, float))
    table[scores] -= table.groupby(["data_set", "seed"])[scores].transform("mean")
    return {
        name: _rank_correlation(group["density"], group["accuracy"])
        for name, group in table.groupby("data_set")
    }


def _rank_correlation(a, b):
    if a.nunique() < 2 or b.nunique() < 2:
        return np.nan
    return spearmanr(a, b).statistic


def parse(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--data-set", action="append")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args(arguments)


def main(arguments=None):
    """Compute what is missing of the results file, then the summaries beside it."""
    options = parse(arguments)
    folder = options.data_dir or data_folder()
    index = json.loads((folder / "index.json").read_text("utf-8"))
    entries = [entry for entry in index.values() if entry.get("source_counts")]
    if options.data_set:
        entries = [entry for entry in entries if entry["name"] in options.data_set]
    alone_out = options.out.with_stem(f"{options.out.stem}_alone")
    rows, alone = read(options.out), read(alone_out)
    done = {tuple(str(row[key]) for key in KEYS) for row in rows}
    done_alone = {(row["data_set"], row["seed"]) for row in alone}
    tasks = []
    for seed in range(options.seeds):
        for entry in entries:
            key = (entry["name"], str(seed))
            missing = [name for name in CONTESTANTS if (*key, name) not in done]
            if missing:
                is_missing = seed < N_SEEDS_ALONE and key not in done_alone
                tasks.append((folder, entry, seed, missing, is_missing))
    # The sets on which boosting takes longest come last, for all seeds.
    tasks.sort(key=lambda task: task[1]["features"] * task[1]["classes"] > 500)
    for found, found_alone in as_they_end(judge, tasks, jobs=options.jobs):
        rows, alone = rows + found, alone + found_alone
        write(options.out, rows)
        if alone:
            write(alone_out, alone)
    if not rows:
        return
    rows.sort(key=lambda row: (row["data_set"], int(row["seed"]), row["contestant"]))
    alone.sort(key=lambda row: (row["data_set"], int(row["seed"]), row["source"]))
    tables = {
        "": rows,
        "_alone": alone,
        "_summary": summarise(rows),
        "_by_data_set": by_data_set(rows),
        "_correlation": correlate(alone, rows),
    }
    for suffix, table in tables.items():
        if table:
            write(options.out.with_stem(options.out.stem + suffix), table)


if __name__ == "__main__":
    main()

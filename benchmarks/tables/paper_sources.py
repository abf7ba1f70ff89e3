"""Data-source selection: overlap collected and accuracy, round by round.

After the experiment of the paper with two sources made of rows whose regions are known:
of the generator by construction, of real tables by a detector that has seen all rows.
The sources share the overlap rows in the ratio 1 to 9 and the others equally (20 and 50
rounds), or have densities of exactly .1 and .9 (25 rounds). A round is the smaller
source's rows over the number of rounds.

The detector that judges the rows while they are drawn is fitted on 200 labeled rows and
the first round of each source, and is the same for all policies; the oracle alone draws
no first round of the other source. A logistic regression then learns the weak labels of
all rows collected so far, or of those that the judge calls overlap. Problems that the
results files have already are not computed again, so that a run that was stopped goes
on.
"""

import json
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import t
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.tables._problems import data_folder, paper_problem, read_table
from benchmarks.tables._results import options, read, write
from sklearn_w2s import OverlapDetector, UCBSourceSelector
from sklearn_w2s._tabular import TabularEncoder, default_weak_estimator
from sklearn_w2s.datasets import split_sources_by_count, split_sources_by_ratio
from sklearn_w2s.metrics import source_regret

GENERATOR = "paper's generator"
DATA_SETS = ["adult", "california_houses", "electricity", "magic_telescope", "spambase"]
QUICK_SETS = ["electricity"]
N_TEST, N_LABELED, N_POOL = 2000, 200, 3000
DENSITY = 0.3
N_SEEDS, N_QUICK_SEEDS = 20, 2
SPLITS = {"ratio": split_sources_by_ratio, "count": split_sources_by_count}
# Number of rounds, and how the sources are made.
HORIZONS = {20: "ratio", 25: "count", 50: "ratio"}
POLICIES = ["kl_ucb", "thompson", "ucb1", "paper", "reference", "random"]
ORACLE = "oracle"
SCORES = ["density", "detected", "accuracy", "accuracy_overlap"]
# As strongly regularised as the weak-to-strong estimator of the paper's generator.
STRENGTHS = {GENERATOR: 0.01}


@dataclass
class Case:
    """Rows of a problem, who labels them, and what is held out.

    Parameters
    ----------
    X : data frame of shape (n, n_features)
        Labeled rows first, then the pool.
    y : ndarray of shape (n,)
        Class codes of the labeled rows, -1 for the pool.
    regions : ndarray of shape (n,)
        Regions of all rows, known or by a detector that has seen all of them.
    weak_labels : ndarray of shape (n,)
        Class codes by the weak estimator.
    rows : ndarray of shape (n, n_columns)
        The rows as the strong estimator sees them.
    test_rows, y_test : ndarray, ndarray
        Held out.
    detector : OverlapDetector
        Yet to be fitted.
    strength : float
        C of the strong estimator.
    seed : int
        Seed of everything.
    sources : ndarray of shape (n,), default=None
        Where rows come from, "" for those that are not for sale. None deals the rows to
        sources that differ in their share of overlap rows.
    """

    X: Any
    y: Any
    regions: Any
    weak_labels: Any
    rows: Any
    test_rows: Any
    y_test: Any
    detector: Any
    strength: float
    seed: int
    sources: Any = None

    def accuracy(self, chosen):
        """Return the accuracy of a strong estimator trained on some rows."""
        labels = self.weak_labels[chosen]
        if len(labels) == 0:
            return np.nan
        if len(np.unique(labels)) == 1:
            # All that can be learned is this class.
            return np.mean(self.y_test == labels[0])
        # Many small fits of few columns, for which this solver is the fastest.
        strong = LogisticRegression(C=self.strength, solver="newton-cholesky")
        strong.fit(self.rows[chosen], labels)
        return strong.score(self.test_rows, self.y_test)


def open_case(folder, problem, seed):
    """Part the rows of a problem, and find regions where they are not known."""
    X, y, regions, view = (
        generated(seed) if problem == GENERATOR else real(folder, problem, seed)
    )
    order = np.random.default_rng(seed).permutation(len(y))
    n_test = min(N_TEST, len(y) // 3)
    test, chosen = order[:n_test], order[n_test:][: N_LABELED + N_POOL]
    labeled, is_labeled = chosen[:N_LABELED], np.arange(len(chosen)) < N_LABELED
    own = X.iloc[chosen].reset_index(drop=True)
    known = np.where(is_labeled, y[chosen], -1)
    detector = OverlapDetector(
        default_weak_estimator(),
        weak_features=view,
        max_references=2000,
        random_state=seed,
    )
    is_known = regions is not None
    regions = regions[chosen] if is_known else detector.fit(own, known).regions_
    weak = default_weak_estimator().fit(X.iloc[labeled][view], y[labeled])
    encoder = TabularEncoder().fit(own)
    return Case(
        X=own,
        y=known,
        regions=regions,
        weak_labels=weak.predict(own[view]),
        rows=encoder.transform(own),
        test_rows=encoder.transform(X.iloc[test]),
        y_test=y[test],
        detector=detector,
        strength=STRENGTHS.get(problem, 1.0),
        seed=seed,
    )


def generated(seed):
    """Return rows of the paper's generator, with their regions and the easy block."""
    n = N_TEST + N_LABELED + N_POOL
    problem = paper_problem(seed, density=DENSITY, absent_noise=0.0, n=n)
    names = [f"x{j}" for j in range(problem.X.shape[1])]
    table = pd.DataFrame(problem.X, columns=names)
    return table, problem.y, problem.regions, names[problem.weak_features]


def real(folder, name, seed):
    """Return rows of a data set; the weak estimator sees a random half of columns."""
    index = json.loads((folder / "index.json").read_text("utf-8"))
    X, y, *_ = read_table(folder, index[name])
    columns = np.random.default_rng(seed).permutation(X.columns)
    return X, y, None, list(columns[: max(1, X.shape[1] // 2)])


def play(case, horizon):
    """Return what every policy draws, and which rows the judge calls overlap.

    Of each policy these are the rows in the order drawn, and the share of the oracle's
    density and the regret that come of the densities of their sources.
    """
    pool, sources = deal(case, horizon)
    names, sizes = np.unique(sources, return_counts=True)
    batch = int(sizes.min() // horizon)
    is_overlap = case.regions[pool] == "overlap"
    densities = {name: is_overlap[sources == name].mean() for name in names}
    best = max(densities, key=densities.get)
    most = horizon * batch * densities[best]
    own = np.random.default_rng(case.seed).permutation(pool[sources == best])
    drawn = {ORACLE: (own[: horizon * batch], 1.0, 0.0)}

    labeled = np.flatnonzero(case.y >= 0)
    rows = np.concatenate([labeled, pool])
    # Labeled rows are at hand, wherever they come from.
    sources = np.concatenate([np.repeat(best, len(labeled)), sources])

    def select(**params):
        selector = UCBSourceSelector(batch_size=batch, random_state=case.seed, **params)
        return selector.fit(case.X.iloc[rows], case.y[rows], sample_source=sources)

    # The rounds of the burn-in, after which a detector stays as it is.
    first = select(overlap_detector=case.detector, n_rounds=len(names))
    judge = FrozenEstimator(first.overlap_detector_)
    detected = judge.predict(case.X) == "overlap"
    for policy in POLICIES:
        selector = select(
            overlap_detector=judge,
            policy=policy,
            n_rounds=horizon,
            # The same as to ask the judge, which has named the region of every row.
            reward=lambda _judge, X, _y: detected[X.index].astype(float),
        )
        regret = source_regret(selector.history_, densities)["total"]
        order = rows[selector.drawn_indices_]
        drawn[policy] = order, 1 - regret / most, regret
    return drawn, detected


def deal(case, horizon):
    """Return the rows for sale and their sources."""
    pool = np.flatnonzero(case.y < 0)
    if case.sources is not None:
        pool = pool[case.sources[pool] != ""]
        return pool, case.sources[pool].astype(str)
    split = SPLITS[HORIZONS[horizon]]
    rows, sources = split(case.regions[pool], random_state=case.seed)
    return pool[rows], sources


def trace(folder, problem, seed):
    """Return what each policy has after each round, for each number of rounds."""
    # A weak estimator or a detector that stops early says so.
    warnings.simplefilter("ignore", UserWarning)
    with threadpool_limits(1):
        case = open_case(folder, problem, seed)
        return [row for horizon in HORIZONS for row in trace_horizon(case, horizon)]


def trace_horizon(case, horizon):
    """Return what each policy has after each round."""
    drawn, detected = play(case, horizon)
    # Policies that agree have the same rows.
    known, rows = {}, []
    for policy, (order, share, regret) in drawn.items():
        for n_round in range(1, horizon + 1):
            so_far = order[: n_round * len(order) // horizon]
            same = frozenset(so_far)
            if same not in known:
                known[same] = scores(case, so_far, detected)
            rows.append(
                {
                    "horizon": horizon,
                    "policy": policy,
                    "round": n_round,
                    "seed": case.seed,
                    "n_drawn": len(so_far),
                    **known[same],
                    # Of the whole run.
                    "share_of_oracle": share,
                    "regret": regret,
                }
            )
    return rows


def scores(case, rows, detected):
    """Return densities of some rows, and accuracies of students of them."""
    chosen = rows[detected[rows]]
    return {
        "density": np.mean(case.regions[rows] == "overlap"),
        "detected": np.mean(detected[rows]),
        "accuracy": case.accuracy(rows),
        "accuracy_overlap": case.accuracy(chosen),
    }


def by_round(problem, table):
    """Return means over seeds, and 95% intervals of them, round by round."""
    keys = ["horizon", "policy", "round"]
    rows = []
    for key, runs in table.groupby(keys, sort=False):
        row = {"problem": problem, **dict(zip(keys, key, strict=True))}
        row["n_drawn"] = f"{runs['n_drawn'].mean():.0f}"
        for score in SCORES:
            mean, error = mean_and_error(runs[score])
            row |= {
                score: f"{mean:.3f}",
                f"{score}_low": f"{mean - error:.3f}",
                f"{score}_high": f"{mean + error:.3f}",
            }
        rows.append(row | {"n_seeds": len(runs)})
    return rows


def at_the_end(problem, table):
    """Return a row per number of rounds and policy, of all that was collected.

    What is won over the random policy is the mean over seeds, with the 95% interval.
    """
    rows = []
    for horizon, runs in table.groupby("horizon"):
        last = runs[runs["round"] == horizon].set_index("seed")
        chance = last[last["policy"] == "random"]
        for policy, own in last.groupby("policy", sort=False):
            row = {
                "problem": problem,
                "horizon": horizon,
                "sources": HORIZONS[horizon],
                "policy": policy,
                "n_drawn": f"{own['n_drawn'].mean():.0f}",
                **{score: f"{own[score].mean():.3f}" for score in SCORES},
                "share_of_oracle": f"{own['share_of_oracle'].mean():.3f}",
                "regret": f"{own['regret'].mean():.1f}",
            }
            for score in SCORES:
                mean, error = mean_and_error(own[score] - chance[score])
                row |= {
                    f"{score}_gain": f"{mean:+.3f}",
                    f"{score}_gain_error": f"{error:.3f}",
                }
            rows.append(row | {"n_seeds": len(own)})
    return rows


def mean_and_error(values):
    """Return the mean and half of the width of its 95% interval."""
    values = values.dropna()
    if len(values) < 2:
        return values.mean(), 0.0
    return values.mean(), t.ppf(0.975, len(values) - 1) * values.sem()


def main(arguments=None):
    """Compute the problems that are missing, and write both tables."""
    chosen = options(__doc__, arguments)
    folder = data_folder()
    rounds_out = chosen.out / "paper_sources_rounds.csv"
    final_out = chosen.out / "paper_sources.csv"
    rounds, final = read(rounds_out), read(final_out)
    done = {row["problem"] for row in final}
    n_seeds = N_QUICK_SEEDS if chosen.quick else N_SEEDS
    problems = [GENERATOR, *(QUICK_SETS if chosen.quick else DATA_SETS)]
    for problem in problems:
        if problem in done:
            continue
        traces = Parallel(n_jobs=chosen.jobs)(
            delayed(trace)(folder, problem, seed) for seed in range(n_seeds)
        )
        table = pd.DataFrame(row for rows in traces for row in rows)
        rounds += by_round(problem, table)
        final += at_the_end(problem, table)
        write(rounds_out, rounds)
        write(final_out, final)
        print(f"{problem} is done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

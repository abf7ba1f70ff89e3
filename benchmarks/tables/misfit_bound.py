"""How often a strong regressor gains its misfit: where that is promised, and elsewhere.

Rows that a results file has already are not computed again, so that a run that was
stopped goes on. Gains, misfits and their errors are shares of the squared error of the
weak estimator, so that no unit rules.
"""

import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from benchmarks.tables._contestants import STRONG_REGRESSORS, weak, weak_to_strong
from benchmarks.tables._problems import tables_of_values
from benchmarks.tables._protocols import PROTOCOLS, Situation
from benchmarks.tables._results import options
from benchmarks.tables._scoreboard import (
    go_on,
    known_rows,
    missing_tasks,
    row_of,
    write_beside,
)
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.metrics import misfit

RESULT = "misfit_bound.csv"
PROMISED, SYNTHETIC = "promised", "random features"
SITUATIONS = ["scarce", "views", "upgrade", "blackbox"]
CONTESTANTS = {"naive": "all", "strategy=auto": "auto"}
N_SEEDS, N_SEEDS_QUICK = 2, 1
N_PROMISED, N_PROMISED_QUICK = 20_000, 2_000
# Random cosines that the truth is made of, and that the students of tables see.
N_OF_TRUTH, N_OF_TABLES = 30, 500
# Standard errors beyond which a bound is surely broken.
SURE = 2
STUDENTS = {
    # A convex class: linear functions of features that no label has chosen.
    "ridge": lambda seed: make_pipeline(
        TabularEncoder(),
        RBFSampler(gamma="scale", n_components=N_OF_TABLES, random_state=seed),
        Ridge(),
    ),
    "hgb": STRONG_REGRESSORS["hgb"],
}


def promised(n, seed):
    """Return a situation that meets all assumptions, and the student that does.

    The truth is linear in random cosines of five columns. The student is linear in the
    same, and learns from a tree that sees three of the columns; rows are so many that
    their means are nearly those of the population.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * n, 5))
    shifts = rng.uniform(0, 2 * np.pi, N_OF_TRUTH)
    cosines = np.cos(X @ rng.normal(size=(5, N_OF_TRUTH)) + shifts)
    y = cosines @ rng.normal(size=N_OF_TRUTH) + rng.normal(size=2 * n)
    seen = [f"x{j}" for j in range(5)]
    others = [f"cosine{j}" for j in range(N_OF_TRUTH)]
    table = pd.DataFrame(np.hstack([X, cosines]), columns=seen + others)
    tree = DecisionTreeRegressor(min_samples_leaf=10, random_state=seed)
    tree.fit(table.loc[:199, seen[:3]], y[:200])
    situation = Situation(
        X=table.iloc[:n],
        y=np.full(n, np.nan),
        truth=y[:n],
        X_test=table.iloc[n:],
        y_test=y[n:],
        weak=FrozenEstimator(tree),
        weak_features=seen[:3],
    )
    chosen = ColumnTransformer([("cosines", "passthrough", others)])
    return situation, make_pipeline(chosen, Ridge(alpha=1e-3))


def judge(protocol, name, strong, seed, contestants, is_quick):
    """Return a row for each contestant: its gain in held-out rows, and its misfit."""
    # A strategy that gives way says so, which is not about the bound.
    warnings.simplefilter("ignore", UserWarning)
    if protocol == PROMISED:
        situation, student = promised(
            N_PROMISED_QUICK if is_quick else N_PROMISED, seed
        )
    else:
        X, y = tables_of_values(is_quick=is_quick)[name](seed)
        situation, student = PROTOCOLS[protocol](X, y, seed), STUDENTS[strong](seed)
    said_weak = weak(situation)
    unit = mean_squared_error(situation.y_test, said_weak)
    rows = []
    for contestant in contestants:
        strategy = CONTESTANTS[contestant]
        said = weak_to_strong(
            situation, student, seed, naive=strategy == "all", strategy=strategy
        )
        gain = unit - mean_squared_error(situation.y_test, said)
        promise = misfit(said_weak, said)
        # Row by row it is twice this product by which gains exceed misfits.
        excess = 2 * (situation.y_test - said) * (said - said_weak)
        row = row_of(protocol, strong, name, seed, contestant)
        row["gain"] = f"{gain / unit:.6g}"
        row["misfit"] = f"{promise / unit:.6g}"
        row["standard_error"] = f"{excess.std() / len(excess) ** 0.5 / unit:.3g}"
        rows.append(row)
    return rows


def summarise(rows):
    """Return a row per situation, strong estimator and contestant: how often it holds.

    A run keeps the bound where its gain is its misfit at least, and surely breaks it
    where it is less by more than two standard errors over the rows held out. The
    default may let the weak estimator predict, which then has neither.
    """
    table = pd.DataFrame(rows)
    numbers = ["gain", "misfit", "standard_error"]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    table["excess"] = table["gain"] - table["misfit"]
    summary = []
    for key, own in table.groupby(["protocol", "strong", "contestant"]):
        moved = own[own["misfit"] > 0]
        means = moved.groupby("data_set")["excess"].mean()
        sure = moved["excess"] < -SURE * moved["standard_error"]
        row = dict(zip(["protocol", "strong", "contestant"], key, strict=True))
        summary.append(
            row
            | {
                "n_runs": len(own),
                "n_unlike_weak": len(moved),
                "n_gained": int((moved["gain"] > 0).sum()),
                "n_kept": int((moved["excess"] >= 0).sum()),
                "n_surely_broken": int(sure.sum()),
                "n_data_sets": len(means),
                "n_data_sets_kept": int((means >= 0).sum()),
                "mean_gain": f"{own['gain'].mean():.3f}",
                "mean_misfit": f"{own['misfit'].mean():.3f}",
            }
        )
    return summary


def main(arguments=None):
    """Compute what is missing of the results file, then the table beside it."""
    chosen = options(__doc__, arguments)
    n_seeds = N_SEEDS_QUICK if chosen.quick else N_SEEDS
    names = list(tables_of_values(is_quick=chosen.quick))
    out = chosen.out / RESULT
    rows = known_rows(out, CONTESTANTS, STUDENTS, set())
    tasks = missing_tasks(
        rows,
        dict.fromkeys(SITUATIONS, names),
        list(STUDENTS),
        dict.fromkeys(CONTESTANTS, n_seeds),
        set(),
    )
    tasks += missing_tasks(
        rows, {PROMISED: [SYNTHETIC]}, ["ridge"], {"naive": 5 * n_seeds}, set()
    )
    tasks = [(*task, chosen.quick) for task in tasks]
    rows = go_on(out, rows, judge, tasks, list(STUDENTS), set(), jobs=chosen.jobs)
    write_beside(out, {"_summary": summarise(rows)})


if __name__ == "__main__":
    main()

"""The scoreboard for values: what weak-to-strong regression recovers, table by table.

Rows that a results file has already are not computed again, so that a run that was
stopped goes on. Errors are divided by those of the weak estimator before tables are
pooled, so that no unit rules. CatBoost is skipped where it is not installed.
"""

import importlib.util
import warnings
from collections import defaultdict

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from benchmarks.tables._contestants import (
    STRONG_REGRESSORS,
    VALUE_CONTESTANTS,
    VALUES_WITHOUT_STRONG,
    make_strong,
)
from benchmarks.tables._problems import tables_of_values
from benchmarks.tables._protocols import PROTOCOLS
from benchmarks.tables._results import options
from benchmarks.tables._scoreboard import (
    KEYS,
    SEEDS_TO_CHOOSE,
    SEEDS_TO_JUDGE,
    bootstrap,
    go_on,
    interval,
    known_rows,
    missing_tasks,
    overview,
    row_of,
    whole,
    write_beside,
)

RESULT = "regression.csv"
SITUATIONS = ["scarce", "views", "upgrade", "blackbox"]
N_SEEDS, N_SEEDS_QUICK = 5, 1
SCORES = ["rmse", "mae"]
DEFAULT, CATBOOST = "strategy=auto", "CatBoost on the labels"
PARENTS = ["weak", "strong on the labels"]
REFERENCES = ["weak", DEFAULT, "ceiling"]
# Percent of its RMSE that a table must not surely lose against the weak estimator.
LIMIT = 1


def judge(protocol, name, strong, seed, contestants, is_quick):
    """Return a row of errors for each contestant, in the unit of the values."""
    # A strategy that gives way says so, which is not about the contest.
    warnings.simplefilter("ignore", UserWarning)
    X, y = tables_of_values(is_quick=is_quick)[name](seed)
    situation = PROTOCOLS[protocol](X, y, seed)
    rows = []
    for contestant in contestants:
        said = VALUE_CONTESTANTS[contestant](
            situation, make_strong(strong, situation, seed), seed
        )
        if said is None:
            continue
        row = row_of(protocol, strong, name, seed, contestant)
        row["rmse"] = f"{root_mean_squared_error(situation.y_test, said):.6g}"
        row["mae"] = f"{mean_absolute_error(situation.y_test, said):.6g}"
        rows.append(row)
    return rows


def relative_errors(rows):
    """Return errors over those of the weak estimator, a column per contestant.

    Parameters
    ----------
    rows : list of dict
        Errors by situation, strong estimator, table, seed and contestant.

    Returns
    -------
    dict of str to data frame
        For each score, indexed by situation, strong estimator, table and seed.
    """
    table = pd.DataFrame(rows)
    table[SCORES] = table[SCORES].apply(pd.to_numeric)
    wide = table.pivot_table(index=KEYS[:-1], columns="contestant", values=SCORES)
    return {
        score: wide[score].div(wide[score]["weak"], axis="index") for score in SCORES
    }


def summarise(rows, rng):
    """Return a row per situation, strong estimator and contestant, best first."""
    table = whole(pd.DataFrame(rows), REFERENCES)
    if table.empty:
        return []
    errors = relative_errors(table.to_dict("records"))
    summary = []
    for key, block in errors["rmse"].groupby(level=["protocol", "strong"]):
        for contestant in block.columns:
            own = block[block[contestant].notna()]
            if len(own):
                start = dict(zip(["protocol", "strong"], key, strict=True))
                start["contestant"] = contestant
                absolute = errors["mae"].loc[own.index]
                summary.append(start | _compare(own, absolute, contestant, rng))
    return sorted(
        summary,
        key=lambda row: (row["protocol"], row["strong"], -float(row["gap_recovered"])),
    )


def _compare(errors, absolute, contestant, rng):
    """Return what a contestant is worth beside the others in the same runs."""
    means = errors.groupby(level="data_set").mean()
    gain, gap = 1 - means[contestant], 1 - means["ceiling"]
    low, high = bootstrap(gain.to_numpy(), gap.to_numpy(), rng)
    in_mae = absolute.groupby(level="data_set").mean()
    lows = [
        interval(100 * (own - 1))[0]
        for _, own in errors[contestant].groupby(level="data_set")
    ]
    behind = _points_behind(errors, contestant)
    return {
        "gap_recovered": f"{gain.sum() / gap.sum():.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "gap_recovered_mae": (
            f"{(1 - in_mae[contestant]).sum() / (1 - in_mae['ceiling']).sum():.3f}"
        ),
        "mean_gain": f"{100 * gain.mean():.2f}",
        "mean_behind_better_of_both": "" if behind is None else f"{behind.mean():.2f}",
        "worst_behind": "" if behind is None else f"{behind.max():.2f}",
        "n_surely_harmed": sum(low > LIMIT for low in lows),
        "n_harmed": int((100 * gain < -LIMIT).sum()),
        "worst": f"{100 * gain.min():.1f}",
        "n_won": int((gain > 0).sum()),
        "n_data_sets": len(means),
        "n_seeds": errors.index.get_level_values("seed").nunique(),
    }


def _points_behind(errors, contestant):
    """Return how far a contestant is behind its parents, in percent of the weak RMSE.

    The better of the parents is chosen on some seeds and judged on the others, table
    by table.
    """
    seeds = errors.index.get_level_values("seed")
    first, then = (
        errors[seeds.isin(chosen)].groupby(level="data_set").mean()
        for chosen in (SEEDS_TO_CHOOSE, SEEDS_TO_JUDGE)
    )
    if not len(then) or not len(first):
        return None
    # Without labels there is no strong estimator trained on them.
    parents = [
        name for name in PARENTS if name in errors and errors[name].notna().all()
    ]
    best = first[parents].idxmin(axis="columns")
    of_best = np.array([then.loc[name, best[name]] for name in then.index])
    return 100 * (then[contestant].to_numpy() - of_best)


def by_data_set(rows):
    """Return mean errors over seeds, table by table, with intervals over seeds.

    The limits are those of the error over that of the weak estimator, in percent more.
    """
    errors = relative_errors(rows)["rmse"]
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in KEYS if key != "seed")].append(row)
    table = []
    for key, group in sorted(groups.items()):
        entry = dict(zip([key for key in KEYS if key != "seed"], key, strict=True))
        entry["n_seeds"] = len(group)
        for score in SCORES:
            entry[score] = f"{np.mean([float(row[score]) for row in group]):.5g}"
        own = errors.loc[key[:3], key[3]].dropna()
        more = 100 * (own.to_numpy() - 1)
        limits = zip(["low", "high"], interval(more), strict=True)
        entry["percent_above_weak"] = f"{more.mean():.2f}" if len(more) else ""
        for name, limit in limits:
            entry[name] = "" if np.isnan(limit) else f"{limit:.2f}"
        table.append(entry)
    return table


def main(arguments=None):
    """Compute what is missing of the results file, then the tables beside it."""
    chosen = options(__doc__, arguments)
    contestants = list(VALUE_CONTESTANTS)
    if importlib.util.find_spec("catboost") is None:
        print(f"{CATBOOST}: skipped, for catboost is not installed.", flush=True)
        contestants.remove(CATBOOST)
    strongs = list(STRONG_REGRESSORS)
    out = chosen.out / RESULT
    names = list(tables_of_values(is_quick=chosen.quick))
    rows = known_rows(out, VALUE_CONTESTANTS, strongs, VALUES_WITHOUT_STRONG)
    n_seeds = N_SEEDS_QUICK if chosen.quick else N_SEEDS
    tasks = missing_tasks(
        rows,
        dict.fromkeys(SITUATIONS, names),
        strongs,
        dict.fromkeys(contestants, n_seeds),
        VALUES_WITHOUT_STRONG,
    )
    tasks = [(*task, chosen.quick) for task in tasks]
    rows = go_on(
        out, rows, judge, tasks, strongs, VALUES_WITHOUT_STRONG, jobs=chosen.jobs
    )
    summary = summarise(rows, np.random.default_rng(0))
    tables = {
        "_summary": summary,
        "_by_data_set": by_data_set(rows),
        "_overview": overview(summary, VALUE_CONTESTANTS),
    }
    write_beside(out, tables)


if __name__ == "__main__":
    main()

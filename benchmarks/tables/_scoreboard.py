"""What scoreboards share: rows that are computed once each, and what they are worth."""

from collections import defaultdict

import numpy as np
from scipy.stats import t as student

from benchmarks.tables._results import as_they_end, read, write

KEYS = ["protocol", "strong", "data_set", "seed", "contestant"]
CONFIDENCE = 0.9
SEEDS_TO_CHOOSE, SEEDS_TO_JUDGE = ("0", "1", "2"), ("3", "4")


def key_of(row):
    """Return what tells a row from others."""
    return tuple(str(row[key]) for key in KEYS)


def row_of(*key):
    """Return the beginning of a row: what tells it from others, in the order of KEYS.

    As text, which is what a file gives back.
    """
    return dict(zip(KEYS, map(str, key), strict=True))


def for_all_strong(rows, strongs, without_strong):
    """Return the rows that hold for other strong estimators as well, as theirs."""
    done = {key_of(row) for row in rows}
    copies = {}
    for row in rows:
        if row["contestant"] in without_strong:
            own = [row | {"strong": strong} for strong in strongs]
            copies |= {key_of(copy): copy for copy in own if key_of(copy) not in done}
    return list(copies.values())


def missing_tasks(rows, data_sets, strongs, n_seeds, without_strong):
    """Return what to judge: the contestants that a run has no row of yet.

    Parameters
    ----------
    rows : list of dict
        What is known already.
    data_sets : dict of str to list of str
        Names of the data sets of each situation.
    strongs : list of str
        Strong estimators; rows of those that do without are copied from the first.
    n_seeds : dict of str to int
        How often each contestant is run.
    without_strong : set of str
        Contestants that give the same for every strong estimator.

    Returns
    -------
    list of tuple
        Situation, data set, strong estimator, seed and contestants.
    """
    done = {key_of(row) for row in rows}
    tasks = []
    for protocol, names in data_sets.items():
        for strong in strongs:
            own = [
                c for c in n_seeds if strong == strongs[0] or c not in without_strong
            ]
            for seed in range(max(n_seeds.values())):
                for name in names:
                    key = (protocol, strong, name, str(seed))
                    missing = [
                        c for c in own if seed < n_seeds[c] and (*key, c) not in done
                    ]
                    if missing:
                        tasks.append((protocol, name, strong, seed, missing))
    return tasks


def go_on(out, known, judge, tasks, strongs, without_strong, *, jobs):
    """Compute the rows that are missing, keep all in a file, and return them sorted.

    Parameters
    ----------
    out : Path
        The file, written again after each task.
    known : list of dict
        Rows of it that are still wanted.
    judge : callable
        Called with the arguments of a task it returns rows.
    tasks : list of tuple
        What to compute.
    strongs : list of str
        Strong estimators.
    without_strong : set of str
        Contestants whose rows are copied for all of these.
    jobs : int
        Processes.

    Returns
    -------
    list of dict
        Rows.
    """
    rows = known
    for found in as_they_end(judge, tasks, jobs=jobs):
        rows += found + for_all_strong(found, strongs, without_strong)
        # A run of which no contestant applies is no row.
        if rows:
            write(out, rows)
    rows = sorted(rows, key=key_of)
    if rows:
        write(out, rows)
    return rows


def known_rows(out, contestants, strongs, without_strong):
    """Return the rows of a file whose contestants are still there, copies included."""
    rows = [row for row in read(out) if row["contestant"] in contestants]
    return rows + for_all_strong(rows, strongs, without_strong)


def whole(table, references):
    """Leave out what was stopped in the middle, and seeds that lack a reference."""
    n_sets = table.groupby("protocol")["data_set"].transform("nunique")
    run = ["protocol", "strong", "seed"]
    own = table.groupby([*run, "contestant"])["data_set"].transform("nunique")
    table = table[own == n_sets]
    is_reference = table["contestant"].isin(references)
    n_references = is_reference.groupby([table[key] for key in run]).transform("sum")
    n_references /= table.groupby(run)["data_set"].transform("nunique")
    return table[n_references == len(references)]


def interval(gains):
    """Return the interval of a mean over seeds by Student's t; one seed has none."""
    n = len(gains)
    if n < 2:
        return np.nan, np.nan
    half = student.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(gains, ddof=1) / n**0.5
    return np.mean(gains) - half, np.mean(gains) + half


def bootstrap(gain, gap, rng, n_draws=2000):
    """Return the 95% interval of the pooled gap recovered, over data sets."""
    draws = rng.integers(len(gain), size=(n_draws, len(gain)))
    return np.quantile(gain[draws].sum(axis=1) / gap[draws].sum(axis=1), [0.025, 0.975])


def overview(summary, contestants):
    """Return a row per contestant: the gap recovered in each situation."""
    table = defaultdict(dict)
    for row in summary:
        situation = f"{row['protocol']}, {row['strong']}"
        table[row["contestant"]][situation] = row["gap_recovered"]
    situations = sorted({situation for own in table.values() for situation in own})
    return [
        {"contestant": name, **{s: table[name].get(s, "") for s in situations}}
        for name in contestants
        if name in table
    ]


def write_beside(out, tables):
    """Write tables beside the rows that they build on, by what their names end in."""
    for suffix, table in tables.items():
        # Nothing is compared before the references have been run on all data sets.
        if table:
            write(out.with_stem(out.stem + suffix), table)

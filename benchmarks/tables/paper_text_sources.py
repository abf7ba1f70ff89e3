"""Data-source selection on texts, with pretrained representations.

As on tables, see paper_sources: overlap density and accuracy of the student, round by
round, for policies, random rounds and an oracle. The weak estimator is a probe on
GloVe, the student one on MiniLM, and the detector that of the paper. Sentences of
reviews of films and of products, whose classes are the same, come from these two
sources, and from sources that differ in their share of overlap rows alone, as in the
paper: two of them, or five. Problems that the tables have are not computed again. With
--texts, the latter two are made of each of these texts; --cache is that of paper_text.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from threadpoolctl import threadpool_limits

from benchmarks.tables._results import as_they_end, read, write
from benchmarks.tables._texts import (
    Texts,
    load,
    name_of,
    options,
    part,
    representations,
)
from benchmarks.tables.paper_sources import (
    N_LABELED,
    N_POOL,
    N_TEST,
    Case,
    at_the_end,
    by_round,
    trace_horizon,
)
from benchmarks.tables.paper_text import PENALTY, probe, tuned_probe
from benchmarks.tables.paper_votes import paper_detector
from sklearn_w2s.datasets import split_sources_by_count

WEAK, STRONG = "GloVe", "MiniLM 6"
REVIEWS = {"films": "text_rt_polarity", "products": "text_customer_reviews"}
SHARES = {"two shares": (0.1, 0.9), "five shares": (0.1, 0.3, 0.5, 0.7, 0.9)}
NATURAL = "films or products"
HORIZON = 20


def reviews(*, quick):
    """Return the reviews of both sources, and which of them each is from."""
    found = {source: load(name, quick=quick) for source, name in REVIEWS.items()}
    joined = [
        np.concatenate([getattr(data, name) for data in found.values()])
        for name in ("texts", "y", "groups")
    ]
    sources = np.repeat(list(found), [len(data.y) for data in found.values()])
    return Texts(*joined), sources


def open_case(data, known, natural, shares, seed):
    """Part texts, find their regions and deal them to sources."""
    rows = np.arange(len(data.y))
    test, rest = part(rows, data.groups, min(N_TEST, len(rows) // 3), seed)
    chosen = rest[: N_LABELED + N_POOL]
    labeled = chosen[:N_LABELED]
    y = np.where(np.isin(chosen, labeled), data.y[chosen], -1)
    weak, strong = known[WEAK], known[STRONG]
    names = {
        kind: [f"{kind} {j}" for j in range(values.shape[1])]
        for kind, values in (("weak", weak), ("strong", strong))
    }
    X = pd.DataFrame(
        np.hstack([weak[chosen], strong[chosen]]),
        columns=[*names["weak"], *names["strong"]],
    )
    teacher = tuned_probe(weak[labeled], data.y[labeled], seed)
    all_of_strong = ColumnTransformer([("all", "passthrough", names["strong"])])
    detector = paper_detector(all_of_strong).set_params(
        weak_estimator=clone(teacher.best_estimator_),
        weak_features=names["weak"],
        max_references=2_000,
        random_state=seed,
    )
    regions = detector.fit(X, y).regions_
    return Case(
        X=X,
        y=y,
        regions=regions,
        weak_labels=teacher.predict(weak[chosen]),
        rows=strong[chosen],
        test_rows=strong[test],
        y_test=data.y[test],
        detector=detector,
        strength=probe(PENALTY, N_POOL).C,
        seed=seed,
        sources=deal(regions, y, natural, shares, chosen, seed),
    )


def deal(regions, y, natural, shares, chosen, seed):
    """Return the source of each row, "" for those that are not for sale."""
    if shares is None:
        return natural[chosen].astype(object)
    pool = np.flatnonzero(y < 0)
    rows, names = split_sources_by_count(regions[pool], shares, random_state=seed)
    sources = np.full(len(y), "", dtype=object)
    sources[pool[rows]] = names
    return sources


def problems(chosen):
    """Return texts, their sources, and shares of overlap rows, by problem."""
    if chosen.own:
        return {
            f"{name_of(texts)}, {name}": (load(texts, quick=chosen.quick), None, shares)
            for texts in chosen.own
            for name, shares in SHARES.items()
        }
    joined, sources = reviews(quick=chosen.quick)
    found = {NATURAL: (joined, sources, None)}
    for name, shares in SHARES.items():
        found[f"reviews, {name}"] = (joined, None, shares)
    return found


def main(arguments=None):
    """Compute the problems that are missing, and write both tables."""
    chosen = options(__doc__, arguments)
    rounds_out = chosen.out / "paper_text_sources_rounds.csv"
    final_out = chosen.out / "paper_text_sources.csv"
    rounds, final = read(rounds_out), read(final_out)
    done = {row["problem"] for row in final}
    for problem, (data, natural, shares) in problems(chosen).items():
        if problem in done:
            continue
        known = representations(data.texts, chosen.cache)
        tasks = [(data, known, natural, shares, seed) for seed in range(chosen.seeds)]
        traces = as_they_end(trace, tasks, jobs=chosen.jobs)
        table = pd.DataFrame(row for rows in traces for row in rows)
        if table.empty:
            print(f"{problem}: skipped. Its sources have too few texts.", flush=True)
            continue
        table = table.sort_values("seed", kind="stable")
        rounds += by_round(problem, table)
        # They are told by the name of the problem.
        final += [
            {name: value for name, value in row.items() if name != "sources"}
            for row in at_the_end(problem, table)
        ]
        write(rounds_out, rounds)
        write(final_out, final)
        print(f"{problem} is done", file=sys.stderr, flush=True)


def trace(data, known, natural, shares, seed):
    """Return what each policy has after each round, nothing where rows are too few."""
    # A weak estimator or a detector that stops early says so.
    warnings.simplefilter("ignore", UserWarning)
    if len(data.y) - min(N_TEST, len(data.y) // 3) <= N_LABELED:
        return []
    with threadpool_limits(1):
        case = open_case(data, known, natural, shares, seed)
        for_sale = case.sources[(case.y < 0) & (case.sources != "")]
        counts = np.unique(for_sale, return_counts=True)[1]
        if not len(counts) or counts.min() < HORIZON:
            return []
        return trace_horizon(case, HORIZON)


if __name__ == "__main__":
    main()

"""The mixing experiment of the paper on texts, with pretrained representations.

As on tables, see paper_mixing: a student on the strong representation learns weak
labels of the same number of texts, of which a growing share are overlap rows; "plain"
draws, and "matched" ones whose weak labels are equally good and classes equally many at
all shares. 500 labels, or half of the training texts where that is less, are for the
weak estimator; all other training texts are the pool. Regions are those of the paper's
detector and, on fewer seeds, those of the default one. Curves that are there already
are not computed again. The options --texts and --cache are those of paper_text.
"""

import warnings

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from benchmarks.tables._results import as_they_end, read, write
from benchmarks.tables._texts import (
    PAIRS,
    load,
    name_of,
    options,
    representations,
    splits,
)
from benchmarks.tables.paper_mixing import (
    KEYS,
    RUN,
    by_data_set,
    rows_of_curves,
    score,
    summarise,
)
from benchmarks.tables.paper_text import PENALTY, probe, tuned_probe
from benchmarks.tables.paper_votes import paper_detector
from sklearn_w2s import OverlapDetector
from sklearn_w2s.weak_estimators import ColumnProbaClassifier

N_LABELED = 500
PAPER, DEFAULT = "paper", "default"
DETECTORS = {
    PAPER: paper_detector,
    DEFAULT: lambda representation: OverlapDetector(representation=representation),
}
# It is there for comparison.
MOST_DEFAULT_SEEDS = 3
# Rows that a curve draws, about: the penalty of a probe is told by its rows.
N_DRAWN = 500


def curves(detector, name, pair, known, data, seed):
    """Return a row for each curve and share."""
    # That there is no change point, or one class only, is what the status says.
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        weak, strong = (known[name] for name in PAIRS[pair])
        test, labeled, pool = splits(data, seed)
        pool = np.concatenate([pool, labeled[N_LABELED:]])
        labeled = labeled[:N_LABELED]
        proba = weak_proba(weak, data.y, labeled, seed)
        # The weak estimator is what it says of every row.
        rows = np.hstack([proba, strong])
        of_weak, of_strong = np.arange(proba.shape[1]), slice(proba.shape[1], None)
        found = DETECTORS[detector](take(of_strong))
        found.fit(rows[pool], weak_proba=proba[pool])
        regions = np.full(len(data.y), "easy", dtype=object)
        regions[pool] = found.regions_
        told = ColumnProbaClassifier(list(of_weak), classes=list(of_weak))
        student = make_pipeline(take(of_strong), probe(PENALTY, N_DRAWN))
        told.fit(rows[labeled], data.y[labeled])
        found = score(told, student, (rows, data.y, regions), pool, test, seed)
    rows = rows_of_curves(found, (name, pair, seed), data.y.max() + 1)
    return [{"detector": detector} | row for row in rows]


def take(columns):
    """Return a transformer that leaves out all other columns."""
    return ColumnTransformer([("activations", "passthrough", columns)])


def weak_proba(rows, y, labeled, seed):
    """Return what a probe on the weak representation says of all rows."""
    weak = tuned_probe(rows[labeled], y[labeled], seed)
    proba = np.zeros((len(y), y.max() + 1))
    proba[:, weak.classes_] = weak.predict_proba(rows)
    return proba


def main(arguments=None):
    """Compute the curves that are missing, then the tables that follow from them."""
    chosen = options(__doc__, arguments)
    path = chosen.out / "paper_text_mixing_curves.csv"
    rows = read(path)
    done = {tuple(row[key] for key in ["detector", *RUN]) for row in rows}
    prepared = []
    for texts in chosen.texts:
        data = load(texts, quick=chosen.quick)
        known = representations(data.texts, chosen.cache)
        prepared.append((name_of(texts), data, known))
    # Seed by seed, so that a run that was stopped has all data sets.
    tasks = [
        (detector, name, pair, known, data, seed)
        for seed in range(chosen.seeds)
        for detector in DETECTORS
        for name, data, known in prepared
        for pair in PAIRS
        if (detector, name, pair, str(seed)) not in done
        and (detector == PAPER or seed < MOST_DEFAULT_SEEDS)
    ]
    for found in as_they_end(curves, tasks, jobs=chosen.jobs):
        rows += found
        write(path, rows)
    rows.sort(key=lambda row: [str(row[key]) for key in ["detector", *KEYS]])
    write(path, rows)
    table, summary = [], []
    for detector in DETECTORS:
        own = by_data_set([row for row in rows if row["detector"] == detector])
        named = {"detector": detector}
        table += [named | row for row in own]
        summary += [named | row for row in summarise(own, np.random.default_rng(0))]
    write(chosen.out / "paper_text_mixing.csv", table)
    write(chosen.out / "paper_text_mixing_summary.csv", summary)


if __name__ == "__main__":
    main()

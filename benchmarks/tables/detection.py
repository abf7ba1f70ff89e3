"""Compare what detectors find with the regions that are known."""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.tables._problems import problems
from benchmarks.tables._results import RESULTS, write
from sklearn_w2s import OverlapDetector
from sklearn_w2s.overlap import NoChangePointWarning

SEEDS = range(3)
CHANGE_POINTS = {
    "confidence": "margin",
    "confidence_threshold": "change_point",
    "refine_hard": False,
    "overlap_threshold": "change_point",
    "representation": "passthrough",
}
MEASURES = [
    *("max_abs_cosine", "max_abs_dot", "max_dot", "mean_abs_dot", "unexplained"),
    "agreement",
]


def cosines(rows, references):
    """Return absolute cosines, 0 for rows of zeros."""
    lengths = [np.linalg.norm(r, axis=1, keepdims=True) for r in (rows, references)]
    rows, references = (
        r / np.where(length > 0, length, 1)
        for r, length in zip((rows, references), lengths, strict=True)
    )
    return np.abs(rows @ references.T)


def quantile_abs_cosine(rows, hard_rows, _):
    """Score by a robust stand-in for the maximum."""
    return np.quantile(cosines(rows, hard_rows), 0.9, axis=1)


def mean_squared_cosine(rows, hard_rows, _):
    """Score by the energy in the directions of the hard rows."""
    return (cosines(rows, hard_rows) ** 2).mean(axis=1)


DETECTORS = {
    "default": {},
    **{f"change points, {m}": CHANGE_POINTS | {"overlap_measure": m} for m in MEASURES},
    "change points, mean_abs_cosine": CHANGE_POINTS,
    **{f"overlap_measure={m}": {"overlap_measure": m} for m in MEASURES},
    "overlap_measure=0.9 quantile of abs_cosine": {
        "overlap_measure": quantile_abs_cosine
    },
    "overlap_measure=mean of squared cosine": {"overlap_measure": mean_squared_cosine},
    "confidence=margin": {"confidence": "margin"},
    "confidence_threshold=mixture": {"confidence_threshold": "mixture"},
    "refine_hard=False": {"refine_hard": False},
    "overlap_threshold=change_point": {"overlap_threshold": "change_point"},
    **{
        f"representation={r}": {"representation": r}
        for r in ("passthrough", "pca", "forest")
    },
}


def judge(problem, params, seed):
    """Return the scores of a detector, of which a third of the rows is labeled."""
    rng = np.random.default_rng(seed)
    n = len(problem.y)
    y = np.full(n, -1)
    labeled = rng.permutation(n)[: n // 3]
    y[labeled] = problem.y[labeled]
    is_table = hasattr(problem.X, "columns")
    detector = OverlapDetector(
        None if is_table else LogisticRegression(max_iter=1000),
        weak_features=problem.weak_features,
        random_state=seed,
        **params,
    ).fit(problem.X, y)
    truth = problem.regions == "overlap"
    found = detector.regions_ == "overlap"
    not_hard = problem.regions != "hard"
    hits = (truth & found).sum()
    low, high = detector.overlap_density_interval_
    density = detector.overlap_density_
    return {
        "true_density": truth.mean(),
        "density": density,
        "auc": roc_auc_score(truth[not_hard], detector.overlap_score_[not_hard]),
        "precision": hits / max(found.sum(), 1),
        "recall": hits / truth.sum(),
        "f1": 2 * hits / (truth.sum() + found.sum()),
        "density_error": abs(density / truth.mean() - 1),
        "covered": low <= truth.mean() <= high,
    }


def mean_of(results, name):
    """Return a mean, formatted."""
    return f"{np.mean([float(result[name]) for result in results]):.3f}"


def by_family(table, score):
    """Return a row per detector and a column per family of problems."""
    families = list(dict.fromkeys(row["family"] for row in table))
    return [
        {"detector": detector}
        | {
            family: mean_of(
                [
                    row
                    for row in table
                    if (row["detector"], row["family"]) == (detector, family)
                ],
                score,
            )
            for family in families
        }
        for detector in DETECTORS
    ]


def main():
    """Write the table of all problems, and the means of their families."""
    # Scores without two groups are a result here.
    warnings.simplefilter("ignore", NoChangePointWarning)
    table = []
    for (family, name), make in problems().items():
        drawn = [make(seed) for seed in SEEDS]
        for detector, params in DETECTORS.items():
            results = [
                judge(problem, params, seed)
                for seed, problem in zip(SEEDS, drawn, strict=True)
            ]
            keys = {"family": family, "problem": name, "detector": detector}
            means = {column: mean_of(results, column) for column in results[0]}
            table.append(keys | means | {"n_seeds": len(SEEDS)})
        print(family, name, flush=True)
    write(RESULTS / "detection.csv", table)
    for score in ("auc", "f1", "density_error"):
        write(RESULTS / f"detection_{score}.csv", by_family(table, score))


if __name__ == "__main__":
    main()

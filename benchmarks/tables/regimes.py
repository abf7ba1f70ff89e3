"""Recover the gap at growing overlap densities, on the synthetic data of the paper."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.tables._problems import (
    PAPER_EASY_BLOCK,
    fit_detector,
    paper_parts,
)
from benchmarks.tables._results import RESULTS, write
from sklearn_w2s.metrics import gap_regime, overlap_regime

DENSITIES = [0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]
N_TRAIN, N_TEST, N_SEEDS = 250, 3000, 100
RESULT = RESULTS / "regimes.csv"


def scores(density, seed):
    """Return accuracies of weak, weak-to-strong and ceiling, and the density found.

    As in the paper: as many labeled as unlabeled rows; the weak estimator sees the
    easy block; the strong one learns the hard weak labels of the overlap rows, and the
    ceiling the true labels of all unlabeled rows.
    """
    X, y, _, gold, new, test = paper_parts(
        density, seed, n_train=N_TRAIN, n_test=N_TEST
    )
    weak = LogisticRegression(fit_intercept=False)
    weak.fit(X[gold][:, PAPER_EASY_BLOCK], y[gold])
    detector = fit_detector(X, y, gold, new)
    chosen = new[detector.regions_[N_TRAIN:] == "overlap"]
    weak_labels = weak.predict(X[chosen][:, PAPER_EASY_BLOCK])
    if len(np.unique(weak_labels)) < 2:
        # Nothing to learn from: the most frequent class is what there is.
        weak_to_strong = np.mean(y[test] == (weak_labels.mean() > 0.5))
    else:
        strong = LogisticRegression(C=0.01).fit(X[chosen], weak_labels)
        weak_to_strong = strong.score(X[test], y[test])
    ceiling = LogisticRegression(fit_intercept=False).fit(X[new], y[new])
    return (
        weak.score(X[test][:, PAPER_EASY_BLOCK], y[test]),
        weak_to_strong,
        ceiling.score(X[test], y[test]),
        detector.overlap_density_,
    )


def main():
    """Write the table."""
    rows = []
    for density in DENSITIES:
        runs = np.array([scores(density, seed) for seed in range(N_SEEDS)])
        weak, weak_to_strong, ceiling, found = runs.mean(axis=0)
        gap_recovered = (weak_to_strong - weak) / (ceiling - weak)
        rows.append(
            {
                "overlap_density": density,
                "density_found": f"{found:.3f}",
                "overlap_regime": overlap_regime(density),
                "weak_score": f"{weak:.3f}",
                "weak_to_strong_score": f"{weak_to_strong:.3f}",
                "ceiling_score": f"{ceiling:.3f}",
                "gap_recovered": f"{gap_recovered:.2f}",
                "gap_regime": gap_regime(gap_recovered),
                "n_seeds": N_SEEDS,
            }
        )
        print(rows[-1], flush=True)
    write(RESULT, rows)


if __name__ == "__main__":
    main()

"""The sources of unlabeled rows: how dense overlap is, and what UCB would draw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.preprocessing import FunctionTransformer

from sklearn_w2s._validation import check_labels
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._experiment import SEED
from sklearn_w2s.sources import UCBSourceSelector

MAX_BATCH = 32


@dataclass(frozen=True)
class SourceRun:
    """Unlabeled rows of one source, their overlap density, and the rows drawn of it."""

    name: str
    n_rows: int
    overlap_density: float
    n_drawn: int | None


@dataclass(frozen=True)
class Sources:
    """All sources, sorted by name, and the fitted selector if rows were drawn."""

    runs: list
    selector: Any


def compare_sources(weak_estimator, pool, random_state=SEED):
    """Describe each source, and draw half of the unlabeled rows by UCB.

    Parameters
    ----------
    weak_estimator : classifier instance
        Gives the weak labels.
    pool : Pool
        Rows with their sources; some have no label.
    random_state : int, default=0
        Seed of the detector and of what is drawn.

    Returns
    -------
    Sources
        Nothing is drawn where the budget does not allow for a first and a second row of
        every source.
    """
    unlabeled = ~check_labels(pool.y, pool.missing_label)[1]
    names, codes, n_rows = np.unique(
        pool.source[unlabeled], return_inverse=True, return_counts=True
    )
    detector = OverlapDetector(
        weak_estimator, missing_label=pool.missing_label, random_state=random_state
    ).fit(pool.X, pool.y)
    is_overlap = detector.get_support()[unlabeled]
    density = np.bincount(codes, weights=is_overlap) / n_rows
    budget = int(unlabeled.sum()) // 2
    # Rewards of the selector are of classes.
    selector = None
    if not is_regressor(weak_estimator):
        selector = _draw(detector, pool, budget, len(names), random_state)
    drawn = {}
    if selector is not None:
        counts = selector.n_samples_drawn_.tolist()
        drawn = dict(zip(selector.sources_.tolist(), counts, strict=True))
    runs = [
        SourceRun(name, int(rows), float(share), drawn.get(name))
        for name, rows, share in zip(names.tolist(), n_rows, density, strict=True)
    ]
    return Sources(runs, selector)


def _draw(fitted, pool, budget, n_sources, random_state):
    """Return a selector that drew its budget, or None where that is too small.

    Its detector sees the rows at hand and those drawn first, as it would if drawing had
    a price.
    """
    # The burn-in, one batch per source, takes half of the budget at most.
    batch_size = min(MAX_BATCH, budget // (2 * n_sources))
    if batch_size < 1:
        return None
    represent = fitted.representation_.transform
    detector = OverlapDetector(
        fitted.weak_estimator,
        # Rows drawn later may have gaps and categories that the first ones have not.
        representation=FunctionTransformer(represent),
        missing_label=pool.missing_label,
    )
    selector = UCBSourceSelector(
        overlap_detector=detector,
        budget=budget,
        batch_size=batch_size,
        missing_label=pool.missing_label,
        random_state=random_state,
    )
    return selector.fit(pool.X, pool.y, sample_source=pool.source)

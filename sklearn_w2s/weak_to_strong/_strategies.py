"""Strategies: how weak probabilities become the strong estimator's targets and weights.

A strategy is a function ``(weak_proba, regions, representation, labeled, rng) ->
(target_proba, weight)`` over all rows. What it says of labeled rows is not used: their
true labels stand. To add one, write the function and name it in `STRATEGIES`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s._algorithms.graph import cut_statistic, smooth_labels
from sklearn_w2s._algorithms.overlap import HARD, OVERLAP, margin_confidence
from sklearn_w2s._algorithms.priors import matching_factors, reweigh

# Fewer rows keep too little, more keep what the statistic is there to find.
KEPT_SHARE = 0.75
SMOOTHING_SHARE = 0.5
_N_NEIGHBORS = 15


class Strategy(NamedTuple):
    """A strategy and what it needs.

    Parameters
    ----------
    function : callable
        See above.
    needs_regions : bool
        Whether rows are split into regions for it.
    needs_weights : bool
        Whether the strong estimator must take weights.
    needs_rows : bool
        Whether its `representation` is the rows as numbers, not that of the detector.
    teacher : {"mix", "trust", "blend", "co_train"} or None
        Who says the probabilities that it gets; None means the weak estimator.
    with_students : bool
        Whether helper students vote beside the strong estimator.
    """

    function: Callable
    needs_regions: bool = False
    needs_weights: bool = False
    needs_rows: bool = False
    teacher: str | None = None
    with_students: bool = False


def use_all(weak_proba, *_):
    """Learn from every weak label alike."""
    return weak_proba, np.ones(len(weak_proba))


def weigh_by_confidence(weak_proba, *_):
    """Weigh each weak label by the margin of the weak probabilities."""
    return weak_proba, margin_confidence(weak_proba)


def keep_confident(weak_proba, regions, *_):
    """Learn from the weak labels of easy and overlap rows."""
    return weak_proba, (regions != HARD).astype(np.float64)


def keep_overlap(weak_proba, regions, *_):
    """Learn from the weak labels of overlap rows, as in the paper."""
    return weak_proba, (regions == OVERLAP).astype(np.float64)


def smooth(weak_proba, _regions, rows, *_):
    """Average each weak label with those of its neighbours; keep the class shares."""
    if len(weak_proba) < 2:
        return use_all(weak_proba)
    neighbors = _nearest(rows).kneighbors(return_distance=False)
    smoothed = smooth_labels(weak_proba, neighbors, share=SMOOTHING_SHARE)
    factors = matching_factors(smoothed, weak_proba.mean(axis=0))
    return reweigh(smoothed, factors), np.ones(len(weak_proba))


def keep_undisputed(weak_proba, _regions, rows, labeled, _rng):
    """Drop the weak labels that those of their neighbours dispute most."""
    if len(weak_proba) < 2:
        return use_all(weak_proba)
    distances, neighbors = _nearest(rows).kneighbors()
    scores = cut_statistic(weak_proba.argmax(axis=1), neighbors, distances)
    limit = np.quantile(scores[~labeled], KEPT_SHARE) if not labeled.all() else 0.0
    return weak_proba, (scores <= limit).astype(np.float64)


def _nearest(rows):
    n_neighbors = min(_N_NEIGHBORS, rows.shape[0] - 1)
    return NearestNeighbors(n_neighbors=n_neighbors).fit(rows)


STRATEGIES = {
    "all": Strategy(use_all),
    "confidence": Strategy(weigh_by_confidence, needs_weights=True),
    "confident": Strategy(keep_confident, needs_regions=True),
    "overlap": Strategy(keep_overlap, needs_regions=True),
    "smooth": Strategy(smooth, needs_rows=True),
    "cut_statistic": Strategy(keep_undisputed, needs_rows=True),
    "mix": Strategy(weigh_by_confidence, teacher="mix"),
    "trust": Strategy(weigh_by_confidence, teacher="trust"),
    "blend": Strategy(weigh_by_confidence, teacher="blend"),
    "co_train": Strategy(weigh_by_confidence, teacher="co_train"),
    "committee": Strategy(weigh_by_confidence, teacher="co_train", with_students=True),
}

"""Strategies: how weak probabilities become the strong estimator's targets and weights.

A strategy is a function ``(weak_proba, regions, representation, labeled, rng) ->
(target_proba, weight)`` over all rows. What it says of labeled rows is not used: their
true labels stand. To add one, write the function and name it in `STRATEGIES`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sklearn_w2s._algorithms.overlap import HARD, OVERLAP, margin_confidence


class Strategy(NamedTuple):
    """A strategy and what it needs."""

    function: Callable
    needs_regions: bool
    needs_weights: bool


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


STRATEGIES = {
    "all": Strategy(use_all, needs_regions=False, needs_weights=False),
    "confidence": Strategy(
        weigh_by_confidence, needs_regions=False, needs_weights=True
    ),
    "confident": Strategy(keep_confident, needs_regions=True, needs_weights=False),
    "overlap": Strategy(keep_overlap, needs_regions=True, needs_weights=False),
}

"""Strategies for values: how weak values become what a strong regressor learns.

They are those of `_strategies.py`, by the same names, as functions ``(weak_prediction,
regions, representation, labeled, rng) -> (targets, weights)``, all of shape (n,).
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s._algorithms.overlap import HARD, OVERLAP
from sklearn_w2s.weak_to_strong._strategies import KEPT_SHARE, Strategy, use_all
from sklearn_w2s.weak_to_strong._value_teachers import (
    ValueBlend,
    ValueCoTrain,
    ValueSmooth,
)

_N_NEIGHBORS = 15


def weigh_by_confidence(weak_prediction, _regions, errors, *_):
    """Weigh each weak value by how small its expected error is beside the typical."""
    typical = np.median(errors)
    if not typical > 0:
        return use_all(weak_prediction)
    return weak_prediction, 1 / (1 + (errors / typical) ** 2)


def keep_confident(weak_prediction, regions, *_):
    """Learn from the weak values of easy and overlap rows."""
    return weak_prediction, (regions != HARD).astype(np.float64)


def keep_overlap(weak_prediction, regions, *_):
    """Learn from the weak values of overlap rows, as in the paper."""
    return weak_prediction, (regions == OVERLAP).astype(np.float64)


def keep_undisputed(weak_prediction, _regions, rows, labeled, _rng):
    """Drop the weak values that differ most from those of their neighbours."""
    n = len(weak_prediction)
    if n < 2:
        return use_all(weak_prediction)
    search = NearestNeighbors(n_neighbors=min(_N_NEIGHBORS, n - 1)).fit(rows)
    neighbors = search.kneighbors(return_distance=False)
    disputed = np.abs(weak_prediction - weak_prediction[neighbors].mean(axis=1))
    limit = np.quantile(disputed[~labeled], KEPT_SHARE) if not labeled.all() else 0.0
    return weak_prediction, (disputed <= limit).astype(np.float64)


def apply_to_values(name, strategy, weak_prediction, **evidence):
    """Apply a strategy, and refuse what is no target or no weight.

    Parameters
    ----------
    name : str or callable
        The strategy as it was chosen.
    strategy : Strategy
        The same with its needs.
    weak_prediction : ndarray of shape (n,)
        Weak values.
    **evidence
        `regions`, `representation`, `labeled` and `rng` as strategies take them.

    Returns
    -------
    targets, weights : ndarray of shape (n,)
        What to learn.

    Raises
    ------
    ValueError
        If they are of another shape, not finite, or a weight is negative.
    """
    labeled = evidence.pop("labeled").copy()
    found = strategy.function(
        weak_prediction.copy(),
        evidence["regions"],
        evidence["representation"],
        labeled,
        evidence["rng"],
    )
    targets, weights = (np.array(values, dtype=np.float64) for values in found)
    n = len(weak_prediction)
    if targets.shape != (n,) or weights.shape != (n,):
        msg = (
            f"strategy={name!r} returned targets of shape {targets.shape} and weights "
            f"of shape {weights.shape}; expected ({n},) for both."
        )
        raise ValueError(msg)
    if not (np.isfinite(targets).all() and np.isfinite(weights).all()):
        msg = f"strategy={name!r} returned targets or weights that are not finite."
        raise ValueError(msg)
    if (weights < 0).any():
        msg = f"strategy={name!r} returned weights that are negative."
        raise ValueError(msg)
    return targets, weights


BLEND = ValueBlend(("trees", "kernels", "graph", "strong"))

VALUE_STRATEGIES = {
    "all": Strategy(use_all),
    "confidence": Strategy(weigh_by_confidence, needs_weights=True, needs_errors=True),
    "confident": Strategy(keep_confident, needs_regions=True),
    "overlap": Strategy(keep_overlap, needs_regions=True),
    "cut_statistic": Strategy(keep_undisputed, needs_rows=True),
    "smooth": Strategy(teacher=ValueSmooth()),
    "mix": Strategy(teacher=ValueBlend(("strong",))),
    "blend": Strategy(teacher=BLEND),
    "co_train": Strategy(teacher=ValueCoTrain(BLEND)),
}

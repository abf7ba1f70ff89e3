"""Strategies for values: how weak values become what a strong regressor learns.

They are those of `_strategies.py`, by the same names, as functions ``(weak_prediction,
regions, representation, labeled, rng) -> (targets, weights)``, all of shape (n,).
"""

import numpy as np

from sklearn_w2s.weak_to_strong._strategies import (
    Strategy,
    keep_confident,
    keep_overlap,
    least_disputed,
    use_all,
)
from sklearn_w2s.weak_to_strong._targets import call_strategy
from sklearn_w2s.weak_to_strong._value_teachers import (
    ValueBlend,
    ValueCoTrain,
    ValueSmooth,
)


def weigh_by_confidence(weak_prediction, _regions, errors, *_):
    """Weigh each weak value by how small its expected error is beside the typical."""
    return weak_prediction, 1 / (1 + errors**2)


def keep_undisputed(weak_prediction, _regions, near, labeled, _rng):
    """Drop the weak values that differ most from those of their neighbours."""
    if len(weak_prediction) < 2:
        return use_all(weak_prediction)
    found, theirs = np.isfinite(near[0]), weak_prediction[near[1]]
    n_found = found.sum(axis=1)
    mean = (theirs * found).sum(axis=1) / np.maximum(n_found, 1)
    disputed = np.where(n_found > 0, np.abs(weak_prediction - mean), 0.0)
    return weak_prediction, least_disputed(disputed, labeled)


def apply_to_values(name, strategy, weak_prediction, **evidence):
    """Return targets and weights of a strategy, refused if not finite or negative."""
    targets, weights = call_strategy(name, strategy, weak_prediction, **evidence)
    if not (np.isfinite(targets).all() and np.isfinite(weights).all()):
        msg = f"strategy={name!r} returned targets or weights that are not finite."
        raise ValueError(msg)
    if (weights < 0).any():
        msg = f"strategy={name!r} returned weights that are negative."
        raise ValueError(msg)
    return targets, weights


BLEND = ValueBlend(("trees", "kernels", "graph", "strong"))

VALUE_STRATEGIES = {
    "all": Strategy(use_all, by_row=True),
    "confidence": Strategy(weigh_by_confidence, needs_weights=True, needs_errors=True),
    "confident": Strategy(keep_confident, by_row=True, needs_regions=True),
    "overlap": Strategy(keep_overlap, by_row=True, needs_regions=True),
    "cut_statistic": Strategy(keep_undisputed, needs_neighbors=True),
    "smooth": Strategy(teacher=ValueSmooth()),
    "mix": Strategy(teacher=ValueBlend(("strong",))),
    "blend": Strategy(teacher=BLEND),
    "co_train": Strategy(teacher=ValueCoTrain(BLEND)),
}

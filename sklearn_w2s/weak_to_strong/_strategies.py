"""Strategies: how weak probabilities become what the strong estimator learns.

A strategy either shapes the weak labels as they are, by a function ``(weak_proba,
regions, representation, labeled, rng) -> (targets, weights)`` over all rows, or has a
teacher that says more of the unlabeled rows. To add one, write the function, or a class
as in `_teachers.py`, and name it in `STRATEGIES` with what it needs.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sklearn_w2s._algorithms.overlap import HARD, OVERLAP, margin_confidence
from sklearn_w2s._algorithms.weak_labels import cut_statistic
from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s._fitting import (
    loss_by_repetition,
    splits_inside,
    takes_distributions,
    takes_weights,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s.weak_to_strong._smooth import Smooth
from sklearn_w2s.weak_to_strong._teachers import Blend, CoTrain

# Fewer rows teach nothing that the labels do not.
LEAST_UNLABELED = 200
# Fewer rows keep too little, more keep what the statistic is there to find.
KEPT_SHARE = 0.75
N_NEIGHBORS = 15


def use_all(weak_proba, *_):
    """Learn from every weak label alike."""
    return weak_proba, np.ones(len(weak_proba))


@dataclass(frozen=True)
class Strategy:
    """A strategy and what it needs."""

    function: Callable[..., Any] = use_all  # shapes weak labels if there is no teacher
    by_row: bool = False  # looks at each row by itself, and at its region
    teacher: Any = None  # what to learn in place of the weak labels
    needs_regions: bool = False
    needs_weights: bool = False  # of the strong estimator
    # Whether its `representation` is the distances and the positions of each row's
    # nearest neighbours, None for a single row, not that of the detector;
    needs_neighbors: bool = False
    # or the error that is expected of the weak value of each row.
    needs_errors: bool = False


def weigh_by_confidence(weak_proba, *_):
    """Weigh each weak label by the margin of the weak probabilities."""
    return weak_proba, margin_confidence(weak_proba)


def keep_confident(weak_labels, regions, *_):
    """Learn from the weak labels of easy and overlap rows."""
    return weak_labels, (regions != HARD).astype(np.float64)


def keep_overlap(weak_labels, regions, *_):
    """Learn from the weak labels of overlap rows, as in the paper."""
    return weak_labels, (regions == OVERLAP).astype(np.float64)


def keep_undisputed(weak_proba, _regions, near, labeled, _rng):
    """Drop the weak labels that those of their neighbours dispute most."""
    if len(weak_proba) < 2:
        return use_all(weak_proba)
    distances, neighbors = near
    scores = cut_statistic(weak_proba.argmax(axis=1), neighbors, distances)
    return weak_proba, least_disputed(scores, labeled)


def least_disputed(scores, labeled):
    """Return a weight of one where little is disputed, and of zero elsewhere."""
    limit = np.quantile(scores[~labeled], KEPT_SHARE) if not labeled.all() else 0.0
    return (scores <= limit).astype(np.float64)


BLEND = Blend(("trees", "kernels", "graph", "strong"))

STRATEGIES = {
    "all": Strategy(use_all, by_row=True),
    "confidence": Strategy(weigh_by_confidence, by_row=True, needs_weights=True),
    "confident": Strategy(keep_confident, by_row=True, needs_regions=True),
    "overlap": Strategy(keep_overlap, by_row=True, needs_regions=True),
    "cut_statistic": Strategy(keep_undisputed, needs_neighbors=True),
    "smooth": Strategy(teacher=Smooth()),
    "mix": Strategy(teacher=Blend(("strong",))),
    "blend": Strategy(teacher=BLEND),
    "co_train": Strategy(teacher=CoTrain(BLEND)),
}


class StrategyNames(Set):
    """Names of strategies, as the registry has them at any time, and "auto"."""

    def __init__(self, registry):
        self.registry = registry

    def __contains__(self, name):
        return name == "auto" or name in self.registry

    def __iter__(self):
        yield "auto"
        yield from self.registry

    def __len__(self):
        return 1 + len(self.registry)

    @classmethod
    def _from_iterable(cls, names):
        return set(names)


def choose(
    strategy, pseudo_labels, strong, *, n_unlabeled, n_rows, is_table, auto="blend"
):
    """Return name, strategy and kind of pseudo-labels for the choices of the user.

    `auto` is what "auto" means if there is enough to learn from.
    """
    if not is_classifier(strong):
        msg = f"strong_estimator must be a classifier, got {strong!r}."
        raise TypeError(msg)
    weighable = takes_weights(strong)
    kind = _choose_kind(pseudo_labels, strong, n_rows)
    if callable(strategy):
        return strategy, Strategy(strategy, needs_regions=True), kind
    name = strategy
    if strategy == "auto":
        suits = is_table and n_unlabeled >= LEAST_UNLABELED
        name = auto if suits else "confidence" if weighable else "all"
    chosen = STRATEGIES[name]
    require_possible(name, chosen, strong, is_table=is_table)
    # A student learns hard labels of a teacher first.
    if chosen.teacher and pseudo_labels != "soft":
        kind = "hard"
    return name, chosen, kind


def require_possible(name, chosen, strong, *, is_table):
    """Refuse a strategy that the strong estimator, or the kind of table, rules out."""
    if chosen.needs_weights and not takes_weights(strong):
        msg = (
            f'strategy="{name}" needs a strong estimator that takes sample_weight; '
            f'{_class_of(strong)} does not. Use "all".'
        )
        raise TypeError(msg)
    of_tables = chosen.teacher or chosen.needs_neighbors or chosen.needs_errors
    if of_tables and not is_table:
        msg = (
            f'strategy="{name}" computes with NumPy only. Pass X as a NumPy array or a '
            'data frame, or use "all".'
        )
        raise ValueError(msg)


def _choose_kind(pseudo_labels, strong, n_rows):
    """Return "soft" or "hard", and warn where soft labels are asked for and do harm."""
    if pseudo_labels == "hard" or takes_distributions(strong):
        return "hard" if pseudo_labels == "hard" else "soft"
    kind, reason = "hard", "takes neither sample_weight nor distributions"
    if takes_weights(strong) and splits_inside(strong, n_rows):
        reason = "holds out rows by itself, of which it would have seen copies"
    elif takes_weights(strong):
        reason = loss_by_repetition(strong)
        kind = "soft" if reason is None or pseudo_labels == "soft" else "hard"
    if reason is not None and pseudo_labels == "soft":
        consequence = (
            "so that hard labels are used"
            if kind == "hard"
            else "but soft labels give it each row once for each class. It can lose "
            'what hard labels teach: use pseudo_labels="hard" or "auto"'
        )
        warn(f'pseudo_labels="soft": {_class_of(strong)} {reason}, {consequence}.')
    return kind


def _class_of(strong):
    """Return the name of the class that the user has passed."""
    wrapped = strong.estimator if isinstance(strong, CodedClassifier) else strong
    return type(wrapped).__name__

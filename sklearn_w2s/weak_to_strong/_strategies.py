"""Strategies: how weak labels become what the strong estimator learns.

A strategy either shapes the weak labels as they are, by a function ``(weak_labels,
regions, representation, labeled, rng) -> (targets, weights)`` over all rows, or has a
teacher that finds out more about the unlabeled rows. To add one, write the function, or
a class as in `_teachers.py`, and name it with what it needs in `STRATEGIES`, where weak
labels are probabilities, or in `VALUE_STRATEGIES`, where they are values.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sklearn_w2s._algorithms.overlap import HARD, OVERLAP, margin_confidence
from sklearn_w2s._algorithms.weak_labels import cut_statistic, one_hot
from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s._fitting import (
    loss_by_repetition,
    splits_inside,
    takes_distributions,
    takes_weights,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s.weak_to_strong._smooth import Smooth, ValueSmooth
from sklearn_w2s.weak_to_strong._teachers import (
    Blend,
    CoTrain,
    ValueBlend,
    ValueCoTrain,
)

# Fewer rows teach nothing that the labels do not.
LEAST_UNLABELED = 200
# Fewer rows keep too little, more keep what the statistic is there to find.
KEPT_SHARE = 0.75
N_NEIGHBORS = 15
# Of its share among weak labels; with less, a class is as good as forgotten.
LEAST_KEPT = 0.05


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


def weigh_by_error(weak_values, _regions, errors, *_):
    """Weigh each weak value by how small its expected error is beside the typical."""
    return weak_values, 1 / (1 + errors**2)


def keep_undisputed_values(weak_values, _regions, near, labeled, _rng):
    """Drop the weak values that differ most from those of their neighbours."""
    if len(weak_values) < 2:
        return use_all(weak_values)
    found, theirs = np.isfinite(near[0]), weak_values[near[1]]
    n_found = found.sum(axis=1)
    mean = (theirs * found).sum(axis=1) / np.maximum(n_found, 1)
    disputed = np.where(n_found > 0, np.abs(weak_values - mean), 0.0)
    return weak_values, least_disputed(disputed, labeled)


def least_disputed(scores, labeled):
    """Return a weight of one where little is disputed, and of zero elsewhere."""
    limit = np.quantile(scores[~labeled], KEPT_SHARE) if not labeled.all() else 0.0
    return (scores <= limit).astype(np.float64)


MEMBERS = ("trees", "kernels", "graph", "strong")

STRATEGIES = {
    "all": Strategy(use_all, by_row=True),
    "confidence": Strategy(weigh_by_confidence, by_row=True, needs_weights=True),
    "confident": Strategy(keep_confident, by_row=True, needs_regions=True),
    "overlap": Strategy(keep_overlap, by_row=True, needs_regions=True),
    "cut_statistic": Strategy(keep_undisputed, needs_neighbors=True),
    "smooth": Strategy(teacher=Smooth()),
    "mix": Strategy(teacher=Blend(("strong",))),
    "blend": Strategy(teacher=Blend(MEMBERS)),
    "co_train": Strategy(teacher=CoTrain(Blend(MEMBERS))),
}

VALUE_STRATEGIES = {
    "all": Strategy(use_all, by_row=True),
    "confidence": Strategy(weigh_by_error, needs_weights=True, needs_errors=True),
    "confident": Strategy(keep_confident, by_row=True, needs_regions=True),
    "overlap": Strategy(keep_overlap, by_row=True, needs_regions=True),
    "cut_statistic": Strategy(keep_undisputed_values, needs_neighbors=True),
    "smooth": Strategy(teacher=ValueSmooth()),
    "mix": Strategy(teacher=ValueBlend(("strong",))),
    "blend": Strategy(teacher=ValueBlend(MEMBERS)),
    "co_train": Strategy(teacher=ValueCoTrain(ValueBlend(MEMBERS))),
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
    strategy,
    pseudo_labels,
    strong,
    *,
    n_unlabeled,
    n_rows,
    is_table,
    stops_on_labels=False,
    auto="blend",
):
    """Return name, strategy and kind of pseudo-labels for the choices of the user.

    `auto` is what "auto" means if there is enough to learn from; for `stops_on_labels`
    see `splits_inside`.
    """
    if not is_classifier(strong):
        msg = f"strong_estimator must be a classifier, got {strong!r}."
        raise TypeError(msg)
    weighable = takes_weights(strong)
    splits = splits_inside(strong, n_rows, stops_on_labels=stops_on_labels)
    kind = _choose_kind(pseudo_labels, strong, splits=splits)
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


def _choose_kind(pseudo_labels, strong, *, splits):
    """Return "soft" or "hard", and warn where soft labels are asked for and do harm."""
    if pseudo_labels == "hard" or takes_distributions(strong):
        return "hard" if pseudo_labels == "hard" else "soft"
    kind, reason = "hard", "takes neither sample_weight nor distributions"
    if takes_weights(strong) and splits:
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


def call_strategy(
    name, strategy, weak_labels, *, regions, representation, labeled, rng
):
    """Return the targets and weights of a strategy, refused if they are neither."""
    # Copies, so that no function of the user's can change what is known.
    found = strategy.function(
        weak_labels.copy(), regions, representation, labeled.copy(), rng
    )
    targets, weights = (np.array(values, dtype=np.float64) for values in found)
    if targets.shape != weak_labels.shape or weights.shape != (len(weak_labels),):
        msg = (
            f"strategy={name!r} returned targets of shape {targets.shape} and weights "
            f"of shape {weights.shape}; expected {weak_labels.shape} and "
            f"({len(weak_labels)},)."
        )
        raise ValueError(msg)
    are_values = targets.ndim == 1
    for kind, found, least in (
        ("targets", targets, -np.inf if are_values else 0),
        ("weights", weights, 0),
    ):
        if not np.isfinite(found).all() or (found < least).any():
            msg = (
                f"strategy={name!r} returned {kind} that are "
                f"{'' if np.isinf(least) else 'negative or '}not finite."
            )
            raise ValueError(msg)
    used = np.flatnonzero(~labeled & (weights > 0))
    error = 0 * weights[used] if are_values else np.abs(targets[used].sum(axis=1) - 1)
    if (error > 1e-3).any():
        row = used[np.argmax(error)]
        msg = (
            f"strategy={name!r} returned targets that do not sum to 1: row {row} is "
            f"{targets[row].tolist()}."
        )
        raise ValueError(msg)
    return targets, weights


def weak_targets(name, strategy, weak_proba, unlabeled, **evidence):
    """Return targets and weights of a strategy, and positions of classes it drops."""
    targets, weights = call_strategy(name, strategy, weak_proba, **evidence)
    codes, n_classes = weak_proba.argmax(axis=1), weak_proba.shape[1]
    kept = unlabeled & (weights > 0)
    named_counts, kept_counts = (
        np.bincount(codes[rows], minlength=n_classes) for rows in (unlabeled, kept)
    )
    return targets, weights, lost_classes(named_counts, kept_counts)


def keep_true_labels(targets, weights, codes, labeled, *, include_labeled):
    """Put the true labels in place of whatever a strategy returned for labeled rows."""
    targets[labeled] = one_hot(codes, targets.shape[1])
    weights[labeled] = float(include_labeled)


def lost_classes(named, kept):
    """Return the classes whose share among the rows kept is next to nothing.

    `named` and `kept` count the unlabeled rows of each weak class, and those kept.
    """
    share, kept_share = named / max(named.sum(), 1), kept / max(kept.sum(), 1)
    return np.flatnonzero((named > 0) & (kept_share <= LEAST_KEPT * share))


def loss_message(name, lost):
    """Return the warning that a strategy loses the classes at some positions."""
    return (
        f"strategy={name!r} drops all rows, or nearly all, whose weak label is one of "
        f'the classes at positions {lost.tolist()} of classes_, so that "all" is used '
        "instead."
    )

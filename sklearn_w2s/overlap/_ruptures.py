"""Thresholds from change point estimators of the package ruptures, or similar ones.

Ruptures is never imported: its estimators are recognized by their methods.
"""

import copy
import inspect

import numpy as np

from sklearn_w2s._algorithms.thresholds import best_break, change_point, midpoint

# Scores repeated by whole-number weights may be so many times as many, at most.
_MOST_REPETITIONS = 10
# Least scores on either side of a break, and the distance between possible breaks.
_PUBLISHED_GRID = 2, 5
# From here on, floats do not hold every whole number.
_LARGEST_COUNT = 2**53


def ruptures_threshold(estimator, scores, weights, *, name):
    """Return the midpoint at the one break that an estimator finds, None if none is.

    An estimator that takes only penalties, such as `Pelt`, is not asked: the one break
    that it returns, whatever the penalty, is the cheapest split by its cost on its
    grid.
    """
    if change_point(scores, weights) is None:
        return None
    shown = f"{name}={type(estimator).__name__}(...)"
    ordered = _in_order(scores, weights, shown, name)
    grid = getattr(estimator, "min_size", 1), getattr(estimator, "jump", 1)
    remedy = "Lower its min_size or jump, pass more rows"
    places = _require_places(grid, len(ordered), shown, name, remedy)
    # Fitting changes an estimator, and this one belongs to the user.
    position = _single_break(copy.deepcopy(estimator), ordered, places, name)

    # Equal scores never part: their break moves to the nearest place where scores
    # differ, the lower one of two that are equally near.
    boundaries = np.flatnonzero(np.diff(ordered)) + 1
    boundary = boundaries[np.argmin(np.abs(boundaries - position))]
    return midpoint(ordered[boundary - 1], ordered[boundary])


def published_threshold(scores, weights, *, name):
    """Return the score above the break that the code of the paper finds, or None.

    It is that of ``ruptures.Binseg(model="l2")``, which looks at every fifth of the
    sorted scores, and is not moved where it lies between equal scores.
    """
    if change_point(scores, weights) is None:
        return None
    shown = f'{name}="published"'
    ordered = _in_order(scores, weights, shown, name)
    remedy = "Pass more rows"
    places = _require_places(_PUBLISHED_GRID, len(ordered), shown, name, remedy)
    return float(ordered[best_break(ordered, places)])


def _in_order(scores, weights, shown, name):
    """Return the sorted scores of positive weight, repeated by their weights."""
    scores = np.asarray(scores, dtype=np.float64)[weights > 0]
    weights = weights[weights > 0]
    # Ruptures does not know weights: equal ones count every score once, and whole
    # numbers repeat the scores.
    if (weights == weights[0]).all():
        return np.sort(scores)
    if weights.max() < _LARGEST_COUNT and (weights == np.rint(weights)).all():
        counts = weights.astype(np.int64)
        counts //= np.gcd.reduce(counts)
        if counts.sum() <= _MOST_REPETITIONS * len(counts):
            return np.sort(np.repeat(scores, counts))
    msg = (
        f"{shown} counts every score once, but the weights differ, from "
        f"{weights.min():.3g} to {weights.max():.3g}. Pass "
        f'{name}="auto" or a callable, which get the weights, or weights that are '
        f"whole numbers of at most {_MOST_REPETITIONS} on average."
    )
    raise ValueError(msg)


def _require_places(grid, n, shown, name, remedy):
    """Return where n scores may be broken, one place at least."""
    min_size, jump = grid
    first = max(1, -(-min_size // jump)) * jump
    places = range(first, n - min_size + 1, jump)
    if not places:
        msg = (
            f"{shown} with min_size={min_size} and jump={jump} needs "
            f"{first + min_size} scores to break them once, but there are {n}. "
            f'{remedy}, or pass {name}="auto".'
        )
        raise ValueError(msg)
    return places


def _single_break(estimator, ordered, places, name):
    """Return how many of the sorted scores lie below the break."""
    arguments = inspect.signature(estimator.predict).parameters
    by_penalty = "pen" in arguments and hasattr(estimator, "cost")
    if not ("n_bkps" in arguments or by_penalty):
        msg = (
            f"{name} must be a change point estimator, whose predict takes n_bkps or "
            f"pen, got {estimator!r}. Use one of ruptures, such as "
            'Binseg(jump=1), or "auto".'
        )
        raise ValueError(msg)
    try:
        estimator.fit(ordered[:, None])
        if "n_bkps" not in arguments:
            n, error = len(ordered), estimator.cost.error
            return min(places, key=lambda k: error(0, k) + error(k, n))
        # The last of the breaks of ruptures is the end of the signal.
        found = [k for k in estimator.predict(n_bkps=1) if 0 < k < len(ordered)]
    finally:
        # Methods under lru_cache keep every estimator, and its signal, alive.
        for base in type(estimator).__mro__:
            for method in vars(base).values():
                if hasattr(method, "cache_clear"):
                    method.cache_clear()
    if len(found) != 1:
        msg = (
            f"{name}={type(estimator).__name__}(...) found {len(found)} breaks in "
            f"{len(ordered)} sorted scores, not one. Lower its width, min_size or "
            f'jump, or pass {name}="auto".'
        )
        raise ValueError(msg)
    return found[0]

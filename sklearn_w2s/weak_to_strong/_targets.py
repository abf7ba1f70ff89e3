"""What the strong estimator learns from: strategies applied, true labels kept."""

import numpy as np

from sklearn_w2s._algorithms.weak_labels import one_hot

# Of its share among weak labels; with less, a class is as good as forgotten.
LEAST_KEPT = 0.05


def weak_targets(name, strategy, weak_proba, unlabeled, **evidence):
    """Return targets and weights of a strategy, and positions of classes it drops."""
    targets, weights = _apply(name, strategy, weak_proba, **evidence)
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


def call_strategy(
    name, strategy, weak_labels, *, regions, representation, labeled, rng
):
    """Return the targets and weights of a strategy, refused if of other shapes."""
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
    return targets, weights


def _apply(name, strategy, weak_proba, *, labeled, **evidence):
    targets, weights = call_strategy(
        name, strategy, weak_proba, labeled=labeled, **evidence
    )
    valid = [
        np.isfinite(values).all() and values.min() >= 0 for values in (targets, weights)
    ]
    if not all(valid):
        msg = (
            f"strategy={name!r} returned {'targets' if valid[1] else 'weights'} that "
            "are negative or not finite."
        )
        raise ValueError(msg)
    used = np.flatnonzero(~labeled & (weights > 0))
    error = np.abs(targets[used].sum(axis=1) - 1)
    if (error > 1e-3).any():
        row = used[np.argmax(error)]
        msg = (
            f"strategy={name!r} returned targets that do not sum to 1: row {row} is "
            f"{targets[row].tolist()}."
        )
        raise ValueError(msg)
    return targets, weights

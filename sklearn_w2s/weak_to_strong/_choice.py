"""Which strategy and which pseudo-labels a strong estimator can use."""

import warnings

from sklearn.base import is_classifier

from sklearn_w2s._fitting import learns_softly, takes_weights
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, Strategy, use_all

# Fewer rows teach a committee nothing that its teacher does not know.
LEAST_UNLABELED = 200


def choose(strategy, pseudo_labels, strong, *, n_unlabeled, is_table):
    """Say what "auto" means for a strong estimator, and refuse what it cannot do.

    Parameters
    ----------
    strategy : str or callable
        Choice of the user.
    pseudo_labels : {"auto", "hard", "soft"}
        Choice of the user.
    strong : classifier instance
        The strong estimator.
    n_unlabeled : int
        Number of unlabeled rows.
    is_table : bool
        Whether X is a table in memory, which helper estimators can learn from, and not
        an array of another library.

    Returns
    -------
    name : str or callable
        The strategy, never "auto".
    strategy : Strategy
        The same with its needs.
    pseudo_labels : {"hard", "soft"}
        Soft only where the estimator takes weights or distributions.

    Raises
    ------
    TypeError
        If the estimator is no classifier, or the strategy needs weights or
        probabilities that it does not have.
    ValueError
        If the strategy needs a table, and X is none.

    Warns
    -----
    UserWarning
        If soft pseudo-labels are asked for and not possible.
    """
    if not is_classifier(strong):
        msg = f"strong_estimator={strong!r} is no classifier; pass one."
        raise TypeError(msg)
    weighable = takes_weights(strong)
    soft = learns_softly(strong)
    if pseudo_labels == "soft" and not soft:
        warnings.warn(
            f'pseudo_labels="soft" is not possible: {type(strong).__name__} takes '
            "neither sample_weight nor distributions, so that hard labels are used.",
            UserWarning,
            stacklevel=3,
        )
    kind = "soft" if soft and pseudo_labels != "hard" else "hard"
    if callable(strategy):
        return strategy, Strategy(strategy, needs_regions=True), kind
    name = strategy
    can_vote = hasattr(strong, "predict_proba")
    if strategy == "auto":
        suits = can_vote and is_table and n_unlabeled >= LEAST_UNLABELED
        name = "committee" if suits else "confidence" if weighable else "all"
    chosen = STRATEGIES[name]
    if chosen.needs_weights and not weighable:
        msg = (
            f'strategy="{name}" needs a strong estimator that takes sample_weight; '
            f'{type(strong).__name__} does not. Use "all".'
        )
        raise TypeError(msg)
    if (chosen.teacher or chosen.needs_rows) and not is_table:
        msg = (
            f'strategy="{name}" computes with NumPy only. Pass X as a NumPy array or a '
            'data frame, or use "confidence" or "all".'
        )
        raise ValueError(msg)
    if chosen.teacher and not can_vote:
        msg = (
            f'strategy="{name}" needs a strong estimator with predict_proba; '
            f"{type(strong).__name__} has none. Wrap it in CalibratedClassifierCV."
        )
        raise TypeError(msg)
    if chosen.teacher and not weighable:
        chosen = chosen._replace(function=use_all)
    if chosen.with_students and pseudo_labels == "auto":
        # Students have smoothed the labels: soft ones would cost a row per class.
        kind = "hard"
    return name, chosen, kind

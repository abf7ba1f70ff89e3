"""Which strategy and which pseudo-labels a strong estimator can use."""

import warnings

from sklearn.base import is_classifier

from sklearn_w2s._fitting import takes_distributions, takes_weights
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, Strategy


def choose(strategy, pseudo_labels, strong):
    """Say what "auto" means for a strong estimator, and refuse what it cannot do.

    Parameters
    ----------
    strategy : str or callable
        Choice of the user.
    pseudo_labels : {"auto", "hard", "soft"}
        Choice of the user.
    strong : classifier instance
        The strong estimator.

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
        If the estimator is no classifier, or the strategy needs weights that it does
        not take.

    Warns
    -----
    UserWarning
        If soft pseudo-labels are asked for and not possible.
    """
    if not is_classifier(strong):
        msg = f"strong_estimator={strong!r} is no classifier; pass one."
        raise TypeError(msg)
    weighable = takes_weights(strong)
    soft = weighable or takes_distributions(strong)
    if pseudo_labels == "soft" and not soft:
        warnings.warn(
            f'pseudo_labels="soft" is not possible: {type(strong).__name__} takes '
            "neither sample_weight nor distributions, so that hard labels are used.",
            UserWarning,
            stacklevel=3,
        )
    kind = "soft" if soft and pseudo_labels != "hard" else "hard"
    if callable(strategy):
        chosen = Strategy(strategy, needs_regions=True, needs_weights=False)
        return strategy, chosen, kind
    name = strategy
    if strategy == "auto":
        name = "confidence" if weighable else "all"
    chosen = STRATEGIES[name]
    if chosen.needs_weights and not weighable:
        msg = (
            f'strategy="{name}" needs a strong estimator that takes sample_weight; '
            f'{type(strong).__name__} does not. Use "all".'
        )
        raise TypeError(msg)
    return name, chosen, kind

"""Names to policies: what each source is worth drawing from, given the counts."""

import numpy as np

from sklearn_w2s._algorithms.bandit import (
    kl_ucb_index,
    paper_index,
    reference_index,
    ucb1_index,
)


def _kl_ucb(arms):
    t = arms.drawn.sum()
    return kl_ucb_index(arms.found, arms.drawn, t, arms.alpha, arms.pool)


def _ucb1(arms):
    return ucb1_index(arms.found, arms.drawn, arms.drawn.sum(), arms.alpha)


def _paper(arms):
    return paper_index(arms.found, arms.drawn, arms.n_pulls, arms.horizon, arms.alpha)


def _reference(arms):
    return reference_index(
        arms.found, arms.drawn, arms.n_pulls, arms.horizon, arms.alpha
    )


def _random(arms):
    return arms.rng.uniform(size=len(arms.drawn))


POLICIES = {
    "kl_ucb": _kl_ucb,
    "ucb1": _ucb1,
    "paper": _paper,
    "reference": _reference,
    "random": _random,
}


def index_values(policy, arms):
    """Return the index that a policy gives to each source.

    Parameters
    ----------
    policy : str or callable
        A key of `POLICIES`, or a function of the statistics.
    arms : ArmStatistics
        Counts of every source.

    Returns
    -------
    ndarray of shape (n_sources,)
        Index values; the source of the largest is drawn next.

    Raises
    ------
    ValueError
        If a callable returns anything but one number per source.
    """
    if not callable(policy):
        return POLICIES[policy](arms)
    values = np.asarray(policy(arms))
    if values.shape != arms.drawn.shape or values.dtype.kind not in "biuf":
        msg = (
            f"policy={policy!r} returned an array of shape {values.shape} and type "
            f"{values.dtype}. It must return one number for each of the "
            f"{len(arms.drawn)} sources."
        )
        raise ValueError(msg)
    return values.astype(np.float64)

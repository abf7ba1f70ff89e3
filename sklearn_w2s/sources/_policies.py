"""Names to policies: what each source is worth drawing from, given the counts."""

import numpy as np

from sklearn_w2s._algorithms.bandit import (
    fair_share_level,
    kl_ucb_index,
    paper_index,
    reference_index,
    success_rate,
    ucb1_index,
    ucb_tuned_index,
)
from sklearn_w2s._algorithms.interval import corrected_share

# Next to none; a Beta distribution without any would overflow.
_LEAST_SPREAD = 1e-6


def worth(arms, rates):
    """Return what rows are worth per unit of cost, for rates or bounds as found.

    Parameters
    ----------
    arms : ArmStatistics
        Its cost, sensitivity and fall-out are read.
    rates : ndarray of shape (n_sources,)
        Rates of success as found, or bounds on them.

    Returns
    -------
    ndarray of shape (n_sources,)
        Corrected for what is missed and mistaken, 0 or more, over the cost.
    """
    rates = corrected_share(rates, arms.sensitivity, arms.fall_out, most=np.inf)
    return rates / arms.cost


def _kl_ucb(arms):
    n_open = max(int(np.count_nonzero(arms.is_open)), 1)
    level = fair_share_level(arms.drawn.sum(), np.maximum(arms.drawn, 1), n_open)
    index = kl_ucb_index(arms.found, arms.drawn, arms.alpha * level, arms.pool)
    return worth(arms, index)


def _kl_lucb(arms):
    """Mark the leader or its strongest challenger, whichever has fewer rows."""
    level = arms.alpha * np.log(max(arms.drawn.sum(), 1))
    upper = kl_ucb_index(arms.found, arms.drawn, level, arms.pool)
    leader = int(np.argmax(np.where(arms.is_open, _greedy(arms), -np.inf)))
    others = arms.is_open.copy()
    others[leader] = False
    challenger = int(np.argmax(np.where(others, worth(arms, upper), -np.inf)))
    is_close = others.any() and arms.drawn[challenger] < arms.drawn[leader]
    marks = np.zeros(len(upper))
    marks[challenger if is_close else leader] = 1
    return marks


def _ucb1(arms):
    index = ucb1_index(arms.found, arms.drawn, arms.drawn.sum(), arms.alpha)
    return worth(arms, index)


def _ucb_tuned(arms):
    index = ucb_tuned_index(arms.found, arms.drawn, arms.drawn.sum(), arms.alpha)
    return worth(arms, index)


def _thompson(arms):
    # A wider posterior explores more, as a larger coefficient does elsewhere.
    spread = max(arms.alpha, _LEAST_SPREAD)
    failures = arms.drawn - arms.found
    drawn = arms.rng.beta((1 + arms.found) / spread, (1 + failures) / spread)
    return worth(arms, drawn)


def _paper(arms):
    counts = arms.found, arms.drawn, arms.n_pulls
    return worth(arms, paper_index(*counts, arms.horizon, arms.alpha))


def _reference(arms):
    counts = arms.found, arms.drawn, arms.n_pulls
    return worth(arms, reference_index(*counts, arms.horizon, arms.alpha))


def _greedy(arms):
    rate = success_rate(arms.found, arms.drawn)
    return worth(arms, np.where(np.isnan(rate), np.inf, rate))


def _random(arms):
    return arms.rng.uniform(size=len(arms.drawn))


POLICIES = {
    "kl_ucb": _kl_ucb,
    "kl_lucb": _kl_lucb,
    "ucb1": _ucb1,
    "ucb_tuned": _ucb_tuned,
    "thompson": _thompson,
    "paper": _paper,
    "reference": _reference,
    "greedy": _greedy,
    "random": _random,
}
# Their index needs the number of rounds in all.
NEEDS_HORIZON = ("paper", "reference")


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

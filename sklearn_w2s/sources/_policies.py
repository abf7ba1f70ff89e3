"""Names to policies: what each source is worth drawing from, given the counts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sklearn_w2s._algorithms.bandit import (
    fair_share_level,
    kl_ucb_bounds,
    kl_ucb_ceiling,
    kl_ucb_index,
    paper_index,
    reference_index,
    success_rate,
    ucb1_index,
    ucb_tuned_index,
)
from sklearn_w2s._algorithms.interval import corrected_share

# More sources than this are not all looked at closely.
MANY = 1_000
_LOT = 8_192
# Next to none; a Beta distribution without any would overflow.
_LEAST_SPREAD = 1e-6


def worth(arms, rates, which=slice(None)):
    """Return what rows are worth per unit of cost, for rates or bounds as found.

    Parameters
    ----------
    arms : ArmStatistics
        Its cost, sensitivity and fall-out are read.
    rates : ndarray of shape (n_which,)
        Rates of success as found, or bounds on them.
    which : index of n_which sources, default=slice(None)
        Whose they are.

    Returns
    -------
    ndarray of shape (n_which,)
        Corrected for what is missed and mistaken, 0 or more, over the cost.
    """
    mistakes = arms.sensitivity[which], arms.fall_out[which]
    return corrected_share(rates, *mistakes, most=np.inf) / arms.cost[which]


def _kl_ucb(arms):
    return _kl_worth(arms, _fair_level(arms))


def _leading_kl_ucb(arms):
    return _leading_kl_worth(arms, _fair_level(arms), arms.is_open)


def _fair_level(arms):
    n_open = max(int(np.count_nonzero(arms.is_open)), 1)
    t, lots = arms.drawn.sum(), _lots(np.maximum(arms.drawn, 1))
    level = np.concatenate([fair_share_level(t, lot, n_open) for lot in lots])
    return arms.alpha * level


def _kl_lucb(arms):
    """Mark the leader or its strongest challenger, whichever has fewer rows."""
    level = arms.alpha * np.log(max(arms.drawn.sum(), 1))
    leader = int(np.argmax(np.where(arms.is_open, _greedy(arms), -np.inf)))
    others = arms.is_open.copy()
    others[leader] = False
    upper = _leading_kl_worth(arms, np.full(len(others), level), others)
    challenger = int(np.argmax(np.where(others, upper, -np.inf)))
    is_close = others.any() and arms.drawn[challenger] < arms.drawn[leader]
    marks = np.zeros(len(upper))
    marks[challenger if is_close else leader] = 1
    return marks


def _kl_worth(arms, level):
    return worth(arms, kl_ucb_index(arms.found, arms.drawn, level, arms.pool))


def _leading_kl_worth(arms, level, among):
    """Return the worth of kl bounds, of more than `MANY` only those near the largest.

    Every bound takes many steps: sources that others surely exceed are left at minus
    infinity, and of sources with equal counts one is looked at.
    """
    if len(among) <= MANY:
        return _kl_worth(arms, level)
    near, values = np.flatnonzero(among), np.full(len(among), -np.inf)
    if not len(near):
        return values
    high = np.concatenate([_highest_kl_worth(arms, level, lot) for lot in _lots(near)])
    first = near[[np.argmax(high)]]
    low, _ = _kl_worth_bounds(arms, level, first, n_steps=2)
    near = near[~(high < low)]
    for n_steps in range(3):
        low, high = _kl_worth_bounds(arms, level, near, n_steps)
        near = near[~(high < low.max())]
    columns = _of(arms, level, near)
    distinct, places = np.unique(columns, axis=1, return_inverse=True)
    values[near] = worth(arms, kl_ucb_index(*distinct)[places.reshape(-1)], near)
    return values


def _lots(values):
    """Return parts of an array so small that they stay in the processor's cache."""
    return np.array_split(values, len(values) // _LOT + 1)


def _highest_kl_worth(arms, level, which):
    """Return what the worth of the kl bounds of some sources is at most, in no time."""
    counts = arms.found[which], arms.drawn[which], level[which]
    return worth(arms, kl_ucb_ceiling(*counts), which)


def _kl_worth_bounds(arms, level, which, n_steps):
    found, drawn, levels, pool = _of(arms, level, which)
    bounds = kl_ucb_bounds(found, drawn, levels, pool, n_steps)
    return (worth(arms, bound, which) for bound in bounds)


def _of(arms, level, which):
    """Return what the kl bounds of some sources depend on, one row each."""
    counts = (arms.found, arms.drawn, level, arms.pool)
    return np.stack([values[which] for values in counts])


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


class Policy(NamedTuple):
    """A policy and what it needs.

    Parameters
    ----------
    values : callable
        Gets `ArmStatistics` and returns index values of shape (n_sources,); the source
        of the largest is drawn next.
    leading : callable or None, default=None
        Does the same in less time, with minus infinity in place of values that are
        surely not the largest of an open source.
    needs_horizon : bool, default=False
        Whether it needs the number of rounds in all.
    """

    values: Callable[[Any], Any]
    leading: Callable[[Any], Any] | None = None
    needs_horizon: bool = False


# To add a policy, write its index and name it here.
POLICIES = {
    "kl_ucb": Policy(_kl_ucb, _leading_kl_ucb),
    "kl_lucb": Policy(_kl_lucb),
    "ucb1": Policy(_ucb1),
    "ucb_tuned": Policy(_ucb_tuned),
    "thompson": Policy(_thompson),
    "paper": Policy(_paper, needs_horizon=True),
    "reference": Policy(_reference, needs_horizon=True),
    "greedy": Policy(_greedy),
    "random": Policy(_random),
}


def needs_horizon(policy):
    """Say whether a policy, a key of `POLICIES` or a function, needs a limit."""
    return not callable(policy) and POLICIES[policy].needs_horizon


def leading_values(policy, arms):
    """Return the values of `index_values`, or minus infinity for those that lose."""
    leading = None if callable(policy) else POLICIES[policy].leading
    return index_values(policy, arms) if leading is None else leading(arms)


def index_values(policy, arms):
    """Return the index of each source by a key of `POLICIES`, or a function.

    Raises
    ------
    ValueError
        If a callable returns anything but one number per source.
    """
    if not callable(policy):
        return POLICIES[policy].values(arms)
    values = np.asarray(policy(arms))
    if values.shape != arms.drawn.shape or values.dtype.kind not in "biuf":
        msg = (
            f"policy={policy!r} returned an array of shape {values.shape} and type "
            f"{values.dtype}. It must return one number for each of the "
            f"{len(arms.drawn)} sources."
        )
        raise ValueError(msg)
    return values.astype(np.float64)

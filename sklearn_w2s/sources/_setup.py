"""What the parameters of a selector amount to, and whether they fit."""

from collections.abc import Mapping

import numpy as np

from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources._drawing import Drawing
from sklearn_w2s.sources._engine import Limits, SourceBandit
from sklearn_w2s.sources._policies import needs_horizon
from sklearn_w2s.sources._rewards import Rater


def make_limits(selector):
    """Return the limits of a selector.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its parameters are read.

    Returns
    -------
    Limits
        What ends the drawing.
    """
    return Limits(
        selector.batch_size,
        selector.n_rounds,
        selector.budget,
        selector.cost_budget,
        selector.confidence,
    )


def make_detector(selector):
    """Return the overlap detector of a selector, yet to be cloned.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its parameters are read.

    Returns
    -------
    estimator instance
        Its `overlap_detector`, or the default.
    """
    if selector.overlap_detector is None:
        return OverlapDetector(missing_label=selector.missing_label)
    return selector.overlap_detector


def new_drawing(selector, rows, rng, *, seed=0, journal=None):
    """Return a run that has not begun.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its parameters are read.
    rows : PoolRows or DrawnRows
        Makes tables of batches.
    rng : RandomState
        Draws for policies that draw at random, and seeds the detector.
    seed : int, default=0
        Shuffles tables.
    journal : Journal, default=None
        Keeps the steps on disk.

    Returns
    -------
    Drawing
        The run, without sources.
    """
    bandit = SourceBandit(
        policy=selector.policy,
        alpha=selector.alpha,
        burn_in=selector.burn_in,
        max_failures=selector.max_failures,
        limits=make_limits(selector),
        rng=rng,
    )
    # Of a journal the detector is fitted again, and must be the same.
    is_seeded = selector.random_state is not None or journal is not None
    seeds = rng if is_seeded else None
    rater = Rater(rows, make_detector(selector), selector.reward, seeds)
    refits = selector.detection == "history"
    return Drawing(bandit, rater, refits=refits, seed=seed, journal=journal)


def describe_arm(selector, name):
    """Return what the parameters say of a source.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its `costs` and `detection_rates` are read.
    name : str
        Name of the source.

    Returns
    -------
    dict
        Arguments of `SourceBandit.add`, where they are not the defaults.

    Raises
    ------
    ValueError
        If they are out of range, or lack the source.
    """
    arm = {}
    if selector.costs is not None:
        arm["cost"] = _of_source("costs", selector.costs, name)
        if not 0 < arm["cost"] < np.inf:
            msg = f"costs[{name!r}]={arm['cost']!r} must be a positive number."
            raise ValueError(msg)
    rates = selector.detection_rates
    if isinstance(rates, Mapping):
        rates = _of_source("detection_rates", rates, name)
    if rates is not None:
        if len(rates) != 2 or not 0 <= rates[1] < rates[0] <= 1:
            msg = (
                f"detection_rates={rates!r} must be the sensitivity and the fall-out "
                "of the detector, with 0 <= fall-out < sensitivity <= 1."
            )
            raise ValueError(msg)
        arm["detection_rates"] = tuple(rates)
    return arm


def tune(selector, bandit):
    """Let the parameters of a selector that may change say how a run goes on.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its limits, `policy`, `alpha`, `max_failures` and `costs` are read.
    bandit : SourceBandit
        It follows them from the next round on.

    Raises
    ------
    ValueError
        If `detection_rates` are not those of the rounds before.
    """
    bandit.limits = make_limits(selector)
    bandit.policy, bandit.alpha = selector.policy, selector.alpha
    bandit.max_failures = selector.max_failures
    for position, name in enumerate(bandit.names):
        arm = {"cost": 1.0, "detection_rates": (1.0, 0.0)}
        arm |= describe_arm(selector, name)
        bandit.cost[position] = arm["cost"]
        former = bandit.sensitivity[position], bandit.fall_out[position]
        if arm["detection_rates"] != former:
            msg = (
                f"detection_rates of source {name!r} are {arm['detection_rates']}, but "
                f"were {tuple(map(float, former))} in the rounds before. Use the same "
                "to go on, or begin anew."
            )
            raise ValueError(msg)


def require_burn_in(selector, sizes):
    """Require that the limits leave room for the first draws of every source.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its limits are read.
    sizes : ndarray of int of shape (n_sources,)
        Rows of each source.

    Raises
    ------
    ValueError
        If a limit is too low.
    """
    rounds = np.minimum(selector.burn_in, np.ceil(sizes / selector.batch_size)).sum()
    rows = np.minimum(selector.burn_in * selector.batch_size, sizes).sum()
    for name, need in {"n_rounds": rounds, "budget": rows}.items():
        limit = getattr(selector, name)
        if limit is not None and limit < need:
            msg = (
                f"{name}={limit} does not cover the burn-in, which needs {int(need)}: "
                f"{len(sizes)} sources, burn_in={selector.burn_in}, "
                f"batch_size={selector.batch_size}. Raise {name}, or lower batch_size "
                "or burn_in."
            )
            raise ValueError(msg)


def require_horizon(selector):
    """Require a limit where the policy needs the number of rounds in all.

    Parameters
    ----------
    selector : UCBSourceSelector
        Its policy and limits are read.

    Raises
    ------
    ValueError
        If there is none.
    """
    limits = (selector.n_rounds, selector.budget, selector.cost_budget)
    if needs_horizon(selector.policy) and all(limit is None for limit in limits):
        msg = (
            f"policy={selector.policy!r} needs the number of rounds. Set n_rounds, "
            "budget or cost_budget, or take another policy."
        )
        raise ValueError(msg)


def _of_source(parameter, values, name):
    if name not in values:
        msg = (
            f"{parameter} has no entry for source {name!r}; it has {sorted(values)}. "
            "Name every source."
        )
        raise ValueError(msg)
    return values[name]

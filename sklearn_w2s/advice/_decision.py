"""Which classifier to use, and what to do next."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s.advice._expectation import rows_to_tell


class Decision(NamedTuple):
    """What to do now and next.

    Parameters
    ----------
    choice, runner_up : str
        The classifier expected to be best, and the one that comes next.
    lead : float
        Expected difference of the two.
    probability : float
        Probability that the choice is better than the runner-up.
    next_step : {"collect_labels", "buy_rows"} or None
        What to do next.
    n_more_labels : int
        Labels to collect.
    source : object
        Source to buy from.
    """

    choice: str
    runner_up: str | None
    lead: float
    probability: float
    next_step: str | None = None
    n_more_labels: int = 0
    source: Any = None


def decide(standing, strategy):
    """Return which classifier is expected to be best.

    Parameters
    ----------
    standing : Standing
        Expected scores.
    strategy : str or callable
        Strategy that was fitted; "weak" and "strong_on_labels" are classifiers that
        abstained from weak-to-strong by their own evidence.

    Returns
    -------
    Decision
        Without a next step. Of equals, the weak estimator is chosen, which costs least.
    """
    if strategy in ("weak", "strong_on_labels"):
        # The classifier is that one by now, and held-out rows have made it so.
        return Decision(strategy, None, 0.0, 1.0)
    rivals = ["weak", *reversed(standing.names)]
    ranked = sorted(rivals, key=lambda name: -standing.of(name, "weak").mean)
    choice, runner_up = ranked[:2]
    lead = standing.of(choice, runner_up)
    return Decision(choice, runner_up, lead.mean, float(ndtr(lead.mean / lead.error)))


def is_clear(decision, confidence_level):
    """Say whether the choice is better than the runner-up beyond noise."""
    return decision.probability > (1 + confidence_level) / 2


def source_table(overlap, source, confidence_level):
    """Return the overlap density of each source with its interval.

    Parameters
    ----------
    overlap : ndarray of shape (n,) of bool
        Which unlabeled rows are overlap rows.
    source : ndarray of shape (n,)
        Where they come from.
    confidence_level : float
        Level of the interval.

    Returns
    -------
    dict of str to ndarray
        source, n_rows, overlap_density, low and high, densest first.
    """
    names, codes, n_rows = np.unique(source, return_inverse=True, return_counts=True)
    density = np.bincount(codes, weights=overlap) / n_rows
    z = _quantile(confidence_level)
    low, high = np.transpose(
        [share_interval(d, n, z) for d, n in zip(density, n_rows, strict=True)]
    )
    order = np.argsort(-density, kind="stable")
    table = {
        "source": names,
        "n_rows": n_rows,
        "overlap_density": density,
        "low": low,
        "high": high,
    }
    return {key: values[order] for key, values in table.items()}


def _quantile(confidence_level):
    return float(ndtri((1 + confidence_level) / 2))


def densest_source(table, confidence_level):
    """Return the source that is clearly denser than the others together, or None."""
    if len(table["source"]) < 2:
        return None
    n_rows, density = table["n_rows"][1:], table["overlap_density"][1:]
    others = float(np.average(density, weights=n_rows))
    _, high = share_interval(others, n_rows.sum(), _quantile(confidence_level))
    return table["source"][0] if table["low"][0] > high else None


def plan(decision, differing, n_labeled, n_unlabeled, source, confidence_level):
    """Add the next step to a decision.

    Parameters
    ----------
    decision : Decision
        What to use now.
    differing : float
        Share of rows on which choice and runner-up differ.
    n_labeled, n_unlabeled : int
        Rows of either kind.
    source : object
        The source that is clearly densest, or None.
    confidence_level : float
        Level at which more labels are to tell the two apart.

    Returns
    -------
    Decision
        With labels to collect where no more than all unlabeled rows would tell the two
        apart; else with rows to buy, where overlap helps.
    """
    if not is_clear(decision, confidence_level):
        needed = rows_to_tell(decision.lead, differing, confidence_level) - n_labeled
        if 1 <= needed <= n_unlabeled:
            n_more = math.ceil(needed)
            return decision._replace(next_step="collect_labels", n_more_labels=n_more)
    if source is not None and decision.choice == "weak_to_strong":
        return decision._replace(next_step="buy_rows", source=source)
    return decision

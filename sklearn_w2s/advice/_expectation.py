"""Expected differences, and which estimator to use by them."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from sklearn_w2s._algorithms.shares import (
    normal_posterior,
    paired_difference,
    share_interval,
)
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

# Errors that are nearly the same in both would leave no covariance to invert.
_MOST_CORRELATED = 0.99
# Of rivals that predict the same, so that a division is possible.
_LEAST_ERROR = 1e-9


class Pair(NamedTuple):
    """Two rivals, and the indicators of their disagreement."""

    first: str
    second: str
    differ: str  # indicator: share of rows on which they differ
    advantage: str | None = None  # indicator: what the first considers its gain there

    @property
    def name(self):
        """Key of the comparison."""
        return f"{self.first} - {self.second}"


GAIN = Pair("weak_to_strong", "weak", "misfit", "advantage")
LEAD = Pair(
    "weak_to_strong", "strong_on_labels", "label_discrepancy", "label_advantage"
)
VIEWS = Pair("strong_on_labels", "weak", "view_discrepancy")
PAIRS = (GAIN, LEAD, VIEWS)


class Prior(NamedTuple):
    """What weak-to-strong is worth beside another rival, before labels are used."""

    slope: float  # difference in accuracy, in units of the advantage
    spread: float  # its standard deviation over data sets, of the share that differs

    def of(self, pair, indicators):
        """Return the expected difference of a pair, and its standard error."""
        advantage, differ = (indicators[name] for name in (pair.advantage, pair.differ))
        # An unknown share may be one; of rivals that agree, no error may be zero.
        error = self.spread * (1.0 if np.isnan(differ) else differ + 1e-6)
        return self.slope * np.nan_to_num(advantage), error


# By kind of strategy, see `kind_of`. Written by benchmarks/tables/advice.py.
PRIORS = {
    "taught": {GAIN: Prior(0.69, 0.21), LEAD: Prior(0.49, 0.21)},
    "smoothing": {GAIN: Prior(0.96, 0.47), LEAD: Prior(0.44, 0.21)},
    "imitating": {GAIN: Prior(0.32, 0.39), LEAD: Prior(0.26, 0.19)},
}


def kind_of(strategy):
    """Return whether a teacher corrects weak labels, neighbours do, or nothing does."""
    if strategy in ("weak", "strong_on_labels"):
        return "taught"  # by a teacher that left it to one of its members
    known = STRATEGIES.get(strategy) if isinstance(strategy, str) else None
    if known is None:
        return "imitating"
    if known.teacher is not None and known.teacher.needs_labels:
        return "taught"
    return "smoothing" if known.teacher or known.needs_neighbors else "imitating"


class Expectation(NamedTuple):
    """An expected difference in the score, and its standard error."""

    mean: float
    error: float

    def interval(self, confidence_level):
        """Return the normal interval of the difference."""
        half = ndtri((1 + confidence_level) / 2) * self.error
        return np.array([self.mean - half, self.mean + half])


class Standing(NamedTuple):
    """Expected scores of the rivals, beside that of the weak estimator."""

    names: list  # "weak_to_strong", and "strong_on_labels" if labels can judge it
    mean: Any  # (n_names,), expected differences from the weak estimator
    covariance: Any  # (n_names, n_names)

    def of(self, first, second):
        """Return by how much the first is expected to be better than the second."""
        contrast = np.array([(n == first) - float(n == second) for n in self.names])
        error = np.sqrt(contrast @ self.covariance @ contrast)
        return Expectation(float(contrast @ self.mean), float(error))


def compare(predictions, truth, weigh, confidence_level):
    """Return paired comparisons of the rivals on held-out labeled rows."""
    # `weigh` is None for values, which are compared by their squared errors.
    rows, place = np.unique(predictions.rows, return_inverse=True)
    n_rows, known = len(rows), truth[predictions.rows]
    if weigh is not None:
        if n_rows < 2:
            return {}
        weights = weigh(truth[rows])[place] * predictions.weights
        hits = {name: found == known for name, found in predictions.predicted.items()}
    else:
        squares = {
            # Of a row with several predictions the mean counts, as one row.
            name: np.bincount(place, (found - known) ** 2 * predictions.weights, n_rows)
            for name, found in predictions.predicted.items()
        }
        # Differences are positive if errors are smaller, in shares of the weak one.
        unit = squares["weak"].mean()
    comparisons = {}
    for pair in PAIRS:
        least = 0.0
        if weigh is not None:
            difference, error = paired_difference(
                hits[pair.first], hits[pair.second], weights, place
            )
        else:
            gains, least = squares[pair.second] - squares[pair.first], _LEAST_ERROR
            difference = float(gains.mean() / unit) if unit > 0 else 0.0
            error = gains.std(ddof=1) / np.sqrt(n_rows) / unit if unit > 0 else 0.0
        half = stdtrit(n_rows - 1, (1 + confidence_level) / 2) * error
        comparisons[pair.name] = {
            "difference": difference,
            "error": float(max(error, least)),
            "interval": np.array([difference - half, difference + half]),
            "n_rows": n_rows,
        }
    return comparisons


def expect(indicators, comparisons, priors):
    """Return the priors, updated by the comparisons on held-out labeled rows."""
    if not comparisons:
        mean, error = priors[GAIN].of(GAIN, indicators)
        return Standing([GAIN.first], np.array([mean]), np.array([[error**2]]))
    if priors is None:
        return Standing([GAIN.first, VIEWS.first], *_measured(comparisons))
    contrasts = [[1.0, 0.0], [1.0, -1.0]]
    means, errors = np.transpose([priors[p].of(p, indicators) for p in (GAIN, LEAD)])
    measured, covariance = _measured(comparisons)
    mean, spread = normal_posterior(
        [contrasts, np.eye(2)],
        [means, measured],
        [np.diag(errors**2), covariance],
    )
    return Standing([GAIN.first, VIEWS.first], mean, spread)


def _measured(comparisons):
    """Return the scores beside the weak estimator as measured, and their covariance."""
    own, lead, other = (comparisons[pair.name] for pair in PAIRS)
    first, second = own["error"], other["error"]
    # Var(x - y) = Var(x) + Var(y) - 2 Cov(x, y)
    shared = (first**2 + second**2 - lead["error"] ** 2) / 2
    most = _MOST_CORRELATED * first * second
    shared = np.clip(shared, -most, most)
    covariance = np.array([[first**2, shared], [shared, second**2]])
    return np.array([own["difference"], other["difference"]]), covariance


class Decision(NamedTuple):
    """What to do now and next."""

    choice: str
    runner_up: str | None
    lead: float  # expected difference of the two
    probability: float  # of the choice being better than the runner-up
    next_step: str | None = None  # "collect_labels", "buy_rows" or None
    n_more_labels: int = 0
    source: Any = None


def decide(standing, strategy):
    """Return which estimator is expected to be best; of equals, the cheapest."""
    if strategy in ("weak", "strong_on_labels"):
        # The estimator has become that one, by the rows that it held out itself.
        return Decision(strategy, None, 0.0, 1.0)
    rivals = ["weak", *reversed(standing.names)]
    ranked = sorted(rivals, key=lambda name: -standing.of(name, "weak").mean)
    choice, runner_up = ranked[:2]
    lead = standing.of(choice, runner_up)
    return Decision(choice, runner_up, lead.mean, float(ndtr(lead.mean / lead.error)))


def is_clear(decision, confidence_level):
    """Return whether the choice is better than the runner-up beyond noise."""
    return decision.probability > (1 + confidence_level) / 2


def source_table(overlap, source, confidence_level):
    """Return overlap densities of sources with intervals, densest first."""
    names, codes, n_rows = np.unique(source, return_inverse=True, return_counts=True)
    density = np.bincount(codes, weights=overlap) / n_rows
    z = float(ndtri((1 + confidence_level) / 2))
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


def densest_source(table, confidence_level):
    """Return the source that is clearly denser than the others together, or None."""
    if len(table["source"]) < 2:
        return None
    n_rows, density = table["n_rows"][1:], table["overlap_density"][1:]
    others = float(np.average(density, weights=n_rows))
    z = float(ndtri((1 + confidence_level) / 2))
    _, high = share_interval(others, n_rows.sum(), z)
    return table["source"][0] if table["low"][0] > high else None


def plan(decision, differing, n_labeled, n_unlabeled, source, confidence_level):
    """Add the next step to a decision."""
    if not is_clear(decision, confidence_level) and decision.lead:
        # The share of rows that differ bounds the variance in a row.
        ratio = ndtri((1 + confidence_level) / 2) / decision.lead
        needed = differing * ratio**2 - n_labeled
        if 1 <= needed <= n_unlabeled:
            n_more = math.ceil(needed)
            return decision._replace(next_step="collect_labels", n_more_labels=n_more)
    if source is not None and decision.choice == "weak_to_strong":
        return decision._replace(next_step="buy_rows", source=source)
    return decision

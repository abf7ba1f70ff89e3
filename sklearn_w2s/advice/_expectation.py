"""Expected differences, and which estimator to use by them."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from sklearn_w2s._algorithms.interval import share_interval
from sklearn_w2s._algorithms.pairs import normal_posterior, paired_difference
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

# Errors that are nearly the same in both would leave no covariance to invert.
_MOST_CORRELATED = 0.99
# Of rivals that say the same, so that a division is possible.
_LEAST_ERROR = 1e-9


class Pair(NamedTuple):
    """Two rivals, and the indicators of their disagreement.

    Parameters
    ----------
    first, second : str
        The rivals.
    differ : str
        Indicator of the share of rows on which they differ.
    advantage : str or None
        Indicator of what the first thinks that it gains in these.
    """

    first: str
    second: str
    differ: str
    advantage: str | None = None

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
    """What weak-to-strong is worth beside another rival, before any label is asked.

    Parameters
    ----------
    slope : float
        Difference in accuracy, in units of the advantage that it sees itself.
    spread : float
        Standard deviation over data sets, in units of the share of rows that differ.
    """

    slope: float
    spread: float

    def of(self, pair, indicators):
        """Return the expected difference of a pair, and its standard error."""
        advantage, differ = (indicators[name] for name in (pair.advantage, pair.differ))
        # Unknown shares tell nothing; one that repeats the other is worth as much.
        error = self.spread * (1.0 if np.isnan(differ) else differ + 1e-6)
        return self.slope * np.nan_to_num(advantage), error


# By kind of strategy, see `kind_of`. Written by benchmarks/tables/advice.py.
PRIORS = {
    "taught": {GAIN: Prior(0.69, 0.21), LEAD: Prior(0.49, 0.21)},
    "smoothing": {GAIN: Prior(0.96, 0.47), LEAD: Prior(0.44, 0.21)},
    "imitating": {GAIN: Prior(0.32, 0.39), LEAD: Prior(0.26, 0.19)},
}


def kind_of(strategy):
    """Return what a strategy does with weak labels.

    Parameters
    ----------
    strategy : str or callable
        Strategy, or who predicts alone.

    Returns
    -------
    {"taught", "smoothing", "imitating"}
        Whether a teacher corrects them, neighbours do, or nobody.
    """
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
    """Expected scores of the rivals, beside that of the weak estimator.

    Parameters
    ----------
    names : list of str
        "weak_to_strong", and "strong_on_labels" where there are labels to judge it by.
    mean : ndarray of shape (n_names,)
        Expected differences from the weak estimator.
    covariance : ndarray of shape (n_names, n_names)
        Their covariance.
    """

    names: list
    mean: Any
    covariance: Any

    def of(self, first, second):
        """Return by how much the first is expected to be better than the second."""
        contrast = np.array([(n == first) - float(n == second) for n in self.names])
        error = np.sqrt(contrast @ self.covariance @ contrast)
        return Expectation(float(contrast @ self.mean), float(error))


def compare(opinions, truth, weigh, confidence_level):
    """Return the paired comparisons of the rivals in labeled rows held out.

    Parameters
    ----------
    opinions : Opinions
        Of labeled rows.
    truth : ndarray of shape (n,)
        Labels of all rows.
    weigh : callable
        Returns weights of rows, from their labels.
    confidence_level : float
        Level of the intervals, by Student's t.

    Returns
    -------
    dict of str to dict
        By ``"<first> - <second>"``: difference, error, interval and n_rows. Of a row
        with several opinions the mean counts, as one row. Empty without rows.
    """
    rows, place = np.unique(opinions.rows, return_inverse=True)
    n_rows = len(rows)
    if n_rows < 2:
        return {}
    labels = truth[opinions.rows]
    weights = weigh(truth[rows])[place] * opinions.weights
    hits = {name: said == labels for name, said in opinions.predicted.items()}
    comparisons = {}
    for pair in PAIRS:
        difference, error = paired_difference(
            hits[pair.first], hits[pair.second], weights, place
        )
        half = stdtrit(n_rows - 1, (1 + confidence_level) / 2) * error
        comparisons[pair.name] = {
            "difference": difference,
            "error": error,
            "interval": np.array([difference - half, difference + half]),
            "n_rows": n_rows,
        }
    return comparisons


def compare_values(opinions, truth, confidence_level):
    """Return the paired comparisons of regressors in labeled rows held out.

    Parameters
    ----------
    opinions : Opinions
        Of labeled rows.
    truth : ndarray of shape (n,)
        Values of all rows.
    confidence_level : float
        Level of the intervals, by Student's t.

    Returns
    -------
    dict of str to dict
        As from `compare`; differences are those of mean squared errors, smaller ones
        being better, as shares of that of the weak estimator.
    """
    rows, place = np.unique(opinions.rows, return_inverse=True)
    n_rows, values = len(rows), truth[opinions.rows]
    squares = {
        # Of a row with several opinions the mean counts, as one row.
        name: np.bincount(place, (said - values) ** 2 * opinions.weights, n_rows)
        for name, said in opinions.predicted.items()
    }
    unit = squares["weak"].mean()
    comparisons = {}
    for pair in PAIRS:
        gains = squares[pair.second] - squares[pair.first]
        difference = float(gains.mean() / unit) if unit > 0 else 0.0
        error = gains.std(ddof=1) / np.sqrt(n_rows) / unit if unit > 0 else 0.0
        half = stdtrit(n_rows - 1, (1 + confidence_level) / 2) * error
        comparisons[pair.name] = {
            "difference": difference,
            "error": float(max(error, _LEAST_ERROR)),
            "interval": np.array([difference - half, difference + half]),
            "n_rows": n_rows,
        }
    return comparisons


def expect(indicators, comparisons, priors):
    """Return what the rivals are expected to be worth.

    Parameters
    ----------
    indicators : dict of str to float
        Disagreements of the rivals.
    comparisons : dict of str to dict
        See `compare`; empty where labeled rows tell nothing.
    priors : dict of Pair to Prior or None
        What disagreements are worth; None where that is not known.

    Returns
    -------
    Standing
        The priors, updated by the labeled rows held out.
    """
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


def rows_to_tell(expected, disagreement, confidence_level):
    """Return how many labels would tell an expected difference from none.

    Parameters
    ----------
    expected : float
        Difference in the score.
    disagreement : float
        Share of rows on which the two differ, which bounds the variance in a row.
    confidence_level : float
        Level of the interval that is to leave out zero.

    Returns
    -------
    float
        Number of rows; infinity where no difference is expected.
    """
    if expected == 0:
        return np.inf
    return disagreement * (ndtri((1 + confidence_level) / 2) / expected) ** 2


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

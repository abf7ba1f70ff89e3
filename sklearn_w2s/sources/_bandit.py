"""Which source to draw from: policies, and the counts that they read."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from sklearn_w2s._algorithms.bandit import (
    ArmStatistics,
    anytime_level,
    fair_share_level,
    kl_ucb_bounds,
    kl_ucb_ceiling,
    kl_ucb_index,
    next_arm,
    paper_index,
    reference_index,
    success_rate,
    ucb1_index,
    ucb_tuned_index,
    unseen_factor,
)
from sklearn_w2s._algorithms.shares import Z_95, corrected_share, share_interval

# More sources than this are not all looked at closely.
MANY = 1_000
_LOT = 8_192
# Next to none; a Beta distribution without any would overflow.
_LEAST_SPREAD = 1e-6


def worth(arms, rates, which=slice(None)):
    """Return success rates, or bounds on them, corrected by the audit and per cost."""
    mistakes = arms.sensitivity[which], arms.fall_out[which]
    return corrected_share(rates, *mistakes, most=np.inf) / arms.cost[which]


def _kl_ucb(arms):
    level = _fair_level(arms)
    return worth(arms, kl_ucb_index(arms.found, arms.drawn, level, arms.pool))


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


def _leading_kl_worth(arms, level, among):
    """Return the worth of kl bounds; of more than `MANY`, of those near the largest.

    The others, which some bound surely exceeds, are left at minus infinity.
    """
    if len(among) <= MANY:
        return worth(arms, kl_ucb_index(arms.found, arms.drawn, level, arms.pool))
    near, values = np.flatnonzero(among), np.full(len(among), -np.inf)
    if not len(near):
        return values
    # The ceiling of a bound takes little time.
    counts = (arms.found, arms.drawn, level)
    ceilings = [
        worth(arms, kl_ucb_ceiling(*(count[lot] for count in counts)), lot)
        for lot in _lots(near)
    ]
    high = np.concatenate(ceilings)
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
    """Return parts of an array that are small enough for the processor's cache."""
    return np.array_split(values, len(values) // _LOT + 1)


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
    """How a policy rates sources, and whether it needs the number of rounds in all.

    `values(arms)` returns the index of each source. `leading(arms)` does the same in
    less time, with minus infinity for values that are surely not the largest.
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


def index_values(policy, arms, *, exact=True):
    """Return the index of each source by a key of `POLICIES` or a function.

    If not exact, values that are surely not the largest may be minus infinity.
    """
    if not callable(policy):
        rule = POLICIES[policy]
        values_of = rule.values if exact or rule.leading is None else rule.leading
        return values_of(arms)
    values = np.asarray(policy(arms))
    if values.shape != arms.drawn.shape or values.dtype.kind not in "biuf":
        msg = (
            f"policy={policy!r} returned an array of shape {values.shape} and type "
            f"{values.dtype}. It must return one number for each of the "
            f"{len(arms.drawn)} sources."
        )
        raise ValueError(msg)
    return values.astype(np.float64)


# What a round is before anything came of it.
_NOTHING = {
    "source": -1,
    "n_drawn": 0,
    "n_overlap": 0.0,
    "overlap_density": np.nan,
    "density_low": np.nan,
    "density_high": np.nan,
    "index": np.nan,
    "cost": 0.0,
    "error": "",
}
_ESTIMATES = ("overlap_density", "density_low", "density_high")
# What is counted per source, in arrays that have room for sources to come.
_TYPES = (
    dict.fromkeys(("n_pulls", "drawn", "rated", "failures", "rests_until"), np.intp)
    | dict.fromkeys(("found", "cost", "pool", "sensitivity", "fall_out"), np.float64)
    | {"is_open": np.bool_}
)
_LEAST_ROOM = 8


class Limits:
    """What ends the drawing, whichever comes first."""

    def __init__(self, batch_size, n_rounds, budget, cost_budget, confidence):
        self.batch_size = batch_size
        self.n_rounds = np.inf if n_rounds is None else n_rounds
        self.budget = np.inf if budget is None else budget
        self.cost_budget = np.inf if cost_budget is None else cost_budget
        self.confidence = confidence


def _per_source(name):
    """Return a property: one value per source, as a view that can be written to."""
    return property(lambda self: self._values[name][: len(self.names)])


class SourceBandit:
    """Counts of draws and overlap rows per source, their history, and the next choice.

    It works on counts only, neither on rows nor on how overlap is found. Rows count for
    the index as soon as they are rated, which may be later than they are drawn.
    """

    n_pulls = _per_source("n_pulls")
    drawn = _per_source("drawn")
    rated = _per_source("rated")
    found = _per_source("found")
    cost = _per_source("cost")
    pool = _per_source("pool")
    sensitivity = _per_source("sensitivity")
    fall_out = _per_source("fall_out")
    is_open = _per_source("is_open")
    _failures = _per_source("failures")
    _rests_until = _per_source("rests_until")

    def __init__(self, *, policy, alpha, burn_in, max_failures, limits, rng):
        self.limits = limits
        self.rng = rng
        self.names = []
        self.positions = {}
        self._values = {name: np.zeros(0, dtype) for name, dtype in _TYPES.items()}
        self._n_drawn = 0
        self.policy = policy
        self.alpha = alpha
        self._burn_in = burn_in
        self.max_failures = max_failures
        # Costs and rates that the sources were last given.
        self.arms = None
        self._spent = 0.0
        self._rounds: dict[str, list] = {column: [] for column in _NOTHING}
        self._indices = []
        self._unrated: deque[int] = deque()

    def add(self, name, *, size=np.inf, cost=1.0, detection_rates=(1.0, 0.0)):
        """Add a source; `detection_rates` are sensitivity and fall-out on its rows."""
        position = self.positions[name] = len(self.names)
        self.names.append(name)
        if position == len(self._values["drawn"]):
            room = max(position, _LEAST_ROOM)
            for column, values in self._values.items():
                more = np.zeros(room, dtype=values.dtype)
                self._values[column] = np.concatenate([values, more])
        self.pool[position], self.cost[position] = size, cost
        self.sensitivity[position], self.fall_out[position] = detection_rates
        self.is_open[position] = True

    @property
    def n_rounds(self):
        """Rounds so far, those that failed included."""
        return len(self._indices)

    @property
    def density(self):
        """Share of overlap rows in each source as far as is known, NaN if unknown."""
        found = success_rate(self.found, self.rated)
        return corrected_share(found, self.sensitivity, self.fall_out)

    @property
    def horizon(self):
        """Rounds in all, infinity where unknown."""
        limits = self.limits
        return min(
            limits.n_rounds,
            np.ceil(limits.budget / limits.batch_size),
            np.ceil(limits.cost_budget / self.cost.min() / limits.batch_size),
            np.ceil(self.pool / limits.batch_size).sum(),
        )

    def index(self):
        """Return the index of each source, NaN where none of its rows is rated."""
        # Looking must not change what is drawn later.
        arms = self._statistics(self.is_open, deepcopy(self.rng))
        values = index_values(self.policy, arms)
        return np.where(self.rated > 0, values, np.nan)

    def estimate(self, source):
        """Return the density of a source and its 95% interval, NaN without rated rows.

        The interval is Wilson's, for the number of rated rows divided by the
        `unseen_factor`.
        """
        found, n, size = self.found[source], self.rated[source], self.pool[source]
        if n == 0:
            return np.nan, np.nan, np.nan
        share, unseen = found / n, float(unseen_factor(n, size))
        low, high = (
            share_interval(share, n / unseen, Z_95) if unseen else (share, share)
        )
        rates = self.sensitivity[source], self.fall_out[source]
        return tuple(corrected_share([share, low, high], *rates).tolist())

    def stop_reason(self):
        """Return why drawing must end, or None if another batch can be drawn."""
        if not self.is_open.any():
            return "exhausted"
        if self.n_rounds >= self.limits.n_rounds:
            return "n_rounds"
        if self._n_drawn >= self.limits.budget:
            return "budget"
        if not self.can_be_drawn().any():
            return "cost_budget"
        if self.limits.confidence is not None and self.best_is_known():
            return "confidence"
        return None

    def best_is_known(self):
        """Return whether the lower bound of a source reaches all other upper bounds."""
        if (self.rated[self.is_open] == 0).any():
            return False
        level = anytime_level(self.n_pulls, len(self.names), 1 - self.limits.confidence)
        arms = self._statistics(self.is_open, self.rng)
        middle = worth(arms, success_rate(self.found, self.rated))
        best = int(np.argmax(np.where(self.is_open, middle, -np.inf)))
        # Where every row was drawn, nothing is left to be unsure of.
        is_known = self.rated >= self.pool
        lower = middle[best]
        if not is_known[best]:
            missed = self.rated[best] - self.found[best]
            rate = 1 - kl_ucb_index(missed, self.rated[best], level[best])
            lower = worth(arms, rate, best)
        rivals = self.is_open & ((middle > lower) | ~is_known)
        rivals[best] = False
        others = np.flatnonzero(rivals)
        # Bounds that are quick to find nearly always decide.
        counts = self.found[others], self.rated[others], level[others]
        at_least, at_most = (worth(arms, b, others) for b in kl_ucb_bounds(*counts))
        if (middle[others] > lower).any() or (at_least > lower).any():
            return False
        near = others[at_most > lower]
        upper = kl_ucb_index(self.found[near], self.rated[near], level[near])
        return bool((worth(arms, upper, near) <= lower).all())

    def is_burning_in(self):
        """Return whether an open source that does not fail has first draws to come."""
        is_well = self.is_open & (self._failures == 0)
        return bool((is_well & (self.n_pulls < self._burn_in)).any())

    def choose(self, among=None):
        """Return the position of the source to draw from, and the index of each source.

        The indices are empty in the burn-in, and those of `index_values` afterwards.
        """
        usable = self.can_be_drawn()
        if among is not None:
            usable &= among
        # Sources that failed a moment ago rest while others can be drawn.
        rested = usable & (self._rests_until <= self.n_rounds)
        usable = rested if rested.any() else usable
        fresh = np.flatnonzero(usable & (self.n_pulls < self._burn_in))
        if len(fresh):
            return int(fresh[np.argmin(self.n_pulls[fresh])]), np.empty(0)
        arms = self._statistics(usable, self.rng)
        values = index_values(self.policy, arms, exact=False)
        if (np.isnan(values) & usable).any():
            msg = (
                f"policy={self.policy!r} returned NaN for a source with rows left: "
                f"{values.tolist()}. Return a number; -inf avoids a source."
            )
            raise ValueError(msg)
        return next_arm(values, self.rated, usable), values

    def can_be_drawn(self):
        """Return which sources are open and affordable, as a mask."""
        if self.limits.cost_budget == np.inf:
            return self.is_open.copy()
        return self.is_open & (self._affordable(self.cost) > 0)

    def batch_size(self, source):
        """Return how many rows may be drawn of a source now."""
        left = self.limits.budget - self._n_drawn
        affordable = self._affordable(self.cost[source])
        return int(min(self.limits.batch_size, left, affordable))

    def draw(self, source, n_drawn, indices=None):
        """Count a round in which rows were drawn; `rate` adds their rewards later."""
        cost = n_drawn * self.cost[source]
        self.n_pulls[source] += 1
        self.drawn[source] += n_drawn
        self._n_drawn += n_drawn
        self._failures[source] = 0
        self._spent += cost
        self._unrated.append(self.n_rounds)
        self._record(source, indices, n_drawn=n_drawn, cost=cost, n_overlap=np.nan)

    def fail(self, source, error, indices=None):
        """Count a failed round; close the source after `max_failures` in a row."""
        self._record(source, indices, error=error)
        self._failures[source] += 1
        # After its k-th failure in a row it rests for k rounds.
        self._rests_until[source] = self.n_rounds + self._failures[source]
        if self._failures[source] >= self.max_failures:
            self.is_open[source] = False

    def rate(self, rewards):
        """Add the sums of rewards of the first rounds that are not rated yet."""
        for reward in rewards:
            position = self._unrated.popleft()
            source = self._rounds["source"][position]
            self.found[source] += reward
            self.rated[source] += self._rounds["n_drawn"][position]
            self._rounds["n_overlap"][position] = reward
            for column, value in zip(_ESTIMATES, self.estimate(source), strict=True):
                self._rounds[column][position] = value

    def forget_ratings(self):
        """Discard the rewards of all rounds."""
        self.found[:], self.rated[:] = 0, 0
        drawn = enumerate(self._rounds["n_drawn"])
        self._unrated = deque(position for position, n in drawn if n)

    def history(self):
        """Return one array per column of the history, with one entry per round."""
        columns = {name: np.array(values) for name, values in self._rounds.items()}
        columns["source"] = np.array(self.names)[columns["source"].astype(np.intp)]
        return {"round": np.arange(self.n_rounds)} | columns

    def index_history(self):
        """Return the index of each source before each round, (n_rounds, n_sources).

        NaN where there was none, and with more than `MANY` sources for all but the one
        drawn.
        """
        table = np.full((self.n_rounds, len(self.names)), np.nan)
        for row, values in zip(table, self._indices, strict=True):
            row[: len(values)] = values
        table[np.arange(self.n_rounds), self._rounds["source"]] = self._rounds["index"]
        return table

    def _record(self, source, indices, **values):
        estimates = zip(_ESTIMATES, self.estimate(source), strict=True)
        entry = _NOTHING | values | {"source": source} | dict(estimates)
        is_chosen = indices is not None and len(indices) > 0
        if is_chosen:
            entry["index"] = float(indices[source])
        for column, entries in self._rounds.items():
            entries.append(entry[column])
        # Those of all sources in all rounds would be too much of many.
        is_kept = is_chosen and len(indices) <= MANY
        self._indices.append(indices if is_kept else ())

    def _affordable(self, cost):
        """Return how many rows of such a cost the budget allows for."""
        left = (self.limits.cost_budget - self._spent) / cost
        # A row that is missed by rounding alone can be paid.
        return np.floor(left + 1e-9)

    def _statistics(self, is_open, rng):
        counts = {
            "n_pulls": self.n_pulls,
            "drawn": self.rated,
            "found": self.found,
            "cost": self.cost,
            "sensitivity": self.sensitivity,
            "fall_out": self.fall_out,
            "is_open": is_open,
            "pool": self.pool,
        }
        if callable(self.policy):
            # So that no policy of the user's can change or watch the counts.
            counts = {name: values.copy() for name, values in counts.items()}
        # Which takes a while for many sources.
        is_read = callable(self.policy) or POLICIES[self.policy].needs_horizon
        horizon = self.horizon if is_read else np.inf
        return ArmStatistics(**counts, horizon=horizon, alpha=self.alpha, rng=rng)

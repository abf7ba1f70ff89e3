"""Count what every source gave, and choose the next one from counts alone."""

from collections import deque
from copy import deepcopy

import numpy as np

from sklearn_w2s._algorithms.bandit import (
    ArmStatistics,
    anytime_level,
    kl_ucb_index,
    next_arm,
    success_rate,
    unseen_factor,
)
from sklearn_w2s._algorithms.interval import corrected_share, share_interval
from sklearn_w2s.sources._policies import index_values, worth

# Quantile of the standard normal distribution, for intervals of 95%.
_Z = 1.959963984540054
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
_COLUMNS = tuple(_NOTHING)


class Limits:
    """What ends the drawing, whichever comes first.

    Parameters
    ----------
    batch_size : int
        Rows per round; fewer where a limit is near.
    n_rounds : int or None
        Rounds at most.
    budget : int or None
        Rows at most.
    cost_budget : float or None
        Cost of the rows at most.
    confidence : float or None
        Probability with which the best source is to be known.
    """

    def __init__(self, batch_size, n_rounds, budget, cost_budget, confidence):
        self.batch_size = batch_size
        self.n_rounds = np.inf if n_rounds is None else n_rounds
        self.budget = np.inf if budget is None else budget
        self.cost_budget = np.inf if cost_budget is None else cost_budget
        self.confidence = confidence


class SourceBandit:
    """Counts of draws and overlap rows per source, their history, and the next choice.

    It sees counts only: neither rows nor how overlap is found. Sources come in any
    round and leave in any round. Rows count when they are drawn, and for the index when
    it is known what they are worth.

    Parameters
    ----------
    policy : str or callable
        Index of the sources.
    alpha : float
        Exploration coefficient.
    burn_in : int
        Draws of every source before the policy chooses among them.
    max_failures : int
        Failures in a row after which a source is closed.
    limits : Limits
        What ends the drawing.
    rng : RandomState
        For policies that draw at random.

    Attributes
    ----------
    names : list of str
        Names of the sources in the order in which they came.
    n_pulls, drawn, rated : ndarray of int of shape (n_sources,)
        Rounds in which a source was drawn; rows drawn; rows whose worth is known.
    found : ndarray of shape (n_sources,)
        Overlap rows among those rated, or the sum of their rewards.
    cost, pool : ndarray of shape (n_sources,)
        Cost of a row; rows at the start, infinity where unknown.
    sensitivity, fall_out : ndarray of shape (n_sources,)
        Shares of overlap rows and of others that are found.
    is_open : ndarray of bool of shape (n_sources,)
        Whether more may be drawn.
    """

    def __init__(self, *, policy, alpha, burn_in, max_failures, limits, rng):
        self.limits = limits
        self.rng = rng
        self.names = []
        self.n_pulls, self.drawn, self.rated = np.zeros((3, 0), dtype=np.intp)
        self.found, self.cost, self.pool = np.zeros((3, 0))
        self.sensitivity, self.fall_out = np.zeros((2, 0))
        self.is_open = np.zeros(0, dtype=bool)
        self.policy = policy
        self.alpha = alpha
        self._burn_in = burn_in
        self.max_failures = max_failures
        self._failures, self._rests_until = np.zeros((2, 0), dtype=np.intp)
        self._spent = 0.0
        self._rounds: dict[str, list] = {column: [] for column in _COLUMNS}
        self._indices = []
        self._unrated: deque[int] = deque()

    def add(self, name, *, size=np.inf, cost=1.0, detection_rates=(1.0, 0.0)):
        """Add a source.

        Parameters
        ----------
        name : str
            Its name, not yet taken.
        size : float, default=inf
            Rows in it, infinity where unknown.
        cost : float, default=1.0
            Cost of a row, positive.
        detection_rates : tuple of two float, default=(1.0, 0.0)
            Sensitivity and fall-out of the detector on rows of the source.
        """
        self.names.append(name)
        for counts in ("n_pulls", "drawn", "rated", "_failures", "_rests_until"):
            setattr(self, counts, np.append(getattr(self, counts), 0))
        numbers = {
            "found": 0,
            "cost": cost,
            "pool": size,
            "sensitivity": detection_rates[0],
            "fall_out": detection_rates[1],
        }
        for field, value in numbers.items():
            setattr(self, field, np.append(getattr(self, field), float(value)))
        self.is_open = np.append(self.is_open, True)

    def position(self, name):
        """Return where a source stands and how much of it was drawn.

        Parameters
        ----------
        name : str
            Its name, new or known.

        Returns
        -------
        position : int
            Its position, or that which it would get.
        n_drawn : int
            Rows.
        """
        if name not in self.names:
            return len(self.names), 0
        position = self.names.index(name)
        return position, int(self.drawn[position])

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
        """Return the index of each source.

        Returns
        -------
        ndarray of shape (n_sources,)
            Index values, NaN where nothing is known of a source.
        """
        # Looking must not change what is drawn later.
        arms = self._statistics(self.is_open, deepcopy(self.rng))
        values = index_values(self.policy, arms)
        return np.where(self.rated > 0, values, np.nan)

    def estimate(self, source):
        """Return the density of a source and its 95% interval.

        Parameters
        ----------
        source : int
            Position of the source.

        Returns
        -------
        density, low, high : float
            The interval is Wilson's, for as many rows as were rated over the
            `unseen_factor`. NaN where nothing is known.
        """
        found, n, size = self.found[source], self.rated[source], self.pool[source]
        if n == 0:
            return np.nan, np.nan, np.nan
        share, unseen = found / n, float(unseen_factor(n, size))
        low, high = share_interval(share, n / unseen, _Z) if unseen else (share, share)
        rates = self.sensitivity[source], self.fall_out[source]
        return tuple(corrected_share([share, low, high], *rates).tolist())

    def stop_reason(self):
        """Say what ends the drawing.

        Returns
        -------
        str or None
            "exhausted", "n_rounds", "budget", "cost_budget", "confidence", or None
            where another batch can be drawn.
        """
        if not self.is_open.any():
            return "exhausted"
        if self.n_rounds >= self.limits.n_rounds:
            return "n_rounds"
        if self.drawn.sum() >= self.limits.budget:
            return "budget"
        if not self.can_be_drawn().any():
            return "cost_budget"
        if self.limits.confidence is not None and self.best_is_known():
            return "confidence"
        return None

    def best_is_known(self):
        """Say whether one open source is surely the best.

        Returns
        -------
        bool
            Whether its lower bound per cost is not below the upper bound of any other.
        """
        if (self.rated[self.is_open] == 0).any():
            return False
        level = anytime_level(self.n_pulls, len(self.names), 1 - self.limits.confidence)
        missed = self.rated - self.found
        arms = self._statistics(self.is_open, self.rng)
        middle = worth(arms, success_rate(self.found, self.rated))
        lower = worth(arms, 1 - kl_ucb_index(missed, self.rated, level))
        upper = worth(arms, kl_ucb_index(self.found, self.rated, level))
        # Where every row was drawn, nothing is left to be unsure of.
        is_known = self.rated >= self.pool
        lower = np.where(is_known, middle, lower)
        upper = np.where(is_known, middle, upper)
        best = int(np.argmax(np.where(self.is_open, middle, -np.inf)))
        others = self.is_open.copy()
        others[best] = False
        return bool((upper[others] <= lower[best]).all())

    def is_burning_in(self):
        """Say whether an open source that does not fail has first draws before it.

        Returns
        -------
        bool
            Whether it does.
        """
        is_well = self.is_open & (self._failures == 0)
        return bool((is_well & (self.n_pulls < self._burn_in)).any())

    def choose(self, among=None):
        """Return the source to draw from next.

        Sources that failed a moment ago rest while others can be drawn.

        Parameters
        ----------
        among : ndarray of bool of shape (n_sources,), default=None
            Sources that can be drawn now. None means all that are open.

        Returns
        -------
        source : int
            Position of the source.
        indices : ndarray of shape (n_sources,)
            Index of every source; NaN where sources have their first draws.

        Raises
        ------
        ValueError
            If the index of an available source is not a number.
        """
        usable = self.can_be_drawn()
        if among is not None:
            usable &= among
        rested = usable & (self._rests_until <= self.n_rounds)
        usable = rested if rested.any() else usable
        fresh = usable & (self.n_pulls < self._burn_in)
        if fresh.any():
            fewest = int(np.argmin(np.where(fresh, self.n_pulls, np.inf)))
            return fewest, np.full(len(usable), np.nan)
        values = index_values(self.policy, self._statistics(usable, self.rng))
        if np.isnan(values[usable]).any():
            msg = (
                f"policy={self.policy!r} returned NaN for a source with rows left: "
                f"{values.tolist()}. Return a number; -inf avoids a source."
            )
            raise ValueError(msg)
        return next_arm(values, self.rated, usable), values

    def can_be_drawn(self):
        """Return which sources have rows that can be paid.

        Returns
        -------
        ndarray of bool of shape (n_sources,)
            Whether they are open, and one row at least is within the cost budget.
        """
        return self.is_open & (self._affordable() > 0)

    def batch_size(self, source):
        """Return how many rows may be drawn of a source now.

        Parameters
        ----------
        source : int
            Position of the source.

        Returns
        -------
        int
            Rows.
        """
        left = self.limits.budget - self.drawn.sum()
        return int(min(self.limits.batch_size, left, self._affordable()[source]))

    def draw(self, source, n_drawn, indices=None):
        """Count a round in which rows were drawn; what they are worth comes later.

        Parameters
        ----------
        source : int
            Position of the source.
        n_drawn : int
            Rows.
        indices : ndarray of shape (n_sources,), default=None
            Indices by which it was chosen. None if nothing chose it.
        """
        cost = n_drawn * self.cost[source]
        self.n_pulls[source] += 1
        self.drawn[source] += n_drawn
        self._failures[source] = 0
        self._spent += cost
        self._unrated.append(self.n_rounds)
        self._record(source, indices, n_drawn=n_drawn, cost=cost, n_overlap=np.nan)

    def fail(self, source, error, indices=None):
        """Count a round in which a source failed, and close it if it does not mend.

        Parameters
        ----------
        source : int
            Position of the source.
        error : str
            What happened.
        indices : ndarray of shape (n_sources,), default=None
            Indices by which it was chosen. None if nothing chose it.
        """
        self._record(source, indices, error=error)
        self._failures[source] += 1
        # After its k-th failure in a row it rests for k rounds.
        self._rests_until[source] = self.n_rounds + self._failures[source]
        if self._failures[source] >= self.max_failures:
            self.close(source)

    def close(self, source):
        """Draw nothing more of a source.

        Parameters
        ----------
        source : int
            Position of the source.
        """
        self.is_open[source] = False

    def rate(self, rewards):
        """Say what rows are worth, for the first rounds of which it is not known.

        Parameters
        ----------
        rewards : list of float
            Sum of the rewards of the rows of each round.
        """
        for reward in rewards:
            position = self._unrated.popleft()
            source = self._rounds["source"][position]
            self.found[source] += reward
            self.rated[source] += self._rounds["n_drawn"][position]
            self._rounds["n_overlap"][position] = reward
            self._describe(position, source)

    def forget_ratings(self):
        """Forget what rows are worth, for all rounds."""
        self.found[:], self.rated[:] = 0, 0
        drawn = enumerate(self._rounds["n_drawn"])
        self._unrated = deque(position for position, n in drawn if n)

    def history(self):
        """Return one entry per round, in arrays of equal length.

        Returns
        -------
        dict of str to ndarray
            Columns "round", "source" and those of `_COLUMNS`.
        """
        columns = {name: np.array(values) for name, values in self._rounds.items()}
        columns["source"] = np.array(self.names)[columns["source"].astype(np.intp)]
        return {"round": np.arange(self.n_rounds)} | columns

    def index_history(self):
        """Return the indices of all sources, round by round.

        Returns
        -------
        ndarray of shape (n_rounds, n_sources)
            Index of each source before the round; NaN where it had none.
        """
        table = np.full((self.n_rounds, len(self.names)), np.nan)
        for row, values in zip(table, self._indices, strict=True):
            row[: len(values)] = values
        return table

    def _record(self, source, indices, **values):
        entry = _NOTHING | values | {"source": source}
        if indices is not None:
            entry["index"] = float(indices[source])
        for column, entries in self._rounds.items():
            entries.append(entry[column])
        self._indices.append(() if indices is None else indices)
        self._describe(-1, source)

    def _describe(self, position, source):
        """Note what is known of a source after a round."""
        names = ("overlap_density", "density_low", "density_high")
        for column, value in zip(names, self.estimate(source), strict=True):
            self._rounds[column][position] = value

    def _affordable(self):
        """Return how many rows of each source the costs allow for."""
        left = (self.limits.cost_budget - self._spent) / self.cost
        # A row that is missed by rounding alone can be paid.
        return np.floor(left + 1e-9)

    def _statistics(self, is_open, rng):
        # Copies, so that no policy can change or watch the counts.
        return ArmStatistics(
            n_pulls=self.n_pulls.copy(),
            drawn=self.rated.copy(),
            found=self.found.copy(),
            cost=self.cost.copy(),
            sensitivity=self.sensitivity.copy(),
            fall_out=self.fall_out.copy(),
            is_open=is_open.copy(),
            pool=self.pool.copy(),
            horizon=self.horizon,
            alpha=self.alpha,
            rng=rng,
        )

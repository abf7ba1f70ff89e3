"""Draw batches from finite pools, and choose the next source from counts alone."""

import numpy as np

from sklearn_w2s._algorithms.bandit import ArmStatistics, next_arm, success_rate
from sklearn_w2s.sources._policies import index_values


class RowPool:
    """Rows of every source in random order, drawn without replacement within limits.

    Parameters
    ----------
    rows_by_source : list of ndarray of int
        Rows of each source.
    batch_size : int
        Rows per round; fewer where a source or the budget runs out.
    n_rounds : int or None
        Rounds at most.
    budget : int or None
        Rows at most.
    rng : RandomState
        Shuffles the rows, once.

    Attributes
    ----------
    sizes : ndarray of shape (n_sources,)
        Rows of each source before anything was drawn.
    remaining : ndarray of shape (n_sources,)
        Rows of each source that are left.
    horizon : int
        Rounds that batches of full size allow.
    """

    def __init__(self, rows_by_source, *, batch_size, n_rounds, budget, rng):
        self._rows = [rng.permutation(rows) for rows in rows_by_source]
        self._batch_size = batch_size
        self._rounds_left = np.inf if n_rounds is None else n_rounds
        self._budget_left = np.inf if budget is None else budget
        self.sizes = np.array([len(rows) for rows in self._rows])
        self.remaining = self.sizes.copy()
        self.horizon = int(
            min(
                self._rounds_left,
                np.ceil(self._budget_left / batch_size),
                np.ceil(self.sizes / batch_size).sum(),
            )
        )

    @property
    def is_open(self):
        """Whether another batch can be drawn."""
        return self._rounds_left > 0 and self._budget_left > 0 and self.remaining.any()

    def burn_in_needs(self, n_pulls):
        """Return what it takes to draw every source a number of times.

        Parameters
        ----------
        n_pulls : int
            Draws of each source, fewer where it is empty before.

        Returns
        -------
        n_rounds : int
            Rounds.
        n_rows : int
            Rows.
        """
        rounds = np.minimum(n_pulls, np.ceil(self.sizes / self._batch_size)).sum()
        rows = np.minimum(n_pulls * self._batch_size, self.sizes).sum()
        return int(rounds), int(rows)

    def draw(self, source):
        """Return the next batch of rows of one source.

        Parameters
        ----------
        source : int
            Position of the source; it has rows left.

        Returns
        -------
        ndarray of int
            Rows, one at least.
        """
        start = self.sizes[source] - self.remaining[source]
        size = int(min(self._batch_size, self._budget_left, self.remaining[source]))
        self.remaining[source] -= size
        self._budget_left -= size
        self._rounds_left -= 1
        return self._rows[source][start : start + size]


class SourceBandit:
    """Counts of draws and overlap rows per source, their history, and the next choice.

    It sees counts only: neither rows nor how overlap is found.

    Parameters
    ----------
    pool_sizes : ndarray of shape (n_sources,)
        Rows of each source.
    policy : str or callable
        Index of the sources.
    horizon : int
        Rounds in all.
    alpha : float
        Exploration coefficient.
    rng : RandomState
        For policies that draw at random.
    """

    def __init__(self, pool_sizes, policy, *, horizon, alpha, rng):
        self._pool_sizes = np.asarray(pool_sizes, dtype=np.float64)
        self._policy = policy
        self._horizon = horizon
        self._alpha = alpha
        self._rng = rng
        self.n_pulls = np.zeros(len(pool_sizes), dtype=np.intp)
        self.drawn = np.zeros(len(pool_sizes), dtype=np.intp)
        self.found = np.zeros(len(pool_sizes), dtype=np.intp)
        self._rounds = []

    @property
    def density(self):
        """Share of overlap rows among the rows drawn of each source, NaN if none."""
        return success_rate(self.found, self.drawn)

    def index(self):
        """Return the index of each source.

        Returns
        -------
        ndarray of shape (n_sources,)
            Index values, NaN where nothing was drawn.
        """
        values = index_values(self._policy, self._statistics())
        return np.where(self.drawn > 0, values, np.nan)

    def choose(self, available):
        """Return the source to draw from next, and its index.

        Parameters
        ----------
        available : ndarray of bool of shape (n_sources,)
            Whether the source has rows left; one at least.

        Returns
        -------
        source : int
            Position of the source.
        index : float
            Its index.

        Raises
        ------
        ValueError
            If the index of an available source is not a number.
        """
        values = index_values(self._policy, self._statistics())
        if np.isnan(values[available]).any():
            msg = (
                f"policy={self._policy!r} returned NaN for a source with rows left: "
                f"{values.tolist()}. Return a number; -inf avoids a source."
            )
            raise ValueError(msg)
        source = next_arm(values, self.drawn, available)
        return source, float(values[source])

    def record(self, source, n_drawn, n_overlap, index=np.nan):
        """Count one round.

        Parameters
        ----------
        source : int
            Position of the source drawn.
        n_drawn : int
            Rows drawn.
        n_overlap : int
            Overlap rows among them.
        index : float, default=NaN
            Index by which the source was chosen; NaN in the burn-in.
        """
        self.n_pulls[source] += 1
        self.drawn[source] += n_drawn
        self.found[source] += n_overlap
        density = self.found[source] / self.drawn[source]
        self._rounds.append((source, n_drawn, n_overlap, density, index))

    def history(self, names):
        """Return one entry per round, in arrays of equal length.

        Parameters
        ----------
        names : ndarray of shape (n_sources,)
            Names of the sources.

        Returns
        -------
        dict of str to ndarray
            Columns "round", "source", "n_drawn", "n_overlap", "overlap_density",
            "index".
        """
        source, n_drawn, n_overlap, density, index = zip(*self._rounds, strict=True)
        return {
            "round": np.arange(len(self._rounds)),
            "source": names[list(source)],
            "n_drawn": np.array(n_drawn),
            "n_overlap": np.array(n_overlap),
            "overlap_density": np.array(density),
            "index": np.array(index),
        }

    def _statistics(self):
        # Copies, so that no policy can change or watch the counts.
        return ArmStatistics(
            n_pulls=self.n_pulls.copy(),
            drawn=self.drawn.copy(),
            found=self.found.copy(),
            pool=self._pool_sizes.copy(),
            horizon=self._horizon,
            alpha=self._alpha,
            rng=self._rng,
        )


def draw_each(pool, n_pulls):
    """Draw every source `n_pulls` times or until it is empty, in turns.

    Parameters
    ----------
    pool : RowPool
        Rows to draw from; its limits cover the draws.
    n_pulls : int
        Draws of each source.

    Returns
    -------
    list of (int, ndarray of int)
        Source and rows of each round.
    """
    return [
        (source, pool.draw(source))
        for _ in range(n_pulls)
        for source in range(len(pool.sizes))
        if pool.remaining[source]
    ]


def play(pool, bandit, count_overlap):
    """Draw from the source of the largest index until a limit is reached.

    Parameters
    ----------
    pool : RowPool
        Rows to draw from.
    bandit : SourceBandit
        Chooses, and counts.
    count_overlap : callable
        Maps ``(source, rows)`` to the number of overlap rows among `rows`.

    Returns
    -------
    list of ndarray of int
        Rows of each round.
    """
    batches = []
    while pool.is_open:
        source, index = bandit.choose(pool.remaining > 0)
        rows = pool.draw(source)
        bandit.record(source, len(rows), count_overlap(source, rows), index)
        batches.append(rows)
    return batches

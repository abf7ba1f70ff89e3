"""Draw from sources step by step, rate what was drawn, and continue after a stop."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_w2s._algorithms.overlap import OVERLAP
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import stack
from sklearn_w2s._validation import check_scores, fill_gaps, n_rows
from sklearn_w2s._warnings import warn
from sklearn_w2s.sources._checkpoint import pack, unpack
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed


class PoolReader:
    """Read the rows of one source of a table, without replacement, in a given order."""

    def __init__(self, name, rows):
        self.name = name
        self.size = len(rows)
        self._rows = rows

    @property
    def has_ended(self):
        """Whether no row is left."""
        return not len(self._rows)

    def read(self, n):
        """Return the positions of the next n rows or fewer."""
        if self.has_ended:
            msg = f"source {self.name!r} has no rows left"
            raise SourceEnded(msg)
        batch, self._rows = self._rows[:n], self._rows[n:]
        return batch


class PoolRows:
    """Batches that are positions of rows of one table."""

    def __init__(self, X, y, at_hand):
        self._X, self._y, self._at_hand = X, y, at_hand

    def size(self, rows):
        """Return the number of rows of a batch."""
        return len(rows)

    def table(self, rows):
        """Return the features and labels of a batch."""
        return safe_indexing(self._X, rows), None if self._y is None else self._y[rows]

    def together(self, batches):
        """Return all rows in the order of the table, and each batch's positions."""
        rows = np.sort(np.concatenate([self._at_hand, *batches]))
        return *self.table(rows), [np.searchsorted(rows, batch) for batch in batches]


class DrawnRows:
    """Batches that are tables themselves, next to the rows at hand.

    `like` is a table that all others must resemble, or None.
    """

    def __init__(self, X, y, missing_label):
        self.X, self.y = X, y
        self.like = X
        self._missing_label = missing_label

    def size(self, batch):
        """Return the number of rows of a batch."""
        return n_rows(batch[0])

    def table(self, batch):
        """Return the features and labels of a batch."""
        return batch

    def together(self, batches):
        """Return the rows at hand, then all batches, and each batch's positions."""
        tables = [*([] if self.X is None else [(self.X, self.y)]), *batches]
        sizes = [n_rows(X) for X, _ in tables]
        ends = np.cumsum(sizes)
        places = [np.arange(end - n, end) for n, end in zip(sizes, ends, strict=True)]
        y = None
        if any(labels is not None for _, labels in tables):
            parts = [
                np.full(n, None) if labels is None else np.asarray(labels)
                for (_, labels), n in zip(tables, sizes, strict=True)
            ]
            y = fill_gaps(stack(parts), self._missing_label)
        X = stack([X for X, _ in tables])
        return X, y, places[len(tables) - len(batches) :]


class Rater:
    """Rate rows by a detector, which is fitted when enough rows were drawn.

    `seeds` is a RandomState for every unset `random_state` of the detector, or None.
    """

    def __init__(self, rows, detector, reward, seeds):
        self.rows = rows
        self.detector: Any = None
        self._template = detector
        self._reward = reward
        self.seeds = seeds

    def fit(self, batches):
        """Fit the detector on all rows; return the sum of the rewards of each batch."""
        X, y, places = self.rows.together(batches)
        self.detector = seed_nested(clone(self._template), self.seeds)
        self.detector.fit(X, y)
        if self._reward is not None or isinstance(self._template, FrozenEstimator):
            return [self.rate(*self.rows.table(batch)) for batch in batches]
        is_overlap = self.detector.regions_ == OVERLAP
        return [float(np.count_nonzero(is_overlap[place])) for place in places]

    def rate(self, X, y):
        """Return the sum of the rewards of rows."""
        if self._reward is None:
            regions = np.asarray(self.detector.predict(X))
            return float(np.count_nonzero(regions == OVERLAP))
        rewards = check_scores(
            self._reward(self.detector, X, y), n_rows(X), name="reward"
        )
        if rewards.min() < 0 or rewards.max() > 1:
            worst = rewards[np.argmax(np.abs(rewards - 0.5))]
            msg = (
                f"reward={self._reward!r} returned {worst:.6g} for a row. Return a "
                "number in [0, 1] for each."
            )
            raise ValueError(msg)
        return float(rewards.sum())


@dataclass(eq=False, repr=False)
class Step:
    """The outcome of one step of a run, with everything that is needed to repeat it."""

    source: int
    indices: np.ndarray
    # Arguments of `SourceBandit.add` for each source that was added.
    added: list = field(default_factory=list)
    batch: object = None
    n_drawn: int = 0
    cost: float = 1.0
    # Why no rows came; empty where the source merely ended.
    error: str = ""
    refused: object = None
    # The source has no more rows.
    closes: bool = False
    # The detector was fitted in this step, and all rows were rated again.
    fits: bool = False
    # Sums of rewards of the rounds that were not rated yet.
    rewards: list = field(default_factory=list)
    # Before that fit, or after the step without one.
    rng_state: tuple = ()


class SelectionRun:
    """A run: it chooses a source, reads from it, and counts and rates the rows.

    `batches` and `refused` hold pairs of a source's position and its rows or item.
    """

    def __init__(self, bandit, rater, *, refits, seed, journal=None):
        self.bandit = bandit
        self.rater = rater
        self.seed = seed
        self.journal = journal
        self.rules = {}
        self.batches = []
        self.refused = []
        self.stop_reason = None
        # By name, sources and their readers; names of those that were removed; readers
        # whose last call may still run.
        self.opened = {}
        self.absent = set()
        self._stalled = set()
        self._refits = refits
        self._added = []
        # A step that was counted and is neither rated nor written yet.
        self._step: Step | None = None
        self._is_early = False
        # Of the last fit in the journal: state before, batches, state after the run.
        self._unfitted: Any = None

    def __getstate__(self):
        # Open files, connections and generators are left out, and opened again.
        return self.__dict__ | {"opened": {}, "_stalled": set()}

    def close(self):
        """Release all sources."""
        self.opened, self.absent, self._stalled = {}, set(), set()

    def add(self, source, reader, **arm):
        """Add a source, or the reader of a source that is known."""
        self.opened[reader.name] = source, reader
        if reader.name not in self.bandit.positions:
            arm = {"name": reader.name, "size": reader.size} | arm
            self.bandit.add(**arm)
            self._added.append(arm)

    def replay(self):
        """Repeat the steps of the journal without reading from a source."""
        for fields in self.journal.read():
            step = Step(**fields)
            for arm in step.added:
                self.bandit.add(**arm)
            self.bandit.cost[step.source] = step.cost
            self._count(step)
            self._rate(step)
            self.bandit.rng.set_state(step.rng_state)
            if step.fits:
                self._unfitted = step.rng_state, len(self.batches), None
            elif self._unfitted is not None:
                self._unfitted = *self._unfitted[:2], step.rng_state

    def rounds(self):
        """Yield before every round, then draw it, until a limit is reached.

        Sources may be added between rounds; `stop_reason` is set at the end.
        """
        if self._unfitted is not None:
            self._refit()
        if self._is_early:
            # A run that continues makes its first draws, and fits as if it had not
            # stopped.
            self.rater.detector = None
            self.bandit.forget_ratings()
            self._is_early = False
        while True:
            if self._step is not None:
                self._finish(self._step)
            # An interrupt within a call that outlasted its timeout stops the run,
            # whether its source is asked again or not.
            self._stalled = {r for r in self._stalled if r.raise_interrupt()}
            yield
            self.stop_reason = self.bandit.stop_reason()
            if self.stop_reason is not None:
                break
            with self._undone_if_stopped():
                step = self._draw()
            step.added, self._added = self._added, []
            self._step = step
            self._count(step)
        if self.rater.detector is None and self.batches:
            # A limit was reached before all first draws.
            rng_state = self.bandit.rng.get_state()
            with self._undone_if_stopped():
                rewards = self.rater.fit([batch for _, batch in self.batches])
            self.bandit.rng.set_state(rng_state)
            self.bandit.rate(rewards)
            self._is_early = True

    def _refit(self):
        """Fit the detector of the journal again, as it was fitted then."""
        before, n_batches, after = self._unfitted
        with self._undone_if_stopped():
            self.bandit.rng.set_state(before)
            self.rater.fit([batch for _, batch in self.batches[:n_batches]])
        if after is not None:
            self.bandit.rng.set_state(after)
        self._unfitted = None

    def _draw(self):
        """Choose a source and read a batch of it."""
        source, indices = self.bandit.choose()
        name = self.bandit.names[source]
        step = Step(source, indices, cost=float(self.bandit.cost[source]))
        _, reader = self.opened.get(name, (None, None))
        try:
            if reader is None or name in self.absent:
                msg = f"source {name!r} is not among the sources any more"
                raise SourceFailed(msg)
            step.batch = reader.read(self.bandit.batch_size(source))
            if self.journal is not None:
                step.batch = self._kept(reader, step.batch)
        except SourceEnded:
            step.closes = True
        except SourceFailed as failure:
            if failure.reason == "stalled":
                self._stalled.add(reader)
            step.error, step.refused = str(failure), _lasting(failure.batch)
        else:
            step.n_drawn = self.rater.rows.size(step.batch)
            step.closes = reader.has_ended
        return step

    def _kept(self, reader, batch):
        """Return a batch as it will come back from the journal."""
        try:
            return unpack(pack(batch))
        except TypeError as error:
            # Its rows are read again, where they can be, when the run continues.
            del self.opened[reader.name]
            msg = (
                f"a batch of source {reader.name!r} cannot be kept in a checkpoint: it "
                f"{error}. Give numbers, texts, truth values or dates, or leave out "
                "checkpoint."
            )
            raise TypeError(msg) from error
        except BaseException:
            reader.give_back(*batch)
            raise

    def _count(self, step):
        if step.batch is not None:
            self.batches.append((step.source, step.batch))
            self.bandit.draw(step.source, step.n_drawn, step.indices)
        elif step.error:
            self.bandit.fail(step.source, step.error, step.indices)
        if step.refused is not None:
            self.refused.append((step.source, step.refused))
        if step.closes:
            self.bandit.is_open[step.source] = False

    def _finish(self, step):
        """Rate and write the step that was counted, now or after a stop."""
        with self._undone_if_stopped():
            step.rng_state = self.bandit.rng.get_state()
            if self.rater.detector is None:
                step.fits = bool(self.batches) and not self.bandit.is_burning_in()
            else:
                step.fits = self._refits and step.batch is not None
            if step.fits:
                step.rewards = self.rater.fit([batch for _, batch in self.batches])
            elif self.rater.detector is not None and step.batch is not None:
                step.rewards = [self.rater.rate(*self.rater.rows.table(step.batch))]
            if self.journal is not None:
                self.journal.write(vars(step))
        self._rate(step)
        self._step = None
        if step.error:
            is_open = self.bandit.is_open[step.source]
            then = "It will be asked again." if is_open else "It is not drawn again."
            warn(
                f"round {self.bandit.n_rounds - 1}: {step.error.rstrip('.')}. {then}",
            )

    def _rate(self, step):
        if step.fits:
            self.bandit.forget_ratings()
        self.bandit.rate(step.rewards)

    @contextmanager
    def _undone_if_stopped(self):
        # A step that is repeated must draw the same random numbers.
        rng_state, detector = self.bandit.rng.get_state(), self.rater.detector
        try:
            yield
        except BaseException:
            self.bandit.rng.set_state(rng_state)
            self.rater.detector = detector
            raise


def _lasting(item):
    """Return a copy of an item, or its description where it is not plain data."""
    try:
        return unpack(pack(item))
    # What a source gives may raise anything.
    except Exception:
        return repr(item)

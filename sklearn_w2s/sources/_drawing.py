"""Draw from sources, one step after another, and go on after a stop."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from sklearn_w2s._warnings import warn
from sklearn_w2s.sources._packing import pack, unpack
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed


@dataclass(eq=False, repr=False)
class Step:
    """What one step of a run came to: all that it takes to do it again.

    Parameters
    ----------
    source : int
        Position of the source that was asked.
    indices : ndarray
        Index of every source.
    added : list of dict
        Arguments of `SourceBandit.add` for each source that came.
    batch : object
        Rows that came, None if none did.
    n_drawn : int
        Their number.
    cost : float
        Cost of a row.
    error : str
        What happened if none came; empty where the source merely ended.
    refused : object
        Item that could not be used, None where there was none.
    closes : bool
        Whether the source has no more rows.
    fits : bool
        Whether the detector was fitted in this step; all rows are rated anew.
    rewards : list of float
        What the rows of the rounds not yet rated are worth.
    rng_state : tuple
        State of the random numbers before that fit, or after the step without one.
    """

    source: int
    indices: np.ndarray
    added: list = field(default_factory=list)
    batch: object = None
    n_drawn: int = 0
    cost: float = 1.0
    error: str = ""
    refused: object = None
    closes: bool = False
    fits: bool = False
    rewards: list = field(default_factory=list)
    rng_state: tuple = ()


class Drawing:
    """A run: whom to ask, what came of it, and what that was worth.

    Parameters
    ----------
    bandit : SourceBandit
        Chooses, and counts.
    rater : Rater
        Says what rows are worth.
    refits : bool
        Whether the detector is fitted again, and all rows are rated again, whenever
        rows came; otherwise it is fitted once, after the first draws of every source.
    seed : int
        Shuffles tables, the same way whenever they are opened.
    journal : Journal, default=None
        Keeps the steps on disk.

    Attributes
    ----------
    rules : dict of str to str
        What rounds to come must have in common with those before.
    journal : Journal or None
        As given.
    batches : list of (int, object)
        Source and rows of every round that was not in vain.
    refused : list of (int, object)
        Source and item of every batch that could not be used.
    """

    def __init__(self, bandit, rater, *, refits, seed, journal=None):
        self.bandit = bandit
        self.rater = rater
        self.batches = []
        self.refused = []
        self.seed = seed
        self._refits = refits
        self._opened = {}
        self._absent = set()
        self.rules = {}
        self.journal = journal
        self._stalled = set()
        self._added = []
        self._step = None
        self._is_early = False
        self._unfitted = None

    def __getstate__(self):
        # Open files, connections and generators stay behind; they are opened again.
        return self.__dict__ | {"_opened": {}, "_stalled": set()}

    def reads(self, name, source):
        """Say whether a source is open."""
        return name in self._opened and self._opened[name][0] is source

    def forget_absent(self, names):
        """Read sources of other names no more, unless they come back."""
        # Their readers stay: rows may be in them that the source gives only once.
        self._absent = {name for name in self._opened if name not in names}

    def close(self):
        """Let go of all sources."""
        self._opened, self._absent, self._stalled = {}, set(), set()

    def add(self, source, reader, **arm):
        """Add a source, or the reader of one that is known.

        Parameters
        ----------
        source : object
            The source.
        reader : SourceReader or PoolReader
            Reads it.
        **arm : dict
            Arguments of `SourceBandit.add`.
        """
        self._opened[reader.name] = source, reader
        if reader.name not in self.bandit.positions:
            arm = {"name": reader.name, "size": reader.size} | arm
            self.bandit.add(**arm)
            self._added.append(arm)

    def replay(self):
        """Do the steps of the journal again, without asking a source."""
        if self.journal is None:
            return
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

    def play(self, look_for_sources=None):
        """Draw until a limit is reached.

        Parameters
        ----------
        look_for_sources : callable, default=None
            Called before every step; it adds the sources that have come.

        Returns
        -------
        str
            What ended it.
        """
        self._refit()
        self._forget_early_fit()
        while True:
            if self._step is not None:
                self._finish(self._step)
            self._raise_interrupts()
            if look_for_sources is not None:
                look_for_sources()
            reason = self.bandit.stop_reason()
            if reason is not None:
                break
            with self._undone_if_stopped():
                step = self._ask()
            self._hold(step)
        if self.rater.detector is None and self.batches:
            self._fit_early()
        return reason

    def _refit(self):
        """Fit the detector of the journal again, as it was fitted then."""
        if self._unfitted is None:
            return
        before, n_batches, after = self._unfitted
        with self._undone_if_stopped():
            self.bandit.rng.set_state(before)
            self.rater.fit([batch for _, batch in self.batches[:n_batches]])
        if after is not None:
            self.bandit.rng.set_state(after)
        self._unfitted = None

    def _ask(self):
        source, indices = self.bandit.choose()
        name = self.bandit.names[source]
        step = Step(source, indices, cost=float(self.bandit.cost[source]))
        _, reader = self._opened.get(name, (None, None))
        try:
            if reader is None or name in self._absent:
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
            # Its rows are read again, where they can be, when the run goes on.
            del self._opened[reader.name]
            msg = (
                f"a batch of source {reader.name!r} cannot be kept in a checkpoint: it "
                f"{error}. Give numbers, texts, truth values or dates, or leave out "
                "checkpoint."
            )
            raise TypeError(msg) from error
        except BaseException:
            reader.give_back(*batch)
            raise

    def _raise_interrupts(self):
        """Raise what stops a run from within a call that outlasted its time."""
        # Whether its source is asked again or not.
        for reader in list(self._stalled):
            if not reader.raise_interrupt():
                self._stalled.discard(reader)

    def _hold(self, step):
        step.added, self._added = self._added, []
        self._step = step
        self._count(step)

    def _finish(self, step):
        """Rate and keep the step that was counted, now or after a stop."""
        with self._undone_if_stopped():
            self._find_rewards(step)
            if self.journal is not None:
                self.journal.write(vars(step))
        self._rate(step)
        self._step = None
        if step.error:
            self._warn(step)

    def _find_rewards(self, step):
        step.rng_state = self.bandit.rng.get_state()
        if self.rater.detector is None:
            if self.batches and not self.bandit.is_burning_in():
                step.rewards = self._fit_detector(step)
        elif step.batch is not None and self._refits:
            step.rewards = self._fit_detector(step)
        elif step.batch is not None:
            step.rewards = [self.rater.rate(step.batch)]

    @contextmanager
    def _undone_if_stopped(self):
        # A step that is taken again must draw the same random numbers.
        rng_state, detector = self.bandit.rng.get_state(), self.rater.detector
        try:
            yield
        except BaseException:
            self.bandit.rng.set_state(rng_state)
            self.rater.detector = detector
            raise

    def _fit_early(self):
        """Fit the detector where a limit came before all first draws were done."""
        rng_state = self.bandit.rng.get_state()
        with self._undone_if_stopped():
            rewards = self.rater.fit([batch for _, batch in self.batches])
        self.bandit.rng.set_state(rng_state)
        self.bandit.rate(rewards)
        self._is_early = True

    def _forget_early_fit(self):
        # A run that goes on makes its first draws, and fits as if it had not stopped.
        if self._is_early:
            self.rater.detector = None
            self.bandit.forget_ratings()
            self._is_early = False

    def _fit_detector(self, step):
        rewards = self.rater.fit([batch for _, batch in self.batches])
        step.fits = True
        return rewards

    def _count(self, step):
        if step.batch is not None:
            self.batches.append((step.source, step.batch))
            self.bandit.draw(step.source, step.n_drawn, step.indices)
        elif step.error:
            self.bandit.fail(step.source, step.error, step.indices)
        if step.refused is not None:
            self.refused.append((step.source, step.refused))
        if step.closes:
            self.bandit.close(step.source)

    def _rate(self, step):
        if step.fits:
            self.bandit.forget_ratings()
        self.bandit.rate(step.rewards)

    def _warn(self, step):
        is_open = self.bandit.is_open[step.source]
        then = "It is asked again." if is_open else "It is drawn no more."
        warn(
            f"round {self.bandit.n_rounds - 1}: {step.error.rstrip('.')}. {then}",
        )


def _lasting(item):
    """Return a copy of an item, or its description where it is not plain data."""
    try:
        return unpack(pack(item))
    # What a source gives may raise anything.
    except Exception:
        return repr(item)

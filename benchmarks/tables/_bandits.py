"""Sources of known density, and who chooses among them on the very same rewards."""

from dataclasses import dataclass

import numpy as np
from mabwiser.mab import MAB, LearningPolicy
from river import bandit as river_bandit
from river import proba

from sklearn_w2s._algorithms.bandit import kl_ucb_index
from sklearn_w2s.sources._bandit import Limits, SourceBandit


@dataclass(frozen=True)
class Setting:
    """Densities of the sources, rows bought of all of them, and rows per round."""

    name: str
    densities: tuple
    n_rows: int
    batch_size: int
    pool: int | None = None

    def streams(self, rng):
        """Return what each row of each source is worth, 0 or 1, in drawing order."""
        if self.pool is None:
            size = (len(self.densities), self.n_rows)
            return rng.random(size) < np.array(self.densities)[:, None]
        rewards = np.arange(self.pool) < self.pool * np.array(self.densities)[:, None]
        return rng.permuted(rewards, axis=1)


SETTINGS = [
    Setting("paper, 50 rounds of 38", (0.08, 0.44), 1900, 38),
    Setting("paper, 20 rounds of 95", (0.08, 0.44), 1900, 95),
    Setting("close, 50 rounds of 20", (0.30, 0.36), 1000, 20),
    Setting("5 sources, 50 rounds of 20", (0.05, 0.1, 0.15, 0.2, 0.3), 1000, 20),
    Setting("10 sources, 100 rounds of 10", (0.1,) * 9 + (0.2,), 1000, 10),
    Setting("5 sources of 200 rows", (0.05, 0.1, 0.15, 0.2, 0.3), 600, 20, pool=200),
]


def textbook_kl_ucb(arms):
    """Return KL-UCB at the level log t."""
    return kl_ucb_index(arms.found, arms.drawn, np.log(arms.drawn.sum()), arms.pool)


class Ours:
    """A policy of `UCBSourceSelector`, or a function of its statistics."""

    def __init__(self, setting, seed, policy):
        n_rounds = int(np.ceil(setting.n_rows / setting.batch_size))
        self._bandit = SourceBandit(
            policy=policy,
            alpha=1.0,
            burn_in=1,
            max_failures=1,
            limits=Limits(setting.batch_size, n_rounds, setting.n_rows, None, None),
            rng=np.random.RandomState(seed),
        )
        for source in range(len(setting.densities)):
            self._bandit.add(source, size=setting.pool or np.inf)

    def choose(self, is_open):
        """Return the source to draw from."""
        return self._bandit.choose(is_open)[0]

    def tell(self, source, rewards):
        """Take what a round gave."""
        self._bandit.draw(source, len(rewards))
        self._bandit.rate([rewards.sum()])


class MABWiser:
    """A policy of MABWiser, which learns from rounds and counts rows."""

    def __init__(self, setting, seed, policy):
        self._n_sources = len(setting.densities)
        self._mab = MAB(list(range(self._n_sources)), policy, seed=seed)
        self._first = []

    def choose(self, is_open):
        """Return the source to draw from."""
        for source in set(self._mab.arms) - set(np.flatnonzero(is_open)):
            self._mab.remove_arm(source)
        return self._mab.predict()

    def tell(self, source, rewards):
        """Take what a round gave; the first rounds of all sources go in at once."""
        self._first.append((np.full(len(rewards), source), rewards.astype(float)))
        if len(self._first) < self._n_sources:
            return
        if len(self._first) == self._n_sources:
            self._mab.fit(*map(np.concatenate, zip(*self._first, strict=True)))
        else:
            self._mab.partial_fit(*self._first[-1])


class River:
    """A policy of river, which learns row by row."""

    def __init__(self, _setting, seed, policy, **params):
        self._policy = policy(seed=seed, **params)

    def choose(self, is_open):
        """Return the source to draw from."""
        return self._policy.pull(np.flatnonzero(is_open).tolist())

    def tell(self, source, rewards):
        """Take what a round gave."""
        for reward in rewards.tolist():
            self._policy.update(source, reward)


class Oracle:
    """Know how many rows worth having are left in each source."""

    def __init__(self, setting, _seed):
        self._n_left = np.full(len(setting.densities), setting.pool or np.inf)
        self._densities = np.array(setting.densities)
        self._n_good_left = self._densities * (setting.pool or 0)
        self._is_finite = setting.pool is not None

    def choose(self, is_open):
        """Return the source to draw from."""
        densities = self._densities
        if self._is_finite:
            densities = self._n_good_left / np.maximum(self._n_left, 1)
        return int(np.argmax(np.where(is_open, densities, -1)))

    def tell(self, source, rewards):
        """Take what a round gave."""
        self._n_left[source] -= len(rewards)
        self._n_good_left[source] -= rewards.sum()


POLICIES = {
    **{
        name: (Ours, {"policy": name})
        for name in [
            *("kl_ucb", "ucb1", "ucb_tuned", "thompson", "paper", "reference"),
            *("greedy", "random"),
        ]
    },
    "KL-UCB at log t": (Ours, {"policy": textbook_kl_ucb}),
    "MABWiser UCB1": (MABWiser, {"policy": LearningPolicy.UCB1(alpha=1)}),
    "MABWiser Thompson": (MABWiser, {"policy": LearningPolicy.ThompsonSampling()}),
    "river UCB": (River, {"policy": river_bandit.UCB, "delta": 1}),
    "river Thompson": (
        River,
        {"policy": river_bandit.ThompsonSampling, "reward_obj": proba.Beta()},
    ),
    "oracle after a round of each": (Oracle, {}),
    "oracle": (Oracle, {}),
}


def density_collected(setting, streams, chooser, *, first_rounds=True):
    """Return the density of the rows drawn.

    It is that of their sources, so that luck within a source does not count; of pools
    that run out it is what was found.
    """
    n_sources, n_stored = streams.shape
    drawn = np.zeros(n_sources, dtype=int)
    found = 0
    while (n_left := setting.n_rows - drawn.sum()) > 0:
        is_open = drawn < n_stored
        is_first = first_rounds and not drawn.all()
        source = int(np.argmin(drawn)) if is_first else chooser.choose(is_open)
        start = drawn[source]
        rewards = streams[source, start : start + min(setting.batch_size, n_left)]
        drawn[source] += len(rewards)
        found += rewards.sum()
        chooser.tell(source, rewards)
    if setting.pool is not None:
        return found / setting.n_rows
    return drawn @ np.array(setting.densities) / setting.n_rows

"""Rows whose overlap is known, and what draws, stops and compares runs on them."""

import sqlite3

import numpy as np
import pytest
from known_regions import KnownRegions, first_column_of
from numpy.testing import assert_array_equal

from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.sources._bandit import Limits, SourceBandit
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed


@pytest.fixture(autouse=True)
def connections(monkeypatch):
    """Close what a test leaves open, of which Python warns since 3.13."""
    opened, connect = [], sqlite3.connect

    def remember(*arguments, **options):
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    yield
    for connection in opened:
        connection.close()


@pytest.fixture(scope="session")
def known_regions():
    """Return the class of the detector that knows the regions."""
    return KnownRegions


@pytest.fixture(scope="session")
def known_pool():
    """Draw rows whose first feature is 1 where they are overlap rows."""

    def draw(n=600, densities=(0.1, 0.5, 0.3), n_labeled=60, seed=0):
        rng = np.random.RandomState(seed)
        source = rng.randint(len(densities), size=n)
        X = rng.normal(size=(n, 3))
        y = (X[:, 1] > 0).astype(int)
        X[:, 0] = rng.uniform(size=n) < np.asarray(densities)[source]
        y[n_labeled:] = -1
        return X, y, np.array(["a", "b", "c", "d"])[source]

    return draw


@pytest.fixture(scope="session")
def known_selector():
    """Make a selector whose rewards are the known regions."""

    def make(estimator=None, **params):
        params = {"overlap_detector": KnownRegions(), "random_state": 0} | params
        return UCBSourceSelector(estimator, **params)

    return make


@pytest.fixture(scope="session")
def table():
    """Draw rows that say whether they are overlap, and which row of which table."""
    return draw_table


def draw_table(n, density, number=0, n_noise=0):
    rng = np.random.RandomState(number)
    is_overlap = rng.uniform(size=n) < density
    numbers = 10_000 * number + np.arange(n)
    noise = rng.normal(size=(n, n_noise))
    return np.column_stack([is_overlap, numbers, noise]).astype(float)


# Runs that stop


class Offset:
    """A callable that gives any rows again."""

    def __init__(self, X):
        self.X = X

    def __call__(self, n, offset):
        return self.X[offset : offset + n] if offset < len(self.X) else None


class Broken:
    def __call__(self, n):
        raise OSError("no answer")


class Stop:
    """Stops a run at its k-th draw, once."""

    def __init__(self, at):
        self.n_left = at

    def __call__(self, source):
        def guarded(n, offset):
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
            return source(n, offset)

        return guarded


class StoppingList:
    """Batches that can be read again, which stop a run where they are taken."""

    def __init__(self, batches, stop):
        self.batches, self.stop = batches, stop

    def __iter__(self):
        for batch in self.batches:
            self.stop(lambda *_: None)(0, 0)
            yield batch


@pytest.fixture(scope="session")
def sources_of():
    """Make three sources of 250 rows each, with a broken one among callables."""
    return make_sources


def make_sources(kind):
    tables = {
        name: draw_table(250, density, i, n_noise=1)
        for i, (name, density) in enumerate(
            {"poor": 0.1, "rich": 0.6, "fair": 0.4}.items()
        )
    }
    if kind == "tables":
        return tables
    if kind == "lists of frames":
        return {name: frames(X) for name, X in tables.items()}
    return {name: Offset(X) for name, X in tables.items()} | {"broken": Broken()}


def frames(X, size=11):
    pd = pytest.importorskip("pandas")
    return [pd.DataFrame(X[start : start + size]) for start in range(0, len(X), size)]


@pytest.fixture(scope="session")
def stopping():
    """Make the sources of a kind, which stop a run at one draw."""

    def make(kind, at):
        stop = Stop(at)
        if kind == "lists of frames":
            return {
                name: StoppingList(batches, stop)
                for name, batches in make_sources(kind).items()
            }
        return {
            name: source if name == "broken" else stop(source)
            for name, source in make_sources(kind).items()
        }

    return make


@pytest.fixture(scope="session")
def assert_same_run():
    """Compare all that two selectors say of their draws."""

    def compare(selector, other):
        history, expected = selector.history_, other.history_
        assert list(history) == list(expected)
        for column, values in history.items():
            assert_array_equal(values, expected[column], err_msg=column)
        assert_array_equal(selector.index_history_, other.index_history_)
        assert selector.stop_reason_ == other.stop_reason_
        X, y, source = selector.drawn_samples()
        expected_X, expected_y, expected_source = other.drawn_samples()
        assert_array_equal(np.asarray(X), np.asarray(expected_X))
        assert_array_equal(source, expected_source)
        assert (y is None) == (expected_y is None)
        for attribute in ("n_pulls_", "n_samples_drawn_", "ranking_", "exhausted_"):
            assert_array_equal(getattr(selector, attribute), getattr(other, attribute))

    return compare


# The engine


@pytest.fixture(scope="session")
def make_bandit():
    """Make a bandit of sources "a", "b" and so on, each given by its keywords."""

    def make(
        *sources,
        policy="kl_ucb",
        batch_size=10,
        burn_in=1,
        max_failures=3,
        alpha=1.0,
        seed=0,
        **params,
    ):
        nothing = dict.fromkeys(("n_rounds", "budget", "cost_budget", "confidence"))
        bandit = SourceBandit(
            policy=policy,
            alpha=alpha,
            burn_in=burn_in,
            max_failures=max_failures,
            limits=Limits(batch_size, **nothing | params),
            rng=np.random.RandomState(seed),
        )
        for name, arm in zip("abcdefgh", sources, strict=False):
            bandit.add(name, **arm)
        return bandit

    return make


@pytest.fixture(scope="session")
def play():
    """Draw until a limit is reached, every row with the density of its source."""

    def draw(bandit, densities, rng, n_rounds=np.inf):
        while bandit.n_rounds < n_rounds and bandit.stop_reason() is None:
            source, indices = bandit.choose()
            left = bandit.pool[source] - bandit.drawn[source]
            n = int(min(bandit.batch_size(source), left))
            bandit.draw(source, n, indices)
            bandit.rate([rng.binomial(n, densities[source])])
            if n == left:
                bandit.is_open[source] = False
        return bandit

    return draw


# Readers


@pytest.fixture(scope="session")
def first_column():
    """Return the whole numbers in the first column of any table."""
    return whole_numbers


def whole_numbers(X):
    return first_column_of(X).astype(int).tolist()


@pytest.fixture(scope="session")
def read_all():
    """Read to the end; return the first column, and the reasons of all faults."""

    def read(reader, n=4, max_faults=1000):
        rows, reasons = [], []
        while len(reasons) <= max_faults:
            try:
                X, _ = reader.read(n)
            except SourceEnded:
                return rows, reasons
            except SourceFailed as fault:
                reasons.append(fault.reason)
            else:
                assert 1 <= len(whole_numbers(X)) <= n
                rows += whole_numbers(X)
        raise AssertionError(reasons)

    return read

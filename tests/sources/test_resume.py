"""A run that stops, for whatever reason, goes on as if it had not."""

import importlib
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.sources import UCBSourceSelector

DENSITIES = {"poor": 0.1, "rich": 0.6, "fair": 0.4}
POLICIES = ["kl_ucb", "kl_lucb", "thompson", "random"]

# The source that never gives a row says so again and again.
pytestmark = pytest.mark.filterwarnings("ignore:round:UserWarning")


def numbered(n, density, number):
    rng = np.random.RandomState(number)
    flags = rng.uniform(size=n) < density
    return np.column_stack([flags, 10_000 * number + np.arange(n), rng.normal(size=n)])


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


class NeedsSeed(BaseEstimator):
    """A detector whose regions depend on its rows and on its random numbers."""

    stop = None

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        type(self).n_fits += 1
        rng = np.random.RandomState(self.random_state)
        self.threshold_ = X[:, 2].mean() + rng.normal()
        if type(self).n_fits == type(self).stop:
            raise KeyboardInterrupt
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        above = X[:, 0] + 0.5 * (X[:, 2] > self.threshold_) > 0.8
        return np.where(above, "overlap", "easy")


@pytest.fixture(autouse=True)
def never_stopped():
    NeedsSeed.n_fits, NeedsSeed.stop = 0, None


def tables():
    return {
        name: numbered(250, density, i)
        for i, (name, density) in enumerate(DENSITIES.items())
    }


def frames(X, size=11):
    return [pd.DataFrame(X[start : start + size]) for start in range(0, len(X), size)]


def sources_of(kind):
    if kind == "tables":
        return tables()
    if kind == "lists of frames":
        return {name: frames(X) for name, X in tables().items()}
    return {name: Offset(X) for name, X in tables().items()} | {"broken": Broken()}


def stopping(kind, at):
    stop = Stop(at)
    if kind == "lists of frames":
        return {
            name: StoppingList(batches, stop)
            for name, batches in sources_of(kind).items()
        }
    return {
        name: source if name == "broken" else stop(source)
        for name, source in sources_of(kind).items()
    }


def assert_same_run(selector, other):
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


def stop_and_go_on(make, sources, stopped, at_hand=None):
    """Run until something raises, then go on with a copy."""
    selector = make()
    with pytest.raises(KeyboardInterrupt):
        selector.fit_sources(stopped, at_hand)
    copy = pickle.loads(pickle.dumps(selector)).set_params(warm_start=True)
    return copy.fit_sources(sources, at_hand)


# Limits that are raised


@pytest.mark.parametrize("kind", ["tables", "callables", "lists of frames"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("limit", [{"budget": 70}, {"n_rounds": 2}, {"n_rounds": 15}])
@pytest.mark.parametrize("again", ["same object", "copy"])
def test_a_run_with_a_limit_goes_on_when_it_is_raised(
    known_selector, kind, policy, limit, again
):
    params = {"policy": policy, "batch_size": 10, "max_failures": 2}
    selector = known_selector(**params, **limit).fit_sources(sources_of(kind))
    if again == "copy":
        selector = pickle.loads(pickle.dumps(selector))
    longer = {"budget": 290, "n_rounds": None, "warm_start": True}
    selector.set_params(**longer).fit_sources(sources_of(kind))
    assert_same_run(
        selector, known_selector(**params, budget=290).fit_sources(sources_of(kind))
    )


def test_a_run_goes_on_with_the_sources_that_it_reads(known_selector):
    sources = {
        name: (batch for batch in np.array_split(X, 23)) for name, X in tables().items()
    }
    selector = known_selector(budget=100, batch_size=7, warm_start=True)
    selector.fit_sources(sources)
    for _ in range(5):
        selector.set_params(budget=selector.budget + 100).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    for i, name in enumerate(DENSITIES):
        numbers = X[source == name, 1].tolist()
        assert numbers == list(range(10_000 * i, 10_000 * i + len(numbers)))


@pytest.mark.parametrize("detection", ["frozen", "history"])
@pytest.mark.parametrize("first", [1, 4, 6, 9])
def test_detector_and_estimator_are_those_of_one_long_run(detection, first):
    def make(n_rounds):
        NeedsSeed.n_fits = 0
        return UCBSourceSelector(
            LogisticRegression(),
            overlap_detector=NeedsSeed(),
            policy="thompson",
            detection=detection,
            batch_size=10,
            burn_in=2,
            n_rounds=n_rounds,
            random_state=0,
        )

    sources = {name: (X, X[:, 2] > 0) for name, X in tables().items()}
    selector = make(first).fit_sources(sources)
    selector.set_params(n_rounds=20, warm_start=True).fit_sources(sources)
    long = make(20).fit_sources(sources)
    assert_same_run(selector, long)
    assert selector.overlap_detector_.threshold_ == long.overlap_detector_.threshold_
    assert_array_equal(selector.estimator_.coef_, long.estimator_.coef_)


def test_without_warm_start_a_run_begins_anew(known_selector):
    selector = known_selector(n_rounds=5).fit_sources(tables())
    first = selector.history_
    again = selector.fit_sources(tables()).history_
    assert_array_equal(again["source"], first["source"])
    assert len(again["round"]) == 5


def test_rows_at_hand_may_be_other_ones_when_a_run_goes_on(known_selector):
    selector = known_selector(LogisticRegression(), n_rounds=5, warm_start=True)
    sources = {name: (X, X[:, 2] > 0) for name, X in tables().items()}
    selector.fit_sources(sources)
    at_hand = numbered(7, 0.5, 9)
    selector.fit_sources(sources, at_hand, np.arange(7) % 2 == 0)
    assert len(selector.history_["round"]) == 5
    X, y, _ = selector.drawn_samples()
    by_hand = LogisticRegression().fit(
        np.concatenate([at_hand, X]), np.concatenate([np.arange(7) % 2 == 0, y])
    )
    assert_array_equal(selector.estimator_.coef_, by_hand.coef_)
    with pytest.raises(ValueError, match="3 columns where 2 are expected"):
        selector.fit_sources(sources, at_hand[:, :2])


def test_rows_at_hand_that_come_later_say_what_batches_are_like(known_selector):
    def source(n):
        calls.append(n)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return np.ones((n, 3 + (len(calls) == 2)))

    calls, sources = [], {"a": source}
    selector = known_selector(n_rounds=2, warm_start=True)
    with pytest.raises(KeyboardInterrupt):
        selector.fit_sources(sources)
    with pytest.warns(UserWarning, match="4 columns where 3 are expected"):
        selector.fit_sources(sources, numbered(7, 0.5, 9))


# Stops in the middle


@settings(max_examples=25)
@given(
    at=st.integers(1, 24),
    policy=st.sampled_from(POLICIES),
    kind=st.sampled_from(["callables", "lists of frames"]),
    burn_in=st.integers(1, 2),
)
def test_an_interrupted_run_goes_on_to_the_same_history(
    known_selector, at, policy, kind, burn_in
):
    def make():
        return known_selector(
            policy=policy, batch_size=11, burn_in=burn_in, n_rounds=40
        )

    resumed = stop_and_go_on(make, sources_of(kind), stopping(kind, at))
    assert_same_run(resumed, make().fit_sources(sources_of(kind)))


@pytest.mark.parametrize("at", [1, 2, 5])
def test_the_selector_that_was_interrupted_can_go_on_itself(known_selector, at):
    params = {"batch_size": 11, "n_rounds": 12, "warm_start": True}
    selector, sources = known_selector(**params), stopping("callables", at)
    with pytest.raises(KeyboardInterrupt):
        selector.fit_sources(sources)
    selector.fit_sources(sources)
    expected = known_selector(**params).fit_sources(sources_of("callables"))
    # The interrupt came before anything was read.
    assert_same_run(selector, expected)


@pytest.mark.parametrize(
    ("detection", "stop"),
    [("frozen", 1), ("history", 1), ("history", 2), ("history", 6)],
)
@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_an_interrupt_of_the_detector_loses_nothing(
    tmp_path, detection, stop, with_checkpoint
):
    def make(folder):
        return UCBSourceSelector(
            overlap_detector=NeedsSeed(),
            policy="thompson",
            detection=detection,
            batch_size=10,
            n_rounds=15,
            random_state=0,
            checkpoint=tmp_path / folder if with_checkpoint else None,
        )

    expected = make("whole").fit_sources(tables())
    NeedsSeed.n_fits, NeedsSeed.stop = 0, stop
    resumed = stop_and_go_on(lambda: make("stopped"), tables(), tables())
    assert_same_run(resumed, expected)
    if with_checkpoint:
        again = make("stopped").fit_sources(tables())
        assert_same_run(again, expected)


@pytest.mark.parametrize("at", [1, 3, 7])
def test_a_reward_that_raises_can_be_mended(known_selector, at):
    def reward(_, X, __):
        return X[:, 0] / 2

    def faulty(_, X, __):
        calls.append(len(X))
        return X[:, 0] / 2 + 2 * (len(calls) == at)

    calls = []
    params = {"batch_size": 10, "n_rounds": 12, "policy": "thompson"}
    selector = known_selector(reward=faulty, **params)
    with pytest.raises(ValueError, match=r"returned 2\.?5? for a row"):
        selector.fit_sources(tables())
    selector.set_params(warm_start=True).fit_sources(tables())
    assert_same_run(
        selector, known_selector(reward=reward, **params).fit_sources(tables())
    )


def test_a_selector_is_pickled_without_its_open_sources(known_selector):
    sources = {"a": (batch for batch in [numbered(40, 0.5, 0)])}
    selector = known_selector(budget=10).fit_sources(sources)
    copy = pickle.loads(pickle.dumps(selector))
    assert_same_run(copy, selector)


# Checkpoints


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["tables", "callables", "lists of frames"])
def test_a_checkpoint_goes_on_with_a_raised_limit(
    known_selector, tmp_path, policy, kind
):
    params = {"policy": policy, "batch_size": 10, "checkpoint": tmp_path / "run"}
    for n_rounds in (2, 9, 30):
        selector = known_selector(n_rounds=n_rounds, **params)
        selector.fit_sources(sources_of(kind))
        assert len(selector.history_["round"]) == n_rounds
    whole = known_selector(n_rounds=30, **(params | {"checkpoint": None}))
    assert_same_run(selector, whole.fit_sources(sources_of(kind)))


@settings(max_examples=10)
@given(at=st.integers(1, 15), policy=st.sampled_from(POLICIES))
def test_a_checkpoint_of_an_interrupted_run_goes_on(
    known_selector, tmp_path_factory, at, policy
):
    folder = tmp_path_factory.mktemp("run")
    params = {"policy": policy, "batch_size": 11, "n_rounds": 22}
    with pytest.raises(KeyboardInterrupt):
        known_selector(checkpoint=folder, **params).fit_sources(
            stopping("callables", at)
        )
    resumed = known_selector(checkpoint=folder, **params)
    resumed.fit_sources(sources_of("callables"))
    expected = known_selector(**params).fit_sources(sources_of("callables"))
    assert_same_run(resumed, expected)


def test_a_checkpoint_keeps_a_run_whose_seed_nobody_knows(known_selector, tmp_path):
    params = {"random_state": None, "checkpoint": tmp_path, "batch_size": 10}
    first = known_selector(n_rounds=8, **params).fit_sources(tables())
    again = known_selector(n_rounds=25, **params).fit_sources(tables())
    assert_array_equal(again.history_["source"][:8], first.history_["source"])
    X, _, _ = again.drawn_samples()
    assert_array_equal(X[:80], first.drawn_samples()[0])
    assert len(np.unique(X[:, 1])) == len(X)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"policy": "ucb1"}, "policy='kl_ucb', not 'ucb1'"),
        ({"policy": max}, "policy='kl_ucb', not 'a callable'"),
        ({"alpha": 2.0}, "alpha=1.0, not 2.0"),
        ({"batch_size": 7}, "batch_size=10, not 7"),
        ({"burn_in": 3}, "burn_in=1, not 3"),
        ({"detection": "history"}, "detection='frozen', not 'history'"),
    ],
)
def test_a_checkpoint_goes_on_by_its_own_rules_only(
    known_selector, tmp_path, rule, message
):
    params = {"checkpoint": tmp_path, "batch_size": 10, "n_rounds": 5}
    known_selector(**params).fit_sources(tables())
    with pytest.raises(ValueError, match=f"checkpoint=.* holds a run with {message}"):
        known_selector(**(params | rule)).fit_sources(tables())


def test_other_limits_and_patience_are_no_other_rules(known_selector, tmp_path):
    params = {"checkpoint": str(tmp_path), "batch_size": 10}
    known_selector(n_rounds=5, **params).fit_sources(tables())
    selector = known_selector(
        budget=80, cost_budget=1000, max_failures=9, timeout=60, **params
    ).fit_sources(tables())
    assert selector.stop_reason_ == "budget"
    assert selector.n_samples_drawn_.sum() == 80


def test_a_checkpoint_takes_a_policy_that_cannot_be_pickled(known_selector, tmp_path):
    params = {"checkpoint": tmp_path, "batch_size": 10}
    for n_rounds in (5, 9):
        selector = known_selector(
            policy=lambda arms: -arms.drawn, n_rounds=n_rounds, **params
        ).fit_sources(tables())
    assert selector.n_pulls_.tolist() == [3, 3, 3]


def test_a_checkpoint_takes_refused_items_that_cannot_be_pickled(
    known_selector, tmp_path
):
    def sources():
        items = [(i for i in range(3)), numbered(20, 0.5, 1)]
        return {"a": iter(items), "b": numbered(40, 0.5, 2)}

    selector = known_selector(checkpoint=tmp_path, n_rounds=3).fit_sources(sources())
    [(name, content)] = selector.refused_
    assert name == "a"
    assert "generator" in content
    again = known_selector(checkpoint=tmp_path, n_rounds=3).fit_sources(sources())
    assert again.refused_ == selector.refused_


# Processes that are killed

PLAN = """
import os, signal, warnings
import numpy as np
from sklearn.base import BaseEstimator
from sklearn_w2s.sources import UCBSourceSelector


class Regions(BaseEstimator):
    def fit(self, X, y=None):
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0.5, "overlap", "easy")


class Source:
    n_calls = 0
    killed_at = None

    def __init__(self, density, number):
        rng = np.random.RandomState(number)
        flags = rng.uniform(size=400) < density
        self.X = np.column_stack([flags, 1000 * number + np.arange(400)])

    def __call__(self, n, offset):
        Source.n_calls += 1
        if Source.n_calls == Source.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.X[offset : offset + n]


def broken(n):
    raise OSError("no answer")


def run(folder, policy, killed_at=None):
    warnings.simplefilter("ignore")
    Source.n_calls, Source.killed_at = 0, killed_at
    sources = {f"s{i}": Source(0.2 * i, i) for i in range(4)} | {"broken": broken}
    return UCBSourceSelector(
        overlap_detector=Regions(), policy=policy, batch_size=9, burn_in=2,
        n_rounds=40, random_state=0, checkpoint=folder,
    ).fit_sources(sources)
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A module that this process and others can import."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "plan_of_a_run.py").write_text(PLAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("plan_of_a_run")


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
@pytest.mark.parametrize(
    ("killed_at", "policy"),
    [(1, "kl_ucb"), (6, "thompson"), (8, "kl_ucb"), (20, "random")],
)
def test_a_process_that_was_killed_goes_on_in_another(
    plan, tmp_path, killed_at, policy
):
    code = (
        f"import plan_of_a_run as p; p.run({str(tmp_path)!r}, {policy!r}, {killed_at})"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("step-*"))) >= killed_at - 1

    resumed = plan.run(tmp_path, policy)
    assert plan.Source.n_calls < plan.run(None, policy).n_pulls_.sum() or killed_at == 1
    assert_same_run(resumed, plan.run(None, policy))

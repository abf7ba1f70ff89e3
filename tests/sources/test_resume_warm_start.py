"""A selector that stops, for whatever reason, goes on as if it had not."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.sources import UCBSourceSelector

POLICIES = ["kl_ucb", "kl_lucb", "thompson", "random"]

# The source that never gives a row says so again and again.
pytestmark = pytest.mark.filterwarnings("ignore:round:UserWarning")


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
    sources_of, assert_same_run, known_selector, kind, policy, limit, again
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


def test_a_run_goes_on_with_the_sources_that_it_reads(sources_of, known_selector):
    sources = {
        name: (batch for batch in np.array_split(X, 23))
        for name, X in sources_of("tables").items()
    }
    selector = known_selector(budget=100, batch_size=7, warm_start=True)
    selector.fit_sources(sources)
    for _ in range(5):
        selector.set_params(budget=selector.budget + 100).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    for i, name in enumerate(sources):
        numbers = X[source == name, 1].tolist()
        assert numbers == list(range(10_000 * i, 10_000 * i + len(numbers)))


@pytest.mark.parametrize("detection", ["frozen", "history"])
@pytest.mark.parametrize("first", [1, 4, 6, 9])
def test_detector_and_estimator_are_those_of_one_long_run(
    sources_of, assert_same_run, detection, first
):
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

    sources = {name: (X, X[:, 2] > 0) for name, X in sources_of("tables").items()}
    selector = make(first).fit_sources(sources)
    selector.set_params(n_rounds=20, warm_start=True).fit_sources(sources)
    long = make(20).fit_sources(sources)
    assert_same_run(selector, long)
    assert selector.overlap_detector_.threshold_ == long.overlap_detector_.threshold_
    assert_array_equal(selector.estimator_.coef_, long.estimator_.coef_)


def test_without_warm_start_a_run_begins_anew(sources_of, known_selector):
    selector = known_selector(n_rounds=5).fit_sources(sources_of("tables"))
    first = selector.history_
    again = selector.fit_sources(sources_of("tables")).history_
    assert_array_equal(again["source"], first["source"])
    assert len(again["round"]) == 5


# Stops in the middle


@settings(max_examples=25)
@given(
    at=st.integers(1, 24),
    policy=st.sampled_from(POLICIES),
    kind=st.sampled_from(["callables", "lists of frames"]),
    burn_in=st.integers(1, 2),
)
def test_an_interrupted_run_goes_on_to_the_same_history(
    sources_of, stopping, assert_same_run, known_selector, at, policy, kind, burn_in
):
    def make():
        return known_selector(
            policy=policy, batch_size=11, burn_in=burn_in, n_rounds=40
        )

    resumed = stop_and_go_on(make, sources_of(kind), stopping(kind, at))
    assert_same_run(resumed, make().fit_sources(sources_of(kind)))


@pytest.mark.parametrize("at", [1, 2, 5])
def test_the_selector_that_was_interrupted_can_go_on_itself(
    sources_of, stopping, assert_same_run, known_selector, at
):
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
    sources_of, assert_same_run, tmp_path, detection, stop, with_checkpoint
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

    expected = make("whole").fit_sources(sources_of("tables"))
    NeedsSeed.n_fits, NeedsSeed.stop = 0, stop
    resumed = stop_and_go_on(
        lambda: make("stopped"), sources_of("tables"), sources_of("tables")
    )
    assert_same_run(resumed, expected)
    if with_checkpoint:
        again = make("stopped").fit_sources(sources_of("tables"))
        assert_same_run(again, expected)


@pytest.mark.parametrize("at", [1, 3, 7])
def test_a_reward_that_raises_can_be_mended(
    sources_of, assert_same_run, known_selector, at
):
    def reward(_, X, __):
        return X[:, 0] / 2

    def faulty(_, X, __):
        calls.append(len(X))
        return X[:, 0] / 2 + 2 * (len(calls) == at)

    calls = []
    params = {"batch_size": 10, "n_rounds": 12, "policy": "thompson"}
    selector = known_selector(reward=faulty, **params)
    with pytest.raises(ValueError, match=r"returned 2\.?5? for a row"):
        selector.fit_sources(sources_of("tables"))
    selector.set_params(warm_start=True).fit_sources(sources_of("tables"))
    assert_same_run(
        selector,
        known_selector(reward=reward, **params).fit_sources(sources_of("tables")),
    )


def test_a_selector_is_pickled_without_its_open_sources(
    table, assert_same_run, known_selector
):
    sources = {"a": (batch for batch in [table(40, 0.5, 0)])}
    selector = known_selector(budget=10).fit_sources(sources)
    copy = pickle.loads(pickle.dumps(selector))
    assert_same_run(copy, selector)

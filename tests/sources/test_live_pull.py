"""Runs that are asked and told, and sources that come and go."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator

from sklearn_w2s.sources import UCBSourceSelector, _setup


def batches_of(X, size=7):
    return [X[start : start + size] for start in range(0, len(X), size)]


def with_offset(X):
    return lambda n, offset: X[offset : offset + n] if offset < len(X) else None


def assert_same_history(history, other):
    assert list(history) == list(other)
    for column, values in history.items():
        assert_array_equal(values, other[column], err_msg=column)


@pytest.mark.filterwarnings("ignore:round:UserWarning")
@pytest.mark.parametrize("policy", ["kl_ucb", "kl_lucb", "ucb1", "greedy", "paper"])
def test_ask_and_tell_chooses_like_fit_sources(table, known_regions, policy):
    def broken(_):
        raise OSError("no answer")

    sources = {
        "a": with_offset(table(300, 0.2, 1)),
        "b": with_offset(table(300, 0.6, 2)),
        "broken": broken,
    }
    params = {"policy": policy, "n_rounds": 30, "batch_size": 10}
    drawn = UCBSourceSelector(
        overlap_detector=known_regions(), **params, random_state=0
    ).fit_sources(sources)
    asked = UCBSourceSelector(**params)
    for n, n_overlap, error in zip(
        *(drawn.history_[name] for name in ("n_drawn", "n_overlap", "error")),
        strict=True,
    ):
        name = asked.pull(list(sources))
        if error:
            asked.update(name, error=error.removeprefix(f"source {name!r} "))
        else:
            asked.update(name, n_drawn=n, n_overlap=n_overlap)
    assert asked.pull() is None
    assert_same_history(asked.history_, drawn.history_)
    assert_array_equal(asked.index_history_, drawn.index_history_)


# Sources come and go


def test_a_source_that_is_added_takes_part_from_then_on(table, known_regions):
    sources = {}

    def first(n):
        if len(selector_calls) == 5:
            sources["late"] = with_offset(table(200, 1, 2))
        selector_calls.append(n)
        return table(n, 0.1)

    selector_calls = []
    sources["first"] = first
    selector = UCBSourceSelector(
        overlap_detector=known_regions(),
        n_rounds=20,
        batch_size=5,
        burn_in=2,
        random_state=0,
    ).fit_sources(sources)
    chosen = selector.history_["source"]
    assert chosen[:8].tolist() == ["first"] * 6 + ["late"] * 2
    assert np.isnan(selector.history_["index"][6:8]).all()
    assert selector.sources_.tolist() == ["first", "late"]
    assert selector.ranking_[0] == "late"
    assert np.isnan(selector.index_history_[:6, 1]).all()


def test_a_source_that_is_removed_fails_and_comes_back_with_the_next_row(
    table, known_regions
):
    batches = (batch for batch in batches_of(table(60, 0.9, 2), 20))
    sources = {"gone": batches}
    n_calls = []

    def steady(n):
        n_calls.append(n)
        if len(n_calls) == 1:
            del sources["gone"]
        if len(n_calls) == 3:
            sources["gone"] = batches
        return table(n, 0.1)

    sources["steady"] = steady
    with pytest.warns(UserWarning, match="'gone' is not among the sources any more"):
        selector = UCBSourceSelector(
            overlap_detector=known_regions(),
            batch_size=6,
            n_rounds=40,
            max_failures=9,
            random_state=0,
        ).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    numbers = X[source == "gone", 1]
    assert numbers.tolist() == list(range(20_000, 20_060))


def test_names_to_pull_from_may_change_every_round():
    selector = UCBSourceSelector(random_state=0)
    assert selector.pull(["a"]) == "a"
    selector.update("a", n_drawn=10, n_overlap=9)
    assert selector.pull(["a", "b"]) == "b"
    selector.update("b", n_drawn=10, n_overlap=1)
    assert selector.pull(["b"]) == "b"
    selector.update("b", n_drawn=10, n_overlap=1)
    assert selector.pull(["b", "c"]) == "c"
    selector.update("c", n_drawn=10, n_overlap=0)
    assert selector.pull() == "a"
    assert selector.sources_.tolist() == ["a", "b", "c"]


def test_update_takes_draws_that_pull_did_not_ask_for():
    selector = UCBSourceSelector(random_state=0)
    selector.update("a", n_drawn=10, n_overlap=3)
    assert selector.pull() == "a"
    selector.update("new", n_drawn=10, n_overlap=5)
    assert selector.sources_.tolist() == ["a", "new"]
    assert np.isnan(selector.history_["index"]).all()
    assert not np.isnan(selector.index_history_[1, 0])


def test_a_run_can_be_updated_afterwards(table, known_selector):
    selector = known_selector(budget=40).fit_sources(
        {"a": table(60, 0.1, 0), "b": table(60, 0.7, 1)}
    )
    n_rounds = len(selector.history_["round"])
    selector.update("a", n_drawn=3, n_overlap=1)
    assert len(selector.history_["round"]) == n_rounds + 1


def test_errors_given_to_update_retire_a_source():
    selector = UCBSourceSelector(max_failures=2)
    for _ in range(2):
        assert selector.pull(["a"]) == "a"
        selector.update("a", error="gave nothing")
    assert selector.pull(["a"]) is None
    assert selector.exhausted_.tolist() == [True]
    assert selector.history_["error"].tolist() == ["source 'a' gave nothing"] * 2
    assert selector.pull(["a", "b"]) == "b"


@pytest.mark.parametrize(
    "limit",
    [
        {"n_rounds": 3},
        {"budget": 30},
        {"cost_budget": 30},
        {"confidence": 0.9, "alpha": 1e-9},
    ],
)
def test_pull_names_no_source_at_a_limit(limit):
    selector = UCBSourceSelector(batch_size=10, **limit)
    for _ in range(50):
        name = selector.pull(["a", "b"])
        if name is None:
            break
        selector.update(name, n_drawn=10, n_overlap=10 * (name == "b"))
    assert selector.pull() is None
    assert len(selector.history_["round"]) < 50


def test_pull_names_no_source_that_cannot_be_paid():
    costs = {"cheap": 1, "dear": 10}
    selector = UCBSourceSelector(cost_budget=5, costs=costs)
    selector.update("cheap", n_drawn=1, n_overlap=0)
    assert selector.pull(["dear"]) is None
    assert selector.pull(["dear", "cheap"]) == "cheap"


def test_rows_are_rated_by_a_frozen_detector_or_by_a_reward(table, known_regions):
    X = table(40, 0.4, 1)
    frozen = FrozenEstimator(known_regions().fit(X))
    told = UCBSourceSelector(overlap_detector=frozen).update("a", X)
    assert told.overlap_density_[0] == X[:, 0].mean()
    assert told.n_features_in_ == 2

    def reward(_, X, y):
        return y / len(X) * 20

    paid = UCBSourceSelector(reward=reward).update("a", X, np.ones(40))
    assert paid.overlap_density_[0] == 0.5


def test_a_batch_that_cannot_be_rated_is_not_counted(table, known_regions):
    frozen = FrozenEstimator(known_regions().fit(table(5, 0.5)))
    selector = UCBSourceSelector(overlap_detector=frozen)
    for _ in range(2):
        selector.update(selector.pull(["a"]), table(5, 0.5))
    selector.pull()
    with pytest.raises(ValueError, match="X has 3 features"):
        selector.update("a", np.ones((4, 3)))
    selector.update("a", table(5, 0.5))
    assert len(selector.history_["round"]) == 3
    assert not np.isnan(selector.history_["index"][2])


def test_2000_draws_are_updates_one_by_one():
    selector = UCBSourceSelector(random_state=0)
    rng = np.random.RandomState(0)
    density = {"a": 0.2, "b": 0.4, "c": 0.3}
    for _ in range(2000):
        name = selector.pull(list(density))
        selector.update(name, n_drawn=8, n_overlap=rng.binomial(8, density[name]))
    assert selector.n_pulls_.sum() == 2000
    assert selector.ranking_[0] == "b"
    assert not selector._drawing_.batches


def test_a_call_looks_at_the_costs_of_new_sources_only(monkeypatch):
    described = []
    original = _setup.describe_arm

    def describe_arm(selector, name):
        described.append(name)
        return original(selector, name)

    monkeypatch.setattr(_setup, "describe_arm", describe_arm)
    names = [f"source_{k}" for k in range(20)]
    selector = UCBSourceSelector(costs=dict.fromkeys(names, 2.0), burn_in=1)
    for name in names:
        selector.update(name, n_drawn=10, n_overlap=3)
    n_described = len(described)
    for _ in range(5):
        selector.update(selector.pull(), n_drawn=10, n_overlap=3)

    assert sorted(described[:n_described]) == sorted(names)
    assert len(described) == n_described


@pytest.mark.parametrize("is_same_mapping", [True, False])
def test_a_cost_that_changes_holds_from_the_next_call_on(is_same_mapping):
    selector = UCBSourceSelector(costs={"a": 1.0, "b": 1.0}, policy="greedy", burn_in=1)
    selector.update("a", n_drawn=100, n_overlap=60)
    selector.update("b", n_drawn=100, n_overlap=40)
    before = selector.pull()
    if is_same_mapping:
        selector.costs["a"] = 5.0
    else:
        selector.costs = {"a": 5.0, "b": 1.0}

    assert (before, selector.pull()) == ("a", "b")


def test_costs_that_come_later_must_name_every_source():
    selector = UCBSourceSelector(burn_in=1)
    selector.update("a", n_drawn=10, n_overlap=6)
    selector.costs = {}
    with pytest.raises(ValueError, match="costs has no entry for source 'a'"):
        selector.pull()

"""What a selection has found, as attributes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_w2s.sources import UCBSourceSelector

NAMES = [
    name
    for name, value in vars(UCBSourceSelector).items()
    if isinstance(value, property) and name.endswith("_") and name[0] != "_"
]


def told(**params):
    selector = UCBSourceSelector(max_failures=1, **params)
    selector.update("z", n_drawn=10, n_overlap=2)
    selector.update("a", n_drawn=20, n_overlap=12)
    selector.update("silent", error="gave nothing")
    return selector.update("z", n_drawn=10, n_overlap=4)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_nothing_before_the_first_draw(name):
    selector = UCBSourceSelector()
    assert not hasattr(selector, name)
    with pytest.raises(AttributeError, match="has drawn nothing yet; call fit or pull"):
        getattr(selector, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_has_drawn_nothing(name):
    assert not hasattr(clone(told()), name)


def test_what_update_was_given_is_counted():
    selector = told()
    assert selector.sources_.tolist() == ["z", "a", "silent"]
    assert selector.n_pulls_.tolist() == [2, 1, 0]
    assert selector.n_samples_drawn_.tolist() == [20, 20, 0]
    assert_allclose(selector.overlap_density_, [0.3, 0.6, np.nan])
    assert selector.exhausted_.tolist() == [False, False, True]
    assert selector.refused_ == []


def test_sources_are_ranked_by_density_per_cost_and_silent_ones_last():
    assert told().ranking_.tolist() == ["a", "z", "silent"]
    costs = {"z": 1, "a": 3, "silent": 1}
    assert told(costs=costs).ranking_.tolist() == ["z", "a", "silent"]


def test_intervals_hold_the_densities_and_have_a_row_for_each_source():
    selector = told()
    low, high = selector.overlap_density_interval_.T
    known = ~np.isnan(selector.overlap_density_)
    assert known.tolist() == [True, True, False]
    assert (low[known] < selector.overlap_density_[known]).all()
    assert (selector.overlap_density_[known] < high[known]).all()
    assert np.isnan([low[2], high[2]]).all()


def test_the_index_is_unknown_where_nothing_was_drawn():
    assert np.isnan(told().ucb_).tolist() == [False, False, True]
    assert (told().ucb_[:2] >= told().overlap_density_[:2]).all()


def test_history_and_index_history_have_a_row_for_each_round():
    selector = told()
    history = selector.history_
    assert {len(values) for values in history.values()} == {4}
    assert history["source"].tolist() == ["z", "a", "silent", "z"]
    assert history["error"].tolist() == ["", "", "source 'silent' gave nothing", ""]
    assert_allclose(history["overlap_density"], [0.2, 0.6, np.nan, 0.3])
    assert selector.index_history_.shape == (4, 3)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"refused_"}))
def test_attributes_are_copies(name):
    selector = told()
    value = getattr(selector, name)
    if name == "history_":
        value["n_drawn"][:] = 99
        assert selector.history_["n_drawn"].tolist() == [10, 20, 0, 10]
        return
    before = value.copy()
    value[...] = value.flat[-1]
    assert_array_equal(getattr(selector, name), before)


@pytest.mark.parametrize("name", NAMES)
def test_attributes_cannot_be_set(name):
    with pytest.raises(AttributeError):
        setattr(told(), name, None)


def test_they_follow_the_run(known_selector):
    X = np.eye(3)[np.arange(90) % 3]
    selector = known_selector(n_rounds=2, batch_size=10, warm_start=True)
    counts = []
    for n_rounds in (2, 4, 6):
        selector.set_params(n_rounds=n_rounds).fit_sources({"a": X, "b": X})
        counts.append(int(selector.n_pulls_.sum()))
    assert counts == [2, 4, 6]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.metrics import source_regret

DENSITY = {"a": 0.1, "b": 0.5, "c": 0.3}


@st.composite
def histories(draw):
    n = draw(st.integers(1, 30))
    columns = {
        "source": st.sampled_from(list(DENSITY)),
        "n_drawn": st.integers(0, 50),
        "index": st.one_of(st.just(np.nan), st.floats(0, 1)),
    }
    return {
        name: np.array(draw(st.lists(values, min_size=n, max_size=n)))
        for name, values in columns.items()
    }


@given(histories())
def test_regret_is_what_the_best_source_would_have_given_more(history):
    n_drawn = history["n_drawn"]
    given = n_drawn * np.array([DENSITY[name] for name in history["source"]])
    regret = source_regret(history, DENSITY)
    assert regret["total"] == pytest.approx(0.5 * n_drawn.sum() - given.sum())
    assert regret["floor"] + regret["excess"] == pytest.approx(regret["total"])
    assert min(regret.values()) >= 0


@given(histories())
def test_the_first_draws_are_the_floor(history):
    first = np.isnan(history["index"])
    alone = {name: column[first] for name, column in history.items()}
    assert source_regret(alone, DENSITY)["excess"] == 0
    floor = source_regret(history, DENSITY)["floor"]
    assert source_regret(alone, DENSITY)["floor"] == pytest.approx(floor)


def test_the_last_estimates_are_taken_for_the_densities(known_history):
    last = {"a": 0.2, "b": 0.6}
    assert source_regret(known_history) == source_regret(known_history, last)
    assert source_regret(known_history)["floor"] == pytest.approx(4)


def test_a_source_that_only_failed_costs_nothing(known_history):
    failed = {
        name: np.append(column, value)
        for (name, column), value in zip(
            known_history.items(), ["z", 0, 0.9, np.nan], strict=True
        )
    }
    assert source_regret(failed) == source_regret(known_history)


def test_every_source_needs_a_density(known_history):
    with pytest.raises(ValueError, match=r"overlap_density lacks the sources \['b'\]"):
        source_regret(known_history, {"a": 0.1})


@pytest.fixture
def known_history():
    return {
        "source": np.array(["a", "b", "b"]),
        "n_drawn": np.array([10, 10, 20]),
        "index": np.array([np.nan, np.nan, 0.7]),
        "overlap_density": np.array([0.2, 0.5, 0.6]),
    }

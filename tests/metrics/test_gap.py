"""The performance gap recovered says how much, or that there is no gap."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    mean_absolute_error,
    roc_auc_score,
    root_mean_squared_error,
)

from sklearn_w2s.metrics import (
    gap_regime,
    performance_gap_recovered,
    performance_gap_recovered_score,
    source_regret,
)

NAN = float("nan")


@given(
    weak=st.floats(0, 0.9),
    size=st.floats(0.01, 0.1),
    share=st.floats(-2, 2),
)
def test_it_finds_the_share_that_was_put_in(weak, size, share):
    recovered = performance_gap_recovered(weak, weak + share * size, weak + size)
    assert type(recovered) is float
    assert recovered == pytest.approx(share, abs=1e-9)


def test_arrays_broadcast():
    recovered = performance_gap_recovered([[0.5], [0.6]], [0.6, 0.7], 0.7)
    np.testing.assert_allclose(recovered, [[0.5, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize("ceiling", [0.6, 0.5])
def test_no_gap_is_nan_with_a_warning(ceiling):
    with pytest.warns(UndefinedMetricWarning, match="ceiling") as caught:
        assert np.isnan(performance_gap_recovered(0.6, 0.7, ceiling))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("value", [0.0, 1, -3.5, np.float32(0.25)])
def test_zero_division_takes_the_place_of_no_gap_without_a_warning(value):
    assert performance_gap_recovered(0.6, 0.7, 0.6, zero_division=value) == value
    filled = performance_gap_recovered(0.5, 0.75, [1, 0.5], zero_division=value)
    assert filled.tolist() == [0.5, value]


def test_zero_division_may_be_nan():
    assert np.isnan(performance_gap_recovered(0.6, 0.7, 0.6, zero_division=np.nan))


@pytest.mark.parametrize(
    "scores", [(NAN, 0.6, 0.7), (0.5, NAN, 0.7), (0.5, NAN, 0.4), (0.5, 0.6, NAN)]
)
@pytest.mark.parametrize("zero_division", ["warn", 0.0])
def test_an_unknown_score_stays_unknown(scores, zero_division):
    recovered = performance_gap_recovered(*scores, zero_division=zero_division)
    assert np.isnan(recovered)


@pytest.mark.parametrize("zero_division", ["raise", None, [0.0]])
def test_another_zero_division_is_refused(zero_division):
    with pytest.raises(ValueError, match="zero_division="):
        performance_gap_recovered(0.5, 0.6, 0.7, zero_division=zero_division)


@pytest.mark.parametrize(
    ("position", "name"),
    [(0, "weak_score"), (1, "weak_to_strong_score"), (2, "ceiling_score")],
)
def test_an_infinite_score_is_named(position, name):
    scores = [0.5, 0.6, 0.7]
    scores[position] = -np.inf
    with pytest.raises(ValueError, match=f"^{name}=-inf"):
        performance_gap_recovered(*scores)


labels = st.lists(st.integers(0, 1), min_size=10, max_size=10).map(np.array)


@pytest.mark.parametrize("metric", [accuracy_score, balanced_accuracy_score])
@given(y_weak=labels, y_strong=labels, y_ceiling=labels)
def test_the_score_is_that_of_the_scores(metric, y_weak, y_strong, y_ceiling):
    y_true = np.tile([0, 1], 5)
    predictions = (y_weak, y_strong, y_ceiling)
    scores = [metric(y_true, y_pred) for y_pred in predictions]
    expected = performance_gap_recovered(*scores, zero_division=-7.0)
    recovered = performance_gap_recovered_score(
        y_true, *predictions, metric=metric, zero_division=-7.0
    )
    assert type(recovered) is float
    assert recovered == expected


def test_weights_of_the_score_count_repetitions():
    y_true = np.array(["a", "b", "b", "a"])
    predictions = np.array([list("abaa"), list("abba"), list("abba")])
    predictions[0, 3] = "b"
    weights = np.array([1, 2, 3, 1])
    weighted = performance_gap_recovered_score(
        y_true, *predictions, sample_weight=weights
    )
    repeated = performance_gap_recovered_score(
        np.repeat(y_true, weights), *np.repeat(predictions, weights, axis=1)
    )
    assert weighted == pytest.approx(repeated)


def test_a_metric_may_take_probabilities_and_needs_no_weights():
    y_true = [0, 1, 0, 1]
    weak, strong, ceiling = [0.2, 0.1, 0.3, 0.4], [0.1, 0.3, 0.2, 0.15], [0, 1, 0, 1]
    recovered = performance_gap_recovered_score(
        y_true, weak, strong, ceiling, metric=roc_auc_score
    )
    assert recovered == pytest.approx((0.75 - 0.5) / (1 - 0.5))

    def metric(y_true, y_pred):
        return accuracy_score(y_true, y_pred)

    assert performance_gap_recovered_score(
        [0, 1], [0, 0], [0, 1], [0, 1], metric=metric
    )


def test_the_warning_of_the_score_comes_from_the_call():
    with pytest.warns(UndefinedMetricWarning) as caught:
        performance_gap_recovered_score([0, 1], [0, 1], [0, 0], [0, 0])
    assert caught[0].filename == __file__


def test_predictions_of_another_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        performance_gap_recovered_score(
            [0, 1], [0, 1], [1], [0, 1], metric=lambda y_true, y_pred: 1.0
        )


@pytest.mark.parametrize(
    ("recovered", "regime"),
    [
        (-np.inf, "low"),
        (-0.2, "low"),
        (0.0, "low"),
        (1e-9, "medium"),
        (0.4999, "medium"),
        (0.5, "high"),
        (1.3, "high"),
        (np.nan, "undefined"),
    ],
)
def test_regimes_are_told_apart_by_zero_and_a_half(recovered, regime):
    assert gap_regime(recovered) == regime
    assert type(gap_regime(recovered)) is str


@given(shares=st.lists(st.floats(-2, 2), min_size=1, max_size=9))
def test_regimes_of_arrays_are_those_of_their_numbers(shares):
    assert gap_regime(shares).tolist() == [gap_regime(share) for share in shares]


def test_a_defined_gap_warns_of_nothing():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        performance_gap_recovered([0.5, NAN], 0.6, 0.7)
    assert not caught


@pytest.mark.parametrize("error", [root_mean_squared_error, mean_absolute_error])
def test_the_share_of_errors_does_not_depend_on_the_unit_of_values(error):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    weak, strong, ceiling = (truth + s * rng.normal(size=40) for s in (1.0, 0.5, 0.1))
    options = {"metric": error, "greater_is_better": False}
    share = performance_gap_recovered_score(truth, weak, strong, ceiling, **options)
    errors = [error(truth, said) for said in (weak, strong, ceiling)]
    assert share == pytest.approx((errors[0] - errors[1]) / (errors[0] - errors[2]))
    other = [5 - 30 * said for said in (truth, weak, strong, ceiling)]
    assert performance_gap_recovered_score(*other, **options) == pytest.approx(share)


# Regret of a source selector


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

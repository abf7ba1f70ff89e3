"""Advice on regressors: squared errors on held-out labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import WeakToStrongRegressor
from sklearn_w2s.advice import advise
from sklearn_w2s.advice._expectation import compare
from sklearn_w2s.advice._trial import Predictions

X, TRUTH = make_friedman1(260, n_features=5, random_state=0)
Y = np.where(np.arange(260) < 90, TRUTH, np.nan)
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning"
)


def model(**params):
    return WeakToStrongRegressor(
        DecisionTreeRegressor(max_depth=2, random_state=0),
        LinearRegression(),
        **{"strategy": "all"} | params,
    )


def test_differences_are_those_of_squared_errors_in_shares_of_the_weak_one():
    truth = np.array([0.0, 1.0, 2.0])
    predicted = {
        "weak": np.array([2.0, 1.0, 4.0]),
        "weak_to_strong": np.array([1.0, 1.0, 4.0]),
        "strong_on_labels": truth.copy(),
    }
    found = compare(Predictions(np.arange(3), predicted, None, {}), truth, None, 0.95)
    gains = np.array([3.0, 0.0, 0.0]) / (8 / 3)
    own = found["weak_to_strong - weak"]
    assert own["difference"] == pytest.approx(gains.mean())
    assert own["error"] == pytest.approx(gains.std(ddof=1) / np.sqrt(3))
    assert found["strong_on_labels - weak"]["difference"] == pytest.approx(1)


def test_a_row_that_was_held_out_twice_counts_once():
    truth, predicted = np.array([0.0, 1.0]), np.array([1.0, 1.0, 3.0])
    twice = {
        name: values[[0, 1, 1]] if len(values) == 2 else values
        for name, values in {"weak": predicted, "weak_to_strong": truth}.items()
    }
    twice["strong_on_labels"] = twice["weak_to_strong"]
    predictions = Predictions(np.array([0, 1, 1]), twice, None, {})
    found = compare(predictions, truth, None, 0.95)["weak_to_strong - weak"]
    assert found["n_rows"] == 2
    assert found["difference"] == pytest.approx(1)


def test_advice_does_not_depend_on_the_unit_of_values():
    first = advise(model(), X, Y, cv=3, random_state=0)
    second = advise(model(), X, 100 - 7 * Y, cv=3, random_state=0)
    assert first.choice == second.choice
    assert first.predicted_gain == pytest.approx(second.predicted_gain)
    for name, value in first.indicators.items():
        assert_allclose(second.indicators[name], value, rtol=1e-6)
    own = first.comparisons["weak_to_strong - weak"]
    assert (first.predicted_gain, own["n_rows"]) == (own["difference"], 90)


def test_what_is_clearly_better_is_advised():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 3))
    truth = rows @ [1.0, -2.0, 1.0] + 0.1 * rng.normal(size=300)
    y = np.where(np.arange(300) < 100, truth, np.nan)
    advice = advise(model(), rows, y, cv=3, random_state=0)
    assert advice.choice == "strong_on_labels"
    assert "gains" in str(advice)
    assert "nan" not in str(advice)
    pipeline = make_pipeline(StandardScaler(), model(strategy="mix"))
    assert advise(pipeline, rows, y, cv=3, random_state=0).choice != "weak"


def test_three_values_are_enough():
    y = np.where(np.arange(260) < 3, TRUTH, np.nan)
    advice = advise(model(), X, y, random_state=0)
    assert advice.comparisons["weak_to_strong - weak"]["n_rows"] == 3


def test_what_is_misfit_and_how_far_neighbours_agree():
    advice = advise(model(), X, Y, cv=3, random_state=0)
    found = advice.indicators
    assert found["misfit"] > 0
    assert found["neighbor_consistency"] < 1
    assert np.isnan([found["advantage"], found["class_coverage"]]).all()
    assert 0 <= found["overlap_density"] <= 1


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        (np.full(260, np.nan), {}, "3 values .* got 0"),
        (np.where(np.arange(260) < 2, TRUTH, np.nan), {}, "3 values .* got 2"),
        (Y, {"scoring": "accuracy"}, "scoring must be one of .*, got 'accuracy'"),
        (TRUTH, {}, "must have unlabeled rows"),
    ],
)
def test_what_cannot_be_advised_is_refused(y, options, message):
    with pytest.raises(ValueError, match=message):
        advise(model(), X, y, **options)

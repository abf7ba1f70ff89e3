"""The regressor over Dask collections is the one in memory, row by row."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDRegressor

import sklearn_w2s
from sklearn_w2s.dask import WeakToStrongRegressor
from sklearn_w2s.weak_to_strong._strategies import VALUE_STRATEGIES, Strategy

X, TRUTH = make_friedman1(300, n_features=6, random_state=0)
Y = np.where(np.arange(300) % 3 == 0, TRUTH, np.nan)
COLUMNS = [0, 1, 2]
WEIGHTS = 1.0 + np.arange(300) % 4


def arrays(*columns):
    return [da.from_array(c, (100, -1) if c.ndim == 2 else 100) for c in (X, *columns)]


def regressor(weak=None, strong=None, **params):
    return WeakToStrongRegressor(
        LinearRegression() if weak is None else weak,
        LinearRegression() if strong is None else strong,
        weak_features=COLUMNS,
        strategy="all",
        random_state=0,
        **params,
    )


def in_memory(**params):
    return sklearn_w2s.WeakToStrongRegressor(
        LinearRegression(),
        LinearRegression(),
        weak_features=COLUMNS,
        strategy="all",
        random_state=0,
        **params,
    )


@pytest.mark.parametrize("include_labeled", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_whole_sample_teaches_what_memory_teaches(weighted, include_labeled):
    given = arrays(Y, WEIGHTS) if weighted else arrays(Y)
    options = {"sample_weight": given.pop()} if weighted else {}
    model = regressor(include_labeled=include_labeled).fit(*given, **options)
    same = in_memory(include_labeled=include_labeled)
    same.fit(X, Y, sample_weight=WEIGHTS if weighted else None)
    assert_allclose(model.predict(given[0]).compute(), same.predict(X))
    assert_allclose(model.predict(X), same.predict(X))
    assert model.strong_fit_ == "sample"
    assert model.n_samples_seen_ == 300


def test_whatever_strategy_looks_at_rows_alone_goes_by_block(monkeypatch):
    def weigh_by_value(values, *_):
        return values + 1, np.abs(values)

    strategy = Strategy(weigh_by_value, by_row=True, needs_weights=True)
    monkeypatch.setitem(VALUE_STRATEGIES, "all", strategy)
    rows, y = arrays(Y)
    model, expected = regressor().fit(rows, y), in_memory().fit(X, Y)
    assert_allclose(model.predict(X), expected.predict(X))


def test_data_frames_give_what_arrays_give():
    frame = pd.DataFrame(X).add_prefix("x").assign(y=Y)
    table = dd.from_pandas(frame, npartitions=3)
    rows = table[[f"x{j}" for j in range(6)]]
    model = regressor().set_params(weak_features=["x0", "x1", "x2"])
    model.fit(rows, table["y"])
    predicted = model.predict(rows).compute()
    assert_allclose(predicted, in_memory().fit(X, Y).predict(X))
    assert_array_equal(predicted.index, frame.index)


def test_blocks_teach_one_after_the_other():
    strong = SGDRegressor(random_state=0)
    rows, y = arrays(Y)
    model = regressor(strong=strong, strong_fit="partial_fit").fit(rows, y)
    by_hand = SGDRegressor(random_state=0)
    weak = in_memory().fit(X, Y).weak_estimator_.predict(X[:, COLUMNS])
    values = np.where(np.isnan(Y), weak, Y)
    for start in range(0, 300, 100):
        part = slice(start, start + 100)
        by_hand.partial_fit(X[part], values[part], sample_weight=np.ones(100))
    assert_allclose(model.predict(X), by_hand.predict(X))


def test_a_given_weak_regressor_needs_no_y():
    weak = LinearRegression().fit(X[:, COLUMNS], TRUTH)
    rows, y = arrays(np.full(300, np.nan))
    model = regressor(FrozenEstimator(weak)).fit(rows, None)
    other = regressor(FrozenEstimator(weak)).fit(rows, y)
    assert_allclose(model.predict(X), other.predict(X))


def test_the_score_is_that_of_memory():
    rows, y, weights = arrays(Y + 1e5, WEIGHTS)
    model = regressor().fit(rows, y)
    assert model.score(rows, y) == pytest.approx(model.score(X, Y + 1e5))
    weighted = model.score(X, Y + 1e5, WEIGHTS)
    assert model.score(rows, y, weights) == pytest.approx(weighted)
    assert np.isnan(model.score(rows, y * np.nan))


@pytest.mark.parametrize(
    ("params", "y", "error", "message"),
    [
        ({"weak": LogisticRegression()}, Y, TypeError, "must be a regressor"),
        ({"strong_fit": "partial_fit"}, Y, TypeError, "has none"),
        ({}, np.full(300, np.nan), ValueError, "y has no label"),
        ({}, None, ValueError, "target y is None"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(params, y, error, message):
    columns = arrays() if y is None else arrays(y)
    with pytest.raises(error, match=message):
        regressor(**params).fit(columns[0], columns[1] if len(columns) > 1 else None)

"""What the default strategy for values gains, and that it does no harm, where known."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import WeakToStrongRegressor

SEEDS = range(2)
N = 1_000
TEST = slice(N, None)


def hide(y, n_labeled):
    return np.where(np.arange(N) < n_labeled, y[:N], np.nan)


def pooled_gap_recovered(problem, n_labeled, weak, weak_features=None):
    """Return the mean gain over the mean gain of the ceiling, in relative errors."""
    gains = []
    for seed in SEEDS:
        X, y = problem(seed)
        strong = HistGradientBoostingRegressor(random_state=seed)
        model = WeakToStrongRegressor(
            weak, strong, weak_features=weak_features, random_state=seed
        ).fit(X[:N], hide(y, n_labeled))
        columns = slice(None) if weak_features is None else weak_features
        floor = weak.fit(X[:n_labeled, columns], y[:n_labeled])
        ceiling = strong.fit(X[:N], y[:N])
        errors = [
            root_mean_squared_error(y[TEST], said)
            for said in (
                floor.predict(X[TEST, columns]),
                model.predict(X[TEST]),
                ceiling.predict(X[TEST]),
            )
        ]
        gains.append(1 - np.array(errors[1:]) / errors[0])
    gain, gap = np.mean(gains, axis=0)
    return gain / gap


def friedman(seed):
    return make_friedman1(2 * N, n_features=8, noise=1.0, random_state=seed)


def test_a_hundred_labels_recover_a_quarter_of_the_gap():
    assert pooled_gap_recovered(friedman, 100, Ridge()) >= 0.25


def test_a_second_view_recovers_seven_tenths_of_the_gap():
    found = pooled_gap_recovered(friedman, 300, Ridge(), weak_features=[0, 1, 5, 6])
    assert found >= 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_a_black_box_is_smoothed_to_its_gain(seed):
    X, y = friedman(seed)
    tree = DecisionTreeRegressor(max_depth=3).fit(X[N:1_500], y[N:1_500])
    model = WeakToStrongRegressor(
        FrozenEstimator(tree), HistGradientBoostingRegressor(), random_state=seed
    ).fit(X[:N], np.full(N, np.nan))
    error = root_mean_squared_error(y[1_500:], model.predict(X[1_500:]))
    assert error < 0.95 * root_mean_squared_error(y[1_500:], tree.predict(X[1_500:]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_weak_estimator_that_holds_the_truth_is_not_harmed(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * N, 5))
    y = X @ [3.0, 1.0, 2.0, 0.0, -1.0] + rng.normal(size=2 * N)
    weak = Ridge().fit(X[:100], y[:100])
    strong = RandomForestRegressor(20, random_state=seed)
    model = WeakToStrongRegressor(Ridge(), strong, random_state=seed)
    model.fit(X[:N], hide(y, 100))
    floor = root_mean_squared_error(y[TEST], weak.predict(X[TEST]))
    assert root_mean_squared_error(y[TEST], model.predict(X[TEST])) <= 1.01 * floor

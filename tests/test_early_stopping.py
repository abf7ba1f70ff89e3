"""Who stops early on validation rows, and by which arguments these pass."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import OverlapSampler
from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s._early_stopping import stops_early, validation_arguments

X, Y, WEIGHTS = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1]), np.ones(3)


def histograms(kind=HistGradientBoostingClassifier, **params):
    """Return histogram gradient boosting that takes validation rows in any version."""

    class Boosting(kind):
        def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
            """Do nothing."""

    return Boosting(**params)


def booster(library, base, names, **params):
    """Return an estimator that stands in for one of a library."""

    class Boosting(BaseEstimator):
        def fit(self, X, y, *, eval_set=None, **arguments):
            """Do nothing."""

        def get_params(self, deep=True):
            return dict.fromkeys(names) | params

    parent = type(base, (Boosting,), {"__module__": f"{library}.core"})
    return type("Own", (parent,), {})()


def xgboost(**params):
    names = ["early_stopping_rounds", "callbacks"]
    return booster("xgboost", "XGBModel", names, **params)


def lightgbm(**params):
    return booster("lightgbm", "LGBMModel", ["n_estimators"], **params)


def catboost(**params):
    return booster("catboost", "CatBoost", [], **params)


def callback(name):
    return type(name, (), {})()


@pytest.mark.parametrize(
    ("estimator", "n_rows", "expected"),
    [
        (histograms(early_stopping=True), 10, True),
        (histograms(HistGradientBoostingRegressor, early_stopping=True), 10, True),
        (histograms(early_stopping=False), 10**6, False),
        (histograms(), 10_000, False),
        (histograms(), 10_001, True),
        (histograms(early_stopping=True, validation_fraction=None), 10, False),
        (xgboost(), 10, False),
        (xgboost(early_stopping_rounds=3), 10, True),
        (xgboost(callbacks=[callback("EarlyStopping")]), 10, True),
        (xgboost(callbacks=[callback("LearningRateScheduler")]), 10, False),
        (CodedClassifier(xgboost(early_stopping_rounds=3)), 10, True),
        (lightgbm(), 10, False),
        (lightgbm(early_stopping_round=3), 10, True),
        (lightgbm(n_iter_no_change=3), 10, True),
        (lightgbm(early_stopping_rounds=-1), 10, False),
        (catboost(), 10, False),
        (catboost(od_type="Iter"), 10, True),
        (catboost(use_best_model=True), 10, True),
        (catboost(early_stopping_rounds=3, eval_fraction=0.1), 10, False),
        (GradientBoostingClassifier(n_iter_no_change=3), 10, False),
        (MLPClassifier(early_stopping=True), 10, False),
    ],
)
def test_who_stops_on_validation_rows(estimator, n_rows, expected):
    assert stops_early(estimator, n_rows, {}) == expected
    pipe = make_pipeline(StandardScaler(), make_pipeline("passthrough", estimator))
    assert stops_early(pipe, n_rows, {}) == expected


def test_scikit_learn_before_1_7_takes_none():
    class Boosting(HistGradientBoostingClassifier):
        def fit(self, X, y, sample_weight=None):
            """Do nothing."""

    assert not stops_early(Boosting(early_stopping=True), 10**6, {})


def test_a_callback_of_lightgbm_is_an_argument_of_fit():
    stopping = {"callbacks": [callback("_EarlyStoppingCallback")]}
    assert stops_early(lightgbm(), 10, stopping)
    assert not stops_early(lightgbm(), 10, {"callbacks": [callback("_Reset")]})


@pytest.mark.parametrize("name", ["X_val", "eval_set", "eval_X"])
def test_rows_that_users_pass_win(name):
    assert not stops_early(histograms(early_stopping=True), 10, {name: X})
    pipe = make_pipeline(StandardScaler(), xgboost(early_stopping_rounds=3))
    assert not stops_early(pipe, 10, {name: X})


def test_what_cannot_hand_rows_on_is_left_as_it_is():
    stopping = histograms(early_stopping=True)
    assert not stops_early(CalibratedClassifierCV(stopping), 10, {})
    resampling = Pipeline([("sampler", OverlapSampler()), ("last", stopping)])
    assert not stops_early(resampling, 10, {})
    assert not stops_early(Pipeline([("last", None)]), 10, {})


def test_each_library_has_its_own_arguments():
    def names(estimator, weights=None):
        return validation_arguments(estimator, X, Y, weights)

    assert names(histograms()) == {"X_val": X, "y_val": Y}
    assert names(histograms(), WEIGHTS)["sample_weight_val"] is WEIGHTS
    for estimator in (xgboost(), CodedClassifier(xgboost())):
        assert names(estimator) == {"eval_set": [(X, Y)], "verbose": False}
        assert names(estimator, WEIGHTS)["sample_weight_eval_set"] == [WEIGHTS]
    assert names(lightgbm()) == {"eval_set": [(X, Y)]}
    assert names(lightgbm(), WEIGHTS)["eval_sample_weight"] == [WEIGHTS]
    assert names(catboost()) == {"eval_set": (X, Y)}


def test_lightgbm_that_takes_no_pairs_gets_none():
    class Later(type(lightgbm())):
        def fit(self, X, y, eval_X=None, eval_y=None):
            """Do nothing."""

    found = validation_arguments(Later(), X, Y, None)
    assert list(found) == ["eval_X", "eval_y"]
    assert found["eval_X"] is X


def test_weights_of_catboost_are_in_a_pool():
    library = pytest.importorskip("catboost")
    estimator = library.CatBoostClassifier(cat_features=[0])
    rows = np.array([["a", 1], ["b", 2], ["a", 3]], dtype=object)
    pool = validation_arguments(estimator, rows, Y, WEIGHTS * 2)["eval_set"]
    assert_array_equal(pool.get_weight(), [2, 2, 2])
    assert pool.get_cat_feature_indices() == [0]

"""Laws of the detector with a weak regressor, whose confidence is no probability."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_friedman1
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import OverlapDetector, OverlapSampler
from sklearn_w2s._uncertainty import spread

NAN = float("nan")
N_LABELED = 100
COLUMNS = [0, 1, 2]
X, TRUTH = make_friedman1(300, n_features=6, random_state=0)
Y = np.where(np.arange(300) < N_LABELED, TRUTH, NAN)
FOREST = RandomForestRegressor(8, random_state=0)
FITTED = FOREST.fit(X[:N_LABELED, COLUMNS], TRUTH[:N_LABELED])
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning"
)


def detector(weak=None, **params):
    return OverlapDetector(
        LinearRegression() if weak is None else weak,
        weak_features=COLUMNS,
        random_state=0,
        **params,
    )


@pytest.mark.parametrize("confidence", ["auto", "residual", "distance"])
@pytest.mark.parametrize(("a", "b"), [(-7.0, 3.0), (0.01, 1e4)])
def test_regions_do_not_depend_on_the_unit_of_values(confidence, a, b):
    model = detector(confidence=confidence)
    first = model.fit(X, Y).regions_.copy()
    scores = model.confidence_.copy()
    assert_array_equal(model.fit(X, a * Y + b).regions_, first)
    factor = 1 if confidence == "distance" else abs(a)
    assert_allclose(model.confidence_, factor * scores, rtol=1e-6)


def test_confidence_is_the_error_of_neighbours_that_was_measured_held_out():
    error = np.where(X[:, 0] > 0.5, 5.0, 0.5)
    model = detector().fit(X, Y, weak_prediction=np.nan_to_num(Y + error))
    unsure = X[:, 0] > 0.6
    assert model.confidence_[unsure].max() < -3
    assert model.confidence_[X[:, 0] < 0.4].min() > -3


@pytest.mark.parametrize("confidence", ["residual", "distance"])
def test_a_label_of_weight_two_is_a_label_given_twice(confidence):
    weights = np.where(np.arange(300) % 3, 1.0, 2.0)
    twice = np.repeat(np.arange(300), weights.astype(int))
    told = TRUTH + np.sin(9 * X[:, 0])
    model = detector(confidence=confidence)
    weighted = model.fit(X, Y, weak_prediction=told, sample_weight=weights).confidence_
    repeated = model.fit(X[twice], Y[twice], weak_prediction=told[twice])
    assert_allclose(repeated.confidence_, weighted[twice])


def test_new_rows_are_judged_as_those_of_the_fit():
    model = detector().fit(X, Y)
    assert_array_equal(model.predict(X), model.regions_)
    assert_allclose(model.confidence_samples(X), model.confidence_)
    assert model.transform(X).shape == (300, 5)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))


def test_distance_grows_away_from_labels():
    model = detector(confidence="distance").fit(X, Y)
    near, far = X[:1].copy(), X[:1].copy()
    far[0, COLUMNS] += 10
    confidence = model.confidence_samples(np.vstack([near, far]))
    assert confidence[1] < confidence[0]


def test_the_spread_is_that_of_the_parts_of_an_ensemble():
    model = detector(FrozenEstimator(FITTED), confidence="spread").fit(X)
    trees = [tree.predict(X[:, COLUMNS]) for tree in FITTED.estimators_]
    assert_allclose(model.confidence_, -np.std(trees, axis=0))
    auto = detector(FrozenEstimator(FITTED)).fit(X, np.full(300, NAN))
    assert_array_equal(auto.confidence_, model.confidence_)


def test_the_spread_of_pipelines_feature_bags_and_bayesian_models():
    bags = BaggingRegressor(LinearRegression(), 5, max_features=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), bags).fit(X, TRUTH)
    scaled = pipeline[0].transform(X)
    said = [
        part.predict(scaled[:, own])
        for part, own in zip(
            pipeline[1].estimators_, pipeline[1].estimators_features_, strict=True
        )
    ]
    assert_allclose(spread(FrozenEstimator(pipeline), X), np.std(said, axis=0))
    bayes = BayesianRidge().fit(X, TRUTH)
    assert_allclose(spread(bayes, X), bayes.predict(X, return_std=True)[1])


def test_a_function_gets_the_weak_estimator_and_what_it_sees():
    def width(weak, rows):
        assert rows.shape[1] == len(COLUMNS)
        return -np.abs(weak.predict(rows))

    model = detector(confidence=width).fit(X, Y)
    expected = -np.abs(model.weak_estimator_.predict(X[:, COLUMNS]))
    assert_allclose(model.confidence_, expected)


def test_a_number_below_zero_is_a_value_whatever_the_marker():
    y = np.where(Y > 18, -1.0, Y)
    model = detector(missing_label=-1).fit(X, y)
    known = ~np.isnan(y)
    weak = LinearRegression().fit(X[known][:, COLUMNS], y[known])
    assert_allclose(model.weak_estimator_.coef_, weak.coef_)
    assert not hasattr(model, "classes_")


def test_batches_give_what_all_rows_give():
    model = detector(FrozenEstimator(FITTED), confidence="spread").fit(X, Y)
    whole = model.overlap_density_
    # Weak estimator and representation are those of the fit.
    model.partial_fit(X[:150]).partial_fit(X[150:])
    assert model.overlap_density_ == pytest.approx(whole)
    told = detector().partial_fit(X[:150], Y[:150], weak_prediction=TRUTH[:150])
    assert told.partial_fit(X[150:], weak_prediction=TRUTH[150:]).n_samples_seen_ == 300


@pytest.mark.parametrize(
    ("params", "fit", "message"),
    [
        ({"confidence": "margin"}, {}, "not defined for a regressor"),
        ({"overlap_measure": "agreement"}, {}, "classes"),
        ({"confidence": "spread"}, {}, "needs an ensemble"),
        ({}, {"weak_proba": np.full((300, 2), 0.5)}, "Pass weak_prediction"),
        (
            {},
            {"weak_proba": np.full((300, 2), 0.5), "weak_prediction": TRUTH},
            "Pass one of them",
        ),
    ],
)
def test_what_does_not_go_with_a_regressor_is_refused(params, fit, message):
    with pytest.raises(ValueError, match=message):
        detector(**params).fit(X, Y, **fit)


def test_what_does_not_go_with_a_classifier_or_without_labels_is_refused():
    with pytest.raises(ValueError, match="not defined for a classifier"):
        OverlapDetector(confidence="residual").fit(X, (TRUTH > 14).astype(int))
    with pytest.raises(ValueError, match="at least two labeled rows, but y labels 0"):
        detector(FrozenEstimator(FITTED), confidence="residual").fit(X)
    with pytest.raises(ValueError, match="only its predictions are given"):
        OverlapDetector(confidence="spread").fit(X, Y, weak_prediction=TRUTH)


@pytest.mark.parametrize("kind", ["array", "list", "pandas", "polars"])
def test_a_sampler_keeps_true_values_and_weak_ones(kind):
    y = np.floor(Y)
    y[:10] = -1
    given = y
    if kind == "list":
        given = [None if np.isnan(v) else int(v) for v in y]
    elif kind == "pandas":
        given = pd.Series(y).astype("Int64")
    elif kind == "polars":
        pl = pytest.importorskip("polars")
        given = pl.Series([None if np.isnan(v) else int(v) for v in y])
    sampler = OverlapSampler(detector(), regions=["easy", "overlap"])
    kept, values = sampler.fit_resample(X, given)
    found = sampler.overlap_detector_
    weak = found.weak_estimator_.predict(X[:, COLUMNS])
    rows = sampler.sample_indices_
    assert_array_equal(rows, np.flatnonzero((found.regions_ != "hard") | ~np.isnan(y)))
    assert_array_equal(kept, X[rows])
    expected = np.where(np.isnan(y), weak, y)[rows]
    assert_allclose(np.asarray(values, dtype=float), expected)
    if kind != "array":
        assert type(values) is type(given)

"""Selection of sources where labels are values, and not classes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_regressor
from sklearn.datasets import make_friedman1
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongRegressor

NAN = float("nan")
N_LABELED = 80
COLUMNS = [0, 1, 2]
X, TRUTH = make_friedman1(240, n_features=6, random_state=0)
Y = np.where(np.arange(240) < N_LABELED, TRUTH, NAN)
SOURCES = np.where(np.arange(240) % 2, "odd", "even")
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning"
)


def detector(**params):
    return OverlapDetector(LinearRegression(), weak_features=COLUMNS, **params)


def student():
    return WeakToStrongRegressor(
        LinearRegression(), Ridge(), weak_features=COLUMNS, strategy="all"
    )


def selector(estimator=None, found_by=None, **params):
    found_by = detector() if found_by is None else found_by
    return UCBSourceSelector(
        estimator, overlap_detector=found_by, budget=100, random_state=0, **params
    )


def test_a_regressor_learns_from_the_rows_that_were_drawn():
    model = selector(student()).fit(X, Y, sample_source=SOURCES)
    kept = model.sample_indices_
    assert len(kept) == N_LABELED + 100
    assert_allclose(model.predict(X), student().fit(X[kept], Y[kept]).predict(X))
    assert is_regressor(model)
    assert model.score(X, Y) == model.estimator_.score(X[:N_LABELED], Y[:N_LABELED])


def test_values_alone_select_where_the_detector_has_a_weak_regressor():
    model = selector().fit(X, Y, sample_source=SOURCES)
    assert sorted(model.ranking_) == ["even", "odd"]
    known = model.overlap_detector_.weak_estimator_
    assert_allclose(known.coef_, LinearRegression().fit(X[:80, COLUMNS], Y[:80]).coef_)


def test_the_default_detector_of_a_regressor_learns_values():
    model = UCBSourceSelector(student(), budget=100, random_state=0)
    model.fit(X, Y, sample_source=SOURCES)
    assert is_regressor(model.overlap_detector_.weak_estimator_)


@pytest.mark.parametrize("missing_label", [-1, NAN])
def test_a_number_below_zero_is_a_value_to_selectors(missing_label):
    y = np.floor(Y)
    y[:20] = -1
    model = selector(student(), missing_label=missing_label)
    model.fit(X, y, sample_source=SOURCES)
    weak = LinearRegression().fit(X[:N_LABELED, COLUMNS], y[:N_LABELED])
    assert_allclose(model.estimator_.weak_estimator_.coef_, weak.coef_)


def test_live_sources_give_rows_with_values_and_without():
    sources = {"told": (X[80:160], TRUTH[80:160]), "untold": X[160:]}
    model = selector(student()).fit_sources(sources, X[:80], Y[:80])
    _, y, names = model.drawn_samples()
    assert_array_equal(np.isnan(y), names == "untold")
    assert np.isin(y[names == "told"], TRUTH).all()
    assert np.isfinite(model.predict(X)).all()


def test_a_run_with_values_goes_on_from_its_checkpoint(tmp_path):
    sources = {"told": (X[80:160], TRUTH[80:160]), "untold": X[160:]}
    whole = selector(student()).fit_sources(sources, X[:80], Y[:80])
    params = {"checkpoint": tmp_path / "run"}
    first = selector(student(), n_rounds=2, **params)
    first.fit_sources(sources, X[:80], Y[:80])
    model = selector(student(), **params).fit_sources(sources, X[:80], Y[:80])
    assert_array_equal(model.history_["source"], whole.history_["source"])
    assert_array_equal(model.predict(X), whole.predict(X))


def test_a_detector_that_is_fitted_serves_either_kind():
    found_by = FrozenEstimator(detector().fit(X, Y))
    classes = np.where(np.arange(240) < N_LABELED, TRUTH > 14, -1)
    model = selector(LogisticRegression(), found_by)
    model.fit(X, (TRUTH > 14).astype(int), sample_source=SOURCES)
    assert model.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="learned missing_label=-1"):
        selector(LogisticRegression(), found_by).fit(X, classes)


@pytest.mark.parametrize(
    ("estimator", "found_by", "message"),
    [
        (student(), OverlapDetector(), "learns values, .* learns classes"),
        (LogisticRegression(), detector(), "learns classes, .* learns values"),
    ],
)
def test_an_estimator_and_a_detector_of_two_kinds_are_refused(
    estimator, found_by, message
):
    with pytest.raises(ValueError, match=message):
        selector(estimator, found_by).fit(X, Y, sample_source=SOURCES)

"""Rows are represented by a transformer that is taught by the weak labels."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_w2s._weak import WeakPredictor
from sklearn_w2s.overlap._representations import (
    REPRESENTATIONS,
    DeviationEncoder,
    Views,
)

N = 60


class Recorder(TransformerMixin, BaseEstimator):
    """Remembers what it was fitted with."""

    def fit(self, X, y=None, sample_weight=None):
        self.fitted_ = {"X": X, "y": y, "sample_weight": sample_weight}
        return self

    def transform(self, X):
        return X


class Unweighted(Recorder):
    def fit(self, X, y=None):
        return super().fit(X, y)


@pytest.fixture(scope="module")
def example():
    """Rows, weak probabilities of three classes and weights, some of them zero."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 4))
    proba = rng.dirichlet(np.ones(3), size=N)
    return X, proba, rng.integers(0, 3, size=N).astype(float)


def fitted(
    representation, X, proba, weights=None, *, weighted=False, columns=None, seeds=None
):
    predictor = WeakPredictor(None, columns, np.array(["a", "b", "c"]))
    weights = np.ones(len(proba)) if weights is None else weights
    views = Views(representation, predictor, "weak")
    return views.fit(X, proba, weights, weighted=weighted, seeds=seeds)


# What the representation learns from


def test_weak_labels_are_the_targets(example):
    X, proba, _ = example
    learned = fitted(Recorder(), X, proba).transformer.fitted_
    assert_array_equal(learned["X"], X)
    assert_array_equal(learned["y"], np.array(["a", "b", "c"])[proba.argmax(axis=1)])
    assert learned["sample_weight"] is None


def test_weights_reach_it_and_rows_of_weight_zero_do_not(example):
    X, proba, weights = example
    kept = weights > 0
    learned = fitted(Recorder(), X, proba, weights, weighted=True).transformer.fitted_
    assert_array_equal(learned["X"], X[kept])
    assert len(learned["y"]) == kept.sum()
    assert_array_equal(learned["sample_weight"], weights[kept])


def test_weights_that_it_does_not_take_are_kept_from_it(example):
    X, proba, weights = example
    for representation in (Unweighted(), make_pipeline(Unweighted(), PCA(2))):
        views = fitted(representation, X, proba, weights, weighted=True)
        assert views.represent(X).shape[0] == N


def test_weights_reach_every_step_of_a_pipeline_that_takes_them(example):
    X, proba, weights = example
    pipeline = make_pipeline(StandardScaler(), Unweighted(), Recorder())
    fitted_pipeline = fitted(pipeline, X, proba, weights, weighted=True).transformer
    expected = np.average(X, axis=0, weights=weights)
    assert_allclose(fitted_pipeline[0].mean_, expected)
    learned = fitted_pipeline[-1].fitted_
    assert_array_equal(learned["sample_weight"], weights[weights > 0])


def test_it_is_cloned_and_seeded(example):
    X, proba, _ = example
    representation = PCA(2, svd_solver="randomized")
    views = fitted(representation, X, proba, seeds=np.random.RandomState(0))
    assert not hasattr(representation, "components_")
    assert representation.random_state is None
    again = fitted(representation, X, proba, seeds=np.random.RandomState(0))
    assert_array_equal(views.represent(X), again.represent(X))
    assert views.transformer.random_state == again.transformer.random_state is not None


# How rows are represented


def test_by_default_they_are_deviations_from_the_typical_row(example):
    X, proba, _ = example
    views = fitted(None, X, proba)
    assert_array_equal(views.represent(X), DeviationEncoder().fit_transform(X))


def test_passed_through_numbers_are_as_they_are(example):
    X, proba, _ = example
    assert_array_equal(fitted("passthrough", X, proba).represent(X), X)


@pytest.mark.parametrize("representation", [None, "passthrough", "pca"])
def test_float32_stays(example, representation):
    X, proba, _ = example
    single = X.astype(np.float32)
    assert fitted(representation, single, proba).represent(single).dtype == np.float32
    assert fitted(representation, X, proba).represent(X).dtype == np.float64


@pytest.mark.parametrize("representation", [None, *REPRESENTATIONS])
def test_a_data_frame_of_mixed_columns_needs_no_preparation(example, representation):
    X, proba, _ = example
    frame = pd.DataFrame(X, columns=list("pqrs"))
    frame["colour"] = np.where(X[:, 0] > 0, "red", "blue")
    views = fitted(representation, frame, proba, seeds=np.random.RandomState(0))
    assert views.represent(frame).shape[0] == N


@pytest.mark.parametrize("representation", [None, "passthrough"])
def test_sparse_rows_stay_sparse(example, representation):
    X, proba, _ = example
    rows = sparse.csr_array(np.where(X > 0.5, X, 0))
    for given_rows in (rows, sparse.csr_matrix(rows)):
        represented = fitted(representation, given_rows, proba).represent(given_rows)
        assert represented.format == "csr"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_no_finite_numbers_are_refused(example, bad):
    X, proba, _ = example
    spoil = FunctionTransformer(lambda rows: np.where(rows > 1, bad, rows))
    views = fitted(spoil, X, proba)
    with pytest.raises(ValueError, match=r"Input representation\.transform"):
        views.represent(X)


def test_so_are_rows_of_one_number_only(example):
    X, proba, _ = example
    views = fitted(FunctionTransformer(lambda rows: rows[:, 0]), X, proba)
    with pytest.raises(ValueError, match="2D array"):
        views.represent(X)


# What the weak estimator sees


def test_the_weak_view_is_the_columns_of_the_weak_estimator(example):
    X, proba, _ = example
    rows, weak_rows = fitted("passthrough", X, proba, columns=[0, 2]).views(X, proba)
    assert_array_equal(rows, X)
    assert_array_equal(weak_rows, X[:, [0, 2]])


def test_or_its_probabilities_where_it_sees_every_column(example):
    X, proba, _ = example
    _, weak_rows = fitted("passthrough", X, proba).views(X, proba)
    assert_array_equal(weak_rows, proba[:, 1:])


def test_categories_of_the_weak_view_become_numbers(example):
    X, proba, _ = example
    frame = pd.DataFrame(X, columns=list("pqrs"))
    frame["colour"] = np.where(X[:, 0] > 0, "red", "blue")
    views = fitted(None, frame, proba, columns=["q", "colour"])
    _, weak_rows = views.views(frame, proba)
    assert weak_rows.shape == (N, 3)
    assert_array_equal(weak_rows[:, 1:].sum(axis=1), np.ones(N))

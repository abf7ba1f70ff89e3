import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils.metadata_routing import MetadataRouter

from sklearn_w2s._delegation import (
    PREDICTIONS,
    PredictionDelegate,
    prediction_mapping,
    take_labeled,
)

X = np.linspace(-1, 1, 8)[:, None]
Y = (X[:, 0] > 0).astype(int)


class Host(PredictionDelegate, ClassifierMixin, BaseEstimator):
    """A meta-estimator that does nothing but delegate."""

    _predicting_part = "inner"

    def __init__(self, inner=None, missing_label=-1):
        self.inner = inner
        self.missing_label = missing_label

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        self.inner_ = self._unfitted_part().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def _unfitted_part(self):
        return LogisticRegression() if self.inner is None else self.inner

    def get_metadata_routing(self):
        router = MetadataRouter(owner=self)
        return router.add(
            inner=self._unfitted_part(), method_mapping=prediction_mapping()
        )


@pytest.mark.parametrize("method", PREDICTIONS)
def test_predictions_are_those_of_the_part(method):
    host = Host().fit(X, Y)
    expected = getattr(LogisticRegression().fit(X, Y), method)(X)
    assert_array_equal(getattr(host, method)(X), expected)


def test_methods_are_those_of_the_part():
    available = [m for m in PREDICTIONS if hasattr(Host(LinearSVC()), m)]
    assert available == ["predict", "decision_function"]
    # A fitted part decides, whatever the parameter says by now.
    fitted = Host().fit(X, Y).set_params(inner=LinearSVC())
    assert hasattr(fitted, "predict_proba")


@pytest.mark.parametrize("method", PREDICTIONS)
def test_what_is_not_fitted_does_not_predict(method):
    with pytest.raises(NotFittedError):
        getattr(Host(), method)(X)


@pytest.mark.parametrize("method", PREDICTIONS)
def test_rows_are_checked_at_the_door(method):
    host = Host().fit(X, Y)
    with pytest.raises(ValueError, match="Host is expecting 1 features"):
        getattr(host, method)(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="Reshape your data"):
        getattr(host, method)(np.zeros(2))


class Noted(LogisticRegression):
    """A classifier that takes a note in its predictions."""

    def predict(self, X, note=None):
        return np.full(len(X), note)


def test_metadata_reach_the_part_with_routing_only():
    host = Host(Noted()).fit(X, Y)
    with pytest.raises(TypeError, match=r"Host.predict got unexpected .*\['note'\]"):
        host.predict(X, note="n")
    with config_context(enable_metadata_routing=True):
        host = Host(Noted().set_predict_request(note=True)).fit(X, Y)
        assert set(host.predict(X, note="n")) == {"n"}
        with pytest.raises(TypeError, match="nonsense"):
            host.predict(X, nonsense=1)


def test_every_prediction_is_mapped_to_itself():
    pairs = [(pair.caller, pair.callee) for pair in prediction_mapping("fit")]
    assert pairs == [(method, method) for method in ("fit", *PREDICTIONS)]


@pytest.mark.parametrize("convert", [np.array, list])
def test_labeled_rows_are_taken(convert):
    y = convert([0, -1, 1, -1, -1, 1, 1, 0])
    rows, labels, positions = take_labeled(Host().fit(X, Y), X, y)
    assert_array_equal(positions, [0, 2, 5, 6, 7])
    assert_array_equal(labels, [0, 1, 1, 1, 0])
    assert_array_equal(rows, X[positions])


def test_a_marker_that_is_a_class_marks_no_row():
    host = Host().fit(X, np.where(Y, 1, -1))
    _, labels, positions = take_labeled(host, X, np.full(8, -1))
    assert len(positions) == 8
    assert set(labels) == {-1}


def test_lengths_have_to_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        take_labeled(Host().fit(X, Y), X, Y[:-1])

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator

from sklearn_w2s._sklearn import (
    check_weights,
    raise_for_params,
    routing_enabled,
)

X = np.zeros((3, 1))


@pytest.mark.parametrize(
    ("sample_weight", "expected"),
    [
        (None, [1, 1, 1]),
        (2, [2, 2, 2]),
        ([0, 1, 2], [0, 1, 2]),
        (np.array([1, 0, 0], dtype=np.float32), [1, 0, 0]),
    ],
)
def test_weights_are_floats_one_per_row(sample_weight, expected):
    weights = check_weights(sample_weight, X)
    assert weights.dtype == np.float64
    assert_array_equal(weights, expected)


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([0, 0, 0], "at least one non-zero number"),
        ([1, -1, 1], "Negative values in data passed to `sample_weight`"),
        ([1, np.nan, 1], "contains NaN"),
        ([1, np.inf, 1], "contains infinity"),
        ([1, 1], r"sample_weight.shape == \(2,\)"),
        ([[1], [1], [1]], "1D"),
    ],
)
def test_invalid_weights_are_refused(sample_weight, message):
    with pytest.raises(ValueError, match=message):
        check_weights(sample_weight, X)


def test_metadata_are_refused_only_where_nothing_routes_them():
    raise_for_params({}, BaseEstimator(), "fit")
    with pytest.raises(TypeError, match=r"BaseEstimator.fit got .*\['a', 'b'\]. To pa"):
        raise_for_params({"b": 1, "a": 2}, BaseEstimator(), "fit")
    with config_context(enable_metadata_routing=True):
        assert routing_enabled()
        raise_for_params({"a": 2}, BaseEstimator(), "fit")
    assert not routing_enabled()

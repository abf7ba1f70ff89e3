"""Weighted quantiles invert the weighted distribution function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.quantile import weighted_quantile

weighted_values = st.lists(
    st.tuples(st.floats(-10, 10), st.integers(0, 4)), min_size=1, max_size=20
).filter(lambda pairs: any(weight for _, weight in pairs))
shares = st.integers(0, 32).map(lambda i: i / 32)


@given(pairs=weighted_values, q=shares)
def test_it_equals_the_inverted_cdf_of_the_repeated_values(pairs, q):
    values, weights = map(np.array, zip(*pairs, strict=True))
    repeated = np.repeat(values, weights)
    expected = np.quantile(repeated, q, method="inverted_cdf")
    assert weighted_quantile(values, q, weights) == expected


@given(pairs=weighted_values, q=shares)
def test_the_scale_of_the_weights_does_not_matter(pairs, q):
    values, weights = map(np.array, zip(*pairs, strict=True))
    once = weighted_quantile(values, q, weights)
    assert weighted_quantile(values, q, weights / 7) == once


@given(pairs=weighted_values)
def test_it_rises_with_the_share_from_least_to_largest(pairs):
    values, weights = map(np.array, zip(*pairs, strict=True))
    quantiles = [weighted_quantile(values, q, weights) for q in np.linspace(0, 1, 9)]
    assert quantiles == sorted(quantiles)
    present = values[weights > 0]
    assert (quantiles[0], quantiles[-1]) == (present.min(), present.max())


def test_a_share_that_misses_by_rounding_is_reached():
    weights = [0.1] * 10
    assert weighted_quantile(range(10), 0.3, weights) == 2


def test_weights_of_half_precision_are_summed_in_double():
    values = range(6000)
    weights = np.tile([1, 2], 3000).astype(np.float16)
    assert weighted_quantile(values, 0.75, weights) == 4499


@pytest.mark.parametrize("q", [0.0, 0.5, 1.0])
def test_the_quantile_of_one_value_is_that_value(q):
    assert weighted_quantile([2.5], q, [0.1]) == 2.5

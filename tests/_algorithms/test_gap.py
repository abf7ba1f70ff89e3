"""The share of the gap is linear between weak and ceiling, and NaN without a gap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.gap import recovered_share

score = st.floats(-1, 1)
# Gaps of rounding size would only test floating point.
gap = st.floats(0.01, 1)


@given(weak=score, size=gap, share=st.floats(-2, 2))
def test_it_finds_the_share_that_was_put_in(weak, size, share):
    recovered = recovered_share(weak, weak + share * size, weak + size)
    assert recovered == pytest.approx(share, abs=1e-9)


@given(weak=score, size=gap, strong=score, scale=gap, shift=score)
def test_units_do_not_matter(weak, size, strong, scale, shift):
    scores = np.array([weak, strong, weak + size])
    assert recovered_share(*(scale * scores + shift)) == pytest.approx(
        recovered_share(*scores), rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("ceiling", [0.6, 0.5, np.nan])
def test_without_a_gap_it_is_nan(ceiling):
    assert np.isnan(recovered_share(0.6, 0.7, ceiling))


def test_scores_broadcast():
    shares = recovered_share(0.5, [[0.5], [1.0]], [0.75, 1.0, 0.25])
    expected = [[0, 0, np.nan], [2, 1, np.nan]]
    np.testing.assert_array_equal(shares, expected)


def test_scores_are_compared_in_double_precision():
    scores = np.array([0.6, 0.7, 0.9], dtype=np.float32)
    assert recovered_share(*scores) == recovered_share(*scores.astype(np.float64))

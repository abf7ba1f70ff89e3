"""The threshold splits scores in two groups; it depends on nothing but them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.change_point import change_point

# Sixteenths are exact, so that shifts and weighted repetitions round nowhere.
scores = st.lists(st.integers(-160, 160).map(lambda i: i / 16), min_size=2, max_size=30)


def split(values, weights=None):
    return np.asarray(values) < change_point(values, weights)


def test_two_clusters_are_parted_midway():
    assert change_point([0.1, 0.2, 0.9, 1.0]) == pytest.approx(0.55)


@pytest.mark.parametrize(
    "values", [[], [3.0], [0.0, 0.0], [0.1 + 0.2, 0.3], [-5.0] * 50]
)
def test_equal_scores_have_no_change_point(values):
    assert change_point(values) is None


def test_scores_of_zero_weight_do_not_exist():
    assert change_point([0, 1, 5, 99], [1, 1, 1, 0]) == change_point([0, 1, 5])
    assert change_point([0, 1], [1, 0]) is None
    assert change_point([0, 1], [0, 0]) is None


@given(values=scores)
def test_the_threshold_leaves_rows_on_both_sides_and_is_no_score_below(values):
    threshold = change_point(values)
    if threshold is None:
        assert len(set(values)) == 1
    else:
        assert min(values) < threshold <= max(values)


def test_neighbouring_floats_are_parted():
    assert split([0.0, 5e-324, 5e-324]).tolist() == [True, False, False]


def test_ties_between_thresholds_go_to_the_smallest():
    assert change_point([0, 1, 2]) == 0.5


def test_a_large_offset_does_not_blur_the_split():
    values = np.r_[np.linspace(0, 1e-3, 50), np.linspace(5e-3, 6e-3, 70)]
    assert split(1e8 + values).sum() == 50


def test_the_input_is_left_as_it_was():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.0])
    values.flags.writeable = weights.flags.writeable = False
    change_point(values, weights)
    assert values.tolist() == [3, 1, 2]
    assert weights.tolist() == [1, 2, 0]

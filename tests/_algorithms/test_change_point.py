"""The threshold splits scores in two groups; it depends on nothing but them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s._algorithms import change_point as module
from sklearn_w2s._algorithms.change_point import best_break, change_point

# Sixteenths are exact, so that shifts and weighted repetitions round nowhere.
scores = st.lists(st.integers(-160, 160).map(lambda i: i / 16), min_size=2, max_size=30)
LARGEST = np.finfo(float).max


def split(values, weights=None):
    return np.asarray(values) < change_point(values, weights)


def test_two_clusters_are_parted_midway():
    assert change_point([0.1, 0.2, 0.9, 1.0]) == pytest.approx(0.55)


@pytest.mark.parametrize(
    "values", [[], [3.0], [0.0, 0.0], [0.1 + 0.2, 0.3], [-5.0] * 50]
)
def test_equal_scores_have_no_change_point(values):
    assert change_point(values) is None


def weighted_squares(group, weights):
    return weights @ (group - np.average(group, weights=weights)) ** 2


@pytest.mark.parametrize("seed", range(10))
def test_the_weighted_split_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.beta(*rng.uniform(0.3, 3, 2), size=rng.integers(3, 40)))
    weights = rng.uniform(0.1, 3, size=len(values))
    squares = [
        weighted_squares(values[:n], weights[:n])
        + weighted_squares(values[n:], weights[n:])
        for n in range(1, len(values))
    ]
    assert split(values, weights).sum() == 1 + np.argmin(squares)


@pytest.mark.parametrize("weights", [[1, 1, 1e-20, 1], [1, 1e-20, 1, 1]])
def test_equal_scores_never_part_however_little_one_weighs(weights):
    assert change_point([0.0, 0.1, 0.1, 1.0], weights) == 0.55


def test_scores_of_zero_weight_do_not_exist():
    assert change_point([], []) is None
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


@given(values=scores, size=st.integers(1, 40))
def test_the_size_of_the_blocks_does_not_matter(values, size):
    expected = change_point(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", size)
        assert change_point(values) == expected


@pytest.mark.parametrize("levels", [50, 10**6])
@pytest.mark.parametrize("seed", range(5))
def test_many_blocks_are_split_as_the_closed_form_of_all_at_once(seed, levels):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, size=100_000) ** rng.uniform(0.3, 3)
    ordered = np.sort(values)
    below = np.arange(1, len(values))
    sums = np.cumsum(ordered - ordered.mean())[:-1]
    gain = sums**2 * (1 / below + 1 / below[::-1])
    assert split(values).sum() == below[np.argmax(gain)]


@given(values=scores, weight=st.sampled_from([5e-324, 0.3, 1.0, 7.0, LARGEST]))
def test_weights_that_are_all_equal_are_no_weights(values, weight):
    weights = [weight] * len(values)
    assert change_point(values, weights) == change_point(values)


def test_ties_across_blocks_go_to_the_smallest_threshold(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 2)
    assert change_point(np.repeat([0, 1, 2], 4)) == 0.5
    assert change_point([0] * 9 + [1]) == 0.5


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 1.0, 2.0]])
@pytest.mark.parametrize("scale", [5e-324, 1e-200, 1e200, LARGEST])
@pytest.mark.parametrize("signs", [[-1, -1, 1, 1], [-1, 0, 0, 0], [0, 0, 0, 1]])
def test_no_magnitude_overflows_or_vanishes(signs, scale, weights):
    is_low = np.array(signs) == min(signs)
    assert_array_equal(split(np.array(signs) * scale, weights), is_low)


@pytest.mark.parametrize("smallest", [1e-300, 1e-40, 1e-20])
def test_scores_of_next_to_no_weight_do_not_move_the_threshold(smallest):
    values = [0.0, 0.01, 0.9, 1.0, 1.3]
    weights = np.array([1.0, 2.0, 2.0, 1.0, smallest])
    assert change_point(values, weights) == change_point(values[:4], weights[:4])
    assert change_point(values[::-1], weights[::-1]) == change_point(values, weights)


@pytest.mark.parametrize("factor", [1e-300, LARGEST])
def test_weights_may_be_as_small_and_as_large_as_numbers_are(factor):
    values, weights = [0.0, 0.1, 0.9, 1.0], np.array([1.0, 0.5, 1.0, 0.5])
    assert change_point(values, weights * factor) == change_point(values, weights)


@pytest.mark.parametrize("heaviest", [1, 3])
def test_an_offset_far_from_the_spread_keeps_the_split(heaviest):
    rng = np.random.default_rng(0)
    values = np.r_[rng.uniform(0, 1, 40_000), rng.uniform(1.2, 3, 30_000)]
    weights = rng.integers(1, heaviest + 1, size=len(values))
    exact = np.round(values * 2**10) / 2**10
    assert split(exact + 2.0**40, weights).sum() == split(exact, weights).sum()


@pytest.mark.parametrize("heaviest", [1, 3])
def test_half_precision_is_summed_in_double(heaviest):
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=6000).astype(np.float16)
    weights = rng.integers(1, heaviest + 1, size=6000).astype(np.float16)
    expected = change_point(values.tolist(), weights.tolist())
    assert change_point(values, weights) == expected


# Breaks at given places


@given(data=st.data(), ordered=st.lists(st.floats(0, 1), min_size=3).map(sorted))
def test_the_best_of_some_breaks_explains_the_values_best(data, ordered):
    assume(change_point(ordered) is not None)
    all_places = range(1, len(ordered))
    places = data.draw(st.lists(st.sampled_from(all_places), min_size=1).map(sorted))
    x = np.array(ordered)
    squares = [x[:k].var() * k + x[k:].var() * (len(x) - k) for k in places]
    found = best_break(x, places)
    assert found in places
    assert squares[places.index(found)] == pytest.approx(min(squares), abs=1e-9)


def test_of_breaks_that_are_equally_good_it_is_the_last():
    assert best_break([0.0, 1.0, 2.0], [1, 2]) == 2
    assert best_break([0.0, 1.0, 2.0], [1]) == 1

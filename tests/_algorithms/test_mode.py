"""The mode is where values are densest; it depends on nothing but them."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.mode import half_sample_mode

# Sixteenths are exact, so that shifts and weighted repetitions round nowhere.
numbers = st.integers(-160, 160).map(lambda i: i / 16)
values = st.lists(numbers, min_size=1, max_size=30)
counts = st.lists(st.integers(0, 4), min_size=30, max_size=30).filter(lambda c: c[0])


def mode(values, weights=None):
    return half_sample_mode(
        values, np.ones(len(values)) if weights is None else weights
    )


@given(values=values)
def test_it_is_one_of_the_values(values):
    assert mode(values) in values


@given(values=values, atom=numbers, seed=st.integers(0, 99))
def test_a_value_of_most_rows_is_found_wherever_it_lies(values, atom, seed):
    shared = [*values, *[atom] * (len(values) + 1)]
    assert mode(np.random.default_rng(seed).permutation(shared)) == atom


@pytest.mark.parametrize("atom", [0.0, 0.1, 0.4, 1.0])
def test_so_is_a_value_that_a_fifth_of_the_rows_share_amid_others(atom):
    spread = np.random.default_rng(0).uniform(size=800)
    assert mode(np.r_[spread, [atom] * 200]) == atom


def halved_by_trying_all(values, weights):
    mass = dict.fromkeys(sorted(values), 0)
    for x, weight in zip(values, weights, strict=True):
        mass[x] += weight
    points = [x for x in mass if mass[x]]
    while len(points) > 1:
        half = sum(mass[x] for x in points) / 2
        _, low, high = min(
            (high - low, low, high)
            for low, high in combinations_with_replacement(points, 2)
            if sum(mass[x] for x in points if low <= x <= high) >= half
        )
        points = [x for x in points if low <= x <= high]
    return points[0]


@given(values=values.map(lambda x: x[:12]), weights=counts)
def test_it_halves_as_trying_all_intervals_does(values, weights):
    weights = weights[: len(values)]
    assert mode(values, weights) == halved_by_trying_all(values, weights)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 1.5, 5, 9], 1), ([0, 5, 5.5, 9], 5), ([0, 4, 8, 9], 8)],
)
def test_the_shortest_half_is_kept_wherever_it_lies(values, expected):
    assert mode(values) == expected


def test_exactly_half_of_the_weight_is_enough():
    # The upper two weigh 3 of 6.
    assert mode([0.0, 2.5, 4.0, 4.5], [1, 2, 2, 1]) == 4


@given(values=values, weights=counts)
def test_a_weight_counts_repetitions_and_zero_removes_a_value(values, weights):
    weights = weights[: len(values)]
    assert mode(values, weights) == mode(np.repeat(values, weights))


@given(
    values=values, weights=counts, factor=st.sampled_from([1e-300, 0.1, 1 / 3, 1e300])
)
def test_only_ratios_of_weights_matter(values, weights, factor):
    weights = np.array(weights[: len(values)])
    assert mode(values, weights * factor) == mode(values, weights)


@pytest.mark.parametrize("seed", range(30))
def test_sums_that_round_change_nothing(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=200), rng.integers(1, 9, size=200)
    for factor in (0.1, 0.7, 1 / 3):
        assert mode(values, weights * factor) == mode(values, weights)


@given(values=values, weights=counts, seed=st.integers(0, 99))
def test_the_order_does_not_matter(values, weights, seed):
    order = np.random.default_rng(seed).permutation(len(values))
    x, w = np.array(values), np.array(weights[: len(values)])
    assert mode(x[order], w[order]) == mode(x, w)


@given(
    values=values, shift=numbers, scale=st.sampled_from([2.0**-30, 0.5, 3.0, 2.0**30])
)
def test_it_moves_and_grows_with_the_values(values, shift, scale):
    moved = np.array(values) * scale + shift * scale
    assert mode(moved) == (mode(values) + shift) * scale


@pytest.mark.parametrize("seed", range(5))
def test_it_lies_near_the_peak_of_a_skew_distribution(seed):
    sample = np.random.default_rng(seed).lognormal(sigma=1.0, size=20_000)
    # The density of log-normal values is largest at exp(-sigma^2); the median is 1.
    assert mode(sample) == pytest.approx(np.exp(-1), abs=0.2)


def test_outliers_do_not_move_it():
    sample = np.random.default_rng(0).normal(size=500)
    outliers = np.r_[sample, [1e300] * 100]
    assert abs(mode(outliers)) < 1


def test_of_two_values_the_heavier_is_taken_and_the_lower_of_equals():
    assert mode([0.0, 1.0], [1, 2]) == 1
    assert mode([0.0, 1.0], [2, 1]) == 0
    assert mode([1.0, 0.0]) == 0
    assert mode([5.0]) == 5


def test_equal_gaps_go_to_the_lower_interval():
    assert mode([0.0, 1.0, 2.0, 3.0]) == mode([0.0, 1.0])


@pytest.mark.parametrize("kind", [np.float16, object])
def test_numbers_of_any_type_are_compared_in_double_precision(kind):
    # In half precision both pairs would be two apart.
    values = np.array([-1, 1 + 2**-10, 10, 12]).astype(kind)
    assert mode(values, np.array([2, 2, 2, 2]).astype(kind)) == 10
    assert mode(values, np.array([3, 2, 3, 2]).astype(kind)) == 10


def test_the_input_is_left_as_it_was():
    x, w = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.0])
    x.flags.writeable = w.flags.writeable = False
    mode(x, w)
    assert x.tolist() == [3, 1, 2]

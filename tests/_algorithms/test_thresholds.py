"""Thresholds part scores in two, and a mode is where they are densest."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.optimize import brentq
from scipy.stats import norm

from sklearn_w2s._algorithms import thresholds
from sklearn_w2s._algorithms.thresholds import (
    best_break,
    change_point,
    half_sample_mode,
    mixture_threshold,
    weighted_quantile,
)

# Change point


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


def test_the_scores_are_left_as_they_were():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.0])
    values.flags.writeable = weights.flags.writeable = False
    change_point(values, weights)
    assert values.tolist() == [3, 1, 2]
    assert weights.tolist() == [1, 2, 0]


@given(values=scores, size=st.integers(1, 40))
def test_the_size_of_the_blocks_does_not_matter(values, size):
    expected = change_point(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thresholds, "_BLOCK", size)
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
    monkeypatch.setattr(thresholds, "_BLOCK", 2)
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


# Mixture: groups of unequal size and spread, where a change point cuts one


seeds = st.integers(0, 10**6)


def two_groups(seed, n=(900, 100), mean=(0.0, 3.0), spread=(0.1, 0.7)):
    rng = np.random.default_rng(seed)
    groups = zip(mean, spread, n, strict=True)
    return np.concatenate([rng.normal(*group) for group in groups])


def threshold(x, weights=None, start=None):
    weights = np.ones(len(x)) if weights is None else weights
    return mixture_threshold(
        x, weights, change_point(x, weights) if start is None else start
    )


# Groups are parted


@given(seed=seeds, narrow=st.floats(0.02, 0.3), share=st.floats(0.1, 0.5))
def test_groups_of_unequal_size_and_spread_are_parted(seed, narrow, share):
    n_upper = int(1000 * share)
    x = two_groups(seed, (1000 - n_upper, n_upper), (0, 4), (narrow, 0.7))
    found = threshold(x)
    assert 3 * narrow < found < 4 - 1.5 * 0.7
    assert ((x < found) == (np.arange(1000) < 1000 - n_upper)).mean() > 0.99


@pytest.mark.parametrize("seed", range(5))
def test_where_a_change_point_cuts_the_wider_group(seed):
    x = two_groups(seed, (500, 500), (0, 4), (0.02, 1.3))
    wide = x[500:]
    assert (wide < change_point(x)).mean() > 2 * (wide < threshold(x)).mean()
    assert (x[:500] < threshold(x)).all()


def test_many_values_are_parted_where_the_densities_cross():
    share, mean, spread = (0.8, 0.2), (0, 3), (0.5, 1.0)
    x = two_groups(0, (80_000, 20_000), mean, spread)

    def excess(t):
        return share[0] * norm.pdf(t, mean[0], spread[0]) - share[1] * norm.pdf(
            t, mean[1], spread[1]
        )

    assert threshold(x) == pytest.approx(brentq(excess, *mean), abs=0.03)


def test_groups_of_equal_size_and_spread_are_parted_midway():
    lower = norm.ppf((np.arange(500) + 0.5) / 500)
    x = np.r_[lower, 8 - lower]
    assert threshold(x) == pytest.approx(4, abs=1e-6)


def test_a_group_of_equal_values_has_a_likelihood():
    x = np.r_[np.zeros(100), np.random.default_rng(0).uniform(0.3, 1, size=200)]
    # Values within a hundredth of the range belong to it.
    assert 0.01 < threshold(x) <= 0.3


def test_a_value_at_the_start_belongs_to_the_upper_part():
    assert threshold(np.array([0.0, 1.0]), start=1.0) == pytest.approx(0.5)


def test_one_group_is_halved_where_it_is_symmetric_though_the_fit_never_settles():
    x = norm.ppf((np.arange(500) + 0.5) / 500)
    assert threshold(x, start=0.0) == pytest.approx(0, abs=1e-9)


@given(seed=seeds, start=st.floats(0.5, 2.5))
def test_of_clear_groups_the_start_does_not_matter(seed, start):
    x = two_groups(seed, (700, 300))
    assert threshold(x, start=start) == pytest.approx(threshold(x), abs=1e-3)


# It depends on nothing but the values


@given(seed=seeds)
def test_a_weight_counts_repetitions_of_a_value_of_the_mixture(seed):
    x = two_groups(seed, (150, 50))
    weights = np.random.default_rng(seed).integers(0, 4, size=200)
    start = change_point(x, weights)
    repeated = threshold(np.repeat(x, weights), start=start)
    assert threshold(x, weights, start) == pytest.approx(repeated, rel=1e-6)


def test_outliers_of_no_weight_do_not_exist():
    x = two_groups(0, (150, 50))
    weights = np.r_[np.ones(200), 0, 0]
    assert threshold(np.r_[x, -1e6, 1e6], weights, 1.5) == threshold(x, start=1.5)


@given(seed=seeds)
def test_the_order_of_the_mixed_values_does_not_matter(seed):
    x = np.round(two_groups(seed, (150, 50)), 1)
    rng = np.random.default_rng(seed)
    weights, order = rng.uniform(size=200), rng.permutation(200)
    shuffled = threshold(x[order], weights[order], start=1.5)
    assert shuffled == pytest.approx(threshold(x, weights, start=1.5), rel=1e-6)


@given(
    seed=seeds,
    scale=st.sampled_from([1e-200, 1e-6, 0.3, 7.0, 1e200]),
    shift=st.sampled_from([-100.0, 0.0, 3.0, 1e8]),
)
def test_the_threshold_moves_and_grows_with_the_values(seed, scale, shift):
    x = two_groups(seed, (150, 50))
    found = threshold((x + shift) * scale, start=(1.5 + shift) * scale)
    expected = threshold(x, start=1.5)
    assert found / scale - shift == pytest.approx(expected, abs=1e-4)


@given(seed=seeds, factor=st.sampled_from([1e-300, 0.3, 1e308]))
def test_the_threshold_depends_on_ratios_of_weights_only(seed, factor):
    x = two_groups(seed, (150, 50))
    weights = np.random.default_rng(seed).uniform(size=200)
    scaled = threshold(x, weights * factor, start=1.5)
    assert scaled == pytest.approx(threshold(x, weights, start=1.5), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_merging_many_values_moves_it_little(seed, monkeypatch):
    x = two_groups(seed, (15_000, 5_000))
    weights = np.random.default_rng(seed).uniform(size=20_000)
    merged = threshold(x, weights)
    monkeypatch.setattr(thresholds, "_MOST_GROUPS", 10**6)
    exact = threshold(x, weights)
    between = (np.minimum(merged, exact) <= x) & (x < np.maximum(merged, exact))
    assert merged == pytest.approx(exact, abs=0.01)
    assert weights[between].sum() <= weights.sum() / 1000


def test_values_of_a_group_count_as_their_mean(monkeypatch):
    x = np.array([0.0, 0.4, 3.0, 3.3, 3.7, 4.0, 5.0])
    weights = np.array([5.0, 2, 2, 2, 2, 2, 1])
    means = np.array([0.8 / 7, 3.15, 3.85, 5.0])
    expected = threshold(means, np.array([7.0, 4, 4, 1]), start=1.5)
    # Sixteen in all: a group ends where the sum of the weights passes 4, 8 or 12.
    monkeypatch.setattr(thresholds, "_MOST_GROUPS", 4)
    assert threshold(x, weights, start=1.5) == pytest.approx(expected)


def test_as_many_values_as_groups_are_not_merged(monkeypatch):
    x = two_groups(0, (150, 50))
    weights = np.random.default_rng(0).uniform(size=200)
    expected = threshold(x, weights, start=1.5)
    monkeypatch.setattr(thresholds, "_MOST_GROUPS", 200)
    assert threshold(x, weights, start=1.5) == expected


def test_half_precision_is_computed_in_double():
    x = two_groups(0).astype(np.float16)
    weights = np.random.default_rng(0).uniform(0.1, 1, size=1000).astype(np.float16)
    expected = threshold(x.astype(float), weights.astype(float), start=1.5)
    assert threshold(x, weights, start=1.5) == expected


def test_the_values_are_left_as_they_were():
    x, weights = two_groups(0), np.ones(1000)
    expected = x.copy()
    x.flags.writeable = weights.flags.writeable = False
    threshold(x, weights)
    assert x.tolist() == expected.tolist()


# Where there are no two groups


@pytest.mark.parametrize("n_upper", [1, 2, 9])
def test_outliers_are_no_group(n_upper):
    x = np.r_[np.random.default_rng(0).normal(size=10_000), [50.0] * n_upper]
    assert threshold(x, start=20.0) == 20


@pytest.mark.parametrize("seed", range(5))
def test_values_that_merge_into_one_are_left_where_they_started(seed):
    rng = np.random.default_rng(seed)
    weights = np.r_[1e9, rng.uniform(size=5000)]
    assert threshold(np.arange(5001.0), weights, start=2000.0) == 2000


@pytest.mark.parametrize("start", [-0.1, 0.05, 0.7])
def test_parts_that_merge_are_left_where_they_started(start):
    normal = norm.ppf((np.arange(500) + 0.5) / 500)
    assert threshold(np.r_[0.1 * normal, 3 * normal], start=start) == start


@given(x=st.lists(st.integers(-50, 50), min_size=2, max_size=30), seed=seeds)
def test_it_is_the_start_or_between_the_values(x, seed):
    start = change_point(x)
    if start is None:
        return
    weights = np.random.default_rng(seed).integers(1, 5, size=len(x))
    found = threshold(x, weights, start)
    assert found == start or min(x) < found < max(x)


# Quantile: the inverse of the weighted distribution function


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


# Mode


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


def test_the_mode_changes_no_value():
    x, w = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.0])
    x.flags.writeable = w.flags.writeable = False
    mode(x, w)
    assert x.tolist() == [3, 1, 2]

"""The threshold parts groups of unequal size and spread where a change point cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from sklearn_w2s._algorithms.change_point import change_point
from sklearn_w2s._algorithms.mixture import mixture_threshold

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
def test_a_weight_counts_repetitions_and_zero_removes_a_value(seed):
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
def test_the_order_does_not_matter(seed):
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
def test_it_moves_and_grows_with_the_values(seed, scale, shift):
    x = two_groups(seed, (150, 50))
    found = threshold((x + shift) * scale, start=(1.5 + shift) * scale)
    expected = threshold(x, start=1.5)
    assert found / scale - shift == pytest.approx(expected, abs=1e-4)


@given(seed=seeds, factor=st.sampled_from([1e-300, 0.3, 1e308]))
def test_only_ratios_of_weights_matter(seed, factor):
    x = two_groups(seed, (150, 50))
    weights = np.random.default_rng(seed).uniform(size=200)
    scaled = threshold(x, weights * factor, start=1.5)
    assert scaled == pytest.approx(threshold(x, weights, start=1.5), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_merging_many_values_moves_it_little(seed, monkeypatch):
    x = two_groups(seed, (15_000, 5_000))
    weights = np.random.default_rng(seed).uniform(size=20_000)
    merged = threshold(x, weights)
    monkeypatch.setattr("sklearn_w2s._algorithms.mixture._MOST_GROUPS", 10**6)
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
    monkeypatch.setattr("sklearn_w2s._algorithms.mixture._MOST_GROUPS", 4)
    assert threshold(x, weights, start=1.5) == pytest.approx(expected)


def test_as_many_values_as_groups_are_not_merged(monkeypatch):
    x = two_groups(0, (150, 50))
    weights = np.random.default_rng(0).uniform(size=200)
    expected = threshold(x, weights, start=1.5)
    monkeypatch.setattr("sklearn_w2s._algorithms.mixture._MOST_GROUPS", 200)
    assert threshold(x, weights, start=1.5) == expected


def test_half_precision_is_computed_in_double():
    x = two_groups(0).astype(np.float16)
    weights = np.random.default_rng(0).uniform(0.1, 1, size=1000).astype(np.float16)
    expected = threshold(x.astype(float), weights.astype(float), start=1.5)
    assert threshold(x, weights, start=1.5) == expected


def test_the_input_is_left_as_it_was():
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

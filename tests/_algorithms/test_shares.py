"""Intervals of shares are Wilson's; weights and errors of a test are undone."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.special import ndtri
from scipy.stats import binomtest

from sklearn_w2s._algorithms.shares import (
    apportion,
    corrected_share,
    effective_size,
    normal_posterior,
    paired_difference,
    share_interval,
)

LARGEST = np.finfo(float).max
some_weights = st.lists(st.integers(0, 9), min_size=1, max_size=20).filter(any)


# Wilson's interval


@given(
    n=st.integers(1, 500),
    k=st.integers(0, 500),
    level=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_it_is_the_interval_that_scipy_has(n, k, level):
    k = min(k, n)
    expected = binomtest(k, n).proportion_ci(level, method="wilson")
    interval = share_interval(k / n, n, ndtri((1 + level) / 2))
    assert interval == pytest.approx(tuple(expected), abs=1e-12)


@given(share=st.floats(0, 1), n=st.floats(1, 1e9), z=st.floats(0.1, 5))
def test_it_holds_the_share_and_stays_among_shares(share, n, z):
    low, high = share_interval(share, n, z)
    assert 0 <= low <= share <= high <= 1


@given(share=st.floats(0, 1), n=st.floats(1, 1e6))
def test_the_share_of_the_others_has_the_mirror_image(share, n):
    low, high = share_interval(share, n, 1.96)
    mirrored = share_interval(1 - share, n, 1.96)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_it_shrinks_to_the_share_with_the_number_of_rows(share):
    widths = [np.diff(share_interval(share, n, 1.96))[0] for n in (1, 10, 100, 1e12)]
    assert widths == sorted(widths, reverse=True)
    assert share_interval(share, 1e12, 1.96) == pytest.approx((share, share), abs=1e-5)


@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_share_that_never_or_always_occurred_is_not_certain(n):
    low, high = share_interval(0.0, n, 1.96)
    assert (low, high) == pytest.approx((0, 1.96**2 / (n + 1.96**2)), abs=1e-15)
    low, high = share_interval(1.0, n, 1.96)
    assert low < 0.9
    assert high == 1


@pytest.mark.parametrize("n", range(1, 30))
def test_rounding_moves_no_end_away_from_zero_or_one(n):
    assert share_interval(0.0, n, 1.96)[0] == 0
    assert share_interval(1.0, n, 1.96)[1] == 1


# Weights


@given(n=st.integers(1, 50), weight=st.sampled_from([1e-300, 0.3, 7.0, LARGEST]))
def test_equal_weights_are_worth_every_row(n, weight):
    assert effective_size([weight] * n) == pytest.approx(n)


def test_weights_are_summed_in_double_precision():
    weights = np.random.default_rng(0).random(50, dtype=np.float32)
    assert effective_size(weights) == effective_size(weights.astype(np.float64))


@given(weights=some_weights)
def test_no_row_is_worth_more_than_one_and_rows_of_weight_zero_nothing(weights):
    counted = np.count_nonzero(weights)
    size = effective_size(weights)
    assert 1 - 1e-12 <= size <= counted + 1e-12
    assert effective_size([*weights, 0]) == pytest.approx(size)


@given(weights=some_weights, times=st.integers(1, 5))
def test_rows_given_again_count_again(weights, times):
    expected = times * effective_size(weights)
    assert effective_size(weights * times) == pytest.approx(expected)


def test_the_variance_of_a_weighted_share_is_that_of_so_many_rows():
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=50)
    shares = (rng.uniform(size=(20_000, 50)) < 0.3) @ weights / weights.sum()
    assert 0.3 * 0.7 / shares.var() == pytest.approx(effective_size(weights), rel=0.05)


# Errors of a test


@given(share=st.floats(0, 1), found=st.floats(0.5, 1), mistaken=st.floats(0, 0.4))
def test_errors_of_known_rates_are_undone(share, found, mistaken):
    observed = share * found + (1 - share) * mistaken
    assert corrected_share(observed, found, mistaken) == pytest.approx(share, abs=1e-12)


@given(share=st.floats(0, 1))
def test_a_perfect_test_is_believed(share):
    assert corrected_share(share, 1, 0) == share


def test_what_errors_alone_explain_is_no_share():
    assert corrected_share(0.01, 0.9, 0.05) == 0
    assert corrected_share(0.99, 0.9, 0.05) == 1


@given(st.floats(0, 1), st.floats(0, 0.9), st.floats(0.05, 1))
def test_the_share_inverts_what_the_detector_mixes(rate, fall_out, gap):
    sensitivity = min(fall_out + gap, 1)
    mixed = sensitivity * rate + fall_out * (1 - rate)
    assert corrected_share(mixed, sensitivity, fall_out) == pytest.approx(
        rate, abs=1e-12
    )


@given(st.lists(st.floats(0, 1) | st.just(np.inf), min_size=1))
def test_a_perfect_test_changes_no_bound(bounds):
    assert_array_equal(corrected_share(bounds, 1, 0, most=np.inf), bounds)


def test_fewer_found_than_mistaken_is_a_rate_of_zero():
    assert_array_equal(corrected_share([0, 0.05, 0.1], [0.9], [0.1]), [0, 0, 0])


# Pairs of classifiers on the same rows


hits = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def test_difference_is_that_of_accuracies_and_swaps_sign():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 50)) < [[0.8], [0.5]]
    weights = rng.random(50)
    difference, error = paired_difference(first, second, weights)
    accuracies = [np.average(h, weights=weights) for h in (first, second)]
    assert difference == pytest.approx(accuracies[0] - accuracies[1])
    assert paired_difference(second, first, weights) == pytest.approx(
        (-difference, error)
    )


def test_four_rows_are_compared_as_by_hand():
    # Shares of 2/4 and 0, which count as 5/12 and 1/12 of 6 rows.
    difference, error = paired_difference([1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1])
    assert difference == 0.5
    assert error == pytest.approx(np.sqrt((1 / 2 - 1 / 9) / 6))


def test_hits_may_be_numbers_and_weights_of_any_precision():
    rng = np.random.default_rng(0)
    first, second = rng.integers(2, size=(2, 30))
    weights = rng.random(30, dtype=np.float32)
    assert paired_difference(1.0 * first, 1.0 * second, weights) == paired_difference(
        first == 1, second == 1, weights.astype(np.float64)
    )


@given(hits)
def test_few_rows_without_a_difference_are_no_certainty(pairs):
    first, second = np.array(pairs).T
    difference, error = paired_difference(first, second, np.ones(len(pairs)))
    assert -1 <= difference <= 1
    assert error > 0


@given(hits, st.floats(1e-3, 1e3))
def test_only_relative_weights_matter(pairs, scale):
    first, second = np.array(pairs).T
    ones = np.ones(len(pairs))
    assert paired_difference(first, second, scale * ones) == pytest.approx(
        paired_difference(first, second, ones)
    )


def test_rows_of_weight_zero_are_no_rows():
    first, second = np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0])
    kept = np.array([1, 1, 0, 0])
    assert paired_difference(first, second, kept) == pytest.approx(
        paired_difference(first[:2], second[:2], [1, 1])
    )


def test_interval_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(0)
    shares = [0.5, 0.15, 0.05, 0.3]  # both right, first only, second only, none
    n_covered = 0
    for _ in range(2000):
        kind = rng.choice(4, size=60, p=shares)
        difference, error = paired_difference(kind < 2, kind % 2 == 0, np.ones(60))
        n_covered += abs(difference - 0.1) <= 1.96 * error
    assert 0.93 <= n_covered / 2000 <= 0.97


def test_precise_estimates_count_more():
    estimates = [[0.0], [1.0]], [[[1.0]], [[0.25]]]
    mean, covariance = normal_posterior([np.eye(1)] * 2, *estimates)
    assert mean == pytest.approx([0.8])
    assert covariance == pytest.approx(np.array([[1 / (1 + 4)]]))


def test_scores_that_are_known_stay_as_they_are():
    known, unsure = np.diag([1e-9, 1e-9]), np.array([[1.0]])
    mean, _ = normal_posterior(
        [np.eye(2), [[1.0, -1.0]]], [[0.3, 0.1], [5.0]], [known, unsure]
    )
    assert mean == pytest.approx([0.3, 0.1], abs=1e-6)


def test_a_contrast_moves_both_scores_apart_alike():
    mean, _ = normal_posterior(
        [np.eye(2), [[1.0, -1.0]]], [[0.0, 0.0], [1.0]], [np.eye(2), np.eye(1)]
    )
    assert mean == pytest.approx([1 / 3, -1 / 3])


def test_estimates_may_be_of_half_precision():
    rng = np.random.default_rng(0)
    contrasts = rng.normal(size=(2, 3, 3)).astype(np.float16)
    means = rng.normal(size=(2, 3)).astype(np.float16)
    covariances = np.stack([np.diag([1, 2, 3]), np.eye(3)]).astype(np.float16)
    estimates = contrasts, means, covariances
    doubles = [part.astype(np.float64) for part in estimates]
    for half, double in zip(
        normal_posterior(*estimates), normal_posterior(*doubles), strict=True
    ):
        assert_array_equal(half, double)


def test_an_estimate_without_covariance_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        normal_posterior([np.eye(1)] * 2, [[0.0], [1.0]], [np.eye(1)])


@given(hits, st.integers(1, 4))
def test_a_row_judged_several_times_alike_is_one_row(pairs, times):
    first, second = np.array(pairs).T
    rows = np.arange(len(pairs))
    repeated = [np.repeat(values, times) for values in (first, second, rows)]
    weights = np.ones(len(pairs) * times)
    assert paired_difference(*repeated[:2], weights, repeated[2]) == pytest.approx(
        paired_difference(first, second, np.ones(len(pairs)))
    )


# Whole rows


@given(
    quotas=st.lists(st.integers(0, 1000), min_size=1, max_size=8),
    part=st.integers(0, 100),
)
def test_quotas_are_rounded_to_their_sum(quotas, part):
    quotas = np.array(quotas) * part / 100
    counts = apportion(quotas)
    assert abs(counts.sum() - quotas.sum()) <= 0.5 + 1e-6
    assert (np.abs(counts - quotas) < 1).all()


def test_the_largest_remainders_are_rounded_up_and_of_equals_the_first():
    assert apportion([1.2, 0.5, 2.3]).tolist() == [1, 1, 2]
    assert apportion([0.5, 1.5, 0.5, 0.5]).tolist() == [1, 2, 0, 0]


@given(
    parts=st.lists(st.integers(1, 20), min_size=1, max_size=6), n=st.integers(0, 300)
)
def test_ties_are_those_of_exact_fractions(parts, n):
    exact = [Fraction(n * part, sum(parts)) for part in parts]
    counts = [int(quota) for quota in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: n - sum(counts)]:
        counts[i] += 1
    assert apportion(n * (np.array(parts) / sum(parts))).tolist() == counts


def test_products_that_are_whole_but_for_rounding_are_whole():
    assert apportion([0.29 * 100, 0.71 * 100]).tolist() == [29, 71]
    assert apportion([0.29 * 50, 0.71 * 50]).tolist() == [15, 35]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s._algorithms.pairs import normal_posterior, paired_difference

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

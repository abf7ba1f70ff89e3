import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.bandit import (
    anytime_level,
    fair_share_level,
    kl_ucb_bounds,
    kl_ucb_ceiling,
    kl_ucb_index,
    next_arm,
    paper_index,
    reference_index,
    success_rate,
    ucb1_index,
    ucb_tuned_index,
    unseen_factor,
)

levels = st.floats(0, 40)


@st.composite
def arms(draw):
    drawn = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=6))
    found = [draw(st.integers(0, n)) for n in drawn]
    return np.array(found), np.array(drawn)


def bernoulli_kl(p, q):
    terms = [a * np.log(a / b) for a, b in ((p, q), (1 - p, 1 - q)) if a > 0]
    return sum(terms)


# The published indices


def test_paper_and_reference_index_equal_the_hand_computed_numbers():
    assert paper_index([30], [100], [4], 50)[0] == pytest.approx(1.6986, abs=5e-5)
    assert reference_index([30], [100], [4], 50)[0] == pytest.approx(0.9993, abs=5e-5)


def test_after_one_round_the_paper_and_the_reference_index_are_equal():
    # sqrt(2 log 50) = 2.797149.
    for index in (paper_index, reference_index):
        assert index([1], [2], [1], 50)[0] == pytest.approx(0.5 + 2.797149)


def test_ucb1_index_equals_the_hand_computed_number():
    assert ucb1_index([3], [10], 100)[0] == pytest.approx(0.3 + 0.4798526)


def test_ucb_tuned_index_equals_the_hand_computed_numbers():
    # log 2000 = 7.60090: with 10 of 1,000 found the variance is at most
    # 0.0099 + sqrt(0.0152018) = 0.1331955; with 3 of 10 the quarter is less.
    index = ucb_tuned_index([10, 3], [1000, 10], 2000)
    assert index == pytest.approx([0.01 + 0.0318183, 0.3 + 0.4359157], abs=1e-6)


@given(arms(), st.integers(1, 10**6), st.floats(0, 10))
def test_ucb_tuned_is_never_above_the_bound_of_the_largest_variance(counts, t, alpha):
    found, drawn = counts
    tuned = ucb_tuned_index(found, drawn, t, alpha)
    largest = found / drawn + alpha * np.sqrt(np.log(t) / drawn / 4)
    assert (tuned >= found / drawn).all()
    assert (tuned <= largest + 1e-12).all()
    assert (tuned <= ucb1_index(found, drawn, t, alpha) + 1e-12).all()


# The kl bound


def test_kl_ucb_of_no_success_is_known_in_closed_form():
    # kl(0, q) = -log(1 - q), so that q = 1 - exp(-level / n).
    n, level = np.array([1, 10, 500]), np.array([0.5, 6.9, 20])
    expected = 1 - np.exp(-level / n)
    assert_allclose(kl_ucb_index([0, 0, 0], n, level), expected, atol=1e-9)


def test_a_rate_exactly_on_the_boundary_is_not_ruled_out():
    assert kl_ucb_index([0], [1], np.log(2)) == 0.5


@given(arms(), levels)
def test_kl_ucb_lies_on_the_boundary_of_its_confidence_set(counts, level):
    found, drawn = counts
    index = kl_ucb_index(found, drawn, level)
    for s, n, q in zip(found, drawn, index, strict=True):
        if s < n:
            assert bernoulli_kl(s / n, q - 1e-9) <= level / n + 1e-12
            at_the_end = q > 1 - 1e-9
            assert at_the_end or bernoulli_kl(s / n, q + 1e-9) >= level / n - 1e-12
        else:
            assert q == 1


@given(arms(), levels)
def test_kl_ucb_lies_between_the_rate_and_one(counts, level):
    found, drawn = counts
    index = kl_ucb_index(found, drawn, level)
    assert (index >= found / drawn).all()
    assert (index <= 1).all()


@given(arms(), levels, st.sampled_from([1, 3, np.inf]))
def test_one_minus_the_index_of_the_failures_is_a_lower_bound(counts, level, times):
    found, drawn = counts
    pool = times * drawn
    low = 1 - kl_ucb_index(drawn - found, drawn, level, pool)
    high = kl_ucb_index(found, drawn, level, pool)
    assert (low >= 0).all()
    assert (low <= found / drawn + 1e-12).all()
    assert (found / drawn <= high).all()


@given(arms(), st.integers(2, 10**6))
def test_kl_ucb_at_log_t_is_never_above_ucb1(counts, t):
    kl = kl_ucb_index(*counts, np.log(t))
    assert (kl <= ucb1_index(*counts, t) + 1e-9).all()


@given(st.integers(1, 50), levels, st.data())
def test_kl_ucb_falls_with_the_rows_drawn_at_the_same_rate(n, level, data):
    s = data.draw(st.integers(0, n - 1))
    multiples = np.arange(1, 40)
    pool = data.draw(st.sampled_from([np.inf, 39 * n, 100 * n]))
    index = kl_ucb_index(s * multiples, n * multiples, level, pool)
    assert (np.diff(index) < 1e-9).all()


def test_kl_ucb_tends_to_the_rate():
    n = np.array([1e2, 1e4, 1e6, 1e8, 1e10])
    radius = kl_ucb_index(0.3 * n, n, np.log(1e10)) - 0.3
    assert (np.diff(radius) < 0).all()
    assert radius[-1] < 1e-4


@given(arms(), levels, levels)
def test_kl_ucb_grows_with_its_level(counts, one, other):
    low, high = sorted([one, other])
    assert (kl_ucb_index(*counts, low) <= kl_ucb_index(*counts, high)).all()


@given(arms())
def test_kl_ucb_at_the_level_zero_is_the_rate(counts):
    found, drawn = counts
    assert_allclose(kl_ucb_index(found, drawn, 0), found / drawn, atol=1e-9)


@given(arms(), levels)
def test_nothing_is_uncertain_once_all_rows_are_drawn(counts, level):
    found, drawn = counts
    index = kl_ucb_index(found, drawn, level, pool=drawn)
    assert_allclose(index, found / drawn, atol=1e-12)


@given(arms(), levels)
def test_a_finite_pool_never_raises_kl_ucb(counts, level):
    found, drawn = counts
    finite = kl_ucb_index(found, drawn, level, pool=3 * drawn)
    assert (finite <= kl_ucb_index(found, drawn, level) + 1e-12).all()


@given(st.integers(1, 1000))
def test_unseen_factor_falls_from_one_to_zero(size):
    factor = unseen_factor(np.arange(1, size + 1), size)
    assert factor[-1] == 0
    assert size == 1 or factor[0] == 1
    assert (np.diff(factor) <= 1e-12).all()


def test_unseen_factor_equals_the_hand_computed_numbers():
    # (1 - n / N)(1 + 1 / n) is the smaller one from n = N / 2 on: 0.2 * 9 / 8 at 8.
    assert unseen_factor([1, 2, 4, 8, 10], 10) == pytest.approx([1, 0.9, 0.7, 0.225, 0])


def test_an_endless_pool_leaves_the_radius_alone():
    assert_array_equal(unseen_factor([1, 10**9], np.inf), [1, 1])


# Levels


@given(st.integers(1, 20), st.integers(1, 10**6), st.data())
def test_the_fair_share_level_is_zero_from_the_even_share_on(n_arms, t, data):
    drawn = data.draw(st.integers(1, 2 * t))
    level = fair_share_level(t, [drawn], n_arms)[0]
    assert level == 0 if n_arms * drawn >= t else level > 0


def test_the_fair_share_level_equals_the_hand_computed_number():
    # 900 rows of 3 arms are 300 for each: the arm with 100 lacks a factor of 3.
    level = fair_share_level(900, [100, 300, 500], 3)
    assert level == pytest.approx([1.0986123, 0, 0])


@given(st.integers(1, 100), st.integers(1, 20))
def test_the_fair_share_level_approaches_log_t(drawn, n_arms):
    times = np.array([1e4, 1e8, 1e100, 1e300])
    ratios = [fair_share_level(t, [drawn], n_arms)[0] / np.log(t) for t in times]
    assert (np.diff(ratios) >= -1e-15).all()
    assert 0.98 < ratios[-1] <= 1


@given(st.integers(1, 30), st.floats(1e-6, 0.999))
def test_errors_of_all_arms_sides_and_rounds_add_up_to_delta(n_arms, delta):
    # 1 / m(m + 1) sums to 1 - 1 / (M + 1) over M rounds.
    n_rounds = 1000
    m = np.arange(1, n_rounds + 1)
    errors = 2 * n_arms * np.exp(-anytime_level(m, n_arms, delta)).sum()
    assert errors == pytest.approx(delta * (1 - 1 / (n_rounds + 1)))
    assert errors < delta


# Rates


def test_success_rate_is_nan_where_nothing_was_drawn():
    assert_array_equal(success_rate([0, 1, 1], [0, 1, 2]), [np.nan, 1, 0.5])


# Arms without rows, and the choice


@pytest.mark.parametrize(
    "index",
    [
        lambda found, drawn: kl_ucb_index(found, drawn, 3),
        lambda found, drawn: ucb1_index(found, drawn, 10),
        lambda found, drawn: ucb_tuned_index(found, drawn, 10),
        lambda found, drawn: paper_index(found, drawn, [0, 1], 10),
        lambda found, drawn: reference_index(found, drawn, [0, 1], 10),
    ],
)
def test_an_arm_never_drawn_comes_first(index):
    values = index([0, 10], [0, 10])
    assert values[0] == np.inf
    assert np.isfinite(values[1])


@pytest.mark.parametrize("t", [0, 1])
@pytest.mark.parametrize("index", [ucb1_index, ucb_tuned_index])
def test_without_time_there_is_no_bonus(index, t):
    assert_array_equal(index([1, 1], [1, 2], t), [1, 0.5])


def test_the_next_arm_has_the_largest_index_of_the_available():
    assert next_arm([0.1, 0.9, 0.5], [1, 1, 1], [True, True, True]) == 1
    assert next_arm([0.1, 0.9, 0.5], [1, 1, 1], [True, False, True]) == 2


def test_ties_go_to_the_fewest_rows_drawn_then_to_the_first():
    assert next_arm([0.5, 0.5, 0.5], [64, 32, 32], [True, True, True]) == 1
    assert next_arm([np.inf, np.inf], [0, 0], [True, True]) == 0


def test_an_exhausted_arm_is_not_chosen_whatever_its_index():
    assert next_arm([np.nan, -np.inf], [0, 5], [False, True]) == 1


def test_rows_left_tell_that_an_arm_is_available():
    assert next_arm([0.9, 0.5, 0.1], [1, 1, 1], [0, 2, 4]) == 1


# Precision


@pytest.mark.parametrize("kind", [np.uint8, np.float16, object])
@pytest.mark.parametrize(
    "compute",
    [
        lambda found, drawn, _: success_rate(found, drawn),
        lambda _, drawn, pool: unseen_factor(drawn, pool),
        lambda _, drawn, __: fair_share_level(5000.0, drawn, 3),
        lambda found, drawn, pool: kl_ucb_index(found, drawn, found, pool),
        lambda _, drawn, __: ucb1_index([3, 30, 99], drawn, 300),
        lambda found, drawn, _: ucb_tuned_index(found, drawn, 300),
        lambda found, drawn, n_pulls: paper_index(found, drawn, n_pulls, 50),
        lambda found, drawn, n_pulls: reference_index(found, drawn, n_pulls, 50),
        lambda _, drawn, __: anytime_level(drawn, 3, 0.05),
    ],
)
def test_counts_of_any_type_are_computed_in_double_precision(compute, kind):
    counts = np.array([[3, 30, 99], [10, 100, 200], [230, 240, 250]])
    values = compute(*counts.astype(kind))
    assert values.dtype == np.float64
    assert_array_equal(values, compute(*counts.astype(float)))


# Bounds on the index


@given(arms(), levels, st.integers(0, 9_999), st.integers(0, 4))
def test_quick_bounds_hold_the_index_and_every_step_narrows_them(
    counts, level, n_left, n_steps
):
    found, drawn = counts
    for pool in (np.inf, drawn + n_left):
        index = kl_ucb_index(found, drawn, level, pool)
        low, high = kl_ucb_bounds(found, drawn, level, pool, n_steps)
        narrower = kl_ucb_bounds(found, drawn, level, pool, n_steps + 1)
        assert (low <= index).all()
        assert (index <= high).all()
        assert (index <= kl_ucb_ceiling(found, drawn, level)).all()
        assert (low - 1e-12 <= narrower[0]).all()
        assert (narrower[1] <= high + 1e-12).all()


def test_three_steps_find_the_index_itself():
    found, drawn = np.array([3, 30, 900, 5]), np.array([10, 100, 1_000, 1_000])
    low, high = kl_ucb_bounds(found, drawn, np.log(200), n_steps=3)
    index = kl_ucb_index(found, drawn, np.log(200))
    assert_allclose(low, index, atol=1e-3)
    assert_allclose(high, index, atol=1e-6)


def test_nothing_bounds_an_arm_that_was_never_drawn():
    assert_array_equal(kl_ucb_bounds([0], [0], 1.0), np.full((2, 1), np.inf))
    assert kl_ucb_ceiling([0], [0], 1.0) == np.inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.bandit import (
    kl_ucb_index,
    next_arm,
    paper_index,
    reference_index,
    success_rate,
    ucb1_index,
    unseen_factor,
)


@st.composite
def arms(draw):
    drawn = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=6))
    found = [draw(st.integers(0, n)) for n in drawn]
    t = draw(st.integers(sum(drawn), 1_000_000))
    return np.array(found), np.array(drawn), t


def bernoulli_kl(p, q):
    terms = [a * np.log(a / b) for a, b in ((p, q), (1 - p, 1 - q)) if a > 0]
    return sum(terms)


def test_paper_and_reference_index_equal_the_hand_computed_numbers():
    assert paper_index([30], [100], [4], 50)[0] == pytest.approx(1.6986, abs=5e-5)
    assert reference_index([30], [100], [4], 50)[0] == pytest.approx(0.9993, abs=5e-5)


def test_ucb1_index_equals_the_hand_computed_number():
    assert ucb1_index([3], [10], 100)[0] == pytest.approx(0.3 + 0.4798526)


def test_kl_ucb_of_no_success_is_known_in_closed_form():
    # kl(0, q) = -log(1 - q), so that q = 1 - t ** (-1 / n).
    n = np.array([1, 10, 500])
    expected = 1 - 1000.0 ** (-1 / n)
    assert_allclose(kl_ucb_index([0, 0, 0], n, 1000), expected, atol=1e-9)


@given(arms())
def test_kl_ucb_lies_on_the_boundary_of_its_confidence_set(counts):
    found, drawn, t = counts
    index = kl_ucb_index(found, drawn, t)
    for s, n, q in zip(found, drawn, index, strict=True):
        if s < n:
            level = np.log(t) / n
            assert bernoulli_kl(s / n, q - 1e-9) <= level + 1e-12
            assert q > 1 - 1e-9 or bernoulli_kl(s / n, q + 1e-9) >= level - 1e-12
        else:
            assert q == 1


@given(arms(), st.floats(0, 10))
def test_kl_ucb_lies_between_the_rate_and_one(counts, alpha):
    found, drawn, t = counts
    index = kl_ucb_index(found, drawn, t, alpha)
    assert (index >= found / drawn).all()
    assert (index <= 1).all()


@given(arms())
def test_kl_ucb_is_never_above_ucb1(counts):
    assert (kl_ucb_index(*counts) <= ucb1_index(*counts) + 1e-9).all()


@given(st.integers(1, 50), st.data())
def test_kl_ucb_falls_with_the_rows_drawn_at_the_same_rate(n, data):
    s = data.draw(st.integers(0, n - 1))
    multiples = np.arange(1, 40)
    pool = data.draw(st.sampled_from([np.inf, 39 * n, 100 * n]))
    index = kl_ucb_index(s * multiples, n * multiples, 1e5, pool=pool)
    assert (np.diff(index) < 1e-9).all()


def test_kl_ucb_tends_to_the_rate():
    n = np.array([1e2, 1e4, 1e6, 1e8, 1e10])
    radius = kl_ucb_index(0.3 * n, n, 1e10) - 0.3
    assert (np.diff(radius) < 0).all()
    assert radius[-1] < 1e-4


def test_kl_ucb_grows_with_time_and_with_alpha():
    times = [kl_ucb_index([3], [10], t)[0] for t in (10, 100, 1000)]
    alphas = [kl_ucb_index([3], [10], 100, alpha)[0] for alpha in (0, 0.5, 1, 2)]
    assert_array_equal(times, np.sort(times))
    assert_array_equal(alphas, np.sort(alphas))
    assert alphas[0] == pytest.approx(0.3, abs=1e-12)


@given(arms())
def test_nothing_is_uncertain_once_all_rows_are_drawn(counts):
    found, drawn, t = counts
    index = kl_ucb_index(found, drawn, t, pool=drawn)
    assert_allclose(index, found / drawn, atol=1e-12)


@given(arms())
def test_a_finite_pool_never_raises_kl_ucb(counts):
    found, drawn, t = counts
    finite = kl_ucb_index(found, drawn, t, pool=3 * drawn)
    assert (finite <= kl_ucb_index(found, drawn, t) + 1e-12).all()


@given(st.integers(1, 1000))
def test_unseen_factor_falls_from_one_to_zero(size):
    factor = unseen_factor(np.arange(1, size + 1), size)
    assert factor[-1] == 0
    assert size == 1 or factor[0] == 1
    assert (np.diff(factor) <= 1e-12).all()


def test_an_endless_pool_leaves_the_radius_alone():
    assert_array_equal(unseen_factor([1, 10**9], np.inf), [1, 1])


@pytest.mark.parametrize(
    "index",
    [
        lambda found, drawn: kl_ucb_index(found, drawn, 10),
        lambda found, drawn: ucb1_index(found, drawn, 10),
        lambda found, drawn: paper_index(found, drawn, [0, 1], 10),
        lambda found, drawn: reference_index(found, drawn, [0, 1], 10),
    ],
)
def test_an_arm_never_drawn_comes_first(index):
    values = index([0, 10], [0, 10])
    assert values[0] == np.inf
    assert np.isfinite(values[1])


@pytest.mark.parametrize("t", [0, 1])
def test_without_time_there_is_no_bonus(t):
    assert kl_ucb_index([1], [2], t)[0] == 0.5
    assert ucb1_index([1], [2], t)[0] == 0.5


def test_success_rate_is_nan_where_nothing_was_drawn():
    assert_array_equal(success_rate([0, 1], [0, 2]), [np.nan, 0.5])


def test_the_next_arm_has_the_largest_index_of_the_available():
    assert next_arm([0.1, 0.9, 0.5], [1, 1, 1], [True, True, True]) == 1
    assert next_arm([0.1, 0.9, 0.5], [1, 1, 1], [True, False, True]) == 2


def test_ties_go_to_the_fewest_rows_drawn_then_to_the_first():
    assert next_arm([0.5, 0.5, 0.5], [64, 32, 32], [True, True, True]) == 1
    assert next_arm([np.inf, np.inf], [0, 0], [True, True]) == 0


def test_an_exhausted_arm_is_not_chosen_whatever_its_index():
    assert next_arm([np.nan, -np.inf], [0, 5], [False, True]) == 1

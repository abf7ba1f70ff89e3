"""Class shares are matched by factors alone, and views that are independent add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.priors import combine_views, matching_factors, reweigh


@st.composite
def problems(draw):
    """Draw probabilities that are certain of nothing, and a prior for them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n_classes = draw(st.integers(2, 5))
    proba = rng.dirichlet(np.full(n_classes, 2.0), size=draw(st.integers(1, 20)))
    return proba, rng.dirichlet(np.full(n_classes, 2.0))


# Matching factors


@given(problem=problems())
def test_the_shares_become_the_prior(problem):
    proba, prior = problem
    factors = matching_factors(proba, prior, n_steps=300)
    assert factors.sum() == pytest.approx(1)
    assert_allclose(reweigh(proba, factors).mean(axis=0), prior, atol=1e-4)


def test_the_default_number_of_steps_is_enough_for_probabilities_in_between():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([3, 1, 1], size=200)
    prior = np.array([0.1, 0.3, 0.6])
    shares = reweigh(proba, matching_factors(proba, prior)).mean(axis=0)
    assert_allclose(shares, prior, atol=1e-3)


def test_without_a_number_thirty_steps_are_taken():
    proba, prior = [[0.9999, 0.0001], [0.99, 0.01]], [0.3, 0.7]
    in_thirty = matching_factors(proba, prior, n_steps=30)
    assert_array_equal(matching_factors(proba, prior), in_thirty)
    assert (matching_factors(proba, prior, n_steps=31) != in_thirty).any()


@given(problem=problems())
def test_shares_that_match_already_need_no_factors(problem):
    proba, _ = problem
    factors = matching_factors(proba, proba.mean(axis=0))
    assert_allclose(factors, 1 / len(factors))


def test_rows_of_equal_chances_get_the_prior_itself():
    factors = matching_factors(np.full((4, 3), 1 / 3), [0.5, 0.3, 0.2])
    assert_allclose(factors, [0.5, 0.3, 0.2])


@pytest.mark.parametrize("n_steps", [0, 1, 2, 5])
def test_a_step_for_rows_of_equal_chances_leaves_a_fifth_of_the_way(n_steps):
    prior = np.array([0.5, 0.3, 0.2])
    factors = matching_factors(np.full((4, 3), 1 / 3), prior, n_steps=n_steps)
    expected = prior ** (1 - 0.2**n_steps)
    assert_allclose(factors, expected / expected.sum())


def test_a_shift_of_the_prior_is_found():
    """Bayes: under other class shares the odds change by the ratio of the shares."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(100_000) < 0.2, rng.normal(1, 1, 100_000), 0)
    x = np.where(x == 0, rng.normal(-1, 1, 100_000), x)
    # Trained at equal shares; one row in five is of the second class now.
    second = 1 / (1 + np.exp(-2 * x))
    factors = matching_factors(np.c_[1 - second, second], [0.8, 0.2])
    assert factors[1] / factors[0] == pytest.approx(0.2 / 0.8, rel=0.05)


@given(problem=problems(), k=st.integers(0, 1))
def test_a_class_of_prior_zero_has_factor_zero(problem, k):
    proba, prior = problem
    prior[k] = 0
    prior /= prior.sum()
    factors = matching_factors(proba, prior, n_steps=300)
    assert factors[k] == 0
    assert_allclose(reweigh(proba, factors).mean(axis=0), prior, atol=1e-4)


@given(
    codes=st.lists(st.integers(0, 2), min_size=1, max_size=8),
    prior=st.sampled_from(
        [[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5], [1e-300, 1e-9, 1]]
    ),
    n_steps=st.sampled_from([0, 1, 30, 500]),
)
def test_rows_that_are_certain_never_make_factors_that_are_none(codes, prior, n_steps):
    proba = np.eye(3)[codes]
    factors = matching_factors(proba, prior, n_steps=n_steps)
    assert np.isfinite(factors).all()
    assert (factors >= 0).all()
    assert factors.sum() == pytest.approx(1)
    assert np.isfinite(reweigh(proba, factors)).all()


def test_a_class_that_no_row_can_be_does_not_disturb_the_others():
    proba = np.array([[0.5, 0.5, 0.0]] * 4)
    factors = matching_factors(proba, [0.2, 0.6, 0.2], n_steps=100)
    assert factors[1] / factors[0] > 1
    assert np.isfinite(factors).all()
    assert_allclose(reweigh(proba, factors)[:, 2], 0)


# Reweighing


@given(problem=problems(), scale=st.sampled_from([1e-200, 0.3, 1e200]))
def test_rows_stay_distributions_and_the_scale_of_factors_is_forgotten(problem, scale):
    proba, factors = problem
    reweighed = reweigh(proba, factors)
    assert_allclose(reweighed.sum(axis=1), 1)
    assert_allclose(reweigh(proba, factors * scale), reweighed)


@given(problem=problems())
def test_odds_are_multiplied_by_the_ratio_of_factors(problem):
    proba, factors = problem
    reweighed = reweigh(proba, factors)
    assert_allclose(
        reweighed[:, 1] / reweighed[:, 0],
        proba[:, 1] / proba[:, 0] * factors[1] / factors[0],
    )


@given(problem=problems())
def test_factors_are_undone_by_their_inverse_and_follow_one_another(problem):
    proba, factors = problem
    assert_allclose(reweigh(reweigh(proba, factors), 1 / factors), proba)
    assert_allclose(
        reweigh(reweigh(proba, factors), factors), reweigh(proba, factors**2)
    )


def test_certain_rows_of_a_class_of_factor_zero_get_the_factors():
    assert_allclose(reweigh([[1.0, 0, 0]], [0, 1, 3]), [[0, 0.25, 0.75]])
    almost = reweigh([[1 - 2e-9, 1e-9, 1e-9]], [0, 1, 3])
    assert_allclose(almost, [[0, 0.25, 0.75]])


def test_tiny_products_keep_their_ratio():
    assert_allclose(reweigh([[1e-300, 2e-300]], [1, 1]), [[1 / 3, 2 / 3]])
    beside_large = reweigh([[0.5, 0.5, 0], [0, 0, 1]], [1e-300, 3e-300, 1e100])
    assert_allclose(beside_large, [[0.25, 0.75, 0], [0, 0, 1]])


# Independent views


@given(problem=problems())
def test_a_view_that_knows_nothing_but_the_prior_adds_nothing(problem):
    proba, prior = problem
    silent = np.tile(prior, (len(proba), 1))
    assert_allclose(combine_views(proba, silent, prior), proba)


@given(problem=problems(), seed=st.integers(0, 99))
def test_the_views_may_be_swapped(problem, seed):
    proba, prior = problem
    other = np.random.default_rng(seed).permutation(proba)
    joint = combine_views(proba, other, prior)
    assert_allclose(joint, combine_views(other, proba, prior))
    assert_allclose(joint.sum(axis=1), 1)
    assert_allclose(joint, reweigh(proba * other, 1 / prior))


@given(
    likelihoods=st.lists(
        st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)), min_size=4, max_size=4
    ),
    share=st.floats(0.05, 0.95),
)
def test_it_is_the_posterior_of_two_views_independent_given_the_class(
    likelihoods, share
):
    (a0, a1), (b0, b1) = likelihoods[:2]
    prior = np.array([1 - share, share])
    first, second = np.array([a0, a1]) * prior, np.array([b0, b1]) * prior
    joint = np.array([a0 * b0, a1 * b1]) * prior
    combined = combine_views([first / first.sum()], [second / second.sum()], prior)
    assert_allclose(combined[0], joint / joint.sum())


def test_views_are_joined_in_double_precision():
    views = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 9))
    single = views.astype(np.float32)
    prior = [0.5, 0.3, 0.2]
    assert_array_equal(
        combine_views(*single, prior), combine_views(*single.astype(float), prior)
    )


def test_certainty_of_both_kinds_cancels_out():
    combined = combine_views([[1.0, 0.0]], [[0.0, 1.0]], [0.5, 0.5])
    assert_allclose(combined, [[0.5, 0.5]])
    assert_array_equal(
        combine_views([[1.0, 0.0]], [[1.0, 0.0]], [0.5, 0.5]).argmax(axis=1), [0]
    )


def test_a_class_of_share_zero_counts_as_rare():
    combined = combine_views([[1.0, 0.0]], [[1.0, 0.0]], [1.0, 0.0])
    assert_allclose(combined, [[1, 1e-6]], rtol=1e-5)


def test_the_input_is_left_as_it_was():
    proba, prior = np.array([[0.5, 0.5]]), np.array([0.2, 0.8])
    proba.flags.writeable = prior.flags.writeable = False
    matching_factors(proba, prior)
    reweigh(proba, prior)
    combine_views(proba, proba, prior)
    assert_array_equal(proba, [[0.5, 0.5]])


def test_a_weight_of_two_equals_a_row_given_twice_in_the_factors():
    rng = np.random.default_rng(0)
    proba, weights = rng.dirichlet([1, 1, 1], size=20), rng.integers(0, 4, size=20)
    weighted = matching_factors(proba, [0.5, 0.3, 0.2], weights=weights)
    repeated = matching_factors(proba.repeat(weights, axis=0), [0.5, 0.3, 0.2])
    assert_allclose(weighted, repeated)

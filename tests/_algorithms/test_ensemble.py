"""Models of different sharpness and class shares are made comparable, and joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.ensemble import (
    best_sharpness,
    blend_weights,
    combine_views,
    leave_one_out,
    matching_factors,
    reweigh,
    sharpen,
    stacking_weights,
)

# Sharpness


RNG = np.random.default_rng(0)
PROBA = RNG.dirichlet([1, 2, 3], size=4000)


def draw(proba, rng):
    return (proba.cumsum(axis=1) > rng.uniform(size=(len(proba), 1))).argmax(axis=1)


@given(power=st.floats(0.3, 6))
def test_sharpening_keeps_the_most_probable_class_and_the_sum(power):
    sharp = sharpen(PROBA[:50], power)
    assert_allclose(sharp.sum(axis=1), 1)
    assert_array_equal(sharp.argmax(axis=1), PROBA[:50].argmax(axis=1))


def test_a_power_of_one_changes_nothing():
    proba = PROBA[PROBA.min(axis=1) > 1e-3]
    assert_allclose(sharpen(proba, 1.0), proba)


def test_the_largest_powers_leave_the_most_probable_class_alone():
    sharp = sharpen([[0.99, 0.01], [0.4, 0.6], [0.5, 0.5]], 1e4)
    assert_allclose(sharp, [[1, 0], [0, 1], [0.5, 0.5]])


def test_single_precision_is_sharpened_in_double_precision():
    proba = PROBA[:20].astype(np.float32)
    assert_array_equal(sharpen(proba, 2.0), sharpen(proba.astype(np.float64), 2.0))


@pytest.mark.parametrize("power", [0.5, 1, 2, 4])
def test_the_power_that_was_taken_away_is_found(power):
    labels = draw(PROBA, np.random.default_rng(1))
    found = best_sharpness(sharpen(PROBA, 1 / power), np.eye(3)[labels])
    assert found == pytest.approx(power, rel=0.15)


def test_a_weight_of_two_equals_a_row_given_twice():
    labels = np.eye(3)[draw(PROBA, np.random.default_rng(2))[:40]]
    weights = RNG.integers(0, 3, size=40)
    repeated = np.repeat(np.arange(40), weights)
    assert best_sharpness(PROBA[:40], labels, weights) == best_sharpness(
        PROBA[:40][repeated], labels[repeated]
    )


def test_without_rows_probabilities_stay_as_they_are():
    assert best_sharpness(np.empty((0, 2)), np.empty((0, 2))) == 1
    assert best_sharpness([[0.5, 0.5]], [[1, 0]], [0.0]) == 1


def test_impossible_labels_are_no_catastrophe():
    assert np.isfinite(best_sharpness([[1.0, 0.0], [0.0, 1.0]], [[0, 1], [0, 1]]))


@pytest.mark.parametrize("power", [0.2, 0.5, 1, 2])
def test_the_power_between_two_distributions_is_found(power):
    found = best_sharpness(sharpen(PROBA, 1 / power), PROBA, least=1e-12)
    assert found == pytest.approx(power, rel=0.1)


def test_few_rows_do_not_make_a_model_infallible():
    proba, labels = [[0.9, 0.1]], [[1, 0]]
    once, often = (best_sharpness(proba * n, labels * n) for n in (1, 1000))
    assert 1 <= once < 2 < often


# Class shares: matched by factors alone


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


# Blend: the mixture that explains the labels best, tempered by a prior


EXACT = {"max_iter": 20_000, "tol": 1e-12}


@st.composite
def likelihood_tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    return rng.uniform(0.05, 0.95, size=shape)


def objective(blend, likelihoods, prior):
    return np.log(blend @ likelihoods).sum() + prior @ np.log(blend)


@given(likelihoods=likelihood_tables(), seed=st.integers(0, 99))
def test_it_maximises_the_penalised_likelihood(likelihoods, seed):
    rng = np.random.default_rng(seed)
    n_members = len(likelihoods)
    prior = rng.uniform(0.1, 5, size=n_members)
    blend = blend_weights(likelihoods, prior=prior, **EXACT)
    best = objective(blend, likelihoods, prior)
    for other in rng.dirichlet(np.ones(n_members), size=20):
        for step in (0.01, 0.5):
            nearby = (1 - step) * blend + step * other
            assert objective(nearby, likelihoods, prior) <= best + 1e-9


def test_a_step_is_the_one_by_hand():
    # Equal prior of one row each; responsibilities 0.8 / (0.8 + 0.2) of one row.
    blend = blend_weights([[0.8], [0.2]], prior=[1, 1], max_iter=1)
    assert_allclose(blend, [1.8 / 3, 1.2 / 3])


def test_the_fixed_point_is_the_one_by_hand():
    # theta = (1 + 0.8 theta / (0.6 theta + 0.2)) / 3, so 1.8 theta^2 - 0.8 theta = 0.2
    blend = blend_weights([[0.8], [0.2]], prior=[1, 1], **EXACT)
    assert blend[0] == pytest.approx((0.8 + np.sqrt(0.64 + 1.44)) / 3.6, abs=1e-9)


def test_the_defaults_are_those_that_are_documented():
    # So many rows of two members so alike are still on their way after 300 steps.
    likelihoods, weights = [[0.5, 0.4], [0.4, 0.5]], [60_000, 40_000]
    documented = {"prior": [0.5, 0.5], "max_iter": 300, "tol": 1e-6}
    blend = blend_weights(likelihoods, weights=weights)
    assert_array_equal(blend, blend_weights(likelihoods, weights=weights, **documented))


def test_it_is_computed_in_double_precision():
    rng = np.random.default_rng(0)
    likelihoods = rng.uniform(0.05, 0.95, size=(3, 20)).astype(np.float32)
    weights = rng.random(20, dtype=np.float32)
    assert_array_equal(
        blend_weights(likelihoods, weights=weights),
        blend_weights(likelihoods.astype(float), weights=weights.astype(float)),
    )


def test_the_steps_end_where_nothing_moves():
    assert_allclose(blend_weights([[0.3, 0.2]], max_iter=10**9, tol=0), [1])


@given(likelihoods=likelihood_tables())
def test_the_weights_are_shares(likelihoods):
    blend = blend_weights(likelihoods)
    assert blend.shape == (len(likelihoods),)
    assert (blend >= 0).all()
    assert blend.sum() == pytest.approx(1)


@given(
    likelihoods=likelihood_tables(),
    counts=st.lists(st.integers(0, 3), min_size=20, max_size=20).filter(lambda c: c[0]),
)
def test_a_weight_of_two_is_a_row_given_twice_and_zero_removes_it(likelihoods, counts):
    weights = np.array(counts[: likelihoods.shape[1]])
    weighted = blend_weights(likelihoods, weights=weights)
    repeated = blend_weights(np.repeat(likelihoods, weights, axis=1))
    assert_allclose(weighted, repeated, atol=1e-9)


@given(likelihoods=likelihood_tables(), seed=st.integers(0, 99))
def test_the_order_of_members_and_rows_does_not_matter(likelihoods, seed):
    rng = np.random.default_rng(seed)
    members, rows = map(rng.permutation, likelihoods.shape)
    shuffled = blend_weights(likelihoods[members][:, rows])
    assert_allclose(shuffled, blend_weights(likelihoods)[members], atol=1e-9)


@given(likelihoods=likelihood_tables(), seed=st.integers(0, 4))
def test_equal_members_share_equally(likelihoods, seed):
    twin = seed % len(likelihoods)
    blend = blend_weights(np.vstack([likelihoods, likelihoods[twin]]))
    assert blend[twin] == pytest.approx(blend[-1])


def test_without_rows_it_is_the_prior():
    assert_allclose(blend_weights(np.empty((2, 0)), prior=[1, 3]), [0.25, 0.75])
    assert_allclose(blend_weights(np.empty((4, 0))), np.full(4, 0.25))
    nothing_counts = blend_weights([[0.9, 0.9], [0.1, 0.1]], weights=[0, 0])
    assert_allclose(nothing_counts, [0.5, 0.5])
    assert_allclose(blend_weights([[0.3, 0.2]]), [1])


def test_the_mixture_that_made_the_rows_is_found():
    rng = np.random.default_rng(0)
    n, truth = 50_000, np.array([0.6, 0.3, 0.1])
    densities = rng.dirichlet(np.ones(4), size=3)
    outcomes = rng.choice(4, size=n, p=truth @ densities)
    blend = blend_weights(densities[:, outcomes], **EXACT)
    assert_allclose(blend @ densities, truth @ densities, atol=0.01)
    assert_allclose(blend, truth, atol=0.05)


def test_a_strong_prior_decides():
    likelihoods = np.array([[0.9, 0.2, 0.8], [0.5, 0.6, 0.5]])
    blend = blend_weights(likelihoods, prior=[1e9, 3e9])
    assert_allclose(blend, [0.25, 0.75], atol=1e-6)


def test_one_confident_mistake_does_not_veto_a_member():
    likelihoods = np.full((2, 200), 0.95)
    likelihoods[1] = 0.6
    likelihoods[0, 0] = 0.0
    assert blend_weights(likelihoods)[0] > 0.9
    floored = np.maximum(likelihoods, 1e-6)
    assert_allclose(blend_weights(likelihoods), blend_weights(floored))


def test_more_steps_never_explain_the_labels_worse():
    likelihoods = np.random.default_rng(0).uniform(0.05, 0.95, size=(4, 30))
    values = [
        objective(
            blend_weights(likelihoods, max_iter=steps, tol=0),
            likelihoods,
            np.full(4, 0.5),
        )
        for steps in range(12)
    ]
    assert (np.diff(values) >= -1e-12).all()


def test_the_likelihoods_are_left_as_they_were():
    likelihoods, weights = np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([1.0, 2.0])
    likelihoods.flags.writeable = weights.flags.writeable = False
    blend_weights(likelihoods, weights=weights)
    assert likelihoods[0, 0] == 0


# Leave one out: predictions are those of refits without the row


def problem(seed, n):
    rng = np.random.default_rng(seed)
    rows, targets = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    kernel = np.exp(-((rows[:, None] - rows) ** 2).sum(axis=2))
    return kernel, targets


@given(seed=st.integers(0, 2**16), n=st.integers(2, 12))
@pytest.mark.parametrize("ridge", [0.01, 1.0, 30.0])
def test_they_are_those_of_refits(seed, n, ridge):
    kernel, targets = problem(seed, n)
    coefficients, held_out = leave_one_out(*np.linalg.eigh(kernel), targets, ridge)
    assert_allclose(kernel @ coefficients + ridge * coefficients, targets, atol=1e-9)
    for i in range(n):
        others = np.delete(np.arange(n), i)
        inner = kernel[np.ix_(others, others)] + ridge * np.eye(n - 1)
        refit = kernel[i, others] @ np.linalg.solve(inner, targets[others])
        assert_allclose(held_out[i], refit, atol=1e-8)


def test_eigenvalues_that_round_below_zero_are_zero():
    values, vectors = np.array([-1e-12, 2.0]), np.eye(2)
    coefficients, _ = leave_one_out(values, vectors, [[1.0], [1.0]], 0.5)
    assert_allclose(coefficients, [[2.0], [0.4]])


# Stacking: the mean of least squared error


@given(seed=st.integers(0, 2**16), n_members=st.integers(1, 4))
def test_no_other_mean_has_a_smaller_penalised_error(seed, n_members):
    rng = np.random.default_rng(seed)
    errors, weights = rng.normal(size=(n_members, 20)), rng.uniform(size=20)

    def loss(theta):
        least = (weights @ errors.T**2).min() / weights.sum()
        return weights @ (theta @ errors) ** 2 + 2 * least * theta @ theta

    found = stacking_weights(errors, weights=weights, n_prior=2)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    for other in rng.dirichlet(np.ones(n_members), size=20):
        assert loss(found) <= loss(other) + 1e-9


def test_errors_of_opposite_sign_cancel_out():
    errors = [[1.0, -1.0, 1.0, -1.0], [-3.0, 3.0, -3.0, 3.0]]
    assert_allclose(stacking_weights(errors, n_prior=0), [0.75, 0.25])


def test_without_rows_or_errors_members_count_alike():
    assert_allclose(stacking_weights(np.empty((2, 0))), [0.5, 0.5])
    assert_allclose(stacking_weights(np.zeros((4, 3))), np.full(4, 0.25))
    assert_allclose(stacking_weights([[1.0], [2.0]], weights=[0.0]), [0.5, 0.5])

"""The blend is the mixture that explains the labels best, tempered by a prior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.blend import blend_weights

EXACT = {"max_iter": 20_000, "tol": 1e-12}


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    return rng.uniform(0.05, 0.95, size=shape)


def objective(blend, likelihoods, prior):
    return np.log(blend @ likelihoods).sum() + prior @ np.log(blend)


@given(likelihoods=problems(), seed=st.integers(0, 99))
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


@given(likelihoods=problems())
def test_the_weights_are_shares(likelihoods):
    blend = blend_weights(likelihoods)
    assert blend.shape == (len(likelihoods),)
    assert (blend >= 0).all()
    assert blend.sum() == pytest.approx(1)


@given(
    likelihoods=problems(),
    counts=st.lists(st.integers(0, 3), min_size=20, max_size=20).filter(lambda c: c[0]),
)
def test_a_weight_of_two_is_a_row_given_twice_and_zero_removes_it(likelihoods, counts):
    weights = np.array(counts[: likelihoods.shape[1]])
    weighted = blend_weights(likelihoods, weights=weights)
    repeated = blend_weights(np.repeat(likelihoods, weights, axis=1))
    assert_allclose(weighted, repeated, atol=1e-9)


@given(likelihoods=problems(), seed=st.integers(0, 99))
def test_the_order_of_members_and_rows_does_not_matter(likelihoods, seed):
    rng = np.random.default_rng(seed)
    members, rows = map(rng.permutation, likelihoods.shape)
    shuffled = blend_weights(likelihoods[members][:, rows])
    assert_allclose(shuffled, blend_weights(likelihoods)[members], atol=1e-9)


@given(likelihoods=problems(), seed=st.integers(0, 4))
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


def test_the_input_is_left_as_it_was():
    likelihoods, weights = np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([1.0, 2.0])
    likelihoods.flags.writeable = weights.flags.writeable = False
    blend_weights(likelihoods, weights=weights)
    assert likelihoods[0, 0] == 0

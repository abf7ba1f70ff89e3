"""Teachers of values: what is known by construction, and what changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklearn_w2s._algorithms.ensemble import stacking_weights
from sklearn_w2s.weak_to_strong._teachers import Known
from sklearn_w2s.weak_to_strong._value_teachers import (
    Parents,
    ValueSmooth,
    correct_by_second_view,
    within_reach,
)

SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS)
def test_no_other_weights_err_less(seed):
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(4, 30)) + rng.normal(size=(1, 30))
    own = rng.uniform(0.1, 2, size=30)
    found = stacking_weights(errors, weights=own, n_prior=0)

    def loss(theta):
        return own @ (theta @ errors) ** 2

    others = rng.dirichlet(np.ones(4), size=50)
    assert all(loss(found) <= loss(theta) * (1 + 1e-9) for theta in others)
    assert_allclose(found.sum(), 1)
    assert found.min() >= 0


@given(seed=SEEDS, factor=st.floats(1e-6, 1e6))
def test_weights_have_no_unit(seed, factor):
    errors = np.random.default_rng(seed).normal(size=(3, 20))
    assert_allclose(stacking_weights(factor * errors), stacking_weights(errors))


def test_a_row_of_weight_two_counts_twice_in_stacking():
    errors = np.random.default_rng(0).normal(size=(3, 10))
    weights = np.arange(10) % 2 + 1.0
    twice = np.repeat(errors, weights.astype(int), axis=1)
    assert_allclose(stacking_weights(errors, weights=weights), stacking_weights(twice))


@pytest.mark.parametrize("errors", [np.zeros((3, 5)), np.empty((3, 0))])
def test_members_that_cannot_be_told_apart_have_equal_weights(errors):
    assert_allclose(stacking_weights(errors), 1 / 3)


def test_a_view_that_says_nothing_changes_nothing():
    values = np.random.default_rng(0).normal(size=50)
    ones = np.ones(50)
    assert_allclose(correct_by_second_view(values, ones, 0.5, ones), values)
    assert_allclose(correct_by_second_view(values, values, np.nan, ones), values)


@given(seed=SEEDS)
def test_a_second_view_is_followed_some_of_the_way(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=2_000)
    first = truth + rng.normal(size=2_000)
    second = truth + 0.3 * rng.normal(size=2_000)
    values = first / 2
    # What trees would say of the first, from the second.
    other = np.polyval(np.polyfit(second, values, 1), second)
    moved = correct_by_second_view(values, other, 0.5, np.ones(2_000))
    assert np.mean((moved - truth) ** 2) < np.mean((values - truth) ** 2)


def test_a_parent_stays_unless_the_student_leads_by_a_standard_error():
    rng = np.random.default_rng(0)
    ones = np.ones(200)
    noise = rng.normal(size=200)
    names, nothing = ["weak", "strong"], np.zeros(2)
    worse = np.array([noise, 3 * noise])
    parents = Parents(names, worse, nothing, noise, ones)
    assert parents.better_alone(0.0) == "weak"
    small = Parents(names, worse, nothing, noise / 3, ones)
    assert small.better_alone(0.0) is None
    # Who cannot learn what the teacher says is as far off as that.
    assert small.better_alone(5.0) == "weak"
    # What was taken from a parent for being out of reach counts against it.
    assert small._replace(beyond=np.array([9.0, 0.0])).better_alone(5.0) is None
    strong = Parents(names, worse[::-1] / 3, nothing, 3 * noise, ones)
    assert strong.better_alone(0.0) == "strong"
    none = Parents(["weak"], np.empty((1, 0)), nothing[:1], np.empty(0), np.empty(0))
    assert none.better_alone(0.0) is None


@given(
    seed=SEEDS, factor=st.sampled_from([-1e6, -1.0, 1e-6, 3.0]), shift=st.floats(-9, 9)
)
def test_reach_has_no_unit_and_leaves_what_is_near(seed, factor, shift):
    rng = np.random.default_rng(seed)
    targets, values = rng.normal(size=(40, 1)), 9 * rng.normal(size=(2, 30))
    ones = np.ones(30)
    near, beyond = within_reach(values, targets, ones)
    again, taken = within_reach(
        factor * (values + shift), factor * (targets + shift), ones
    )
    assert_allclose(again, factor * (near + shift), atol=1e-9 * abs(factor))
    assert_allclose(taken, factor**2 * beyond, atol=1e-9 * factor**2)
    inside = (values >= targets.min()) & (values <= targets.max())
    assert_allclose(near[inside], values[inside])
    assert np.ptp(near) <= 2.5 * np.ptp(targets) + 1e-9
    assert_allclose(beyond, np.mean((values - near) ** 2, axis=1))


def known(weak, X):
    n = len(weak)
    return Known(
        labels=None,
        others=X,
        weak_held_out=np.empty((0, 1)),
        weak_proba=weak[:, None],
        weights=np.ones(n),
        strong=None,
        columns=None,
        second=None,
        complete=True,
        seed=0,
    )


def test_smoothing_removes_noise_and_leaves_what_is_smooth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    truth = X[:, 0] - X[:, 1]
    smoothed = ValueSmooth().teach(known(truth, X)).proba[:, 0]
    assert_allclose(smoothed, truth, atol=0.02)
    noisy = truth + 0.7 * rng.normal(size=400)
    smoothed = ValueSmooth().teach(known(noisy, X)).proba[:, 0]
    assert np.mean((smoothed - truth) ** 2) < 0.5 * np.mean((noisy - truth) ** 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_rows_and_equal_values_are_smoothed_as_well(n):
    X = np.arange(2.0 * n).reshape(n, 2)
    assert_allclose(ValueSmooth().teach(known(np.ones(n), X)).proba, 1)
    assert np.isfinite(ValueSmooth().teach(known(np.arange(n) * 1.0, X)).proba).all()

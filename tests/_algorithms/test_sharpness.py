import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.sharpness import best_sharpness, sharpen

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

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s.weak_estimators._label_model import (
    estimate_rates,
    expected_accuracies,
    vote_indicators,
    vote_posterior,
    vote_shares,
)

UNIFORM = np.array([0.5, 0.5])


def unknown(n):
    return np.full((n, 2), np.nan)


def test_indicators_are_one_column_per_function_and_class():
    votes = vote_indicators(np.array([[0, 1], [-1, 0]]), 2)
    assert_array_equal(votes.toarray(), [[1, 0, 0, 1], [0, 0, 1, 0]])


def test_votes_that_are_never_cast_leave_the_prior():
    votes = vote_indicators(np.full((3, 2), -1), 2)
    prior = np.array([0.3, 0.7])
    rates = estimate_rates(votes, prior, unknown(3), np.ones(3), smoothing=1.0)
    assert_array_equal(vote_shares(votes, prior), np.tile(prior, (3, 1)))
    assert_allclose(vote_posterior(votes, rates, prior), np.tile(prior, (3, 1)))
    assert np.isnan(expected_accuracies(rates, prior)).all()


def test_a_perfect_function_has_accuracy_one():
    codes = np.tile(np.arange(40)[:, None] % 2, 3)
    rates = estimate_rates(
        vote_indicators(codes, 2), UNIFORM, unknown(40), np.ones(40), smoothing=1e-9
    )
    assert_allclose(expected_accuracies(rates, UNIFORM), 1, atol=1e-5)


@pytest.mark.parametrize("smoothing", [1e-9, 1.0, 1e6])
def test_smoothing_draws_rates_to_those_of_all_rows(smoothing):
    codes = np.tile(np.arange(40)[:, None] % 2, 3)
    known = np.eye(2)[codes[:, 0]]
    rates = estimate_rates(
        vote_indicators(codes, 2), UNIFORM, known, np.ones(40), smoothing=smoothing
    )
    expected = (20 + smoothing * 0.5) / (20 + smoothing)
    assert_allclose(np.diagonal(rates, axis1=1, axis2=2), expected)


def test_a_class_of_prior_zero_stays_next_to_impossible():
    codes = np.array([[0, 1], [1, 1]])
    prior = np.array([1.0, 0.0])
    votes = vote_indicators(codes, 2)
    rates = estimate_rates(votes, prior, unknown(2), np.ones(2), smoothing=1.0)
    proba = vote_posterior(votes, rates, prior)
    assert np.isfinite(proba).all()
    assert (proba[:, 0] > 0.99).all()

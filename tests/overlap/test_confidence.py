"""A confidence is a function of the probabilities and, at most, of the class shares."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s.overlap._partition import CONFIDENCES, weak_confidence

KINDS = sorted(CONFIDENCES)


def distributions(n_classes, n):
    """Draw n distributions over classes, some of them with zeros."""
    row = st.lists(st.integers(0, 8), min_size=n_classes, max_size=n_classes)
    rows = st.lists(row.filter(any), min_size=n, max_size=n).map(np.array)
    return rows.map(lambda counts: counts / counts.sum(axis=1, keepdims=True))


some_rows = st.integers(2, 5).flatmap(lambda n_classes: distributions(n_classes, 8))


def learned(kind, proba, weights=None):
    shares = np.average(proba, axis=0, weights=weights)
    return partial(weak_confidence, kind, class_shares=shares)


@pytest.mark.parametrize("kind", KINDS)
@given(proba=some_rows)
def test_it_is_in_0_to_1_and_1_for_a_certain_class(kind, proba):
    confidence = learned(kind, proba)
    scores = confidence(proba)
    assert (scores >= -1e-12).all()
    assert (scores <= 1 + 1e-12).all()
    present = np.eye(proba.shape[1])[proba.any(axis=0)]
    assert_allclose(confidence(present), 1)


@pytest.mark.parametrize("kind", KINDS)
@given(proba=some_rows, seed=st.integers(0, 99))
def test_names_of_classes_do_not_matter(kind, proba, seed):
    order = np.random.default_rng(seed).permutation(proba.shape[1])
    renamed = learned(kind, proba[:, order])(proba[:, order])
    assert_allclose(renamed, learned(kind, proba)(proba), atol=1e-12)


@given(proba=some_rows)
def test_the_balanced_margin_is_the_margin_where_classes_are_equal(proba):
    n_classes = proba.shape[1]
    # Every rotation of every row makes all classes equally frequent.
    balanced = np.concatenate([np.roll(proba, j, axis=1) for j in range(n_classes)])
    expected = learned("margin", balanced)(proba)
    scores = learned("balanced_margin", balanced)(proba)
    assert_allclose(scores, expected, atol=1e-12)


@given(proba=some_rows, weights=st.lists(st.integers(1, 9), min_size=8, max_size=8))
def test_of_a_row_at_the_class_shares_nothing_is_known(proba, weights):
    confidence = learned("balanced_margin", proba, weights)
    prior = np.average(proba, axis=0, weights=weights)
    n_present = np.count_nonzero(prior)
    expected = 0 if n_present > 1 else 1
    assert_allclose(confidence(prior[None]), expected, atol=1e-12)


@given(proba=some_rows)
def test_the_balanced_margin_is_that_of_resampled_classes(proba):
    confidence = learned("balanced_margin", proba)
    prior = proba.mean(axis=0)
    for row, score in zip(proba, confidence(proba), strict=True):
        ratio = np.array([p / q for p, q in zip(row, prior, strict=True) if q > 0])
        top = np.sort(ratio / ratio.sum())
        assert score == pytest.approx(top[-1] - (top[-2] if len(top) > 1 else 0))


@given(proba=some_rows, weights=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_class_shares_are_learned_with_weights(proba, weights):
    if not any(weights):
        return
    weighted = learned("balanced_margin", proba, weights)
    repeated = learned("balanced_margin", np.repeat(proba, weights, axis=0))
    shares = (each.keywords["class_shares"] for each in (weighted, repeated))
    assert_allclose(*shares)
    assert_allclose(weighted(proba), repeated(proba), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(proba=some_rows)
def test_rows_are_scored_one_by_one(kind, proba):
    confidence = learned(kind, proba)
    single = [confidence(proba[[i]])[0] for i in range(len(proba))]
    assert_allclose(confidence(proba), single, atol=1e-15)


def test_a_class_that_no_row_has_is_left_out():
    confidence = learned("balanced_margin", np.array([[0.5, 0.5, 0.0]]))
    unknown = np.array([[0.0, 0.0, 1.0], [0.4, 0.0, 0.6], [0.25, 0.25, 0.5]])
    assert_allclose(confidence(unknown), [0, 1, 0])


def test_with_two_classes_the_margin_is_the_distance_from_one_half():
    proba = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
    for kind in ("margin", "max_proba"):
        assert_allclose(learned(kind, proba)(proba), [0, 0.5, 1])


def test_a_function_of_the_user_gets_the_probabilities():
    proba = np.array([[0.3, 0.7], [0.6, 0.4]])
    assert_array_equal(learned(lambda p: p[:, 1], proba)(proba), [0.7, 0.4])


@pytest.mark.parametrize(
    "function", [lambda p: p, lambda p: p[:1, 0], lambda p: p[:, 0] * np.nan]
)
def test_of_which_the_answer_is_checked(function):
    proba = np.array([[0.3, 0.7], [0.6, 0.4]])
    with pytest.raises(ValueError, match="confidence"):
        learned(function, proba)(proba)

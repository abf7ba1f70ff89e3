"""Confidences are bounded and blind to the order of classes; regions partition rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.overlap import (
    EASY,
    HARD,
    OVERLAP,
    REGIONS,
    entropy_confidence,
    margin_confidence,
    max_proba_confidence,
    region_shares,
    split_regions,
)

CONFIDENCES = [margin_confidence, max_proba_confidence, entropy_confidence]
unit = st.floats(0, 1)


@st.composite
def probabilities(draw):
    n_classes = draw(st.integers(2, 5))
    mass = st.lists(unit, min_size=n_classes, max_size=n_classes).filter(any)
    rows = np.array(draw(st.lists(mass, min_size=1, max_size=10)))
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@given(proba=probabilities())
def test_a_confidence_lies_between_zero_and_one(confidence, proba):
    values = confidence(proba)
    assert values.shape == (len(proba),)
    assert values.min() > -1e-9
    assert values.max() < 1 + 1e-9


@pytest.mark.parametrize("confidence", CONFIDENCES)
@given(proba=probabilities(), seed=st.integers(0, 9))
def test_a_confidence_ignores_the_order_of_the_classes(confidence, proba, seed):
    order = np.random.default_rng(seed).permutation(proba.shape[1])
    np.testing.assert_allclose(
        confidence(proba[:, order]), confidence(proba), atol=1e-12
    )


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_a_guess_has_no_confidence_and_a_certainty_has_all(confidence, n_classes):
    proba = np.stack([np.full(n_classes, 1 / n_classes), np.eye(n_classes)[1]])
    np.testing.assert_allclose(confidence(proba), [0, 1], atol=1e-12)


@given(p=st.lists(unit, min_size=1, max_size=10).map(np.array))
def test_with_two_classes_margin_and_max_proba_are_the_distance_from_a_half(p):
    proba = np.column_stack([1 - p, p])
    expected = 2 * np.abs(p - 0.5)
    np.testing.assert_allclose(margin_confidence(proba), expected, atol=1e-12)
    np.testing.assert_allclose(max_proba_confidence(proba), expected, atol=1e-12)


@given(
    p=st.lists(unit, min_size=2, max_size=10).map(lambda p: np.round(p, 6)),
)
def test_with_two_classes_entropy_ranks_rows_as_the_margin_does(p):
    proba = np.column_stack([1 - p, p])
    ranked = entropy_confidence(proba)[np.argsort(margin_confidence(proba))]
    assert (np.diff(ranked) >= -1e-9).all()


def test_rows_at_a_threshold_belong_above_it():
    regions = split_regions([0.5, 0.5, 0.4], [0.7, 0.6, 0.9], 0.5, 0.7)
    assert regions.tolist() == [OVERLAP, EASY, HARD]


def test_single_precision_is_compared_in_double_precision():
    below = np.float32(0.1)
    threshold = np.nextafter(float(below), 1)
    assert split_regions([below], np.zeros(1), threshold, 1.0) == [HARD]


@given(
    rows=st.lists(st.tuples(unit, unit), min_size=1, max_size=20),
    thresholds=st.tuples(unit, unit),
)
def test_regions_depend_on_the_row_alone(rows, thresholds):
    confidence, score = map(np.array, zip(*rows, strict=True))
    together = split_regions(confidence, score, *thresholds)
    alone = [
        split_regions([c], [s], *thresholds)[0]
        for c, s in zip(confidence, score, strict=True)
    ]
    assert together.tolist() == alone


@given(names=st.lists(st.sampled_from(REGIONS), min_size=1, max_size=20))
def test_shares_sum_to_one_in_the_order_of_the_regions(names):
    shares = region_shares(names)
    assert tuple(shares) == REGIONS
    assert sum(shares.values()) == pytest.approx(1)
    assert shares == {name: names.count(name) / len(names) for name in REGIONS}


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(REGIONS), st.integers(0, 3)), min_size=1, max_size=20
    ).filter(lambda rows: any(weight for _, weight in rows))
)
def test_a_weight_counts_repetitions(rows):
    names, weights = map(np.array, zip(*rows, strict=True))
    expected = region_shares(np.repeat(names, weights))
    assert region_shares(names, weights) == pytest.approx(expected)

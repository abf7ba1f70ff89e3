"""Confidences are bounded and blind to the order of classes; regions partition rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.overlap import (
    EASY,
    HARD,
    OVERLAP,
    REGIONS,
    balanced_margin_confidence,
    density_regime,
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
    assert_allclose(confidence(proba[:, order]), confidence(proba), atol=1e-12)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_a_guess_has_no_confidence_and_a_certainty_has_all(confidence, n_classes):
    proba = np.stack([np.full(n_classes, 1 / n_classes), np.eye(n_classes)[1]])
    assert_allclose(confidence(proba), [0, 1], atol=1e-12)


@given(p=st.lists(unit, min_size=1, max_size=10).map(np.array))
def test_with_two_classes_margin_and_max_proba_are_the_distance_from_a_half(p):
    proba = np.column_stack([1 - p, p])
    expected = 2 * np.abs(p - 0.5)
    assert_allclose(margin_confidence(proba), expected, atol=1e-12)
    assert_allclose(max_proba_confidence(proba), expected, atol=1e-12)


def test_the_margin_of_many_classes_is_between_the_two_that_sort_last():
    proba = np.random.default_rng(0).dirichlet(np.ones(100), size=5000)
    ranked = np.sort(proba, axis=1)
    assert_array_equal(margin_confidence(proba), ranked[:, -1] - ranked[:, -2])


@given(
    p=st.lists(unit, min_size=2, max_size=10).map(lambda p: np.round(p, 6)),
)
def test_with_two_classes_entropy_ranks_rows_as_the_margin_does(p):
    proba = np.column_stack([1 - p, p])
    ranked = entropy_confidence(proba)[np.argsort(margin_confidence(proba))]
    assert (np.diff(ranked) >= -1e-9).all()


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_a_confidence_is_computed_in_double_precision(confidence):
    proba = np.random.default_rng(0).dirichlet(np.ones(3), size=20).astype(np.float32)
    assert_array_equal(confidence(proba), confidence(proba.astype(np.float64)))


@given(proba=probabilities())
def test_with_equal_classes_the_balanced_margin_is_the_margin(proba):
    equal = np.full(proba.shape[1], 1 / proba.shape[1])
    assert_allclose(
        balanced_margin_confidence(proba, equal), margin_confidence(proba), atol=1e-9
    )


@given(proba=probabilities(), seed=st.integers(0, 9))
def test_the_balanced_margin_is_bounded_and_ignores_the_order(proba, seed):
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.ones(proba.shape[1]))
    order = rng.permutation(proba.shape[1])
    values = balanced_margin_confidence(proba, prior)
    assert values.shape == (len(proba),)
    assert values.min() > -1e-9
    assert values.max() < 1 + 1e-9
    assert_allclose(
        balanced_margin_confidence(proba[:, order], prior[order]), values, atol=1e-9
    )


@given(seed=st.integers(0, 99), n_classes=st.integers(2, 6))
def test_probabilities_that_are_the_shares_have_no_balanced_margin(seed, n_classes):
    prior = np.random.default_rng(seed).dirichlet(np.ones(n_classes))
    proba = np.stack([prior, np.eye(n_classes)[1]])
    assert_allclose(balanced_margin_confidence(proba, prior), [0, 1], atol=1e-9)
    assert margin_confidence(prior[None])[0] > 0


def test_a_class_of_share_zero_is_left_out_of_the_balanced_margin():
    proba = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    found = balanced_margin_confidence(proba, [0.4, 0.6, 0.0])
    assert_allclose(found, [0, 0], atol=1e-12)
    rest = balanced_margin_confidence([[0.1, 0.0, 0.9]], [0.5, 0.5, 0.0])
    assert_allclose(rest, [1])


def test_rows_at_a_threshold_belong_above_it():
    regions = split_regions([False, False, True], [0.7, 0.6, 0.9], 0.7)
    assert regions.tolist() == [OVERLAP, EASY, HARD]


def test_single_precision_is_compared_in_double_precision():
    below = np.array([0.1], dtype=np.float32)
    threshold = float(np.nextafter(float(below[0]), 1))
    assert split_regions([False], below, threshold) == [EASY]
    assert split_regions([False], below, float(below[0])) == [OVERLAP]


@given(
    rows=st.lists(st.tuples(st.booleans(), unit), min_size=1, max_size=20),
    threshold=unit,
)
def test_regions_depend_on_the_row_alone(rows, threshold):
    is_hard, score = map(np.array, zip(*rows, strict=True))
    together = split_regions(is_hard, score, threshold)
    alone = [split_regions([h], [s], threshold)[0] for h, s in rows]
    assert together.tolist() == alone
    assert_array_equal(together == HARD, is_hard)


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


def test_the_regimes_of_density_begin_at_a_tenth_and_a_fifth():
    regimes = density_regime([0, 0.099, 0.1, 0.199, 0.2, 1])
    assert regimes.tolist() == ["low", "low", "medium", "medium", "high", "high"]
    # Half precision cuts off what a fifth has beyond it.
    assert density_regime(np.float16(0.2)) == "medium"


@pytest.mark.parametrize("density", [0, 0.15, np.float64(0.5)])
def test_a_number_has_a_plain_string_for_its_regime(density):
    regime = density_regime(density)
    assert type(regime) is str
    assert [regime] == density_regime([density]).tolist()

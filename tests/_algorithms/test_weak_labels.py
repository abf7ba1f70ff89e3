"""Soft targets are learned exactly from repeated rows; weights keep their meaning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.weak_labels import expand_soft_targets, one_hot, unit_mean

weight = st.integers(0, 8).map(lambda i: i / 4)
weights_with_counts = st.lists(
    st.tuples(weight, st.integers(1, 4)), min_size=1, max_size=12
)


@st.composite
def soft_targets(draw):
    n_classes = draw(st.integers(2, 4))
    mass = st.lists(st.integers(0, 3), min_size=n_classes, max_size=n_classes)
    rows = np.array(
        draw(st.lists(mass.filter(any), min_size=1, max_size=10)), dtype=float
    )
    weights = draw(st.lists(weight, min_size=len(rows), max_size=len(rows)))
    return rows / rows.sum(axis=1, keepdims=True), np.array(weights)


@given(codes=st.lists(st.integers(0, 4), min_size=1, max_size=10))
def test_one_hot_rows_hold_a_one_at_their_code(codes):
    indicator = one_hot(codes, 5)
    assert indicator.shape == (len(codes), 5)
    assert indicator.argmax(axis=1).tolist() == codes
    assert (indicator.sum(axis=1) == 1).all()


def test_without_codes_there_are_no_rows():
    assert one_hot([], 3).shape == (0, 3)


@given(problem=soft_targets(), seed=st.integers(0, 9))
def test_the_loss_of_repeated_rows_is_the_cross_entropy_with_soft_targets(
    problem, seed
):
    targets, weights = problem
    predicted = np.random.default_rng(seed).dirichlet(
        np.ones(targets.shape[1]), len(targets)
    )
    cross_entropy = -(weights[:, None] * targets * np.log(predicted)).sum()
    rows, codes, repeated = expand_soft_targets(targets, weights)
    assert -(repeated * np.log(predicted[rows, codes])).sum() == pytest.approx(
        cross_entropy
    )


@given(problem=soft_targets())
def test_repeated_rows_keep_the_weight_of_each_row_and_drop_what_has_none(problem):
    targets, weights = problem
    rows, codes, repeated = expand_soft_targets(targets, weights)
    assert (repeated > 0).all()
    kept = np.bincount(rows, weights=repeated, minlength=len(weights))
    np.testing.assert_allclose(kept, weights)
    assert len(set(zip(rows, codes, strict=True))) == len(rows)


def test_hard_targets_are_not_repeated():
    codes = np.array([2, 0, 1])
    rows, expanded, weights = expand_soft_targets(one_hot(codes, 3), [1, 2, 3])
    assert rows.tolist() == [0, 1, 2]
    assert expanded.tolist() == codes.tolist()
    assert weights.tolist() == [1, 2, 3]


@given(pairs=weights_with_counts)
def test_the_mean_over_the_rows_kept_is_one(pairs):
    weights, counts = map(np.array, zip(*pairs, strict=True))
    scaled = unit_mean(weights, counts)
    if weights.any():
        assert np.average(scaled, weights=counts * (weights > 0)) == pytest.approx(1)
        share = scaled / scaled.sum()
        np.testing.assert_allclose(share, weights / weights.sum())
    else:
        assert not scaled.any()


@given(pairs=weights_with_counts)
def test_multiplicity_counts_repetitions(pairs):
    weights, counts = map(np.array, zip(*pairs, strict=True))
    once = np.repeat(unit_mean(weights, counts), counts)
    repeated = np.repeat(weights, counts)
    np.testing.assert_allclose(once, unit_mean(repeated, np.ones(len(repeated))))


@given(pairs=weights_with_counts, scale=st.floats(0.01, 100))
def test_the_scale_of_the_weights_is_forgotten(pairs, scale):
    weights, counts = map(np.array, zip(*pairs, strict=True))
    np.testing.assert_allclose(
        unit_mean(scale * weights, counts), unit_mean(weights, counts)
    )


def test_weights_that_are_all_zero_stay_so_in_double_precision():
    nothing = unit_mean([0, 0], [1, 2])
    assert nothing.dtype == np.float64
    assert nothing.tolist() == [0, 0]


def test_counts_are_summed_in_double_precision():
    # In single precision 2**24 + 1 is 2**24.
    counts = np.array([2**24, 1], dtype=np.float32)
    assert unit_mean([1, 1], counts).tolist() == [1, 1]

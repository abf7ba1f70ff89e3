"""Soft targets are learned exactly from repeated rows; weights keep their meaning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import cohen_kappa_score

from sklearn_w2s._algorithms.weak_labels import (
    as_counts,
    class_coverage,
    cut_statistic,
    expand_soft_targets,
    neighbor_consistency,
    on_grid,
    one_hot,
    unit_mean,
)

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


# Cut statistic: disagreement with the neighbours, against chance


@st.composite
def graphs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n, k = draw(st.integers(2, 12)), draw(st.integers(1, 5))
    proba = rng.dirichlet(np.ones(draw(st.integers(2, 4))), size=n)
    return proba, rng.integers(n, size=(n, k)), rng.exponential(size=(n, k))


def test_three_rows_are_scored_as_by_hand():
    # Row 0: weights 1 and 1/2; only the second neighbour disagrees, at a share of 2/3.
    scores = cut_statistic([0, 0, 1], [[1, 2]] * 3, [[0, 1]] * 3)
    expected = (0.5 - 1.5 / 3) / np.sqrt(2 / 9 * 1.25)
    assert scores[0] == pytest.approx(expected, abs=1e-12)
    # Row 2: the first disagrees, at a share of 1/3.
    assert scores[2] == pytest.approx((1 - 1.5 * 2 / 3) / np.sqrt(2 / 9 * 1.25))


@given(graph=graphs(), n_classes=st.integers(2, 4), seed=st.integers(0, 99))
def test_it_is_the_sum_over_edges(graph, n_classes, seed):
    _, neighbors, distances = graph
    y = np.random.default_rng(seed).integers(n_classes, size=len(neighbors))
    scores = cut_statistic(y, neighbors, distances)
    for i, score in enumerate(scores):
        share = np.mean(y == y[i])
        w = 1 / (1 + distances[i])
        cut = sum(w[y[neighbors[i]] != y[i]])
        spread = np.sqrt(share * (1 - share) * sum(w**2))
        expected = (cut - (1 - share) * sum(w)) / spread if spread else 0
        assert score == pytest.approx(expected, abs=1e-9)


@given(graph=graphs(), code=st.integers(0, 2))
def test_of_one_class_alone_nothing_can_be_said(graph, code):
    _, neighbors, distances = graph
    codes = np.full(len(neighbors), code)
    assert_array_equal(cut_statistic(codes, neighbors, distances), 0 * codes)
    assert_array_equal(cut_statistic([code], [[0]], [[1.0]]), [0])


def test_distances_count_in_double_precision():
    rng = np.random.default_rng(0)
    codes, neighbors = rng.integers(2, size=9), rng.integers(9, size=(9, 3))
    distances = rng.exponential(size=(9, 3)).astype(np.float32)
    assert_array_equal(
        cut_statistic(codes, neighbors, distances),
        cut_statistic(codes, neighbors, distances.astype(np.float64)),
    )


def test_neighbours_at_infinity_have_no_say():
    near = cut_statistic([0, 0, 1], [[1], [0], [0]], [[1.0]] * 3)
    with_far = cut_statistic([0, 0, 1], [[1, 2]] * 3, [[1.0, np.inf]] * 3)
    assert with_far[0] == near[0]
    unheard = cut_statistic([0, 0, 1], [[1], [0], [0]], [[np.inf]] * 3)
    assert_array_equal(unheard, np.zeros(3))


def test_without_neighbours_or_rows_nothing_can_be_said():
    none = [[], [], []]
    assert_array_equal(cut_statistic([0, 1, 1], none, none), np.zeros(3))
    nothing = np.empty((0, 4))
    assert cut_statistic([], nothing, nothing).shape == (0,)


@given(graph=graphs(), seed=st.integers(0, 99))
def test_the_names_of_the_classes_do_not_matter(graph, seed):
    _, neighbors, distances = graph
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=len(neighbors))
    renamed = rng.permutation(4)[y]
    assert_allclose(
        cut_statistic(renamed, neighbors, distances),
        cut_statistic(y, neighbors, distances),
    )


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_labels_drawn_apart_from_the_graph_score_like_a_standard_normal(p):
    rng = np.random.default_rng(0)
    n, k = 4000, 20
    y = (rng.random(n) < p).astype(int)
    neighbors, distances = rng.integers(n, size=(n, k)), rng.exponential(size=(n, k))
    # Of both classes alike: shares of p and 1 - p have the same variance.
    scores = cut_statistic(y, neighbors, distances)
    assert scores.mean() == pytest.approx(0, abs=0.1)
    assert scores.std() == pytest.approx(1, abs=0.05)


def test_flipped_labels_score_highest():
    rng = np.random.default_rng(0)
    x = np.sort(rng.normal(size=400))
    y = (x > 0).astype(int)
    flipped = rng.permutation(400)[:40]
    y[flipped] = 1 - y[flipped]
    gaps = np.abs(x[:, None] - x)
    np.fill_diagonal(gaps, np.inf)
    neighbors = np.argsort(gaps, axis=1)[:, :10]
    distances = np.take_along_axis(gaps, neighbors, axis=1)
    suspect = np.argsort(cut_statistic(y, neighbors, distances))[-40:]
    assert np.isin(suspect, flipped).mean() > 0.9


# Coverage and consistency


labels = st.lists(st.integers(0, 3), min_size=1, max_size=30)


@given(labels, labels)
def test_coverage_is_symmetric_and_within_zero_and_one(first, second):
    coverage = class_coverage(first, second)
    assert -1e-12 <= coverage <= 1 + 1e-12
    assert coverage == pytest.approx(class_coverage(second, first))


@given(labels)
def test_coverage_is_one_for_the_same_shares_and_zero_for_other_classes(known):
    assert class_coverage(known * 2, known) == pytest.approx(1)
    assert class_coverage([9], known) == pytest.approx(0)


def test_a_lost_class_costs_its_share():
    assert class_coverage(["a"] * 10, ["a"] * 8 + ["b"] * 2) == pytest.approx(0.8)


def test_consistency_is_zero_for_labels_dealt_at_random():
    rng = np.random.default_rng(0)
    dealt = rng.integers(3, size=20_000)
    neighbors = rng.integers(20_000, size=(20_000, 5))
    assert abs(neighbor_consistency(dealt, neighbors)) < 0.02


def test_consistency_of_one_partner_each_is_cohens_kappa():
    rng = np.random.default_rng(0)
    names = rng.integers(3, size=60)
    partner = rng.permutation(60)
    # Partners are dealt to all rows, so that both sides have the same shares.
    kappa = cohen_kappa_score(names, names[partner])
    assert neighbor_consistency(names, partner[:, None]) == pytest.approx(kappa)


def test_consistency_of_a_single_label_is_not_defined():
    assert np.isnan(neighbor_consistency([1, 1], [[1], [0]]))


# Weights as numbers of rows, and values on a grid


@given(weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=10))
def test_counts_keep_the_ratios_of_weights_and_a_mean_of_one_at_least(weights):
    counts = as_counts(weights)
    assert counts.mean() == pytest.approx(max(1, np.mean(weights)))
    np.testing.assert_allclose(counts / counts[0], np.array(weights) / weights[0])


def test_weights_of_one_at_least_are_numbers_of_rows():
    assert as_counts([1, 3]).tolist() == [1, 3]
    assert as_counts([0.01, 0.03]).tolist() == [0.5, 1.5]
    assert as_counts([]).shape == (0,)


@given(value=st.floats(-1e6, 1e6))
def test_values_on_the_grid_are_near_and_whole_multiples_of_its_step(value):
    rounded = on_grid(value)
    assert abs(rounded - value) <= 2.0**-21
    assert rounded * 2.0**20 == np.rint(rounded * 2.0**20)
    assert on_grid(rounded) == rounded


def test_values_that_differ_by_rounding_are_tied_on_the_grid():
    assert on_grid(0.1 + 0.2) == on_grid(0.3)

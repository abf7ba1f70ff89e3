"""Neighbours pull labels together; disagreement is measured against chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.graph import cut_statistic, smooth_labels

shares = st.integers(0, 20).map(lambda i: i / 20)


@st.composite
def graphs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    n, k = draw(st.integers(2, 12)), draw(st.integers(1, 5))
    proba = rng.dirichlet(np.ones(draw(st.integers(2, 4))), size=n)
    return proba, rng.integers(n, size=(n, k)), rng.exponential(size=(n, k))


def walks(neighbors):
    """Return the matrix that averages over neighbours."""
    n, k = neighbors.shape
    matrix = np.zeros((n, n))
    np.add.at(matrix, (np.arange(n)[:, None], neighbors), 1 / k)
    return matrix


# Smoothing


def test_a_chain_is_smoothed_as_by_hand():
    proba = np.array([[1.0, 0], [0.5, 0.5], [0, 1]])
    neighbors = np.array([[1, 1], [0, 2], [1, 1]])
    once = smooth_labels(proba, neighbors, share=0.2, n_steps=1)
    assert_allclose(once[:, 0], [0.9, 0.5, 0.1])
    # 0.8 * 1 + 0.2 * 0.5, and the middle row stays where it is by symmetry
    twice = smooth_labels(proba, [[1, 2], [0, 2], [0, 1]], share=0.5, n_steps=2)
    # after one step .625, .5, .375; then .5 + .25 * (.5 + .375)
    assert_allclose(twice[:, 0], [0.71875, 0.5, 0.28125])


@given(graph=graphs(), share=shares, n_steps=st.integers(0, 8))
def test_rows_stay_distributions(graph, share, n_steps):
    proba, neighbors, _ = graph
    smoothed = smooth_labels(proba, neighbors, share=share, n_steps=n_steps)
    assert (smoothed >= 0).all()
    assert_allclose(smoothed.sum(axis=1), 1)
    # An average leaves the range of what it averages nowhere.
    assert (smoothed <= proba.max(axis=0) + 1e-12).all()
    assert (smoothed >= proba.min(axis=0) - 1e-12).all()


@given(graph=graphs(), share=shares, n_steps=st.integers(0, 8))
def test_the_steps_are_powers_of_the_average_over_neighbours(graph, share, n_steps):
    proba, neighbors, _ = graph
    expected = proba
    for _ in range(n_steps):
        expected = (1 - share) * proba + share * walks(neighbors) @ expected
    smoothed = smooth_labels(proba, neighbors, share=share, n_steps=n_steps)
    assert_allclose(smoothed, expected, atol=1e-12)


@given(graph=graphs(), share=st.sampled_from([0.1, 0.5, 0.8]))
def test_many_steps_solve_the_linear_system(graph, share):
    proba, neighbors, _ = graph
    system = np.eye(len(proba)) - share * walks(neighbors)
    limit = np.linalg.solve(system, (1 - share) * proba)
    smoothed = smooth_labels(proba, neighbors, share=share, n_steps=200)
    assert_allclose(smoothed, limit, atol=1e-9)


@given(graph=graphs())
def test_without_share_or_steps_nothing_moves(graph):
    proba, neighbors, _ = graph
    assert_array_equal(smooth_labels(proba, neighbors, share=0), proba)
    unmoved = smooth_labels(proba, neighbors, share=0.5, n_steps=0)
    assert_array_equal(unmoved, proba)
    assert not np.shares_memory(unmoved, proba)


def test_without_a_number_five_steps_are_taken():
    chain = np.eye(9), [[1]] + [[i] for i in range(8)]
    in_five = smooth_labels(*chain, share=0.5, n_steps=5)
    assert_array_equal(smooth_labels(*chain, share=0.5), in_five)
    assert (smooth_labels(*chain, share=0.5, n_steps=6) != in_five).any()


def test_whole_numbers_are_smoothed_as_probabilities():
    whole = smooth_labels(np.eye(2, dtype=int), [[1], [0]], share=0.25)
    assert_array_equal(whole, smooth_labels(np.eye(2), [[1], [0]], share=0.25))


def test_without_rows_there_is_nothing_to_smooth():
    nothing = smooth_labels(np.empty((0, 2)), np.empty((0, 4)), share=0.5)
    assert nothing.shape == (0, 2)


@given(graph=graphs(), share=shares)
def test_equal_labels_stay_as_they_are(graph, share):
    proba, neighbors, _ = graph
    equal = np.tile(proba[0], (len(proba), 1))
    assert_allclose(smooth_labels(equal, neighbors, share=share), equal)


@given(graph=graphs(), share=shares, seed=st.integers(0, 99))
def test_the_numbering_of_rows_and_neighbours_does_not_matter(graph, share, seed):
    proba, neighbors, _ = graph
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(proba))
    place = np.argsort(order)
    renumbered = rng.permuted(place[neighbors[order]], axis=1)
    assert_allclose(
        smooth_labels(proba[order], renumbered, share=share),
        smooth_labels(proba, neighbors, share=share)[order],
    )


def test_a_wrong_label_amid_right_ones_is_corrected():
    proba = np.array([[0.9, 0.1]] * 9 + [[0.2, 0.8]])
    neighbors = np.array([[j for j in range(10) if j != i] for i in range(10)])
    smoothed = smooth_labels(proba, neighbors, share=0.8)
    assert (smoothed.argmax(axis=1) == 0).all()


def test_the_input_is_left_as_it_was():
    proba, neighbors = np.array([[1.0, 0], [0, 1]]), np.array([[1], [0]])
    proba.flags.writeable = neighbors.flags.writeable = False
    smooth_labels(proba, neighbors, share=0.5)
    assert_array_equal(proba, np.eye(2))


# The cut statistic


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

"""Disagreement with the neighbours is measured against chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s._algorithms.graph import cut_statistic


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

"""The share of the gap is linear between weak and ceiling; bounds of it hold."""

import tracemalloc
from itertools import pairwise, product
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.special import rel_entr
from sklearn.linear_model import LogisticRegression

from sklearn_w2s._algorithms.gap import (
    corner_sets,
    expansion_bounds,
    gap_of_labels,
    largest_gap,
    log_misfit,
    recovered_share,
    smoother,
    squared_misfit,
)

score = st.floats(-1, 1)
# Gaps of rounding size would only test floating point.
gap = st.floats(0.01, 1)


@given(weak=score, size=gap, share=st.floats(-2, 2))
def test_it_finds_the_share_that_was_put_in(weak, size, share):
    recovered = recovered_share(weak, weak + share * size, weak + size)
    assert recovered == pytest.approx(share, abs=1e-9)


@given(weak=score, size=gap, strong=score, scale=gap, shift=score)
def test_units_do_not_matter(weak, size, strong, scale, shift):
    scores = np.array([weak, strong, weak + size])
    assert recovered_share(*(scale * scores + shift)) == pytest.approx(
        recovered_share(*scores), rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("ceiling", [0.6, 0.5, np.nan])
def test_without_a_gap_it_is_nan(ceiling):
    assert np.isnan(recovered_share(0.6, 0.7, ceiling))


def test_scores_broadcast():
    shares = recovered_share(0.5, [[0.5], [1.0]], [0.75, 1.0, 0.25])
    expected = [[0, 0, np.nan], [2, 1, np.nan]]
    np.testing.assert_array_equal(shares, expected)


def test_scores_are_compared_in_double_precision():
    scores = np.array([0.6, 0.7, 0.9], dtype=np.float32)
    assert recovered_share(*scores) == recovered_share(*scores.astype(np.float64))


# Misfit: the least gain, where a class is convex and holds the truth


seeds = st.integers(0, 10_000)


def two_columns(positive):
    return np.column_stack([1 - positive, positive])


def mixtures(rng, n_members, n=40, n_classes=3):
    """Return given estimators, whose mixtures are a convex class, and a truth in it."""
    members = rng.dirichlet(np.full(n_classes, 0.5), size=(n_members, n)) + 1e-3
    members /= members.sum(axis=2, keepdims=True)
    truth = np.tensordot(rng.dirichlet(np.ones(n_members)), members, axes=1)
    return members, truth


def nearest_mixture(members, weak, distance):
    """Return the mixture at the smallest mean distance from the weak predictions."""

    def predict(logits):
        shares = np.exp(logits - logits.max())
        return np.tensordot(shares / shares.sum(), members, axes=1)

    found = minimize(
        lambda logits: distance(weak, predict(logits)).mean(),
        np.zeros(len(members)),
        options={"gtol": 1e-9},
    )
    return predict(found.x)


@given(seed=seeds)
def test_a_linear_least_squares_student_gains_at_least_its_misfit(seed):
    rng = np.random.default_rng(seed)
    X, weak = rng.normal(size=(30, 5)), rng.normal(size=(30, 2))
    truth = X @ rng.normal(size=(5, 2))
    strong = X @ np.linalg.lstsq(X, weak, rcond=None)[0]
    gain = squared_misfit(truth, weak) - squared_misfit(truth, strong)
    # A subspace has the equality of Pythagoras.
    assert gain.mean() == pytest.approx(squared_misfit(weak, strong).mean())


@given(seed=seeds, n_members=st.integers(2, 4))
@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_the_nearest_mixture_gains_at_least_its_misfit(distance, seed, n_members):
    rng = np.random.default_rng(seed)
    members, truth = mixtures(rng, n_members)
    weak = rng.dirichlet(np.ones(3), size=40) + 1e-3
    weak /= weak.sum(axis=1, keepdims=True)
    strong = nearest_mixture(members, weak, distance)
    gain = distance(weak, truth).mean() - distance(strong, truth).mean()
    assert gain >= distance(weak, strong).mean() - 1e-5


def test_a_student_outside_of_the_class_of_the_truth_may_lose():
    truth = two_columns(np.array([0.0, 1.0]))
    weak = two_columns(np.array([0.4, 0.6]))
    # The nearest constant.
    strong = two_columns(np.array([0.5, 0.5]))
    gain = squared_misfit(truth, weak).mean() - squared_misfit(truth, strong).mean()
    assert gain < 0 < squared_misfit(weak, strong).mean()


def test_cross_entropy_on_soft_labels_has_the_equality_of_the_other_direction():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    truth = two_columns(1 / (1 + np.exp(-(X @ [1.0, -2.0, 0.5]))))
    weak = two_columns(rng.uniform(0.05, 0.95, size=500))
    student = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000)
    student.fit(
        np.repeat(X, 2, axis=0), np.tile([0, 1], 500), sample_weight=weak.ravel()
    )
    strong = student.predict_proba(X)
    gain = log_misfit(truth, weak).mean() - log_misfit(truth, strong).mean()
    assert gain == pytest.approx(log_misfit(strong, weak).mean(), abs=1e-6)


@given(seed=seeds)
def test_the_divergence_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    weak, strong = rng.dirichlet(np.full(3, 0.1), size=(2, 20)).round(3)
    expected = rel_entr(strong, weak).sum(axis=1)
    np.testing.assert_allclose(log_misfit(weak, strong), expected, atol=1e-12)


def test_tiny_probabilities_do_not_overflow():
    weak, strong = np.array([[5e-324, 1.0]]), np.array([[1.0, 0.0]])
    assert log_misfit(weak, strong) == pytest.approx([744.44], abs=0.01)


@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_predictions_are_at_no_distance_from_themselves(distance):
    proba = np.random.default_rng(0).dirichlet(np.ones(4), size=10)
    assert (distance(proba, proba) == 0).all()


@pytest.mark.parametrize("distance", [squared_misfit, log_misfit])
def test_each_row_has_a_distance_of_its_own(distance):
    weak, strong = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 10))
    alone = [distance(weak[[i]], strong[[i]]).item() for i in range(10)]
    np.testing.assert_allclose(distance(weak, strong), alone)


# Prediction gap: that of the kernels, without their n by n matrices


problems = st.tuples(
    st.integers(1, 12),
    st.integers(1, 15),
    st.integers(1, 15),
    st.sampled_from([1e-3, 0.1, 10.0]),
    st.integers(0, 10_000),
)


def draw(n, d_weak, d_strong, seed):
    rng = np.random.default_rng(seed)
    shapes = (n, d_weak), (n, d_strong), (n, 2)
    return [rng.normal(size=shape) for shape in shapes]


def kernel_smoother(X, alpha):
    K = X @ X.T
    return K @ np.linalg.inv(K + alpha * np.trace(K) / len(K) * np.eye(len(K)))


@given(problem=problems)
def test_both_gaps_are_those_of_the_kernels(problem):
    n, d_weak, d_strong, alpha, seed = problem
    weak, strong, targets = draw(n, d_weak, d_strong, seed)
    lost = kernel_smoother(strong, alpha) @ (np.eye(n) - kernel_smoother(weak, alpha))
    smoothers = smoother(weak, alpha), smoother(strong, alpha)
    expected = np.linalg.norm(lost @ targets) / np.linalg.norm(targets)
    assert gap_of_labels(*smoothers, targets) == pytest.approx(expected, abs=1e-9)
    assert largest_gap(*smoothers) == pytest.approx(np.linalg.norm(lost, 2), abs=1e-6)


@given(problem=problems)
def test_no_labels_lose_more_than_the_largest_gap(problem):
    n, d_weak, d_strong, alpha, seed = problem
    weak, strong, targets = draw(n, d_weak, d_strong, seed)
    smoothers = smoother(weak, alpha), smoother(strong, alpha)
    assert gap_of_labels(*smoothers, targets) <= largest_gap(*smoothers) + 1e-9


@pytest.mark.parametrize("scale", [1e-200, 1e-5, 1e200])
def test_units_of_a_representation_do_not_matter(scale):
    X = np.random.default_rng(0).normal(size=(20, 3))
    for own, scaled in zip(smoother(X, 0.1), smoother(X * scale, 0.1), strict=True):
        np.testing.assert_allclose(np.abs(scaled), np.abs(own))


@pytest.mark.parametrize("seed", range(10))
def test_rounding_moves_no_gap_out_of_zero_and_one(seed):
    weak, strong, targets = draw(30, 1, 30, seed)
    line, space = smoother(weak, 1e-300), smoother(strong, 1e-300)
    nothing = smoother(np.zeros((30, 1)), 0.1)
    assert gap_of_labels(nothing, space, targets) == pytest.approx(1)
    assert gap_of_labels(nothing, space, targets) <= 1
    assert largest_gap(line, line) == pytest.approx(0, abs=1e-6)
    assert largest_gap(line, space) == pytest.approx(1)
    assert largest_gap(line, space) <= 1


def test_a_representation_of_zeros_predicts_nothing():
    rng = np.random.default_rng(0)
    X, targets = rng.normal(size=(10, 3)), rng.normal(size=(10, 1))
    nothing, something = smoother(np.zeros((10, 2)), 0.1), smoother(X, 0.1)
    assert (nothing[1] == 0).all()
    assert gap_of_labels(something, nothing, targets) == 0
    predicted = kernel_smoother(X, 0.1) @ targets
    expected = np.linalg.norm(predicted) / np.linalg.norm(targets)
    assert gap_of_labels(nothing, something, targets) == pytest.approx(expected)


def test_memory_grows_with_the_rows_and_not_with_their_square():
    weak, strong, targets = draw(20_000, 5, 10, 0)
    tracemalloc.start()
    smoothers = smoother(weak, 0.1), smoother(strong, 0.1)
    gap_of_labels(*smoothers, targets)
    largest_gap(*smoothers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * strong.nbytes


# Expansion: corners of the convex envelope, and bounds on the smallest ratio


graphs = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(bool, shape, elements=st.booleans())
)


def all_sets(n):
    return np.array(list(product([False, True], repeat=n)))


def by_trial(graph):
    """Return a search that looks at all sets."""
    sets = all_sets(len(graph))

    def cheapest_set(rows, covered, u, v):
        inside = sets[~(sets & ~rows).any(axis=1)]
        reached = (inside @ graph) & covered
        costs = v * reached.sum(axis=1) - u * inside.sum(axis=1)
        best = inside[costs == costs.min()]
        return best[best.sum(axis=1).argmin()]

    return cheapest_set


def corners_of(graph):
    return corner_sets(
        len(graph), lambda rows: graph[rows].any(axis=0), by_trial(graph)
    )


def masses(graph, sets):
    sets = np.asarray(sets)
    return sets.mean(axis=1), (sets @ graph).mean(axis=1)


@given(graph=graphs)
def test_no_set_is_below_the_curve_and_all_corners_are_sets_in_growing_order(graph):
    corners = corners_of(graph)
    size, reached = masses(graph, corners)
    own_size, own_reached = masses(graph, all_sets(len(graph)))
    assert (own_reached >= np.interp(own_size, size, reached) - 1e-12).all()
    assert (np.diff(size) > 0).all()
    assert size[0] == 0
    assert size[-1] == 1
    for inner, outer in pairwise(corners):
        assert not (inner & ~outer).any()


@given(graph=graphs)
def test_the_curve_is_convex(graph):
    size, reached = masses(graph, corners_of(graph))
    assert (np.diff(np.diff(reached) / np.diff(size)) > -1e-12).all()


@given(graph=graphs)
def test_a_search_is_along_a_slope_of_coprime_whole_numbers(graph):
    search = by_trial(graph)

    def cheapest_set(rows, covered, u, v):
        assert gcd(u, v) == 1
        assert u * rows.sum() == v * covered.sum()
        return search(rows, covered, u, v)

    corner_sets(len(graph), lambda rows: graph[rows].any(axis=0), cheapest_set)


def test_rows_without_neighbours_need_no_search():
    nothing, everything = corner_sets(3, lambda _: np.zeros(2, dtype=bool), None)
    assert not nothing.any()
    assert everything.all()


@given(graph=graphs, q=st.sampled_from([0, 0.1, 0.25, 0.5, 0.9]))
def test_the_smallest_ratio_above_the_mass_is_within_the_bounds(graph, q):
    size, reached = masses(graph, all_sets(len(graph)))
    smallest = (reached[size > q] / size[size > q]).min()
    corner_size, corner_reached = masses(graph, corners_of(graph))
    low, high, corner = expansion_bounds(
        corner_size, corner_reached, n_rows=len(graph), q=q
    )
    assert low - 1e-12 <= smallest <= high + 1e-12
    assert corner_size[corner] > q
    assert high == corner_reached[corner] / corner_size[corner]
    if q == 0:
        # The ratio at mass 0 is that of the first corner.
        assert low == pytest.approx(smallest)


def test_a_mass_that_is_no_exact_fraction_is_exceeded_by_whole_rows():
    corners = np.array([0, 1.0]), np.array([0, 1.0])
    assert expansion_bounds(*corners, n_rows=100, q=0.29)[2] == 1
    even = np.linspace(0, 1, 101)
    # 29 of 100 rows are not more than a share of 0.29.
    assert expansion_bounds(even, even, n_rows=100, q=0.29)[2] == 30

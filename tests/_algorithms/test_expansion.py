"""Corners are those of the convex envelope; bounds hold the smallest ratio."""

from itertools import pairwise, product
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_w2s._algorithms.expansion import corner_sets, expansion_bounds

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

"""Cuts find the worst of all sets; graphs of known expansion have it."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import expansion
from sklearn_w2s.metrics._expansion import _cheapest_set

graphs = st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
    lambda shape: arrays(bool, shape, elements=st.booleans())
)
PAIRS = np.array([[0.0], [0.1], [5.0], [5.1], [10.0], [10.1]])
PAIR_REGIONS = ["hard", "overlap"] * 3


def ratio(X, regions, rows, n_neighbors):
    """Return neighbour mass and mass of a set of hard rows, by their definitions."""
    used = np.flatnonzero(regions != "easy")
    distance = np.linalg.norm(X[used, None] - X[None, used], axis=2)
    np.fill_diagonal(distance, np.inf)
    near = distance.argsort(axis=1)[:, :n_neighbors]
    is_edge = np.zeros(distance.shape, dtype=bool)
    is_edge[np.arange(len(used))[:, None], near] = True
    is_edge |= is_edge.T
    overlap = regions[used] == "overlap"
    reached = is_edge[np.isin(used, rows)].any(axis=0) & overlap
    return reached.sum() / overlap.sum(), len(rows) / (~overlap).sum()


def draw(n_hard, n_overlap, seed=0, n_features=2):
    rng = np.random.default_rng(seed)
    regions = np.repeat(["hard", "overlap", "easy"], [n_hard, n_overlap, 3])
    return rng.normal(size=(len(regions), n_features)), regions


@given(graph=graphs, u=st.integers(1, 5), v=st.integers(1, 5))
def test_the_cut_is_the_smallest_of_the_best_sets(graph, u, v):
    n_rows, n_covered = graph.shape
    sets = np.array(list(product([False, True], repeat=n_rows)))
    costs = v * (sets @ graph).sum(axis=1) - u * sets.sum(axis=1)
    best = sets[costs == costs.min()]
    everything = np.ones(n_rows, dtype=bool), np.ones(n_covered, dtype=bool)
    found = _cheapest_set(csr_matrix(graph.astype(float)), *everything, u, v)
    assert found.tolist() == best[best.sum(axis=1).argmin()].tolist()


@given(seed=st.integers(0, 1000), q=st.sampled_from([0, 0.15, 0.3, 0.6]))
def test_no_set_of_hard_rows_has_fewer_neighbours(seed, q):
    X, regions = draw(7, 5, seed)
    result = expansion(X, regions, q=q, n_neighbors=2)
    ratios = [
        reached / mass
        for chosen in product([False, True], repeat=7)
        for reached, mass in [ratio(X, regions, np.flatnonzero(chosen), 2)]
        if mass > q
    ]
    assert result["expansion"] <= min(ratios) + 1e-12
    assert result["upper_bound"] >= min(ratios) - 1e-12
    reached, mass = ratio(X, regions, result["worst_set"], 2)
    assert mass > q
    assert result["upper_bound"] == pytest.approx(reached / mass)


@pytest.mark.parametrize("q", [0, 0.4, 0.9])
def test_where_all_rows_are_neighbours_any_set_has_all_of_them(q):
    X, regions = draw(6, 4)
    result = expansion(X, regions, q=q, n_neighbors=9)
    assert result["set_mass"].tolist() == [0, 1]
    assert result["neighbor_mass"].tolist() == [0, 1]
    # All sets have neighbour mass 1, so that the largest has the smallest ratio.
    assert result["upper_bound"] == 1
    assert result["expansion"] == pytest.approx(1)


@pytest.mark.parametrize("q", [0, 0.4, 0.9])
def test_pairs_expand_by_one(q):
    result = expansion(PAIRS, PAIR_REGIONS, q=q, n_neighbors=1)
    assert result["expansion"] == pytest.approx(1)


def test_rows_around_one_hub_share_it():
    around = [[0.0, 0.1], [0.1, 0.0], [0.0, -0.1], [-0.1, 0.0]]
    X = np.array([[0.0, 0.0], *around, [9.0, 9.0], [9.0, 9.1], [9.1, 9.0]])
    regions = ["overlap", *["hard"] * 4, *["overlap"] * 3]
    result = expansion(X, regions, q=0.25, n_neighbors=1)
    assert result["worst_set"].tolist() == [1, 2, 3, 4]
    assert result["expansion"] == pytest.approx(1 / 4)


def test_hard_rows_far_from_all_overlap_rows_are_the_worst_set():
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(80, 3)), rng.normal(50, 1, size=(20, 3))
    regions = np.repeat(["hard", "overlap", "hard"], [40, 40, 20])
    result = expansion(np.concatenate([near, far]), regions, q=0.1, n_neighbors=5)
    assert result["expansion"] == 0
    assert set(range(80, 100)) <= set(result["worst_set"].tolist())


def test_it_grows_with_the_neighbours_and_with_the_mass():
    X, regions = draw(60, 40)
    for q in (0.1, 0.5):
        found = [
            expansion(X, regions, q=q, n_neighbors=k)["expansion"] for k in (1, 3, 9)
        ]
        assert found == sorted(found)
    found = [expansion(X, regions, q=q)["expansion"] for q in (0, 0.1, 0.5, 0.9)]
    assert found == sorted(found)


def test_with_classes_it_is_that_of_the_worst_class():
    X, y, regions = make_overlap_classification((50, 100, 60), random_state=0)
    y = np.array(["no", "yes"])[y]
    result = expansion(X[:, 20:], regions, y=y, q=0.2)
    alone = {
        label: expansion(X[y == label][:, 20:], regions[y == label], q=0.2)
        for label in ("no", "yes")
    }
    assert result["by_class"] == {c: r["expansion"] for c, r in alone.items()}
    worst = min(alone, key=lambda label: alone[label]["expansion"])
    assert result["expansion"] == alone[worst]["expansion"]
    rows = np.flatnonzero(y == worst)[alone[worst]["worst_set"]]
    assert result["worst_set"].tolist() == rows.tolist()


def test_easy_rows_the_order_of_rows_and_the_container_play_no_part():
    X, regions = draw(30, 20)
    expected = expansion(X, regions)["expansion"]
    order = np.random.default_rng(0).permutation(50)
    assert expansion(X[order], regions[order])["expansion"] == expected
    assert expansion(csr_matrix(X), regions)["expansion"] == expected
    assert expansion(pd.DataFrame(X), pd.Series(regions))["expansion"] == expected


def test_more_overlap_expands_better_on_the_synthetic_data():
    means = []
    for density in (0.02, 0.1, 0.5):
        drawn = [
            make_overlap_classification(400, overlap_density=density, random_state=seed)
            for seed in range(3)
        ]
        found = [expansion(X[:, 20:], regions) for X, _, regions in drawn]
        means.append(np.mean([result["expansion"] for result in found]))
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("q", [-0.1, 1, 1.5, float("nan"), "0.1"])
def test_a_share_that_no_set_can_exceed_is_refused(q):
    with pytest.raises(ValueError, match=r"q=.* must be a share"):
        expansion(PAIRS, PAIR_REGIONS, q=q, n_neighbors=1)


@pytest.mark.parametrize("n_neighbors", [0, 1.5, "3"])
def test_a_number_of_neighbours_that_is_none_is_refused(n_neighbors):
    with pytest.raises(ValueError, match=r"n_neighbors=.* must be a positive integer"):
        expansion(PAIRS, PAIR_REGIONS, n_neighbors=n_neighbors)


def test_more_neighbours_than_rows_are_refused():
    with pytest.raises(ValueError, match=r"less than the number .* overlap rows, 6"):
        expansion(PAIRS, PAIR_REGIONS, n_neighbors=6)
    with pytest.raises(ValueError, match=r"overlap rows of class 0, 2"):
        expansion(PAIRS, PAIR_REGIONS, y=[0, 0, 1, 1, 1, 1], n_neighbors=2)


def test_a_region_without_rows_is_refused():
    with pytest.raises(ValueError, match=r'no "overlap" row:'):
        expansion(PAIRS, ["hard"] * 6, n_neighbors=1)
    with pytest.raises(ValueError, match=r'no "hard" row of class \'b\''):
        expansion(PAIRS, PAIR_REGIONS, y=list("aaaaab"), n_neighbors=1)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        expansion(PAIRS[:5], PAIR_REGIONS, n_neighbors=1)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        expansion(PAIRS, PAIR_REGIONS, y=[0, 1], n_neighbors=1)


@pytest.mark.parametrize("mark", [-1, None])
def test_rows_without_a_label_are_of_no_class(mark):
    y = [0, 0, mark, mark, 0, 0]
    result = expansion(PAIRS, PAIR_REGIONS, y=y, n_neighbors=1)
    labeled = [0, 1, 4, 5]
    alone = expansion(
        np.asarray(PAIRS)[labeled], np.asarray(PAIR_REGIONS)[labeled], n_neighbors=1
    )
    assert list(result["by_class"]) == [0]
    assert result["expansion"] == alone["expansion"]
    with pytest.raises(ValueError, match="y has no label"):
        expansion(PAIRS, PAIR_REGIONS, y=[mark] * 6, n_neighbors=1)

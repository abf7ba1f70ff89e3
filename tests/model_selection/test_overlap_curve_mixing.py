"""Rows are counted and drawn cell by cell, at every share of overlap rows."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.model_selection._overlap_curve import draw_positions, rows_per_cell


@given(
    seed=st.integers(0, 1000),
    n_cells=st.integers(1, 4),
    percents=st.lists(st.integers(0, 100), min_size=1, max_size=4),
)
def test_every_share_draws_the_same_cells(seed, n_cells, percents):
    rng = np.random.RandomState(seed)
    shares = np.array(percents) / 100
    cells, is_overlap = rng.randint(n_cells, size=200), rng.rand(200) < 0.4
    sizes = rows_per_cell([(cells, is_overlap)], shares, None, matched=True)
    drawn = draw_positions(cells, is_overlap, sizes, shares, rng)
    for share, positions in zip(shares, drawn, strict=True):
        assert len(set(positions)) == len(positions)
        counts = np.bincount(cells[positions], minlength=len(sizes))
        assert counts.tolist() == sizes.tolist()
        for cell, size in enumerate(sizes):
            n_overlap = np.sum(is_overlap[positions] & (cells[positions] == cell))
            assert abs(n_overlap - share * size) < 1


def test_one_row_more_is_impossible_where_one_part_is_used_up():
    cells, is_overlap = np.zeros(10, dtype=int), np.arange(10) < 3
    for shares, most in (([0.0, 1.0], 3), ([1.0], 3), ([0.0], 7), ([0.3], 10)):
        sizes = rows_per_cell(
            [(cells, is_overlap)], np.array(shares), None, matched=False
        )
        assert sizes.tolist() == [most]


def test_rows_of_one_share_are_kept_at_the_next():
    cells, is_overlap = np.zeros(100, dtype=int), np.arange(100) < 50
    shares = np.linspace(0, 1, 11)
    sizes = np.array([50])
    drawn = draw_positions(cells, is_overlap, sizes, shares, np.random.RandomState(0))
    for before, after in pairwise(drawn):
        assert len(np.intersect1d(before, after)) == 45

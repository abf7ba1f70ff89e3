"""A sample of all blocks is the same however it is merged, and stands for all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s.dask._sample import draw_sample, merge_samples

SIZES = [7, 0, 12, 1, 30, 5]
SEED = [3, 0]


def draw(size, seed=SEED):
    samples = []
    for number, n in enumerate(SIZES):
        weights = np.random.default_rng(number).choice([0.0, 0.5, 1.0, 8.0], n)
        table = 100 * number + np.arange(n)
        options = {"seed": seed, "number": number}
        samples.append(draw_sample([table, weights], weights, size, **options))
    return samples


def assert_same(sample, other):
    for table, expected in zip(sample.tables, other.tables, strict=True):
        assert_array_equal(table, expected)
    assert_array_equal(sample.weights, other.weights)
    assert sample.n_offered == other.n_offered


@given(st.lists(st.integers(1, 5), max_size=4), st.integers(1, 60))
def test_the_sample_does_not_depend_on_the_order_of_merging(cuts, size):
    samples = draw(size)
    groups = np.split(np.arange(len(samples)), sorted(set(cuts)))
    parts = [merge_samples([samples[i] for i in group], size) for group in groups]

    assert_same(merge_samples(parts, size), merge_samples(samples, size))
    assert_same(merge_samples(parts[::-1], size), merge_samples(samples, size))


def test_a_sample_of_enough_rows_holds_all_of_positive_weight_in_their_order():
    sample = merge_samples(draw(100), 100)
    table, weights = sample.tables

    assert sample.is_whole
    assert_array_equal(sample.weights, weights)
    assert (np.diff(table) > 0).all()
    assert len(table) == sample.n_offered


def test_drawing_again_gives_the_same_rows_and_another_seed_gives_others():
    first, again, other = (merge_samples(draw(9, [seed]), 9) for seed in (0, 0, 1))

    assert_same(first, again)
    assert list(first.tables[0]) != list(other.tables[0])


@pytest.mark.parametrize("region", ["all", "light"])
def test_the_weights_stand_for_those_of_all_rows(region):
    weights = merge_samples(draw(100), 100).tables[1]
    expected = weights[weights < 5].sum() if region == "light" else weights.sum()
    found = []
    for seed in range(400):
        sample = merge_samples(draw(30, [seed]), 30)
        light = sample.tables[1] < 5
        found.append(sample.weights[light | (region == "all")].sum())

    assert_allclose(np.mean(found), expected, rtol=0.03)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s.sources._readers import SourceEnded
from sklearn_w2s.sources._run import PoolReader


@given(st.integers(1, 50), st.lists(st.integers(1, 12), min_size=60, max_size=60))
def test_every_row_comes_once_and_in_order(n, sizes):
    rows = np.random.RandomState(0).permutation(n)
    reader = PoolReader("a", rows)
    batches = []
    for size in sizes:
        if reader.has_ended:
            break
        batches.append(reader.read(size))
        assert 1 <= len(batches[-1]) <= size
    assert reader.has_ended
    assert reader.size == n
    assert_array_equal(np.concatenate(batches), rows)


def test_only_the_last_batch_is_short():
    reader = PoolReader("a", np.arange(6))
    assert not reader.has_ended
    assert [len(reader.read(4)), len(reader.read(4))] == [4, 2]
    assert reader.has_ended


def test_a_read_of_no_rows_left_names_the_source():
    reader = PoolReader("shop", np.arange(3))
    reader.read(3)
    with pytest.raises(SourceEnded, match="source 'shop' has no rows left"):
        reader.read(1)


def test_a_source_without_rows_has_ended_from_the_start():
    assert PoolReader("a", np.arange(0)).has_ended

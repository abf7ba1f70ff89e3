"""Partitions are drawn from like other sources."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator

from sklearn_w2s import OverlapDetector, UCBSourceSelector
from sklearn_w2s.dask import partition_sources


def test_partitions_are_drawn_like_lists_of_the_same_tables(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)
    sources = partition_sources(rows, labels, names=list("ababc"))
    tables = {
        name: [(part.compute(), column.compute()) for part, column in parts]
        for name, parts in sources.items()
    }
    detector = OverlapDetector(weak_features=slice(0, 4)).fit(rows.compute(), y)
    selector = UCBSourceSelector(
        overlap_detector=FrozenEstimator(detector),
        n_rounds=6,
        batch_size=20,
        random_state=0,
    )

    assert list(sources) == ["a", "b", "c"]
    history = selector.fit_sources(sources).history_
    assert len(history["round"]) == 6
    assert repr(history) == repr(selector.fit_sources(tables).history_)


def test_each_partition_is_a_source_where_nothing_is_named(problem, collect):
    X, y, _ = problem
    rows, _ = collect(X, y)
    sources = partition_sources(rows)

    assert list(sources) == ["0", "1", "2", "3", "4"]
    parts = [part.compute() for (part,) in sources.values()]
    assert_array_equal(np.concatenate(parts), X)


def test_names_and_labels_have_to_fit(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)

    with pytest.raises(ValueError, match="names has 2 names for 5 partitions"):
        partition_sources(rows, labels, names=["a", "b"])
    with pytest.raises(ValueError, match="X has 5 partitions and y has 2"):
        partition_sources(rows, da.zeros(10, chunks=5))
    with pytest.raises(TypeError, match="X is a ndarray"):
        partition_sources(X)

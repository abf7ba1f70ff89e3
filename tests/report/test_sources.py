import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.report._data import UNLABELED
from sklearn_w2s.report._sources import compare_sources


@pytest.fixture
def fitted():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.normal(size=(300, 4)) + y[:, None]
    partial = np.where(np.arange(300) < 60, y, UNLABELED)
    model = WeakToStrongClassifier(
        DecisionTreeClassifier(max_depth=3),
        DecisionTreeClassifier(max_depth=5),
        overlap_detector=OverlapDetector(),
        random_state=0,
    ).fit(X, partial)
    return model, X, partial


def test_half_of_the_unlabeled_rows_are_drawn(fitted):
    source = np.array(["a", "b", "c"], dtype=object)[np.arange(300) % 3]
    sources = compare_sources(*fitted, source, 0)
    assert [s.name for s in sources] == ["a", "b", "c"]
    assert sum(s.n_drawn for s in sources) == 120
    assert all(0 < s.n_drawn <= s.n_rows for s in sources)


def test_densities_are_those_of_the_unlabeled_rows(fitted):
    model, _, y = fitted
    source = np.array(["a", "b"], dtype=object)[np.arange(300) % 2]
    sources = compare_sources(*fitted, source, 0)
    is_overlap = model.overlap_detector_.regions_ == "overlap"
    for s in sources:
        rows = (y == UNLABELED) & (source == s.name)
        assert s.n_rows == rows.sum()
        assert s.overlap_density == pytest.approx(is_overlap[rows].mean())


@pytest.mark.parametrize("n_sources", [1, 2, 17, 60])
def test_every_source_is_drawn_from_where_the_budget_covers_it(fitted, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(*fitted, names[np.arange(300) % n_sources], 0)
    assert len(sources) == n_sources
    assert all(s.n_drawn > 0 for s in sources)
    assert sum(s.n_drawn for s in sources) == 120


@pytest.mark.parametrize("n_sources", [61, 240])
def test_nothing_is_drawn_of_more_sources_than_the_budget_covers(fitted, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(*fitted, names[np.arange(300) % n_sources], 0)
    assert len(sources) == n_sources
    assert all(s.n_drawn is None for s in sources)


def test_sources_of_one_row_and_of_labeled_rows_alone_do_no_harm(fitted):
    source = np.full(300, "many", dtype=object)
    source[:60] = "labeled"
    source[299] = "one"
    sources = compare_sources(*fitted, source, 0)
    assert [(s.name, s.n_rows) for s in sources] == [("many", 239), ("one", 1)]
    assert sum(s.n_drawn for s in sources) == 120

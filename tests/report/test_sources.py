import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._experiment import Pool
from sklearn_w2s.report._sources import compare_sources

WEAK = DecisionTreeClassifier(max_depth=3)


@pytest.fixture
def make_pool():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.normal(size=(300, 4)) + y[:, None]
    partial = np.where(np.arange(300) < 60, y, -1)

    def make(source):
        return Pool(X, partial, y, np.arange(300), source, -1, True)

    return make


def test_half_of_the_unlabeled_rows_are_drawn(make_pool):
    source = np.array(["a", "b", "c"], dtype=object)[np.arange(300) % 3]
    sources = compare_sources(WEAK, make_pool(source))
    assert [run.name for run in sources.runs] == ["a", "b", "c"]
    assert sum(run.n_drawn for run in sources.runs) == 120
    assert all(0 < run.n_drawn <= run.n_rows for run in sources.runs)
    assert sources.selector.n_samples_drawn_.sum() == 120


def test_densities_are_those_of_the_unlabeled_rows(make_pool):
    source = np.array(["a", "b"], dtype=object)[np.arange(300) % 2]
    pool = make_pool(source)
    detector = OverlapDetector(WEAK, random_state=0).fit(pool.X, pool.y)
    for run in compare_sources(WEAK, pool).runs:
        rows = (pool.y == -1) & (source == run.name)
        assert run.n_rows == rows.sum()
        density = (detector.regions_[rows] == "overlap").mean()
        assert run.overlap_density == pytest.approx(density)


@pytest.mark.parametrize("n_sources", [1, 2, 17, 60])
def test_every_source_is_drawn_from_where_the_budget_covers_it(make_pool, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(WEAK, make_pool(names[np.arange(300) % n_sources]))
    assert len(sources.runs) == n_sources
    assert all(run.n_drawn > 0 for run in sources.runs)
    assert sum(run.n_drawn for run in sources.runs) == 120


@pytest.mark.parametrize("n_sources", [61, 240])
def test_nothing_is_drawn_of_more_sources_than_the_budget_covers(make_pool, n_sources):
    names = np.array([f"s{i:03}" for i in range(n_sources)], dtype=object)
    sources = compare_sources(WEAK, make_pool(names[np.arange(300) % n_sources]))
    assert len(sources.runs) == n_sources
    assert all(run.n_drawn is None for run in sources.runs)
    assert sources.selector is None


def test_sources_of_one_row_and_of_labeled_rows_alone_do_no_harm(make_pool):
    source = np.full(300, "many", dtype=object)
    source[:60] = "labeled"
    source[299] = "one"
    sources = compare_sources(WEAK, make_pool(source))
    found = [(run.name, run.n_rows) for run in sources.runs]
    assert found == [("many", 239), ("one", 1)]
    assert sum(run.n_drawn for run in sources.runs) == 120

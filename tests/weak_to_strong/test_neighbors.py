"""Neighbour searches that the user passes take the place of ours."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from sklearn_w2s import WeakToStrongClassifier, WeakToStrongRegressor
from sklearn_w2s.weak_to_strong import _members
from sklearn_w2s.weak_to_strong._views import GivenSearch, Search, search_for

# How many neighbours are sought where the user says nothing.
SEARCHES = {"cut_statistic": 15, "smooth": 30, "blend": 10, "co_train": 10}
WITHOUT = ["all", "confidence", "confident", "overlap", "mix"]


class Counting(KNeighborsTransformer):
    """An exact search that remembers how many rows it was given to index."""

    n_indexed: list[int] = []

    def fit(self, X, y=None):
        self.n_indexed.append(X.shape[0])
        return super().fit(X, y)


@pytest.fixture
def indexed():
    Counting.n_indexed.clear()
    return Counting.n_indexed


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(320, 4))
    truth = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)
    return X, np.where(np.arange(320) < 60, truth, -1), truth


def make(strategy="blend", *, are_values=False, **params):
    if are_values:
        model, weak = WeakToStrongRegressor, LinearRegression()
        strong = DecisionTreeRegressor(min_samples_leaf=5, random_state=0)
    else:
        model, weak = WeakToStrongClassifier, GaussianNB()
        strong = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    if strategy == "co_train":
        params["weak_features"] = slice(0, 2)
    params["strategy"] = strategy
    return model(weak, strong, store_rows=True, random_state=0, **params)


def labels_of(table, *, are_values):
    X, y, _ = table
    return np.where(y < 0, np.nan, X @ [1.0, 2, 0, 1]) if are_values else y


@pytest.mark.parametrize("are_values", [False, True])
@pytest.mark.parametrize("strategy", SEARCHES)
def test_an_exact_search_gives_what_ours_gives(strategy, are_values, table, indexed):
    X, y = table[0], labels_of(table, are_values=are_values)
    given = Counting(n_neighbors=SEARCHES[strategy])
    ours = make(strategy, are_values=are_values).fit(X, y)
    theirs = make(strategy, are_values=are_values, neighbors=given).fit(X, y)
    assert indexed
    assert not hasattr(given, "n_samples_fit_")
    assert ours.rows_.keys() == theirs.rows_.keys()
    for name, column in ours.rows_.items():
        if column.dtype.kind == "f":
            assert_allclose(theirs.rows_[name], column, atol=2e-3)
        else:
            assert_array_equal(theirs.rows_[name], column)
    assert_allclose(theirs.predict(X), ours.predict(X), atol=1e-3)


def test_the_number_of_neighbours_is_that_of_the_search(table):
    X, y, _ = table
    few = make(neighbors=KNeighborsTransformer(n_neighbors=2)).fit(X, y)
    many = make(neighbors=KNeighborsTransformer(n_neighbors=10)).fit(X, y)
    graphs = [model.evidence_["log_likelihood"].get("graph") for model in (few, many)]
    assert graphs[0] != graphs[1]


def test_beyond_the_limit_all_rows_are_in_the_graph(table, indexed, monkeypatch):
    X, y, _ = table
    monkeypatch.setattr(_members, "N_SCREENED_NODES", 50)
    monkeypatch.setattr(_members, "MAX_GRAPH_ROWS", 100)
    model = make(neighbors=Counting(n_neighbors=10)).fit(X, y)
    assert model.evidence_["weights"]["graph"] > 0
    # Scaled and plain columns are tried on a sample, and all rows have the better ones.
    assert indexed == [60 + 50, 60 + 50, 320]


@pytest.mark.parametrize("strategy", WITHOUT)
@pytest.mark.parametrize("are_values", [False, True])
def test_a_search_that_nobody_needs_is_named(strategy, are_values, table):
    X, y = table[0], labels_of(table, are_values=are_values)
    model = make(
        strategy, are_values=are_values, neighbors=KNeighborsTransformer(n_neighbors=3)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    message = f"changes nothing: strategy='{strategy}' looks for no neighbours"
    assert sum(message in str(warning.message) for warning in caught) == 1


def test_the_search_is_a_part_like_others(table):
    model = make(neighbors=KNeighborsTransformer(n_neighbors=10))
    model.set_params(neighbors__n_neighbors=4)
    assert clone(model).neighbors.n_neighbors == 4
    assert "KNeighborsTransformer" in model.fit(*table[:2])._repr_html_()


def test_sparse_rows_need_a_search_that_takes_them():
    class Dense(KNeighborsTransformer):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.sparse = False
            return tags

    for search, expected in ((KNeighborsTransformer(), True), (Dense(), False)):
        model = WeakToStrongClassifier(
            LogisticRegression(), LogisticRegression(), neighbors=search
        )
        assert get_tags(model).input_tags.sparse is expected


@pytest.mark.parametrize(
    ("neighbors", "message"),
    [
        ("kd_tree", "'neighbors' parameter of WeakToStrongClassifier must be"),
        (KNeighborsTransformer(mode="connectivity"), 'Pass mode="distance"'),
        (
            make_pipeline(PCA(2), KNeighborsTransformer(mode="connectivity")),
            'Pass mode="distance"',
        ),
        (KNeighborsTransformer(n_neighbors=320), "more than n_neighbors=320 rows"),
        (StandardScaler(), r"a sparse matrix of distances of shape \(320, 320\)"),
        (RadiusNeighborsTransformer(radius=1e-9), "no neighbour of any of 320 rows"),
    ],
)
def test_what_is_no_search_is_refused(neighbors, message, table):
    X, y, _ = table
    with pytest.raises(ValueError, match=message):
        make(neighbors=neighbors).fit(X, y)


class Fixed(TransformerMixin, BaseEstimator):
    """A search whose answer is known."""

    def __init__(self, graph):
        self.graph = graph

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.graph


def test_rows_with_fewer_neighbours_have_others_at_infinity():
    graph = sparse.csr_array(
        (np.array([0.0, 3, 1, 0, 2, np.nan]), [0, 2, 1, 2, 0, 1], [0, 3, 3, 6])
    )
    distances, neighbors = GivenSearch(np.ones((3, 1)), Fixed(graph)).own()
    assert_array_equal(distances, [[1, 3], [np.inf, np.inf], [2, np.inf]])
    assert_array_equal(neighbors[0], [1, 2])
    assert neighbors[2, 0] == 0


def test_some_rows_may_have_no_neighbour(table):
    X, y, _ = table
    X = X.copy()
    X[100:110] += 1e3 * np.arange(1, 11)[:, None]
    search = RadiusNeighborsTransformer(radius=1.0)
    for strategy in ("cut_statistic", "smooth", "blend"):
        model = make(strategy, neighbors=search).fit(X, y)
        assert np.isfinite(model.predict_proba(X)).all()


def test_output_that_is_set_to_data_frames_does_no_harm(table):
    pytest.importorskip("pandas")
    X, y, _ = table
    with config_context(transform_output="pandas"):
        make(neighbors=KNeighborsTransformer()).fit(X, y)


class Random(KNeighborsTransformer):
    """A search that depends on a seed."""

    def __init__(self, n_neighbors=5, random_state=None):
        super().__init__(n_neighbors=n_neighbors)
        self.random_state = random_state


def test_a_search_by_chance_is_seeded(table):
    rows = table[0]
    seeds = [
        search_for(rows, 3, given=Random(), rng=np.random.RandomState(0))
        for _ in range(2)
    ]
    first, second = (search._transformer.random_state for search in seeds)
    assert first == second is not None
    assert isinstance(search_for(rows, 3), Search)

"""A neighbour search is an overlap measure: an exact one is the largest cosine."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_w2s.overlap._measures import (
    MEASURES,
    NeighborsMeasure,
    new_measure,
)

HARD = np.array([0, 2, 5])
EXACT = {
    "auto": {},
    "ball_tree": {"algorithm": "ball_tree"},
    "kd_tree": {"algorithm": "kd_tree", "metric": "euclidean"},
    "brute": {"algorithm": "brute"},
    "l2": {"metric": "l2"},
    "cosine": {"metric": "cosine"},
    "sqeuclidean": {"metric": "sqeuclidean"},
    "more neighbours": {"n_neighbors": 2},
}
rows_of_numbers = arrays(
    np.float64, (12, 3), elements=st.integers(-20, 20).map(lambda i: i / 4)
).filter(lambda rows: rows[HARD].any(axis=1).all())


def score(rows, hard=HARD, transformer=None, **params):
    if transformer is None:
        transformer = KNeighborsTransformer(**{"n_neighbors": 1} | params)
    measure = NeighborsMeasure(transformer).fit(rows, None, hard, np.ones(len(hard)))
    return measure.score(rows, None)


def largest_cosine(rows, hard=HARD):
    measure = MEASURES["max_abs_cosine"](None)
    return measure.fit(rows, None, hard, np.ones(rows.shape[0])).score(rows, None)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(60, 4))


class FixedGraph(TransformerMixin, BaseEstimator):
    """A neighbour search whose answer is known."""

    def __init__(self, graph, metric="manhattan"):
        self.graph = graph
        self.metric = metric

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.graph


@pytest.mark.parametrize("params", EXACT.values(), ids=EXACT)
@given(rows=rows_of_numbers)
def test_an_exact_search_is_the_largest_absolute_cosine(params, rows):
    assert_allclose(score(rows, **params), largest_cosine(rows), atol=1e-12)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_rows_are_searched_as_they_are(kind, metric, rows):
    rows = np.where(np.abs(rows) > 1, rows, 0)
    hard = np.arange(0, 60, 3)
    found = score(kind(rows), hard, metric=metric)
    assert_allclose(found, largest_cosine(rows, hard), atol=1e-12)


@pytest.mark.parametrize("params", EXACT.values(), ids=EXACT)
def test_single_precision_stays(params, rows):
    found = score(rows.astype(np.float32), **params)
    assert found.dtype == np.float32
    assert_allclose(found, largest_cosine(rows), atol=2e-6)


def test_nearly_parallel_rows_are_distinguished():
    angles = np.array([0, 1e-5, 2e-5, 0.5])
    rows = np.column_stack([np.cos(angles), np.sin(angles)])
    expected = np.cos([0, 1e-5, 2e-5, 0.5])
    hard = np.array([0, 0])
    assert_allclose(score(rows, hard), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine"])
def test_rows_of_zeros_are_similar_to_nothing(metric):
    # As distances go, zeros lie nearer to the second row than the first row does.
    rows = np.array([[1.0, 0], [0.1, 1], [0, 0], [-1, 1]])
    found = score(rows, np.array([0, 2, 3]), metric=metric)
    assert_allclose(found, largest_cosine(rows, np.array([0, 3])), atol=1e-15)
    assert found[2] == 0


def test_hard_rows_of_zeros_only_leave_nothing_to_find():
    rows = np.array([[1.0, 0], [0, 0], [0, 0]])
    assert_array_equal(score(rows, np.array([1, 2])), np.zeros(3))


def test_nothing_but_zeros_can_be_scored(rows):
    measure = NeighborsMeasure(KNeighborsTransformer(n_neighbors=1))
    measure.fit(rows, None, HARD, np.ones(60))
    assert_array_equal(measure.score(np.zeros((3, 4)), None), np.zeros(3))


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_without_hard_rows_nothing_is_similar(metric, rows):
    hard = np.array([], dtype=int)
    assert_array_equal(score(rows, hard, metric=metric), np.zeros(60))


@pytest.mark.parametrize(
    ("params", "metric"),
    [
        ({"metric": "manhattan"}, "cityblock"),
        ({"metric": "chebyshev"}, "chebyshev"),
        ({"p": 1}, "cityblock"),
        ({"metric": lambda a, b: np.abs(a - b).sum()}, "cityblock"),
    ],
)
def test_other_metrics_give_the_negative_distance_of_rows_as_they_are(
    params, metric, rows
):
    expected = -cdist(rows, rows[HARD], metric).min(axis=1)
    assert_allclose(score(rows, **params), expected)


def test_weighted_coordinates_give_the_negative_distance(rows):
    params = {"metric": "minkowski", "metric_params": {"w": np.array([1.0, 2, 0, 3])}}
    expected = -cdist(rows * np.sqrt([1, 2, 0, 3]), rows[HARD] * np.sqrt([1, 2, 0, 3]))
    assert_allclose(score(rows, **params), expected.max(axis=1))


def test_a_pipeline_gives_the_negative_distance_at_its_end(rows):
    search = KNeighborsTransformer(n_neighbors=1)
    pipeline = make_pipeline(FunctionTransformer(lambda X: 2 * X), search)
    expected = -2 * cdist(rows, rows[HARD]).min(axis=1)
    assert_allclose(score(rows, transformer=pipeline), expected, atol=1e-7)


def test_a_radius_finds_what_lies_within(rows):
    search = RadiusNeighborsTransformer(radius=2.0)
    assert_allclose(score(rows, transformer=search), largest_cosine(rows), atol=1e-12)


def test_stored_zeros_are_distances_and_what_is_not_stored_is_none():
    graph = sparse.csr_array(
        (np.array([3.0, 0.0, 2.0, 4.0]), np.array([0, 2, 1, 0]), [0, 2, 3, 4])
    )
    rows = np.ones((3, 2))
    found = score(rows, np.array([0, 1, 2]), FixedGraph(graph))
    assert_array_equal(found, [0, -2, -4])


def test_new_rows_are_compared_with_the_references_of_fit(rows):
    measure = NeighborsMeasure(KNeighborsTransformer(n_neighbors=1))
    measure.fit(rows[:40], None, HARD, np.ones(40))
    references = MEASURES["max_abs_cosine"](None).fit(
        rows[:40], None, HARD, np.ones(40)
    )
    assert_array_equal(measure.references, references.references)
    assert_allclose(measure.score(rows[40:], None), references.score(rows[40:], None))


def test_the_transformer_is_left_as_it_was_and_the_measure_pickles(rows):
    search = KNeighborsTransformer(n_neighbors=1)
    before = dict(vars(search))
    measure = NeighborsMeasure(search).fit(rows, None, HARD, np.ones(60))
    assert vars(search) == before
    restored = pickle.loads(pickle.dumps(measure))
    assert_array_equal(restored.score(rows, None), measure.score(rows, None))


def test_output_that_is_set_to_data_frames_does_no_harm(rows):
    pytest.importorskip("pandas")
    with config_context(transform_output="pandas"):
        assert_allclose(score(rows), largest_cosine(rows))


@pytest.mark.parametrize("n_neighbors", [3, 5])
def test_more_neighbours_than_hard_rows_are_refused(n_neighbors, rows):
    message = rf"more than n_neighbors={n_neighbors} hard rows .* there are 3\. Lower"
    with pytest.raises(ValueError, match=message):
        score(rows, n_neighbors=n_neighbors)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_graph_without_distances_is_refused(in_pipeline, rows):
    search = KNeighborsTransformer(mode="connectivity", n_neighbors=1)
    if in_pipeline:
        search = make_pipeline(StandardScaler(), search)
    with pytest.raises(ValueError, match='Pass mode="distance"'):
        score(rows, transformer=search)


def test_rows_without_a_neighbour_are_refused(rows):
    message = "found no hard row near 57 of 60 rows. Widen its search"
    with pytest.raises(ValueError, match=message):
        score(rows, transformer=RadiusNeighborsTransformer(radius=1e-9))


@pytest.mark.parametrize("distance", [np.nan, np.inf])
def test_distances_that_are_not_finite_are_no_neighbours(distance):
    graph = sparse.csr_array(np.full((3, 3), distance))
    with pytest.raises(ValueError, match="no hard row near 3 of 3 rows"):
        score(np.ones((3, 2)), np.array([0, 1, 2]), FixedGraph(graph))


@pytest.mark.parametrize(
    "transformer",
    [StandardScaler(), FixedGraph(sparse.csr_array(np.ones((60, 2)))), FixedGraph([1])],
)
def test_what_is_no_graph_of_neighbours_is_refused(transformer, rows):
    message = r"it must return a sparse matrix of distances of shape \(60, 3\)"
    with pytest.raises(ValueError, match=message):
        score(rows, transformer=transformer)


def test_transformers_are_distinguished_from_other_measures():
    for transformer in (
        KNeighborsTransformer(),
        make_pipeline(KNeighborsTransformer()),
    ):
        assert isinstance(new_measure(transformer), NeighborsMeasure)
    for other in ("max_abs_cosine", np.max, KNeighborsTransformer):
        assert not isinstance(new_measure(other), NeighborsMeasure)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from measures import EXACT_MEASURES
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context

from sklearn_w2s.overlap._measures import new_measure

SIMILARITIES = sorted(set(EXACT_MEASURES) - {"unexplained"})
rows_of_numbers = arrays(
    np.float64, (12, 3), elements=st.integers(-20, 20).map(lambda i: i / 4)
)
HARD = np.array([0, 2, 5])
WEIGHTS = np.arange(1.0, 13)


def by_definition(name, rows):
    """Score every row by the formula of the measure."""
    references = rows[HARD]
    if "cosine" in name:
        rows, references = unit(rows), unit(references)
    products = rows @ references.T
    return {
        "max_abs_cosine": np.abs(products).max(axis=1),
        "max_abs_dot": np.abs(products).max(axis=1),
        "max_dot": products.max(axis=1),
        "mean_abs_cosine": mean(np.abs(products)),
        "mean_abs_dot": mean(np.abs(products)),
    }[name]


def mean(products):
    return np.average(products, axis=1, weights=WEIGHTS[HARD])


def unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


@pytest.mark.parametrize("name", SIMILARITIES)
@given(rows=rows_of_numbers)
def test_similarities_are_what_they_are_defined_to_be(name, rows):
    for given_rows in (rows, sparse.csr_array(rows)):
        measure = new_measure(name, None).fit(given_rows, None, HARD, WEIGHTS)
        scores = measure.score(given_rows, None)
        assert_allclose(scores, by_definition(name, rows), atol=1e-12)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_without_hard_rows_nothing_is_similar(name):
    rows = np.ones((4, 2))
    measure = new_measure(name, None).fit(
        rows, None, np.array([], dtype=int), np.ones(4)
    )
    assert_array_equal(measure.score(rows, None), np.zeros(4))


@pytest.mark.parametrize("name", SIMILARITIES)
def test_blocks_of_little_memory_give_the_same(name):
    rows = np.random.default_rng(0).normal(size=(50, 4))
    measure = new_measure(name, None).fit(rows, None, HARD, np.ones(50))
    expected = measure.score(rows, None)
    with config_context(working_memory=1e-9):
        assert_allclose(measure.score(rows, None), expected)


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("n_jobs", [2, 7, 100, -1])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_parts_scored_at_the_same_time_give_the_same(name, n_jobs, convert):
    rows = convert(np.random.default_rng(0).normal(size=(50, 4)))
    one, more = (
        new_measure(name, jobs).fit(rows, None, HARD, np.ones(50))
        for jobs in (None, n_jobs)
    )
    assert_allclose(more.score(rows, None), one.score(rows, None), rtol=1e-12)


def test_the_unexplained_part_is_the_residual_of_weighted_least_squares():
    rng = np.random.default_rng(0)
    weak_rows, rows = rng.normal(size=(40, 2)), rng.normal(size=(40, 5))
    weights = rng.uniform(size=40)
    measure = new_measure("unexplained", None).fit(rows, weak_rows, HARD, weights)
    design = np.column_stack([np.ones(40), weak_rows])
    root = np.sqrt(weights)[:, None]
    coefficients, *_ = np.linalg.lstsq(root * design, root * rows, rcond=None)
    expected = np.linalg.norm(rows - design @ coefficients, axis=1)
    assert_allclose(measure.score(rows, weak_rows), expected)
    assert_array_equal(measure.references, rows[HARD])


def test_one_column_has_a_residual_too():
    rows, weak_rows = np.arange(4.0)[:, None], np.array([[0.0], [1], [0], [1]])
    measure = new_measure("unexplained", None).fit(
        rows, weak_rows, HARD[:1], np.ones(4)
    )
    assert_allclose(measure.score(rows, weak_rows), np.ones(4))


def test_a_function_gets_rows_hard_rows_and_weak_rows():
    rows, weak_rows = np.ones((12, 2)), np.zeros((12, 1))

    def function(*arguments):
        for argument, expected in zip(
            arguments, (rows, rows[HARD], weak_rows), strict=True
        ):
            assert_array_equal(argument, expected)
        return np.arange(12)

    measure = new_measure(function, None).fit(rows, weak_rows, HARD, WEIGHTS)
    assert_array_equal(measure.score(rows, weak_rows), np.arange(12.0))

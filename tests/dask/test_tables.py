"""Partitions may differ in the types of their columns, and in their gaps."""

from decimal import Decimal

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import sklearn_w2s
from sklearn_w2s._tabular import default_strong_estimator
from sklearn_w2s.dask import OverlapDetector, WeakToStrongClassifier

N = 240
CODES = np.random.default_rng(0).integers(0, 12, N)
TRUTH = np.isin(CODES, [1, 3, 4, 7, 8, 10]).astype(int)
Y = np.where(np.arange(N) < N // 2, TRUTH, -1)
WORDS = np.random.default_rng(1).choice(["1", "1.0"], N)
DECIMAL = pd.ArrowDtype(pa.decimal128(5, 1))
TYPES = ["category", "float64", "Int64", DECIMAL]
N_EXAMPLES = settings().max_examples
# The scheduler is set by a fixture, which stays for all examples.
costly = settings(
    max_examples=N_EXAMPLES if N_EXAMPLES > 1_000 else N_EXAMPLES // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def table(rows, dtype="category", gaps=()):
    codes = [None if i in gaps else int(CODES[i]) for i in rows]
    if dtype is DECIMAL:
        codes = [None if code is None else Decimal(code) for code in codes]
    return pd.DataFrame(
        {"code": pd.Series(codes, dtype=dtype), "word": WORDS[list(rows)]}
    )


def collection(parts):
    """Return data frames as the partitions of one, as they are."""
    return dd.from_map(lambda part: part, parts, meta=table([0]).iloc[:0])


def parts_of(n):
    return [rows.tolist() for rows in np.array_split(np.arange(N), n)]


@pytest.fixture(scope="module")
def models():
    """Fit a classifier and a detector on partitions with categories of their own."""
    parts = [table(rows, gaps={5, 100}) for rows in parts_of(20)]
    assert len({tuple(part["code"].cat.categories) for part in parts}) > 1
    X = collection(parts)
    y = dd.from_map(pd.Series, [Y[rows] for rows in parts_of(20)])
    strong = default_strong_estimator()
    model = WeakToStrongClassifier(strong_estimator=strong, random_state=0).fit(X, y)
    return model, OverlapDetector(random_state=0).fit(X, y)


def test_categories_of_single_partitions_are_those_of_all(models):
    model, detector = models
    X, y = table(range(N), gaps={5, 100}), Y
    assert model.strong_estimator_.encoder_.categorical_columns_ == [0, 1]
    expected = sklearn_w2s.OverlapDetector(random_state=0).fit(X, y)
    assert_array_equal(detector.predict(X), expected.predict(X))
    assert model.score(table(range(N)), TRUTH) > 0.98


@costly
@given(
    parts=st.lists(
        st.tuples(
            st.lists(st.integers(0, N - 1), min_size=1, max_size=6),
            st.sampled_from(TYPES),
        ),
        min_size=1,
        max_size=4,
    ),
    gaps=st.sets(st.integers(0, N - 1)),
    of_classifier=st.booleans(),
)
def test_rows_are_answered_alike_in_any_partitions_and_types(
    models, parts, gaps, of_classifier
):
    model, detector = models
    X = collection([table(rows, dtype, gaps) for rows, dtype in parts])
    together = table([i for rows, _ in parts for i in rows], gaps=gaps)
    if of_classifier:
        proba = np.asarray(model.predict_proba(X))
        assert_allclose(proba, model.predict_proba(together), atol=1e-9)
    else:
        regions = np.asarray(detector.predict(X))
        assert_array_equal(regions, detector.predict(together))

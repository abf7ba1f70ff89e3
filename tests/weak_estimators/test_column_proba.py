import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.weak_estimators import ColumnProbaClassifier

X = np.array([[3.0, 0.2, 0.7, 0.1], [4.0, 0.6, 0.1, 0.3], [5.0, 0.0, 0.0, 1.0]])
Y = ["a", "b", "c"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_one_column_is_the_probability_of_the_second_class(shares):
    rows = np.column_stack([np.ones(len(shares)), shares])
    for columns in (1, [1], -1):
        vendor = ColumnProbaClassifier(columns, classes=[0, 1])
        proba = vendor.predict_proba(rows)
        assert_array_equal(proba[:, 1], shares)
        assert_allclose(proba.sum(axis=1), 1)


def test_the_second_class_is_the_second_that_is_named():
    vendor = ColumnProbaClassifier(1, classes=["yes", "no"])
    assert_array_equal(vendor.classes_, ["no", "yes"])
    assert_array_equal(vendor.predict_proba(X)[:, 0], X[:, 1])


def test_several_columns_are_one_per_class():
    named = ColumnProbaClassifier([3, 1, 2], classes=["c", "a", "b"])
    found = ColumnProbaClassifier([1, 2, 3]).fit(X, Y)
    as_dict = ColumnProbaClassifier({"c": 3, "a": 1, "b": 2})
    for vendor in (named, found, as_dict, as_dict.fit(X)):
        assert_array_equal(vendor.classes_, Y)
        assert_array_equal(vendor.predict_proba(X), X[:, 1:])
        assert_array_equal(vendor.predict(X), ["b", "a", "c"])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_a_table_go_by_name(library):
    frames = pytest.importorskip(library)
    table = frames.DataFrame({"city": ["Rome", "Oslo"], "n": [0.25, 0.5], "p": [1, 0]})
    vendor = ColumnProbaClassifier("n", classes=["no", "yes"])
    assert_array_equal(vendor.predict_proba(table), [[0.75, 0.25], [0.5, 0.5]])
    whole = ColumnProbaClassifier("p", classes=[0, 1]).fit(table)
    assert_array_equal(whole.predict(table), [1, 0])
    assert_array_equal(whole.feature_names_in_, ["city", "n", "p"])


def test_other_columns_may_be_missing():
    vendor = ColumnProbaClassifier(1, classes=[0, 1])
    assert_array_equal(vendor.predict([[np.nan, 0.9]]), [1])


def test_it_is_fitted_where_the_classes_are_named():
    check_is_fitted(clone(ColumnProbaClassifier({0: 1, 1: 2})))
    check_is_fitted(clone(ColumnProbaClassifier(1, classes=[0, 1])))
    with pytest.raises(NotFittedError):
        ColumnProbaClassifier(1).predict(X)


def test_it_is_cloned_and_pickled():
    vendor = ColumnProbaClassifier({"a": 1, "b": 2, "c": 3}).fit(X)
    for copy in (clone(vendor), pickle.loads(pickle.dumps(vendor))):
        assert_array_equal(copy.predict_proba(X), vendor.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": 9, "classes": [0, 1]}, "columns=9 does not choose columns"),
        ({"columns": [], "classes": [0, 1]}, "columns"),
        ({"columns": 0, "classes": [0, 1]}, r"sum to 1; row 0 is \[-2.0, 3.0\]"),
        ({"columns": 1, "classes": [0, 1, 2]}, r"2 column\(s\).*3 classes"),
        ({"columns": [1, 2], "classes": [0, 1]}, "sum to 1"),
        ({"columns": {0: 1}}, "must name 2"),
        ({"columns": {0: 1, 1: 2}, "classes": [0, 2]}, "names the classes"),
        ({"columns": 1.5, "classes": [0, 1]}, "'columns' parameter"),
        ({"columns": 1}, "requires y"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ColumnProbaClassifier(**params).fit(X)


@pytest.mark.parametrize(
    ("values", "message"),
    [([0.5, np.nan], "nan.*row 1.*finite"), (["half", "full"], "must hold numbers")],
)
def test_columns_that_hold_no_probabilities_are_refused(values, message):
    rows = np.array([[0, v] for v in values], dtype=object)
    with pytest.raises(ValueError, match=message):
        ColumnProbaClassifier(1, classes=[0, 1]).predict_proba(rows)


def test_as_a_weak_estimator_it_needs_no_label():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100, 2))
    shares = 1 / (1 + np.exp(-3 * rows[:, 0]))
    rows = np.column_stack([rows, shares])
    model = WeakToStrongClassifier(
        ColumnProbaClassifier({"no": 3, "yes": 2}),
        LogisticRegression(),
        strategy="all",
        store_rows=True,
    )
    rows = np.column_stack([rows, 1 - shares])
    model.fit(rows, np.full(100, -1))
    assert_array_equal(stacked(model, "weak_proba")[:, 1], shares)
    assert model.score(rows, np.where(shares > 0.5, "yes", "no")) > 0.95

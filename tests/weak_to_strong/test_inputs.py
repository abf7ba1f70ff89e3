"""Containers, kinds of labels, mixed columns and missing values."""

from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

COLUMNS = list("abcd")
TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]
NEIGHBORLY = [n for n, strategy in STRATEGIES.items() if strategy.needs_neighbors]
PLAIN = [name for name in STRATEGIES if name not in {*TAUGHT, *NEIGHBORLY}]
# Of the columns that teachers see, these make two views.
WEAK_VIEW = {"co_train": {"weak_features": [0, 1]}}


def make(weak=None, strong=None, **params):
    weak = LogisticRegression() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    return WeakToStrongClassifier(weak, strong, **{"store_rows": True} | params)


def as_pandas(X):
    return pd.DataFrame(X, columns=COLUMNS, index=np.arange(len(X))[::-1])


def as_polars(X):
    return pl.DataFrame(dict(zip(COLUMNS, X.T, strict=True)))


# Rows


# Of each column half are zeros: its typical value, as it is of sparse columns.
TWO_OF_FOUR = sorted(set(permutations([0, 0, 1, 1])))


@pytest.mark.parametrize("strategy", PLAIN)
@pytest.mark.parametrize(
    "convert",
    [
        as_pandas,
        as_polars,
        sparse.csr_matrix,
        sparse.csc_array,
        np.ndarray.tolist,
        np.asfortranarray,
    ],
)
def test_every_container_gives_what_arrays_give(problem, strategy, convert):
    X, y, _ = problem
    X = X * np.resize(TWO_OF_FOUR, X.shape)
    plain = make(strategy=strategy).fit(X, y)
    other = make(strategy=strategy).fit(convert(X), y)
    assert_allclose(other.predict_proba(convert(X)), plain.predict_proba(X), rtol=1e-5)
    assert_array_equal(other.rows_["weight"] > 0, plain.rows_["weight"] > 0)


# Sparse columns are scaled otherwise than dense ones, which changes neighbours.
@pytest.mark.parametrize("strategy", [*NEIGHBORLY, "smooth", "blend"])
@pytest.mark.parametrize("convert", [as_pandas, as_polars, np.ndarray.tolist])
def test_helpers_learn_from_frames_and_lists_what_arrays_tell(
    problem, strategy, convert
):
    X, y, _ = problem
    model = make(strategy=strategy, random_state=0)
    plain = clone(model).fit(X, y)
    other = clone(model).fit(convert(X), y)
    assert_allclose(other.predict_proba(convert(X)), plain.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("strategy", [*NEIGHBORLY, *TAUGHT])
@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array])
def test_helpers_learn_from_sparse_rows(problem, strategy, convert):
    X, y, truth = problem
    X = convert(X * (np.abs(X) > 0.3))
    params = WEAK_VIEW.get(strategy, {})
    model = make(strategy=strategy, random_state=0, **params).fit(X, y)
    assert np.mean(model.predict(X) == truth) > 0.7
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("convert", [as_pandas, as_polars])
def test_columns_of_frames_have_to_be_those_of_fit(problem, convert):
    X, y, _ = problem
    model = make(strategy="confidence").fit(convert(X), y)
    assert_array_equal(model.feature_names_in_, COLUMNS)
    assert_array_equal(model.strong_estimator_.feature_names_in_, COLUMNS)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(convert(X)[COLUMNS[::-1]])


@pytest.fixture
def table():
    """Numbers, truth values, categories and missing values of each kind."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    frame = pd.DataFrame(
        {
            "age": np.where(rng.uniform(size=300) < 0.1, np.nan, x[:, 0]),
            "visits": pd.array(rng.integers(0, 9, 300), dtype="Int64"),
            "smokes": pd.array(x[:, 1] > 0.5, dtype="boolean"),
            "ward": pd.Categorical(
                np.array(["a", "b", "c"])[np.digitize(x[:, 1], [0])]
            ),
            "note": np.where(x[:, 0] > 1, "urgent", "none").astype(object),
        }
    )
    frame.loc[::11, "visits"] = pd.NA
    frame.loc[::13, "smokes"] = pd.NA
    frame.loc[::17, "ward"] = np.nan
    frame.loc[::19, "note"] = None
    truth = np.where(x.sum(axis=1) + 0.3 * rng.normal(size=300) > 0, "yes", "no")
    return frame, np.where(np.arange(300) % 3, "", truth), truth


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_tables_of_mixed_columns_need_no_preparation(table, strategy):
    frame, y, truth = table
    params = WEAK_VIEW.get(strategy, {})
    model = WeakToStrongClassifier(
        strategy=strategy, missing_label="", random_state=0, **params
    ).fit(frame, y)
    assert model.score(frame, truth) > 0.75
    strange = frame.head(4).assign(ward="z", note=None, age=np.nan)
    assert model.predict_proba(strange).shape == (4, 2)


def test_a_weight_counts_repetitions_in_a_table_too(table):
    frame, y, _ = table
    # Medians are learned without weights.
    frame = frame[["age", "ward", "note"]].fillna({"age": 0})
    weights = np.random.default_rng(0).integers(0, 3, size=len(frame))
    rows = np.repeat(np.arange(len(frame)), weights)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = WeakToStrongClassifier(
        strong_estimator=make_pipeline(TabularEncoder(), tree),
        missing_label="",
        strategy="all",
    )
    weighted = clone(model).fit(frame, y, sample_weight=weights)
    repeated = clone(model).fit(frame.iloc[rows], y[rows])
    assert_allclose(
        weighted.weak_estimator_.predict_proba(frame),
        repeated.weak_estimator_.predict_proba(frame),
        atol=1e-3,
    )
    assert_allclose(
        weighted.predict_proba(frame), repeated.predict_proba(frame), atol=1e-3
    )


def test_categories_reach_the_strong_estimator(table):
    frame, y, _ = table
    frame = frame[["age", "ward"]]
    encode = make_column_transformer(
        (OneHotEncoder(), ["ward"]), (SimpleImputer(), ["age"])
    )
    strong = HistGradientBoostingClassifier(
        max_iter=3, categorical_features="from_dtype"
    )
    weak = make_pipeline(encode, LogisticRegression())
    model = make(weak, strong, missing_label="", strategy="all").fit(frame, y)
    assert_array_equal(model.strong_estimator_.is_categorical_, [False, True])


def test_the_weak_estimator_may_see_fewer_columns(table):
    frame, y, _ = table
    numbers = make_column_selector(dtype_include="float")
    for columns in (["age"], [0], numbers, [True] + [False] * 4, slice(0, 1)):
        model = WeakToStrongClassifier(
            weak_features=columns, missing_label="", strategy="confident"
        ).fit(frame, y)
        assert_array_equal(model.weak_estimator_.feature_names_in_, ["age"])
        assert_array_equal(model.strong_estimator_.feature_names_in_, frame.columns)


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=2),
        make_pipeline(SimpleImputer(), LogisticRegression()),
        make_pipeline(StandardScaler(), SimpleImputer(), LogisticRegression()),
        make_pipeline(
            make_column_transformer((SimpleImputer(), slice(0, 4))),
            LogisticRegression(),
        ),
        CalibratedClassifierCV(make_pipeline(SimpleImputer(), LogisticRegression())),
        make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=2)),
    ],
)
def test_missing_values_are_welcome_where_both_estimators_take_them(problem, estimator):
    X, y, _ = problem
    X = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.1, np.nan, X)
    assert get_tags(make(estimator, estimator)).input_tags.allow_nan
    model = make(estimator, estimator, strategy="all")
    assert model.fit(X, y).predict(X).shape == y.shape
    for pair in ((estimator, None), (None, estimator)):
        assert not get_tags(make(*pair)).input_tags.allow_nan
        with pytest.raises(ValueError, match="contains NaN"):
            make(*pair).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline("passthrough", LogisticRegression()),
        make_pipeline("passthrough"),
        CalibratedClassifierCV(LogisticRegression()),
    ],
)
def test_scalers_do_not_fill_missing_values_in(estimator):
    tags = get_tags(make(estimator, HistGradientBoostingClassifier()))
    assert not tags.input_tags.allow_nan


@pytest.mark.parametrize("strategy", ["confident", "smooth", "blend"])
def test_the_output_setting_of_the_user_does_not_reach_inside(table, strategy):
    frame, y, _ = table
    model = WeakToStrongClassifier(
        missing_label="", strategy=strategy, random_state=0
    ).fit(frame, y)
    expected = model.predict_proba(frame)
    for library in ("pandas", "polars"):
        with config_context(transform_output=library):
            proba = clone(model).fit(frame, y).predict_proba(frame)
        assert_allclose(proba, expected, rtol=1e-6)


# Labels


NAMES = np.array(["low", "mid", "top"])


@pytest.mark.parametrize(
    ("mark", "missing"),
    [
        (lambda y: np.r_[NAMES, [""]][y], ""),
        (lambda y: np.r_[NAMES, [""]][y].tolist(), ""),
        (lambda y: np.array([*NAMES, None], dtype=object)[y], None),
        (lambda y: np.array([*NAMES, np.nan], dtype=object)[y], np.nan),
        (lambda y: np.array([*NAMES, -1], dtype=object)[y], -1),
        (lambda y: pd.Series(np.r_[NAMES, [""]][y], index=y), ""),
        (lambda y: pd.Series(NAMES[y], dtype="string").mask(y < 0), pd.NA),
        (lambda y: pd.Series(NAMES[y], dtype="category").mask(y < 0), np.nan),
        (lambda y: pl.Series([None if c < 0 else NAMES[c] for c in y]), None),
    ],
)
def test_names_of_classes_come_in_any_container(problem, mark, missing):
    X, y, _ = problem
    model = make(missing_label=missing, strategy="all").fit(X, mark(y))
    plain = make(strategy="all").fit(X, y)
    assert_array_equal(model.classes_, NAMES)
    assert_array_equal(model.predict(X), NAMES[plain.predict(X)])
    assert_array_equal(model.rows_["label"], NAMES[plain.rows_["label"]])
    assert model.score(X, mark(y)) == plain.score(X, y)


@pytest.mark.parametrize(
    ("mark", "missing"),
    [
        (lambda y: y.astype(np.int8), -1),
        (lambda y: y.astype(float), -1),
        (lambda y: np.where(y < 0, np.nan, y), np.nan),
        (lambda y: np.where(y < 0, 99, y), 99),
        (lambda y: pd.Series(y, dtype="Int64").mask(y < 0), pd.NA),
        (lambda y: pd.Series(y, dtype="Int64").mask(y < 0), np.nan),
        (lambda y: np.where(y < 0, None, y), None),
    ],
)
def test_numbers_of_classes_come_in_any_kind(problem, mark, missing):
    X, y, _ = problem
    model = make(missing_label=missing, strategy="all").fit(X, mark(y))
    plain = make(strategy="all").fit(X, y)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert_array_equal(model.predict_proba(X), plain.predict_proba(X))
    assert model.score(X, mark(y)) == plain.score(X, y)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_truth_values_are_classes(problem, strategy):
    X, _, truth = problem
    y = np.where(np.arange(240) < 60, truth == 0, None)
    params = WEAK_VIEW.get(strategy, {})
    model = make(missing_label=None, strategy=strategy, **params).fit(X, y)
    assert model.classes_.dtype == bool
    assert model.score(X, truth == 0) > 0.7


@pytest.mark.parametrize("strategy", TAUGHT)
def test_teachers_know_the_names_of_classes(problem, strategy):
    X, y, truth = problem
    params = {"strategy": strategy, "random_state": 0, **WEAK_VIEW.get(strategy, {})}
    model = make(missing_label="", **params).fit(X, np.r_[NAMES, [""]][y])
    plain = make(**params).fit(X, y)
    assert_array_equal(model.classes_, NAMES)
    assert_array_equal(model.predict(X), NAMES[plain.predict(X)])
    assert_array_equal(model.rows_["label"], NAMES[plain.rows_["label"]])
    assert np.mean(model.predict(X) == NAMES[truth]) > 0.7


def test_columns_of_weak_probabilities_are_named_by_their_classes(problem, proba):
    X, y, _ = problem
    names = np.r_[NAMES, [""]][y]
    frame = pd.DataFrame(proba, columns=NAMES)
    model = make(missing_label="", strategy="confident")
    plain = clone(model).fit(X, names, weak_proba=proba)
    for given in (
        frame,
        frame[["top", "low", "mid"]],
        pl.DataFrame(frame[["mid", "low", "top"]].to_dict("list")),
    ):
        fitted = clone(model).fit(X, names, weak_proba=given)
        assert_array_equal(fitted.predict_proba(X), plain.predict_proba(X))
        # Where no label says so, the columns name the classes.
        unlabeled = clone(model).fit(X, np.full(len(X), ""), weak_proba=given)
        assert_array_equal(unlabeled.classes_, NAMES)


def test_probabilities_of_a_class_without_labels_are_used(problem, proba):
    X, y, _ = problem
    y = np.where(y == 1, -1, y)
    columns = pd.DataFrame(proba)
    for given in (columns, proba):
        model = make(strategy="confident").fit(X, y, weak_proba=given)
        assert_array_equal(model.classes_, [0, 1, 2])
        assert set(model.predict(X)) == {0, 1, 2}

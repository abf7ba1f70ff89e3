"""The answer for a row depends on its values: not on its batch, nor on their types."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._tabular import default_strong_estimator, default_weak_estimator
from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import cross_validate_gap

N = 240
N_EXAMPLES = settings().max_examples
costly = settings(max_examples=N_EXAMPLES if N_EXAMPLES > 1_000 else N_EXAMPLES // 4)


def with_gaps(values):
    return [None if pd.isna(value) else value for value in values]


def mapped(convert):
    return lambda values: [None if v is None else convert(v) for v in values]


def series(dtype, convert=lambda values: values):
    return lambda values: pd.Series(convert(values), dtype=dtype)


def arrow(kind, convert=lambda values: values):
    return series(pd.ArrowDtype(kind), convert)


# Of each column the types that may hold its values, the first one in fit.
TYPES = {
    "code": [
        series("category"),
        series("float64"),
        series("Int64"),
        series(object),
        series(object, mapped(Decimal)),
        series("category", mapped(float)),
        arrow(pa.int32()),
        arrow(pa.decimal128(5, 1), mapped(Decimal)),
    ],
    "size": [
        series("float64"),
        series("Float32"),
        series(object),
        series("category"),
        arrow(pa.decimal128(9, 3), mapped(Decimal)),
    ],
    "word": [
        series(object),
        series("string"),
        series("category"),
        arrow(pa.string()),
    ],
    "flag": [
        series(object),
        series("boolean"),
        series("float64"),
        arrow(pa.bool_()),
        series(object, mapped(np.bool_)),
    ],
    "when": [
        series("M8[ns]"),
        series("M8[s]"),
        series(object),
        series(object, mapped(np.datetime64)),
        arrow(pa.timestamp("ms")),
    ],
}


def make_rows():
    """Return columns of plain values, where the code determines the class."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 12, N)
    hours = rng.integers(0, 30_000, N)
    columns = {
        "code": code.tolist(),
        "size": (rng.integers(-800, 800, N) / 8).tolist(),
        "word": rng.choice(["1", "1.0", "one"], N).tolist(),
        "flag": rng.choice([True, False], N).tolist(),
        "when": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=int(h)) for h in hours],
    }
    truth = np.isin(code, [1, 3, 4, 7, 8, 10]).astype(int)
    for j, values in enumerate(columns.values()):
        values[j] = None
    return columns, truth


ROWS, TRUTH = make_rows()
Y = np.where(np.arange(N) < N // 2, TRUTH, -1)


def table(rows=range(N), types=(0, 0, 0, 0, 0), gaps=()):
    """Return rows as a data frame with columns of the types chosen."""
    columns = {}
    for kind, (name, values) in zip(types, ROWS.items(), strict=True):
        chosen = [None if (name, i) in gaps else values[i] for i in rows]
        columns[name] = TYPES[name][kind](chosen)
    return pd.DataFrame(columns)


def as_polars(rows, gaps=()):
    columns = {
        name: [None if (name, i) in gaps else values[i] for i in rows]
        for name, values in ROWS.items()
    }
    return pl.DataFrame(columns, schema_overrides={"code": pl.Int16})


kinds_of_columns = st.tuples(*(st.integers(0, len(k) - 1) for k in TYPES.values()))
cells = st.tuples(st.sampled_from(list(TYPES)), st.integers(0, N - 1))
batches = st.lists(
    st.tuples(
        st.lists(st.integers(0, N - 1), min_size=1, max_size=6), kinds_of_columns
    ),
    min_size=1,
    max_size=6,
)


@st.composite
def drawn(draw):
    """Draw batches of rows, the types of their columns, and cells that are gaps."""
    parts = draw(batches)
    rows = [i for part, _ in parts for i in part]
    gaps = draw(st.sets(st.tuples(st.sampled_from(list(TYPES)), st.sampled_from(rows))))
    return parts, gaps


@pytest.fixture(scope="module")
def weak():
    return FrozenEstimator(default_weak_estimator().fit(table(), TRUTH))


@pytest.fixture(scope="module")
def models(weak):
    stream = OverlapDetector(weak, random_state=0)
    for rows in np.split(np.arange(N), 4):
        stream.partial_fit(table(rows))
    return {
        "classifier": WeakToStrongClassifier(random_state=0).fit(table(), Y),
        "boosting": default_strong_estimator().fit(table(), TRUTH),
        "detector": OverlapDetector(random_state=0).fit(table(), Y),
        "stream": stream,
    }


names_of_models = st.sampled_from(["classifier", "boosting", "detector", "stream"])


def answers(model, X):
    """Return the output of a model for each row, as numbers."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(X)
    return np.asarray(model.transform(X))[:, :2]


@given(name=names_of_models, drawn=drawn())
def test_rows_are_answered_alike_in_any_batches_types_and_company(models, name, drawn):
    model = models[name]
    parts, gaps = drawn
    rows = [i for part, _ in parts for i in part]
    expected = answers(model, table(rows, gaps=gaps))
    found = [answers(model, table(part, types, gaps)) for part, types in parts]
    assert_allclose(np.vstack(found), expected, atol=1e-9)
    one_by_one = [answers(model, table([i], gaps=gaps)) for i in rows]
    assert_allclose(np.vstack(one_by_one), expected, atol=1e-9)
    _, types = parts[0]
    again = table(rows, types, gaps)
    assert_array_equal(model.predict(again), model.predict(table(rows, gaps=gaps)))


@given(
    name=names_of_models,
    rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=9),
)
def test_data_frames_of_polars_are_answered_as_those_of_pandas(models, name, rows):
    model = models[name]
    gaps = {("code", rows[0]), ("word", rows[-1])}
    expected = answers(model, table(rows, gaps=gaps))
    assert_allclose(answers(model, as_polars(rows, gaps)), expected)


@costly
@given(types=st.lists(kinds_of_columns, min_size=3, max_size=3), gaps=st.sets(cells))
def test_a_stream_may_change_the_types_of_its_columns(weak, types, gaps):
    model = OverlapDetector(weak, random_state=0)
    other = clone(model)
    first = (0, 0, 0, 0, 0)
    for rows, kinds in zip(np.split(np.arange(N), 4), [first, *types], strict=True):
        model.partial_fit(table(rows, gaps=gaps))
        other.partial_fit(table(rows, kinds, gaps))
    assert_array_equal(other.predict(table()), model.predict(table()))
    assert other.overlap_density_ == model.overlap_density_


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name in ("size", "word", "flag", "when")
        for kind in range(1, len(TYPES[name]))
        # Of numbers alone, categories are another choice of the user.
        if (name, kind) != ("size", 3)
    ],
)
def test_models_learn_the_same_from_any_type_of_a_column(name, kind):
    types = [kind if column == name else 0 for column in TYPES]
    expected = clone(default_strong_estimator()).fit(table(), TRUTH)
    found = clone(expected).fit(table(types=types), TRUTH)
    assert_array_equal(found.predict_proba(table()), expected.predict_proba(table()))
    expected = OverlapDetector(random_state=0).fit(table(), Y)
    found = clone(expected).fit(table(types=types), Y)
    assert_array_equal(found.predict(table()), expected.predict(table()))


# What it costs to get it wrong


def coded(rows, codes):
    return pd.DataFrame({"code": pd.Categorical(np.array(codes, dtype=object)[rows])})


def test_one_missing_cell_costs_no_accuracy():
    codes = [code if code is None else int(code) for code in ROWS["code"]]
    test = coded(range(N // 2, N), codes)
    truth = TRUTH[N // 2 :]
    model = WeakToStrongClassifier(random_state=0)
    model.fit(pd.DataFrame({"code": table()["code"]}), Y)
    assert model.score(test, truth) == 1
    test.loc[0, "code"] = None
    assert model.score(test, truth) >= 1 - 1 / len(truth)
    assert model.score(test.astype("Int64"), truth) >= 1 - 1 / len(truth)


def test_folds_may_differ_in_their_gaps():
    codes = np.random.default_rng(0).integers(0, 12, 600)
    truth = np.isin(codes, [1, 3, 4, 7, 8, 10]).astype(int)
    X = pd.DataFrame({"code": pd.Categorical(codes)})
    gap = X.copy()
    gap.loc[0, "code"] = None
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = WeakToStrongClassifier(random_state=0)
    for table_given in (X, gap):
        results = cross_validate_gap(
            model, table_given, truth, labeled_size=0.6, cv=folds
        )
        for name in ("weak", "weak_to_strong", "strong_on_labels", "ceiling"):
            assert results[f"{name}_score"].min() > 0.98, name


THIRDS = np.random.default_rng(0).integers(0, 7000, 600)
IS_ODD = THIRDS // 1000 % 2
START = dt.datetime(2020, 1, 1)
PLACES = {
    "float64": lambda v: pd.Series(v, dtype=float),
    "objects": lambda v: pd.Series(v.astype(float).tolist(), dtype=object),
    "decimals": lambda v: pd.Series(list(map(Decimal, v.tolist())), dtype=object),
    "arrow decimal": lambda v: pd.Series(
        list(map(Decimal, v.tolist())), dtype=pd.ArrowDtype(pa.decimal128(9, 2))
    ),
    "datetime64": lambda v: START + pd.Series(pd.to_timedelta(v, unit="D")),
    "with a zone": lambda v: (
        START + pd.Series(pd.to_timedelta(v, unit="D"))
    ).dt.tz_localize("Europe/Berlin", ambiguous="NaT", nonexistent="NaT"),
    "timedelta64": lambda v: pd.Series(pd.to_timedelta(v, unit="h")),
    "period": lambda v: (START + pd.Series(pd.to_timedelta(v, unit="D"))).dt.to_period(
        "D"
    ),
    "dates": lambda v: pd.Series(
        [START.date() + dt.timedelta(days=int(d)) for d in v], dtype=object
    ),
    "polars": lambda v: pl.Series([START + dt.timedelta(hours=int(d)) for d in v]),
}


@pytest.mark.parametrize("kind", list(PLACES))
def test_numbers_and_dates_are_ordered_in_whatever_type(kind):
    column = PLACES[kind](THIRDS)
    library = pl if kind == "polars" else pd
    X = library.DataFrame({"place": column})
    strong = default_strong_estimator().set_params(boosting__random_state=0)
    assert strong.fit(X[:300], IS_ODD[:300]).score(X[300:], IS_ODD[300:]) > 0.95
    y = np.where(np.arange(600) < 300, IS_ODD, -1)
    model = WeakToStrongClassifier(random_state=0).fit(X, y)
    assert model.score(X[300:], IS_ODD[300:]) > 0.95


@pytest.mark.parametrize("part", ["month", "day", "day_of_week", "hour"])
def test_rules_of_the_calendar_are_learned(part):
    hours = np.random.default_rng(0).integers(0, 90_000, 900)
    when = pd.Series(START + pd.to_timedelta(hours, unit="h"))
    truth = (getattr(when.dt, part) % 5 < 2).to_numpy().astype(int)
    X = pd.DataFrame({"when": when})
    model = default_strong_estimator().fit(X[:600], truth[:600])
    assert model.score(X[600:], truth[600:]) > 0.97


def test_categories_have_no_order():
    # Neighbours in order, of which every other one belongs to a class.
    names = [f"c{i:03d}" for i in range(200)]
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 200, 6000)
    X = pd.DataFrame({"name": np.array(names, dtype=object)[codes]})
    truth = rng.integers(0, 2, 200)[codes]
    strong = default_strong_estimator().set_params(boosting__max_iter=10)
    assert strong.fit(X[:4000], truth[:4000]).score(X[4000:], truth[4000:]) > 0.99
    assert strong.boosting_.is_categorical_.tolist() == [True]


def test_of_more_than_255_categories_the_frequent_ones_are_distinct():
    rng = np.random.default_rng(0)
    frequent = rng.integers(0, 200, 5000)
    rare = 200 + np.arange(400)
    X = pd.DataFrame({"id": pd.Categorical(np.append(frequent, rare))})
    truth = np.append(frequent % 2, np.ones(400, dtype=int))
    model = default_strong_estimator().fit(X, truth)
    assert model.score(X, truth) > 0.95
    assert model.score(X[:5000], truth[:5000]) > 0.99
    encoded = model.encoder_.transform(X)[:, 0]
    assert_array_equal(np.unique(encoded), np.arange(255))
    assert (encoded[5000:] == 254).sum() == 346
    new = pd.DataFrame({"id": pd.Categorical([10_000, None])})
    assert_array_equal(model.encoder_.transform(new)[:, 0], [254, -1])


# Refusals and lists


@pytest.mark.parametrize(
    "model", [WeakToStrongClassifier(), OverlapDetector(), default_strong_estimator()]
)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1], [2]], "Column 'odd' of X holds values of type list"),
        ([b"a", b"b"], "Column 'odd' of X holds values of type bytes"),
        ([1, "b"], "Column 'odd' of X mixes numbers and text"),
    ],
)
def test_columns_that_cannot_be_read_are_refused_by_name(model, values, message):
    X = table().assign(odd=pd.Series(values * (N // 2), dtype=object))
    y = TRUTH if model.__class__.__name__ == "TabularBoosting" else Y
    with pytest.raises((TypeError, ValueError), match=message):
        clone(model).fit(X, y)


def test_a_column_of_another_kind_than_in_fit_is_refused_by_name(models):
    classifier, detector = models["classifier"], models["detector"]
    changed = table().assign(word=1)
    for model in (classifier, detector):
        with pytest.raises(ValueError, match="'word' of X holds numbers, such as 1"):
            model.predict(changed)


def test_numbers_beside_texts_in_a_list_stay_numbers():
    X = table()[["size", "word"]].fillna({"size": 0.0, "word": "one"})
    rows = X.to_numpy(dtype=object).tolist()
    params = {"random_state": 0}
    for model in (WeakToStrongClassifier(**params), OverlapDetector(**params)):
        expected = clone(model).fit(np.array(rows, dtype=object), Y)
        found = model.fit(rows, Y)
        assert_array_equal(found.predict(rows), expected.predict(rows))
        assert_array_equal(found.predict(rows[:1]), expected.predict(rows[:1]))
    advice = advise(WeakToStrongClassifier(**params), rows, Y)
    assert advice.recommendation

"""What a column holds decides how it is read, whatever the type that holds it."""

import datetime as dt
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_w2s._columns import (
    MISSING,
    UNKNOWN,
    Columns,
    distinct_rows,
    known_share,
    numbers_of,
)

NAN = np.nan
BERLIN = dt.timezone(dt.timedelta(hours=1))


def pandas(values, dtype=None):
    return pd.DataFrame({"c": pd.Series(values, dtype=dtype)})


def arrow(values, kind):
    return pandas(values, pd.ArrowDtype(kind))


def polars(values, dtype=None):
    return pl.DataFrame({"c": pl.Series(values, dtype=dtype, strict=False)})


def objects(values):
    column = np.empty((len(values), 1), dtype=object)
    column[:, 0] = values
    return column


def kinds_of(X):
    return Columns().fit(X).kinds[0]


def numbers(X):
    return Columns().fit(X).numbers(X)


def codes(X):
    return Columns().fit(X).codes(X)[:, 0].tolist()


# Numbers: columns of equal integers, with gaps and without


INTEGERS = {
    "float64": lambda v: pandas(v, "float64"),
    "float32": lambda v: pandas(v, "float32"),
    "Int64": lambda v: pandas(v, "Int64"),
    "Int8": lambda v: pandas(v, "Int8"),
    "Float32": lambda v: pandas(v, "Float32"),
    "arrow int16": lambda v: arrow(v, pa.int16()),
    "arrow double": lambda v: arrow(v, pa.float64()),
    "arrow decimal": lambda v: arrow(
        [None if x is None else Decimal(x) for x in v], pa.decimal128(10, 2)
    ),
    "objects": lambda v: pandas(v, object),
    "mixed objects": lambda v: pandas(
        [x if x is None else (int, float, np.int8)[x % 3](x) for x in v], object
    ),
    "fractions": lambda v: pandas(
        [pd.NA if x is None else Fraction(x) for x in v], object
    ),
    "decimals": lambda v: pandas(
        [Decimal("NaN") if x is None else Decimal(x) for x in v], object
    ),
    "array": lambda v: np.array(v, dtype=float)[:, None],
    "object array": objects,
    "polars": lambda v: polars(v, pl.Int64),
    "polars float": lambda v: polars(v, pl.Float32),
    "polars decimal": lambda v: polars(v, pl.Float64).cast(pl.Decimal(10, 2)),
}
CATEGORIES = {
    "category": lambda v: pandas(pd.Categorical(v)),
    "category of floats": lambda v: pandas(
        pd.Categorical([None if x is None else float(x) for x in v])
    ),
    "category of Int64": lambda v: pandas(pd.array(v, "Int64")).astype("category"),
    "ordered category": lambda v: pandas(
        pd.Categorical(v, categories=list(range(20, -20, -1)), ordered=True)
    ),
    "arrow dictionary": lambda v: pd.DataFrame(
        {
            "c": pd.arrays.ArrowExtensionArray(
                pa.array(v, pa.int64()).dictionary_encode()
            )
        }
    ),
}
few_integers = st.lists(st.none() | st.integers(-9, 9), min_size=1, max_size=12)


@given(values=few_integers, name=st.sampled_from([*INTEGERS, *CATEGORIES]))
def test_equal_integers_are_equal_numbers_in_whatever_type(values, name):
    convert = (INTEGERS | CATEGORIES)[name]
    columns = Columns().fit(pandas([1.0]))
    expected = np.array(values, dtype=float)[:, None]
    assert_array_equal(columns.numbers(convert(values)), expected)
    if name in INTEGERS:
        assert_array_equal(numbers(convert(values)), expected)


@given(
    seen=few_integers,
    values=few_integers,
    fitted=st.sampled_from(list(CATEGORIES)),
    name=st.sampled_from([*INTEGERS, *CATEGORIES]),
)
def test_equal_integers_are_equal_categories_in_whatever_type(
    seen, values, fitted, name
):
    known = sorted({value for value in seen if value is not None})
    assume(known)
    columns = Columns().fit(CATEGORIES[fitted](seen))
    assert columns.categories == [known]
    found = columns.codes((INTEGERS | CATEGORIES)[name](values))[:, 0]
    code_of = {None: MISSING} | {value: code for code, value in enumerate(known)}
    assert found.tolist() == [code_of.get(value, UNKNOWN) for value in values]


@pytest.mark.parametrize(
    "convert",
    [
        lambda v: pandas(v, "int64"),
        lambda v: pandas([*v, None], "Int64")[:-1],
        lambda v: pandas([*v, None], "Int64"),
        lambda v: arrow([*v, None], pa.int64()),
        lambda v: pandas(pd.Categorical(v)),
        lambda v: polars([*v, None], pl.Int64),
        lambda v: pandas([Decimal(x) for x in v], object),
        objects,
    ],
)
def test_integers_that_no_float_holds_stay_apart(convert):
    values = [2**53, 2**53 + 1, 2**62 + 1]
    columns = Columns().fit(pandas(pd.Categorical(values)))
    assert columns.codes(convert(values))[:3, 0].tolist() == [0, 1, 2]


def test_texts_are_as_written_and_not_numbers():
    texts = ["1", "1.0", "01", None]
    for X in (pandas(texts, object), pandas(texts, "string"), polars(texts)):
        assert codes(X) == [1, 2, 0, MISSING]
    assert codes(np.array([["1"], ["1.0"]])) == [0, 1]
    mixed = pandas(pd.Categorical(pd.Series([1, "1", "1.0", None], dtype=object)))
    assert codes(mixed) == [0, 1, 2, MISSING]
    with pytest.raises(ValueError, match=r"'c' of X holds numbers, such as 1, but .*t"):
        Columns().fit(pandas(texts, object)).codes(pandas([1, 2]))


@pytest.mark.parametrize(
    "convert",
    [
        lambda v: pandas(v, object),
        lambda v: pandas(v, "string"),
        lambda v: pandas(v, "category"),
        lambda v: arrow(v, pa.string()),
        lambda v: pandas([NAN if x is None else x for x in v], object),
        lambda v: pandas([pd.NA if x is None else np.str_(x) for x in v], object),
        lambda v: polars(v),
        lambda v: polars(v, pl.Categorical),
        lambda v: polars(v, pl.Enum(["a", "b", "unused"])),
        objects,
    ],
)
def test_equal_texts_are_equal_categories_in_whatever_type(convert):
    values = ["b", None, "a", "b"]
    assert codes(convert(values)) == [1, MISSING, 0, 1]
    columns = Columns().fit(pandas(["a", "b"]))
    assert columns.codes(convert(values))[:, 0].tolist() == [1, MISSING, 0, 1]
    assert columns.codes(convert([None, None])).tolist() == [[MISSING], [MISSING]]


@pytest.mark.parametrize(
    "convert",
    [
        lambda v: pandas(v, object),
        lambda v: pandas(v, "boolean"),
        lambda v: arrow(v, pa.bool_()),
        lambda v: pandas([None if x is None else np.bool_(x) for x in v], object),
        lambda v: polars(v),
        objects,
    ],
)
def test_truth_values_are_the_numbers_0_and_1(convert):
    assert_array_equal(numbers(convert([True, None, False])), [[1], [NAN], [0]])
    assert_array_equal(numbers(np.array([[True], [False]])), [[1], [0]])
    as_categories = Columns().fit(pandas(pd.Categorical([True, False])))
    found = as_categories.codes(convert([True, None, False]))
    assert found.tolist() == [[1], [MISSING], [0]]


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint64, np.float16, np.float32])
def test_arrays_of_any_kind_of_number_are_numbers(kind):
    columns = Columns().fit(np.zeros((2, 3), dtype=kind))
    assert columns.numeric == [0, 1, 2]
    assert columns.are_plain


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_of_numbers_is_not_copied(dtype):
    for X in (np.eye(3, dtype=dtype), sparse.csr_array(np.eye(3, dtype=dtype))):
        rows = numbers(X)
        assert rows.dtype == dtype
        assert np.shares_memory(getattr(rows, "data", rows), getattr(X, "data", X))


# Dates


WHEN = [dt.datetime(1969, 12, 31, 23, 30), None, dt.datetime(2024, 2, 29, 7)]
DAYS = [-1 + 23.5 / 24, NAN, 19782 + 7 / 24]
DATES = {
    **{
        f"numpy {unit}": lambda v, unit=unit: np.array(v, dtype=f"M8[{unit}]")[:, None]
        for unit in ("m", "s", "ms", "us", "ns", "10us")
    },
    **{
        f"pandas {unit}": lambda v, unit=unit: pandas(v, f"M8[{unit}]")
        for unit in ("s", "ms", "us", "ns")
    },
    "objects": lambda v: pandas(v, object),
    "timestamps": lambda v: pandas(list(map(pd.Timestamp, v)), object),
    "scalars": lambda v: objects([x and np.datetime64(x) for x in v]),
    "period": lambda v: pandas(pd.PeriodIndex(v, freq="min")),
    "periods": lambda v: pandas(list(pd.PeriodIndex(v, freq="s")), object),
    "arrow": lambda v: arrow(v, pa.timestamp("ms")),
    "polars": lambda v: polars(v, pl.Datetime("ns")),
    "polars ms": lambda v: polars(v, pl.Datetime("ms")),
}
ZONED = {
    "pandas": lambda v: pandas(pd.DatetimeIndex(v).tz_localize("UTC")),
    "pandas elsewhere": lambda v: pandas(
        pd.DatetimeIndex(v).tz_localize("UTC").tz_convert("Asia/Tokyo").as_unit("s")
    ),
    "objects": lambda v: objects(
        [x and x.replace(tzinfo=dt.UTC).astimezone(BERLIN) for x in v]
    ),
    "timestamps": lambda v: objects([x and pd.Timestamp(x, tz="UTC") for x in v]),
    "arrow": lambda v: arrow(
        [x and x.replace(tzinfo=dt.UTC) for x in v], pa.timestamp("us", "Asia/Tokyo")
    ),
    "polars": lambda v: (
        polars(v, pl.Datetime("us"))
        .with_columns(pl.col("c").dt.replace_time_zone("UTC"))
        .with_columns(pl.col("c").dt.convert_time_zone("Asia/Tokyo"))
    ),
}


@pytest.mark.parametrize("kinds", [DATES, ZONED])
@given(
    values=st.lists(
        st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
        max_size=5,
    ),
    data=st.data(),
)
def test_equal_dates_are_equal_in_whatever_type(kinds, values, data):
    values = [*WHEN, *(v and v.replace(second=0, microsecond=0) for v in values)]
    first, second = (data.draw(st.sampled_from(list(kinds))) for _ in "ab")
    columns = Columns().fit(kinds[first](values))
    found = columns.numbers(kinds[second](values))
    assert_array_equal(found, columns.numbers(kinds[first](values)))
    assert_array_equal(found[:3, 0], DAYS)
    assert_array_equal(columns.numbers(kinds[second]([None])), NAN * found[:1])


def test_dates_are_days_and_the_parts_of_the_calendar_that_vary():
    days = pandas(pd.date_range("2024-01-31", periods=3))
    columns = Columns().fit(days)
    assert columns.parts == [(0, "month"), (0, "day"), (0, "weekday")]
    expected = [[19753, 1, 31, 2], [19754, 2, 1, 3], [19755, 2, 2, 4]]
    assert_array_equal(columns.numbers(days), expected)
    assert not columns.are_plain

    hours = pandas(pd.date_range("2024-01-01", periods=24, freq="h"))
    assert Columns().fit(hours).parts == [(0, "hour")]
    assert_array_equal(numbers(hours)[:, 1], np.arange(24))


@given(
    values=st.lists(
        st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1)), min_size=1
    )
)
def test_the_parts_of_the_calendar_are_those_of_python(values):
    known = [dt.datetime(2000, 1, 1), dt.datetime(2001, 2, 4, 4)]
    values = [v.replace(microsecond=0) for v in values]
    rows = Columns().fit(objects(known)).numbers(objects(values))
    expected = [[v.month, v.day, v.weekday(), v.hour] for v in values]
    assert_array_equal(rows[:, 1:], expected)


def test_days_months_and_years_are_dates():
    for unit, day in (("D", 19783), ("W", 19782), ("M", 19783), ("Y", 19723)):
        X = np.array([["2024-03-01"]], dtype=f"M8[{unit}]")
        assert numbers(X)[0, 0] == day
    day = dt.date(2024, 3, 1)
    for X in (objects([day]), arrow([day], pa.date32()), polars([day])):
        assert numbers(X).tolist() == [[19783]]
    assert numbers(pandas(pd.PeriodIndex(["2024-03"], freq="M")))[0, 0] == 19783


def test_a_date_with_a_time_zone_is_not_one_without():
    columns = Columns().fit(DATES["pandas ns"](WHEN))
    with pytest.raises(ValueError, match="holds dates with a time zone, such as"):
        columns.numbers(ZONED["pandas"](WHEN))
    with pytest.raises(ValueError, match=r"mixes dates and dates with a time zone"):
        Columns().fit(objects([WHEN[0], WHEN[0].replace(tzinfo=dt.UTC)]))


@pytest.mark.parametrize(
    "convert",
    [
        lambda v: pandas(v, "m8[ns]"),
        lambda v: pandas(v, "m8[s]"),
        lambda v: pandas(v, object),
        lambda v: objects([x and np.timedelta64(x) for x in v]),
        lambda v: objects([x and pd.Timedelta(x) for x in v]),
        lambda v: arrow(v, pa.duration("ms")),
        lambda v: polars(v, pl.Duration("us")),
        lambda v: np.array(v, dtype="m8[ms]")[:, None],
    ],
)
def test_durations_are_seconds(convert):
    values = [dt.timedelta(hours=-1), None, dt.timedelta(days=2, seconds=3)]
    assert kinds_of(convert(values)) == ["durations"]
    assert_array_equal(numbers(convert(values)), [[-3600], [NAN], [172803]])


def test_times_of_day_are_seconds():
    values = [dt.time(1, 0, 0, 500_000), None]
    for X in (objects(values), arrow(values, pa.time64("us")), polars(values)):
        assert_array_equal(numbers(X), [[3600.5], [NAN]])


def test_categories_may_be_anything_that_has_a_categorical_type():
    values = pd.cut([1, 5, NAN], [0, 2, 6])
    assert codes(pandas(values)) == [0, 1, MISSING]
    days = pd.Categorical(pd.to_datetime(["2024-01-02", None, "2024-01-01"]))
    columns = Columns().fit(pandas(days))
    assert columns.codes(pandas(days))[:, 0].tolist() == [1, MISSING, 0]
    again = pandas(days.astype("M8[s]"))
    assert columns.codes(again)[:, 0].tolist() == [1, MISSING, 0]


# Gaps


@pytest.mark.parametrize(
    "nothing",
    [
        pandas([None, None], object),
        pandas([NAN, NAN]),
        pandas([pd.NaT, pd.NaT]),
        pandas([pd.NA, pd.NA], "Int64"),
        pandas(pd.Categorical([None, None], categories=["a"])),
        polars([None, None]),
        np.full((2, 1), NAN),
        objects([None, NAN]),
    ],
)
def test_a_column_without_any_value_is_a_gap_in_every_column(nothing):
    for fitted in (pandas([1, 2]), pandas(["a", "b"]), DATES["pandas s"](WHEN)):
        columns = Columns().fit(fitted)
        if columns.numeric:
            assert np.isnan(columns.numbers(nothing)).all()
        else:
            assert (columns.codes(nothing) == MISSING).all()
    assert known_share(nothing, 0) == 0


@pytest.mark.parametrize(
    "nothing", [pandas([None], object), pandas([NAN]), np.full((1, 1), NAN)]
)
def test_of_a_column_without_any_value_nothing_is_read_later(nothing):
    columns = Columns().fit(nothing)
    assert columns.are_plain
    for X in (pandas(["a"]), pandas([1.0]), np.ones((1, 1)), polars([[1]])):
        assert np.isnan(columns.numbers(X)).all()


def test_the_share_of_known_values_ignores_what_is_nested():
    assert known_share(pandas([1, None, "a", NAN], object), 0) == 0.5
    assert known_share(pandas([[1], None], object), 0) == 1


# Refusals


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1, 2], [3]], "list"),
        ([{"a": 1}, 2], "dict"),
        ([b"a", b"b"], "bytes"),
        ([1j, 2], "complex"),
        ([object(), 1.0], "object"),
        ([np.ones(2), 1.0], "ndarray"),
    ],
)
def test_what_is_neither_number_date_nor_text_is_refused_by_name(values, kind):
    where = rf"of X holds values of type {kind}: an argument must be a string, a date"
    with pytest.raises(TypeError, match=f"Column 'c' {where}"):
        Columns().fit(pandas(values, object))
    with pytest.raises(TypeError, match=f"Column 0 {where}"):
        Columns().fit(objects(values))


@pytest.mark.parametrize(
    "X",
    [
        arrow([[1], None], pa.list_(pa.int64())),
        arrow([b"a", None], pa.binary()),
        polars([[1], None]),
        polars([b"a", None]),
        polars([{"a": 1}]),
        pandas([1j]),
        pandas(pd.interval_range(0, 2)),
    ],
)
def test_typed_columns_of_other_values_are_refused_by_name(X):
    with pytest.raises(TypeError, match="Column 'c' of X holds values of type"):
        Columns().fit(X)


@pytest.mark.parametrize(
    ("values", "mixture"),
    [
        ([1, "a"], "numbers and text, such as 1 and 'a'"),
        ([True, "yes", None], "numbers and text, such as True and 'yes'"),
        ([dt.date(2024, 1, 1), "soon"], "dates and text"),
        ([dt.timedelta(1), 3], "durations and numbers"),
    ],
)
def test_mixtures_are_refused_by_name(values, mixture):
    with pytest.raises(ValueError, match=f"Column 'c' of X mixes {mixture}"):
        Columns().fit(pandas(values, object))


def test_values_of_another_kind_than_in_fit_are_refused_by_name():
    columns = Columns().fit(pandas([1, 2]))
    with pytest.raises(ValueError, match="such as 'a', but held numbers in fit"):
        columns.numbers(pandas(["a"]))
    columns = Columns().fit(DATES["pandas s"](WHEN))
    with pytest.raises(ValueError, match=r"such as 2.0, but held dates in fit"):
        columns.numbers(pandas([NAN, 2.0]))


def test_text_that_numpy_made_of_numbers_is_refused():
    with pytest.raises(ValueError, match=r"array of text, and its columns \[0\] read"):
        Columns().fit(np.array([[1, "a"], [2.5, "b"]]))


def test_columns_that_must_be_numbers_are_read_or_refused():
    X = pd.DataFrame({"a": [1, 2], "b": pd.Categorical([3, None])})
    assert_array_equal(numbers_of(X), [[1, 3], [2, NAN]])
    with pytest.raises(ValueError, match="'a' of X holds text"):
        numbers_of(pandas(["1"]).rename(columns={"c": "a"}))


def test_fitted_columns_are_pickled():
    columns = Columns().fit(pandas(pd.Categorical([1, 2.5, "a"])))
    again = pickle.loads(pickle.dumps(columns))
    assert again.codes(pandas([2.5])).tolist() == [[1]]


# Rows that are equal


CELLS = st.sampled_from([0.0, -0.0, 1.0, 1.5, 2.0**60, NAN])


def by_hand(rows):
    """Return where each row stands first, by Python's own comparison."""
    seen, first, inverse = {}, [], []
    for i, row in enumerate(rows):
        key = tuple("gap" if x is None or x != x else x for x in row)
        if key not in seen:
            seen[key] = len(first)
            first.append(i)
        inverse.append(seen[key])
    return first, inverse


def require_distinct(X, rows):
    first, inverse = distinct_rows(X)
    assert (first.tolist(), inverse.tolist()) == by_hand(rows)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30))
def test_equal_rows_are_found_in_arrays_matrices_and_frames(rows):
    X = np.array(rows)
    for kind in (
        X,
        np.asfortranarray(X),
        sparse.csr_matrix(X),
        sparse.csc_array(X),
        pd.DataFrame(X),
        pl.DataFrame(X),
    ):
        require_distinct(kind, rows)


TEXTS = st.sampled_from(["", "a", "b", None])


@given(
    st.lists(
        st.tuples(TEXTS, st.integers(-(2**60), 2**60)), min_size=1, max_size=30
    ).map(lambda rows: rows + rows[::2])
)
def test_equal_rows_of_mixed_columns_are_found(rows):
    X = pd.DataFrame(rows, columns=["text", "number"])
    require_distinct(X, rows)
    require_distinct(X.astype({"text": "category"}), rows)
    require_distinct(pl.DataFrame(rows, schema=["text", "number"], orient="row"), rows)
    require_distinct(X.to_numpy(dtype=object), rows)


def test_further_columns_distinguish_rows():
    X = np.zeros((4, 2))
    first, inverse = distinct_rows(X, np.array([0, 1, 0, 0]), np.eye(4)[[0, 0, 0, 3]])
    assert_array_equal(first, [0, 1, 3])
    assert_array_equal(inverse, [0, 1, 0, 2])


def test_small_integers_are_all_distinct():
    X = np.stack(np.meshgrid(*[np.arange(20.0)] * 3), axis=-1).reshape(-1, 3)
    assert len(distinct_rows(X)[0]) == 8_000


def test_rows_that_cannot_be_compared_are_all_distinct():
    X = objects([[1], [1], [2]])
    assert_array_equal(distinct_rows(X)[0], [0, 1, 2])

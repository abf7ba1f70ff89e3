"""Values that are kept as data."""

import datetime as dt
import io
import pickle
import uuid
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from sklearn_w2s.sources._checkpoint import pack, unpack

BERLIN = ZoneInfo("Europe/Berlin")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=st.sampled_from([None, dt.UTC, BERLIN]))
    | st.uuids()
)


def types_of(value):
    if isinstance(value, dict):
        return {types_of(k): types_of(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value), tuple(types_of(part) for part in value)
    return type(value)


@given(
    st.recursive(
        SCALARS,
        lambda values: (
            st.lists(values)
            | st.tuples(values, values)
            | st.dictionaries(st.text() | st.integers(), values)
        ),
        max_leaves=8,
    )
)
def test_plain_values_come_back_as_they_were(value):
    back = unpack(pack(value))
    assert back == value
    assert types_of(back) == types_of(value)


@given(
    hnp.arrays(
        st.one_of(
            hnp.scalar_dtypes().filter(lambda dtype: dtype.kind not in "US"),
            st.just(np.dtype("U3")),
        ),
        hnp.array_shapes(min_dims=0, max_dims=2, min_side=0),
    )
)
def test_arrays_come_back_with_type_shape_and_order(array):
    for X in (array, np.asfortranarray(array)):
        back = unpack(pack(X))
        assert back.dtype == X.dtype
        assert back.flags.f_contiguous == X.flags.f_contiguous
        assert_array_equal(back, X)


@given(hnp.arrays(object, (3, 2), elements=SCALARS))
def test_columns_of_objects_come_back(X):
    back = unpack(pack(X))
    assert back.dtype == object
    assert_array_equal(back, X)


@pytest.mark.parametrize("value", [np.float32(1.1), np.datetime64("2020"), np.True_])
def test_scalars_of_numpy_keep_their_types(value):
    [back] = unpack(pack([value]))
    assert back == value
    assert back.dtype == value.dtype


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array])
def test_sparse_tables_come_back(kind):
    X = kind(np.array([[0.0, 1], [2, 0], [0, 0]]))
    back = unpack(pack(X))
    assert type(back) is kind
    assert_array_equal(back.toarray(), X.toarray())


def frame():
    return pd.DataFrame(
        {
            "whole": [1, 2],
            "number": np.array([0.5, np.nan], dtype=np.float32),
            "text": ["a", None],
            "mixed": pd.Series([1, "x"], dtype=object),
            "no values": pd.Series([pd.NA, pd.NaT], dtype=object),
            "moment": pd.Series([pd.Timestamp("2020", tz="UTC"), None], dtype=object),
            "category": pd.Categorical(["b", "a"], ["b", "a", "c"], ordered=True),
            "nullable": pd.array([1, None], dtype="Int64"),
            "string": pd.array(["a", None], dtype="string"),
            "time": pd.to_datetime(["2020-01-01", None]),
            "zone": pd.to_datetime(["2020-01-01", None]).tz_localize("Europe/Berlin"),
            "Arrow": pd.array([1.5, None], dtype="double[pyarrow]"),
        }
    ).set_axis([5, 7])


def test_frames_of_pandas_come_back():
    pytest.importorskip("pyarrow")
    X = frame()
    for rows in (
        X,
        X[:0],
        X.iloc[:, :0],
        X.reset_index(drop=True),
        X.set_index("text"),
    ):
        pd.testing.assert_frame_equal(unpack(pack(rows)), rows)
    twice = X[["whole", "text", "whole"]]
    pd.testing.assert_frame_equal(unpack(pack(twice)), twice)


def test_frames_of_polars_come_back():
    X = pl.DataFrame(
        {
            "whole": [1, None],
            "text": ["a", "b"],
            "date": [dt.date(2020, 1, 1), None],
            "list": [[1], [2, 3]],
            "category": pl.Series(["a", "b"], dtype=pl.Categorical),
        }
    )
    back = unpack(pack(X))
    assert back.equals(X)
    assert back.schema == X.schema


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (iter([]), "holds a value of type builtins.list_iterator"),
        (np.ma.masked_array([1.0]), "holds a value of type numpy.ma"),
        (np.array([[1, Fraction(1)]], dtype=object), "column 1 holds .*Fraction"),
        (pd.DataFrame({"a": [1], "b": [Fraction(1)]}), "column 'b' holds .*Fraction"),
        (pd.DataFrame({"p": pd.period_range("2020", periods=2)}), "column 'p'"),
        (frame().set_index(["whole", "string"]), "an index of several levels"),
        (
            pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}),
            "column 'o' is of type Object",
        ),
        (dt.datetime(2020, 1, 1, tzinfo=type("Z", (dt.tzinfo,), {})()), "the zone"),
    ],
)
def test_what_is_no_data_is_refused_by_its_column(value, message):
    with pytest.raises(TypeError, match=message):
        pack(value)


class Bomb:
    def __reduce__(self):
        return print, ("boom",)


def test_pickles_inside_are_not_read(capsys):
    file = io.BytesIO()
    np.savez(file, np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack(file.getvalue())
    with pytest.raises(ValueError, match="pickled"):
        unpack(pickle.dumps(Bomb()))
    assert capsys.readouterr().out == ""


def test_decimals_and_identifiers_keep_every_digit():
    value = [Decimal("1.10"), uuid.UUID(int=7)]
    assert [str(part) for part in unpack(pack(value))] == [str(part) for part in value]

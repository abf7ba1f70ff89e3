from datetime import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report._cells import Writing, read_columns
from sklearn_w2s.report._read import InputError

NAN = float("nan")


def read(cells, **writing):
    """Return a column as read, and the notes on it."""
    notes = []
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object)})
    return read_columns(frame, Writing(**writing), notes)["c"], notes


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        ([" 1.5 ", "2"], [1.5, 2]),
        (["1e5", "2E-3"], [1e5, 0.002]),
        (["0", "0.5", "-0.5"], [0, 0.5, -0.5]),
        ([".5", "5."], [0.5, 5]),
        (["\u22123", "4"], [-3, 4]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["0,5", "0", "3"], [0.5, 0, 3]),
        (["1,234", "5,6"], [1.234, 5.6]),
        (["1,234", "5.6"], [1234, 5.6]),
        (["1,234,567", "1"], [1234567, 1]),
        (["1.234.567", "2.000"], [1234567, 2000]),
        (["1,23,456", "2"], [123456, 2]),
        (["1.234,5", "2.000,00"], [1234.5, 2000]),
        (["1 234,5", "12\u00a0000"], [1234.5, 12000]),
        (["1'234.50", "2"], [1234.5, 2]),
        (["$2,934.61", "$3.00"], [2934.61, 3]),
        (["-$5.00", "($1,200.50)"], [-5, -1200.5]),
        (["€ 1.234,50", "€ 3,20"], [1234.5, 3.2]),
        (["5 €", "7,5 €"], [5, 7.5]),
        (["USD 5", "EUR 7"], [5, 7]),
        (["56.2%", "7 %"], [56.2, 7]),
        (["1", "-", "?", " ", "n/a", "NA", ".", "nan", "null"], [1] + 8 * [NAN]),
        (["inf", "-Infinity"], [np.inf, -np.inf]),
        (["12345678901234567", "12345678901234568"], None),
        ([1, "2", "-"], [1, 2, NAN]),
    ],
)
def test_numbers_are_read_as_people_write_them(cells, numbers):
    found, _ = read(cells)
    assert found.dtype.kind in "if"
    expected = list(map(int, cells)) if numbers is None else numbers
    np.testing.assert_array_equal(found.to_numpy(), expected)


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "12"],
        ["00", "1"],
        ["+49 30 123456", "5"],
        ["555-1234", "5551234"],
        ["(030) 123-456", "5"],
        ["12345", "12345-6789"],
        ["A12", "5"],
        ["PC 17599", "5"],
        ["5 kg", "6 kg"],
        ["1,2,3", "4,5,6"],
        ["$", "$"],
        ["yes", "no"],
        ["1.2.3", "1.2.4"],
    ],
)
def test_codes_and_units_stay_text_as_they_are(cells):
    cells = cells * 5 + cells[-1:] * 90
    assert read(cells)[0].tolist() == cells


def test_a_leading_zero_makes_text_of_any_number_of_cells_and_is_noted():
    found, notes = read(["1"] * 9999 + ["01"])
    assert found.dtype == object
    assert notes == ["numbers with leading zeros and codes are kept as text in c"]


@pytest.mark.parametrize(("n_others", "is_number"), [(5, True), (6, False)])
def test_a_column_is_of_numbers_where_95_percent_of_its_cells_are(n_others, is_number):
    cells = ["1.5"] * (100 - n_others) + ["n.d."] * n_others + ["?"] * 50
    found, notes = read(cells)
    assert (found.dtype == np.float64) == is_number
    if is_number:
        assert found.isna().sum() == n_others + 50
        assert notes == [
            "missing cells in c: 50, written '?'",
            (
                "cells that cannot be read as the rest of their column are missing in "
                "c: 5, 'n.d.'"
            ),
        ]


def test_commas_alone_are_thousands_and_decimal_where_semicolons_separate_cells():
    cells = ["1,234", "2,345"]
    found, (note,) = read(cells)
    assert found.tolist() == [1234, 2345]
    assert "commas are read as thousands separators in c (--decimal ," in note
    found, (note,) = read(cells, separator=";")
    assert found.tolist() == [1.234, 2.345]
    assert "commas are read as decimal in c, as ';'" in note
    assert read(cells, decimal=",")[0].tolist() == [1.234, 2.345]
    assert read(cells, separator=";", decimal=".")[0].tolist() == [1234, 2345]
    assert read(cells, separator=";", thousands=",")[0].tolist() == [1234, 2345]


def test_points_alone_are_thousands_where_commas_are_decimal_in_other_columns():
    frame = pd.DataFrame({"a": ["1.234", "12.345"], "b": ["0,5", "1,5"]}, dtype=object)
    notes = []
    found = read_columns(frame, Writing(";"), notes)
    assert found["a"].tolist() == [1234, 12345]
    assert "points are read as thousands separators in a" in notes[1]
    mixed = frame.assign(a=["1.234", "987"])
    assert read_columns(mixed, Writing(";"), [])["a"].tolist() == [1234, 987]
    assert read(["1.234", "12.345"], separator=";")[0].tolist() == [1.234, 12.345]


@given(
    numbers=st.lists(
        st.integers(-(10**9), 10**9).map(lambda n: n / 100), min_size=2, max_size=30
    ),
    thousands=st.sampled_from(["", ".", " ", "'", "\u00a0"]),
    currency=st.sampled_from(["", "€", "$", "kr"]),
)
def test_decimal_commas_give_the_numbers_that_points_give(numbers, thousands, currency):
    if currency == "kr":
        currency = "EUR "
    marks = {44: thousands, 46: ","}
    texts = [currency + f"{n:,.2f}".translate(marks) for n in numbers]
    assert read(texts)[0].tolist() == numbers


@given(st.lists(st.text(max_size=8), max_size=30))
def test_whatever_the_cells_are_a_column_has_their_number_and_one_kind(cells):
    found, _ = read(cells)
    assert len(found) == len(cells)
    if found.dtype == object and len(found.dropna()):
        assert len(set(map(type, found.dropna()))) == 1


def test_in_columns_of_text_only_a_few_words_are_missing():
    cells = ["x", "-", "None", "nan", "?", " ", "n/a", "NA"]
    found, notes = read(cells)
    assert found.tolist() == ["x", "-", "None", "nan", None, None, None, None]
    assert notes == ["missing cells in c: 3, written '?', 'n/a', 'NA'"]


def test_what_is_named_as_missing_is_missing_and_replaces_the_words():
    assert read(["x", "NA", "-9", ""], missing=("-9",))[0].tolist() == [
        *("x", "NA", None, None)
    ]
    for cells in (["-9", "1", "?"], ["-9.0", "1", "?"]):
        np.testing.assert_array_equal(read(cells, missing=("-9",))[0], [NAN, 1, NAN])
    typed = pd.DataFrame({"c": [-9, 1]})
    assert read_columns(typed, Writing(missing=("-9",)), [])["c"].isna()[0]
    assert read(["x", "NA"], missing=("",))[0].tolist() == ["x", "NA"]


def test_truth_values_are_such_with_gaps_or_without():
    assert read(["True", "False"])[0].dtype == bool
    found, _ = read(["TRUE", "false", "-"])
    assert found.dtype == "boolean"
    assert found.isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["2024-01-05", "2024-02-13"], ["2024-01-05", "2024-02-13"]),
        (["13/02/2024 08:30", "3/4/2024 9:00"], ["2024-02-13 08:30", "2024-04-03 09"]),
        (["02/13/2024", "03/04/2024"], ["2024-02-13", "2024-03-04"]),
        (["13.02.2024", "03.04.2024"], ["2024-02-13", "2024-04-03"]),
        (["2024/02/13", "2024/03/04"], ["2024-02-13", "2024-03-04"]),
        (["5-Jan-2024", "6-Feb-2024"], ["2024-01-05", "2024-02-06"]),
        (["Jan 15, 2024", "Feb 6, 2024"], ["2024-01-15", "2024-02-06"]),
        (["13/2/24 3:05 PM", "1/6/24 11:00am"], ["2024-02-13 15:05", "2024-06-01 11"]),
    ],
)
def test_dates_are_read_in_one_form_for_a_column(cells, dates):
    found, notes = read([*cells, "-"])
    assert found.tolist()[:2] == [pd.Timestamp(date) for date in dates]
    assert found.isna().tolist() == [False, False, True]
    assert notes == ["missing cells in c: 1, written '-'"]


def test_dates_that_may_be_read_in_two_ways_are_noted():
    found, (note,) = read(["01/02/2024", "03/04/2024"])
    assert found[0] == pd.Timestamp("2024-01-02")
    assert "month/day in c" in note
    found, (note,) = read(["01.02.2024", "03.04.2024"])
    assert found[0] == pd.Timestamp("2024-02-01")
    assert "day, month in c" in note


def test_time_zones_are_turned_to_utc_and_times_of_day_are_such():
    found, _ = read(["2024-01-05T10:00:00Z", "2024-01-05T10:00:00+02:00"])
    assert (found[0] - found[1]).total_seconds() == 7200
    assert read(["12:30", "9:01"])[0].tolist() == [time(12, 30), time(9, 1)]


def test_durations_are_such():
    found, _ = read(["0 days 01:00:00", "2 days 00:30:00.5", "1 day", "-"])
    assert found.dt.total_seconds().tolist()[:3] == [3600, 174600.5, 86400]
    assert read(["25:00:00", "1:30:00"])[0].dt.total_seconds().tolist() == [90000, 5400]


def test_numbers_that_are_named_as_missing_are_counted_however_they_are_written():
    _, notes = read(["-9.0", "1", "-9.00", "?"], missing=("-9",))
    assert notes == ["missing cells in c: 3, written '?', '-9'"]


@pytest.mark.parametrize(
    "writing",
    [{"decimal": ";"}, {"decimal": ""}, {"thousands": "ab"}, {"thousands": "x"}],
)
def test_unknown_or_equal_marks_are_refused(writing):
    with pytest.raises(InputError, match="must be one of"):
        Writing(**writing)
    with pytest.raises(InputError, match="decimal and thousands must differ"):
        Writing(decimal=",", thousands=",")

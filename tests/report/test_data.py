from argparse import Namespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report import load_table
from sklearn_w2s.report._data import NO_SOURCE, given_arguments, load_embedded
from sklearn_w2s.report._data import _sample as sample
from sklearn_w2s.report._read import InputError


def test_the_embedded_data_are_complete():
    data = load_embedded()
    assert data.X.shape == (1797, 64)
    assert data.known()[1].all()
    assert data.source is None
    assert data.rows[[0, -1]].tolist() == [1, 1797]


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_a_file_is_split_into_features_target_and_source(table, save, name):
    data = load_table(save(table, name), "income", source="place")
    assert data.name == name
    assert data.X.columns.tolist() == ["number", "count", "flag", "colour"]
    assert data.y.tolist() == table["income"].tolist()
    assert data.rows.tolist() == list(range(1, 241))
    assert data.source.tolist() == table["place"].tolist()
    assert data.notes == []


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_with_an_empty_target_are_unlabeled_and_noted(table, save, name):
    table.loc[:29, "income"] = None
    data = load_table(save(table, name), "income")
    assert data.y.tolist() == [None] * 30 + table["income"].tolist()[30:]
    assert data.notes == ["30 rows have no income: unlabeled"]


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("wage", None, r"--target 'wage': .* no such column. It has 'number', 'count'"),
        ("income", "town", "--source 'town': .* no such column"),
        ("income", "income", "--source or --group 'income' is passed as --target, too"),
        (
            "two",
            None,
            "--target 'two' must have at least 60 values to train and test, got 1",
        ),
        ("nested", None, "--target 'nested' must hold single values"),
        ("income", "nested", "--source 'nested' must hold single values"),
        ("single", None, "must have at least two classes, got only 'only'"),
        (
            "scarce",
            None,
            "'scarce' must have at least 60 labels to train and test, got 5",
        ),
        (
            "lonely",
            None,
            "'lonely' must have 2 to 100 classes of at least 10 rows, got 1 of 2",
        ),
        ("name", None, "240 distinct values, 240 of them in fewer than 10 rows"),
    ],
)
def test_unusable_target_and_source_columns_are_refused(
    table, save, target, source, message
):
    n = len(table)
    table["nested"] = [[1, 2]] * n
    table["single"] = "only"
    table["two"] = [0.5] + [None] * (n - 1)
    table["scarce"] = ["a"] * 3 + ["b"] * 2 + [None] * (n - 5)
    table["lonely"] = ["b"] * 3 + ["a"] * (n - 3)
    table["name"] = [f"name {i}" for i in range(n)]
    with pytest.raises(InputError, match=message):
        load_table(save(table, "a.parquet"), target, source=source)


def test_a_file_with_nothing_to_learn_from_is_refused(table, save):
    path = save(table[["income", "place"]])
    with pytest.raises(InputError, match="no column to learn from"):
        load_table(path, "income", source="place")


def test_columns_that_no_estimator_can_use_are_left_out_and_noted(table, save):
    table["empty"] = np.nan
    table["nested"] = [[1, 2]] * len(table)
    data = load_table(save(table, "a.parquet"), "income", source="place")
    assert data.X.columns.tolist() == ["number", "count", "flag", "colour"]
    assert data.notes == [
        "dropped columns without any value: empty",
        "dropped columns of lists: nested",
    ]


def test_infinite_numbers_count_as_missing_and_are_noted(table, save):
    table.loc[3, "number"] = np.inf
    table.loc[4, "number"] = 1e300
    data = load_table(save(table), "income")
    assert data.X["number"].isna()[[3, 4]].all()
    assert data.X["number"].isna().sum() == table["number"].isna().sum() + 2
    assert data.notes[0] == "infinite or huge numbers are treated as missing in number"


def test_columns_of_one_text_per_row_are_noted(table, save):
    table["id"] = [f"id {min(i, 200)}" for i in range(len(table))]
    table["day"] = pd.date_range("2024-01-01", periods=len(table)).astype(str)
    data = load_table(save(table), "income")
    assert len(data.notes) == 1
    assert "most rows have a value of their own in id, which" in data.notes[0]
    assert data.X["day"].dtype.kind == "M"


def test_missing_sources_have_a_name_and_numbers_keep_theirs(table, save):
    table["place"] = [3.0, np.nan] * (len(table) // 2)
    data = load_table(save(table), "income", source="place")
    assert data.source.tolist() == ["3", NO_SOURCE] * (len(table) // 2)


@given(
    n=st.integers(200, 2000),
    max_rows=st.integers(120, 180),
    unlabeled_share=st.floats(0, 1),
    rare_share=st.floats(0.1, 0.5),
)
def test_a_sample_keeps_the_class_shares_and_enough_labels(
    n, max_rows, unlabeled_share, rare_share
):
    target = np.full(n, "often", dtype=object)
    target[: int(rare_share * n)] = "rare"
    target[np.arange(n) % 100 < 100 * unlabeled_share] = None
    table = pd.DataFrame({"y": target, "row": np.arange(n)})
    notes = []
    classes = table["y"].value_counts()
    drawn = table.iloc[sample(table["y"], classes, max_rows, 0, notes)]
    assert len(drawn) == max_rows
    assert drawn["row"].is_monotonic_increasing
    assert drawn["row"].is_unique
    n_known, n_drawn = table["y"].count(), drawn["y"].count()
    assert n_drawn >= min(n_known, max_rows // 2)
    assert n_drawn >= int(max_rows * n_known / n)
    if n_known:
        share = (table["y"] == "rare").sum() / n_known
        spread = np.sqrt(share * (1 - share) / n_drawn)
        assert abs((drawn["y"] == "rare").sum() / n_drawn - share) <= 4 * spread
    assert notes[0].startswith(
        f"a random sample of {max_rows} of {n} rows (--max-rows)"
    )


def test_a_class_that_is_rare_in_the_file_keeps_ten_rows_of_a_sample(table, save):
    big = pd.concat([table] * 10, ignore_index=True)
    big.loc[:59, "income"] = "unknown"
    data = load_table(save(big), "income", max_rows=150)
    assert data.y.tolist().count("unknown") == 10
    assert "unknown 60" in data.facts[1]
    assert "more than their share of rare classes: unknown (10)" in data.notes[1]


def test_small_tables_are_not_sampled(table):
    classes = table["income"].value_counts()
    rows = sample(table["income"], classes, len(table), 0, [])
    assert rows.tolist() == list(range(len(table)))


def test_the_seed_decides_on_the_sample(table, save):
    path = save(table)
    draws = [
        load_table(path, "income", max_rows=120, random_state=s).rows for s in (0, 0, 1)
    ]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_more_classes_than_a_sample_has_room_for_are_refused(save):
    rows = np.arange(900)
    table = pd.DataFrame({"x": rows / 7, "y": [f"c{i % 30}" for i in rows]})
    with pytest.raises(
        InputError, match=r"--max-rows must be at least 300 for 30 classes .* got 150"
    ):
        load_table(save(table), "y", max_rows=150)


def test_facts_name_the_columns_by_type_and_count_the_classes_of_the_file(table, save):
    table["day"] = pd.date_range("2024-01-01", periods=len(table))
    table.loc[:9, "income"] = None
    data = load_table(save(table), "income", max_rows=150)
    assert data.facts == [
        (
            "columns: 2 numbers (number, count); 1 truth value (flag); 2 categories "
            "(colour, place); 1 date (day)"
        ),
        (
            f"rows by income: high {(table['income'] == 'high').sum()}, "
            f"low {(table['income'] == 'low').sum()}; unlabeled 10"
        ),
    ]


def test_columns_to_drop_are_no_features(table, save):
    data = load_table(save(table), "income", drop=["place", "flag"])
    assert data.X.columns.tolist() == ["number", "count", "colour"]
    with pytest.raises(InputError, match=r"--drop 'town': .* no such column"):
        load_table(save(table), "income", drop=["town"])
    with pytest.raises(InputError, match="--drop 'income' is passed as --target, too"):
        load_table(save(table), "income", drop=["income"])


def test_bytes_are_left_out_and_noted(table, save):
    table["raw"] = [b"ab"] * len(table)
    data = load_table(save(table, "a.parquet"), "income")
    assert "dropped columns of bytes: raw" in data.notes


def test_a_name_with_blanks_is_found_and_a_near_one_is_suggested(table, save):
    path = save(table.rename(columns={"income": "Income "}))
    for name in ("Income", "Income "):
        assert set(load_table(path, name).y.tolist()) == {"low", "high"}
    with pytest.raises(InputError, match=r"Did you mean 'Income'\?"):
        load_table(path, "income")


def test_arguments_are_those_of_the_options_that_differ_from_the_defaults():
    options = Namespace(source=None, drop=[], missing=["x"], max_rows=5000, sep=";")
    assert given_arguments(options) == {"missing": ["x"], "sep": ";"}


def test_rows_keep_their_numbers_in_the_file_whatever_was_left_out(table, save):
    table["n"] = np.arange(1, len(table) + 1)
    table.loc[:5, "income"] = "unknown"
    data = load_table(save(table), "income", max_rows=150, keep=["n"])
    assert len(data.rows) == 150
    assert data.rows.tolist() == data.X["n"].tolist()
    assert data.X.index.tolist() == list(range(len(data.X)))


@pytest.mark.parametrize("max_rows", [119, 1000.0, "all", None])
def test_max_rows_must_be_an_integer_of_120_or_more(table, save, max_rows):
    with pytest.raises(ValueError, match=r"max_rows must be an integer >= 120, got "):
        load_table(save(table), "income", max_rows=max_rows)


def test_a_sample_of_values_is_drawn_at_random(table, save):
    big = pd.concat([table] * 3).assign(v=np.arange(720) / 7, w=np.arange(720) / 3)
    data = load_table(save(big), "v", max_rows=200)
    assert len(data.y) == 200
    assert len(data.splits(2)[0][1]) == 60

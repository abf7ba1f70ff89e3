import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report import load_table
from sklearn_w2s.report._data import NO_SOURCE, load_embedded
from sklearn_w2s.report._data import _sample as sample
from sklearn_w2s.report._errors import InputError


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


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["no", "yes"], ["no", "yes"]),
        ([False, True], [False, True]),
        ([-1, 7], [-1, 7]),
        ([1.0, 2.0], [1, 2]),
        ([0.5, 1.5], ["0.5", "1.5"]),
        (["-1", "1"], ["-1", "1"]),
        (pd.Categorical(["b", "a"], categories=["a", "b", "never"]), ["b", "a"]),
        (pd.array([3, 4], dtype="Int64"), [3, 4]),
        (pd.to_datetime(["2024-01-01", "2025-01-01"]), None),
    ],
)
@pytest.mark.parametrize("n_missing", [0, 9])
def test_labels_are_those_of_the_file_with_none_where_there_is_none(
    table, save, values, labels, n_missing
):
    code = (table["income"] == "low").astype(int).to_numpy()
    column = pd.Series(values).take(code).reset_index(drop=True)
    if column.dtype == bool:
        column = column.astype("boolean")
    column[:n_missing] = None
    table["income"] = column
    data = load_table(save(table, "a.parquet"), "income", source="place")
    found, labeled = data.known()
    assert np.flatnonzero(~labeled).tolist() == list(range(n_missing))
    assert all(label is None for label in data.y[:n_missing])
    assert len(set(found.tolist())) == 2
    if labels is not None:
        assert found.tolist() == [labels[i] for i in code[n_missing:]]
        assert type(found.tolist()[0]) is type(labels[0])


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_with_an_empty_target_are_unlabeled_and_noted(table, save, name):
    table.loc[:29, "income"] = None
    data = load_table(save(table, name), "income")
    assert data.y.tolist() == [None] * 30 + table["income"].tolist()[30:]
    assert data.notes == ["30 rows have no income and take part unlabeled"]


def test_a_truth_value_with_gaps_has_two_classes(table, save):
    table["income"] = (table["income"] == "low").astype(object)
    table.loc[:9, "income"] = None
    data = load_table(save(table), "income")
    assert set(data.y.tolist()) == {None, False, True}


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("wage", None, r"target='wage': .* no such column. It has number, count, flag"),
        ("income", "town", "source='town': .* no such column"),
        ("income", "income", "source='income' is the target"),
        ("number", None, r"\d+ distinct values, \d+ of them in fewer than 10 rows"),
        ("nested", None, "target='nested': its cells are lists"),
        ("income", "nested", "source='nested': its cells are lists"),
        ("single", None, "one class only, 'only'"),
        ("scarce", None, "5 rows with a 'scarce' are too few: 60"),
        ("lonely", None, "'lonely': 1 of its 2 classes have 10 rows or more; 2 to 100"),
        ("name", None, "240 distinct values, 240 of them in fewer than 10 rows"),
    ],
)
def test_columns_that_do_not_do_are_refused(table, save, target, source, message):
    n = len(table)
    table["nested"] = [[1, 2]] * n
    table["single"] = "only"
    table["scarce"] = ["a"] * 3 + ["b"] * 2 + [None] * (n - 5)
    table["lonely"] = ["b"] * 3 + ["a"] * (n - 3)
    table["name"] = [f"name {i}" for i in range(n)]
    with pytest.raises(InputError, match=message):
        load_table(save(table, "a.parquet"), target, source=source)


def test_more_than_100_classes_are_refused(save):
    table = pd.DataFrame({"x": np.arange(1010), "y": np.arange(1010) % 101})
    with pytest.raises(
        InputError, match="101 of its 101 classes have 10 rows or more; 2 to 100"
    ):
        load_table(save(table), "y")


def test_a_file_with_nothing_to_learn_from_is_refused(table, save):
    path = save(table[["income", "place"]])
    with pytest.raises(InputError, match="no column to learn from"):
        load_table(path, "income", source="place")


def test_rare_classes_are_left_out_and_noted(table, save):
    table.loc[:5, "income"] = "unknown"
    data = load_table(save(table), "income")
    assert len(set(data.y.tolist())) == 2
    assert len(data.X) == len(data.y) == len(table) - 6
    assert data.notes == [
        "left out classes with fewer than 10 rows each, 6 rows in all: unknown"
    ]


def test_columns_that_no_estimator_can_use_are_left_out_and_noted(table, save):
    table["empty"] = np.nan
    table["nested"] = [[1, 2]] * len(table)
    data = load_table(save(table, "a.parquet"), "income", source="place")
    assert data.X.columns.tolist() == ["number", "count", "flag", "colour"]
    assert data.notes == [
        "left out the columns without any value: empty",
        "left out the columns of lists: nested",
    ]


def test_infinite_numbers_count_as_missing_and_are_noted(table, save):
    table.loc[3, "number"] = np.inf
    table.loc[4, "number"] = 1e300
    data = load_table(save(table), "income")
    assert data.X["number"].isna()[[3, 4]].all()
    assert data.X["number"].isna().sum() == table["number"].isna().sum() + 2
    assert data.notes == ["infinite or huge numbers count as missing in number"]


def test_columns_of_one_text_per_row_are_noted(table, save):
    table["id"] = [f"id {i}" for i in range(len(table))]
    table["day"] = pd.date_range("2024-01-01", periods=len(table)).astype(str)
    data = load_table(save(table), "income")
    assert len(data.notes) == 1
    assert "nearly every row has a text of its own in id, day" in data.notes[0]


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
    drawn = sample(table, "y", max_rows, notes)
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
    assert notes == [f"a random sample of {max_rows} of {n} rows (max_rows)"]


def test_a_class_that_gets_rare_by_sampling_is_left_out(table, save):
    big = pd.concat([table] * 10, ignore_index=True)
    big.loc[:59, "income"] = "unknown"
    data = load_table(save(big), "income", max_rows=150)
    assert len(set(data.y.tolist())) == 2
    assert len(data.notes) == 2


def test_small_tables_are_not_sampled(table):
    assert sample(table, "income", len(table), []) is table


def test_rows_keep_their_numbers_in_the_file_whatever_was_left_out(table, save):
    table["n"] = np.arange(1, len(table) + 1)
    table.loc[:5, "income"] = "unknown"
    data = load_table(save(table), "income", max_rows=150)
    assert len(data.rows) < 150
    assert data.rows.tolist() == data.X["n"].tolist()
    assert data.X.index.tolist() == list(range(len(data.X)))


@pytest.mark.parametrize("max_rows", [119, 1000.0, "all", None])
def test_a_number_of_rows_that_does_not_do_is_refused(table, save, max_rows):
    with pytest.raises(ValueError, match=r"max_rows=.* whole number of 120 or more"):
        load_table(save(table), "income", max_rows=max_rows)

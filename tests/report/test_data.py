import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report._data import (
    NO_SOURCE,
    UNLABELED,
    Data,
    load_embedded,
    load_file,
    take,
)
from sklearn_w2s.report._data import _sample as sample
from sklearn_w2s.report._errors import InputError

MAX_ROWS = 20_000


def test_the_embedded_data_are_complete():
    data = load_embedded()
    assert data.X.shape == (1797, 64)
    assert data.n_classes == 10
    assert data.source is None


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_a_file_is_split_into_features_target_and_source(table, save, name):
    data = load_file(save(table, name), "income", "place", MAX_ROWS)
    assert data.name == name
    assert data.X.columns.tolist() == ["number", "count", "flag", "colour"]
    assert np.array_equal(data.y, (table["income"] == "low").astype(int))
    assert data.source.tolist() == table["place"].tolist()
    assert data.notes == []


@pytest.mark.parametrize(
    "values",
    [
        ["no", "yes"],
        [False, True],
        [-1, 7],
        [0.5, 1.5],
        pd.Categorical(["b", "a"], categories=["a", "b", "never"]),
        pd.array([3, 4], dtype="Int64"),
        pd.to_datetime(["2024-01-01", "2025-01-01"]),
    ],
)
def test_targets_of_every_kind_become_codes(table, save, values):
    is_low = (table["income"] == "low").astype(int).to_numpy()
    table["income"] = pd.Series(values).take(is_low).reset_index(drop=True)
    data = load_file(save(table, "a.parquet"), "income", "place", MAX_ROWS)
    assert data.n_classes == 2
    agreement = np.mean(data.y == is_low)
    assert agreement in {0, 1}


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_rows_with_an_empty_target_are_unlabeled_and_noted(table, save, name):
    table.loc[:29, "income"] = None
    data = load_file(save(table, name), "income", None, MAX_ROWS)
    assert (data.y[:30] == UNLABELED).all()
    assert (data.y[30:] >= 0).all()
    assert data.notes == ["30 rows have no income and take part unlabeled"]


def test_a_truth_value_with_gaps_has_two_classes(table, save):
    table["income"] = (table["income"] == "low").astype(object)
    table.loc[:9, "income"] = None
    data = load_file(save(table), "income", None, MAX_ROWS)
    assert sorted(set(data.y.tolist())) == [UNLABELED, 0, 1]


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("wage", None, r"--target wage: .* no such column. It has number, count, flag"),
        ("income", "town", "--source town: .* no such column"),
        ("income", "income", "--source income is the target"),
        ("number", None, r"\d+ distinct values, \d+ of them in fewer than 10 rows"),
        ("nested", None, "--target nested: its cells are lists"),
        ("income", "nested", "--source nested: its cells are lists"),
        ("single", None, "one class only, 'only'"),
        ("scarce", None, "5 rows with a --target scarce are too few: 60"),
        ("lonely", None, "lonely: 1 of its 2 classes have 10 rows or more; 2 to 100"),
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
        load_file(save(table, "a.parquet"), target, source, MAX_ROWS)


def test_more_than_100_classes_are_refused(save):
    table = pd.DataFrame({"x": np.arange(1010), "y": np.arange(1010) % 101})
    with pytest.raises(
        InputError, match="101 of its 101 classes have 10 rows or more; 2 to 100"
    ):
        load_file(save(table), "y", None, MAX_ROWS)


def test_a_file_with_nothing_to_learn_from_is_refused(table, save):
    path = save(table[["income", "place"]])
    with pytest.raises(InputError, match="no column to learn from"):
        load_file(path, "income", "place", MAX_ROWS)


def test_rare_classes_are_left_out_and_noted(table, save):
    table.loc[:5, "income"] = "unknown"
    data = load_file(save(table), "income", None, MAX_ROWS)
    assert data.n_classes == 2
    assert len(data.X) == len(data.y) == len(table) - 6
    assert data.notes == [
        "left out classes with fewer than 10 rows each, 6 rows in all: unknown"
    ]


def test_columns_that_no_estimator_can_use_are_left_out_and_noted(table, save):
    table["empty"] = np.nan
    table["nested"] = [[1, 2]] * len(table)
    data = load_file(save(table, "a.parquet"), "income", "place", MAX_ROWS)
    assert data.X.columns.tolist() == ["number", "count", "flag", "colour"]
    assert data.notes == [
        "left out the columns without any value: empty",
        "left out the columns of lists: nested",
    ]


def test_infinite_numbers_count_as_missing_and_are_noted(table, save):
    table.loc[3, "number"] = np.inf
    table.loc[4, "number"] = 1e300
    data = load_file(save(table), "income", None, MAX_ROWS)
    assert data.X["number"].isna()[[3, 4]].all()
    assert data.X["number"].isna().sum() == table["number"].isna().sum() + 2
    assert data.notes == ["infinite or huge numbers count as missing in number"]


def test_columns_of_one_text_per_row_are_noted(table, save):
    table["id"] = [f"id {i}" for i in range(len(table))]
    table["day"] = pd.date_range("2024-01-01", periods=len(table)).astype(str)
    data = load_file(save(table), "income", None, MAX_ROWS)
    assert len(data.notes) == 1
    assert "nearly every row has a text of its own in id, day" in data.notes[0]


def test_missing_sources_have_a_name_and_numbers_keep_theirs(table, save):
    table["place"] = [3.0, np.nan] * (len(table) // 2)
    data = load_file(save(table), "income", "place", MAX_ROWS)
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
    assert notes == [f"a random sample of {max_rows} of {n} rows (--max-rows)"]


def test_a_class_that_gets_rare_by_sampling_is_left_out(table, save):
    big = pd.concat([table] * 10, ignore_index=True)
    big.loc[:59, "income"] = "unknown"
    data = load_file(save(big), "income", None, 150)
    assert data.n_classes == 2
    assert len(data.notes) == 2


def test_small_tables_are_not_sampled(table):
    assert sample(table, "income", len(table), []) is table


@pytest.mark.parametrize("source", [None, np.array(["a", "b", "c"], dtype=object)])
def test_take_returns_the_same_rows_of_everything(source):
    data = Data("x", np.arange(6).reshape(3, 2), np.array([0, 1, -1]), source)
    X, y, taken = take(data, np.array([2, 0]))
    assert X.tolist() == [[4, 5], [0, 1]]
    assert y.tolist() == [-1, 0]
    assert taken is None if source is None else taken.tolist() == ["c", "a"]

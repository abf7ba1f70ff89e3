from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from sklearn_w2s.report import load_table
from sklearn_w2s.report._read import InputError
from sklearn_w2s.report._target import read_labels


def read(cells, missing=None, is_written=True):
    """Return the labels as a list with None for gaps, and the notes on them."""
    notes = []
    column = pd.Series(cells, dtype=object, name="y")
    labels = read_labels(column, missing, is_written, notes)
    return labels.astype(object).where(labels.notna(), None).tolist(), notes


@pytest.mark.parametrize(
    "gap", ["", "  ", "?", "NA", "n/a", "null", "NULL", "nan", "NaN"]
)
@pytest.mark.parametrize("classes", [["a", "b"], [1, 2]])
def test_what_programs_write_for_nothing_is_unlabeled(gap, classes):
    labels, notes = read([*map(str, classes), gap])
    assert labels == [*classes, None]
    assert len(notes) == bool(gap.strip())
    assert not notes or f"{gap!r} (1); --missing '' makes them classes" in notes[0]


@pytest.mark.parametrize(
    ("n_none", "n_empty", "is_class"),
    [(1, 0, False), (2, 0, False), (3, 0, True), (1, 1, True), (60, 0, True)],
)
def test_none_is_a_class_beside_empty_cells_or_where_it_is_frequent(
    n_none, n_empty, is_class
):
    n = 100 - n_none - n_empty
    labels, notes = read(
        ["a", "b"] * (n // 2) + ["a"] * (n % 2) + ["None"] * n_none + [""] * n_empty
    )
    assert labels.count("None") == (n_none if is_class else 0)
    assert ("None is a class of y" in notes[0]) == is_class
    assert read(["a", "b", "None"], missing=("None",))[0] == ["a", "b", None]


@pytest.mark.parametrize(
    ("values", "gaps"),
    [
        ([-1, 0, 1], [-1]),
        ([-1, 1, 2, 7], [-1]),
        ([-1, 1], []),
        ([-1, 0], []),
        (["-1", "cat", "dog"], ["-1"]),
        (["-1.0", "0.0", "1.0"], ["-1.0"]),
        ([-2, -1, 0, 1], []),
        (list(range(-1, 22)), []),
    ],
)
@pytest.mark.parametrize("is_written", [True, False])
def test_minus_one_is_unlabeled_beside_two_other_values(values, gaps, is_written):
    cells = [str(v) for v in values] if is_written else values
    labels, notes = read(cells, is_written=is_written)
    assert [v for v, label in zip(values, labels, strict=True) if label is None] == gaps
    assert any("-1" in note for note in notes) == (bool(gaps) or len(values) == 2)
    assert None not in read(cells, missing=("",), is_written=is_written)[0]
    assert read(cells, missing=("-1",), is_written=is_written)[0].count(None) == 1


def test_what_is_named_replaces_the_guesses():
    cells = ["a", "b", "NA", "?", "", "-99"]
    assert read(cells, missing=("",))[0] == ["a", "b", "NA", "?", None, "-99"]
    assert read(cells, missing=("NA", "-99"))[0] == ["a", "b", None, "?", None, None]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1", "2"], [1, 2]),
        (["1.0", "2.0", ""], [1, 2, None]),
        (["1.5", "2.0"], ["1.5", "2.0"]),
        (["01", "2"], ["01", "2"]),
        (["True", "False"], [True, False]),
        (["TRUE", "false"], [True, False]),
        (["1", "x"], ["1", "x"]),
        (["yes ", "no"], ["yes ", "no"]),
    ],
)
def test_labels_of_a_text_are_whole_numbers_truth_values_or_text(cells, labels):
    found, _ = read(cells)
    assert found == labels
    assert list(map(type, found)) == list(map(type, labels))


def test_text_of_a_file_with_types_stays_text():
    assert read(["1", "2"], is_written=False)[0] == ["1", "2"]
    assert read([1.0, 2.0, np.nan], is_written=False)[0] == [1, 2, None]


def test_spellings_of_one_label_stay_classes_and_are_pointed_out_in_one_note():
    cells = ["Yes", "yes", "yes ", "No", "no", "maybe", "Yes"]
    labels, (note,) = read(cells)
    assert labels == cells
    for shown in ("'Yes' (2)", "'yes' (1)", "'yes ' (1)", "'No' (1)", "'no' (1)"):
        assert shown in note
    assert "maybe" not in note
    assert read(["Yes", "No"])[1] == []


# Targets of files


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["no", "yes"], ["no", "yes"]),
        ([False, True], [False, True]),
        ([-1, 7], [-1, 7]),
        ([1.0, 2.0], [1, 2]),
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


def test_a_truth_value_with_gaps_has_two_classes(table, save):
    table["income"] = (table["income"] == "low").astype(object)
    table.loc[:9, "income"] = None
    data = load_table(save(table), "income")
    assert set(data.y.tolist()) == {None, False, True}


def test_more_than_100_classes_are_refused(save):
    rows = np.arange(1010)
    table = pd.DataFrame({"x": rows / 7, "y": [f"c{i % 101}" for i in rows]})
    with pytest.raises(
        InputError,
        match="must have 2 to 100 classes of at least 10 rows, got 101 of 101",
    ):
        load_table(save(table), "y")


def test_rare_classes_are_left_out_and_noted(table, save):
    table.loc[:5, "income"] = "unknown"
    data = load_table(save(table), "income")
    assert len(set(data.y.tolist())) == 2
    assert len(data.X) == len(data.y) == len(table) - 6
    assert data.notes == [
        "dropped classes with fewer than 10 rows each, 6 rows in all: unknown"
    ]


def test_a_target_of_fractions_or_of_many_numbers_is_a_quantity(table, save):
    path = save(table.assign(many=np.arange(240) % 21, few=np.arange(240) % 20))
    data = load_table(path, "number")
    assert data.task == "regression"
    assert data.y.dtype == np.float64
    values, labeled = data.known()
    assert np.allclose(values, table["number"].dropna())
    assert labeled.tolist() == table["number"].notna().tolist()
    assert any("it is treated as a quantity (--task" in note for note in data.notes)
    assert data.facts[1].startswith("number is a quantity: ")
    assert load_table(path, "many").task == "regression"
    few = load_table(path, "few")
    assert few.task == "classification"
    told = "few has 20 distinct numbers, 0 to 19: they are treated as classes"
    assert any(told in note for note in few.notes)


def test_the_task_is_the_choice_of_the_user(table, save):
    path = save(table.assign(half=np.repeat([0.5, 1.5], 120)))
    assert load_table(path, "half").task == "regression"
    data = load_table(path, "half", task="classification")
    assert set(data.y.tolist()) == {"0.5", "1.5"}
    assert load_table(path, "count", task="regression").y.tolist() == (
        table["count"].tolist()
    )
    with pytest.raises(
        InputError, match="needs numbers, which --target 'income' lacks"
    ):
        load_table(path, "income", task="regression")
    with pytest.raises(InputError, match=r"task must be one of .* got 'guess'"):
        load_table(path, "income", task="guess")


def test_minus_one_is_a_value_of_a_quantity_and_a_dash_is_none(table, save):
    cells = [f"{v:.1f}".replace(".", ",") for v in np.arange(240) / 10]
    cells[0], cells[1] = "-1,0", "-"
    data = load_table(save(table.assign(v=cells)), "v")
    assert data.y[0] == -1
    assert np.isnan(data.y[1])
    assert data.unlabeled()[1].tolist() == [2]


@pytest.mark.parametrize("dtype", ["float64", "Float64", "Int64", "int64", "decimal"])
def test_values_of_any_type_of_number_are_read(table, save, dtype):
    values = np.arange(240)
    column = pd.Series(values)
    if dtype == "decimal":
        column = pd.Series([Decimal(v) / 2 for v in range(240)])
    else:
        column = column.astype(dtype)
    if dtype in ("Float64", "Int64"):
        column[0] = pd.NA
    data = load_table(save(table.assign(v=column), "a.parquet"), "v")
    assert data.task == "regression"
    half = 2 if dtype == "decimal" else 1
    assert data.y[1:].tolist() == (values[1:] / half).tolist()
    assert np.isnan(data.y[0]) == (dtype in ("Float64", "Int64"))

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report import load_table
from sklearn_w2s.report._columns import (
    Features,
    find_leaks,
    join_groups,
    read_labels,
)
from sklearn_w2s.report._read import InputError

N = 100
RNG = np.random.default_rng(0)
WORDS = ["ship", "parcel", "late", "lost", "broken", "refund", "thanks", "great", "ok"]
TEXTS = [" ".join(RNG.choice(WORDS, 8)) for _ in range(N)]


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
    note_on_few = "few has 20 distinct numbers, 0 to 19: they are treated as classes"
    assert any(note_on_few in note for note in few.notes)


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


# Columns to learn from


def features(keep=(), **columns):
    notes = []
    frame = pd.DataFrame({"x": RNG.normal(size=N), **columns})
    return Features(frame, keep, "a.csv", notes), notes


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("id", np.arange(N)),
        ("any", np.arange(N)[::-1] + 1000),
        ("n", np.arange(N).astype(float)),
        ("passengerId", RNG.permutation(10**6)[:N]),
        ("customer_id", [None, *RNG.permutation(10**6)[:N].tolist()][:N]),
        ("code", [f"A{i:05d}" for i in range(N)]),
    ],
)
def test_ids_and_row_numbers_are_left_out_with_a_note_or_kept(name, column):
    found, notes = features(**{name: column})
    assert found.frame.columns.tolist() == ["x"]
    assert (
        f"that look like ids or row numbers: {name} (--keep COL keeps one)" in notes[0]
    )
    found, notes = features([name], **{name: column})
    assert found.frame.columns.tolist() == ["x", name]
    assert not any("look like ids" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("size", RNG.normal(size=N)),
        ("id", np.arange(N) // 2),
        ("width", RNG.permutation(10**6)[:N]),
        ("day", pd.date_range("2024-01-01", periods=N)),
        ("kind", [f"k{i % 9}" for i in range(N)]),
    ],
)
def test_columns_that_are_no_ids_stay(name, column):
    found, notes = features(**{name: column})
    assert found.frame.columns.tolist() == ["x", name]
    assert notes == []


def test_a_constant_is_left_out_unless_some_of_it_is_missing():
    gaps = pd.Series([1.0] * N).where(np.arange(N) > 9)
    found, notes = features(one=[1] * N, some=gaps)
    assert found.frame.columns.tolist() == ["x", "some"]
    assert notes == ["dropped columns with a single value: one"]


def test_a_file_of_ids_alone_is_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"look like ids: id; --keep COL"):
        Features(pd.DataFrame({"id": np.arange(N)}), (), "a.csv", [])


def test_free_text_becomes_words_and_a_note():
    found, notes = features(text=TEXTS)
    found.fit_words(np.arange(N), notes)
    assert "text is free text: 9 of its most frequent words are columns" in notes[0]
    taken = found.take([0, 1])
    assert taken.shape == (2, 10)
    for row, text in zip(taken.to_dict("records"), TEXTS, strict=False):
        words = {name for name, share in row.items() if name != "x" and share > 0}
        assert words == {f"text: {word}" for word in text.split()}
    assert "1 text (text)" in found.fact()


def test_text_that_is_kept_is_a_category():
    found, notes = features(["text"], text=TEXTS)
    found.fit_words(np.arange(N), notes)
    assert found.take([0])["text"].tolist() == TEXTS[:1]


def test_texts_without_a_common_word_are_left_out_with_a_note():
    found, notes = features(text=[f"a{i} b{i} c{i}" for i in range(N)])
    found.fit_words(np.arange(N), notes)
    assert notes == ["dropped the text text: its rows have no common words"]
    assert found.take([0]).columns.tolist() == ["x"]


def test_a_column_that_gives_the_target_away_is_named():
    y = np.array(["a", "b"])[RNG.integers(2, size=N)]
    gaps = pd.Series(pd.Timestamp("2024-01-05"), index=range(N)).where(y == "a")
    X = pd.DataFrame({"x": RNG.normal(size=N), "closed": gaps, "copy": y})
    assert find_leaks(X, y) == {"closed": 1.0, "copy": 1.0}


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", None]))))
def test_groups_are_the_rows_that_are_equal(rows):
    rows = [*dict.fromkeys(rows), *rows, (10, "a"), (10, "a")]
    groups = join_groups(pd.DataFrame(rows, columns=["a", "b"]), None, [])
    for i, j in zip(range(len(rows)), RNG.permutation(len(rows)), strict=True):
        assert (groups[i] == groups[j]) == (rows[i] == rows[j])


def test_groups_join_copies_and_what_the_user_names():
    X = pd.DataFrame({"a": [0, 1, 2, 0, 3, 4]})
    notes = []
    groups = join_groups(X, np.array([0, 0, 1, 2, -1, 2]), notes)
    first, own = groups[0], groups[4]
    assert groups.tolist() == [first, first, groups[2], first, own, first]
    assert len(set(groups.tolist())) == 3
    assert "1 of 6 rows are copies" in notes[0]
    assert join_groups(pd.DataFrame({"a": range(9)}), None, []) is None


def test_where_hardly_any_row_differs_copies_are_noted_and_let_be():
    notes = []
    assert join_groups(pd.DataFrame({"a": [0, 1] * 50}), None, notes) is None
    assert notes == [
        "only 2 of 100 rows are distinct: equal rows are on both sides of a split"
    ]


def test_no_split_divides_a_group(table, save):
    table["patient"] = np.arange(len(table)) // 4
    data = load_table(save(table), "income", group="patient")
    assert "patient" not in data.X
    assert "patient has 60 groups, which no split divides" in data.notes
    labels = data.known()[0]
    for train, test in data.splits(4):
        assert not set(train // 4) & set(test // 4)
        assert len(set(labels[train])) == len(set(labels[test])) == 2
        assert len(train) + len(test) == len(table)


def test_groups_that_leave_no_split_are_refused(table, save):
    table["half"] = table["income"] == "low"
    data = load_table(save(table), "income", group="half")
    with pytest.raises(ValueError, match="2 groups leave no split with every class"):
        data.splits(2)


def test_unlabeled_rows_outside_of_the_sample_are_at_hand_too(table, save):
    table.loc[40:, "income"] = None
    big = pd.concat([table] * 3, ignore_index=True).assign(z=RNG.normal(size=720))
    data = load_table(save(big), "income", max_rows=200)
    X, rows = data.unlabeled()
    assert len(data.X) == 200
    assert rows.tolist() == (np.flatnonzero(big["income"].isna()) + 1).tolist()
    assert np.allclose(X["z"], big["z"][big["income"].isna()])

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.report import load_table
from sklearn_w2s.report._features import Features, find_leaks, join_groups
from sklearn_w2s.report._read import InputError

N = 100
RNG = np.random.default_rng(0)
WORDS = ["ship", "parcel", "late", "lost", "broken", "refund", "thanks", "great", "ok"]
TEXTS = [" ".join(RNG.choice(WORDS, 8)) for _ in range(N)]


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
        said = {name for name, share in row.items() if name != "x" and share > 0}
        assert said == {f"text: {word}" for word in text.split()}
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

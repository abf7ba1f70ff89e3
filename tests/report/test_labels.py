import numpy as np
import pandas as pd
import pytest

from sklearn_w2s.report._labels import read_labels


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
    assert not notes or f"{gap!r} (1); --missing '' makes classes of them" in notes[0]


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

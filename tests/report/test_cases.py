"""Files with the troubles that real files have, made by a script beside the data."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from sklearn_w2s.report import load_table, main, make_estimator
from sklearn_w2s.report._read import InputError

TARGETS = {"trailing_space.csv": "Won Primary", "odd_names.csv": "🏷️ label [x]"}
# Other ways to write decimal_point.csv, with what the notes must name.
DIALECTS = {
    "semicolon.csv": "commas are read as decimal in a, b",
    "semicolon_trailing.csv": "dropped 2 empty columns",
    "tab.tsv": "separated by tabs",
    "decimal_comma_quoted.csv": "commas are read as decimal in a, b",
    "zipped.csv.zip": "",
    "x.csv.xz": "",
    "lines.jsonl": "",
    "records.json": "",
    "bom.csv": "",
    "utf16.csv": "",
    "cp1252.csv": "read as cp1252",
    "preamble.csv": "skipped 2 comment lines",
    "r_row_names.csv": "and names the rows",
    "trailing_space.csv": "removed blanks around column names",
    "odd_names.csv": "",
}
NOTES = {
    "dash_missing.csv": "missing cells in a, b: 4, written '-', '?'",
    "currency_percent.csv": "removed currency signs from price",
    "minus_one.csv": "'-1' (237)",
    "question_target.csv": "'?' (80)",
    "blank_target.csv": "80 rows have no y: unlabeled",
    "class_none.csv": "None is a class of y (231 rows)",
    "float_classes.csv": "124 rows have no y: unlabeled",
    "spelling.csv": "'yes ' (",
    "duplicate_columns.csv": "renamed columns of the same name: a.2",
    "zip_newline.csv": "are kept as text in zip",
    "sample_drops_class.csv": "rare (10)",
    "types.parquet": "dropped columns of bytes: raw",
    "indexed.parquet": "the index of the file is used as a column: ts",
    "sorted_id.csv": "that look like ids or row numbers: id",
    "leak.csv": "closed_on alone predicts y in 100% of held-out rows",
    "duplicate_rows.csv": "400 of 800 rows are copies of another row",
    "free_text.csv": "comment is free text: 10 of its most frequent words",
}
# What the command writes on files that are answered with labels as they are, or where
# nothing can be learned, or everything.
ANSWERS = {
    "minus_one.csv": ("Labels as they are in", "163 labeled and 237 unlabeled rows"),
    "question_target.csv": ("Labels as they are in", "320 labeled and 80 unlabeled"),
    "sorted_id.csv": ("Experiment on", "There is nothing to learn here"),
    "imbalance.csv": ("Experiment on", "There is nothing to learn here"),
    "dates.csv": ("Experiment on", "Nothing is left to gain"),
    "types.parquet": ("Experiment on", "1 category (cat)"),
    "indexed.parquet": ("Experiment on", "2 dates (ts, day)"),
    "odd_names.csv": ("Experiment on", "rows by"),
    "spelling.csv": ("Experiment on", "5 classes"),
    "regression.csv": ("Experiment on", "a quantity to predict"),
    "grade.csv": ("Experiment on", "21 distinct numbers, 0 to 20: it is treated as a"),
}
REFUSED = {
    "ragged.csv": "line 101 has 4 cells, but 3 are expected",
}
LABELS = {
    "minus_one.csv": {0, 1, None},
    "question_target.csv": {"high", "low", None},
    "blank_target.csv": {"high", "low", None},
    "class_none.csv": {"Apnea", "Insomnia", "None"},
    "float_classes.csv": {1, 2, None},
    "spelling.csv": {"Yes", "yes", "yes ", "No", "no"},
    "sample_drops_class.csv": {"p", "q", "rare"},
}


@pytest.fixture(scope="module")
def cases(shared_data, tmp_path_factory):
    """Return a folder with all files."""
    script = shared_data.parent / "cases" / "make_files.py"
    if not script.exists():
        pytest.skip(f"there is no {script}")
    folder = tmp_path_factory.mktemp("cases")
    # In a process of its own: the script leaves files open, and warnings are errors.
    subprocess.run([sys.executable, str(script)], cwd=folder, check=True)
    return folder


def load(cases, name):
    return load_table(cases / name, TARGETS.get(name, "y"))


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_dialect_gives_the_numbers_of_the_plain_file(cases, name):
    plain, read = load(cases, "decimal_point.csv"), load(cases, name)
    assert np.array_equal(read.X.to_numpy(), plain.X.to_numpy())
    classes = sorted(set(read.y.tolist()))
    assert np.array_equal(read.y == classes[0], plain.y == "high")
    assert DIALECTS[name] in " ".join(read.notes)


@pytest.mark.parametrize("name", sorted(NOTES))
def test_what_was_chosen_or_left_out_is_noted(cases, name):
    assert NOTES[name] in " ".join(load(cases, name).notes)


@pytest.mark.parametrize("name", sorted(LABELS))
def test_labels_are_those_that_people_mean(cases, name):
    assert set(load(cases, name).y.tolist()) == LABELS[name]


def test_dates_are_dates_and_columns_of_numbers_are_numbers(cases):
    assert load(cases, "dates.csv").X["when"].dtype.kind == "M"
    kinds = [dtype.kind for dtype in load(cases, "currency_percent.csv").X.dtypes]
    assert kinds == ["f", "f"]
    assert load(cases, "dash_missing.csv").X.isna().sum().tolist() == [2, 2]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_judged_is_refused_in_a_line(cases, name, capsys):
    with pytest.raises(InputError, match=REFUSED[name]):
        load(cases, name)
    assert main([str(cases / name), "--target", "y"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.filterwarnings("ignore:strong_estimator .* has not learned:UserWarning")
@pytest.mark.filterwarnings("ignore:.*found no change point")
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_answer_is_what_the_file_can_tell(cases, name, tmp_path, capsys):
    page = tmp_path / "page.html"
    options = ["--strong", "tree", "--repeats", "2", "--html", str(page)]
    arguments = [str(cases / name), "--target", TARGETS.get(name, "y"), *options]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, words = ANSWERS[name]
    assert out.startswith(first)
    assert words in " ".join(out.split())
    assert out.count("Next:") == 1
    assert page.read_text("utf-8").count('class="verdict"') == 1


def test_a_word_of_a_text_and_the_hour_of_a_date_decide(cases):
    for name in ("free_text.csv", "dates.csv"):
        data = load(cases, name)
        labels, _ = data.known()
        scores = cross_val_score(make_estimator("extra_trees", 0), data.X, labels)
        assert scores.mean() > 0.95, name


def test_every_file_has_a_row_in_one_of_the_tables(cases):
    known = {*DIALECTS, *NOTES, *ANSWERS, *REFUSED, "decimal_point.csv", "book.xlsx"}
    assert {path.name for path in cases.iterdir()} <= known


def test_a_workbook_holds_the_same_numbers(cases):
    pytest.importorskip("openpyxl")
    assert "openpyxl" in sys.modules
    assert load(cases, "book.xlsx").X.equals(load(cases, "decimal_point.csv").X)

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from sklearn_w2s.report import load_table
from sklearn_w2s.report._read import InputError, read_table

# Without a date, so that every process names its tests alike.
GZIPPED = gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)


def packed(name, content):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for one in name:
            archive.writestr(one, content)
    return held.getvalue()


def written(tmp_path, content, name="a.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path), **options)


# One table in many dialects


def plain():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": (1234.5 + 5000 * rng.random(90)).round(2),
            "rate": rng.normal(size=90).round(3),
            "größe": rng.choice(["klein", "groß, rot", "5"], 90),
            "kind": rng.choice(["flach", "höher"], 90),
        }
    )
    table.loc[[3, 40], "rate"] = np.nan
    return table


def with_commas(table):
    return table.assign(
        size=table["size"].map(lambda v: f"{v:,.2f}".translate({44: ".", 46: ","})),
        rate=table["rate"].map(
            lambda v: "-" if v != v else f"{v:.3f}".replace(".", ",")
        ),
    )


def as_text(table, **options):
    return table.to_csv(index=False, **options)


DIALECTS = {
    "tabs.tsv": lambda t: as_text(t, sep="\t"),
    "bars.txt": lambda t: as_text(t, sep="|"),
    "semicolons.csv": lambda t: as_text(with_commas(t), sep=";"),
    "tails.csv": lambda t: as_text(with_commas(t), sep=";").replace("\n", ";;\n"),
    "quoted_commas.csv": lambda t: as_text(with_commas(t)),
    "bom.csv": lambda t: as_text(t).encode("utf-8-sig"),
    "utf16.csv": lambda t: as_text(t).encode("utf-16"),
    "cp1252.csv": lambda t: as_text(t).encode("cp1252"),
    "returns.csv": lambda t: as_text(t).replace("\n", "\r"),
    "preamble.csv": lambda t: "# made by hand\n#, of two lines\n" + as_text(t),
    "names_of_rows.csv": lambda t: t.to_csv(index=True),
    "r.csv": lambda t: t.to_csv(index=True)[1:],
    "declared.csv": lambda t: "sep=;\n" + as_text(t, sep=";"),
    "dollars.csv": lambda t: as_text(t.assign(size=t["size"].map("${:,.2f}".format))),
    "gaps.csv": lambda t: as_text(t, na_rep="?"),
    "packed.csv.gz": lambda t: gzip.compress(as_text(t).encode()),
    "packed.csv.xz": lambda t: lzma.compress(as_text(t).encode()),
    "packed.csv.bz2": lambda t: bz2.compress(as_text(t).encode()),
    "packed.csv.zip": lambda t: packed(["inner.csv"], as_text(t)),
    "records.json": lambda t: t.to_json(orient="records"),
    "columns.json": lambda t: t.to_json(orient="columns"),
    "answer.json": lambda t: json.dumps(
        {"n": 90, "rows": json.loads(t.to_json(orient="records"))}
    ),
    "lines.jsonl": lambda t: t.to_json(orient="records", lines=True),
    "UPPER.CSV": as_text,
}


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_one_table_has_the_same_numbers_labels_and_texts_in_every_dialect(
    name, tmp_path
):
    table = plain()
    content = DIALECTS[name](table)
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    read = load_table(path, "kind")
    expected = table.drop(columns="kind")
    pd.testing.assert_frame_equal(read.X, expected, check_dtype=False)
    assert read.X.dtypes.iloc[:2].tolist() == [np.float64, np.float64]
    assert read.y.tolist() == table["kind"].tolist()
    assert "2 numbers (size, rate); 1 category (größe)" in read.facts[0]


@pytest.mark.parametrize("name", ["typed.parquet", "book.xlsx"])
def test_files_with_types_hold_the_same_table(name, tmp_path):
    table, path = plain(), tmp_path / name
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
        table.to_excel(path, index=False)
    else:
        table.to_parquet(path)
    read = load_table(path, "kind")
    pd.testing.assert_frame_equal(read.X, table.drop(columns="kind"), check_dtype=False)
    assert read.y.tolist() == table["kind"].tolist()
    assert read.notes == []


def test_arff_names_and_types_its_columns(tmp_path):
    text = (
        "% a comment\n@relation x\n@attribute 'my size' numeric\n"
        "@attribute code {1,2}\n@attribute note string\n@DATA\n"
        "1.5, 1, 'it is, so'\n% another\n?,2,b\n\n3,?,c\n"
    )
    frame = written(tmp_path, text, "a.arff").frame
    assert frame.columns.tolist() == ["my size", "code", "note"]
    assert frame["my size"].tolist() == ["1.5", "?", "3"]
    assert frame["code"].tolist() == ["1", "2", np.nan]
    assert frame["code"].dtype == "category"
    assert frame["note"].tolist() == ["it is, so", "b", "c"]


# Separators and headers


@pytest.mark.parametrize(
    ("text", "names", "rows", "separator"),
    [
        ("a;b,c\n1;2,5\n3;4,5\n", ["a", "b,c"], [["1", "2,5"], ["3", "4,5"]], ";"),
        ('a,b\n"x;y",1\n"z;w",2\n', ["a", "b"], [["x;y", "1"], ["z;w", "2"]], ","),
        ("a  b\n1 2\n 3   4\n", ["a", "b"], [["1", "2"], ["3", "4"]], r"\s+"),
        ("#a\tb\n1\t2\n", ["a", "b"], [["1", "2"]], "\t"),
        ("# of 2\n\n#a,b\n1,2\n", ["a", "b"], [["1", "2"]], ","),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", ["a", "b"], [["1", "2"], ["3", "4"]], ","),
        ('a,b\n1,"x\ny"\n2,"q""q"\n', ["a", "b"], [["1", "x\ny"], ["2", 'q"q']], ","),
        ('a,b\n1,5" pipe\n', ["a", "b"], [["1", '5" pipe']], ","),
        ("a,b,\n1,2\n3,4\n", ["a", "b"], [["1", "2"], ["3", "4"]], ","),
        ('"two\nlines",b\n1,2\n', ["two\nlines", "b"], [["1", "2"]], ","),
        (
            "text\nhello, world\nfoo, bar\n",
            ["text"],
            [["hello, world"], ["foo, bar"]],
            "\t",
        ),
        ("a,b\n", ["a", "b"], [], ","),
    ],
)
def test_the_separator_is_the_one_that_gives_all_rows_the_cells_of_the_header(
    tmp_path, text, names, rows, separator
):
    table = written(tmp_path, text)
    assert table.frame.columns.tolist() == names
    assert table.frame.to_numpy().tolist() == rows
    assert table.separator == separator


def test_a_separator_that_is_given_is_taken(tmp_path):
    assert written(tmp_path, "a;b\n1;2\n", sep=",").frame.columns.tolist() == ["a;b"]
    for sep in ("\\t", "tab", "\t"):
        table = written(tmp_path, "a\tb,c\n1\t2\n", sep=sep)
        assert table.frame.columns.tolist() == ["a", "b,c"]


@pytest.mark.parametrize(
    ("text", "names", "note"),
    [
        (
            "a,a,b,a\n1,2,3,4\n",
            ["a", "a.2", "b", "a.3"],
            "renamed columns of the same name: a.2, a.3",
        ),
        (
            "a,a,a.2\n1,2,3\n",
            ["a", "a.3", "a.2"],
            "renamed columns of the same name: a.3",
        ),
        (" a,b \n1,2\n", ["a", "b"], "removed blanks around column names: ' a', 'b '"),
        (",b\n0,1\n1,2\n", ["b"], "dropped the first column"),
        (",b\n0,1\n0,2\n", ["column 1", "b"], None),
        ("a,b\nx,1,2\ny,3,4\n", ["a", "b"], "dropped the first column"),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"], "dropped 1 empty column without a name"),
        ("a;b\n1;2\n", ["a", "b"], "cells are separated by ';'"),
        ("#x\n#y\na,b\n1,2\n", ["a", "b"], "skipped 2 comment lines"),
        ("Sales\nin EUR\n\na,b\n1,2\n3,4\n", ["a", "b"], "skipped 2 rows before"),
        ("Sales,,\n,,\na,b,c\n1,2,x\n3,4,y\n", ["a", "b", "c"], "skipped 2 rows"),
        ("as of June, 2024\na,b,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], "skipped 1 row"),
    ],
)
def test_columns_have_distinct_names_and_a_note_says_what_was_done(
    tmp_path, text, names, note
):
    table = written(tmp_path, text)
    assert table.frame.columns.tolist() == names
    assert len(table.notes) == (note is not None)
    assert note is None or note in table.notes[0]


def test_text_that_is_not_utf_8_is_noted(tmp_path):
    (note,) = written(tmp_path, "a\né\n".encode("cp1252")).notes
    assert "read as cp1252" in note
    assert not written(tmp_path, "a\né\n".encode("cp1252"), encoding="cp1252").notes
    assert not written(tmp_path, "a,b\n1,2\n".encode("utf-16-le")).notes


def test_the_index_of_a_parquet_file_is_kept_or_named(table, tmp_path):
    path = tmp_path / "a.parquet"
    table.set_index("place").to_parquet(path)
    read = read_table(str(path))
    assert read.frame.columns[0] == "place"
    assert read.notes == ["the index of the file is used as a column: place"]
    table.iloc[[1, 2, 5]].to_parquet(path)
    read = read_table(str(path))
    assert read.frame.columns.tolist() == table.columns.tolist()
    assert "dropped the index" in read.notes[0]


# What cannot be read


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.doc", b"a,b", "its name must end in one of .csv, .*; got '.doc'"),
        ("a.xls", b"a,b", "Save it as .xlsx or .csv"),
        ("a", b"a,b", "got ''"),
        ("a.csv", b"", "no header and no rows"),
        ("a.csv", b"\n\n", "no header and no rows"),
        ("a.csv", "é\x81\n".encode("latin-1"), "neither UTF-8 nor cp1252 text"),
        (
            "a.csv",
            b"a,b\n1,2\n3,4,5\n",
            "line 3 has 3 cells, but 2 are expected: quote",
        ),
        ("a.csv", b"# x\na,b\n1,2\n3\n", "line 4 has 1 cell, but 2 are expected"),
        ("a.csv", b'a,b\n"1\n2",2\n3,4\n5,6,7\n', "line 5 has 3 cells"),
        ("a.txt", b"a b\n" + b"1 2\n" * 20 + b"5 6 7\n", "line 22 has 3 cells"),
        ("a.csv", b'a,b\n1,2\n3,"x\n5,6\n', "line 3 has a quote too few or too many"),
        ("a.csv", b"a,b\nx,1,2\nx,3,4\n", "rows have 3 cells, but its header names 2"),
        ("a.csv", b"PK\x03\x04", "a zip archive or a workbook, not text"),
        ("a.csv", b"<!DOCTYPE html>", "an HTML page, not text"),
        ("a.csv", GZIPPED, "a gzip file, not text"),
        ("a.csv.gz", b"a,b\n1,2\n", "it is not a .gz file"),
        ("a.csv.gz", GZIPPED[:-20], "truncated, damaged"),
        ("a.csv.gz", GZIPPED[:10] + b"\xff" * 20, "truncated, damaged"),
        ("a.csv.zip", b"PK\x03\x04 nonsense", "truncated, damaged"),
        ("a.csv.xz", lzma.compress(b"a,b\n" * 99)[:-9], "truncated, damaged"),
        ("a.parquet", b"a,b\n1,2\n", "it is not a Parquet file"),
        ("a.jsonl", b'{"a": 1}\n{"a":\n', "line 2 is not valid JSON"),
        ("a.json", b'[{"a": 1},', "line 1 is not valid JSON"),
        ("a.json", b"[1, 2]", "must hold one object"),
        ("a.json", b'{"a": [1, 2], "b": [1]}', "differ in their number of cells"),
        ("a.arff", b"@attribute a numeric\n", "no line @data"),
        ("a.arff", b"@attribute a numeric\n@data\n{0 1}\n", "rows are sparse"),
        ("a.arff", b"@attribute a numeric\n@data\n1\n2,3\n", "line 4 has 2 cells"),
    ],
)
def test_an_unreadable_file_is_named_with_the_reason(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as raised:
        written(tmp_path, content, name)
    assert str(tmp_path / name) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_archive_of_several_files_is_refused_with_their_names(tmp_path):
    with pytest.raises(InputError, match=r"2 files \(a.csv, b.csv\)"):
        written(tmp_path, packed(["a.csv", "b.csv"], "x,y\n"), "a.zip")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": "ab"}, "--sep must be one character .* got 'ab'"),
        ({"encoding": "utf-7000"}, "--encoding utf-7000 is unknown"),
        ({"encoding": "ascii"}, "it is not ascii text"),
    ],
)
def test_unknown_separators_and_encodings_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        written(tmp_path, "a,é\n1,2\n", **options)


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_table(str(tmp_path / "none.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        read_table(str(tmp_path / "folder.csv"))
    for address in ("https://example.org/a.csv", "s3://bucket/a.parquet"):
        with pytest.raises(InputError, match="is a URL: download the file"):
            read_table(address)


@pytest.mark.parametrize("name", ["pandas", "pyarrow"])
def test_without_pandas_the_error_says_how_to_get_it(monkeypatch, table, save, name):
    path = save(table)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install .sklearn-w2s\[report\]"):
        read_table(path)


def test_without_openpyxl_a_workbook_is_refused_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match="pip install openpyxl, or save it as"):
        written(tmp_path, b"PK\x03\x04", "a.xlsx")


def test_columns_named_by_numbers_are_named_by_their_digits(save):
    table = pd.DataFrame([[1, 2], [3, 4]])
    assert read_table(save(table)).frame.columns.tolist() == ["0", "1"]
    table.columns = table.columns.map(str)
    read = read_table(save(table, "a.parquet"))
    assert read.frame.columns.tolist() == ["0", "1"]

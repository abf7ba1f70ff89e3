import gzip
import sys

import pandas as pd
import pytest

from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._read import read_table

# Without a date, so that every process names its tests alike.
GZIPPED = gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "A.CSV", "my.a.parquet"])
def test_every_format_gives_the_same_table(table, save, name):
    table["colour"] = table["colour"].fillna("none")
    read = read_table(save(table, name))
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"a,b", "ends in neither .csv, .csv.gz nor .parquet"),
        ("a.csv", b"", "No columns"),
        ("a.csv", "a\né\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", "a\n1\n".encode("utf-16"), "not UTF-8"),
        ("a.csv", b"a,b\n1,2\n3,4,5\n", "line 3"),
        ("a.csv.gz", b"a,b\n1,2\n", "gzip"),
        ("a.csv.gz", GZIPPED[:-20], "cannot read"),
        ("a.csv.gz", GZIPPED[:10] + b"\xff" * 20, "cannot read"),
        ("a.parquet", b"a,b\n1,2\n", "cannot read"),
        ("a.csv", b"a,a,b,b\n1,2,3,4\n", "several columns named a, b"),
        ("a.csv", b"a,b\n1,2,3\n4,5,6\n", "more cells than its header"),
    ],
)
def test_an_unreadable_file_is_named_with_the_reason(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        read_table(str(path))
    assert str(path) in str(raised.value)


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_table(str(tmp_path / "none.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        read_table(str(tmp_path / "folder.csv"))


def test_without_pandas_the_error_says_how_to_get_it(monkeypatch, table, save):
    path = save(table)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"pip install .sklearn-w2s\[report\]"):
        read_table(path)


def test_parquet_without_pyarrow_is_refused_with_the_reason(monkeypatch, table, save):
    path = save(table, "a.parquet")
    for engine in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(InputError, match="pyarrow"):
        read_table(path)


def test_columns_named_by_numbers_are_named_by_their_digits(save):
    table = pd.DataFrame([[1, 2], [3, 4]])
    assert read_table(save(table)).columns.tolist() == ["0", "1"]
    table.columns = table.columns.map(str)
    assert read_table(save(table, "a.parquet")).columns.tolist() == ["0", "1"]


def test_an_unnamed_column_and_an_empty_table_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",b\n0,1\n1,2\n")
    assert read_table(str(path)).columns.tolist() == ["Unnamed: 0", "b"]
    path.write_text("a,b\n")
    assert read_table(str(path)).shape == (0, 2)

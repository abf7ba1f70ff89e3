import os
import sys

import pytest

from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._write import check_target, write_whole


def test_a_page_is_written_in_place_of_the_former_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("before")
    target = check_target("html", str(path), None)
    assert path.read_text() == "before"
    write_whole(target, "é\n".encode())
    assert path.read_bytes() == "é\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, "precious"])
def test_a_link_is_not_followed(tmp_path, before):
    victim, link = tmp_path / "victim", tmp_path / "link.html"
    if before is not None:
        victim.write_text(before)
    target = check_target("html", str(link), None)
    link.symlink_to(victim)
    with pytest.raises(InputError, match=r"is a symbolic link.*name the file itself"):
        check_target("html", str(link), None)
    # Where it came after the check, it is replaced.
    write_whole(target, b"x")
    assert not link.is_symlink()
    assert link.read_text() == "x"
    assert (victim.read_text() if victim.exists() else None) == before


def test_where_writing_fails_the_former_page_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("before")

    def refuse(_self, _target):
        raise OSError("disk full")

    monkeypatch.setattr(type(path), "replace", refuse)
    with pytest.raises(InputError, match="cannot write there: disk full"):
        write_whole(path, b"x")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "is no regular file"),
        ("no/such.html", "there is no folder"),
        ("data.csv", "is the file to read"),
        ("x" * 300 + ".html", "cannot write there"),
        ("a\x00.html", "cannot write there"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path, path, message):
    data = tmp_path / "data.csv"
    data.write_text("a\n")
    with pytest.raises(InputError, match=f"--html .*{message}"):
        check_target("html", str(tmp_path / path), str(data))
    assert data.read_text() == "a\n"
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_or_file_that_is_read_only_is_refused(tmp_path):
    path = tmp_path / "a.html"
    path.touch(mode=0o444)
    with pytest.raises(InputError, match="read-only"):
        check_target("html", str(path), None)
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="cannot write there"):
        check_target("html", str(tmp_path / "b.html"), None)
    tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("option", "module"), [("html", "matplotlib.pyplot"), ("save", "skops.io")]
)
def test_what_writes_a_file_is_named_with_its_extra(
    tmp_path, monkeypatch, option, module
):
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"--{option} needs {module[:5]}.*sklearn-w2s\[report\]"
    with pytest.raises(InputError, match=message):
        check_target(option, str(tmp_path / "a.skops"), None)


def test_a_model_is_a_file_of_skops(tmp_path):
    pytest.importorskip("skops")
    with pytest.raises(InputError, match=r"must end in \.skops"):
        check_target("save", str(tmp_path / "a.pkl"), None)
    assert check_target("save", str(tmp_path / "a.skops"), None).suffix == ".skops"

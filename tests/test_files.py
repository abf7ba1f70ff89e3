"""Files that are written whole."""

import os
import stat

import pytest

from sklearn_w2s._files import replace_file

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    for content in (b"before", b"after"):
        replace_file(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@needs_posix
def test_only_its_owner_may_read_it(tmp_path):
    replace_file(tmp_path / "a", b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@needs_posix
def test_a_link_is_replaced_and_its_target_untouched(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    replace_file(tmp_path / "a", b"x")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()


def test_where_writing_fails_the_former_file_stays(tmp_path, monkeypatch):
    def refuse(_):
        raise OSError("disk full")

    replace_file(tmp_path / "a", b"before")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="disk full"):
        replace_file(tmp_path / "a", b"after")
    assert (tmp_path / "a").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

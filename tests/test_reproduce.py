"""Reproducing the tables goes on past what is missing."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield runpy.run_path(str(ROOT / "benchmarks" / "reproduce.py"))
    for name in [name for name in sys.modules if name.startswith("benchmarks")]:
        del sys.modules[name]


@pytest.mark.parametrize("flags", [["--quick"], []])
def test_what_lacks_a_package_or_the_data_is_skipped_with_a_line(
    script, flags, tmp_path, capsys, monkeypatch
):
    ran = []

    def lacks(error):
        def main(_):
            raise error

        return main

    missing = script["DataFolderMissing"]("There is no folder.")
    mains = {
        "paper_a": lacks(missing),
        "paper_b": lacks(ModuleNotFoundError("No module named 'torch'")),
        "paper_c": ran.append,
    }
    names = script["main"].__globals__
    monkeypatch.setitem(names, "tables", lambda: list(mains))
    fake = SimpleNamespace(
        import_module=lambda name: SimpleNamespace(main=mains[name.split(".")[-1]])
    )
    monkeypatch.setitem(names, "importlib", fake)

    status = script["main"]([*flags, "--out", str(tmp_path)])

    assert len(ran) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "paper_a: skipped. There is no folder."
    assert lines[1] == "paper_b: skipped. No module named 'torch'"
    assert lines[2].startswith("paper_c: ")
    # Proof that it runs needs no data; a reproduction does.
    assert status == (0 if flags else 1)

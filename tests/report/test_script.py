import ast
import contextlib
import dataclasses
import io
import re
from argparse import Namespace

import numpy as np
import pytest

from sklearn_w2s.report._output import write_script

SCORES = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")


@pytest.fixture(scope="module")
def script(study):
    findings = study.findings
    return write_script(findings.options, findings.study, findings.final, findings.data)


def run(script):
    """Return the names that a script leaves, and what it prints."""
    names, written = {}, io.StringIO()
    with contextlib.redirect_stdout(written):
        exec(compile(script, "script", "exec"), names)
    return names, written.getvalue()


def test_the_script_gives_the_numbers_of_the_page_and_saves_the_model(
    study, script, tmp_path, monkeypatch
):
    pytest.importorskip("skops")
    monkeypatch.chdir(tmp_path)
    names, printed = run(script)
    results = study.findings.study.results
    for name in SCORES:
        key = f"{name}_score"
        assert np.array_equal(names["results"][key], results[key])
        assert f"{name} {results[key].mean()}" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


def test_names_in_the_script_are_text_whatever_they_hold(study, script):
    assert script.isascii()
    texts = [
        n.value for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Constant)
    ]
    options = study.findings.options
    assert {options.file, options.target, options.source} <= set(texts)


def test_the_script_reads_the_file_as_the_report_did(study):
    given = {"sep": ";", "missing": ["x"], "drop": ["a"], "random_state": 7}
    options = Namespace(**{**vars(study.findings.options), **given})
    script = write_script(options, study.findings.study, "weak", study.data)
    calls = [n for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Call)]
    (call,) = (c for c in calls if getattr(c.func, "id", None) == "load_table")
    passed = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    assert passed == {**given, "source": options.source}
    assert script.count("random_state=7") > 3


@pytest.mark.parametrize("final", ["weak", "strong_on_labels", "weak_to_strong"])
@pytest.mark.parametrize("hides_labels", [True, False])
@pytest.mark.parametrize("file", [None, "a.csv"])
def test_every_script_is_code_whose_names_are_all_used(
    study, file, hides_labels, final
):
    known = dataclasses.replace(study.findings.study, hides_labels=hides_labels)
    others = np.arange(0 if hides_labels else 3)
    data = dataclasses.replace(study.data, others=others)
    options = Namespace(**{**vars(study.findings.options), "file": file})
    script = write_script(options, known, final, data)
    imported = {
        alias.asname or alias.name
        for node in ast.parse(script).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name in imported:
        assert len(re.findall(rf"\b{name}\b", script)) > 1, name
    assert ("labeled_size" in script) == hides_labels
    assert ("predictions.csv" in script) == (file is not None and not hides_labels)
    assert "skops.io.dump(fitted, 'model.skops')" in script
    assert max(map(len, script.splitlines())) <= 88

import ast
import contextlib
import dataclasses
import io
import re
from argparse import Namespace

import numpy as np
import pytest

from sklearn_w2s.report._script import write_script

SCORES = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")


def run(script):
    """Return the names that a script leaves, and what it prints."""
    names, written = {}, io.StringIO()
    with contextlib.redirect_stdout(written):
        exec(compile(script, "script", "exec"), names)
    return names, written.getvalue()


def assert_same_numbers(names, printed, results, advice):
    for name in SCORES:
        key = f"{name}_score"
        assert np.array_equal(names["results"][key], results[key])
        assert f"{name} {results[key].mean()}" in printed
    found = names["advice"]
    assert str(found) == str(advice)
    assert found.comparisons.keys() == advice.comparisons.keys()
    assert found.indicators == pytest.approx(advice.indicators, nan_ok=True)


def test_the_script_gives_the_numbers_of_the_page(study):
    findings = study.findings
    script = write_script(findings.options, findings.results, findings.pool)
    assert_same_numbers(*run(script), findings.results, study.advice)


def test_names_in_the_script_are_text_whatever_they_hold(study):
    findings = study.findings
    script = write_script(findings.options, findings.results, findings.pool)
    assert script.isascii()
    texts = [
        n.value for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Constant)
    ]
    options = findings.options
    assert {options.file, options.target, options.source} <= set(texts)


def test_the_script_reads_the_file_as_the_report_did(study):
    given = {"sep": ";", "missing": ["x"], "drop": ["a"], "random_state": 7}
    options = Namespace(**{**vars(study.findings.options), **given})
    script = write_script(options, study.findings.results, study.findings.pool)
    calls = [n for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Call)]
    (call,) = (c for c in calls if getattr(c.func, "id", None) == "load_table")
    passed = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    assert passed == {**given, "source": options.source}
    assert script.count("random_state=7") > 3


@pytest.mark.parametrize("is_hidden", [True, False])
@pytest.mark.parametrize("source", [None, np.array(["a"])])
@pytest.mark.parametrize("file", [None, "a.csv"])
def test_every_script_is_code_whose_names_are_all_used(study, file, source, is_hidden):
    pool = dataclasses.replace(study.findings.pool, source=source, is_hidden=is_hidden)
    options = Namespace(**{**vars(study.findings.options), "file": file})
    script = write_script(options, study.findings.results, pool)
    imported = {
        alias.name
        for node in ast.parse(script).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name in imported:
        assert len(re.findall(rf"\b{name}\b", script)) > 1, name
    assert ("sample_source=source" in script) == (source is not None)
    assert max(map(len, script.splitlines())) <= 88

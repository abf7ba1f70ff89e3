"""The gallery shows what there is to evaluate and to see with."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SHOWN = ["advice", "metrics", "model_selection", "plotting"]


@pytest.mark.parametrize("package", SHOWN)
def test_every_public_name_is_in_an_example(package):
    module = importlib.import_module(f"sklearn_w2s.{package}")
    text = "\n".join(path.read_text("utf-8") for path in EXAMPLES)
    used = set(re.findall(r"\w+", text))
    # What advise returns is shown by its text.
    assert set(module.__all__) - used <= {"Advice"}


def test_examples_are_numbered_and_begin_with_a_title():
    for path in EXAMPLES:
        assert re.fullmatch(r"\d{4}_[a-z_]+\.py", path.name)
        title, underline = path.read_text("utf-8").splitlines()[1:3]
        assert set(underline) == {"="}
        assert len(underline) == len(title)


def test_getting_started_imports_what_its_install_line_brings():
    page = (ROOT / "docs" / "start" / "getting_started.py").read_text("utf-8")
    (line,) = re.findall(r'pip install "\.\[([\w,]+)\]"', page)
    brought = {"sklearn", "sklearn_w2s", "numpy", "scipy"}
    requirements = PYPROJECT["project"]["optional-dependencies"]
    for extra in line.split(","):
        brought |= {re.match(r"[\w-]+", each)[0] for each in requirements[extra]}
    imported = re.findall(r"^(?:import|from) (\w+)", page, flags=re.MULTILINE)

    assert set(imported) <= brought
    # For the figure.
    assert "sklearn-w2s[plot]" in requirements[line]

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from sklearn_w2s._sklearn import SHIMS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sklearn_w2s"
DOOR = PACKAGE / "_sklearn.py"
MAX_LINES = 170


def sklearn_floor():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (requirement,) = (
        requirement
        for requirement in map(Requirement, project["dependencies"])
        if requirement.name == "scikit-learn"
    )
    (floor,) = (bound.version for bound in requirement.specifier)
    return Version(floor)


def private_sklearn_names(source):
    """Return the dotted scikit-learn names imported that have a private component."""
    imported = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            imported += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
    return [
        name
        for name in imported
        if name.startswith("sklearn.")
        and any(part.startswith("_") for part in name.split("."))
    ]


@pytest.mark.parametrize(("shim", "needless_from"), SHIMS.items())
def test_a_shim_goes_when_the_floor_reaches_the_version_without_need_of_it(
    shim, needless_from
):
    assert sklearn_floor() < Version(needless_from), f"delete the shim {shim!r}"


@pytest.mark.parametrize("shim", SHIMS)
def test_a_shim_names_what_it_is_about(shim):
    names = {
        node.name
        for node in ast.walk(ast.parse(DOOR.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }

    assert shim.split(":")[0] in names


def test_one_file_alone_imports_private_names_of_scikit_learn():
    importing = [
        path
        for path in PACKAGE.rglob("*.py")
        if private_sklearn_names(path.read_text("utf-8"))
    ]

    assert importing == [DOOR]


def test_only_one_file_depends_on_the_version_of_scikit_learn():
    asking = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path != DOOR and "sklearn.__version__" in path.read_text("utf-8")
    ]

    assert asking == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import sklearn.utils._tags", ["sklearn.utils._tags"]),
        ("from sklearn.base import _fit_context", ["sklearn.base._fit_context"]),
        ("def f():\n    from sklearn._x import y", ["sklearn._x.y"]),
        ("from sklearn.base import clone", []),
        ("from sklearn_w2s._sklearn import fit_context", []),
    ],
)
def test_private_imports_are_found_wherever_they_stand(source, expected):
    assert private_sklearn_names(source) == expected


def test_the_door_stays_small():
    assert len(DOOR.read_text("utf-8").splitlines()) < MAX_LINES

import ast
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from packaging.requirements import Requirement
from packaging.version import Version
from sklearn import config_context
from sklearn.base import BaseEstimator

from sklearn_w2s._sklearn import (
    SHIMS,
    check_weights,
    raise_for_params,
    routing_enabled,
)

X = np.zeros((3, 1))


@pytest.mark.parametrize(
    ("sample_weight", "expected"),
    [
        (None, [1, 1, 1]),
        (2, [2, 2, 2]),
        ([0, 1, 2], [0, 1, 2]),
        (np.array([1, 0, 0], dtype=np.float32), [1, 0, 0]),
    ],
)
def test_weights_are_floats_one_per_row(sample_weight, expected):
    weights = check_weights(sample_weight, X)
    assert weights.dtype == np.float64
    assert_array_equal(weights, expected)


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([0, 0, 0], "at least one non-zero number"),
        ([1, -1, 1], "Negative values in data passed to `sample_weight`"),
        ([1, np.nan, 1], "contains NaN"),
        ([1, np.inf, 1], "contains infinity"),
        ([1, 1], r"sample_weight.shape == \(2,\)"),
        ([[1], [1], [1]], "1D"),
    ],
)
def test_invalid_weights_are_refused(sample_weight, message):
    with pytest.raises(ValueError, match=message):
        check_weights(sample_weight, X)


def test_metadata_are_refused_only_where_nothing_routes_them():
    raise_for_params({}, BaseEstimator(), "fit")
    with pytest.raises(TypeError, match=r"BaseEstimator.fit got .*\['a', 'b'\]. To pa"):
        raise_for_params({"b": 1, "a": 2}, BaseEstimator(), "fit")
    with config_context(enable_metadata_routing=True):
        assert routing_enabled()
        raise_for_params({"a": 2}, BaseEstimator(), "fit")
    assert not routing_enabled()


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

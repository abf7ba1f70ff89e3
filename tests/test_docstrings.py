import inspect
import pkgutil
import tomllib
from pathlib import Path

import pytest
from numpydoc.validate import validate

import sklearn_w2s

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# "all" and then the codes that are left out.
_, *IGNORED = PYPROJECT["tool"]["numpydoc_validation"]["checks"]
NO_EXAMPLE = "EX01"

PACKAGES = [
    "sklearn_w2s",
    *(
        f"sklearn_w2s.{module.name}"
        for module in pkgutil.iter_modules(sklearn_w2s.__path__)
        if not module.name.startswith("_")
    ),
]


@pytest.fixture(params=PACKAGES)
def package(request):
    return pytest.importorskip(request.param, exc_type=ImportError)


def public_methods(owner):
    """Return the names of the public methods that this package wrote."""
    methods = {
        name: value.fget if isinstance(value, property) else value
        for name, value in inspect.getmembers(owner)
        if not name.startswith("_")
    }
    return [
        name
        for name, method in methods.items()
        if inspect.isroutine(method)
        and (getattr(method, "__module__", None) or "").startswith("sklearn_w2s")
    ]


def complaints(name, ignored):
    return [
        f"{name}: {code} {message}"
        for code, message in validate(name)["errors"]
        if code not in ignored
    ]


def codes(name):
    return {code for code, _ in validate(name)["errors"]}


def is_warning(value):
    """Say whether a public name is a warning: those are met, not called."""
    return inspect.isclass(value) and issubclass(value, Warning)


def test_docstrings_follow_numpydoc(package):
    found = []
    for name in package.__all__:
        full_name = f"{package.__name__}.{name}"
        found += complaints(full_name, IGNORED)
        value = getattr(package, name)
        if inspect.isclass(value):
            for method in public_methods(value):
                found += complaints(f"{full_name}.{method}", IGNORED)

    assert found == []


def test_classes_and_functions_have_examples(package):
    without_example = [
        name
        for name in package.__all__
        if not is_warning(getattr(package, name))
        and NO_EXAMPLE in codes(f"{package.__name__}.{name}")
    ]

    assert without_example == []


def test_no_line_of_a_raw_docstring_is_continued(package):
    # There the backslash stays, and parts the type of a parameter from its default.
    continued = [
        name
        for name in package.__all__
        if " \\\n" in (getattr(package, name).__doc__ or "")
    ]

    assert continued == []


def test_a_docstring_that_breaks_the_rules_is_found():
    (complaint, *_) = complaints("shutil.copyfile", IGNORED)

    assert complaint.startswith("shutil.copyfile: ")

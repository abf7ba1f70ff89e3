"""The public surface has types, and a user's project can check itself against them."""

import inspect
import pkgutil
import re

import pytest

import sklearn_w2s

PACKAGES = [
    "sklearn_w2s",
    *(
        f"sklearn_w2s.{module.name}"
        for module in pkgutil.iter_modules(sklearn_w2s.__path__)
        if module.ispkg and not module.name.startswith("_")
    ),
]
PROJECT = """\
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s.advice import advise
from sklearn_w2s.metrics import performance_gap_recovered
from sklearn_w2s.model_selection import LabeledSplit, cross_validate_gap
from sklearn_w2s.persistence import trusted_types
from sklearn_w2s.plotting import GapDisplay

X = np.zeros((10, 2))
y = np.zeros(10)
detector = OverlapDetector(max_references=100, random_state=0)
model = WeakToStrongClassifier(
    strategy="auto", overlap_detector=detector, n_jobs=2, fallback="raise"
)
assert_type(model.fit(X, y), WeakToStrongClassifier)
assert_type(model.predict_proba(X), NDArray[Any])
assert_type(model.score(X, y), float)
assert_type(detector.fit(X, y).predict(X), NDArray[Any])
assert_type(UCBSourceSelector(n_rounds=3).fit(X), UCBSourceSelector)
assert_type(trusted_types(), list[str])
assert_type(cross_validate_gap(model, X, y), dict[str, Any])
assert_type(GapDisplay.from_estimator(model, X, y), GapDisplay)
print(advise(model, X, y).choice, LabeledSplit().get_n_splits(X, y) + 1)
print(performance_gap_recovered(0.7, 0.8, 0.9))
"""


def public_functions(package):
    """Yield the functions, and the methods and properties of classes, of a package."""
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isfunction(value):
            yield value
        if not inspect.isclass(value):
            continue
        for base in value.__mro__:
            if not base.__module__.startswith("sklearn_w2s."):
                continue
            for key, member in vars(base).items():
                if not key.startswith("_") or key == "__init__":
                    yield from unwrapped(member)


def unwrapped(member):
    """Yield the function that a property, a class method or a decorator holds."""
    for name in ("fget", "fn", "__func__"):
        member = getattr(member, name, member)
    if inspect.isfunction(member):
        yield inspect.unwrap(member)


def lacks_types(function):
    signature = inspect.signature(function)
    given = [
        p for name, p in signature.parameters.items() if name not in ("self", "cls")
    ]
    returns = [signature.return_annotation]
    return inspect.Parameter.empty in [*(p.annotation for p in given), *returns]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_function_and_method_has_types(name):
    package = pytest.importorskip(name, exc_type=ImportError)

    assert [f.__qualname__ for f in public_functions(package) if lacks_types(f)] == []


MISTAKES = """\
from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.persistence import trusted_types

WeakToStrongClassifier(n_jobs="two")
WeakToStrongClassifier(fallback="ignore")
WeakToStrongClassifier(labels=[1, 2])
WeakToStrongClassifier().fit([[1]])
WeakToStrongClassifier().fit([[1]], [1]).predict()
trusted_types()["sklearn"]
"""
# Packages that are installed are followed silently.
SETTINGS = """\
[mypy]
strict = True
[mypy-sklearn_w2s.*]
follow_imports = silent
"""


def test_mypy_lets_a_strict_project_of_a_user_pass_and_finds_mistakes(tmp_path):
    api = pytest.importorskip("mypy.api")
    files = {"mypy.ini": SETTINGS, "project.py": PROJECT, "mistakes.py": MISTAKES}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    said, errors, _ = api.run(
        [
            *("--config-file", str(tmp_path / "mypy.ini"), "--no-incremental"),
            *(str(tmp_path / name) for name in files if name.endswith(".py")),
        ]
    )

    found = re.findall(r"(\w+)\.py:(\d+): error:", said)
    n_lines = len(MISTAKES.splitlines())
    assert found == [("mistakes", str(i + 1)) for i in range(3, n_lines)], said + errors

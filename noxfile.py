"""Every task by name; continuous integration calls these names and nothing else."""

import os
import re
import sys
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2024.10.9"
# Only pip reads the indexes and wheel folders that are configured for pip, and there
# the builds of torch without CUDA are found.
nox.options.default_venv_backend = "venv"
nox.options.sessions = [
    *("tests", "lint", "types", "no_extras", "lowest", "docs", "reproduce"),
]
# Python compiles and keeps what it imports; pip would compile all that it installs,
# which takes a minute for each environment with torch.
os.environ["PIP_COMPILE"] = "0"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

NIGHTLY_WHEELS = "https://pypi.anaconda.org/scientific-python-nightly-wheels/simple"
PYPROJECT = nox.project.load_toml("pyproject.toml")
PROJECT = PYPROJECT["project"]
TIDY_IMPORTS = PYPROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
OPTIONAL_MODULES = TIDY_IMPORTS["banned-module-level-imports"]
TORCH_MODULES = ["skorch", "torch", "transformers"]
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
OPTIONAL_REQUIREMENTS = {PROJECT["name"], *OPTIONAL_MODULES}


@nox.session
def lint(session):
    """Run what needs no import: ruff, its formatter, codespell, the import law."""
    session.install(*group("lint"), *test_tools("import-linter"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session):
    """Check types with mypy, and those that a user's project sees."""
    session.install("-e", ".[plot]", *group("types"), *test_tools())
    session.run("mypy")
    session.run("pytest", "tests/test_typing.py")


@nox.session
def no_extras(session):
    """Test the wheel, or one that was built before, where nothing optional is."""
    session.install(*(session.posargs or ["."]), *test_tools())
    # No extra changes what these find with the same versions in the session tests.
    ignored = [f"--ignore=tests/{name}" for name in ("_algorithms", "claims", "pairs")]
    ignored += ignore_tests_of(OPTIONAL_MODULES)
    session.run("pytest", "-n", "auto", *ignored, "tests", "README.md")


@nox.session
def tests(session):
    """Run all tests and the examples of all pages, with the latest requirements."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def lowest(session):
    """Run the tests, but not the guide, with the lowest supported requirements."""
    if sys.version_info >= (3, 13):
        session.skip("the lowest NumPy has no wheel for Python 3.13; use 3.11")
    constraints = Path(session.create_tmp(), "constraints.txt")
    constraints.write_text("\n".join(floors()), encoding="utf-8")
    session.install("-e", ".[test]", "--constraint", str(constraints))
    everywhere = ["tests", "sklearn_w2s", "README.md"]
    session.run("pytest", "-n", "auto", *(session.posargs or everywhere))


PAIR_LIBRARIES = ["catboost", "lightgbm", "xgboost"]


@nox.session
@nox.parametrize("library", PAIR_LIBRARIES, ids=PAIR_LIBRARIES)
def pairs(session, library):
    """Hold the classifiers of another library to the promises of every pair."""
    session.install(".", *test_tools(), library)
    files = ["pairs/test_pairs.py", "test_boosting.py", "test_coded.py"]
    session.run("pytest", *(f"tests/{file}" for file in files), "-k", library)


# Releases of scikit-learn, with libraries of their time: they do not know later ones.
RELEASES = {
    "1.6": ["scipy<1.16", "pandas<3", "polars<1.40"],
    "1.7": ["numpy<2.5", "scipy<1.17", "pandas<3", "polars<1.40"],
    "1.8": ["numpy<2.5", "scipy<1.18", "pandas<3", "polars<1.40"],
    "1.9": [],
}


@nox.session(python=["3.11", "3.12", "3.13"])
@nox.parametrize("release", list(RELEASES), ids=list(RELEASES))
def versions(session, release):
    """Run the tests with a release of scikit-learn, without torch and text models."""
    without_torch = [
        requirement
        for requirement in map(Requirement, extra("test"))
        if requirement.name not in (PROJECT["name"], *TORCH_MODULES)
    ]
    extras = "changepoint,dask,imblearn,onnx,plot,report"
    session.install(
        *(f".[{extras}]", f"scikit-learn=={release}.*", *RELEASES[release]),
        *map(str, without_torch),
    )
    ignored = ignore_tests_of(TORCH_MODULES)
    session.run("pytest", "-n", "auto", *ignored, *(session.posargs or ["tests"]))


@nox.session
def clusters(session):
    """Run the tests over Dask with what brings clusters of its own."""
    session.install("-e", ".[test]", "lightgbm", "ray", "xgboost")
    session.run("pytest", *(session.posargs or ["tests/dask"]))


@nox.session
def weights(session):
    """Run the tests of texts with pretrained weights, which packages contain."""
    session.install("-e", ".[test]", *group("weights"), "sentence-transformers")
    session.run("pytest", *(session.posargs or ["tests/text"]))


@nox.session
def coverage(session):
    """Measure the branches that the tests take, and require a share of them."""
    session.install("-e", ".[test]", *group("coverage"))
    session.run("pytest", "-n", "auto", "--cov", *session.posargs)
    report = ["coverage", "report", "--format=total"]
    session.run(*report, "--fail-under=95")
    session.run(*report, "--fail-under=100", "--include=sklearn_w2s/_algorithms/*")
    session.run("coverage", "json", "-o", "coverage.json")
    session.run("python", "-m", "benchmarks.quality.coverage")


@nox.session
def mutation(session):
    """Change the algorithms line by line, and count the changes that tests notice."""
    session.install("-e", ".", *test_tools(), *group("mutation"))
    session.run("mutmut", "run", *session.posargs, env=ONE_THREAD)
    session.run("python", "-m", "benchmarks.quality.mutation")


@nox.session
def docs(session):
    """Build the documentation; a warning is an error."""
    session.install("-e", ".[dask,onnx,plot,report,torch]", *group("docs"))
    session.run(
        *("sphinx-build", "-W", "--keep-going", "--nitpicky", "--fresh-env"),
        *("-b", "html", "docs", "docs/_build/html"),
    )


@nox.session
def reproduce(session):
    """Run the tables of the paper's findings at reduced size, or as asked."""
    session.install("-e", ".[test]", *group("weights"))
    session.run(
        "python", "-m", "benchmarks.reproduce", *(session.posargs or ["--quick"])
    )


@nox.session
def paths(session):
    """Walk the ways of users in fresh environments: start, deploy, reproduce."""
    session.install(".")
    session.run("python", "-m", "benchmarks.paths", *session.posargs)


@nox.session
def nightly(session):
    """Test with what NumPy, SciPy and scikit-learn will be."""
    session.install("-e", ".[test]")
    session.install(
        *("--pre", "--upgrade", "--index-url", NIGHTLY_WHEELS),
        *("numpy", "scipy", "scikit-learn"),
    )
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def checkpoints(session):
    """Kill runs and damage checkpoints at random, and go on with the tables of both."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "benchmarks.quality.checkpoints", *session.posargs)


@nox.session
def changelog(session):
    """Gather docs/changes in the changelog, for the version that is named."""
    session.install(*group("release"))
    session.run("towncrier", "build", "--yes", "--version", *session.posargs)


@nox.session
def benchmarks(session):
    """Write the named tables of benchmarks/results again, or all of them."""
    groups = [*group("benchmarks"), *group("weights")]
    session.install(".[dask,onnx,report,text,torch]", *groups)
    tables = session.posargs or [
        p.stem for p in Path("benchmarks/tables").glob("[!_]*.py")
    ]
    for table in sorted(tables):
        session.run("python", "-m", f"benchmarks.tables.{table}")


def group(name):
    """Return the requirements of a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


def test_tools(*names):
    """Return what the tests need besides this package and extras, or a part of it."""
    return [
        tool
        for tool in extra("test")
        if Requirement(tool).name not in OPTIONAL_REQUIREMENTS
        and (not names or Requirement(tool).name in names)
    ]


def ignore_tests_of(modules):
    """Return the options that leave out test files which import one of the modules."""
    files = [path for path in Path("tests").rglob("*.py") if names(path, modules)]
    return [
        f"--ignore={path.parent if path.name == 'conftest.py' else path}"
        for path in files
    ]


def names(path, modules):
    """Say whether a test file imports one of the modules at its top."""
    modules = "|".join(modules)
    pattern = rf"^(import|from) ({modules})\b"
    return re.search(pattern, path.read_text("utf-8"), re.MULTILINE) is not None


def floors():
    """Pin every direct requirement to its floor, unless it is pinned already."""
    bounds = {
        (requirement.name, bound.operator): bound.version
        for requirement in direct_requirements(
            [*PROJECT["dependencies"], *extra("test")]
        )
        for bound in requirement.specifier
    }
    return [
        f"{name}=={version}"
        for (name, operator), version in sorted(bounds.items())
        if operator == ">=" and (name, "==") not in bounds
    ]


def direct_requirements(lines):
    """Yield requirements, those of this package's own extras in their place."""
    for requirement in map(Requirement, lines):
        if requirement.name == PROJECT["name"]:
            for name in requirement.extras:
                yield from direct_requirements(extra(name))
        else:
            yield requirement


def extra(name):
    """Return the requirements of an extra."""
    return PROJECT["optional-dependencies"][name]

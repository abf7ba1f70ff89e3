import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

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
OPTIONAL = {
    "dask",
    "imblearn",
    "jinja2",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pandas",
    "polars",
    "pyarrow",
    "ruptures",
    "skl2onnx",
    "skops",
    "skorch",
    "torch",
    "transformers",
}
# They subclass or wrap what the library has.
HEAVY = {"sklearn_w2s.dask", "sklearn_w2s.neural", "sklearn_w2s.onnx"}


def run_python(*arguments):
    run = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def packages_loaded_by(*modules):
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return {module.split(".")[0] for module in run_python("-c", code).split()}


@pytest.fixture(scope="module")
def loaded_by_sklearn():
    # scikit-learn itself imports pandas where it is installed.
    return packages_loaded_by("sklearn.ensemble", "sklearn.linear_model")


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_exactly_the_public_names_in_order(package):
    module = pytest.importorskip(package, exc_type=ImportError)
    public = sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    )

    assert module.__all__ == public


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_belong_to_their_package(package):
    module = pytest.importorskip(package, exc_type=ImportError)

    for name in module.__all__:
        assert getattr(module, name).__module__.startswith(package)


def test_the_root_exports_every_estimator_that_needs_no_extra():
    for name in sklearn_w2s.__all__:
        estimator = getattr(sklearn_w2s, name)
        wing = importlib.import_module(".".join(estimator.__module__.split(".")[:2]))
        assert name in wing.__all__


def test_the_import_loads_no_package_that_scikit_learn_does_not(loaded_by_sklearn):
    assert packages_loaded_by("sklearn_w2s") - loaded_by_sklearn == {"sklearn_w2s"}


def test_no_other_package_loads_an_extra_when_imported(loaded_by_sklearn):
    light = [package for package in PACKAGES if package not in HEAVY]

    assert (packages_loaded_by(*light) - loaded_by_sklearn) & OPTIONAL == set()


def test_the_version_is_that_of_the_installed_package():
    try:
        installed = version("sklearn-w2s")
    except PackageNotFoundError:
        pytest.skip("sklearn-w2s is imported from its folder, not installed")

    assert sklearn_w2s.__version__ == installed


def test_the_module_run_as_a_script_tells_the_version():
    assert run_python("-m", "sklearn_w2s", "--version") == sklearn_w2s.__version__

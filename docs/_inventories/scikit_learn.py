"""Write the inventory of scikit-learn's documentation from the installed version.

``python docs/_inventories/scikit_learn.py`` makes `scikit-learn.inv` anew. It is kept
in the repository, so that pages link to those of scikit-learn where no network is.
"""

import importlib
import inspect
import pkgutil
import warnings
import zlib
from pathlib import Path

import sklearn
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer

# Importing them makes what they name public.
EXPERIMENTAL = enable_halving_search_cv, enable_iterative_imputer
LEFT_OUT = {"conftest", "externals", "tests"}
INVENTORY = Path(__file__).with_name("scikit-learn.inv")
HEAD = """# Sphinx inventory version 2
# Project: scikit-learn
# Version: {version}
# The remainder of this file is compressed using zlib.
"""


def modules(module=sklearn):
    """Yield the public modules of scikit-learn."""
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not found.name.startswith("_") and found.name not in LEFT_OUT:
            yield from modules(
                importlib.import_module(f"{module.__name__}.{found.name}")
            )


def public(module):
    """Return the public classes and functions of a module by name."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, thing in vars(module).items()
            if getattr(thing, "__module__", None) == module.__name__
            and not name.startswith("_")
        ]
    return {name: getattr(module, name, None) for name in names}


def entries():
    """Yield an entry for every public class, method and function."""
    for module in modules():
        for name, thing in public(module).items():
            full = f"{module.__name__}.{name}"
            page = f"modules/generated/{full}.html#$"
            if inspect.isclass(thing):
                yield f"{full} py:class 1 {page} -"
                for method, _ in inspect.getmembers(thing, inspect.isroutine):
                    if not method.startswith("_"):
                        yield f"{full}.{method} py:method 1 {page} -"
            elif callable(thing):
                yield f"{full} py:function 1 {page} -"


def main():
    """Write the inventory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = "".join(f"{entry}\n" for entry in sorted(set(entries())))
    head = HEAD.format(version=sklearn.__version__)
    INVENTORY.write_bytes(head.encode() + zlib.compress(body.encode(), 9))


if __name__ == "__main__":
    main()

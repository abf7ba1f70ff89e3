"""Makes a page for each public module from the names that it exports."""

import importlib
import pkgutil
import shutil
from pathlib import Path

import sklearn_w2s

FOLDER = Path(__file__).resolve().parents[1] / "generated" / "api"
ROOT = sklearn_w2s.__name__
INDEX = """.. _api:

API
===

.. list-table::
   :widths: 35 65

{rows}

.. toctree::
   :hidden:

{pages}
"""
PAGE = """{package}
{underline}

.. automodule:: {package}
   :no-members:

.. currentmodule:: {package}

.. autosummary::
   :toctree: .
   :nosignatures:

{names}
"""


def public_names():
    """Return the public names by module, each in one module, the root first."""
    found = {sklearn_w2s: sklearn_w2s.__all__}
    for module in pkgutil.iter_modules(sklearn_w2s.__path__):
        if not module.name.startswith("_"):
            package = importlib.import_module(f"{ROOT}.{module.name}")
            names = [
                name
                for name in package.__all__
                if getattr(package, name) is not getattr(sklearn_w2s, name, None)
            ]
            if names:
                found[package] = names
    return found


def write_pages(_app, _config):
    """Write the pages, before Sphinx looks for files."""
    # Pages of names that are gone would stay.
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    rows, pages = [], []
    for package, names in public_names().items():
        name = package.__name__
        rows += [f"   * - :mod:`{name}`", f"     - {package.__doc__.splitlines()[0]}"]
        pages.append(f"   {name.removeprefix(f'{ROOT}.')} <{name}>")
        _write(
            name,
            PAGE.format(
                package=name,
                underline="=" * len(name),
                names="\n".join(f"   {public}" for public in names),
            ),
        )
    _write("index", INDEX.format(rows="\n".join(rows), pages="\n".join(pages)))


def _write(name, page):
    (FOLDER / f"{name}.rst").write_text(page, encoding="utf-8")


def setup(app):
    """Register the pages."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True}

"""Put a built documentation among those of other versions.

``python docs/publish.py SITE 1.2.3`` copies ``docs/_build/html`` into the folder
``SITE/1.2``, ``SITE/dev`` for a version under development. ``SITE/stable`` is a copy of
the newest release, ``SITE/index.html`` leads there, and ``SITE/switcher.json`` is what
the menu of versions reads.
"""

import json
import shutil
import sys
from pathlib import Path

BUILT = Path(__file__).parent / "_build" / "html"
REDIRECT = '<!doctype html><meta http-equiv="refresh" content="0; url={}/">\n'


def folder_of(version):
    """Return the name of the folder of a version: 1.2, or dev."""
    return "dev" if ".dev" in version else ".".join(version.split(".")[:2])


def publish(site, version, built=BUILT):
    """Copy a built documentation, and write what leads to it."""
    _copy(built, site / folder_of(version))
    names = {path.name for path in site.iterdir() if path.is_dir()}
    releases = sorted((n for n in names if n[0].isdigit()), key=_order, reverse=True)
    if releases:
        _copy(site / releases[0], site / "stable")
    entries = [{"version": "dev", "url": "../dev/"}] * ("dev" in names)
    for name in releases:
        is_stable = name == releases[0]
        entry = {"version": name, "url": f"../{'stable' if is_stable else name}/"}
        if is_stable:
            entry |= {"name": f"{name} (stable)", "preferred": True}
        entries.append(entry)
    menu = json.dumps(entries, indent=2) + "\n"
    (site / "switcher.json").write_text(menu, encoding="utf-8")
    start = REDIRECT.format("stable" if releases else "dev")
    (site / "index.html").write_text(start, encoding="utf-8")
    # Pages that begin with an underscore are files as well.
    (site / ".nojekyll").touch()


def _copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _order(name):
    return tuple(map(int, name.split(".")))


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2])

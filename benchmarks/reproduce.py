"""Run every table of the paper's findings, one after the other.

``--quick`` runs all of them at reduced size into a temporary folder, which proves that
they run and says nothing of what they find. What lacks data, an extra or weights is
then skipped with a line that names it.
"""

import importlib
import time
from pathlib import Path

from benchmarks.tables._problems import DataFolderMissing
from benchmarks.tables._results import options

PREFIX = "paper_"


def tables():
    """Return the names of the scripts, in alphabetical order."""
    folder = Path(__file__).parent / "tables"
    return sorted(path.stem for path in folder.glob(f"{PREFIX}*.py"))


def reproduce(folder, *, quick, jobs):
    """Write all tables into a folder, and say what each took."""
    flags = ["--out", str(folder), "--jobs", str(jobs), *(["--quick"] * quick)]
    for name in tables():
        start = time.perf_counter()
        try:
            importlib.import_module(f"benchmarks.tables.{name}").main(flags)
        except (DataFolderMissing, ImportError) as error:
            if not quick:
                raise
            print(f"{name}: skipped. {error}", flush=True)
            continue
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)


def main(arguments=None):
    """Write the tables."""
    chosen = options(__doc__, arguments)
    reproduce(chosen.out, quick=chosen.quick, jobs=chosen.jobs)
    print(f"The tables are in {chosen.out}.")


if __name__ == "__main__":
    main()

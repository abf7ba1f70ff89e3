"""What tables share: where they stand, how they are written, what a call costs."""

import argparse
import csv
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from joblib import Parallel, delayed

RESULTS = Path(__file__).resolve().parents[1] / "results"


class DataFolderMissing(FileNotFoundError):
    """There is no folder of real data sets."""


def write(path, rows):
    """Write rows, which are dicts of the same keys, as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class TableParser(argparse.ArgumentParser):
    """A parser that chooses the folder of the tables where none is named."""

    def parse_args(self, args=None, namespace=None):
        """Return the options."""
        chosen = super().parse_args(args, namespace)
        if chosen.out is None:
            chosen.out = Path(tempfile.mkdtemp()) if chosen.quick else RESULTS
        return chosen


def parser_of(description):
    """Return a parser of the options of every table: `quick`, `out`, `jobs`."""
    parser = TableParser(description=description)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of tables; by default that of the committed ones, and with "
        "--quick a new temporary one",
    )
    parser.add_argument("--jobs", type=int, default=-1, help="processes")
    return parser


def options(description, arguments=None):
    """Return what the command line of a table says."""
    return parser_of(description).parse_args(arguments)


def read(path):
    """Return the rows of a table as texts, none where it is not there yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_they_end(call, tasks, *, jobs):
    """Yield what a call gives for each task, a tuple of arguments, in any order.

    When the next one is asked for, it says how many are dealt with.
    """
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    results = parallel(delayed(call)(*task) for task in tasks)
    for n_done, result in enumerate(results, start=1):
        yield result
        print(f"\r{n_done} of {len(tasks)}", end="", file=sys.stderr, flush=True)


def seconds(call, *arguments):
    """Return the time of one call."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def peak_mib(call, *arguments):
    """Return the memory of NumPy arrays that a call holds beside its arguments."""
    tracemalloc.start()
    call(*arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20

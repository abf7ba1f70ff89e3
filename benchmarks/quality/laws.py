"""The laws of the tests, with 10,000 random examples of each.

One process a law, so that a run that was stopped goes on where it was. A law that took
another number of examples than the profile asks for is no property of random data.
"""

import argparse
import functools
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import hypothesis
import numpy as np
import sklearn

import sklearn_w2s
from benchmarks.quality._table import fill
from benchmarks.tables._results import RESULTS

ROOT = Path(__file__).resolve().parents[2]
# Of the first file all tests are laws, of the others those of random data.
TESTS = (
    "tests/test_laws.py",
    "tests/test_evidence.py",
    "tests/test_labels.py",
    "tests/test_tables.py",
    "tests/dask/test_tables.py",
)
LAW = re.compile(r"^def test_(\w+)", re.MULTILINE)
RANDOM_LAW = re.compile(r"^@given\((?:.|\n(?!\n))*?^def test_(\w+)", re.MULTILINE)
COUNTS = re.compile(r"(\d+) passing(?: test cases| examples)?, (\d+) failing")


def laws():
    """Return the file of each law, by its name, in their order."""
    return {
        name.replace("_", " "): file
        for file in TESTS
        for name in (LAW if file == TESTS[0] else RANDOM_LAW).findall(
            (ROOT / file).read_text("utf-8")
        )
    }


def try_law(law, profile):
    """Run the test of a law, and return its row of the table."""
    test = f"{laws()[law]}::test_{law.replace(' ', '_')}"
    command = [sys.executable, "-m", "pytest", test, "-q"]
    command += ["--timeout", "0", "--hypothesis-show-statistics"]
    environment = os.environ | {"HYPOTHESIS_PROFILE": profile}
    start = time.perf_counter()
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if run.returncode:
        print(run.stdout, file=sys.stderr)
    counts = COUNTS.findall(run.stdout)
    return {
        "law": law,
        "n_examples": sum(int(n) for n, _ in counts) or 1,
        "n_failing": sum(int(n) for _, n in counts),
        "outcome": "failed" if run.returncode else "holds",
        "seconds": f"{seconds:.0f}",
        "profile": profile,
        "sklearn_w2s_version": sklearn_w2s.__version__,
        "hypothesis_version": hypothesis.__version__,
        "sklearn_version": sklearn.__version__,
        "numpy_version": np.__version__,
        "python_version": platform.python_version(),
    }


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="nightly", choices=["ci", "nightly"])
    parser.add_argument("--out", type=Path, default=RESULTS / "laws.csv")
    parser.add_argument("--jobs", type=int, default=-1)
    chosen = parser.parse_args(arguments)
    check = functools.partial(try_law, profile=chosen.profile)
    fill(chosen.out, "law", list(laws()), check, jobs=chosen.jobs)


if __name__ == "__main__":
    main()

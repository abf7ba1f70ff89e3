"""The laws of tests/test_laws.py, with 10,000 random examples of each.

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
TESTS = "tests/test_laws.py"
COUNTS = re.compile(r"(\d+) passing(?: test cases| examples)?, (\d+) failing")


def laws():
    """Return the names of all laws, in their order."""
    source = (ROOT / TESTS).read_text("utf-8")
    tests = re.findall(r"^def test_(\w+)", source, re.MULTILINE)
    return [name.replace("_", " ") for name in tests]


def try_law(law, profile):
    """Run the test of a law, and return its row of the table."""
    test = f"{TESTS}::test_{law.replace(' ', '_')}"
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
    fill(chosen.out, "law", laws(), check, jobs=chosen.jobs)


if __name__ == "__main__":
    main()

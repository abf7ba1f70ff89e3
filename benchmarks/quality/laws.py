"""The laws of tests/test_laws.py, with 10,000 random examples of each.

One process a law, so that a run that was stopped goes on where it was. A law that took
another number of examples than the profile asks for is no property of random data.
"""

import argparse
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
from benchmarks.tables._results import RESULTS, as_they_end, read, write

ROOT = Path(__file__).resolve().parents[2]
TESTS = "tests/test_laws.py"
COUNTS = re.compile(r"(\d+) passing(?: test cases| examples)?, (\d+) failing")


def laws():
    """Return the names of all laws, in their order."""
    source = (ROOT / TESTS).read_text("utf-8")
    return re.findall(r"^def test_(\w+)", source, re.MULTILINE)


def try_law(law, profile):
    """Run the test of a law, and return its row of the table."""
    command = [sys.executable, "-m", "pytest", f"{TESTS}::test_{law}", "-q"]
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
        "law": law.replace("_", " "),
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
    names = laws()
    rows = [row for row in read(chosen.out) if row["outcome"] == "holds"]
    done = {row["law"].replace(" ", "_") for row in rows}
    tasks = [(name, chosen.profile) for name in names if name not in done]
    for row in as_they_end(try_law, tasks, jobs=chosen.jobs):
        rows.append(row)
        rows.sort(key=lambda row: names.index(row["law"].replace(" ", "_")))
        write(chosen.out, rows)
    failed = [row["law"] for row in rows if row["outcome"] == "failed"]
    if failed:
        sys.exit(f"These laws do not hold: {'; '.join(failed)}.")


if __name__ == "__main__":
    main()

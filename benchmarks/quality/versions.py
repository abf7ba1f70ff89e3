"""The tests with every supported release of scikit-learn on every supported Python.

Each cell is a session of nox, and the table goes on where it was stopped.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.quality._table import fill
from benchmarks.tables._results import RESULTS

ROOT = Path(__file__).resolve().parents[2]
RESULT = RESULTS / "versions.csv"
# The sessions that run all tests, by what they install.
SESSIONS = re.compile(r"^\*? ?-? ?((?:versions-|tests\(|no_extras)\S*)", re.MULTILINE)
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


def sessions():
    """Return the names of the sessions."""
    return SESSIONS.findall(_nox("--list").stdout)


def run(session):
    """Run a session, and return its row of the table."""
    start = time.perf_counter()
    done = _nox("--session", session)
    summaries = [line for line in done.stdout.splitlines() if " passed" in line]
    last = summaries[-1] if summaries else ""
    counts = {kind.rstrip("s"): int(n) for n, kind in COUNTS.findall(last)}
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return {
        "session": session,
        "outcome": "failed" if done.returncode else "green",
        "passed": counts.get("passed", 0),
        "failed": counts.get("failed", 0) + counts.get("error", 0),
        "skipped": counts.get("skipped", 0),
        "minutes": f"{(time.perf_counter() - start) / 60:.1f}",
    }


def _nox(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "nox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args(arguments)
    # Every session runs tests in as many processes as there are cores.
    fill(chosen.out, "session", sessions(), run, jobs=1)


if __name__ == "__main__":
    main()

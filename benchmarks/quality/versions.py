"""The tests with every supported release of scikit-learn on every supported Python.

Each cell is a session of nox, and the table goes on where it was stopped.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.tables._results import RESULTS, read, write

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
        print(done.stdout[-20_000:], file=sys.stderr)
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
    names = sessions()
    rows = [row for row in read(chosen.out) if row["outcome"] == "green"]
    done = {row["session"] for row in rows}
    for name in names:
        if name not in done:
            rows.append(run(name))
            rows.sort(key=lambda row: names.index(row["session"]))
            write(chosen.out, rows)
    failed = [row["session"] for row in rows if row["outcome"] == "failed"]
    if failed:
        sys.exit(f"These sessions failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()

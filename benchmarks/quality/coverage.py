"""Lines and branches that the tests take, by package.

Reads what ``nox -s coverage`` has measured. What runs in processes that tests start is
not counted.
"""

import json
import platform
from pathlib import Path

import sklearn

import sklearn_w2s
from benchmarks.tables._results import RESULTS, write

ROOT = Path(__file__).resolve().parents[2]
COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def by_package(files):
    """Return a row for each package, and one for all.

    Parameters
    ----------
    files : dict
        The files of a report of coverage in JSON.
    """
    packages = {}
    for path, file in files.items():
        _, *inner = Path(path).parts
        # Files at the top are of no package.
        name = inner[0] if len(inner) > 1 else "(top)"
        packages.setdefault(name, []).append(file["summary"])
    packages["all"] = [summary for each in packages.values() for summary in each]
    return [_row(name, packages[name]) for name in sorted(packages)]


def _row(name, summaries):
    counts = {key: sum(summary[key] for summary in summaries) for key in COUNTS}
    n_lines, lines, n_branches, branches = counts.values()
    return {
        "package": name,
        "lines": n_lines,
        "lines_taken": f"{lines / max(n_lines, 1):.4f}",
        "branches": n_branches,
        "branches_taken": f"{branches / n_branches:.4f}" if n_branches else "",
        "both_taken": f"{(lines + branches) / max(n_lines + n_branches, 1):.4f}",
        "sklearn_w2s_version": sklearn_w2s.__version__,
        "sklearn_version": sklearn.__version__,
        "python_version": platform.python_version(),
    }


def main():
    """Write the table."""
    measured = json.loads((ROOT / "coverage.json").read_text("utf-8"))
    write(RESULTS / "coverage.csv", by_package(measured["files"]))


if __name__ == "__main__":
    main()

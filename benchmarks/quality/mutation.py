"""Changes of the algorithms that the tests notice, by module, and those that they miss.

Reads what ``nox -s mutation`` has found: mutmut changes one operator, number, name or
argument at a time. A change that never ends is noticed.
"""

import platform
import re
import subprocess
from collections import Counter
from pathlib import Path

from benchmarks.tables._results import RESULTS, write

ROOT = Path(__file__).resolve().parents[2]
NOTICED = {"killed", "timeout", "caught by type check", "segfault"}
FOUND = re.compile(r"^\s*(\S+\._algorithms\.(\w+)\.\S+): (.+)$", re.MULTILINE)


def found(output):
    """Return name, module and fate of every mutant that mutmut lists."""
    return FOUND.findall(output)


def by_module(mutants):
    """Return a row for each module, and one for all."""
    n_made = Counter(module for _, module, _ in mutants)
    n_noticed = Counter(module for _, module, fate in mutants if fate in NOTICED)
    rows = [_row(module, n_made[module], n_noticed[module]) for module in n_made]
    return [*rows, _row("all", n_made.total(), n_noticed.total())]


def _row(module, n_made, n_noticed):
    return {
        "module": module,
        "n_changes": n_made,
        "n_noticed": n_noticed,
        "noticed": f"{n_noticed / n_made:.3f}",
    }


def missed(mutants):
    """Return a row for each change that no test notices, with what it changes."""
    rows = []
    for name, module, fate in mutants:
        if fate not in NOTICED:
            lines = _mutmut("show", name).splitlines()
            old, new = (
                " ".join(line[1:].strip() for line in lines if _is_of(line, sign))
                for sign in "-+"
            )
            function, _, number = name.rpartition(".x_")[2].rpartition("__mutmut_")
            rows.append(
                {
                    "module": module,
                    "function": function,
                    "number": number,
                    "line": old,
                    "changed": new,
                }
            )
    return rows


def _is_of(line, sign):
    return line.startswith(sign) and not line.startswith(3 * sign)


def _mutmut(*arguments):
    run = subprocess.run(
        ["mutmut", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout


def main():
    """Write the tables."""
    mutants = found(_mutmut("results", "--all", "true"))
    about = {"python_version": platform.python_version()}
    write(RESULTS / "mutation.csv", [row | about for row in by_module(mutants)])
    write(RESULTS / "mutation_missed.csv", missed(mutants))


if __name__ == "__main__":
    main()

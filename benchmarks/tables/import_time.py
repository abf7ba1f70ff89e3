"""Time `import sklearn_w2s` against the parts of scikit-learn that it builds on."""

import os
import platform
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory

import sklearn

import sklearn_w2s
from benchmarks.tables._results import RESULTS, write

REPETITIONS = 41
STATEMENTS = {
    "scikit-learn": "import sklearn.ensemble, sklearn.linear_model",
    "sklearn_w2s": "import sklearn_w2s",
}
TIMER = (
    "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
)
RESULT = RESULTS / "import_time.csv"


def seconds(statement, bytecode):
    """Return the time that a statement takes in a fresh interpreter.

    Bytecode is kept in a folder of its own: what is installed has it, a checkout need
    not.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", TIMER.format(statement)]
    run = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    )
    return float(run.stdout)


def measure():
    """Return seconds of each statement, in pairs of alternating order.

    So both meet the same load. The first pair fills the file caches and is left out.
    """
    times = {name: [] for name in STATEMENTS}
    with TemporaryDirectory() as bytecode:
        for repetition in range(REPETITIONS + 1):
            names = list(STATEMENTS)[:: 1 if repetition % 2 else -1]
            for name in names:
                times[name].append(seconds(STATEMENTS[name], bytecode))
    return {name: values[1:] for name, values in times.items()}


def main():
    """Write the table."""
    times = measure()
    pairs = zip(times["sklearn_w2s"], times["scikit-learn"], strict=True)
    ratios = {"scikit-learn": 1.0, "sklearn_w2s": median(a / b for a, b in pairs)}
    versions = {
        "sklearn_w2s_version": sklearn_w2s.__version__,
        "sklearn_version": sklearn.__version__,
        "python_version": platform.python_version(),
    }
    rows = [
        {
            "statement": statement,
            "median_seconds": f"{median(times[name]):.4f}",
            "fastest_seconds": f"{min(times[name]):.4f}",
            "median_ratio": f"{ratios[name]:.3f}",
            "n_repetitions": REPETITIONS,
            **versions,
        }
        for name, statement in STATEMENTS.items()
    ]
    write(RESULT, rows)
    for row in rows:
        print(f"{row['median_ratio']}  {row['median_seconds']} s  {row['statement']}")


if __name__ == "__main__":
    main()

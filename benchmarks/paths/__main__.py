"""Walk three ways of users, each in a fresh clone and fresh environments.

The first minutes are the commands of the README and the page that gets started; a
deployment fits, saves, loads elsewhere and serves, as the page about it says; and the
findings of the paper are reproduced at reduced size. What fails is in the table, and is
the exit status. Needs git, and an index that pip reads; ``--only`` walks one way.
"""

import argparse
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from textwrap import dedent

from benchmarks.tables._results import RESULTS, read, write

ROOT = Path(__file__).resolve().parents[2]
RESULT = RESULTS / "user_paths.csv"
SCRIPTS = "benchmarks/paths"
DOCTEST = "-m doctest -o NORMALIZE_WHITESPACE -o ELLIPSIS"


def first_minutes(clone):
    """Yield the commands of the README, and those of the page that gets started."""
    readme = (clone / "README.md").read_text("utf-8")
    (command,) = re.findall(r"<!-- main command -->\n```sh\n(.+)\n```", readme)
    for part in command.split("&&"):
        yield part.strip()
    yield f".venv/bin/python {DOCTEST} README.md"
    (page,) = (clone / "docs").glob("**/getting_started.*")
    block = r"^\.\. code-block:: sh\n\n((?: {3}.*\n)+)"
    (install,) = re.findall(block, page.read_text("utf-8"), re.MULTILINE)
    yield "rm -r .venv"
    yield from dedent(install).splitlines()
    how = "" if page.suffix == ".py" else f"{DOCTEST} "
    yield f".venv/bin/python {how}{page.relative_to(clone)}"


def deploy(_):
    """Yield what fits, loads, serves and registers a model, each where others are."""
    yield from _install("fit", '".[onnx]"', "skops", "onnxruntime", "pandas")
    yield f"fit/bin/python {SCRIPTS}/fit_and_save.py"
    yield from _install("elsewhere", ".", "skops", "pandas")
    yield f"elsewhere/bin/python {SCRIPTS}/load.py"
    yield from _install("service", "onnxruntime", "numpy", "fastapi", "httpx")
    yield f"service/bin/python {SCRIPTS}/serve.py"
    yield from _install("registry", ".", "mlflow", "skops")
    yield f"registry/bin/python {SCRIPTS}/register.py"


def reproduce(_):
    """Yield what runs the tables of the paper at reduced size."""
    yield from _install(".venv", '".[test]"')
    yield ".venv/bin/python -m benchmarks.reproduce --quick"


PATHS = {
    "first minutes": first_minutes,
    "deploy a model": deploy,
    "reproduce the paper": reproduce,
}


def _install(environment, *packages):
    yield f"python3 -m venv {environment}"
    yield f"{environment}/bin/pip install {' '.join(packages)}"


def walk(name, folder):
    """Yield a row for each step of a way, up to one that fails."""
    clone = folder / name.replace(" ", "_")
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    for command in PATHS[name](clone):
        print(f"{name}: {command}", flush=True)
        words = shlex.split(command)
        words[:1] = [sys.executable] if words[0] == "python3" else words[:1]
        start = time.perf_counter()
        run = subprocess.run(
            words, cwd=clone, capture_output=True, text=True, check=False
        )
        print(run.stdout + run.stderr, flush=True)
        said = run.stdout.strip().splitlines() if SCRIPTS in command else []
        yield {
            "path": name,
            "command": command,
            "seconds": f"{time.perf_counter() - start:.0f}",
            "outcome": f"exit status {run.returncode}" if run.returncode else "ok",
            "said": said[-1] if said else "",
            "python_version": platform.python_version(),
        }
        if run.returncode:
            return


def main(arguments=None):
    """Write the table; ways that are not walked keep their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PATHS, help="one of the ways")
    only = parser.parse_args(arguments).only
    new: dict = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in [only] if only else PATHS:
            new[name] = list(walk(name, Path(folder)))
    old = {name: [r for r in read(RESULT) if r["path"] == name] for name in PATHS}
    table = [row for name in PATHS for row in (old | new)[name]]
    write(RESULT, table)
    return int(any(row["outcome"] != "ok" for row in table))


if __name__ == "__main__":
    sys.exit(main())

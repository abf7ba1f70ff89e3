"""Functions and files of the package that five calls enter, and how deep they go.

A tree of the package is a folder that holds it; each call runs in a process of its own,
with the tree first in its search path.
"""

import argparse
import ast
import contextlib
import inspect
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "paths.csv"
# The tree of which the second plan of the house counts the paths.
BEFORE = "09c8803"
# Frames that are part of the function around them.
PARTS = {"<lambda>", "<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"}


class Counter:
    """Counts the functions of a package that are called, with their files and depth."""

    def __init__(self, package):
        self.package = f"{package}{os.sep}"
        self.functions = set()
        self.stack_depth = 0
        self.depth = 0

    def __enter__(self):
        sys.setprofile(self._see)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    @property
    def files(self):
        """Names of the files."""
        return {code.co_filename for code in self.functions}

    def _see(self, frame, event, argument):
        code = frame.f_code
        if (
            event not in {"call", "return"}
            or not code.co_filename.startswith(self.package)
            # A module or the body of a class that is imported on the way.
            or not code.co_flags & inspect.CO_OPTIMIZED
            or code.co_name in PARTS
        ):
            return
        if event == "return":
            self.stack_depth -= 1
            return
        self.functions.add(code)
        self.stack_depth += 1
        self.depth = max(self.depth, self.stack_depth)


def _problem():
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    from sklearn_w2s.datasets import make_overlap_classification

    X, y, _ = make_overlap_classification(600, random_state=0)
    y[np.arange(len(y)) >= 100] = -1
    return X, y, LogisticRegression(), DecisionTreeClassifier(max_depth=5)


def _fit_classifier(**parameters):
    from sklearn_w2s import WeakToStrongClassifier

    X, y, weak, strong = _problem()
    model = WeakToStrongClassifier(strong, weak, random_state=0, **parameters)
    return lambda: model.fit(X, y)


def classifier_auto():
    """Fit a classifier with its default strategy."""
    return _fit_classifier()


def classifier_all():
    """Fit a classifier on all weak labels."""
    return _fit_classifier(strategy="all")


def detector():
    """Fit a detector."""
    from sklearn_w2s import OverlapDetector

    X, y, weak, _ = _problem()
    return lambda: OverlapDetector(weak, random_state=0).fit(X, y)


def selector():
    """Draw from three sources of 150 rows."""
    from sklearn_w2s import OverlapDetector, UCBSourceSelector

    X, y, weak, _ = _problem()
    sources = {
        name: iter(X[start : start + 150].reshape(5, 30, -1))
        for name, start in [("first", 150), ("second", 300), ("third", 450)]
    }
    model = UCBSourceSelector(
        overlap_detector=OverlapDetector(weak),
        n_rounds=9,
        random_state=0,
    )
    return lambda: model.fit_sources(sources, X[:100], y[:100])


def command_line():
    """Run the command line on the digits."""
    from sklearn_w2s.report import main

    return lambda: main([])


PATHS = {
    path.__name__: path
    for path in (classifier_auto, classifier_all, detector, selector, command_line)
}


def entered(name):
    """Return the counter of a call of the package that this process imports."""
    import sklearn_w2s

    call = PATHS[name]()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(action="ignore"),
        Counter(Path(sklearn_w2s.__file__).parent) as counter,
    ):
        call()
    return counter


def lines_of(tree):
    """Return files, lines, and lines of docstrings of a tree."""
    paths = sorted((tree / "sklearn_w2s").rglob("*.py"))
    texts = [path.read_text("utf-8") for path in paths]
    return {
        "files": len(paths),
        "lines": sum(len(text.splitlines()) for text in texts),
        "docstring_lines": sum(_docstring_lines(text) for text in texts),
    }


def _docstring_lines(text):
    nodes = ast.walk(ast.parse(text))
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return sum(
        node.body[0].end_lineno - node.body[0].lineno + 1
        for node in nodes
        if isinstance(node, owners) and ast.get_docstring(node, clean=False) is not None
    )


def as_counts(counter):
    """Return the counts of a counter by name."""
    return {
        "functions": len(counter.functions),
        "files": len(counter.files),
        "depth": counter.depth,
    }


def as_list(counter):
    """Return a line for each function that was entered."""
    return sorted(
        f"{code.co_filename.removeprefix(counter.package)}:{code.co_firstlineno} "
        f"{code.co_qualname}"
        for code in counter.functions
    )


def measure(tree):
    """Return the counts of a tree by name, as a mapping."""
    counts = {}
    for name in PATHS:
        run = subprocess.run(
            [sys.executable, __file__, "--path", name],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=True,
        )
        counts |= {(name, what): n for what, n in json.loads(run.stdout).items()}
    return counts | {("tree", what): n for what, n in lines_of(tree).items()}


def measure_commit(commit):
    """Return the counts of a commit, as `measure` does."""
    archive = ["git", "archive", "--format=tar", commit, "sklearn_w2s"]
    packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
        return measure(Path(folder))


def write_table():
    """Write the table; what it has of the former commit is kept."""
    from benchmarks.tables._results import read, write

    kept = {(row["path"], row["count"]): int(row["before"]) for row in read(RESULT)}
    before = kept or measure_commit(BEFORE)
    after = measure(ROOT)
    rows = [
        {
            "path": name,
            "count": what,
            "before": before[name, what],
            "after": after[name, what],
            "ratio": f"{after[name, what] / before[name, what]:.2f}",
        }
        for name, what in after
    ]
    write(RESULT, rows)


def main(arguments=None):
    """Write the table, or say what one call enters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", choices=PATHS, help="count this one, write nothing")
    parser.add_argument("--list", action="store_true", help="list its functions")
    chosen = parser.parse_args(arguments)
    if chosen.path is None:
        write_table()
        return
    counter = entered(chosen.path)
    if chosen.list:
        print("\n".join(as_list(counter)))
    else:
        print(json.dumps(as_counts(counter)))


if __name__ == "__main__":
    main()

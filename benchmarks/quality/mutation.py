"""Changes of the code that the tests notice, by module, and those that they miss.

Of the algorithms it reads what ``nox -s mutation`` has found: mutmut changes one
operator, number, name or argument at a time. A change that never ends is noticed.

With ``--sample`` it changes so many operators, numbers, names, conditions and arguments
of the estimators, drawn by a fixed seed from a commit, and runs the tests of the three
packages that reach the changed line, first those of the changed file.
"""

import argparse
import ast
import io
import os
import platform
import random
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData

from benchmarks.quality._table import fill
from benchmarks.tables._results import RESULTS, read, write

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


PACKAGES = ("overlap", "sources", "weak_to_strong")
SEED = 0
# A run of tests that takes longer does not end.
MOST_SECONDS = 1800
NEEDED = ("sklearn_w2s", "tests", "pyproject.toml", "README.md")
NO_TESTS = 5
SWAPPED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Add,
    ast.Invert: ast.UAdd, ast.USub: ast.UAdd,
}  # fmt: skip


class Mutant(NamedTuple):
    """A change of an expression in a file: where it is, and both its texts."""

    file: str
    line: int
    column: int
    old: str
    new: str

    @property
    def name(self):
        """Name in the table."""
        return f"{self.file}:{self.line}:{self.column} {self.new}"

    def apply(self, tree):
        """Change the file in a folder."""
        path = tree / self.file
        lines = path.read_bytes().split(b"\n")
        before, text = lines[: self.line - 1], b"\n".join(lines[self.line - 1 :])
        start, end = self.column, self.column + len(self.old.encode())
        text = text[:start] + self.new.encode() + text[end:]
        path.write_bytes(b"\n".join([*before, text]))


def unpack(commit, folder, *paths):
    """Write files of a commit into a folder."""
    archive = ["git", "archive", "--format=tar", commit, *paths]
    packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")


def mutants_of(tree, file):
    """Return all changes of the expressions in the functions of a file."""
    text = (tree / file).read_text("utf-8")
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    ]
    # By place: a function within another is found twice.
    found = {}
    for function in functions:
        for statement in function.body:
            for node in _expressions(statement):
                old = ast.get_source_segment(text, node)
                for new in _changes(node):
                    mutant = Mutant(file, node.lineno, node.col_offset, old, new)
                    found[mutant.name] = mutant
    return list(found.values())


def _expressions(node):
    """Yield the expressions of a statement, but for texts that are read by people."""
    if isinstance(node, ast.JoinedStr | ast.FunctionDef | ast.ClassDef):
        return
    if isinstance(node, ast.expr):
        yield node
    for name, part in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        for child in part if isinstance(part, list) else [part]:
            if isinstance(child, ast.AST):
                yield from _expressions(child)


def _changes(node):
    """Yield texts of changed expressions, in brackets."""
    match node:
        case ast.Constant():
            yield from _other_constants(node.value)
        case ast.Call():
            yield from _fewer_arguments(node)
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            yield _with(node, ops=[SWAPPED[type(op)]()])
        case ast.UnaryOp(op=ast.Not()):
            yield f"({ast.unparse(node.operand)})"
        case ast.BinOp() | ast.BoolOp() | ast.UnaryOp() if type(node.op) in SWAPPED:
            yield _with(node, op=SWAPPED[type(node.op)]())
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)


def _other_constants(value):
    if isinstance(value, bool):
        yield repr(not value)
    elif isinstance(value, int | float):
        yield repr(value + 1)
    elif isinstance(value, str) and value.isidentifier():
        yield repr(f"{value}_")


def _fewer_arguments(call):
    for k, argument in enumerate(call.args):
        if not isinstance(argument, ast.Starred | ast.Constant):
            none = ast.Constant(None)
            yield _with(call, args=[*call.args[:k], none, *call.args[k + 1 :]])
    for k in range(len(call.keywords)):
        yield _with(call, keywords=call.keywords[:k] + call.keywords[k + 1 :])


def _with(node, **fields):
    """Return the text of a node with other fields."""
    kept = {name: part for name, part in ast.iter_fields(node) if name not in fields}
    changed = ast.fix_missing_locations(type(node)(**kept, **fields))
    return f"({ast.unparse(changed)})"


def draw_mutants(tree, n_mutants):
    """Return mutants of the estimators of a tree, in the order drawn."""
    files = [
        str(path.relative_to(tree))
        for package in PACKAGES
        for path in sorted((tree / "sklearn_w2s" / package).glob("*.py"))
    ]
    every = [mutant for file in files for mutant in mutants_of(tree, file)]
    random.Random(SEED).shuffle(every)
    return every[:n_mutants]


def lines_of(tree, commit):
    """Return the lines that each test reaches, and their number, found once."""
    path = tree / ".coverage"
    if not path.exists():
        unpack(commit, tree, *NEEDED)
        reached = ["--cov=sklearn_w2s", "--cov-context=test", "--cov-report="]
        folders = [f"tests/{package}" for package in PACKAGES]
        if run_tests(tree, [*reached, *folders]) != 0:
            path.unlink(missing_ok=True)
            sys.exit(f"The tests of {commit} do not pass as they are.")
    reached = CoverageData(str(path))
    reached.read()
    with sqlite3.connect(path) as data:
        count = "SELECT context, count(*) FROM arc JOIN context ON context_id = id"
        sizes = dict(data.execute(f"{count} WHERE context LIKE '%|run' GROUP BY id"))
    return reached, {test.removesuffix("|run"): n for test, n in sizes.items()}


def tests_of(reached, sizes, tree, mutant):
    """Return the tests that reach a change, first those that mirror its file.

    In a file the first ones are those that reach the fewest lines, which end soon. What
    a fixture reaches may be shared by all tests of its file.
    """
    contexts = reached.contexts_by_lineno(str(tree / mutant.file))
    lines = range(mutant.line, mutant.line + mutant.old.count("\n") + 1)
    found = set().union(*(contexts.get(line, ()) for line in lines))
    for line in range(mutant.line - 1, 0, -1):
        # A statement of many lines may be known by its first one.
        found = found or set(contexts.get(line, ()))
    phases = [context.rpartition("|") for context in found]
    shared = {test.split("::")[0] for test, _, phase in phases if phase == "setup"}
    tests = {test for test, _, phase in phases if phase == "run"}
    tests |= {test for test in sizes if test.split("::")[0] in shared}
    package, name = Path(mutant.file).parts[1:]
    if "" in found or not tests:
        # While the package is imported, or in another process.
        tests |= {test for test in sizes if test.startswith(f"tests/{package}/")}
    mirror = f"tests/{package}/test{name.removesuffix('.py')}"
    stages = [[], [], []]
    for test in sorted(tests, key=lambda test: (test.split("::")[0], sizes[test])):
        is_of_package = test.startswith(f"tests/{package}/")
        stages[0 if test.startswith(mirror) else 1 if is_of_package else 2].append(test)
    return [stage for stage in stages if stage]


def run_tests(tree, arguments, **variables):
    """Run pytest in a folder, and return its exit status, or none if it takes long."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            [*command, *arguments],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"} | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None
    return run.returncode


def pass_tests(tree, tests):
    """Say whether tests pass in a folder, in time."""
    chosen = tree / "chosen_tests.txt"
    chosen.write_text("\n".join(tests), encoding="utf-8")
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    options = ["-p", "benchmarks.quality._chosen", *files]
    status = run_tests(tree, options, CHOSEN_TESTS=str(chosen))
    if status == NO_TESTS:
        sys.exit(f"Not one of {sorted(tests)} is found.")
    return status == 0


def try_mutant(commit, mutants, stages, name):
    """Return the row of a mutant."""
    mutant = mutants[name]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        unpack(commit, tree, *NEEDED)
        mutant.apply(tree)
        missed = all(pass_tests(tree, tests) for tests in stages[name])
    return {
        "mutant": name,
        "package": Path(mutant.file).parts[1],
        "outcome": "missed" if missed else "noticed",
        "old": " ".join(mutant.old.split()),
        "new": mutant.new,
    }


def sample(commit, n_mutants, *, jobs):
    """Write the table of drawn mutants of a commit, and go on where it was stopped."""
    tree = ROOT / ".mutants" / commit
    tree.mkdir(parents=True, exist_ok=True)
    reached, sizes = lines_of(tree, commit)
    mutants = {mutant.name: mutant for mutant in draw_mutants(tree, n_mutants)}
    stages = {name: tests_of(reached, sizes, tree, mutants[name]) for name in mutants}
    check = partial(try_mutant, commit, mutants, stages)
    path = RESULTS / f"mutation_sampled_{commit}.csv"
    fill(path, "mutant", list(mutants), check, jobs=jobs)


def summarise():
    """Write how many of the drawn mutants were noticed, by commit and package."""
    rows = []
    for path in sorted(RESULTS.glob("mutation_sampled_*.csv")):
        outcomes = [(row["package"], row["outcome"]) for row in read(path)]
        outcomes += [("all", outcome) for _, outcome in outcomes]
        n_made = Counter(package for package, _ in outcomes)
        n_noticed = Counter(package for package, kind in outcomes if kind == "noticed")
        commit = path.stem.rpartition("_")[2]
        for package in (*PACKAGES, "all"):
            row = _row(package, n_made[package], n_noticed[package])
            rows.append({"commit": commit} | row)
    write(RESULTS / "mutation_sampled.csv", rows)


def read_mutmut():
    """Write the tables of the algorithms."""
    mutants = found(_mutmut("results", "--all", "true"))
    about = {"python_version": platform.python_version()}
    write(RESULTS / "mutation.csv", [row | about for row in by_module(mutants)])
    write(RESULTS / "mutation_missed.csv", missed(mutants))


def main(arguments=None):
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="mutants of the estimators")
    parser.add_argument("--commit", help="of which they are; by default the last one")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    chosen = parser.parse_args(arguments)
    if chosen.sample is None:
        read_mutmut()
        return
    name = ["git", "rev-parse", "--short=7", chosen.commit or "HEAD"]
    commit = subprocess.check_output(name, cwd=ROOT, text=True).strip()
    sample(commit, chosen.sample, jobs=chosen.jobs)
    summarise()


if __name__ == "__main__":
    main()

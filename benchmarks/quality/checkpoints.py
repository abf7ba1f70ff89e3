"""Runs that are killed, and checkpoints that are damaged, at random.

A run of source selection is killed by the system at a random moment, some times over,
goes on in a new process until it is done, and is compared with the run that nobody
stopped. Or a file of a finished checkpoint is damaged, and the run goes on: it comes to
the same, or one ValueError names the file. Seeds that a table has are not tried again.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from scipy import sparse

from benchmarks.tables._results import RESULTS, read, write
from sklearn_w2s import UCBSourceSelector
from tests.known_regions import KnownRegions

KILLS, DAMAGE = RESULTS / "killed_runs.csv", RESULTS / "damaged_checkpoints.csv"
POLICIES = ["kl_ucb", "kl_lucb", "ucb1", "ucb_tuned", "thompson", "greedy", "random"]
KINDS = ["arrays", "pandas", "polars", "sparse", "callables", "lists"]
DENSITIES = {"poor": 0.1, "rich": 0.6, "middling": 0.3}
N_ROWS, BATCH, N_ROUNDS = 150, 7, 24
MOST_KILLS = 5


def sources_of(kind):
    """Return sources of rows that are all distinct."""
    rng = np.random.default_rng(0)
    tables = {
        name: np.column_stack(
            [rng.random(N_ROWS) < density, rng.normal(size=(N_ROWS, 2))]
        )
        for name, density in DENSITIES.items()
    }
    make = {
        "arrays": lambda X: X,
        "pandas": lambda X: pd.DataFrame(X, columns=["a", "b", "c"]),
        "polars": lambda X: pl.DataFrame(X, schema=["a", "b", "c"]),
        "sparse": sparse.csr_array,
        "callables": Offset,
        "lists": lambda X: [X[i : i + 5] for i in range(0, len(X), 5)],
    }[kind]
    return {name: make(X) for name, X in tables.items()}


class Offset:
    """A source that is asked for rows by number and place, as a database is."""

    def __init__(self, X):
        self.X = X

    def __call__(self, n, offset):
        """Return n rows from a place on, None behind the last."""
        return self.X[offset : offset + n] if offset < len(self.X) else None


def run(kind, policy, seed, folder, moment=0.0):
    """Select sources, and return what came of it; the system may end the process."""
    selector = UCBSourceSelector(
        overlap_detector=KnownRegions(),
        policy=policy,
        batch_size=BATCH,
        n_rounds=N_ROUNDS,
        checkpoint=folder,
        random_state=seed,
    )
    # Of the time of the process, which the load of the machine does not change.
    signal.setitimer(signal.ITIMER_PROF, moment)
    start = time.process_time()
    selector.fit_sources(sources_of(kind))
    signal.setitimer(signal.ITIMER_PROF, 0)
    return [str(time.process_time() - start), *outcome_of(selector)]


def outcome_of(selector):
    """Return all that a selector says of its draws, as texts that can be compared."""
    X, _, source = selector.drawn_samples()
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    parts = [*selector.history_.values(), selector.index_history_, X, source]
    parts += [selector.n_pulls_, selector.n_samples_drawn_, selector.ranking_]
    return [np.asarray(part).tolist().__repr__() for part in parts]


def in_child(function, *arguments):
    """Run a function in a process of its own.

    Returns
    -------
    killed, status : int
        The signal that ended it, and its exit status: 2 after a ValueError.
    seconds : float
        What it says first.
    said : str
        What else it returns, or the error.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        status = 1
        try:
            said = "\x00".join(function(*arguments))
            with os.fdopen(writer, "w") as stream:
                stream.write(said)
            status = 0
        except ValueError as error:
            with os.fdopen(writer, "w") as stream:
                stream.write(f"0\x00{error}")
            status = 2
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    seconds, _, said = said.partition("\x00")
    return os.WTERMSIG(status), os.WEXITSTATUS(status), float(seconds or 0), said


def kill(seed):
    """Kill a run until it is done, and return its row of the table."""
    rng = np.random.default_rng(seed)
    kind, policy = str(rng.choice(KINDS)), str(rng.choice(POLICIES))
    _, _, seconds, whole = in_child(run, kind, policy, seed, None)
    n_kills = 0
    with tempfile.TemporaryDirectory() as folder:
        for moment in [*rng.uniform(0.1, 1.0, size=MOST_KILLS) * seconds, 0.0]:
            # At rest there is no timer.
            moment = float(max(moment, 1e-3)) if moment else 0.0
            killed, status, _, said = in_child(run, kind, policy, seed, folder, moment)
            n_kills += bool(killed)
            if not killed:
                break
    outcome = "same"
    if status:
        outcome = f"failed: {said[:120]}"
    elif said != whole or not whole:
        outcome = "other rows or history"
    return _row(seed, kind, policy) | {"n_kills": n_kills, "outcome": outcome}


def damage(seed):
    """Damage a file of a checkpoint, and return the row of what going on says."""
    rng = np.random.default_rng(seed)
    kind, policy = str(rng.choice(KINDS)), str(rng.choice(POLICIES))
    _, _, _, whole = in_child(run, kind, policy, seed, None)
    with tempfile.TemporaryDirectory() as folder:
        in_child(run, kind, policy, seed, folder)
        files = sorted(Path(folder).iterdir())
        path = files[rng.integers(len(files))]
        how = str(rng.choice(list(HARM)))
        HARM[how](path, rng)
        killed, status, _, said = in_child(run, kind, policy, seed, folder)
    if killed or status == 1:
        outcome = "raw traceback"
    elif status == 2:
        outcome = "named" if path.name in said or "heckpoint" in said else "unnamed"
    else:
        outcome = "same" if said == whole else "silently other"
    which = path.stem.partition("-")[0] if path != files[-1] else "last step"
    return _row(seed, kind, policy) | {"file": which, "damage": how, "outcome": outcome}


def _row(seed, kind, policy):
    return {"seed": str(seed), "sources": kind, "policy": policy}


def _flip(path, rng):
    content = bytearray(path.read_bytes())
    if content:
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def _cut(path, rng):
    content = path.read_bytes()
    path.write_bytes(content[: rng.integers(len(content) + 1)])


def _swap(path, _):
    other = min(p for p in path.parent.iterdir() if p != path)
    path.write_bytes(other.read_bytes())


def _remove(path, _):
    path.unlink()


def _make_folder(path, _):
    path.unlink()
    path.mkdir()


def _overwrite(path, rng):
    path.write_bytes(rng.bytes(200))


def _empty(path, _):
    path.write_bytes(b"")


HARM = {
    "one bit flipped": _flip,
    "cut short": _cut,
    "another file of the run": _swap,
    "missing": _remove,
    "a folder": _make_folder,
    "random bytes": _overwrite,
    "empty": _empty,
}


def fill(path, try_one, n, good):
    """Add rows to a table until it has so many, and exit if one is none of the good."""
    rows = read(path)
    done = {row["seed"] for row in rows}
    for seed in range(n):
        if str(seed) in done:
            continue
        rows.append(try_one(seed))
        if len(rows) % 20 == 0 or seed == n - 1:
            write(path, rows)
    bad = [row["seed"] for row in rows if row["outcome"] not in good]
    if bad:
        sys.exit(f"{path.name}: seeds {', '.join(bad)}.")


def main():
    """Kill runs and damage checkpoints, as many as are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=250, help="runs, killed repeatedly")
    parser.add_argument("--damages", type=int, default=200)
    options = parser.parse_args()
    fill(KILLS, kill, options.runs, {"same"})
    fill(DAMAGE, damage, options.damages, {"same", "named"})


if __name__ == "__main__":
    main()

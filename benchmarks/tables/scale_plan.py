"""A plan for a billion rows with Dask: arithmetic on what dask_scale has measured."""

import math

from benchmarks.tables._results import RESULTS, options, read, write
from benchmarks.tables.dask_scale import N_COLUMNS, PARTITION, WORKERS
from sklearn_w2s.dask._partitions import MERGED_AT_ONCE
from sklearn_w2s.dask._sample import MAX_LABELED

N_ROWS = 1_000_000_000
ITEM_BYTES = 4
# Assumed, not measured: the cluster, and what it reads from storage.
PLANNED_WORKERS = 32
MEGABYTES_PER_SECOND = 100
# What the documentation of Dask gives as the upper end of its overhead.
SECONDS_PER_TASK = 0.001
TASKS_PER_PARTITION = 3
PASSES = {
    "detector fit": 2,
    "detector predict": 1,
    "classifier fit": 2,
    "classifier predict": 1,
}
MILLION = 1e6


def plan(measured, stream):
    """Return the rows of the plan.

    Parameters
    ----------
    measured, stream : list of dict
        Rows of the tables ``dask_scale`` and ``scale``.
    """
    rows = [_row("assumed", "workers of one core", "", PLANNED_WORKERS, "workers")]
    rows += [_row("assumed", "reading by a worker", "", MEGABYTES_PER_SECOND, "MB/s")]
    n_bytes = N_ROWS * N_COLUMNS * ITEM_BYTES
    how = f"{N_ROWS:.0e} rows x {N_COLUMNS} columns x {ITEM_BYTES} bytes"
    rows += [_row("rows", "size", how, n_bytes / 1e9, "GB")]
    n_partitions = N_ROWS // PARTITION
    how = f"{N_ROWS:.0e} rows / {PARTITION} rows"
    rows += [_row("rows", "partitions", how, n_partitions, "partitions")]
    computing = _worker_seconds(measured)
    rows += [_row("computing", *row) for row in computing]
    total = sum(seconds for _, _, seconds, _ in computing)
    hours = f"sum of the above / {PLANNED_WORKERS} workers / 60"
    n_minutes = total / PLANNED_WORKERS / 60
    rows += [_row("computing", "together", hours, n_minutes, "minutes")]
    n_passes = sum(PASSES.values())
    n_read = n_passes * n_bytes
    speed = PLANNED_WORKERS * MEGABYTES_PER_SECOND
    how = f"{n_passes} passes x {n_bytes / 1e9:.0f} GB / {speed} MB/s / 60"
    rows += [_row("storage", "transfer", how, n_read / MILLION / speed / 60, "minutes")]
    how = f"{n_passes} passes x {n_partitions} partitions"
    rows += [_row("storage", "requests", how, n_passes * n_partitions, "requests")]
    n_tasks = n_passes * (TASKS_PER_PARTITION * n_partitions + _merges(n_partitions))
    how = (
        f"{n_passes} passes x ({TASKS_PER_PARTITION} x {n_partitions} + "
        f"{_merges(n_partitions)} merges)"
    )
    rows += [_row("scheduler", "tasks", how, n_tasks, "tasks")]
    how = f"{n_tasks} tasks x {SECONDS_PER_TASK} s / 60"
    n_minutes = n_tasks * SECONDS_PER_TASK / 60
    rows += [_row("scheduler", "its time", how, n_minutes, "minutes")]
    peaks = [float(row[f"peak_mib_worker_{i}"]) for row in measured for i in (0, 1)]
    rows += [_row("memory", "of a worker", "largest peak measured", max(peaks), "MiB")]
    how = f"{MAX_LABELED} labeled rows x {N_COLUMNS} columns x {ITEM_BYTES} bytes"
    size = MAX_LABELED * N_COLUMNS * ITEM_BYTES / MILLION
    rows += [_row("memory", "labeled rows at the client", how, size, "MB")]
    seconds = {row["step"]: float(row["seconds"]) for row in stream}
    how = (
        f"({seconds['partial_fit']} + {seconds['predict']} s measured at 1e7 rows) x "
        "100 / 3600"
    )
    n_hours = 100 * (seconds["partial_fit"] + seconds["predict"]) / 3600
    rows += [_row("one machine", "partial_fit and predict", how, n_hours, "hours")]
    return rows


def _worker_seconds(measured):
    """Return what every step takes, with how and in which unit."""
    steps = {(row["case"], row["step"]): row for row in measured}
    rows = []
    for step, n_passes in PASSES.items():
        row = steps["dask", step]
        how, seconds = _scaled(row)
        passes = "1 pass" if n_passes == 1 else f"{n_passes} passes"
        rows.append((f"{step}, {passes}", how, seconds, "worker-seconds"))
    how, seconds = _scaled(steps["subset, Parquet", "read"])
    n_passes = sum(PASSES.values())
    how = f"{n_passes} passes x {how}"
    return [*rows, ("decoding Parquet", how, n_passes * seconds, "worker-seconds")]


def _scaled(row):
    factor = N_ROWS / int(row["n_rows"])
    seconds = float(row["seconds"])
    how = f"{seconds} s x {WORKERS} workers x {factor:.0f}"
    return how, seconds * WORKERS * factor


def _merges(n_parts):
    """Return the tasks of a tree that merges parts."""
    n_tasks = 0
    while n_parts > 1:
        n_parts = math.ceil(n_parts / MERGED_AT_ONCE)
        n_tasks += n_parts
    return n_tasks


def _row(about, quantity, arithmetic, value, unit):
    return {
        "about": about,
        "quantity": quantity,
        "arithmetic": arithmetic,
        "value": f"{value:.3g}" if value < 1000 else f"{value:.0f}",
        "unit": unit,
    }


def main(arguments=None):
    """Write the table."""
    chosen = options(__doc__, arguments)
    tables = (read(RESULTS / f"{name}.csv") for name in ("dask_scale", "scale"))
    write(chosen.out / "scale_plan.csv", plan(*tables))


if __name__ == "__main__":
    main()

"""A table with a row for each check, that goes on where it was stopped."""

import sys

from benchmarks.tables._results import as_they_end, read, write


def fill(path, key, names, check, *, jobs):
    """Write the row of every name, and exit with the names of those that failed.

    Rows of the table that have not failed are kept.

    Parameters
    ----------
    path : Path
        The table.
    key : str
        The column of the names.
    names : list of str
        Names, in the order of the rows.
    check : callable
        Returns the row of a name; its "outcome" is "failed", or another word.
    jobs : int
        Number of processes.
    """
    rows = [row for row in read(path) if row[key] in names and not _failed(row)]
    kept = {row[key] for row in rows}
    tasks = [(name,) for name in names if name not in kept]
    for row in as_they_end(check, tasks, jobs=jobs):
        rows.append(row)
        rows.sort(key=lambda row: names.index(row[key]))
        write(path, rows)
    failed = [row[key] for row in rows if _failed(row)]
    if failed:
        sys.exit(f"Failed: {'; '.join(failed)}.")


def _failed(row):
    return row["outcome"] == "failed"

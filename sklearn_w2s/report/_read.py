"""A table from a file, or one sentence on why there is none."""

import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from sklearn_w2s.report._errors import InputError

CSV = (".csv", ".csv.gz")
PARQUET = ".parquet"
MAX_REASON = 200


def read_table(path):
    """Read a file into a data frame.

    Parameters
    ----------
    path : str
        A .csv, .csv.gz or .parquet file; CSV is comma-separated UTF-8 with a header.

    Returns
    -------
    pandas.DataFrame
        Rows numbered from 0, columns named by distinct strings.

    Raises
    ------
    InputError
        If pandas is missing, or if the file cannot be read as a table.
    """
    try:
        import pandas as pd
    except ImportError as error:
        msg = 'reading files needs pandas: pip install "sklearn-w2s[report]"'
        raise InputError(msg) from error
    _check_path(path)
    read = _read_parquet if path.lower().endswith(PARQUET) else _read_csv
    try:
        table, names = read(pd, path)
    except UnicodeDecodeError as error:
        msg = f"cannot read {path}: it is not UTF-8 text; save it as UTF-8."
        raise InputError(msg) from error
    except (OSError, EOFError, ValueError, zlib.error, ImportError) as error:
        reason = str(error)[:MAX_REASON] or type(error).__name__
        msg = f"cannot read {path}: {reason}"
        raise InputError(msg) from error
    repeated = [str(name) for name, count in Counter(names).items() if count > 1]
    if repeated:
        msg = f"{path} has several columns named {', '.join(repeated)}: rename them."
        raise InputError(msg)
    table.columns = names
    return table.reset_index(drop=True)


def _check_path(path):
    if not Path(path).exists():
        msg = f"there is no file {path}."
        raise InputError(msg)
    if Path(path).is_dir():
        msg = f"{path} is a directory: name a file in it."
        raise InputError(msg)
    if not path.lower().endswith((*CSV, PARQUET)):
        msg = f"{path} ends in neither .csv, .csv.gz nor .parquet."
        raise InputError(msg)


def _read_parquet(pd, path):
    table = pd.read_parquet(path)
    return table, table.columns.map(str).tolist()


def _read_csv(pd, path):
    # In one piece, so that a column has one type throughout.
    table = pd.read_csv(path, low_memory=False)
    if not np.array_equal(table.index, np.arange(len(table))):
        msg = f"{path} has rows with more cells than its header: name every column."
        raise InputError(msg)
    # The header once more, because pandas renames repeated columns.
    header = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
    return table, header.where(header.notna(), table.columns).tolist()

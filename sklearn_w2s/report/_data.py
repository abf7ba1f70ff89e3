"""Data for the report: an embedded set, or a file of the user."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._read import read_table

MIN_ROWS = 60
MIN_ROWS_PER_CLASS = 10
MAX_RARE_SHARE = 0.05
MAX_CLASSES = 100
MAX_LISTED = 10
UNLABELED = -1
NO_SOURCE = "(missing)"


@dataclass(frozen=True)
class Data:
    """Rows, class codes from 0 with -1 where the target is missing, and sources."""

    name: str
    X: Any
    y: Any
    source: Any = None
    notes: list = field(default_factory=list)

    @property
    def n_classes(self):
        """Number of classes."""
        return int(self.y.max()) + 1


def load_embedded():
    """Return scikit-learn's handwritten digits."""
    X, y = load_digits(return_X_y=True)
    return Data("digits (embedded in scikit-learn)", X, y)


def load_file(path, target, source, max_rows):
    """Read a table and split it into features, target and source.

    Parameters
    ----------
    path : str
        A .csv, .csv.gz or .parquet file.
    target : str
        Column to predict; rows where it is empty are unlabeled.
    source : str or None
        Column that says where a row comes from; it is not a feature.
    max_rows : int
        Larger files are sampled to this size.

    Returns
    -------
    Data
        With a note for everything that was left out or changed.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    table = read_table(path)
    _check_columns(table, path, target, source)
    notes: list = []
    table = _sample(table, target, max_rows, notes)
    table = _leave_out_rare_classes(table, target, notes)
    y = table[target].factorize(sort=True, use_na_sentinel=True)[0]
    n_unlabeled = int((y == UNLABELED).sum())
    if n_unlabeled:
        notes.append(f"{n_unlabeled} rows have no {target} and take part unlabeled")
    features = table.drop(columns=[target] if source is None else [target, source])
    return Data(
        name=Path(path).name,
        X=_usable_features(features, path, notes),
        y=y,
        source=None if source is None else _source_names(table[source]),
        notes=notes,
    )


def take(data, rows):
    """Return the features, codes and sources of the given rows."""
    source = None if data.source is None else data.source[rows]
    return safe_indexing(data.X, rows), data.y[rows], source


def _check_columns(table, path, target, source):
    for option, column in (("--target", target), ("--source", source)):
        if column is None:
            continue
        if column not in table.columns:
            msg = (
                f"{option} {column}: {path} has no such column. It has "
                f"{_listed(table.columns)}."
            )
            raise InputError(msg)
        if _is_nested(table[column]):
            msg = f"{option} {column}: its cells are lists or mappings, not values."
            raise InputError(msg)
    if source == target:
        msg = f"--source {source} is the target: name another column, or none."
        raise InputError(msg)


def _sample(table, target, max_rows, notes):
    """Draw rows from a large table, half of them labeled where so many are."""
    if len(table) <= max_rows:
        return table
    known = table[target].notna().to_numpy()
    n_known = min(known.sum(), max(round(max_rows * known.mean()), max_rows // 2))
    rng = np.random.default_rng(0)
    rows = [
        rng.choice(np.flatnonzero(known), n_known, replace=False),
        rng.choice(np.flatnonzero(~known), max_rows - n_known, replace=False),
    ]
    notes.append(f"a random sample of {max_rows} of {len(table)} rows (--max-rows)")
    return table.iloc[np.sort(np.concatenate(rows))].reset_index(drop=True)


def _leave_out_rare_classes(table, target, notes):
    counts = table[target].value_counts()
    counts = counts[counts > 0]  # a categorical column counts absent ones, too
    n_known = int(counts.sum())
    if n_known < MIN_ROWS:
        msg = (
            f"{n_known} rows with a --target {target} are too few: {MIN_ROWS} at least "
            "are needed to train and to test."
        )
        raise InputError(msg)
    if len(counts) == 1:
        msg = (
            f"--target {target} has one class only, {counts.index[0]!r}: two at least "
            "are needed."
        )
        raise InputError(msg)
    rare = counts[counts < MIN_ROWS_PER_CLASS]
    n_classes = len(counts) - len(rare)
    if rare.sum() > MAX_RARE_SHARE * n_known:
        msg = (
            f"--target {target} has {len(counts)} distinct values, {len(rare)} of them "
            f"in fewer than {MIN_ROWS_PER_CLASS} rows each, {rare.sum()} of {n_known} "
            "rows together. Bin numbers; merge or remove rare classes."
        )
        raise InputError(msg)
    if not 2 <= n_classes <= MAX_CLASSES:
        msg = (
            f"--target {target}: {n_classes} of its {len(counts)} classes have "
            f"{MIN_ROWS_PER_CLASS} rows or more; 2 to {MAX_CLASSES} such are needed."
        )
        raise InputError(msg)
    if not len(rare):
        return table
    notes.append(
        f"left out classes with fewer than {MIN_ROWS_PER_CLASS} rows each, "
        f"{rare.sum()} rows in all: {_listed(rare.index)}"
    )
    return table[~table[target].isin(rare.index)].reset_index(drop=True)


def _usable_features(features, path, notes):
    """Leave out and mend what no estimator can use, and say so."""
    empty = [name for name in features if features[name].isna().all()]
    nested = [name for name in features if _is_nested(features[name])]
    for names, reason in ((empty, "without any value"), (nested, "of lists")):
        if names:
            notes.append(f"left out the columns {reason}: {_listed(names)}")
    features = features.drop(columns=empty + nested)
    if features.shape[1] == 0:
        msg = f"{path} has no column to learn from besides target and source."
        raise InputError(msg)
    huge = {name: _is_too_large(features[name]) for name in features}
    huge = {name: rows for name, rows in huge.items() if rows.any()}
    if huge:
        notes.append(f"infinite or huge numbers count as missing in {_listed(huge)}")
        mended = {name: features[name].mask(rows) for name, rows in huge.items()}
        features = features.assign(**mended)
    unique = [name for name in features if _is_nearly_unique(features[name])]
    if unique:
        notes.append(
            f"nearly every row has a text of its own in {_listed(unique)}, which says "
            "little as a category"
        )
    return features


def _is_nested(column):
    values = column.dropna()
    return len(values) > 0 and not isinstance(values.iloc[0], Hashable)


def _is_too_large(column):
    """Say which numbers are beyond single precision, in which trees compare."""
    if getattr(column.dtype, "kind", "O") != "f":
        return np.zeros(len(column), dtype=bool)
    return np.abs(column.to_numpy(np.float64, na_value=np.nan)) > np.finfo("f4").max


def _is_nearly_unique(column):
    is_text = getattr(column.dtype, "kind", "O") not in "biuf"
    return is_text and column.nunique() > len(column) / 2


def _source_names(column):
    # Numbers beside missing values are read as floats; 3 is not to be named 3.0.
    names = column.convert_dtypes().astype(str).to_numpy(dtype=object)
    names[column.isna().to_numpy()] = NO_SOURCE
    return names


def _listed(names):
    names = [str(name) for name in names]
    more = len(names) - MAX_LISTED
    listed = ", ".join(names[:MAX_LISTED])
    return f"{listed} and {more} more" if more > 0 else listed

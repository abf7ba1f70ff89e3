"""Data for the report: an embedded set, or a file of the user."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from sklearn_w2s._validation import check_labels
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._read import read_table

MIN_ROWS = 60
MIN_ROWS_PER_CLASS = 10
MAX_RARE_SHARE = 0.05
MAX_CLASSES = 100
MAX_LISTED = 10
MAX_ROWS = 5_000
NO_SOURCE = "(missing)"


@dataclass(frozen=True)
class Data:
    """Rows, labels with a marker where there is none, sources and row numbers."""

    name: str
    X: Any
    y: Any
    source: Any = None
    rows: Any = None
    missing_label: Any = None
    notes: list = field(default_factory=list)

    def known(self):
        """Return the labels of the labeled rows, and which rows these are."""
        return check_labels(self.y, self.missing_label)


def load_embedded():
    """Return scikit-learn's handwritten digits."""
    X, y = load_digits(return_X_y=True)
    rows = np.arange(1, len(y) + 1)
    return Data("digits (embedded in scikit-learn)", X, y, rows=rows, missing_label=-1)


def load_table(path, target, *, source=None, max_rows=MAX_ROWS):
    r"""Read a file as the report does: features, labels and sources of its rows.

    Columns that no estimator can use and rows of rare classes are left out; `notes`
    says which.

    Parameters
    ----------
    path : str or path-like
        A .csv, .csv.gz or .parquet file; CSV is comma-separated UTF-8 with a header.
    target : str
        Column to predict; rows where it is empty are unlabeled.
    source : str, default=None
        Column that says where a row comes from; it is no feature.
    max_rows : int, default=5000
        Larger files are sampled to this size, 120 at least, always the same rows.

    Returns
    -------
    object
        With the attributes

        - name, the name of the file without its folder;
        - X, a data frame of shape (n, n_features);
        - y, an ndarray of shape (n,): the labels as in the file, truth values and
          whole numbers as such and anything else as text, and None where a row has no
          label;
        - missing_label, which is None;
        - source, an ndarray of shape (n,) of str, or None;
        - rows, an ndarray of shape (n,): numbers of the rows in the file, from 1 for
          the first below the header;
        - notes, a list of str on all that was left out or changed.

    Raises
    ------
    ValueError
        If pandas is missing or if the file cannot be used.

    See Also
    --------
    sklearn_w2s.model_selection.cross_validate_gap : What the report does with it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_w2s.report import load_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "pets.csv")
    ...     text = "legs,pet\n" + 30 * "4,cat\n2,hen\n" + "4,\n"
    ...     _ = path.write_text(text)
    ...     table = load_table(path, "pet")
    >>> table.X.shape
    (61, 1)
    >>> table.y[[0, 1, -1]]
    array(['cat', 'hen', None], dtype=object)
    >>> table.notes
    ['1 row has no pet and takes part unlabeled']
    """
    path = str(path)
    table = read_table(path)
    _check_columns(table, path, target, source)
    if not isinstance(max_rows, Integral) or max_rows < 2 * MIN_ROWS:
        msg = f"max_rows={max_rows!r} must be a whole number of {2 * MIN_ROWS} or more."
        raise InputError(msg)
    table = table.assign(**{target: _plain_labels(table[target])})
    notes: list = []
    table = _sample(table, target, max_rows, notes)
    table = _leave_out_rare_classes(table, target, notes)
    labels = table[target]
    n_unlabeled = int(labels.isna().sum())
    if n_unlabeled:
        has = "row has" if n_unlabeled == 1 else "rows have"
        takes = "takes" if n_unlabeled == 1 else "take"
        notes.append(f"{n_unlabeled} {has} no {target} and {takes} part unlabeled")
    features = table.drop(columns=[target] if source is None else [target, source])
    return Data(
        name=Path(path).name,
        X=_usable_features(features, path, notes).reset_index(drop=True),
        y=_as_array(labels),
        source=None if source is None else _source_names(table[source]),
        rows=table.index.to_numpy() + 1,
        notes=notes,
    )


def _plain_labels(column):
    """Return truth values and whole numbers as such, and all others as text."""
    labels = column.astype(object).where(column.notna(), None).convert_dtypes()
    kind = getattr(labels.dtype, "kind", "O")
    if kind in "biu":
        return labels
    known = labels[labels.notna()].astype(object)
    return known.map(str).astype(object).reindex(labels.index)


def _as_array(labels):
    if labels.notna().all() and getattr(labels.dtype, "kind", "O") in "biu":
        return labels.to_numpy(labels.dtype.numpy_dtype)
    values = np.empty(len(labels), dtype=object)
    values[:] = labels.where(labels.notna(), None).astype(object).tolist()
    values[labels.isna().to_numpy()] = None
    return values


def _check_columns(table, path, target, source):
    for option, column in (("target", target), ("source", source)):
        if column is None:
            continue
        if column not in table.columns:
            msg = (
                f"{option}={column!r}: {path} has no such column. It has "
                f"{_listed(table.columns)}."
            )
            raise InputError(msg)
        if _is_nested(table[column]):
            msg = f"{option}={column!r}: its cells are lists or mappings, not values."
            raise InputError(msg)
    if source == target:
        msg = f"source={source!r} is the target: name another column, or none."
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
    notes.append(f"a random sample of {max_rows} of {len(table)} rows (max_rows)")
    return table.iloc[np.sort(np.concatenate(rows))]


def _leave_out_rare_classes(table, target, notes):
    counts = table[target].value_counts()
    counts = counts[counts > 0]  # a categorical column counts absent ones, too
    n_known = int(counts.sum())
    if n_known < MIN_ROWS:
        msg = (
            f"{n_known} rows with a {target!r} are too few: {MIN_ROWS} at least "
            "are needed to train and to test."
        )
        raise InputError(msg)
    if len(counts) == 1:
        msg = (
            f"target={target!r} has one class only, {counts.index[0]!r}: two at least "
            "are needed."
        )
        raise InputError(msg)
    rare = counts[counts < MIN_ROWS_PER_CLASS]
    n_classes = len(counts) - len(rare)
    if rare.sum() > MAX_RARE_SHARE * n_known:
        msg = (
            f"target={target!r} has {len(counts)} distinct values, {len(rare)} of them "
            f"in fewer than {MIN_ROWS_PER_CLASS} rows each, {rare.sum()} of {n_known} "
            "rows together. Bin numbers; merge or remove rare classes."
        )
        raise InputError(msg)
    if not 2 <= n_classes <= MAX_CLASSES:
        msg = (
            f"target={target!r}: {n_classes} of its {len(counts)} classes have "
            f"{MIN_ROWS_PER_CLASS} rows or more; 2 to {MAX_CLASSES} such are needed."
        )
        raise InputError(msg)
    if not len(rare):
        return table
    notes.append(
        f"left out classes with fewer than {MIN_ROWS_PER_CLASS} rows each, "
        f"{rare.sum()} rows in all: {_listed(rare.index)}"
    )
    return table[~table[target].isin(rare.index)]


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

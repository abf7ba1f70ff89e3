"""Data for the report: an embedded set, or a file of the user."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import date, time
from difflib import get_close_matches
from numbers import Integral, Number
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from sklearn_w2s._validation import check_labels
from sklearn_w2s.report._cells import Writing, read_columns
from sklearn_w2s.report._errors import InputError, listed
from sklearn_w2s.report._labels import read_labels
from sklearn_w2s.report._read import read_table

MIN_ROWS = 60
MIN_ROWS_PER_CLASS = 10
MAX_RARE_SHARE = 0.05
MAX_CLASSES = 100
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
    facts: list = field(default_factory=list)

    def known(self):
        """Return the labels of the labeled rows, and which rows these are."""
        return check_labels(self.y, self.missing_label)


def load_embedded():
    """Return scikit-learn's handwritten digits."""
    X, y = load_digits(return_X_y=True)
    rows = np.arange(1, len(y) + 1)
    return Data("digits (embedded in scikit-learn)", X, y, rows=rows, missing_label=-1)


def load_table(
    path,
    target,
    *,
    source=None,
    drop=(),
    missing=None,
    sep=None,
    decimal=None,
    thousands=None,
    encoding=None,
    max_rows=MAX_ROWS,
    random_state=0,
):
    r"""Read a file as the report does: features, labels and sources of its rows.

    Text is read as people write it: numbers with decimal commas, signs of currency or a
    few dashes are numbers, and dates are dates. Columns that no estimator can use and
    rows of rare classes are left out. `notes` says what was chosen, changed and left
    out.

    Parameters
    ----------
    path : str or path-like
        A text with a header, .csv, .tsv or .txt; .parquet, .xlsx, .json, .jsonl or
        .arff; or one of these packed by gzip, xz, bzip2 or zip.
    target : str
        Column to predict; rows where it is empty are unlabeled.
    source : str, default=None
        Column that says where a row comes from; it is no feature.
    drop : sequence of str, default=()
        Columns that are no features.
    missing : sequence of str, default=None
        What marks a cell as missing besides nothing, in all columns. None stands, in
        the target, for "?", "NA", "null", "nan", for -1 beside two classes or more and
        for a few "None"; in other text for "?", "NA" and "n/a". Among numbers, these
        and "-" are missing anyway.
    sep : str, default=None
        Separator of cells; None finds it.
    decimal : {".", ","}, default=None
        Decimal mark; None decides for each column.
    thousands : {".", ",", "'", " ", "_"}, default=None
        Mark between groups of digits; None takes all but the decimal mark.
    encoding : str, default=None
        Encoding of a text; None takes UTF-8, UTF-16 or else cp1252.
    max_rows : int, default=5000
        Larger files are sampled to this size, 120 at least. Classes keep their shares,
        and rare ones ten rows.
    random_state : int, default=0
        Seed of that sample.

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
        - notes, a list of str on all that was chosen, left out or changed;
        - facts, a list of str: columns by type, and classes with their rows in the
          file.

    Raises
    ------
    ValueError
        If pandas or pyarrow is missing or if the file cannot be used.

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
    ...     text = "legs;pet\n" + 30 * "4,0;cat\n2,0;hen\n" + "-;\n"
    ...     _ = path.write_text(text)
    ...     table = load_table(path, "pet")
    >>> table.X.shape
    (61, 1)
    >>> table.y[[0, 1, -1]]
    array(['cat', 'hen', None], dtype=object)
    >>> for note in table.notes:
    ...     print(note)
    cells are separated by ';'
    commas are decimal in legs (--decimal . says otherwise)
    missing cells in legs: 1, written '-'
    1 row has no pet and takes part unlabeled
    """
    path = str(path)
    if not isinstance(max_rows, Integral) or max_rows < 2 * MIN_ROWS:
        msg = f"max_rows={max_rows!r} must be a whole number of {2 * MIN_ROWS} or more."
        raise InputError(msg)
    missing = None if missing is None else tuple(map(str, missing))
    writing = Writing(None, decimal, thousands, missing)
    read = read_table(path, sep=sep, encoding=encoding)
    writing = replace(writing, separator=read.separator)
    frame, notes = read.frame, read.notes
    target, source, drop = _find_columns(frame, path, target, source, drop)
    labels = read_labels(frame[target], missing, read.is_written, notes)
    classes = _frequent_classes(labels, notes)
    features = read_columns(frame.drop(columns=[target, *drop]), writing, notes)
    sources = None if source is None else _source_names(features.pop(source))
    features = _usable_features(features, path, notes)
    facts = [_columns_fact(features), _classes_fact(labels)]
    rows = _sample(labels, classes, max_rows, random_state, notes)
    labels = labels.iloc[rows]
    n_unlabeled = int(labels.isna().sum())
    if n_unlabeled:
        has = "row has" if n_unlabeled == 1 else "rows have"
        takes = "takes" if n_unlabeled == 1 else "take"
        notes.append(f"{n_unlabeled} {has} no {target} and {takes} part unlabeled")
    return Data(
        name=Path(path).name,
        X=features.iloc[rows].reset_index(drop=True),
        y=_as_array(labels),
        source=None if sources is None else sources[rows],
        rows=rows + 1,
        notes=notes,
        facts=facts,
    )


def _as_array(labels):
    if labels.notna().all() and getattr(labels.dtype, "kind", "O") in "biu":
        return labels.to_numpy(labels.dtype.numpy_dtype)
    values = np.empty(len(labels), dtype=object)
    values[:] = labels.where(labels.notna(), None).astype(object).tolist()
    values[labels.isna().to_numpy()] = None
    return values


def given_arguments(options):
    """Return the arguments of `load_table` in the options of a report, by name."""
    defaults = load_table.__kwdefaults__ or {}
    given = {name: getattr(options, name, None) for name in defaults}
    return {
        name: value
        for name, value in given.items()
        if value not in (None, [], defaults[name])
    }


def _find_columns(table, path, target, source, drop):
    """Return the names of the columns as the table has them."""
    target = _find_column(table, path, "target", target)
    if source is not None:
        source = _find_column(table, path, "source", source)
    if source == target:
        msg = f"source={source!r} is the target: name another column, or none."
        raise InputError(msg)
    drop = [_find_column(table, path, "drop", name) for name in drop]
    if {target, source} & set(drop):
        msg = f"drop={drop!r} has the target or the source: name other columns."
        raise InputError(msg)
    return target, source, drop


def _find_column(table, path, option, column):
    name = str(column).strip()
    if name not in table.columns:
        near = get_close_matches(name.lower(), map(str.lower, table.columns), 1)
        near = [n for n in table.columns if n.lower() in near][:1]
        hint = f"Did you mean {near[0]!r}? " if near else ""
        msg = (
            f"{option}={column!r}: {path} has no such column. {hint}It has "
            f"{listed(table.columns)}."
        )
        raise InputError(msg)
    if option != "drop" and _is_nested(table[name]):
        msg = f"{option}={column!r}: its cells are lists or mappings, not values."
        raise InputError(msg)
    return name


def _frequent_classes(labels, notes):
    """Return the classes that have enough rows, and check that these do."""
    target = labels.name
    counts = labels.value_counts()
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
    if len(rare):
        notes.append(
            f"left out classes with fewer than {MIN_ROWS_PER_CLASS} rows each, "
            f"{rare.sum()} rows in all: {listed(rare.index)}"
        )
    return counts.drop(rare.index)


def _sample(labels, classes, max_rows, random_state, notes):
    """Return the positions of the rows that take part, half of them labeled if so many.

    Classes keep their shares of the labeled rows, but for rare ones, which keep ten.
    """
    unlabeled = np.flatnonzero(labels.isna())
    n_all, n_known = len(unlabeled) + int(classes.sum()), int(classes.sum())
    members = [np.flatnonzero((labels == c).fillna(False)) for c in classes.index]
    if n_all <= max_rows:
        return np.sort(np.concatenate([unlabeled, *members]))
    sizes = classes.to_numpy(dtype=np.int64)
    least = np.minimum(sizes, MIN_ROWS_PER_CLASS)
    if least.sum() > max_rows:
        msg = (
            f"max_rows={max_rows} is too small for {len(classes)} classes of "
            f"{MIN_ROWS_PER_CLASS} rows each: {least.sum()} at least."
        )
        raise InputError(msg)
    n_drawn = min(n_known, max(round(max_rows * n_known / n_all), max_rows // 2))
    n_drawn = max(n_drawn, int(least.sum()))
    drawn = _shares(sizes, least, n_drawn)
    rng = np.random.default_rng(random_state)
    rows = [
        rng.choice(m, n, replace=False) for m, n in zip(members, drawn, strict=True)
    ]
    rows.append(rng.choice(unlabeled, max_rows - n_drawn, replace=False))
    notes.append(
        f"a random sample of {max_rows} of {n_all} rows (max_rows), in which classes "
        "keep their shares"
    )
    is_raised = drawn > np.ceil(sizes * n_drawn / n_known)
    if is_raised.any():
        raised = zip(classes.index[is_raised], drawn[is_raised], strict=True)
        shown = listed(f"{name} ({n})" for name, n in raised)
        notes.append(f"the sample has more than their share of rare classes: {shown}")
    return np.sort(np.concatenate(rows))


def _shares(sizes, least, total):
    """Divide a number of rows among classes by their sizes, each having its least."""
    exact = sizes * total / sizes.sum()
    drawn = np.maximum(np.floor(exact).astype(np.int64), least)
    while (excess := drawn.sum() - total) > 0:
        spare = drawn - least
        drawn -= np.minimum(spare, np.ceil(spare * excess / spare.sum()).astype(int))
    missing = total - drawn.sum()
    while missing > 0:
        open_ = np.flatnonzero(drawn < sizes)
        order = open_[np.argsort(drawn[open_] - exact[open_], kind="stable")][:missing]
        drawn[order] += 1
        missing = total - drawn.sum()
    return drawn


def _usable_features(features, path, notes):
    """Leave out and mend what no estimator can use, and say so."""
    unusable = defaultdict(list)
    for name in features:
        reason = _reason_to_leave_out(features[name])
        if reason:
            unusable[reason].append(name)
    for reason, names in unusable.items():
        notes.append(f"left out the columns {reason}: {listed(names)}")
    features = features.drop(columns=[n for names in unusable.values() for n in names])
    if features.shape[1] == 0:
        msg = f"{path} has no column to learn from besides target and source."
        raise InputError(msg)
    huge = {name: _is_too_large(features[name]) for name in features}
    huge = {name: rows for name, rows in huge.items() if rows.any()}
    if huge:
        notes.append(f"infinite or huge numbers count as missing in {listed(huge)}")
        mended = {name: features[name].mask(rows) for name, rows in huge.items()}
        features = features.assign(**mended)
    unique = [name for name in features if _is_nearly_unique(features[name])]
    if unique:
        notes.append(
            f"nearly every row has a text of its own in {listed(unique)}, which says "
            "little as a category"
        )
    return features


def _reason_to_leave_out(column):
    if column.isna().all():
        return "without any value"
    if isinstance(_first(column), bytes):
        return "of bytes"
    return "of lists" if _is_nested(column) else None


def _first(column):
    return column.iloc[int(np.argmax(column.notna()))]


def _columns_fact(features):
    """Say which columns are of which type."""
    kinds = defaultdict(list)
    for name in features:
        kinds[_kind(features[name])].append(name)
    told = [
        f"{len(names)} {kind if len(names) == 1 else _PLURALS.get(kind, kind + 's')} "
        f"({listed(names)})"
        for kind, names in kinds.items()
    ]
    return f"columns: {'; '.join(told)}"


_KINDS = {"b": "truth value", "M": "date", "m": "duration"}
_PLURALS = {"category": "categories", "time of day": "times of day"}


def _kind(column):
    kind = getattr(column.dtype, "kind", "O")
    if hasattr(column.dtype, "categories"):
        return "category"
    if kind in "iuf":
        return "number"
    if kind in _KINDS:
        return _KINDS[kind]
    value = _first(column)
    if isinstance(value, time):
        return "time of day"
    if isinstance(value, date) or hasattr(column.dtype, "freq"):
        return "date"
    return "number" if isinstance(value, Number) else "category"


def _classes_fact(labels):
    counts = labels.value_counts(sort=False).sort_index()
    told = listed(f"{label} {count}" for label, count in counts.items())
    n_unlabeled = int(labels.isna().sum())
    more = f"; unlabeled {n_unlabeled}" if n_unlabeled else ""
    return f"rows by {labels.name}: {told}{more}"


def _is_nested(column):
    values = column.dropna()
    return len(values) > 0 and not isinstance(values.iloc[0], Hashable)


def _is_too_large(column):
    """Say which numbers are beyond single precision, in which trees compare."""
    if getattr(column.dtype, "kind", "O") != "f":
        return np.zeros(len(column), dtype=bool)
    return np.abs(column.to_numpy(np.float64, na_value=np.nan)) > np.finfo("f4").max


def _is_nearly_unique(column):
    return _kind(column) == "category" and column.nunique() > len(column) / 2


def _source_names(column):
    # Numbers beside missing values are read as floats; 3 is not to be named 3.0.
    names = column.convert_dtypes().astype(str).to_numpy(dtype=object)
    names[column.isna().to_numpy()] = NO_SOURCE
    return names

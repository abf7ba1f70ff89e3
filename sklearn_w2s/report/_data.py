"""Data for the report: an embedded set, or a file of the user."""

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from sklearn_w2s.report._cells import Writing, read_columns
from sklearn_w2s.report._errors import InputError, listed
from sklearn_w2s.report._features import (
    Features,
    find_leaks,
    is_nested,
    join_groups,
    kind_of,
)
from sklearn_w2s.report._labels import read_labels
from sklearn_w2s.report._read import read_table

TEST_SIZE = 0.3
MIN_ROWS = 60
MIN_ROWS_PER_CLASS = 10
MAX_RARE_SHARE = 0.05
MAX_CLASSES = 100
MAX_ROWS = 5_000
NO_SOURCE = "(missing)"
# A target of more distinct numbers is one to regress on.
MAX_NUMBERS = 20
TASKS = ("classification", "regression")
_MOST_DRAWS = 100


@dataclass(frozen=True)
class Data:
    """Rows, labels with a marker where there is none, sources and row numbers.

    `groups` numbers rows that no split divides. `features` and `others` are of the rows
    of the file that have no label, those outside of a sample included.
    """

    name: str
    X: Any
    y: Any
    source: Any = None
    rows: Any = None
    missing_label: Any = None
    notes: list = field(default_factory=list)
    facts: list = field(default_factory=list)
    groups: Any = None
    features: Any = None
    others: Any = None
    task: str = "classification"

    @property
    def regresses(self):
        """Whether labels are values of a quantity, NaN where there is none."""
        return self.task == "regression"

    def known(self):
        """Return the labels of the labeled rows, and which rows these are."""
        if self.regresses:
            labeled = ~np.isnan(self.y)
            return self.y[labeled], labeled
        missing = self.missing_label
        labeled = np.array([y is not None and y != missing for y in self.y.tolist()])
        return np.array(self.y[labeled].tolist()), labeled

    def splits(self, n_splits, random_state=0):
        """Draw training and test rows among the labeled ones.

        Parameters
        ----------
        n_splits : int
            Number of splits.
        random_state : int, default=0
            Seed.

        Returns
        -------
        list of (train, test)
            Positions among the labeled rows; 30% of the rows, or groups, are to test.
            Classes keep their shares as far as groups let them, and all are on both
            sides.

        Raises
        ------
        ValueError
            If groups leave a class on one side in too many draws.
        """
        labels, labeled = self.known()
        if self.regresses:
            labels = np.zeros(len(labels), dtype=int)
        groups = np.arange(len(labels)) if self.groups is None else self.groups[labeled]
        _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
        counts = np.unique(labels[first], return_counts=True)[1]
        n_classes = len(np.unique(labels))
        is_stratified = len(counts) == n_classes > 1 and counts.min() > 1
        kind = StratifiedShuffleSplit if is_stratified else ShuffleSplit
        draws = kind(
            _MOST_DRAWS + n_splits, test_size=TEST_SIZE, random_state=random_state
        )

        def complete():
            for train, test in draws.split(first, labels[first]):
                sides = [train, test]
                if self.groups is not None:
                    sides = [np.flatnonzero(np.isin(groups, side)) for side in sides]
                if all(len(np.unique(labels[side])) == n_classes for side in sides):
                    yield tuple(sides)

        found = list(islice(complete(), n_splits)) if len(first) > 3 else []
        if len(found) < n_splits:
            msg = (
                f"the {len(first)} groups leave no split with every class on both "
                "sides: name another --group, or none."
            )
            raise InputError(msg)
        return found

    def units(self):
        """Return by column of the file the features that come of it."""
        if not hasattr(self.X, "columns"):
            return {f"column {j}": [j] for j in range(self.X.shape[1])}
        texts = [] if self.features is None else self.features.words
        words = {f"{name}: ": name for name in texts}
        units: dict = {}
        for name in self.X:
            whole = next(
                (w for start, w in words.items() if name.startswith(start)), name
            )
            units.setdefault(whole, []).append(name)
        return units

    def unlabeled(self):
        """Return the features of all unlabeled rows of the file, and their numbers."""
        if self.others is None:
            return self.X[:0], np.arange(0)
        return self.features.take(self.others), self.others + 1


def load_embedded():
    """Return scikit-learn's handwritten digits."""
    X, y = load_digits(return_X_y=True)
    rows = np.arange(1, len(y) + 1)
    yours = "for a file of yours: sklearn-w2s FILE --target COLUMN"
    name = "digits (embedded in scikit-learn)"
    return Data(name, X, y, rows=rows, missing_label=-1, facts=[yours])


def load_table(
    path: Any,
    target: str,
    *,
    source: str | None = None,
    group: str | None = None,
    drop: Any = (),
    keep: Any = (),
    task: Literal["classification", "regression"] | None = None,
    missing: Any = None,
    sep: str | None = None,
    decimal: Any = None,
    thousands: Any = None,
    encoding: str | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
) -> Any:
    r"""Read a file as the report does: features, labels and sources of its rows.

    Text is read as people write it: numbers with decimal commas, signs of currency or a
    few dashes are numbers, and dates are dates. The most frequent words of free text
    are columns. Columns that no estimator can use, ids and rows of rare classes are
    left out. `notes` says what was chosen, changed and left out, and names columns that
    give the target away.

    Parameters
    ----------
    path : str or path-like
        A text with a header, .csv, .tsv or .txt; .parquet, .xlsx, .json, .jsonl or
        .arff; or one of these packed by gzip, xz, bzip2 or zip.
    target : str
        Column to predict; rows where it is empty are unlabeled.
    source : str, default=None
        Column that says where a row comes from; it is no feature.
    group : str, default=None
        Column that says which rows belong together, as those of one patient; no split
        divides a group. It is no feature.
    drop : sequence of str, default=()
        Columns that are no features.
    keep : sequence of str, default=()
        Columns that are features although they look like ids or free text, which are
        then numbers or categories.
    task : {"classification", "regression"}, default=None
        Whether the target holds classes or a quantity. None takes numbers with
        fractions, or more than 20 distinct numbers, for a quantity.
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
          label; of a quantity an ndarray of floats, NaN where a row has no value;
        - missing_label, None or NaN likewise;
        - task, "classification" or "regression";
        - source, an ndarray of shape (n,) of str, or None;
        - groups, an ndarray of shape (n,) of int, or None where each row is on its own:
          `group`, and equal rows, which are one group too if a tenth of the rows or
          more are distinct;
        - rows, an ndarray of shape (n,): numbers of the rows in the file, from 1 for
          the first below the header;
        - notes, a list of str on all that was chosen, left out or changed;
        - facts, a list of str: columns by type, and classes with their rows in the
          file;

        and the methods

        - known(), which returns the labels of labeled rows, and a mask of these rows;
        - splits(n_splits, random_state), training and test rows as the report draws
          them, for the parameter `cv` of
          :func:`~sklearn_w2s.model_selection.cross_validate_gap`;
        - unlabeled(), which returns features of all unlabeled rows of the file, whether
          or not they are in the sample, and their row numbers.

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
    ...     text = "legs;pet\n" + 30 * "4,0;cat\n2,5;hen\n" + "-;\n"
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
    1 row has no pet: unlabeled
    legs alone tells pet in 100% of rows held out: if it is known only after pet, leave
    it out (--drop legs)
    only 3 of 61 rows differ: equal rows stand on both sides of a split
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
    columns = Columns(frame, path)
    target = columns.find("target", target)
    others = {
        option: columns.find(option, name)
        for option, name in (("source", source), ("group", group))
        if name is not None
    }
    drop = [columns.find("drop", name) for name in drop]
    keep = [columns.find("keep", name) for name in keep]
    _refuse_twice({"target": [target], "drop": drop, "keep": keep}, others)
    task = _choose_task(frame[target], task, writing, notes)
    labels, classes = _read_target(frame[target], task, writing, read, notes)
    left_out = [target, *drop]
    features = read_columns(frame.drop(columns=left_out), writing, notes)
    sources = None if source is None else _source_names(features[others["source"]])
    groups = None if group is None else _group_codes(features[others["group"]], notes)
    features = features.drop(columns=list(set(others.values())))
    features = Features(features, keep, path, notes)
    facts = [features.fact(), _labels_fact(labels, classes)]
    rows = _sample(labels, classes, max_rows, random_state, notes)
    features.fit_words(rows, notes)
    n_unlabeled = int(labels.isna().sum())
    if n_unlabeled:
        has = "row has" if n_unlabeled == 1 else "rows have"
        notes.append(f"{n_unlabeled} {has} no {target}: unlabeled")
    data = Data(
        name=Path(path).name,
        X=features.take(rows),
        y=_as_array(labels.iloc[rows], classes),
        source=None if sources is None else sources[rows],
        rows=rows + 1,
        notes=notes,
        facts=facts,
        features=features,
        others=np.flatnonzero(labels.isna().to_numpy()),
        missing_label=np.nan if task == "regression" else None,
        task=task,
    )
    _note_leaks(data, target)
    groups = join_groups(data.X, None if groups is None else groups[rows], notes)
    return replace(data, groups=groups)


def _note_leaks(data, target):
    labels, labeled = data.known()
    # That words tell the class is what a text is for.
    alone = [name for name in data.units() if name in data.X]
    X = data.X.loc[labeled, alone]
    for name, score in find_leaks(X, labels, regresses=data.regresses).items():
        told = f"tells {target} in {score:.0%} of rows held out"
        if data.regresses:
            told = f"explains {score:.0%} of the variance of {target} in rows held out"
        data.notes.append(
            f"{name} alone {told}: if it is known only after {target}, leave it out "
            f"(--drop {name})"
        )


def _refuse_twice(columns, others):
    """Refuse a column that is to be two things, a source and a group apart."""
    columns = columns | {"source or --group": set(others.values())}
    seen: dict = {}
    for option, names in columns.items():
        for name in names:
            if seen.setdefault(name, option) != option:
                msg = (
                    f"--{option} {name!r} is named as --{seen[name]} too: name it once."
                )
                raise InputError(msg)


def _choose_task(column, task, writing, notes):
    """Say whether a target holds classes or a quantity, and note what is not plain."""
    if task not in (None, *TASKS):
        msg = f"task={task!r} must be one of {', '.join(TASKS)}, or None to see."
        raise InputError(msg)
    read = read_columns(column.to_frame(), writing, [])[column.name]
    is_number = kind_of(read) == "number" and not read.isna().all()
    if task == "regression" and not is_number:
        msg = f"--task regression needs numbers: --target {column.name!r} has others."
        raise InputError(msg)
    if task is not None or not is_number:
        return task or "classification"
    numbers = np.unique(read.dropna().to_numpy(np.float64))
    shown = f"{len(numbers)} distinct numbers, {numbers[0]:g} to {numbers[-1]:g}"
    if np.any(numbers != np.floor(numbers)) or len(numbers) > MAX_NUMBERS:
        notes.append(
            f"{column.name} has {shown}: it is taken for a quantity (--task "
            "classification takes each number for a class)"
        )
        return "regression"
    if len(numbers) > 2 and not {-1, 0, 1}.issuperset(numbers):
        notes.append(
            f"{column.name} has {shown}: they are taken for classes (--task regression "
            "takes them for a quantity)"
        )
    return "classification"


def _read_target(column, task, writing, read, notes):
    """Return the labels of all rows, and the classes of enough rows, None of values."""
    if task == "regression":
        return _read_values(column, writing, notes), None
    labels = read_labels(column, writing.missing, read.is_written, notes)
    return labels, _frequent_classes(labels, notes)


def _read_values(column, writing, notes):
    """Return the values of a quantity, NaN where there is none."""
    import pandas as pd

    read = read_columns(column.to_frame(), writing, notes)[column.name]
    numbers = read.to_numpy(np.float64, na_value=np.nan)
    values = pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), name=read.name)
    if (n_known := int(values.count())) < MIN_ROWS:
        msg = (
            f"--target {column.name!r} has {n_known} values, which are too few: "
            f"{MIN_ROWS} at least are needed to train and to test."
        )
        raise InputError(msg)
    if values.nunique() == 1:
        msg = f"--target {column.name!r} has one value only: two at least are needed."
        raise InputError(msg)
    return values


def _as_array(labels, classes):
    if classes is None:
        return labels.to_numpy(np.float64)
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


class Columns:
    """The columns of a table, found by the names that the user gives.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table.
    path : str
        Its file, for errors.
    """

    def __init__(self, frame, path):
        self.frame = frame
        self.path = path

    def find(self, option, column):
        """Return the name of a column as the table has it.

        Raises
        ------
        InputError
            If there is none, with a name that is near.
        """
        name = str(column).strip()
        names = self.frame.columns
        if name not in names:
            folded = {other.casefold(): other for other in reversed(names)}
            near = get_close_matches(name.casefold(), folded, 1)
            hint = f"Did you mean {folded[near[0]]!r}? " if near else ""
            msg = (
                f"--{option} {column!r}: {self.path} has no such column. {hint}It has "
                f"{listed(map(repr, names))}."
            )
            raise InputError(msg)
        if option not in ("drop", "keep") and is_nested(self.frame[name]):
            msg = f"--{option} {column!r}: its cells are lists or mappings, not values."
            raise InputError(msg)
        return name


def _frequent_classes(labels, notes):
    """Return the classes that have enough rows, and check that these do."""
    target = labels.name
    counts = labels.value_counts()
    n_known = int(counts.sum())
    if n_known < MIN_ROWS:
        msg = (
            f"--target {target!r} has {n_known} labels, which are too few: {MIN_ROWS} "
            "at least are needed to train and to test."
        )
        raise InputError(msg)
    if len(counts) == 1:
        msg = (
            f"--target {target!r} has one class only, {counts.index[0]!r}: two at "
            "least are needed."
        )
        raise InputError(msg)
    rare = counts[counts < MIN_ROWS_PER_CLASS]
    n_classes = len(counts) - len(rare)
    if rare.sum() > MAX_RARE_SHARE * n_known:
        msg = (
            f"--target {target!r} has {len(counts)} distinct values, {len(rare)} of "
            f"them in fewer than {MIN_ROWS_PER_CLASS} rows each, {rare.sum()} of "
            f"{n_known} rows together. Bin numbers; merge or remove rare classes."
        )
        raise InputError(msg)
    if not 2 <= n_classes <= MAX_CLASSES:
        msg = (
            f"--target {target!r}: {n_classes} of its {len(counts)} classes have "
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
    if classes is None:
        labels = labels.notna().map({True: "values"})
        classes = labels.value_counts()
    n_all, n_known = len(unlabeled) + int(classes.sum()), int(classes.sum())
    members = [np.flatnonzero((labels == c).fillna(False)) for c in classes.index]
    if n_all <= max_rows:
        return np.sort(np.concatenate([unlabeled, *members]))
    sizes = classes.to_numpy(dtype=np.int64)
    least = np.minimum(sizes, MIN_ROWS_PER_CLASS)
    if least.sum() > max_rows:
        msg = (
            f"--max-rows {max_rows} is too small for {len(classes)} classes of "
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
    shares = ", in which classes keep their shares" if len(classes) > 1 else ""
    notes.append(f"a random sample of {max_rows} of {n_all} rows (--max-rows){shares}")
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


def _labels_fact(labels, classes):
    n_unlabeled = int(labels.isna().sum())
    more = f"; unlabeled {n_unlabeled}" if n_unlabeled else ""
    if classes is None:
        low, middle, high = labels.quantile([0, 0.5, 1])
        return (
            f"{labels.name} is a quantity: {labels.count()} values from {low:.6g} to "
            f"{high:.6g}, median {middle:.6g}{more}"
        )
    counts = labels.value_counts(sort=False).sort_index()
    told = listed(f"{label} {count}" for label, count in counts.items())
    return f"rows by {labels.name}: {told}{more}"


def _group_codes(column, notes):
    """Return a number for each group, -1 for rows without one."""
    codes, distinct = column.factorize()
    n_rows, n_alone = len(codes), int((codes < 0).sum())
    notes.append(f"{column.name} has {len(distinct)} groups, which no split divides")
    if n_alone:
        notes.append(
            f"{n_alone} of {n_rows} rows have no {column.name} and are on their own"
        )
    return codes


def _source_names(column):
    # Numbers beside missing values are read as floats; 3 is not to be named 3.0.
    names = column.convert_dtypes().astype(str).to_numpy(dtype=object)
    names[column.isna().to_numpy()] = NO_SOURCE
    return names

"""Rows, labels and groups of a report: embedded data, or a table in a file."""

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from sklearn_w2s.report._cells import Writing, read_columns
from sklearn_w2s.report._columns import (
    MIN_ROWS,
    MIN_ROWS_PER_CLASS,
    Features,
    choose_task,
    find_leaks,
    frequent_classes,
    group_codes,
    is_nested,
    join_groups,
    read_labels,
    read_values,
    target_array,
    target_fact,
)
from sklearn_w2s.report._read import InputError, listed, read_table

TEST_SIZE = 0.3
MAX_ROWS = 5_000
MIN_MAX_ROWS = 2 * MIN_ROWS
NO_SOURCE = "(missing)"
_MOST_DRAWS = 100


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
    groups: Any = None  # numbers of groups of rows that no split divides
    features: Any = None
    others: Any = None  # rows of the file without label, also those not sampled
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
        """Draw training and test rows as positions among the labeled ones."""
        # 30% of the rows, or groups, are to test. Classes keep their shares as far as
        # groups let them, and all are on both sides.
        labels, labeled = self.known()
        if self.regresses:
            labels = np.zeros(len(labels), dtype=int)
        groups = np.arange(len(labels)) if self.groups is None else self.groups[labeled]
        _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
        counts = np.unique(labels[first], return_counts=True)[1]
        n_classes = len(np.unique(labels))
        is_stratified = len(counts) == n_classes > 1 and counts.min() > 1
        splitter = StratifiedShuffleSplit if is_stratified else ShuffleSplit
        draws = splitter(
            _MOST_DRAWS + n_splits, test_size=TEST_SIZE, random_state=random_state
        )
        found: list = []
        for sides in draws.split(first, labels[first]) if len(first) > 3 else ():
            if self.groups is not None:
                sides = [np.flatnonzero(np.isin(groups, side)) for side in sides]
            if all(len(np.unique(labels[side])) == n_classes for side in sides):
                found.append(tuple(sides))
            if len(found) == n_splits:
                return found
        msg = (
            f"the {len(first)} groups leave no split with every class on both sides: "
            "pass another --group, or none."
        )
        raise InputError(msg)

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
    return Data(
        "digits (embedded in scikit-learn)",
        X,
        y,
        rows=np.arange(1, len(y) + 1),
        missing_label=-1,
        facts=["for a file of yours: sklearn-w2s FILE --target COLUMN"],
    )


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

    Text is read as people write it: numbers with decimal commas, currency signs or a
    few dashes are numbers, and dates are dates. The most frequent words of free text
    become columns. Columns that no estimator can use, ids and rows of rare classes are
    dropped. `notes` lists what was chosen, changed and dropped, and names columns that
    give the target away.

    Parameters
    ----------
    path : str or path-like
        Text with a header (.csv, .tsv or .txt), .parquet, .xlsx, .json, .jsonl or
        .arff, optionally compressed by gzip, xz, bzip2 or zip.
    target : str
        Column to predict; rows where it is empty are unlabeled.
    source : str, default=None
        Column that names the source of a row; it is not a feature.
    group : str, default=None
        Column that says which rows belong together, such as those of one patient; no
        split divides a group. It is not a feature.
    drop : sequence of str, default=()
        Columns that are not features.
    keep : sequence of str, default=()
        Columns that are features although they look like ids or free text, which are
        then numbers or categories.
    task : {"classification", "regression"}, default=None
        Whether the target holds classes or a quantity. None treats numbers with
        fractions, or more than 20 distinct numbers, as a quantity.
    missing : sequence of str, default=None
        Cells that are missing besides empty ones, in all columns. None means, in the
        target, "?", "NA", "null", "nan", -1 beside two classes or more and a few
        "None"; in other text "?", "NA" and "n/a". Among numbers, these and "-" are
        always missing.
    sep : str, default=None
        Separator of cells; None detects it.
    decimal : {".", ","}, default=None
        Decimal mark; None decides for each column.
    thousands : {".", ",", "'", " ", "_"}, default=None
        Mark between groups of digits; None allows all but the decimal mark.
    encoding : str, default=None
        Encoding of a text; None tries UTF-8, UTF-16 and then cp1252.
    max_rows : int, default=5000
        Larger files are sampled to this size, at least 120. Classes keep their shares,
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
        - groups, an ndarray of shape (n,) of int, or None where each row is a group:
          those of `group`, and equal rows, if at least a tenth of the rows are
          distinct;
        - rows, an ndarray of shape (n,): numbers of the rows in the file, from 1 for
          the first below the header;
        - notes, a list of str on all that was chosen, dropped or changed;
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
    commas are read as decimal in legs (--decimal . overrides)
    missing cells in legs: 1, written '-'
    1 row has no pet: unlabeled
    legs alone predicts pet in 100% of held-out rows: if it is known only after pet,
    leave it out (--drop legs)
    only 3 of 61 rows are distinct: equal rows are on both sides of a split
    """
    path = str(path)
    if not isinstance(max_rows, Integral) or max_rows < MIN_MAX_ROWS:
        msg = f"max_rows must be an integer >= {MIN_MAX_ROWS}, got {max_rows!r}."
        raise InputError(msg)
    missing = None if missing is None else tuple(map(str, missing))
    writing = Writing(None, decimal, thousands, missing)
    read = read_table(path, sep=sep, encoding=encoding)
    writing = replace(writing, separator=read.separator)
    frame, notes = read.frame, read.notes
    target = _find_column(frame, path, "target", target)
    source, group = (
        None if name is None else _find_column(frame, path, option, name)
        for option, name in (("source", source), ("group", group))
    )
    drop = [_find_column(frame, path, "drop", name) for name in drop]
    keep = [_find_column(frame, path, "keep", name) for name in keep]
    aside = {name for name in (source, group) if name is not None}
    _refuse_two_uses(
        {"target": [target], "drop": drop, "keep": keep, "source or --group": aside}
    )
    task = choose_task(frame[target], task, writing, notes)
    if task == "regression":
        labels, classes = read_values(frame[target], writing, notes), None
    else:
        labels = read_labels(frame[target], writing.missing, read.is_written, notes)
        classes = frequent_classes(labels, notes)
    columns = read_columns(frame.drop(columns=[target, *drop]), writing, notes)
    if source is not None:
        # Numbers beside missing values are read as floats; 3 is not to be named 3.0.
        sources = columns[source].convert_dtypes().astype(str).to_numpy(dtype=object)
        sources[columns[source].isna().to_numpy()] = NO_SOURCE
    groups = None if group is None else group_codes(columns[group], notes)
    features = Features(columns.drop(columns=list(aside)), keep, path, notes)
    facts = [features.fact(), target_fact(labels, classes)]
    rows = _sample(labels, classes, max_rows, random_state, notes)
    features.fit_words(rows, notes)
    n_unlabeled = int(labels.isna().sum())
    if n_unlabeled:
        has = "row has" if n_unlabeled == 1 else "rows have"
        notes.append(f"{n_unlabeled} {has} no {target}: unlabeled")
    data = Data(
        name=Path(path).name,
        X=features.take(rows),
        y=target_array(labels.iloc[rows], classes),
        source=None if source is None else sources[rows],
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


def given_arguments(options):
    """Return the arguments of `load_table` in the options of a report, by name."""
    defaults = load_table.__kwdefaults__ or {}
    given = {name: getattr(options, name, None) for name in defaults}
    return {
        name: value
        for name, value in given.items()
        if value not in (None, [], defaults[name])
    }


def _find_column(frame, path, option, column):
    """Return the name of a column as the table has it, or suggest one that is near."""
    name, names = str(column).strip(), frame.columns
    if name not in names:
        folded = {other.casefold(): other for other in reversed(names)}
        near = get_close_matches(name.casefold(), folded, 1)
        hint = f"Did you mean {folded[near[0]]!r}? " if near else ""
        msg = (
            f"--{option} {column!r}: {path} has no such column. {hint}It has "
            f"{listed(map(repr, names))}."
        )
        raise InputError(msg)
    if option not in ("drop", "keep") and is_nested(frame[name]):
        msg = f"--{option} {column!r} must hold single values, not lists or mappings."
        raise InputError(msg)
    return name


def _refuse_two_uses(columns):
    """Refuse a column that is to be two things, unless a source and a group."""
    seen: dict = {}
    for option, names in columns.items():
        for name in names:
            if seen.setdefault(name, option) != option:
                msg = (
                    f"--{option} {name!r} is passed as --{seen[name]}, too: pass it "
                    "once."
                )
                raise InputError(msg)


def _note_leaks(data, target):
    labels, labeled = data.known()
    # Words of a text are meant to predict the class.
    alone = [name for name in data.units() if name in data.X]
    X = data.X.loc[labeled, alone]
    for name, score in find_leaks(X, labels, regresses=data.regresses).items():
        found = f"predicts {target} in {score:.0%} of held-out rows"
        if data.regresses:
            found = f"explains {score:.0%} of the variance of {target} in held-out rows"
        data.notes.append(
            f"{name} alone {found}: if it is known only after {target}, leave it out "
            f"(--drop {name})"
        )


def _sample(labels, classes, max_rows, random_state, notes):
    """Return positions of the rows that take part, half of them labeled if possible."""
    # Classes keep their shares of the labeled rows, but for rare ones, which keep ten.
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
            f"--max-rows must be at least {least.sum()} for {len(classes)} classes of "
            f"{MIN_ROWS_PER_CLASS} rows each, got {max_rows}."
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

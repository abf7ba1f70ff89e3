"""Columns of a table: the one to predict, those to learn from, and groups of rows."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_w2s._columns import distinct_rows, kind_of_type
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.report._cells import TRUTH, read_columns
from sklearn_w2s.report._read import InputError, as_float, listed

TASKS = ("classification", "regression")
MIN_ROWS = 60
MIN_ROWS_PER_CLASS = 10
MAX_RARE_SHARE = 0.05
MAX_CLASSES = 100
# A target of more distinct numbers is one to regress on.
MAX_NUMBERS = 20
# In lower case, besides empty cells; None and -1 depend on what stands beside them.
_UNLABELED = ("?", "na", "n/a", "<na>", "null", "nan")
_MAX_NONE_SHARE = 0.02
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)(\.0*)?")
MAX_WORDS = 100
# A cell of so many words, on average, is text; distinct cells of fewer are an id.
_WORDS_OF_TEXT = 3
_DISTINCT_OF_TEXT = 0.5
_DISTINCT_OF_ID = 0.95
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uid|guid|uuid|index|idx|key|no|nr|num|number|row|rownum|serial)$"
    r"|[a-z]I[dD]$",
    re.IGNORECASE,
)
# What one column alone gets right in rows held out, by which it is named as a leak.
_LEAK = 0.98
_MAX_LEAK_ROWS = 1000
# With fewer distinct rows, equal rows are not copies: the columns have few values.
_LEAST_DISTINCT = 0.1
_MOST = np.finfo("f4").max
_CONSTANT = "with a single value"
_ID = "that look like ids or row numbers"
_KINDS = {
    "numbers": "number",
    "dates": "date",
    "durations": "duration",
    "times of day": "time of day",
}
_PLURALS = {"category": "categories", "time of day": "times of day"}


# The column to predict


def choose_task(column, task, writing, notes):
    """Return whether a target is for "classification" or "regression"."""
    if task not in (None, *TASKS):
        msg = f"task must be one of {', '.join(TASKS)}, or None, got {task!r}."
        raise InputError(msg)
    read = read_columns(column.to_frame(), writing, [])[column.name]
    is_number = kind_of(read) == "number" and not read.isna().all()
    if task == "regression" and not is_number:
        msg = f"--task regression needs numbers, which --target {column.name!r} lacks."
        raise InputError(msg)
    if task is not None or not is_number:
        return task or "classification"
    numbers = np.unique(read.dropna().to_numpy(np.float64))
    shown = f"{len(numbers)} distinct numbers, {numbers[0]:g} to {numbers[-1]:g}"
    if np.any(numbers != np.floor(numbers)) or len(numbers) > MAX_NUMBERS:
        notes.append(
            f"{column.name} has {shown}: it is treated as a quantity (--task "
            "classification treats each number as a class)"
        )
        return "regression"
    if len(numbers) > 2 and not {-1, 0, 1}.issuperset(numbers):
        notes.append(
            f"{column.name} has {shown}: they are treated as classes (--task "
            "regression treats them as a quantity)"
        )
    return "classification"


def target_fact(labels, classes):
    """Return a sentence on the values, or on the rows of each class in the file."""
    n_unlabeled = int(labels.isna().sum())
    more = f"; unlabeled {n_unlabeled}" if n_unlabeled else ""
    if classes is None:
        low, middle, high = labels.quantile([0, 0.5, 1])
        return (
            f"{labels.name} is a quantity: {labels.count()} values from {low:.6g} to "
            f"{high:.6g}, median {middle:.6g}{more}"
        )
    counts = labels.value_counts(sort=False).sort_index()
    shown = listed(f"{label} {count}" for label, count in counts.items())
    return f"rows by {labels.name}: {shown}{more}"


def target_array(labels, classes):
    """Return values as floats, labels as themselves, and None where there is none."""
    if classes is None:
        return labels.to_numpy(np.float64)
    if labels.notna().all() and getattr(labels.dtype, "kind", "O") in "biu":
        return labels.to_numpy(labels.dtype.numpy_dtype)
    values = np.empty(len(labels), dtype=object)
    values[:] = labels.where(labels.notna(), None).astype(object).tolist()
    values[labels.isna().to_numpy()] = None
    return values


def read_values(column, writing, notes):
    """Return the values of a quantity as floats, NaN where there is none."""
    import pandas as pd

    read = read_columns(column.to_frame(), writing, notes)[column.name]
    numbers = read.to_numpy(np.float64, na_value=np.nan)
    values = pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), name=read.name)
    if (n_known := int(values.count())) < MIN_ROWS:
        msg = (
            f"--target {column.name!r} must have at least {MIN_ROWS} values to train "
            f"and test, got {n_known}."
        )
        raise InputError(msg)
    if values.nunique() == 1:
        msg = f"--target {column.name!r} must have at least two values, got one."
        raise InputError(msg)
    return values


def read_labels(column, missing, is_written, notes):
    """Return labels, None where a row has none."""
    # `missing` marks rows without a label, None guesses; `is_written` is for files that
    # hold all as text. Truth values and whole numbers are such, and all others text.
    codes, distinct = column.factorize()
    values = [v.item() if isinstance(v, np.generic) else v for v in distinct]
    values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    words = [str(value).strip() for value in values]
    if missing is None:
        is_gap = _guess_gaps(column.name, words, counts, len(column), notes)
    else:
        marks = {"", *(mark.strip() for mark in missing)}
        numbers = set(map(as_float, marks)) - {None}
        is_gap = [word in marks or as_float(word) in numbers for word in words]
    labels = {i: value for i, value in enumerate(values) if not is_gap[i]}
    labels = _typed(labels, is_written)
    _note_spellings(column.name, labels, counts, notes)
    found = np.full(len(values) + 1, None, dtype=object)
    for i, label in labels.items():
        found[i] = label
    result = column.astype(object)
    result[:] = found[codes]
    kinds = set(map(type, labels.values()))
    if kinds == {int} and all(abs(label) < 2**63 for label in labels.values()):
        return result.astype("Int64")
    return result.astype("boolean") if kinds == {bool} else result


def frequent_classes(labels, notes):
    """Return the rows of each class that has enough, and check that these suffice."""
    target = f"--target {labels.name!r}"
    counts = labels.value_counts()
    n_known = int(counts.sum())
    if n_known < MIN_ROWS:
        msg = (
            f"{target} must have at least {MIN_ROWS} labels to train and test, got "
            f"{n_known}."
        )
        raise InputError(msg)
    if len(counts) == 1:
        msg = f"{target} must have at least two classes, got only {counts.index[0]!r}."
        raise InputError(msg)
    rare = counts[counts < MIN_ROWS_PER_CLASS]
    n_classes = len(counts) - len(rare)
    if rare.sum() > MAX_RARE_SHARE * n_known:
        msg = (
            f"{target} has {len(counts)} distinct values, {len(rare)} of them in fewer "
            f"than {MIN_ROWS_PER_CLASS} rows each, {rare.sum()} of {n_known} rows "
            "together. Merge or remove rare classes; if the numbers are a quantity, "
            "pass --task regression."
        )
        raise InputError(msg)
    if not 2 <= n_classes <= MAX_CLASSES:
        msg = (
            f"{target} must have 2 to {MAX_CLASSES} classes of at least "
            f"{MIN_ROWS_PER_CLASS} rows, got {n_classes} of {len(counts)} classes."
        )
        raise InputError(msg)
    if len(rare):
        notes.append(
            f"dropped classes with fewer than {MIN_ROWS_PER_CLASS} rows each, "
            f"{rare.sum()} rows in all: {listed(rare.index)}"
        )
    return counts.drop(rare.index)


def _guess_gaps(name, words, counts, n_rows, notes):
    """Return which distinct values stand for no label, and note why."""
    is_gap = [not word or word.lower() in _UNLABELED for word in words]
    n_filled = sum(n for word, n in zip(words, counts, strict=True) if word)
    for i, word in enumerate(words):
        if word == "None":
            is_gap[i] = n_filled == n_rows and counts[i] <= _MAX_NONE_SHARE * n_rows
            if not is_gap[i]:
                notes.append(
                    f"None is a class of {name} ({counts[i]} rows); --missing None "
                    "makes these rows unlabeled"
                )
    is_minus_one = [as_float(word) == -1 for word in words]
    if any(is_minus_one):
        marks = zip(words, is_gap, is_minus_one, strict=True)
        others = [word for word, *is_other in marks if not any(is_other)]
        numbers = [as_float(word) for word in others]
        if len(others) < 2:
            notes.append(f"-1 is one of the two classes of {name}")
        # Among many numbers, or beside another negative one, -1 is a label, too.
        elif None in numbers or (min(numbers) >= 0 and len(numbers) <= MAX_NUMBERS):
            is_gap = [a or b for a, b in zip(is_gap, is_minus_one, strict=True)]
    shown = [
        f"{word!r} ({n})"
        for word, n, gap in zip(words, counts, is_gap, strict=True)
        if gap and word
    ]
    if shown:
        notes.append(
            f"in {name} these mean that a row is unlabeled: {listed(shown)}; "
            "--missing '' makes them classes, and --missing VALUE names others"
        )
    return is_gap


def _typed(labels, is_written):
    """Return labels as whole numbers or truth values where all are, else as text."""
    kinds = set(map(type, labels.values()))
    if kinds <= {int} or kinds <= {bool}:
        return labels
    words = {i: str(value) for i, value in labels.items()}
    if not is_written:
        return words
    stripped = {i: word.strip() for i, word in words.items()}
    if all(_WHOLE.fullmatch(word) for word in stripped.values()):
        return {i: int(word.partition(".")[0]) for i, word in stripped.items()}
    if all(word.lower() in TRUTH for word in stripped.values()):
        return {i: TRUTH[word.lower()] for i, word in stripped.items()}
    return words


def _note_spellings(name, labels, counts, notes):
    """Point out labels that differ by blanks and capitals only."""
    spellings: dict[str, Counter] = defaultdict(Counter)
    for i, label in labels.items():
        if isinstance(label, str):
            spellings[" ".join(label.split()).casefold()][label] += int(counts[i])
    shown = [
        f"{word!r} ({n})"
        for found in spellings.values()
        if len(found) > 1
        for word, n in found.items()
    ]
    if shown:
        notes.append(
            f"{name} has classes that may be spellings of one: {listed(shown)}; spell "
            "them alike in the file to merge them"
        )


# Columns to learn from


class Features:
    """Columns that estimators can use, of any rows of a file; text becomes words."""

    def __init__(self, frame, keep, path, notes):
        left = _usable(frame, keep, path, notes)
        self.frame = frame[left]
        # Beyond single precision, in which trees compare.
        huge = {
            name: np.abs(column.to_numpy(np.float64, na_value=np.nan)) > _MOST
            for name, column in self.frame.items()
            if getattr(column.dtype, "kind", "O") == "f"
        }
        if huge := {name: rows for name, rows in huge.items() if rows.any()}:
            notes.append(
                f"infinite or huge numbers are treated as missing in {listed(huge)}"
            )
            masked = {name: frame[name].mask(rows) for name, rows in huge.items()}
            self.frame = self.frame.assign(**masked)
        self.words = {}
        self._texts = [n for n in left if n not in keep and _is_text(self.frame[n])]
        many = [
            name
            for name, column in self.frame.items()
            if name not in self._texts
            and kind_of(column) == "category"
            and column.nunique() > len(column) / 2
        ]
        if many:
            notes.append(
                f"most rows have a value of their own in {listed(many)}, which is of "
                "little use as a category"
            )

    def fit_words(self, rows, notes):
        """Learn the most frequent words of each text in some rows."""
        for name in self._texts:
            words = TfidfVectorizer(
                max_features=MAX_WORDS, min_df=2, max_df=0.98, dtype=np.float32
            )
            try:
                words.fit(_as_words(self.frame[name].iloc[rows]))
            except ValueError:
                # No word is in two rows.
                notes.append(f"dropped the text {name}: its rows have no common words")
                continue
            self.words[name] = words
            n_words = len(words.vocabulary_)
            notes.append(
                f"{name} is free text: {n_words} of its most frequent words are "
                f"columns (--drop {name} drops it, --keep {name} uses it as a category)"
            )
        if not self.words and len(self._texts) == self.frame.shape[1]:
            msg = "no column to learn from is left: the texts have no common words."
            raise InputError(msg)

    def take(self, rows):
        """Return the features of rows by their positions, (n, n_features)."""
        import pandas as pd

        chosen = self.frame.iloc[rows].reset_index(drop=True)
        parts = [chosen.drop(columns=self._texts)]
        for name, words in self.words.items():
            names = [f"{name}: {word}" for word in words.get_feature_names_out()]
            values = words.transform(_as_words(chosen[name])).toarray()
            parts.append(pd.DataFrame(values, columns=names))
        taken = pd.concat(parts, axis=1)
        return taken.loc[:, ~taken.columns.duplicated()]

    def fact(self):
        """Return a sentence on which columns are of which type."""
        kinds = defaultdict(list)
        for name in self.frame:
            kind = "text" if name in self._texts else kind_of(self.frame[name])
            kinds[kind].append(name)
        shown = []
        for kind, names in kinds.items():
            noun = kind if len(names) == 1 else _PLURALS.get(kind, f"{kind}s")
            shown.append(f"{len(names)} {noun} ({listed(names)})")
        return f"columns: {'; '.join(shown)}"


def kind_of(column):
    """Return what a column holds, in a word."""
    if hasattr(column.dtype, "categories"):
        return "category"
    if getattr(column.dtype, "kind", "O") == "b":
        return "truth value"
    return _KINDS.get(kind_of_type(type(_first(column))), "category")


def is_nested(column):
    """Return whether cells are lists or mappings."""
    values = column.dropna()
    return len(values) > 0 and not isinstance(values.iloc[0], Hashable)


# Columns that are left out or changed


def _usable(frame, keep, path, notes):
    """Return the names of the columns to learn from, and note the others."""
    unusable: dict[str | None, list] = defaultdict(list)
    left: list = []
    for name in frame:
        reason = _reason_to_drop(frame[name])
        if name in keep and reason == _CONSTANT:
            reason = None
        elif reason is None and name not in keep and _is_id(name, frame[name]):
            reason = _ID
        (left if reason is None else unusable[reason]).append(name)
    for reason, names in unusable.items():
        more = " (--keep COL keeps one)" if reason == _ID else ""
        notes.append(f"dropped columns {reason}: {listed(names)}{more}")
    if not left:
        msg = f"{path} has no column to learn from besides target and source."
        if unusable[_ID]:
            msg += f" These look like ids: {listed(unusable[_ID])}; --keep COL."
        raise InputError(msg)
    return left


def _reason_to_drop(column):
    if column.isna().all():
        return "without any value"
    if isinstance(_first(column), bytes):
        return "of bytes"
    if is_nested(column):
        return "of lists"
    return _CONSTANT if column.nunique(dropna=False) == 1 else None


def _first(column):
    return column.iloc[int(np.argmax(column.notna()))]


def _is_id(name, column):
    """Return whether cells number or name the rows, one by one."""
    known = column.dropna()
    n_distinct = known.nunique()
    if n_distinct < _DISTINCT_OF_ID * len(known):
        return False
    kind = kind_of(column)
    if kind == "category":
        return _mean_words(known) < _WORDS_OF_TEXT
    if kind != "number":
        return False
    values = known.to_numpy(np.float64)
    if not np.all(np.isfinite(values) & (values == np.floor(values))):
        return False
    is_range = n_distinct == len(known) and np.ptp(values) < 1.5 * len(column)
    return bool(is_range or _ID_NAME.search(name))


def _is_text(column):
    if kind_of(column) != "category" or hasattr(column.dtype, "categories"):
        return False
    known = column.dropna()
    is_varied = known.nunique() >= _DISTINCT_OF_TEXT * len(known)
    return is_varied and _mean_words(known) >= _WORDS_OF_TEXT


def _mean_words(known):
    return np.mean([len(str(cell).split()) for cell in known.iloc[:1000]])


def _as_words(column):
    return column.where(column.notna(), "").astype(str)


# Leaks


def find_leaks(X, y, *, regresses=False):
    """Return the columns that alone predict nearly all held-out rows."""
    # The balanced accuracy, or R2, of a small tree on half of the rows.
    n_rows = min(len(y) // 2, _MAX_LEAK_ROWS)
    train, test = train_test_split(
        np.arange(len(y)),
        train_size=n_rows,
        test_size=n_rows,
        stratify=None if regresses else y,
        random_state=0,
    )
    tree, measure = DecisionTreeClassifier, balanced_accuracy_score
    if regresses:
        tree, measure = DecisionTreeRegressor, r2_score
    found = {}
    for name in X:
        # Missing cells alone may give the target away.
        encoder = TabularEncoder(categories="ordinal", scale=False, flag_missing=True)
        fitted = tree(max_leaf_nodes=200, random_state=0).fit(
            encoder.fit_transform(X[[name]].iloc[train]), y[train]
        )
        predicted = fitted.predict(encoder.transform(X[[name]].iloc[test]))
        score = measure(y[test], predicted)
        if score >= _LEAK:
            found[name] = float(score)
    return found


# Groups that no split divides


def group_codes(column, notes):
    """Return a number for each group that the user names, -1 for rows without one."""
    codes, distinct = column.factorize()
    n_rows, n_alone = len(codes), int((codes < 0).sum())
    notes.append(f"{column.name} has {len(distinct)} groups, which no split divides")
    if n_alone:
        notes.append(
            f"{n_alone} of {n_rows} rows have no {column.name}, and each is a group"
        )
    return codes


def join_groups(X, given, notes):
    """Return groups of rows, (n,) int: those given, joined where rows are equal."""
    # None where every row is a group; `given` is -1 for rows without a group.
    n = len(X)
    first, copies = distinct_rows(X)
    n_distinct = len(first)
    if n_distinct < n and n_distinct < _LEAST_DISTINCT * n:
        notes.append(
            f"only {n_distinct} of {n} rows are distinct: equal rows are on both sides "
            "of a split"
        )
        copies, n_distinct = np.arange(n), n
    elif n_distinct < n:
        notes.append(
            f"{n - n_distinct} of {n} rows are copies of another row: copies stay on "
            "one side of every split"
        )
    if given is None:
        return None if n_distinct == n else copies
    given = np.where(given < 0, given.max() + 1 + np.arange(n), given)
    width = int(max(given.max(), copies.max())) + 1
    edges = csr_matrix((np.ones(n), (given, width + copies)), (2 * width, 2 * width))
    _, component = connected_components(edges, directed=False)
    return np.unique(component[given], return_inverse=True)[1]

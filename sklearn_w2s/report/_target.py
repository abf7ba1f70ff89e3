"""The column to predict: classes or a quantity, and which of its cells are labels."""

import re
from collections import Counter, defaultdict

import numpy as np

from sklearn_w2s.report._cells import TRUTH, read_columns
from sklearn_w2s.report._features import kind_of
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


# A quantity


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


# Classes


def read_labels(column, missing, is_written, notes):
    """Return labels, None where a row has none."""
    # `missing` marks rows without a label, None guesses; `is_written` is for files that
    # hold all as text. Truth values and whole numbers are such, and all others text.
    codes, distinct = column.factorize()
    values = [_plain(value) for value in distinct]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    words = [str(value).strip() for value in values]
    if missing is None:
        is_gap = _guess_gaps(column.name, words, counts, len(column), notes)
    else:
        is_gap = [not word or _is_among(word, missing) for word in words]
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


def _plain(value):
    value = value.item() if isinstance(value, np.generic) else value
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _is_among(word, missing):
    """Return whether a word is one of those for missing cells, as text or number."""
    marks = [mark.strip() for mark in missing]
    numbers = {as_float(mark) for mark in marks} - {None}
    return word in marks or as_float(word) in numbers


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
        if len(others) < 2:
            notes.append(f"-1 is one of the two classes of {name}")
        elif not _is_measure(others):
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


def _is_measure(words):
    """Return whether labels are numbers beside -1 of which one is negative, or many."""
    numbers = [as_float(word) for word in words]
    if None in numbers:
        return False
    return min(numbers) < 0 or len(numbers) > MAX_NUMBERS


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

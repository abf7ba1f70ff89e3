"""The column to predict: which of its cells are labels, and which stand for none."""

import re
from collections import Counter, defaultdict

import numpy as np

from sklearn_w2s.report._errors import listed

# In lower case, besides empty cells; None and -1 depend on what stands beside them.
_UNLABELED = ("?", "na", "n/a", "<na>", "null", "nan")
_MAX_NONE_SHARE = 0.02
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)(\.0*)?")
_TRUTH = {"true": True, "false": False}


def read_labels(column, missing, is_written, notes):
    """Return labels, None where a row has none.

    Parameters
    ----------
    column : pandas.Series
        The target as in the file.
    missing : tuple of str or None
        What stands for no label besides empty cells; None guesses.
    is_written : bool
        Whether numbers and truth values are in the file as text.
    notes : list of str
        Takes what was chosen.

    Returns
    -------
    pandas.Series
        Truth values and whole numbers as such, and all others as text.
    """
    codes, distinct = column.factorize()
    values = [_plain(value) for value in distinct]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    words = [str(value).strip() for value in values]
    if missing is None:
        is_gap = _guess(column.name, words, counts, len(column), notes)
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


def _plain(value):
    value = value.item() if isinstance(value, np.generic) else value
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _is_among(word, missing):
    return any(word == m.strip() or _number(word) == _number(m) for m in missing)


def _number(text):
    """Return a number, or what is equal to nothing else."""
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _guess(name, words, counts, n_rows, notes):
    """Say which distinct values stand for no label, and why."""
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
    is_minus_one = [_number(word) == -1 for word in words]
    if any(is_minus_one):
        marks = zip(words, is_gap, is_minus_one, strict=True)
        others = [word for word, *is_other in marks if not any(is_other)]
        if len(others) < 2:
            notes.append(f"-1 is one of the two classes of {name}")
        elif not _is_measure(others):
            is_gap = [a or b for a, b in zip(is_gap, is_minus_one, strict=True)]
    told = [
        f"{word!r} ({n})"
        for word, n, gap in zip(words, counts, is_gap, strict=True)
        if gap and word
    ]
    if told:
        notes.append(
            f"in {name} these count as no label: {listed(told)}; --missing '' makes "
            "classes of them, and --missing VALUE names what counts"
        )
    return is_gap


def _is_measure(words):
    """Say whether labels are numbers of which -1 is one: others below 0, or many."""
    numbers = [_number(word) for word in words]
    if any(isinstance(number, str) for number in numbers):
        return False
    return min(numbers) < 0 or len(numbers) > 20


def _typed(labels, is_written):
    values = list(labels.values())
    kinds = set(map(type, values))
    if kinds <= {int} or kinds <= {bool}:
        return labels
    words = {i: str(value) for i, value in labels.items()}
    if not is_written:
        return words
    stripped = {i: word.strip() for i, word in words.items()}
    if all(_WHOLE.fullmatch(word) for word in stripped.values()):
        return {i: int(word.partition(".")[0]) for i, word in stripped.items()}
    if all(word.lower() in _TRUTH for word in stripped.values()):
        return {i: _TRUTH[word.lower()] for i, word in stripped.items()}
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
            f"{name} has classes that may be spellings of one: {listed(shown)}; write "
            "them alike in the file to merge them"
        )

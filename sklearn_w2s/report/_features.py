"""Columns to learn from: which of them do, text as words, leaks, and copies of rows."""

import re
from collections import defaultdict
from collections.abc import Hashable
from datetime import date, time
from numbers import Number

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.report._errors import InputError, listed

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
# With fewer distinct rows, equal rows are no copies but all that the columns can tell.
_LEAST_DISTINCT = 0.1


class Features:
    """Columns that estimators can use, of any rows of a file; text becomes words.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as read.
    keep : sequence of str
        Columns that are features whatever they look like.
    path : str
        Of the file, for errors.
    notes : list of str
        Takes what was left out or changed.

    Raises
    ------
    InputError
        If nothing is left.
    """

    def __init__(self, frame, keep, path, notes):
        reasons = {name: _reason_to_leave_out(frame[name]) for name in frame}
        for name in frame:
            if name in keep and reasons[name] in (_CONSTANT, None):
                reasons[name] = None
            elif reasons[name] is None and _is_id(name, frame[name]):
                reasons[name] = _ID
        unusable = defaultdict(list)
        for name, reason in reasons.items():
            if reason:
                unusable[reason].append(name)
        for reason, names in unusable.items():
            more = " (--keep COL keeps one)" if reason == _ID else ""
            notes.append(f"left out the columns {reason}: {listed(names)}{more}")
        left = [name for name, reason in reasons.items() if not reason]
        if not left:
            msg = f"{path} has no column to learn from besides target and source."
            if unusable[_ID]:
                msg += f" These look like ids: {listed(unusable[_ID])}; --keep COL."
            raise InputError(msg)
        self.frame = _without_huge_numbers(frame[left], notes)
        self.words = {}
        texts = [n for n in left if n not in keep and _is_text(self.frame[n])]
        self._texts = dict.fromkeys(texts)
        many = [n for n in left if n not in texts and _is_varied(self.frame[n])]
        if many:
            notes.append(
                "most rows have a text of their own in "
                f"{listed(many)}, which says little as a category"
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
                notes.append(f"left out the text {name}, which has no words in common")
                continue
            self.words[name] = words
            n_words = len(words.vocabulary_)
            notes.append(
                f"{name} is free text: {n_words} of its most frequent words are "
                f"columns (--drop {name} leaves it out, --keep {name} takes it as a "
                "category)"
            )
        if not self.words and len(self._texts) == self.frame.shape[1]:
            msg = "no column to learn from is left: the words of the texts all differ."
            raise InputError(msg)

    def take(self, rows):
        """Return the features of rows by their positions, (n, n_features)."""
        import pandas as pd

        chosen = self.frame.iloc[rows].reset_index(drop=True)
        parts = [chosen.drop(columns=list(self._texts))]
        for name, words in self.words.items():
            names = [f"{name}: {word}" for word in words.get_feature_names_out()]
            values = words.transform(_as_words(chosen[name])).toarray()
            parts.append(pd.DataFrame(values, columns=names))
        taken = pd.concat(parts, axis=1)
        if taken.columns.is_unique:
            return taken
        return taken.loc[:, ~taken.columns.duplicated()]

    def fact(self):
        """Say which columns are of which type."""
        kinds = defaultdict(list)
        for name in self.frame:
            kind = "text" if name in self._texts else kind_of(self.frame[name])
            kinds[kind].append(name)
        told = [
            f"{len(names)} {_noun(kind, len(names))} ({listed(names)})"
            for kind, names in kinds.items()
        ]
        return f"columns: {'; '.join(told)}"


_CONSTANT = "with one value only"
_ID = "that number or name the rows"
_KINDS = {"b": "truth value", "M": "date", "m": "duration"}
_PLURALS = {"category": "categories", "time of day": "times of day"}


def _noun(kind, count):
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


def kind_of(column):
    """Return what a column holds, in a word."""
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


def is_nested(column):
    """Say whether cells are lists or mappings."""
    values = column.dropna()
    return len(values) > 0 and not isinstance(values.iloc[0], Hashable)


def _reason_to_leave_out(column):
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
    """Say whether cells number or name the rows, one by one."""
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


def _is_varied(column):
    return kind_of(column) == "category" and column.nunique() > len(column) / 2


def _mean_words(known):
    return np.mean([len(str(cell).split()) for cell in known.iloc[:1000]])


def _as_words(column):
    return column.where(column.notna(), "").astype(str)


def _without_huge_numbers(features, notes):
    huge = {name: _is_too_large(features[name]) for name in features}
    huge = {name: rows for name, rows in huge.items() if rows.any()}
    if not huge:
        return features
    notes.append(f"infinite or huge numbers count as missing in {listed(huge)}")
    mended = {name: features[name].mask(rows) for name, rows in huge.items()}
    return features.assign(**mended)


def _is_too_large(column):
    """Say which numbers are beyond single precision, in which trees compare."""
    if getattr(column.dtype, "kind", "O") != "f":
        return np.zeros(len(column), dtype=bool)
    return np.abs(column.to_numpy(np.float64, na_value=np.nan)) > np.finfo("f4").max


def find_leaks(X, y, *, regresses=False):
    """Return the columns that alone tell the label of nearly all rows held out.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n, n_features)
        Rows with a label.
    y : ndarray of shape (n,)
        Labels.
    regresses : bool, default=False
        Whether these are values.

    Returns
    -------
    dict of str to float
        Balanced accuracy, or R2, of a small tree on half of the rows.
    """
    n_rows = min(len(y) // 2, _MAX_LEAK_ROWS)
    train, test = train_test_split(
        np.arange(len(y)),
        train_size=n_rows,
        test_size=n_rows,
        stratify=None if regresses else y,
        random_state=0,
    )
    kind, measure = DecisionTreeClassifier, balanced_accuracy_score
    if regresses:
        kind, measure = DecisionTreeRegressor, r2_score
    found = {}
    for name in X:
        # That a cell is empty may tell all.
        encoder = TabularEncoder(categories="ordinal", scale=False, flag_missing=True)
        tree = kind(max_leaf_nodes=200, random_state=0)
        fitted = tree.fit(encoder.fit_transform(X[[name]].iloc[train]), y[train])
        said = fitted.predict(encoder.transform(X[[name]].iloc[test]))
        score = measure(y[test], said)
        if score >= _LEAK:
            found[name] = float(score)
    return found


def find_copies(X):
    """Return a number for each row, the same for equal ones, (n,) int."""
    codes = np.zeros(len(X), dtype=np.int64)
    for name in X:
        cells, distinct = X[name].factorize()
        _, codes = np.unique(codes * (len(distinct) + 1) + cells, return_inverse=True)
    return codes


def join_groups(X, given, notes):
    """Return groups that no split divides: those given, and copies of rows.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n, n_features)
        Rows.
    given : ndarray of shape (n,) of int or None
        Groups of the user; -1 for none.
    notes : list of str
        Takes what was found of copies.

    Returns
    -------
    ndarray of shape (n,) of int, or None
        None where every row is a group of its own.
    """
    n = len(X)
    copies = find_copies(X)
    n_distinct = int(copies.max()) + 1
    if n_distinct < n and n_distinct < _LEAST_DISTINCT * n:
        notes.append(
            f"only {n_distinct} of {n} rows differ: equal rows stand on both sides of "
            "a split"
        )
        copies, n_distinct = np.arange(n), n
    elif n_distinct < n:
        notes.append(
            f"{n - n_distinct} of {n} rows are copies of another one: copies stay on "
            "one side of every split"
        )
    if given is None:
        return None if n_distinct == n else copies
    given = np.where(given < 0, given.max() + 1 + np.arange(n), given)
    width = int(max(given.max(), copies.max())) + 1
    edges = csr_matrix((np.ones(n), (given, width + copies)), (2 * width, 2 * width))
    _, component = connected_components(edges, directed=False)
    return np.unique(component[given], return_inverse=True)[1]

"""Columns to learn from: which of them do, text as words, leaks, and groups of rows."""

import re
from collections import defaultdict
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
from sklearn_w2s.report._read import InputError, listed

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
_CONSTANT = "with a single value"
_ID = "that look like ids or row numbers"
_KINDS = {
    "numbers": "number",
    "dates": "date",
    "durations": "duration",
    "times of day": "time of day",
}
_PLURALS = {"category": "categories", "time of day": "times of day"}


class Features:
    """Columns that estimators can use, of any rows of a file; text becomes words."""

    def __init__(self, frame, keep, path, notes):
        left = _usable(frame, keep, path, notes)
        self.frame = _without_huge_numbers(frame[left], notes)
        self.words = {}
        self._texts = [n for n in left if n not in keep and _is_text(self.frame[n])]
        many = [n for n in left if n not in self._texts and _is_varied(self.frame[n])]
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
        shown = [
            f"{len(names)} {_noun(kind, len(names))} ({listed(names)})"
            for kind, names in kinds.items()
        ]
        return f"columns: {'; '.join(shown)}"


def _noun(kind, count):
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


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
    notes.append(f"infinite or huge numbers are treated as missing in {listed(huge)}")
    masked = {name: features[name].mask(rows) for name, rows in huge.items()}
    return features.assign(**masked)


def _is_too_large(column):
    """Return which numbers are beyond single precision, in which trees compare."""
    if getattr(column.dtype, "kind", "O") != "f":
        return np.zeros(len(column), dtype=bool)
    return np.abs(column.to_numpy(np.float64, na_value=np.nan)) > np.finfo("f4").max


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

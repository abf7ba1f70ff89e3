"""Columns of a table: what kind of values each holds, and how these are read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from numbers import Complex, Integral, Number, Real
from typing import Any

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._validation import is_dataframe, is_missing

MISSING, UNKNOWN = -1, -2

_NUMBERS, _TEXT = "numbers", "text"
_DATES, _ZONED = "dates", "dates with a time zone"
_DURATIONS, _TIMES = "durations", "times of day"
_KNOWN = {_NUMBERS, _TEXT, _DATES, _ZONED, _DURATIONS, _TIMES}
_FINE_UNITS = {"ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15}
_DAY = 86_400
_PARTS = ("month", "day", "weekday", "hour")


class Columns:
    """The columns of a table, each read as what it was in `fit`.

    Equal values are read alike, whatever the type of the column that holds them.
    """

    def fit(self, X):
        """Decide what the columns of a matrix or data frame are."""
        self.numeric: list[int] = []
        self.categorical: list[int] = []
        self.kinds: list[list[str]] = []
        self.parts: list[tuple[int, str]] = []
        self.categories: list[list[Any]] = []
        if _is_numeric(X):
            self.numeric = list(range(X.shape[1]))
            is_empty = np.zeros(X.shape[1], dtype=bool)
            if X.dtype.kind == "f" and not sp.issparse(X):
                is_empty = np.isnan(X[0])
                is_empty[is_empty] = np.isnan(X[:, is_empty]).all(axis=0)
            self.kinds = [[] if is_unknown else [_NUMBERS] for is_unknown in is_empty]
            return self
        _refuse_numbers_as_text(X)
        for j in range(X.shape[1]):
            cells = _read(X, j)
            kinds = [] if cells.is_empty() else sorted(cells.kinds())
            self.kinds.append(kinds)
            if not cells.is_categorical:
                cells.require_one_kind()
            if kinds and (cells.is_categorical or kinds == [_TEXT]):
                self.categorical.append(j)
                self.categories.append(_sorted(set(_keys(cells.distinct))))
                continue
            self.numeric.append(j)
            if kinds in ([_DATES], [_ZONED]):
                for part, numbers in _calendar(cells.numbers()).items():
                    if len(np.unique(numbers[~np.isnan(numbers)])) > 1:
                        self.parts.append((j, part))
        return self

    @property
    def are_plain(self):
        """Whether all columns are numbers, which may share a unit."""
        return not self.categorical and all(k in ([], [_NUMBERS]) for k in self.kinds)

    @property
    def n_numbers(self):
        """Number of columns that `numbers` returns."""
        return len(self.numeric) + len(self.parts)

    def numbers(self, X):
        """Return the numeric columns, then the calendar parts of dates.

        Dates are days since 1970 (UTC if zoned), durations and times of day seconds.
        """
        # Of a column without any value in `fit`, nothing was learned.
        empty = [not kinds for kinds in self.kinds]
        if _is_numeric(X) and self.are_plain:
            dtype = np.float32 if X.dtype == np.float32 else np.float64
            X = X.astype(dtype, copy=False)
            return np.where(empty, dtype(np.nan), X) if any(empty) else X
        nothing = np.full(X.shape[0], np.nan)
        columns = {
            j: nothing if empty[j] else self._cells(X, j).numbers()
            for j in self.numeric
        }
        calendars = {j: _calendar(columns[j]) for j, _ in self.parts}
        parts = [calendars[j][part] for j, part in self.parts]
        return np.column_stack([*columns.values(), *parts])

    def codes(self, X):
        """Return positions of values among the categories, (n, n_categorical)."""
        codes = np.empty((X.shape[0], len(self.categorical)), dtype=np.int64)
        for k, j in enumerate(self.categorical):
            cells = self._cells(X, j, exact=True).grouped()
            code_of = {key: code for code, key in enumerate(self.categories[k])}
            known = [code_of.get(key, UNKNOWN) for key in _keys(cells.distinct)]
            codes[:, k] = np.array([*known, MISSING])[cells.inverse]
        return codes

    def _cells(self, X, j, *, exact=False):
        cells = _read(X, j, exact=exact)
        fitted = self.kinds[j]
        strange = {k: v for k, v in cells.kinds().items() if k not in fitted}
        if strange and not cells.is_empty():
            kind, example = next(iter(strange.items()))
            if cells.values is not None:
                example = cells.values[~_is_missing(cells.values)][0]
                example = example.item() if kind == _NUMBERS else str(example)
            msg = (
                f"{cells.name} holds {kind}, such as {example!r:.80}, but held "
                f"{' and '.join(fitted)} in fit. Convert it to what it was."
            )
            raise ValueError(msg)
        return cells


def numbers_of(X):
    """Return the columns of X as numbers, (n, n_features) float64; refuse others."""
    columns = [_read(X, j) for j in range(X.shape[1])]
    for cells in columns:
        strange = sorted(cells.kinds().keys() - {_NUMBERS})
        if strange:
            msg = f"{cells.name} holds {' and '.join(strange)}."
            raise ValueError(msg)
    return np.column_stack([cells.numbers() for cells in columns])


def values_of(X, j, *, as_text):
    """Return column j as texts, gaps empty, or as numbers, gaps NaN: arrays (n,)."""
    if not as_text:
        return _read(X, j).numbers()
    cells = _read(X, j, exact=True).grouped()
    return np.array([*map(str, cells.distinct), ""], dtype=object)[cells.inverse]


def distinct_rows(X, *more):
    """Return the first position of each distinct row, and each row's number among them.

    `more` holds further columns to compare. Rows that cannot be compared all differ.
    """
    n = X.shape[0]
    try:
        key = _row_keys(X, more)
    except TypeError:
        return np.arange(n), np.arange(n)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.intp)
    order = np.argsort(first)
    place[order] = np.arange(len(first))
    return first[order], place[inverse.ravel()]


def _row_keys(X, more):
    """Return a hash of 64 bits for each row, equal for equal rows."""
    if not (is_dataframe(X) or sp.issparse(X) or isinstance(X, np.ndarray)):
        msg = f"rows of {type(X).__name__} cannot be compared"
        raise TypeError(msg)
    key = np.zeros(X.shape[0], dtype=np.uint64)
    if sp.issparse(X):
        cells = X.tocsr().sorted_indices()
        cells.sum_duplicates()
        cells.eliminate_zeros()
        bits = _hashed(_hashed(np.uint64(0), cells.indices), cells.data)
        sums = np.concatenate([key[:1], np.cumsum(bits, dtype=np.uint64)])
        key = sums[cells.indptr[1:]] - sums[cells.indptr[:-1]]
    else:
        for j in range(X.shape[1]):
            if _is_numeric(X):
                column = X[:, j]
            else:
                cells = _read(X, j, exact=True)
                column = cells.values if cells.inverse is None else cells.inverse
            key = _hashed(key, column)
    for array in more:
        for column in np.atleast_2d(array.T):
            key = _hashed(key, column)
    return key


def _hashed(key, values):
    """Return keys of 64 bits, mixed with values: SplitMix64, which is one to one."""
    if values.dtype.kind == "f":
        values = values.astype(np.float64) + 0.0  # of which there is one zero only
        values[np.isnan(values)] = np.nan
    elif values.dtype.kind in "Mm":
        values = values.view(np.int64)
    else:
        values = values.astype(np.int64)
    key = (key ^ values.view(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def known_share(X, j):
    """Return the share of rows in which a value of column j is known."""
    try:
        cells = _read(X, j)
    except TypeError:
        return 1.0  # nested values, which are for other estimators to read
    if cells.values is None:
        return (cells.inverse != MISSING).mean()
    return 1 - _is_missing(cells.values).mean()


@dataclass
class _Cells:
    """One column: its values, or its distinct ones and their position in each row."""

    name: str
    values: np.ndarray | None = None
    distinct: tuple = ()
    inverse: np.ndarray | None = None
    is_zoned: bool = False
    is_categorical: bool = False

    def kinds(self):
        """Return an example of each kind of value."""
        if self.values is None:
            kind_of = {t: kind_of_type(t) for t in set(map(type, self.distinct))}
            examples: dict[str, Any] = {}
            for value in self.distinct:
                kind = kind_of[type(value)]
                if kind == _DATES and getattr(value, "tzinfo", None) is not None:
                    kind = _ZONED
                examples.setdefault(kind, value)
            return examples
        kind = {"M": _ZONED if self.is_zoned else _DATES, "m": _DURATIONS}
        first = self.values[0] if len(self.values) else None
        return {kind.get(self.values.dtype.kind, _NUMBERS): first}

    def is_empty(self):
        """Return whether no value is known."""
        return (
            not self.distinct if self.values is None else _is_missing(self.values).all()
        )

    def require_one_kind(self):
        """Refuse mixtures of kinds, and values of unknown kind."""
        examples = self.kinds()
        strange = [kind for kind in examples if kind not in _KNOWN]
        if strange:
            _refuse_type(self.name, strange[0])
        if len(examples) > 1:
            shown = " and ".join(f"{value!r:.80}" for value in examples.values())
            msg = (
                f"{self.name} mixes {' and '.join(sorted(examples))}, such as {shown}. "
                "Make it one of them, or of a categorical type."
            )
            raise ValueError(msg)

    def numbers(self):
        """Return the values as floats, NaN for gaps."""
        if self.values is None:
            return np.append(_numbers(self.distinct), np.nan)[self.inverse]
        if self.values.dtype.kind in "Mm":
            return _count(self.values)
        return self.values.astype(np.float64, copy=False)

    def grouped(self):
        """Return the column with its distinct values."""
        if self.values is None:
            return self
        distinct, inverse = np.unique(self.values, return_inverse=True)
        missing = _is_missing(distinct)
        inverse = np.where(missing[inverse], MISSING, inverse)
        # Gaps come last.
        distinct = distinct[~missing]
        listed = distinct.tolist() if distinct.dtype.kind in "biuf" else list(distinct)
        return _Cells(self.name, distinct=tuple(listed), inverse=inverse)


def _is_numeric(X):
    return not is_dataframe(X) and X.dtype.kind in "biuf"


def _read(X, j, *, exact=False):
    """Return the cells of column j; `exact` keeps integers that no float can hold."""
    name = f"Column {X.columns[j]!r} of X" if is_dataframe(X) else f"Column {j} of X"
    if not is_dataframe(X):
        column = X[:, [j]].toarray()[:, 0] if sp.issparse(X) else X[:, j]
        return _of_array(column, name, exact=exact)
    # By position, where a name may be repeated.
    series = X.iloc[:, j] if hasattr(X, "iloc") else X[X.columns[j]]
    if hasattr(series.dtype, "is_numeric"):
        return _of_polars(series, name, exact=exact)
    return _of_pandas(series, name, exact=exact)


def _of_array(column, name, *, exact=False, is_zoned=False):
    if column.dtype.kind in "biufMm":
        return _Cells(name, column, is_zoned=is_zoned)
    return _of_list(column.tolist(), name, exact=exact)


def _of_polars(series, name, *, exact):
    dtype = series.dtype
    kind = dtype.base_type().__name__
    if kind in ("Date", "Datetime", "Duration"):
        is_zoned = getattr(dtype, "time_zone", None) is not None
        return _of_array(series.to_numpy(), name, is_zoned=is_zoned)
    if (dtype.is_numeric() or kind == "Boolean") and not exact:
        return _Cells(name, series.cast(float).to_numpy())
    is_categorical = kind in ("Categorical", "Enum")
    return _of_list(series.to_list(), name, exact=exact, is_categorical=is_categorical)


def _of_pandas(series, name, *, exact):
    dtype = series.dtype
    if hasattr(dtype, "categories"):
        distinct = tuple(series.cat.categories)
        codes = np.asarray(series.cat.codes, dtype=np.int64)
        present, inverse = np.unique(np.append(MISSING, codes), return_inverse=True)
        distinct = tuple(distinct[code] for code in present[1:])
        return _Cells(name, None, distinct, inverse[1:] - 1, is_categorical=True)
    if hasattr(dtype, "freq") and hasattr(series, "dt"):
        series = series.dt.start_time  # of a period
        dtype = series.dtype
    if dtype.kind in "iu" and exact:
        if series.isna().any():
            return _of_list(series.tolist(), name, exact=True)
        return _of_array(series.to_numpy(), name)
    if dtype.kind in "biuf":
        return _Cells(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if dtype.kind in "Mm":
        zone = getattr(dtype, "tz", None) or getattr(arrow, "tz", None)
        if zone is None:
            return _of_array(series.to_numpy(), name, exact=exact)
        unit = getattr(dtype, "unit", None) or getattr(arrow, "unit", None)
        return _Cells(name, series.to_numpy(dtype=f"M8[{unit}]"), is_zoned=True)
    is_categorical = str(arrow).startswith("dictionary")
    return _of_list(series.tolist(), name, exact=exact, is_categorical=is_categorical)


def _of_list(values, name, *, exact, is_categorical=False):
    kinds = {kind_of_type(t) for t in set(map(type, values)) - {type(None)}}
    if kinds == {_NUMBERS} and not (exact or is_categorical):
        return _Cells(name, np.array(values, dtype=np.float64))
    try:
        distinct = dict.fromkeys(values)
    except TypeError as error:
        _refuse_type(
            name, next(kind_of_type(type(v)) for v in values if not _hashes(v)), error
        )
    known = [v for v in distinct if not is_missing(v)]
    position = dict.fromkeys(distinct, MISSING)
    position.update(zip(known, range(len(known)), strict=True))
    inverse = np.array([position[v] for v in values], dtype=np.int64)
    return _Cells(name, None, tuple(known), inverse, is_categorical=is_categorical)


def _hashes(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_missing(values):
    if values.dtype.kind in "Mm":
        return np.isnat(values)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _refuse_numbers_as_text(X):
    """Refuse an array of text that NumPy made of numbers and text."""
    if is_dataframe(X) or X.dtype.kind != "U":
        return
    numeric = [j for j in range(X.shape[1]) if _reads_as_numbers(X[:, j])]
    if 0 < len(numeric) < X.shape[1]:
        msg = (
            f"X is an array of text, and its columns {numeric} read as numbers. Pass a "
            "data frame, or an array of dtype=object, in which numbers are numbers."
        )
        raise ValueError(msg)


def _reads_as_numbers(texts):
    try:
        texts.astype(np.float64)
    except ValueError:
        return False
    return True


# Values


def kind_of_type(kind):
    """Return the kind of values that a type of Python, NumPy or pandas holds."""
    if issubclass(kind, str):
        return _TEXT
    if issubclass(kind, timedelta | np.timedelta64):
        return _DURATIONS
    if issubclass(kind, date | np.datetime64) or kind.__name__ == "Period":
        return _DATES
    if issubclass(kind, time):
        return _TIMES
    is_complex = issubclass(kind, Complex) and not issubclass(kind, Real)
    if issubclass(kind, Number | np.bool_) and not is_complex:
        return _NUMBERS
    return f"values of type {kind.__name__}"


def _refuse_type(name, kind, cause=None):
    msg = (
        f"{name} holds {kind}: an argument must be a string, a date or a real number, "
        "or of a categorical type. Convert the column, or leave it out."
    )
    raise TypeError(msg) from cause


def _keys(values):
    """Return the keys of categories."""
    if set(map(type, values)) == {str}:
        return values
    return map(_key, values)


def _sorted(keys):
    return sorted(keys, key=None if set(map(type, keys)) == {str} else _place)


def _key(value):
    """Return a plain Python value for a category, equal for equal categories."""
    kind = kind_of_type(type(value))
    if kind == _TEXT:
        return str.__str__(value)
    if kind == _NUMBERS:
        if isinstance(value, Integral | np.bool_):
            return int(value)
        number = float(value)
        is_whole = np.isfinite(number) and value == int(value)
        return int(value) if is_whole else number
    if kind in _KNOWN:
        return (kind, float(_numbers([value])[0]))
    return (kind, str(value))


def _place(key):
    """Return the sort key of a category: numbers, then text, then anything else."""
    if isinstance(key, str):
        return 1, 0.0, key
    return (2, 0.0, str(key)) if isinstance(key, tuple) else (0, key, "")


def _numbers(values):
    """Return numbers, dates or durations as floats."""
    kinds = {kind_of_type(t) for t in set(map(type, values))}
    if kinds <= {_NUMBERS}:
        return np.fromiter(map(float, values), np.float64, len(values))
    numbers = np.empty(len(values))
    times: dict[np.dtype, list[int]] = {}
    for i, value in enumerate(values):
        if isinstance(value, time):
            whole = (value.hour * 60 + value.minute) * 60 + value.second
            numbers[i] = whole + value.microsecond / 1e6
        else:
            times.setdefault(_scalar(value).dtype, []).append(i)
    for dtype, places in times.items():
        scalars = [_scalar(values[i]) for i in places]
        numbers[places] = _count(np.array(scalars, dtype=dtype))
    return numbers


def _scalar(value):
    """Return a date or a duration as a NumPy scalar, in UTC."""
    value = getattr(value, "start_time", value)  # of a period
    for convert in ("to_datetime64", "to_timedelta64"):  # of pandas, to nanoseconds
        if hasattr(value, convert):
            return getattr(value, convert)()
    if isinstance(value, timedelta):
        return np.timedelta64(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(value) if isinstance(value, date) else value


def _count(times):
    """Return days of dates or seconds of durations of any unit, NaN for gaps."""
    seconds = _DAY if times.dtype.kind == "M" else 1
    unit = np.datetime_data(times.dtype)[0]
    if unit == "generic":
        return np.full(times.shape, np.nan)
    per_second = _FINE_UNITS.get(unit, 1)
    unit = unit if unit in _FINE_UNITS else "s"
    counts = times.astype(f"{times.dtype.kind}8[{unit}]").view(np.int64)
    # A quotient of integers below 2**53 is rounded once, whatever their unit.
    whole, rest = np.divmod(counts, per_second * seconds)
    return np.where(np.isnat(times), np.nan, whole + rest / (per_second * seconds))


def _calendar(days):
    """Return the calendar parts of days since 1970, Monday being weekday 0."""
    parts = {part: np.full(days.shape, np.nan) for part in _PARTS}
    known = np.isfinite(days)
    whole = np.floor(days[known])
    dates = whole.astype(np.int64).view("M8[D]")
    months = dates.astype("M8[M]")
    seconds = np.round((days[known] - whole) * _DAY, 3)
    parts["month"][known] = months.astype(np.int64) % 12 + 1
    parts["day"][known] = (dates - months).astype(np.int64) + 1
    parts["weekday"][known] = (whole + 3) % 7
    parts["hour"][known] = np.minimum(seconds // 3600, 23)
    return parts

"""Columns of text as people write them: truth values, numbers, times or text.

A column is read by its distinct cells: as truth values, else as numbers, else as dates,
times of day or durations, else as text. What nearly all cells are, the column is.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Any

import numpy as np

from sklearn_w2s.report._read import InputError, as_float, listed

# The share of cells that decides what a column is; the others become missing.
ENOUGH = 0.95
TRUTH = {"true": True, "false": False}
# What stands for nothing among numbers, dates and truth values, in lower case.
_GAPS = {
    *("", "-", "--", "\u2013", "\u2014", "?", ".", "na", "n/a", "#n/a", "<na>", "nan"),
    *("null", "none"),
}
# And among texts, where "-" or "none" may well mean something.
_TEXT_GAPS = {"", "NA", "N/A", "n/a", "?"}
_MOST_SPELLINGS = 6
# The note on the columns with a trait.
_SENTENCES = {
    "comma": "commas are read as decimal in {names} (--decimal . overrides)",
    "comma guessed": (
        "commas are read as decimal in {names}, as ';' separates the cells "
        "(--decimal . overrides)"
    ),
    "thousands": (
        "commas are read as thousands separators in {names} (--decimal , overrides)"
    ),
    "points": (
        "points are read as thousands separators in {names}, as commas are decimal in "
        "other columns (--decimal . overrides)"
    ),
    "currency": "removed currency signs from {names}",
    "percent": "removed percent signs from {names}",
    "brackets": "numbers in brackets are read as negative in {names}",
    "gaps": "missing cells in {names}: {n}, written {shown}",
    "rest": (
        "cells that cannot be read as the rest of their column are missing in "
        "{names}: {n}, {shown}"
    ),
    "codes": "numbers with leading zeros and codes are kept as text in {names}",
    "month first": "dates are read as month/day in {names}, but may be day/month",
    "day first": "dates are read as day, month in {names}, but may be month, day",
}


@dataclass(frozen=True)
class Writing:
    """How a file was written, as far as it is given or its separator implies."""

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: tuple | None = None

    def __post_init__(self):
        for option, allowed in (("decimal", ".,"), ("thousands", ".,' _")):
            mark = getattr(self, option)
            if mark is not None and (len(mark) != 1 or mark not in allowed):
                shown = " ".join(map(repr, allowed))
                msg = f"{option} must be one of {shown}, got {mark!r}."
                raise InputError(msg)
        if self.decimal is not None and self.decimal == self.thousands:
            msg = f"decimal and thousands must differ, got {self.decimal!r} for both."
            raise InputError(msg)


@dataclass
class _Read:
    """Values of distinct cells, their kind, and what was seen on the way."""

    values: Any
    kind: str
    # By trait, a number of cells and some of them, or 0 and none.
    traits: dict = field(default_factory=dict)


def read_columns(frame, writing, notes):
    """Read all columns of text of a table, each as what nearly all its cells are."""
    import pandas as pd

    read = {name: _read_column(frame[name], writing) for name in frame}
    if writing.decimal is None and any("comma" in one.traits for one in read.values()):
        with_commas = replace(writing, decimal=",")
        for name, one in read.items():
            if one.kind == "numbers" and _may_be_grouped(frame[name]):
                read[name] = _read_column(frame[name], with_commas)
                read[name].traits["points"] = (0, [])
    notes.extend(_sentences(read))
    columns = {name: one.values for name, one in read.items()}
    return pd.DataFrame(columns, index=frame.index)


def _sentences(read):
    """Yield a note for each trait that columns have."""
    seen: dict[str, dict] = defaultdict(dict)
    for name, one in read.items():
        for trait, found in one.traits.items():
            seen[trait][name] = found
    for trait, sentence in _SENTENCES.items():
        found = seen[trait].values()
        shown = dict.fromkeys(repr(cell) for _, cells in found for cell in cells)
        if found:
            n = sum(n for n, _ in found)
            yield sentence.format(names=listed(seen[trait]), n=n, shown=listed(shown))


# One column


def _read_column(column, writing):
    texts = _as_texts(column)
    if texts is None:
        return _without_codes(_Read(column, "typed"), writing)
    distinct, codes = _encode(texts)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    trimmed, is_gap = _gaps(distinct, writing)
    found = _as_values(trimmed, is_gap, counts, writing)
    if found.kind == "text":
        import pandas as pd

        gaps = _TEXT_GAPS if writing.missing is None else {"", *writing.missing}
        is_gap = _is_in(trimmed, gaps)
        texts = np.array([*distinct.to_pylist(), None], dtype=object)[:-1]
        texts[is_gap] = None
        found.values = pd.Series(texts, dtype=object)
    if (is_shown := is_gap & ~_is_in(trimmed, {""})).any():
        shown = (int(counts[is_shown].sum()), _chosen(trimmed, is_shown))
        found.traits["gaps"] = shown
    found.values = _spread(found.values, codes).set_axis(column.index)
    if found.kind == "truth" and not found.values.isna().any():
        found.values = found.values.astype(bool)
    return _without_codes(found, writing)


def _as_texts(column):
    """Return the cells as pyarrow's strings, or None where they have types."""
    import pandas as pd
    import pyarrow as pa

    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype | pd.StringDtype):
        cells = pa.array(column)
        if isinstance(cells, pa.ChunkedArray):
            cells = cells.combine_chunks()
        is_text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)
        return cells.cast(pa.string()) if is_text else None
    if getattr(dtype, "kind", "O") != "O" or hasattr(dtype, "categories"):
        return None
    is_known = column.notna()
    kinds = set(map(type, column[is_known]))
    if str not in kinds or not kinds <= {str, int, float, bool}:
        return None
    known = zip(column, is_known, strict=True)
    return pa.array([str(cell) if known else None for cell, known in known])


def _encode(texts):
    """Return the distinct cells, and for each row which of them it has, or -1."""
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary, codes


def _gaps(distinct, writing):
    """Return cells without blanks around, and which mean nothing among numbers."""
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(distinct)
    given = {text.strip().lower() for text in writing.missing or ()}
    return trimmed, _is_in(pc.utf8_lower(trimmed), _GAPS | given)


def _may_be_grouped(column):
    """Return whether all numbers are whole, some with points between thousands."""
    texts = _as_texts(column)
    if texts is None:
        return False
    trimmed, is_gap = _gaps(_encode(texts)[0], Writing())
    cells = trimmed.take(np.flatnonzero(~is_gap))
    has_groups = _matches(cells, _GROUPS)
    return bool(has_groups.any() and (has_groups | _matches(cells, _SMALL)).all())


def _as_values(trimmed, is_gap, counts, writing):
    """Read the cells that are not gaps; all others have no value."""
    import pandas as pd

    if is_gap.all():
        return _Read(None, "text")
    cells, counts = trimmed.take(np.flatnonzero(~is_gap)), counts[~is_gap]
    found = (
        _as_truth(cells)
        or _as_numbers(cells, counts, writing)
        or _as_times(cells, counts)
        or _Read(None, "text")
    )
    if found.kind != "text":
        places = np.full(len(trimmed), -1)
        places[~is_gap] = np.arange(len(cells))
        found.values = _spread(pd.Series(found.values), places)
    return found


def _spread(values, places):
    """Return a series of values by their places, without value where that is -1."""
    if len(places) and places.min() < 0:
        values = values.reindex(range(len(values) + 1))
    return values.take(places).reset_index(drop=True)


def _without_codes(found, writing):
    """Return a column without the numbers that are named as missing."""
    column = found.values
    if not writing.missing or getattr(column.dtype, "kind", "O") not in "iuf":
        return found
    numbers = {text: as_float(text) for text in writing.missing}
    numbers = {text: n for text, n in numbers.items() if n is not None}
    is_gap = column.isin(list(numbers.values()))
    if is_gap.any():
        n, shown = found.traits.get("gaps", (0, []))
        found.traits["gaps"] = (n + int(is_gap.sum()), [*shown, *numbers])
        found.values = column.mask(is_gap)
    return found


def _matches(cells, pattern):
    """Return in which cells a pattern is found, (n,) bool."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(cells, pattern)
    return found.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)


def _is_in(cells, values):
    """Return which cells are among some texts, (n,) bool."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.is_in(cells, value_set=pa.array(sorted(values), cells.type))
    return found.to_numpy(zero_copy_only=False).astype(bool)


def _chosen(cells, mask):
    return cells.take(np.flatnonzero(mask)).to_pylist()


def _note_rest(cells, counts, is_read, traits):
    """Keep what was not read as the other cells of the column are."""
    if not is_read.all():
        traits["rest"] = (int(counts[~is_read].sum()), _chosen(cells, ~is_read))


def _replaced(cells, *pairs):
    """Return cells after some replacements of patterns."""
    import pyarrow.compute as pc

    for pattern, rest in pairs:
        cells = pc.replace_substring_regex(cells, pattern=pattern, replacement=rest)
    return cells


def _as_truth(cells):
    import pandas as pd

    if len(cells) > _MOST_SPELLINGS:
        return None
    words = [cell.lower() for cell in cells.to_pylist()]
    if not set(words) <= TRUTH.keys():
        return None
    return _Read(pd.Series([TRUTH[word] for word in words], dtype="boolean"), "truth")


# Numbers: with commas, groups of digits, currency or percent

_BLANKS = r"\x{a0}\x{202f} "
_QUOTES = r"'\x{2019}"
_MARKS = ("'", "\u2019", " ", "\u00a0", "\u202f", "_")
_CODES = "|".join(
    [
        r"^[+-]?0\d[\d., ]*$",  # leading zeros
        r"^\+\d[\d \-/().]{6,}$",  # telephones
        r"^\(?\d{2,5}\)?[ \-/]\d{3}[ \-]?\d{4}$",
        r"^\(\d+\)[ \-/]?\d[\d \-/]*$",
        r"^\d{3,}-\d{3,}$",
        r"^[A-Z]{1,4}[ ./_\-]*\d[A-Z\d ./_\-]*$",
    ]
)
_CURRENCY = r"(?:(?:US|A|C|NZ|HK)?\p{Sc}|USD|EUR|GBP|CHF|JPY)"
_SIGNS = (
    ("brackets", rf"^\(((?:{_CURRENCY})?[{_BLANKS}]*\d[\d.,]*)\)$", r"-\1"),
    ("currency", rf"^([+-]?)[{_BLANKS}]*{_CURRENCY}[{_BLANKS}]*([+-]?[\d.,])", r"\1\2"),
    ("currency", rf"(\d[.,]?)[{_BLANKS}]*{_CURRENCY}$", r"\1"),
    ("percent", rf"(\d[.,]?)[{_BLANKS}]*%$", r"\1"),
)
_INFINITE = r"(?i)^[+-]?inf(?:inity)?$"
# Points that can only be decimal, or thousands where commas are decimal.
_GROUPS = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"
_SMALL = r"^[+-]?\d{1,3}$"


def _as_numbers(cells, counts, writing):
    """Return numbers where nearly all distinct cells are, text where one is a code."""
    import pyarrow as pa

    found = None
    if writing.decimal in (None, ".") and writing.thousands is None:
        with suppress(pa.ArrowInvalid):
            found = _Read(_floats(cells), "numbers")
    plain = cells
    traits: dict = {}
    if found is not None:
        found = _whole(found, cells)
    else:
        plain = _without_signs(cells, traits)
        found = _as_marked_numbers(cells, plain, counts, writing, traits)
    if found is not None and _matches(plain, _CODES).any():
        return _Read(None, "text", {"codes": (0, [])})
    return found


def _floats(cells):
    import pyarrow as pa

    return cells.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _whole(found, cells):
    """Return whole numbers as such, as floats could lose single digits."""
    import pyarrow as pa

    if not _matches(cells, r"[^\d-]").any():
        with suppress(pa.ArrowInvalid):
            found.values = cells.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _without_signs(cells, traits):
    """Return cells without signs of currency and percent."""
    import pyarrow.compute as pc

    plain = pc.replace_substring(cells, "\u2212", "-")
    for trait, *pair in _SIGNS:
        without = _replaced(plain, pair)
        if not without.equals(plain):
            traits[trait] = (0, [])
        plain = without
    return plain


def _as_marked_numbers(cells, plain, counts, writing, traits):
    """Read numbers with decimal marks and groups of digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    decimal, is_number = _decimal(plain, counts, writing, traits)
    if counts[is_number].sum() < ENOUGH * counts.sum():
        return None
    _note_rest(cells, counts, is_number, traits)
    for mark in (*_MARKS, "." if decimal == "," else ","):
        plain = pc.replace_substring(plain, mark, "")
    plain = _replaced(pc.replace_substring(plain, ",", "."), (r"^\+", ""))
    plain = pc.if_else(pa.array(is_number), plain, pa.scalar(None, pa.string()))
    found = _Read(_floats(plain), "numbers", traits)
    return _whole(found, plain) if is_number.all() else found


def _decimal(cells, counts, writing, traits):
    """Return the decimal mark of a column, and which cells are numbers with it."""
    fits = {decimal: _fits(cells, decimal, writing.thousands) for decimal in ",."}
    decimal = writing.decimal
    if decimal is None and writing.thousands in (",", "."):
        decimal = "." if writing.thousands == "," else ","
    if decimal is not None:
        return decimal, fits[decimal]
    has_comma = _matches(cells, ",")
    n_comma, n_point = (counts[fits[decimal]].sum() for decimal in ",.")
    if n_comma > n_point:
        if (has_comma & fits[","]).any():
            traits["comma"] = (0, [])
        return ",", fits[","]
    if n_comma < n_point or not (has_comma & fits["."]).any():
        return ".", fits["."]
    decimal = "," if writing.separator == ";" else "."
    traits["comma guessed" if decimal == "," else "thousands"] = (0, [])
    return decimal, fits[decimal]


def _fits(cells, decimal, thousands):
    """Return which cells are numbers with some decimal mark, (n,) bool."""
    other = "." if decimal == "," else ","
    mark = f"[{other}{_BLANKS}{_QUOTES}]" if thousands is None else f"[{thousands}]"
    groups = rf"[1-9]\d{{0,2}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}"
    number = rf"(?:{groups}|\d+)(?:[{decimal}]\d*)?|[{decimal}]\d+"
    return _matches(cells, rf"^[+-]?(?:{number})(?:[eE][+-]?\d+)?$|{_INFINITE}")


# Dates, times of day and durations, in one form for a column

_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_ISO = (
    r"^\d{4}-\d{2}-\d{2}"
    rf"(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{_ZONE}?)?$"
)
_ZONED = rf":\d{{2}}(?:\.\d+)?{_ZONE}$"
_CLOCK = r"^(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?$"
_DURATION = r"^-?(?:\d+ days?,? )?[+-]?\d+:[0-5]\d:[0-5]\d(?:\.\d{1,9})?$|^-?\d+ days?$"
_DATE = (
    r"^\d{1,4}[-/. ]+(?:\d{1,2}|\pL{3,9})[-/., ]+\d{2,4}(?:\D|$)"
    r"|^\pL{3,9}\.?[- ]\d{1,2}[-, ]+\d{4}(?:\D|$)"
)
_DAYS = (
    *("%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y"),
    *("%d/%b/%Y", "%d/%B/%Y", "%b/%d/%Y", "%B/%d/%Y", "%d/%b/%y"),
)
_HOURS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_WHOLE = r"^(.*?)(?:[ T]+(\d{1,2}:\d{2}.*))?$"
_N_TRIED = 100


def _as_times(cells, counts):
    """Return dates, times of day or durations where nearly all distinct cells are."""
    import pandas as pd

    forms = (
        *((_ISO, _as_iso), (_DATE, _as_dates)),
        *((_CLOCK, _as_clock), (_DURATION, _as_durations)),
    )
    for pattern, read in forms:
        is_alike = _matches(cells, pattern)
        if counts[is_alike].sum() >= ENOUGH * counts.sum():
            texts = pd.Series(cells.to_pylist(), dtype=object)
            found = read(cells, texts.where(is_alike))
            is_read = None if found is None else ~found.values.isna().to_numpy()
            if is_read is not None and counts[is_read].sum() >= ENOUGH * counts.sum():
                _note_rest(cells, counts, is_read, found.traits)
                return found
    return None


def _as_iso(cells, texts):
    import pandas as pd

    is_zoned = bool(_matches(cells, _ZONED).any())
    dates = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=is_zoned)
    return _Read(dates, "dates")


def _as_clock(_cells, texts):
    def read(text):
        return time.fromisoformat(f"0{text}" if text[1] == ":" else text)

    return _Read(texts.map(read, na_action="ignore"), "times")


def _as_durations(_cells, texts):
    import pandas as pd

    return _Read(pd.to_timedelta(texts, errors="coerce"), "durations")


def _as_dates(cells, texts):
    """Return dates in the first form that most of them have."""
    import pandas as pd
    import pyarrow.compute as pc

    days = _replaced(cells, (_WHOLE, r"\1"), (r"[-/., ]+", "/"))
    hours = _replaced(cells, (_WHOLE, r" \2"), (r"(?i) ?([ap])\.?m\.?$", r" \1M"))
    joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(days, hours, ""))
    texts = pd.Series(joined.to_pylist(), dtype=object).where(texts.notna())
    found = {}
    for form in (day + hour for day in _DAYS for hour in _HOURS):
        tried = pd.to_datetime(texts[:_N_TRIED], format=form, errors="coerce")
        if tried.notna().any():
            dates = pd.to_datetime(texts, format=form, errors="coerce")
            found[form] = dates.notna().sum(), dates
    most = max((n for n, _ in found.values()), default=0)
    forms = [form for form, (n, _) in found.items() if n == most]
    if not forms:
        return None
    form = forms[0]
    traits: dict = {}
    if len(forms) > 1 and form.startswith("%m/%d"):
        # Where no day is beyond 12, slashes are American, and points are not.
        if not _matches(cells, "/").any():
            form = forms[1]
        traits["month first" if form == forms[0] else "day first"] = (0, [])
    return _Read(found[form][1], "dates", traits)

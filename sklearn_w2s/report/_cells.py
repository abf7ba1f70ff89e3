"""Columns of text as people write them: numbers, dates, truth values or text."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from sklearn_w2s.report._distinct import Read, chosen, is_in
from sklearn_w2s.report._errors import InputError, listed
from sklearn_w2s.report._numbers import as_numbers, is_grouped
from sklearn_w2s.report._times import as_times

# What stands for nothing among numbers, dates and truth values, in lower case.
_GAPS = {
    *("", "-", "--", "\u2013", "\u2014", "?", ".", "na", "n/a", "#n/a", "<na>", "nan"),
    *("null", "none"),
}
# And among texts, where "-" or "none" may well mean something.
_TEXT_GAPS = {"", "NA", "N/A", "n/a", "?"}
_TRUTH = {"true": True, "false": False}
_MOST_SPELLINGS = 6
# What a note says of the columns with a trait.
_SENTENCES = {
    "comma": "commas are decimal in {names} (--decimal . says otherwise)",
    "comma guessed": (
        "commas are taken for decimal in {names}, as ';' separates the cells "
        "(--decimal . says otherwise)"
    ),
    "thousands": (
        "commas are taken for thousands in {names} (--decimal , says otherwise)"
    ),
    "points": (
        "points are taken for thousands in {names}, as commas are decimal in other "
        "columns (--decimal . says otherwise)"
    ),
    "currency": "signs of currency come off the numbers of {names}",
    "percent": "signs of percent come off the numbers of {names}",
    "brackets": "numbers in brackets are negative in {names}",
    "gaps": "missing cells in {names}: {n}, written {shown}",
    "rest": (
        "cells that are unlike all others count as missing in {names}: {n}, {shown}"
    ),
    "codes": "numbers with leading zeros and codes are text in {names}",
    "month first": "dates are taken for month/day in {names}, and may be day/month",
    "day first": "dates are taken for day, month in {names}, and may be month, day",
}


@dataclass(frozen=True)
class Writing:
    """How a file was written, as far as the user says or its separator tells."""

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    missing: tuple | None = None

    def __post_init__(self):
        for option, allowed in (("decimal", ".,"), ("thousands", ".,' _")):
            mark = getattr(self, option)
            if mark is not None and (len(mark) != 1 or mark not in allowed):
                shown = " ".join(map(repr, allowed))
                msg = f"{option}={mark!r} must be one of {shown}."
                raise InputError(msg)
        if self.decimal is not None and self.decimal == self.thousands:
            msg = f"decimal and thousands are both {self.decimal!r}: they must differ."
            raise InputError(msg)


def read_columns(frame, writing, notes):
    """Read all columns of text of a table, each as what nearly all its cells are.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of other types stay as they are.
    writing : Writing
        How numbers and missing cells are written.
    notes : list of str
        Takes what was chosen.

    Returns
    -------
    pandas.DataFrame
        Columns of numbers, dates, times, truth values or text.
    """
    import pandas as pd

    read = {name: _read_column(frame[name], writing) for name in frame}
    if writing.decimal is None and any("comma" in one.traits for one in read.values()):
        with_commas = replace(writing, decimal=",")
        for name, one in read.items():
            if one.kind == "numbers" and _may_be_grouped(frame[name]):
                read[name] = _read_column(frame[name], with_commas)
                read[name].traits["points"] = (0, [])
    notes.extend(_told(read))
    columns = {name: one.values for name, one in read.items()}
    return pd.DataFrame(columns, index=frame.index)


def _told(read):
    """Return a note for each trait that columns have."""
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


def _read_column(column, writing):
    texts = _as_texts(column)
    if texts is None:
        return _without_codes(Read(column, "typed"), writing)
    distinct, codes = _encode(texts)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    trimmed, is_gap = _gaps(distinct, writing)
    found = _as_values(trimmed, is_gap, counts, writing)
    if found.kind == "text":
        _read_texts(found, distinct, trimmed, counts, writing)
    elif (is_shown := is_gap & ~is_in(trimmed, {""})).any():
        shown = (int(counts[is_shown].sum()), chosen(trimmed, is_shown))
        found.traits["gaps"] = shown
    found.values = _spread(found.values, codes, column.index)
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
    """Return the cells without blanks around, and which mean nothing among numbers."""
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(distinct)
    given = {text.strip().lower() for text in writing.missing or ()}
    return trimmed, is_in(pc.utf8_lower(trimmed), _GAPS | given)


def _may_be_grouped(column):
    texts = _as_texts(column)
    if texts is None:
        return False
    trimmed, is_gap = _gaps(_encode(texts)[0], Writing())
    return not is_gap.all() and is_grouped(trimmed.take(np.flatnonzero(~is_gap)))


def _as_values(trimmed, is_gap, counts, writing):
    """Read the cells that are no gaps; all others have no value."""
    import pandas as pd

    if is_gap.all():
        return Read(None, "text")
    cells, counts = trimmed.take(np.flatnonzero(~is_gap)), counts[~is_gap]
    found = (
        _as_truth(cells)
        or as_numbers(cells, counts, writing)
        or as_times(cells, counts)
        or Read(None, "text")
    )
    if found.kind != "text":
        places = np.full(len(trimmed), -1)
        places[~is_gap] = np.arange(len(cells))
        found.values = _spread(pd.Series(found.values), places)
    return found


def _as_truth(cells):
    import pandas as pd

    if len(cells) > _MOST_SPELLINGS:
        return None
    words = [cell.lower() for cell in cells.to_pylist()]
    if not set(words) <= _TRUTH.keys():
        return None
    return Read(pd.Series([_TRUTH[word] for word in words], dtype="boolean"), "truth")


def _read_texts(found, distinct, trimmed, counts, writing):
    import pandas as pd

    gaps = _TEXT_GAPS if writing.missing is None else {"", *writing.missing}
    is_gap = is_in(trimmed, gaps)
    if (is_shown := is_gap & ~is_in(trimmed, {""})).any():
        shown = (int(counts[is_shown].sum()), chosen(trimmed, is_shown))
        found.traits["gaps"] = shown
    values = np.array([*distinct.to_pylist(), None], dtype=object)[:-1]
    values[is_gap] = None
    found.values = pd.Series(values, dtype=object)


def _spread(values, places, index=None):
    """Return a series of values by their places, without value where that is -1."""
    if len(places) and places.min() < 0:
        extended = values.reindex(range(len(values) + 1))
        return _at(extended, places, index)
    return _at(values, places, index)


def _at(values, places, index):
    taken = values.take(places)
    return taken.reset_index(drop=True) if index is None else taken.set_axis(index)


def _without_codes(found, writing):
    """Return a column without the numbers that are named as missing."""
    column = found.values
    if not writing.missing or getattr(column.dtype, "kind", "O") not in "iuf":
        return found
    numbers = {}
    for text in writing.missing:
        with suppress(ValueError):
            numbers[text] = float(text)
    is_gap = column.isin(list(numbers.values()))
    if is_gap.any():
        n, shown = found.traits.get("gaps", (0, []))
        found.traits["gaps"] = (n + int(is_gap.sum()), [*shown, *numbers])
        found.values = column.mask(is_gap)
    return found

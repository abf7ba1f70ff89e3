"""Dates, times of day and durations as people write them, one form for a column."""

from datetime import time

import numpy as np

from sklearn_w2s.report._distinct import ENOUGH, Read, chosen, matches, note_rest

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


def as_times(cells, counts):
    """Read distinct cells as dates, times of day or durations where nearly all are.

    Parameters
    ----------
    cells : pyarrow.StringArray of shape (n,)
        Without blanks around them.
    counts : ndarray of shape (n,) of int
        Rows that have them.

    Returns
    -------
    Read or None
        Dates, times of day, or durations.
    """
    forms = (
        *((_ISO, _as_iso), (_DATE, _as_dates)),
        *((_CLOCK, _as_clock), (_DURATION, _as_durations)),
    )
    for pattern, read in forms:
        is_alike = matches(cells, pattern)
        if counts[is_alike].sum() >= ENOUGH * counts.sum():
            found = read(cells, is_alike)
            is_read = None if found is None else ~found.values.isna().to_numpy()
            if is_read is not None and counts[is_read].sum() >= ENOUGH * counts.sum():
                note_rest(cells, counts, is_read, found.traits)
                return found
    return None


def _as_clock(cells, is_alike):
    import pandas as pd

    values = np.full(len(cells), None, dtype=object)
    values[is_alike] = [
        time.fromisoformat(f"0{text}" if text[1] == ":" else text)
        for text in chosen(cells, is_alike)
    ]
    return Read(pd.Series(values, dtype=object), "times")


def _as_durations(cells, is_alike):
    import pandas as pd

    texts = pd.Series(cells.to_pylist(), dtype=object).where(is_alike)
    return Read(pd.to_timedelta(texts, errors="coerce"), "durations")


def _as_iso(cells, is_alike):
    import pandas as pd

    texts = pd.Series(cells.to_pylist(), dtype=object).where(is_alike)
    is_zoned = bool(matches(cells, _ZONED).any())
    dates = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=is_zoned)
    return Read(dates, "dates")


def _as_dates(cells, is_alike):
    import pandas as pd
    import pyarrow.compute as pc

    days = _replaced(cells, _WHOLE, r"\1", r"[-/., ]+", "/")
    hours = _replaced(cells, _WHOLE, r" \2", r"(?i) ?([ap])\.?m\.?$", r" \1M")
    joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(days, hours, ""))
    texts = pd.Series(joined.to_pylist(), dtype=object).where(is_alike)
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
        if not matches(cells, "/").any():
            form = forms[1]
        traits["month first" if form == forms[0] else "day first"] = (0, [])
    return Read(found[form][1], "dates", traits)


def _replaced(cells, *pairs):
    """Return cells after some replacements of patterns."""
    import pyarrow.compute as pc

    for pattern, rest in zip(pairs[::2], pairs[1::2], strict=True):
        cells = pc.replace_substring_regex(cells, pattern=pattern, replacement=rest)
    return cells

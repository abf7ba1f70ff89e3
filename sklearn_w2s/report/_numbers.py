"""Numbers as people write them: with commas, groups of digits, currency or percent."""

from contextlib import suppress

from sklearn_w2s.report._distinct import ENOUGH, Read, matches, note_rest

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
_TAKEN_OFF = (
    ("brackets", rf"^\(((?:{_CURRENCY})?[{_BLANKS}]*\d[\d.,]*)\)$", r"-\1"),
    ("currency", rf"^([+-]?)[{_BLANKS}]*{_CURRENCY}[{_BLANKS}]*([+-]?[\d.,])", r"\1\2"),
    ("currency", rf"(\d[.,]?)[{_BLANKS}]*{_CURRENCY}$", r"\1"),
    ("percent", rf"(\d[.,]?)[{_BLANKS}]*%$", r"\1"),
)
_INFINITE = r"(?i)^[+-]?inf(?:inity)?$"
# Points that can only be decimal, or thousands where commas are decimal.
GROUPS = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"

_SMALL = r"^[+-]?\d{1,3}$"


def as_numbers(cells, counts, writing):
    """Read distinct cells as numbers where nearly all are.

    Parameters
    ----------
    cells : pyarrow.StringArray of shape (n,)
        Without blanks around them.
    counts : ndarray of shape (n,) of int
        Rows that have them.
    writing : Writing
        What is known of marks.

    Returns
    -------
    Read or None
        Numbers, or text where a cell is a code, as one with a leading zero is.
    """
    import pyarrow as pa

    found = None
    if writing.decimal in (None, ".") and writing.thousands is None:
        with suppress(pa.ArrowInvalid):
            found = _whole(Read(_floats(cells), "numbers"), cells)
    plain, traits = cells, {}
    if found is None:
        plain, traits = _taken_off(cells)
        found = _of_plain(cells, plain, counts, writing, traits)
    if found is not None and matches(plain, _CODES).any():
        return Read(None, "text", {"codes": (0, [])})
    return found


def _floats(cells):
    import pyarrow as pa

    return cells.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _whole(found, cells):
    """Return whole numbers as such where single digits could be lost."""
    import pyarrow as pa

    if matches(cells, r"[^\d-]").any():
        return found
    try:
        whole = cells.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return found
    return Read(whole, "numbers", found.traits)


def _taken_off(cells):
    """Return cells without signs of currency and percent, and which these were."""
    import pyarrow.compute as pc

    traits: dict = {}
    plain = pc.replace_substring(cells, "\u2212", "-")
    for trait, pattern, rest in _TAKEN_OFF:
        taken = pc.replace_substring_regex(plain, pattern=pattern, replacement=rest)
        if not taken.equals(plain):
            traits[trait] = (0, [])
        plain = taken
    return plain, traits


def _of_plain(cells, plain, counts, writing, traits):
    import pyarrow as pa
    import pyarrow.compute as pc

    decimal, is_number = _decimal(plain, counts, writing, traits)
    if counts[is_number].sum() < ENOUGH * counts.sum():
        return None
    note_rest(cells, counts, is_number, traits)
    for mark in (*_MARKS, "." if decimal == "," else ","):
        plain = pc.replace_substring(plain, mark, "")
    plain = pc.replace_substring(plain, ",", ".")
    plain = pc.replace_substring_regex(plain, pattern=r"^\+", replacement="")
    plain = pc.if_else(pa.array(is_number), plain, pa.scalar(None, pa.string()))
    found = Read(_floats(plain), "numbers", traits)
    return _whole(found, plain) if is_number.all() else found


def _decimal(cells, counts, writing, traits):
    """Decide for a column whether commas are decimal, and which cells are numbers."""
    fits = {decimal: _fits(cells, decimal, writing.thousands) for decimal in ",."}
    decimal = writing.decimal
    if decimal is None and writing.thousands in (",", "."):
        decimal = "." if writing.thousands == "," else ","
    if decimal is not None:
        return decimal, fits[decimal]
    has_comma = matches(cells, ",")
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
    """Say which cells are numbers with some decimal mark, (n,) bool."""
    other = "." if decimal == "," else ","
    mark = f"[{other}{_BLANKS}{_QUOTES}]" if thousands is None else f"[{thousands}]"
    groups = rf"[1-9]\d{{0,2}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}"
    number = rf"(?:{groups}|\d+)(?:[{decimal}]\d*)?|[{decimal}]\d+"
    return matches(cells, rf"^[+-]?(?:{number})(?:[eE][+-]?\d+)?$|{_INFINITE}")


def is_grouped(cells):
    """Say whether all cells are whole numbers, some with points between thousands."""
    has_groups = matches(cells, GROUPS)
    return bool(has_groups.any() and (has_groups | matches(cells, _SMALL)).all())

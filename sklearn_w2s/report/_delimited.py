"""Text whose cells are separated by a character: which one, and where rows begin."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from sklearn_w2s.report._errors import InputError

WHITESPACE = r"\s+"
# The rarer a character is in text, the more its regular use says.
_SEPARATORS = ("\t", ";", "|", ",")
_NAMES = {"\t": "tabs", WHITESPACE: "blanks", " ": "blanks"}
_HEAD = 1 << 18
_MAX_ROWS_OF_HEAD = 1000
_REGULAR = 0.9
_BLOCK = 1 << 26
_MOST_TITLES = 20


@dataclass(frozen=True)
class _Dialect:
    """A separator, the cells of the header, and how many cells most rows have.

    `n_titles` rows that are none of the table come before the header.
    """

    separator: str
    header: list
    width: int
    n_titles: int = 0


def read_delimited(pd, data, separator, notes):
    """Read text in UTF-8 as a table whose cells are all text.

    Parameters
    ----------
    pd : module
        Pandas.
    data : bytes
        The text.
    separator : str or None
        Between cells; None finds it.
    notes : list of str
        Takes what was left out.

    Returns
    -------
    frame : pandas.DataFrame
        Columns of pyarrow's strings without missing values.
    separator : str
        The one found.

    Raises
    ------
    InputError
        If rows differ in their number of cells.
    """
    start, n_lines, declared = _skip_preamble(data, notes)
    head = _head(data, start)
    if not head.strip():
        msg = "it holds no header and no rows."
        raise InputError(msg)
    dialect = _find_dialect(head, _checked(separator) or declared)
    separator = dialect.separator
    if separator != "," and dialect.width > 1:
        notes.append(f"cells are separated by {_NAMES.get(separator, repr(separator))}")
    if dialect.n_titles:
        n = dialect.n_titles
        rows = "row" if n == 1 else "rows"
        notes.append(
            f"left out {n} {rows} before the header, which begins with "
            f"{dialect.header[0]!r}"
        )
    n_header, size = _header_size(head, separator, dialect.n_titles)
    body = data[start + size :]
    n_lines += n_header
    width = dialect.width
    parse = _parse_blanks if separator == WHITESPACE else _parse
    frame = parse(pd, body, separator, width)
    if frame is None or _ends_in_quotes(frame, body):
        _refuse_ragged(body, separator, width, n_lines)
    return _named(frame, dialect.header, notes), separator


def read_cells(pd, lines, width, n_lines):
    """Return the cells of lines of Weka's format, which quotes as it likes."""
    text = "\n".join(lines)
    quote = "'" if re.search(r"(?:^|,)\s*'", text, re.MULTILINE) else '"'
    body = re.sub(rf",[ \t]+{quote}", f",{quote}", text).encode()
    frame = _parse(pd, body, ",", width, quote)
    if frame is None:
        _refuse_ragged(body, ",", width, n_lines)
    return frame.apply(lambda column: column.str.strip())


def _checked(separator):
    if separator is None:
        return None
    separator = {"\\t": "\t", "tab": "\t", "space": WHITESPACE, " ": WHITESPACE}.get(
        separator, separator
    )
    if separator != WHITESPACE and (len(separator) != 1 or separator in '"\r\n'):
        msg = f"--sep {separator!r} must be one character, as ',' ';' or '\\t'."
        raise InputError(msg)
    return separator


def _skip_preamble(data, notes):
    """Return where the header begins, how many lines are before it, and a separator."""
    start, n_lines, declared, comments = 0, 0, None, []
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end].strip()
        if line[:4].lower() == b"sep=" and len(line) == 5 and not n_lines:
            declared = line[4:].decode()
        elif line.startswith(b"#"):
            comments.append(start)
        elif line:
            break
        start, n_lines = end, n_lines + 1
    if comments and _is_header(data[comments[-1] : start], data[start:end]):
        return comments.pop() + 1, n_lines - 1, declared
    if comments:
        n = len(comments)
        notes.append(f"left out {n} line{'s' * (n > 1)} of '#' before the header")
    return start, n_lines, declared


def _is_header(comment, line):
    """Say whether a line of '#' names as many columns as the next line has numbers."""
    comment, line = (part.decode("utf-8", "replace") for part in (comment, line))
    for separator in _SEPARATORS:
        names = comment.strip().lstrip("#").split(separator)
        cells = line.strip().split(separator)
        if 1 < len(names) == len(cells):
            return any(map(_is_number, cells)) and not any(map(_is_number, names))
    return False


def _is_number(text):
    try:
        float(text.strip('"').replace(",", "."))
    except ValueError:
        return False
    return True


def _head(data, start):
    """Return the first rows as text, without a line that is cut."""
    head = data[start : start + _HEAD]
    if start + _HEAD < len(data):
        head = head[: head.rfind(b"\n") + 1] or head
    return head.decode("utf-8", "ignore")


def _find_dialect(head, separator):
    candidates = _SEPARATORS if separator is None else (separator,)
    found = [dialect for one in candidates if (dialect := _try(head, one)) is not None]
    if separator is not None:
        return found[0][1] if found else _Dialect(separator, [], 0)
    best = max(found, key=lambda one: one[0], default=None)
    if best is None or best[1].width == 1:
        blanks = _try(head, WHITESPACE)
        if blanks is not None and blanks[1].width > 1 and blanks[0][0] >= _REGULAR:
            return blanks[1]
    if best is None:
        msg = "its quotes do not match, or a cell is too long."
        raise InputError(msg)
    return best[1]


def _try(head, separator):
    """Return how well a separator splits the first rows, and the dialect."""
    try:
        rows = [row for row in islice(_rows(head, separator), _MAX_ROWS_OF_HEAD) if row]
    except csv.Error:
        return None
    n_titles = _count_titles(rows)
    rows = rows[n_titles:]
    header = rows[0]
    widths = Counter(map(len, rows[1:])) or Counter([len(header)])
    width, _ = widths.most_common(1)[0]
    n_rows = widths.total()
    n_named = len(header)
    while n_named > width and not header[n_named - 1].strip():
        n_named -= 1
    # Of a header without a name for the numbers of rows, or for an empty tail.
    fits = widths[n_named] if n_named > 1 else 0
    fits_nearly = widths[n_named + 1] if n_named > 1 else 0
    share = round(max(fits, fits_nearly) / n_rows, 2)
    score = (share, fits >= fits_nearly, width)
    if n_named == 1:
        score = (0, False, 0)
        width = 1 if widths[1] > n_rows / 2 else width
    return score, _Dialect(separator, header[:n_named], width, n_titles)


def _count_titles(rows):
    """Return how many rows come before the one that names the columns."""
    if len(rows) < 3:
        return 0
    (width, _) = Counter(map(len, rows[1:])).most_common(1)[0]
    for i, row in enumerate(rows[:_MOST_TITLES]):
        filled = [cell for cell in map(str.strip, row) if cell]
        is_title = len(filled) == 1 < width or len(filled) < width / 2
        if is_title or (len(row) < width and _is_above_numbers(rows[i + 1 : i + 3])):
            continue
        is_header = len(row) == width and _is_above_numbers(rows[i : i + 2])
        return i if is_header else 0
    return 0


def _is_above_numbers(rows):
    """Say whether the first of two rows is text alone, and the second is not."""
    has_number = [any(map(_is_number, row)) for row in rows]
    is_as_long = len(rows) == 2 and len(rows[0]) == len(rows[1])
    return is_as_long and has_number == [False, True]


def _rows(text, separator, strict=False):
    lines = io.StringIO(text, newline="")
    if separator == WHITESPACE:
        return csv.reader((" ".join(line.split()) for line in lines), delimiter=" ")
    return csv.reader(lines, delimiter=separator, strict=strict)


def _header_size(head, separator, n_titles):
    """Return the lines and bytes that the header and the rows before it take."""
    reader = _rows(head, separator)
    n_left = n_titles + 1
    while n_left:
        n_left -= bool(next(reader))
    lines = islice(io.StringIO(head, newline=""), reader.line_num)
    return reader.line_num, len("".join(lines).encode())


def _parse(pd, body, separator, width, quote='"'):
    """Return all cells as text, or None where rows differ in their number."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(i) for i in range(width)]
    if not body.strip():
        return pd.DataFrame({name: pd.array([], _strings(pd)) for name in names})
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, quote_char=quote, newlines_in_values=True
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table.to_pandas(types_mapper={pa.string(): _strings(pd)}.get)


def _strings(pd):
    import pyarrow as pa

    return pd.ArrowDtype(pa.string())


def _parse_blanks(pd, body, separator, width):
    names = [str(i) for i in range(width)]
    try:
        frame = pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=None,
            names=names,
            index_col=False,
            dtype=str,
            keep_default_na=False,
        )
    except ValueError:
        return None
    return None if frame.isna().any(axis=None) else frame.astype(_strings(pd))


def _ends_in_quotes(frame, body):
    """Say whether the last cell has taken up lines for want of a quote."""
    is_odd = len(frame) and body.count(b'"') % 2
    return is_odd and "\n" in frame.iloc[-1, -1]


def _refuse_ragged(body, separator, width, n_lines):
    """Name the first row that has more or fewer cells than others."""
    text, line = body.decode(), 0
    reader = _rows(text, separator, strict=True)
    shown = _NAMES.get(separator, repr(separator))
    try:
        for row in reader:
            if row and len(row) != width:
                fix = f"put quotes around a cell that holds {shown}"
                if len(row) < width:
                    fix = "complete it, and put quotes around a cell of several lines"
                n_cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
                msg = (
                    f"line {n_lines + line + 1} has {n_cells} where {width} are "
                    f"expected: {fix}, or give another --sep."
                )
                raise InputError(msg)
            line = reader.line_num
    except csv.Error as error:
        msg = f"line {n_lines + line + 1}: a quote is missing, or is one too many."
        raise InputError(msg) from error
    msg = f"the quotes of line {n_lines + 1} or a later one do not match."
    raise InputError(msg)


def _named(frame, header, notes):
    """Name the columns, and leave out row names and columns of nothing at the end."""
    names = [*header, *[""] * (frame.shape[1] - len(header))]
    is_empty = [
        not name.strip() and _is_blank(frame.iloc[:, i]) for i, name in enumerate(names)
    ]
    n_kept = len(names)
    while n_kept > 1 and is_empty[n_kept - 1]:
        n_kept -= 1
    if n_kept < len(names):
        n = len(names) - n_kept
        notes.append(f"left out {n} column{'s' * (n > 1)} without name and cells")
    if n_kept == len(header) + 1:
        if not frame.iloc[:, 0].is_unique:
            msg = (
                f"its rows have {n_kept} cells, and its header names {len(header)} "
                "columns: name every column."
            )
            raise InputError(msg)
        names = ["", *header]
    frame = frame.iloc[:, :n_kept].set_axis(names[:n_kept], axis=1)
    if n_kept > 1 and not names[0].strip() and frame.iloc[:, 0].is_unique:
        notes.append("left out the first column, which has no name: it names the rows")
        return frame.iloc[:, 1:]
    return frame


def _is_blank(column):
    return bool((column.str.strip() == "").all())

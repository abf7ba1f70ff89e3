"""A table from a file, or one sentence on why there is none.

A file is unpacked and decoded; then Parquet files, workbooks and JSON keep their types,
while delimited text and ARFF become a table of strings.
"""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

MAX_LISTED = 10
WHITESPACE = r"\s+"
_TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
_PACKED = {
    ".gz": (b"\x1f\x8b", gzip.decompress),
    ".xz": (b"\xfd7zXZ", lzma.decompress),
    ".bz2": (b"BZh", bz2.decompress),
    ".zip": (b"PK", None),
}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "a workbook in the old .xls format",
    b"%PDF": "a PDF file",
    b"<!DOCTYPE": "an HTML page",
    b"<!doctype": "an HTML page",
    b"<html": "an HTML page",
}
_DAMAGES = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, NotImplementedError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
# The rarer a character is in text, the more telling is its regular use.
_SEPARATORS = ("\t", ";", "|", ",")
_SEPARATOR_NAMES = {"\t": "tabs", WHITESPACE: "blanks", " ": "blanks"}
_HEAD = 1 << 18
_MAX_ROWS_OF_HEAD = 1000
_REGULAR = 0.9
_BLOCK = 1 << 26
_MOST_TITLES = 20
_ATTRIBUTE = re.compile(
    r"@attribute\s+('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s{]+)\s*(.*)", re.IGNORECASE
)


class InputError(ValueError):
    """One sentence for the user: what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Table:
    """Rows as read; `is_written` where all cells are text, split by `separator`."""

    frame: Any
    is_written: bool = False
    separator: str | None = None
    notes: list = field(default_factory=list)


def read_table(path, *, sep=None, encoding=None):
    """Read a file into a data frame, rows numbered from 0 and columns named apart."""
    try:
        for module in ("pandas", "pyarrow"):
            import_module(module)
    except ImportError as error:
        msg = (
            'reading files needs pandas and pyarrow: pip install "sklearn-w2s[report]"'
        )
        raise InputError(msg) from error
    _check_path(path)
    try:
        name, data = _unpack(path)
        suffix = _suffix(name)
        notes: list = []
        if suffix not in _BINARY:
            for magic, what in _FOREIGN.items():
                if data.startswith(magic):
                    fix = "give it the right file name extension"
                    msg = f"it is {what}, not text: {fix}."
                    raise InputError(msg)
            data = _as_utf8(data, encoding, notes)
        if suffix in _TEXTS:
            frame, separator = _read_delimited(data, sep, notes)
            table = Table(frame, True, separator, notes)
        else:
            frame = {**_BINARY, **_TYPED}[suffix](data, notes)
            table = Table(frame, suffix == ".arff", None, notes)
    except (InputError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"cannot read {path}: {reason}"
        raise InputError(msg) from error
    table.frame.columns = _distinct_names(table.frame.columns, notes)
    return table


def listed(names):
    """Return names as words, the first ten of many."""
    names = [str(name) for name in names]
    more = len(names) - MAX_LISTED
    shown = ", ".join(names[:MAX_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown


def as_float(text):
    """Return the number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def counted(number, noun):
    """Return a number with a noun, in the plural unless it is 1."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


# From the path to the bytes


def _check_path(path):
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        msg = f"{path} is a URL: download the file and pass its path."
        raise InputError(msg)
    if Path(path).is_dir():
        msg = f"{path} is a directory: pass a file in it."
        raise InputError(msg)
    if not Path(path).exists():
        msg = f"there is no file {path}."
        raise InputError(msg)


def _unpack(path):
    """Return the name and the bytes of a file, or of what is packed in it."""
    suffix = Path(path).suffix.lower()
    if suffix not in _PACKED:
        _suffix(path)
        return path, Path(path).read_bytes()
    data = Path(path).read_bytes()
    magic, unpack = _PACKED[suffix]
    if not data.startswith(magic):
        msg = f"it is not a {suffix} file, although its name ends in {suffix}."
        raise InputError(msg)
    try:
        if unpack is not None:
            return path[: -len(suffix)], unpack(data)
        return _unzip(data)
    except InputError:
        raise
    except _DAMAGES as error:
        msg = "the archive is truncated, damaged or encrypted: pack the file again."
        raise InputError(msg) from error


def _unzip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX")
        ]
        if len(names) != 1:
            msg = (
                f"the archive must hold one file, got {len(names)} files "
                f"({listed(names)}): unpack it and pass one of them."
            )
            raise InputError(msg)
        return names[0], archive.read(names[0])


def _suffix(name):
    """Return the ending of a file that can be read."""
    suffix = Path(name).suffix.lower()
    known = (*_TEXTS, *_BINARY, *_TYPED)
    if suffix in known:
        return suffix
    advice = " Save it as .xlsx or .csv." if suffix in (".xls", ".ods") else ""
    msg = (
        f"its name must end in one of {', '.join(known)}, which "
        f"{', '.join(_PACKED)} may follow; got {suffix!r}.{advice}"
    )
    raise InputError(msg)


# From the bytes to text


def _as_utf8(data, encoding, notes):
    guess = encoding or _encoding(data)
    try:
        codecs.lookup(guess)
    except LookupError as error:
        msg = f"--encoding {encoding} is unknown: try utf-8, utf-16 or cp1252."
        raise InputError(msg) from error
    try:
        text = data.decode(guess)
    except UnicodeError as error:
        if encoding is not None or guess != "utf-8-sig":
            msg = f"it is not {guess} text: pass another --encoding."
            raise InputError(msg) from error
        try:
            text = data.decode("cp1252")
        except UnicodeError:
            msg = "it is neither UTF-8 nor cp1252 text: pass its --encoding."
            raise InputError(msg) from error
        notes.append(
            "the file is not UTF-8 and was read as cp1252 (--encoding overrides)"
        )
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return text.encode()


def _encoding(data):
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:1000]
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > len(head) / 4:
            return name
    return "utf-8-sig"


# Delimited text: which character separates the cells, and where rows begin


@dataclass(frozen=True)
class _Dialect:
    """A separator, the names in the header, and the number of cells of most rows."""

    separator: str
    header: list
    width: int
    n_titles: int = 0  # rows before the header that do not belong to the table


def _read_delimited(data, separator, notes):
    """Return UTF-8 text as a table of pyarrow's strings, and the separator."""
    start, n_lines, declared = _skip_preamble(data, notes)
    head = data[start : start + _HEAD]
    if start + _HEAD < len(data):
        # Without a line that is cut.
        head = head[: head.rfind(b"\n") + 1] or head
    head = head.decode("utf-8", "ignore")
    if not head.strip():
        msg = "it has no header and no rows."
        raise InputError(msg)
    dialect = _find_dialect(head, _check_separator(separator) or declared)
    separator, width = dialect.separator, dialect.width
    if separator != "," and width > 1:
        shown = _SEPARATOR_NAMES.get(separator, repr(separator))
        notes.append(f"cells are separated by {shown}")
    if dialect.n_titles:
        notes.append(
            f"skipped {counted(dialect.n_titles, 'row')} before the header, which "
            f"begins with {dialect.header[0]!r}"
        )
    n_header, size = _header_size(head, separator, dialect.n_titles)
    body = data[start + size :]
    parse = _parse_blanks if separator == WHITESPACE else _parse
    frame = parse(body, separator, width)
    # The last cell takes up all lines after a quote that is not closed.
    is_odd = frame is not None and len(frame) and body.count(b'"') % 2
    if frame is None or (is_odd and "\n" in frame.iloc[-1, -1]):
        _refuse_ragged(body, separator, width, n_lines + n_header)
    return _name_columns(frame, dialect.header, notes), separator


def _check_separator(separator):
    names = {"\\t": "\t", "tab": "\t", "space": WHITESPACE, " ": WHITESPACE}
    separator = names.get(separator, separator)
    if separator in (None, WHITESPACE):
        return separator
    if len(separator) != 1 or separator in '"\r\n':
        msg = f"--sep must be one character such as ',' ';' or '\\t', got {separator!r}"
        raise InputError(f"{msg}.")
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
        lines = counted(len(comments), "comment line")
        notes.append(f"skipped {lines} ('#') before the header")
    return start, n_lines, declared


def _is_header(comment, line):
    """Return whether a comment names as many columns as the next line has numbers."""
    comment, line = (part.decode("utf-8", "replace") for part in (comment, line))
    for separator in _SEPARATORS:
        names = comment.strip().lstrip("#").split(separator)
        cells = line.strip().split(separator)
        if 1 < len(names) == len(cells):
            return any(map(_is_number, cells)) and not any(map(_is_number, names))
    return False


def _is_number(cell):
    return as_float(cell.strip('"').replace(",", ".")) is not None


def _find_dialect(head, separator):
    """Return the dialect whose rows have most regularly the cells of the header."""
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
        msg = "its quotes are unbalanced, or a cell is too long."
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
    if n_named == 1:
        width = 1 if widths[1] > n_rows / 2 else width
        return (0, False, 0), _Dialect(separator, header[:1], width, n_titles)
    # One more than there are names, where row names or empty tails have none.
    fits, fits_nearly = widths[n_named], widths[n_named + 1]
    share = round(max(fits, fits_nearly) / n_rows, 2)
    score = (share, fits >= fits_nearly, width)
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
    """Return whether the first of two rows is all text, and the second is not."""
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


def _parse(body, separator, width, quote='"'):
    """Return all cells as text, or None where rows differ in their number."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(i) for i in range(width)]
    strings = pd.ArrowDtype(pa.string())
    if not body.strip():
        return pd.DataFrame({name: pd.array([], strings) for name in names})
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
    return table.to_pandas(types_mapper={pa.string(): strings}.get)


def _parse_blanks(body, separator, width):
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=None,
            names=[str(i) for i in range(width)],
            index_col=False,
            dtype=str,
            keep_default_na=False,
        )
    except ValueError:
        return None
    is_ragged = frame.isna().any(axis=None)
    return None if is_ragged else frame.astype(pd.ArrowDtype(pa.string()))


def _refuse_ragged(body, separator, width, n_lines):
    """Name the first row that has more or fewer cells than others."""
    line = 0
    reader = _rows(body.decode(), separator, strict=True)
    shown = _SEPARATOR_NAMES.get(separator, repr(separator))
    try:
        for row in reader:
            if row and len(row) != width:
                fix = f"quote cells that contain {shown}"
                if len(row) < width:
                    fix = "complete it, and quote cells of several lines"
                msg = (
                    f"line {n_lines + line + 1} has {counted(len(row), 'cell')}, but "
                    f"{width} are expected: {fix}, or pass another --sep."
                )
                raise InputError(msg)
            line = reader.line_num
    except csv.Error as error:
        msg = f"line {n_lines + line + 1} has a quote too few or too many."
        raise InputError(msg) from error
    msg = f"the quotes of line {n_lines + 1} or a later one are unbalanced."
    raise InputError(msg)


def _name_columns(frame, header, notes):
    """Name the columns, and drop row names and empty columns at the end."""
    names = [*header, *[""] * (frame.shape[1] - len(header))]
    is_empty = [
        not name.strip() and bool((frame.iloc[:, i].str.strip() == "").all())
        for i, name in enumerate(names)
    ]
    n_kept = len(names)
    while n_kept > 1 and is_empty[n_kept - 1]:
        n_kept -= 1
    if n_kept < len(names):
        n_empty = counted(len(names) - n_kept, "empty column")
        notes.append(f"dropped {n_empty} without a name")
    if n_kept == len(header) + 1:
        if not frame.iloc[:, 0].is_unique:
            msg = (
                f"its rows have {n_kept} cells, but its header names {len(header)} "
                "columns: name every column."
            )
            raise InputError(msg)
        names = ["", *header]
    frame = frame.iloc[:, :n_kept].set_axis(names[:n_kept], axis=1)
    if n_kept > 1 and not names[0].strip() and frame.iloc[:, 0].is_unique:
        notes.append("dropped the first column: it has no name, and names the rows")
        return frame.iloc[:, 1:]
    return frame


# Other formats: from the data to a data frame


def _read_arff(data, _notes):
    """Read Weka's format as text, nominal attributes as categories."""
    lines = data.decode().splitlines()
    attributes = []
    for number, line in enumerate(lines, 1):
        word = line.strip().lower()
        if word.startswith("@data"):
            break
        if word.startswith("@attribute"):
            match = _ATTRIBUTE.match(line.strip())
            if match is None:
                msg = f"line {number} must be of the form @attribute NAME TYPE."
                raise InputError(msg)
            attributes.append((match[1].strip("'\""), match[2].strip()))
    else:
        msg = "it has no line @data."
        raise InputError(msg)
    rows = [
        line if line.strip() and not line.lstrip().startswith("%") else ""
        for line in lines[number:]
    ]
    if any(line.lstrip().startswith("{") for line in rows):
        msg = "its rows are sparse: save them with all their cells."
        raise InputError(msg)
    text = "\n".join(rows)
    quote = "'" if re.search(r"(?:^|,)\s*'", text, re.MULTILINE) else '"'
    body = re.sub(rf",[ \t]+{quote}", f",{quote}", text).encode()
    frame = _parse(body, ",", len(attributes), quote)
    if frame is None:
        _refuse_ragged(body, ",", len(attributes), number)
    frame = frame.apply(lambda column: column.str.strip())
    frame.columns = [name for name, _ in attributes]
    for position, (_, kind) in enumerate(attributes):
        if kind.startswith("{"):
            column = frame.iloc[:, position].astype(object)
            frame.isetitem(position, column.where(column != "?").astype("category"))
    return frame


def _read_json(data, notes):
    try:
        content = json.loads(data)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            msg = f"line {error.lineno} is not valid JSON: {error.msg}."
            raise InputError(msg) from error
        return _read_json_lines(data, notes)
    if isinstance(content, dict):
        # {"data": [...]}, as services answer, or one entry for each column.
        inner = [v for v in content.values() if isinstance(v, list)]
        if len(inner) == 1 and inner[0] and isinstance(inner[0][0], dict):
            content = inner[0]
    return _of_records(content)


def _read_json_lines(data, _notes):
    records = []
    for number, line in enumerate(data.decode().split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            msg = f"line {number} is not valid JSON: {error.msg}."
            raise InputError(msg) from error
    return _of_records(records)


def _of_records(content):
    import pandas as pd

    is_records = isinstance(content, list) and content
    if not isinstance(content, dict) and not (
        is_records and all(isinstance(record, dict) for record in content)
    ):
        msg = "it must hold one object {column: value, ...} for each row."
        raise InputError(msg)
    try:
        return pd.DataFrame(content).reset_index(drop=True)
    except ValueError as error:
        msg = "its columns differ in their number of cells."
        raise InputError(msg) from error


def _read_parquet(data, notes):
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except _DAMAGES as error:
        msg = "it is not a Parquet file, or it is damaged or truncated."
        raise InputError(msg) from error
    index = frame.index
    if any(name is not None for name in index.names):
        kept = listed([name for name in index.names if name is not None])
        notes.append(f"the index of the file is used as a column: {kept}")
        return frame.reset_index()
    if isinstance(index, pd.RangeIndex):
        return frame.reset_index(drop=True)
    if index.dtype.kind in "iu":
        notes.append("dropped the index of the file, which is numeric and has no name")
        return frame.reset_index(drop=True)
    notes.append("the index of the file is used as a column: index")
    return frame.rename_axis("index").reset_index()


def _read_workbook(data, notes):
    import pandas as pd

    try:
        import_module("openpyxl")
    except ImportError as error:
        msg = "workbooks need openpyxl: pip install openpyxl, or save it as .csv."
        raise InputError(msg) from error
    try:
        with pd.ExcelFile(io.BytesIO(data), engine="openpyxl") as book:
            sheets = book.sheet_names
            cells = pd.read_excel(
                book, header=None, dtype=object, keep_default_na=False, na_values=[""]
            )
    except _DAMAGES as error:
        msg = "it is not a workbook, or it is damaged or locked: save it again."
        raise InputError(msg) from error
    cells = cells.dropna(how="all").dropna(how="all", axis=1)
    if len(sheets) > 1:
        notes.append(
            f"read the first of {len(sheets)} sheets, {sheets[0]}: save another one as "
            "a separate file to use it"
        )
    if cells.empty:
        msg = f"the sheet {sheets[0]} is empty."
        raise InputError(msg)
    frame = cells.iloc[1:].reset_index(drop=True).infer_objects()
    header = cells.iloc[0]
    frame.columns = header.where(header.notna(), "").map(str).tolist()
    return frame


_BINARY = {".parquet": _read_parquet, ".xlsx": _read_workbook}
_TYPED = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".arff": _read_arff,
}


def _distinct_names(names, notes):
    """Return names without blanks around them, numbered where they repeat."""
    given = [str(name) for name in names]
    names = [name.strip() for name in given]
    stripped = [repr(a) for a, b in zip(given, names, strict=True) if a != b and b]
    if stripped:
        notes.append(f"removed blanks around column names: {listed(stripped)}")
    names = [name or f"column {i}" for i, name in enumerate(names, 1)]
    seen: Counter = Counter()
    taken, distinct, renamed = set(names), [], []
    for name in names:
        seen[name] += 1
        new = name
        while seen[name] > 1 and new in taken:
            new = f"{name}.{seen[name]}"
            seen[name] += new in taken
        if new != name:
            taken.add(new)
            renamed.append(new)
        distinct.append(new)
    if renamed:
        notes.append(f"renamed columns of the same name: {listed(renamed)}")
    return distinct

"""A table from a file, or one sentence on why there is none."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sklearn_w2s.report._arff import read_arff
from sklearn_w2s.report._delimited import read_delimited
from sklearn_w2s.report._errors import InputError, listed

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
    b"\xd0\xcf\x11\xe0": "a workbook of the old kind",
    b"%PDF": "a PDF",
    b"<!DOCTYPE": "a page of HTML",
    b"<!doctype": "a page of HTML",
    b"<html": "a page of HTML",
}
_DAMAGES = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError, NotImplementedError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


@dataclass(frozen=True)
class Table:
    """Rows as read: text as it is written where the format knows no types.

    `is_written` says that all cells are text, and `separator` stands between them.
    """

    frame: Any
    is_written: bool = False
    separator: str | None = None
    notes: list = field(default_factory=list)


def read_table(path, *, sep=None, encoding=None):
    """Read a file into a data frame.

    Parameters
    ----------
    path : str
        A file of one of the kinds that `readers` lists, or one packed by gzip, xz,
        bzip2 or zip.
    sep : str, default=None
        Separator of the cells of a text; None takes the one that gives all rows as many
        cells as the header.
    encoding : str, default=None
        Of a text; None takes UTF-8 or UTF-16, else cp1252.

    Returns
    -------
    Table
        Rows numbered from 0, columns named by distinct strings.

    Raises
    ------
    InputError
        If pandas or pyarrow is missing, or if the file cannot be read as a table.
    """
    try:
        import pandas as pd
        import pyarrow as pa  # noqa: F401
    except ImportError as error:
        msg = (
            'reading files needs pandas and pyarrow: pip install "sklearn-w2s[report]"'
        )
        raise InputError(msg) from error
    _check_path(path)
    try:
        name, data = _unpack(path)
        kind = _kind(name)
        if kind in _BINARY:
            table = _BINARY[kind](pd, data)
        else:
            _refuse_foreign(data)
            notes: list = []
            data = _as_utf8(data, encoding, notes)
            table = (
                _read_text(pd, data, sep, notes)
                if kind in _TEXTS
                else replace(_TYPED[kind](pd, data), notes=notes)
            )
    except (InputError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"cannot read {path}: {reason}"
        raise InputError(msg) from error
    table.frame.columns = _distinct_names(table.frame.columns, table.notes)
    return table


def _check_path(path):
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        msg = f"{path} is an address: download the file, and name it."
        raise InputError(msg)
    if Path(path).is_dir():
        msg = f"{path} is a directory: name a file in it."
        raise InputError(msg)
    if not Path(path).exists():
        msg = f"there is no file {path}."
        raise InputError(msg)


def _unpack(path):
    """Return the name and the bytes of a file, or of what is packed in it."""
    suffix = Path(path).suffix.lower()
    if suffix not in _PACKED:
        _kind(path)
        return path, Path(path).read_bytes()
    data = Path(path).read_bytes()
    magic, unpack = _PACKED[suffix]
    if not data.startswith(magic):
        msg = f"it is no {suffix} file, though its name says so."
        raise InputError(msg)
    try:
        if unpack is not None:
            return path[: -len(suffix)], unpack(data)
        return _unzip(data)
    except InputError:
        raise
    except _DAMAGES as error:
        msg = "the archive is cut short, damaged or locked: pack the file again."
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
                f"the archive holds {len(names)} files ({listed(names)}): unpack it, "
                "and name the one to read."
            )
            raise InputError(msg)
        return names[0], archive.read(names[0])


def _kind(name):
    """Return the ending of a file that can be read."""
    suffix = Path(name).suffix.lower()
    if suffix in _KINDS:
        return suffix
    advice = " Save it as .xlsx or .csv." if suffix in (".xls", ".ods") else ""
    msg = (
        f"its ending must be one of {', '.join(_KINDS)}, also packed as "
        f"{', '.join(_PACKED)}; it is {suffix!r}.{advice}"
    )
    raise InputError(msg)


def _refuse_foreign(data):
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            msg = (
                f"it is {what}, not text: give the file the ending that it should have."
            )
            raise InputError(msg)


# Texts


def _as_utf8(data, encoding, notes):
    """Return a text in UTF-8, whatever it was in."""
    guess = encoding or _encoding(data)
    try:
        codecs.lookup(guess)
    except LookupError as error:
        msg = f"--encoding {encoding} is not known: try utf-8, utf-16 or cp1252."
        raise InputError(msg) from error
    try:
        text = data.decode(guess)
    except UnicodeError as error:
        if encoding is not None or guess != "utf-8-sig":
            msg = f"it is not text in {guess}: name another --encoding."
            raise InputError(msg) from error
        text = _as_cp1252(data, notes)
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


def _as_cp1252(data, notes):
    try:
        text = data.decode("cp1252")
    except UnicodeError as error:
        msg = "it is text neither in UTF-8 nor in cp1252: name its --encoding."
        raise InputError(msg) from error
    notes.append("the file is not in UTF-8: read as cp1252 (--encoding says otherwise)")
    return text


def _read_text(pd, data, sep, notes):
    frame, separator = read_delimited(pd, data, sep, notes)
    return Table(frame, True, separator, notes)


def _read_arff(pd, data):
    return Table(read_arff(pd, data), True)


def _read_json(pd, data):
    try:
        content = json.loads(data)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            msg = f"line {error.lineno} is no JSON: {error.msg}."
            raise InputError(msg) from error
        return _read_json_lines(pd, data)
    if isinstance(content, dict):
        # {"data": [...]}, as services answer, or one entry for each column.
        inner = [v for v in content.values() if isinstance(v, list)]
        if len(inner) == 1 and inner[0] and isinstance(inner[0][0], dict):
            content = inner[0]
    return Table(_of_records(pd, content))


def _read_json_lines(pd, data):
    records = []
    for number, line in enumerate(data.decode().split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            msg = f"line {number} is no JSON: {error.msg}."
            raise InputError(msg) from error
    return Table(_of_records(pd, records))


def _of_records(pd, content):
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


# Tables with types


def _read_parquet(pd, data):
    try:
        frame, notes = pd.read_parquet(io.BytesIO(data)), []
    except _DAMAGES as error:
        msg = "it is no Parquet file, or it is damaged or cut short."
        raise InputError(msg) from error
    index = frame.index
    if any(name is not None for name in index.names):
        kept = listed([name for name in index.names if name is not None])
        notes.append(f"the index of the file is a column: {kept}")
        return Table(frame.reset_index(), notes=notes)
    is_plain = isinstance(index, pd.RangeIndex) or index.dtype.kind in "iu"
    if is_plain:
        if not isinstance(index, pd.RangeIndex):
            notes.append(
                "left out the index of the file, which has numbers and no name"
            )
        return Table(frame.reset_index(drop=True), notes=notes)
    notes.append("the index of the file is a column: index")
    return Table(frame.rename_axis("index").reset_index(), notes=notes)


def _read_workbook(pd, data):
    try:
        import openpyxl  # noqa: F401
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
        msg = "it is no workbook, or it is damaged or locked: save it again."
        raise InputError(msg) from error
    cells = cells.dropna(how="all").dropna(how="all", axis=1)
    notes = []
    if len(sheets) > 1:
        notes.append(
            f"read the first of {len(sheets)} sheets, {sheets[0]}: save another one as "
            "a file of its own"
        )
    if cells.empty:
        msg = f"the sheet {sheets[0]} is empty."
        raise InputError(msg)
    frame = cells.iloc[1:].reset_index(drop=True).infer_objects()
    header = cells.iloc[0]
    frame.columns = header.where(header.notna(), "").map(str).tolist()
    return Table(frame, notes=notes)


_BINARY = {".parquet": _read_parquet, ".xlsx": _read_workbook}
_TYPED = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".arff": _read_arff,
}
_KINDS = (*_TEXTS, *_BINARY, *_TYPED)


# Names


def _distinct_names(names, notes):
    """Return names without blanks around them, numbered where they repeat."""
    given = [str(name) for name in names]
    names = [name.strip() for name in given]
    stripped = [repr(a) for a, b in zip(given, names, strict=True) if a != b and b]
    if stripped:
        notes.append(f"left out blanks around names of columns: {listed(stripped)}")
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
        notes.append(f"several columns have one name; the later are {listed(renamed)}")
    return distinct

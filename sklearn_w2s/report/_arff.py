"""Tables of Weka, whose header names the columns and their types."""

import re

from sklearn_w2s.report._delimited import read_cells
from sklearn_w2s.report._errors import InputError

_ATTRIBUTE = re.compile(
    r"@attribute\s+('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s{]+)\s*(.*)", re.IGNORECASE
)


def read_arff(pd, data):
    """Read a text of Weka's format as text, nominal attributes as categories."""
    lines = data.decode().splitlines()
    attributes = []
    for number, line in enumerate(lines, 1):
        word = line.strip().lower()
        if word.startswith("@data"):
            break
        if word.startswith("@attribute"):
            match = _ATTRIBUTE.match(line.strip())
            if match is None:
                msg = f"line {number} is no attribute: @attribute NAME TYPE."
                raise InputError(msg)
            attributes.append((match[1].strip("'\""), match[2].strip()))
    else:
        msg = "it has no line @data."
        raise InputError(msg)
    rows = [line if _holds_cells(line) else "" for line in lines[number:]]
    if any(line.lstrip().startswith("{") for line in rows):
        msg = "its rows are sparse: save them with all their cells."
        raise InputError(msg)
    frame = read_cells(pd, rows, len(attributes), number)
    frame.columns = [name for name, _ in attributes]
    for position, (_, kind) in enumerate(attributes):
        if kind.startswith("{"):
            column = frame.iloc[:, position].astype(object)
            frame.isetitem(position, column.where(column != "?").astype("category"))
    return frame


def _holds_cells(line):
    return line.strip() and not line.lstrip().startswith("%")

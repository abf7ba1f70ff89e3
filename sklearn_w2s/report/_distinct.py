"""Distinct cells of a column of text, and what they are read as."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# The share of cells that decides what a column is; the others become missing.
ENOUGH = 0.95


@dataclass
class Read:
    """Values of distinct cells, their kind, and what was seen on the way.

    A trait has a number of cells and some of them, or 0 and none.
    """

    values: Any
    kind: str
    traits: dict = field(default_factory=dict)


def matches(cells, pattern):
    """Say in which cells a pattern is found, (n,) bool."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(cells, pattern)
    return found.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)


def is_in(cells, values):
    """Say which cells are among some texts, (n,) bool."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.is_in(cells, value_set=pa.array(sorted(values), cells.type))
    return found.to_numpy(zero_copy_only=False).astype(bool)


def chosen(cells, mask):
    """Return the cells of a mask as a list."""
    return cells.take(np.flatnonzero(mask)).to_pylist()


def note_rest(cells, counts, is_read, traits):
    """Keep what was not read as the other cells of the column are."""
    if not is_read.all():
        traits["rest"] = (int(counts[~is_read].sum()), chosen(cells, ~is_read))

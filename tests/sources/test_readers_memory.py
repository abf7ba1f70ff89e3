"""A source may fill the same memory again with its next batch."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.sources._readers import SourceReader

pa = pytest.importorskip("pyarrow")


def arrow(buffer):
    # Columns in Fortran order are whole, and are taken without a copy.
    return pa.table({"a": buffer[:, 0], "b": buffer[:, 1]})


TABLES = {
    "array": lambda buffer: buffer,
    "view": lambda buffer: buffer[:],
    "column view": lambda buffer: buffer.T[:2].T,
    "sparse": lambda buffer: sp.csr_matrix(
        (
            buffer[:, 0],
            np.zeros(len(buffer), dtype=np.int32),
            np.arange(len(buffer) + 1),
        ),
        shape=buffer.shape,
        copy=False,
    ),
    "pandas": lambda buffer: pd.DataFrame(buffer, columns=["a", "b"], copy=False),
    "pandas of Arrow": lambda buffer: arrow(buffer).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
    "polars": lambda buffer: pl.DataFrame(buffer),
    "Arrow": arrow,
    "one column of Arrow": lambda buffer: arrow(buffer).select(["a"]),
    "Dask": lambda buffer: pytest.importorskip("dask").delayed(lambda: buffer)(),
}
SOURCES = {
    "generator": lambda batches: batches,
    "callable": lambda batches: lambda _: next(batches, None),
}


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A file in memory, of two columns."""
    path = tmp_path_factory.mktemp("mapped") / "rows"
    return lambda n: np.memmap(path, dtype=float, shape=(n, 2), mode="w+", order="F")


@given(
    kind=st.sampled_from(list(TABLES)),
    source=st.sampled_from(list(SOURCES)),
    in_file=st.booleans(),
    timeout=st.sampled_from([None, 60]),
    size=st.integers(1, 7),
    n=st.integers(1, 9),
)
def test_what_was_read_stays_whatever_the_source_does_with_its_memory(
    mapped, first_column, kind, source, in_file, timeout, size, n
):
    def batches():
        buffer = mapped(size) if in_file else np.zeros((size, 2), order="F")
        labels = np.zeros(size)
        for i in range(4):
            buffer[:] = np.arange(i * size, (i + 1) * size)[:, np.newaxis]
            labels[:] = buffer[:, 0]
            yield TABLES[kind](buffer), labels
        buffer[:], labels[:] = -1, -1

    reader = SourceReader(
        "a",
        SOURCES[source](batches()),
        rng=np.random.default_rng(0),
        timeout=timeout,
    )
    read = []
    while sum(len(y) for _, y in read) < 4 * size:
        read.append(reader.read(n))
    expected = list(range(4 * size))
    assert [row for X, _ in read for row in first_column(X)] == expected
    assert [label for _, y in read for label in y.tolist()] == expected

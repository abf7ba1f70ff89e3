"""Similarity of rows to a set of reference rows, in blocks of bounded memory.

Rows may be dense or sparse; a block of similarities is the only dense intermediate.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

# A block of similarities is to be in cache still when it is reduced, and large enough
# for the matrix product, which copies both its factors first, to run at full speed. Its
# width is no power of two, or its rows would compete for the same lines of the cache.
_BLOCK_BYTES = 8 * 2**20
_BLOCK_REFERENCES = 2500


def unit_rows(rows: Any) -> Any:
    """Return the rows scaled to length one; rows of zeros stay zero."""
    if hasattr(rows, "toarray"):
        squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        return rows.multiply(_inverse_root(squares)[:, None]).tocsr()
    # Dividing by the largest entry first keeps the squares from over- or underflowing.
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scaled = rows / np.where(largest > 0, largest, 1)[:, None]
    return scaled * _inverse_root(np.einsum("ij,ij->i", scaled, scaled))[:, None]


def largest_similarity(
    rows: Any,
    references: Any,
    working_bytes: int,
    *,
    absolute: bool = True,
    unit: bool = False,
) -> FloatArray:
    r"""Return :math:`\max_h |\langle x, h \rangle|` over the references of each row."""
    largest = np.full(rows.shape[0], -np.inf, dtype=rows.dtype)
    blocks = _similarities(rows, references, working_bytes, unit)
    for block, _, similarities in blocks:
        # In place and in cache, it costs less than a second pass for the minimum.
        signless = np.abs(similarities, out=similarities) if absolute else similarities
        largest[block] = np.maximum(largest[block], signless.max(axis=1))
    return largest


def mean_similarity(
    rows: Any,
    references: Any,
    reference_weights: FloatArray,
    working_bytes: int,
    *,
    unit: bool = False,
) -> FloatArray:
    r"""Return the weighted mean of :math:`|\langle x, h \rangle|` over references."""
    # In the precision of the similarities, or each block would be converted. Terms of
    # one sign do not cancel, and only those of one block are summed in that precision.
    share = reference_weights / reference_weights.sum()
    share = share.astype(np.result_type(rows.dtype, references.dtype), copy=False)
    means = np.zeros(rows.shape[0])
    blocks = _similarities(rows, references, working_bytes, unit)
    for block, reference_block, similarities in blocks:
        means[block] += np.abs(similarities, out=similarities) @ share[reference_block]
    return means.astype(rows.dtype, copy=False)


def _inverse_root(squares: FloatArray) -> FloatArray:
    positive = squares > 0
    return np.where(positive, 1 / np.sqrt(np.where(positive, squares, 1)), 0)


def _similarities(
    rows: Any, references: Any, working_bytes: int, unit: bool
) -> Iterator[tuple[slice, slice, FloatArray]]:
    """Yield positions of rows and references, and their similarities."""
    dtype = np.result_type(rows.dtype, references.dtype)
    size = max(1, min(working_bytes, _BLOCK_BYTES) // dtype.itemsize)
    width = min(references.shape[0], _BLOCK_REFERENCES, size)
    transposed = [(s, references[s].T) for s in _slices(references.shape[0], width)]
    # Every block of similarities overwrites the one before.
    buffer = np.empty(size, dtype=dtype)
    for block in _slices(rows.shape[0], size // width):
        factor = unit_rows(rows[block]) if unit else rows[block]
        for reference_block, other in transposed:
            yield block, reference_block, _product(factor, other, buffer)


def _product(rows: Any, columns: Any, buffer: FloatArray) -> FloatArray:
    if isinstance(rows, np.ndarray) and isinstance(columns, np.ndarray):
        shape = rows.shape[0], columns.shape[1]
        out = buffer[: shape[0] * shape[1]].reshape(shape)
        return np.matmul(rows, columns, out=out)
    product = rows @ columns
    dense: FloatArray = product.toarray() if hasattr(product, "toarray") else product
    return dense


def _slices(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))

"""Similarity of rows to a set of reference rows, in blocks of bounded memory.

Rows may be dense or sparse; a block of similarities is the only dense intermediate.
Arrays of another library stay where they are; their namespace is the argument `xp`.
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
# Large enough to keep an accelerator busy, small next to its memory.
_DEVICE_BLOCK_BYTES = 64 * 2**20


def unit_rows(rows: Any, xp: Any = np) -> Any:
    """Return the rows scaled to length one; rows of zeros stay zero."""
    if hasattr(rows, "toarray"):
        squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        return rows.multiply(_inverse_root(squares)[:, None]).tocsr()
    # Dividing by the largest entry first keeps the squares from over- or underflowing.
    if xp is np:
        largest = np.abs(rows).max(axis=1, initial=0.0)
        scaled = rows / np.where(largest > 0, largest, 1)[:, None]
        return scaled * _inverse_root(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    largest = xp.max(xp.abs(rows), axis=1, keepdims=True)
    scaled = rows / xp.where(largest > 0, largest, xp.ones_like(largest))
    lengths = xp.sqrt(xp.sum(scaled * scaled, axis=1, keepdims=True))
    return scaled / xp.where(lengths > 0, lengths, xp.ones_like(lengths))


def _inverse_root(squares: FloatArray) -> FloatArray:
    positive = squares > 0
    return np.where(positive, 1 / np.sqrt(np.where(positive, squares, 1)), 0)


def largest_similarity(
    rows: Any,
    references: Any,
    working_bytes: int,
    *,
    absolute: bool = True,
    unit: bool = False,
    xp: Any = np,
) -> Any:
    r"""Return :math:`\max_h |\langle x, h \rangle|` over the references of each row."""
    if xp is np:
        largest = np.full(rows.shape[0], -np.inf, dtype=rows.dtype)
    else:
        dtype = xp.result_type(rows, references)
        largest = xp.full_like(rows[:, 0], -xp.inf, dtype=dtype)
    blocks = _similarities(rows, references, working_bytes, unit, xp)
    for block, _, similarities in blocks:
        signless = _absolute(similarities, xp) if absolute else similarities
        largest[block] = xp.maximum(largest[block], xp.max(signless, axis=1))
    return largest if xp is np else xp.astype(largest, rows.dtype, copy=False)


def mean_similarity(
    rows: Any,
    references: Any,
    reference_weights: Any,
    working_bytes: int,
    *,
    unit: bool = False,
    xp: Any = np,
) -> Any:
    r"""Return the weighted mean of :math:`|\langle x, h \rangle|` over references."""
    share = reference_weights / xp.sum(reference_weights)
    # In the precision of the similarities, or each block would be converted. Terms of
    # one sign do not cancel, and only those of one block are summed in that precision.
    if xp is np:
        share = share.astype(np.result_type(rows.dtype, references.dtype), copy=False)
        means = np.zeros(rows.shape[0])
    else:
        share = xp.astype(share, xp.result_type(rows, references), copy=False)
        means = xp.zeros_like(rows[:, 0], dtype=share.dtype)
    blocks = _similarities(rows, references, working_bytes, unit, xp)
    for block, reference_block, similarities in blocks:
        means[block] += _absolute(similarities, xp) @ share[reference_block]
    if xp is np:
        return means.astype(rows.dtype, copy=False)
    return xp.astype(means, rows.dtype, copy=False)


def _absolute(similarities: Any, xp: Any) -> Any:
    # In place and in cache, it costs less than a second pass for the minimum.
    return np.abs(similarities, out=similarities) if xp is np else xp.abs(similarities)


def _similarities(
    rows: Any, references: Any, working_bytes: int, unit: bool, xp: Any = np
) -> Iterator[tuple[slice, slice, Any]]:
    """Yield positions of rows and references, and their similarities."""
    if xp is np:
        dtype = np.result_type(rows.dtype, references.dtype)
        size = max(1, min(working_bytes, _BLOCK_BYTES) // dtype.itemsize)
        width = min(references.shape[0], _BLOCK_REFERENCES, size)
        # Every block of similarities overwrites the one before.
        buffer = np.empty(size, dtype=dtype)
    else:
        dtype = xp.result_type(rows, references)
        # Some libraries refuse the product of two precisions.
        references = xp.astype(references, dtype, copy=False)
        # A block of similarities and its absolute values exist at the same time.
        block_bytes = min(working_bytes, _DEVICE_BLOCK_BYTES)
        size = max(1, block_bytes // (2 * xp.finfo(dtype).bits // 8))
        # Rows should share a block as evenly with references as these are many.
        width = min(references.shape[0], max(1, int(size**0.5)))
    columns = [(s, references[s, :].T) for s in _slices(references.shape[0], width)]
    for block in _slices(rows.shape[0], size // width):
        factor = unit_rows(rows[block, :], xp) if unit else rows[block, :]
        if xp is not np:
            factor = xp.astype(factor, dtype, copy=False)
        for reference_block, other in columns:
            if isinstance(factor, np.ndarray) and isinstance(other, np.ndarray):
                shape = factor.shape[0], other.shape[1]
                out = buffer[: shape[0] * shape[1]].reshape(shape)
                yield block, reference_block, np.matmul(factor, other, out=out)
                continue
            product = factor @ other
            is_sparse = hasattr(product, "toarray")
            yield block, reference_block, product.toarray() if is_sparse else product


def _slices(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))

"""Similarity of rows to reference rows, for arrays of any array API namespace.

Rows and references stay where they are; the namespace is the argument `xp`.
"""

from collections.abc import Iterator
from typing import Any

# Large enough to keep an accelerator busy, small next to its memory.
_BLOCK_BYTES = 64 * 2**20
# A block of similarities and its absolute values exist at the same time.
_COPIES = 2


def unit_rows(xp: Any, rows: Any) -> Any:
    """Return the rows scaled to length one; rows of zeros stay zero."""
    # Dividing by the largest entry first keeps the squares from over- or underflowing.
    largest = xp.max(xp.abs(rows), axis=1, keepdims=True)
    scaled = rows / _one_for_zero(xp, largest)
    lengths = xp.sqrt(xp.sum(scaled * scaled, axis=1, keepdims=True))
    return scaled / _one_for_zero(xp, lengths)


def largest_similarity(
    xp: Any,
    rows: Any,
    references: Any,
    working_bytes: int,
    *,
    absolute: bool = True,
    unit: bool = False,
) -> Any:
    r"""Return :math:`\max_h |\langle x, h \rangle|` over the references of each row."""
    scores = []
    for blocks in _similarities(xp, rows, references, working_bytes, unit):
        largest = None
        for _, similarities in blocks:
            signless = xp.abs(similarities) if absolute else similarities
            found = xp.max(signless, axis=1)
            largest = found if largest is None else xp.maximum(largest, found)
        scores.append(largest)
    return xp.astype(xp.concat(scores), rows.dtype, copy=False)


def mean_similarity(
    xp: Any,
    rows: Any,
    references: Any,
    reference_weights: Any,
    working_bytes: int,
    *,
    unit: bool = False,
) -> Any:
    r"""Return the weighted mean of :math:`|\langle x, h \rangle|` over references."""
    share = reference_weights / xp.sum(reference_weights)
    share = xp.astype(share, xp.result_type(rows, references), copy=False)
    means = []
    for blocks in _similarities(xp, rows, references, working_bytes, unit):
        mean = None
        for reference_block, similarities in blocks:
            part = xp.abs(similarities) @ share[reference_block]
            mean = part if mean is None else mean + part
        means.append(mean)
    return xp.astype(xp.concat(means), rows.dtype, copy=False)


def _one_for_zero(xp: Any, sizes: Any) -> Any:
    return xp.where(sizes > 0, sizes, xp.ones_like(sizes))


def _similarities(
    xp: Any, rows: Any, references: Any, working_bytes: int, unit: bool
) -> Iterator[Iterator[tuple[slice, Any]]]:
    """Yield, for each block of rows, positions of references and similarities."""
    dtype = xp.result_type(rows, references)
    # Some libraries refuse the product of two precisions.
    references = xp.astype(references, dtype, copy=False)
    itemsize = xp.finfo(dtype).bits // 8
    size = max(1, min(working_bytes, _BLOCK_BYTES) // (_COPIES * itemsize))
    # Rows should share a block as evenly with references as these are many.
    width = min(references.shape[0], max(1, int(size**0.5)))
    reference_blocks = list(_slices(references.shape[0], width))
    for block in _slices(rows.shape[0], size // width):
        factor = unit_rows(xp, rows[block, :]) if unit else rows[block, :]
        factor = xp.astype(factor, dtype, copy=False)
        yield ((s, factor @ references[s, :].T) for s in reference_blocks)


def _slices(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))

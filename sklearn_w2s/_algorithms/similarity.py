"""Similarity of rows to a set of reference rows, in blocks of bounded memory.

Rows may be dense or sparse; a block of similarities is the only dense intermediate.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


def unit_rows(rows: Any) -> Any:
    """Scale every row to length one; rows of zeros stay zero.

    Parameters
    ----------
    rows : {ndarray, sparse matrix} of shape (n, d)
        Rows to scale.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n, d)
        A copy.
    """
    if hasattr(rows, "toarray"):
        squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        return rows.multiply(_inverse_root(squares)[:, None]).tocsr()
    # Dividing by the largest entry first keeps the squares from over- or underflowing.
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scaled = rows / np.where(largest > 0, largest, 1)[:, None]
    return scaled * _inverse_root(np.einsum("ij,ij->i", scaled, scaled))[:, None]


def largest_similarity(
    rows: Any, references: Any, working_bytes: int, *, absolute: bool = True
) -> FloatArray:
    r"""Return :math:`\max_h |\langle x, h \rangle|` over the references of each row.

    Parameters
    ----------
    rows : {ndarray, sparse matrix} of shape (n, d)
        Rows to score.
    references : {ndarray, sparse matrix} of shape (m, d)
        At least one reference row.
    working_bytes : int
        Bound on the memory of one block of similarities.
    absolute : bool, default=True
        Whether opposite directions count as similar.

    Returns
    -------
    ndarray of shape (n,)
        Largest similarity of each row.
    """

    def reduce(block: FloatArray) -> FloatArray:
        highest: FloatArray = block.max(axis=1)
        # max |s| without a copy of the block.
        return np.maximum(highest, -block.min(axis=1)) if absolute else highest

    return _reduce_blocks(rows, references, working_bytes, reduce)


def mean_similarity(
    rows: Any, references: Any, reference_weights: FloatArray, working_bytes: int
) -> FloatArray:
    r"""Return the weighted mean of :math:`|\langle x, h \rangle|` over the references.

    Parameters
    ----------
    rows : {ndarray, sparse matrix} of shape (n, d)
        Rows to score.
    references : {ndarray, sparse matrix} of shape (m, d)
        At least one reference row.
    reference_weights : ndarray of shape (m,)
        Positive weights of the references.
    working_bytes : int
        Bound on the memory of one block of similarities.

    Returns
    -------
    ndarray of shape (n,)
        Mean absolute similarity of each row.
    """
    share = reference_weights / reference_weights.sum()

    def reduce(block: FloatArray) -> FloatArray:
        means: FloatArray = np.abs(block, out=block) @ share
        return means

    return _reduce_blocks(rows, references, working_bytes, reduce)


def _inverse_root(squares: FloatArray) -> FloatArray:
    positive = squares > 0
    return np.where(positive, 1 / np.sqrt(np.where(positive, squares, 1)), 0)


def _reduce_blocks(
    rows: Any,
    references: Any,
    working_bytes: int,
    reduce: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    transposed = references.T
    bytes_per_row = max(1, references.shape[0] * rows.dtype.itemsize)
    block_rows = max(1, working_bytes // bytes_per_row)
    scores = np.empty(rows.shape[0], dtype=rows.dtype)
    for block in _slices(rows.shape[0], block_rows):
        product = rows[block] @ transposed
        scores[block] = reduce(
            product.toarray() if hasattr(product, "toarray") else product
        )
    return scores


def _slices(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))

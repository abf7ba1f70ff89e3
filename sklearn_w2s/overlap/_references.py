"""Rows that stand for their region when others are compared with it."""

import numpy as np


def draw_references(belongs, weights, most, rng):
    """Return positions of rows of a region, some of them where there are too many.

    Parameters
    ----------
    belongs : ndarray of shape (n,) of bool
        Which rows lie in the region.
    weights : ndarray of shape (n,)
        Weights; rows of weight zero are no references.
    most : int or None
        Bound on their number.
    rng : RandomState instance
        Draws, without replacement, where the bound is exceeded.

    Returns
    -------
    ndarray of int
        Sorted positions.
    """
    positions = np.flatnonzero(belongs & (weights > 0))
    if most is None or len(positions) <= most:
        return positions
    return np.sort(rng.choice(positions, most, replace=False))

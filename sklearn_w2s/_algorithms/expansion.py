"""How little of the covered rows a set of hard rows can have as neighbours."""

from collections.abc import Callable
from math import gcd

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


def corner_sets(
    n_rows: int,
    neighbors_of: Callable[[BoolArray], BoolArray],
    cheapest_set: Callable[[BoolArray, BoolArray, int, int], BoolArray],
) -> list[BoolArray]:
    r"""Return the sets at the corners of the envelope of smallest neighbourhoods.

    The envelope is the largest convex function that is, at the size :math:`|U|` of each
    set U of rows, at most the number :math:`|N(U)|` of its neighbours. Sets at its
    corners minimise :math:`v |N(U)| - u |U|` for some slope :math:`u / v`, and grow
    with the slope: :math:`N` is submodular [1]_. So every search between two corners is
    one among the rows of the larger that the smaller lacks.

    Parameters
    ----------
    n_rows : int
        Number of rows, at least 1.
    neighbors_of : callable
        ``neighbors_of(rows)`` returns which covered rows are neighbours of the chosen
        ones; both are masks.
    cheapest_set : callable
        ``cheapest_set(rows, covered, u, v)`` returns a mask of the set U within `rows`
        that minimises v |N(U)| - u |U| where only neighbours in `covered` count, and
        the smallest one of several.

    Returns
    -------
    list of ndarray of shape (n_rows,) of bool
        Sets in growing order, each a part of the next, from the empty one to all rows.

    References
    ----------
    .. [1] G. Gallo, M. D. Grigoriadis, R. E. Tarjan, "A Fast Parametric Maximum Flow
       Algorithm and Applications", SIAM Journal on Computing 18(1), 1989.

    Examples
    --------
    Two rows share one neighbour, a third has two of its own:

    >>> graph = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1]], dtype=bool)
    >>> def cheapest_set(rows, covered, u, v):
    ...     pair = rows & np.array([True, True, False])
    ...     gain = u * pair.sum() - v * graph[pair][:, covered].any(axis=0).sum()
    ...     return pair if gain > 0 else np.zeros(3, dtype=bool)
    >>> corners = corner_sets(3, lambda rows: graph[rows].any(axis=0), cheapest_set)
    >>> [rows.sum().item() for rows in corners]
    [0, 2, 3]
    """
    corners = [np.zeros(n_rows, dtype=bool)]
    waiting = [np.ones(n_rows, dtype=bool)]
    while waiting:
        inner, outer = corners[-1], waiting[-1]
        rows = outer & ~inner
        covered = neighbors_of(outer) & ~neighbors_of(inner)
        u, v = int(covered.sum()), int(rows.sum())
        # Nothing is below a flat chord, for larger sets have no fewer neighbours.
        common = gcd(u, v)
        added = cheapest_set(rows, covered, u // common, v // common) if u else rows
        if not u or not added.any():
            corners.append(waiting.pop())
        else:
            waiting.append(inner | added)
    return corners


def expansion_bounds(
    set_mass: FloatArray, neighbor_mass: FloatArray, *, n_rows: int, q: float
) -> tuple[float, float, int]:
    r"""Bound the smallest ratio of neighbours to rows among all sets above a mass.

    .. math:: \frac{e(p)}{p} \le \min_{P(U) > q} \frac{P(N(U))}{P(U)}
        \le \frac{e(p')}{p'}

    with the envelope e, the smallest mass p above q that a set can have, and the first
    corner p' that is not below p. As e is convex and e(0) = 0, the ratio grows with p,
    so that no larger set can fall below the left side. At the corner a set attains the
    right side.

    Parameters
    ----------
    set_mass : ndarray of shape (n_corners,)
        Shares of the rows that the sets at the corners hold, from 0 growing to 1.
    neighbor_mass : ndarray of shape (n_corners,)
        Shares of the covered rows that are their neighbours.
    n_rows : int
        Number of rows that the shares are of.
    q : float
        Mass in [0, 1) that a set must exceed.

    Returns
    -------
    low, high : float
        The bounds, equal where p is a corner.
    corner : int
        Position of the corner p'.

    Examples
    --------
    >>> corners = np.array([0, 0.5, 1]), np.array([0, 0.25, 1])
    >>> expansion_bounds(*corners, n_rows=4, q=0.1)
    (0.5, 0.5, 1)
    >>> expansion_bounds(*corners, n_rows=4, q=0.5)
    (0.8333333333333334, 1.0, 2)
    """
    masses = np.arange(n_rows + 1) / n_rows
    mass = masses[np.searchsorted(masses, q, side="right")]
    corner = int(np.searchsorted(set_mass, mass))
    low = np.interp(mass, set_mass, neighbor_mass) / mass
    high = neighbor_mass[corner] / set_mass[corner]
    # Interpolation at a corner may round upwards.
    return float(min(low, high)), float(high), corner

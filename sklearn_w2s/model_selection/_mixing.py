"""Draw overlap rows and others in given shares, cell by cell."""

import numpy as np


def rows_per_cell(pools, shares, n_samples, *, matched):
    """Return how many rows of each cell to draw at every share.

    Parameters
    ----------
    pools : list of tuple (ndarray of int, ndarray of bool), each of shape (n,)
        Cell of each row of a pool, and whether it is an overlap row.
    shares : ndarray of shape (n_shares,)
        Shares of overlap rows, in [0, 1].
    n_samples : int or None
        Rows to draw; None is the most at which all shares are possible in all pools.
    matched : bool
        Whether the cells are classes and correctness of labels, for the message.

    Returns
    -------
    ndarray of shape (n_cells,) of int
        Numbers of rows.

    Raises
    ------
    ValueError
        If the rows are too few for a share.
    """
    n_cells = 1 + max(cells.max() for cells, _ in pools)
    counts = np.array(
        [
            [
                np.bincount(cells[kind], minlength=n_cells)
                for kind in (overlap, ~overlap)
            ]
            for cells, overlap in pools
        ]
    )
    fewest = counts.min(axis=0)
    room = np.minimum(
        _most(fewest[0], shares.max()), _most(fewest[1], 1 - shares.min())
    )
    largest = room.sum()
    if largest < max(2, n_samples or 0):
        n_overlap, n_others = counts.sum(axis=2).min(axis=0)
        wanted = "Two" if n_samples is None else f"n_samples={n_samples}"
        alike = ", of equal class and correctness of the weak label" if matched else ""
        msg = (
            f"{wanted} rows at each of overlap_shares={shares.tolist()} are "
            f"impossible: the pool of a repeat may have {n_overlap} overlap rows and "
            f"{n_others} others, which allows {largest}{alike}. Pass more rows, "
            "shares nearer to their density, or a smaller n_samples."
        )
        raise ValueError(msg)
    return room if n_samples is None else apportion(n_samples * room / largest)


def draw_positions(cells, is_overlap, sizes, shares, rng):
    """Draw rows of a pool without replacement at each share, as alike as possible.

    Parameters
    ----------
    cells : ndarray of shape (n,) of int
        Cell of each row.
    is_overlap : ndarray of shape (n,) of bool
        Whether it is an overlap row.
    sizes : ndarray of shape (n_cells,) of int
        Rows to draw of each cell.
    shares : ndarray of shape (n_shares,)
        Shares of overlap rows, in [0, 1].
    rng : RandomState
        Draws the order in which rows are taken.

    Returns
    -------
    list of ndarray of int
        Sorted positions of the rows drawn at each share.
    """
    order = rng.permutation(len(cells))
    queues = [
        [
            order[(cells[order] == cell) & (is_overlap[order] == kind)]
            for cell in range(len(sizes))
        ]
        for kind in (True, False)
    ]
    drawn = []
    for share in shares:
        n_overlap = apportion(share * sizes)
        taken = [
            queue[:n]
            for kind, numbers in zip(
                queues, (n_overlap, sizes - n_overlap), strict=True
            )
            for queue, n in zip(kind, numbers, strict=True)
        ]
        drawn.append(np.sort(np.concatenate(taken)))
    return drawn


def apportion(quotas):
    """Round each quota up or down, the largest remainders up, to their rounded sum.

    Parameters
    ----------
    quotas : ndarray of shape (n,)
        Non-negative numbers.

    Returns
    -------
    ndarray of shape (n,) of int
        Numbers less than 1 away from the quotas.
    """
    # Products such as 0.7 * 10 are whole but for rounding.
    quotas = np.round(quotas, 9)
    total = int(np.floor(np.round(quotas.sum(), 9) + 0.5))
    whole = np.floor(quotas).astype(np.intp)
    by_remainder = np.argsort(whole - quotas, kind="stable")
    whole[by_remainder[: total - whole.sum()]] += 1
    return whole


def _most(counts, share):
    if share == 0:
        return np.full(counts.shape, np.iinfo(np.intp).max)
    # A quotient that is whole but for rounding must not lose a row.
    return np.floor(counts / share + 1e-9).astype(np.intp)

"""What drawing from other sources than the best has cost."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def source_regret(
    history: Mapping[str, Any], overlap_density: Mapping[Any, float] | None = None
) -> dict[str, float]:
    r"""Return how many overlap rows were missed by not drawing from the best source.

    .. math:: \sum_k n_k (o^* - o_k)

    with :math:`n_k` the rows drawn of source k, :math:`o_k` its overlap density and
    :math:`o^*` that of the densest source. The *floor* is what the first draws of every
    source miss, which nothing can save who does not know the densities; the *excess* is
    the rest, for which a policy is to blame. The excess of the best policies grows like
    the logarithm of the number of rows [1]_.

    Parameters
    ----------
    history : dict of str to array-like of shape (n_rounds,)
        The `history_` of a :class:`~sklearn_w2s.UCBSourceSelector`, of which "source",
        "n_drawn", "index" (NaN in the first draws) and "overlap_density" are used.
    overlap_density : dict of str to float, default=None
        True densities by name of the source. None takes the last estimates, which makes
        the regret an estimate as well.

    Returns
    -------
    dict of str to float
        "floor", "excess" and "total", in rows.

    Raises
    ------
    ValueError
        If `overlap_density` lacks a source that was drawn.

    References
    ----------
    .. [1] T. L. Lai, H. Robbins, "Asymptotically Efficient Adaptive Allocation Rules",
       Advances in Applied Mathematics 6(1), 1985.

    Examples
    --------
    >>> from sklearn_w2s.metrics import source_regret
    >>> history = {
    ...     "source": ["north", "south", "south", "north"],
    ...     "n_drawn": [10, 10, 10, 10],
    ...     "index": [float("nan"), float("nan"), 0.6, 0.5],
    ... }
    >>> source_regret(history, {"north": 0.25, "south": 0.5})
    {'floor': 2.5, 'excess': 2.5, 'total': 5.0}
    """
    source = np.asarray(history["source"]).tolist()
    if overlap_density is None:
        # The last entry of a source is the one that counts.
        overlap_density = dict(zip(source, history["overlap_density"], strict=True))
    unknown = sorted({str(name) for name in source if name not in overlap_density})
    if unknown:
        msg = (
            f"overlap_density lacks the sources {unknown}, which were drawn. Give the "
            "density of every source."
        )
        raise ValueError(msg)
    best = np.nanmax(list(overlap_density.values()))
    missed = np.array([best - overlap_density[name] for name in source])
    n_drawn = np.asarray(history["n_drawn"])
    # Of a source that only failed no row was drawn, and its density is unknown.
    regret = np.where(n_drawn > 0, n_drawn * missed, 0)
    is_first = np.isnan(np.asarray(history["index"], dtype=np.float64))
    parts = {"floor": regret[is_first].sum(), "excess": regret[~is_first].sum()}
    parts["total"] = regret.sum()
    return {name: float(part) for name, part in parts.items()}

"""The share of the gap between weak and ceiling that is recovered."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def recovered_share(
    weak: ArrayLike, weak_to_strong: ArrayLike, ceiling: ArrayLike
) -> NDArray[np.float64]:
    """Return ``(weak_to_strong - weak) / (ceiling - weak)``, NaN without a gap.

    Parameters
    ----------
    weak, weak_to_strong, ceiling : array-like
        Scores, greater is better; they broadcast.

    Returns
    -------
    ndarray
        Share recovered; NaN unless the ceiling is above the weak score.

    Examples
    --------
    >>> recovered_share(0.6, [0.75, 0.5], 0.9)
    array([ 0.5       , -0.33333333])
    """
    floor, student, top = np.broadcast_arrays(
        *(np.asarray(s, dtype=np.float64) for s in (weak, weak_to_strong, ceiling))
    )
    gap = top - floor
    return np.where(gap > 0, (student - floor) / np.where(gap > 0, gap, 1), np.nan)

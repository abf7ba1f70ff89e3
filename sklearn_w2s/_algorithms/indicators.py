"""What rows without labels tell of weak labels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def class_coverage(weak_labels: ArrayLike, known_labels: ArrayLike) -> float:
    r"""Return how far weak labels name the classes as often as they are known to occur.

    .. math:: 1 - \tfrac12 \sum_c |p_c - q_c|

    with p the shares of the classes among known labels and q those among weak ones: 1
    where they are alike, 0 where no class of the one is in the other.

    Parameters
    ----------
    weak_labels : array-like of shape (n,)
        Weak labels.
    known_labels : array-like of shape (m,)
        True labels of other rows.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> class_coverage(["a", "a", "a", "b"], ["a", "b"])
    0.75
    """
    both = np.concatenate([np.asarray(weak_labels), np.asarray(known_labels)])
    classes, codes = np.unique(both, return_inverse=True)
    n_weak = len(np.asarray(weak_labels))
    q, p = (
        np.bincount(part, minlength=len(classes)) / len(part)
        for part in (codes[:n_weak], codes[n_weak:])
    )
    return float(1 - np.abs(p - q).sum() / 2)


def neighbor_consistency(labels: ArrayLike, neighbors: ArrayLike) -> float:
    r"""Return how much more often neighbours share a label than chance would have it.

    .. math:: (o - e) / (1 - e)

    with o the share of neighbours of the same label and :math:`e = \sum_c q_c^2` the
    share that labels dealt at random would have.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Labels.
    neighbors : array-like of shape (n, k) of int
        Positions of the neighbours of each row.

    Returns
    -------
    float
        At most 1; NaN where there is one label only.

    Examples
    --------
    >>> neighbor_consistency([0, 0, 1, 1], [[1], [0], [3], [2]])
    1.0
    """
    names = np.asarray(labels)
    _, counts = np.unique(names, return_counts=True)
    chance = float(((counts / len(names)) ** 2).sum())
    if len(counts) == 1:
        return float("nan")
    alike = float((names[np.asarray(neighbors)] == names[:, None]).mean())
    return (alike - chance) / (1 - chance)

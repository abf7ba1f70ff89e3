"""Weak labels as targets and weights, and how far they can be trusted."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def one_hot(codes: ArrayLike, n_classes: int) -> FloatArray:
    """Return the indicator matrix of class codes, of shape (n, n_classes)."""
    return np.eye(n_classes)[np.asarray(codes, dtype=np.intp)]


def expand_soft_targets(
    targets: ArrayLike, weights: ArrayLike
) -> tuple[IntArray, IntArray, FloatArray]:
    r"""Repeat each row once per possible class, weighted by the class's probability.

    Returned are the row, class code and weight of each repetition, of which the log
    loss :math:`-\sum_i w_i \sum_k P_{ik} \log q_{ik}` is that of the soft targets.
    """
    joint = np.asarray(targets, float) * np.asarray(weights, float)[:, None]
    rows, codes = np.nonzero(joint)
    return rows, codes, joint[rows, codes]


def unit_mean(weights: ArrayLike, multiplicity: ArrayLike) -> FloatArray:
    """Scale weights to a mean of one over the rows they keep, each so many times.

    Losses with a fixed regularisation, and trees with a least leaf weight, depend on
    the scale of the weights: many small ones would starve them.
    """
    w = np.asarray(weights, dtype=np.float64)
    counts = np.asarray(multiplicity, dtype=np.float64) * (w > 0)
    # Summed as the counts are, so that weights of one stay exactly one.
    total = (counts * w).sum()
    return w * (counts.sum() / total) if total > 0 else w


def as_counts(weights: ArrayLike) -> FloatArray:
    """Return positive weights as numbers of rows, of a mean of one at least.

    A weight of two is a row given twice; weights of less than one on average cannot be
    numbers of rows, and only compare rows.
    """
    w = np.asarray(weights, dtype=np.float64)
    return w / min(w.mean(), 1.0) if len(w) else w


def on_grid(values: ArrayLike) -> FloatArray:
    """Round to multiples of 2**-20, so that ties are exact, and sums of billions too.

    The last bits of a sum depend on the number of threads and the order of the classes;
    rankings, cuts and trees would give other results wherever values are tied.
    """
    return np.rint(np.asarray(values, dtype=np.float64) * 2.0**20) / 2.0**20


def cut_statistic(
    codes: ArrayLike, neighbors: ArrayLike, distances: ArrayLike
) -> FloatArray:
    r"""Return how far each row's neighbours disagree with its label, against chance.

    .. math:: \frac{J_i - (1 - P_{y_i}) \sum_j w_{ij}}
        {\sqrt{P_{y_i} (1 - P_{y_i}) \sum_j w_{ij}^2}}, \qquad
        J_i = \sum_j w_{ij} \mathbb{1}[y_i \ne y_j], \quad w_{ij} = 1 / (1 + d_{ij})

    with P the class shares, and 0 where the denominator is. Sources: F. Muhlenbach,
    S. Lallich, D. A. Zighed, J. Intelligent Information Systems 22(1), 2004; of weak
    labels H. Lang, A. Vijayaraghavan, D. Sontag, NeurIPS 2022.
    """
    y = np.asarray(codes, dtype=np.intp)
    weights = 1 / (1 + np.asarray(distances, dtype=np.float64))
    disagree = y[np.asarray(neighbors, dtype=np.intp)] != y[:, None]
    shares = np.bincount(y) / max(len(y), 1)
    own = shares[y]
    excess = (weights * disagree).sum(axis=1) - (1 - own) * weights.sum(axis=1)
    deviation = np.sqrt(own * (1 - own) * (weights**2).sum(axis=1))
    scores = np.zeros(len(y))
    np.divide(excess, deviation, out=scores, where=deviation > 0)
    return scores


def class_coverage(weak_labels: ArrayLike, known_labels: ArrayLike) -> float:
    r"""Return how far weak labels have the class shares p of known ones, in [0, 1].

    .. math:: 1 - \tfrac12 \sum_c |p_c - q_c|
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

    .. math:: (o - e) / (1 - e), \qquad e = \sum_c q_c^2

    with o the share of neighbours of the same label; NaN where there is one label only.
    """
    names = np.asarray(labels)
    _, counts = np.unique(names, return_counts=True)
    chance = float(((counts / len(names)) ** 2).sum())
    if len(counts) == 1:
        return float("nan")
    alike = float((names[np.asarray(neighbors)] == names[:, None]).mean())
    return (alike - chance) / (1 - chance)

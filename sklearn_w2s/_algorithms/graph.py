"""What the labels of a row's neighbours say about its own."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def smooth_labels(
    proba: ArrayLike, neighbors: ArrayLike, *, share: float, n_steps: int = 5
) -> FloatArray:
    r"""Mix the class probabilities of each row with those of its neighbours.

    .. math:: Q^{(t+1)}_i = (1 - \lambda) P_i
        + \frac{\lambda}{k} \sum_{j \in N(i)} Q^{(t)}_j, \qquad Q^{(0)} = P

    with :math:`\lambda` the `share`. The given P holds every row to what it was, so
    that many steps approach a limit instead of one value for all rows.

    Parameters
    ----------
    proba : array-like of shape (n, n_classes)
        Class probabilities P.
    neighbors : array-like of int of shape (n, k)
        Positions of the neighbours N(i) of each row, k at least 1.
    share : float
        Share of the neighbours in [0, 1]; 0 leaves the probabilities as they are.
    n_steps : int, default=5
        Number of steps: neighbours up to so many edges away have a say.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Smoothed probabilities; rows keep their sum of one.

    References
    ----------
    D. Zhou, O. Bousquet, T. N. Lal, J. Weston, B. Schölkopf, "Learning with Local and
    Global Consistency", NeurIPS 2003. Of weak labels: "Selective Weak-to-Strong
    Generalization", arXiv:2511.14166, 2025.

    Examples
    --------
    >>> smooth_labels([[1, 0], [0, 1]], [[1], [0]], share=0.5, n_steps=1)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    given = np.array(proba, dtype=np.float64)
    # Contiguous, as the steps read one neighbour of all rows at a time.
    ranks = np.ascontiguousarray(np.asarray(neighbors, dtype=np.intp).T)
    smoothed = given
    for _ in range(n_steps):
        total = np.zeros_like(given)
        for rank in ranks:
            total += smoothed[rank]
        smoothed = (1 - share) * given + (share / len(ranks)) * total
    return smoothed


def cut_statistic(
    codes: ArrayLike, neighbors: ArrayLike, distances: ArrayLike
) -> FloatArray:
    r"""Return how far each row's neighbours disagree with its label, against chance.

    With weights :math:`w_{ij} = 1 / (1 + d_{ij})` and :math:`P_y` the share of the
    row's class among all rows, the cut edges :math:`J_i = \sum_j w_{ij}
    \mathbb{1}[y_i \ne y_j]` of labels drawn independently of the graph have mean and
    standard deviation

    .. math:: \mu_i = (1 - P_{y_i}) \sum_j w_{ij}, \qquad
        \sigma_i = \sqrt{P_{y_i} (1 - P_{y_i}) \sum_j w_{ij}^2},

    and the statistic is :math:`(J_i - \mu_i) / \sigma_i`. Labels of low values are
    trustworthy.

    Parameters
    ----------
    codes : array-like of int of shape (n,)
        Class codes from 0 on.
    neighbors : array-like of int of shape (n, k)
        Positions of the neighbours of each row, itself left out.
    distances : array-like of shape (n, k)
        Non-negative distances of these neighbours; at infinity they have no say.

    Returns
    -------
    ndarray of shape (n,)
        Score per row; 0 where chance leaves nothing open: all rows have one class,
        or the row has no neighbour with a say.

    References
    ----------
    F. Muhlenbach, S. Lallich, D. A. Zighed, "Identifying and Handling Mislabelled
    Instances", Journal of Intelligent Information Systems 22(1), 2004. Of weak labels:
    H. Lang, A. Vijayaraghavan, D. Sontag, "Training Subset Selection for Weak
    Supervision", NeurIPS 2022.

    Examples
    --------
    >>> neighbors, distances = [[1], [0], [1], [1]], [[0.0], [0.0], [1.0], [1.0]]
    >>> cut_statistic([0, 0, 0, 1], neighbors, distances).round(3)
    array([-0.577, -0.577, -0.577,  0.577])
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

"""What the labels of a row's neighbours say about its own."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


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

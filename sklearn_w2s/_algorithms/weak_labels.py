"""From weak probabilities to the targets and weights a strong estimator learns from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def one_hot(codes: ArrayLike, n_classes: int) -> FloatArray:
    """Return the indicator matrix of class codes.

    Parameters
    ----------
    codes : array-like of int of shape (n,)
        Codes in ``range(n_classes)``.
    n_classes : int
        Number of columns.

    Returns
    -------
    ndarray of shape (n, n_classes)
        One where the column is the row's code.

    Examples
    --------
    >>> one_hot([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    """
    return np.eye(n_classes)[np.asarray(codes, dtype=np.intp)]


def expand_soft_targets(
    targets: ArrayLike, weights: ArrayLike
) -> tuple[IntArray, IntArray, FloatArray]:
    r"""Repeat each row once per possible class, weighted by the class's probability.

    The weighted log loss of the repeated rows,
    :math:`-\sum_i w_i \sum_k P_{ik} \log q_{ik}`, is the cross-entropy with the soft
    targets, so that any classifier that takes weights can learn from them exactly.

    Parameters
    ----------
    targets : array-like of shape (n, n_classes)
        Target distribution of each row.
    weights : array-like of shape (n,)
        Non-negative weight of each row.

    Returns
    -------
    rows : ndarray of shape (m,)
        Position of the row that each repeated row copies.
    codes : ndarray of shape (m,)
        Class code of each repeated row.
    weights : ndarray of shape (m,)
        Positive weight of each repeated row; they sum to the sum of `weights`.

    Examples
    --------
    >>> rows, codes, weights = expand_soft_targets([[0.25, 0.75], [0, 1]], [1, 2])
    >>> rows, codes, weights
    (array([0, 0, 1]), array([0, 1, 1]), array([0.25, 0.75, 2.  ]))
    """
    joint = np.asarray(targets, float) * np.asarray(weights, float)[:, None]
    rows, codes = np.nonzero(joint)
    return rows, codes, joint[rows, codes]


def unit_mean(weights: ArrayLike, multiplicity: ArrayLike) -> FloatArray:
    """Scale weights to a mean of one over the rows they keep.

    Losses with a fixed regularisation, and tree growing with a least leaf weight,
    depend on the scale of the weights: many small ones would starve them.

    Parameters
    ----------
    weights : array-like of shape (n,)
        Non-negative weights; zero drops a row.
    multiplicity : array-like of shape (n,)
        How many rows each row stands for.

    Returns
    -------
    ndarray of shape (n,)
        Weights whose mean over rows of positive weight, counted by multiplicity, is 1.

    Examples
    --------
    >>> unit_mean([0.0, 0.2, 0.6], [1, 1, 1])
    array([0. , 0.5, 1.5])
    """
    w = np.asarray(weights, dtype=np.float64)
    counts = np.asarray(multiplicity, dtype=np.float64) * (w > 0)
    # Summed as the counts are, so that weights of one stay exactly one.
    total = (counts * w).sum()
    return w * (counts.sum() / total) if total > 0 else w


def as_counts(weights: ArrayLike) -> FloatArray:
    """Return weights as numbers of rows, for evidence that is to grow with the rows.

    A weight of two is a row given twice. Weights of less than one on average cannot
    be numbers of rows: these compare rows alone, and are brought to a mean of one.

    Parameters
    ----------
    weights : array-like of shape (n,)
        Positive weights.

    Returns
    -------
    ndarray of shape (n,)
        Weights of mean one at least.

    Examples
    --------
    >>> as_counts([1, 3])
    array([1., 3.])
    >>> as_counts([0.01, 0.03])
    array([0.5, 1.5])
    """
    w = np.asarray(weights, dtype=np.float64)
    return w / min(w.mean(), 1.0) if len(w) else w


def on_grid(values: ArrayLike) -> FloatArray:
    """Round to multiples of 2**-20, about a millionth.

    The last bits of a sum depend on the number of threads and on the order of the
    classes. Rankings, cuts and trees would make other results of them wherever values
    are tied; of values on a grid ties are exact, and so are sums of billions.

    Parameters
    ----------
    values : array-like
        Numbers, such as probabilities.

    Returns
    -------
    ndarray
        The same, rounded.

    Examples
    --------
    >>> bool(on_grid(0.1 + 0.2) == on_grid(0.3))
    True
    """
    return np.rint(np.asarray(values, dtype=np.float64) * 2.0**20) / 2.0**20

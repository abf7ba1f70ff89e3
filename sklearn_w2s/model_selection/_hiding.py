"""Hide labels, as if they had never been collected."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, indexable

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import (
    are_values,
    check_target,
    classes_of,
    is_class,
    mark_unlabeled,
    require_rows,
)


def weak_strong_split(
    X: Any,
    y: Any,
    *arrays: Any,
    labeled_size: int | float = 0.1,
    test_size: int | float = 0.25,
    stratify: bool = True,
    missing_label: Any = -1,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    """Split a labeled table into training rows, most of them unlabeled, and test rows.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        Labels. Rows marked `missing_label` are training rows.
    *arrays : sequence of {array-like, sparse matrix, data frame} of length n
        Further arrays to split alike, such as weights.
    labeled_size : int or float, default=0.1
        Training rows that keep their label: a number, or a share in (0, 1] of those
        that have one. Every class keeps one at least; 0 hides all labels.
    test_size : int or float, default=0.25
        Test rows: a number, or a share in (0, 1) of the labeled rows.
    stratify : bool, default=True
        Whether test rows and labels are drawn in the shares of the classes. Where y
        holds numbers that are not whole, the values of a regression, rows are drawn at
        random.
    missing_label : scalar, default=-1
        Marker of an unlabeled row, in y and in what is returned. In y, None, NaN, NaT
        and pandas.NA are such markers as well. Of values NaN is the only one, in what
        is returned too; where all of them are whole, pass NaN and ``stratify=False``.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Returns
    -------
    list of length 5 + 2 * len(arrays)
        ``X_train, X_test, y_train, y_test``, then training and test part of each of
        `arrays`, as from :func:`~sklearn.model_selection.train_test_split`, and last
        ``y_true_train``, the training labels before any was hidden. `y_train` is an
        array, or a pandas Series where y is one; all others are of their old types.

    Raises
    ------
    ValueError
        If X is None, the lengths differ, a size does not fit, a class would have no
        label in the training part, or `missing_label` is a class.

    See Also
    --------
    cross_validate_gap : Hides labels in every fold, and compares what is learned.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_w2s.model_selection import weak_strong_split
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test, y_true_train = weak_strong_split(
    ...     X, y, labeled_size=12, test_size=30, random_state=0
    ... )
    >>> [int((y_train == label).sum()) for label in (-1, 0, 1, 2)]
    [108, 4, 4, 4]
    >>> y_true_train.shape
    (120,)
    """
    require_rows(X)
    X, y, *arrays = indexable(X, y, *arrays)
    is_regression = are_values(y, missing_label, stratify=stratify)
    labels, labeled = check_target(y, missing_label, of_values=is_regression)
    if is_regression:
        missing_label = np.nan
    else:
        refuse_class(missing_label, labels)
    rng = check_random_state(random_state)
    codes = no_classes(labels) if is_regression else labels
    train, test = _part(codes, test_size, stratify, rng)
    kept = train[draw_labeled(codes[train], labeled_size, rng, stratify=stratify)]
    known = np.flatnonzero(labeled)
    keeps_label = np.isin(np.arange(len(labeled)), known[kept])
    train = np.concatenate([known[train], np.flatnonzero(~labeled)])
    test = known[test]
    parts = [safe_indexing(a, rows) for a in (X, y, *arrays) for rows in (train, test)]
    y_true_train = parts[2]
    y_train = mark_unlabeled(labels[kept], keeps_label[train], missing_label)
    if hasattr(y_true_train, "iloc"):
        y_train = type(y_true_train)(
            y_train, index=y_true_train.index, name=y_true_train.name
        )
    return [*parts[:2], y_train, *parts[3:], y_true_train]


def no_classes(values):
    """Return one class for all rows: values are drawn at random."""
    return np.zeros(len(values), dtype=np.intp)


def refuse_class(missing_label, labels):
    """Refuse a marker that labels cannot be told from once they are hidden.

    Raises
    ------
    ValueError
        If it is one of the labels, or there are fewer than two classes.
    """
    if is_class(missing_label, require_two_classes(labels)):
        msg = (
            f"missing_label={missing_label!r} is a class of y, so that hidden labels "
            "could not be told from it. Rename the class, or pass another marker."
        )
        raise ValueError(msg)


def require_two_classes(labels):
    """Return the classes of labels, and refuse fewer than two.

    Raises
    ------
    ValueError
        If there are fewer than two, or some are strings and some are numbers.
    """
    classes = classes_of(labels)
    if len(classes) < 2:
        msg = (
            f"y has the classes {classes.tolist()}; labels of 2 classes at least are "
            "needed to compare what is learned from them."
        )
        raise ValueError(msg)
    return classes


def _part(labels, test_size, stratify, rng):
    try:
        train, test = train_test_split(
            np.arange(len(labels)),
            test_size=test_size,
            stratify=labels if stratify else None,
            random_state=rng,
        )
    except ValueError as error:
        msg = (
            f"test_size={test_size!r} with stratify={stratify!r} does not split the "
            f"{len(labels)} labeled rows: {error}"
        )
        raise ValueError(msg) from error
    lost = np.setdiff1d(labels, labels[train]).tolist()
    if lost:
        msg = (
            f"No training row has the label {lost[0]!r}. Pass stratify=True, or a "
            f"smaller test_size than {test_size!r}."
        )
        raise ValueError(msg)
    return train, test


def count_rows(size, n, *, name):
    """Return the number of rows that a number or a share stands for.

    Parameters
    ----------
    size : int or float
        A number from 0 to n, or a share in (0, 1].
    n : int
        All rows.
    name : str
        Argument that it was given as, for messages.

    Returns
    -------
    int
        Rows, from 0 to n.

    Raises
    ------
    ValueError
        If `size` is neither, or larger.
    """
    is_number = isinstance(size, Real) and not isinstance(size, bool)
    if is_number and isinstance(size, Integral) and 0 <= int(size) <= n:
        return int(size)
    if is_number and not isinstance(size, Integral) and 0 < float(size) <= 1:
        return round(float(size) * n)
    msg = (
        f"{name}={size!r} must be a number of rows from 0 to {n}, which is all there "
        "are, or a share in (0, 1]."
    )
    raise ValueError(msg)


def draw_labeled(labels, size, rng, *, stratify=True):
    """Draw the rows that keep their label.

    With the same seed, fewer rows of a class are among more of them.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels of the rows.
    size : int, float or None
        How many, as in `count_rows`; None keeps all.
    rng : RandomState instance
        Draws.
    stratify : bool, default=True
        Whether in the shares of the classes. Every class keeps a row in any case.

    Returns
    -------
    ndarray of int
        Ascending positions.

    Raises
    ------
    ValueError
        If `size` does not fit, or is smaller than the number of classes and not 0.
    """
    mixed = rng.permutation(len(labels))
    if size is None:
        return np.sort(mixed)
    n_kept = count_rows(size, len(labels), name="labeled_size")
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not n_kept and isinstance(size, Integral):
        return mixed[:0]
    if n_kept < len(classes):
        msg = (
            f"labeled_size={size!r} keeps {n_kept} of {len(labels)} labels, but there "
            f"are {len(classes)} classes, and each must keep one. Pass a larger one."
        )
        raise ValueError(msg)
    by_class = [mixed[codes[mixed] == code] for code in range(len(classes))]
    if stratify:
        quotas = _quotas(counts, n_kept)
        kept = [rows[:quota] for rows, quota in zip(by_class, quotas, strict=True)]
        return np.sort(np.concatenate(kept))
    first = np.array([rows[0] for rows in by_class])
    others = mixed[~np.isin(mixed, first)]
    return np.sort(np.concatenate([first, others[: n_kept - len(first)]]))


def _quotas(counts, n):
    """Share n out in proportion to counts, one each at least."""
    exact = n * counts / counts.sum()
    quotas = np.maximum(np.floor(exact).astype(int), 1)
    while quotas.sum() > n:
        quotas[np.argmax(np.where(quotas > 1, quotas - exact, -np.inf))] -= 1
    while quotas.sum() < n:
        quotas[np.argmax(exact - quotas)] += 1
    return quotas

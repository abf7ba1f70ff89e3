"""Splits where some rows have no label, and splits that hide labels."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    KFold,
    check_cv,
    train_test_split,
)
from sklearn.utils import check_random_state, indexable
from sklearn.utils.metadata_routing import UNUSED, get_routing_for_object

from sklearn_w2s._cross_fit import group_codes, require_groups
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import (
    are_values,
    check_target,
    classes_of,
    is_class,
    mark_unlabeled,
    require_rows,
)
from sklearn_w2s._warnings import warn


class LabeledSplit(BaseCrossValidator):
    """Split the labeled rows and add the unlabeled rows to every training set.

    No test set holds an unlabeled row, so that any scorer can be used, and every
    training set holds all of them, since they cost no label. Only what a split keeps
    apart in labeled rows, groups or the future, it keeps apart in unlabeled ones too.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None, default=None
        How to split the labeled rows: a number of stratified folds (None means 5), a
        splitter, or splits as positions among the labeled rows.
    missing_label : scalar, default=-1
        Marker of an unlabeled row in y. None, NaN, NaT and pandas.NA are such markers
        as well, and the only ones where y holds values: no number stands for a missing
        value.
    stratify : bool, default=True
        Whether folds have the shares of the classes where `cv` is a number. They have
        not where y holds numbers that are not whole, the values of a regression. Pass
        False, with NaN for `missing_label`, if all values may be whole. Folds of values
        are drawn with a fixed seed.

    Attributes
    ----------
    shuffle, random_state : object
        Those of `cv`, where it has them, by which halving searches know a splitter that
        draws anew at each call.

    Raises
    ------
    ValueError
        If `cv` is none of these.

    See Also
    --------
    LabeledScorer : Scores the labeled rows of sets that hold others as well.

    Notes
    -----
    Scores of the training sets, as from ``return_train_score=True`` and by default from
    halving searches, need a `LabeledScorer`.

    Splitters of scikit-learn take the missing label for a class: stratified folds then
    hold their share of unlabeled rows, and scorers such as "accuracy" count each of
    them as an error. `cross_val_predict` accepts no splitter whose test sets leave rows
    out, hence not this one.

    Groups reach `cv`, those of the labeled rows only; with metadata routing they are
    requested by `cv`. Where no training row has the group of a test row, unlabeled rows
    of the test groups stay out of the training set as well.

    Two splits or more that walk forward in time, as those of
    :class:`~sklearn.model_selection.TimeSeriesSplit`, train on rows before their test
    rows alone, and each tests from another row on. Then unlabeled rows stay out as
    well, from the first labeled row on that comes after the training rows. Rows must be
    in the order of time for this, unlabeled ones too. A single split cannot be told
    from a plain hold-out, and keeps all unlabeled rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s.model_selection import LabeledSplit
    >>> X = np.zeros((6, 1))
    >>> y = [0, -1, 1, 0, 1, -1]
    >>> for train, test in LabeledSplit(2).split(X, y):
    ...     print(train, test)
    [3 4 1 5] [0 2]
    [0 2 1 5] [3 4]

    Unlabeled rows of a test group stay out:

    >>> from sklearn.model_selection import LeaveOneGroupOut
    >>> groups = ["a", "a", "b", "b", "a", "b"]
    >>> for train, test in LabeledSplit(LeaveOneGroupOut()).split(X, y, groups):
    ...     print(train, test)
    [2 3 5] [0 4]
    [0 4 1] [2 3]
    """

    # The inner splitter requests them, see `get_metadata_routing`.
    __metadata_request__split = {"groups": UNUSED}

    def __init__(
        self, cv: Any = None, *, missing_label: Any = -1, stratify: bool = True
    ) -> None:
        checked = check_cv(cv)
        # A generator could be read only once; the checked one keeps its splits.
        self.cv: Any = cv if cv is None or isinstance(cv, Integral) else checked
        self.missing_label = missing_label
        self.stratify = stratify

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        """Generate the positions of training and test rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Class labels, or values, with the missing label where a row has none.
        groups : array-like of shape (n,), default=None
            Groups, for splitters that use them.

        Yields
        ------
        train : ndarray of int
            Positions of the labeled training rows, then of the unlabeled ones.
        test : ndarray of int
            Positions of the labeled test rows.

        Raises
        ------
        ValueError
            If X or y is None, if y has no label, if `cv` asks for groups and there are
            none, or if the lengths differ.

        Warns
        -----
        UserWarning
            If no training set can hold an unlabeled row.
        """
        cv, arrays, labeled = self._labeled_part(X, y, groups)
        require_groups(cv, groups)
        positions, unlabeled = np.flatnonzero(labeled), np.flatnonzero(~labeled)
        splits = [
            (positions[train], positions[test]) for train, test in cv.split(*arrays)
        ]
        usable = np.full((len(splits), len(unlabeled)), True)
        if _walks_forward(splits):
            for k, (train, _) in enumerate(splits):
                first_after = positions[np.searchsorted(positions, train.max()) + 1]
                usable[k] = unlabeled < first_after
        if groups is not None:
            codes = group_codes(groups)
            for k, (train, test) in enumerate(splits):
                if not np.isin(codes[train], codes[test]).any():
                    usable[k] &= ~np.isin(codes[unlabeled], codes[test])
        if len(unlabeled) and not usable.any():
            warn(
                f"None of the {len(unlabeled)} unlabeled rows is in a training set: "
                "each comes after the training rows in time, or has a group of the "
                "test rows. Put the rows in the order of time, or pass another cv.",
            )
        for (train, test), kept in zip(splits, usable, strict=True):
            yield np.concatenate([train, unlabeled[kept]]), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features), \
                default=None
            Rows.
        y : array-like of shape (n,), default=None
            Class labels; needed where the number of splits depends on the data.
        groups : array-like of shape (n,), default=None
            Groups, for splitters that use them.

        Returns
        -------
        int
            Number of splits.

        Raises
        ------
        ValueError
            If y has no label, if the lengths differ, or if `cv` needs data to tell.
        """
        if y is None:
            return check_cv(self.cv).get_n_splits(None, None, None)
        cv, arrays, _ = self._labeled_part(X, y, groups)
        return cv.get_n_splits(*arrays)

    @property
    def shuffle(self) -> Any:
        """Whether `cv` shuffles, where it says so."""
        return self.cv.shuffle

    @property
    def random_state(self) -> Any:
        """What `cv` draws with, where it draws."""
        return self.cv.random_state

    def get_metadata_routing(self) -> Any:
        """Return the metadata that `cv` requests.

        Returns
        -------
        MetadataRequest
            Requests of `cv`.
        """
        return get_routing_for_object(self.cv)

    def _labeled_part(self, X, y, groups):
        """Return the splitter, X, y and groups of the labeled rows, and their mask."""
        if y is None:
            msg = (
                "LabeledSplit requires y, but y is None. Pass class labels, with "
                f"{self.missing_label!r} for unlabeled rows."
            )
            raise ValueError(msg)
        require_rows(X)
        X, y, groups = indexable(X, y, groups)
        is_regression = are_values(y, self.missing_label, stratify=self.stratify)
        labels, labeled = check_target(y, self.missing_label, of_values=is_regression)
        if not labeled.any():
            msg = (
                f"y has no label: all {len(labeled)} values are the missing label "
                f"{self.missing_label!r}. Label some rows, or name another marker."
            )
            raise ValueError(msg)
        positions = np.flatnonzero(labeled)
        X, groups = (
            None if array is None else safe_indexing(array, positions)
            for array in (X, groups)
        )
        stratify = self.stratify and not is_regression
        cv = check_cv(self.cv, labels, classifier=stratify)
        if not stratify and (self.cv is None or isinstance(self.cv, Integral)):
            # Rows may be sorted by what they are worth.
            cv = KFold(cv.n_splits, shuffle=True, random_state=0)
        return cv, (X, labels, groups), labeled


def _walks_forward(splits):
    """Say whether splits train on rows before their test rows, at different times."""
    first = {
        test.min()
        for train, test in splits
        if len(train) and len(test) and train.max() < test.min()
    }
    return len(first) == len(splits) > 1


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

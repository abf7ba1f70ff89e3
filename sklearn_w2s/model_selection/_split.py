"""Splits and scores where some rows have no label, and splits that hide labels."""

from collections.abc import Callable
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    BaseCrossValidator,
    KFold,
    check_cv,
    train_test_split,
)
from sklearn.utils import check_random_state, indexable
from sklearn.utils.metadata_routing import UNUSED, get_routing_for_object

from sklearn_w2s._cross_fit import group_codes, require_groups
from sklearn_w2s._fitting import take_metadata
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
        Those of `cv`, where it has them, by which halving searches recognise a splitter
        that draws anew at each call.

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
    in the order of time for this, unlabeled ones too. A single split looks like
    a plain hold-out, and keeps all unlabeled rows.

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
        # Where splits walk forward in time, each starts to test at another row.
        starts = {
            test.min()
            for train, test in splits
            if len(train) and len(test) and train.max() < test.min()
        }
        if len(starts) == len(splits) > 1:
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
            If y has no label, if the lengths differ, or if `cv` needs data for it.
        """
        if y is None:
            return check_cv(self.cv).get_n_splits(None, None, None)
        cv, arrays, _ = self._labeled_part(X, y, groups)
        return cv.get_n_splits(*arrays)

    @property
    def shuffle(self) -> Any:
        """Whether `cv` shuffles, if it has this attribute."""
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


class LabeledScorer:
    """Drop the unlabeled rows, then score as another scorer does.

    For splitters other than `LabeledSplit`, whose test sets hold unlabeled rows that
    scorers such as "accuracy" would count as errors.

    Parameters
    ----------
    scoring : str or callable, default="accuracy"
        Name of a scorer of scikit-learn, or ``callable(estimator, X, y)``.
    missing_label : scalar, default=-1
        Marker of an unlabeled row in y. None, NaN, NaT and pandas.NA are such markers
        as well, and the only ones of regressors: to them any number is a value.

    Raises
    ------
    ValueError
        If `scoring` is neither a known name nor a scorer.

    See Also
    --------
    LabeledSplit : Keeps unlabeled rows out of the test sets.

    Notes
    -----
    With metadata routing, arguments are requested by the inner scorer, for example
    ``LabeledScorer(get_scorer("roc_auc").set_score_request(sample_weight=True))``.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn_w2s.model_selection import LabeledScorer
    >>> X, y = [[0], [1], [2], [3]], [0, 0, 1, -1]
    >>> always_zero = DummyClassifier(strategy="constant", constant=0).fit(X[:3], y[:3])
    >>> round(LabeledScorer("accuracy")(always_zero, X, y), 2)
    0.67
    """

    def __init__(
        self, scoring: str | Callable[..., Any] = "accuracy", *, missing_label: Any = -1
    ) -> None:
        if not isinstance(scoring, str) and not callable(scoring):
            msg = (
                f"scoring={scoring!r} must be the name of a scorer, or a callable that "
                "takes an estimator, X and y. For several, pass several LabeledScorer."
            )
            raise ValueError(msg)
        self.scoring = scoring
        self.missing_label = missing_label
        check_scoring(scoring=scoring)

    @property
    def _scorer(self):
        # Made anew, so that a saved file holds the name alone, and no function.
        return check_scoring(scoring=self.scoring)

    def __call__(self, estimator, X, y, sample_weight=None, **kwargs):
        """Score an estimator on the labeled rows.

        Parameters
        ----------
        estimator : fitted estimator instance
            Estimator to score.
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Class labels, with the missing label where a row has none.
        sample_weight : array-like of shape (n,), default=None
            Weights; None passes none.
        **kwargs : dict
            Further arguments of the inner scorer; those with one value per row are cut
            to the labeled rows.

        Returns
        -------
        float
            What the inner scorer returns.

        Raises
        ------
        ValueError
            If X or y is None, if y has no label or labels of another kind than the
            classes of the estimator, or if the lengths differ.
        """
        require_rows(X)
        X, y = indexable(X, y)
        classes = getattr(estimator, "classes_", None)
        labels, labeled = check_target(
            y, self.missing_label, of_values=is_regressor(estimator), classes=classes
        )
        if classes is not None:
            # Some versions of scikit-learn compare strings with numbers, and call it
            # wrong.
            classes_of(classes, labels)
        positions = np.flatnonzero(labeled)
        if not len(positions):
            msg = (
                f"There is nothing to score: all {len(labeled)} values of y are the "
                f"missing label {self.missing_label!r}. Use LabeledSplit, which keeps "
                "labeled rows in every test set."
            )
            raise ValueError(msg)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        metadata = take_metadata(kwargs, positions, len(labeled))
        return self._scorer(estimator, safe_indexing(X, positions), labels, **metadata)

    def __repr__(self):
        return f"LabeledScorer({self.scoring!r}, missing_label={self.missing_label!r})"

    def _accept_sample_weight(self):
        """Return whether searches, which call it by this name, may pass weights on."""
        ask = getattr(self._scorer, "_accept_sample_weight", None)
        return ask() if ask else "sample_weight" in signature(self._scorer).parameters

    def get_metadata_routing(self) -> Any:
        """Return the metadata that the inner scorer requests.

        Returns
        -------
        MetadataRequest
            Requests of the inner scorer.
        """
        return get_routing_for_object(self._scorer)


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
    # Values are drawn at random, as rows of one class.
    codes = np.zeros(len(labels), dtype=np.intp) if is_regression else labels
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


def draw_labeled(labels, size, rng, *, stratify=True):
    """Return ascending positions of the rows that keep their label, None being all.

    Every class keeps one; with the same seed, fewer rows of a class are among more.
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


def count_rows(size, n, *, name):
    """Return how many of n rows a number, or a share in (0, 1], stands for."""
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


def refuse_class(missing_label, labels):
    """Refuse a marker that is a class: hidden labels would look like it."""
    if is_class(missing_label, require_two_classes(labels)):
        msg = (
            f"missing_label={missing_label!r} is a class of y, so that hidden labels "
            "would look like it. Rename the class, or pass another marker."
        )
        raise ValueError(msg)


def require_two_classes(labels):
    """Return the classes of labels, and refuse fewer than two or a mix of kinds."""
    classes = classes_of(labels)
    if len(classes) < 2:
        msg = (
            f"y has the classes {classes.tolist()}, but must have at least two to "
            "compare what is learned from them. Pass rows of another class."
        )
        raise ValueError(msg)
    return classes

"""Cross-validate on the labeled rows and train on the unlabeled ones as well."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator, KFold, check_cv
from sklearn.utils import column_or_1d, indexable
from sklearn.utils.metadata_routing import UNUSED, get_routing_for_object

from sklearn_w2s._cross_fit import require_groups
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import (
    are_values,
    check_target,
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


def group_codes(groups):
    """Return integers of shape (n,), equal for rows of one group."""
    codes: dict = {}
    groups = column_or_1d(groups).tolist()
    return np.array([codes.setdefault(group, len(codes)) for group in groups])

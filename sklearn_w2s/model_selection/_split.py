"""Cross-validate on the labeled rows and train on the unlabeled ones as well."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, check_cv
from sklearn.utils import indexable

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import check_labels, require_rows


class LabeledSplit(BaseCrossValidator):
    """Split the labeled rows and add all unlabeled rows to every training set.

    No test set holds an unlabeled row, so that any scorer can be used, and every
    training set holds all of them, since they cost no label.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or None, default=None
        How to split the labeled rows: a number of stratified folds (None means 5), a
        splitter, or splits as positions among the labeled rows.
    missing_label : scalar, default=-1
        Marker of an unlabeled row in y.

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

    Groups reach `cv`, those of the labeled rows only, and are requested by default with
    metadata routing. Unlabeled rows of a test group stay in the training set.

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
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, cv=None, *, missing_label=-1):
        checked = check_cv(cv)
        # A generator could be read only once; the checked one keeps its splits.
        self.cv = cv if cv is None or isinstance(cv, Integral) else checked
        self.missing_label = missing_label

    def split(self, X, y=None, groups=None):
        """Generate the positions of training and test rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Class labels, with the missing label where a row has none.
        groups : array-like of shape (n,), default=None
            Groups, for splitters that use them.

        Yields
        ------
        train : ndarray of int
            Positions of the labeled training rows, then of all unlabeled rows.
        test : ndarray of int
            Positions of the labeled test rows.

        Raises
        ------
        ValueError
            If X or y is None, if y has no label, or if the lengths differ.
        """
        cv, arrays, labeled = self._labeled_part(X, y, groups)
        positions, unlabeled = np.flatnonzero(labeled), np.flatnonzero(~labeled)
        for train, test in cv.split(*arrays):
            yield np.concatenate([positions[train], unlabeled]), positions[test]

    def get_n_splits(self, X=None, y=None, groups=None):
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
        labels, labeled = check_labels(y, self.missing_label)
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
        return check_cv(self.cv, labels, classifier=True), (X, labels, groups), labeled

"""What rows are worth: the share of overlap rows, or a reward of the user's."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_w2s._algorithms.overlap import OVERLAP
from sklearn_w2s._sklearn import safe_indexing, seed_nested
from sklearn_w2s._validation import check_scores, fill_gaps, n_rows
from sklearn_w2s.sources._batches import stack


class PoolRows:
    """Batches that are rows of one table, beside the rows at hand.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : ndarray of shape (n,) or None
        Labels.
    at_hand : ndarray of int
        Rows that need not be drawn.
    """

    def __init__(self, X, y, at_hand):
        self._X, self._y, self._at_hand = X, y, at_hand

    def size(self, rows):
        """Return the number of rows of a batch."""
        return len(rows)

    def table(self, rows):
        """Return the features and labels of a batch."""
        return safe_indexing(self._X, rows), None if self._y is None else self._y[rows]

    def together(self, batches):
        """Return all rows, in the order of the table, and where each batch is."""
        rows = np.sort(np.concatenate([self._at_hand, *batches]))
        return *self.table(rows), [np.searchsorted(rows, batch) for batch in batches]


class DrawnRows:
    """Batches that are tables of their own, after the rows at hand.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame} of shape (n, n_features) or None
        Rows at hand.
    y : ndarray of shape (n,) or None
        Their labels.
    missing_label : scalar
        Label of rows that have none.

    Attributes
    ----------
    like : {ndarray, sparse matrix, data frame} or None
        A table that all others have to be like.
    """

    def __init__(self, X, y, missing_label):
        self.like = X
        self._X, self._y, self._missing_label = X, y, missing_label

    @property
    def at_hand(self):
        """Rows at hand and their labels."""
        return self._X, self._y

    def size(self, batch):
        """Return the number of rows of a batch."""
        return n_rows(batch[0])

    def table(self, batch):
        """Return the features and labels of a batch."""
        return batch

    def together(self, batches):
        """Return the rows at hand, then those of the batches, and where each is."""
        tables = [(self._X, self._y)] if self._X is not None else []
        tables += batches
        sizes = [n_rows(X) for X, _ in tables]
        ends = np.cumsum(sizes)
        places = [np.arange(end - n, end) for n, end in zip(sizes, ends, strict=True)]
        X = stack([X for X, _ in tables])
        return X, self._labels(tables, sizes), places[len(tables) - len(batches) :]

    def _labels(self, tables, sizes):
        if all(y is None for _, y in tables):
            return None
        parts = [
            np.full(n, None) if y is None else np.asarray(y)
            for (_, y), n in zip(tables, sizes, strict=True)
        ]
        return fill_gaps(stack(parts), self._missing_label)


class Rater:
    """Say what batches are worth, by a detector that is fitted when rows are there.

    Parameters
    ----------
    rows : PoolRows or DrawnRows
        Makes tables of batches.
    detector : estimator instance
        Overlap detector; a `FrozenEstimator` is used as it is.
    reward : callable or None
        Reward of each row, see `UCBSourceSelector`. None counts overlap rows.
    seeds : RandomState or None
        Seeds every unset `random_state` of the detector.

    Attributes
    ----------
    detector : estimator instance
        The fitted detector, None before.
    seeds : RandomState or None
        As given.
    """

    def __init__(self, rows, detector, reward, seeds):
        self.rows = rows
        self.detector: Any = None
        self._template = detector
        self._reward = reward
        self.seeds = seeds

    def fit(self, batches):
        """Fit the detector on the rows at hand and those of batches.

        Parameters
        ----------
        batches : list
            Batches drawn so far.

        Returns
        -------
        list of float
            Sum of the rewards of the rows of each batch.
        """
        X, y, places = self.rows.together(batches)
        self.detector = seed_nested(clone(self._template), self.seeds)
        self.detector.fit(X, y)
        if self._reward is not None or isinstance(self._template, FrozenEstimator):
            return [self.rate(batch) for batch in batches]
        regions = self.detector.regions_
        return [_count_overlap(regions[place]) for place in places]

    def forget_rows(self):
        """Let go of all rows; batches that are rated later are tables of their own."""
        self.rows = DrawnRows(None, None, None)

    def rate(self, batch):
        """Return the sum of the rewards of the rows of a batch.

        Parameters
        ----------
        batch : object
            A batch that `rows` understands.

        Returns
        -------
        float
            Overlap rows, or the sum of what the user's function returns.

        Raises
        ------
        ValueError
            If that is not a number in [0, 1] for each row.
        """
        X, y = self.rows.table(batch)
        if self._reward is None:
            return _count_overlap(self.detector.predict(X))
        rewards = check_scores(
            self._reward(self.detector, X, y), n_rows(X), name="reward"
        )
        if rewards.min() < 0 or rewards.max() > 1:
            worst = rewards[np.argmax(np.abs(rewards - 0.5))]
            msg = (
                f"reward={self._reward!r} returned {worst:.6g} for a row. Return a "
                "number in [0, 1] for each."
            )
            raise ValueError(msg)
        return float(rewards.sum())


def _count_overlap(regions):
    return float(np.count_nonzero(np.asarray(regions) == OVERLAP))

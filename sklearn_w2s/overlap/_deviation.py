"""Rows as deviations from the typical row."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._algorithms.mode import half_sample_mode
from sklearn_w2s._columns import Columns
from sklearn_w2s._fitting import require_same_place
from sklearn_w2s._sklearn import (
    check_weights,
    dispatches_arrays,
    move_like,
    namespace_of,
    to_numpy,
)
from sklearn_w2s._validation import check_features, place_of

# Rarer categories of a column count as typical, which bounds the width of the rows.
_MAX_CATEGORIES = 32


class DeviationEncoder(TransformerMixin, BaseEstimator):
    r"""Turn rows into deviations from the typical value of each column.

    A pattern that a row lacks shows as typical values: zeros, medians, missing entries.
    Cosines see it only where these are zero. Numbers become :math:`(x - m) / s` with m
    the half-sample mode of their column and s the mean of :math:`|x - m|`, and so do
    dates and their calendar parts, see `TabularEncoder`. Categories become one
    indicator each, but for the most frequent one of their column. Missing values count
    as typical, as do categories that are new, or not among the 32 most frequent. Sparse
    matrices are scaled only: their typical value is 0.

    Attributes
    ----------
    columns_ : Columns
        What the columns hold.
    numeric_columns_ : list of int
        Positions of the columns of numbers, dates and durations.
    categorical_columns_ : list of int
        Positions of the others.
    center_, scale_ : array of shape (n_numbers,)
        Typical value and mean absolute deviation from it, of numeric columns and of
        the calendar parts of dates.
    categories_ : list of list
        Categories of each of the others that have an indicator.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> from sklearn_w2s.overlap._deviation import DeviationEncoder
    >>> DeviationEncoder().fit_transform([[1.0], [1.0], [2.0], [0.0]])
    array([[ 0.],
           [ 0.],
           [ 2.],
           [-2.]])
    """

    def fit(self, X, y=None, sample_weight=None):
        """Learn typical values and scales.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), default=None
            Weights; a weight of two equals a row given twice.

        Returns
        -------
        DeviationEncoder
            The estimator.
        """
        X = check_features(self, X, reset=True)
        weights = check_weights(sample_weight, X)
        self._place = place_of(X)
        if namespace_of(X)[0] is not None:
            return self._fit_elsewhere(X, weights)
        self.columns_ = Columns().fit(X)
        self.numeric_columns_ = self.columns_.numeric
        self.categorical_columns_ = self.columns_.categorical
        if self.numeric_columns_:
            numbers = self.columns_.numbers(X)
            self.center_, self.scale_ = (
                _describe_sparse(numbers, weights)
                if sp.issparse(numbers)
                else _describe_columns(numbers.T, weights)
            )
        codes = self.columns_.codes(X).T
        self._codes = [_frequent(column, weights) for column in codes]
        self.categories_ = [
            [categories[code] for code in kept]
            for categories, kept in zip(
                self.columns_.categories, self._codes, strict=True
            )
        ]
        return self

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        {ndarray, csr matrix} of shape (n, n_encoded)
            Deviations.
        """
        check_is_fitted(self)
        X = check_features(self, X, reset=False, inside=True)
        require_same_place(X, self._place, method="DeviationEncoder.transform")
        xp, _ = namespace_of(X)
        if xp is not None:
            return self._deviate_elsewhere(X, xp)
        parts = []
        if self.numeric_columns_:
            parts.append(self._deviate(self.columns_.numbers(X)))
        if self.categorical_columns_:
            parts += map(_indicators, self.columns_.codes(X).T, self._codes)
        encoded = parts[0] if len(parts) == 1 else np.hstack(parts)
        # Texts that are all alike have no indicator: nothing deviates in any row.
        return encoded if encoded.shape[1] else np.zeros((len(encoded), 1))

    def _deviate(self, numbers):
        scale = self.scale_.astype(numbers.dtype)
        if sp.issparse(numbers):
            numbers = sp.csr_array(numbers, copy=True)
            numbers.data = np.nan_to_num(numbers.data) / scale[numbers.indices]
            return numbers
        deviations = numbers - self.center_.astype(numbers.dtype)
        deviations /= scale
        np.copyto(deviations, 0, where=np.isnan(deviations))
        return deviations

    def _fit_elsewhere(self, X, weights):
        self.numeric_columns_ = list(range(X.shape[1]))
        self.categorical_columns_, self.categories_ = [], []
        # Modes need sorting and counting: NumPy's, with one column in its memory.
        columns = (to_numpy(X[:, j]) for j in self.numeric_columns_)
        described = _describe_columns(columns, weights)
        self.center_, self.scale_ = (move_like(values, X) for values in described)
        return self

    def _deviate_elsewhere(self, X, xp):
        dtype = xp.float32 if X.dtype == xp.float32 else xp.float64
        numbers = xp.astype(X, dtype, copy=False)
        center, scale = (xp.astype(v, dtype) for v in (self.center_, self.scale_))
        deviations = (numbers - center) / scale
        typical = xp.zeros_like(deviations)
        return xp.where(xp.isnan(deviations), typical, deviations)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.array_api_support = dispatches_arrays()
        return tags


def _describe_columns(columns, weights):
    described = [_describe_column(column, weights) for column in columns]
    center, scale = np.array(described).T
    return center, scale


def _describe_column(column, weights):
    counted = ~np.isnan(column) & (weights > 0)
    if not counted.any():
        return 0.0, 1.0
    values, w = column[counted].astype(np.float64), weights[counted]
    center = half_sample_mode(values, w)
    spread = np.average(np.abs(values - center), weights=w)
    return center, spread if spread > 0 else 1.0


def _describe_sparse(numbers, weights):
    sizes = sp.csr_array(numbers, copy=True)
    sizes.data = np.abs(np.nan_to_num(sizes.data))
    spread = (weights @ sizes) / weights.sum()
    return np.zeros(numbers.shape[1]), np.where(spread > 0, spread, 1)


def _frequent(codes, weights):
    """Return the codes of a column by their weight, without the heaviest."""
    counted = (codes >= 0) & (weights > 0)
    sizes = np.bincount(codes[counted], weights=weights[counted])
    order = np.argsort(-sizes, kind="stable")
    return order[sizes[order] > 0][1 : _MAX_CATEGORIES + 1]


def _indicators(codes, kept):
    return (codes[:, None] == kept).astype(np.float64)

"""Rows as numbers: in the space where they are compared, and as a second view."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import RandomTreesEmbedding
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._algorithms.thresholds import half_sample_mode
from sklearn_w2s._columns import Columns
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._fitting import (
    require_array_support,
    require_same_place,
    weight_arguments,
)
from sklearn_w2s._sklearn import (
    check_weights,
    dispatches_arrays,
    move_like,
    namespace_of,
    safe_indexing,
    to_numpy,
)
from sklearn_w2s._tabular import numeric_encoder
from sklearn_w2s._validation import check_features, place_of
from sklearn_w2s._weak import other_columns, select_columns

# Rarer categories of a column count as typical, which bounds the width of the rows.
_MAX_CATEGORIES = 32


class DeviationEncoder(TransformerMixin, BaseEstimator):
    r"""Turn rows into deviations from the typical value of each column.

    A pattern that a row lacks shows as typical values, which become zeros. Numbers
    become :math:`(x - m) / s` with m the half-sample mode and s the mean of :math:`|x -
    m|`; categories become indicators, but for the most frequent one; missing values are
    typical.
    """

    def fit(self, X, y=None, sample_weight=None):
        """Find typical values and scales."""
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
        """Return the deviations of rows."""
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
            codes = zip(self.columns_.codes(X).T, self._codes, strict=True)
            parts += [(c[:, None] == kept).astype(np.float64) for c, kept in codes]
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
    """Return the mode of each column, and the mean absolute deviation from it."""
    described = []
    for column in columns:
        counted = ~np.isnan(column) & (weights > 0)
        if not counted.any():
            described.append((0.0, 1.0))
            continue
        values, w = column[counted].astype(np.float64), weights[counted]
        center = half_sample_mode(values, w)
        spread = np.average(np.abs(values - center), weights=w)
        described.append((center, spread if spread > 0 else 1.0))
    center, scale = np.array(described).T
    return center, scale


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


class PrincipalDeviations(TransformerMixin, BaseEstimator):
    """Project deviations on the principal axes that explain a share of their variance.

    Unlike in principal component analysis, they are not centred: typical values stay
    zero.
    """

    def __init__(self, share=0.9):
        self.share = share

    def fit(self, X, y=None, sample_weight=None):
        """Find the axes."""
        rows = np.asarray(X, dtype=np.float64)
        weights = check_weights(sample_weight, X)
        # PCA of scikit-learn takes no weights.
        share = weights / weights.sum()
        centred = rows - share @ rows
        variances, axes = np.linalg.eigh(centred.T @ (share[:, None] * centred))
        explained = np.cumsum(variances[::-1])
        n_axes = 1 + np.searchsorted(explained, self.share * explained[-1])
        self.axes_ = axes.T[::-1][:n_axes]
        return self

    def transform(self, X):
        """Project rows on the axes."""
        rows = np.asarray(X)
        return rows @ self.axes_.T.astype(rows.dtype)


class LeafEncoder(TransformerMixin, BaseEstimator):
    """One indicator per leaf of random trees, but for the fullest leaf of each tree.

    The fullest leaf is typical: rows that share it are not alike for that.
    """

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None, sample_weight=None):
        """Grow the trees."""
        self.forest_ = RandomTreesEmbedding(random_state=self.random_state)
        leaves = self.forest_.fit(X, sample_weight=sample_weight).apply(X)
        fullest = [_most_frequent(column, sample_weight) for column in leaves.T]
        self.encoder_ = OneHotEncoder(drop=fullest).fit(leaves)
        return self

    def transform(self, X):
        """Return an indicator of each leaf, as a sparse matrix."""
        return self.encoder_.transform(self.forest_.apply(X))


def _most_frequent(values, weights):
    distinct, group = np.unique(values, return_inverse=True)
    return distinct[np.argmax(np.bincount(group, weights=weights))]


class Representation(NamedTuple):
    """A representation by name: `new(X)` returns an unfitted transformer."""

    new: Callable[[Any], Any]
    takes_sparse: bool = True


def _as_numbers(X):
    """Return a transformer that leaves numbers as they are."""
    if namespace_of(X)[0] is None:
        return numeric_encoder(X)
    return Pipeline([("rows", "passthrough")])


REPRESENTATIONS = {
    "forest": Representation(
        lambda _: make_pipeline(DeviationEncoder(), LeafEncoder())
    ),
    "passthrough": Representation(_as_numbers),
    # A share of variance has no sparse solver.
    "pca": Representation(
        lambda _: make_pipeline(DeviationEncoder(), PrincipalDeviations()),
        takes_sparse=False,
    ),
}


class Views:
    """The representation of rows, and their second view for the overlap measure."""

    def __init__(self, representation, predictor, second_view):
        self.representation = representation
        self.predictor = predictor
        self.is_unseen = second_view == "unseen"
        if self.is_unseen and predictor.classes is None:
            msg = (
                "overlap_measure compares weak labels that are classes, and "
                "weak_estimator is a regressor. Take another measure."
            )
            raise ValueError(msg)

    def fit(self, X, proba, weights, *, weighted, seeds):
        """Fit on rows of positive weight, with their weak labels as targets."""
        # A name: modules, such as namespaces, cannot be pickled.
        self.place = place_of(X)
        kept = np.flatnonzero(weights)
        rows = safe_indexing(X, kept)
        weak_labels = proba[kept, 0]
        if self.predictor.classes is not None:
            weak_labels = self.predictor.classes[proba[kept].argmax(axis=1)]
        if self.representation is None:
            transformer = DeviationEncoder()
        elif isinstance(self.representation, str):
            transformer = REPRESENTATIONS[self.representation].new(X)
        else:
            transformer = clone(self.representation)
        transformer = seed_nested(transformer, seeds)
        require_array_support(transformer, X, name="representation")
        fit_params = weight_arguments(transformer, weights[kept]) if weighted else {}
        transformer.fit(rows, weak_labels, **fit_params)
        self.transformer = transformer
        self._second_columns = self.predictor.columns
        if self.is_unseen:
            self._second_columns = other_columns(X, self.predictor.columns)
        self._second_transformer = None
        if self._second_columns is not None or self.is_unseen:
            view = select_columns(rows, self._second_columns)
            self._second_transformer = _as_numbers(view).fit(view)
        return self

    def represent(self, X):
        """Return rows in the space of the representation."""
        return _as_matrix(self.transformer.transform(X), "representation.transform(X)")

    def views(self, X, proba):
        """Return rows in the space of the representation, and their second view."""
        rows = self.represent(X)
        if self._second_transformer is None:
            if self.predictor.classes is None:
                return rows, proba[:, :1]
            # The probabilities of all classes sum to one: the first adds nothing.
            return rows, move_like(proba[:, 1:], X)
        view = select_columns(X, self._second_columns)
        second = self._second_transformer.transform(view)
        if not self.is_unseen:
            return rows, _as_matrix(second, "weak_features of X", missing=True)
        second = _as_matrix(second, "X")
        codes = proba.argmax(axis=1)[:, None].astype(second.dtype)
        if sp.issparse(second):
            return rows, sp.hstack([codes, second], format="csr")
        return rows, np.hstack([codes, second])


def _as_matrix(rows, name, *, missing=False):
    xp, _ = namespace_of(rows)
    kinds = [np.float64, np.float32] if xp is None else [xp.float64, xp.float32]
    return check_array(
        rows,
        accept_sparse="csr",
        dtype=kinds,
        ensure_all_finite="allow-nan" if missing else True,
        input_name=name,
    )

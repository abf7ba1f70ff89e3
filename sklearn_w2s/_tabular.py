"""Tables of mixed columns as numbers, and the default estimators that build on them."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    TransformerMixin,
    clone,
    is_regressor,
)
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._columns import MISSING, UNKNOWN, Columns
from sklearn_w2s._sklearn import routing_enabled
from sklearn_w2s._validation import check_features

# Rarer categories of a column share one indicator, which bounds the width of the rows.
_MAX_CATEGORIES = 32
# Histogram gradient boosting distinguishes at most so many categories.
_MAX_CODES = 255
_MAX_QUANTILES = 200
# The lowest and the highest quantile have infinite scores.
_MAX_SCORE = 3.0
# With fewer gaps, or fewer numbers, nothing can be learned from where they are.
_FLAGGED_SHARES = (0.005, 0.995)


class TabularEncoder(TransformerMixin, BaseEstimator):
    """Turn a data frame, an array or a sparse matrix into rows of numbers.

    Columns of numbers, dates and durations come first, then indicators of their gaps,
    then categories. Equal values are encoded alike, whatever the type of their column.
    """

    def __init__(
        self, *, categories="onehot", impute=True, scale=True, flag_missing=False
    ):
        self.categories = categories  # or "ordinal": one code per column
        self.impute = impute  # by the median, where False leaves gaps
        self.scale = scale  # or "quantile": to normal scores of the ranks first
        self.flag_missing = flag_missing

    def fit(self, X, y=None, sample_weight=None):
        """Learn the columns, their medians, gaps, scales and categories.

        Weights count in means and variances, not in medians, quantiles or categories.
        """
        if self.scale not in (True, False, "quantile"):
            msg = f"scale must be True, False or 'quantile', got {self.scale!r}."
            raise ValueError(msg)
        X = check_features(self, X, reset=True)
        self.columns_ = Columns().fit(X)
        self.numeric_columns_ = self.columns_.numeric
        self.categorical_columns_ = self.columns_.categorical
        self.flagged_columns_ = []
        self.coded_columns_ = []
        self._scaler_ = None
        if self.numeric_columns_:
            self._fit_numbers(self.columns_.numbers(X), sample_weight)
        if self.categorical_columns_:
            self._fit_categories(self.columns_.codes(X))
        return self

    def transform(self, X):
        """Return encoded rows: numbers, flags of gaps, categories."""
        check_is_fitted(self)
        X = check_features(self, X, reset=False, inside=True)
        if sp.issparse(X) and (self._is_ranked() or self.flagged_columns_):
            msg = (
                "X is a sparse matrix, but the ranks and gaps of its columns were "
                "fitted on dense rows. Pass X.toarray(), or fit on sparse rows."
            )
            raise ValueError(msg)
        parts = []
        if self.numeric_columns_:
            numbers = self.columns_.numbers(X)
            parts.append(self._transform_numbers(numbers))
            if self.flagged_columns_:
                flagged = np.isin(self.numeric_columns_, self.flagged_columns_)
                gaps = np.isnan(numbers[:, np.flatnonzero(flagged)])
                parts.append(gaps.astype(numbers.dtype))
        if self.categorical_columns_:
            parts.append(self._transform_categories(self.columns_.codes(X)))
        return parts[0] if len(parts) == 1 else np.hstack(parts)

    @property
    def n_encoded(self):
        """Number of columns of the encoded rows."""
        n_numbers = self.columns_.n_numbers + len(self.flagged_columns_)
        return n_numbers + sum(rows.shape[1] for rows in self.category_tables())

    def numeric_map(self):
        """Return fillers, shift and scale of numbers, for encoding rows elsewhere.

        A missing number becomes its filler; x becomes ``(x - shift) / scale``.
        """
        if self._is_ranked():
            msg = 'scale="quantile" cannot be converted. Fit with scale=True or False.'
            raise ValueError(msg)
        n = self.columns_.n_numbers
        if self._scaler_ is None:
            return self._fillers_, np.zeros(n), np.ones(n)
        mean = self._scaler_.mean_ if self._scaler_.with_mean else 0.0
        return self._fillers_, np.zeros(n) + self._lowest_ + mean, self._scaler_.scale_

    def category_tables(self):
        """Return the encoded categories of each column, to encode rows elsewhere.

        Each is an array (n_categories + 2, n_columns), unknown and missing ones last.
        """
        numbers = [len(categories) for categories in self.columns_.categories]
        if not numbers:
            return []
        codes = np.zeros((max(numbers) + 2, len(numbers)), dtype=np.int64)
        for column, n in zip(codes.T, numbers, strict=True):
            column[: n + 2] = [*range(n), UNKNOWN, MISSING]
        encoded = self._transform_categories(codes)
        owners = list(range(len(numbers)))
        if self.categories != "ordinal":
            names = self._encoder_.get_feature_names_out(
                list(map(str, range(len(numbers))))
            )
            owners = [int(name.split("_")[0]) for name in names]
        ends = np.cumsum(np.bincount(owners, minlength=len(numbers)))[:-1]
        blocks = np.split(encoded, ends, axis=1)
        return [block[: n + 2] for block, n in zip(blocks, numbers, strict=True)]

    def _fit_numbers(self, numbers, sample_weight):
        is_dense = not sp.issparse(numbers)
        if self.flag_missing and is_dense:
            shares = np.isnan(numbers[:, : len(self.numeric_columns_)]).mean(axis=0)
            least, most = _FLAGGED_SHARES
            flagged = np.flatnonzero((least <= shares) & (shares <= most))
            self.flagged_columns_ = [self.numeric_columns_[k] for k in flagged]
        self._fillers_ = _fillers(numbers, impute=self.impute)
        if self.scale == "quantile" and is_dense:
            self._fit_quantiles(numbers)
        elif self.scale:
            numbers = _fill_in(numbers, self._fillers_)
            self._lowest_ = 0.0
            if is_dense:
                # The weighted variance of a constant column rounds below zero unless
                # the column is 0.
                self._lowest_ = np.nanmin(numbers, axis=0)
                numbers = numbers - self._lowest_
            self._scaler_ = StandardScaler(with_mean=is_dense)
            self._scaler_.set_output(transform="default")
            self._scaler_.fit(numbers, sample_weight=sample_weight)

    def _fit_quantiles(self, numbers):
        # Medians in place of gaps would drive the ranks of the other numbers apart.
        numbers = _fill_in(numbers, _fillers(numbers, impute=False))
        is_constant = np.nanmin(numbers, axis=0) == np.nanmax(numbers, axis=0)
        self._scaler_ = QuantileTransformer(
            n_quantiles=min(_MAX_QUANTILES, len(numbers)),
            output_distribution="normal",
            random_state=0,
        ).set_output(transform="default")
        scores = self._scaler_.fit(numbers).transform(numbers)
        scores = scores.clip(-_MAX_SCORE, _MAX_SCORE)
        # Columns of few values hold the ends of the scale and would outweigh others.
        self._center_ = np.nanmean(scores, axis=0)
        self._spread_ = np.where(is_constant, np.inf, np.nanstd(scores, axis=0))

    def _fit_categories(self, codes):
        if self.categories == "ordinal":
            first = self.columns_.n_numbers + len(self.flagged_columns_)
            self.coded_columns_ = list(range(first, first + codes.shape[1]))
            n_categories = map(len, self.columns_.categories)
            self._codes_ = list(map(_limited_codes, codes.T, n_categories))
            return
        self._encoder_ = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=_MAX_CATEGORIES,
            sparse_output=False,
        ).set_output(transform="default")
        self._encoder_.fit(codes)

    def _transform_categories(self, codes):
        if self.categories != "ordinal":
            return self._encoder_.transform(codes)
        columns = [new[old] for new, old in zip(self._codes_, codes.T, strict=True)]
        return np.column_stack(columns)

    def _transform_numbers(self, numbers):
        numbers = _fill_in(numbers, self._fillers_)
        if self._scaler_ is None:
            return numbers
        if self._is_ranked():
            scores = self._scaler_.transform(numbers).clip(-_MAX_SCORE, _MAX_SCORE)
            return (scores - self._center_) / self._spread_
        return self._scaler_.transform(
            numbers if sp.issparse(numbers) else numbers - self._lowest_
        )

    def _is_ranked(self):
        return isinstance(self._scaler_, QuantileTransformer)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


class TabularModel(BaseEstimator):
    """Histogram gradient boosting on tables, with categorical columns."""

    def __init__(self, boosting):
        self.boosting = boosting

    def fit(self, X, y, sample_weight=None):
        """Learn to read the table, and to predict from it."""
        self.encoder_ = tree_encoder().fit(X)
        coded = self.encoder_.coded_columns_
        self.boosting_ = clone(self.boosting).set_params(categorical_features=coded)
        self.boosting_.fit(self.encoder_.transform(X), y, sample_weight=sample_weight)
        return self

    def predict(self, X):
        """Predict class labels or values."""
        check_is_fitted(self)
        return self.boosting_.predict(self.encoder_.transform(X))

    @property
    def n_features_in_(self):
        """Number of columns seen in `fit`."""
        check_is_fitted(self)
        return self.encoder_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns, if all are strings."""
        check_is_fitted(self)
        return self.encoder_.feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(tree_encoder()).input_tags
        tags.input_tags.sparse = False
        return tags


class TabularRegressor(RegressorMixin, TabularModel):
    """Histogram gradient boosting of values on tables."""


class TabularBoosting(ClassifierMixin, TabularModel):
    """Histogram gradient boosting of classes on tables."""

    @property
    def classes_(self):
        """Sorted class labels."""
        check_is_fitted(self)
        return self.boosting_.classes_

    def predict_proba(self, X):
        """Predict class probabilities."""
        check_is_fitted(self)
        return self.boosting_.predict_proba(self.encoder_.transform(X))

    def decision_function(self, X):
        """Return the sums of the trees."""
        check_is_fitted(self)
        return self.boosting_.decision_function(self.encoder_.transform(X))


def table_pipeline(estimator, encoder=None):
    """Return an estimator behind an encoder of tables: scaled numbers by default."""
    kind = "regressor" if is_regressor(estimator) else "classifier"
    encoder = _with_weights(TabularEncoder() if encoder is None else encoder)
    return Pipeline([("encoder", encoder), (kind, _with_weights(estimator))])


def tree_encoder():
    """Return an encoder that leaves numbers as they are and codes categories."""
    return TabularEncoder(categories="ordinal", impute=False, scale=False)


def default_weak_estimator():
    """Return a logistic regression on tables of mixed columns."""
    return table_pipeline(LogisticRegression(max_iter=1000))


def default_strong_estimator():
    """Return gradient boosting of classes on tables of mixed columns."""
    return _with_weights(TabularBoosting(HistGradientBoostingClassifier()))


def default_weak_regressor():
    """Return a ridge regression on tables of mixed columns."""
    return table_pipeline(Ridge())


def default_strong_regressor():
    """Return gradient boosting of values on tables of mixed columns."""
    return _with_weights(TabularRegressor(HistGradientBoostingRegressor()))


def numeric_encoder(X):
    """Return an encoder that leaves numbers as they are and scales mixed tables."""
    return TabularEncoder(scale=not Columns().fit(X).are_plain)


def _with_weights(estimator):
    # Users have no handle on a default to request weights for it.
    if routing_enabled():
        estimator.set_fit_request(sample_weight=True)
    return estimator


def _limited_codes(codes, n_categories):
    """Return the new code of each old one, with those of UNKNOWN and MISSING last."""
    kept = np.arange(n_categories)
    others = -1
    if n_categories > _MAX_CODES:
        others = _MAX_CODES - 1
        counts = np.bincount(codes[codes >= 0], minlength=n_categories)
        frequent = np.sort(np.argsort(-counts, kind="stable")[:others])
        kept = np.full(n_categories, others)
        kept[frequent] = np.arange(others)
    limited = np.empty(n_categories + 2)
    limited[:n_categories] = kept
    # Negative codes count from the end.
    limited[[UNKNOWN, MISSING]] = others, -1
    return limited


def _fillers(numbers, *, impute):
    """Return what replaces missing numbers of each column; NaN leaves them missing."""
    # Zero is what entries that are not stored in a sparse matrix stand for.
    if sp.issparse(numbers):
        return np.zeros(numbers.shape[1])
    # Gradient boosting fails on columns without any number.
    known = ~np.isnan(numbers).all(axis=0)
    fillers = np.where(known, np.nan, 0.0)
    if impute and known.any():
        fillers[known] = np.nanmedian(numbers[:, known], axis=0)
    return fillers


def _fill_in(numbers, fillers):
    if not sp.issparse(numbers):
        return np.where(np.isnan(numbers), fillers.astype(numbers.dtype), numbers)
    filled = numbers.copy()
    is_missing = np.isnan(filled.data)
    filled.data[is_missing] = fillers[filled.indices[is_missing]]
    return filled

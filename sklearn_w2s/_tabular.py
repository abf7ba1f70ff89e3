"""Tables of mixed columns as numbers, and the default estimators that build on them."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s._sklearn import routing_enabled
from sklearn_w2s._validation import check_features, is_dataframe, is_na, n_rows

# Rarer categories of a column share one indicator, which bounds the width of the rows.
_MAX_CATEGORIES = 32
_MAX_QUANTILES = 200
# The lowest and the highest quantile have infinite scores.
_MAX_SCORE = 3.0
# With fewer gaps, or fewer numbers, there is nothing to learn from where they are.
_FLAGGED_SHARES = (0.005, 0.995)


class TabularEncoder(TransformerMixin, BaseEstimator):
    """Turn a data frame, an array or a sparse matrix into rows of numbers.

    Numeric columns stay, imputed and scaled on demand; all others are categories.

    Parameters
    ----------
    categories : {"onehot", "ordinal"}, default="onehot"
        One indicator per category (at most 32 per column, the rarer ones share one),
        or one code per column.
    impute : bool, default=True
        Replace missing numbers by the column's median; False leaves them missing, but
        for columns without any number, which become 0. In sparse matrices they become 0
        in any case. A missing category is a category of its own.
    scale : bool or "quantile", default=True
        True brings numeric columns to mean 0 and variance 1, "quantile" to normal
        scores: the quantile of the standard normal distribution at the value's rank
        among the known ones, within [-3, 3], and then to mean 0 and variance 1. Sparse
        columns are brought to variance 1 by either. False leaves numbers as they are.
    flag_missing : bool, default=False
        Add one column of zeros and ones for every numeric column of which 0.5% to 99.5%
        of the fitted rows are missing: one where the number is. Sparse columns have
        none.

    Attributes
    ----------
    numeric_columns_ : list of int
        Positions of the numeric columns.
    categorical_columns_ : list of int
        Positions of the others.
    flagged_columns_ : list of int
        Positions of those numeric columns whose gaps have a column of their own, which
        follow the numbers.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Examples
    --------
    >>> from sklearn_w2s._tabular import TabularEncoder
    >>> TabularEncoder(scale=False).fit_transform([[1.0], [float("nan")], [3.0]])
    array([[1.],
           [2.],
           [3.]])
    """

    def __init__(
        self, *, categories="onehot", impute=True, scale=True, flag_missing=False
    ):
        self.categories = categories
        self.impute = impute
        self.scale = scale
        self.flag_missing = flag_missing

    def fit(self, X, y=None, sample_weight=None):
        """Learn the columns, their medians, gaps, scales and categories.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows in means and variances. Medians, quantiles, shares of
            missing values and categories are those of the rows alone.

        Returns
        -------
        TabularEncoder
            The estimator.

        Raises
        ------
        ValueError
            If `scale` is neither a truth value nor "quantile".
        """
        if self.scale not in (True, False, "quantile"):
            msg = f"scale must be True, False or 'quantile', got {self.scale!r}."
            raise ValueError(msg)
        X = check_features(self, X, reset=True)
        self.numeric_columns_, self.categorical_columns_ = split_columns(X)
        self.flagged_columns_ = []
        self._scaler_ = None
        if self.numeric_columns_:
            numbers = numeric_rows(X, self.numeric_columns_)
            if self.flag_missing and not sp.issparse(numbers):
                self.flagged_columns_ = _often_missing(numbers, self.numeric_columns_)
            self._fillers_ = _fillers(numbers, impute=self.impute)
            if self.scale == "quantile" and not sp.issparse(numbers):
                self._fit_quantiles(numbers)
            elif self.scale:
                self._fit_scaler(_fill_in(numbers, self._fillers_), sample_weight)
        if self.categorical_columns_:
            self._encoder_ = self._make_category_encoder()
            self._encoder_.fit(text_rows(X, self.categorical_columns_))
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
            Numbers.

        Raises
        ------
        ValueError
            If X is sparse while ranks or gaps were fitted on dense rows.
        """
        check_is_fitted(self)
        X = check_features(self, X, reset=False)
        self._check_layout(X)
        parts = []
        if self.numeric_columns_:
            numbers = numeric_rows(X, self.numeric_columns_)
            parts.append(self._transform_numbers(numbers))
            if self.flagged_columns_:
                parts.append(self._flags(numbers))
        if self.categorical_columns_:
            parts.append(
                self._encoder_.transform(text_rows(X, self.categorical_columns_))
            )
        return parts[0] if len(parts) == 1 else np.hstack(parts)

    def _make_category_encoder(self):
        if self.categories == "ordinal":
            encoder = OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1
            )
        else:
            encoder = OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                max_categories=_MAX_CATEGORIES,
                sparse_output=False,
            )
        return encoder.set_output(transform="default")

    def _transform_numbers(self, numbers):
        numbers = _fill_in(numbers, self._fillers_)
        if self._scaler_ is None:
            return numbers
        if not self._is_ranked():
            return self._scaler_.transform(self._shift(numbers))
        scores = _normal_scores(self._scaler_, numbers)
        return (scores - self._center_) / self._spread_

    def _fit_scaler(self, numbers, sample_weight):
        # The weighted variance of a constant column rounds below zero unless it is 0.
        self._lowest_ = 0.0 if sp.issparse(numbers) else np.nanmin(numbers, axis=0)
        self._scaler_ = StandardScaler(with_mean=not sp.issparse(numbers))
        self._scaler_.set_output(transform="default")
        self._scaler_.fit(self._shift(numbers), sample_weight=sample_weight)

    def _fit_quantiles(self, numbers):
        # Medians in place of gaps would drive the ranks of the other numbers apart.
        numbers = _fill_in(numbers, _fillers(numbers, impute=False))
        self._is_constant_ = np.nanmin(numbers, axis=0) == np.nanmax(numbers, axis=0)
        self._scaler_ = QuantileTransformer(
            n_quantiles=min(_MAX_QUANTILES, len(numbers)),
            output_distribution="normal",
            random_state=0,
        ).set_output(transform="default")
        scores = _normal_scores(self._scaler_.fit(numbers), numbers)
        # Columns of few values hold the ends of the scale and would outweigh others.
        self._center_ = np.nanmean(scores, axis=0)
        self._spread_ = np.where(self._is_constant_, np.inf, np.nanstd(scores, axis=0))

    def _is_ranked(self):
        return isinstance(self._scaler_, QuantileTransformer)

    def _shift(self, numbers):
        return numbers if sp.issparse(numbers) else numbers - self._lowest_

    def _flags(self, numbers):
        flagged = np.isin(self.numeric_columns_, self.flagged_columns_)
        return np.isnan(numbers[:, flagged]).astype(numbers.dtype)

    def _check_layout(self, X):
        if sp.issparse(X) and (self._is_ranked() or self.flagged_columns_):
            msg = (
                "X is a sparse matrix, but the ranks and gaps of its columns were "
                "fitted on dense rows. Pass X.toarray(), or fit on sparse rows."
            )
            raise ValueError(msg)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _normal_scores(ranker, numbers):
    return ranker.transform(numbers).clip(-_MAX_SCORE, _MAX_SCORE)


def split_columns(X):
    """Return the positions of the numeric columns of X and of all others.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.

    Returns
    -------
    numeric : list of int
        Columns of numbers and truth values.
    others : list of int
        Columns of anything else.
    """
    if is_dataframe(X):
        numeric = [_is_number_type(dtype) for dtype in X.dtypes]
    elif X.dtype.kind in "biuf":
        numeric = [True] * X.shape[1]
    else:
        numeric = [_reads_as_numbers(X[:, j]) for j in range(X.shape[1])]
    return (
        [j for j, is_numeric in enumerate(numeric) if is_numeric],
        [j for j, is_numeric in enumerate(numeric) if not is_numeric],
    )


def numeric_rows(X, columns):
    """Return numeric columns as one floating-point matrix.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    columns : list of int
        Positions of numeric columns.

    Returns
    -------
    {ndarray, sparse matrix} of shape (n, len(columns))
        Float32 where X is an array of float32, else float64; X itself where it is such
        a matrix already.
    """
    if is_dataframe(X):
        return np.column_stack([_float_column(X[X.columns[j]]) for j in columns])
    if X.dtype.kind == "O":
        return np.column_stack([_as_floats(X[:, j]) for j in columns])
    if len(columns) != X.shape[1]:
        X = X[:, columns]
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    return X.astype(dtype, copy=False)


def default_weak_estimator():
    """Return a logistic regression that copes with tables of mixed columns."""
    return _pipeline(TabularEncoder(), LogisticRegression(max_iter=1000))


def default_strong_estimator():
    """Return gradient boosting that copes with tables of mixed columns."""
    encoder = TabularEncoder(categories="ordinal", impute=False, scale=False)
    return _pipeline(encoder, HistGradientBoostingClassifier())


def numeric_encoder(X):
    """Return an encoder that leaves numbers as they are and scales mixed tables."""
    _, categorical = split_columns(X)
    return TabularEncoder(scale=bool(categorical))


def _pipeline(encoder, classifier):
    if routing_enabled():
        # Users have no handle on a default to request weights for it.
        encoder.set_fit_request(sample_weight=True)
        classifier.set_fit_request(sample_weight=True)
    return Pipeline([("encoder", encoder), ("classifier", classifier)])


def _is_number_type(dtype):
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric() or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in "biuf"


def _reads_as_numbers(column):
    try:
        _as_floats(column)
    except ValueError:
        return False
    return True


def _as_floats(values):
    return np.array([np.nan if is_na(v) else v for v in values], dtype=np.float64)


def _float_column(series):
    if hasattr(series, "cast"):  # polars
        return series.cast(float).to_numpy()
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def text_rows(X, columns):
    rows = np.empty((n_rows(X), len(columns)), dtype=object)
    for position, j in enumerate(columns):
        values = X[X.columns[j]].to_numpy() if is_dataframe(X) else X[:, j]
        rows[:, position] = [None if _is_missing(v) else str(v) for v in values]
    return rows


def _is_missing(value):
    # pandas.NA is neither equal nor unequal to itself.
    return value is None or is_na(value) or value != value


def _fillers(numbers, *, impute):
    """Return what replaces missing numbers of each column; NaN leaves them missing.

    A column of which nothing is known becomes 0 in any case: there is nothing to learn
    from it, and gradient boosting fails on it. So do gaps in sparse matrices, for it is
    the value of all entries that are not stored.
    """
    if sp.issparse(numbers):
        return np.zeros(numbers.shape[1])
    known = ~np.isnan(numbers).all(axis=0)
    fillers = np.where(known, np.nan, 0.0)
    if impute and known.any():
        fillers[known] = np.nanmedian(numbers[:, known], axis=0)
    return fillers


def _often_missing(numbers, columns):
    shares = np.isnan(numbers).mean(axis=0)
    least, most = _FLAGGED_SHARES
    flagged = (least <= shares) & (shares <= most)
    return [j for j, is_flagged in zip(columns, flagged, strict=True) if is_flagged]


def _fill_in(numbers, fillers):
    if not sp.issparse(numbers):
        return np.where(np.isnan(numbers), fillers.astype(numbers.dtype), numbers)
    filled = numbers.copy()
    is_missing = np.isnan(filled.data)
    filled.data[is_missing] = fillers[filled.indices[is_missing]]
    return filled

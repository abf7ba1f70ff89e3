"""WeakToStrongRegressor over Dask collections."""

import copy
from collections.abc import Callable
from numbers import Integral
from typing import Any, Literal, Self

import dask
import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

import sklearn_w2s.weak_to_strong
from sklearn_w2s._display import Steps
from sklearn_w2s._estimators import fit_context, seed_nested
from sklearn_w2s._sklearn import Interval, StrOptions, safe_indexing
from sklearn_w2s._validation import check_values, warn_if_all_have_values
from sklearn_w2s._weak import is_given
from sklearn_w2s.dask._base import (
    DASK,
    PARTIAL_FIT,
    SAMPLE,
    OverCollections,
    ValueLesson,
)
from sklearn_w2s.dask._partitions import map_rows, merge_tree, row_blocks, shipped
from sklearn_w2s.dask._sample import learn_weakly, require_rows, take_survey
from sklearn_w2s.weak_to_strong._strategies import VALUE_STRATEGIES, require_possible

_InMemory = sklearn_w2s.weak_to_strong.WeakToStrongRegressor


class WeakToStrongRegressor(OverCollections, _InMemory):
    """Train a strong regressor on the values of a weak one, with Dask.

    The strategy "all" labels the rows block by block; all others learn as in memory,
    from all labeled rows and a sample of the others. Predictions for collections are
    lazy; rows in memory are predicted in memory.

    Parameters
    ----------
    weak_estimator, strong_estimator, weak_features : object
        As in :class:`sklearn_w2s.WeakToStrongRegressor`. A callable for `weak_features`
        gets rows in memory.
    overlap_detector : OverlapDetector, default=None
        Of either package. As in :class:`sklearn_w2s.WeakToStrongRegressor`.
    strategy : str or callable, default="auto"
        How weak values are used, as in :class:`sklearn_w2s.WeakToStrongRegressor`.
        "all" looks at each row by itself. All others, "auto" among them, compare rows:
        they learn from the labeled rows and `max_rows` others in memory, and need
        `strong_fit` to be "sample". Where the strong estimator learns from all rows,
        "auto" is "all".
    neighbors : transformer instance, default=None
        As in :class:`sklearn_w2s.WeakToStrongRegressor`.
    scoring : str, callable or None, default=None
        As in :class:`sklearn_w2s.WeakToStrongRegressor`.
    strong_fit : {"auto", "sample", "partial_fit", "dask"}, default="auto"
        How the strong estimator is fitted: on a sample of rows in memory; by its
        `partial_fit`, once with each block, in their order; or by a `fit` that takes
        collections of Dask, as the regressors of ``xgboost.dask`` and ``lightgbm.dask``
        have it. "auto" is "dask" for those two and ``cuml.dask``, and "sample" for
        others.
    max_rows : int, default=100000
        Rows of the sample, at most, drawn at random with regard to their weights: of
        all rows for "all", and else of those without a label.
    fallback, include_labeled, memory, n_jobs, verbose : object
        As in :class:`sklearn_w2s.WeakToStrongRegressor`.
    random_state : int, RandomState instance or None, default=None
        As in :class:`sklearn_w2s.WeakToStrongRegressor`; also draws the sample.

    Attributes
    ----------
    weak_estimator_, strong_estimator_ : regressor
        The fitted estimators.
    estimator_ : regressor
        The one that predicts, `weak_estimator_` where `strategy_` is "weak".
    weak_predictor_ : object
        The weak estimator together with its columns.
    strategy_ : str or callable
        The strategy used, after "auto" and after a fall back, as in memory.
    evidence_ : dict
        As in memory, of strategies with a teacher.
    overlap_detector_, overlap_density_ : object
        As in memory, where a detector was given or needed.
    strong_fit_ : {"sample", "partial_fit", "dask"}
        How the strong estimator was fitted.
    n_samples_seen_ : int
        Rows of `fit`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    sklearn_w2s.WeakToStrongRegressor : The same in memory, also for several outputs.

    Notes
    -----
    Strategies other than "all" take one pass, which brings the labeled rows, 100,000 at
    most, and the sample to the client. As long as there are no more rows without a
    label than `max_rows`, the fit is the one in memory, whatever the partitions are. A
    weak estimator that is given fitted lifts the limit on labeled rows, of which
    100,000 are then drawn.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_w2s.dask import WeakToStrongRegressor
    >>> X, y = make_friedman1(1000, random_state=0)
    >>> y[200:] = np.nan
    >>> X, y = da.from_array(X, chunks=(500, 10)), da.from_array(y, chunks=500)
    >>> model = WeakToStrongRegressor(
    ...     LinearRegression(), RandomForestRegressor(10), random_state=0
    ... ).fit(X, y)
    >>> model.predict(X)
    dask.array<_judge_block, shape=(1000,), dtype=float64, chunksize=(500,), ...>
    """

    _parameter_constraints = {
        **_InMemory._parameter_constraints,  # noqa: SLF001  of the base class
        "strong_fit": [StrOptions({"auto", SAMPLE, PARTIAL_FIT, DASK})],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        weak_estimator: Any = None,
        strong_estimator: Any = None,
        *,
        weak_features: Any = None,
        overlap_detector: Any = None,
        strategy: str | Callable[..., Any] = "auto",
        neighbors: Any = None,
        scoring: str | Callable[..., Any] | None = None,
        strong_fit: Literal["auto", "sample", "partial_fit", "dask"] = "auto",
        max_rows: int = 100_000,
        fallback: Any = "warn",
        include_labeled: Any = True,
        memory: Any = None,
        n_jobs: Any = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            weak_estimator,
            strong_estimator,
            weak_features=weak_features,
            overlap_detector=overlap_detector,
            strategy=strategy,
            neighbors=neighbors,
            scoring=scoring,
            fallback=fallback,
            include_labeled=include_labeled,
            memory=memory,
            n_jobs=n_jobs,
            verbose=verbose,
            random_state=random_state,
        )
        self.strong_fit = strong_fit
        self.max_rows = max_rows

    @fit_context(prefer_skip_nested_validation=False, one_table=True)
    def fit(  # type: ignore[override]
        self, X: Any, y: Any, *, sample_weight: Any = None
    ) -> Self:
        """Fit the weak estimator, label the unlabeled rows, fit the strong estimator.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : {dask series, dask array} of shape (n_samples,)
            Values, NaN where there is none. May be None with a weak estimator that
            needs no fit.
        sample_weight : {dask series, dask array} of shape (n_samples,), default=None
            Weights for both estimators.

        Returns
        -------
        WeakToStrongRegressor
            The fitted estimator.

        Raises
        ------
        TypeError
            If an argument is not a collection of Dask, or an estimator cannot be used
            as asked.
        ValueError
            If there are no labeled rows, or more than 100,000, no row is left to train
            on, a strategy would fall back and must not, or compares rows while the
            strong estimator gets blocks, or partitions or an argument do not fit.

        Warns
        -----
        UserWarning
            If y has no unlabeled row, a strategy falls back to another, or if the
            strong estimator has not learned what it was taught.
        """
        self._require_regressors()
        return self._fit_collections(X, y, sample_weight)

    def _fit_blocks(self, blocks, X, y, rng, seed, *, weighted):
        """Fit by a strategy that looks at each row by itself."""
        seeds = None if self.random_state is None else rng
        strong = clone(self._strong())
        name: Any = "all" if self.strategy == "auto" else self.strategy
        self.strategy_, strategy = name, VALUE_STRATEGIES[name]
        require_possible(name, strategy, strong, is_table=False)
        self._require_use_of_neighbors(strategy)
        costs = {"Fitting weak_estimator": 3, "Fitting strong_estimator": 40}
        step = Steps(self, costs).step
        with step("Fitting weak_estimator"):
            survey = self._survey(blocks, y, seed)
            predictor, _ = learn_weakly(
                self._weak(),
                survey,
                weak_features=self.weak_features,
                weights=survey.labeled_weights if weighted else None,
                cross_fit=False,
                cv=None,
                rng=rng,
                memory=self.memory,
                n_jobs=self.n_jobs,
                seeds=seeds,
                are_values=True,
            )
        self.weak_predictor_, self.weak_estimator_ = predictor, predictor.estimator
        lesson = ValueLesson(copy.copy(self), predictor, self.strategy_)
        with step("Fitting strong_estimator"):
            tally, sample = self._assess(lesson, blocks, seed)
            strong = seed_nested(strong, seeds)
            self.strong_estimator_ = self._fit_strong_on(
                strong, tally, sample, lesson, blocks, X, weighted=weighted
            )
        self.estimator_ = self.strong_estimator_
        self.n_samples_seen_ = survey.n_rows

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the coefficient of determination on the labeled rows, at once.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows, or rows in memory.
        y : {dask series, dask array} of shape (n,)
            Values; rows marked NaN are left out.
        sample_weight : {dask series, dask array} of shape (n,), default=None
            Weights.

        Returns
        -------
        float
            R²; NaN if no row is labeled.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return super().score(X, y, sample_weight)
        judge, measure = shipped(self), dask.delayed(_moments)
        parts = [measure(judge, block) for block in row_blocks(X, y, sample_weight)]
        count, _, deviation, error = merge_tree(parts, _merge_moments).compute()
        if not count > 0:
            return float("nan")
        if not deviation > 0:
            return 1.0 if error == 0 else 0.0
        return float(1 - error / deviation)

    def _survey(self, blocks, y, seed):
        """Bring the labeled rows together, and check the features."""
        given = is_given(self._weak())
        if y is None and not given:
            check_values(None)
        survey = take_survey(
            blocks,
            size=1,
            seed=seed,
            missing_label=None,
            gathers=not given,
            are_values=True,
        )
        require_rows(len(survey.sample), survey.n_rows)
        warn_if_all_have_values(np.array([survey.n_labeled == survey.n_rows]))
        self._check_rows(survey.rows, asks_weak=True)
        return survey

    def _is_by_block(self, strategy):
        # Regions of values are not found over collections.
        return strategy.by_row and not strategy.needs_regions

    def _map(self, X, method):
        return map_rows(self, method, X, names="prediction", dtype=np.float64)


def _moments(regressor, block):
    """Return weight, mean, squared deviations and squared errors of labeled rows."""
    values, labeled = block.values()
    weights = block.weights[labeled]
    if not weights.any():
        return np.zeros(4)
    rows = safe_indexing(block.X, np.flatnonzero(labeled))
    mean = np.average(values, weights=weights)
    errors = regressor.predict(rows) - values
    return np.array(
        [
            weights.sum(),
            mean,
            weights @ (values - mean) ** 2,
            weights @ errors**2,
        ]
    )


def _merge_moments(parts):
    counts, means, deviations, errors = np.transpose(parts)
    if not counts.any():
        return np.zeros(4)
    mean = np.average(means, weights=counts)
    between = counts @ (means - mean) ** 2
    return np.array([counts.sum(), mean, deviations.sum() + between, errors.sum()])

"""OverlapDetector over Dask collections."""

import copy
from typing import Any, Self

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.dataframe.utils import make_meta
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

import sklearn_w2s.overlap
from sklearn_w2s._algorithms.overlap import OVERLAP, REGIONS
from sklearn_w2s._estimators import fit_context
from sklearn_w2s._fitting import fit_arguments
from sklearn_w2s._validation import check_features, check_new_rows
from sklearn_w2s._weak import default_for, is_given
from sklearn_w2s.dask._partitions import map_rows, merge_tree, row_blocks, shipped
from sklearn_w2s.dask._sample import learn_weakly, require_survey, seed_of, take_survey
from sklearn_w2s.overlap._output import COLUMN_NAMES, prepend


class OverlapDetector(  # type: ignore[call-arg]
    sklearn_w2s.overlap.OverlapDetector, auto_wrap_output_keys=None
):
    r"""Find the rows that carry both the easy and the hard pattern, with Dask.

    The parameters are those of :class:`sklearn_w2s.OverlapDetector`, and so is what is
    found as long as there are no more rows than `reservoir_size`. Of more rows a sample
    sets the thresholds, and the overlap density is counted over all of them. Nothing is
    computed for rows of new collections until they are asked to be.

    Parameters
    ----------
    weak_estimator, weak_features, confidence, confidence_threshold : object
        As in :class:`sklearn_w2s.OverlapDetector`. A callable for `weak_features` gets
        rows in memory.
    refine_hard, overlap_threshold, threshold_type, overlap_measure : object
        As in :class:`sklearn_w2s.OverlapDetector`.
    representation, max_references, passthrough : object
        As in :class:`sklearn_w2s.OverlapDetector`.
    cv : int, float, splitter, iterable or None, default=None
        As in :class:`sklearn_w2s.OverlapDetector`. `fit` takes no groups: where they
        are to be kept apart, pass splits as positions among the labeled rows, in the
        order of the partitions.
    missing_label : scalar, default=-1
        Label of unlabeled rows.
    reservoir_size : int, default=10000
        Rows, at most, that thresholds, references and representation are found on,
        drawn at random of all.
    memory, n_jobs : object
        As in :class:`sklearn_w2s.OverlapDetector`.
    random_state : int, RandomState instance or None, default=None
        As in :class:`sklearn_w2s.OverlapDetector`; also draws the sample.

    Attributes
    ----------
    overlap_density_ : float
        Weighted share of overlap rows among all rows of `fit`, in [0, 1].
    overlap_density_interval_ : tuple of two float
        Its 95% confidence interval, given thresholds and references.
    overlap_regime_ : {"low", "medium", "high"}
        See :func:`~sklearn_w2s.metrics.overlap_regime`.
    confidence_threshold_, easy_threshold_, overlap_threshold_ : float
        As in :class:`sklearn_w2s.OverlapDetector`.
    n_samples_seen_ : int
        Rows of `fit`.
    references_ : {ndarray, csr matrix} of shape (n_references, n_components)
        Hard rows of the sample that others are compared with.
    weak_predictor_, weak_estimator_, representation_, views_, partition_ : object
        As in :class:`sklearn_w2s.OverlapDetector`.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    sklearn_w2s.OverlapDetector : The same for rows in memory, and for streams of them.
    WeakToStrongClassifier : Trains a strong estimator on weak labels, with Dask.

    Notes
    -----
    `fit` goes over the rows twice, so that collections that are costly to make should
    be persisted where they fit in the memory of the cluster. The first pass brings the
    labeled rows, 100,000 at most, and a sample of `reservoir_size` rows to the client;
    the second counts the regions of all rows, and is left out where the sample is
    whole. A worker holds one block of rows and eight samples at a time.

    The sample is a priority sample: each row has a random number that follows from
    `random_state`, its block and its position in it. Neither the number of workers, nor
    their order, nor the death of one of them changes it; other partitions do.

    With m rows in the sample, it gives the share of rows below any score within
    :math:`\sqrt{\log(2 / \alpha) / 2 m}` of its share among all rows, with probability
    :math:`1 - \alpha` (Dvoretzky, Kiefer and Wolfowitz): 0.014 for 10,000 rows and
    :math:`\alpha` = 0.05. That bounds how far a threshold that is a quantile can be
    from the one found on all rows. Thresholds that split scores in groups have no such
    bound; on the data of ``benchmarks/results/dask_scale.csv`` density and regions are
    compared with those found in memory.

    Weak probabilities that are at hand are columns of X:
    :class:`~sklearn_w2s.weak_estimators.ColumnProbaClassifier` reads them. The labels
    -1 and +1 are never taken as two classes while -1 is the missing label.

    References
    ----------
    N. Duffield, C. Lund, M. Thorup, "Priority Sampling for Estimation of Arbitrary
    Subset Sums", Journal of the ACM 54(6), 2007.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_w2s.dask import OverlapDetector
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> X, y, regions = make_overlap_classification(600, random_state=0)
    >>> y[100:] = -1
    >>> X, y = da.from_array(X, chunks=(200, 50)), da.from_array(y, chunks=200)
    >>> detector = OverlapDetector(weak_features=slice(0, 20)).fit(X, y)
    >>> round(detector.overlap_density_, 2), detector.overlap_regime_
    (0.33, 'high')
    >>> detector.predict(X)
    dask.array<_judge_block, shape=(600,), dtype=<U7, chunksize=(200,), ...>
    """

    @fit_context(prefer_skip_nested_validation=False)
    def fit(  # type: ignore[override]
        self, X: Any, y: Any = None, *, sample_weight: Any = None
    ) -> Self:
        """Find thresholds, hard references and the overlap density.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : {dask series, dask array} of shape (n_samples,), default=None
            Labels, `missing_label` where there is none. May be None with a weak
            estimator that needs no fit.
        sample_weight : {dask series, dask array} of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        OverlapDetector
            The fitted estimator.

        Raises
        ------
        TypeError
            If an argument is not a collection of Dask.
        ValueError
            If there is nothing to learn confidences from, there are more than 100,000
            labeled rows to learn them from, or partitions or an argument do not fit.

        Warns
        -----
        NoChangePointWarning
            If confidences or scores of the sample cannot be split.
        """
        rng = check_random_state(self.random_state)
        given = is_given(self._weak())
        blocks = row_blocks(X, y, sample_weight)
        survey = take_survey(
            blocks,
            size=self.reservoir_size,
            seed=seed_of(self.random_state, rng),
            missing_label=self.missing_label,
            gathers=not given,
        )
        require_survey(survey, y, self.missing_label, given=given)
        check_features(self, survey.rows, reset=True, allow_nan=True)
        weights = None if sample_weight is None else survey.labeled_weights
        ((weights, _),) = fit_arguments(self, ["weak_estimator"], weights, {})
        predictor, labeled_proba = learn_weakly(
            default_for(survey.rows) if self.weak_estimator is None else self._weak(),
            survey,
            weak_features=self.weak_features,
            weights=weights,
            cross_fit=True,
            cv=self.cv,
            rng=rng,
            memory=self.memory,
            n_jobs=self.n_jobs,
            seeds=None if self.random_state is None else rng,
        )
        weighted = sample_weight is not None
        return self._fit_survey(
            blocks, survey, predictor, labeled_proba, weighted=weighted, rng=rng
        )

    def predict(self, X: Any) -> Any:
        """Name the region of new rows, by the thresholds and references of `fit`.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows. Rows in memory give results in memory, here and elsewhere.

        Returns
        -------
        {dask series, dask array} of shape (n,)
            "easy", "hard" or "overlap", lazily: strings for an array, categories for a
            data frame.
        """
        dtype = np.dtype(f"<U{max(map(len, REGIONS))}")
        if isinstance(X, dd.DataFrame):
            import pandas as pd

            dtype = pd.CategoricalDtype(list(REGIONS))
        return self._map(X, "predict", "region", dtype)

    def transform(self, X: Any) -> Any:
        """Describe new rows by confidence, overlap score and region.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows.

        Returns
        -------
        {dask data frame, dask array} of shape (n, 5) or (n, n_features + 5)
            Columns confidence, overlap score, and one indicator per region; behind
            those of X with `passthrough`. Lazily.

        Raises
        ------
        ValueError
            If the rows do not fit those of `fit`, or have a column of a name that is
            added.
        """
        check_is_fitted(self)
        is_single = isinstance(X, da.Array) and X.dtype == np.float32
        dtype = np.dtype(np.float32 if is_single else np.float64)
        if not (self.passthrough and dask.is_dask_collection(X)):
            return self._map(X, "transform", list(COLUMN_NAMES), dtype)
        if isinstance(X, da.Array):
            # Columns of an array have no names: only their number counts.
            names = [*range(X.shape[1]), *COLUMN_NAMES]
            return self._map(X, "transform", names, np.result_type(X.dtype, dtype))
        named = hasattr(self, "feature_names_in_")
        like = prepend(make_meta(X), np.empty((0, 5)), named=named)
        if named:
            return self._map(X, "transform", list(like.columns), dict(like.dtypes))
        return self._map(X, "transform", [*X.columns, *COLUMN_NAMES], dtype)

    def confidence_samples(self, X: Any) -> Any:
        """Return the weak estimator's confidence on new rows.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows.

        Returns
        -------
        {dask series, dask array} of shape (n,)
            Confidence, lazily.
        """
        return self._map(X, "confidence_samples", "confidence", np.float64)

    def score_samples(self, X: Any) -> Any:
        """Return the overlap score of new rows.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows.

        Returns
        -------
        {dask series, dask array} of shape (n,)
            Overlap score, lazily: the higher, the more a row resembles the hard rows.
        """
        return self._map(X, "score_samples", "overlap_score", np.float64)

    def decision_function(self, X: Any) -> Any:
        """Return the overlap score minus its threshold.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows.

        Returns
        -------
        {dask series, dask array} of shape (n,)
            Not negative where a row that is not hard is an overlap row. Lazily.
        """
        return self._map(X, "decision_function", "overlap_decision", np.float64)

    def represent(self, X: Any) -> Any:
        """Return new rows in the space in which they are compared.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows.

        Returns
        -------
        {dask data frame, dask array} of shape (n, n_components)
            Numbers, dense and lazily.
        """
        check_is_fitted(self)
        names = [f"component{i}" for i in range(self.references_.shape[1])]
        return self._map(X, "represent", names, np.float64)

    def _map(self, X, method, names, dtype):
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return getattr(super(), method)(X)
        return map_rows(self, method, X, names=names, dtype=dtype)

    def _fit_survey(self, blocks, survey, predictor, labeled_proba, *, weighted, rng):
        """Find thresholds and references on the sample; count the regions of all."""
        self.weak_predictor_ = predictor
        self.weak_estimator_ = predictor.estimator
        self.classes_ = predictor.classes
        self._refuse_missing(survey.rows, predictor.columns, asks_weak=True)
        proba, weights = survey.proba(predictor, labeled_proba), survey.sample.weights
        rows, weak_rows = self._fit_views(
            survey.rows, proba, weights, rng, weighted=weighted
        )
        self._fit_partition(proba, rows, weak_rows, weights, rng)
        if not survey.sample.is_whole:
            judge, count = shipped(copy.copy(self)), dask.delayed(_count_block)
            # If the count fails, the estimator must not look fitted.
            del self.overlap_density_
            counts = [
                count(judge, block, survey.of_block(labeled_proba, number))
                for number, block in enumerate(blocks)
            ]
            overlap, total, squares = merge_tree(counts, np.sum, axis=0).compute()
            self._set_density(float(overlap / total), total**2 / squares)
        self.n_samples_seen_ = survey.n_rows
        return self


def _count_block(detector, block, labeled_proba):
    """Return weight of overlap rows, weight of all, and sum of squared weights."""
    if not len(block):
        return np.zeros(3)
    X = check_new_rows(detector, block.X)
    proba = detector.weak_predictor_.proba(X)
    if labeled_proba is not None:
        _, labeled = block.labels(detector.missing_label)
        proba[labeled] = labeled_proba
    views = detector.views_.views(X, proba)
    _, _, regions = detector.partition_.describe(proba, *views)
    weights = block.weights
    return np.array(
        [weights[regions == OVERLAP].sum(), weights.sum(), weights @ weights]
    )

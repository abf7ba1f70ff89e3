"""OverlapDetector: easy, hard and overlap rows, and the overlap density."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._algorithms.overlap import (
    OVERLAP,
    REGIONS,
    density_regime,
    region_shares,
)
from sklearn_w2s._algorithms.shares import Z_95, effective_size, share_interval
from sklearn_w2s._cross_fit import held_out_folds, split_arguments
from sklearn_w2s._display import DiagramMixin
from sklearn_w2s._estimators import NestedParamsMixin, fit_context
from sklearn_w2s._fitting import adapt, fit_arguments, require_same_place
from sklearn_w2s._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_feature_names_in,
    check_weights,
    move_like,
    namespace_of,
    raise_for_params,
    route_intermediate,
)
from sklearn_w2s._tabular import default_weak_estimator
from sklearn_w2s._uncertainty import UNCERTAINTIES, Uncertainty, ValuePredictor
from sklearn_w2s._validation import (
    accepts_missing,
    check_features,
    check_new_rows,
    check_target,
    check_weak_prediction,
    check_weak_proba,
    n_rows,
    place_of,
    refuse_missing,
    strict_readers,
)
from sklearn_w2s._weak import default_for, fit_weak, is_given, resolve_columns
from sklearn_w2s.overlap._measures import MEASURES, new_measure
from sklearn_w2s.overlap._output import COLUMN_NAMES, RegionArray, prepend
from sklearn_w2s.overlap._partition import (
    CONFIDENCES,
    PUBLISHED,
    SPLITS,
    HardRows,
    Partition,
)
from sklearn_w2s.overlap._representations import REPRESENTATIONS, Views
from sklearn_w2s.overlap._reservoir import Reservoir
from sklearn_w2s.persistence import VersionStampMixin

_OF_THE_ROWS_OF_FIT = ("confidence_", "overlap_score_", "regions_")
_THRESHOLD = [
    StrOptions({"auto", PUBLISHED, *SPLITS}),
    Real,
    callable,
    HasMethods(["fit", "predict"]),
]


class OverlapDetector(
    DiagramMixin,
    NestedParamsMixin,
    VersionStampMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Find the rows that carry both the easy and the hard pattern.

    The weak estimator knows the easy pattern only. Rows on which its confidence is low
    are *hard*, unless they are similar to the easy ones. Among the others, rows similar
    to the hard ones also carry the hard pattern and are *overlap* rows; the rest are
    *easy*. The share of overlap rows, the overlap density, governs how much a strong
    estimator can gain from the weak labels [1]_. Rows are described, never dropped or
    changed.

    Parameters
    ----------
    weak_estimator : classifier or regressor instance, default=None
        Provides the weak labels; it is fitted on the labeled rows. None is a logistic
        regression that accepts data frames. Wrap a fitted estimator in
        :class:`~sklearn.frozen.FrozenEstimator`. The estimators in
        ``sklearn_w2s.weak_estimators`` need no labels. With a regressor, y holds
        values, with NaN for unlabeled rows.
    weak_features : list of str or int, slice, bool mask, callable or None, default=None
        Columns that the weak estimator sees; a callable receives X and returns them.
        None means all.
    confidence : str or callable, default="auto"
        Confidence of the weak estimator. For a classifier, it is computed from the
        probabilities: "margin" is the difference of the two largest, "balanced_margin"
        ("auto") the same for probabilities divided by the share of their class;
        "max_proba" and "entropy" are available, too. A callable maps probabilities of
        shape (n, n_classes) to values of shape (n,). For a regressor, it is the
        negative of one of these: "residual", the mean held-out error of the nearest 15%
        of the labeled rows in the columns that the weak estimator sees; "distance", the
        distance to these; or "spread", the standard deviation of the predictions of an
        ensemble, or that of a regressor which predicts its own. "auto" is "residual"
        with at least two labels, and otherwise "spread". A callable then maps the
        fitted weak estimator and the rows that it sees to values of shape (n,), such as
        the negative width of a quantile interval.
    confidence_threshold : str, float, callable or estimator, default="auto"
        Smallest confidence that is not hard. "change_point" is the split into two
        groups with the least within-group variance, "mixture" the split between two
        normal distributions, "published" that of the paper's code, see Notes. "auto" is
        the change point, modified by `refine_hard`. A callable receives
        ``(values, sample_weight)`` and returns a number; an estimator is one from the
        package ruptures.
    refine_hard : bool, default=True
        Whether rows of low confidence that are similar to the easy rows are not hard.
        False is the published rule.
    overlap_threshold : str, float, callable or estimator, default="auto"
        Smallest overlap score of an overlap row, with the same options, computed over
        rows that are not hard. "auto" is "mixture".
    threshold_type : {"value", "quantile"}, default="value"
        Whether a float threshold is a value or a quantile. Use quantiles in grid
        searches, since they are comparable across folds.
    overlap_measure : str, callable or transformer, default="mean_abs_cosine"
        Overlap score of a row: "agreement", "max_abs_cosine", "max_abs_dot", "max_dot",
        "mean_abs_cosine", "mean_abs_dot" or "unexplained", see Notes. A callable maps
        ``(rows, hard_rows, weak_rows)`` to (n,) values. A transformer, such as
        :class:`~sklearn.neighbors.KNeighborsTransformer`, finds the nearest hard row by
        a tree or an approximate search.
    representation : {"forest", "passthrough", "pca"} or transformer, default=None
        The numeric space in which rows are compared. None uses the deviations of each
        value from the mode of its column. "pca" uses the principal components of these
        deviations that explain 90% of their variance, and "forest" the leaves of random
        trees grown on them. "passthrough" uses numbers as they are; if there are
        categories, which become indicators, numbers are scaled. A transformer is fitted
        with the weak labels as targets.
    max_references : int, default=None
        Largest number of hard rows, and of easy rows, that are kept for comparison,
        drawn at random. None keeps all.
    passthrough : bool, default=False
        Whether `transform` prepends X to its columns.
    cv : int, float, splitter, iterable or None, default=None
        How labeled rows get probabilities from estimators that were not trained on
        them. None is 5 stratified folds, or fewer if a class has fewer rows; a float in
        (0, 1) holds out that share once. Rows that are never held out keep in-sample
        probabilities. A splitter is called once per fit, with the labeled rows and,
        with metadata routing, their ``groups``.
    missing_label : scalar, default=-1
        Label of unlabeled rows. None, NaN, NaT and pandas.NA always mark unlabeled
        rows, too; with a regressor only these do, and this parameter has no effect.
    reservoir_size : int, default=10000
        Largest number of rows that `partial_fit` keeps of all it has seen, drawn at
        random.
    memory : None, str or object with the joblib.Memory interface, default=None
        Cache of the weak estimator's fits, so that a grid of thresholds fits it once
        per fold. A str is the folder of the cache; None caches nothing.
    n_jobs : int, default=None
        Number of folds of the weak estimator fitted, and of blocks of rows scored, in
        parallel.
    random_state : int, RandomState instance or None, default=None
        Draws the references, the reservoir and a float `cv`, and seeds every
        `random_state` of the weak estimator and the representation that is None.

    Attributes
    ----------
    regions_ : ndarray of shape (n_samples,) of str
        "easy", "hard" or "overlap" for the rows of `fit`.
    confidence_ : ndarray of shape (n_samples,)
        Confidence on the rows of `fit`, out-of-fold where they are labeled.
    overlap_score_ : ndarray of shape (n_samples,)
        Overlap score of the rows of `fit`.
    confidence_threshold_ : float
        Smallest confidence that is not hard. Minus infinity if there is no change
        point, so that no row is hard.
    easy_threshold_ : float
        Smallest similarity to the easy rows that is not hard. Infinity if it is not
        used.
    overlap_threshold_ : float
        Smallest overlap score of an overlap row. Infinity if there is no split, so that
        there are no overlap rows.
    overlap_density_ : float
        Weighted share of overlap rows in `fit`, in [0, 1].
    overlap_density_interval_ : tuple of two float
        Its 95% confidence interval, see Notes.
    overlap_regime_ : {"low", "medium", "high"}
        Overlap density below 0.1, below 0.2, or above, see
        :func:`~sklearn_w2s.metrics.overlap_regime`.
    n_samples_seen_ : int
        Rows seen by `partial_fit`; absent after `fit`.
    references_ : {ndarray, csr matrix} of shape (n_references, n_components)
        Hard rows that others are compared with, in the space of the representation;
        scaled to unit length for cosine measures.
    weak_predictor_ : object
        The weak estimator, its columns and classes.
    weak_estimator_ : classifier, regressor or None
        The fitted weak estimator; None if only its labels were given.
    representation_ : transformer
        The fitted representation.
    views_, partition_ : object
        The fitted views of a row, and the thresholds and references.
    classes_ : ndarray of shape (n_classes,)
        Class labels; absent with a regressor.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`. Defined only if all are strings.

    See Also
    --------
    WeakToStrongClassifier : Trains a strong estimator on the weak labels.
    UCBSourceSelector : Draws from the source with the highest overlap density.

    Notes
    -----
    With :math:`\varphi` the representation and H the hard rows, the measures are

    - "max_abs_cosine": :math:`\max_{h \in H} |\cos(\varphi(x), \varphi(h))|`, the
      measure of the published detection;
    - "max_abs_dot": :math:`\max_{h \in H} |\langle \varphi(x), \varphi(h) \rangle|`;
    - "max_dot": the same without absolute value, that of the published source
      selection;
    - "mean_abs_cosine", "mean_abs_dot": the means of the absolute values, weighted by
      `sample_weight`;
    - "unexplained": the length of the residual of :math:`\varphi(x)` after linear
      regression on the weak view, which is the numeric form of `weak_features`, or the
      weak probabilities where the weak estimator sees every column;
    - "agreement": the probability of the weak label, out-of-bag, by a random forest
      that learns the weak labels from the columns which the weak estimator does not
      see, divided by the share of the label. It needs no absent pattern to show, only
      patterns that contradict each other.

    With `refine_hard`, rows below the change point of the confidence are hard at
    first; the confident rows that resemble them least, by the mean absolute cosine, are
    easy beyond doubt; and hard in the end are rows that do not resemble these and whose
    confidence is below the threshold, raised to the lower quartile of the confident
    rows where it is "auto". Confidence alone cannot do this: of the rows that carry the
    easy pattern, many fall near the decision boundary by chance.

    With ``array_api_dispatch=True`` and scikit-learn 1.9 or later, arrays of other
    libraries stay on their device, and so do `references_`, `confidence_`,
    `overlap_score_` and the outputs for new rows; regions are always NumPy strings, for
    no other library has strings.

    The interval is Wilson's, with the number of rows that are worth as much as the
    weighted ones. It covers the chance of drawing these rows, given thresholds and
    references, not errors of detection; where rows of known region allow to estimate
    these, :func:`~sklearn_w2s.metrics.corrected_overlap_density` does.

    The detection of the paper's code is ``OverlapDetector(confidence="margin",
    confidence_threshold="published", refine_hard=False, overlap_threshold="published",
    overlap_measure="max_abs_cosine", representation="passthrough")``, of which
    ``fit(X, weak_proba=...)`` finds the same regions. The threshold "published" is the
    score above the best of the breaks at every fifth of the sorted scores, seven at
    least; the row at the break itself is hard, and in the overlap. That code's source
    selection calls the row at the break not hard: there, both thresholds are
    ``ruptures.Binseg(model="l2")`` and `overlap_measure` is "max_dot".

    Deviations from it, with any setting: thresholds and references are kept, so that
    new rows are judged by those of `fit`; where all scores are equal, a
    `NoChangePointWarning` is given and every row is easy, instead of an arbitrary break
    or a silent cut at the median; confidences of labeled rows are out-of-fold. Other
    settings look at every score for a change point, and rows are hard below it.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_w2s import OverlapDetector
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> X, y, regions = make_overlap_classification(600, random_state=0)
    >>> y[100:] = -1
    >>> detector = OverlapDetector(weak_features=slice(0, 20)).fit(X, y)
    >>> sorted(set(detector.predict(X).tolist()))
    ['easy', 'hard', 'overlap']
    >>> round(detector.overlap_density_, 2), detector.overlap_regime_
    (0.33, 'high')
    >>> detector.get_feature_names_out()
    array(['confidence', 'overlap_score', 'region_easy', 'region_hard',
           'region_overlap'], dtype=object)
    """

    __metadata_request__fit = {"weak_proba": True, "weak_prediction": True}
    __metadata_request__partial_fit = {"weak_proba": True, "weak_prediction": True}

    _parameter_constraints = {
        "weak_estimator": "no_validation",
        "weak_features": "no_validation",
        "confidence": [
            StrOptions({"auto", *CONFIDENCES, *UNCERTAINTIES}),
            callable,
        ],
        "confidence_threshold": _THRESHOLD,
        "refine_hard": ["boolean"],
        "overlap_threshold": _THRESHOLD,
        "threshold_type": [StrOptions({"value", "quantile"})],
        "overlap_measure": [
            StrOptions(MEASURES.keys()),
            callable,
            HasMethods(["fit", "transform"]),
        ],
        "representation": [
            StrOptions(REPRESENTATIONS.keys()),
            HasMethods(["fit", "transform"]),
            None,
        ],
        "max_references": [Interval(Integral, 1, None, closed="left"), None],
        "passthrough": ["boolean"],
        "cv": "no_validation",
        "missing_label": "no_validation",
        "reservoir_size": [Interval(Integral, 1, None, closed="left")],
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        weak_estimator: Any = None,
        *,
        weak_features: Any = None,
        confidence: str | Callable[..., Any] = "auto",
        confidence_threshold: Any = "auto",
        refine_hard: bool = True,
        overlap_threshold: Any = "auto",
        threshold_type: Literal["value", "quantile"] = "value",
        overlap_measure: Any = "mean_abs_cosine",
        representation: Any = None,
        max_references: int | None = None,
        passthrough: bool = False,
        cv: Any = None,
        missing_label: Any = -1,
        reservoir_size: int = 10_000,
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.weak_estimator = weak_estimator
        self.weak_features = weak_features
        self.confidence = confidence
        self.confidence_threshold = confidence_threshold
        self.refine_hard = refine_hard
        self.overlap_threshold = overlap_threshold
        self.threshold_type = threshold_type
        self.overlap_measure = overlap_measure
        self.representation = representation
        self.max_references = max_references
        self.passthrough = passthrough
        self.cv = cv
        self.missing_label = missing_label
        self.reservoir_size = reservoir_size
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False, one_table=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        weak_proba: Any = None,
        weak_prediction: Any = None,
        sample_weight: Any = None,
        **params: Any,
    ) -> Self:
        """Find thresholds, hard references and regions.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,), default=None
            Labels, `missing_label` where there is none, or values. May be None with
            weak labels or a weak estimator that needs no fit.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Probabilities of a weak estimator that is not at hand. Columns are in
            sorted order of the classes, or named by them in a data frame.
        weak_prediction : array-like of shape (n_samples,), default=None
            Predictions of a weak regressor that is not at hand.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; a weight of two equals a row given twice.
        **params : dict
            Metadata for `weak_estimator.fit` and for the splitter `cv`, such as
            ``groups``, with metadata routing switched on.

        Returns
        -------
        OverlapDetector
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is nothing to learn confidences from, weak probabilities of so many
            classes do not fit into memory, or an argument does not fit.

        Warns
        -----
        NoChangePointWarning
            If confidences or scores cannot be split.
        """
        raise_for_params(params, self, "fit")
        X = check_features(self, X, reset=True, allow_nan=True)
        weights = check_weights(sample_weight, X)
        rng = check_random_state(self.random_state)
        weighted = sample_weight is not None
        labels, are_values = self._check_given(weak_proba, weak_prediction)
        weak_weights = weights if weighted else None
        proba = self._fit_weak(X, y, labels, are_values, weak_weights, params, rng)
        rows, weak_rows = self._fit_views(X, proba, weights, rng, weighted=weighted)
        confidence, overlap_score, self.regions_ = self._fit_partition(
            proba, rows, weak_rows, weights, rng
        )
        self.confidence_ = move_like(confidence, X)
        self.overlap_score_ = move_like(overlap_score, X)
        return self

    @fit_context(prefer_skip_nested_validation=False, one_table=True)
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        weak_proba: Any = None,
        weak_prediction: Any = None,
        sample_weight: Any = None,
        **params: Any,
    ) -> Self:
        """Take another batch of rows into account.

        The first batch fits the weak estimator and the representation, as `fit` does,
        unless `fit` was called before: then its weak estimator and representation stay,
        and its rows are forgotten. Of all rows seen, `reservoir_size` are kept, drawn
        at random with regard to their weights, and thresholds, references and density
        are those that `fit` finds on them: the same as on all rows while these are no
        more, and as if drawn from them later on, with a standard error of the density
        of at most ``0.5 / sqrt(reservoir_size)``, 0.005 by default. `regions_`,
        `confidence_` and `overlap_score_` are not kept for a stream; use `predict` and
        `transform`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled. Each call takes the time of a `fit` on the rows
            kept, so that batches should not be much smaller.
        y : array-like of shape (n_samples,), default=None
            Labels. Only those of the batch that fits the weak estimator are used.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Probabilities of a weak estimator that is not at hand; then for each batch.
        weak_prediction : array-like of shape (n_samples,), default=None
            The same of a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.
        **params : dict
            Metadata for `weak_estimator.fit` and for the splitter `cv`, such as
            ``groups``, with metadata routing switched on.

        Returns
        -------
        OverlapDetector
            The estimator.

        Raises
        ------
        ValueError
            If the first batch has nothing to learn confidences from, a later one does
            not fit it, or an argument does not fit.

        Warns
        -----
        NoChangePointWarning
            If confidences or scores of the rows kept cannot be split.
        """
        raise_for_params(params, self, "partial_fit")
        first = not hasattr(self, "views_")
        if first:
            X = check_features(self, X, reset=True, allow_nan=True)
        else:
            X = check_new_rows(self, X)
            method = f"{type(self).__name__}.partial_fit"
            require_same_place(X, self.views_.place, method=method)
        weights = check_weights(sample_weight, X)
        rng = check_random_state(self.random_state)
        if first:
            weighted = sample_weight is not None
            labels, are_values = self._check_given(weak_proba, weak_prediction)
            proba = self._fit_weak(
                X,
                y,
                labels,
                are_values,
                weights if weighted else None,
                params,
                rng,
                method="partial_fit",
            )
            rows, weak_rows = self._fit_views(X, proba, weights, rng, weighted=weighted)
        else:
            proba = self._proba_of_batch(X, weak_proba, weak_prediction)
            rows, weak_rows = self.views_.views(X, proba)
        if not hasattr(self, "reservoir_"):
            self.reservoir_ = Reservoir(self.reservoir_size, rng)
            for name in _OF_THE_ROWS_OF_FIT:
                if hasattr(self, name):
                    delattr(self, name)
        self.reservoir_.add(weights, proba, rows, weak_rows)
        proba, rows, weak_rows = self.reservoir_.columns
        weights, rng = self.reservoir_.weights, self.reservoir_.rng
        self._fit_partition(proba, rows, weak_rows, weights, rng)
        self.n_samples_seen_ = self.reservoir_.n_seen
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Name the region of new rows, by the thresholds and references of `fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,) of str
            "easy", "hard" or "overlap".
        """
        _, _, regions = self._describe(self._check(X, "predict"))
        return regions.view(RegionArray)

    def transform(self, X: Any) -> Any:
        """Describe new rows by confidence, overlap score and region.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        {ndarray, csr matrix, data frame} of shape (n, 5) or (n, n_features + 5)
            Columns confidence, overlap score, and one indicator per region; after
            those of X with `passthrough`, in the kind of container that X has, which
            is an array where the columns had no names in `fit`.

        Raises
        ------
        ValueError
            If the rows do not fit those of `fit`, have a column of a name that is
            added, or if there is no weak estimator to ask.
        """
        X = self._check(X, "transform")
        confidence, score, regions = self._describe(X)
        xp, _ = namespace_of(X)
        is_single = getattr(X, "dtype", None) == (xp or np).float32
        indicators = [regions == name for name in REGIONS]
        columns = np.column_stack([confidence, score, *indicators])
        columns = columns.astype(np.float32 if is_single else np.float64)
        columns = move_like(columns, X)
        if not self.passthrough:
            return columns
        if xp is not None:
            return xp.concat([xp.astype(X, columns.dtype, copy=False), columns], axis=1)
        return prepend(X, columns, named=hasattr(self, "feature_names_in_"))

    def confidence_samples(self, X: Any) -> NDArray[Any]:
        """Return the weak estimator's confidence on new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Confidence.
        """
        X = self._check(X, "confidence_samples")
        return move_like(self._describe(X)[0], X)

    def represent(self, X: Any) -> Any:
        """Return new rows in the space in which they are compared.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        {ndarray, csr matrix} of shape (n, n_components)
            Numbers.
        """
        return self.views_.represent(self._check(X, "represent"))

    def score_samples(self, X: Any) -> NDArray[Any]:
        """Return the overlap score of new rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Overlap score: the higher, the more a row resembles the hard rows.
        """
        X = self._check(X, "score_samples")
        return move_like(self._describe(X)[1], X)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the overlap score minus its threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Not negative where a row that is not hard is an overlap row.
        """
        X = self._check(X, "decision_function")
        return move_like(self._describe(X)[1], X) - self.overlap_threshold_

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None takes those seen in `fit`.

        Returns
        -------
        ndarray of shape (n_columns,) of object
            Names.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        own = np.asarray(COLUMN_NAMES, dtype=object)
        return np.concatenate([names, own]) if self.passthrough else own

    def get_support(self, region: str = OVERLAP, indices: bool = False) -> NDArray[Any]:
        """Return which rows of `fit` lie in a region.

        Parameters
        ----------
        region : {"easy", "hard", "overlap"}, default="overlap"
            Region.
        indices : bool, default=False
            Return positions instead of a mask.

        Returns
        -------
        ndarray
            Mask of shape (n_samples,), or positions.

        Raises
        ------
        ValueError
            If there is no such region.
        AttributeError
            After `partial_fit`, and in a classifier, where rows are not kept: use
            `predict`.
        """
        check_is_fitted(self)
        if region not in REGIONS:
            msg = f"region={region!r} is not one of {list(REGIONS)}."
            raise ValueError(msg)
        if not hasattr(self, "regions_"):
            msg = (
                "partial_fit keeps no regions of the rows it has seen, nor does the "
                f"detector of a classifier. Call predict(X) == {region!r} on the rows "
                "of interest."
            )
            raise AttributeError(msg)
        support = self.regions_ == region
        return np.flatnonzero(support) if indices else support

    def forget_rows(self) -> Self:
        """Drop the attributes of the rows of `fit`; new rows can still be described.

        Returns
        -------
        OverlapDetector
            The estimator.
        """
        for name in _OF_THE_ROWS_OF_FIT:
            delattr(self, name)
        return self

    @property
    def references_(self) -> Any:
        """Hard rows that others are compared with."""
        return self.partition_.measure.references

    @property
    def representation_(self) -> Any:
        """The fitted representation."""
        return self.views_.transformer

    @property
    def confidence_threshold_(self) -> Any:
        """Smallest confidence that is not hard."""
        return self.partition_.hard_rows.confidence_threshold

    @property
    def easy_threshold_(self) -> Any:
        """Smallest similarity to the easy rows that is not hard."""
        return self.partition_.hard_rows.easy_threshold

    @property
    def overlap_threshold_(self) -> Any:
        """Smallest overlap score of an overlap row."""
        return self.partition_.overlap_threshold

    def _weak(self):
        if self.weak_estimator is None:
            return default_weak_estimator()
        return adapt(self.weak_estimator)

    def _check_given(self, weak_proba, weak_prediction):
        """Return the weak labels that were given or None, and if they are values."""
        if weak_proba is not None and weak_prediction is not None:
            msg = (
                "weak_proba are labels of a weak classifier, and weak_prediction those "
                "of a weak regressor. Pass one of them."
            )
            raise ValueError(msg)
        are_values = weak_prediction is not None or is_regressor(self._weak())
        if weak_proba is not None and are_values:
            msg = (
                "weak_proba are probabilities, but weak_estimator="
                f"{self.weak_estimator!r} is a regressor. Pass weak_prediction."
            )
            raise ValueError(msg)
        known, others = list(CONFIDENCES), list(UNCERTAINTIES)
        if are_values:
            known, others = others, known
        if isinstance(self.confidence, str) and self.confidence in others:
            owner = "a regressor" if are_values else "a classifier"
            msg = (
                f"confidence={self.confidence!r} is not defined for {owner}, which "
                f"weak_estimator is. Use one of {['auto', *known]}."
            )
            raise ValueError(msg)
        return weak_proba if weak_prediction is None else weak_prediction, are_values

    def _fit_weak(
        self,
        X,
        y,
        weak_labels,
        are_values,
        sample_weight,
        params,
        rng,
        method="fit",
    ):
        """Fit the weak estimator; return its probabilities, or values, of all rows."""
        given = weak_labels is not None or is_given(self._weak())
        if y is None and given:
            y = np.full(n_rows(X), np.nan if are_values else self.missing_label)
        labels, labeled = check_target(y, self.missing_label, of_values=are_values)
        check_consistent_length(X, labeled)
        columns = resolve_columns(self.weak_features, X)
        self._refuse_missing(X, columns, asks_weak=weak_labels is None)
        weights = None if given else sample_weight
        ((weights, weak_params),) = fit_arguments(
            self, ["weak_estimator"], weights, params, method=method
        )
        folds = None
        if not given:
            folds = held_out_folds(
                self.cv,
                X,
                labels,
                labeled,
                weights,
                rng=rng,
                split_params=split_arguments(self, params, method),
                are_values=are_values,
            )
        weak, proba = fit_weak(
            default_for(X) if self.weak_estimator is None else self._weak(),
            X,
            labels,
            labeled,
            columns=columns,
            weak_proba=weak_labels,
            sample_weight=weights,
            params=weak_params,
            folds=folds,
            memory=self.memory,
            n_jobs=self.n_jobs,
            seeds=None if self.random_state is None else rng,
            are_values=are_values,
        )
        self.weak_predictor_, self.weak_estimator_ = weak, weak.estimator
        if not are_values:
            self.classes_ = weak.classes
            return proba
        values = proba[:, 0]
        counts = np.ones(len(labeled)) if sample_weight is None else sample_weight
        uncertainty = Uncertainty(self.confidence)
        uncertainty.fit(weak, X, values, labels, labeled, counts)
        self.weak_predictor_ = ValuePredictor(weak, uncertainty)
        return np.column_stack([values, uncertainty.predict(X)])

    def _fit_views(self, X, proba, weights, rng, *, weighted):
        """Fit the representation; return the rows in it, and their second view."""
        second_view = new_measure(self.overlap_measure).second_view
        self.views_ = Views(self.representation, self.weak_predictor_, second_view)
        seeds = None if self.random_state is None else rng
        self.views_.fit(X, proba, weights, weighted=weighted, seeds=seeds)
        return self.views_.views(X, proba)

    def _refuse_missing(self, X, columns, *, asks_weak):
        """Refuse missing values that a part does not take, and remember these parts."""
        readers = [("weak_estimator", self._weak(), columns)] if asks_weak else []
        if hasattr(self.representation, "fit"):
            readers.append(("representation", self.representation, None))
        self._strict_readers_ = strict_readers(readers)
        refuse_missing(X, self._strict_readers_)

    def _fit_partition(self, proba, rows, weak_rows, weights, rng):
        """Set thresholds, references and density; return scores and regions of rows."""
        measure = new_measure(self.overlap_measure, self.n_jobs)
        if measure.needs_numpy and namespace_of(rows)[0] is not None:
            msg = (
                f"overlap_measure={self.overlap_measure!r} does not compute with "
                f"arrays of {place_of(rows)}. Pass a cosine or dot product measure or "
                "a callable, or pass X as a NumPy array."
            )
            raise ValueError(msg)
        hard_rows = HardRows(
            self.confidence_threshold,
            self.threshold_type,
            refine=self.refine_hard,
            max_references=self.max_references,
            n_jobs=self.n_jobs,
        )
        self.partition_ = Partition(
            self.confidence,
            hard_rows,
            measure,
            self.overlap_threshold,
            self.threshold_type,
        )
        are_values = self.weak_predictor_.classes is None
        described = self.partition_.fit_describe(
            proba, rows, weak_rows, weights, rng, are_values=are_values
        )
        density = region_shares(described[-1], weights)[OVERLAP]
        self._set_density(density, effective_size(weights))
        return described

    def _set_density(self, density, n_rows):
        """Set the overlap density, and what follows from it and the number of rows."""
        self.overlap_density_ = density
        self.overlap_density_interval_ = share_interval(density, n_rows, Z_95)
        self.overlap_regime_ = density_regime(density)

    def _proba_of_batch(self, X, weak_proba, weak_prediction):
        if weak_prediction is not None:
            values = check_weak_prediction(weak_prediction, X)
            return self.weak_predictor_.join(values, X)
        if weak_proba is None:
            return self.weak_predictor_.proba(X)
        proba, classes = check_weak_proba(weak_proba, X, self.classes_)
        if not np.array_equal(classes, self.classes_):
            msg = (
                f"weak_proba has the classes {classes.tolist()}, but the first batch "
                f"had {self.classes_.tolist()}. Pass the same classes in every batch."
            )
            raise ValueError(msg)
        return proba

    def _check(self, X, method):
        check_is_fitted(self)
        X = check_new_rows(self, X)
        method = f"{type(self).__name__}.{method}"
        require_same_place(X, self.views_.place, method=method)
        return X

    def _describe(self, X):
        proba = self.weak_predictor_.proba(X)
        return self.partition_.describe(proba, *self.views_.views(X, proba))

    def get_metadata_routing(self) -> Any:
        """Return which metadata `fit` uses, and what the weak estimator and `cv` get.

        Returns
        -------
        MetadataRouter
            Routing information.
        """

        def mapping(callee):
            mapping = MethodMapping().add(caller="fit", callee=callee)
            mapping.add(caller="partial_fit", callee=callee)
            return route_intermediate(mapping, callee)

        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(weak_estimator=self._weak(), method_mapping=mapping("fit"))
            .add(splitter=self.cv, method_mapping=mapping("split"))
        )

    def _findings(self):
        low, high = self.overlap_density_interval_
        density = f"{self.overlap_density_:.2f} [{low:.2f}, {high:.2f}]"
        return f"overlap density: {density}, {self.overlap_regime_}"

    def __sklearn_is_fitted__(self):
        return hasattr(self, "overlap_density_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        chosen = (self.representation, self.overlap_measure)
        parts = [self._weak(), *(part for part in chosen if hasattr(part, "fit"))]
        takes_sparse = [get_tags(part).input_tags.sparse for part in parts]
        # Names are checked in fit, not here.
        if self.representation in REPRESENTATIONS:
            takes_sparse.append(REPRESENTATIONS[self.representation].takes_sparse)
        if self.overlap_measure in MEASURES:
            takes_sparse.append(new_measure(self.overlap_measure).takes_sparse)
        tags.input_tags.sparse = all(takes_sparse)
        tags.input_tags.allow_nan = all(accepts_missing(part) for part in parts)
        tags.target_tags.required = not isinstance(self.weak_estimator, FrozenEstimator)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

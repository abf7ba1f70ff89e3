"""OverlapDetector: easy, hard and overlap rows, and the overlap density."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
)

from sklearn_w2s._algorithms.overlap import OVERLAP, REGIONS, region_shares
from sklearn_w2s._fitting import adapt, fit_arguments, forget_fit
from sklearn_w2s._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    check_feature_names_in,
    check_weights,
    fit_context,
    raise_for_params,
    route_intermediate_fit,
)
from sklearn_w2s._tabular import default_weak_estimator
from sklearn_w2s._validation import (
    accepts,
    check_features,
    check_labels,
    n_rows,
)
from sklearn_w2s._weak import fit_weak, resolve_columns
from sklearn_w2s.overlap._columns import COLUMN_NAMES
from sklearn_w2s.overlap._comparison import Comparison
from sklearn_w2s.overlap._measures import MEASURES
from sklearn_w2s.overlap._new_rows import CONFIDENCES, NewRowsMixin
from sklearn_w2s.overlap._thresholds import find_threshold


class OverlapDetector(NewRowsMixin, BaseEstimator):
    r"""Find the rows that carry both the easy and the hard pattern.

    The weak estimator knows the easy pattern only. Rows on which it has little
    confidence are *hard*. Of the others, rows that resemble the hard ones carry the
    hard pattern as well and are *overlap* rows; the rest is *easy*. The share of
    overlap rows, the overlap density, governs how much a strong estimator can gain from
    the weak labels [1]_. Rows are described, never dropped or changed.

    Parameters
    ----------
    weak_estimator : classifier instance, default=None
        Gives the weak labels, fitted on the labeled rows. None is a logistic regression
        that copes with data frames; a fitted classifier is wrapped in
        :class:`~sklearn.frozen.FrozenEstimator`.
    weak_features : list of str or int, slice, bool mask, callable or None, default=None
        Columns that the weak estimator sees; a callable gets X and returns them. None
        means all.
    confidence : {"margin", "max_proba", "entropy"} or callable, default="margin"
        Confidence of the weak estimator, from its probabilities. "margin" is the
        difference of the two largest. A callable maps probabilities of shape
        (n, n_classes) to (n,) values.
    confidence_threshold : {"auto"}, float or callable, default="auto"
        Smallest confidence that is not hard. "auto" is the change point: the split of
        the values into two groups of least within-group variance. A callable gets
        ``(values, sample_weight)``.
    overlap_threshold : {"auto"}, float or callable, default="auto"
        Smallest overlap score of an overlap row, likewise, over rows that are not hard.
    threshold_type : {"value", "quantile"}, default="value"
        Whether a float threshold is a value or a quantile. Quantiles carry over from
        fold to fold, so grid searches use them.
    overlap_measure : str or callable, default="mean_abs_cosine"
        Overlap score of a row: "max_abs_cosine", "max_abs_dot", "max_dot",
        "mean_abs_cosine" or "unexplained", see Notes. A callable maps
        ``(rows, hard_rows, weak_rows)`` to (n,) values.
    representation : transformer instance, default=None
        Maps X to the numeric space in which rows are compared. None compares X itself
        where it is numeric, else scaled numbers next to one-hot categories.
    max_references : int, default=None
        Hard rows that are kept for comparison, at most, drawn at random. None keeps
        all.
    passthrough : bool, default=False
        Whether `transform` prepends X to its columns.
    cv : int, float, splitter, iterable or None, default=None
        How labeled rows get probabilities from estimators that did not see them. None
        is 5 stratified folds, or fewer where a class has fewer rows; a float in (0, 1)
        holds that share out once. Rows that are never held out keep in-sample
        probabilities.
    missing_label : scalar, default=-1
        Label of unlabeled rows.
    memory : None, str or object with the joblib.Memory interface, default=None
        Cache of the weak estimator's fits, so that a grid of thresholds fits it once
        per fold. A str is the folder of the cache; None caches nothing.
    n_jobs : int, default=None
        Folds of the weak estimator fitted at the same time.
    random_state : int, RandomState instance or None, default=None
        Draws the references and a float `cv`, and seeds every `random_state` of the
        weak estimator and the representation that is None.

    Attributes
    ----------
    regions_ : ndarray of shape (n_samples,) of str
        "easy", "hard" or "overlap" for the rows of `fit`.
    confidence_ : ndarray of shape (n_samples,)
        Confidence on the rows of `fit`, out-of-fold where they are labeled.
    overlap_score_ : ndarray of shape (n_samples,)
        Overlap score of the rows of `fit`.
    confidence_threshold_ : float
        Minus infinity where there is no change point, so that no row is hard.
    overlap_threshold_ : float
        Infinity where there is no change point, so that no row is overlap.
    overlap_density_ : float
        Weighted share of overlap rows in `fit`, in [0, 1].
    references_ : {ndarray, csr matrix} of shape (n_references, n_components)
        Hard rows that others are compared with, in the space of the representation;
        scaled to length one where their cosines are.
    weak_predictor_ : object
        The weak estimator together with its columns and classes.
    weak_estimator_ : classifier or None
        The fitted weak estimator; None where only `weak_proba` was given.
    representation_ : transformer
        The fitted representation.
    comparison_ : object
        The fitted representation and overlap measure.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    WeakToStrongClassifier : Trains a strong estimator on the weak labels.
    UCBSourceSelector : Draws from the source with the highest overlap density.

    Notes
    -----
    With :math:`\varphi` the representation and H the hard rows, the measures are

    - "max_abs_cosine": :math:`\max_{h \in H} |\cos(\varphi(x), \varphi(h))|`, the
      published detection;
    - "max_abs_dot": :math:`\max_{h \in H} |\langle \varphi(x), \varphi(h) \rangle|`;
    - "max_dot": the same without absolute value, the published source selection;
    - "mean_abs_cosine": the mean of the absolute cosines, weighted by `sample_weight`;
    - "unexplained": the length of the residual of :math:`\varphi(x)` after linear
      regression on the weak view, which is the numeric form of `weak_features`, or the
      weak probabilities where the weak estimator sees every column.

    The default ranks overlap rows above easy ones where the others fail: a maximum is
    decided by the few easy rows that leak into the hard set, which "max_abs_cosine"
    does not survive, and "unexplained" loses its footing once so many rows carry both
    patterns that the weak view predicts the other columns.

    Deviations from the reference implementation: the change point is exact where that
    one looks at every fifth row; rows are hard *below* the threshold in every use;
    thresholds and references are kept, so that new rows are judged by those of `fit`;
    where there is no change point, a `NoChangePointWarning` is given and every row is
    easy, instead of a silent cut at the median; confidences of labeled rows are
    out-of-fold.

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
    >>> detector.get_feature_names_out()
    array(['confidence', 'overlap_score', 'region_easy', 'region_hard',
           'region_overlap'], dtype=object)
    """

    __metadata_request__fit = {"weak_proba": True}

    _parameter_constraints = {
        "weak_estimator": "no_validation",
        "weak_features": "no_validation",
        "confidence": [StrOptions(set(CONFIDENCES)), callable],
        "confidence_threshold": [StrOptions({"auto"}), Real, callable],
        "overlap_threshold": [StrOptions({"auto"}), Real, callable],
        "threshold_type": [StrOptions({"value", "quantile"})],
        "overlap_measure": [StrOptions(set(MEASURES)), callable],
        "representation": "no_validation",
        "max_references": [Interval(Integral, 1, None, closed="left"), None],
        "passthrough": ["boolean"],
        "cv": "no_validation",
        "missing_label": "no_validation",
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        weak_estimator=None,
        *,
        weak_features=None,
        confidence="margin",
        confidence_threshold="auto",
        overlap_threshold="auto",
        threshold_type="value",
        overlap_measure="mean_abs_cosine",
        representation=None,
        max_references=None,
        passthrough=False,
        cv=None,
        missing_label=-1,
        memory=None,
        n_jobs=None,
        random_state=None,
    ):
        self.weak_estimator = weak_estimator
        self.weak_features = weak_features
        self.confidence = confidence
        self.confidence_threshold = confidence_threshold
        self.overlap_threshold = overlap_threshold
        self.threshold_type = threshold_type
        self.overlap_measure = overlap_measure
        self.representation = representation
        self.max_references = max_references
        self.passthrough = passthrough
        self.cv = cv
        self.missing_label = missing_label
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, weak_proba=None, sample_weight=None, **params):
        """Find thresholds, hard references and regions.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,), default=None
            Labels, `missing_label` where there is none. May be None with `weak_proba`
            or a frozen weak estimator.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Probabilities of a weak estimator that is not at hand. Columns are in
            sorted order of the classes, or named by them in a data frame.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; a weight of two equals a row given twice.
        **params : dict
            Metadata for `weak_estimator.fit`, with metadata routing switched on.

        Returns
        -------
        OverlapDetector
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is nothing to learn confidences from, or an argument does not fit.

        Warns
        -----
        NoChangePointWarning
            If confidences or scores cannot be split.
        """
        forget_fit(self)
        raise_for_params(params, self, "fit")
        X = check_features(self, X, reset=True)
        weights = check_weights(sample_weight, X)
        weighted = sample_weight is not None
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng

        weak_weights = weights if weighted else None
        proba = self._fit_weak(X, y, weak_proba, weak_weights, params, seeds, rng)
        self._split_by_confidence(proba, weights)
        self._split_by_overlap(X, proba, weights, weighted, seeds, rng)
        return self

    def get_support(self, region=OVERLAP, indices=False):
        """Say which rows of `fit` lie in a region.

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
        """
        check_is_fitted(self)
        if region not in REGIONS:
            msg = f"region={region!r} is not one of {list(REGIONS)}."
            raise ValueError(msg)
        support = self.regions_ == region
        return np.flatnonzero(support) if indices else support

    def get_feature_names_out(self, input_features=None):
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

    @property
    def references_(self):
        """Hard rows that others are compared with."""
        return self.comparison_.fitted_measure.references

    @property
    def representation_(self):
        """The fitted representation."""
        return self.comparison_.transformer

    def _weak(self):
        if self.weak_estimator is None:
            return default_weak_estimator()
        return adapt(self.weak_estimator)

    def _fit_weak(self, X, y, weak_proba, sample_weight, params, seeds, rng):
        """Set the weak estimator and return its probabilities of all rows."""
        frozen = isinstance(self.weak_estimator, FrozenEstimator)
        if y is None and (weak_proba is not None or frozen):
            y = np.full(n_rows(X), self.missing_label)
        labels, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, labeled)
        if weak_proba is not None or frozen:
            sample_weight = None
        ((weights, weak_params),) = fit_arguments(
            self, ["weak_estimator"], sample_weight, params
        )
        self.weak_predictor_, proba = fit_weak(
            self._weak(),
            X,
            labels,
            labeled,
            columns=resolve_columns(self.weak_features, X),
            weak_proba=weak_proba,
            sample_weight=weights,
            params=weak_params,
            cross_fit=True,
            cv=self.cv,
            memory=self.memory,
            n_jobs=self.n_jobs,
            seeds=seeds,
            rng=rng,
        )
        self.weak_estimator_ = self.weak_predictor_.estimator
        self.classes_ = self.weak_predictor_.classes
        return proba

    def _split_by_confidence(self, proba, weights):
        self.confidence_ = self._confidence(proba)
        threshold = find_threshold(
            self.confidence_threshold,
            self.confidence_,
            weights,
            threshold_type=self.threshold_type,
            name="confidence_threshold",
        )
        self.confidence_threshold_ = -np.inf if threshold is None else threshold

    def _split_by_overlap(self, X, proba, weights, weighted, seeds, rng):
        hard = self.confidence_ < self.confidence_threshold_
        self.comparison_ = Comparison(
            self.representation, self.overlap_measure, self.max_references
        )
        self.overlap_score_ = self.comparison_.fit_score(
            X,
            proba,
            hard,
            weights,
            predictor=self.weak_predictor_,
            weighted=weighted,
            seeds=seeds,
            rng=rng,
        )

        threshold = None
        if self.references_.shape[0] and (weights[~hard] > 0).any():
            threshold = find_threshold(
                self.overlap_threshold,
                self.overlap_score_[~hard],
                weights[~hard],
                threshold_type=self.threshold_type,
                name="overlap_threshold",
            )
        self.overlap_threshold_ = np.inf if threshold is None else threshold
        self.regions_ = self._regions(self.confidence_, self.overlap_score_)
        self.overlap_density_ = region_shares(self.regions_, weights)[OVERLAP]

    def get_metadata_routing(self):
        """Say which metadata `fit` uses and what it passes to the weak estimator.

        Returns
        -------
        MetadataRouter
            Routing information.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                weak_estimator=self._weak(),
                method_mapping=route_intermediate_fit(mapping),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "overlap_density_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [self._weak()]
        if self.representation is not None:
            parts.append(self.representation)
        tags.input_tags.sparse = self.overlap_measure != "unexplained" and all(
            accepts(part, "sparse") for part in parts
        )
        tags.input_tags.allow_nan = all(accepts(part, "allow_nan") for part in parts)
        tags.target_tags.required = not isinstance(self.weak_estimator, FrozenEstimator)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

"""WeakToStrongClassifier: a strong estimator trained on the labels of a weak one."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._algorithms.weak_labels import one_hot, unit_mean
from sklearn_w2s._fitting import (
    adapt,
    fit_arguments,
    fit_on_targets,
    takes_distributions,
    takes_weights,
)
from sklearn_w2s._sklearn import (
    HasMethods,
    StrOptions,
    check_weights,
    fit_context,
    raise_for_params,
    routing_enabled,
    safe_indexing,
    seed_nested,
)
from sklearn_w2s._tabular import default_strong_estimator, default_weak_estimator
from sklearn_w2s._validation import (
    accepts,
    align_proba,
    check_features,
    check_labels,
)
from sklearn_w2s._weak import fit_weak, resolve_columns
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, Strategy, lost_classes


def _strong_has(method):
    def check(self):
        fitted = getattr(self, "strong_estimator_", None)
        getattr(adapt(self._strong()) if fitted is None else fitted, method)
        return True

    return check


class WeakToStrongClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Train a strong estimator on the labels of a weak one.

    The weak estimator learns from the labeled rows and labels all others. A strategy
    turns its probabilities into targets and weights, and the strong estimator learns
    from them together with the true labels. The strong estimator can end up better than
    its weak supervisor where enough rows carry both the pattern that the weak estimator
    knows and the one that only the strong estimator can learn [1]_.

    Parameters
    ----------
    weak_estimator : classifier instance, default=None
        Needs `predict_proba`. None is a logistic regression that copes with data
        frames; a fitted classifier, a rule or a legacy model, is wrapped in
        :class:`~sklearn.frozen.FrozenEstimator`, and then needs no label at all.
    strong_estimator : classifier instance, default=None
        Any classifier, a skorch net included. None is gradient boosting that copes with
        data frames.
    weak_features : list of str or int, slice, bool mask, callable or None, default=None
        Columns that the weak estimator sees; a callable gets X and returns them. None
        means all.
    overlap_detector : OverlapDetector, default=None
        Finds the regions that the strategies "confident", "overlap" and callables need.
        It uses the weak estimator, `weak_features` and `missing_label` of this
        classifier, and its own `cv` for the weak probabilities of labeled rows. None
        uses the detector's defaults where a strategy needs it.
    strategy : {"auto", "all", "confidence", "confident", "overlap"} or callable, \
            default="auto"
        How weak labels are used:

        - "all": every weak label alike;
        - "confidence": weighted by the weak estimator's margin;
        - "confident": hard rows are dropped;
        - "overlap": only overlap rows are kept, as in the paper;
        - "auto": "confidence" where the strong estimator takes weights, else "all";
        - a callable ``(weak_proba, regions, representation, labeled, rng)`` that
          returns target probabilities of shape (n_samples, n_classes) and weights of
          shape (n_samples,).
    pseudo_labels : {"auto", "hard", "soft"}, default="auto"
        Whether the strong estimator learns from the weak classes or from their
        probabilities. Soft labels repeat each row once per class, weighted by its
        probability, which is the exact cross-entropy; nets take the distributions
        themselves. "auto" is soft where the strong estimator can learn from them.
    include_labeled : bool, default=True
        Whether labeled rows join the training set of the strong estimator, with their
        true labels.
    missing_label : scalar, default=-1
        Label of unlabeled rows.
    memory : None, str or object with the joblib.Memory interface, default=None
        Cache of the weak estimator's fits, so that a grid over thresholds, strategies
        and strong estimators fits it once per fold. A str is the folder of the cache.
    n_jobs : int, default=None
        Folds of the weak estimator fitted at the same time.
    random_state : int, RandomState instance or None, default=None
        Seeds every `random_state` of the sub-estimators that is None, and the strategy.

    Attributes
    ----------
    weak_estimator_ : classifier or None
        The fitted weak estimator; None where only `weak_proba` was given.
    strong_estimator_ : classifier
        The fitted strong estimator, which predicts. A skorch net is found in its
        attribute `net_`.
    overlap_detector_ : OverlapDetector
        The fitted detector, where one was given or needed.
    overlap_density_ : float
        Its density, in [0, 1].
    weak_proba_ : ndarray of shape (n_samples, n_classes)
        Weak probabilities of the rows of `fit`. Those of labeled rows are out-of-fold
        where an overlap detector takes part, else in-sample and not used.
    label_distributions_ : ndarray of shape (n_samples, n_classes)
        Targets of the strong estimator.
    transduction_ : ndarray of shape (n_samples,)
        Labels of the rows of `fit`: the true ones, or the likeliest of the targets.
    train_weight_ : ndarray of shape (n_samples,)
        Weights of the rows in the strong estimator's training set; zero for those that
        are left out.
    strategy_ : str or callable
        The strategy used, after "auto" and after a fall back.
    pseudo_labels_ : {"hard", "soft"}
        The kind of pseudo-labels used.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    See Also
    --------
    OverlapDetector : Finds the rows that carry both patterns.
    sklearn.semi_supervised.SelfTrainingClassifier : One estimator that labels its own
        training set.

    Notes
    -----
    Weights of a strategy are scaled to mean 1 over the rows that are kept, so that the
    regularisation of the strong estimator means what it means elsewhere, and then
    multiplied by `sample_weight`. With soft labels, parameters that count rows, such as
    `min_samples_leaf`, count each row once per class.

    Wrap sub-estimators in calibration, voting or bagging, not this classifier: those
    take classes from y themselves, where -1 would be one.

    The paper trains on overlap rows alone (`strategy="overlap"`,
    `include_labeled=False`); on real tables this mostly loses against using all rows,
    so that it is not the default.

    References
    ----------
    .. [1] C. Shin, J. Cooper, F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025, https://arxiv.org/abs/2412.03881

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> y_train = y[:1200].copy()
    >>> y_train[300:] = -1
    >>> model = WeakToStrongClassifier(
    ...     DecisionTreeClassifier(min_samples_leaf=5),
    ...     RandomForestClassifier(),
    ...     random_state=0,
    ... ).fit(X[:1200], y_train)
    >>> model.strategy_
    'confidence'
    >>> weak_score = model.weak_estimator_.score(X[1200:], y[1200:])
    >>> bool(model.score(X[1200:], y[1200:]) > weak_score)
    True
    """

    __metadata_request__fit = {"weak_proba": True}

    _parameter_constraints = {
        "weak_estimator": "no_validation",
        "strong_estimator": "no_validation",
        "weak_features": "no_validation",
        "overlap_detector": [HasMethods(["fit", "get_support"]), None],
        "strategy": [StrOptions({"auto", *STRATEGIES}), callable],
        "pseudo_labels": [StrOptions({"auto", "hard", "soft"})],
        "include_labeled": ["boolean"],
        "missing_label": "no_validation",
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        weak_estimator=None,
        strong_estimator=None,
        *,
        weak_features=None,
        overlap_detector=None,
        strategy="auto",
        pseudo_labels="auto",
        include_labeled=True,
        missing_label=-1,
        memory=None,
        n_jobs=None,
        random_state=None,
    ):
        self.weak_estimator = weak_estimator
        self.strong_estimator = strong_estimator
        self.weak_features = weak_features
        self.overlap_detector = overlap_detector
        self.strategy = strategy
        self.pseudo_labels = pseudo_labels
        self.include_labeled = include_labeled
        self.missing_label = missing_label
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, weak_proba=None, sample_weight=None, **params):
        """Fit the weak estimator, label the unlabeled rows, fit the strong estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Labels, `missing_label` where there is none. There may be no label at all
            with `weak_proba` or a frozen weak estimator.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Probabilities of a weak estimator that is not at hand. Columns are in
            sorted order of the classes, or named by them in a data frame.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for both estimators; a weight of two equals a row given twice.
        **params : dict
            Metadata for the `fit` of the sub-estimators, with metadata routing
            switched on.

        Returns
        -------
        WeakToStrongClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If the labeled rows hold one class only, or no row is left to train on.
        TypeError
            If weights are given, or needed by the strategy, that an estimator cannot
            take.

        Warns
        -----
        UserWarning
            If a strategy loses a class, so that "all" is used, or if soft pseudo-labels
            are asked for and not possible.
        """
        raise_for_params(params, self, "fit")
        X = check_features(self, X, reset=True)
        weights = check_weights(sample_weight, X)
        labels, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, labeled)
        rng = check_random_state(self.random_state)
        weak_arguments, strong_arguments = fit_arguments(
            self, ["weak_estimator", "strong_estimator"], sample_weight, params
        )
        strong = adapt(clone(self._strong()))
        strategy = self._resolve(strong)

        self._fit_weak(X, labels, labeled, weak_proba, strategy, weak_arguments, rng)
        regions, representation = self._find_regions(
            X, y, weak_proba, sample_weight, strategy, rng
        )
        self._set_targets(
            strategy, labels, labeled, weights, regions, representation, rng
        )
        self._fit_strong(seed_nested(strong, rng), X, *strong_arguments)
        return self

    @available_if(_strong_has("predict"))
    def predict(self, X, **params):
        """Predict classes with the strong estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        **params : dict
            Metadata for the strong estimator, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n,)
            Class labels.
        """
        return self._ask_strong("predict", X, params)

    @available_if(_strong_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict class probabilities with the strong estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        **params : dict
            Metadata for the strong estimator, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities; zero for a class that the strong estimator never saw.
        """
        proba = self._ask_strong("predict_proba", X, params)
        if len(self.strong_estimator_.classes_) == len(self.classes_):
            return proba
        return align_proba(proba, self.strong_estimator_.classes_, self.classes_)

    @available_if(_strong_has("predict_proba"))
    def predict_log_proba(self, X, **params):
        """Predict the logarithms of class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        **params : dict
            Metadata for the strong estimator, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Minus infinity for a probability of zero.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X, **params))

    @available_if(_strong_has("decision_function"))
    def decision_function(self, X, **params):
        """Return the strong estimator's decision function.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        **params : dict
            Metadata for the strong estimator, with metadata routing switched on.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
            As the strong estimator gives it, for its own `classes_`.
        """
        return self._ask_strong("decision_function", X, params)

    def score(self, X, y, sample_weight=None):
        """Return the accuracy on the labeled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        y : array-like of shape (n,)
            Labels; rows marked `missing_label` are left out.
        sample_weight : array-like of shape (n,), default=None
            Weights.

        Returns
        -------
        float
            Accuracy; NaN if no row is labeled.
        """
        check_is_fitted(self)
        labels, labeled = check_labels(
            y, None if self.missing_label in self.classes_ else self.missing_label
        )
        positions = np.flatnonzero(labeled)
        if not len(positions):
            return float("nan")
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)[positions]
        return super().score(safe_indexing(X, positions), labels, sample_weight)

    def _weak(self):
        if self.weak_estimator is None:
            return default_weak_estimator()
        return self.weak_estimator

    def _strong(self):
        if self.strong_estimator is None:
            return default_strong_estimator()
        return self.strong_estimator

    def _detector(self):
        if self.overlap_detector is None:
            return OverlapDetector()
        return self.overlap_detector

    def _detects(self, strategy):
        return strategy.needs_regions or self.overlap_detector is not None

    def _resolve(self, strong):
        """Set what "auto" means for this strong estimator, and return the strategy."""
        weighable = takes_weights(strong)
        soft = weighable or takes_distributions(strong)
        if self.pseudo_labels == "soft" and not soft:
            warnings.warn(
                f'pseudo_labels="soft" is not possible: {type(strong).__name__} takes '
                "neither sample_weight nor distributions, so that hard labels are used.",
                UserWarning,
                stacklevel=3,
            )
        self.pseudo_labels_ = (
            "soft" if soft and self.pseudo_labels != "hard" else "hard"
        )
        if callable(self.strategy):
            self.strategy_ = self.strategy
            return Strategy(self.strategy, needs_regions=True, needs_weights=False)
        self.strategy_ = self.strategy
        if self.strategy == "auto":
            self.strategy_ = "confidence" if weighable else "all"
        strategy = STRATEGIES[self.strategy_]
        if strategy.needs_weights and not weighable:
            msg = (
                f'strategy="{self.strategy_}" needs a strong estimator that takes '
                f'sample_weight; {type(strong).__name__} does not. Use "all".'
            )
            raise TypeError(msg)
        return strategy

    def _fit_weak(self, X, labels, labeled, weak_proba, strategy, arguments, rng):
        weights, params = arguments
        predictor, self.weak_proba_ = fit_weak(
            self._weak(),
            X,
            labels,
            labeled,
            columns=resolve_columns(self.weak_features, X),
            weak_proba=weak_proba,
            sample_weight=weights,
            params=params,
            cross_fit=self._detects(strategy),
            cv=self._detector().cv,
            memory=self.memory,
            n_jobs=self.n_jobs,
            rng=rng,
        )
        self.weak_estimator_ = predictor.estimator
        self.classes_ = predictor.classes

    def _find_regions(self, X, y, weak_proba, sample_weight, strategy, rng):
        """Fit the detector where one takes part; return regions and representation."""
        if not self._detects(strategy):
            return None, None
        detector = clone(self._detector())
        if detector.weak_estimator is not None:
            msg = (
                f"overlap_detector has weak_estimator={detector.weak_estimator!r}, but "
                "regions are found from the weak labels of this classifier: leave it "
                "None, and set weak_estimator here."
            )
            raise ValueError(msg)
        weak = self.weak_estimator_
        if weak is not None and not isinstance(weak, FrozenEstimator):
            weak = FrozenEstimator(weak)
        detector.set_params(
            weak_estimator=weak,
            weak_features=self.weak_features,
            missing_label=self.missing_label,
        )
        self.overlap_detector_ = seed_nested(detector, rng).fit(
            X,
            y,
            # Without an estimator only the user's own columns name the classes.
            weak_proba=weak_proba if weak is None else self.weak_proba_,
            sample_weight=sample_weight,
        )
        self.overlap_density_ = self.overlap_detector_.overlap_density_
        is_custom = callable(self.strategy)
        representation = self.overlap_detector_.represent(X) if is_custom else None
        return self.overlap_detector_.regions_, representation

    def _set_targets(
        self, strategy, labels, labeled, weights, regions, representation, rng
    ):
        """Set targets and weights of all rows, true labels where there are any."""
        target, weight = self._apply(strategy, regions, representation, labeled, rng)
        lost = lost_classes(self.weak_proba_, weight, ~labeled & (weights > 0))
        if len(lost):
            warnings.warn(
                f"strategy={self.strategy_!r} drops every row whose weak label is in "
                f'{self.classes_[lost].tolist()}, so that "all" is used instead.',
                UserWarning,
                stacklevel=3,
            )
            self.strategy_ = "all"
            target, weight = self._apply(
                STRATEGIES["all"], regions, representation, labeled, rng
            )
        n_classes = len(self.classes_)
        if self.pseudo_labels_ == "hard":
            target = one_hot(target.argmax(axis=1), n_classes)
        # A class that only rows of weight zero have is no class of the fit.
        codes = np.searchsorted(self.classes_, labels).clip(max=n_classes - 1)
        target[labeled] = one_hot(codes, n_classes)
        weight[labeled] = float(self.include_labeled)
        if not (weight * weights).any():
            msg = (
                f"No row is left to train the strong estimator on: {labeled.sum()} of "
                f"{len(labeled)} rows are labeled and include_labeled="
                f"{self.include_labeled}. Pass unlabeled rows, or include the labeled."
            )
            raise ValueError(msg)
        self.label_distributions_ = target
        transduction = self.classes_[target.argmax(axis=1)]
        self.transduction_ = transduction.astype(
            np.result_type(transduction, labels) if len(labels) else transduction.dtype
        )
        self.transduction_[labeled] = labels
        self.train_weight_ = unit_mean(weight * (weights > 0), weights)

    def _apply(self, strategy, regions, representation, labeled, rng):
        proba = self.weak_proba_.copy()
        target, weight = strategy.function(
            proba, regions, representation, labeled.copy(), rng
        )
        target = np.array(target, dtype=np.float64)
        weight = np.array(weight, dtype=np.float64)
        if target.shape != proba.shape or weight.shape != (len(proba),):
            msg = (
                f"strategy={self.strategy!r} returned targets of shape {target.shape} "
                f"and weights of shape {weight.shape}; expected {proba.shape} and "
                f"({len(proba)},)."
            )
            raise ValueError(msg)
        if not (np.isfinite(target).all() and np.isfinite(weight).all()) or (
            weight.min() < 0
        ):
            msg = (
                f"strategy={self.strategy!r} returned targets or weights that are not "
                "finite, or negative weights."
            )
            raise ValueError(msg)
        return target, weight

    def _fit_strong(self, strong, X, sample_weight, params):
        weighted = sample_weight is not None
        if weighted:
            self.train_weight_ = self.train_weight_ * sample_weight
        self.strong_estimator_ = fit_on_targets(
            strong,
            X,
            self.label_distributions_,
            self.classes_,
            self.train_weight_,
            weighted=weighted,
            params=params,
        )

    def _ask_strong(self, method, X, params):
        check_is_fitted(self)
        raise_for_params(params, self, method)
        X = check_features(self, X, reset=False)
        if routing_enabled():
            routed = process_routing(self, method, **params)
            params = routed["strong_estimator"][method]
        return getattr(self.strong_estimator_, method)(X, **params)

    def get_metadata_routing(self):
        """Say which metadata this classifier uses and what it passes on.

        Returns
        -------
        MetadataRouter
            Routing information.
        """
        strong_mapping = MethodMapping().add(caller="fit", callee="fit")
        for method in (
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
        ):
            # Logarithms are taken of the strong estimator's probabilities.
            callee = "predict_proba" if method == "predict_log_proba" else method
            strong_mapping.add(caller=method, callee=callee)
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                weak_estimator=self._weak(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(strong_estimator=adapt(self._strong()), method_mapping=strong_mapping)
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "strong_estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        weak, strong = self._weak(), adapt(self._strong())
        for kind in ("sparse", "allow_nan"):
            both = accepts(weak, kind) and accepts(strong, kind)
            setattr(tags.input_tags, kind, both)
        weak_tags, strong_tags = get_tags(weak), get_tags(strong)
        tags.input_tags.positive_only = (
            weak_tags.input_tags.positive_only or strong_tags.input_tags.positive_only
        )
        for kind in ("multi_class", "poor_score"):
            value = getattr(strong_tags.classifier_tags, kind)
            setattr(tags.classifier_tags, kind, value)
        return tags

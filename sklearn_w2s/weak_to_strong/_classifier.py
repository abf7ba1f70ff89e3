"""WeakToStrongClassifier: a strong estimator trained on the labels of a weak one."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_w2s._delegation import (
    PredictionDelegate,
    prediction_mapping,
    take_labeled,
)
from sklearn_w2s._fitting import adapt, fit_arguments, forget_fit
from sklearn_w2s._persistence import VersionStampMixin
from sklearn_w2s._representation import DiagramMixin, name_of
from sklearn_w2s._sklearn import (
    HasMethods,
    StrOptions,
    check_weights,
    fit_context,
    namespace_of,
    raise_for_params,
)
from sklearn_w2s._tabular import default_strong_estimator, default_weak_estimator
from sklearn_w2s._validation import (
    accepts,
    align_proba,
    check_features,
    check_labels,
)
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.weak_to_strong._choice import choose
from sklearn_w2s.weak_to_strong._setting import Setting
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES
from sklearn_w2s.weak_to_strong._training import TrainingMixin


class WeakToStrongClassifier(
    DiagramMixin,
    VersionStampMixin,
    PredictionDelegate,
    TrainingMixin,
    ClassifierMixin,
    MetaEstimatorMixin,
    BaseEstimator,
):
    r"""Train a strong estimator on the labels of a weak one.

    The weak estimator learns from the labeled rows and labels all others. A strategy
    turns its probabilities into targets and weights, and the strong estimator learns
    from them together with the true labels. The strong estimator can end up better
    than the weak one where enough rows carry both the pattern that the weak estimator
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
    strategy : str or callable, default="auto"
        How weak labels are used. The strong estimator learns from

        - "all": every weak label alike;
        - "confidence": every weak label, weighted by the margin of its probabilities;
        - "confident": those of rows that are not hard;
        - "overlap": those of overlap rows alone, as in the paper;
        - "cut_statistic": those that neighbouring rows dispute least, three quarters;
        - "smooth": their mean over neighbouring rows, with the class shares kept;

        or from a teacher that knows more than the weak estimator, with which it then
        predicts together:

        - "mix": the weak estimator and the strong one trained on the labels, weighted
          by how well they predict held-out labels;
        - "trust": both, weighted row by row;
        - "blend": both and six helpers trained on the labels;
        - "co_train": a blend that sees what the weak estimator sees, corrected by a
          forest that sees the other columns;
        - "committee": a blend, corrected by columns that labeled rows lack if there are
          any; helper students, which smooth what it says, predict as well;
        - "auto": "committee", or the weak estimator or the strong one trained on the
          labels alone where it predicts clearly more held-out labels. With fewer than
          200 unlabeled rows, arrays of other libraries or a strong estimator without
          probabilities it is "confidence", or "all" where that takes no weights;
        - a callable ``(weak_proba, regions, representation, labeled, rng)`` that
          returns target probabilities of shape (n_samples, n_classes) and weights of
          shape (n_samples,).
    pseudo_labels : {"auto", "hard", "soft"}, default="auto"
        Whether the strong estimator learns from the weak classes or from their
        probabilities. Soft labels repeat each row once per class, weighted by its
        probability, which is the exact cross-entropy; nets take the distributions
        themselves. "auto" is soft where the strong estimator can learn from them, but
        hard for a committee.
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
        The fitted strong estimator. A skorch net is found in its attribute `net_`.
    committee_ : object
        Who predicts, in strategies with a teacher; in the others the strong estimator
        does.
    evidence_ : dict
        In strategies with a teacher: the `weights` of its members, and the `accuracy`
        and mean `log_likelihood`, in nats, of each of them, and of all together, on
        held-out labels. Empty without labels.
    overlap_detector_ : OverlapDetector
        The fitted detector, where one was given or needed.
    overlap_density_ : float
        Its density, in [0, 1].
    weak_proba_ : ndarray of shape (n_samples, n_classes)
        Weak probabilities of the rows of `fit`. Those of labeled rows are out-of-fold
        where an overlap detector or a teacher takes part, else in-sample and not used.
    label_distributions_ : ndarray of shape (n_samples, n_classes)
        Targets of the strong estimator.
    transduction_ : ndarray of shape (n_samples,)
        Labels of the rows of `fit`: the true ones, or the likeliest of the targets.
    train_weight_ : ndarray of shape (n_samples,)
        Weights of the rows in the strong estimator's training set; zero for those that
        are left out.
    strategy_ : str or callable
        The strategy used, after "auto" and after a fall back; "weak" or
        "strong_on_labels" where one of them predicts alone.
    pseudo_labels_ : {"hard", "soft"}
        The kind of pseudo-labels used.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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

    With scikit-learn 1.9 or later, callbacks given to ``set_callbacks``, such as
    :class:`~sklearn.callback.ProgressBar`, are told of the tasks "weak", "regions",
    "lesson" and "strong", of those that take place, and of what a strong estimator that
    supports callbacks tells itself. They cannot stop `fit`, and see the labeled rows
    only, at its end.

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
    'committee'
    >>> weak_score = model.weak_estimator_.score(X[1200:], y[1200:])
    >>> bool(model.score(X[1200:], y[1200:]) > weak_score)
    True
    """

    _predicting_part = "strong_estimator"
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
            with `weak_proba` or a weak estimator that needs no fit.
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
            If the labeled rows hold one class only, no row is left to train on,
            `overlap_detector` has a weak view of its own, weak probabilities of so many
            classes do not fit into memory, or an argument does not fit.
        TypeError
            If weights are given, or needed by the strategy, that an estimator cannot
            take, if the weak one has no `predict_proba`, or if the strong one is no
            classifier.

        Warns
        -----
        UserWarning
            If a strategy loses a class, so that "all" is used, if soft pseudo-labels
            are asked for and not possible, or if the strong estimator has less to say,
            because it cannot be trained on the labels alone or missed its lesson.
        """
        forget_fit(self)
        raise_for_params(params, self, "fit")
        X = check_features(self, X, reset=True)
        weights = check_weights(sample_weight, X)
        if sample_weight is not None:
            sample_weight = weights
        labels, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, labeled)
        rng = check_random_state(self.random_state)
        seeds = None if self.random_state is None else rng
        weak_arguments, strong_arguments = fit_arguments(
            self, ["weak_estimator", "strong_estimator"], sample_weight, params
        )
        setting = Setting(
            X=X,
            y=y,
            labels=labels,
            labeled=labeled,
            weights=weights,
            weighted=sample_weight is not None,
            given_proba=weak_proba,
            strong=clone(self._strong()),
            strong_weights=strong_arguments[0],
            strong_params=strong_arguments[1],
            include_labeled=self.include_labeled,
            cv=self._detector().cv,
            n_jobs=self.n_jobs,
            seeds=seeds,
            rng=rng,
        )
        self.strategy_, strategy, self.pseudo_labels_ = choose(
            self.strategy,
            self.pseudo_labels,
            setting.strong,
            n_unlabeled=setting.unlabeled.sum(),
            is_table=namespace_of(X)[0] is None,
        )
        self._train(setting, strategy, weak_arguments)
        return self

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
        rows, labels, positions = take_labeled(self, X, y)
        if not len(positions):
            return float("nan")
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)[positions]
        return super().score(rows, labels, sample_weight)

    def _unfitted_part(self):
        return self._strong()

    def _ask(self, method, X, params):
        output = super()._ask(method, X, params)
        if method == "predict":
            return column_or_1d(output)  # CatBoost gives a column
        if hasattr(self, "committee_"):
            return output
        known = self.strong_estimator_.classes_
        if not method.endswith("proba") or len(known) == len(self.classes_):
            return output
        # A class that the strong estimator never saw has probability zero.
        absent = -np.inf if method == "predict_log_proba" else 0.0
        return align_proba(output, known, self.classes_, absent=absent)

    def _weak(self):
        if self.weak_estimator is None:
            return default_weak_estimator()
        return adapt(self.weak_estimator)

    def _strong(self):
        if self.strong_estimator is None:
            return default_strong_estimator()
        return adapt(self.strong_estimator)

    def _detector(self):
        if self.overlap_detector is None:
            return OverlapDetector()
        return self.overlap_detector

    def _findings(self):
        found = f"strategy: {name_of(self.strategy_)}"
        if not hasattr(self, "overlap_density_"):
            return found
        return f"{found}, overlap density: {self.overlap_density_:.2f}"

    def _fitted_part(self):
        return getattr(self, "committee_", self.strong_estimator_)

    def get_metadata_routing(self):
        """Say which metadata this classifier uses and what it passes on.

        Returns
        -------
        MetadataRouter
            Routing information.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                weak_estimator=self._weak(),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                strong_estimator=self._strong(),
                method_mapping=prediction_mapping("fit"),
            )
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "strong_estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        weak, strong = self._weak(), self._strong()
        for kind in ("sparse", "allow_nan"):
            both = accepts(weak, kind) and accepts(strong, kind)
            setattr(tags.input_tags, kind, both)
        weak_tags, strong_tags = get_tags(weak), get_tags(strong)
        tags.input_tags.positive_only = (
            weak_tags.input_tags.positive_only or strong_tags.input_tags.positive_only
        )
        # Fit refuses what is no classifier; that has no such tags.
        if strong_tags.classifier_tags is not None:
            for kind in ("multi_class", "poor_score"):
                value = getattr(strong_tags.classifier_tags, kind)
                setattr(tags.classifier_tags, kind, value)
        return tags

"""WeakToStrongClassifier: a strong estimator trained on the labels of a weak one."""

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.validation import check_consistent_length

from sklearn_w2s._algorithms.weak_labels import as_counts, one_hot
from sklearn_w2s._delegation import (
    LabeledClassifierMixin,
    PredictionDelegate,
)
from sklearn_w2s._estimators import fit_context
from sklearn_w2s._fitting import learns_softly, takes_weights_in_batches
from sklearn_w2s._sklearn import (
    StrOptions,
    available_if,
    check_weights,
    namespace_of,
    safe_indexing,
    to_numpy,
)
from sklearn_w2s._tabular import default_strong_estimator, default_weak_estimator
from sklearn_w2s._validation import (
    align_proba,
    check_labels,
    classes_of,
    n_rows,
    warn_if_all_labeled,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s._weak import is_given
from sklearn_w2s.weak_to_strong._base import CONSTRAINTS, WeakToStrong
from sklearn_w2s.weak_to_strong._batches import (
    may_learn_batches,
    require_weights_in_batches,
)
from sklearn_w2s.weak_to_strong._rows import Rows, table_of_rows
from sklearn_w2s.weak_to_strong._strategies import (
    STRATEGIES,
    StrategyNames,
    choose,
    keep_true_labels,
    loss_message,
    weak_targets,
)
from sklearn_w2s.weak_to_strong._student import (
    FAR_BEHIND,
    PLAIN,
    Calibration,
    Lesson,
    codes_of,
    surely_behind,
    train_student,
)


class WeakToStrongClassifier(
    PredictionDelegate,
    LabeledClassifierMixin,
    ClassifierMixin,
    WeakToStrong,
):
    r"""Train a strong estimator on the labels of a weak one.

    The weak estimator learns from the labeled rows and labels all others. A strategy
    turns these labels into targets and weights, and the strong estimator learns from
    them together with the true labels. It can become better than the weak one if enough
    rows carry both the pattern that the weak estimator knows and the one that only the
    strong estimator can learn [1]_. A single model predicts: the fitted classifier is
    as fast and about as large as `estimator_`.

    Parameters
    ----------
    weak_estimator : classifier instance, default=None
        The classifier that provides the weak labels; it needs `predict_proba`. None is
        a logistic regression that accepts data frames. Wrap a fitted classifier, such
        as a legacy model, in :class:`~sklearn.frozen.FrozenEstimator`; it then needs no
        labels at all.
    strong_estimator : classifier instance, default=None
        The classifier to train; any classifier, including a skorch net. None is
        gradient boosting that accepts data frames.
    weak_features : list of str or int, slice, bool mask, callable or None, default=None
        Columns that the weak estimator sees; a callable receives X and returns them.
        None means all.
    overlap_detector : OverlapDetector, default=None
        Finds the regions that "confident", "overlap" and callables need; if it is
        given, "mix", "blend" and "co_train" weight their members by region, as far as
        held-out labels support it. It uses the weak estimator, `weak_features` and
        `missing_label` of this classifier; its `cv` determines the folds in which
        labeled rows are held out. None uses a detector with default parameters where a
        strategy needs one.
    strategy : str or callable, default="auto"
        How weak labels are used. The strong estimator learns from

        - "all": every weak label alike;
        - "confidence": every weak label, weighted by the margin of its probabilities;
        - "confident": those of rows that are not hard;
        - "overlap": those of overlap rows alone, as in the paper;
        - "cut_statistic": the three quarters that disagree least with neighbouring
          rows;

        or from a teacher that knows more about the unlabeled rows than the weak
        estimator,

        - "smooth": the weak labels, smoothed until similar rows agree; the only teacher
          that needs no labels;
        - "mix": the weak estimator and the strong one trained on the labels, weighted
          by the likelihood of held-out labels;
        - "blend": the same with randomised trees, kernel machines and label spreading
          over a graph of all rows in addition;
        - "co_train": a blend that sees the columns that labeled rows have, or those of
          the weak estimator, corrected by trees that see the other columns;
        - "auto": "blend"; or "co_train" if labeled rows lack columns; or "smooth" if
          there are no labels of at least two classes. If held-out labels, or the
          teacher on rows that the student has not seen, show that the weak estimator or
          the strong one trained on the labels does better, that one predicts instead.
          With fewer than 200 unlabeled rows, and for arrays of other libraries, it is
          "confidence", or "all" if the strong estimator does not accept weights;
        - a callable ``(weak_proba, regions, representation, labeled, rng)`` that
          returns target probabilities of shape (n_samples, n_classes) and weights of
          shape (n_samples,).
    neighbors : transformer instance, default=None
        Finds the nearest neighbours that "cut_statistic", "smooth", "blend" and
        "co_train" need, and "auto" with them: a
        :class:`~sklearn.neighbors.KNeighborsTransformer`, or one of an approximate
        search, for as many neighbours as it is set to. "blend" and "co_train" then
        spread labels over the graph of all rows. None is an exact search for 10 (15 in
        "cut_statistic", 30 in "smooth"), and of more than 20,000 rows the graph is that
        of a sample, from which the others get the mean of their neighbours.
    scoring : str, callable or None, default=None
        Metric on held-out labels by which "mix", "blend" and "co_train" choose the
        weights of members, and how much rare classes are boosted, such as "roc_auc",
        "balanced_accuracy" or a cost of errors. None is the likelihood. The method
        `score` is always accuracy.
    fallback : {"warn", "raise"}, default="warn"
        What to do if a strategy loses a class, so that "all" has to be used, or lacks
        the labels that it needs, so that "smooth" has to be: issue a warning, or raise
        a ValueError, which a search scores as `error_score`.
    pseudo_labels : {"auto", "hard", "soft"}, default="auto"
        Whether the strong estimator learns from the weak classes or from their
        probabilities. Nets, XGBoost, LightGBM and, with two classes, CatBoost learn
        probabilities directly; for other estimators each row is repeated once per
        class, weighted by its probability, which is the exact cross-entropy. "auto" is
        soft where that loses nothing: all parts of the strong estimator accept weights,
        none counts rows (as `class_weight="balanced"` does) or holds some out itself,
        and the weak estimator predicts its most probable class. With a teacher, "auto"
        is hard, unless the strong estimator stops early on true labels (see Notes).
    include_labeled : bool, default=True
        Whether labeled rows join the training set of the strong estimator, with their
        true labels.
    missing_label : scalar, default=-1
        Label of unlabeled rows. None, NaN, NaT and pandas.NA always mark unlabeled
        rows, too.
    store_rows : bool, default=False
        Whether to keep `rows_`, a table of what was known about each row.
    memory : None, str or object with the joblib.Memory interface, default=None
        Cache of the weak estimator's fits and of the predictions of a teacher's
        members, so that a grid over thresholds computes them once per fold. A str is
        the folder of the cache; None means no cache.
    n_jobs : int, default=None
        Number of folds, trees and neighbour searches run in parallel.
    verbose : int, default=0
        Above 0, a line on stdout after each step of `fit`: what was fitted, the seconds
        it took, and an estimate of those left.
    random_state : int, RandomState instance or None, default=None
        Seeds the strategy, and every `random_state` of the sub-estimators that is None.

    Attributes
    ----------
    estimator_ : classifier
        The estimator that predicts: `strong_estimator_`, or `weak_estimator_` if
        `strategy_` is "weak".
    weak_estimator_ : classifier or None
        The fitted weak estimator; None if only `weak_proba` was given.
    strong_estimator_ : classifier
        The fitted strong estimator. A skorch net is its attribute `net_`; an XGBoost
        model, which knows only class codes 0, 1, ..., is its attribute `estimator_`.
    calibration_ : tuple of (float, float)
        `power` and `even_share`: a share `even_share` of uniform probabilities is mixed
        into those of the strong estimator, which are then raised to `power` and
        renormalised. Without a teacher it is (1, 0), which changes nothing.
    evidence_ : dict
        Only for strategies with a teacher: the `weights` of its members, and the
        `accuracy` and mean `log_likelihood` (in nats) on held-out labels, of each
        member and of all together; with an overlap detector also `region_weights`, and
        `region_gain`, their gain in log-likelihood. Empty for "smooth".
    overlap_detector_ : OverlapDetector
        The fitted detector, if one was given or needed, without its per-row attributes.
    overlap_density_ : float
        Overlap density found by the detector, in [0, 1].
    rows_ : dict of str to ndarray of shape (n_samples,)
        With `store_rows`, columns of a table, for ``pandas.DataFrame(rows_)``: whether
        a row is `labeled`; the training `label` and its `weight`, zero if it was not
        used; the `weak_label` (out-of-fold for labeled rows, if a detector or a teacher
        takes part); with a detector, `region`, `confidence` and `overlap_score`; and,
        with the name of a class or of a member of the teacher in place of the star,
        `weak_proba_*`, `target_*` and `*_label`.
    strategy_ : str or callable
        The strategy used, with "auto" and fallbacks resolved; "weak" or
        "strong_on_labels" if one of these predicts alone.
    pseudo_labels_ : {"hard", "soft"}
        The kind of pseudo-labels used.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in `fit`. Defined only if all are strings.

    See Also
    --------
    OverlapDetector : Finds the rows that carry both patterns.
    sklearn.semi_supervised.SelfTrainingClassifier : One estimator that labels its own
        training set.

    Notes
    -----
    A teacher is used in `fit` only, and not kept. Its labels are learned as hard
    labels, each weighted by the margin of its probabilities; from more than 10,000
    rows, a sample is drawn with the margin as probability instead. A tenth of the
    unlabeled rows, at most 2,000, is held back to compare the student with the teacher.
    If the student falls behind, it is trained on targets of another kind, and
    `calibration_` is chosen so that its probabilities match the teacher's best.

    A strong estimator that stops early on validation rows passed to its `fit` gets true
    labels for that: the labeled rows that the first fold of `overlap_detector.cv` holds
    out, with their weights, if they are at least 100; it does not learn from them. With
    up to 10 classes, "auto" then learns soft labels first, as the log loss on true
    labels would stop hard ones too early. This applies to histogram gradient boosting
    from scikit-learn 1.7 on, XGBoost, LightGBM and CatBoost if their parameters ask for
    early stopping, also as the last step of a pipeline; not to the default estimator.
    Validation rows passed to `fit` by metadata routing are used instead.

    Weights of a strategy are scaled to mean 1 over the rows that are kept, so that the
    regularisation of the strong estimator has its usual strength, and then multiplied
    by `sample_weight`. If soft labels repeat rows, parameters that count rows, such as
    `min_samples_leaf`, count each row once per class.

    Meta-estimators and scorers of scikit-learn determine the classes from y themselves,
    and would count -1 as one. For calibration, voting or bagging, wrap the
    sub-estimators, not this classifier; to tune its threshold or to calibrate it, fit
    it first and wrap it in :class:`~sklearn.frozen.FrozenEstimator`, see
    :ref:`how_to_thresholds`. Searches and cross-validation need
    :class:`~sklearn_w2s.model_selection.LabeledSplit`, or
    :class:`~sklearn_w2s.model_selection.LabeledScorer`: with a plain
    ``scoring="accuracy"``, each unlabeled row counts as an error.

    With scikit-learn 1.9 or later, callbacks set by ``set_callbacks``, such as
    :class:`~sklearn.callback.ProgressBar`, which needs the package rich, are notified
    of the tasks "weak", "regions", "lesson" and "strong" that take place, and of the
    tasks of a strong estimator that supports callbacks. They cannot stop `fit`; at its
    end they see the labeled rows only.

    The paper trains on overlap rows alone (`strategy="overlap"`,
    `include_labeled=False`); on real tables this is mostly worse than using all rows,
    so it is not the default.

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
    'blend'
    >>> weak_score = model.weak_estimator_.score(X[1200:], y[1200:])
    >>> bool(model.score(X[1200:], y[1200:]) > weak_score)
    True
    """

    __metadata_request__fit = {"weak_proba": True}
    _predicting_part = "strong_estimator"
    _strategies = STRATEGIES
    _default_weak = staticmethod(default_weak_estimator)
    _default_strong = staticmethod(default_strong_estimator)

    _parameter_constraints = {
        **CONSTRAINTS,
        "strategy": [StrOptions(StrategyNames(STRATEGIES)), callable],
        "pseudo_labels": [StrOptions({"auto", "hard", "soft"})],
        "missing_label": "no_validation",
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
        fallback: Literal["warn", "raise"] = "warn",
        pseudo_labels: Literal["auto", "hard", "soft"] = "auto",
        include_labeled: bool = True,
        missing_label: Any = -1,
        store_rows: bool = False,
        memory: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.weak_estimator = weak_estimator
        self.strong_estimator = strong_estimator
        self.weak_features = weak_features
        self.overlap_detector = overlap_detector
        self.strategy = strategy
        self.neighbors = neighbors
        self.scoring = scoring
        self.fallback = fallback
        self.pseudo_labels = pseudo_labels
        self.include_labeled = include_labeled
        self.missing_label = missing_label
        self.store_rows = store_rows
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False, one_table=True)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        weak_proba: Any = None,
        sample_weight: Any = None,
        **params: Any,
    ) -> Self:
        """Fit the weak estimator, label the unlabeled rows, fit the strong estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Labels, with `missing_label` for unlabeled rows. There may be no labels at
            all with `weak_proba` or a weak estimator that needs no fit.
        weak_proba : {array-like, data frame} of shape (n_samples, n_classes), \
                default=None
            Class probabilities from a weak estimator that is not available. Columns are
            in the sorted order of the classes, or named after them in a data frame.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for both estimators. A weight of two is equivalent to giving a row
            twice, as far as the estimators respect that; see the user guide. Weights
            that average less than one only compare rows: their unit does not matter.
        **params : dict
            Metadata for the `fit` of the sub-estimators and for the splitter `cv` of
            `overlap_detector`, such as ``groups``, with metadata routing switched on.

        Returns
        -------
        WeakToStrongClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If the labeled rows have a single class, no row is left to train on, a
            strategy would fall back although `fallback="raise"`, `overlap_detector` has
            its own weak estimator or features, the weak probabilities of all classes do
            not fit into memory, or an argument is invalid.
        TypeError
            If weights are given, or needed by the strategy, but an estimator does not
            accept them; if the weak estimator has no `predict_proba`; or if the strong
            one is not a classifier.

        Warns
        -----
        UserWarning
            If y has no unlabeled row, or a class that looks like `missing_label`, such
            as the string "-1"; if a strategy falls back to another one; if soft
            pseudo-labels are requested but not possible; if thresholds of a detector
            have no effect; or if the strong estimator cannot be trained on the labels
            alone, or has not learned what it was taught.
        """
        return self._fit(X, y, weak_proba, sample_weight, params)

    @available_if(may_learn_batches)
    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Learn from one more batch of rows.

        The weak estimator learns from the labeled rows of the batch, and then labels
        the others, from which the strong one learns together with the labeled ones.
        Available if both estimators have `partial_fit`, or if the strong one does and
        the weak one is already fitted.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Rows of the batch, labeled and unlabeled.
        y : array-like of shape (n_samples,)
            Labels, with `missing_label` for unlabeled rows. The first batch needs
            labels unless the weak estimator is already fitted; later batches may have
            none.
        classes : array-like of shape (n_classes,), default=None
            All class labels. Needed in the first call, unless the weak estimator is
            already fitted or `fit` was called before.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for both estimators.

        Returns
        -------
        WeakToStrongClassifier
            The estimator.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call, or differs later on, y has a
            label that is not among them, the weak estimator has not seen any labels
            yet, the strategy compares rows with others, `store_rows` or a detector is
            set, or an argument is invalid.
        TypeError
            If weights are given, or needed by the strategy, but the `partial_fit` of an
            estimator does not accept them.

        Notes
        -----
        `strategy` must be one that treats each row on its own and needs no regions:
        "all" or "confidence"; "auto" is "confidence", or "all" if the strong estimator
        does not accept weights. Weights of a strategy have mean 1 in each batch. A
        fully labeled batch is passed to `strong_estimator.partial_fit` as it is.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import SGDClassifier
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sklearn_w2s import WeakToStrongClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> y[300:] = -1
        >>> model = WeakToStrongClassifier(GaussianNB(), SGDClassifier(random_state=0))
        >>> for start in range(0, len(X), 300):
        ...     batch = slice(start, start + 300)
        ...     model = model.partial_fit(X[batch], y[batch], classes=range(10))
        >>> model.strategy_
        'confidence'
        """
        return self._learn_batch(X, y, sample_weight, classes)

    def _read_batch(self, X, y, classes):
        """Return the labels of a batch and which rows have one; set the classes."""
        is_first, weak = not hasattr(self, "strong_estimator_"), self._weak()
        given = weak.classes_ if is_given(weak) else []
        if is_first:
            if classes is None and not len(given):
                msg = (
                    "classes is None: the first call of partial_fit needs all classes."
                )
                raise ValueError(msg)
            self.classes_ = classes_of(given if classes is None else classes)
        elif classes is not None and not np.array_equal(
            classes_of(classes), self.classes_
        ):
            msg = (
                f"classes={classes!r} differs from the classes of the first call, "
                f"{self.classes_.tolist()}."
            )
            raise ValueError(msg)
        labels, labeled = check_labels(y, self.missing_label, classes=self.classes_)
        check_consistent_length(X, labeled)
        for found, where in ((labels, "y"), (given, "weak_estimator")):
            unknown = np.setdiff1d(found, self.classes_).tolist()
            if unknown:
                msg = (
                    f"{where} has the class {unknown[0]!r}, which is none of classes, "
                    f"{self.classes_.tolist()}."
                )
                raise ValueError(msg)
        return labels, labeled

    def _choose_for_batches(self, rows, strong):
        """Set the strategy and the kind of labels of a batch."""
        name: Any = self.strategy
        kind = self.pseudo_labels
        if not takes_weights_in_batches(strong):
            if kind == "soft":
                require_weights_in_batches(strong, 'pseudo_labels="soft"')
            name, kind = "all" if name == "auto" else name, "hard"
            if STRATEGIES[name].needs_weights:
                require_weights_in_batches(strong, f'strategy="{name}"')
        self.strategy_, strategy, self.pseudo_labels_ = choose(
            name,
            kind,
            strong,
            n_unlabeled=0,
            n_rows=len(rows.labeled),
            is_table=False,
        )
        return strategy

    def _check_target(self, X, y, sample_weight):
        """Return the rows with their labels and weights."""
        weights, weighted = check_weights(sample_weight, X), sample_weight is not None
        labels, labeled = check_labels(y, self.missing_label)
        check_consistent_length(X, labeled)
        if labeled.all():
            warn_if_all_labeled(labels, self.missing_label)
        return Rows(X, y, labels, labeled, weights, weighted=weighted)

    def _choose(self, rows, pupil):
        """Set the strategy and the kind of labels, and return what it needs."""
        n_classes = len(np.unique(rows.labels[rows.weights[rows.labeled] > 0]))
        is_table = namespace_of(rows.X)[0] is None
        auto = "smooth"
        if self.strategy == "auto" and n_classes > 1 and is_table:
            auto = "co_train" if rows.unknown_columns else "blend"
        n_learned = len(rows.taught) + len(rows.known)
        name, strategy, kind = choose(
            self.strategy,
            self.pseudo_labels,
            pupil.estimator,
            n_unlabeled=as_counts(rows.weights[rows.taught]).sum(),
            n_rows=n_learned,
            is_table=is_table,
            stops_on_labels=pupil.stops_on_labels(n_learned - len(pupil.stop_on)),
            auto=auto,
        )
        if strategy.teacher is not None and not len(rows.taught):
            name, strategy = "strong_on_labels", STRATEGIES["all"]
        elif n_classes < 2 and getattr(strategy.teacher, "needs_labels", False):
            self._fall_back(
                f'strategy="{name}" needs labels of two classes at least, and y has '
                f'{n_classes}, so that "smooth" is used instead.'
            )
            name, strategy = "smooth", STRATEGIES["smooth"]
        self.strategy_, self.pseudo_labels_ = name, kind
        return strategy

    def _for_detector(self, rows, weak, proba, given):
        """Return the labels, known and weak, that a detector gets."""
        # The classes are named by the estimator, or else by y and the user's columns.
        named = given is None and len(weak.estimator.classes_) == len(weak.classes)
        return {
            "y": None if named else rows.y,
            "weak_proba": proba if given is None else given,
        }

    def _lesson(self, teacher, known, taught, rows):
        """Return what the strong estimator is to learn."""
        proba = np.zeros((n_rows(rows.X), len(self.classes_)))
        proba[rows.labeled] = one_hot(rows.codes(self.classes_), len(self.classes_))
        proba[rows.taught] = taught.proba
        judged = proba.copy()
        judged[rows.taught] = taught.judged
        weights = rows.weights * (~rows.labeled | known.complete)
        return Lesson(
            proba,
            judged,
            weights,
            rows.taught,
            taught.which,
            by_margin=teacher.weighs_by_margin,
        )

    def _train_student(self, rows, pupil, lesson, rng):
        """Teach the strong estimator, and set the kind of labels that it learned."""
        student = train_student(
            pupil,
            rows.X,
            lesson,
            self.classes_,
            pseudo_labels=self.pseudo_labels,
            rng=rng,
        )
        self.pseudo_labels_ = "soft" if student.is_soft else "hard"
        return student

    def _better_parent(self, rows, student, lesson, taught, weak_proba):
        """Return the parent that is to predict in place of the student, if any."""
        if taught.alone == "weak" or not len(student.held):
            return taught.alone
        X = safe_indexing(rows.X, student.held)
        codes = codes_of(student.estimator, X, self.classes_)
        weak = weak_proba[student.held].argmax(axis=1)
        behind = surely_behind(lesson, student.held, codes, weak)
        return "weak" if behind > 0 else None

    def _warn_if_behind(self, student):
        """Warn about a student that has not learned its lesson."""
        if student.behind > FAR_BEHIND:
            warn(
                f"strong_estimator ({type(student.estimator).__name__}) has not "
                "learned what it was taught: its classes of unseen rows are expected "
                f"to be right {student.behind:.1%} less often, at least, than those it "
                "learned. Regularise it less, or take another.",
            )

    def _heed_decisions(self, weak, strategy):
        """Prefer hard labels if the weak estimator predicts with a threshold."""
        if not weak.decides:
            return
        if strategy.teacher is None and self.pseudo_labels == "auto":
            self.pseudo_labels_ = "hard"
        elif strategy.teacher is not None or self.pseudo_labels_ == "soft":
            warn(
                f"weak_estimator={self.weak_estimator!r} predicts other classes than "
                "those of its largest probability, and "
                f"strategy={self.strategy_!r} follows the probabilities here. For "
                'labels as it predicts them take strategy="all" or "confidence" with '
                'pseudo_labels="hard", or put the threshold around this classifier.',
            )

    def _imitate(self, rows, pupil, strategy, weak, proba, regions, rng):
        """Train the strong estimator on what a strategy makes of the weak labels."""
        kept, representation = self._represent(rows, strategy, rng)
        targets, train_weight = proba.copy(), np.zeros(len(proba))
        unlabeled = np.isin(kept, rows.taught)
        targets[kept], train_weight[kept], lost = weak_targets(
            self.strategy_,
            strategy,
            proba[kept],
            unlabeled,
            regions=regions,
            representation=representation,
            labeled=rows.labeled[kept],
            rng=rng,
        )
        if len(lost):
            self._fall_back(loss_message(self.strategy_, lost))
            self.strategy_ = "all"
            targets, train_weight = proba.copy(), np.ones(len(proba))
        keep_true_labels(
            targets,
            train_weight,
            rows.codes(self.classes_),
            rows.labeled,
            include_labeled=self.include_labeled,
        )
        if self.pseudo_labels_ == "hard":
            # A strategy may have made other targets of them.
            own = ~rows.labeled & (targets == proba).all(axis=1)
            codes = np.where(own, weak.codes(rows.X, proba), targets.argmax(axis=1))
            used = train_weight * rows.weights > 0
            targets = self._harden(pupil, targets, codes, used)
        return self._train(rows, pupil, targets, train_weight)

    def _harden(self, pupil, targets, codes, used):
        """Return hard targets, but soft ones where those would be all of one class."""
        if not used.any():
            return targets
        is_one_class = (codes[used] == codes[used][0]).all()
        may_soften = self.pseudo_labels == "auto" and learns_softly(pupil.estimator)
        if is_one_class and may_soften:
            self.pseudo_labels_ = "soft"
            return targets
        return one_hot(codes, len(self.classes_))

    def _keep(self, rows, student, weak, proba, taught):
        """Keep the estimator that predicts, and how it is calibrated."""
        super()._keep(rows, student, weak, proba, taught)
        plain = self.strategy_ == "weak"
        self.calibration_ = tuple(PLAIN if plain else student.calibration)

    def _table(self, *known):
        return table_of_rows(*known)

    def _ask(self, method, X, params):
        X, params = self._input(method, X, params)
        if method == "predict_log_proba" and self.calibration_ != PLAIN:
            with np.errstate(divide="ignore"):
                return np.log(self._proba(X, params))
        if method == "predict_proba":
            return self._proba(X, params)
        output = getattr(self.estimator_, method)(X, **params)
        if method == "predict":
            return column_or_1d(output)  # CatBoost gives a column
        if method == "decision_function":
            power, _ = self.calibration_
            output = output * power if power != 1 else output
            if np.ndim(output) == 1:
                return self._sign(output)
        return self._align(output, absent=-np.inf)

    def _proba(self, X, params):
        proba = self.estimator_.predict_proba(X, **params)
        if self.calibration_ != PLAIN:
            proba = Calibration(*self.calibration_).apply(to_numpy(proba))
        return self._align(proba, absent=0.0)

    def _sign(self, decisions):
        """Return decisions between two classes, positive for the last one."""
        known = to_numpy(self.estimator_.classes_)
        if len(self.classes_) > 2:
            return self._align(np.column_stack([-decisions, decisions]), absent=-np.inf)
        return decisions if known[-1] == self.classes_[-1] else -decisions

    def _align(self, output, *, absent):
        known = to_numpy(self.estimator_.classes_)
        if np.array_equal(known, self.classes_):
            return output
        # A class that the estimator never saw has probability zero.
        return align_proba(output, known, self.classes_, absent=absent)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        strong_tags = get_tags(self._strong())
        # Fit refuses what is not a classifier, which has no such tags.
        if strong_tags.classifier_tags is not None:
            for kind in ("multi_class", "poor_score"):
                value = getattr(strong_tags.classifier_tags, kind)
                setattr(tags.classifier_tags, kind, value)
        return tags

"""WeakToStrongClassifier over Dask collections."""

import copy
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, Self

import dask
import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

import sklearn_w2s.weak_to_strong
from sklearn_w2s._display import Steps
from sklearn_w2s._estimators import fit_context, seed_nested
from sklearn_w2s._sklearn import Interval, StrOptions, safe_indexing
from sklearn_w2s._validation import (
    check_features,
    check_labels,
    check_new_rows,
    warn_if_all_labeled,
)
from sklearn_w2s._weak import default_for, give_weak_view, is_given
from sklearn_w2s.dask._base import DASK, PARTIAL_FIT, SAMPLE, Lesson, OverCollections
from sklearn_w2s.dask._detector import OverlapDetector
from sklearn_w2s.dask._partitions import map_rows, merge_tree, row_blocks, shipped
from sklearn_w2s.dask._sample import learn_weakly, require_survey, take_survey
from sklearn_w2s.weak_to_strong._strategies import choose, loss_message, lost_classes
from sklearn_w2s.weak_to_strong._student import PLAIN

_InMemory = sklearn_w2s.weak_to_strong.WeakToStrongClassifier


class WeakToStrongClassifier(OverCollections, _InMemory):
    """Train a strong estimator on the labels of a weak one, with Dask.

    Strategies that look at each row by itself label the rows block by block; all others
    learn as in memory, from all labeled rows and a sample of the others. Predictions
    for collections are lazy; rows in memory are predicted in memory.

    Parameters
    ----------
    weak_estimator, strong_estimator, weak_features : object
        As in :class:`sklearn_w2s.WeakToStrongClassifier`. A callable for
        `weak_features` gets rows in memory.
    overlap_detector : OverlapDetector, default=None
        Of either package.
    strategy : str or callable, default="auto"
        How weak labels are used, as in :class:`sklearn_w2s.WeakToStrongClassifier`.
        "all", "confidence", "confident" and "overlap" look at each row by itself. All
        others, "auto" among them, compare rows: they learn from the labeled rows and
        `max_rows` others in memory, and need `strong_fit` to be "sample". Where the
        strong estimator learns from all rows, "auto" is "confidence", or "all" where it
        takes no weights.
    neighbors : transformer instance, default=None
        As in :class:`sklearn_w2s.WeakToStrongClassifier`.
    scoring : str, callable or None, default=None
        As in :class:`sklearn_w2s.WeakToStrongClassifier`.
    strong_fit : {"auto", "sample", "partial_fit", "dask"}, default="auto"
        How the strong estimator is fitted: on a sample of rows in memory; by its
        `partial_fit`, once with each block, in their order; or by a `fit` that takes
        collections of Dask, as the classifiers of ``xgboost.dask`` and
        ``lightgbm.dask`` have it. "auto" is "dask" for those two and ``cuml.dask``, and
        "sample" for others.
    max_rows : int, default=100000
        Rows of the sample, at most, drawn at random with regard to their weights: of
        what is learned from where each row is looked at by itself, and else of the rows
        without a label.
    fallback, pseudo_labels, include_labeled, missing_label, memory, n_jobs : object
        As in :class:`sklearn_w2s.WeakToStrongClassifier`.
    verbose : int, default=0
        As in :class:`sklearn_w2s.WeakToStrongClassifier`.
    random_state : int, RandomState instance or None, default=None
        As in :class:`sklearn_w2s.WeakToStrongClassifier`; also draws the samples.

    Attributes
    ----------
    weak_estimator_, strong_estimator_ : classifier
        The fitted estimators.
    estimator_ : classifier
        The one that predicts, `weak_estimator_` where `strategy_` is "weak".
    calibration_ : tuple of (float, float)
        As in memory.
    evidence_ : dict
        As in memory, of strategies with a teacher.
    weak_predictor_ : object
        The weak estimator together with its columns and classes.
    overlap_detector_ : OverlapDetector
        The fitted detector, of this package, where one was given or needed.
    overlap_density_ : float
        Its density, in [0, 1].
    strategy_ : str or callable
        The strategy used, after "auto" and after a fall back, as in memory.
    strong_fit_ : {"sample", "partial_fit", "dask"}
        How the strong estimator was fitted.
    pseudo_labels_ : {"hard", "soft"}
        The kind of pseudo-labels used.
    n_samples_seen_ : int
        Rows of `fit`.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if all are strings.

    See Also
    --------
    sklearn_w2s.WeakToStrongClassifier : The same in memory.
    OverlapDetector : Finds the rows that carry both patterns, with Dask.

    Notes
    -----
    Strategies that compare rows take one pass, which brings the labeled rows, 100,000
    at most, and the sample to the client. As long as there are no more rows without a
    label than `max_rows`, the fit is the one in memory, `evidence_` and all, whatever
    the partitions are. Of more rows, which are drawn follows from `random_state`, the
    partition of each row and its place in it. A weak estimator that is given fitted
    lifts the limit on labeled rows, of which 100,000 are then drawn.

    Strategies that look at each row by itself go over the rows once to find the labeled
    ones, with the same limit; once more to count the regions, where they are needed;
    and once to label and draw, or twice where the strong estimator does not learn from
    a sample and the weights have to be scaled first. The strong estimator is the one
    that is fitted in memory as long as there are no more rows than `max_rows`, and than
    `reservoir_size` of the detector where a strategy needs regions. `sample_weight`
    goes to both estimators then, also with metadata routing. The labels -1 and +1 are
    never taken as two classes while -1 is the missing label.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_w2s.dask import WeakToStrongClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> y[300:] = -1
    >>> X, y = da.from_array(X, chunks=(500, 64)), da.from_array(y, chunks=500)
    >>> model = WeakToStrongClassifier(
    ...     DecisionTreeClassifier(min_samples_leaf=5),
    ...     RandomForestClassifier(),
    ...     random_state=0,
    ... ).fit(X, y)
    >>> model.predict(X)
    dask.array<_judge_block, shape=(1797,), dtype=int64, chunksize=(500,), ...>
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
        pseudo_labels: Any = "auto",
        include_labeled: Any = True,
        missing_label: Any = -1,
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
            pseudo_labels=pseudo_labels,
            include_labeled=include_labeled,
            missing_label=missing_label,
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
            Labels, `missing_label` where there is none. May be None with a weak
            estimator that needs no fit.
        sample_weight : {dask series, dask array} of shape (n_samples,), default=None
            Weights for both estimators.

        Returns
        -------
        WeakToStrongClassifier
            The fitted estimator.

        Raises
        ------
        TypeError
            If an argument is not a collection of Dask, or an estimator cannot be used
            as asked.
        ValueError
            If the labeled rows hold one class only or are more than 100,000, no row is
            left to train on, a strategy would fall back and must not, or compares rows
            while the strong estimator gets blocks, or partitions or an argument do not
            fit.

        Warns
        -----
        UserWarning
            If y has no unlabeled row, or a class that reads like `missing_label`, such
            as the string "-1"; if a strategy falls back to another, soft pseudo-labels
            are asked for and not possible, thresholds of a detector change nothing, or
            if the strong estimator has not learned what it was taught.
        """
        return self._fit_collections(X, y, sample_weight)

    def _fit_blocks(self, blocks, X, y, rng, seed, *, weighted):
        """Fit by a strategy that looks at each row by itself."""
        seeds = None if self.random_state is None else rng
        strong = clone(self._strong())
        self.strategy_, strategy, self.pseudo_labels_ = choose(
            self.strategy,
            self.pseudo_labels,
            strong,
            n_unlabeled=0,
            # Rows that are learned from at once.
            n_rows=self.max_rows,
            is_table=False,
        )
        self._require_use_of_neighbors(strategy)
        finds_regions = strategy.needs_regions or self.overlap_detector is not None
        size = self._detector().reservoir_size if finds_regions else 1
        # As in memory: about how long each takes beside the others.
        costs = (
            {"Fitting weak_estimator": 3}
            | ({"Fitting overlap_detector": 1} if finds_regions else {})
            | {"Fitting strong_estimator": 40}
        )
        step = Steps(self, costs).step
        with step("Fitting weak_estimator"):
            survey = self._survey(blocks, y, size, seed)
            predictor, labeled_proba = learn_weakly(
                default_for(survey.rows)
                if self.weak_estimator is None
                else self._weak(),
                survey,
                weak_features=self.weak_features,
                weights=survey.labeled_weights if weighted else None,
                cross_fit=finds_regions,
                cv=self._detector().cv,
                rng=rng,
                memory=self.memory,
                n_jobs=self.n_jobs,
                seeds=seeds,
            )
        self.weak_predictor_, self.classes_ = predictor, predictor.classes
        if type(strong).__name__ == "DaskXGBClassifier":
            _require_codes(self.classes_)
        self.weak_estimator_ = predictor.estimator
        self._heed_decisions(predictor, strategy)
        if finds_regions:
            detector = self._dask_detector(predictor, seeds)
            check_features(detector, survey.rows, reset=True, allow_nan=True)
            with step("Fitting overlap_detector"):
                self.overlap_detector_ = detector._fit_survey(  # noqa: SLF001
                    blocks,
                    survey,
                    predictor,
                    labeled_proba,
                    weighted=weighted,
                    rng=check_random_state(detector.random_state),
                )
            self.overlap_density_ = self.overlap_detector_.overlap_density_
        is_hard = self.pseudo_labels_ == "hard"
        lesson = Lesson(copy.copy(self), predictor, self.strategy_, is_hard)
        strong = seed_nested(strong, seeds)
        with step("Fitting strong_estimator"):
            tally, sample = self._assess(lesson, blocks, seed)
            lost = lost_classes(tally.named, tally.kept)
            if len(lost):
                self._fall_back(loss_message(self.strategy_, lost))
                self.strategy_ = "all"
                lesson = replace(lesson, strategy="all")
                tally, sample = self._assess(lesson, blocks, seed)
            self.strong_estimator_ = self._fit_strong_on(
                strong, tally, sample, lesson, blocks, X, weighted=weighted
            )
        self.estimator_, self.calibration_ = self.strong_estimator_, tuple(PLAIN)
        self.n_samples_seen_ = survey.n_rows

    def weak_predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the fitted weak estimator.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows, or rows in memory.

        Returns
        -------
        {dask data frame, dask array} of shape (n, n_classes)
            Weak probabilities, columns in the order of `classes_`. Lazily.
        """
        check_is_fitted(self)
        if dask.is_dask_collection(X):
            return self._map(X, "weak_predict_proba")
        return self.weak_predictor_.proba(check_new_rows(self, X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy on the labeled rows, computed at once.

        Parameters
        ----------
        X : {dask data frame, dask array} of shape (n, n_features)
            Rows, or rows in memory.
        y : {dask series, dask array} of shape (n,)
            Labels; rows marked `missing_label` are left out.
        sample_weight : {dask series, dask array} of shape (n,), default=None
            Weights.

        Returns
        -------
        float
            Accuracy; NaN if no row is labeled.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return super().score(X, y, sample_weight)
        judge, count = shipped(self), dask.delayed(_count_right)
        counts = [count(judge, block) for block in row_blocks(X, y, sample_weight)]
        right, total = merge_tree(counts, np.sum, axis=0).compute()
        return float(right / total) if total else float("nan")

    def _survey(self, blocks, y, size, seed):
        given = is_given(self._weak())
        options = {"missing_label": self.missing_label, "gathers": not given}
        survey = take_survey(blocks, size=size, seed=seed, **options)
        require_survey(survey, y, self.missing_label, given=given)
        if survey.n_labeled == survey.n_rows:
            warn_if_all_labeled(survey.labels, self.missing_label)
        self._check_rows(survey.rows, asks_weak=True)
        return survey

    def _dask_detector(self, predictor, seeds):
        """Return a detector with the weak view of this classifier, not yet fitted."""
        detector = OverlapDetector(**clone(self._detector()).get_params(deep=False))
        weak = predictor.estimator
        give_weak_view(
            detector,
            weak if is_given(weak) else FrozenEstimator(weak),
            weak_features=self.weak_features,
            missing_label=self.missing_label,
        )
        return seed_nested(detector, seeds)

    def _map(self, X, method):
        if method == "predict":
            output = {"names": "prediction", "dtype": self.classes_.dtype}
        elif method == "decision_function" and len(self.classes_) == 2:
            output = {"names": "decision", "dtype": np.float64}
        else:
            output = {"names": list(self.classes_), "dtype": np.float64}
        return map_rows(self, method, X, **output)


def _require_codes(classes):
    if not np.array_equal(classes, np.arange(len(classes))):
        msg = (
            "DaskXGBClassifier takes class codes 0, 1, ... only, and the classes are "
            f"{classes[:5].tolist()}. Encode y, or pass an XGBClassifier, which gets "
            "codes by itself and learns from a sample of the rows."
        )
        raise ValueError(msg)


def _count_right(classifier, block):
    """Return the weight of the rightly predicted rows, and of all labeled rows."""
    labels, labeled = check_labels(
        block.y, classifier.missing_label, classes=classifier.classes_
    )
    positions = np.flatnonzero(labeled)
    if not len(positions):
        return np.zeros(2)
    weights = block.weights[positions]
    right = classifier.predict(safe_indexing(block.X, positions)) == labels
    return np.array([weights[right].sum(), weights.sum()])

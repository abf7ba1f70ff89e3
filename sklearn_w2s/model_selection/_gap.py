"""What weak-to-strong is worth: cross-validation, and curves over numbers of rows."""

from dataclasses import dataclass
from functools import partial
from numbers import Real
from time import perf_counter
from traceback import format_exc
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from scipy.stats import t as student_t
from sklearn.base import clone, is_regressor
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from sklearn_w2s._algorithms.gap import recovered_share
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._cross_fit import require_routing
from sklearn_w2s._display import countdown
from sklearn_w2s._estimators import draw_seed, seed_nested
from sklearn_w2s._fitting import fit_weighted, take_metadata
from sklearn_w2s._pipeline import (
    before_final,
    default_scoring,
    final_step,
    require_weak_to_strong,
    strong_alone,
    weak_alone,
)
from sklearn_w2s._sklearn import routing_enabled, safe_indexing
from sklearn_w2s._validation import (
    check_level,
    check_target,
    mark_unlabeled,
    n_rows,
    require_rows,
)
from sklearn_w2s._warnings import keeps_filters, warn
from sklearn_w2s.metrics import region_accuracy, region_rmse
from sklearn_w2s.model_selection._split import (
    LabeledSplit,
    count_rows,
    draw_labeled,
    refuse_class,
)

RIVALS = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")
N_DRAWS = 2000
_BY_REGION = ("region_share", "region_accuracy", "region_rmse")
_COUNTS = ("n_labeled", "n_unlabeled", "n_hidden", "n_test")
_LARGEST_SEED = np.iinfo(np.int32).max


def cross_validate_gap(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    labeled_size: int | float | None = None,
    unlabeled_size: int | float | None = None,
    cv: Any = None,
    scoring: Any = "auto",
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    confidence_level: float = 0.95,
    params: dict[str, Any] | None = None,
    return_estimator: bool = False,
    verbose: int = 0,
    error_score: Any = np.nan,
) -> dict[str, Any]:
    r"""Compare weak, weak-to-strong, strong on the labels and ceiling in every fold.

    In each fold, some labels of the training rows are kept and all others are hidden.
    Four fits are scored on the same labeled test rows:

    - weak: the weak estimator, fitted on the labels kept;
    - weak-to-strong: the estimator, fitted on the labels kept and on all other
      training rows as unlabeled ones;
    - strong on labels: the strong estimator, fitted on the labels kept alone;
    - ceiling: the strong estimator, fitted on the true labels of all training rows that
      have one, including the hidden ones.

    Parameters
    ----------
    estimator : classifier or regressor instance
        A `WeakToStrongClassifier`, a `WeakToStrongRegressor`, another classifier with
        the parameters `weak_estimator`, `strong_estimator` and `missing_label`, or a
        pipeline that ends in one.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        Labels. Rows marked by the `missing_label` of the estimator are in no test set;
        they are unlabeled rows of every training set, except those of a test group or
        from the future, see :class:`LabeledSplit`.
    labeled_size : int or float, default=None
        Training rows that keep their label: a number, or a share in (0, 1] of those
        that have one. For classification they are drawn in proportion to the classes,
        at least one of each; for regression at random. None hides nothing: the ceiling
        is then the strong estimator on the labels, and `n_hidden` is 0. 0 hides all
        labels, for weak estimators that need none; there is then no strong estimator on
        labels.
    unlabeled_size : int or float, default=None
        Other training rows that are used: a number or a share, drawn at random. None
        uses all.
    cv : int, splitter, iterable or None, default=None
        How to split the labeled rows, as in :class:`LabeledSplit`, which can be passed
        as well. None means 5 folds, stratified for classification. Splits are generated
        once.
    scoring : str, callable, list, tuple, set or dict, default="auto"
        One scorer or several, as in :func:`~sklearn.model_selection.cross_validate`;
        greater is better. "auto" is "accuracy", and for regressors
        "neg_root_mean_squared_error", the negative RMSE in the unit of y.
    n_jobs : int, default=None
        Number of folds run in parallel. The results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that keep their label, seeds every `random_state` of the
        estimators that is None, and draws the interval.
    confidence_level : float, default=0.95
        Level of `gap_recovered_interval` and of the test for a gap, in (0, 1).
    params : dict, default=None
        Metadata. With metadata routing enabled, it is routed to `estimator`, the strong
        estimator, the scorers and the splitter, as they request; otherwise all of it is
        passed to the `fit` of `estimator`, and `sample_weight` also to that of the
        strong estimator.
    return_estimator : bool, default=False
        Whether to return the fitted estimators.
    verbose : int, default=0
        Above 0, a line after each fold, with an estimate of the time left. With
        scikit-learn 1.9 or later, callbacks of the estimators are notified of every fit
        as a separate run.
    error_score : "raise" or float, default=nan
        Score if fitting or scoring fails; "raise" raises the error instead.

    Returns
    -------
    dict
        Arrays of length n_folds unless stated otherwise:

        - weak_score, weak_to_strong_score, strong_on_labels_score, ceiling_score;
        - performance_gap_recovered: the share of the gap between weak and ceiling that
          weak-to-strong recovers; NaN if there is no gap;
        - gap_recovered, a float: the same share of the mean scores; NaN if the mean gap
          is within its noise;
        - gap_recovered_interval, of shape (2,): its bootstrap interval, of the level
          confidence_level, a float;
        - n_labeled, n_unlabeled, n_hidden, n_test: numbers of training rows that keep
          their label, of those without a label, of those among them whose label was
          hidden, and of test rows;
        - weak_to_strong_fit_time, strong_on_labels_fit_time, ceiling_fit_time, in
          seconds;
        - strategy, overlap_density: attributes of the fitted estimator, if it has them;
        - region_accuracy, a dict by fit of dicts by region of arrays, and
          region_share, a dict by region: accuracy on the test rows of each region (of
          regressors region_rmse, the root mean squared error in the unit of y), and the
          share of these, where the fitted estimator has an `overlap_detector_`;
          set its parameter `overlap_detector` to have one with any strategy;
        - weak_to_strong_estimator, strong_on_labels_estimator, ceiling_estimator: lists
          of fitted estimators, with `return_estimator`.

        With several scorers there are ``weak_<name>`` and so on instead of
        `weak_score`, and ``performance_gap_recovered_<name>``,
        ``gap_recovered_<name>`` and ``gap_recovered_interval_<name>``.

    Raises
    ------
    TypeError
        If the estimator is not a weak-to-strong estimator; or if groups, or any
        metadata with a pipeline, are passed while metadata routing is disabled.
    ValueError
        If labels, sizes or scorers are invalid, if every fit of the estimator fails, or
        if it has no weak estimator that can label test rows.

    Warns
    -----
    FitFailedWarning
        If fitting or scoring fails and `error_score` is a number.

    See Also
    --------
    gap_learning_curve : The same for several numbers of labels.
    sklearn_w2s.metrics.performance_gap_recovered : The share, of given scores.
    sklearn_w2s.plotting.GapDisplay : Draws the result.

    Notes
    -----
    With the mean differences over folds

    .. math:: d = \overline{s_\text{ceiling} - s_\text{weak}}, \qquad
              r = \overline{s_\text{weak-to-strong} - s_\text{weak}} / d

    and :math:`\sigma`, the standard error of :math:`d` over :math:`k` folds, the share
    :math:`r` is defined where :math:`d > t \sigma`, :math:`t` the one-sided quantile of
    Student's t at `confidence_level` with :math:`k - 1` degrees of freedom. A share of
    a gap that may not exist is meaningless. The interval consists of quantiles of
    :math:`r` over 2000 bootstrap samples of :math:`k` folds. Folds share training rows,
    and few folds allow few distinct samples: both interval and test are optimistic.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.model_selection import cross_validate_gap
    >>> X, y = load_digits(return_X_y=True)
    >>> model = WeakToStrongClassifier(
    ...     GaussianNB(), KNeighborsClassifier(), strategy="all"
    ... )
    >>> results = cross_validate_gap(model, X, y, labeled_size=100, random_state=0)
    >>> bool(results["weak_score"].mean() < results["ceiling_score"].mean())
    True
    >>> results["performance_gap_recovered"].shape
    (5,)
    """
    (results,) = cross_validate_sizes(
        estimator,
        X,
        y,
        sizes=[(labeled_size, unlabeled_size)],
        cv=cv,
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
        confidence_level=confidence_level,
        params=params,
        return_estimator=return_estimator,
        verbose=verbose,
        error_score=error_score,
    )
    return results


def gap_learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    labeled_sizes: Any = (0.05, 0.1, 0.2, 0.4, 0.8),
    unlabeled_sizes: Any = None,
    cv: Any = None,
    scoring: Any = "auto",
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    confidence_level: float = 0.95,
    params: dict[str, Any] | None = None,
    verbose: int = 0,
    error_score: Any = np.nan,
) -> dict[str, Any]:
    """Compare weak, weak-to-strong, strong on labels and ceiling at several sizes.

    Parameters
    ----------
    estimator : classifier or regressor instance
        As in :func:`cross_validate_gap`.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        Labels, the `missing_label` of the estimator where there is none.
    labeled_sizes : int, float, None or sequence of these, \
            default=(0.05, 0.1, 0.2, 0.4, 0.8)
        Training rows that keep their label, each as `labeled_size` of
        :func:`cross_validate_gap`.
    unlabeled_sizes : int, float, None or sequence of these, default=None
        Other training rows that are used, each as `unlabeled_size` there. One value
        goes with every one of `labeled_sizes`, and the other way round; two sequences
        are paired.
    cv : int, splitter, iterable or None, default=None
        How to split the labeled rows, once; None means 5 folds. All sizes
        have the same folds.
    scoring : str, callable, list, tuple, set or dict, default="auto"
        One scorer or several; greater is better, see :func:`cross_validate_gap`.
    n_jobs : int, default=None
        Pairs of size and fold run at the same time.
    random_state : int, RandomState instance or None, default=None
        Draws the rows, seeds the estimators and draws the intervals, alike for all
        sizes: the fewer unlabeled rows are among the more.
    confidence_level : float, default=0.95
        Level of the intervals and of the test for a gap, in (0, 1).
    params : dict, default=None
        Metadata, routed as in :func:`cross_validate_gap`.
    verbose : int, default=0
        Above 0, a line after each fold, with an estimate of the time left. With
        scikit-learn 1.9 or later, callbacks of the estimators are notified of every fit
        as a separate run.
    error_score : "raise" or float, default=nan
        Score where a fit or a score fails.

    Returns
    -------
    dict
        `labeled_sizes` and `unlabeled_sizes`, arrays of shape (n_sizes,) of what was
        asked for, and what :func:`cross_validate_gap` returns, with one more dimension
        in front: scores, counts and times of shape (n_sizes, n_folds),
        `gap_recovered` of shape (n_sizes,), `gap_recovered_interval` of shape
        (n_sizes, 2).

    Raises
    ------
    TypeError
        If the estimator is not a weak-to-strong estimator.
    ValueError
        If the sizes are of different numbers or none, or as in
        :func:`cross_validate_gap`.

    Warns
    -----
    FitFailedWarning
        If a fit or a score fails and `error_score` is a number.

    See Also
    --------
    cross_validate_gap : The same at one size.
    sklearn_w2s.plotting.GapLearningCurveDisplay : Draws the result.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_w2s import WeakToStrongClassifier
    >>> from sklearn_w2s.model_selection import gap_learning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> model = WeakToStrongClassifier(
    ...     GaussianNB(), KNeighborsClassifier(), strategy="all"
    ... )
    >>> curve = gap_learning_curve(
    ...     model, X, y, labeled_sizes=[12, 30, 60], cv=4, random_state=0
    ... )
    >>> curve["weak_to_strong_score"].shape
    (3, 4)
    """
    sizes = _pair(labeled_sizes, unlabeled_sizes)
    results = cross_validate_sizes(
        estimator,
        X,
        y,
        sizes=sizes,
        cv=cv,
        scoring=scoring,
        n_jobs=n_jobs,
        random_state=random_state,
        confidence_level=confidence_level,
        params=params,
        return_estimator=False,
        verbose=verbose,
        error_score=error_score,
    )
    labeled, unlabeled = zip(*sizes, strict=True)
    return {
        "labeled_sizes": np.array(labeled),
        "unlabeled_sizes": np.array(unlabeled),
        **_stack_sizes(results),
    }


def _pair(labeled_sizes, unlabeled_sizes):
    labeled, unlabeled = (
        [sizes] if sizes is None or np.ndim(sizes) == 0 else list(sizes)
        for sizes in (labeled_sizes, unlabeled_sizes)
    )
    n_sizes = max(len(labeled), len(unlabeled))
    if not all(len(sizes) in (1, n_sizes) for sizes in (labeled, unlabeled)):
        msg = (
            f"labeled_sizes={labeled_sizes!r} and unlabeled_sizes={unlabeled_sizes!r} "
            "must be equally many, or one of them a single value."
        )
        raise ValueError(msg)
    return [
        (labeled[i % len(labeled)], unlabeled[i % len(unlabeled)])
        for i in range(n_sizes)
    ]


def _stack_sizes(results):
    """Stack dicts of arrays, which may be nested, into one."""
    if not isinstance(results[0], dict):
        return np.array(results)
    # A strategy may find regions at some sizes only.
    names = dict.fromkeys(name for result in results for name in result)
    return {
        name: _stack_sizes([result[name] for result in results])
        for name in names
        if all(name in result for result in results)
    }


def cross_validate_sizes(
    estimator,
    X,
    y,
    *,
    sizes,
    cv,
    scoring,
    n_jobs,
    random_state,
    confidence_level,
    params,
    return_estimator,
    verbose,
    error_score,
    on_fit=None,
    on_folds=None,
):
    """Do as `cross_validate_gap` for each pair of `sizes`, on the same folds.

    `on_fit` is called with "estimator" or "alone" and the number of rows before each
    fit, unless folds run in parallel; `on_folds` with all folds that are done so far.
    """
    require_weak_to_strong(estimator)
    check_level(confidence_level)
    scorer, metrics = _check_scoring(estimator, scoring, error_score)
    require_rows(X)
    X, y = indexable(X, y)
    missing_label = final_step(estimator).missing_label
    regresses = is_regressor(final_step(estimator))
    labels, labeled = check_target(y, missing_label, of_values=regresses)
    if not regresses:
        refuse_class(missing_label, labels)
    all_labels = np.empty(len(labeled), dtype=labels.dtype)
    all_labels[labeled] = labels
    splitter = cv
    if not isinstance(cv, LabeledSplit):
        splitter = LabeledSplit(cv, missing_label=missing_label, stratify=not regresses)
    alone = strong_alone(estimator)
    routed = _route(estimator, alone, scorer, splitter, params or {})
    trial = Trial(
        estimator=estimator,
        alone=alone,
        X=X,
        labels=all_labels,
        labeled=labeled,
        missing_label=missing_label,
        scorer=scorer,
        metrics=metrics,
        params=routed,
        error_score=error_score,
        return_estimator=return_estimator,
        on_fit=on_fit if effective_n_jobs(n_jobs) == 1 else None,
    )
    splits = list(splitter.split(X, y, **routed["splitter"]))
    rng = check_random_state(random_state)
    *seeds, pooling_seed = rng.randint(_LARGEST_SEED, size=len(splits) + 1).tolist()
    tasks = [
        delayed(run_fold)(trial, train, test, size, seed)
        for size in sizes
        for (train, test), seed in zip(splits, seeds, strict=True)
    ]
    if verbose and on_folds is None and effective_n_jobs(n_jobs) == 1:
        # Of folds one after the other, joblib prints the time taken, not what is left.
        on_folds, verbose = countdown(len(tasks)), 0
    parallel = keeps_filters(Parallel(n_jobs=n_jobs, verbose=verbose))
    folds, step = [], len(tasks) if on_folds is None else effective_n_jobs(n_jobs)
    for start in range(0, len(tasks), step):
        folds += parallel(tasks[start : start + step])
        if on_folds is not None:
            on_folds(folds)
    _report_failures(folds, error_score)
    by_size = [folds[i : i + len(splits)] for i in range(0, len(folds), len(splits))]
    return [
        gather(one_size, metrics, confidence_level, pooling_seed, return_estimator)
        for one_size in by_size
    ]


def _check_scoring(estimator, scoring, error_score):
    """Return one scorer that gives a dict, and the keys of it."""
    if error_score != "raise" and not isinstance(error_score, Real):
        msg = f'error_score={error_score!r} must be a number or "raise".'
        raise ValueError(msg)
    if isinstance(scoring, str) and scoring == "auto":
        scoring = default_scoring(final_step(estimator))
    if scoring is None:
        msg = 'scoring=None must be a scorer, its name, or several, e.g. "accuracy".'
        raise ValueError(msg)
    if isinstance(scoring, str) or callable(scoring):
        scoring = {"score": scoring}
    elif not isinstance(scoring, dict):
        scoring = {name: name for name in scoring}
    scorer = check_scoring(scoring=scoring, raise_exc=error_score == "raise")
    return scorer, tuple(scoring)


def _route(estimator, alone, scorer, splitter, params):
    """Return who gets which metadata."""
    require_routing(params)
    if not routing_enabled():
        if params and estimator is not final_step(estimator):
            msg = (
                f"params={sorted(params)} cannot reach the steps of a pipeline. Switch "
                "on sklearn.set_config(enable_metadata_routing=True)."
            )
            raise TypeError(msg)
        weights = {k: v for k, v in params.items() if k == "sample_weight"}
        return {"estimator": params, "alone": weights, "scorer": {}, "splitter": {}}
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    to_score = MethodMapping().add(caller="fit", callee="score")
    router = (
        MetadataRouter(owner="cross_validate_gap")
        .add(estimator=estimator, method_mapping=to_fit)
        .add(alone=alone, method_mapping=to_fit)
        .add(splitter=splitter, method_mapping=to_split)
        .add(scorer=scorer, method_mapping=to_score)
    )
    routed = process_routing(router, "fit", **params)
    return {
        "estimator": routed.estimator.fit,
        "alone": routed.alone.fit,
        "scorer": routed.scorer.score,
        "splitter": routed.splitter.split,
    }


@dataclass(frozen=True)
class Trial:
    """What all folds have in common."""

    estimator: Any
    alone: Any
    X: Any
    # Anything where there is none, by the mask `labeled`.
    labels: Any
    labeled: Any
    missing_label: Any
    # Returns a dict with the keys `metrics`, the traceback for a score that failed.
    scorer: Any
    metrics: tuple
    # By "estimator", "alone" and "scorer".
    params: dict
    error_score: Any
    return_estimator: bool
    on_fit: Any = None


class Fit(NamedTuple):
    """The fitted estimator and its time; or the traceback, and no estimator."""

    estimator: Any = None
    seconds: float = np.nan
    error: str = ""


def run_fold(trial, train, test, sizes, seed):
    """Fit weak, weak-to-strong, strong on labels and ceiling, and score them alike."""
    rows, kept, seed = _draw_rows(trial, train, sizes, seed)
    known = rows[trial.labeled[rows]]
    y = mark_unlabeled(trial.labels[kept], np.isin(rows, kept), trial.missing_label)
    student = _fit(trial, "estimator", rows, y, seed)
    alone = _fit(trial, "alone", kept, trial.labels[kept], seed)
    ceiling = alone
    if len(known) > len(kept):
        ceiling = _fit(trial, "alone", known, trial.labels[known], seed)
    weak = student
    if student.estimator is not None:
        weak = Fit(weak_alone(student.estimator, safe_indexing(trial.X, rows)))
    fits = dict(zip(RIVALS, (weak, student, alone, ceiling), strict=True))
    fold = {
        "n_labeled": len(kept),
        "n_unlabeled": len(rows) - len(kept),
        "n_hidden": len(known) - len(kept),
        "n_test": len(test),
        "errors": [fit.error for fit in (student, alone, ceiling) if fit.error],
        "fit_time": {name: fits[name].seconds for name in RIVALS[1:]},
        "has_failed": student.estimator is None,
    }
    if trial.return_estimator:
        fold["estimator"] = {name: fits[name].estimator for name in RIVALS[1:]}
    X_test, y_test = safe_indexing(trial.X, test), trial.labels[test]
    fold["score"] = {
        name: _judge(trial, fit, X_test, y_test, test, fold["errors"])
        for name, fit in fits.items()
    }
    if student.estimator is not None:
        fold |= _describe(student.estimator, fits, X_test, y_test)
    return fold


def _draw_rows(trial, train, sizes, seed):
    """Return training rows, those of them that keep their label, and a new seed."""
    labeled_size, unlabeled_size = sizes
    rng = check_random_state(seed)
    known = train[trial.labeled[train]]
    classes = trial.labels[known]
    if is_regressor(final_step(trial.estimator)):
        # Values are drawn at random, as rows of one class.
        classes = np.zeros(len(known), dtype=np.intp)
    kept = known[draw_labeled(classes, labeled_size, rng)]
    # Of all rows, so that fewer unlabeled rows are among more, whatever is labeled.
    mixed = train[rng.permutation(len(train))]
    unlabeled = mixed[~np.isin(mixed, kept)]
    if unlabeled_size is not None:
        name = "unlabeled_size"
        unlabeled = unlabeled[: count_rows(unlabeled_size, len(unlabeled), name=name)]
    is_used = np.isin(train, np.concatenate([kept, unlabeled]))
    return train[is_used], kept, draw_seed(rng)


def _fit(trial, name, rows, y, seed):
    if not len(rows):
        return Fit()
    estimator = seed_nested(clone(getattr(trial, name)), seed)
    params = take_metadata(trial.params[name], rows, n_rows(trial.X))
    if trial.on_fit is not None:
        trial.on_fit(name, len(rows))
    start = perf_counter()
    try:
        if name == "alone" and not routing_enabled():
            fit_weighted(estimator, safe_indexing(trial.X, rows), y, **params)
        else:
            estimator.fit(safe_indexing(trial.X, rows), y, **params)
    except Exception:  # An estimator of the user's may raise anything.
        if trial.error_score == "raise":
            raise
        return Fit(error=format_exc(), seconds=perf_counter() - start)
    return Fit(estimator, perf_counter() - start)


def _judge(trial, fit, X, y, test, errors):
    """Return the scores of an estimator, and add to errors what went wrong."""
    if fit.estimator is None:
        score = trial.error_score if fit.error else np.nan
        return dict.fromkeys(trial.metrics, score)
    params = take_metadata(trial.params["scorer"], test, n_rows(trial.X))
    scores = trial.scorer(fit.estimator, X, y, **params)
    for name, score in scores.items():
        if isinstance(score, str):
            errors.append(score)
            scores[name] = trial.error_score
    return scores


def _describe(fitted, fits, X, y):
    """Return attributes of the fitted estimator, and scores by region if it has any."""
    final = final_step(fitted)
    facts = {
        name: getattr(final, f"{name}_")
        for name in ("strategy", "overlap_density")
        if hasattr(final, f"{name}_")
    }
    if not hasattr(final, "overlap_detector_"):
        return facts
    regions = final.overlap_detector_.predict(before_final(fitted, X))
    facts["region_share"] = {name: np.mean(regions == name) for name in REGIONS}
    score: Any = partial(region_accuracy, missing_label=None)
    key = "region_accuracy"
    if is_regressor(final):
        score, key = region_rmse, "region_rmse"
    facts[key] = {
        name: dict.fromkeys(REGIONS, np.nan)
        if fit.estimator is None
        else score(y, fit.estimator.predict(X), regions)
        for name, fit in fits.items()
    }
    return facts


def _report_failures(folds, error_score):
    errors = [error for fold in folds for error in fold["errors"]]
    if not errors:
        return
    if all(fold["has_failed"] for fold in folds):
        msg = f"All {len(folds)} fits of the estimator failed. The first error:\n"
        raise ValueError(msg + errors[0])
    warn(
        f"{len(errors)} of the fits or scores failed; their scores are set to "
        f"error_score={error_score}. The first error:\n{errors[0]}",
        FitFailedWarning,
    )


def gather(folds, metrics, confidence_level, seed, return_estimator):
    """Turn results of `run_fold` into those of `cross_validate_gap`."""
    results = {"confidence_level": confidence_level}
    for metric in metrics:
        suffix = "" if metrics == ("score",) else f"_{metric}"
        scores = {
            name: np.array([fold["score"][name][metric] for fold in folds])
            for name in RIVALS
        }
        results |= {f"{name}_{metric}": scores[name] for name in RIVALS}
        compared = [scores[name] for name in ("weak", "weak_to_strong", "ceiling")]
        results[f"performance_gap_recovered{suffix}"] = recovered_share(*compared)
        share, interval = pool(*compared, confidence_level=confidence_level, seed=seed)
        results[f"gap_recovered{suffix}"] = share
        results[f"gap_recovered_interval{suffix}"] = interval
    results |= {name: np.array([fold[name] for fold in folds]) for name in _COUNTS}
    for name in RIVALS[1:]:
        times = [fold["fit_time"][name] for fold in folds]
        results[f"{name}_fit_time"] = np.array(times)
        if return_estimator:
            results[f"{name}_estimator"] = [fold["estimator"][name] for fold in folds]
    return results | _gather_facts(folds)


def _gather_facts(folds):
    """Gather attributes and scores by region that at least one of the fits has."""
    facts = {}
    if any("strategy" in fold for fold in folds):
        # Of objects: a strategy can be a function.
        facts["strategy"] = np.array([f.get("strategy") for f in folds], dtype=object)
    if any("overlap_density" in fold for fold in folds):
        values = [fold.get("overlap_density", np.nan) for fold in folds]
        facts["overlap_density"] = np.array(values, dtype=np.float64)
    judged = [fold for fold in folds if "region_share" in fold]
    if judged:
        for name in [n for n in _BY_REGION if n in judged[0]]:
            values = [fold.get(name) for fold in folds]
            facts[name] = _stack_folds(values, judged[0][name])
    return facts


def _stack_folds(values, shape):
    """Stack nested dicts of numbers, as `shape` is one, into dicts of arrays."""
    if not isinstance(shape, dict):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return {
        key: _stack_folds([None if v is None else v[key] for v in values], part)
        for key, part in shape.items()
    }


def pool(weak, weak_to_strong, ceiling, *, confidence_level, seed):
    """Return the recovered share of a gap beyond its noise, and its interval."""
    gaps, n_folds = ceiling - weak, len(weak)
    # By Student's t over folds; that of a single fold is unknown.
    noise = np.inf
    if n_folds > 1:
        error = np.std(gaps, ddof=1) / np.sqrt(n_folds)
        noise = student_t.ppf(confidence_level, n_folds - 1) * error
    # Written so that NaN fails it.
    if not np.mean(gaps) > max(0, noise):
        return np.nan, np.full(2, np.nan)
    share = recovered_share(weak.mean(), weak_to_strong.mean(), ceiling.mean())
    rng = np.random.default_rng(seed)
    drawn = rng.integers(n_folds, size=(N_DRAWS, n_folds))
    means = (scores[drawn].mean(axis=1) for scores in (weak, weak_to_strong, ceiling))
    tail = (1 - confidence_level) / 2
    return float(share), np.nanquantile(recovered_share(*means), [tail, 1 - tail])

"""Cross-validate at several sizes, and gather the folds."""

from numbers import Real

import numpy as np
from joblib import effective_n_jobs
from scipy.stats import t as student_t
from sklearn.base import is_regressor
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
from sklearn_w2s._cross_fit import require_routing
from sklearn_w2s._display import Countdown
from sklearn_w2s._pipeline import (
    default_scoring,
    final_step,
    require_weak_to_strong,
    strong_alone,
)
from sklearn_w2s._sklearn import routing_enabled
from sklearn_w2s._validation import check_level, check_target, require_rows
from sklearn_w2s._warnings import keeps_filters, warn
from sklearn_w2s.model_selection._gap_fold import RIVALS, Trial, run_fold
from sklearn_w2s.model_selection._split import LabeledSplit, refuse_class

_LARGEST_SEED = np.iinfo(np.int32).max


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
    """Cross-validate the gap for several numbers of rows, on the same folds.

    Parameters
    ----------
    sizes : list of (labeled_size, unlabeled_size)
        Rows to use.
    on_fit : callable, default=None
        Called with "estimator" or "alone" and the number of its rows before each fit,
        where folds are not run at the same time.
    on_folds : callable, default=None
        Called with the list of all folds that are done, as from `run_fold`, each time
        that some are. All other parameters are those of `cross_validate_gap`.

    Returns
    -------
    list of dict
        One for each of the sizes, as from `cross_validate_gap`.
    """
    _check_settings(estimator, confidence_level, error_score)
    require_rows(X)
    X, y = indexable(X, y)
    missing_label = final_step(estimator).missing_label
    regresses = is_regressor(final_step(estimator))
    labels, labeled = check_target(y, missing_label, of_values=regresses)
    if not regresses:
        refuse_class(missing_label, labels)
    all_labels = np.empty(len(labeled), dtype=labels.dtype)
    all_labels[labeled] = labels
    if isinstance(scoring, str) and scoring == "auto":
        scoring = default_scoring(final_step(estimator))
    scorer, metrics = _check_scoring(scoring, error_score)
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
        # Of folds one after the other joblib says what they took, not what is left.
        on_folds, verbose = Countdown(len(tasks)).tell, 0
    parallel = keeps_filters(Parallel(n_jobs=n_jobs, verbose=verbose))
    folds, step = [], len(tasks) if on_folds is None else effective_n_jobs(n_jobs)
    for start in range(0, len(tasks), step):
        folds += parallel(tasks[start : start + step])
        if on_folds is not None:
            on_folds(folds)
    _tell_errors(folds, error_score)
    by_size = [folds[i : i + len(splits)] for i in range(0, len(folds), len(splits))]
    return [
        gather(one_size, metrics, confidence_level, pooling_seed, return_estimator)
        for one_size in by_size
    ]


def _check_settings(estimator, confidence_level, error_score):
    require_weak_to_strong(estimator)
    check_level(confidence_level)
    if error_score != "raise" and not isinstance(error_score, Real):
        msg = f'error_score={error_score!r} must be a number or "raise".'
        raise ValueError(msg)


def _check_scoring(scoring, error_score):
    """Return one scorer that gives a dict, and the keys of it."""
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


def _tell_errors(folds, error_score):
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


N_DRAWS = 2000
_BY_REGION = ("region_share", "region_accuracy", "region_rmse")
_COUNTS = ("n_labeled", "n_unlabeled", "n_hidden", "n_test")


def is_beyond_noise(gaps, confidence_level):
    """Say whether the mean gap is above zero by more than the noise of folds.

    That is, whether it exceeds its standard error over folds, times the one-sided
    quantile of Student's t with one degree of freedom less than there are folds.

    Parameters
    ----------
    gaps : ndarray of shape (n_folds,)
        Ceiling score minus weak score of each fold.
    confidence_level : float
        Level of the quantile.

    Returns
    -------
    bool
        False with a single fold, of which the noise is unknown, or if a gap is NaN.
    """
    n_folds = len(gaps)
    if n_folds < 2:
        return False
    error = np.std(gaps, ddof=1) / np.sqrt(n_folds)
    mean = np.mean(gaps)
    return bool(
        mean > 0 and mean > student_t.ppf(confidence_level, n_folds - 1) * error
    )


def pool(weak, weak_to_strong, ceiling, *, confidence_level, seed):
    """Return the share of the mean gap that is recovered, and its interval.

    Parameters
    ----------
    weak, weak_to_strong, ceiling : ndarray of shape (n_folds,)
        Scores, greater is better.
    confidence_level : float
        Level of the interval, and of the test for a gap.
    seed : int
        Draws folds.

    Returns
    -------
    share : float
        Ratio of the mean differences; NaN where the gap is within its noise.
    interval : ndarray of shape (2,)
        Quantiles of the ratio over draws of folds with replacement, those without a
        gap left out.
    """
    if not is_beyond_noise(ceiling - weak, confidence_level):
        return np.nan, np.full(2, np.nan)
    share = recovered_share(weak.mean(), weak_to_strong.mean(), ceiling.mean())
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(weak), size=(N_DRAWS, len(weak)))
    means = (scores[drawn].mean(axis=1) for scores in (weak, weak_to_strong, ceiling))
    tail = (1 - confidence_level) / 2
    return float(share), np.nanquantile(recovered_share(*means), [tail, 1 - tail])


def gather(folds, metrics, confidence_level, seed, return_estimator):
    """Turn results of folds into arrays, with the shares of the gap recovered.

    Parameters
    ----------
    folds : list of dict
        As from `run_fold`.
    metrics : tuple of str
        Keys of the scores.
    confidence_level : float
        Level of the interval and of the test for a gap.
    seed : int
        Draws the interval.
    return_estimator : bool
        Whether to keep the fitted estimators.

    Returns
    -------
    dict
        As from `cross_validate_gap`.
    """
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
    """Gather what at least one of the fits tells of itself."""
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
            facts[name] = _stack(values, judged[0][name])
    return facts


def _stack(values, shape):
    """Stack nested dicts of numbers, as `shape` is one, into dicts of arrays."""
    if not isinstance(shape, dict):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return {
        key: _stack([None if v is None else v[key] for v in values], part)
        for key, part in shape.items()
    }

"""One fold: fit weak-to-strong and its rivals, and judge them on the same rows."""

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from traceback import format_exc
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._estimators import draw_seed, seed_nested
from sklearn_w2s._fitting import fit_weighted, take_metadata
from sklearn_w2s._pipeline import before_final, final_step, weak_alone
from sklearn_w2s._sklearn import routing_enabled, safe_indexing
from sklearn_w2s._validation import mark_unlabeled, n_rows
from sklearn_w2s.metrics import region_accuracy, region_rmse
from sklearn_w2s.model_selection._split import count_rows, draw_labeled, no_classes

RIVALS = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")


@dataclass(frozen=True)
class Trial:
    """What all folds have in common.

    Parameters
    ----------
    estimator : classifier or regressor instance
        A weak-to-strong one, or a pipeline that ends in one; not changed.
    alone : classifier or regressor instance
        As from `strong_alone`.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    labels : ndarray of shape (n,)
        Labels; anything where there is none.
    labeled : ndarray of shape (n,) of bool
        Which rows have a label.
    missing_label : scalar
        Marker.
    scorer : callable
        Returns a dict of scores, of an estimator, rows and labels; the traceback in
        place of a score that failed.
    metrics : tuple of str
        Keys of that dict.
    params : dict of str to dict
        Metadata for "estimator", "alone" and "scorer".
    error_score : "raise" or float
        Score where a fit fails.
    return_estimator : bool
        Whether results hold fitted estimators, which cost time to send between
        processes.
    on_fit : callable or None
        Told of each fit before it begins: which, and of how many rows.
    """

    estimator: Any
    alone: Any
    X: Any
    labels: Any
    labeled: Any
    missing_label: Any
    scorer: Any
    metrics: tuple
    params: dict
    error_score: Any
    return_estimator: bool
    on_fit: Any = None


class Fit(NamedTuple):
    """What came of a fit: the estimator, or the error and None."""

    estimator: Any = None
    seconds: float = np.nan
    error: str = ""


def run_fold(trial, train, test, sizes, seed):
    """Fit and judge weak, weak-to-strong, strong on labels and ceiling.

    Parameters
    ----------
    trial : Trial
        Data, estimators and scores.
    train, test : ndarray of int
        Positions of training rows, and of labeled test rows.
    sizes : tuple of (labeled_size, unlabeled_size)
        Rows to use, as in `cross_validate_gap`.
    seed : int
        Draws rows and seeds estimators.

    Returns
    -------
    dict
        Results of the fold; "errors" lists what went wrong.
    """
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
        classes = no_classes(classes)
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
    """Return what the fit tells of itself, and scores by region where it can."""
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

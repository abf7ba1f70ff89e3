"""Gather the folds, and say which share of the gap they recover, with an interval."""

from numbers import Real

import numpy as np
from scipy.stats import t as student_t

from sklearn_w2s._algorithms.gap import recovered_share
from sklearn_w2s.model_selection._gap_fold import RIVALS

N_DRAWS = 2000
_BY_REGION = ("region_share", "region_accuracy", "region_rmse")
_COUNTS = ("n_labeled", "n_unlabeled", "n_hidden", "n_test")


def check_level(confidence_level):
    """Refuse a level that is no number in (0, 1).

    Raises
    ------
    ValueError
        If it is none.
    """
    is_number = isinstance(confidence_level, Real)
    if not (is_number and 0 < float(confidence_level) < 1):
        msg = f"confidence_level={confidence_level!r} must be a number in (0, 1)."
        raise ValueError(msg)


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

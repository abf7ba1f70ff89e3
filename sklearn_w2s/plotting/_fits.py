"""The four fits that are compared: their looks, their intervals, their results."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import t as student_t
from sklearn.utils import check_array

from sklearn_w2s._display import SHORT_NAMES
from sklearn_w2s._pipeline import default_scoring, final_step

# From the lowest line up. Okabe-Ito colours of clearly different lightness.
MARKS = {
    "weak": {"color": "#000000", "marker": "o"},
    "strong_on_labels": {"color": "#56B4E9", "marker": "s"},
    "weak_to_strong": {"color": "#D55E00", "marker": "D"},
    "ceiling": {"color": "#0072B2", "marker": "^"},
}
_SHORT = {
    "neg_root_mean_squared_error": "negative RMSE",
    "neg_mean_absolute_error": "negative MAE",
}
SAME = "ceiling =\nstrong on labels"
# Scores that three decimals tell apart, as accuracies and errors of such a size.
_LEAST_USUAL, _MOST_USUAL = 0.01, 10
_DISPLAYS = {
    "cross_validate_gap": "GapDisplay",
    "gap_learning_curve": "GapLearningCurveDisplay",
    "overlap_curve": "OverlapCurveDisplay",
}


def check_scores(scores):
    """Return the scores of each fit as numbers.

    Parameters
    ----------
    scores : dict of str to array-like
        Of all fits; of strong on labels, if there is one.

    Returns
    -------
    dict of str to ndarray
        Lowest fit first; NaN for strong on labels where there is none.

    Raises
    ------
    ValueError
        If scores of a fit are missing or infinite.
    """
    missing = [n for n in ("weak", "weak_to_strong", "ceiling") if n not in scores]
    if missing:
        msg = f"scores={scores!r} has no {missing[0]!r}; give one array per fit."
        raise ValueError(msg)
    given = {"strong_on_labels": np.full(np.shape(scores["weak"]), np.nan), **scores}
    return {
        name: check_array(
            given[name],
            dtype=np.float64,
            ensure_2d=False,
            ensure_all_finite="allow-nan",
            input_name=f"scores[{name!r}]",
        )
        for name in MARKS
    }


def label_fits(scores):
    """Return the fits to draw and their labels, lowest first.

    Parameters
    ----------
    scores : dict of str to ndarray
        Scores of each fit, alike in shape.

    Returns
    -------
    dict of str to str
        Labels by fit. Without strong on labels where it has no score, or where no label
        was hidden, so that it is the ceiling.
    """
    labels = dict(SHORT_NAMES)
    alone = scores["strong_on_labels"]
    if np.isnan(alone).all():
        del labels["strong_on_labels"]
    elif np.array_equal(alone, scores["ceiling"], equal_nan=True):
        del labels["strong_on_labels"]
        labels["ceiling"] = SAME
    return labels


def half_width(scores, confidence_level):
    """Return half the length of Student's interval of a mean over folds.

    Parameters
    ----------
    scores : ndarray of shape (..., n_folds)
        Scores.
    confidence_level : float
        Level, in (0, 1).

    Returns
    -------
    ndarray of shape (...)
        0 with a single fold; NaN where a fold is.
    """
    n_folds = scores.shape[-1]
    if n_folds < 2:
        return np.zeros(scores.shape[:-1])
    quantile = student_t.ppf((1 + confidence_level) / 2, n_folds - 1)
    return quantile * np.std(scores, axis=-1, ddof=1) / np.sqrt(n_folds)


def describe_folds(n_folds, confidence_level):
    """Return what a mark and its bar are, in words."""
    plural = "" if n_folds == 1 else "s"
    return f"{n_folds} fold{plural}, mean with {100 * confidence_level:.4g}% interval"


def check_results(results, function):
    """Refuse results that are not of a function.

    Parameters
    ----------
    results : dict
        What to draw.
    function : str
        Name of a function of `sklearn_w2s.model_selection`.

    Raises
    ------
    ValueError
        If they are of another one, which is named, or of none.
    """
    found = _find_function(results)
    if found is None:
        what = list(results) if isinstance(results, Mapping) else type(results).__name__
        msg = f"results must be the dict that {function} returns, not {what}."
        raise ValueError(msg)
    if found != function:
        msg = (
            f"results are those of {found}, but must be those of {function}. Draw them "
            f"with {_DISPLAYS[found]}.from_cv_results."
        )
        raise ValueError(msg)


def _find_function(results):
    if not isinstance(results, Mapping):
        return None
    if "overlap_share" in results:
        return "overlap_curve"
    if "labeled_sizes" in results:
        return "gap_learning_curve"
    # With several scores, the name of each follows.
    is_gap = any(str(name).startswith("gap_recovered") for name in results)
    return "cross_validate_gap" if is_gap else None


def choose_metric(results, metric):
    """Return the name of the scores to draw.

    Parameters
    ----------
    results : dict
        Of `cross_validate_gap` or `gap_learning_curve`.
    metric : str or None
        One of several; None where there is one.

    Returns
    -------
    str
        The name; "score" where the results give none.

    Raises
    ------
    ValueError
        If it is not among the results, or is None where there are several.
    """
    known = [
        key.removeprefix("ceiling_")
        for key in results
        if key.startswith("ceiling_")
        and key not in ("ceiling_fit_time", "ceiling_estimator")
    ]
    if metric is None and len(known) == 1:
        return known[0]
    if metric not in known:
        msg = f"metric={metric!r} must be one of the scores of results: {known}."
        raise ValueError(msg)
    return metric


def take_scores(results, metric):
    """Return the scores of each fit that has them.

    Parameters
    ----------
    results : dict
        Of `cross_validate_gap` or `gap_learning_curve`.
    metric : str
        As `choose_metric` returns it.

    Returns
    -------
    dict of str to ndarray
        Scores by fit.
    """
    return {
        name: results[f"{name}_{metric}"]
        for name in MARKS
        if f"{name}_{metric}" in results
    }


def score_text(score):
    """Return a score with three decimals, or four digits where the unit asks for it."""
    is_usual = score == 0 or _LEAST_USUAL <= abs(score) < _MOST_USUAL
    return f"{score:.3f}" if is_usual else f"{score:.4g}"


def name_score(scoring, estimator=None):
    """Return the name of a score, or None where it is not a name.

    Parameters
    ----------
    scoring : object
        As `cross_validate_gap` takes it.
    estimator : estimator instance, default=None
        What is compared, which says what "auto" is.

    Returns
    -------
    str or None
        The name.
    """
    if isinstance(scoring, str) and scoring == "auto":
        scoring = default_scoring(final_step(estimator))
    return _SHORT.get(scoring, scoring) if isinstance(scoring, str) else None

"""How the gap closes as labels, or unlabeled rows, grow in number."""

from typing import Any

import numpy as np

from sklearn_w2s.model_selection._gap_sizes import cross_validate_sizes


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
        Above 0, a line after each fold, with an estimate of the time that is left.
        Callbacks of the estimators, which scikit-learn has from 1.9 on, are told of
        every fit as of one of its own.
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
        If the estimator is no weak-to-strong estimator.
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
        **_stack(results),
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


def _stack(results):
    """Stack dicts of arrays, which may be nested, into one."""
    if not isinstance(results[0], dict):
        return np.array(results)
    # A strategy may find regions at some sizes only.
    names = dict.fromkeys(name for result in results for name in result)
    return {
        name: _stack([result[name] for result in results])
        for name in names
        if all(name in result for result in results)
    }

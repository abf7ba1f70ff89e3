"""What weak-to-strong is worth: cross-validation, and curves over rows."""

from typing import Any

import numpy as np

from sklearn_w2s.model_selection._gap_sizes import cross_validate_sizes


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

"""Score a strong estimator against the share of overlap rows that it learns from."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedShuffleSplit,
    check_cv,
    train_test_split,
)
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from sklearn_w2s._algorithms.overlap import OVERLAP
from sklearn_w2s._algorithms.shares import apportion
from sklearn_w2s._cross_fit import require_groups
from sklearn_w2s._estimators import draw_seed, seed_nested
from sklearn_w2s._fitting import adapt, take_metadata
from sklearn_w2s._pipeline import default_scoring, final_step
from sklearn_w2s._sklearn import routing_enabled, safe_indexing
from sklearn_w2s._validation import (
    check_frame,
    check_regions,
    check_target,
    classes_of,
    is_class,
    is_dataframe,
    mark_unlabeled,
    require_rows,
)
from sklearn_w2s._warnings import keeps_filters, warn
from sklearn_w2s._weak import learns_values
from sklearn_w2s.model_selection._split import require_two_classes


def overlap_curve(
    weak_estimator: Any,
    strong_estimator: Any,
    X: Any,
    y: Any,
    regions: Any,
    *,
    overlap_shares: Any = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    n_samples: int | None = None,
    matched: bool = False,
    weak_size: float = 0.5,
    cv: Any = None,
    n_repeats: int = 5,
    scoring: str | Callable[..., Any] | None = "auto",
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
) -> dict[str, Any]:
    r"""Score a strong estimator at several shares of overlap rows among its rows.

    The mixing experiment of [1]_, for data whose true labels are known. In each repeat
    the training rows are parted at random: on the first part the weak estimator is
    fitted, the second is the pool. At each share p, a number of rows that is the same
    for all shares is drawn from the pool, p of them overlap rows and the others rows
    that are easy or hard, as many of each as chance gives. The strong estimator is
    fitted on their weak labels and scored on the test rows, which are the same for all
    shares. With two regressors, labels are values.

    Parameters
    ----------
    weak_estimator : classifier or regressor instance
        Fitted on its part of the training rows; its predictions are the weak labels.
    strong_estimator : classifier or regressor instance
        Fitted on the weak labels of the rows drawn and, as the ceiling, on their true
        labels. Of the same kind.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        True labels, or values, of all rows.
    regions : array-like of shape (n,) or detector instance
        "easy", "hard" or "overlap" for each row. A detector, such as
        :class:`~sklearn_w2s.OverlapDetector`, is fitted on the training rows with the
        labels of the pool hidden, and its `predict` names the regions of the pool. If
        its `weak_estimator` is None, it gets the weak estimator.
    overlap_shares : array-like of shape (n_shares,), default=(0.0, 0.1, ..., 1.0)
        Shares of overlap rows, in [0, 1].
    n_samples : int, default=None
        Rows drawn at each share. None is the most at which all shares are possible in
        all repeats.
    matched : bool, default=False
        Whether the weak labels of the rows drawn are equally good at all shares, see
        Notes. Of classes only.
    weak_size : float, default=0.5
        Share of the training rows, in (0, 1), that the weak estimator is fitted on.
    cv : int, splitter, iterable of (train, test) or None, default=None
        Training and test rows, split once. None holds out a quarter once, stratified by
        class; an int is a number of stratified folds. Rows with values are drawn at
        random.
    n_repeats : int, default=5
        Repeats for each test set.
    scoring : str, callable or None, default="auto"
        Name of a scorer of scikit-learn, or ``callable(estimator, X, y)``; None is the
        `score` of the estimators. "auto" is "accuracy", and of regressors
        "neg_root_mean_squared_error".
    n_jobs : int, default=None
        Fits at the same time.
    random_state : int, RandomState instance or None, default=None
        Parts the rows, draws them, and seeds every `random_state` of the estimators and
        the detector that is None.
    verbose : int, default=0
        Progress of the fits, as in :class:`joblib.Parallel`. With scikit-learn 1.9 or
        later, callbacks of the estimators are notified of every fit as a separate run.
    params : dict, default=None
        Metadata for the estimators, a detector, the splitter and the scorer, routed to
        those that request it; needs metadata routing.

    Returns
    -------
    dict
        With the keys:

        overlap_share : ndarray of shape (n_shares,)
            Shares asked for.
        weak_score : ndarray of shape (n_scores,)
            Scores of the weak estimator; n_scores is the number of repeats of all test
            sets.
        weak_to_strong_score : ndarray of shape (n_shares, n_scores)
            Scores of the strong estimator fitted on weak labels.
        ceiling_score : ndarray of shape (n_shares, n_scores)
            Scores of the strong estimator fitted on the true labels of the same rows.
        weak_label_accuracy : ndarray of shape (n_shares, n_scores)
            Share of weak labels that are true, of the rows drawn. Of classes only.
        weak_label_rmse : ndarray of shape (n_shares, n_scores)
            Root mean squared error of the weak values of the rows drawn, in the unit of
            y. Of values only.
        class_share : ndarray of shape (n_shares, n_scores, n_classes)
            Share of each class, in sorted order, among the rows drawn. Of classes only.
        overlap_density : ndarray of shape (n_scores,)
            Share of overlap rows in the pool.
        n_samples : int
            Rows drawn at each share.

    Raises
    ------
    ValueError
        If a share is impossible, if a parameter is out of its range, if one estimator
        is a classifier and another a regressor, if ``matched=True`` with regressors, or
        if y or a region is missing or unknown.

    Warns
    -----
    FitFailedWarning
        If the labels of the rows drawn are of one class only; the score is then NaN.

    See Also
    --------
    sklearn_w2s.plotting.OverlapCurveDisplay : Draws the result.

    Notes
    -----
    Rows are drawn without replacement, and those of the next share replace as few as
    possible, so that shares differ by their overlap and little else.

    The weak labels of overlap rows are often better than those of others, hard ones in
    particular: then the curve rises with the quality of the labels, whether or not the
    overlap matters. With ``matched=True`` it cannot. Let :math:`o_c` and :math:`r_c` be
    the numbers of overlap rows and of others in the pool, the fewest of all repeats, in
    the cell :math:`c` of those with a given true class whose weak label is right, or
    wrong. At all shares and in all repeats, of cell :math:`c`

    .. math:: m_c = \left\lfloor \min\left(\frac{o_c}{p_\text{max}},
        \frac{r_c}{1 - p_\text{min}}\right) \right\rfloor

    rows are drawn, and :math:`p\, m_c` of them are overlap rows, up to rounding; with
    `n_samples` they are fewer in proportion. Accuracy of the weak labels and class mix
    are then the same at all shares, and are part of the result. What is left of the
    slope is not due to them. The hard rows among the others are then mostly those whose
    weak label happens to be right, which teach the hard pattern as overlap rows do: a
    flat curve means that right labels explain the gain, not that overlap is of no use
    where the right ones are not known.

    References
    ----------
    .. [1] C. Shin, J. Cooper and F. Sala, "Weak-to-Strong Generalization Through the
       Data-Centric Lens", ICLR 2025. https://arxiv.org/abs/2412.03881

    Examples
    --------
    The weak estimator sees the easy features only. At the same number of rows, overlap
    rows teach the strong estimator the hard features, and their weak labels are better:

    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_w2s.datasets import make_overlap_classification
    >>> from sklearn_w2s.model_selection import overlap_curve
    >>> X, y, regions = make_overlap_classification(1200, random_state=0)
    >>> easy_features = make_column_transformer(("passthrough", slice(0, 20)))
    >>> weak = make_pipeline(easy_features, LogisticRegression())
    >>> strong = LogisticRegression(C=0.01)
    >>> curve = overlap_curve(
    ...     weak, strong, X, y, regions, overlap_shares=[0, 0.5, 1], random_state=0
    ... )
    >>> curve["weak_to_strong_score"].mean(axis=1).round(2)
    array([0.71, 0.79, 0.89])
    >>> curve["weak_label_accuracy"].mean(axis=1).round(2)
    array([0.72, 0.81, 0.87])
    """
    shares = _check_numbers(overlap_shares, n_samples, weak_size, n_repeats)
    require_rows(X)
    X, y = indexable(X, y)
    if is_dataframe(X):
        check_frame(X)
    weak, strong = adapt(weak_estimator), adapt(strong_estimator)
    of_values = _require_one_kind(weak, strong, matched)
    y = _check_truth(y, of_values)
    regions = _check_detector(regions, weak, X, y, of_values)
    scorer = _check_scoring(strong, scoring)
    rng = check_random_state(random_state)
    cv = _check_cv(cv, y, of_values, rng)
    routed = _route(weak, strong, regions, cv, scorer, params)
    parallel = keeps_filters(Parallel(n_jobs=n_jobs, verbose=verbose))

    to_split = routed["splitter"].get("split", {})
    require_groups(cv, to_split.get("groups"))
    splits = list(cv.split(X, y, **to_split))
    data = _Data(X, y, of_values, scorer, routed)
    pools = parallel(
        delayed(_label_pool)(
            clone(weak), regions, data, train, test, weak_size, draw_seed(rng)
        )
        for train, test in splits
        for _ in range(n_repeats)
    )
    cells = _cells(pools, y, matched)
    mixed = [
        (of_rows, pool.is_overlap) for of_rows, pool in zip(cells, pools, strict=True)
    ]
    sizes = rows_per_cell(mixed, shares, n_samples, matched=matched)
    drawn = [
        draw_positions(*parts, sizes, shares, np.random.RandomState(pool.seed))
        for parts, pool in zip(mixed, pools, strict=True)
    ]
    lessons = [
        (pool, positions, labels)
        for pool, of_pool in zip(pools, drawn, strict=True)
        for positions in of_pool
        for labels in (pool.weak_labels[positions], y[pool.rows[positions]])
    ]
    scores = parallel(
        delayed(_fit_and_score)(clone(strong), data, *lesson) for lesson in lessons
    )
    # One row per share, one column per repeat; weak labels first, then true ones.
    scores = np.reshape(scores, (len(pools), len(shares), 2)).T
    missing = np.isnan(scores).any(axis=(0, 2))
    if missing.any():
        msg = (
            "Some scores are NaN: at the overlap shares "
            f"{shares[missing].tolist()} all labels of a draw were of one class, or "
            "the scorer returned NaN. Draw more rows, or leave these shares out."
        )
        warn(msg, FitFailedWarning)
    return {
        "overlap_share": shares,
        "weak_score": np.array([pool.weak_score for pool in pools]),
        "weak_to_strong_score": scores[0],
        "ceiling_score": scores[1],
        **_describe(pools, drawn, data),
        "overlap_density": np.array([pool.is_overlap.mean() for pool in pools]),
        "n_samples": int(sizes.sum()),
    }


class _Data(NamedTuple):
    """What every fit needs: all rows, true labels, the scorer, routed metadata."""

    X: object
    y: np.ndarray
    of_values: bool
    scorer: object
    routed: dict


class _Pool(NamedTuple):
    """Rows to draw from, with their weak labels, and the test rows of the repeat."""

    rows: np.ndarray
    weak_labels: np.ndarray
    is_overlap: np.ndarray
    test: np.ndarray
    weak_score: float
    seed: int


def _label_pool(weak, regions, data, train, test, weak_size, seed):
    rng = np.random.RandomState(seed)
    # Stratified, so that a small class does not go missing in either part.
    taught, rows = train_test_split(
        train,
        train_size=weak_size,
        stratify=None if data.of_values else data.y[train],
        random_state=draw_seed(rng),
    )
    seed_nested(weak, draw_seed(rng))
    _fit(weak, data, "weak_estimator", taught, data.y[taught])
    if hasattr(regions, "predict"):
        seen = np.concatenate([taught, rows])
        marker = np.nan if data.of_values else regions.missing_label
        # The labels of the pool are hidden from the detector.
        labels = mark_unlabeled(
            data.y[taught], np.arange(len(seen)) < len(taught), marker
        )
        detector = seed_nested(clone(regions), draw_seed(rng))
        _fit(detector, data, "regions", seen, labels)
        found = detector.predict(safe_indexing(data.X, rows))
        regions = check_regions(found, name="regions.predict(X)")
    else:
        regions = regions[rows]
    return _Pool(
        rows=rows,
        weak_labels=column_or_1d(weak.predict(safe_indexing(data.X, rows))),
        is_overlap=regions == OVERLAP,
        test=test,
        weak_score=_score(weak, data, test),
        seed=draw_seed(rng),
    )


def _cells(pools, y, matched):
    """Return the cells of the rows of pools: their class, and if the label is right."""
    if not matched:
        return [np.zeros(len(pool.rows), dtype=np.intp) for pool in pools]
    classes = classes_of(y, *(pool.weak_labels for pool in pools))
    truths = [y[pool.rows] for pool in pools]
    return [
        2 * np.searchsorted(classes, truth) + (pool.weak_labels == truth)
        for pool, truth in zip(pools, truths, strict=True)
    ]


def _fit_and_score(strong, data, pool, positions, labels):
    if not data.of_values and len(np.unique(labels)) < 2:
        return np.nan
    seed_nested(strong, pool.seed)
    _fit(strong, data, "strong_estimator", pool.rows[positions], labels)
    return _score(strong, data, pool.test)


def _fit(estimator, data, name, rows, labels):
    params = take_metadata(data.routed[name].get("fit", {}), rows, len(data.y))
    estimator.fit(safe_indexing(data.X, rows), labels, **params)


def _score(estimator, data, test):
    params = take_metadata(data.routed["scorer"].get("score", {}), test, len(data.y))
    return data.scorer(estimator, safe_indexing(data.X, test), data.y[test], **params)


def _describe(pools, drawn, data):
    """Return how good weak labels were, and the class mix, by share and repeat."""
    if data.of_values:
        squares = [(pool.weak_labels - data.y[pool.rows]) ** 2 for pool in pools]
        means = [
            [own[positions].mean() for positions in of_pool]
            for own, of_pool in zip(squares, drawn, strict=True)
        ]
        return {"weak_label_rmse": np.sqrt(np.transpose(means))}
    classes = np.unique(data.y)
    accuracy, mix = [], []
    for pool, of_pool in zip(pools, drawn, strict=True):
        truth = data.y[pool.rows]
        is_right = pool.weak_labels == truth
        is_class_of = truth[:, np.newaxis] == classes
        accuracy.append([is_right[positions].mean() for positions in of_pool])
        mix.append([is_class_of[positions].mean(axis=0) for positions in of_pool])
    return {
        "weak_label_accuracy": np.transpose(accuracy),
        "class_share": np.swapaxes(mix, 0, 1),
    }


def _route(weak, strong, regions, cv, scorer, params):
    params = params or {}
    if params and not routing_enabled():
        msg = (
            f"params has {sorted(params)}, but metadata routing is off. Switch on "
            "sklearn.set_config(enable_metadata_routing=True) and request them, or "
            "pass the splits themselves as cv where they are groups."
        )
        raise ValueError(msg)
    if not params:
        names = ("weak_estimator", "strong_estimator", "regions", "splitter", "scorer")
        return {name: {} for name in names}
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    to_score = MethodMapping().add(caller="fit", callee="score")
    router = (
        MetadataRouter(owner="overlap_curve")
        .add(weak_estimator=weak, method_mapping=to_fit)
        .add(strong_estimator=strong, method_mapping=to_fit)
        .add(regions=regions, method_mapping=to_fit)
        .add(splitter=cv, method_mapping=to_split)
        .add(scorer=scorer, method_mapping=to_score)
    )
    return process_routing(router, "fit", **params)


def _check_numbers(overlap_shares, n_samples, weak_size, n_repeats):
    """Return the shares, as an array."""
    shares = column_or_1d(np.asarray(overlap_shares, dtype=np.float64))
    # Written so that NaN fails it.
    if not len(shares) or not ((shares >= 0) & (shares <= 1)).all():
        msg = f"overlap_shares={overlap_shares!r} must hold shares of rows, in [0, 1]."
        raise ValueError(msg)
    is_enough = isinstance(n_samples, Integral) and int(n_samples) >= 2
    if n_samples is not None and not is_enough:
        msg = f"n_samples={n_samples!r} must be None or an integer of at least 2."
        raise ValueError(msg)
    if not (isinstance(n_repeats, Integral) and int(n_repeats) >= 1):
        msg = f"n_repeats={n_repeats!r} must be an integer of at least 1."
        raise ValueError(msg)
    if not (isinstance(weak_size, float) and 0 < weak_size < 1):
        msg = f"weak_size={weak_size!r} must be a share of the rows, in (0, 1)."
        raise ValueError(msg)
    return shares


def _require_one_kind(weak, strong, matched):
    """Return whether labels are values, and refuse what does not go together."""
    of_values = is_regressor(strong)
    if is_regressor(weak) != of_values:
        msg = (
            f"One of weak_estimator={weak!r} and strong_estimator={strong!r} is a "
            "regressor, and the other is not. Pass two of a kind."
        )
        raise ValueError(msg)
    if of_values and matched:
        msg = (
            "matched=True draws rows of equal class and correctness of the weak label; "
            "values have neither. Pass matched=False: weak_label_rmse measures the "
            "error of weak values."
        )
        raise ValueError(msg)
    return of_values


def _check_cv(cv, y, of_values, rng):
    """Return a splitter, which is random where it is a number of folds of values."""
    if cv is None:
        split = ShuffleSplit if of_values else StratifiedShuffleSplit
        return split(1, test_size=0.25, random_state=draw_seed(rng))
    if of_values and isinstance(cv, Integral):
        # Rows may be sorted by what they are worth.
        return KFold(cv, shuffle=True, random_state=draw_seed(rng))
    return check_cv(cv, y, classifier=not of_values)


def _check_truth(y, of_values):
    """Return the labels, which every row must have."""
    labels, labeled = check_target(y, None, of_values=of_values)
    if not labeled.all():
        msg = (
            f"y has no label in {(~labeled).sum()} row(s), the first at position "
            f"{labeled.argmin()}, and every row is compared with its true label. Leave "
            "out rows without one."
        )
        raise ValueError(msg)
    if not of_values:
        require_two_classes(labels)
    return labels


def _check_detector(regions, weak, X, y, of_values):
    """Return the regions of all rows, or a detector that asks the weak estimator."""
    if not hasattr(regions, "predict"):
        regions = check_regions(regions)
        indexable(X, regions)
        return regions
    if not hasattr(regions, "missing_label"):
        msg = (
            f"regions={regions!r} has no missing_label, by which the labels of the "
            "pool are hidden from it. Pass OverlapDetector, or the region of each row."
        )
        raise ValueError(msg)
    if not of_values and is_class(regions.missing_label, np.unique(y)):
        msg = (
            f"missing_label={regions.missing_label!r} of the detector is a class of y. "
            "Set it to another value."
        )
        raise ValueError(msg)
    detector = clone(regions)
    if detector.get_params(deep=False).get("weak_estimator", weak) is None:
        detector.set_params(weak_estimator=clone(weak))
    if hasattr(detector, "weak_estimator") and learns_values(detector) != of_values:
        msg = (
            f"regions={regions!r} has a weak_estimator of another kind than {weak!r}. "
            "Leave it None, or pass one of this kind."
        )
        raise ValueError(msg)
    return detector


def _check_scoring(strong, scoring):
    if scoring is not None and not isinstance(scoring, str) and not callable(scoring):
        msg = (
            f"scoring={scoring!r} must be the name of a scorer, a callable that takes "
            "an estimator, X and y, or None. Call overlap_curve once for each of "
            "several, with the same random_state."
        )
        raise ValueError(msg)
    if isinstance(scoring, str) and scoring == "auto":
        scoring = default_scoring(final_step(strong))
    return check_scoring(strong, scoring=scoring)


def rows_per_cell(pools, shares, n_samples, *, matched):
    """Return how many rows of each cell to draw at every share.

    A pool is the cell of each of its rows, and a mask of overlap rows; `matched` is for
    the message, and `n_samples` None is the most that all pools allow at all shares.
    """
    n_cells = 1 + max(cells.max() for cells, _ in pools)
    counts = np.array(
        [
            [
                np.bincount(cells[kind], minlength=n_cells)
                for kind in (overlap, ~overlap)
            ]
            for cells, overlap in pools
        ]
    )
    fewest = counts.min(axis=0)
    room = np.minimum(
        _most(fewest[0], shares.max()), _most(fewest[1], 1 - shares.min())
    )
    largest = room.sum()
    if largest < max(2, n_samples or 0):
        n_overlap, n_others = counts.sum(axis=2).min(axis=0)
        wanted = "Two" if n_samples is None else f"n_samples={n_samples}"
        alike = ", of equal class and correctness of the weak label" if matched else ""
        msg = (
            f"{wanted} rows at each of overlap_shares={shares.tolist()} are "
            f"impossible: the pool of a repeat may have {n_overlap} overlap rows and "
            f"{n_others} others, which allows {largest}{alike}. Pass more rows, "
            "shares nearer to their density, or a smaller n_samples."
        )
        raise ValueError(msg)
    return room if n_samples is None else apportion(n_samples * room / largest)


def draw_positions(cells, is_overlap, sizes, shares, rng):
    """Draw `sizes` rows of each cell at each share, as alike as possible, sorted."""
    order = rng.permutation(len(cells))
    queues = [
        [
            order[(cells[order] == cell) & (is_overlap[order] == kind)]
            for cell in range(len(sizes))
        ]
        for kind in (True, False)
    ]
    drawn = []
    for share in shares:
        n_overlap = apportion(share * sizes)
        taken = [
            queue[:n]
            for kind, numbers in zip(
                queues, (n_overlap, sizes - n_overlap), strict=True
            )
            for queue, n in zip(kind, numbers, strict=True)
        ]
        drawn.append(np.sort(np.concatenate(taken)))
    return drawn


def _most(counts, share):
    if share == 0:
        return np.full(counts.shape, np.iinfo(np.intp).max)
    # A quotient that is whole but for rounding must not lose a row.
    return np.floor(counts / share + 1e-9).astype(np.intp)

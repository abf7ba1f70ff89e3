"""Class probabilities for labeled rows from estimators that did not see them."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv
from sklearn.utils.parallel import Parallel, delayed

from sklearn_w2s._fitting import fit_weighted, predict_aligned, take_metadata
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import n_rows

N_FOLDS = 5


def out_of_fold_proba(
    estimator, X, y, classes, *, cv, sample_weight, params, n_jobs, random_state
):
    """Predict the labeled rows, each with estimators fitted on the other folds.

    Parameters
    ----------
    estimator : classifier instance
        Cloned for every fold.
    X : {array-like, sparse matrix, data frame} of shape (n, n_features)
        Labeled rows.
    y : ndarray of shape (n,)
        Their labels.
    classes : ndarray of shape (n_classes,)
        Columns of the result.
    cv : int, float, splitter, iterable or None
        None: 5 stratified folds. With None or an int there are fewer folds where the
        smallest class has fewer rows (2 at least). A float in (0, 1) holds that share
        out once. In all these cases the only row of a class stays in every training
        set, and rows of weight zero are left out. A splitter gets all rows.
    sample_weight : ndarray of shape (n,) or None
        Weights; rows of weight zero are never trained on.
    params : dict
        Further arguments of the estimator's `fit`, row-wise where as long as X.
    n_jobs : int or None
        Folds fitted at the same time.
    random_state : int, RandomState instance or None
        Draws the split of a float `cv`.

    Returns
    -------
    proba : ndarray of shape (n, n_classes)
        Probabilities, averaged where a row is held out more than once; NaN where it
        never is.

    Raises
    ------
    ValueError
        If `cv` does not split the rows, or leaves one class only to train on.
    """
    folds = held_out_folds(cv, X, y, sample_weight, random_state)
    fold_proba = Parallel(n_jobs=n_jobs)(
        delayed(_fit_predict)(
            clone(estimator), X, y, classes, train, test, sample_weight, params
        )
        for train, test in folds
    )
    total = np.zeros((n_rows(X), len(classes)))
    times = np.zeros((n_rows(X), 1))
    for (_, test), proba in zip(folds, fold_proba, strict=True):
        total[test] += proba
        times[test] += 1
    return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0)


def held_out_folds(cv, X, y, sample_weight, random_state):
    """Return positions of labeled rows to train on and to hold out, fold by fold.

    Parameters
    ----------
    cv, X, y, sample_weight, random_state : object
        As in `out_of_fold_proba`.

    Returns
    -------
    list of (ndarray, ndarray)
        Positions; the first of each pair have positive weight.

    Raises
    ------
    ValueError
        If `cv` does not split the rows, or leaves one class only to train on.
    """
    is_weighty = np.full(len(y), True) if sample_weight is None else sample_weight > 0
    try:
        if cv is None or isinstance(cv, Real):
            cv = N_FOLDS if cv is None else cv
            folds = _stratified_folds(y, np.flatnonzero(is_weighty), cv, random_state)
        else:
            folds = list(check_cv(cv, y, classifier=True).split(X, y))
    except ValueError as error:
        msg = f"cv={cv!r} does not split the {len(y)} labeled rows: {error}"
        raise ValueError(msg) from error
    rows = np.arange(len(y))
    folds = [(rows[train][is_weighty[train]], test) for train, test in folds]
    if any(len(np.unique(y[train])) < 2 for train, _ in folds):
        msg = (
            f"cv={cv!r} leaves labeled rows of one class only to train on. Stratify or "
            "shuffle the rows, or label more of them."
        )
        raise ValueError(msg)
    return folds


def _stratified_folds(y, rows, cv, random_state):
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    is_single = counts[codes] == 1
    repeated, single = rows[~is_single], rows[is_single]
    if not len(repeated):
        return []
    if isinstance(cv, Integral):
        splitter = StratifiedKFold(min(cv, counts[counts > 1].min()))
    else:
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=random_state)
    return [
        (np.sort(np.concatenate([repeated[train], single])), repeated[test])
        for train, test in splitter.split(repeated, y[repeated])
    ]


def _fit_predict(estimator, X, y, classes, train, test, sample_weight, params):
    weights = None if sample_weight is None else sample_weight[train]
    fit_params = take_metadata(params, train, n_rows(X))
    fit_weighted(estimator, safe_indexing(X, train), y[train], weights, **fit_params)
    return predict_aligned(estimator, safe_indexing(X, test), classes)


def out_of_bag_proba(forest, X):
    """Return what the trees of a forest say of the rows that they have not seen.

    Unlike `oob_score` of the forest, it takes rows of great weight, which every tree
    has seen, without a warning.

    Parameters
    ----------
    forest : RandomForestClassifier or RandomForestRegressor
        Fitted on X with bootstrap samples; a regressor was fitted on probabilities.
    X : {ndarray, csr matrix} of shape (n, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Means over trees; NaN where all have seen the row.
    """
    # Trees compare in single precision; converted once, not by each of them.
    X = X.astype(np.float32)
    ask = "predict_proba" if is_classifier(forest) else "predict"
    n_classes = len(forest.classes_) if is_classifier(forest) else forest.n_outputs_
    total = np.zeros((X.shape[0], n_classes))
    n_trees = np.zeros((X.shape[0], 1))
    for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.delete(np.arange(X.shape[0]), seen)
        if len(unseen):
            said = getattr(tree, ask)(X[unseen])
            total[unseen] += said.reshape(len(unseen), n_classes)
            n_trees[unseen] += 1
    total[n_trees[:, 0] == 0] = np.nan
    return total / np.maximum(n_trees, 1)

"""Class probabilities for labeled rows from estimators that did not see them."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, check_cv
from sklearn.utils.parallel import Parallel, delayed

from sklearn_w2s._fitting import fit_weighted, take_metadata
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import align_proba, n_rows


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
        smallest class has fewer rows (2 at least), and the only row of a class stays
        in every training set. A float in (0, 1) holds that share out once.
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
    """
    folds = _folds(cv, X, y, sample_weight, random_state)
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


def _folds(cv, X, y, sample_weight, random_state):
    if isinstance(cv, Real) and not isinstance(cv, Integral):
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=random_state)
        folds = splitter.split(X, y)
    elif cv is None or isinstance(cv, Integral):
        folds = _stratified_folds(y, 5 if cv is None else cv)
    else:
        folds = check_cv(cv, y, classifier=True).split(X, y)
    if sample_weight is None:
        return list(folds)
    return [(train[sample_weight[train] > 0], test) for train, test in folds]


def _stratified_folds(y, n_splits):
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts[codes] > 1)
    single = np.flatnonzero(counts[codes] == 1)
    if not len(repeated):
        return []
    splitter = StratifiedKFold(min(n_splits, counts[counts > 1].min()))
    return [
        (np.sort(np.concatenate([repeated[train], single])), repeated[test])
        for train, test in splitter.split(repeated, codes[repeated])
    ]


def _fit_predict(estimator, X, y, classes, train, test, sample_weight, params):
    weights = None if sample_weight is None else sample_weight[train]
    fit_params = take_metadata(params, train, n_rows(X))
    fit_weighted(estimator, safe_indexing(X, train), y[train], weights, **fit_params)
    proba = estimator.predict_proba(safe_indexing(X, test))
    return align_proba(proba, estimator.classes_, classes)

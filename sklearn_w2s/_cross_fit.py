"""Class probabilities for labeled rows from estimators that did not see them."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    check_cv,
)
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import (
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from sklearn_w2s._columns import distinct_rows
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._fitting import (
    fit_weighted,
    predict_columns,
    take_metadata,
)
from sklearn_w2s._sklearn import routing_enabled, safe_indexing
from sklearn_w2s._validation import n_rows

N_FOLDS = 5


def out_of_fold_proba(
    estimator, X, y, classes, *, folds, sample_weight, params, n_jobs
):
    """Predict the labeled rows, each with estimators fitted on the other folds.

    The mean where a row is held out more than once, NaN where it never is.
    """
    folds = _trainable(folds, y, sample_weight, are_values=classes is None)
    fold_proba = Parallel(n_jobs=n_jobs)(
        delayed(_fit_predict)(
            clone(estimator), X, y, classes, train, test, sample_weight, params
        )
        for train, test in folds
    )
    total = np.zeros((n_rows(X), 1 if classes is None else len(classes)))
    times = np.zeros((n_rows(X), 1))
    for (_, test), proba in zip(folds, fold_proba, strict=True):
        total[test] += proba
        times[test] += 1
    return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0)


def held_out_folds(
    cv,
    X,
    labels,
    labeled,
    sample_weight,
    *,
    rng,
    split_params,
    are_values=False,
):
    """Return positions of labeled rows to train on and to hold out, fold by fold."""
    # Splitters may draw anew at each call: this is called once a fit.
    weights = np.ones(len(labels)) if sample_weight is None else sample_weight[labeled]
    weighty = np.flatnonzero(weights)
    if len(weighty if are_values else np.unique(labels[weighty])) < 2:
        return []
    try:
        if cv is None or isinstance(cv, Real):
            cv = N_FOLDS if cv is None else cv
            own = safe_indexing(X, np.flatnonzero(labeled)[weighty])
            # Rows that are alike are held out together and count once, so that no model
            # is tested on a row that it has learned.
            split = _shuffled_folds if are_values else _stratified_folds
            folds = split(own, labels, weighty, cv, rng)
        else:
            splitter = check_cv(cv, labels, classifier=not are_values)
            require_groups(splitter, split_params.get("groups"))
            positions = np.flatnonzero(labeled)
            split_params = take_metadata(split_params, positions, n_rows(X))
            rows = safe_indexing(X, positions)
            folds = apart(splitter.split(rows, labels, **split_params), len(labels))
    except ValueError as error:
        msg = f"cv={cv!r} does not split the {len(labels)} labeled rows: {error}"
        raise ValueError(msg) from error
    return _trainable(folds, labels, weights, name=f"cv={cv!r}", are_values=are_values)


def alike_rows(X, codes):
    """Return `distinct_rows` of labeled rows, or all as distinct if `are_disputed`."""
    if are_disputed(X, codes):
        return np.arange(len(codes)), np.arange(len(codes))
    return distinct_rows(X, codes)


def are_disputed(X, codes):
    """Return whether rows that are equal have several labels."""
    # They are then not copies but separate cases, and a model that had seen the other
    # labels alone would be sure of them.
    return len(distinct_rows(X)[0]) < len(distinct_rows(X, codes)[0])


def split_arguments(owner, params, method="fit"):
    """Return which of the metadata of a meta-estimator its splitter has requested."""
    if not routing_enabled():
        return {}
    return dict(process_routing(owner, method, **params)["splitter"]["split"])


def require_routing(params):
    """Refuse groups that would not reach the splitter."""
    if "groups" in params and not routing_enabled():
        msg = (
            "params has groups, which reach the splitter by metadata routing alone, "
            "and that is off. Switch on "
            "sklearn.set_config(enable_metadata_routing=True)."
        )
        raise TypeError(msg)


def require_groups(splitter, groups):
    """Refuse to split without the groups that a splitter asks for."""
    asks = get_routing_for_object(splitter).consumes("split", ["groups"])
    if asks and groups is None:
        msg = (
            f"{splitter!r} needs groups, and there are none. Pass groups, one for each "
            "row, after sklearn.set_config(enable_metadata_routing=True); or pass as "
            "cv the splits themselves, as positions among the labeled rows."
        )
        raise ValueError(msg)


def apart(splits, n_rows):
    """Return splits, of positions or masks, as positions; refuse overlapping parts."""
    rows = np.arange(n_rows)
    splits = [(rows[train], rows[test]) for train, test in splits]
    if not splits:
        msg = "There is no split. An iterator can be read only once: pass a list."
        raise ValueError(msg)
    both = [np.intersect1d(train, test) for train, test in splits]
    k = int(np.argmax([len(rows) for rows in both]))
    if len(both[k]):
        msg = (
            f"Split {k} trains on {len(both[k])} of the rows that it holds out, such "
            f"as row {both[k][0]}."
        )
        raise ValueError(msg)
    return splits


def _trainable(folds, y, sample_weight, name="A fold", *, are_values=False):
    """Return folds without training rows of weight zero."""
    if sample_weight is not None:
        folds = [(train[sample_weight[train] > 0], test) for train, test in folds]
    if are_values:
        if not all(len(train) for train, _ in folds):
            msg = f"{name} leaves no labeled row to train on. Label more of them."
            raise ValueError(msg)
        return folds
    if any(len(np.unique(y[train])) < 2 for train, _ in folds):
        msg = (
            f"{name} leaves labeled rows of one class only to train on. Stratify or "
            "shuffle the rows, or label more of them."
        )
        raise ValueError(msg)
    return folds


def _shuffled_folds(X, y, rows, cv, rng):
    first, which = alike_rows(X, y[rows])
    seed, n = draw_seed(rng), len(first)
    if n < 2:
        return []
    if isinstance(cv, Integral):
        splitter = KFold(min(cv, n), shuffle=True, random_state=seed)
    else:
        splitter = ShuffleSplit(1, test_size=cv, random_state=seed)
    return [
        tuple(rows[np.isin(which, part)] for part in fold)
        for fold in splitter.split(first)
    ]


def _stratified_folds(X, y, rows, cv, rng):
    # By their first rows, so that the names of the classes decide nothing.
    _, start, codes = np.unique(y[rows], return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(start))[codes]
    first, which = alike_rows(X, codes)
    codes, n = codes[first], len(first)
    counts = np.bincount(codes)
    is_single = counts[codes] == 1
    # The only row of a class stays in every training set.
    repeated, single = np.flatnonzero(~is_single), np.flatnonzero(is_single)
    if not len(repeated):
        return []
    if isinstance(cv, Integral):
        splitter = StratifiedKFold(min(cv, counts[counts > 1].min()))
    else:
        seed = draw_seed(rng)
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=seed)
    folds = []
    for train, test in splitter.split(repeated, codes[repeated]):
        kept = np.isin(np.arange(n), np.concatenate([repeated[train], single]))
        held = np.isin(np.arange(n), repeated[test])
        folds.append((rows[kept[which]], rows[held[which]]))
    return folds


def _fit_predict(estimator, X, y, classes, train, test, sample_weight, params):
    weights = None if sample_weight is None else sample_weight[train]
    fit_params = take_metadata(params, train, n_rows(X))
    fit_weighted(estimator, safe_indexing(X, train), y[train], weights, **fit_params)
    return predict_columns(estimator, safe_indexing(X, test), classes)


def out_of_bag_proba(forest, X):
    """Return the mean of trees that have not seen a row, NaN if all have.

    Unlike `oob_score`, it does not warn of rows of great weight, which all trees saw.
    """
    # Trees compare in single precision; converted and checked once, not by each.
    X = X.astype(np.float32)
    ask = "predict_proba" if is_classifier(forest) else "predict"
    n_classes = len(forest.classes_) if is_classifier(forest) else forest.n_outputs_
    total = np.zeros((X.shape[0], n_classes))
    n_trees = np.zeros((X.shape[0], 1))
    for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.delete(np.arange(X.shape[0]), seen)
        if len(unseen):
            predicted = getattr(tree, ask)(X[unseen], check_input=False)
            total[unseen] += predicted.reshape(len(unseen), n_classes)
            n_trees[unseen] += 1
    total[n_trees[:, 0] == 0] = np.nan
    return total / np.maximum(n_trees, 1)


def group_codes(groups):
    """Return integers of shape (n,), equal for rows of one group."""
    codes: dict = {}
    groups = column_or_1d(groups).tolist()
    return np.array([codes.setdefault(group, len(codes)) for group in groups])

"""The weak estimator: fitted on labeled rows, asked for probabilities of all."""

import os
from numbers import Integral

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_w2s._cross_fit import out_of_fold_proba
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._fitting import (
    adapt,
    fit_on_labels,
    fit_on_values,
    predict_columns,
    predicted_codes,
    require_array_support,
    take_metadata,
)
from sklearn_w2s._sklearn import namespace_of, routing_enabled, safe_indexing, to_numpy
from sklearn_w2s._tabular import default_weak_estimator
from sklearn_w2s._validation import (
    check_weak_prediction,
    check_weak_proba,
    classes_of,
    is_dataframe,
    n_rows,
)

# Rows by which it is seen whether classes are the likeliest ones, and the share of
# others among them that is not due to rounding or calibration.
_N_WATCHED = 1_000
_LEAST_DECIDED = 0.01


class WeakPredictor:
    """A fitted weak estimator, the columns it sees and the classes it may name."""

    # Whether it predicts other classes than the likeliest, as with a threshold.
    decides = False

    def __init__(self, estimator, columns, classes):
        self.estimator = estimator  # None if only its labels of known rows are given
        self.columns = columns
        self.classes = classes  # None if it is a regressor

    def view(self, X):
        """Return the columns of X that the estimator sees."""
        return select_columns(X, self.columns)

    def proba(self, X):
        """Return its probabilities of all classes, or its column of values."""
        if self.estimator is None:
            given, kind = "weak_proba", "classifier"
            if self.classes is None:
                given, kind = "weak_prediction", "regressor"
            msg = (
                f"New rows have no weak labels: the fit used {given} without an "
                "estimator that could predict them. Pass weak_estimator="
                f"FrozenEstimator(fitted {kind}) as well."
            )
            raise ValueError(msg)
        return predict_columns(self.estimator, self.view(X), self.classes)

    def codes(self, X, proba):
        """Return codes of the classes that it predicts for rows of these `proba`."""
        if not self.decides:
            return proba.argmax(axis=1)
        return predicted_codes(self.estimator, self.view(X), self.classes)

    def watch_decisions(self, X, proba):
        """Set `decides` by its predictions for a sample of rows, and return itself."""
        if self.classes is None or not hasattr(self.estimator, "predict"):
            return self
        rows = np.linspace(0, len(proba) - 1, min(_N_WATCHED, len(proba))).astype(int)
        view = self.view(safe_indexing(X, rows))
        chosen = predicted_codes(self.estimator, view, self.classes)
        differs = chosen != proba[rows].argmax(axis=1)
        self.decides = bool(differs.mean() > _LEAST_DECIDED)
        return self


def learns_values(estimator):
    """Return whether it is a regressor, or a detector whose weak estimator is one."""
    parts = estimator, getattr(estimator, "weak_estimator", None)
    # Parameters are looked at before they are checked.
    return any(hasattr(part, "fit") and is_regressor(part) for part in parts)


def is_given(estimator):
    """Return whether an estimator is used as it is: frozen, or without `fit`."""
    if isinstance(estimator, FrozenEstimator):
        return True
    # A pipeline calls itself fitted where its last step is.
    return not isinstance(estimator, Pipeline) and is_fitted(clone(estimator))


def fit_weak(
    estimator,
    X,
    labels,
    labeled,
    *,
    columns,
    weak_proba,
    sample_weight,
    params,
    folds,
    memory,
    n_jobs,
    seeds,
    are_values=False,
):
    """Fit a weak estimator unless it is fitted; return it and its labels of all rows.

    `folds` hold labeled rows out of it; `weak_proba` stands in for its predictions.
    """
    given = is_given(estimator)
    if given:
        # Of a rule that was fitted on other columns, the rule alone counts.
        estimator = clone(estimator)
        (_require_regressor if are_values else _require_classifier)(estimator)
    known = None
    if not are_values:
        known = classes_of(estimator.classes_ if given else [], labels)
    if weak_proba is not None:
        proba, classes = (
            (check_weak_prediction(weak_proba, X), None)
            if are_values
            else check_weak_proba(weak_proba, X, known)
        )
        return WeakPredictor(estimator if given else None, columns, classes), proba
    n_columns = 1 if known is None else len(known)
    _require_room("weak_estimator" if given else "y", n_rows(X), n_columns)
    require_array_support(estimator, X, name="weak_estimator")
    if given:
        predictor = WeakPredictor(estimator, columns, known)
        proba = predictor.proba(X)
        return predictor.watch_decisions(X, proba), proba

    positions = np.flatnonzero(labeled)
    estimator = seed_nested(adapt(clone(estimator)), seeds)
    rows = safe_indexing(select_columns(X, columns), positions)
    weights = None if sample_weight is None else sample_weight[positions]
    params = take_metadata(params, positions, n_rows(X))
    # Two caches: strategies without regions share the fit on all labeled rows.
    memory = check_memory(memory)
    fit = fit_on_values if are_values else fit_on_labels
    fitted = memory.cache(fit)(
        clone(estimator), rows, labels, weights, params, name="weak_estimator"
    )
    classes = None if are_values else np.sort(to_numpy(fitted.classes_))
    predictor = WeakPredictor(fitted, columns, classes)
    proba = predictor.proba(X)
    predictor.watch_decisions(X, proba)
    if folds is not None:
        out_of_fold = memory.cache(out_of_fold_proba, ignore=["n_jobs"])(
            estimator,
            rows,
            labels,
            predictor.classes,
            folds=folds,
            sample_weight=weights,
            params=params,
            n_jobs=n_jobs,
        )
        held_out = ~np.isnan(out_of_fold).any(axis=1)
        proba[positions[held_out]] = out_of_fold[held_out]
    return predictor, proba


def default_for(X):
    """Return the default weak estimator for the kind of container that X is."""
    estimator = default_weak_estimator()
    if namespace_of(X)[0] is None:
        return estimator
    # The encoder of tables is NumPy's; of numbers alone it would scale columns as well.
    scaler = StandardScaler()
    if routing_enabled():
        scaler.set_fit_request(sample_weight=True)
    return estimator.set_params(encoder=scaler)


def select_columns(X, columns):
    """Return the chosen columns of X, or X itself for None."""
    return X if columns is None else safe_indexing(X, columns, axis=1)


def other_columns(X, columns):
    """Return positions of the columns of X that are not chosen, or None if none are."""
    if columns is None:
        return None
    names = list(X.columns) if is_dataframe(X) else list(range(X.shape[1]))
    by_name = isinstance(columns, list) and isinstance(columns[0], str)
    chosen = (
        [names.index(name) for name in columns]
        if by_name
        else safe_indexing(np.arange(len(names))[None, :], columns, axis=1)[0]
    )
    return np.setdiff1d(np.arange(len(names)), chosen).tolist() or None


def resolve_columns(columns, X, *, name="weak_features"):
    """Return names, positions, a mask or a slice of columns, or None for all.

    `columns` is the choice of the user; `name` is the parameter that it was given as.
    """
    # Integers are positions; those that a callable returns for a data frame whose
    # columns are all named by integers are names.
    chosen = columns(X) if callable(columns) else columns
    if chosen is None:
        return None
    chosen = [chosen] if isinstance(chosen, str | Integral) else chosen
    try:
        if not isinstance(chosen, slice):
            chosen = _plain_list(chosen, X)
            if callable(columns) and is_dataframe(X):
                chosen = _positions_of_numbers(chosen, list(X.columns))
        n_chosen = select_columns(X, chosen).shape[1]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        msg = f"{name}={columns!r} does not choose columns of X: {error}"
        raise ValueError(msg) from error
    if not n_chosen:
        msg = f"{name}={columns!r} chooses no column of X; name one at least."
        raise ValueError(msg)
    return chosen


def _plain_list(columns, X):
    # Polars takes no NumPy scalars.
    plain = [v.item() if isinstance(v, np.generic) else v for v in to_numpy(columns)]
    if any(isinstance(v, bool) for v in plain) and len(plain) != X.shape[1]:
        msg = f"a mask of {len(plain)} values for {X.shape[1]} columns"
        raise ValueError(msg)
    if is_dataframe(X):
        unknown = [v for v in plain if isinstance(v, str) and v not in X.columns]
        if unknown:
            msg = f"there is no column {unknown}"
            raise ValueError(msg)
    if namespace_of(X)[0] is not None:
        # Other libraries count from the start only, and some do not check the end.
        positions = range(X.shape[1])
        return [v if isinstance(v, bool) else positions[v] for v in plain]
    return plain


def _positions_of_numbers(chosen, names):
    """Return positions in place of names that are numbers, as callables return them."""
    are_numbers = all(_is_integer(name) for name in names)
    if not are_numbers or not all(_is_integer(value) for value in chosen):
        return chosen
    unknown = [value for value in chosen if value not in names]
    if unknown:
        msg = f"there is no column {unknown}"
        raise ValueError(msg)
    return [names.index(value) for value in chosen]


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def is_fitted(estimator):
    """Return whether an estimator is fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _require_room(name, n, n_classes):
    """Refuse weak probabilities that the memory of the machine cannot hold."""
    needed, room = 8 * n * n_classes / 2**30, _memory_bytes() / 2**30
    if needed > room:
        msg = (
            f"{name} has {n_classes} classes. Their weak probabilities for {n} rows "
            f"take {needed:.1f} GiB, and this machine has {room:.1f} GiB. Merge rare "
            "classes, or pass fewer rows; if y names rows, pass classes."
        )
        raise ValueError(msg)


def _memory_bytes():
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):
        return np.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _require_classifier(frozen):
    if not hasattr(frozen, "classes_"):
        msg = (
            f"weak_estimator={frozen!r} has no classes_: fit the classifier before it "
            "is wrapped in FrozenEstimator."
        )
        raise ValueError(msg)
    if not hasattr(frozen, "predict_proba"):
        msg = (
            f"weak_estimator={frozen!r} has no predict_proba. Wrap the classifier in "
            "CalibratedClassifierCV before it is fitted, or pass another."
        )
        raise TypeError(msg)


def _require_regressor(frozen):
    if not hasattr(frozen, "predict") or not is_fitted(frozen):
        msg = (
            f"weak_estimator={frozen!r} predicts no values: fit the regressor before "
            "it is wrapped in FrozenEstimator."
        )
        raise ValueError(msg)


def give_weak_view(detector, weak, *, weak_features, missing_label):
    """Let a detector see what the weak estimator of a classifier sees."""
    for name in ("weak_estimator", "weak_features"):
        if getattr(detector, name) is not None:
            msg = (
                f"overlap_detector has {name}={getattr(detector, name)!r}, but "
                "regions are found from the weak labels of this classifier: leave "
                f"it None, and set {name} here."
            )
            raise ValueError(msg)
    detector.set_params(
        weak_estimator=weak, weak_features=weak_features, missing_label=missing_label
    )

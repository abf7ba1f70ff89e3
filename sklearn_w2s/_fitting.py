"""Fit sub-estimators: on which rows, with which weights and metadata."""

from inspect import signature
from warnings import catch_warnings, filterwarnings

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing
from sklearn.utils.validation import has_fit_parameter

from sklearn_w2s import _boosting
from sklearn_w2s._algorithms.weak_labels import expand_soft_targets
from sklearn_w2s._coded import CodedClassifier, needs_codes
from sklearn_w2s._early_stopping import MOST_WITHOUT_STOPPING, validation_arguments
from sklearn_w2s._sklearn import (
    move_like,
    namespace_of,
    routing_enabled,
    safe_indexing,
    to_numpy,
)
from sklearn_w2s._validation import align_proba, classes_of, n_rows, place_of

# Support vector machines fit it by cross-validation.
_PLATT_SCALING = ("probability", True)
# Where transformers do not learn from y, unless their tags require it.
_UNSUPERVISED = (
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.feature_extraction",
    "sklearn.frozen",
    "sklearn.impute",
    "sklearn.kernel_approximation",
    "sklearn.preprocessing",
    "sklearn.random_projection",
    "sklearn_w2s.text",
)
# What these parameters ask for is derived from counts of rows, whatever they weigh.
_COUNTS = {
    "class_weight": lambda value: isinstance(value, str),
    "auto_class_weights": bool,
    "is_unbalance": bool,
    "oob_score": bool,
    "sampling_strategy": lambda _: True,
}


def adapt(estimator):
    """Wrap a skorch net, or a classifier of codes, also at the end of a pipeline."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        wrapped = adapt(last)
        if wrapped is last:
            return estimator
        return clone(estimator).set_params(**{name: wrapped})
    if not is_skorch_net(estimator):
        return CodedClassifier(estimator) if needs_codes(estimator) else estimator
    from sklearn_w2s.neural import NetClassifier

    net = NetClassifier(estimator)
    # The user has no handle on the wrapper to request weights for it.
    return net.set_fit_request(sample_weight=True) if routing_enabled() else net


def is_skorch_net(estimator):
    """Return whether an estimator is a skorch net, without importing skorch."""
    return any(
        base.__name__ == "NeuralNet" and base.__module__.split(".")[0] == "skorch"
        for base in type(estimator).__mro__
    )


def fit_arguments(owner, names, sample_weight, params, *, method="fit", of="fit"):
    """Return weights, or None, and further `fit` arguments of each named sub-estimator.

    `method` of the owner was called, `of` is the method of the parts that will be.
    """
    if not routing_enabled():
        routed = [{"sample_weight": sample_weight} for _ in names]
    else:
        bunch = process_routing(owner, method, sample_weight=sample_weight, **params)
        routed = [dict(bunch[name][of]) for name in names]
    weights = [arguments.pop("sample_weight", None) for arguments in routed]
    return [
        (None if w is None else np.asarray(w, dtype=np.float64), arguments)
        for w, arguments in zip(weights, routed, strict=True)
    ]


def fit_on_labels(estimator, X, y, sample_weight, params, *, name):
    """Fit a classifier on rows of positive weight that hold two classes at least."""
    if not may_predict_proba(estimator):
        raise NoProbabilities(estimator, name)
    X, y, sample_weight, params = _of_positive_weight(X, y, sample_weight, params)
    classes = classes_of(y)
    if len(classes) < 2:
        found = f"one class only, {classes.tolist()}" if len(classes) else "no label"
        where = "" if sample_weight is None else " in rows of positive weight"
        msg = (
            f"y has {found}{where}; {name} needs labeled rows of 2 classes at least. "
            f"Label more, or pass weak_proba or {name}=FrozenEstimator(a fitted one)."
        )
        raise ValueError(msg)
    return fit_weighted(estimator, X, y, sample_weight, **params)


def fit_on_values(estimator, X, y, sample_weight, params, *, name):
    """Fit a regressor on rows of positive weight, one at least."""
    X, y, sample_weight, params = _of_positive_weight(X, y, sample_weight, params)
    if not len(y):
        where = "" if sample_weight is None else " in rows of positive weight"
        msg = (
            f"y has no label{where}; {name} needs labeled rows. Label some, or pass "
            f"weak_prediction or {name}=FrozenEstimator(a fitted one)."
        )
        raise ValueError(msg)
    return fit_weighted(estimator, X, y, sample_weight, **params)


def _of_positive_weight(X, y, sample_weight, params):
    if sample_weight is None:
        return X, y, None, params
    kept = np.flatnonzero(sample_weight)
    params = take_metadata(params, kept, len(y))
    return safe_indexing(X, kept), y[kept], sample_weight[kept], params


def may_predict_proba(estimator):
    """Return whether an estimator has `predict_proba`, or may have it after `fit`."""
    # Some compositions, such as stacking, know only then.
    return hasattr(estimator, "predict_proba") or hasattr(
        type(estimator), "predict_proba"
    )


class NoProbabilities(TypeError):
    """A classifier that should give probabilities does not."""

    def __init__(self, estimator, name):
        super().__init__(
            f"{name}={estimator!r} has no predict_proba. Wrap it in "
            "CalibratedClassifierCV, or pass another classifier."
        )


def predict_aligned(estimator, X, classes, *, name="weak_estimator"):
    """Predict probabilities of given classes, zero for those the estimator lacks."""
    if not hasattr(estimator, "predict_proba"):
        raise NoProbabilities(estimator, name)
    proba = to_numpy(estimator.predict_proba(X))
    strange = np.flatnonzero(~np.isfinite(proba).all(axis=1))
    if len(strange):
        msg = (
            f"{name}={estimator!r} predicts {proba[strange[0]].tolist()} for "
            f"{len(strange)} of {len(proba)} rows. Pass one that fits the data."
        )
        raise ValueError(msg)
    return align_proba(proba, to_numpy(estimator.classes_), classes)


def predict_values(estimator, X, *, name="weak_estimator"):
    """Predict one finite number for each row, of shape (n, 1)."""
    values = np.asarray(to_numpy(estimator.predict(X)), dtype=np.float64)
    if values.size != n_rows(X):
        msg = (
            f"{name}={estimator!r} predicts an array of shape {values.shape} for "
            f"{n_rows(X)} rows; it must predict one number for each."
        )
        raise ValueError(msg)
    values = values.reshape(-1, 1)
    strange = np.flatnonzero(~np.isfinite(values))
    if len(strange):
        msg = (
            f"{name}={estimator!r} predicts {values[strange[0], 0]} for "
            f"{len(strange)} of {len(values)} rows. Pass one that fits the data."
        )
        raise ValueError(msg)
    return values


def predict_columns(estimator, X, classes, *, name="weak_estimator"):
    """Predict probabilities of given classes, or the column of values without any."""
    if classes is None:
        return predict_values(estimator, X, name=name)
    return predict_aligned(estimator, X, classes, name=name)


def predicted_codes(estimator, X, classes):
    """Return the positions among sorted classes of those that an estimator predicts."""
    predicted = np.ravel(to_numpy(estimator.predict(X)))
    return np.searchsorted(classes, predicted)


def require_array_support(estimator, X, *, name):
    """Refuse an estimator that computes with NumPy only for X of another library."""
    if namespace_of(X)[0] is None or _supports_arrays(estimator):
        return
    msg = (
        f"{name}={estimator!r} does not compute with arrays of {place_of(X)}: its tags "
        "lack array_api_support. Pass another one (scikit-learn lists those that do), "
        "or pass X as a NumPy array."
    )
    raise ValueError(msg)


def _supports_arrays(estimator):
    if not isinstance(estimator, Pipeline):
        return get_tags(estimator).array_api_support
    return all(
        step in (None, "passthrough") or _supports_arrays(step)
        for _, step in estimator.steps
    )


def require_same_place(X, place, *, method):
    """Refuse rows of another library, or on another device, than those of `fit`."""
    if place_of(X) != place:
        msg = (
            f"Rows passed to {method}() must use the same namespace and the same "
            f"device as those passed to fit(): {place}, not {place_of(X)}. Move them, "
            "with array_api_dispatch as it was then, or fit again."
        )
        raise ValueError(msg)


def takes_weights(estimator):
    """Return whether `estimator.fit`, and each part that needs them, takes weights."""
    if not isinstance(estimator, Pipeline):
        inner = getattr(estimator, "estimator", None)
        if not has_fit_parameter(estimator, "sample_weight"):
            return False
        if inner is None or not isinstance(estimator, MetaEstimatorMixin):
            return True
        # Without routing, the steps of a pipeline have to be named.
        can_hand_on = routing_enabled() or not isinstance(inner, Pipeline)
        return can_hand_on and takes_weights(inner)
    last = estimator.steps[-1][1]
    # After resampling, the rows that are left have other weights.
    resamples = any(hasattr(step, "fit_resample") for _, step in estimator.steps)
    if resamples or last in (None, "passthrough"):
        return False
    if routing_enabled() and not isinstance(last, Pipeline):
        return bool(get_routing_for_object(last).consumes("fit", ["sample_weight"]))
    return takes_weights(last)


def fit_weighted(estimator, X, y, sample_weight=None, *, stop_on=None, **params):
    """Fit an estimator, with weights, if given, for each part that can use them.

    `stop_on` are validation rows, (X, y, weights or None), if it `stops_early`.
    """
    if getattr(getattr(y, "dtype", None), "kind", None) in ("i", "f"):
        # Not every estimator moves labels to the device of the rows by itself.
        y = move_like(y, X)
    if sample_weight is None:
        _fit(estimator, X, y, params, stop_on)
        return estimator
    if not takes_weights(estimator):
        fix = (
            "request them with set_fit_request(sample_weight=True) on its steps"
            if isinstance(estimator, Pipeline)
            else "pass another estimator, or fit without sample_weight"
        )
        msg = f"{type(estimator).__name__}.fit takes no sample_weight: {fix}."
        raise TypeError(msg)
    _fit(estimator, X, y, weight_arguments(estimator, sample_weight) | params, stop_on)
    return estimator


def _fit(estimator, X, y, arguments, stop_on):
    """Fit an estimator; validation rows pass the other steps of a pipeline first."""
    if stop_on is None:
        estimator.fit(X, y, **arguments)
        return
    rows, labels, weights = stop_on
    if not isinstance(estimator, Pipeline):
        arguments = validation_arguments(estimator, rows, labels, weights) | arguments
        with catch_warnings():
            filterwarnings("ignore", "The argument 'eval_set' is deprecated")
            estimator.fit(X, y, **arguments)
        return

    def fit_last(last, X, y, arguments):
        before = estimator[:-1]
        passed = before.transform(rows) if len(before) else rows
        _fit(last, X, y, arguments, (passed, labels, weights))

    _fit_pipeline(estimator, X, y, arguments, fit_last)


def _fit_pipeline(pipeline, X, y, arguments, fit_last):
    """Fit a pipeline in place, its last step by `fit_last(step, X, y, arguments)`."""
    name, last = pipeline.steps[-1]
    pipeline.steps[-1] = name, _LastStep(last, fit_last)
    try:
        pipeline.fit(X, y, **arguments)
    finally:
        pipeline.steps[-1] = name, last


class _LastStep(BaseEstimator):
    """Stand for the last step of a pipeline, and fit it by a function."""

    def __init__(self, estimator, fit_last):
        self.estimator = estimator
        self.fit_last = fit_last

    def fit(self, X, y, **arguments):
        """Fit the step, in place."""
        self.fit_last(self.estimator, X, y, arguments)
        return self

    def get_metadata_routing(self):
        """Ask for what the step asks for."""
        return get_routing_for_object(self.estimator)


def weight_arguments(estimator, sample_weight):
    """Return the `fit` arguments that give weights to each part that can use them."""
    if not isinstance(estimator, Pipeline) or routing_enabled():
        return {"sample_weight": sample_weight} if takes_weights(estimator) else {}
    return {
        f"{name}__{argument}": value
        for name, step in estimator.steps
        if step not in (None, "passthrough")
        for argument, value in weight_arguments(step, sample_weight).items()
    }


def takes_distributions(estimator, n_classes=None):
    """Return whether an estimator learns from distributions over so many classes."""
    if isinstance(estimator, Pipeline):
        last = estimator.steps[-1][1]
        return takes_weights(estimator) and takes_distributions(last, n_classes)
    if hasattr(estimator, "takes_distributions"):
        return estimator.takes_distributions()
    return _boosting.takes_distributions(estimator, n_classes)


def learns_softly(estimator):
    """Return whether an estimator can be given distributions in place of labels."""
    return takes_weights(estimator) or takes_distributions(estimator)


def splits_inside(estimator, n_rows, *, stops_on_labels=False):
    """Return whether an estimator, or a part of it, holds out rows of its training set.

    Copies of one row would then stand on both sides. With `stops_on_labels` it gets
    other rows to stop early on.
    """
    params = estimator.get_params(deep=True)
    for name, value in params.items():
        prefix, _, last = name.rpartition("__")
        if (last == "cv" and value != "prefit") or (last, value) == _PLATT_SCALING:
            return True
        if last == "early_stopping":
            is_on = value is True or (
                value == "auto" and n_rows > MOST_WITHOUT_STOPPING
            )
            if is_on and not stops_on_labels:
                return True
        elif last == "eval_fraction" and value:
            return True
        elif last == "n_iter_no_change" and value is not None:
            keys = [key.rpartition("__") for key in params]
            own = {key for part, _, key in keys if part == prefix}
            if "validation_fraction" in own and "early_stopping" not in own:
                return True
    return False


def loss_by_repetition(estimator):
    """Return why weighted copies of rows, one per class, teach less than labels.

    None if copies tell all parts what distributions would.
    """
    params = estimator.get_params(deep=True)
    frozen = [f"{n}__" for n, v in params.items() if isinstance(v, FrozenEstimator)]
    for name, value in params.items():
        if name.startswith(tuple(frozen)):
            continue
        last = name.rpartition("__")[2]
        if last in _COUNTS and _COUNTS[last](value):
            return f"counts rows, since {name}={value!r}"
        # Lists of steps are not estimators, and each step has its own name.
        is_part = hasattr(value, "fit") and not isinstance(value, type)
        if is_part and _is_misled(value):
            return f"has a part that ignores weights, {value!r}"
    return None


def _is_misled(part):
    """Return whether a part of an estimator learns from y and takes no weights."""
    if isinstance(part, Pipeline | ColumnTransformer | FeatureUnion):
        return False  # its parts are asked
    if has_fit_parameter(part, "sample_weight"):
        return False
    # Tags do not tell whether others learn from y.
    is_known = type(part).__module__.startswith(_UNSUPERVISED)
    return not is_known or get_tags(part).target_tags.required


def fit_on_targets(
    estimator,
    X,
    distributions,
    classes,
    weights,
    *,
    weighted,
    params,
    stop_on=None,
):
    """Fit an estimator on target distributions, or on one column of values.

    `classes` is None for values; `weighted` passes weights even if all are equal.
    """
    rows = np.flatnonzero(weights)
    weighted = weighted or np.ptp(weights[rows]) > 0
    taught = distributions if len(rows) == len(weights) else distributions[rows]
    if classes is None:
        y, weights = taught[:, 0], weights[rows] if weighted else None
    elif not (taught.max(axis=1) < 1).any():
        y = classes[taught.argmax(axis=1)]
        weights = weights[rows] if weighted else None
    elif not params and stop_on is None and _can_learn(estimator, taught):
        X, weights = safe_indexing(X, rows), weights[rows]
        return _fit_distributions(estimator, X, taught, classes, weights)
    else:
        if not splits_inside(estimator, len(rows)):
            # The early stopping on which the number of rows decides.
            own = estimator.get_params(deep=True).items()
            automatic = [
                name
                for name, value in own
                if name.rpartition("__")[2] == "early_stopping" and value == "auto"
            ]
            estimator.set_params(**dict.fromkeys(automatic, False))
        rows, codes, weights = expand_soft_targets(distributions, weights)
        y = classes[codes]
    params = take_metadata(params, rows, n_rows(X))
    X = safe_indexing(X, rows)
    return fit_weighted(estimator, X, y, weights, stop_on=stop_on, **params)


def takes_weights_in_batches(estimator):
    """Return whether `partial_fit` takes weights."""
    return "sample_weight" in signature(estimator.partial_fit).parameters


def partial_fit_weighted(estimator, X, y, classes, sample_weight, *, name):
    """Let an estimator learn from one more batch, in place."""
    options = {} if classes is None else {"classes": classes}
    if takes_weights_in_batches(estimator) and sample_weight is not None:
        options["sample_weight"] = sample_weight
    elif sample_weight is not None and np.ptp(sample_weight) > 0:
        msg = (
            f"{name}: {type(estimator).__name__}.partial_fit takes no sample_weight, "
            'but the rows have different weights. Use strategy="all" and '
            'pseudo_labels="hard" without sample_weight, or another estimator.'
        )
        raise TypeError(msg)
    estimator.partial_fit(X, y, **options)


def partial_fit_on_targets(estimator, X, targets, classes, weights):
    """Let a strong estimator learn targets of one more batch, in place."""
    X, y, weights = labels_of_targets(X, targets, classes, weights)
    if len(y):
        name = "strong_estimator"
        partial_fit_weighted(estimator, X, y, classes, weights, name=name)


def labels_of_targets(X, targets, classes, weights):
    """Return rows, labels and weights, one row for each class that a target names."""
    if classes is None:
        rows = np.flatnonzero(weights)
        return safe_indexing(X, rows), targets[rows, 0], weights[rows]
    rows, codes, weights = expand_soft_targets(targets, weights)
    return safe_indexing(X, rows), classes[codes], weights


def _can_learn(estimator, distributions):
    """Return whether an estimator can learn these distributions themselves."""
    n, n_classes = distributions.shape
    codes = distributions.argmax(axis=1)
    # Steps before the last see labels, of which one kind tells them nothing.
    is_sound = not isinstance(estimator, Pipeline) or (codes != codes[0]).any()
    return is_sound and n >= n_classes and takes_distributions(estimator, n_classes)


def _fit_distributions(estimator, X, distributions, classes, weights):
    if not isinstance(estimator, Pipeline):
        if hasattr(estimator, "fit_distributions"):
            return estimator.fit_distributions(X, distributions, classes, weights)
        return _boosting.fit_distributions(
            estimator, X, distributions, classes, weights
        )
    arguments = weight_arguments(estimator, weights) if np.ptp(weights) > 0 else {}
    _fit_pipeline(
        estimator,
        X,
        classes[distributions.argmax(axis=1)],
        arguments,
        lambda last, X, *_: _fit_distributions(
            last, X, distributions, classes, weights
        ),
    )
    return estimator


def take_metadata(params, positions, n_samples):
    """Take the given rows of all arguments of length `n_samples`."""
    return {
        name: safe_indexing(value, positions)
        if _is_row_wise(value, n_samples)
        else value
        for name, value in params.items()
    }


def _is_row_wise(value, n_samples):
    if isinstance(value, str | bytes | dict):
        return False
    return (hasattr(value, "__len__") or hasattr(value, "shape")) and (
        n_rows(value) == n_samples
    )

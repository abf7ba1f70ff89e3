"""Checks that scikit-learn lacks: unlabeled rows, missing values, what users return.

Errors name the argument, its value and what to do; nothing is repaired.
"""

import copy
import warnings
from collections import Counter
from decimal import Decimal
from numbers import Number, Real

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import MetaEstimatorMixin, OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import check_array, column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, validate_data

from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._sklearn import namespace_of, safe_indexing, to_numpy
from sklearn_w2s._warnings import warn

# NumPy's truth values are not a Number.
_NUMBER = Number | np.bool_
# What databases call numeric is Decimal in Python.
_REAL = Real | Decimal
# Libraries whose tags are right; estimators of others may not declare what they take.
_KNOWN = ("sklearn.", "sklearn_w2s.")


def is_dataframe(X):
    """Return whether X is a table with named columns, from any library."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def n_rows(X):
    """Return the number of rows of an array, sparse matrix, data frame or list."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def place_of(X):
    """Return the name of the library that computes with X, and its device."""
    xp, device = namespace_of(X)
    if xp is None:
        return "NumPy"
    return f"{xp.__name__.rpartition('.')[-1]} on device {device}"


def require_rows(X):
    """Refuse None where rows are needed."""
    if X is None:
        msg = "X is None. Pass the rows, labeled and unlabeled ones."
        raise ValueError(msg)


def check_features(estimator, X, *, reset, allow_nan=None, inside=False):
    """Validate X as a meta-estimator: arrays as scikit-learn does, frames unchanged.

    The `allow_nan` tag can be overridden; a part passes `inside`, since its owner has
    already warned of an array without feature names.
    """
    if is_dataframe(X):
        check_frame(X)
        return validate_data(estimator, X, reset=reset, skip_check_array=True)
    tags = get_tags(estimator).input_tags
    allow_nan = tags.allow_nan if allow_nan is None else allow_nan
    if inside:
        estimator = copy.copy(estimator)
        vars(estimator).pop("feature_names_in_", None)
    X = validate_data(
        estimator,
        as_table(X),
        reset=reset,
        accept_sparse="csr" if tags.sparse else False,
        dtype=None,
        ensure_all_finite="allow-nan" if allow_nan else True,
    )
    xp, _ = namespace_of(X)
    kinds = () if xp is None else ("bool", "integral", xp.float32, xp.float64)
    if kinds and not xp.isdtype(X.dtype, kinds):
        msg = (
            f"X is an array of {X.dtype}, of {place_of(X)}. Convert it to float32 or "
            "float64."
        )
        raise ValueError(msg)
    return X


def as_table(X):
    """Return rows of a list as an array, in which numbers beside texts stay numbers."""
    if not isinstance(X, list | tuple):
        return X
    rows = np.asarray(X)
    return np.asarray(X, dtype=object) if rows.dtype.kind == "U" else rows


def check_frame(X):
    """Refuse a data frame without rows or columns, or with names that are repeated."""
    if 0 in X.shape:
        msg = (
            f"X is a data frame of shape {X.shape}: at least one row and one column "
            "are required."
        )
        raise ValueError(msg)
    repeated = sorted({str(name) for name, n in Counter(X.columns).items() if n > 1})
    if repeated:
        msg = f"X has several columns of the same name: {repeated}. Rename them."
        raise ValueError(msg)


def check_new_rows(fitted, X):
    """Validate rows for a fitted meta-estimator, missing values included."""
    X = check_features(fitted, X, reset=False, allow_nan=True)
    refuse_missing(X, fitted._strict_readers_)
    return X


def strict_readers(readers):
    """Return name and columns of the `(name, estimator, columns)` that refuse gaps."""
    return [
        (f"{name}={estimator!r}", columns)
        for name, estimator, columns in readers
        if not accepts_missing(estimator, unknown=True)
    ]


def refuse_missing(X, readers):
    """Refuse missing values in columns that one of the `strict_readers` sees."""
    # Whether or not the part would see these rows, so that fit and predict agree. One
    # pass suffices where nothing is missing.
    if not readers or not has_missing(X):
        return
    for name, columns in readers:
        view = X if columns is None else safe_indexing(X, columns, axis=1)
        if has_missing(view):
            msg = (
                f"Input X contains NaN, and {name} does not accept missing values. "
                "Put an imputer before it in a pipeline, or pass an estimator that "
                "accepts them."
            )
            raise ValueError(msg)


def accepts_missing(estimator, *, unknown=None):
    """Return whether an estimator takes missing values; compositions ask their parts.

    The answer is `unknown`, unless that is None, where the tags cannot be trusted.
    """
    inner = getattr(estimator, "estimator", None)
    if isinstance(estimator, FrozenEstimator):
        return accepts_missing(inner, unknown=unknown)
    tags = get_tags(estimator)
    if tags.input_tags.allow_nan:
        return True
    if isinstance(estimator, Pipeline):
        steps = [s for _, s in estimator.steps if s not in (None, "passthrough")]
        for step in steps:
            if not accepts_missing(step, unknown=unknown):
                return False
            # Scalers keep missing values; other transformers may fill them in.
            if not isinstance(step, OneToOneFeatureMixin):
                return True
        return bool(steps)
    if isinstance(estimator, MetaEstimatorMixin) and inner is not None:
        return accepts_missing(inner, unknown=unknown)
    if isinstance(estimator, ColumnTransformer | FeatureUnion):
        return True
    is_known = type(estimator).__module__.startswith(_KNOWN) and not tags.no_validation
    return False if unknown is None or is_known else unknown


def has_missing(X):
    """Return whether a value of X is missing."""
    if is_dataframe(X):
        columns = [X[name] for name in X.columns]
        if not hasattr(columns[0], "is_null"):
            return any(bool(column.isna().any()) for column in columns)
        return any(  # polars
            column.null_count() > 0
            or (column.dtype.is_float() and bool(column.is_nan().any()))
            for column in columns
        )
    xp, _ = namespace_of(X)
    if xp is not None:
        return xp.isdtype(X.dtype, "real floating") and bool(xp.any(xp.isnan(X)))
    values = getattr(X, "data", X) if hasattr(X, "nnz") else X
    if values.dtype.kind == "O":
        return any(map(is_missing, values.ravel()))
    # The least value is NaN where any is, and needs no second array.
    return values.dtype.kind == "f" and values.size > 0 and bool(np.isnan(values.min()))


def is_missing(value):
    """Return whether a value is None, NaN, NaT or pandas.NA."""
    # pandas.NA is neither equal nor unequal to itself; pandas is not imported for it.
    if value is None or type(value).__name__ == "NAType":
        return True
    # An array, which is not a value, is unequal to itself in some of its elements.
    is_unequal = value != value
    return isinstance(is_unequal, bool | np.bool_) and bool(is_unequal)


def check_target(y, missing_label, *, of_values, classes=None):
    """Return the known labels or values of a target, and which rows these are."""
    if of_values:
        return check_values(y)
    return check_labels(y, missing_label, classes=classes)


def check_labels(y, missing_label, *, classes=None):
    """Return the labels of the labeled rows, of one kind, and which rows these are.

    None, NaN, NaT and pandas.NA always mark unlabeled rows, as does `missing_label`
    unless it is among `classes`; empty `classes` rule out any guess from y.
    """
    if y is None:
        msg = (
            "This estimator requires y to be passed, but the target y is None. Pass "
            f"class labels, with {missing_label!r} for unlabeled rows."
        )
        raise ValueError(msg)
    values = values_of(y)
    known = ~_are_missing(values)
    marked = _are_marked(values, missing_label)
    labeled = known & ~marked
    labels = _of_one_kind(values[labeled])
    if (known & marked).any():
        # Nothing could be learned from the single class +1.
        is_one = labels.dtype.kind in "iuf" and len(labels) and (labels == 1).all()
        is_guessed = classes is None and is_one and is_class(missing_label, [-1])
        if is_guessed:
            warn(
                "y holds -1 and +1 only, so that -1 is taken as a class, not as "
                "missing_label=-1. To silence this, name the classes 0 and 1, or pass "
                "another missing_label.",
            )
        if is_guessed or (classes is not None and is_class(missing_label, classes)):
            labels, labeled = _of_one_kind(values[known]), known
    if labels.dtype.kind in "fc":
        check_array(labels, ensure_2d=False, ensure_min_samples=0, input_name="y")
    if len(labels):
        try:
            check_classification_targets(labels)
        except ValueError as error:
            msg = f"{error} To learn values, pass regressors."
            raise ValueError(msg) from error
    if classes is None or len(classes):
        warn_of_namesakes(labels, missing_label, classes=classes)
    return labels, labeled


def is_marker_a_class(y, missing_label):
    """Return whether `check_labels` takes the marker for a class of y."""
    with warnings.catch_warnings(action="ignore"):
        labels, _ = check_labels(y, missing_label)
    return is_class(missing_label, np.unique(labels))


def is_class(missing_label, classes):
    """Return whether the marker of unlabeled rows is the label of a class."""
    return bool(_are_marked(np.asarray(classes).astype(object), missing_label).any())


def warn_of_namesakes(labels, marker, *, classes=None, name="missing_label"):
    """Warn of a class label that looks like the marker but is of another kind."""
    sure = () if classes is None else np.asarray(classes).tolist()
    found = [label for label in _namesakes(labels, marker) if label not in sure]
    if found:
        warn(
            f"The label {found[0]!r} is read as a class, since {name}={marker!r}. If "
            f"it marks rows without a label, pass {name}={found[0]!r}, or replace it "
            "by None; if it is a class, rename it.",
        )


def warn_if_all_labeled(labels, missing_label):
    """Warn that no row is unlabeled, unless `check_labels` has warned of the marker."""
    if is_class(missing_label, np.unique(labels)) or _namesakes(labels, missing_label):
        return
    warn(
        f"y contains no unlabeled samples: mark them by missing_label={missing_label!r}"
        ", None or NaN. If a meta-estimator passed y, it took the marker for a class, "
        "or left such rows out: wrap weak_estimator or strong_estimator in "
        "CalibratedClassifierCV, BaggingClassifier or the like, not this classifier.",
    )


def check_values(y):
    """Return the float64 values of the labeled rows, and which rows these are."""
    if y is None:
        msg = (
            "This estimator requires y to be passed, but the target y is None. Pass "
            "numbers, with NaN for unlabeled rows."
        )
        raise ValueError(msg)
    values = values_of(y)
    labeled = ~_are_missing(values)
    known = values[labeled]
    strange = [v for v in known[:1] if known.dtype.kind not in "fiubO"]
    if known.dtype.kind == "O":
        strange = [v for v in known if not isinstance(v, _REAL | np.bool_)]
    if strange:
        msg = (
            f"y holds {strange[0]!r}, which is not a real number. A regressor learns "
            "numbers, with NaN for unlabeled rows; for classes use a classifier."
        )
        raise ValueError(msg)
    known = known.astype(np.float64)
    check_array(known, ensure_2d=False, ensure_min_samples=0, input_name="y")
    return known, labeled


def warn_if_all_have_values(labeled):
    """Warn if no row is unlabeled, so that a regressor has nothing to teach."""
    if labeled.all():
        warn(
            "y contains no unlabeled samples: mark them by NaN or None. If a "
            "meta-estimator passed y, it left such rows out: wrap weak_estimator or "
            "strong_estimator in it, not this regressor.",
        )


def are_values(y, missing_label, *, stratify):
    """Return whether a target holds values of a regression, not class labels."""
    values = values_of(y)
    known = values[~_are_missing(values)]
    if known.dtype.kind == "O":
        if not all(isinstance(v, _REAL) for v in known):
            return False
        known = known.astype(np.float64)
    if known.dtype.kind not in "fiu":
        return False
    return (not stratify and is_missing(missing_label)) or bool(
        known.dtype.kind == "f" and (np.isfinite(known) & (known % 1 != 0)).any()
    )


def values_of(y):
    """Return one value per row as a NumPy array, from any library."""
    # NumPy alone would make floats of integers beside gaps, strings of gaps and numbers
    # beside strings, and values of what is masked.
    if is_dataframe(y) and y.shape[1:] == (1,):
        y = values_of(y[y.columns[0]])[:, None]
    elif isinstance(y, np.ma.MaskedArray):
        is_masked, y = np.ma.getmaskarray(y), y.data.astype(object)
        y[is_masked] = None
    elif getattr(getattr(y, "dtype", None), "kind", "") == "T":
        y = np.asarray(y).astype(object)
    elif not isinstance(getattr(y, "dtype", None), np.dtype) and (
        hasattr(y, "isna") or hasattr(y, "is_null")
    ):
        listed = [n for n in ("to_pylist", "tolist", "to_list") if hasattr(y, n)]
        y = getattr(y, listed[0])() if listed else y
    if isinstance(y, list | tuple):
        array = np.asarray(y)
        is_kept = array.dtype.kind in "biu" or (
            array.dtype.kind == "f" and not np.isnan(array).any()
        )
        y = array if is_kept else np.array(y, dtype=object)
    given = to_numpy(y)
    shape = np.asarray(given).shape
    if len(shape) == 2 and shape[1] > 1:
        msg = (
            f"y should be a 1d array, got an array of shape {shape} instead. Pass one "
            "of its columns at a time."
        )
        raise ValueError(msg)
    values = column_or_1d(given)
    if len(shape) > 1:
        warn(
            "A column-vector y was passed when a 1d array was expected. Pass a single "
            "dimension, such as y.ravel().",
            DataConversionWarning,
        )
    return values


def has_columns(y):
    """Return whether a target has two dimensions."""
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    return len(shape) > 1


def columns_of(y):
    """Return the outputs of a target as a list with one column for each."""
    if not has_columns(y):
        return [y]
    if is_dataframe(y):
        columns = [y[name] for name in y.columns]
    else:
        table = np.asarray(to_numpy(y))
        columns = list(table.T) if table.ndim == 2 else []
    if not columns:
        msg = (
            f"y has the shape {np.shape(y)}. Pass one value per row, or one column "
            "per output."
        )
        raise ValueError(msg)
    return columns


def mark_unlabeled(labels, labeled, missing_label):
    """Return one label per row, with None or the marker where there is none."""
    if labeled.all():
        return labels
    if is_class(missing_label, np.unique(labels)):
        missing_label = None
    marker = np.asarray(missing_label)
    # NumPy would turn the number -1 among strings into a string.
    is_alike = any(
        labels.dtype.kind in kinds and marker.dtype.kind in kinds
        for kinds in ("iuf", "U")
    )
    dtype = np.result_type(labels.dtype, marker.dtype) if is_alike else object
    y = np.full(len(labeled), missing_label, dtype=dtype)
    y[labeled] = labels
    return y


def fill_gaps(y, missing_label):
    """Return labels with `missing_label` in place of what is missing."""
    labeled = ~_are_missing(y)
    if labeled.all():
        return y
    if is_missing(missing_label):
        labels = _of_one_kind(y[labeled])
    else:
        labels, labeled = check_labels(y, missing_label)
    return mark_unlabeled(labels, labeled, missing_label)


def classes_of(*label_arrays):
    """Return the sorted union of class labels."""
    arrays = [np.asarray(to_numpy(labels)) for labels in label_arrays]
    arrays = [_of_one_kind(labels) for labels in arrays if len(labels)]
    if not arrays:
        return np.array([], dtype=np.intp)
    if len({a.dtype.kind in "US" for a in arrays}) > 1:
        listed = " and ".join(str(np.unique(a)[:5].tolist()) for a in arrays)
        msg = (
            f"The classes of y and of the estimator differ in kind: {listed}. Fit both "
            "on labels of one kind."
        )
        raise ValueError(msg)
    return np.unique(np.concatenate(arrays))


def _are_missing(values):
    if values.dtype.kind == "O":
        return np.fromiter(map(is_missing, values), dtype=bool, count=len(values))
    return values != values


def _are_marked(values, missing_label):
    """Return which values equal the marker and are of its kind, numbers or strings."""
    kind = next((k for k in (str, _NUMBER) if isinstance(missing_label, k)), ())
    if values.dtype.kind != "O":
        is_alike = issubclass(values.dtype.type, kind)
        return values == missing_label if is_alike else np.zeros(len(values), bool)
    # Types are compared once each: a column of strings may be long.
    alike = {t: issubclass(t, kind) for t in set(map(type, values))}
    marked = (
        v is missing_label or (alike[type(v)] and bool(v == missing_label))
        for v in values
    )
    return np.fromiter(marked, dtype=bool, count=len(values))


def _namesakes(labels, marker):
    """Return the labels that look like a marker of another kind."""
    if labels.dtype.kind == "U":
        # What missing values become where all are turned into strings.
        texts = ["nan", "NaT", "<NA>"]
        if isinstance(marker, Real):
            texts += {str(marker), f"{marker:g}", str(float(marker))}
        elif marker is None:
            texts.append("None")
        return [text for text in texts if (labels == text).any()]
    if labels.dtype.kind not in "iuf" or not isinstance(marker, str):
        return []
    try:
        number = float(marker)
    except ValueError:
        return []
    return [number] if (labels == number).any() else []


def _of_one_kind(labels):
    """Return labels of objects as numbers or strings, which can be sorted."""
    if labels.dtype.kind != "O":
        return labels
    first = {type(v): v for v in labels[::-1]}
    strings = [v for kind, v in first.items() if issubclass(kind, str)]
    numbers = [v for kind, v in first.items() if issubclass(kind, _NUMBER)]
    strange = [v for kind, v in first.items() if not issubclass(kind, str | _NUMBER)]
    if strange or (strings and numbers):
        example = [group[0] for group in (strings, numbers, strange) if group]
        msg = (
            f"Unknown label type: y holds labels such as {example}. Use strings or "
            "numbers for all classes, and missing_label for unlabeled rows."
        )
        raise ValueError(msg)
    return np.array(labels.tolist())


def check_weak_proba(weak_proba, X, labels):
    """Return weak probabilities and their classes, columns in the order of the classes.

    Columns of a data frame are named by classes. Columns of an array are the classes of
    y, or 0, 1, ... where y has fewer.
    """
    names = list(weak_proba.columns) if is_dataframe(weak_proba) else []
    if len(set(names)) < len(names) or len({isinstance(n, str) for n in names}) > 1:
        msg = (
            f"weak_proba has the columns {names}: name each by a different class, all "
            "by strings or all by numbers."
        )
        raise ValueError(msg)
    proba = to_numpy(weak_proba)
    proba = check_array(proba, dtype=np.float64, input_name="weak_proba")
    check_consistent_length(X, proba)
    if proba.shape[1] < 2:
        msg = (
            f"weak_proba has {proba.shape[1]} column; it needs one per class. For the "
            "probability p of the second class pass np.column_stack([1 - p, p])."
        )
        raise ValueError(msg)
    require_distributions(proba, name="weak_proba")
    known = classes_of(labels)
    if names:
        classes = np.array(names)
        unknown = [c for c in known.tolist() if c not in classes.tolist()]
        if unknown:
            msg = (
                f"weak_proba has columns for the classes {classes.tolist()}, but y "
                f"also holds {unknown}. Name the columns by the classes, or pass an "
                "array."
            )
            raise ValueError(msg)
        return proba[:, np.argsort(classes)], np.sort(classes)
    if len(known) == proba.shape[1]:
        return proba, known
    positions = np.arange(proba.shape[1])
    if known.dtype.kind not in "iuf" or not np.isin(known, positions).all():
        msg = (
            f"weak_proba has {proba.shape[1]} columns, but y has the classes "
            f"{known.tolist()}. Pass one column per class, or a data frame whose "
            "columns are the classes."
        )
        raise ValueError(msg)
    return proba, positions


def check_weak_prediction(weak_prediction, X):
    """Return given predictions of a weak regressor as one float64 column."""
    values = np.asarray(values_of(weak_prediction))
    if values.dtype.kind == "O" and _are_missing(values).any():
        values = np.where(_are_missing(values), np.nan, values)
    values = check_array(
        values, dtype=np.float64, ensure_2d=False, input_name="weak_prediction"
    )
    check_consistent_length(X, values)
    return values[:, None]


def require_distributions(proba, *, name):
    """Refuse rows that are not probability distributions."""
    wrong = (proba < 0).any(axis=1) | (np.abs(proba.sum(axis=1) - 1) > 1e-3)
    if wrong.any():
        row = int(np.argmax(wrong))
        msg = (
            f"{name} must hold non-negative rows that sum to 1; row {row} is "
            f"{proba[row].tolist()}. Pass probabilities as from predict_proba."
        )
        raise ValueError(msg)


def align_proba(proba, present, classes, *, absent=0.0):
    """Return columns of the classes `present` as columns of all (sorted) `classes`."""
    aligned = np.full((len(proba), len(classes)), absent, dtype=np.float64)
    aligned[:, np.searchsorted(classes, present)] = proba
    return aligned


def check_scores(scores, n, *, name):
    """Return the scores from a function of the user as n finite float64 numbers."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (n,):
        msg = (
            f"{name} returned an array of shape {scores.shape}; it must return one "
            f"number per row, shape ({n},)."
        )
        raise ValueError(msg)
    strange = np.flatnonzero(~np.isfinite(scores))
    if len(strange):
        msg = (
            f"{name} returned {scores[strange[0]]} for row {strange[0]}; it must "
            "return finite numbers."
        )
        raise ValueError(msg)
    return scores


def check_sources(sample_source, X):
    """Return the sorted names of the sources, and the position of each row's source."""
    if sample_source is None:
        return np.array(["all"]), np.zeros(n_rows(X), dtype=np.intp)
    values = values_of(sample_source)
    check_consistent_length(X, values)
    missing = np.flatnonzero(_are_missing(values))
    if len(missing):
        msg = (
            f"sample_source is missing in {len(missing)} row(s), the first at position "
            f"{missing[0]}. Name their source, or drop these rows."
        )
        raise ValueError(msg)
    if values.dtype.kind == "O":
        is_number = all(isinstance(name, _NUMBER) for name in values)
        values = np.array(values.tolist()) if is_number else values.astype(str)
    return np.unique(values, return_inverse=True)


def check_regions(regions, *, name="regions"):
    """Return region names as an array; messages call the argument `name`."""
    names = np.asarray(column_or_1d(regions))
    if not names.size:
        msg = f"{name} is empty: at least one row is required."
        raise ValueError(msg)
    unknown = names[~np.isin(names, REGIONS)].tolist()
    if unknown:
        msg = f"{name} holds {unknown[0]!r}; name each row by one of {REGIONS}."
        raise ValueError(msg)
    return names.astype(str)


def check_level(confidence_level):
    """Refuse a confidence level that is not a number in (0, 1)."""
    is_number = isinstance(confidence_level, Real)
    if not (is_number and 0 < float(confidence_level) < 1):
        msg = f"confidence_level={confidence_level!r} must be a number in (0, 1)."
        raise ValueError(msg)


def require_distances(transformer, *, name):
    """Refuse a transformer with mode="connectivity", which returns no distances."""
    parameters = transformer.get_params().items()
    if "connectivity" in [v for k, v in parameters if k.split("__")[-1] == "mode"]:
        msg = (
            f"{name}={transformer!r} must return distances, but returns only which "
            'rows are neighbours. Pass mode="distance".'
        )
        raise ValueError(msg)


def require_enough(transformer, n_rows, *, name, rows="rows", fix="Lower n_neighbors."):
    """Refuse a transformer that searches more neighbours than there are."""
    n_neighbors = transformer.get_params().get("n_neighbors")
    # By convention, transformers return one neighbour more than `n_neighbors`.
    if n_neighbors is not None and n_rows <= n_neighbors:
        msg = (
            f"{name}={transformer!r} needs more than n_neighbors={n_neighbors} {rows} "
            f"to search, but there are {n_rows}. {fix}"
        )
        raise ValueError(msg)


def distances_to(transformer, method, rows, n_indexed, *, name, columns="indexed row"):
    """Return the CSR matrix of distances (n, n_indexed) that a transformer finds.

    Entries that are not stored are unknown, whereas a stored zero is a distance.
    """
    # A sparse graph does not fit into a data frame.
    with config_context(transform_output="default"):
        graph = getattr(transformer, method)(rows)
    if not sp.issparse(graph) or graph.shape != (rows.shape[0], n_indexed):
        shape = getattr(graph, "shape", None)
        msg = (
            f"{name}={transformer!r} returned {type(graph).__name__} of shape {shape}; "
            "it must return a sparse matrix of distances of shape "
            f"({rows.shape[0]}, {n_indexed}), one column per {columns}. Pass a "
            "neighbours transformer such as KNeighborsTransformer."
        )
        raise ValueError(msg)
    return graph.tocsr()

"""The rows of a fit: what teachers get to know, and a table for audits."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sklearn_w2s._algorithms.weak_labels import as_counts, on_grid, one_hot
from sklearn_w2s._columns import distinct_rows
from sklearn_w2s._cross_fit import are_disputed
from sklearn_w2s._fitting import may_predict_proba, take_metadata
from sklearn_w2s._sklearn import safe_indexing, to_numpy
from sklearn_w2s._validation import n_rows
from sklearn_w2s._weak import other_columns
from sklearn_w2s.weak_to_strong._members import Labels, merged
from sklearn_w2s.weak_to_strong._teachers import Known, Strong
from sklearn_w2s.weak_to_strong._views import unknown_columns

# More labels tell members no more, and cost them more than time allows.
MAX_LABELED = 5_000
_LEAST_OF_CLASS = 50


class Rows:
    """Rows of a fit, with labels of some."""

    def __init__(self, X, y, labels, labeled, weights, *, weighted):
        self.X = X
        self.y = y  # as the user gave it
        self.labels = labels  # of the labeled rows
        self.labeled = labeled  # which rows these are
        self.weights = weights  # rows of weight zero are left out
        self.sample_weight = weights if weighted else None
        # Positions of the labeled and of the unlabeled rows of positive weight.
        self.known = np.flatnonzero(labeled & (weights > 0))
        self.taught = np.flatnonzero(~labeled & (weights > 0))

    @cached_property
    def unknown_columns(self):
        """Columns that labeled rows lack, and not by chance."""
        return unknown_columns(self.X, self.known, self.taught)

    def codes(self, classes):
        """Return the class codes of the labeled rows."""
        # A class that only rows of weight zero have is not a class of the fit.
        return np.searchsorted(classes, self.labels).clip(max=len(classes) - 1)


def gather(
    rows,
    weak,
    proba,
    pupil,
    folds,
    *,
    teacher,
    keeps_folds,
    is_given_weak,
    has_own_proba,
    include_labeled,
    neighbors,
    seed,
):
    """Return what teachers may know, with equal rows once, and where these stand."""
    taught, known = rows.taught, rows.known
    own, second, lacks = _views(rows, weak, teacher)
    complete = include_labeled and not lacks
    place = np.cumsum(rows.labeled) - 1
    are_values = weak.classes is None
    kinds = rows.labels[place[known]]
    if not are_values:
        proba = on_grid(proba)
        kinds = rows.codes(weak.classes)[place[known]]
    tells = (proba,) if has_own_proba else ()
    (first, which), (others, which_other) = _distinct(
        rows, kinds, tells, keeps_folds=keeps_folds
    )
    if are_values:  # each row is one kind
        kinds = which
    chosen = _draw_labels(kinds[first], 0 if seed is None else seed)
    is_chosen = np.isin(which, chosen)
    known, kinds = known[is_chosen], kinds[is_chosen]
    which = np.searchsorted(chosen, which[is_chosen])
    first = np.unique(which, return_index=True)[1]
    weak_held_out, labels, strong = proba[known], None, None
    unit = (0.0, 1.0)
    if are_values:
        values = rows.labels[place[known]] if len(known) else proba[taught, 0]
        unit = _unit(values, rows.weights[known if len(known) else taught])
    if folds is not None and len(np.unique(kinds)) > 1:
        weights = rows.weights[known]
        y = rows.labels[place[known]] if are_values else weak.classes[kinds]
        every = Labels(
            safe_indexing(rows.X, known),
            y,
            # Rounded, so that what a change of unit does to the last digits of values
            # moves no split.
            ((y - unit[0]) / unit[1]).round(12)[:, None]
            if are_values
            else one_hot(kinds, len(weak.classes)),
            as_counts(weights),
            weak.classes,
            known,
            _folds_among(folds, place[known], kinds, len(rows.labels)),
            keeps_folds,
            *unit,
        )
        labels = merged(every, first, which)
        if not is_given_weak:
            weak_held_out = np.full((len(known), proba.shape[1]), np.nan)
            for _, test in every.folds:
                weak_held_out[test] = proba[known[test]]
        if (
            own is None
            and complete
            and (are_values or may_predict_proba(pupil.estimator))
        ):
            strong = Strong(
                pupil.estimator,
                None if pupil.weights is None else pupil.weights[known],
                take_metadata(pupil.params, known, n_rows(rows.X)),
                every,
                first,
                which,
            )
    known_rows = Known(
        labels=labels,
        others=safe_indexing(rows.X, taught[others]),
        weak_held_out=(weak_held_out[first] - unit[0]) / unit[1],
        weak_proba=(proba[taught[others]] - unit[0]) / unit[1],
        weights=np.bincount(which_other, rows.weights[taught]),
        strong=strong,
        columns=own,
        second=second,
        complete=complete,
        seed=seed,
        unit=unit,
        neighbors=neighbors,
    )
    return known_rows, Places(known, first, which, taught[others], which_other)


def _distinct(rows, kinds, tells, *, keeps_folds):
    """Return `distinct_rows` of the labeled and of the unlabeled rows.

    `tells` are further columns of all rows to compare.
    """
    known, taught = rows.known, rows.taught
    X_known = safe_indexing(rows.X, known)
    every = (np.arange(len(known)), np.arange(len(known)))
    if are_disputed(X_known, kinds):
        return every, (np.arange(len(taught)), np.arange(len(taught)))
    others = distinct_rows(
        safe_indexing(rows.X, taught), *(column[taught] for column in tells)
    )
    if keeps_folds:  # which may part equal rows
        return every, others
    return distinct_rows(X_known, kinds, *(column[known] for column in tells)), others


class Places(NamedTuple):
    """Where rows that are distinct stand among all."""

    labeled: Any  # positions of the labeled rows that members learn from
    first: Any  # which of these are the first of their kind
    which: Any  # the distinct row of each of them
    others: Any  # positions of the unlabeled rows that are the first of their kind
    which_other: Any  # the distinct row of each unlabeled row

    def spread(self, taught):
        """Return what is taught of the distinct rows, spread over all."""
        predicted = {
            name: (labeled[self.which], others[self.which_other])
            for name, (labeled, others) in taught.predicted.items()
        }
        return taught._replace(
            proba=taught.proba[self.which_other],
            judged=taught.judged[self.which_other],
            predicted=predicted,
            positions=self.labeled if len(taught.positions) else taught.positions,
            which=self.which_other,
        )


def _unit(values, weights):
    """Return the mean and the standard deviation of values, one where it is zero."""
    mean = np.average(values, weights=weights)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=weights))
    # What rounding leaves of equal values is not a unit.
    is_constant = deviation <= 1e-12 * np.abs(values).max()
    return float(mean), 1.0 if is_constant else float(deviation)


def _views(rows, weak, teacher):
    """Return the columns labels know, those of a second view, and if labels lack any.

    None for the first means all, and for the second that there is none.
    """
    unknown = rows.unknown_columns
    unseen = None if weak.columns is None else other_columns(rows.X, weak.columns)
    if not teacher.needs_labels:
        return None, unseen, bool(unknown)
    if not teacher.needs_two_views:
        own = other_columns(rows.X, unknown) if unknown else None
        return own, None, bool(unknown)
    second = unknown or unseen
    if not second:
        msg = (
            "This strategy needs two views: set weak_features to some of the columns, "
            "or pass unlabeled rows with columns that labeled rows lack."
        )
        raise ValueError(msg)
    return other_columns(rows.X, second), second, bool(unknown)


def _draw_labels(codes, seed):
    """Return sorted positions of labels to learn from, some of each class."""
    n = len(codes)
    if n <= MAX_LABELED:
        return np.arange(n)
    order = np.random.RandomState(seed).permutation(n)
    by_class = np.argsort(codes[order], kind="stable")
    counts = np.bincount(codes)
    rank = np.empty(n, dtype=np.intp)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    rank[by_class] = np.arange(n) - starts
    first = np.argsort(rank >= _LEAST_OF_CLASS, kind="stable")
    return np.sort(order[first[:MAX_LABELED]])


def _folds_among(folds, chosen, codes, n):
    """Return the folds of chosen ones of n labeled rows, as positions among these."""
    position = np.full(n, -1)
    position[chosen] = np.arange(len(chosen))
    among = [
        tuple(position[part][position[part] >= 0] for part in fold) for fold in folds
    ]
    return [
        (train, test)
        for train, test in among
        if len(test) and len(np.unique(codes[train])) > 1
    ]


def table_of_values(rows, student, weak_values, taught, unit, detector):
    """Return what is known of each row for a regressor, a column each, in a dict."""
    label = student.targets[:, 0].copy()
    label[rows.labeled] = rows.labels
    table = {
        "labeled": rows.labeled,
        "label": label,
        "weight": student.weights,
        "weak_label": weak_values[:, 0],
    } | _of_detector(detector)
    for member, (held_out, others) in (
        {} if taught is None else taught.predicted.items()
    ):
        values = np.full(len(rows.labeled), np.nan)
        values[rows.taught] = others * unit[1] + unit[0]
        values[taught.positions] = held_out * unit[1] + unit[0]
        table[f"{member}_label"] = values
    return table


def _of_detector(detector):
    if detector is None:
        return {}
    return {
        "region": np.asarray(detector.regions_),
        "confidence": to_numpy(detector.confidence_),
        "overlap_score": to_numpy(detector.overlap_score_),
    }


def table_of_rows(rows, weak, student, weak_proba, taught, detector):
    """Return what is known of each row, a column each, in a dict."""
    targets, classes = student.targets, weak.classes
    table = {
        "labeled": rows.labeled,
        "label": _named(rows, classes, targets.argmax(axis=1)),
        "weight": student.weights,
        "weak_label": classes[weak.codes(rows.X, weak_proba)],
    } | _of_detector(detector)
    for k, name in enumerate(classes.tolist()):
        table[f"weak_proba_{name}"] = weak_proba[:, k]
    for k, name in enumerate(classes.tolist()):
        table[f"target_{name}"] = targets[:, k]
    for member, (held_out, others) in (
        {} if taught is None else taught.predicted.items()
    ):
        codes = np.full(len(rows.labeled), -1)
        codes[rows.taught] = others
        codes[taught.positions] = held_out
        named = classes[codes]
        if (codes < 0).any():
            named = named.astype(object)
            named[codes < 0] = None
        table[f"{member}_label"] = named
    return table


def _named(rows, classes, codes):
    """Return labels of all rows, the true ones where they are known."""
    names = classes[codes]
    if len(rows.labels):
        names = names.astype(np.result_type(names, rows.labels))
    names[rows.labeled] = rows.labels
    return names

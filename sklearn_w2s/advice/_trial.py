"""What estimators say of rows held out, and the indicators that follow from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from sklearn_w2s._algorithms.weak_labels import class_coverage, neighbor_consistency
from sklearn_w2s._cross_fit import apart, group_codes, require_routing
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._fitting import take_metadata
from sklearn_w2s._pipeline import before_final, final_step, weak_alone
from sklearn_w2s._sklearn import routing_enabled, safe_indexing
from sklearn_w2s._validation import check_target, n_rows
from sklearn_w2s.model_selection import LabeledSplit, cross_validate_gap
from sklearn_w2s.overlap import OverlapDetector

MAX_FOLDS = 5
# Opinions of more unlabeled rows cost more than they tell.
MAX_UNLABELED = 5_000


@dataclass(frozen=True)
class Opinions:
    """What the rivals predict for m rows that were held out from them."""

    rows: Any  # (m,), positions; a row stands here as often as it was held out
    predicted: dict  # (m,) by rival; without labels, no strong estimator on them
    confidence: Any  # (m,), largest probability of the weak estimator, or NaN
    # (m,) by other rival: how much likelier weak-to-strong considers its own class, or
    # NaN.
    advantage: dict

    @property
    def weights(self):
        """Weights that give each row a sum of one."""
        _, place, times = np.unique(self.rows, return_inverse=True, return_counts=True)
        return 1 / times[place]

    def of(self, mask):
        """Return the opinions of the rows that a mask over all rows names."""
        chosen = mask[self.rows]

        def take(by_rival):
            return {name: said[chosen] for name, said in by_rival.items()}

        return Opinions(
            self.rows[chosen],
            take(self.predicted),
            self.confidence[chosen],
            take(self.advantage),
        )


class Folds(LabeledSplit):
    """Folds that hold out unlabeled rows as well, and last a fit on everything."""

    # What each fold of the last call of `split` held out: labeled test rows, and the
    # unlabeled rows dealt to it. `cv` may draw other folds when called again. An
    # estimator that has learnt a weak label by heart predicts nothing else for its row.
    held_out: list

    def __init__(self, cv, *, missing_label, seed, stratify=True):
        super().__init__(cv, missing_label=missing_label, stratify=stratify)
        self.seed = seed

    def split(self, X, y=None, groups=None):
        """Return positions of training rows, and of labeled test rows."""
        labeled = self._labeled_part(X, y, groups)[-1]
        splits = apart(super().split(X, y, groups), len(labeled))
        unlabeled = np.flatnonzero(~labeled)
        units = unlabeled if groups is None else group_codes(groups)[unlabeled]
        dealt = [unlabeled[own] for own in self._deal(splits, unlabeled, units)]
        self.held_out = [
            np.concatenate([test, own])
            for (_, test), own in zip(splits, dealt, strict=True)
        ]
        return [
            *(
                (train[~np.isin(train, own)], test)
                for (train, test), own in zip(splits, dealt, strict=True)
            ),
            (np.arange(len(labeled)), np.flatnonzero(labeled)),
        ]

    def _deal(self, splits, unlabeled, units):
        """Return for each fold a mask of unlabeled rows, each row in one of them."""
        # A fold that does not train on a row is the first choice. Rows of one unit that
        # have the same choice go to the same fold.
        is_free = np.array([~np.isin(unlabeled, train) for train, _ in splits])
        is_free |= ~is_free.any(axis=0)
        _, units = np.unique(units, return_inverse=True)
        n_units = units.max(initial=-1) + 1
        turn = np.argsort(np.random.RandomState(self.seed).permutation(n_units))
        nth_free = turn[units] % is_free.sum(axis=0)
        return is_free & (np.cumsum(is_free, axis=0) == nth_free + 1)


class _NoScorer(BaseEstimator):
    """Scores nothing, and takes no metadata: opinions are asked for instead."""

    def __call__(self, *_args, **_kwargs):
        """Return a number."""
        return 0.0

    def _accept_sample_weight(self):
        return False


def run_trial(
    estimator, X, y, *, ask_labels, cv, random_state, n_jobs, params, verbose
):
    """Return the student, fitted on all rows, and the opinions on held-out rows."""
    params = params or {}
    require_routing(params)
    estimator = _with_detector(estimator)
    final = final_step(estimator)
    missing_label, regresses = final.missing_label, is_regressor(final)
    labels, labeled = check_target(y, missing_label, of_values=regresses)
    counts = np.array([len(labels)])
    if not regresses:
        counts = np.unique(labels, return_counts=True)[1]
    folds = Folds(
        cv, missing_label=missing_label, seed=random_state, stratify=not regresses
    )
    # Labels are no evidence, or a class has a single one.
    if not ask_labels or (cv is None and (not len(counts) or counts.min() < 2)):
        params = _for_estimator(estimator, folds, params)
        return _hold_out_once(estimator, X, y, labeled, random_state, params)
    if cv is None:
        folds.cv = min(MAX_FOLDS, int(counts.min()))
    results = cross_validate_gap(
        estimator,
        X,
        y,
        cv=folds,
        n_jobs=n_jobs,
        random_state=random_state,
        params=params,
        scoring=_NoScorer(),
        return_estimator=True,
        verbose=verbose,
        error_score="raise",
    )
    *students, student = results["weak_to_strong_estimator"]
    *alone, _ = results["strong_on_labels_estimator"]
    asked = labeled.copy()
    asked[_sample(labeled, random_state)] = True
    heard = [
        _hear(X, rows[asked[rows]], *rivals)
        for rows, *rivals in zip(folds.held_out, students, alone, strict=True)
    ]
    return student, _join(heard)


def _with_detector(estimator):
    """Return a clone that finds regions, which the overlap density needs."""
    estimator = clone(estimator)
    final = final_step(estimator)
    if hasattr(final, "store_rows"):
        final.set_params(store_rows=True)
    if getattr(final, "overlap_detector", 0) is None:
        final.set_params(overlap_detector=OverlapDetector())
    return estimator


def _sample(labeled, seed):
    unlabeled = np.flatnonzero(~labeled)
    mixed = np.random.RandomState(seed).permutation(unlabeled)
    return mixed[:MAX_UNLABELED]


def _hold_out_once(estimator, X, y, labeled, seed, params):
    """Hold out a fifth of the unlabeled rows, where labels cannot be spared."""
    kept = np.arange(len(labeled))
    n_held_out = max(1, (~labeled).sum() // MAX_FOLDS)
    held_out = _sample(labeled, seed)[:n_held_out]
    part = np.setdiff1d(kept, held_out)
    student, other = (
        _fit(estimator, X, y, rows, seed, params) for rows in (kept, part)
    )
    return student, _hear(X, held_out, other)


def _for_estimator(estimator, folds, params):
    """Return the metadata for the estimator; others may be for the folds."""
    if not routing_enabled() or not params:
        return params
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    router = (
        MetadataRouter(owner="advise")
        .add(estimator=estimator, method_mapping=to_fit)
        .add(splitter=folds, method_mapping=to_split)
    )
    return process_routing(router, "fit", **params).estimator.fit


def _fit(estimator, X, y, rows, seed, params):
    estimator = seed_nested(clone(estimator), seed)
    params = take_metadata(params, rows, n_rows(X))
    return estimator.fit(safe_indexing(X, rows), safe_indexing(y, rows), **params)


def _hear(X, rows, student, alone=None):
    chosen = safe_indexing(X, rows)
    weak = weak_alone(student, chosen)
    predicted = {"weak": weak.predict(chosen)}
    if alone is not None:
        predicted["strong_on_labels"] = alone.predict(chosen)
    own = student.predict(chosen)
    thought = _probability(student, chosen)
    advantage = {
        name: thought(own) - thought(other) for name, other in predicted.items()
    }
    confidence = np.full(len(own), np.nan)
    if hasattr(weak, "predict_proba"):
        confidence = weak.predict_proba(chosen).max(axis=1)
    return Opinions(rows, predicted | {"weak_to_strong": own}, confidence, advantage)


def _probability(student, X):
    """Return a function from a class for each row to its probability."""
    if not hasattr(student, "predict_proba"):
        return lambda said: np.full(len(said), np.nan)
    proba = student.predict_proba(X)
    rows = np.arange(len(proba))
    return lambda said: proba[rows, np.searchsorted(student.classes_, said)]


def _join(heard):
    def join(parts):
        return {
            name: np.concatenate([part[name] for part in parts]) for name in parts[0]
        }

    return Opinions(
        np.concatenate([part.rows for part in heard]),
        join([part.predicted for part in heard]),
        np.concatenate([part.confidence for part in heard]),
        join([part.advantage for part in heard]),
    )


N_NEIGHBORS = 15


def describe(student, opinions, X, truth, labeled, weigh):
    """Return the indicators of `advise`, NaN where something cannot be known."""
    final = final_step(student)
    of_unlabeled = opinions.of(~labeled)
    said = of_unlabeled.predicted
    weak = said["weak"]
    weights = weigh(weak)

    def discrepancy(first, second):
        if not (first in said and len(weak)):
            return np.nan
        return float(np.average(said[first] != said[second], weights=weights))

    def advantage(rival):
        if not (rival in of_unlabeled.advantage and len(weak)):
            return np.nan
        return float(np.average(of_unlabeled.advantage[rival], weights=weights))

    known = truth[labeled] if labeled.any() else final.classes_
    indicators = {
        "misfit": discrepancy("weak_to_strong", "weak"),
        "view_discrepancy": discrepancy("strong_on_labels", "weak"),
        "label_discrepancy": discrepancy("strong_on_labels", "weak_to_strong"),
        "advantage": advantage("weak"),
        "label_advantage": advantage("strong_on_labels"),
        "class_coverage": class_coverage(weak, known) if len(weak) else np.nan,
        "weak_overconfidence": _overconfidence(opinions.of(labeled), truth),
    }
    return indicators | _of_overlap(student, X, of_unlabeled, _consistency)


def describe_values(student, opinions, X, labeled):
    """Return the indicators of a regressor."""
    of_unlabeled = opinions.of(~labeled)
    said = of_unlabeled.predicted
    variance = np.var(said["weak"]) if len(said["weak"]) else 0.0

    def discrepancy(first, second):
        if not (first in said and variance > 0):
            return np.nan
        return float(np.mean((said[first] - said[second]) ** 2) / variance)

    unknown = ("advantage", "label_advantage", "class_coverage", "weak_overconfidence")
    indicators = {
        "misfit": discrepancy("weak_to_strong", "weak"),
        "view_discrepancy": discrepancy("strong_on_labels", "weak"),
        "label_discrepancy": discrepancy("strong_on_labels", "weak_to_strong"),
    } | dict.fromkeys(unknown, np.nan)
    return indicators | _of_overlap(student, X, of_unlabeled, _explained)


def _of_overlap(student, X, of_unlabeled, consistency):
    """Return indicators by the detector of the student, none where it has none."""
    detector = getattr(final_step(student), "overlap_detector_", None)
    if detector is None:
        return {}
    low, high = detector.overlap_density_interval_
    rows = before_final(student, safe_indexing(X, of_unlabeled.rows))
    weak = of_unlabeled.predicted["weak"]
    return {
        "overlap_density": detector.overlap_density_,
        "overlap_density_low": low,
        "overlap_density_high": high,
        "neighbor_consistency": consistency(detector.represent(rows), weak),
    }


def _explained(rows, values):
    """Return the share of the variance that the mean of the neighbours explains."""
    n_neighbors = min(N_NEIGHBORS, rows.shape[0] - 1)
    if n_neighbors < 1 or not np.var(values) > 0:
        return np.nan
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    means = values[search.kneighbors(return_distance=False)].mean(axis=1)
    return float(1 - np.mean((values - means) ** 2) / np.var(values))


def _overconfidence(opinions, truth):
    if not len(opinions.rows):
        return np.nan
    hits = opinions.predicted["weak"] == truth[opinions.rows]
    return float(np.average(opinions.confidence - hits, weights=opinions.weights))


def _consistency(rows, labels):
    n_neighbors = min(N_NEIGHBORS, rows.shape[0] - 1)
    if n_neighbors < 1:
        return np.nan
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    return neighbor_consistency(labels, search.kneighbors(return_distance=False))

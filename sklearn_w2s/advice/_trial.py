"""What estimators predict for held-out rows, and the indicators that follow."""

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
# Predictions on more unlabeled rows cost more than they are worth.
MAX_UNLABELED = 5_000
N_NEIGHBORS = 15


@dataclass(frozen=True)
class Predictions:
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
        """Return the predictions of the rows that a mask over all rows names."""
        chosen = mask[self.rows]
        return Predictions(
            self.rows[chosen],
            {name: found[chosen] for name, found in self.predicted.items()},
            self.confidence[chosen],
            {name: found[chosen] for name, found in self.advantage.items()},
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
    """A scorer that scores nothing and takes no metadata: predictions are asked for."""

    def __call__(self, *_args, **_kwargs):
        """Return a number."""
        return 0.0

    def _accept_sample_weight(self):
        return False


def run_trial(
    estimator, X, y, *, ask_labels, cv, random_state, n_jobs, params, verbose
):
    """Return the student, fitted on all rows, and the predictions on held-out rows."""
    params = params or {}
    require_routing(params)
    estimator = clone(estimator)
    final = final_step(estimator)
    # The overlap density needs regions.
    if hasattr(final, "store_rows"):
        final.set_params(store_rows=True)
    if getattr(final, "overlap_detector", 0) is None:
        final.set_params(overlap_detector=OverlapDetector())
    missing_label, regresses = final.missing_label, is_regressor(final)
    labels, labeled = check_target(y, missing_label, of_values=regresses)
    counts = np.array([len(labels)])
    if not regresses:
        counts = np.unique(labels, return_counts=True)[1]
    mixed = np.random.RandomState(random_state).permutation(np.flatnonzero(~labeled))
    folds = Folds(
        cv, missing_label=missing_label, seed=random_state, stratify=not regresses
    )
    # Labels are not evidence, or a class has a single one.
    if not ask_labels or (cv is None and (not len(counts) or counts.min() < 2)):
        return _hold_out_once(estimator, X, y, mixed, folds, params)
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
    # The last fit is that on all rows.
    *students, student = results["weak_to_strong_estimator"]
    *alone, _ = results["strong_on_labels_estimator"]
    asked = labeled.copy()
    asked[mixed[:MAX_UNLABELED]] = True
    parts = [
        _ask(X, rows[asked[rows]], *rivals)
        for rows, *rivals in zip(folds.held_out, students, alone, strict=True)
    ]
    return student, Predictions(
        np.concatenate([part.rows for part in parts]),
        {
            name: np.concatenate([part.predicted[name] for part in parts])
            for name in parts[0].predicted
        },
        np.concatenate([part.confidence for part in parts]),
        {
            name: np.concatenate([part.advantage[name] for part in parts])
            for name in parts[0].advantage
        },
    )


def _hold_out_once(estimator, X, y, mixed, folds, params):
    """Hold out a fifth of the unlabeled rows, where labels cannot be spared."""
    if routing_enabled() and params:
        # Some of them may be for the folds.
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        to_split = MethodMapping().add(caller="fit", callee="split")
        router = (
            MetadataRouter(owner="advise")
            .add(estimator=estimator, method_mapping=to_fit)
            .add(splitter=folds, method_mapping=to_split)
        )
        params = process_routing(router, "fit", **params).estimator.fit
    n_held_out = min(MAX_UNLABELED, max(1, len(mixed) // MAX_FOLDS))
    held_out = mixed[:n_held_out]
    everything = np.arange(n_rows(X))
    student, other = (
        seed_nested(clone(estimator), folds.seed).fit(
            safe_indexing(X, rows),
            safe_indexing(y, rows),
            **take_metadata(params, rows, n_rows(X)),
        )
        for rows in (everything, np.setdiff1d(everything, held_out))
    )
    return student, _ask(X, held_out, other)


def _ask(X, rows, student, alone=None):
    """Return what the student, its weak estimator and the strong one alone predict."""
    chosen = safe_indexing(X, rows)
    weak = weak_alone(student, chosen)
    predicted = {"weak": weak.predict(chosen)}
    if alone is not None:
        predicted["strong_on_labels"] = alone.predict(chosen)
    own = student.predict(chosen)
    confidence = np.full(len(own), np.nan)
    if hasattr(weak, "predict_proba"):
        confidence = weak.predict_proba(chosen).max(axis=1)
    advantage = dict.fromkeys(predicted, np.full(len(own), np.nan))
    if hasattr(student, "predict_proba"):
        proba, everywhere = student.predict_proba(chosen), np.arange(len(own))
        best = proba[everywhere, np.searchsorted(student.classes_, own)]
        for name, other in predicted.items():
            place = np.searchsorted(student.classes_, other)
            advantage[name] = best - proba[everywhere, place]
    return Predictions(rows, predicted | {"weak_to_strong": own}, confidence, advantage)


def describe(student, predictions, X, truth, labeled, weigh):
    """Return the indicators of `advise`, NaN where something cannot be known."""
    # `weigh` is None for a regressor.
    unlabeled = predictions.of(~labeled)
    predicted, weak = unlabeled.predicted, unlabeled.predicted["weak"]
    final, regresses = final_step(student), weigh is None
    variance = np.var(weak) if regresses and len(weak) else 0.0
    weights = None if regresses else weigh(weak)

    def discrepancy(first, second):
        if first not in predicted or not (variance > 0 if regresses else len(weak)):
            return np.nan
        if regresses:
            squares = (predicted[first] - predicted[second]) ** 2
            return float(np.mean(squares) / variance)
        return float(np.average(predicted[first] != predicted[second], weights=weights))

    names = ("advantage", "label_advantage", "class_coverage", "weak_overconfidence")
    indicators = {
        "misfit": discrepancy("weak_to_strong", "weak"),
        "view_discrepancy": discrepancy("strong_on_labels", "weak"),
        "label_discrepancy": discrepancy("strong_on_labels", "weak_to_strong"),
        **dict.fromkeys(names, np.nan),
    }
    if not regresses and len(weak):
        for name, rival in zip(names, ("weak", "strong_on_labels"), strict=False):
            if rival in unlabeled.advantage:
                gains = unlabeled.advantage[rival]
                indicators[name] = float(np.average(gains, weights=weights))
        known = truth[labeled] if labeled.any() else final.classes_
        indicators["class_coverage"] = class_coverage(weak, known)
    known = predictions.of(labeled)
    if not regresses and len(known.rows):
        above = known.confidence - (known.predicted["weak"] == truth[known.rows])
        mean = np.average(above, weights=known.weights)
        indicators["weak_overconfidence"] = float(mean)
    detector = getattr(final, "overlap_detector_", None)
    if detector is None:
        return indicators
    low, high = detector.overlap_density_interval_
    rows = before_final(student, safe_indexing(X, unlabeled.rows))
    return indicators | {
        "overlap_density": detector.overlap_density_,
        "overlap_density_low": low,
        "overlap_density_high": high,
        "neighbor_consistency": _consistency(detector.represent(rows), weak, regresses),
    }


def _consistency(rows, weak, regresses):
    """Return how well neighbours predict a weak label, or a weak value."""
    n_neighbors = min(N_NEIGHBORS, rows.shape[0] - 1)
    if n_neighbors < 1 or (regresses and not np.var(weak) > 0):
        return np.nan
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    neighbors = search.kneighbors(return_distance=False)
    if not regresses:
        return neighbor_consistency(weak, neighbors)
    errors = weak - weak[neighbors].mean(axis=1)
    return float(1 - np.mean(errors**2) / np.var(weak))

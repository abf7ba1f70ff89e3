"""Learning from one batch of rows after the other, where both parts can."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.weak_labels import unit_mean
from sklearn_w2s._estimators import seed_nested
from sklearn_w2s._fitting import (
    fit_arguments,
    partial_fit_on_targets,
    partial_fit_weighted,
    takes_weights_in_batches,
)
from sklearn_w2s._sklearn import check_weights, safe_indexing
from sklearn_w2s._validation import check_new_rows
from sklearn_w2s._weak import WeakPredictor, is_fitted, is_given, select_columns
from sklearn_w2s.weak_to_strong._rows import Rows
from sklearn_w2s.weak_to_strong._student import Pupil

# Attributes that only a `fit` on all rows sets.
_OF_A_FIT = ("evidence_", "overlap_detector_", "overlap_density_", "rows_")


class BatchPupil(Pupil):
    """A strong estimator that has learned from former batches."""

    def learn(self, X, targets, classes, shape, counts):
        """Go on learning, in place, and return the weights that it learned with."""
        weights = unit_mean(shape * (counts > 0), counts)
        if self.weights is not None:
            weights = weights * self.weights
        partial_fit_on_targets(self.estimator, X, targets, classes, weights)
        return weights


def may_learn_batches(host):
    """Return whether both parts of a host have `partial_fit`; raise if one lacks it."""
    if not host._takes_batches:  # noqa: SLF001  of the host
        return False
    parts = {"weak_estimator": host._weak(), "strong_estimator": host._strong()}  # noqa: SLF001
    for name, part in parts.items():
        is_asked = name == "weak_estimator" and is_given(part)
        if not is_asked and not hasattr(part, "partial_fit"):
            msg = (
                f"{name}={part!r} has no partial_fit. Use fit, or an estimator that "
                "learns from batches."
            )
            raise AttributeError(msg)
    return True


class BatchMixin(BaseEstimator):
    """Learn from batches by a strategy that looks at each row by itself.

    The host, a `WeakToStrong`, defines `_read_batch` and `_choose_for_batches`.
    """

    _takes_batches = True

    def _learn_batch(self, X, y, sample_weight, classes=None):
        self._require_batches()
        is_first = not hasattr(self, "strong_estimator_")
        X = self._check_rows(X, asks_weak=True) if is_first else check_new_rows(self, X)
        weights, weighted = check_weights(sample_weight, X), sample_weight is not None
        labels, labeled = self._read_batch(X, y, classes)
        rows = Rows(X, y, labels, labeled, weights, weighted=weighted)
        weak, strong = self._parts(is_first=is_first)
        names = ["weak_estimator", "strong_estimator"]
        (own, _), (strong_weights, _) = fit_arguments(
            self, names, rows.sample_weight, {}, method="partial_fit", of="partial_fit"
        )
        strategy = self._choose_for_batches(rows, strong)
        self._teach_weak(weak, rows, own)
        self._forget_rows_of_fit()
        predictor = WeakPredictor(weak, self._weak_columns_, self._known_classes())
        proba = predictor.proba(X)
        predictor.watch_decisions(X, proba)
        self._heed_decisions(predictor, strategy)
        pupil = BatchPupil(strong, strong_weights, {})
        self.weak_estimator_, self.strong_estimator_ = weak, strong
        is_for_strong = (rows.weights > 0) & (~labeled | self.include_labeled)
        if is_for_strong.any():
            rng = check_random_state(self.random_state)
            student = self._imitate(rows, pupil, strategy, predictor, proba, None, rng)
            self._keep(rows, student, predictor, proba, None)
        return self

    def _require_batches(self):
        """Refuse what only a `fit` on all rows at once can give."""
        by_row = [name for name, s in self._strategies.items() if _is_for_batches(s)]
        named = self.strategy
        if named != "auto" and (callable(named) or named not in by_row):
            msg = (
                f"strategy={named!r} compares rows with others, and partial_fit sees "
                f'one batch at a time. Use "auto" or one of {by_row}, or fit.'
            )
            raise ValueError(msg)
        for name, value in (
            ("overlap_detector", self.overlap_detector is not None),
            ("neighbors", self.neighbors is not None),
            ("store_rows", self.store_rows),
        ):
            if value:
                msg = (
                    f"{name}={getattr(self, name)!r} is for the rows of one fit, and "
                    f"partial_fit sees one batch at a time. Leave {name} at its "
                    "default, or use fit."
                )
                raise ValueError(msg)

    def _parts(self, *, is_first):
        """Return both estimators as former batches have left them."""
        if not is_first:
            if self.weak_estimator_ is None:
                msg = (
                    "The fit before used weak labels without an estimator that could "
                    "label a batch. Fit anew with weak_estimator."
                )
                raise ValueError(msg)
            return self.weak_estimator_, self.strong_estimator_
        seeds = None
        if self.random_state is not None:
            seeds = check_random_state(self.random_state)
        weak = clone(self._weak())
        if not is_given(weak):
            weak = seed_nested(weak, seeds)
        return weak, seed_nested(clone(self._strong()), seeds)

    def _teach_weak(self, weak, rows, weights):
        """Let the weak estimator learn from the labeled rows."""
        known = rows.known
        if len(known) and not is_given(self._weak()):
            partial_fit_weighted(
                weak,
                safe_indexing(select_columns(rows.X, self._weak_columns_), known),
                rows.labels[np.cumsum(rows.labeled)[known] - 1],
                self._known_classes(),
                None if weights is None else weights[known],
                name="weak_estimator",
            )
        if not is_fitted(weak):
            msg = (
                "y has no label, and weak_estimator has not learned any yet. The first "
                "batch needs labeled rows, or pass weak_estimator=FrozenEstimator(a "
                "fitted one)."
            )
            raise ValueError(msg)

    def _forget_rows_of_fit(self):
        for name in _OF_A_FIT:
            if hasattr(self, name):
                delattr(self, name)

    def _known_classes(self):
        return None if self._are_values else self.classes_


def _is_for_batches(strategy):
    return strategy.by_row and not strategy.needs_regions


def require_weights_in_batches(strong, what):
    """Refuse a strong estimator whose `partial_fit` takes no weights."""
    if not takes_weights_in_batches(strong):
        msg = (
            f"{what} needs weights, and {type(strong).__name__}.partial_fit takes no "
            'sample_weight. Use strategy="all" and pseudo_labels="hard", or another '
            "strong estimator."
        )
        raise TypeError(msg)

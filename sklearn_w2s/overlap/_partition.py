"""From weak probabilities and compared rows to easy, hard and overlap rows."""

from numbers import Real

import numpy as np

from sklearn_w2s._algorithms.overlap import (
    balanced_margin_confidence,
    entropy_confidence,
    margin_confidence,
    max_proba_confidence,
    split_regions,
)
from sklearn_w2s._algorithms.thresholds import (
    change_point,
    mixture_threshold,
    weighted_quantile,
)
from sklearn_w2s._validation import check_scores
from sklearn_w2s._warnings import warn
from sklearn_w2s.overlap._measures import new_measure
from sklearn_w2s.overlap._ruptures import published_threshold, ruptures_threshold

# Scores below this share of the largest are alike on the logarithmic scale.
_SMALLEST_SHARE = 1e-3
# A row that is more confident than so many of the confident rows is not hard.
_LEAST_CONFIDENT_SHARE = 0.25
# If less of the rows of low confidence stays hard, the easy rows are of no use.
_LEAST_SHARE_LEFT = 0.1


class NoChangePointWarning(UserWarning):
    """Scores that are all equal cannot be split, so that every row counts as easy."""


def split_mixture(scores, weights):
    """Return the smallest score of the upper of two groups of unequal size and spread.

    None where all scores are equal. Without negative scores, it splits their
    logarithms, since similarities spread in proportion to their size.
    """
    x = np.asarray(scores, dtype=np.float64)
    # Rows that do not count must not change the scale.
    counted = x[np.asarray(weights) > 0]
    on_log_scale = counted.min() >= 0 < counted.max()
    if on_log_scale:
        x = np.log(np.maximum(x, _SMALLEST_SHARE * counted.max()))
    start = change_point(x, weights)
    if start is None:
        return change_point(scores, weights)
    threshold = mixture_threshold(x, weights, start)
    return float(np.exp(threshold)) if on_log_scale else threshold


SPLITS = {"change_point": change_point, "mixture": split_mixture}
# The threshold of the paper's code.
PUBLISHED = "published"


def find_threshold(rule, kind, scores, weights, *, auto, name):
    """Return the smallest score of the upper group, or None if all are equal.

    The rule is a number, whose `kind` is "value" or "quantile", a function, a change
    point estimator, a key of `SPLITS` or "auto" for the key `auto`.
    """
    if callable(rule):
        return _number(rule(scores, weights), f"{name}(values, sample_weight)")
    if isinstance(rule, Real):
        number = _number(rule, name)
        if kind == "value":
            return number
        if not 0 <= number <= 1:
            msg = f'{name}={number} with threshold_type="quantile" is not in [0, 1].'
            raise ValueError(msg)
        return weighted_quantile(scores, number, weights)
    if not isinstance(rule, str):
        found = ruptures_threshold(rule, scores, weights, name=name)
    elif rule == PUBLISHED:
        found = published_threshold(scores, weights, name=name)
    else:
        found = SPLITS[auto if rule == "auto" else rule](scores, weights)
    if found is None:
        warn(
            f"{name}={rule!r} found no change point: the {len(scores)} scores are all "
            "equal, so that no row counts as overlap. Pass a number, or a weak "
            "estimator whose probabilities differ between rows.",
            NoChangePointWarning,
        )
    return found


def _number(value, name):
    if not isinstance(value, Real) or value != value:
        msg = f"{name}={value!r} is not a number."
        raise ValueError(msg)
    return float(value)


CONFIDENCES = {
    "balanced_margin": balanced_margin_confidence,
    "margin": lambda proba, _: margin_confidence(proba),
    "max_proba": lambda proba, _: max_proba_confidence(proba),
    "entropy": lambda proba, _: entropy_confidence(proba),
}


def weak_confidence(kind, proba, class_shares):
    """Return the confidence of each row, by "auto", a key of `CONFIDENCES` or function.

    Without class shares, the columns are values and their uncertainties.
    """
    if class_shares is None:
        return -proba[:, 1]
    if callable(kind):
        return check_scores(kind(proba), len(proba), name="confidence")
    name = "balanced_margin" if kind == "auto" else kind
    return CONFIDENCES[name](proba, class_shares)


def draw_references(belongs, weights, most, rng):
    """Return sorted positions of at most so many rows of positive weight, at random."""
    positions = np.flatnonzero(belongs & (weights > 0))
    if most is None or len(positions) <= most:
        return positions
    return np.sort(rng.choice(positions, most, replace=False))


class HardRows:
    """Hard rows: of low confidence and, if refined, unlike the easy rows."""

    def __init__(self, threshold, threshold_type, *, refine, max_references, n_jobs):
        self.threshold = threshold
        self.threshold_type = threshold_type
        self.refine = refine
        self.max_references = max_references
        self.n_jobs = n_jobs

    def fit_predict(self, confidence, rows, weights, rng):
        """Find the thresholds, and return a mask of the hard rows."""
        found = find_threshold(
            self.threshold,
            self.threshold_type,
            confidence,
            weights,
            auto="change_point",
            name="confidence_threshold",
        )
        if found is not None and self.threshold == PUBLISHED:
            # There, the row at the break is hard.
            found = np.nextafter(found, np.inf)
        self.confidence_threshold = -np.inf if found is None else float(found)
        self.easy_threshold = np.inf
        self.easy = None
        hard = confidence < self.confidence_threshold
        if self.refine and weights[hard].any() and weights[~hard].any():
            return self._refine(hard, confidence, rows, weights, rng)
        return hard

    def predict(self, confidence, rows):
        """Return a mask of the hard rows, by the thresholds of the fit."""
        hard = confidence < self.confidence_threshold
        if self.easy is None:
            return hard
        # Thresholds are doubles: a float32 score must not be compared in single
        # precision.
        easy_score = self.easy.score(rows, None).astype(np.float64)
        return hard & (easy_score < self.easy_threshold)

    def _refine(self, hard, confidence, rows, weights, rng):
        """Return the rows that stay hard when those like the easy ones are left out."""
        # Confident rows that resemble those of low confidence least are surely easy.
        score = self._compare(hard, rows, weights, rng).score(rows, None)
        threshold = split_mixture(score[~hard], weights[~hard])
        if threshold is None:
            return hard
        easy = self._compare(~hard & (score < threshold), rows, weights, rng)
        easy_score = easy.score(rows, None).astype(np.float64)
        # Rows that are typical in every column resemble nothing.
        compared = (score > 0) | (easy_score > 0)
        if not weights[compared].any():
            return hard
        easy_threshold = split_mixture(easy_score[compared], weights[compared])
        if easy_threshold is None:
            return hard
        # A row like the easy ones carries their pattern, however low its confidence; a
        # row unlike them may owe some confidence to chance, hence a higher threshold.
        highest = self.confidence_threshold
        if self.threshold == "auto":
            share = _LEAST_CONFIDENT_SHARE
            highest = weighted_quantile(confidence[~hard], share, weights[~hard])
        # Not applied where hardly any row would stay hard.
        remaining = (confidence < highest) & (easy_score < easy_threshold)
        least = _LEAST_SHARE_LEFT * weights[hard & compared].sum()
        if weights[remaining & compared].sum() < least:
            return hard
        self.easy, self.easy_threshold = easy, easy_threshold
        self.confidence_threshold = highest
        return remaining

    def _compare(self, region, rows, weights, rng):
        references = draw_references(region, weights, self.max_references, rng)
        measure = new_measure("mean_abs_cosine", self.n_jobs)
        return measure.fit(rows, None, references, weights)


class Partition:
    """Thresholds and references that divide rows into easy, hard and overlap."""

    def __init__(self, confidence, hard_rows, measure, threshold, threshold_type):
        self.confidence = confidence
        self.hard_rows = hard_rows
        self.measure = measure
        self.threshold = threshold
        self.threshold_type = threshold_type

    def fit_describe(self, proba, rows, weak_rows, weights, rng, *, are_values):
        """Find thresholds and references; return confidence, score and regions."""
        self.class_shares = None
        if not are_values:
            self.class_shares = np.average(proba, axis=0, weights=weights)
        confidence = weak_confidence(self.confidence, proba, self.class_shares)
        hard = self.hard_rows.fit_predict(confidence, rows, weights, rng)
        most = self.hard_rows.max_references
        references = draw_references(hard, weights, most, rng)
        score = self.measure.fit_score(rows, weak_rows, references, weights, rng)
        found = None
        if len(references) and (weights[~hard] > 0).any():
            found = find_threshold(
                self.threshold,
                self.threshold_type,
                score[~hard],
                weights[~hard],
                auto="mixture",
                name="overlap_threshold",
            )
        self.overlap_threshold = np.inf if found is None else found
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

    def describe(self, proba, rows, weak_rows):
        """Return confidence, score and region of new rows."""
        confidence = weak_confidence(self.confidence, proba, self.class_shares)
        score = self.measure.score(rows, weak_rows)
        hard = self.hard_rows.predict(confidence, rows)
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

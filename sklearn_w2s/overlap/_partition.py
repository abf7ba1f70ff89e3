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
from sklearn_w2s.overlap._measures import mean_abs_cosine
from sklearn_w2s.overlap._ruptures import (
    is_change_point_estimator,
    published_threshold,
    ruptures_threshold,
)

# Scores below this share of the largest are alike on the logarithmic scale.
_SMALLEST_SHARE = 1e-3
# A row that is more confident than so many of the confident rows is not hard.
_LEAST_CONFIDENT_SHARE = 0.25
# If less of the rows of little confidence stays hard, the easy rows told nothing.
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
# Of the paper's code, by a function that names the parameter.
PUBLISHED = "published"


class Threshold:
    """A rule that cuts scores in two: a split, a number, a quantile or a function.

    `auto` is the key of `SPLITS` that the rule "auto" stands for; `name` is for
    messages.
    """

    def __init__(self, rule, kind, *, auto, name):
        self.rule = rule
        self.kind = kind
        self.auto = auto
        self.name = name

    def find(self, scores, weights):
        """Return the smallest score of the upper group, or None if all are equal."""
        rule, name = self.rule, self.name
        if callable(rule):
            return _number(rule(scores, weights), f"{name}(values, sample_weight)")
        if isinstance(rule, Real):
            number = _number(rule, name)
            if self.kind == "value":
                return number
            if not 0 <= number <= 1:
                msg = (
                    f'{name}={number} with threshold_type="quantile" is not in [0, 1].'
                )
                raise ValueError(msg)
            return weighted_quantile(scores, number, weights)
        if is_change_point_estimator(rule):
            found = ruptures_threshold(rule, scores, weights, name=name)
        elif rule == PUBLISHED:
            found = published_threshold(scores, weights, name=name)
        else:
            found = SPLITS[self.auto if rule == "auto" else rule](scores, weights)
        if found is None:
            warn(
                f"{name}={rule!r} found no change point: the {len(scores)} scores are "
                "all equal, so that no row counts as overlap. Pass a number, or a weak "
                "estimator whose probabilities differ between rows.",
                NoChangePointWarning,
            )
        return found

    def is_named(self, name):
        """Return whether the rule is given by this name."""
        return isinstance(self.rule, str) and self.rule == name


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


class Confidence:
    """A confidence: a key of `CONFIDENCES` or a function; a column, of values."""

    def __init__(self, kind, *, are_values=False):
        self.kind = "balanced_margin" if kind == "auto" else kind
        self.are_values = are_values

    def fit(self, proba, weights):
        """Learn the shares of the classes among the weak labels."""
        self.class_prior = np.average(proba, axis=0, weights=weights)
        return self

    def score(self, proba):
        """Return the confidence of each row."""
        if self.are_values:
            return -proba[:, 1]
        if callable(self.kind):
            return check_scores(self.kind(proba), len(proba), name="confidence")
        return CONFIDENCES[self.kind](proba, self.class_prior)


def draw_references(belongs, weights, most, rng):
    """Return sorted positions of at most so many rows of positive weight, at random."""
    positions = np.flatnonzero(belongs & (weights > 0))
    if most is None or len(positions) <= most:
        return positions
    return np.sort(rng.choice(positions, most, replace=False))


class HardRows:
    """Hard rows: of low confidence and, if refined, unlike the easy rows."""

    def __init__(self, threshold, *, refine, max_references, n_jobs):
        self.threshold = threshold
        self.refine = refine
        self.max_references = max_references
        self.n_jobs = n_jobs

    def fit_predict(self, confidence, rows, weights, rng):
        """Find the thresholds, and return a mask of the hard rows."""
        found = self.threshold.find(confidence, weights)
        if found is not None and self.threshold.is_named(PUBLISHED):
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
        return hard & (_scores(self.easy, rows) < self.easy_threshold)

    def _refine(self, hard, confidence, rows, weights, rng):
        """Return the rows that stay hard when those like the easy ones are left out."""
        # Confident rows that resemble those of low confidence least are surely easy.
        score = self._compare(hard, rows, weights, rng).score(rows, None)
        threshold = split_mixture(score[~hard], weights[~hard])
        if threshold is None:
            return hard
        easy = self._compare(~hard & (score < threshold), rows, weights, rng)
        easy_score = _scores(easy, rows)
        # Rows that are typical in every column resemble nothing.
        tells = (score > 0) | (easy_score > 0)
        if not weights[tells].any():
            return hard
        easy_threshold = split_mixture(easy_score[tells], weights[tells])
        if easy_threshold is None:
            return hard
        # A row like the easy ones carries their pattern, however low its confidence; a
        # row unlike them may owe some confidence to chance, hence a higher threshold.
        highest = self.confidence_threshold
        if self.threshold.is_named("auto"):
            share = _LEAST_CONFIDENT_SHARE
            highest = weighted_quantile(confidence[~hard], share, weights[~hard])
        # Not applied where hardly any row would stay hard.
        remaining = (confidence < highest) & (easy_score < easy_threshold)
        least = _LEAST_SHARE_LEFT * weights[hard & tells].sum()
        if weights[remaining & tells].sum() < least:
            return hard
        self.easy, self.easy_threshold = easy, easy_threshold
        self.confidence_threshold = highest
        return remaining

    def _compare(self, region, rows, weights, rng):
        references = draw_references(region, weights, self.max_references, rng)
        return mean_abs_cosine(self.n_jobs).fit(rows, None, references, weights)


def _scores(measure, rows):
    # Thresholds are doubles: a float32 score must not be compared in single precision.
    return measure.score(rows, None).astype(np.float64)


class Partition:
    """Thresholds and references that divide rows into easy, hard and overlap."""

    def __init__(self, confidence, hard_rows, measure, threshold):
        self.confidence = confidence
        self.hard_rows = hard_rows
        self.measure = measure
        self.threshold = threshold

    def fit_describe(self, proba, rows, weak_rows, weights, rng):
        """Find thresholds and references; return confidence, score and regions."""
        confidence = self.confidence.fit(proba, weights).score(proba)
        hard = self.hard_rows.fit_predict(confidence, rows, weights, rng)
        most = self.hard_rows.max_references
        references = draw_references(hard, weights, most, rng)
        score = self.measure.fit_score(rows, weak_rows, references, weights, rng)
        found = None
        if len(references) and (weights[~hard] > 0).any():
            found = self.threshold.find(score[~hard], weights[~hard])
        self.overlap_threshold = np.inf if found is None else found
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

    def describe(self, proba, rows, weak_rows):
        """Return confidence, score and region of new rows."""
        confidence = self.confidence.score(proba)
        score = self.measure.score(rows, weak_rows)
        hard = self.hard_rows.predict(confidence, rows)
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

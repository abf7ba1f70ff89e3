"""The student: the strong estimator, taught, checked and calibrated."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from sklearn_w2s._algorithms.ensemble import best_sharpness, sharpen
from sklearn_w2s._algorithms.overlap import margin_confidence
from sklearn_w2s._algorithms.weak_labels import as_counts, one_hot, unit_mean
from sklearn_w2s._early_stopping import stops_early
from sklearn_w2s._fitting import (
    fit_on_targets,
    learns_softly,
    loss_by_repetition,
    predict_aligned,
    predicted_codes,
    splits_inside,
    takes_distributions,
    takes_weights,
)
from sklearn_w2s._sklearn import safe_indexing

# Unlabeled rows that the student is held against in place of learning from them.
HELD_SHARE = 0.1
MOST_HELD = 2_000
_LEAST_HELD = 10
# In expected accuracy; an estimator that learns at all stays below.
MOST_BEHIND = 0.02
# So much is not a lack of capacity.
FAR_BEHIND = 0.1
_STANDARD_ERRORS = 2.0
# A row on which the teacher wavers counts a little.
_LEAST_MARGIN = 0.02
# Of more rows, weights cost some estimators more than all else, and a sample drawn by
# them tells as much.
MOST_WEIGHTED = 10_000
# With more classes, a row for each costs too much to be the first choice.
_MOST_COPIES = 10
# Shares of even chances to mix in if classes are ruled out, as by forests.
_EVEN_SHARES = (1e-3, 1e-2, 0.05, 0.2)


class Lesson(NamedTuple):
    """What the strong estimator is to learn."""

    proba: Any  # (n, n_classes), of all rows, true labels among them
    judged: Any  # the same with rare classes raised: the likeliest is the one to learn
    weights: Any  # zero for rows that are not learned
    taught: Any  # positions of the rows that only the teacher labels
    which: Any  # the distinct row of each of these
    by_margin: bool  # whether rows on which the teacher wavers count less


class Calibration(NamedTuple):
    """A map of probabilities that leaves the likeliest class as it is."""

    power: float  # that probabilities are raised to, before they are renormalised
    even_share: float  # of even chances, mixed in before that

    def apply(self, proba):
        """Return the calibrated probabilities."""
        if self == PLAIN:
            return proba
        mixed = (1 - self.even_share) * proba + self.even_share / proba.shape[1]
        return sharpen(mixed, self.power, least=LEAST_PROBA)


PLAIN = Calibration(1.0, 0.0)
# Far below what calibration needs, and above what underflows.
LEAST_PROBA = 1e-12


class Student(NamedTuple):
    """A strong estimator that has learned a lesson."""

    estimator: Any
    calibration: Any  # brings its probabilities to those of the teacher
    targets: Any  # that it learned
    weights: Any  # zero for rows that it did not learn from
    is_soft: bool  # whether it learned distributions
    held: Any  # positions of the rows that it was held against
    behind: float  # by how much at least on these, NaN without; see `surely_behind`


NO_ROWS = np.empty(0, dtype=np.intp)


class Pupil(NamedTuple):
    """The strong estimator before `fit`, and its weights and further arguments.

    `stop_on` are positions of labeled rows on which it may stop early.
    """

    estimator: Any
    weights: Any
    params: dict
    stop_on: Any = NO_ROWS

    def stops_on_labels(self, n_rows):
        """Return whether it stops on labeled rows, learning from `n_rows` others."""
        return len(self.stop_on) > 0 and stops_early(
            self.estimator, n_rows, self.params
        )

    def learn(self, X, targets, classes, shape, counts):
        """Fit the estimator, in place, and return the weights that it learned with.

        These are `shape`, scaled to mean 1 over `counts`; `classes` is None for values.
        """
        used, stop_on = shape * (counts > 0), None
        learned = used.copy()
        learned[self.stop_on] = 0.0
        if self.stops_on_labels(np.count_nonzero(learned)):
            used, stop_on = learned, self._validation(X, targets, classes, learned)
        weights = unit_mean(used, counts)
        is_weighted = self.weights is not None
        if is_weighted:
            weights = weights * self.weights
        fit_on_targets(
            self.estimator,
            X,
            targets,
            classes,
            weights,
            weighted=is_weighted,
            params=self.params,
            stop_on=stop_on,
        )
        return weights

    def _validation(self, X, targets, classes, learned):
        """Return the rows to stop on, with their labels, and weights or None."""
        rows = self.stop_on
        if classes is None:
            y = targets[rows, 0]
        else:
            codes = targets[rows].argmax(axis=1)
            # Boosting refuses labels that it does not learn.
            known = (learned @ targets > 0)[codes]
            rows, y = rows[known], classes[codes[known]]
        weights = None if self.weights is None else self.weights[rows]
        return safe_indexing(X, rows), y, weights


def train_student(pupil, X, lesson, classes, *, pseudo_labels, rng):
    """Train a strong estimator on a lesson, again while it falls behind; keep the best.

    It falls behind if its classes of held rows are surely expected to be right less
    often than the teacher's, by `MOST_BEHIND`.
    """
    held = draw_held(lesson, rng)
    students: list[Student] = []
    for targets, shape in _kinds_of_lesson(pupil, lesson, held, pseudo_labels, rng):
        shape[held] = 0.0
        if students:
            pupil = pupil._replace(estimator=clone(pupil.estimator))
        own = pupil.learn(X, targets, classes, shape, lesson.weights)
        estimator, behind = pupil.estimator, np.nan
        if len(held):
            codes = codes_of(estimator, safe_indexing(X, held), classes)
            behind = surely_behind(lesson, held, codes)
        is_soft = targets is lesson.proba
        students.append(Student(estimator, PLAIN, targets, own, is_soft, held, behind))
        if not behind > MOST_BEHIND:
            break
    best = min(students, key=lambda student: student.behind)
    return best._replace(calibration=_calibrate(best, X, lesson, classes))


def surely_behind(lesson, held, codes, others=None):
    """Return by how much codes are surely expected to be wrong more often than others.

    Others are the likeliest codes by default; two standard errors are subtracted.
    """
    proba, weights = lesson.judged[held], lesson.weights[held]
    rows = np.arange(len(codes))
    best = proba.max(axis=1) if others is None else proba[rows, others]
    loss = best - proba[rows, codes]
    mean = np.average(loss, weights=weights)
    variance = np.average((loss - mean) ** 2, weights=weights)
    # Rows that are equal tell once how uncertain it is.
    of_kind = np.bincount(lesson.which[np.searchsorted(lesson.taught, held)], weights)
    n_effective = of_kind.sum() ** 2 / (of_kind**2).sum()
    return float(mean - _STANDARD_ERRORS * np.sqrt(variance / n_effective))


def codes_of(estimator, X, classes):
    """Return the codes of the likeliest classes, whatever the estimator decides."""
    if hasattr(estimator, "predict_proba"):
        proba = predict_aligned(estimator, X, classes, name="strong_estimator")
        return proba.argmax(axis=1)
    return predicted_codes(estimator, X, classes)


def draw_held(lesson, rng):
    """Return sorted positions of rows to hold the student against, equal ones alike."""
    n_distinct = len(np.unique(lesson.which))
    size = min(int(HELD_SHARE * n_distinct), MOST_HELD)
    if size < _LEAST_HELD:
        return np.empty(0, dtype=np.intp)
    drawn = rng.choice(n_distinct, size, replace=False)
    return lesson.taught[np.isin(lesson.which, drawn)]


def _kinds_of_lesson(pupil, lesson, held, pseudo_labels, rng):
    """Yield targets, and what rows are worth, the kind that is best as a rule first."""
    strong = pupil.estimator
    hard = one_hot(lesson.judged.argmax(axis=1), lesson.judged.shape[1])
    even = np.ones(len(hard))
    learned = lesson.weights > 0
    learned[held] = False
    is_one_class = hard[learned].any(axis=0).sum() < 2
    if is_one_class and pseudo_labels != "hard" and learns_softly(strong):
        yield lesson.proba, even
        return
    learned[pupil.stop_on] = False
    validated = pupil.stops_on_labels(np.count_nonzero(learned))
    softly = learns_softly(strong) and (
        takes_distributions(strong)
        or not splits_inside(strong, len(hard), stops_on_labels=validated)
    )
    exactly = takes_distributions(strong) or not loss_by_repetition(strong)
    # Hard labels make it surer than right, which is calibrated later: the log loss of
    # true labels would stop it long before it has learned them.
    soft_first = pseudo_labels == "auto" and validated and exactly
    soft_first &= takes_distributions(strong) or hard.shape[1] <= _MOST_COPIES
    if softly and (pseudo_labels == "soft" or soft_first):
        yield lesson.proba, even
    taught, margin = lesson.taught, even.copy()
    margin[taught] = margin_confidence(lesson.judged[taught]) + _LEAST_MARGIN
    if lesson.by_margin and len(taught) > MOST_WEIGHTED and pupil.weights is None:
        yield hard, (rng.uniform(size=len(margin)) < margin).astype(np.float64)
    elif lesson.by_margin and takes_weights(strong):
        yield hard, margin
    yield hard, even
    if pseudo_labels == "auto" and softly and exactly and not soft_first:
        yield lesson.proba, even


def _calibrate(student, X, lesson, classes):
    """Return the calibration under which held rows have the teacher's probabilities."""
    estimator, held = student.estimator, student.held
    if not len(held) or not hasattr(estimator, "predict_proba"):
        return PLAIN
    proba = predict_aligned(
        estimator, safe_indexing(X, held), classes, name="strong_estimator"
    )
    targets, weights = lesson.proba[held], as_counts(lesson.weights[held])
    # Decisions, if there are any, are to be as sure as probabilities.
    shares = (0.0,) if hasattr(estimator, "decision_function") else _EVEN_SHARES
    found = []
    for share in shares:
        mixed = Calibration(1.0, share).apply(proba)
        power = best_sharpness(mixed, targets, weights, least=LEAST_PROBA)
        calibration = Calibration(power, share)
        logs = np.log(np.maximum(calibration.apply(proba), LEAST_PROBA))
        found.append((float(weights @ (targets * logs).sum(axis=1)), calibration))
    return max(found)[1]

"""Teachers of values: what is said of unlabeled rows where labels are numbers.

They are asked as those in `_teachers.py`, and say one column of values in the unit of
what is known.
"""

from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.ensemble import stacking_weights
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.weak_to_strong._opinions import N_PRIOR, blocks_of
from sklearn_w2s.weak_to_strong._smooth import MAX_SMOOTHED, Smoother, bags_of
from sklearn_w2s.weak_to_strong._teachers import (
    SMOOTHING,
    MemberTeacher,
    SecondViewTeacher,
    Taught,
    Teacher,
    select_greedily,
)
from sklearn_w2s.weak_to_strong._views import View, draw

# Values are no further from those of n labels than this share of their range, and
# some shares over n.
_REACH, _REACH_OF_FEW = 0.5, 10.0
# Share of the way to what two independent views would say: real ones are not.
_TRUST = 0.3
_LEAST_SHARE, _MOST_SHARE = 0.5, 0.95
_MOST_TOLD = 0.9


class ValueBlend(MemberTeacher):
    """The mean of opinions that errs least in held-out labels."""

    def teach(
        self,
        known,
        *,
        regions=None,
        scorer=None,
        memory=None,
        n_jobs=None,
        step=nullcontext,
    ):
        """Ask the members, and weigh them."""
        opinions = self.ask(known, memory, n_jobs, step)
        labels, held_out = known.labels, opinions.held_out[:, :, 0]
        rows = ~np.isnan(held_out).any(axis=0)
        errors = (held_out - labels.targets[:, 0])[:, rows]
        own = labels.weights[rows]
        weights = stacking_weights(errors, weights=own, n_prior=N_PRIOR)
        if scorer is not None and rows.any():
            score = _scored_by(scorer, labels, held_out, rows)
            weights = select_greedily(weights, score)
        others = opinions.others[:, :, 0].astype(np.float64)
        others, beyond = within_reach(others, labels.targets, known.weights)
        names = opinions.names
        said = dict(zip(names, zip(held_out, others, strict=True), strict=True))
        values = (weights @ others)[:, None]
        return Taught(
            values,
            values,
            None,
            said,
            labels.positions,
            _describe(opinions, weights, errors, own, labels.scale),
            Parents(names, errors, beyond, weights @ errors, own),
        )


def within_reach(values, targets, weights):
    """Return values brought near the range of labels, and the mean square removed."""
    # Held-out labels say nothing of rows far from all of them, for which a linear model
    # may predict anything; the mean square is the least error there.
    margin = (_REACH + _REACH_OF_FEW / len(targets)) * np.ptp(targets)
    near = np.clip(values, targets.min() - margin, targets.max() + margin)
    return near, np.average((values - near) ** 2, axis=1, weights=weights)


def _scored_by(scorer, labels, held_out, rows):
    """Return the measure of the user as a function of the weights of members."""
    X, y = safe_indexing(labels.X, np.flatnonzero(rows)), labels.y[rows]
    values = labels.mean + labels.scale * held_out[:, rows]
    options = {}
    if np.ptp(labels.weights[rows]) > 0 and hasattr(scorer, "_score_func"):
        options["sample_weight"] = labels.weights[rows]
    return lambda weights: scorer(SaidValues(weights @ values), X, y, **options)


class SaidValues(RegressorMixin, BaseEstimator):
    """Values of rows in the shape of an estimator, for scorers of these rows."""

    def __init__(self, values):
        self.values = values

    def predict(self, X):
        """Return the values."""
        return self.values


class Parents(NamedTuple):
    """Errors in held-out labels, by which a parent may be better without a student."""

    names: list
    errors: Any  # (n_members, n), opinions less values, in standard deviations
    beyond: Any  # mean squared errors in unlabeled rows, see `within_reach`
    together: Any  # errors of the mean of all members
    weights: Any

    def better_alone(self, distance):
        """Return the parent that is to predict in place of a student, if any.

        `distance` is the mean square of student less teacher in rows not learned from.
        """
        if not len(self.weights):
            return None
        # The student errs as its teacher does, and by their distance. The weak one
        # stays unless the student leads by a standard error of the mean difference of
        # squared errors; the strong one must lead by as much.
        leads = {
            name: self._lead(name, distance)
            for name in ("weak", "strong")
            if name in self.names
        }
        mean, error = leads.get("strong", (-np.inf, 0.0))
        if mean > error:
            return "strong" if mean >= leads["weak"][0] else "weak"
        mean, error = leads["weak"]
        return "weak" if mean >= -error else None

    def _lead(self, name, distance):
        """Return the lead of a parent over the student, and its standard error."""
        difference = self.together**2 - self.errors[self.names.index(name)] ** 2
        mean = np.average(difference, weights=self.weights)
        variance = np.average((difference - mean) ** 2, weights=self.weights)
        mean -= self.beyond[self.names.index(name)]
        return mean + distance, np.sqrt(variance / self.weights.sum())


def _describe(opinions, weights, errors, own, scale):
    names = opinions.names
    squares = np.vstack([errors**2, (weights @ errors)[None] ** 2])
    means = [np.average(row, weights=own) if len(own) else np.nan for row in squares]
    rmse = scale * np.sqrt(means)
    return {
        "weights": dict(zip(names, weights.tolist(), strict=True))
        | dict.fromkeys(opinions.left_out, 0.0),
        "rmse": dict(zip([*names, "all"], rmse.tolist(), strict=True)),
    }


class ValueCoTrain(SecondViewTeacher):
    """A blend of what labeled rows know, moved to what the columns that they lack tell.

    Were the two views independent and normal given the value, the best mean of the
    blend a and the second view b, in standard deviations, would be :math:`(a / (1 - r)
    + b / (r (1 - s))) / (1 / (1 - r) + 1 / (1 - s) - 1)`, where r and s are the shares
    of the variance that they explain; the blend moves by `_TRUST` of the difference.
    """

    def teach(self, known, *, n_jobs=None, step=nullcontext, **options):
        """Let the second view correct what the first teaches."""
        taught = self.teacher.teach(known, n_jobs=n_jobs, step=step, **options)
        # Rounded, so that what a change of unit does to the last digits moves no split.
        other = self.see(known, taught.proba.round(9), n_jobs, step)
        missed = (taught.evidence["rmse"]["all"] / known.labels.scale) ** 2
        values = correct_by_second_view(
            taught.proba[:, 0], other[:, 0], missed, known.weights
        )[:, None]
        return taught._replace(proba=values, judged=values)


def correct_by_second_view(values, other, missed, weights):
    """Move values some way to what a second view makes of them, see `ValueCoTrain`.

    `missed` is the share of variance that the blend does not explain, NaN if unknown.
    """
    mean = np.average(values, weights=weights)
    centred = other - np.average(other, weights=weights)
    spread = np.average(centred**2, weights=weights)
    if not spread > 0 or np.isnan(missed):
        return values
    # The slope on the second view: a view that says nothing changes nothing.
    moved = np.average(centred * (values - mean), weights=weights)
    share = np.clip(1 - missed, _LEAST_SHARE, _MOST_SHARE)
    second = np.clip(moved / spread, 0, 1) * centred / share
    told = min(np.average(second**2, weights=weights), _MOST_TOLD)
    # As it is, not as it is clipped: an exact blend is left as it is.
    own, others = 1 / max(missed, 1 - _MOST_SHARE), 1 / (1 - told)
    both = ((values - mean) * own + second * others) / (own + others - 1)
    return values + _TRUST * (mean + both - values)


class ValueSmooth(Teacher):
    """Weak values w, smoothed as far as smoothing tells those of rows left out.

    A row gets :math:`w + R^2 (A + m - w)`: A is the mean of smoothers that explains the
    share :math:`R^2` of the variance of w, and m the mean of w - A over similar w.
    """

    takes_neighbors = True
    steps = SMOOTHING

    def teach(self, known, *, step=nullcontext, **_):
        """Smooth the weak values of the unlabeled rows."""
        values = known.weak_proba
        if len(values) > 1:
            with step(*SMOOTHING):
                values = _smooth_out(known)
        return Taught(values, values, None, {}, np.empty(0, dtype=np.intp), {})


def _smooth_out(known):
    weak, n = known.weak_proba, len(known.weak_proba)
    rng = check_random_state(known.seed)
    view = View(known.others, np.arange(n), rng, known.second)
    chosen = draw(n, MAX_SMOOTHED, rng)
    smoother = Smoother(
        view, safe_indexing(known.others, chosen), rng, neighbors=known.neighbors
    )
    own, weights = weak[chosen], known.weights[chosen]
    said = smoother.own_opinions(own)[:, :, 0]
    theta = stacking_weights(said - own[:, 0], weights=weights, n_prior=N_PRIOR)
    smoothed = np.empty(n)
    smoothed[chosen] = theta @ said
    for block in blocks_of(np.delete(np.arange(n), chosen)):
        others = smoother.new_opinions(safe_indexing(known.others, block), own)
        smoothed[block] = theta @ others[:, :, 0]
    left = (weak[:, 0] - smoothed)[chosen]
    mean = np.average(own[:, 0], weights=weights)
    variance = np.average((own[:, 0] - mean) ** 2, weights=weights)
    if not variance > 0:
        return weak
    share = max(0.0, 1 - np.average(left**2, weights=weights) / variance)
    bags = bags_of(weak, chosen, rng)
    total = np.bincount(bags[chosen], weights, bags.max() + 1)
    sums = np.bincount(bags[chosen], weights * left, bags.max() + 1)
    shift = sums / np.where(total > 0, total, 1)
    return weak + share * (smoothed + shift[bags] - weak[:, 0])[:, None]

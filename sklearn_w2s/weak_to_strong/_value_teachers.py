"""Teachers of values: what is said of unlabeled rows where labels are numbers.

They are asked as those in `_teachers.py`, and say one column of values in the unit of
what is known.
"""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_memory

from sklearn_w2s._algorithms.stacking import stacking_weights
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._version import __version__
from sklearn_w2s.weak_to_strong._opinions import blocks_of
from sklearn_w2s.weak_to_strong._smooth import MAX_SMOOTHED, Smoother
from sklearn_w2s.weak_to_strong._teachers import (
    Taught,
    ask_members,
    learn_softly,
    select_greedily,
)
from sklearn_w2s.weak_to_strong._views import View, draw

_NEARLY_ALL = 0.9
_STANDARD_ERRORS = 2.0
# Less is no evidence of anything, and more cannot be known.
_SHARES_KNOWN = (0.05, 0.98)


class ValueBlend:
    """The mean of opinions that errs least in held-out labels.

    Parameters
    ----------
    members : tuple of str
        Who has an opinion beside the weak estimator, see `ask_members`.
    """

    needs_labels = True
    takes_regions = False

    def __init__(self, members):
        self.members = members

    def teach(self, known, *, regions=None, scorer=None, memory=None, n_jobs=None):
        """Ask the members, and weigh them."""
        ask = check_memory(memory).cache(ask_members, ignore=["n_jobs"])
        opinions = ask(self.members, known, n_jobs=n_jobs, version=__version__)
        labels, held_out = known.labels, opinions.held_out[:, :, 0]
        rows = ~np.isnan(held_out).any(axis=0)
        errors = (held_out - labels.targets[:, 0])[:, rows]
        own = labels.weights[rows]
        weights = stacking_weights(errors, weights=own)
        if scorer is not None and rows.any():
            score = _scored_by(scorer, labels, held_out, rows)
            weights = select_greedily(weights, score)
        others = opinions.others[:, :, 0].astype(np.float64)
        names = opinions.names
        said = dict(zip(names, zip(held_out, others, strict=True), strict=True))
        values = (weights @ others)[:, None]
        return Taught(
            values,
            values,
            _better_alone(names, weights, errors, own),
            said,
            labels.positions,
            _describe(opinions, weights, errors, own, labels.scale),
        )


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


def _better_alone(names, weights, errors, own):
    """Return the parent that errs less than all together, beyond noise, if any."""
    parents = [i for i, name in enumerate(names) if name in ("weak", "strong")]
    for i in parents:
        if weights[i] > _NEARLY_ALL:
            return names[i]
    together = (weights @ errors) ** 2
    leads = {}
    for i in parents if len(own) else []:
        lead = together - errors[i] ** 2
        mean = np.average(lead, weights=own)
        deviation = np.sqrt(np.average((lead - mean) ** 2, weights=own))
        if mean > _STANDARD_ERRORS * deviation / np.sqrt(own.sum()):
            leads[names[i]] = mean
    return max(leads, key=lambda name: leads[name], default=None)


def _describe(opinions, weights, errors, own, scale):
    names = opinions.names
    squares = np.vstack([errors**2, (weights @ errors)[None] ** 2])
    rmse = scale * np.sqrt([np.average(row, weights=own) for row in squares])
    return {
        "weights": dict(zip(names, weights.tolist(), strict=True))
        | dict.fromkeys(opinions.left_out, 0.0),
        "rmse": dict(zip([*names, "all"], rmse.tolist(), strict=True)),
    }


class ValueCoTrain:
    r"""A blend of what labeled rows know, corrected by the columns that they lack.

    Trees learn the values a of the blend from these columns alone; each row is
    predicted by trees that did not see it. In units of the values, and of two views
    that are independent given the value and normal with it, what these trees say is the
    expectation b given the second view, times the share r of the variance that the
    blend explains in held-out labels; with s the variance of b,

    .. math:: E = \frac{a / (1 - r) + b / (1 - s)}{1 / (1 - r) + 1 / (1 - s) - 1} .
    """

    needs_labels = True
    takes_regions = False

    def __init__(self, teacher):
        self.teacher = teacher

    def teach(self, known, *, n_jobs=None, **options):
        """Let the second view correct what the first teaches."""
        taught = self.teacher.teach(known, n_jobs=n_jobs, **options)
        rng = check_random_state(known.seed)
        n = len(known.weights)
        view = View(known.second).fit(known.others, np.arange(n), rng)
        other = learn_softly(view, known, taught.proba, rng, n_jobs)
        own = 1 - (taught.evidence["rmse"]["all"] / known.labels.scale) ** 2
        own = np.clip(own, *_SHARES_KNOWN)
        mean = np.average(other, weights=known.weights)
        second = mean + (other - mean) / own
        share = np.average((second - mean) ** 2, weights=known.weights)
        share = min(share, _SHARES_KNOWN[1])
        precisions = 1 / (1 - own), 1 / (1 - share)
        total = precisions[0] * taught.proba + precisions[1] * second - mean
        values = total / (sum(precisions) - 1)
        return taught._replace(proba=values, judged=values, alone=None)


class ValueSmooth:
    """Weak values, averaged with what rows that resemble each other say of them.

    The smoother is that of `Smooth`: nearest neighbours, a kernel ridge regression and
    a linear one over scaled and ranked columns. It needs no label.
    """

    needs_labels = False
    takes_regions = False

    def teach(self, known, **_):
        """Smooth the weak values of the unlabeled rows."""
        rng = check_random_state(known.seed)
        n = len(known.weak_proba)
        values = known.weak_proba
        if n > 1:
            view = View(known.second).fit(known.others, np.arange(n), rng)
            chosen = draw(n, MAX_SMOOTHED, rng)
            rows = safe_indexing(known.others, chosen)
            smooth, own = Smoother(view, rows, rng, are_values=True), values[chosen]
            smoothed = np.empty(values.shape)
            smoothed[chosen] = smooth.own(own)
            for block in blocks_of(np.delete(np.arange(n), chosen)):
                smoothed[block] = smooth.new(safe_indexing(known.others, block), own)
            values = (values + smoothed) / 2
        return Taught(values, values, None, {}, np.empty(0, dtype=np.intp), {})

"""Teachers: what all that is known tells about the unlabeled rows.

A teacher is a class whose method `teach` gets what is known and returns `Taught`.
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_memory

from sklearn_w2s._algorithms.ensemble import (
    blend_weights,
    combine_views,
    matching_factors,
    reweigh,
    sharpen,
    stacking_weights,
)
from sklearn_w2s._algorithms.overlap import REGIONS
from sklearn_w2s._algorithms.weak_labels import on_grid
from sklearn_w2s._cross_fit import out_of_bag_proba
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._version import __version__
from sklearn_w2s.weak_to_strong._members import (
    N_PRIOR,
    Graph,
    Kernels,
    StrongMember,
    Trees,
    in_blocks,
)
from sklearn_w2s.weak_to_strong._views import MAX_ROWS, View, draw

N_SOFT_TREES = 100
# A member of less weight costs more than it adds, the more so of many rows.
LEAST_WEIGHT = 0.02
LEAST_WEIGHT_OF_MANY = 0.05
MANY_ROWS = 10_000
_PRIORS_OF_REGIONS = (10.0, 30.0, 100.0, 300.0, 1000.0)
# Steps of a fit, and about what each costs beside the others.
SMOOTHING = {"Smoothing weak labels": 8}
_FITTING = "Fitting member '{}'"
_MEMBER_COSTS = {"trees": 8, "kernels": 11, "graph": 7, "strong": 14}
_ASKING = {"Asking the members": 16}
_SECOND_VIEW = {"Fitting trees of the second view": 8}
_N_FOLDS = 5
_N_GREEDY = 40
_N_PRIOR = 5.0
_EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# The likeliest class of a mean of predictions is a rare class too seldom.
_EXPONENT = 0.25
_STANDARD_ERRORS = 2.0
_NEARLY_ALL = 0.9
# Values are no further from those of n labels than this share of their range, and
# some shares over n.
_REACH, _REACH_OF_FEW = 0.5, 10.0
# Share of the way to what two independent views would give: real ones are not.
_TRUST = 0.3
_LEAST_SHARE, _MOST_SHARE = 0.5, 0.95
_MOST_EXPLAINED = 0.9


class Strong(NamedTuple):
    """The strong estimator, and the labeled rows as it is to learn from them."""

    estimator: Any  # unfitted
    weights: Any
    params: dict
    labels: Any  # all: without weights, equal rows are learned one by one
    first: Any  # positions among them of the distinct rows
    which: Any  # the distinct row of each


@dataclass(frozen=True, eq=False)
class Known:
    """What teachers know."""

    labels: Any  # Labels or Values; None without any, or of one class only
    others: Any  # the unlabeled rows
    weak_held_out: Any  # (n_labeled, n_classes), NaN for rows never held out
    weak_proba: Any  # (n, n_classes), of the unlabeled rows
    weights: Any  # of the unlabeled rows
    strong: Any  # None if the strong estimator cannot learn from the labels
    columns: Any  # those that labeled rows have; None means all
    second: Any  # those that labeled rows lack, or the weak estimator does not see
    complete: bool  # whether the strong estimator may learn from the labeled rows
    seed: Any
    unit: tuple = (0.0, 1.0)  # mean and standard deviation of values
    neighbors: Any = None  # the neighbour search of the user


class Predictions(NamedTuple):
    """Class probabilities of labeled and unlabeled rows, by member."""

    names: list
    held_out: Any  # (n_members, n_labeled, n_classes), NaN for rows never held out
    others: Any  # (n_members, n, n_classes), in single precision
    left_out: list  # members that were asked and add nothing


class Taught(NamedTuple):
    """What a teacher returns about the unlabeled rows."""

    proba: Any  # (n, n_classes), of the unlabeled rows
    judged: Any  # the same, so that the likeliest class is the one to learn
    alone: Any  # "weak" or "strong" if that parent does better without the others
    predicted: dict  # by member: codes of labels held out, -1 if never, and of others
    positions: Any  # of these labeled rows among all
    evidence: dict  # figures for the user
    parents: Any = None  # Parents, if labels are values
    which: Any = None  # the distinct row of each, once it is spread over all


def ask_members(
    names,
    known,
    *,
    n_jobs,
    version,  # noqa: ARG001  a key of caches
    step=nullcontext,
):
    """Fit members to the labels; return the predictions of those that add something."""
    rng, labels = check_random_state(known.seed), known.labels
    settled = np.asarray if labels.classes is None else on_grid
    is_many = len(known.weights) > MANY_ROWS
    members: dict[str, Any] = {}
    if set(names) - {"strong"}:
        rows = np.arange(len(known.weights))
        view = View(known.others, rows, rng, known.columns)
        members = {
            "trees": Trees(view, n_jobs),
            "kernels": Kernels(view, 0.95 if is_many else 0.99),
            "graph": Graph(view, known.others, n_jobs, known.neighbors),
        }
    held_out = {"weak": known.weak_held_out}
    for name in [name for name in members if name in names]:
        with step(_FITTING.format(name)):
            held_out[name] = settled(members[name].fit(labels, rng))
            if labels.keeps_folds and name != "graph":
                held_out[name] = _by_folds(members[name], labels, rng)
    if "strong" in names and known.strong is not None:
        rivals = None
        if members:
            _, sharp, shared = labels.sharpened([*held_out.values()])
            weights = labels.blend(sharp, shared)
            together = np.tensordot(weights, np.nan_to_num(sharp), axes=1)
            rivals = together[known.strong.which]
        estimator, own_weights, params, every, first, _ = known.strong
        members["strong"] = StrongMember(estimator, own_weights, params, rivals, n_jobs)
        with step(_FITTING.format("strong")):
            predicted = members["strong"].fit(every, rng)
        if predicted is not None:
            held_out["strong"] = predicted[first]
    kept = _worthwhile(
        labels, held_out, LEAST_WEIGHT_OF_MANY if is_many else LEAST_WEIGHT
    )
    with step(*_ASKING):
        others = [known.weak_proba]
        for name in kept[1:]:
            # A graph of all rows is asked for all at once.
            ask = members[name].proba
            every = ask if name == "graph" else partial(in_blocks, ask)
            others.append(every(known.others))
    cannot = () if known.strong is not None else ("strong",)
    return Predictions(
        kept,
        settled([held_out[name] for name in kept]),
        settled(others).astype(np.float32),
        [name for name in names if name not in (*kept, *cannot)],
    )


def _by_folds(member, labels, rng):
    """Return the predictions of a member, held out by the folds alone."""
    # Out of bag or left out one by one, a row would meet others of its group.
    held_out = np.full(labels.targets.shape, np.nan)
    for train, test in labels.folds:
        copy = replace(member)
        copy.fit(labels.take(train), rng)
        held_out[test] = in_blocks(copy.proba, safe_indexing(labels.X, test))
    return held_out


def _worthwhile(labels, held_out, least):
    """Return the names of members that have some weight in a blend, and the parents."""
    kept = list(held_out)
    while True:
        _, sharp, shared = labels.sharpened([held_out[name] for name in kept])
        weights = dict(zip(kept, labels.blend(sharp, shared), strict=True))
        # The parents stay to be compared with.
        poor = [n for n in kept if weights[n] < least and n not in ("weak", "strong")]
        if not poor:
            return kept
        kept = [name for name in kept if name not in poor]


class Teacher:
    """What a teacher declares."""

    needs_labels = False  # without, it sees the columns that the weak one does not
    needs_two_views = False
    takes_regions = False
    takes_neighbors = False
    weighs_by_margin = False  # whether the student weighs rows by their margin
    # Steps of its `teach`, as `verbose` names them, in order: what they cost beside
    # "Fitting strong_estimator", which costs 40.
    steps: dict = {}


class MemberTeacher(Teacher):
    """Asks `members`, see `ask_members`, beside the weak estimator."""

    needs_labels = True

    def __init__(self, members):
        self.members = members
        self.takes_neighbors = "graph" in members
        self.steps = {_FITTING.format(m): _MEMBER_COSTS[m] for m in members} | _ASKING

    def ask(self, known, memory, n_jobs, step):
        """Return the predictions of the members, from a cache where there is one."""
        ask = check_memory(memory).cache(ask_members, ignore=["n_jobs", "step"])
        return ask(self.members, known, n_jobs=n_jobs, version=__version__, step=step)


class SecondViewTeacher(Teacher):
    """Corrects what another teacher taught by the columns that labeled rows lack."""

    needs_labels = True
    needs_two_views = True

    def __init__(self, teacher):
        self.teacher = teacher
        self.takes_neighbors = teacher.takes_neighbors
        self.steps = teacher.steps | _SECOND_VIEW

    def see(self, known, targets, n_jobs, step):
        """Return what trees that see these columns alone predict for the targets."""
        rng = check_random_state(known.seed)
        rows = np.arange(len(known.weights))
        with step(*_SECOND_VIEW):
            view = View(known.others, rows, rng, known.second)
            return learn_softly(view, known, targets, rng, n_jobs)


class Blend(MemberTeacher):
    """The mixture of predictions under which held-out labels are likeliest."""

    takes_regions = True
    weighs_by_margin = True

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
        """Ask the members, and weigh them by held-out labels, in each region if given.

        `regions` are of labeled and unlabeled rows; `scorer` replaces the likelihood.
        """
        predictions = self.ask(known, memory, n_jobs, step)
        labels = known.labels
        powers, held_out, rows = labels.sharpened(predictions.held_out)
        evidence = Evidence(
            held_out[:, rows],
            safe_indexing(labels.X, np.flatnonzero(rows)),
            labels.targets[rows].argmax(axis=1),
            labels.weights[rows],
            labels.classes,
        )
        weights, exponent = evidence.weigh(scorer)
        of_region, gain = {}, 0.0
        if regions is not None and scorer is None:
            of_region, gain = evidence.weigh_regions(weights, regions[0][rows])
        proba = np.zeros(known.weak_proba.shape)
        for i, power in enumerate(powers):
            share = np.full(len(proba), weights[i])
            for region, own in of_region.items():
                share[regions[1] == region] = own[i]
            proba += share[:, None] * sharpen(predictions.others[i], power)
        proba = on_grid(proba / proba.sum(axis=1, keepdims=True))
        predicted = {}
        for name, own, others in zip(
            predictions.names, predictions.held_out, predictions.others, strict=True
        ):
            is_known = ~np.isnan(own).any(axis=1)
            codes = np.where(is_known, np.nan_to_num(own).argmax(axis=1), -1)
            predicted[name] = codes, others.argmax(axis=1)
        if scorer is None:
            exponent = _moderate(exponent, proba, known.weights, evidence)
        return Taught(
            proba,
            on_grid(reweigh(proba, evidence.class_factors(exponent))),
            evidence.better_alone(predictions.names, weights),
            predicted,
            labels.positions,
            evidence.describe(predictions, weights, of_region, gain),
        )


def _moderate(exponent, proba, weights, evidence):
    """Return the largest exponent, of some, that names no rare class too often.

    A raised class is the likeliest of no more rows than are expected to be of it.
    """
    expected = np.average(proba, axis=0, weights=weights)
    for share in (1.0, 0.75, 0.5, 0.25):
        factors = evidence.class_factors(share * exponent)
        codes = reweigh(proba, factors).argmax(axis=1)
        named = np.bincount(codes, weights, proba.shape[1]) / weights.sum()
        is_raised = factors > np.average(factors, weights=expected)
        if (named <= expected)[is_raised].all():
            return share * exponent
    return 0.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """Predictions for rows held out from all members, and the classes of the rows."""

    predictions: Any
    X: Any
    codes: Any
    weights: Any
    classes: Any

    @property
    def likelihoods(self):
        """Probability of the true class by member and row."""
        return self.predictions[:, np.arange(len(self.codes)), self.codes]

    def class_factors(self, exponent):
        """Return the factors that raise rare classes by a power of their share."""
        shares = np.bincount(self.codes, self.weights, len(self.classes)) + 1
        return (shares / shares.sum()) ** -exponent

    def weigh(self, scorer):
        """Return the weights of the members, and the exponent for rare classes."""
        if scorer is None or not len(self.codes):
            return blend_weights(self.likelihoods, weights=self.weights), _EXPONENT
        scores = [
            (self._score(scorer, *found), *found)
            for found in ((self._select(scorer, e), e) for e in _EXPONENTS)
        ]
        _, weights, exponent = max(scores, key=lambda found: found[0])
        return weights, exponent

    def _select(self, scorer, exponent):
        """Add the member that helps the score most, again and again (Caruana)."""
        start = blend_weights(self.likelihoods, weights=self.weights)
        return select_greedily(start, lambda own: self._score(scorer, own, exponent))

    def _score(self, scorer, weights, exponent):
        proba = reweigh(
            np.tensordot(weights, self.predictions, axes=1),
            self.class_factors(exponent),
        )
        # Scorers refuse classes that no row is of.
        present = np.unique(self.codes)
        proba, classes = proba[:, present], self.classes[present]
        predicted = FixedProba(proba / proba.sum(axis=1, keepdims=True), classes)
        options = {}
        if np.ptp(self.weights) > 0 and hasattr(scorer, "_score_func"):
            options["sample_weight"] = self.weights
        return on_grid(scorer(predicted, self.X, self.classes[self.codes], **options))

    def weigh_regions(self, weights, regions):
        """Return the weights of members by region, and the gain in nats per row.

        There are none if there are too few rows to tell.
        """
        # Weights of all rows are the prior of each region's, worth so many rows as make
        # rows that the weights did not learn from likeliest.
        n = len(self.codes)
        if n < 2 * _N_FOLDS:
            return {}, 0.0
        fold = np.arange(n) % _N_FOLDS
        gains = np.zeros(len(_PRIORS_OF_REGIONS))
        for k in range(_N_FOLDS):
            train, test = fold != k, fold == k
            common = self._weigh(train)
            base = np.log(common @ self.likelihoods[:, test])
            for i, n_prior in enumerate(_PRIORS_OF_REGIONS):
                for region in REGIONS:
                    own = self._weigh(train & (regions == region), n_prior * common)
                    rows = regions[test] == region
                    lead = np.log(own @ self.likelihoods[:, test][:, rows]) - base[rows]
                    gains[i] += self.weights[test][rows] @ lead
        gains /= self.weights.sum()
        best = int(np.argmax(gains))
        n_prior = _PRIORS_OF_REGIONS[best]
        return {
            region: self._weigh(regions == region, n_prior * weights)
            for region in REGIONS
        }, float(gains[best])

    def _weigh(self, rows, prior=None):
        return blend_weights(
            self.likelihoods[:, rows], prior=prior, weights=self.weights[rows]
        )

    def hits(self, weights):
        """Return which rows each member gets right, and all together, in rows."""
        together = np.tensordot(weights, self.predictions, axes=1)
        predicted = np.array(
            [*self.predictions.argmax(axis=2), together.argmax(axis=1)]
        )
        return predicted == self.codes

    def better_alone(self, names, weights):
        r"""Return the parent that does better without the other members, if any.

        Nearly all weight fell to it, or it is right more often than all together by two
        standard errors :math:`\sqrt{\mathrm{Var}(d) / n}` of the difference d of hits.
        """
        parents = [i for i, name in enumerate(names) if name in ("weak", "strong")]
        for i in parents:
            if weights[i] > _NEARLY_ALL:
                return names[i]
        if not len(self.codes):
            return None
        hits = self.hits(weights).astype(float)
        leads = {}
        for i in parents:
            difference = hits[i] - hits[-1]
            mean = np.average(difference, weights=self.weights)
            variance = np.average((difference - mean) ** 2, weights=self.weights)
            error = np.sqrt(variance / self.weights.sum())
            if mean > _STANDARD_ERRORS * error:
                leads[names[i]] = mean
        return max(leads, key=lambda name: leads[name], default=None)

    def describe(self, predictions, weights, of_region, gain):
        """Return the figures for the user."""
        names, n = predictions.names, len(self.codes)
        together = (weights @ self.likelihoods)[None]
        logs = np.log(np.maximum(np.vstack([self.likelihoods, together]), 1e-6))
        logs, hits = (
            [float(np.average(row, weights=self.weights)) if n else np.nan for row in v]
            for v in (logs, self.hits(weights))
        )
        evidence = {
            "weights": dict(zip(names, weights.tolist(), strict=True))
            | dict.fromkeys(predictions.left_out, 0.0),
            "log_likelihood": dict(zip([*names, "all"], logs, strict=True)),
            "accuracy": dict(zip([*names, "all"], hits, strict=True)),
        }
        if of_region:
            evidence["region_weights"] = {
                region: dict(zip(names, own.tolist(), strict=True))
                for region, own in of_region.items()
            }
            evidence["region_gain"] = gain
        return evidence


def select_greedily(weights, score):
    """Add the member that helps a score most to a blend, again and again."""
    counts = weights * _N_PRIOR
    best, found = -np.inf, counts
    for _ in range(_N_GREEDY):
        trials = counts + np.eye(len(counts))
        scores = [score(trial / trial.sum()) for trial in trials]
        counts = trials[int(np.argmax(scores))]
        if max(scores) > best:
            best, found = max(scores), counts
    return found / found.sum()


class FixedProba(ClassifierMixin, BaseEstimator):
    """Probabilities of rows in the shape of an estimator, for scorers of these rows."""

    def __init__(self, proba, classes):
        self.proba = proba
        self.classes_ = classes

    def predict_proba(self, X):
        """Return the probabilities."""
        return self.proba

    def predict(self, X):
        """Return the likeliest classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class CoTrain(SecondViewTeacher):
    """A blend of what labeled rows know, corrected by the columns that they lack.

    Of two views that are independent given the class, the posterior is the product of
    both over the prior (Blum and Mitchell, "Co-Training", COLT 1998).
    """

    takes_regions = True
    weighs_by_margin = True

    def teach(self, known, *, n_jobs=None, step=nullcontext, **options):
        """Let the second view correct what the first teaches."""
        taught = self.teacher.teach(known, n_jobs=n_jobs, step=step, **options)
        other = self.see(known, taught.proba, n_jobs, step)
        prior = np.average(taught.proba, axis=0, weights=known.weights)
        both = combine_views(taught.proba, other, prior)
        factors = matching_factors(both, prior, weights=known.weights)
        proba = on_grid(reweigh(both, factors))
        # It has the class shares already.
        return taught._replace(proba=proba, judged=proba)


def learn_softly(view, known, targets, rng, n_jobs):
    """Return what trees predict for rows whose targets they have not seen."""
    chosen = draw(len(targets), MAX_ROWS, rng)
    rows = view.numbers(safe_indexing(known.others, chosen), "ranked")
    forest = ExtraTreesRegressor(
        N_SOFT_TREES,
        min_samples_leaf=5,
        max_features=0.5,
        bootstrap=True,
        n_jobs=n_jobs,
        random_state=draw_seed(rng),
    )
    learned = targets[chosen]
    # Trees warn of a target that is a column.
    learned = learned[:, 0] if learned.shape[1] == 1 else learned
    forest.fit(rows, learned, known.weights[chosen])
    proba = np.full(targets.shape, np.nan)
    proba[chosen] = out_of_bag_proba(forest, rows)
    unseen = np.flatnonzero(np.isnan(proba[:, 0]))
    if len(unseen):
        others = safe_indexing(known.others, unseen)
        predicted = in_blocks(
            lambda X: forest.predict(view.numbers(X, "ranked")), others
        )
        proba[unseen] = predicted.reshape(len(unseen), -1)
    return proba


class ValueBlend(MemberTeacher):
    """The mean of predictions that errs least in held-out labels."""

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
        predictions = self.ask(known, memory, n_jobs, step)
        labels, held_out = known.labels, predictions.held_out[:, :, 0]
        rows = ~np.isnan(held_out).any(axis=0)
        errors = (held_out - labels.targets[:, 0])[:, rows]
        own = labels.weights[rows]
        weights = stacking_weights(errors, weights=own, n_prior=N_PRIOR)
        if scorer is not None and rows.any():
            score = _scored_by(scorer, labels, held_out, rows)
            weights = select_greedily(weights, score)
        others = predictions.others[:, :, 0].astype(np.float64)
        others, beyond = within_reach(others, labels.targets, known.weights)
        names = predictions.names
        predicted = dict(zip(names, zip(held_out, others, strict=True), strict=True))
        values = (weights @ others)[:, None]
        return Taught(
            values,
            values,
            None,
            predicted,
            labels.positions,
            _describe(predictions, weights, errors, own, labels.scale),
            Parents(names, errors, beyond, weights @ errors, own),
        )


def within_reach(values, targets, weights):
    """Return values brought near the range of labels, and the mean square removed."""
    # Held-out labels do not cover rows far from all of them, for which a linear model
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
    return lambda weights: scorer(FixedValues(weights @ values), X, y, **options)


class FixedValues(RegressorMixin, BaseEstimator):
    """Values of rows in the shape of an estimator, for scorers of these rows."""

    def __init__(self, values):
        self.values = values

    def predict(self, X):
        """Return the values."""
        return self.values


class Parents(NamedTuple):
    """Errors in held-out labels, by which a parent may be better without a student."""

    names: list
    errors: Any  # (n_members, n), predictions less values, in standard deviations
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


def _describe(predictions, weights, errors, own, scale):
    names = predictions.names
    squares = np.vstack([errors**2, (weights @ errors)[None] ** 2])
    means = [np.average(row, weights=own) if len(own) else np.nan for row in squares]
    rmse = scale * np.sqrt(means)
    return {
        "weights": dict(zip(names, weights.tolist(), strict=True))
        | dict.fromkeys(predictions.left_out, 0.0),
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
    # The slope on the second view: a view without information changes nothing.
    moved = np.average(centred * (values - mean), weights=weights)
    share = np.clip(1 - missed, _LEAST_SHARE, _MOST_SHARE)
    second = np.clip(moved / spread, 0, 1) * centred / share
    explained = min(np.average(second**2, weights=weights), _MOST_EXPLAINED)
    # As it is, not as it is clipped: an exact blend is left as it is.
    own, others = 1 / max(missed, 1 - _MOST_SHARE), 1 / (1 - explained)
    both = ((values - mean) * own + second * others) / (own + others - 1)
    return values + _TRUST * (mean + both - values)

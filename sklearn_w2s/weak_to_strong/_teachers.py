"""Teachers: who labels the unlabeled rows, and how far each of them is trusted."""

import warnings
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import check_cv

from sklearn_w2s._algorithms.blend import blend_weights
from sklearn_w2s._algorithms.priors import combine_views, matching_factors, reweigh
from sklearn_w2s._algorithms.sharpness import best_sharpness, sharpen
from sklearn_w2s._cross_fit import out_of_fold_proba
from sklearn_w2s._fitting import (
    fit_on_labels,
    predict_aligned,
    take_metadata,
)
from sklearn_w2s._sklearn import safe_indexing, seed_nested
from sklearn_w2s._validation import accepts, n_rows
from sklearn_w2s.weak_to_strong._helpers import (
    make_helpers,
    make_soft_forest,
    out_of_bag,
)
from sklearn_w2s.weak_to_strong._views import MAX_ROWS, draw

MAX_LABELED = 5_000


class Labels(NamedTuple):
    """Labeled rows and how to learn from them.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n_labeled, n_features)
        Rows.
    y : ndarray of shape (n_labeled,)
        Labels.
    codes : ndarray of shape (n_labeled,)
        Their class codes.
    weights : ndarray of shape (n_labeled,)
        Weights; nobody learns from rows of weight zero.
    weighted : bool
        Whether they were given, so that helpers learn with them.
    strong_weights : ndarray of shape (n_labeled,) or None
        Weights for the strong estimator.
    params : dict
        Further arguments of the strong estimator's `fit`, one entry per row.
    weak_proba : ndarray of shape (n_labeled, n_classes)
        What the weak estimator says of them when it did not learn from them.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    cv : int, float, splitter or iterable
        How rows are held out, see `out_of_fold_proba`.
    """

    X: Any
    y: Any
    codes: Any
    weights: Any
    weighted: bool
    strong_weights: Any
    params: dict
    weak_proba: Any
    classes: Any
    cv: Any


class Member:
    """An estimator trained on the labels, and its opinion of rows held out from it.

    Parameters
    ----------
    estimator : classifier instance
        Fitted.
    classes : ndarray of shape (n_classes,)
        Columns of its probabilities.
    held_out_proba : ndarray of shape (n_labeled, n_classes)
        Probabilities of the labeled rows, each from a clone that did not see it; NaN
        where a row was never held out.
    view : View or None
        Rows that it sees; None means X itself.
    sharpness : float, default=1.0
        Power that brings its probabilities to what its hits justify.
    """

    def __init__(self, estimator, classes, held_out_proba, view, sharpness=1.0):
        self.estimator = estimator
        self.classes = classes
        self.held_out_proba = held_out_proba
        self.view = view
        self.sharpness = sharpness

    def proba(self, X, rows):
        """Return probabilities of rows of X; `rows` are those of its view."""
        seen = X if self.view is None else rows
        proba = predict_aligned(self.estimator, seen, self.classes)
        return proba if self.sharpness == 1 else sharpen(proba, self.sharpness)


class Teacher:
    """A weighted mean of the weak estimator and of members trained on the labels.

    Parameters
    ----------
    weak : WeakPredictor
        The weak estimator.
    members : dict of str to Member
        The others.
    weights : ndarray of shape (1 + n_members,)
        Weight of the weak estimator, then of the others; they sum to one.
    view : View or None
        That of the members that have one.
    weak_sharpness : float, default=1.0
        Power for the probabilities of the weak estimator, see `Member`.
    """

    def __init__(self, weak, members, weights, view, weak_sharpness=1.0):
        self.weak = weak
        self.members = members
        self.weights = weights
        self.view = view
        self.weak_sharpness = weak_sharpness

    def proba(self, X, weak_proba=None):
        """Return probabilities of rows of X.

        Parameters
        ----------
        X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
            Rows.
        weak_proba : ndarray of shape (n, n_classes), default=None
            Those of the weak estimator, where they are known.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities.
        """
        total = np.zeros((n_rows(X), len(self.weak.classes)))
        if self.weights[0]:
            weak_proba = self.weak.proba(X) if weak_proba is None else weak_proba
            if self.weak_sharpness != 1:
                weak_proba = sharpen(weak_proba, self.weak_sharpness)
            total += self.weights[0] * weak_proba
        needs_rows = any(member.view is not None for member in self.members.values())
        rows = self.view.rows(X) if needs_rows else None
        for weight, member in zip(self.weights[1:], self.members.values(), strict=True):
            total += weight * member.proba(X, rows)
        return total

    def only(self, name):
        """Return the teacher that one of the members is alone, as it is."""
        if name == "weak":
            return Teacher(self.weak, {}, np.ones(1), None)
        member = self.members[name]
        plain = Member(
            member.estimator, member.classes, member.held_out_proba, member.view
        )
        return Teacher(self.weak, {name: plain}, np.array([0.0, 1.0]), self.view)


def fit_members(labels, strong, view, *, helpers, seeds, rng, n_jobs):
    """Train the strong estimator, and helpers, on the labels.

    Parameters
    ----------
    labels : Labels
        Labeled rows.
    strong : classifier instance or None
        None where labeled rows lack columns that it needs.
    view : View
        What helpers see.
    helpers : bool
        Whether there are any.
    seeds : RandomState instance or None
        Seeds the strong estimator.
    rng : RandomState instance
        Seeds helpers and draws the labeled rows that they learn from where there are
        more than 5,000.
    n_jobs : int or None
        Folds fitted at the same time.

    Returns
    -------
    dict of str to Member
        By name, the strong estimator as "strong". There is none where the labels are
        of one class.

    Warns
    -----
    UserWarning
        If the strong estimator cannot learn from so few labels.
    """
    members = dict[str, Member]()
    kept = np.flatnonzero(labels.weights)
    if len(np.unique(labels.y[kept])) < 2:
        return members
    if strong is not None:
        estimator = seed_nested(clone(strong), seeds)
        try:
            members["strong"] = _fit_member(
                estimator, labels, labels.strong_weights, kept, None, rng, n_jobs
            )
        except ValueError as error:
            warnings.warn(
                f"strong_estimator={strong!r} cannot be trained on {len(kept)} labeled "
                f"rows, or folds of them, and is not asked about the others: {error}",
                UserWarning,
                stacklevel=6,
            )
    if helpers:
        own = labels._replace(X=view.rows(labels.X), params={})
        weights = labels.weights if labels.weighted else None
        chosen = kept[draw(len(kept), MAX_LABELED, rng)]
        for name, helper in make_helpers(
            view.kernel_map, n_jobs, weighted=labels.weighted
        ).items():
            if sp.issparse(own.X) and not accepts(helper, "sparse"):
                continue
            estimator = seed_nested(helper, rng)
            members[name] = _fit_member(
                estimator, own, weights, chosen, view, rng, n_jobs
            )
    return members


def _fit_member(estimator, labels, weights, chosen, view, rng, n_jobs):
    X, y = safe_indexing(labels.X, chosen), labels.y[chosen]
    weights = None if weights is None else weights[chosen]
    params = take_metadata(labels.params, chosen, n_rows(labels.X))
    held_out = np.full((len(labels.y), len(labels.classes)), np.nan)
    held_out[chosen] = out_of_fold_proba(
        estimator,
        X,
        y,
        labels.classes,
        cv=_folds_of(labels, chosen),
        sample_weight=weights,
        params=params,
        n_jobs=n_jobs,
        random_state=rng.randint(np.iinfo(np.int32).max),
    )
    fitted = fit_on_labels(
        clone(estimator), X, y, weights, params, name="strong_estimator"
    )
    sharpness = sharpness_of(held_out, labels)
    return Member(fitted, labels.classes, sharpen(held_out, sharpness), view, sharpness)


def sharpness_of(held_out_proba, labels):
    """Return the power under which held-out labels are likeliest."""
    known = ~np.isnan(held_out_proba).any(axis=1)
    return best_sharpness(
        held_out_proba[known], labels.codes[known], labels.weights[known]
    )


def _folds_of(labels, chosen):
    """Return how chosen rows are split, which a splitter tells of all rows alone."""
    cv = labels.cv
    if cv is None or isinstance(cv, Real) or len(chosen) == len(labels.y):
        return cv
    position = np.full(len(labels.y), -1)
    position[chosen] = np.arange(len(chosen))
    folds = [
        tuple(position[part][position[part] >= 0] for part in fold)
        for fold in check_cv(cv, labels.y, classifier=True).split(labels.X, labels.y)
    ]
    return [(train, test) for train, test in folds if len(test)]


def held_out_opinions(labels, members):
    """Return what all say of the rows that count and were held out from everybody.

    Parameters
    ----------
    labels : Labels
        Labeled rows.
    members : dict of str to Member
        Estimators trained on them.

    Returns
    -------
    opinions : ndarray of shape (1 + n_members, n, n_classes)
        Probabilities of the weak estimator, then of the members.
    codes : ndarray of shape (n,)
        Class codes of the rows.
    row_weights : ndarray of shape (n,)
        Their weights.
    """
    opinions = np.array(
        [labels.weak_proba, *[member.held_out_proba for member in members.values()]]
    )
    known = ~np.isnan(opinions).any(axis=(0, 2)) & (labels.weights > 0)
    return opinions[:, known], labels.codes[known], labels.weights[known]


def weigh_members(labels, members):
    """Return the weights of the weak estimator and of the members, by the evidence.

    Parameters
    ----------
    labels : Labels
        Labeled rows.
    members : dict of str to Member
        Estimators trained on them.

    Returns
    -------
    weights : ndarray of shape (1 + n_members,)
        They sum to one.
    log_likelihood : ndarray of shape (2 + n_members,)
        Mean log-probability of the true labels of held-out rows, in nats, last that of
        the weighted mean of all; NaN if no row was held out.
    """
    opinions, codes, row_weights = held_out_opinions(labels, members)
    likelihoods = opinions[:, np.arange(len(codes)), codes]
    weights = blend_weights(likelihoods, weights=row_weights)
    if not len(codes):
        return weights, np.full(len(weights) + 1, np.nan)
    logs = np.log(np.maximum(np.vstack([likelihoods, weights @ likelihoods]), 1e-6))
    return weights, np.average(logs, axis=1, weights=row_weights)


class CoTeacher:
    """A teacher, and what columns that it does not see add to what it says.

    Parameters
    ----------
    teacher : Teacher
        The teacher.
    view : View
        The other columns.
    forest : RandomForestRegressor
        Predicts the teacher's probabilities from them.
    prior : ndarray of shape (n_classes,)
        Class shares according to the teacher, which are kept.
    factors : ndarray of shape (n_classes,)
        What they are kept by.
    """

    def __init__(self, teacher, view, forest, prior, factors):
        self.teacher = teacher
        self.view = view
        self.forest = forest
        self.prior = prior
        self.factors = factors

    def proba(self, X, weak_proba=None):
        """Return probabilities of rows of X, see `Teacher.proba`."""
        other = self.forest.predict(self.view.rows(X))
        both = combine_views(self.teacher.proba(X, weak_proba), other, self.prior)
        return reweigh(both, self.factors)


def co_train(teacher, taught, X, view, weights, *, rng, n_jobs):
    """Let columns that a teacher does not see correct what it says.

    A forest learns the teacher's probabilities from these columns alone; each row is
    predicted by trees that did not see it. Of two views that are independent given the
    class, the posterior is the product of both over the prior [1]_.

    Parameters
    ----------
    teacher : Teacher
        The teacher.
    taught : ndarray of shape (n, n_classes)
        Its probabilities of the rows.
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Unlabeled rows.
    view : View
        The other columns.
    weights : ndarray of shape (n,)
        Weights of the rows.
    rng : RandomState instance
        Seeds the forest and draws the rows that it learns from where there are many.
    n_jobs : int or None
        Trees fitted at the same time.

    Returns
    -------
    co_teacher : CoTeacher
        The corrected teacher.
    proba : ndarray of shape (n, n_classes)
        Its probabilities of the rows.

    References
    ----------
    .. [1] A. Blum, T. Mitchell, "Combining Labeled and Unlabeled Data with
       Co-Training", COLT 1998.
    """
    rows = view.rows(X)
    chosen = draw(len(taught), MAX_ROWS, rng)
    forest = seed_nested(make_soft_forest(n_jobs), rng)
    forest.fit(rows[chosen], taught[chosen], weights[chosen])
    other = out_of_bag(forest, rows, chosen)
    prior = np.average(taught, axis=0, weights=weights)
    both = combine_views(taught, other, prior)
    factors = matching_factors(both, prior, weights=weights)
    co_teacher = CoTeacher(teacher, view, forest, prior, factors)
    return co_teacher, reweigh(both, factors)

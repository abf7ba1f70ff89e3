"""Members of a teacher: their predictions for labels held out, and for other rows.

A member learns from `Labels` with `fit`, which returns its predictions for the labeled
rows held out from it, of shape (n_labeled, n_classes), NaN where a row never was, and
`proba` returns its predictions for other rows.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.metrics.pairwise import euclidean_distances, manhattan_distances
from sklearn.utils import check_random_state

from sklearn_w2s._algorithms.ensemble import (
    best_sharpness,
    blend_weights,
    leave_one_out,
    sharpen,
    stacking_weights,
)
from sklearn_w2s._algorithms.weak_labels import on_grid
from sklearn_w2s._cross_fit import held_out_folds, out_of_bag_proba, out_of_fold_proba
from sklearn_w2s._early_stopping import stops_early
from sklearn_w2s._estimators import draw_seed, seed_nested
from sklearn_w2s._fitting import (
    NoProbabilities,
    fit_on_labels,
    fit_on_values,
    fit_weighted,
    predict_columns,
    splits_inside,
    take_metadata,
)
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._validation import align_proba, n_rows
from sklearn_w2s._warnings import warn
from sklearn_w2s.weak_to_strong._views import draw, search_for

N_TREES = 150
# Kernels cost the cube of the rows, a graph without an index their square.
MAX_KERNEL_ROWS = 1_000
MAX_GRAPH_ROWS = 20_000
N_SCREENED_NODES = 5_000
BLOCK_ROWS = 5_000
_N_NEIGHBORS = 10
_ALPHA = 0.9
_N_STEPS = 60
_N_SCREENED = 250
_N_WIDTHS = 8
_WIDTHS = (0.03, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0)
_RIDGES = np.logspace(-2.5, 1, 8)
_POWERS = (1.0, 2.0, 3.0, 4.5, 6.5, 9.0, 12.0)
_LEAST_WEIGHT = 0.05
_MOST_MACHINES = 30
# Rows that the pull of a mean of values to equal weights counts as.
N_PRIOR = 3.0


class Labels(NamedTuple):
    """Labeled rows that members learn from.

    Predictions are class probabilities; if `classes` is None, labels are values, and an
    prediction is one column of values, less their `mean`, in units of `scale`.
    """

    X: Any
    y: Any  # class labels or values
    targets: Any  # (n, n_classes) class indicators, or (n, 1) values in their unit
    weights: Any  # positive, of mean one at least
    classes: Any
    positions: Any  # where the rows stand among all
    folds: list  # pairs of positions to train on and to hold out
    keeps_folds: bool = False  # whether rows may be held out by these folds alone
    mean: float = 0.0
    scale: float = 1.0

    def take(self, chosen):
        """Return some of the rows, which are not held out again."""
        return self._replace(
            X=safe_indexing(self.X, chosen),
            y=self.y[chosen],
            targets=self.targets[chosen],
            weights=self.weights[chosen],
            positions=self.positions[chosen],
            folds=[],
        )

    def sharpened(self, predictions):
        """Return powers that make labels likeliest, and predictions raised to them.

        The third value is which rows have a prediction of every member.
        """
        powers, sharp = [1.0] * len(predictions), np.array(predictions)
        if self.classes is not None:
            for k, proba in enumerate(predictions):
                known = ~np.isnan(proba).any(axis=1)
                targets, weights = self.targets[known], self.weights[known]
                powers[k] = best_sharpness(proba[known], targets, weights)
                sharp[k] = sharpen(proba, powers[k])
        return powers, sharp, ~np.isnan(sharp).any(axis=(0, 2))

    def blend(self, predictions, rows):
        """Return weights by the likelihood of rows, or their squared errors."""
        weights = self.weights[rows]
        if self.classes is None:
            errors = np.array(
                [(predicted - self.targets)[rows, 0] for predicted in predictions]
            )
            return stacking_weights(errors, weights=weights, n_prior=N_PRIOR)
        likelihoods = np.array(
            [predicted[self.targets > 0] for predicted in predictions]
        )
        return blend_weights(likelihoods[:, rows], weights=weights)

    def evidence(self, held_out):
        """Return the log likelihood of held-out labels, as sharp as they justify."""
        if self.classes is None:
            known = ~np.isnan(held_out[:, 0])
            if not known.any():
                return 0.0
            return _evidence_of_values(
                held_out[known], self.targets[known], self.weights[known]
            )
        _, (sharp,), _ = self.sharpened([held_out])
        logs = np.nan_to_num(np.log(sharp[self.targets > 0]))
        return float(on_grid(self.weights @ logs))


def _evidence_of_values(prediction, targets, weights):
    """Return the log likelihood of values, with the variance of the errors."""
    squares = ((prediction - targets) ** 2).sum(axis=1)
    variance = np.average(squares, weights=weights)
    return -0.5 * weights.sum() * np.log(variance + 1e-12)


def merged(labels, first, which):
    """Return each of the distinct labeled rows once, with the weight of all its equals.

    `first` are positions of the distinct rows, `which` is the distinct row of each row.
    """
    if len(first) == len(which):
        return labels
    # Equal rows are in the same part of each fold.
    is_first = np.zeros(len(which), dtype=bool)
    is_first[first] = True
    folds = [tuple(which[part[is_first[part]]] for part in f) for f in labels.folds]
    return labels.take(first)._replace(
        weights=np.bincount(which, labels.weights), folds=folds
    )


def in_blocks(ask, X):
    """Ask of blocks of rows, and return all answers in one array."""
    blocks = blocks_of(np.arange(n_rows(X)))
    return np.concatenate([ask(safe_indexing(X, block)) for block in blocks])


def blocks_of(positions):
    """Return the positions in parts that are not too long."""
    return [
        positions[start : start + BLOCK_ROWS]
        for start in range(0, len(positions), BLOCK_ROWS)
    ]


@dataclass
class StrongMember:
    """The strong estimator, trained on the labels by cross-fitting.

    After one fold it is given up if it adds nothing there to what `rivals` predict.
    """

    estimator: Any
    weights: Any
    params: dict
    rivals: Any
    n_jobs: Any

    def fit(self, labels, rng):
        """Return its predictions for held-out rows; None if it adds nothing."""
        self._labels = labels
        estimator = seed_nested(clone(self.estimator), rng)
        n = len(labels.y)
        if stops_early(estimator, n, self.params) and not splits_inside(estimator, n):
            estimator = HoldsOut(estimator)
        options = {
            "sample_weight": self.weights,
            "params": self.params,
            "n_jobs": self.n_jobs,
        }
        args = (estimator, labels.X, labels.y, labels.classes)
        try:
            predicted = out_of_fold_proba(*args, folds=labels.folds[:1], **options)
            held_out = (predicted - labels.mean) / labels.scale
            known = ~np.isnan(predicted[:, 0])
            if self.rivals is not None and known.any():
                own_weight = labels.blend([self.rivals, held_out], known)[1]
                if own_weight <= _LEAST_WEIGHT:
                    return None
            if len(labels.folds) > 1:
                predicted = out_of_fold_proba(*args, folds=labels.folds[1:], **options)
                others = (predicted - labels.mean) / labels.scale
                held_out = np.where(np.isnan(others), held_out, others)
            fit = fit_on_values if labels.classes is None else fit_on_labels
            self.fitted_ = fit(
                clone(estimator),
                labels.X,
                labels.y,
                self.weights,
                self.params,
                name="strong_estimator",
            )
        except NoProbabilities:
            return None
        except ValueError as error:
            warn(
                f"strong_estimator={self.estimator!r} cannot be trained on "
                f"{len(labels.y)} "
                "labeled rows, or folds of them, and is not asked about the others: "
                f"{error}",
            )
            return None
        return held_out

    def proba(self, X):
        """Return its predictions for X."""
        labels = self._labels
        predicted = predict_columns(
            self.fitted_, X, labels.classes, name="strong_estimator"
        )
        return (predicted - labels.mean) / labels.scale


class HoldsOut(MetaEstimatorMixin, BaseEstimator):
    """Hold out a fifth of the rows for an estimator that stops early on others."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, sample_weight=None, **params):
        """Fit a clone, with validation rows of classes that it learns."""
        are_values, n = not is_classifier(self.estimator), len(y)
        folds = held_out_folds(
            None,
            X,
            y,
            np.ones(n, dtype=bool),
            sample_weight,
            rng=check_random_state(0),
            split_params={},
            are_values=are_values,
        )
        if not folds:
            msg = f"{n} rows, or classes of one row each, leave none to stop early on."
            raise ValueError(msg)
        rows, held = folds[0]
        if not are_values:
            held = held[np.isin(y[held], y[rows])]
        weights = held_weights = None
        if sample_weight is not None:
            weights, held_weights = sample_weight[rows], sample_weight[held]
        self.estimator_ = fit_weighted(
            clone(self.estimator),
            safe_indexing(X, rows),
            y[rows],
            weights,
            stop_on=(safe_indexing(X, held), y[held], held_weights),
            **take_metadata(params, rows, n),
        )
        return self

    @property
    def classes_(self):
        """Class labels."""
        return self.estimator_.classes_

    def predict_proba(self, X):
        """Predict class probabilities."""
        return self.estimator_.predict_proba(X)

    def predict(self, X):
        """Predict values."""
        return self.estimator_.predict(X)


@dataclass
class Trees:
    """Extremely randomised trees on bootstrap samples; held out is out of bag."""

    view: Any
    n_jobs: Any

    def fit(self, labels, rng):
        """Return its predictions for held-out rows."""
        rows = self.view.numbers(labels.X, "ranked")
        options = {
            "n_estimators": N_TREES,
            "bootstrap": True,
            "n_jobs": self.n_jobs,
            "random_state": draw_seed(rng),
        }
        if labels.classes is None:
            forest = ExtraTreesRegressor(**options, min_samples_leaf=2)
            learned = labels.targets[:, 0]
        else:
            forest = ExtraTreesClassifier(**options)
            learned = labels.targets.argmax(axis=1)
        self._labels = labels
        self._forest = forest.fit(rows, learned, sample_weight=labels.weights)
        return self._as_prediction(out_of_bag_proba(forest, rows))

    def proba(self, X):
        """Return its predictions for X."""
        ask = "predict" if self._labels.classes is None else "predict_proba"
        return self._as_prediction(
            getattr(self._forest, ask)(self.view.numbers(X, "ranked"))
        )

    def _as_prediction(self, predicted):
        """Return predictions in one column, or probabilities of all classes."""
        if self._labels.classes is None:
            return np.reshape(predicted, (-1, 1))
        every = np.arange(len(self._labels.classes))
        return align_proba(predicted, self._forest.classes_, every)


@dataclass
class Graph:
    r"""Label spreading over the nearest-neighbour graph of labeled and other rows.

    Zhou et al. (2003), with self-tuned widths (Zelnik-Manor and Perona, 2004): S has
    edges :math:`\exp(-d_{ij}^2 / (s_i s_j))`, normalised by the roots of both degrees,
    and :math:`F \leftarrow \alpha S F + (1 - \alpha) Y`.
    """

    view: Any
    others: Any
    n_jobs: Any
    neighbors: Any = None
    _search: Any = field(init=False)
    _known: Any = field(init=False)

    def fit(self, labels, rng):
        """Return its predictions for held-out rows, from a graph of some others."""
        self._labels = labels
        self._rng = rng
        n = n_rows(self.others)
        self._chosen = draw(n, N_SCREENED_NODES, rng)
        self._all = draw(n, MAX_GRAPH_ROWS if self.neighbors is None else n, rng)
        graphs = []
        # The labels of each fold are masked in turn, all folds in one product.
        for way in ["scaled", "plain"] if self.view.is_plain_ else ["scaled"]:
            self._way = way
            predictions = self._spread(labels.folds)
            held_out = np.full(labels.targets.shape, np.nan)
            for prediction, (_, test) in zip(predictions, labels.folds, strict=True):
                held_out[test] = prediction[test]
            found = way, self._search, self._known
            graphs.append((labels.evidence(held_out), held_out, found))
        _, held_out, found = max(graphs, key=lambda graph: graph[0])
        self._way, self._search, self._known = found
        return held_out

    def _spread(self, folds):
        """Spread the labels over a graph, and all but those of each fold."""
        labels = self._labels
        parts = [labels.X, safe_indexing(self.others, self._chosen)]
        parts = [self.view.numbers(part, self._way) for part in parts]
        stack = sp.vstack if self.view.is_sparse_ else np.vstack
        self._search = search_for(
            stack(parts),
            _N_NEIGHBORS,
            given=self.neighbors,
            rng=self._rng,
            n_jobs=self.n_jobs,
        )
        graph = _symmetric_graph(*self._search.own())
        own = labels.targets
        if labels.classes is None:
            # Values, and how many there are.
            own = np.hstack([own, np.ones_like(own)])
        seeds = [own * labels.weights[:, None] for _ in range(1 + len(folds))]
        for masked, (_, test) in zip(seeds[1:], folds, strict=True):
            masked[test] = 0.0
        n_columns = len(seeds) * own.shape[1]
        start = np.zeros((graph.shape[0], n_columns), dtype=np.float32)
        start[: len(own)] = (1 - _ALPHA) * np.hstack(seeds)
        spread = start
        for _ in range(_N_STEPS):
            spread = _ALPHA * (graph @ spread) + start
        blocks = np.split(spread.astype(np.float64), len(seeds), axis=1)
        reached = _means_reached if labels.classes is None else _shares_reached
        self._known, *held_out = map(reached, blocks, seeds)
        return held_out

    def proba(self, X):
        """Return its predictions for the other rows, which X must be."""
        if len(self._chosen) < len(self._all):
            self._chosen = self._all
            self._spread([])
        proba = np.empty((n_rows(X), self._known.shape[1]))
        proba[self._chosen] = self._known[-len(self._chosen) :]
        # Rows beyond the sample get the mean of their neighbours in it.
        outside = np.delete(np.arange(len(proba)), self._chosen)
        for block in blocks_of(outside):
            rows = self.view.numbers(safe_indexing(X, block), self._way)
            distances, neighbors = self._search.of(rows)
            scale = np.maximum(distances[:, -1:], np.finfo(np.float32).tiny)
            weights = np.exp(-((distances / scale) ** 2))[:, :, None]
            spread = (weights * self._known[neighbors]).sum(axis=1)
            proba[block] = spread / weights.sum(axis=1)
        return proba


def _symmetric_graph(distances, neighbors):
    n, k = neighbors.shape
    n_found = np.isfinite(distances).sum(axis=1)
    furthest = distances[np.arange(n), np.maximum(n_found - 1, 0)]
    scale = np.maximum(np.where(n_found, furthest, 0).astype(np.float64), 1e-12)
    weights = np.exp(-(distances**2) / (scale[:, None] * scale[neighbors]))
    starts = np.arange(0, n * k + 1, k)
    graph = sp.csr_matrix((weights.ravel(), neighbors.ravel(), starts), shape=(n, n))
    graph = graph.maximum(graph.T)
    degrees = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)
    halves = sp.diags(1 / np.sqrt(degrees))
    return (halves @ graph @ halves).tocsr().astype(np.float32)


def _shares_reached(spread, seeds):
    """Bring columns to the class shares of the seeds, then rows to a sum of one."""
    shares = (seeds.sum(axis=0) + 1) / (seeds.sum() + seeds.shape[1])
    spread = spread / np.maximum(spread.sum(axis=0), 1e-12) * shares
    total = spread.sum(axis=1, keepdims=True)
    return np.where(total > 1e-12, spread / np.maximum(total, 1e-12), shares)


def _means_reached(spread, seeds):
    """Return the mean of the values that reach each node."""
    mean = seeds[:, 0].sum() / max(seeds[:, 1].sum(), 1e-12)
    reached = spread[:, 1] > 1e-12
    values = np.full((len(spread), 1), mean)
    values[reached, 0] = spread[reached, 0] / spread[reached, 1]
    return values


class Candidate(NamedTuple):
    """One kernel machine: where it looks, how wide, how smooth and how sharp."""

    score: float
    way: str
    metric: str
    width: float
    coefficients: Any
    power: float
    held_out: Any


@dataclass
class Kernels:
    r"""Kernel ridge regressions on class indicators, averaged by their evidence.

    A machine of leave-one-out log likelihood l has the weight :math:`\exp(l / 2)`: few
    labels cannot tell which is best. Probabilities are a softmax of powers of scores.
    """

    view: Any
    kept_share: float = 0.99

    def fit(self, labels, rng):
        """Return its predictions for held-out rows."""
        self._labels = labels
        chosen = draw(len(labels.y), MAX_KERNEL_ROWS, rng)
        rows = safe_indexing(labels.X, chosen)
        self._rows = {way: self.view.numbers(rows, way) for way in self.view.ways_}
        targets, weights = labels.targets[chosen], labels.weights[chosen]
        self._mean = np.average(targets, axis=0, weights=weights)
        spots = self._spots(rng, targets, weights)
        best = [c for spot in spots for c in self._machines(spot, targets, weights)]
        top = max(c.score for c in best)
        shares = np.exp((np.array([c.score for c in best]) - top) / 2)
        order = np.argsort(-shares, kind="stable")
        reached = np.cumsum(shares[order]) / shares.sum()
        order = order[: np.searchsorted(reached, self.kept_share) + 1][:_MOST_MACHINES]
        self._machines_ = [best[i] for i in order]
        self._shares = shares[order] / shares[order].sum()
        held_out = np.full(labels.targets.shape, np.nan)
        held_out[chosen] = sum(
            share * self._as_prediction(c.held_out, c.power)
            for share, c in zip(self._shares, self._machines_, strict=True)
        )
        others = np.setdiff1d(np.arange(len(labels.y)), chosen)
        if len(others):
            held_out[others] = in_blocks(self.proba, safe_indexing(labels.X, others))
        return held_out

    def proba(self, X):
        """Return its predictions for X."""
        ways = {c.way for c in self._machines_}
        rows = {way: self.view.numbers(X, way) for way in ways}
        total, distances, kernels = 0.0, {}, {}
        for share, c in zip(self._shares, self._machines_, strict=True):
            place, spot = (c.way, c.metric), (c.way, c.metric, c.width)
            if place not in distances:
                own, learned = rows[c.way], self._rows[c.way]
                distances[place] = _distances(own, learned, c.metric)
            if spot not in kernels:
                kernels[spot] = np.exp(distances[place] * np.float32(-1 / c.width))
            scores = kernels[spot] @ c.coefficients.astype(np.float32) + self._mean
            total = total + share * self._as_prediction(scores, c.power)
        return total

    def _as_prediction(self, scores, power):
        """Return probabilities, or the scores, which are values."""
        if self._labels.classes is None:
            return scores
        powers = np.exp(power * (scores - scores.max(axis=1, keepdims=True)))
        return powers / powers.sum(axis=1, keepdims=True)

    def _spots(self, rng, targets, weights):
        """Return way, metric and width of the kernels that are worth a closer look."""
        spots = []
        # The L1 distance of sparse rows has no fast way.
        metrics = ["gauss"] if self.view.is_sparse_ else ["gauss", "laplace"]
        for way in self.view.ways_:
            for metric in metrics:
                distances = _distances(self._rows[way], self._rows[way], metric)
                pairs = distances[np.triu_indices(len(targets), 1)]
                if pairs.any():
                    # Of columns of few values most pairs may be alike.
                    middle = np.median(pairs[pairs > 0])
                    power = 2 if metric == "gauss" else 1
                    spots += [
                        (way, metric, power * middle * width**power, distances)
                        for width in _WIDTHS
                    ]
        if not spots:  # all rows are alike
            return [("scaled", "gauss", 1.0, np.zeros((len(targets),) * 2))]
        few = draw(len(targets), _N_SCREENED, rng)
        if len(few) == len(targets):
            return spots
        scores = [
            max(c.score for c in self._machines(spot, targets[few], weights[few]))
            for spot in ((*spot[:3], spot[3][np.ix_(few, few)]) for spot in spots)
        ]
        return [spots[i] for i in np.argsort(scores, kind="stable")[-_N_WIDTHS:]]

    def _machines(self, spot, targets, weights):
        """Return the machines of a kernel, for each ridge the best power."""
        way, metric, width, distances = spot
        kernel = np.exp(distances.astype(np.float64) / -width)
        roots = np.sqrt(weights / weights.mean())[:, None]
        values, vectors = np.linalg.eigh(roots * kernel * roots.T)
        centred = targets - self._mean
        found = []
        for ridge in _RIDGES:
            coefficients, held_out = leave_one_out(
                values, vectors, roots * centred, ridge
            )
            held_out = held_out / roots + self._mean
            score, power = self._evidence(held_out, targets, weights)
            coefficients = roots * coefficients
            found.append(
                Candidate(score, way, metric, width, coefficients, power, held_out)
            )
        return found

    def _evidence(self, held_out, targets, weights):
        """Return the log likelihood with the best power of scores, and this power."""
        if self._labels.classes is None:
            return float(_evidence_of_values(held_out, targets, weights)), 1.0
        # All powers at once, and rows last: these are thousands of small arrays.
        below = np.ascontiguousarray((held_out - held_out.max(axis=1, keepdims=True)).T)
        raised = np.exp(np.array(_POWERS)[:, None, None] * below)
        likelihoods = (raised * targets.T).sum(axis=1) / raised.sum(axis=1)
        # One mistake is not a veto.
        scores = on_grid(np.log(np.maximum(likelihoods, 1e-4)) @ weights)
        best = int(np.argmax(scores))
        return float(scores[best]), _POWERS[best]


def _distances(first, second, metric):
    if metric == "gauss":
        return np.maximum(euclidean_distances(first, second, squared=True), 0)
    return manhattan_distances(first, second).astype(np.float32)

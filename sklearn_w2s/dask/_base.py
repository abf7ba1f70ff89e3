"""Base of the classifier and the regressor over collections: lessons and fits."""

import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from dask.dataframe.utils import make_meta
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

import sklearn_w2s.overlap
from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._fitting import (
    fit_on_targets,
    labels_of_targets,
    partial_fit_weighted,
    takes_weights,
)
from sklearn_w2s._validation import check_labels, check_new_rows, check_values
from sklearn_w2s._weak import is_given
from sklearn_w2s.dask._detector import OverlapDetector
from sklearn_w2s.dask._partitions import as_rows, merge_tree, row_blocks, shipped
from sklearn_w2s.dask._sample import draw_sample, draw_table, merge_samples, seed_of
from sklearn_w2s.weak_to_strong._strategies import (
    STRATEGIES,
    VALUE_STRATEGIES,
    call_strategy,
    keep_true_labels,
)

# Libraries whose module `dask` has classifiers for collections.
_WITH_DASK = ("cuml", "lightgbm", "xgboost")
SAMPLE, PARTIAL_FIT, DASK = "sample", "partial_fit", "dask"


def way_to_fit(strong_fit, estimator):
    """Return "sample", "partial_fit" or "dask", and refuse what cannot be done."""
    if strong_fit == "auto":
        root, *inner = type(estimator).__module__.split(".")
        return DASK if root in _WITH_DASK and inner[:1] == ["dask"] else SAMPLE
    if strong_fit == PARTIAL_FIT and not hasattr(estimator, "partial_fit"):
        msg = (
            'strong_fit="partial_fit" needs a strong estimator with partial_fit; '
            f'{type(estimator).__name__} has none. Use "sample".'
        )
        raise TypeError(msg)
    return strong_fit


class OverCollections(BaseEstimator):
    """Learn block by block where rows are independent, and in memory elsewhere.

    The host is the estimator in memory; its `_fit_blocks` fits block by block.
    """

    _takes_batches = False

    def _fit_collections(self, X, y, sample_weight):
        way = way_to_fit(self.strong_fit, clone(self._strong()))
        blocks = row_blocks(X, y, sample_weight)
        rng = check_random_state(self.random_state)
        seed = seed_of(self.random_state, rng)
        weighted = sample_weight is not None
        if self._goes_by_block(way):
            self.strong_fit_ = way
            self._fit_blocks(blocks, X, y, rng, seed, weighted=weighted)
            return self
        # As in memory, on all labeled rows and a sample of the others.
        given = is_given(self._weak())
        if y is None and not given:
            if self._are_values:
                check_values(None)
            else:
                check_labels(None, self.missing_label)
        table = draw_table(
            blocks,
            size=self.max_rows,
            seed=seed,
            missing_label=self.missing_label,
            are_values=self._are_values,
            may_draw_labels=given,
        )
        self._fit(table.X, table.y, None, table.weights if weighted else None, {})
        self.n_samples_seen_ = table.n_rows
        self.strong_fit_ = way
        return self

    def _goes_by_block(self, way):
        """Say whether the strategy works block by block; refuse a bad combination."""
        if self.strategy == "auto":
            return way != SAMPLE
        named = None if callable(self.strategy) else self._strategies[self.strategy]
        if named is not None and self._is_by_block(named):
            return True
        if way != SAMPLE:
            possible = [n for n, s in self._strategies.items() if self._is_by_block(s)]
            msg = (
                f"strategy={self.strategy!r} compares rows with others, and learns "
                f'from a sample of them, but strong_fit="{way}" learns from all, one '
                'block at a time. Use strong_fit="sample", or "auto" or one of '
                f"{possible} for strategy."
            )
            raise ValueError(msg)
        return False

    def _is_by_block(self, strategy):
        return strategy.by_row

    def _detector(self):
        detector = super()._detector()
        if isinstance(detector, OverlapDetector):
            params = detector.get_params(deep=False)
            return sklearn_w2s.overlap.OverlapDetector(**params)
        return detector

    def _keep(self, rows, student, weak, proba, taught):
        super()._keep(rows, student, weak, proba, taught)
        self.weak_predictor_ = weak
        detector = getattr(self, "overlap_detector_", None)
        if isinstance(detector, sklearn_w2s.overlap.OverlapDetector):
            # Over collections it predicts by what was found in memory.
            self.overlap_detector_ = OverlapDetector(**detector.get_params(deep=False))
            self.overlap_detector_.__dict__.update(vars(detector))

    def _fit_strong_on(self, strong, tally, sample, lesson, blocks, X, *, weighted):
        """Fit the strong estimator on what the lesson makes of the blocks."""
        if not tally.weight > 0:
            msg = (
                "No row is left to train the strong estimator on, with include_labeled="
                f"{self.include_labeled}. Pass unlabeled rows, or include the labeled."
            )
            raise ValueError(msg)
        classes = lesson.predictor.classes
        if self.strong_fit_ == SAMPLE:
            rows, targets = sample.tables
            # With the mean weight of all rows: else a sample of a billion rows would be
            # fitted with the regularisation of a billion.
            mean = tally.n_learned / sample.n_offered
            weights = sample.weights * (mean * len(sample) / sample.weights.sum())
            return fit_on_targets(
                strong, rows, targets, classes, weights, weighted=weighted, params={}
            )
        # Weights have a mean of one over the rows that are learned from.
        lesson = replace(lesson, scale=tally.n_learned / tally.weight)
        if self.strong_fit_ == DASK:
            return _fit_on_collections(strong, lesson, blocks, as_rows(X))
        expand, step = dask.delayed(_expand), dask.delayed(_partial_fit)
        shared, strong = shipped(lesson), shipped(strong)
        for block in blocks:
            strong = step(strong, expand(shared, block), classes)
        return strong.compute()

    def _assess(self, lesson, blocks, seed):
        """Return the tally of a lesson, and a sample of it where one is learned."""
        size = self.max_rows if self.strong_fit_ == SAMPLE else None
        assess, shared = dask.delayed(_assess_block), shipped(lesson)
        parts = [assess(shared, b, size=size, seed=[seed, 1]) for b in blocks]
        return merge_tree(parts, _merge_assessed, size=size).compute()

    def _ask(self, method, X, params):
        if not dask.is_dask_collection(X):
            return super()._ask(method, X, params)
        check_is_fitted(self)
        self._route(method, params)
        if self.strong_fit_ == DASK:
            return getattr(self.strong_estimator_, method)(as_rows(X))
        return self._map(X, method)


@dataclass(eq=False, repr=False)
class Lesson:
    """How a strategy of `STRATEGIES` makes targets and weights of a block."""

    owner: Any
    predictor: Any
    strategy: str
    is_hard: bool
    scale: float = 1.0

    def teach(self, block):
        """Return what is learned from a block that has rows."""
        X = check_new_rows(self.owner, block.X)
        labels, labeled = block.labels(self.owner.missing_label)
        proba = self.predictor.proba(X)
        strategy, regions = STRATEGIES[self.strategy], None
        if strategy.needs_regions:
            regions = self.owner.overlap_detector_.predict(X)
        targets, weights = strategy.function(proba.copy(), regions, None, labeled, None)
        codes = self.predictor.codes(X, proba)
        named = ~labeled & (block.weights > 0)
        kept = named & (weights > 0)
        classes = self.predictor.classes
        if self.is_hard:
            targets = one_hot(codes, len(classes))
        # Classes that only rows of weight zero have are not among those of the fit.
        true_codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
        include = self.owner.include_labeled
        keep_true_labels(targets, weights, true_codes, labeled, include_labeled=include)
        counts = block.weights * (weights > 0)
        tally = Tally(
            np.bincount(codes[named], minlength=len(classes)),
            np.bincount(codes[kept], minlength=len(classes)),
            counts.sum(),
            (counts * weights).sum(),
        )
        return Taught(X, targets, self.scale * weights * block.weights, tally)


@dataclass(eq=False, repr=False)
class ValueLesson:
    """How a strategy of `VALUE_STRATEGIES` makes values and weights of a block."""

    owner: Any
    predictor: Any
    strategy: str
    scale: float = 1.0

    def teach(self, block):
        """Return what is learned from a block that has rows, as `Lesson` does."""
        X = check_new_rows(self.owner, block.X)
        values, labeled = block.values()
        targets, weights = call_strategy(
            self.strategy,
            VALUE_STRATEGIES[self.strategy],
            self.predictor.proba(X)[:, 0],
            regions=None,
            representation=None,
            labeled=labeled,
            rng=None,
        )
        targets[labeled] = values
        weights[labeled] = float(self.owner.include_labeled)
        counts = block.weights * (weights > 0)
        none = np.zeros(1, dtype=np.intp)
        tally = Tally(none, none, counts.sum(), (counts * weights).sum())
        own = self.scale * weights * block.weights
        return Taught(X, targets[:, None], own, tally)


class Tally(NamedTuple):
    """Counts of all blocks that must be known before the weights of any are final.

    `named` counts the unlabeled rows of each weak class, `kept` those that the strategy
    keeps, `n_learned` sums `sample_weight`, `weight` that times the strategy's weights.
    """

    named: Any
    kept: Any
    n_learned: float
    weight: float


class Taught(NamedTuple):
    """Rows, targets of shape (n, n_classes), weights of shape (n,) and their tally."""

    X: Any
    targets: Any
    weights: Any
    tally: Any


def _assess_block(lesson, block, *, size, seed):
    """Return the tally of one block, and a sample of at most `size` rows if given."""
    if not len(block):
        return None
    X, targets, weights, tally = lesson.teach(block)
    if size is None:
        return tally, None
    options = {"seed": seed, "number": block.number}
    return tally, draw_sample([X, targets], weights, size, **options)


def _merge_assessed(parts, *, size):
    parts = [part for part in parts if part is not None]
    if not parts:
        return None
    tallies, samples = zip(*parts, strict=True)
    tally = Tally(*(sum(column) for column in zip(*tallies, strict=True)))
    return tally, None if size is None else merge_samples(samples, size)


def _fit_on_collections(estimator, lesson, blocks, X):
    """Fit an estimator of a library that takes collections, in place.

    Soft targets become one weighted row per class.
    """
    expand, shared = dask.delayed(_expand, nout=3), shipped(lesson)
    parts = [expand(shared, block) for block in blocks]
    rows, labels, weights = (list(part) for part in zip(*parts, strict=True))
    classes, number = lesson.predictor.classes, np.dtype(np.float64)
    kind = number if classes is None else classes.dtype
    if isinstance(X, dd.DataFrame):
        rows = dd.from_delayed(rows, meta=make_meta(X), verify_meta=False)
        y, weights = _series("label", labels, kind), _series("weight", weights, number)
    else:
        rows = _stacked(rows, X.dtype, X.shape[1])
        y, weights = _stacked(labels, kind), _stacked(weights, number)
    options = {"sample_weight": weights} if takes_weights(estimator) else {}
    estimator.fit(rows, y, **options)
    return estimator


def _series(name, parts, dtype):
    import pandas as pd

    named = dask.delayed(pd.Series)
    parts = [named(part, name=name) for part in parts]
    meta = pd.Series(np.empty(0, dtype=dtype), name=name)
    return dd.from_delayed(parts, meta=meta, verify_meta=False)


def _stacked(parts, dtype, *width):
    shape = (np.nan, *width)
    return da.concatenate(
        [da.from_delayed(part, shape=shape, dtype=dtype) for part in parts],
        allow_unknown_chunksizes=True,
    )


def _expand(lesson, block):
    """Return rows, labels and weights, one row for each class that a target names."""
    classes = lesson.predictor.classes
    if not len(block):
        labels = np.empty(0) if classes is None else classes[:0]
        return block.X, labels, np.empty(0)
    taught = lesson.teach(block)
    return labels_of_targets(taught.X, taught.targets, classes, taught.weights)


def _partial_fit(estimator, part, classes):
    X, y, weights = part
    if not len(y):
        return estimator
    # The result of another task must not be changed: it may be used again.
    estimator = copy.deepcopy(estimator)
    partial_fit_weighted(estimator, X, y, classes, weights, name="strong_estimator")
    return estimator

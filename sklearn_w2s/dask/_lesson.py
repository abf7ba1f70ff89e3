"""From blocks of rows to targets and weights for a strong estimator."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import dask
import numpy as np

from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s._validation import check_new_rows
from sklearn_w2s.dask._blocks import merge_tree, shipped
from sklearn_w2s.dask._sample import draw_sample, merge_samples
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES
from sklearn_w2s.weak_to_strong._targets import keep_true_labels, lost_classes
from sklearn_w2s.weak_to_strong._value_strategies import (
    VALUE_STRATEGIES,
    apply_to_values,
)


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
        # A class that only rows of weight zero have is no class of the fit.
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
        said = self.predictor.proba(X)[:, 0]
        targets, weights = apply_to_values(
            self.strategy,
            VALUE_STRATEGIES[self.strategy],
            said,
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

    @property
    def lost(self):
        """Positions of classes that the strategy loses."""
        return lost_classes(self.named, self.kept)

    @property
    def scale(self):
        """Factor that gives the weights a mean of one."""
        return self.n_learned / self.weight


class Taught(NamedTuple):
    """Rows, targets of shape (n, n_classes), weights of shape (n,) and their tally."""

    X: Any
    targets: Any
    weights: Any
    tally: Any


def tally_lesson(lesson, blocks):
    """Return the tally of all blocks."""
    return _visit(lesson, blocks, _Collect(None, None))[0]


def sample_lesson(lesson, blocks, *, size, seed):
    """Return the tally of all blocks, and a sample of at most `size` targets."""
    return _visit(lesson, blocks, _Collect(size, [seed, 1]))


def with_scale(lesson, tally):
    """Return the lesson with weights of mean one over the rows that are kept."""
    return replace(lesson, scale=tally.scale)


@dataclass
class _Collect:
    size: Any
    seed: Any

    def visit(self, lesson, block):
        """Return the tally and the sample of one block."""
        if not len(block):
            return None
        taught = lesson.teach(block)
        if self.size is None:
            return taught.tally, None
        tables = [taught.X, taught.targets]
        options = {"seed": self.seed, "number": block.number}
        return taught.tally, draw_sample(tables, taught.weights, self.size, **options)

    def merge(self, parts):
        """Merge those of several blocks."""
        parts = [part for part in parts if part is not None]
        if not parts:
            return None
        tallies, samples = zip(*parts, strict=True)
        tally = Tally(*(sum(column) for column in zip(*tallies, strict=True)))
        if self.size is None:
            return tally, None
        return tally, merge_samples(samples, self.size)


def _visit(lesson, blocks, collect):
    lesson, visit = shipped(lesson), dask.delayed(collect.visit)
    return merge_tree([visit(lesson, b) for b in blocks], collect.merge).compute()

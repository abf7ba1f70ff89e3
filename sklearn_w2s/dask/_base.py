"""What the classifier and the regressor over collections share: the ways to fit."""

from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

import sklearn_w2s.overlap
from sklearn_w2s._weak import is_given
from sklearn_w2s.dask._blocks import as_rows, is_collection, row_blocks
from sklearn_w2s.dask._detector import OverlapDetector, over_collections
from sklearn_w2s.dask._lesson import sample_lesson, tally_lesson, with_scale
from sklearn_w2s.dask._survey import seed_of
from sklearn_w2s.dask._table import draw_table
from sklearn_w2s.dask._training import (
    DASK,
    PARTIAL_FIT,
    SAMPLE,
    fit_by_blocks,
    fit_on_collections,
    fit_on_sample,
    way_to_fit,
)


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
        else:
            self._fit_table(blocks, y, seed, weighted=weighted)
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

    def _fit_table(self, blocks, y, seed, *, weighted):
        """Fit as in memory, on all labeled rows and a sample of the others."""
        given = is_given(self._weak())
        if y is None and not given:
            self._require_target()
        table = draw_table(
            blocks,
            size=self.max_rows,
            seed=seed,
            missing_label=self.missing_label,
            are_values=self._are_values,
            may_draw_labels=given,
        )
        weights = table.weights if weighted else None
        self._fit(table.X, table.y, None, weights, {})
        self.n_samples_seen_ = table.n_rows

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
            self.overlap_detector_ = over_collections(detector)

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
            options = {"count": tally.n_learned, "weighted": weighted}
            return fit_on_sample(strong, sample, classes, **options)
        lesson = with_scale(lesson, tally)
        if self.strong_fit_ == PARTIAL_FIT:
            return fit_by_blocks(strong, lesson, blocks)
        return fit_on_collections(strong, lesson, blocks, as_rows(X))

    def _assess(self, lesson, blocks, seed):
        """Return the tally of a lesson, and a sample of it where one is learned."""
        if self.strong_fit_ == SAMPLE:
            return sample_lesson(lesson, blocks, size=self.max_rows, seed=seed)
        return tally_lesson(lesson, blocks), None

    def _ask(self, method, X, params):
        if not is_collection(X):
            return super()._ask(method, X, params)
        check_is_fitted(self)
        self._route(method, params)
        if self.strong_fit_ == DASK:
            return getattr(self.strong_estimator_, method)(as_rows(X))
        return self._map(X, method)

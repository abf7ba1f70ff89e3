"""The first pass: the labeled rows, and a sample of all."""

from dataclasses import dataclass
from typing import Any

import dask
import numpy as np

from sklearn_w2s._cross_fit import held_out_folds
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import stack
from sklearn_w2s._validation import check_labels, warn_of_namesakes
from sklearn_w2s._weak import fit_weak, is_given, resolve_columns
from sklearn_w2s.dask._blocks import merge_tree
from sklearn_w2s.dask._sample import Sample, draw_sample, merge_samples

# They are brought together in the memory of one worker and of the client.
MAX_LABELED = 100_000


@dataclass(eq=False, repr=False)
class Survey:
    """What the first pass over the blocks finds.

    Where the weak estimator needs no fit, `labels` are the classes alone, and the other
    fields of labeled rows are empty.
    """

    # Its second table: position of a row among the labeled ones of its block, or -1.
    sample: Sample
    labeled_rows: Any
    labels: Any
    labeled_weights: Any
    # Number of the block of each labeled row, sorted.
    labeled_blocks: Any
    n_labeled: int
    n_rows: int

    @property
    def rows(self):
        """Rows of the sample."""
        return self.sample.tables[0]

    def proba(self, predictor, labeled_proba):
        """Return weak probabilities of the sample, held out where rows are labeled."""
        proba = predictor.proba(self.rows)
        if labeled_proba is not None:
            ranks = self.sample.tables[1]
            labeled = np.flatnonzero(ranks >= 0)
            first = self._first_labeled(self.sample.places[labeled, 0])
            proba[labeled] = labeled_proba[first + ranks[labeled]]
        return proba

    def of_block(self, labeled_proba, number):
        """Return the part of `labeled_proba` that belongs to one block."""
        if labeled_proba is None:
            return None
        return labeled_proba[
            self._first_labeled(number) : self._first_labeled(number + 1)
        ]

    def _first_labeled(self, number):
        return np.searchsorted(self.labeled_blocks, number)


def take_survey(blocks, *, size, seed, missing_label, gathers, are_values=False):
    """Return the survey of all blocks as `Delayed`; `gathers` collects labeled rows."""
    visit = dask.delayed(_survey_block)
    options = {
        "missing_label": missing_label,
        "gathers": gathers,
        "are_values": are_values,
    }
    surveys = [visit(block, size=size, seed=[seed, 0], **options) for block in blocks]
    return merge_tree(surveys, _Merge(size))


class _Merge:
    def __init__(self, size):
        self.size = size

    def __call__(self, surveys):
        require_few_labeled(sum(len(survey.labeled_blocks) for survey in surveys))
        filled = [survey for survey in surveys if survey.n_rows] or surveys[:1]
        known = [survey for survey in filled if len(survey.labels)] or filled[:1]
        return Survey(
            merge_samples([survey.sample for survey in filled], self.size),
            stack([survey.labeled_rows for survey in known]),
            stack([survey.labels for survey in known]),
            stack([survey.labeled_weights for survey in known]),
            stack([survey.labeled_blocks for survey in known]),
            sum(survey.n_labeled for survey in surveys),
            sum(survey.n_rows for survey in surveys),
        )


def _survey_block(block, *, size, seed, missing_label, gathers, are_values):
    labels, labeled = block.values() if are_values else block.labels(missing_label)
    ranks = np.where(labeled, np.cumsum(labeled) - 1, -1)
    positions = np.flatnonzero(labeled)
    if not gathers:
        labels = labels[:0] if are_values else np.unique(labels)
        positions = positions[:0]
    sample = draw_sample(
        [block.X, ranks], block.weights, size, seed=seed, number=block.number
    )
    return Survey(
        sample,
        safe_indexing(block.X, positions),
        labels,
        block.weights[positions],
        np.full(len(positions), block.number),
        int(labeled.sum()),
        len(block),
    )


def seed_of(random_state, rng):
    """Return the seed of the samples."""
    # A number is the seed itself, so that `rng` goes on as it does in memory.
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return draw_seed(rng)


def require_survey(survey, y, missing_label, *, given):
    """Refuse data without labels or weights; warn of labels that look like none."""
    if y is None and not given:
        check_labels(None, missing_label)
    require_rows(len(survey.sample), survey.n_rows)
    warn_of_namesakes(survey.labels, missing_label)


def require_rows(n_offered, n_rows):
    """Refuse data in which no row has a positive weight."""
    if not n_offered:
        msg = (
            f"X has {n_rows} rows, none of them of positive weight. Pass one at least."
        )
        raise ValueError(msg)


def require_few_labeled(n_labeled):
    """Refuse more labeled rows than fit in the memory of one worker."""
    if n_labeled > MAX_LABELED:
        msg = (
            f"y has more than {MAX_LABELED} labeled rows ({n_labeled} or more), which "
            "the weak estimator would be fitted on in one place. Fit it on some of "
            "them and pass weak_estimator=FrozenEstimator(it), or mark others by "
            "missing_label."
        )
        raise ValueError(msg)


def learn_weakly(
    estimator, survey, *, weak_features, weights, cross_fit, cv, rng, **options
):
    """Fit the weak estimator; return its predictor and probabilities of labeled rows.

    The probabilities are held out with `cross_fit`, and None where it was given fitted.
    """
    given = is_given(estimator)
    X = survey.rows if given else survey.labeled_rows
    labeled, folds = np.ones(len(X), dtype=bool), None
    if cross_fit and not given:
        folds = held_out_folds(
            cv, X, survey.labels, labeled, weights, rng=rng, split_params={}
        )
    predictor, proba = fit_weak(
        estimator,
        X,
        survey.labels,
        labeled,
        columns=resolve_columns(weak_features, X),
        weak_proba=None,
        sample_weight=None if given else weights,
        params={},
        folds=folds,
        **options,
    )
    return predictor, None if given else proba

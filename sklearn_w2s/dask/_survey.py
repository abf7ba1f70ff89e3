"""The first pass: the labeled rows, and a sample of all."""

from dataclasses import dataclass
from typing import Any

import dask
import numpy as np

from sklearn_w2s._cross_fit import held_out_folds
from sklearn_w2s._seeds import draw_seed
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
    """What the first pass brings.

    Parameters
    ----------
    sample : Sample
        Of all rows. Its second table is the position of a labeled row among the labeled
        ones of its block, -1 where there is no label.
    labeled_rows : {ndarray, data frame} of shape (n_labeled, n_features)
        Labeled rows, none of them where the weak estimator needs no fit.
    labels : ndarray
        Their labels, or the classes alone.
    labeled_weights : ndarray of shape (n_labeled,)
        Their weights.
    labeled_blocks : ndarray of shape (n_labeled,) of int
        Numbers of their blocks, sorted.
    n_labeled : int
        All labeled rows.
    n_rows : int
        All rows.
    """

    sample: Sample
    labeled_rows: Any
    labels: Any
    labeled_weights: Any
    labeled_blocks: Any
    n_labeled: int
    n_rows: int

    @property
    def rows(self):
        """Rows of the sample."""
        return self.sample.tables[0]

    def proba(self, predictor, labeled_proba):
        """Return weak probabilities of the sample.

        Parameters
        ----------
        predictor : WeakPredictor
            The fitted weak estimator.
        labeled_proba : ndarray of shape (n_labeled, n_classes) or None
            Those of labeled rows, held out; None where they are asked like others.

        Returns
        -------
        ndarray of shape (n_sample, n_classes)
            Probabilities.
        """
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
    """Return the survey of all blocks, lazily.

    Parameters
    ----------
    blocks : list of Delayed
        Blocks.
    size : int
        Rows of the sample, at most.
    seed : int
        Seed of the sample.
    missing_label : scalar
        Label of unlabeled rows.
    gathers : bool
        Whether the labeled rows are brought together, or only their classes.
    are_values : bool, default=False
        Whether labels are values, of which NaN alone is missing.

    Returns
    -------
    Delayed
        The survey; it raises ValueError if there are too many labeled rows, or if all
        weights are zero.
    """
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
    """Return the seed of the samples.

    Whole numbers stand for themselves: then `rng` goes on as it does in memory.
    """
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return draw_seed(rng)


def require_survey(survey, y, missing_label, *, given):
    """Refuse what nothing can be learned from, and warn of labels that look like none.

    Raises
    ------
    ValueError
        If no row has a positive weight, or y is missing where labels are needed.
    """
    if y is None and not given:
        check_labels(None, missing_label)
    require_rows(len(survey.sample), survey.n_rows)
    warn_of_namesakes(survey.labels, missing_label)


def require_rows(n_offered, n_rows):
    """Refuse rows of which none has a positive weight.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not n_offered:
        msg = (
            f"X has {n_rows} rows, none of them of positive weight. Pass one at least."
        )
        raise ValueError(msg)


def require_few_labeled(n_labeled):
    """Refuse more labeled rows than one place is to hold.

    Raises
    ------
    ValueError
        If there are too many.
    """
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
    """Fit the weak estimator on the labeled rows.

    Parameters
    ----------
    estimator : classifier instance
        The weak estimator.
    survey : Survey
        The first pass.
    weak_features : list, slice, mask, callable or None
        Columns that it sees.
    weights : ndarray of shape (n_labeled,) or None
        Weights of the labeled rows.
    cross_fit : bool
        Whether labeled rows get probabilities from estimators that did not see them.
    cv, rng
        How, see `held_out_folds`.
    **options
        `memory`, `n_jobs` and `seeds` of `fit_weak`.

    Returns
    -------
    predictor : WeakPredictor
        The fitted estimator.
    labeled_proba : ndarray of shape (n_labeled, n_classes) or None
        Weak probabilities of the labeled rows; None where it was given fitted.
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

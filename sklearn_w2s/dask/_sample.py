"""What comes to the client: samples, the labeled rows, and a table of both."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import dask
import numpy as np

from sklearn_w2s._cross_fit import held_out_folds
from sklearn_w2s._estimators import draw_seed
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import stack
from sklearn_w2s._validation import check_labels, warn_of_namesakes
from sklearn_w2s._weak import fit_weak, is_given, resolve_columns
from sklearn_w2s.dask._partitions import merge_tree

# They are collected in the memory of one worker and of the client.
MAX_LABELED = 100_000


@dataclass(eq=False, repr=False)
class Sample:
    r"""Rows of the highest priority, drawn as in `sklearn_w2s.overlap._reservoir`.

    Row i has the priority :math:`w_i / u_i`, :math:`u_i \sim U(0, 1]`, and stands for
    :math:`\max(w_i, \tau)`, where :math:`\tau` is the highest priority left out.
    Source: Duffield, Lund and Thorup, Journal of the ACM 54(6), 2007.
    """

    tables: list[Any]
    # Number of the block, and position in it: shape (n, 2).
    places: Any
    own_weights: Any
    priorities: Any
    left_out: float = 0.0
    n_offered: int = 0

    def __len__(self):
        return len(self.own_weights)

    @property
    def weights(self):
        """Weights that the rows stand for."""
        return np.maximum(self.own_weights, self.left_out)

    @property
    def is_whole(self):
        """Whether every row of positive weight was kept."""
        return len(self) == self.n_offered


def draw_sample(tables, weights, size, *, seed, number):
    """Draw at most `size` rows of positive weight from one block."""
    # By the number of the block, so that a draw that is repeated is the same.
    rng = np.random.default_rng([*seed, number])
    priorities = weights / (1 - rng.random(len(weights)))
    positions = np.arange(len(weights))
    places = np.column_stack([np.full_like(positions, number), positions])
    offered = np.flatnonzero(weights > 0)
    sample = Sample(tables, places, weights, priorities, n_offered=len(offered))
    return _keep(sample, offered, size)


def merge_samples(samples, size):
    """Return the sample that one draw from all blocks would have given."""
    # Tables of no rows may be of another type than the rest.
    filled = [sample for sample in samples if len(sample)] or samples[:1]
    tables = zip(*(sample.tables for sample in filled), strict=True)
    merged = Sample(
        [stack(list(table)) for table in tables],
        np.concatenate([sample.places for sample in filled]),
        np.concatenate([sample.own_weights for sample in filled]),
        np.concatenate([sample.priorities for sample in filled]),
        max(sample.left_out for sample in samples),
        sum(sample.n_offered for sample in samples),
    )
    return _keep(merged, np.lexsort(merged.places.T[::-1]), size)


def _keep(sample, rows, size):
    """Keep the rows of highest priority, in the order of `rows`."""
    priorities, left_out = sample.priorities[rows], sample.left_out
    if len(rows) > size:
        order = np.argsort(-priorities, kind="stable")
        left_out = max(left_out, float(priorities[order[size]]))
        rows = rows[np.sort(order[:size])]
    return Sample(
        [safe_indexing(table, rows) for table in sample.tables],
        sample.places[rows],
        sample.own_weights[rows],
        sample.priorities[rows],
        left_out,
        sample.n_offered,
    )


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
    """Return the survey of all blocks, computed; `gathers` collects labeled rows."""
    visit = dask.delayed(_survey_block)
    options = {
        "missing_label": missing_label,
        "gathers": gathers,
        "are_values": are_values,
    }
    surveys = [visit(block, size=size, seed=[seed, 0], **options) for block in blocks]
    return merge_tree(surveys, _merge_surveys, size=size).compute()


def _merge_surveys(surveys, *, size):
    require_few_labeled(sum(len(survey.labeled_blocks) for survey in surveys))
    filled = [survey for survey in surveys if survey.n_rows] or surveys[:1]
    known = [survey for survey in filled if len(survey.labels)] or filled[:1]
    return Survey(
        merge_samples([survey.sample for survey in filled], size),
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


class Table(NamedTuple):
    """Labeled rows and a sample of the others; missing labels are None, or NaN."""

    X: Any
    y: Any
    weights: Any
    n_rows: int


class Draft(NamedTuple):
    """Samples of the labeled rows, with their labels, and of the others."""

    labeled: Sample
    others: Sample
    n_rows: int


def draw_table(blocks, *, size, seed, missing_label, are_values, may_draw_labels):
    """Return all labeled rows and a sample of at most `size` others, computed at once.

    With `may_draw_labels` labeled rows are drawn as well where they are too many.
    """
    visit = dask.delayed(_draw_block)
    options = {"missing_label": missing_label, "are_values": are_values}
    drafts = [visit(block, size=size, seed=seed, **options) for block in blocks]
    options = {"size": size, "may_draw_labels": may_draw_labels}
    draft = merge_tree(drafts, _merge_drafts, **options).compute()
    samples = [sample for sample in (draft.labeled, draft.others) if len(sample)]
    require_rows(sum(map(len, samples)), draft.n_rows)
    places = np.concatenate([sample.places for sample in samples])
    order = np.lexsort(places.T[::-1])
    y = np.full(len(order), None, dtype=np.float64 if are_values else object)
    y[: len(draft.labeled)] = draft.labeled.tables[1]
    # Drawn rows keep the mean weight of all that were offered.
    weights = np.concatenate(
        [sample.weights * (len(sample) / sample.n_offered) for sample in samples]
    )
    X = safe_indexing(stack([sample.tables[0] for sample in samples]), order)
    return Table(X, y[order], weights[order], draft.n_rows)


def _merge_drafts(drafts, *, size, may_draw_labels):
    labeled = merge_samples([draft.labeled for draft in drafts], MAX_LABELED)
    if not may_draw_labels:
        require_few_labeled(labeled.n_offered)
    others = merge_samples([draft.others for draft in drafts], size)
    return Draft(labeled, others, sum(draft.n_rows for draft in drafts))


def _draw_block(block, *, size, seed, missing_label, are_values):
    known, labeled = block.values() if are_values else block.labels(missing_label)
    labels = np.empty(len(block), dtype=known.dtype)
    labels[labeled] = known
    parts = {
        2: ([block.X, labels], labeled, MAX_LABELED),
        3: ([block.X], ~labeled, size),
    }
    labeled_sample, others = [
        draw_sample(
            tables, block.weights * chosen, n, seed=[seed, key], number=block.number
        )
        for key, (tables, chosen, n) in parts.items()
    ]
    return Draft(labeled_sample, others, len(block))

"""A table in memory: the labeled rows of all blocks, and a sample of the others."""

from typing import Any, NamedTuple

import dask
import numpy as np

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import stack
from sklearn_w2s.dask._blocks import merge_tree
from sklearn_w2s.dask._sample import Sample, draw_sample, merge_samples
from sklearn_w2s.dask._survey import MAX_LABELED, require_few_labeled, require_rows


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
    draft = merge_tree(drafts, _Merge(size, may_draw_labels)).compute()
    samples = [sample for sample in (draft.labeled, draft.others) if len(sample)]
    require_rows(sum(map(len, samples)), draft.n_rows)
    places = np.concatenate([sample.places for sample in samples])
    order = np.lexsort(places.T[::-1])
    y = np.full(len(order), None, dtype=np.float64 if are_values else object)
    y[: len(draft.labeled)] = draft.labeled.tables[1]
    return Table(
        safe_indexing(stack([sample.tables[0] for sample in samples]), order),
        y[order],
        np.concatenate([_weights_of(sample) for sample in samples])[order],
        draft.n_rows,
    )


class _Merge:
    def __init__(self, size, may_draw_labels):
        self.size = size
        self.may_draw_labels = may_draw_labels

    def __call__(self, drafts):
        labeled = merge_samples([draft.labeled for draft in drafts], MAX_LABELED)
        if not self.may_draw_labels:
            require_few_labeled(labeled.n_offered)
        return Draft(
            labeled,
            merge_samples([draft.others for draft in drafts], self.size),
            sum(draft.n_rows for draft in drafts),
        )


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


def _weights_of(sample):
    # Drawn rows keep the mean weight of all that were offered.
    return sample.weights * (len(sample) / sample.n_offered)

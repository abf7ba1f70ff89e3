"""A sample of bounded size that is drawn block by block and merged in any order."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s._tables import stack


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

    def take(self, rows):
        """Return a sample of some of the rows."""
        return Sample(
            [safe_indexing(table, rows) for table in self.tables],
            self.places[rows],
            self.own_weights[rows],
            self.priorities[rows],
            self.left_out,
            self.n_offered,
        )


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
    priorities = sample.priorities[rows]
    if len(rows) > size:
        order = np.argsort(-priorities, kind="stable")
        sample.left_out = max(sample.left_out, float(priorities[order[size]]))
        rows = rows[np.sort(order[:size])]
    return sample.take(rows)

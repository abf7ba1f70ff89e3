"""A sample of bounded size of all rows that a stream has brought."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._sklearn import namespace_of, safe_indexing


class Reservoir:
    r"""A sample of the rows of a stream by priority sampling.

    The rows of highest priority :math:`w_i / u_i`, :math:`u_i \sim U(0, 1]`, stay; each
    stands for the weight :math:`\max(w_i, \tau)`, with :math:`\tau` the highest
    priority left out. Duffield, Lund, Thorup, "Priority Sampling for Estimation of
    Arbitrary Subset Sums", 2007.
    """

    def __init__(self, size, rng):
        self.size = size
        self.rng = rng
        self.n_seen = 0
        self.columns: list[Any] = []
        self._own_weights = np.empty(0)
        self._priorities = np.empty(0)
        self._highest_left_out = 0.0

    @property
    def weights(self):
        """Weights for which the rows stand."""
        return np.maximum(self._own_weights, self._highest_left_out)

    def add(self, weights, *columns):
        """Offer rows: their weights, then the same columns in every call."""
        self.n_seen += len(weights)
        priorities = weights / (1 - self.rng.uniform(size=len(weights)))
        worthy = np.flatnonzero(priorities > self._highest_left_out)
        self._priorities = np.concatenate([self._priorities, priorities[worthy]])
        self._own_weights = np.concatenate([self._own_weights, weights[worthy]])
        new = [safe_indexing(column, worthy) for column in columns]
        if self.columns:
            new = [_stack(*pair) for pair in zip(self.columns, new, strict=True)]
        self.columns = new
        if len(self._priorities) <= self.size:
            return
        order = np.argsort(-self._priorities, kind="stable")
        self._highest_left_out = self._priorities[order[self.size]]
        kept = np.sort(order[: self.size])
        self._priorities = self._priorities[kept]
        self._own_weights = self._own_weights[kept]
        self.columns = [safe_indexing(column, kept) for column in self.columns]


def _stack(old, new):
    if sp.issparse(new):
        return sp.vstack([old, new], format="csr")
    xp, _ = namespace_of(new)
    return np.concatenate([old, new]) if xp is None else xp.concat([old, new])

"""A sample of bounded size of all rows that a stream has brought."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from sklearn_w2s._sklearn import namespace_of, safe_indexing


class Reservoir:
    r"""Rows of a stream by priority sampling.

    Row i with weight :math:`w_i` has the priority :math:`w_i / u_i` with
    :math:`u_i \sim U(0, 1]`. The rows of highest priority stay; with :math:`\tau` the
    highest priority among the others, a row stands for the weight
    :math:`\max(w_i, \tau)`. Sums of these weights over any subset of the rows are
    unbiased estimates of those over the stream, and exact as long as every row stays.

    Parameters
    ----------
    size : int
        Rows that stay, at most.
    rng : RandomState instance
        Draws the priorities.

    Attributes
    ----------
    n_seen : int
        Rows that were offered.
    columns : list of {array, csr matrix}
        What is known of the rows that stayed.
    weights : ndarray of shape (n_kept,)
        What they stand for.

    References
    ----------
    N. Duffield, C. Lund, M. Thorup, "Priority Sampling for Estimation of Arbitrary
    Subset Sums", Journal of the ACM 54(6), 2007.
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
        """Weights that the rows stand for."""
        return np.maximum(self._own_weights, self._highest_left_out)

    def add(self, weights, *columns):
        """Offer rows.

        Parameters
        ----------
        weights : ndarray of shape (n,)
            Non-negative weights; rows of weight zero do not stay.
        *columns : {array, csr matrix} of shape (n, n_components)
            What is known of them, of the same number of columns in every call.
        """
        self.n_seen += len(weights)
        priorities = weights / (1 - self.rng.uniform(size=len(weights)))
        worthy = np.flatnonzero(priorities > self._highest_left_out)
        self._priorities = np.concatenate([self._priorities, priorities[worthy]])
        self._own_weights = np.concatenate([self._own_weights, weights[worthy]])
        new = [safe_indexing(column, worthy) for column in columns]
        if self.columns:
            new = [_stack(*pair) for pair in zip(self.columns, new, strict=True)]
        self.columns = new
        if len(self._priorities) > self.size:
            self._shrink()

    def _shrink(self):
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

"""Overlap measures: how much a row looks as if it carried the hard pattern.

A measure is fitted once on the rows of `fit` and then scores any rows. To add one,
write a class with `fit` and `score` as below and name it in `MEASURES`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn import get_config
from sklearn.linear_model import LinearRegression

from sklearn_w2s._algorithms.similarity import (
    largest_similarity,
    mean_similarity,
    unit_rows,
)
from sklearn_w2s._validation import check_scores

# Residuals of less than so many units in the last place of the largest entry are none.
_ROUNDING = 1000


class Similarity:
    """Similarity of a row to the hard rows.

    Parameters
    ----------
    cosine : bool
        Compare directions instead of inner products.
    reduce : {"max", "mean"}
        Over the hard rows.
    absolute : bool
        Whether opposite directions count as similar.
    """

    def __init__(self, *, cosine, reduce="max", absolute=True):
        self.cosine = cosine
        self.reduce = reduce
        self.absolute = absolute

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        self.references = self._prepare(rows[hard])
        self.weights = weights[hard]
        return self

    def score(self, rows, weak_rows):
        """Return the similarity of each row to the references."""
        if not self.references.shape[0]:
            return np.zeros(rows.shape[0])
        rows = self._prepare(rows)
        working_bytes = int(get_config()["working_memory"] * 2**20)
        if self.reduce == "mean":
            return mean_similarity(rows, self.references, self.weights, working_bytes)
        return largest_similarity(
            rows, self.references, working_bytes, absolute=self.absolute
        )

    def _prepare(self, rows):
        return unit_rows(rows) if self.cosine else rows


class Unexplained:
    r"""Length of what the weak view does not explain of a row.

    The rows are regressed on their weak view v with weighted least squares over the
    rows of `fit`, :math:`r(x) = \varphi(x) - B^T v(x) - b`; the score is
    :math:`\lVert r(x) \rVert_2`. Hard rows play no part in it.
    """

    def fit(self, rows, weak_rows, hard, weights):
        """Regress the rows on their weak view."""
        if sp.issparse(rows) or sp.issparse(weak_rows):
            msg = (
                'overlap_measure="unexplained" needs dense rows. Pass representation='
                "TruncatedSVD(), or another overlap_measure."
            )
            raise ValueError(msg)
        self.references = rows[hard]
        self.regression = LinearRegression().fit(weak_rows, rows, weights)
        self.rounding = _ROUNDING * np.finfo(rows.dtype).eps * np.abs(rows).max()
        return self

    def score(self, rows, weak_rows):
        """Return the length of each row's residual."""
        # A single column of rows comes back one-dimensional.
        explained = self.regression.predict(weak_rows).reshape(rows.shape)
        lengths = np.linalg.norm(rows - explained, axis=1)
        # Of rows that are explained, rounding errors must not make two groups.
        return np.where(lengths > self.rounding, lengths, 0)


class FunctionMeasure:
    """A function of the user, ``func(rows, hard_rows, weak_rows) -> scores``."""

    def __init__(self, func):
        self.func = func

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        self.references = rows[hard]
        return self

    def score(self, rows, weak_rows):
        """Call the function."""
        scores = self.func(rows, self.references, weak_rows)
        return check_scores(scores, rows.shape[0], name="overlap_measure")


MEASURES: dict[str, Callable[[], Any]] = {
    "max_abs_cosine": lambda: Similarity(cosine=True),
    "max_abs_dot": lambda: Similarity(cosine=False),
    "max_dot": lambda: Similarity(cosine=False, absolute=False),
    "mean_abs_cosine": lambda: Similarity(cosine=True, reduce="mean"),
    "unexplained": Unexplained,
}

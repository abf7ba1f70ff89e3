"""Overlap measures: how much a row looks as if it carried the hard pattern.

A measure is fitted once on the rows of `fit` and then scores any rows. To add one,
write a class with `fit` and `score` as below and name it in `MEASURES`. One that would
judge the rows of its fit too well has `fit_score` in place of `fit`, and its name is in
`LEARNED_MEASURES`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from joblib import effective_n_jobs
from sklearn import get_config
from sklearn.linear_model import LinearRegression
from sklearn.utils import gen_even_slices
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from sklearn_w2s._algorithms import similarity_xp
from sklearn_w2s._algorithms.similarity import (
    largest_similarity,
    mean_similarity,
    unit_rows,
)
from sklearn_w2s._sklearn import move_like, namespace_of, safe_indexing, to_numpy
from sklearn_w2s._validation import check_scores, place_of
from sklearn_w2s.overlap._agreement import Agreement
from sklearn_w2s.overlap._neighbors import NeighborsMeasure, is_neighbors_transformer

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
    n_jobs : int or None
        Parts of the rows that are scored at the same time.
    """

    def __init__(self, *, cosine, reduce="max", absolute=True, n_jobs=None):
        self.cosine = cosine
        self.reduce = reduce
        self.absolute = absolute
        self.n_jobs = n_jobs

    def fit(self, rows, weak_rows, hard, weights):
        """Keep the hard rows as references."""
        references = safe_indexing(rows, hard)
        unit = _for_namespace(rows)[0]
        self.references = unit(references) if self.cosine else references
        self.weights = move_like(weights[hard], rows)
        return self

    def score(self, rows, weak_rows):
        """Return the similarity of each row to the references."""
        if not self.references.shape[0]:
            return np.zeros(rows.shape[0])
        n_parts = min(effective_n_jobs(self.n_jobs), rows.shape[0])
        working_bytes = int(get_config()["working_memory"] * 2**20) // n_parts
        if n_parts == 1:
            return self._score_part(rows, working_bytes)
        # The matrix products must not start threads of their own beside these.
        with threadpool_limits(1, user_api="blas"):
            parts = Parallel(n_jobs=n_parts, require="sharedmem")(
                delayed(self._score_part)(safe_indexing(rows, part), working_bytes)
                for part in gen_even_slices(rows.shape[0], n_parts)
            )
        return np.concatenate(parts)

    def _score_part(self, rows, working_bytes):
        _, largest, mean = _for_namespace(rows)
        if self.reduce == "mean":
            scores = mean(
                rows, self.references, self.weights, working_bytes, unit=self.cosine
            )
        else:
            scores = largest(
                rows,
                self.references,
                working_bytes,
                absolute=self.absolute,
                unit=self.cosine,
            )
        return to_numpy(scores)


def _for_namespace(rows):
    """Return the functions for unit rows, largest and mean similarity."""
    xp, _ = namespace_of(rows)
    if xp is None:
        return unit_rows, largest_similarity, mean_similarity
    return tuple(
        partial(function, xp)
        for function in (
            similarity_xp.unit_rows,
            similarity_xp.largest_similarity,
            similarity_xp.mean_similarity,
        )
    )


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
        self.references = safe_indexing(rows, hard)
        return self

    def score(self, rows, weak_rows):
        """Call the function."""
        scores = to_numpy(self.func(rows, self.references, weak_rows))
        return check_scores(scores, rows.shape[0], name="overlap_measure")


MEASURES: dict[str, Callable[[int | None], Any]] = {
    "max_abs_cosine": lambda n_jobs: Similarity(cosine=True, n_jobs=n_jobs),
    "max_abs_dot": lambda n_jobs: Similarity(cosine=False, n_jobs=n_jobs),
    "max_dot": lambda n_jobs: Similarity(cosine=False, absolute=False, n_jobs=n_jobs),
    "mean_abs_cosine": lambda n_jobs: mean_abs_cosine(n_jobs),
    "mean_abs_dot": lambda n_jobs: Similarity(
        cosine=False, reduce="mean", n_jobs=n_jobs
    ),
    "unexplained": lambda _: Unexplained(),
}


# Measures that fit an estimator, which makes them random and their laws approximate.
LEARNED_MEASURES = {"agreement": Agreement}


def mean_abs_cosine(n_jobs):
    """Return the measure by which easy rows are told from hard ones as well."""
    return Similarity(cosine=True, reduce="mean", n_jobs=n_jobs)


def new_measure(measure, n_jobs):
    """Return an unfitted overlap measure by its name, function or neighbour search."""
    if is_neighbors_transformer(measure):
        return NeighborsMeasure(measure)
    if callable(measure):
        return FunctionMeasure(measure)
    return (MEASURES | LEARNED_MEASURES)[measure](n_jobs)


def fit_score(measure, rows, weak_rows, hard, weights, rng):
    """Fit a measure and score the rows of its fit."""
    if hasattr(measure, "fit_score"):
        return measure.fit_score(rows, weak_rows, hard, weights, rng)
    return measure.fit(rows, weak_rows, hard, weights).score(rows, weak_rows)


def require_numpy(measure, rows):
    """Refuse measures that compute with NumPy only, where rows are not NumPy's.

    Raises
    ------
    ValueError
        If the measure is "agreement", "unexplained" or a neighbours transformer.
    """
    bound = is_neighbors_transformer(measure) or (
        isinstance(measure, str) and measure in ("agreement", "unexplained")
    )
    if bound and namespace_of(rows)[0] is not None:
        msg = (
            f"overlap_measure={measure!r} does not compute with arrays of "
            f"{place_of(rows)}. Pass a cosine or dot product measure or a callable, "
            "or pass X as a NumPy array."
        )
        raise ValueError(msg)

"""The sources of unlabeled rows: how dense overlap is, and what UCB would draw."""

from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.report._data import UNLABELED
from sklearn_w2s.sources import UCBSourceSelector

MAX_BATCH = 32


@dataclass(frozen=True)
class SourceRun:
    """Unlabeled rows of one source, their overlap density, and the rows drawn of it."""

    name: str
    n_rows: int
    overlap_density: float
    n_drawn: int | None


def compare_sources(model, X, y, source, seed):
    """Describe each source, and draw half of the unlabeled rows by UCB.

    Parameters
    ----------
    model : WeakToStrongClassifier
        Fitted on X and y with an overlap detector.
    X : {ndarray, data frame} of shape (n, n_features)
        Rows to train on.
    y : ndarray of shape (n,)
        Codes of the labeled rows, -1 elsewhere.
    source : ndarray of shape (n,) of str
        Where each row comes from.
    seed : int
        Shuffles the rows of each source.

    Returns
    -------
    list of SourceRun
        Sorted by name. Nothing is drawn where the budget does not allow for a first and
        a second row of every source.
    """
    pool = y == UNLABELED
    names, codes, n_rows = np.unique(
        source[pool], return_inverse=True, return_counts=True
    )
    is_overlap = model.overlap_detector_.get_support()[pool]
    density = np.bincount(codes, weights=is_overlap) / n_rows
    drawn = _draw(model, X, y, source, seed)
    return [
        SourceRun(name, int(rows), float(share), drawn.get(name))
        for name, rows, share in zip(names.tolist(), n_rows, density, strict=True)
    ]


def _draw(model, X, y, source, seed):
    """Return the rows drawn by name of source; nothing where the budget is too small.

    The detector sees the rows at hand and those drawn first, as it would if drawing had
    a price.
    """
    pool = y == UNLABELED
    budget = int(pool.sum()) // 2
    # The burn-in, one batch per source, takes half of the budget at most.
    batch_size = min(MAX_BATCH, budget // (2 * len(np.unique(source[pool]))))
    if batch_size < 1:
        return {}
    represent = model.overlap_detector_.representation_.transform
    detector = OverlapDetector(
        model.weak_estimator,
        # Rows drawn later may have gaps and categories that the first ones have not.
        representation=FunctionTransformer(represent),
    )
    selector = UCBSourceSelector(
        overlap_detector=detector,
        budget=budget,
        batch_size=batch_size,
        random_state=seed,
    ).fit(X, y, sample_source=source)
    drawn = zip(
        selector.sources_.tolist(), selector.n_samples_drawn_.tolist(), strict=True
    )
    return dict(drawn)

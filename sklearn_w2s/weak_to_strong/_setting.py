"""What a fit knows: rows, labels, weights and who learns from them."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(eq=False, repr=False)
class Setting:
    """Rows, labels, weights and estimators of one fit.

    Parameters
    ----------
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    y : array-like of shape (n,)
        Labels as the user gave them.
    labels : ndarray of shape (n_labeled,)
        Labels of the labeled rows.
    labeled : ndarray of shape (n,) of bool
        Which rows these are.
    weights : ndarray of shape (n,)
        Weights; rows of weight zero are left out.
    weighted : bool
        Whether they were given.
    given_proba : {array-like, data frame} or None
        Weak probabilities as the user gave them.
    strong : classifier instance
        The strong estimator, unfitted.
    strong_weights : ndarray of shape (n,) or None
        Weights for its `fit`.
    strong_params : dict
        Further arguments of its `fit`.
    include_labeled : bool
        Whether labeled rows may train it.
    cv, n_jobs
        How rows are held out from estimators, see `out_of_fold_proba`.
    seeds : RandomState instance or None
        Seeds the estimators of the user.
    rng : RandomState instance
        Draws everything else.
    weak : WeakPredictor or None, default=None
        The weak estimator, once it is fitted.
    weak_proba : ndarray of shape (n, n_classes) or None, default=None
        Its probabilities, of labeled rows held out from it where that matters.
    """

    X: Any
    y: Any
    labels: Any
    labeled: Any
    weights: Any
    weighted: bool
    given_proba: Any
    strong: Any
    strong_weights: Any
    strong_params: dict
    include_labeled: bool
    cv: Any
    n_jobs: Any
    seeds: Any
    rng: Any
    weak: Any = None
    weak_proba: Any = None

    @property
    def sample_weight(self):
        """Weights where they were given, else None."""
        return self.weights if self.weighted else None

    @property
    def unlabeled(self):
        """Mask of the rows of positive weight that have weak labels only."""
        return ~self.labeled & (self.weights > 0)

    @property
    def codes(self):
        """Class codes of the labeled rows."""
        classes = self.weak.classes
        # A class that only rows of weight zero have is no class of the fit.
        return np.searchsorted(classes, self.labels).clip(max=len(classes) - 1)

"""Splitters that show how often they are asked, and for what."""

import numpy as np


class Fickle:
    """Three random folds, drawn anew at each call, and a count of the calls.

    Parameters
    ----------
    seed : int, default=0
        Seeds the draws, which go on from call to call.
    """

    def __init__(self, seed=0):
        self.rng = np.random.RandomState(seed)
        self.n_calls = 0

    def split(self, X, y=None, groups=None):
        """Return positions of training and test rows."""
        self.n_calls += 1
        rows = self.rng.permutation(len(y))
        folds = [np.sort(rows[k::3]) for k in range(3)]
        everyone = np.arange(len(y))
        return [(np.setdiff1d(everyone, fold), fold) for fold in folds]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds."""
        return 3


def drawn_by(y, missing_label=-1, seed=0):
    """Return the splits of the labeled rows that a fresh `Fickle` draws first."""
    labels = np.asarray(y)[np.asarray(y) != missing_label]
    return Fickle(seed).split(labels, labels)

"""What a selection has found so far, as attributes of the selector."""

import numpy as np
from sklearn.base import BaseEstimator


class SelectionState(BaseEstimator):
    """Attributes that follow from a run, whichever entrance it was begun by.

    The run is `_drawing_`; without it the attributes do not exist.
    """

    @property
    def sources_(self):
        """Names of the sources."""
        return np.array(self._bandit.names)

    @property
    def n_pulls_(self):
        """Rounds in which each source was drawn."""
        return self._bandit.n_pulls.copy()

    @property
    def n_samples_drawn_(self):
        """Rows drawn of each source."""
        return self._bandit.drawn.copy()

    @property
    def overlap_density_(self):
        """Share of overlap rows in each source, as far as is known."""
        return self._bandit.density

    @property
    def overlap_density_interval_(self):
        """Its 95% interval."""
        estimates = [self._bandit.estimate(k) for k in range(len(self._bandit.names))]
        return np.array(estimates).reshape(-1, 3)[:, 1:]

    @property
    def ucb_(self):
        """Index of each source."""
        return self._bandit.index()

    @property
    def ranking_(self):
        """Names of the sources, the best first."""
        worth = self._bandit.density / self._bandit.cost
        return self.sources_[np.argsort(-worth, kind="stable")]

    @property
    def exhausted_(self):
        """Whether no more is drawn of each source."""
        return ~self._bandit.is_open

    @property
    def history_(self):
        """One entry per round."""
        return self._bandit.history()

    @property
    def index_history_(self):
        """Index of each source before each round."""
        return self._bandit.index_history()

    @property
    def _bandit(self):
        if "_drawing_" not in vars(self):
            msg = (
                f"{type(self).__name__} has drawn nothing yet; call fit or pull first."
            )
            raise AttributeError(msg)
        return self._drawing_.bandit

"""A pool whose overlap rows are known, and a selector whose detector knows them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sklearn_w2s.sources import UCBSourceSelector


class KnownRegions(BaseEstimator):
    """A detector that reads the region of a row off its first feature."""

    def fit(self, X, y=None):
        self.n_rows_, self.labels_ = len(X), y
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        first = X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]
        return np.where(first > 0.5, "overlap", "easy")


@pytest.fixture(scope="session")
def known_pool():
    """Draw rows whose first feature is 1 where they are overlap rows."""

    def draw(n=600, densities=(0.1, 0.5, 0.3), n_labeled=60, seed=0):
        rng = np.random.RandomState(seed)
        source = rng.randint(len(densities), size=n)
        X = rng.normal(size=(n, 3))
        y = (X[:, 1] > 0).astype(int)
        X[:, 0] = rng.uniform(size=n) < np.asarray(densities)[source]
        y[n_labeled:] = -1
        return X, y, np.array(["a", "b", "c", "d"])[source]

    return draw


@pytest.fixture(scope="session")
def known_selector():
    """Make a selector whose rewards are the known regions."""

    def make(estimator=None, **params):
        params = {"overlap_detector": KnownRegions(), "random_state": 0} | params
        return UCBSourceSelector(estimator, **params)

    return make

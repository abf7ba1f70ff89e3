"""Small problems with few labels, and a classifier that counts its fits."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

N_LABELED = 60


@pytest.fixture(scope="session")
def problem():
    """Features, labels of the first rows, and all true labels of three classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 4))
    truth = (X[:, :3] + 0.3 * rng.normal(size=(240, 3))).argmax(axis=1)
    y = np.where(np.arange(240) < N_LABELED, truth, -1)
    return X, y, truth


@pytest.fixture(scope="session")
def proba(problem):
    """Probabilities of a weak estimator that is at hand no more."""
    X, y, _ = problem
    weak = LogisticRegression(C=0.1).fit(X[:N_LABELED], y[:N_LABELED])
    return weak.predict_proba(X)


class Counting(LogisticRegression):
    """A logistic regression that counts its fits."""

    n_fits = 0

    def __init__(self, random_state=None):
        super().__init__(random_state=random_state)

    def fit(self, X, y, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture
def counting():
    Counting.n_fits = 0
    return Counting

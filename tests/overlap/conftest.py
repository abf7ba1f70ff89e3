"""A problem whose regions are known, and a detector that sees its easy block only."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification

N_LABELED = 120


@pytest.fixture(scope="session")
def problem():
    """Features, labels of the first rows, and all true labels."""
    X, truth, _ = make_overlap_classification(
        (100, 100, 100),
        n_easy_features=3,
        n_hard_features=3,
        noise=0.7,
        absent_noise=0.1,
        random_state=0,
    )
    y = np.where(np.arange(300) < N_LABELED, truth, -1)
    return X, y, truth


@pytest.fixture(scope="session")
def proba(problem):
    """Probabilities of a weak estimator that is at hand no more."""
    X, y, _ = problem
    weak = LogisticRegression().fit(X[:N_LABELED, :3], y[:N_LABELED])
    return weak.predict_proba(X[:, :3])


@pytest.fixture(scope="session")
def frozen(problem):
    X, y, _ = problem
    weak = LogisticRegression().fit(X[:N_LABELED, :3], y[:N_LABELED])
    return FrozenEstimator(weak)


@pytest.fixture(scope="session")
def make_detector():
    """Make a detector of a logistic regression on the easy block."""

    def make(weak_estimator=None, **params):
        if weak_estimator is None:
            weak_estimator = LogisticRegression()
        params = {"weak_features": slice(0, 3)} | params
        return OverlapDetector(weak_estimator, **params)

    return make

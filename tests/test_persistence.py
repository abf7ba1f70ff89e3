import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
    _persistence,
)
from sklearn_w2s.weak_estimators import VoteClassifier

ESTIMATORS = [
    OverlapDetector(GaussianNB()),
    OverlapSampler(),
    UCBSourceSelector(GaussianNB()),
    WeakToStrongClassifier(GaussianNB(), GaussianNB()),
    VoteClassifier([0, 1]),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_another_version_is_told_of(estimator, monkeypatch):
    monkeypatch.setattr(_persistence, "__version__", "9.9")
    saved = pickle.dumps(estimator)
    monkeypatch.undo()

    with pytest.warns(UserWarning, match=r"saved by sklearn_w2s 9\.9 and is loaded by"):
        pickle.loads(saved)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_same_version_is_no_matter(estimator, tmp_path):
    joblib.dump(estimator, tmp_path / "file")

    for again in (
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(tmp_path / "file"),
        copy.deepcopy(estimator),
        clone(estimator),
    ):
        assert repr(again) == repr(estimator)
        assert vars(again).keys() == vars(estimator).keys()


def test_a_file_without_a_version_is_of_an_older_one():
    state = {"regions": ("easy",)}

    with pytest.warns(UserWarning, match="saved by sklearn_w2s an older version"):
        OverlapSampler().__setstate__(state)


def test_a_fit_writes_nothing_to_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = np.where(np.arange(200) < 80, X[:, 0] > 0, -1)

    WeakToStrongClassifier(GaussianNB(), GaussianNB(), strategy="overlap").fit(X, y)

    assert not list(tmp_path.iterdir())

"""Classes may be many, as long as their probabilities fit into memory."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier, _weak


def test_a_thousand_classes_are_learned_as_they_are():
    rng = np.random.default_rng(0)
    n_classes = 1000
    y = np.repeat(np.arange(n_classes), 3)
    X = rng.normal(size=(len(y), 2)) + np.column_stack([y, -y])
    y = np.where(np.arange(len(y)) % 3 == 2, -1, y)
    weak = GaussianNB()

    model = WeakToStrongClassifier(weak, GaussianNB(), strategy="all").fit(X, y)

    assert len(model.classes_) == n_classes
    assert model.predict_proba(X[:5]).shape == (5, n_classes)


@pytest.mark.parametrize("estimator", [OverlapDetector(), WeakToStrongClassifier()])
@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_a_hundred_thousand_classes_are_refused_before_memory_ends(
    estimator, monkeypatch
):
    monkeypatch.setattr(_weak, "_memory_bytes", lambda: 64 * 2**30)
    y = np.arange(200_000) // 2
    X = np.column_stack([y, -y]).astype(float)
    estimator = clone(estimator)

    message = "y has 100000 classes.* 200000 rows take 149.0 GiB, and .* has 64.0 GiB"
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)

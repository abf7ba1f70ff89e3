"""Estimators over collections are saved and loaded as those in memory are."""

import pickle

import dask.array as da
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import persistence
from sklearn_w2s.dask import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.persistence import trusted_types

EASY = {"weak_features": slice(0, 4), "random_state": 0}
ESTIMATORS = [
    OverlapDetector(LogisticRegression(), reservoir_size=200, **EASY),
    WeakToStrongClassifier(
        LogisticRegression(), LogisticRegression(), strategy="overlap", **EASY
    ),
    WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(),
        overlap_detector=OverlapDetector(),
        strategy="mix",
        **EASY,
    ),
]


@pytest.fixture(params=ESTIMATORS, ids=["detector", "by block", "in memory"])
def fitted(request, problem, collect):
    X, y, _ = problem
    return request.param.fit(*collect(X, y))


def test_the_list_of_types_suffices_to_load_what_is_fitted(fitted, problem, collect):
    X, y, _ = problem
    rows, _ = collect(X, y)
    saved = skops.io.dumps(fitted)

    loaded = skops.io.loads(saved, trusted=trusted_types())

    assert_array_equal(loaded.predict(rows).compute(), fitted.predict(rows).compute())


def test_another_version_is_told_of(fitted, monkeypatch):
    monkeypatch.setattr(persistence, "__version__", "9.9")
    saved = pickle.dumps(fitted)
    monkeypatch.undo()

    with pytest.warns(UserWarning, match=r"saved by sklearn_w2s 9\.9 and is loaded by"):
        pickle.loads(saved)


def test_a_classifier_becomes_a_graph():
    pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from sklearn_w2s.onnx import as_inputs, to_onnx

    X = np.random.default_rng(0).normal(size=(200, 3))
    y = np.where(np.arange(200) < 80, X[:, 0] > 0, -1)
    model = WeakToStrongClassifier(
        LogisticRegression(), LogisticRegression(), strategy="all"
    ).fit(da.from_array(X, (100, 3)), da.from_array(y, 100))
    session = onnxruntime.InferenceSession(to_onnx(model, X).SerializeToString())
    labels, proba = session.run(None, as_inputs(X, session))
    assert_array_equal(labels, model.predict(X))
    assert_allclose(proba, model.predict_proba(X), atol=1e-5)

"""Strong estimators that other libraries distribute learn what they learn in memory."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import sklearn_w2s
from sklearn_w2s.dask import WeakToStrongClassifier

# See test_cluster.py.
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("on_cluster"),
]
PARAMS = {"n_estimators": 20, "max_depth": 3, "random_state": 0}


def xgboost():
    pytest.importorskip("xgboost")
    from xgboost import XGBClassifier
    from xgboost.dask import DaskXGBClassifier

    return DaskXGBClassifier(**PARAMS), XGBClassifier(**PARAMS, n_jobs=1)


def lightgbm():
    lightgbm = pytest.importorskip("lightgbm")
    params = PARAMS | {"verbose": -1}
    return (
        lightgbm.DaskLGBMClassifier(**params),
        lightgbm.LGBMClassifier(**params, n_jobs=1),
    )


@pytest.mark.parametrize("library", [xgboost, lightgbm])
@pytest.mark.parametrize("strategy", ["all", "confidence"])
def test_boosting_on_a_cluster_predicts_as_in_memory(
    problem, collect, library, strategy
):
    X, y, _ = problem
    distributed, in_memory = library()
    params = {"weak_features": slice(0, 4), "strategy": strategy, "random_state": 0}
    rows, labels = collect(X, y)
    model = WeakToStrongClassifier(None, distributed, **params).fit(rows, labels)
    expected = sklearn_w2s.WeakToStrongClassifier(None, in_memory, **params).fit(X, y)

    predicted = np.asarray(model.predict(rows).compute())

    assert model.strong_fit_ == "dask"
    assert_array_equal(model.classes_, expected.classes_)
    # Bins of features are found by workers, of the rows that each of them has.
    assert (predicted == expected.predict(X)).mean() > 0.9

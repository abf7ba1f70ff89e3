import os
from operator import methodcaller

import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops.io.exceptions import UntrustedTypesFoundException

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap._measures import MEASURES
from sklearn_w2s.overlap._representations import REPRESENTATIONS
from sklearn_w2s.persistence import trusted_types
from sklearn_w2s.weak_estimators import ColumnProbaClassifier, VoteClassifier
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

EASY = slice(0, 20)
ESTIMATORS = [
    OverlapDetector(),
    *(OverlapDetector(GaussianNB(), overlap_measure=m) for m in MEASURES),
    *(OverlapDetector(GaussianNB(), representation=r) for r in REPRESENTATIONS),
    OverlapDetector(GaussianNB(), overlap_measure="agreement", weak_features=EASY),
    OverlapDetector(GaussianNB(), overlap_measure=KNeighborsTransformer(n_neighbors=1)),
    WeakToStrongClassifier(strategy="confidence"),
    *(
        WeakToStrongClassifier(
            GaussianNB(),
            RandomForestClassifier(5),
            weak_features=EASY,
            strategy=strategy,
        )
        for strategy in STRATEGIES
    ),
]


@pytest.fixture(scope="module")
def data():
    X, y, _ = make_overlap_classification(500, random_state=0)
    y[150:] = -1
    return X, y


def through_skops(model):
    return skops.io.loads(skops.io.dumps(model), trusted=trusted_types())


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=range(len(ESTIMATORS)))
def test_the_list_suffices_to_load_what_is_fitted(estimator, data):
    model = clone(estimator).set_params(random_state=0).fit(*data)

    assert_array_equal(through_skops(model).predict(data[0]), model.predict(data[0]))


def test_it_suffices_for_detectors_of_streams(data):
    model = OverlapDetector(GaussianNB(), random_state=0).partial_fit(*data)

    assert_array_equal(through_skops(model).predict(data[0]), model.predict(data[0]))


def test_it_suffices_for_selectors(data):
    model = UCBSourceSelector(
        WeakToStrongClassifier(GaussianNB(), GaussianNB(), strategy="all"),
        overlap_detector=OverlapDetector(GaussianNB()),
        n_rounds=4,
        random_state=0,
    ).fit(*data, sample_source=np.arange(500) % 3)

    loaded = through_skops(model)

    assert_array_equal(loaded.sample_indices_, model.sample_indices_)
    assert_array_equal(loaded.predict(data[0]), model.predict(data[0]))


def test_it_suffices_for_estimators_that_are_given():
    votes = np.array([[0, 1, -1], [1, 1, 0], [0, 0, 1], [1, -1, 1]] * 10)
    voter = VoteClassifier([0, 1, 2], classes=[0, 1], method="naive_bayes").fit(votes)
    reader = ColumnProbaClassifier([0, 1], classes=[0, 1])

    for model, rows in ((voter, votes), (reader, np.full((5, 2), 0.5))):
        assert_array_equal(through_skops(model).predict(rows), model.predict(rows))


@pytest.mark.parametrize("code", [os.system, methodcaller("upper"), eval])
def test_code_in_a_file_is_refused(code):
    model = make_pipeline(FunctionTransformer(code), LogisticRegression())
    file = skops.io.dumps(model)

    with pytest.raises(UntrustedTypesFoundException):
        skops.io.loads(file, trusted=trusted_types())


def test_every_name_on_the_list_exists():
    for name in trusted_types():
        module, _, attribute = name.rpartition(".")
        if name == "sklearn.kernel_approximation.Nystroem.transform":
            continue
        assert hasattr(__import__(module, fromlist=[attribute]), attribute), name

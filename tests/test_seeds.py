import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s._seeds import draw_seed, seed_nested


def test_equal_generators_draw_equal_seeds():
    first, second = (np.random.RandomState(3) for _ in range(2))
    assert [draw_seed(first) for _ in range(3)] == [draw_seed(second) for _ in range(3)]


def nested():
    return make_pipeline(
        StandardScaler(),
        BaggingClassifier(RandomForestClassifier(random_state=3)),
    )


def seeds_of(estimator):
    return {
        name: value
        for name, value in estimator.get_params().items()
        if name.endswith("random_state")
    }


def test_every_seed_that_is_none_is_set_at_every_depth():
    estimator = nested()
    assert seed_nested(estimator, 0) is estimator
    seeds = seeds_of(estimator)
    assert seeds["baggingclassifier__estimator__random_state"] == 3
    assert isinstance(seeds["baggingclassifier__random_state"], int)
    assert seeds == seeds_of(seed_nested(nested(), 0))
    assert seeds != seeds_of(seed_nested(nested(), 1))


def test_a_generator_gives_each_estimator_seeds_of_its_own():
    rng = np.random.RandomState(0)
    first, second = (seed_nested(LogisticRegression(), rng) for _ in range(2))
    assert first.random_state != second.random_state


def test_without_a_seed_nothing_is_set():
    estimator = nested()
    before = seeds_of(estimator)
    assert seeds_of(seed_nested(estimator, None)) == before


@pytest.mark.parametrize(
    "estimator",
    [StandardScaler(), FrozenEstimator(RandomForestClassifier())],
)
def test_what_cannot_be_seeded_is_left_alone(estimator):
    before = repr(clone(estimator).get_params())
    assert repr(seed_nested(estimator, 0).get_params()) == before

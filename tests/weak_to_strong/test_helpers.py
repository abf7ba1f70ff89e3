"""What helper forests say of rows that their trees have not seen."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_w2s.weak_to_strong._helpers import make_soft_forest, out_of_bag

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 4))
TARGETS = RNG.dirichlet(np.ones(3), size=120)
CHOSEN = np.arange(0, 120, 2)


def fitted(weights=None):
    forest = make_soft_forest(None).set_params(random_state=0)
    return forest.fit(ROWS[CHOSEN], TARGETS[CHOSEN], weights)


def test_rows_that_it_was_not_fitted_on_get_its_prediction():
    forest = fitted()
    others = np.setdiff1d(np.arange(120), CHOSEN)
    said = out_of_bag(forest, ROWS, CHOSEN)[others]
    assert_array_equal(said, forest.predict(ROWS[others]))


def test_a_row_that_every_tree_has_seen_gets_what_they_say_of_it():
    weights = np.where(np.arange(60) == 7, 1e6, 1.0)
    forest = fitted(weights)
    proba = out_of_bag(forest, ROWS, CHOSEN)
    assert_allclose(proba.sum(axis=1), 1)
    if all(7 in seen for seen in forest.estimators_samples_):
        row = CHOSEN[[7]]
        assert_array_equal(proba[row], forest.predict(ROWS[row]))

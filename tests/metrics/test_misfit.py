"""The misfit is promised to projections on a convex class, and to nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import WeakToStrongRegressor
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import misfit

WEAK, STRONG = [[0.5, 0.5], [0.2, 0.8]], [[1.0, 0.0], [0.2, 0.8]]


def cells(X):
    """Put rows into cells by the signs of two columns."""
    return (X[:, 0] > 0) + 2 * (X[:, -1] > 0)


def cell_values(proba, cell, *, loss):
    """Return the probabilities, constant in every cell, that are nearest to others."""
    values = np.zeros((4, proba.shape[1]))
    for c in range(4):
        own = proba[cell == c]
        # The geometric mean minimises the divergence from the others.
        mean = own.mean(axis=0)
        values[c] = mean if loss == "squared" else np.exp(np.log(own).mean(axis=0))
    return (values / values.sum(axis=1, keepdims=True))[cell]


@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("loss", ["squared", "log"])
def test_values_on_cells_gain_their_misfit_if_the_truth_is_constant_there(loss, seed):
    rng = np.random.default_rng(seed)
    X, weak = rng.normal(size=(60, 2)), rng.dirichlet(np.ones(3), size=60) + 1e-3
    weak /= weak.sum(axis=1, keepdims=True)
    truth = rng.dirichlet(np.ones(3), size=4)[cells(X)]
    strong = cell_values(weak, cells(X), loss=loss)
    promised = misfit(weak, strong, loss=loss)
    gain = misfit(weak, truth, loss=loss) - misfit(strong, truth, loss=loss)
    assert gain == pytest.approx(promised)


@given(seed=st.integers(0, 10_000), noise=st.sampled_from([0.0, 1.0]))
@settings(max_examples=15)
def test_a_strong_regressor_gains_its_misfit_where_its_class_holds_the_truth(
    seed, noise
):
    rng = np.random.default_rng(seed)
    # Fixed random features, of which the truth is a linear function.
    X = rng.normal(size=(40_000, 5))
    features = np.cos(X @ rng.normal(size=(5, 30)) + rng.uniform(0, 7, size=30))
    truth = features @ rng.normal(size=30)
    y = truth + noise * rng.normal(size=len(X))
    weak = DecisionTreeRegressor(min_samples_leaf=10, random_state=0)
    weak.fit(X[:200, :3], y[:200])
    test = slice(20_000, None)
    model = WeakToStrongRegressor(
        FrozenEstimator(weak),
        make_pipeline(FunctionTransformer(lambda Z: Z[:, 5:]), Ridge(alpha=1e-3)),
        weak_features=[0, 1, 2],
        strategy="all",
    )
    both = np.hstack([X, features])
    model.fit(both[:20_000], np.full(20_000, np.nan))
    said_weak = weak.predict(X[test, :3])
    said_strong = model.predict(both[test])
    gain = np.mean((y[test] - said_weak) ** 2 - (y[test] - said_strong) ** 2)
    promised = misfit(said_weak, said_strong)
    # Both sides are those of the population but for the chance of these rows.
    slack = (
        4
        * np.std((said_weak - said_strong) * (y[test] - said_strong))
        / np.sqrt(20_000)
    )
    assert gain >= promised - 2 * slack - 1e-2 * promised


@given(seed=st.integers(0, 10_000))
def test_the_gain_is_the_misfit_on_the_rows_of_a_projection(seed):
    rng = np.random.default_rng(seed)
    X, weak = rng.normal(size=(50, 4)), rng.normal(size=50)
    truth = X @ rng.normal(size=4) + 2
    strong = LinearRegression().fit(X, weak).predict(X)
    gain = misfit(weak, truth) - misfit(strong, truth)
    assert gain == pytest.approx(misfit(weak, strong))


def test_a_weight_of_two_is_a_value_given_twice():
    weak, strong = [1.0, 2.0, 5.0], [0.0, 2.0, 1.0]
    weighted = misfit(weak, strong, sample_weight=[1, 1, 2])
    assert weighted == misfit([*weak, 5.0], [*strong, 1.0]) == (1 + 16 + 16) / 4


@pytest.mark.parametrize("loss", ["squared", "log"])
def test_with_drawn_labels_they_gain_it_up_to_chance(loss):
    X, _, _ = make_overlap_classification(20_000, overlap_density=0.4, random_state=0)
    rng = np.random.default_rng(0)
    cell = cells(X)
    truth = np.array([0.1, 0.4, 0.7, 0.9])[cell]
    y = (rng.uniform(size=len(X)) < truth).astype(int)
    weak_estimator = LogisticRegression().fit(X[:300, :20], y[:300])
    weak = weak_estimator.predict_proba(X[:, :20])
    strong = cell_values(weak, cell, loss=loss)
    if loss == "squared":
        one_hot = np.eye(2)[y]
        gain = misfit(one_hot, weak) - misfit(one_hot, strong)
    else:
        gain = log_loss(y, weak) - log_loss(y, strong)
    promised = misfit(weak, strong, loss=loss)
    assert promised > 0.02
    assert gain == pytest.approx(promised, abs=0.005)


def test_boosting_on_hard_weak_labels_does_not_keep_the_promise():
    X, y, _ = make_overlap_classification(4000, overlap_density=0.2, random_state=0)
    weak_estimator = LogisticRegression().fit(X[:300, :20], y[:300])
    weak = weak_estimator.predict_proba(X[:, :20])
    student = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    student.fit(X[300:2000], weak.argmax(axis=1)[300:2000])
    new, one_hot = slice(2000, None), np.eye(2)[y]
    strong = student.predict_proba(X[new])
    gain = misfit(one_hot[new], weak[new]) - misfit(one_hot[new], strong)
    assert gain < 0 < misfit(weak[new], strong)


def test_for_two_classes_it_is_twice_the_squared_difference_of_the_second():
    rng = np.random.default_rng(0)
    weak, strong = rng.dirichlet(np.ones(2), size=(2, 10))
    expected = 2 * np.mean((weak[:, 1] - strong[:, 1]) ** 2)
    assert misfit(weak, strong) == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["squared", "log"])
def test_weights_count_rows(loss):
    weak, strong = np.array(WEAK), np.array(STRONG)
    repeated = misfit(weak[[0, 0, 0, 1]], strong[[0, 0, 0, 1]], loss=loss)
    assert misfit(WEAK, STRONG, loss=loss, sample_weight=[3, 1]) == pytest.approx(
        repeated
    )


def test_a_class_that_is_ruled_out_is_infinitely_far_unless_it_has_no_weight():
    weak, strong = [[0.0, 1.0], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]
    assert misfit(weak, strong, loss="log") == np.inf
    assert misfit(weak, strong, loss="log", sample_weight=[0, 1]) == 0


def test_data_frames_of_the_same_columns_are_taken():
    weak, strong = (pd.DataFrame(p, columns=["no", "yes"]) for p in (WEAK, STRONG))
    assert misfit(weak, strong) == misfit(WEAK, STRONG)
    with pytest.raises(ValueError, match="in the same order"):
        misfit(weak, strong[["yes", "no"]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge' must be one of"),
        ({"loss": []}, r"loss=\[\] must be one of"),
        ({"weak_proba": [[0.5, 0.4], [0.2, 0.8]]}, "weak_proba must hold .* sum to 1"),
        ({"strong_proba": [[1.5, -0.5], [0, 1]]}, "strong_proba must hold"),
        ({"strong_proba": [[1.0], [1.0]]}, "minimum of 2 is required"),
        ({"strong_proba": [[1.0, 0, 0], [1, 0, 0]]}, "2 columns .* has 3"),
        ({"strong_proba": [[1.0, 0]]}, "inconsistent numbers of samples"),
        ({"sample_weight": [0, 0]}, "at least one non-zero"),
        ({"weak_proba": [1.0], "strong_proba": [2.0], "loss": "log"}, "Of values"),
        ({"weak_proba": [1.0], "strong_proba": [2.0, 3.0]}, "inconsistent numbers"),
        ({"weak_proba": [np.nan], "strong_proba": [2.0]}, "contains NaN"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    given = {"weak_proba": WEAK, "strong_proba": STRONG} | arguments
    with pytest.raises(ValueError, match=message):
        misfit(**given)

"""What theory promises of a strong estimator holds where its assumptions do."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from sklearn_w2s import WeakToStrongRegressor
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import expansion, misfit, prediction_gap
from sklearn_w2s.metrics._bounds import _cheapest_set

# Misfit: promised to projections on a convex class, and to nothing else


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
        ({"weak_proba": [1.0], "strong_proba": [2.0], "loss": "log"}, "for values"),
        ({"weak_proba": [1.0], "strong_proba": [2.0, 3.0]}, "inconsistent numbers"),
        ({"weak_proba": [np.nan], "strong_proba": [2.0]}, "contains NaN"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    given = {"weak_proba": WEAK, "strong_proba": STRONG} | arguments
    with pytest.raises(ValueError, match=message):
        misfit(**given)


# Expansion: cuts find the worst of all sets; graphs of known expansion have it


graphs = st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
    lambda shape: arrays(bool, shape, elements=st.booleans())
)
PAIRS = np.array([[0.0], [0.1], [5.0], [5.1], [10.0], [10.1]])
PAIR_REGIONS = ["hard", "overlap"] * 3


def ratio(X, regions, rows, n_neighbors):
    """Return neighbour mass and mass of a set of hard rows, by their definitions."""
    used = np.flatnonzero(regions != "easy")
    distance = np.linalg.norm(X[used, None] - X[None, used], axis=2)
    np.fill_diagonal(distance, np.inf)
    near = distance.argsort(axis=1)[:, :n_neighbors]
    is_edge = np.zeros(distance.shape, dtype=bool)
    is_edge[np.arange(len(used))[:, None], near] = True
    is_edge |= is_edge.T
    overlap = regions[used] == "overlap"
    reached = is_edge[np.isin(used, rows)].any(axis=0) & overlap
    return reached.sum() / overlap.sum(), len(rows) / (~overlap).sum()


def draw_rows(n_hard, n_overlap, seed=0, n_features=2):
    rng = np.random.default_rng(seed)
    regions = np.repeat(["hard", "overlap", "easy"], [n_hard, n_overlap, 3])
    return rng.normal(size=(len(regions), n_features)), regions


@given(graph=graphs, u=st.integers(1, 5), v=st.integers(1, 5))
def test_the_cut_is_the_smallest_of_the_best_sets(graph, u, v):
    n_rows, n_covered = graph.shape
    sets = np.array(list(product([False, True], repeat=n_rows)))
    costs = v * (sets @ graph).sum(axis=1) - u * sets.sum(axis=1)
    best = sets[costs == costs.min()]
    everything = np.ones(n_rows, dtype=bool), np.ones(n_covered, dtype=bool)
    found = _cheapest_set(csr_matrix(graph.astype(float)), *everything, u, v)
    assert found.tolist() == best[best.sum(axis=1).argmin()].tolist()


@given(seed=st.integers(0, 1000), q=st.sampled_from([0, 0.15, 0.3, 0.6]))
def test_no_set_of_hard_rows_has_fewer_neighbours(seed, q):
    X, regions = draw_rows(7, 5, seed)
    result = expansion(X, regions, q=q, n_neighbors=2)
    ratios = [
        reached / mass
        for chosen in product([False, True], repeat=7)
        for reached, mass in [ratio(X, regions, np.flatnonzero(chosen), 2)]
        if mass > q
    ]
    assert result["expansion"] <= min(ratios) + 1e-12
    assert result["upper_bound"] >= min(ratios) - 1e-12
    reached, mass = ratio(X, regions, result["worst_set"], 2)
    assert mass > q
    assert result["upper_bound"] == pytest.approx(reached / mass)


@pytest.mark.parametrize("q", [0, 0.4, 0.9])
def test_where_all_rows_are_neighbours_any_set_has_all_of_them(q):
    X, regions = draw_rows(6, 4)
    result = expansion(X, regions, q=q, n_neighbors=9)
    assert result["set_mass"].tolist() == [0, 1]
    assert result["neighbor_mass"].tolist() == [0, 1]
    # All sets have neighbour mass 1, so that the largest has the smallest ratio.
    assert result["upper_bound"] == 1
    assert result["expansion"] == pytest.approx(1)


@pytest.mark.parametrize("q", [0, 0.4, 0.9])
def test_pairs_expand_by_one(q):
    result = expansion(PAIRS, PAIR_REGIONS, q=q, n_neighbors=1)
    assert result["expansion"] == pytest.approx(1)


def test_rows_around_one_hub_share_it():
    around = [[0.0, 0.1], [0.1, 0.0], [0.0, -0.1], [-0.1, 0.0]]
    X = np.array([[0.0, 0.0], *around, [9.0, 9.0], [9.0, 9.1], [9.1, 9.0]])
    regions = ["overlap", *["hard"] * 4, *["overlap"] * 3]
    result = expansion(X, regions, q=0.25, n_neighbors=1)
    assert result["worst_set"].tolist() == [1, 2, 3, 4]
    assert result["expansion"] == pytest.approx(1 / 4)


def test_hard_rows_far_from_all_overlap_rows_are_the_worst_set():
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(80, 3)), rng.normal(50, 1, size=(20, 3))
    regions = np.repeat(["hard", "overlap", "hard"], [40, 40, 20])
    result = expansion(np.concatenate([near, far]), regions, q=0.1, n_neighbors=5)
    assert result["expansion"] == 0
    assert set(range(80, 100)) <= set(result["worst_set"].tolist())


def test_it_grows_with_the_neighbours_and_with_the_mass():
    X, regions = draw_rows(60, 40)
    for q in (0.1, 0.5):
        found = [
            expansion(X, regions, q=q, n_neighbors=k)["expansion"] for k in (1, 3, 9)
        ]
        assert found == sorted(found)
    found = [expansion(X, regions, q=q)["expansion"] for q in (0, 0.1, 0.5, 0.9)]
    assert found == sorted(found)


def test_with_classes_it_is_that_of_the_worst_class():
    X, y, regions = make_overlap_classification((50, 100, 60), random_state=0)
    y = np.array(["no", "yes"])[y]
    result = expansion(X[:, 20:], regions, y=y, q=0.2)
    alone = {
        label: expansion(X[y == label][:, 20:], regions[y == label], q=0.2)
        for label in ("no", "yes")
    }
    assert result["by_class"] == {c: r["expansion"] for c, r in alone.items()}
    worst = min(alone, key=lambda label: alone[label]["expansion"])
    assert result["expansion"] == alone[worst]["expansion"]
    rows = np.flatnonzero(y == worst)[alone[worst]["worst_set"]]
    assert result["worst_set"].tolist() == rows.tolist()


def test_easy_rows_the_order_of_rows_and_the_container_play_no_part():
    X, regions = draw_rows(30, 20)
    expected = expansion(X, regions)["expansion"]
    order = np.random.default_rng(0).permutation(50)
    assert expansion(X[order], regions[order])["expansion"] == expected
    assert expansion(csr_matrix(X), regions)["expansion"] == expected
    assert expansion(pd.DataFrame(X), pd.Series(regions))["expansion"] == expected


def test_more_overlap_expands_better_on_the_synthetic_data():
    means = []
    for density in (0.02, 0.1, 0.5):
        drawn = [
            make_overlap_classification(400, overlap_density=density, random_state=seed)
            for seed in range(3)
        ]
        found = [expansion(X[:, 20:], regions) for X, _, regions in drawn]
        means.append(np.mean([result["expansion"] for result in found]))
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("q", [-0.1, 1, 1.5, float("nan"), "0.1"])
def test_a_share_that_no_set_can_exceed_is_refused(q):
    with pytest.raises(ValueError, match=r"q=.* must be a share"):
        expansion(PAIRS, PAIR_REGIONS, q=q, n_neighbors=1)


@pytest.mark.parametrize("n_neighbors", [0, 1.5, "3"])
def test_a_number_of_neighbours_that_is_none_is_refused(n_neighbors):
    with pytest.raises(ValueError, match=r"n_neighbors=.* must be a positive integer"):
        expansion(PAIRS, PAIR_REGIONS, n_neighbors=n_neighbors)


def test_more_neighbours_than_rows_are_refused():
    with pytest.raises(ValueError, match=r"less than the number .* overlap rows, 6"):
        expansion(PAIRS, PAIR_REGIONS, n_neighbors=6)
    with pytest.raises(ValueError, match=r"overlap rows of class 0, 2"):
        expansion(PAIRS, PAIR_REGIONS, y=[0, 0, 1, 1, 1, 1], n_neighbors=2)


def test_a_region_without_rows_is_refused():
    with pytest.raises(ValueError, match=r'no "overlap" row:'):
        expansion(PAIRS, ["hard"] * 6, n_neighbors=1)
    with pytest.raises(ValueError, match=r'no "hard" row of class \'b\''):
        expansion(PAIRS, PAIR_REGIONS, y=list("aaaaab"), n_neighbors=1)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        expansion(PAIRS[:5], PAIR_REGIONS, n_neighbors=1)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        expansion(PAIRS, PAIR_REGIONS, y=[0, 1], n_neighbors=1)


@pytest.mark.parametrize("mark", [-1, None])
def test_rows_without_a_label_are_of_no_class(mark):
    y = [0, 0, mark, mark, 0, 0]
    result = expansion(PAIRS, PAIR_REGIONS, y=y, n_neighbors=1)
    labeled = [0, 1, 4, 5]
    alone = expansion(
        np.asarray(PAIRS)[labeled], np.asarray(PAIR_REGIONS)[labeled], n_neighbors=1
    )
    assert list(result["by_class"]) == [0]
    assert result["expansion"] == alone["expansion"]
    with pytest.raises(ValueError, match="y has no label"):
        expansion(PAIRS, PAIR_REGIONS, y=[mark] * 6, n_neighbors=1)


# Prediction gap: what ridge students lose when weak labels teach them


EASY_BLOCK = slice(0, 20)


def draw(density=1 / 3, seed=0, n=300):
    return make_overlap_classification(n, overlap_density=density, random_state=seed)


def fitted(X, targets, alpha):
    """Return predictions of a ridge regression, its penalty in units of the mean."""
    centred = X - X.mean(axis=0)
    penalty = alpha * (centred**2).sum() / len(X)
    return Ridge(penalty).fit(X, targets).predict(X)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 10])
def test_it_is_the_difference_of_ridge_students_of_true_and_of_weak_labels(alpha):
    X, y, _ = draw()
    X = X + 3
    codes = np.where(y == 1, 1.0, -1.0)
    weak_labels = fitted(X[:, EASY_BLOCK], codes, alpha)
    lost = fitted(X, codes, alpha) - fitted(X, weak_labels, alpha)
    expected = np.linalg.norm(lost) / np.linalg.norm(codes - codes.mean())
    gap = prediction_gap(X[:, EASY_BLOCK], X, y, alpha=alpha)
    assert gap == pytest.approx(expected)


def test_names_of_classes_and_containers_play_no_part():
    X, y, _ = draw()
    expected = prediction_gap(X[:, EASY_BLOCK], X, y)
    frame, names = pd.DataFrame(X), pd.Series(np.array(["no", "yes"])[y])
    of_frame = prediction_gap(frame.iloc[:, EASY_BLOCK], frame, names)
    assert of_frame == pytest.approx(expected)
    assert prediction_gap(X[:, EASY_BLOCK], X, 1 - y) == pytest.approx(expected)


def test_shifts_and_units_of_a_representation_play_no_part():
    X, y, _ = draw()
    expected = prediction_gap(X[:, EASY_BLOCK], X, y)
    moved = prediction_gap(5 * X[:, EASY_BLOCK] + 2, X / 7 - 1, y)
    assert moved == pytest.approx(expected)


def test_with_several_classes_it_is_between_zero_and_the_largest_gap():
    X, y, _ = make_overlap_classification(300, n_classes=4, random_state=0)
    gap = prediction_gap(X[:, EASY_BLOCK], X, y)
    assert 0 < gap < prediction_gap(X[:, EASY_BLOCK], X) < 1


def test_a_weak_estimator_that_sees_everything_keeps_next_to_nothing_back():
    X, y, _ = draw()
    assert prediction_gap(X, X, y, alpha=1e-6) < 1e-4
    assert prediction_gap(X, X, alpha=1e-6) < 1e-4


def test_columns_that_say_nothing_say_nothing():
    X, y, _ = draw()
    constant = np.full((300, 2), 0.1)
    padded = np.column_stack([X, constant])
    expected = prediction_gap(X[:, EASY_BLOCK], X, y)
    assert prediction_gap(X[:, EASY_BLOCK], padded, y) == pytest.approx(expected)
    assert prediction_gap(X, constant, y) == 0


def test_it_falls_as_overlap_grows_on_the_synthetic_data():
    means = []
    for density in (0.05, 0.3, 0.8):
        drawn = [draw(density, seed) for seed in range(5)]
        gaps = [prediction_gap(X[:, EASY_BLOCK], X, y) for X, y, _ in drawn]
        means.append(np.mean(gaps))
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("alpha", [0, -1, float("nan"), float("inf"), "0.1"])
def test_a_regularisation_that_is_not_positive_is_refused(alpha):
    X, y, _ = draw()
    with pytest.raises(ValueError, match=r"alpha=.* must be a positive number"):
        prediction_gap(X, X, y, alpha=alpha)


def test_one_class_is_refused():
    X, _, _ = draw()
    with pytest.raises(ValueError, match=r"y holds the classes \[1\]; give rows"):
        prediction_gap(X, X, np.ones(len(X), dtype=int))


def test_continuous_labels_and_lengths_that_differ_are_refused():
    X, y, _ = draw()
    with pytest.raises(ValueError, match="Unknown label type"):
        prediction_gap(X, X, X[:, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        prediction_gap(X, X[:-1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        prediction_gap(X, X, y[:-1])


@pytest.mark.parametrize("mark", [-1, None])
def test_rows_without_a_label_are_left_out(mark):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(30, 3)), rng.integers(2, size=30)
    y = [label if i % 3 else mark for i, label in enumerate(labels.tolist())]
    labeled = np.arange(30) % 3 > 0
    expected = prediction_gap(X[labeled, :1], X[labeled], labels[labeled])
    assert prediction_gap(X[:, :1], X, y) == expected

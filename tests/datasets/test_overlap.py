"""The generator draws what it says: known regions, blocks, centres and noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from sklearn_w2s.datasets import make_overlap_classification

LARGE = 20_000


def count(regions):
    return [int(np.sum(regions == name)) for name in ("easy", "hard", "overlap")]


@given(n=st.integers(1, 60), density=st.floats(0, 1), seed=st.integers(0, 9))
def test_the_density_is_met_and_the_rest_is_halved(n, density, seed):
    _, _, regions = make_overlap_classification(
        n, overlap_density=density, random_state=seed
    )
    n_easy, n_hard, n_overlap = count(regions)
    assert n_easy + n_hard + n_overlap == n
    assert n_overlap == round(n * density)
    assert n_easy - n_hard in {0, 1}


@pytest.mark.parametrize(
    "counts", [(3, 2, 5), (0, 0, 1), [4, 0, 0], np.array([1, 2, 3])]
)
def test_three_counts_are_met_whatever_the_density(counts):
    X, y, regions = make_overlap_classification(counts, overlap_density=0.9)
    assert count(regions) == list(counts)
    assert len(X) == len(y) == sum(counts)


@given(
    n_easy_features=st.integers(1, 4),
    n_hard_features=st.integers(1, 4),
    n_classes=st.integers(2, 5),
    shuffle=st.booleans(),
)
def test_a_row_is_exactly_zero_in_the_block_it_does_not_carry(
    n_easy_features, n_hard_features, n_classes, shuffle
):
    X, y, regions = make_overlap_classification(
        (5, 4, 3),
        n_easy_features=n_easy_features,
        n_hard_features=n_hard_features,
        n_classes=n_classes,
        shuffle=shuffle,
        random_state=0,
    )
    assert X.shape == (12, n_easy_features + n_hard_features)
    assert set(y) <= set(range(n_classes))
    easy_block, hard_block = X[:, :n_easy_features], X[:, n_easy_features:]
    assert ((easy_block == 0).all(axis=1) == (regions == "hard")).all()
    assert ((hard_block == 0).all(axis=1) == (regions == "easy")).all()


def test_unshuffled_rows_are_those_of_the_shuffled_draw_in_the_order_of_regions():
    arguments = {"n_samples": (5, 4, 3), "random_state": 0}
    X, y, regions = make_overlap_classification(**arguments, shuffle=False)
    assert regions.tolist() == ["easy"] * 5 + ["hard"] * 4 + ["overlap"] * 3
    mixed_X, mixed_y, mixed_regions = make_overlap_classification(**arguments)
    assert regions.tolist() != mixed_regions.tolist()
    order = [int(np.flatnonzero((mixed_X == row).all(axis=1))[0]) for row in X]
    assert mixed_y[order].tolist() == y.tolist()
    assert mixed_regions[order].tolist() == regions.tolist()


def test_the_seed_decides():
    first, again, other = (
        make_overlap_classification(50, random_state=seed)[0] for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()
    rng = np.random.RandomState(0)
    assert (make_overlap_classification(50, random_state=rng)[0] == first).all()
    assert (make_overlap_classification(50, random_state=rng)[0] != first).any()


def test_two_classes_lie_at_opposite_points_of_the_unit_cube():
    X, y, _ = make_overlap_classification((0, 0, LARGE), random_state=0)
    negative, positive = X[y == 0].mean(axis=0), X[y == 1].mean(axis=0)
    np.testing.assert_allclose(negative, -positive, atol=0.15)
    assert positive.min() > -0.1
    assert positive.max() < 1.1
    assert positive.std() > 0.1


def test_the_centres_of_more_classes_differ_in_size_and_sign():
    X, y, _ = make_overlap_classification(
        (0, 0, LARGE), n_classes=3, noise=0.1, random_state=0
    )
    centers = np.array([X[y == k].mean(axis=0) for k in range(3)])
    assert np.abs(centers).max() < 1.05
    assert (np.sign(centers).std(axis=0) > 0).any()
    distances = np.linalg.norm(centers[:, None] - centers, axis=2)
    assert distances[np.triu_indices(3, 1)].min() > 1


@pytest.mark.parametrize("noise", [0.0, 0.5, 5**0.5])
def test_the_noise_is_the_deviation_from_the_centre(noise):
    X, y, _ = make_overlap_classification((0, 0, LARGE), noise=noise, random_state=0)
    deviation = X[y == 0].std(axis=0)
    np.testing.assert_allclose(deviation, noise, rtol=0.05, atol=1e-12)


def test_absent_noise_replaces_the_zeros_and_nothing_else():
    arguments = {"n_samples": (2_000, 2_000, 500), "shuffle": False, "random_state": 0}
    exact, y, regions = make_overlap_classification(**arguments)
    noisy, noisy_y, _ = make_overlap_classification(**arguments, absent_noise=0.5)
    assert (y == noisy_y).all()
    present = exact != 0
    assert (exact[present] == noisy[present]).all()
    assert noisy[~present].mean() == pytest.approx(0, abs=0.02)
    assert noisy[~present].std() == pytest.approx(0.5, rel=0.02)
    assert present[regions == "overlap"].all()


@pytest.mark.parametrize("weights", [None, [0.1, 0.6, 0.3], [0.0, 0.5, 0.5]])
def test_classes_have_their_weights(weights):
    _, y, regions = make_overlap_classification(
        LARGE, n_classes=3, class_weights=weights, random_state=0
    )
    expected = [1 / 3] * 3 if weights is None else weights
    for region in ("easy", "hard", "overlap"):
        counts = np.bincount(y[regions == region], minlength=3)
        np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.02)


def test_stratified_parts_of_one_draw_share_their_centres_and_counts():
    arrays = make_overlap_classification((3_000, 3_000, 6_000), random_state=0)
    *_, first, second = train_test_split(*arrays, test_size=0.5, stratify=arrays[2])
    assert count(first) == count(second) == [1_500, 1_500, 3_000]


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_samples": 0},
        {"n_samples": -3},
        {"n_samples": 10.0},
        {"n_samples": "100"},
        {"n_samples": (1, 2)},
        {"n_samples": (1, -2, 3)},
        {"n_samples": (1.0, 2, 3)},
        {"n_samples": (0, 0, 0)},
        {"n_samples": None},
        {"overlap_density": 1.1},
        {"overlap_density": -0.1},
        {"overlap_density": float("nan")},
        {"overlap_density": "0.5"},
        {"n_easy_features": 0},
        {"n_hard_features": 1.5},
        {"n_classes": 1},
        {"noise": -1},
        {"noise": float("inf")},
        {"absent_noise": float("nan")},
        {"class_weights": [0.5, 0.6]},
        {"class_weights": [1.0]},
        {"class_weights": [1.5, -0.5]},
    ],
)
def test_a_bad_argument_is_named_with_its_value(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"^{name}=") as caught:
        make_overlap_classification(**arguments)
    assert repr(value) in str(caught.value)

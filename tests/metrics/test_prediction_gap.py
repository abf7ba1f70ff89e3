"""The gap is what ridge students lose when weak labels teach instead of true ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import prediction_gap

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

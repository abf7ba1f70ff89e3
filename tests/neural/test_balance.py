import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.neural._balance import balanced_labels


def draw(seed, n_rows, n_classes):
    """Return log-probabilities and target distributions of different class shares."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(rng.normal(size=n_classes), 2, size=(n_rows, n_classes))
    proba = np.exp(logits)
    mass = np.exp(rng.normal(rng.normal(size=n_classes), 3, size=(n_rows, n_classes)))
    target = mass / mass.sum(axis=1, keepdims=True)
    return torch.tensor(proba / proba.sum(axis=1, keepdims=True)).log(), target


def packed(target, weights):
    return torch.tensor(np.column_stack([target, weights]))


def shares(labels, weights, n_classes):
    return np.bincount(labels, weights, minlength=n_classes) / weights.sum()


@given(st.integers(0, 1000), st.integers(1, 29))
def test_two_classes_are_cut_at_the_quantile_of_the_batch(seed, n_positive):
    log_proba, _ = draw(seed, 30, 2)
    targets = packed(np.eye(2)[(np.arange(30) < n_positive).astype(int)], np.ones(30))

    labels = balanced_labels(log_proba, targets)

    threshold = torch.quantile(log_proba[:, 0].exp(), n_positive / 30)
    assert labels.sum() == n_positive
    np.testing.assert_array_equal(labels, log_proba[:, 0].exp() < threshold)


@given(st.integers(0, 1000))
def test_no_other_cut_of_two_classes_comes_closer_to_the_targets(seed):
    log_proba, target = draw(seed, 20, 2)
    weights = np.random.default_rng(seed).uniform(0.1, 1, size=20)
    goal = (weights @ target / weights.sum())[1]

    labels = balanced_labels(log_proba, packed(target, weights)).numpy()

    order = log_proba[:, 0].argsort()
    possible = np.concatenate([[0], weights[order].cumsum()]) / weights.sum()
    miss = abs(shares(labels, weights, 2)[1] - goal)
    assert miss == pytest.approx(np.abs(possible - goal).min(), abs=1e-12)


@pytest.mark.parametrize("n_classes", [3, 5, 10])
@pytest.mark.parametrize("seed", range(5))
def test_more_classes_are_met_within_a_few_rows(n_classes, seed):
    log_proba, target = draw(seed, 128, n_classes)

    labels = balanced_labels(log_proba, packed(target, np.ones(128))).numpy()

    miss = shares(labels, np.ones(128), n_classes) - target.mean(axis=0)
    assert np.abs(128 * miss).max() < 3


@given(st.integers(0, 1000))
def test_labels_that_have_the_shares_of_the_targets_already_are_kept(seed):
    log_proba, _ = draw(seed, 40, 4)
    own = log_proba.argmax(dim=1).numpy()
    shuffled = np.random.default_rng(seed).permutation(own)

    labels = balanced_labels(log_proba, packed(np.eye(4)[shuffled], np.ones(40)))

    np.testing.assert_array_equal(labels, own)


@given(st.integers(0, 1000))
def test_a_weight_equals_as_many_copies_of_the_row(seed):
    log_proba, target = draw(seed, 20, 3)
    counts = np.random.default_rng(seed).integers(1, 4, size=20)
    rows = np.repeat(np.arange(20), counts)

    weighted = balanced_labels(log_proba, packed(target, counts))
    repeated = balanced_labels(
        log_proba[rows], packed(target[rows], np.ones(len(rows)))
    )

    np.testing.assert_array_equal(weighted[rows], repeated)


@given(st.integers(0, 1000), st.permutations(range(4)))
def test_names_of_the_classes_do_not_matter(seed, order):
    log_proba, target = draw(seed, 30, 4)

    labels = balanced_labels(log_proba, packed(target, np.ones(30)))
    renamed = balanced_labels(
        log_proba[:, order], packed(target[:, order], np.ones(30))
    )

    np.testing.assert_array_equal(np.array(order)[renamed], labels)


def test_a_class_that_no_target_has_is_given_to_no_row():
    log_proba, target = draw(0, 50, 3)
    target = np.column_stack([target[:, :2], np.zeros(50)])
    target /= target.sum(axis=1, keepdims=True)

    assert (balanced_labels(log_proba, packed(target, np.ones(50))) < 2).all()


def test_an_impossible_class_is_never_given():
    log_proba = torch.tensor([[0.0, -math.inf], [-math.inf, 0.0], [-0.1, -2.4]])
    targets = torch.tensor([[0.0, 1.0, 1.0]]).repeat(3, 1)

    np.testing.assert_array_equal(balanced_labels(log_proba, targets), [0, 1, 1])


@pytest.mark.parametrize("target", [[0.4, 0.6], [0.4, 0.35, 0.25], [0.2, 0.25, 0.55]])
def test_rows_that_cannot_be_told_apart_get_the_most_frequent_class(target):
    n_classes = len(target)
    log_proba = torch.full((4, n_classes), -math.log(n_classes), dtype=torch.float64)

    labels = balanced_labels(log_proba, packed([target] * 4, np.ones(4)))

    np.testing.assert_array_equal(labels, [np.argmax(target)] * 4)

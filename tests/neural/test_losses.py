import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_w2s.neural._losses import (
    auxiliary_confidence,
    confidence_window,
    entropy_regularized,
    kl_divergence,
    reverse_kl_divergence,
    weighted_cross_entropy,
)

N_ROWS, N_CLASSES = 5, 3
LOSSES = {
    "cross_entropy": weighted_cross_entropy,
    "kl": kl_divergence,
    "reverse_kl": reverse_kl_divergence,
    "balanced": partial(auxiliary_confidence, confidence_weight=0.3),
    "unbalanced": partial(auxiliary_confidence, confidence_weight=0.3, balance=False),
    "entropy": partial(entropy_regularized, confidence_weight=0.3),
    "window": partial(confidence_window, radius=0.15),
}

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
masses = arrays(np.float64, (N_ROWS, N_CLASSES), elements=st.floats(0.01, 1.0))
counts = arrays(np.int64, N_ROWS, elements=st.integers(1, 4))


def distributions(mass):
    return mass / mass.sum(axis=1, keepdims=True)


def logs(proba):
    return torch.tensor(proba, dtype=torch.float64).log()


def packed(target_distributions, weights):
    return torch.tensor(np.column_stack([target_distributions, weights]))


def slope(loss, logits, targets):
    logits = torch.as_tensor(logits).clone().requires_grad_()
    loss(logits.log_softmax(dim=1), targets).backward()
    return logits.grad


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N_ROWS, N_CLASSES, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Cross-entropies of the rows: 1.5 log 2 and log 10.
        ("cross_entropy", 1.9868688),
        # The first target has the entropy log 2.
        ("kl", 1.8135820),
        # Both rows have the most probable class 0, with log 2 and log 1.25, that is
        # .3406445 on average; three tenths of it and seven of the first loss.
        ("unbalanced", 1.4930016),
        # Entropies of the net: 1.5 log 2 and .6390319, that is .7392041 on average.
        ("entropy", 1.6125694),
        # Confidences (3 * .5 - 1) / 2 = .25 and (3 * .8 - 1) / 2 = .7, window .3:
        # 1.0397208 / 4.
        ("window", 0.2599302),
    ],
)
def test_losses_of_two_rows_are_those_computed_by_hand(name, expected):
    log_proba = logs([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]])
    targets = packed([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [1.0, 3.0])

    assert LOSSES[name](log_proba, targets).item() == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_of_two_classes_is_that_computed_by_hand():
    log_proba = logs([[0.5, 0.5], [0.25, 0.75]])
    targets = packed([[0.2, 0.8], [1.0, 0.0]], [1.0, 3.0])

    expected = (1.0 * math.log(2) + 3.0 * math.log(4)) / 4.0

    assert weighted_cross_entropy(log_proba, targets).item() == pytest.approx(expected)


def test_reverse_kl_is_that_computed_by_hand():
    log_proba = logs([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]])
    targets = packed([[0.25, 0.5, 0.25], [0.4, 0.4, 0.2]], [1.0, 3.0])

    # .5 log 2 - .25 log 2 and .8 log 2 - .1 log 4 - .1 log 2.
    expected = (1.0 * 0.25 + 3.0 * 0.5) / 4.0 * math.log(2)

    loss = reverse_kl_divergence(log_proba, targets).item()
    assert loss == pytest.approx(expected)


def test_reverse_kl_takes_a_forbidden_class_for_one_in_a_million():
    targets = packed([[1.0, 0.0]], [1.0])

    loss = reverse_kl_divergence(logs([[0.5, 0.5]]), targets).item()

    # .5 log .5 + .5 log(.5 / 1e-6), and log(1 + 1e-6) for the scaling.
    assert loss == pytest.approx(6.2146091, abs=1e-6)


def test_balanced_labels_of_the_net_enter_as_computed_by_hand():
    log_proba = logs([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    targets = packed([[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]], [1.0, 1.0, 1.0])

    loss = auxiliary_confidence(log_proba, targets, 0.5).item()

    # Two thirds of the targets are of class 1: the labels are 0, 1, 1, with the
    # cross-entropies .1053605, 1.6094379, .9162907; those of the targets are
    # 1.2039728, .9162907, .9162907.
    assert loss == pytest.approx(0.5 * (2.6310891 + 3.0365542) / 3, abs=1e-6)


@pytest.mark.parametrize("top", [0.47, 0.48])
def test_the_window_of_four_classes_ends_at_the_rescaled_radius(top):
    log_proba = logs([[top, 0.2, 0.2, 0.8 - top - 0.2]])
    targets = packed([[0.0, 1.0, 0.0, 0.0]], [1.0])

    loss = confidence_window(log_proba, targets, 0.15).item()

    # 1/4 + 2 * .15 * 3/4 = .475.
    assert loss == pytest.approx(math.log(5) if top < 0.475 else 0.0)


@pytest.mark.parametrize(("top", "is_kept"), [(0.649, True), (0.651, False)])
def test_the_window_of_two_classes_is_one_half_plus_radius(top, is_kept):
    targets = packed([[0.0, 1.0]], [1.0])

    loss = confidence_window(logs([[top, 1 - top]]), targets, 0.15)

    assert (loss.item() > 0) == is_kept


@given(masses, counts)
def test_gradient_is_the_weighted_difference_of_probability_and_target(mass, weights):
    target = distributions(mass)
    outputs = np.log(mass[:, ::-1])

    observed = slope(weighted_cross_entropy, outputs, packed(target, weights))

    difference = distributions(mass[:, ::-1]) - target
    np.testing.assert_allclose(
        observed.numpy(), weights[:, None] * difference / weights.sum(), atol=1e-12
    )


@given(masses, masses, counts)
def test_gradients_of_the_net_in_both_places_are_those_of_calculus(
    mass, other, weights
):
    target, proba = distributions(mass), distributions(other)
    targets = packed(target, weights)
    share = weights[:, None] / weights.sum()
    ratio, log_proba = np.log(proba / target), np.log(proba)
    divergence = (proba * ratio).sum(axis=1, keepdims=True)
    negentropy = (proba * log_proba).sum(axis=1, keepdims=True)

    np.testing.assert_allclose(
        slope(reverse_kl_divergence, log_proba, targets).numpy(),
        share * proba * (ratio - divergence),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        slope(LOSSES["entropy"], log_proba, targets).numpy(),
        share * (0.7 * (proba - target) - 0.3 * proba * (log_proba - negentropy)),
        atol=1e-12,
    )


@given(masses, masses, counts)
def test_kl_has_the_gradient_of_cross_entropy(mass, other, weights):
    targets = packed(distributions(mass), weights)

    torch.testing.assert_close(
        slope(kl_divergence, np.log(other), targets),
        slope(weighted_cross_entropy, np.log(other), targets),
    )


@given(masses, masses, counts)
def test_divergences_are_zero_at_the_targets_and_nowhere_negative(mass, other, weights):
    target = distributions(mass)
    targets = packed(target, weights)

    for divergence in (kl_divergence, reverse_kl_divergence):
        assert divergence(logs(target), targets).item() == pytest.approx(0, abs=1e-12)
        assert divergence(logs(distributions(other)), targets).item() >= -1e-12


@given(masses, masses, counts)
def test_losses_reach_cross_entropy_in_their_limits(mass, other, weights):
    log_proba = logs(distributions(other))
    targets = packed(distributions(mass), weights)

    for loss in (
        auxiliary_confidence(log_proba, targets, 0.0),
        auxiliary_confidence(log_proba, targets, 0.0, balance=False),
        entropy_regularized(log_proba, targets, 0.0),
        confidence_window(log_proba, targets, 0.5),
    ):
        torch.testing.assert_close(loss, weighted_cross_entropy(log_proba, targets))


@pytest.mark.parametrize("excess", [0.0, 1e-7])
def test_the_widest_window_keeps_a_row_whose_probability_is_rounded_to_one(excess):
    log_proba = torch.tensor([[excess, -20.0]])

    assert confidence_window(log_proba, torch.tensor([[0.0, 1, 1]]), 0.5) == 20.0


@every_loss
@given(mass=masses, other=masses, weights=counts)
def test_a_weight_equals_as_many_copies_of_the_row(loss, mass, other, weights):
    target, log_proba = distributions(mass), logs(distributions(other))
    rows = np.repeat(np.arange(N_ROWS), weights)

    weighted = loss(log_proba, packed(target, weights))
    repeated = loss(log_proba[rows], packed(target[rows], np.ones(len(rows))))

    torch.testing.assert_close(weighted, repeated)


@every_loss
@given(mass=masses, other=masses, weights=counts, exponent=st.integers(-300, 300))
def test_scale_of_the_weights_does_not_matter(loss, mass, other, weights, exponent):
    target, log_proba = distributions(mass), logs(distributions(other))

    torch.testing.assert_close(
        loss(log_proba, packed(target, weights)),
        loss(log_proba, packed(target, weights * 2.0**exponent)),
    )


@every_loss
@given(mass=masses, other=masses, order=st.permutations(range(N_ROWS)))
def test_order_of_the_rows_does_not_matter(loss, mass, other, order):
    log_proba = logs(distributions(other))
    targets = packed(distributions(mass), np.ones(N_ROWS))

    torch.testing.assert_close(
        loss(log_proba, targets), loss(log_proba[order], targets[order])
    )


@pytest.mark.parametrize("name", ["cross_entropy", "kl", "reverse_kl", "entropy"])
def test_outputs_beyond_the_classes_count_as_classes_that_never_occur(name, logits):
    target = distributions(np.arange(1.0, 11.0).reshape(N_ROWS, 2))
    padded = np.column_stack([target, np.zeros(N_ROWS)])
    log_proba, loss = logits.log_softmax(dim=1), LOSSES[name]

    torch.testing.assert_close(
        loss(log_proba, packed(target, np.ones(N_ROWS))),
        loss(log_proba, packed(padded, np.ones(N_ROWS))),
    )


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_impossible_classes_and_zero_targets_leave_all_finite(loss, dtype, n_classes):
    logits = torch.tensor(
        [[0.0, 1.0, -math.inf], [200.0, 0.0, -math.inf], [0.0, -math.inf, -math.inf]],
        dtype=dtype,
    )
    targets = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    targets = torch.cat([targets[:, :n_classes], torch.ones(3, 1)], dim=1).to(dtype)

    assert loss(logits.log_softmax(dim=1), targets).isfinite()
    assert slope(loss, logits, targets).isfinite().all()


def test_a_class_masked_out_by_the_module_costs_nothing_where_it_cannot_occur():
    logits = torch.tensor([[0.0, 1.0, -math.inf]], dtype=torch.float64)
    targets = packed([[0.5, 0.5, 0.0]], [1.0])

    torch.testing.assert_close(
        weighted_cross_entropy(logits.log_softmax(dim=1), targets),
        weighted_cross_entropy(logits[:, :2].log_softmax(dim=1), targets[:, [0, 1, 3]]),
    )


@every_loss
def test_a_batch_whose_weights_all_vanish_weighs_nothing(loss, logits):
    targets = packed(np.eye(N_CLASSES)[[0, 1, 2, 0, 1]], np.zeros(N_ROWS))

    assert loss(logits.log_softmax(dim=1), targets).item() == 0.0

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.functional import cross_entropy

from sklearn_w2s.neural._losses import (
    SoftCrossEntropyLoss,
    SoftNLLLoss,
    weighted_cross_entropy,
)

N_ROWS, N_CLASSES = 5, 3

masses = arrays(np.float64, (N_ROWS, N_CLASSES), elements=st.floats(0.01, 1.0))
counts = arrays(np.int64, N_ROWS, elements=st.integers(1, 4))


def distributions(mass):
    return mass / mass.sum(axis=1, keepdims=True)


def packed(target_distributions, weights):
    return torch.tensor(np.column_stack([target_distributions, weights]))


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N_ROWS, N_CLASSES, dtype=torch.float64, generator=generator)


@pytest.fixture
def codes():
    return torch.tensor([0, 2, 1, 1, 0])


def gradient(loss, outputs, targets):
    outputs = outputs.clone().requires_grad_()
    loss(outputs, targets).backward()
    return outputs.grad


def test_loss_is_the_weighted_mean_of_cross_entropies_computed_by_hand():
    log_proba = torch.tensor([[0.5, 0.5], [0.25, 0.75]], dtype=torch.float64).log()
    targets = packed([[0.2, 0.8], [1.0, 0.0]], [1.0, 3.0])

    expected = (1.0 * math.log(2) + 3.0 * math.log(4)) / 4.0

    assert weighted_cross_entropy(log_proba, targets).item() == pytest.approx(expected)


def test_one_hot_targets_of_equal_weight_give_plain_cross_entropy(logits, codes):
    one_hot = packed(np.eye(N_CLASSES)[codes], np.full(N_ROWS, 0.5))

    loss = SoftCrossEntropyLoss()

    torch.testing.assert_close(loss(logits, one_hot), cross_entropy(logits, codes))
    torch.testing.assert_close(
        gradient(loss, logits, one_hot), gradient(cross_entropy, logits, codes)
    )


@pytest.mark.parametrize(
    ("soft", "plain"),
    [
        (SoftCrossEntropyLoss, torch.nn.CrossEntropyLoss),
        (SoftNLLLoss, torch.nn.NLLLoss),
    ],
)
def test_class_codes_give_the_loss_of_the_base_class(soft, plain, logits, codes):
    log_proba = logits.log_softmax(dim=1)

    assert soft()(log_proba, codes) == plain()(log_proba, codes)


def test_both_criteria_give_the_same_loss(logits):
    targets = packed(distributions(np.ones((N_ROWS, N_CLASSES))), np.arange(N_ROWS))

    from_logits = SoftCrossEntropyLoss()(logits, targets)

    torch.testing.assert_close(
        from_logits, SoftNLLLoss()(logits.log_softmax(dim=1), targets)
    )


@given(masses, counts)
def test_gradient_is_the_weighted_difference_of_probability_and_target(mass, weights):
    target = distributions(mass)
    outputs = torch.tensor(mass[:, ::-1].copy())

    slope = gradient(SoftCrossEntropyLoss(), outputs, packed(target, weights))

    difference = outputs.softmax(dim=1).numpy() - target
    np.testing.assert_allclose(
        slope.numpy(), weights[:, None] * difference / weights.sum(), atol=1e-12
    )


@given(masses, counts)
def test_a_weight_equals_as_many_copies_of_the_row(mass, weights):
    target = distributions(mass)
    log_proba = torch.tensor(np.log(distributions(mass[::-1])))
    rows = np.repeat(np.arange(N_ROWS), weights)

    weighted = weighted_cross_entropy(log_proba, packed(target, weights))
    repeated = weighted_cross_entropy(
        log_proba[rows], packed(target[rows], np.ones(len(rows)))
    )

    torch.testing.assert_close(weighted, repeated)


@given(masses, counts, st.floats(1e-100, 1e100))
def test_scale_of_the_weights_does_not_matter(mass, weights, scale):
    log_proba = torch.tensor(np.log(distributions(mass)))
    target = distributions(mass[::-1])

    torch.testing.assert_close(
        weighted_cross_entropy(log_proba, packed(target, weights)),
        weighted_cross_entropy(log_proba, packed(target, weights * scale)),
    )


@given(masses, masses)
def test_no_prediction_beats_the_target_itself(mass, other):
    target = distributions(mass)
    targets = packed(target, np.ones(N_ROWS))

    entropy = weighted_cross_entropy(torch.tensor(np.log(target)), targets)
    cross = weighted_cross_entropy(torch.tensor(np.log(distributions(other))), targets)

    assert entropy <= cross + 1e-12


def test_outputs_beyond_the_classes_count_as_classes_that_never_occur(logits):
    target = distributions(np.arange(1.0, 11.0).reshape(N_ROWS, 2))
    padded = np.column_stack([target, np.zeros(N_ROWS)])

    loss = SoftCrossEntropyLoss()

    torch.testing.assert_close(
        loss(logits, packed(target, np.ones(N_ROWS))),
        loss(logits, packed(padded, np.ones(N_ROWS))),
    )


def test_a_class_masked_out_by_the_module_costs_nothing_where_it_cannot_occur():
    logits = torch.tensor([[0.0, 1.0, -math.inf]], dtype=torch.float64)
    targets = packed([[0.5, 0.5, 0.0]], [1.0])

    loss = SoftCrossEntropyLoss()

    torch.testing.assert_close(
        loss(logits, targets), loss(logits[:, :2], targets[:, [0, 1, 3]])
    )
    assert gradient(loss, logits, targets).isfinite().all()


def test_a_batch_whose_weights_all_vanish_weighs_nothing(logits):
    targets = packed(np.eye(N_CLASSES)[[0, 1, 2, 0, 1]], np.zeros(N_ROWS))

    assert SoftCrossEntropyLoss()(logits, targets).item() == 0.0

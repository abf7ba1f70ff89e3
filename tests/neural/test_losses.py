import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit
from torch.nn.functional import cross_entropy

from sklearn_w2s.neural import NetClassifier
from sklearn_w2s.neural._losses import (
    LOSSES,
    SoftCrossEntropyLoss,
    SoftNLLLoss,
    auxiliary_confidence,
    balanced_labels,
    confidence_window,
    entropy_regularized,
    kl_divergence,
    reverse_kl_divergence,
    weighted_cross_entropy,
)

N_ROWS, N_CLASSES = 5, 3
FUNCTIONS = {
    "cross_entropy": weighted_cross_entropy,
    "kl": kl_divergence,
    "reverse_kl": reverse_kl_divergence,
    "balanced": partial(auxiliary_confidence, confidence_weight=0.3),
    "unbalanced": partial(auxiliary_confidence, confidence_weight=0.3, balance=False),
    "entropy": partial(entropy_regularized, confidence_weight=0.3),
    "window": partial(confidence_window, radius=0.15),
}

every_loss = pytest.mark.parametrize("loss", FUNCTIONS.values(), ids=FUNCTIONS)
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

    assert FUNCTIONS[name](log_proba, targets).item() == pytest.approx(
        expected, abs=1e-6
    )


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
        slope(FUNCTIONS["entropy"], log_proba, targets).numpy(),
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
    log_proba, loss = logits.log_softmax(dim=1), FUNCTIONS[name]

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


def draw(seed, n_rows, n_classes):
    """Return log-probabilities and target distributions of different class shares."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(rng.normal(size=n_classes), 2, size=(n_rows, n_classes))
    proba = np.exp(logits)
    mass = np.exp(rng.normal(rng.normal(size=n_classes), 3, size=(n_rows, n_classes)))
    target = mass / mass.sum(axis=1, keepdims=True)
    return torch.tensor(proba / proba.sum(axis=1, keepdims=True)).log(), target


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
def test_balanced_labels_take_a_weight_for_as_many_copies(seed):
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


@pytest.fixture
def codes():
    return torch.tensor([0, 2, 1, 1, 0])


@pytest.fixture
def targets():
    rng = np.random.default_rng(0)
    distributions = rng.dirichlet(np.ones(N_CLASSES), size=N_ROWS)
    return torch.tensor(np.column_stack([distributions, np.arange(N_ROWS)]))


def gradient(loss, outputs, targets):
    outputs = outputs.clone().requires_grad_()
    loss(outputs, targets).backward()
    return outputs.grad


def test_one_hot_targets_of_equal_weight_give_plain_cross_entropy(logits, codes):
    one_hot = np.column_stack([np.eye(N_CLASSES)[codes], np.full(N_ROWS, 0.5)])
    loss, one_hot = SoftCrossEntropyLoss(), torch.tensor(one_hot)

    torch.testing.assert_close(loss(logits, one_hot), cross_entropy(logits, codes))
    torch.testing.assert_close(
        gradient(loss, logits, one_hot), gradient(cross_entropy, logits, codes)
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "auxiliary_confidence"])
@pytest.mark.parametrize(
    ("soft", "plain"),
    [
        (SoftCrossEntropyLoss, torch.nn.CrossEntropyLoss),
        (SoftNLLLoss, torch.nn.NLLLoss),
    ],
)
def test_class_codes_give_the_loss_of_the_base_class(loss, soft, plain, logits, codes):
    log_proba = logits.log_softmax(dim=1)

    assert soft(loss)(log_proba, codes) == plain()(log_proba, codes)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_both_criteria_give_the_same_loss_and_gradient(loss, logits, targets):
    from_logits, from_logs = SoftCrossEntropyLoss(loss), SoftNLLLoss(loss)

    def composed(logits, targets):
        return from_logs(logits.log_softmax(dim=1), targets)

    torch.testing.assert_close(from_logits(logits, targets), composed(logits, targets))
    torch.testing.assert_close(
        gradient(from_logits, logits, targets), gradient(composed, logits, targets)
    )


def test_parameters_reach_the_losses(logits, targets):
    log_proba = logits.log_softmax(dim=1)
    values = [
        SoftNLLLoss(loss, **params)(log_proba, targets).item()
        for loss, params in [
            ("auxiliary_confidence", {}),
            ("auxiliary_confidence", {"balance": False}),
            ("auxiliary_confidence", {"confidence_weight": 0.25}),
            ("entropy", {}),
            ("entropy", {"confidence_weight": 0.25}),
            ("confidence_window", {}),
            ("confidence_window", {"window_radius": 0.3}),
        ]
    ]

    assert len(set(values)) == len(values)


def test_warmth_scales_the_confidence_weight_in_training_only(logits, targets):
    log_proba = logits.log_softmax(dim=1)
    criterion = SoftNLLLoss("auxiliary_confidence", confidence_weight=0.4)

    for warmth in (0.0, 0.25, 1.0):
        criterion.warmth.fill_(warmth)
        expected = auxiliary_confidence(log_proba, targets, 0.4 * warmth)
        torch.testing.assert_close(criterion.train()(log_proba, targets), expected)

        expected = auxiliary_confidence(log_proba, targets, 0.4)
        torch.testing.assert_close(criterion.eval()(log_proba, targets), expected)


def test_cold_criteria_give_cross_entropy(logits, targets):
    log_proba = logits.log_softmax(dim=1)

    for loss in ("auxiliary_confidence", "entropy"):
        criterion = SoftNLLLoss(loss)
        criterion.warmth.fill_(0.0)
        torch.testing.assert_close(
            criterion(log_proba, targets), weighted_cross_entropy(log_proba, targets)
        )


class Thermometer(Callback):
    """Keeps the warmth of the criterion after every batch of the training part."""

    def initialize(self):
        self.warmths_ = []
        return self

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.warmths_.append(net.criterion_.warmth.item())


def warmths(warm_up=0.5, loss="auxiliary_confidence", **params):
    """Return the warmths of a fit on twelve rows, up to sixteen batches."""
    net = NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=1,
        module__out_features=2,
        criterion=torch.nn.CrossEntropyLoss,
        verbose=0,
        callbacks=[("thermometer", Thermometer())],
        **{"train_split": None, "batch_size": 5, "max_epochs": 4} | params,
    )
    classifier = NetClassifier(net, loss=loss, warm_up=warm_up, random_state=0)
    classifier.fit(np.arange(12.0)[:, None], np.arange(12) % 2)
    return dict(classifier.net_.callbacks_)["thermometer"].warmths_


@pytest.mark.parametrize("loss", ["auxiliary_confidence", "entropy"])
@pytest.mark.parametrize("warm_up", [0.25, 0.5, 1.0])
def test_warmth_rises_linearly_over_its_share_of_all_batches(loss, warm_up):
    expected = np.minimum(np.arange(12) / (12 * warm_up), 1.0)

    np.testing.assert_allclose(warmths(warm_up, loss), expected, rtol=1e-6)


def test_without_a_warm_up_the_weight_is_full_from_the_start():
    assert warmths(0.0) == [1.0] * 12


def test_losses_without_labels_of_the_net_are_not_warmed_up():
    assert warmths(loss="reverse_kl") == [1.0] * 12
    assert warmths(loss="confidence_window") == [1.0] * 12


def test_batches_that_validate_or_are_dropped_do_not_count():
    observed = warmths(train_split=ValidSplit(4), batch_size=2, max_epochs=2)
    expected = np.minimum(np.arange(10) / 5, 1.0)
    np.testing.assert_allclose(observed, expected, rtol=1e-6)

    np.testing.assert_allclose(
        warmths(iterator_train__drop_last=True), np.minimum(np.arange(8) / 4, 1.0)
    )


def test_a_batch_counts_once_however_often_the_optimizer_evaluates_it():
    observed = warmths(optimizer=torch.optim.LBFGS, batch_size=-1)

    np.testing.assert_allclose(observed, [0.0, 0.5, 1.0, 1.0])

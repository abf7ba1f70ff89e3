import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit
from torch.nn.functional import cross_entropy

from sklearn_w2s.neural import NetClassifier
from sklearn_w2s.neural._criteria import LOSSES, SoftCrossEntropyLoss, SoftNLLLoss
from sklearn_w2s.neural._losses import auxiliary_confidence, weighted_cross_entropy

N_ROWS, N_CLASSES = 5, 3


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N_ROWS, N_CLASSES, dtype=torch.float64, generator=generator)


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

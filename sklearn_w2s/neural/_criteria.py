"""Criteria of skorch nets that understand packed targets, and their warm-up."""

import torch
from skorch.callbacks import Callback

from sklearn_w2s.neural._losses import (
    auxiliary_confidence,
    confidence_window,
    entropy_regularized,
    kl_divergence,
    reverse_kl_divergence,
    weighted_cross_entropy,
)

FIXED_LOSSES = {
    "cross_entropy": weighted_cross_entropy,
    "kl": kl_divergence,
    "reverse_kl": reverse_kl_divergence,
}
WARMED_LOSSES = {"auxiliary_confidence", "entropy"}
LOSSES = {*FIXED_LOSSES, *WARMED_LOSSES, "confidence_window"}


class _SoftCriterion(torch.nn.Module):
    """A loss of packed targets; `warmth` scales the confidence weight in training."""

    def __init__(
        self,
        loss="cross_entropy",
        confidence_weight=0.5,
        balance=True,
        window_radius=0.15,
    ):
        super().__init__()
        self.loss = loss
        self.confidence_weight = confidence_weight
        self.balance = balance
        self.window_radius = window_radius
        self.register_buffer("warmth", torch.ones(()))

    def soft_loss(self, log_proba, targets):
        """Return the loss of log-probabilities (n, n_outputs) and packed targets."""
        # Epochs can be compared on held-out rows if the weight is the same in all.
        warmth = self.warmth if self.training else 1.0
        weight = self.confidence_weight * warmth
        if self.loss == "auxiliary_confidence":
            return auxiliary_confidence(
                log_proba, targets, weight, balance=self.balance
            )
        if self.loss == "entropy":
            return entropy_regularized(log_proba, targets, weight)
        if self.loss == "confidence_window":
            return confidence_window(log_proba, targets, self.window_radius)
        return FIXED_LOSSES[self.loss](log_proba, targets)


class SoftCrossEntropyLoss(_SoftCriterion, torch.nn.CrossEntropyLoss):
    """Loss of logits and packed targets; cross-entropy if targets are class codes."""

    def forward(self, input, target):  # noqa: A002  names of the base class
        """Return the loss of logits of shape (n, n_outputs)."""
        if target.ndim == 1:
            return super().forward(input, target)
        return self.soft_loss(torch.log_softmax(input, dim=1), target)


class SoftNLLLoss(_SoftCriterion, torch.nn.NLLLoss):
    """Loss of log-probabilities and packed targets; NLL if targets are class codes."""

    def forward(self, input, target):  # noqa: A002  names of the base class
        """Return the loss of log-probabilities of shape (n, n_outputs)."""
        if target.ndim == 1:
            return super().forward(input, target)
        return self.soft_loss(input, target)


class WarmUp(Callback):
    """Raise the warmth of a criterion from 0 to 1 over a `share` of the training.

    A callback, since optimizers such as LBFGS call the criterion several times a batch.
    """

    def __init__(self, share):
        self.share = share
        self._n_batches_done = 0
        self._n_batches_per_epoch = None

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Count the batches of the epoch."""
        batches = net.get_iterator(dataset_train, training=True)
        self._n_batches_per_epoch = len(batches)

    def on_batch_begin(self, net, training=False, **kwargs):
        """Set the warmth for a batch of the training part."""
        if training:
            n_cold = self.share * net.max_epochs * self._n_batches_per_epoch
            net.criterion_.warmth.fill_(min(1.0, self._n_batches_done / n_cold))
            self._n_batches_done += 1


SOFT_CRITERIA = {
    torch.nn.CrossEntropyLoss: SoftCrossEntropyLoss,
    torch.nn.NLLLoss: SoftNLLLoss,
}

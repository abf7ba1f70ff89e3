"""Losses of nets that learn from target distributions, as functions and as criteria.

Rows of packed targets hold a distribution P and, last, a weight w. Outputs beyond the
columns of P count as classes that never occur.
"""

import torch
from skorch.callbacks import Callback

# A zero would make KL(q || P) infinite wherever the net is not zero too.
SMALLEST_TARGET = 1e-6
# More cycles move single rows only.
MAX_CYCLES = 5
SMALLEST_LOG_PROBA = -1e3


def weighted_cross_entropy(log_proba, targets):
    r"""Return the weighted mean cross-entropy of the targets, in nats.

    .. math:: \sum_i w_i \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr) \Big/ \sum_i w_i
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    return _weighted_mean(_cross_entropies(log_proba, distributions), weights)


def kl_divergence(log_proba, targets):
    r"""Return the weighted mean KL(P || q): cross-entropy, less a constant.

    .. math:: \sum_i w_i \sum_k P_{ik} \log (P_{ik} / q_{ik}) \Big/ \sum_i w_i
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    entropies = torch.special.entr(distributions).sum(dim=1)
    rows = _cross_entropies(log_proba, distributions) - entropies
    return _weighted_mean(rows, weights)


def reverse_kl_divergence(log_proba, targets):
    r"""Return the weighted mean KL(q || P), in nats.

    .. math:: \sum_i w_i \sum_k q_{ik} \log (q_{ik} / P_{ik}) \Big/ \sum_i w_i
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    n_unknown = log_proba.shape[1] - distributions.shape[1]
    floored = torch.nn.functional.pad(distributions, (0, n_unknown))
    floored = floored.clamp_min(SMALLEST_TARGET)
    log_targets = (floored / floored.sum(dim=1, keepdim=True)).log()
    proba, finite = _without_infinities(log_proba)
    return _weighted_mean((proba * (finite - log_targets)).sum(dim=1), weights)


def auxiliary_confidence(log_proba, targets, confidence_weight, *, balance=True):
    r"""Return cross-entropy with the targets and with the net's hard labels.

    .. math:: (1 - a)\, H(P, q) + a\, H(1_{\hat y}, q)

    Source: Burns et al., "Weak-to-strong generalization", ICML 2024.
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    n_classes = distributions.shape[1]
    # Labels of the net are constants: no gradient flows through them.
    known = log_proba[:, :n_classes].detach()
    labels = balanced_labels(known, targets) if balance else known.argmax(dim=1)
    own = torch.nn.functional.one_hot(labels, n_classes).to(distributions.dtype)
    mixed = torch.lerp(distributions, own, torch.as_tensor(confidence_weight).to(own))
    return _weighted_mean(_cross_entropies(log_proba, mixed), weights)


def entropy_regularized(log_proba, targets, confidence_weight):
    r"""Return cross-entropy with the targets and the entropy of the net.

    .. math:: (1 - a)\, H(P, q) + a\, H(q, q)

    Source: Grandvalet and Bengio, "Semi-supervised learning by entropy minimization".
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    proba, finite = _without_infinities(log_proba)
    # The gradient flows through both factors; with a constant one it would be zero.
    entropies = -(proba * finite).sum(dim=1)
    rows = (1 - confidence_weight) * _cross_entropies(log_proba, distributions)
    return _weighted_mean(rows + confidence_weight * entropies, weights)


def confidence_window(log_proba, targets, radius):
    r"""Return cross-entropy with the targets where the net is not confident.

    .. math::

        \sum_i w_i\, 1[c_i \le 2 r] \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr)
        \Big/ \sum_i w_i, \qquad c_i = \frac{K \max_k q_{ik} - 1}{K - 1}
    """
    distributions, weights = targets[:, :-1], targets[:, -1]
    n_classes = distributions.shape[1]
    # Rounding may lift the largest probability above one.
    top = log_proba[:, :n_classes].detach().amax(dim=1).exp().clamp_max(1.0)
    is_uncertain = (n_classes * top - 1) / (n_classes - 1) <= 2 * radius
    rows = _cross_entropies(log_proba, distributions)
    return _weighted_mean(torch.where(is_uncertain, rows, 0.0), weights)


def _cross_entropies(log_proba, distributions):
    """Return the cross-entropy of each row, of shape (n,)."""
    known = log_proba[:, : distributions.shape[1]]
    # An impossible class may have the log-probability -inf, and 0 * -inf is not 0.
    return -torch.where(distributions > 0, distributions * known, 0.0).sum(dim=1)


def _without_infinities(log_proba):
    """Return probabilities and logarithms whose product is finite, as its gradient."""
    is_impossible = log_proba.detach() == -torch.inf
    return log_proba.exp(), log_proba.masked_fill(is_impossible, 0.0)


def _weighted_mean(rows, weights):
    # Weights too small for the dtype become zero; a batch of nothing else weighs 0.
    total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights * rows).sum() / total


def balanced_labels(log_proba, targets):
    r"""Return class codes (n,) with the class shares of the targets.

    .. math:: \hat y_i = \arg\max_k \, (\log q_{ik} + b_k)

    The offsets b are set one after the other, so that the weighted share of each class
    comes closest to its share of the targets.
    """
    weights = targets[:, -1:]
    total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
    weights = weights / total
    shares = (weights * targets[:, :-1]).sum(dim=0)
    finite = log_proba.clamp_min(SMALLEST_LOG_PROBA)
    offsets = torch.zeros_like(shares)
    # Where no offset can separate rows, the class that comes first keeps them.
    order = shares.argsort(descending=True, stable=True).tolist()
    for _ in range(MAX_CYCLES):
        before = offsets.clone()
        for k in order:
            shifted = finite + offsets
            shifted[:, k] = -torch.inf
            margins = shifted.amax(dim=1) - finite[:, k]
            offsets[k] = _cut(margins, weights[:, 0], shares[k])
        if torch.allclose(offsets, before):
            break
    # An impossible class stays impossible under any offset.
    return (log_proba + offsets).argmax(dim=1)


def _cut(values, weights, share):
    """Return the number below which the weights of values come closest to a share."""
    values, order = values.sort()
    below = torch.cat([weights.new_zeros(1), weights[order].cumsum(dim=0)])
    lower = torch.cat([values[:1] - 2, values])
    upper = torch.cat([values, values[-1:] + 2])
    misses = torch.where(upper > lower, (below - share).abs(), torch.inf)
    best = misses.argmin()
    return (lower[best] + upper[best]) / 2


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

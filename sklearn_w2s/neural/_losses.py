"""Losses of a net that learns from target distributions, each row with a weight.

Rows of `targets` hold a distribution P and, last, a weight w. Outputs beyond the
columns of P count as classes that never occur.
"""

import torch

from sklearn_w2s.neural._balance import balanced_labels

# A zero would make KL(q || P) infinite wherever the net is not zero too.
SMALLEST_TARGET = 1e-6


def weighted_cross_entropy(log_proba, targets):
    r"""Return the weighted mean cross-entropy of the targets, in nats.

    .. math:: \sum_i w_i \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr) \Big/ \sum_i w_i
    """
    distributions, weights = _unpack(targets)
    return _weighted_mean(_cross_entropies(log_proba, distributions), weights)


def kl_divergence(log_proba, targets):
    r"""Return the weighted mean KL(P || q): cross-entropy, less a constant.

    .. math:: \sum_i w_i \sum_k P_{ik} \log (P_{ik} / q_{ik}) \Big/ \sum_i w_i
    """
    distributions, weights = _unpack(targets)
    entropies = torch.special.entr(distributions).sum(dim=1)
    rows = _cross_entropies(log_proba, distributions) - entropies
    return _weighted_mean(rows, weights)


def reverse_kl_divergence(log_proba, targets):
    r"""Return the weighted mean KL(q || P), in nats.

    .. math:: \sum_i w_i \sum_k q_{ik} \log (q_{ik} / P_{ik}) \Big/ \sum_i w_i
    """
    distributions, weights = _unpack(targets)
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
    distributions, weights = _unpack(targets)
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
    distributions, weights = _unpack(targets)
    proba, finite = _without_infinities(log_proba)
    # Through both factors flows a gradient: with a constant one it would be zero.
    entropies = -(proba * finite).sum(dim=1)
    rows = (1 - confidence_weight) * _cross_entropies(log_proba, distributions)
    return _weighted_mean(rows + confidence_weight * entropies, weights)


def confidence_window(log_proba, targets, radius):
    r"""Return cross-entropy with the targets where the net is not confident.

    .. math::

        \sum_i w_i\, 1[c_i \le 2 r] \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr)
        \Big/ \sum_i w_i, \qquad c_i = \frac{K \max_k q_{ik} - 1}{K - 1}
    """
    distributions, weights = _unpack(targets)
    n_classes = distributions.shape[1]
    # Rounding may lift the largest probability above one.
    top = log_proba[:, :n_classes].detach().amax(dim=1).exp().clamp_max(1.0)
    is_uncertain = (n_classes * top - 1) / (n_classes - 1) <= 2 * radius
    rows = _cross_entropies(log_proba, distributions)
    return _weighted_mean(torch.where(is_uncertain, rows, 0.0), weights)


def _unpack(targets):
    return targets[:, :-1], targets[:, -1]


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

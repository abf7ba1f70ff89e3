"""Losses of a net that learns from target distributions, each row with a weight.

Rows of `targets` hold a distribution P and, last, a weight w. Outputs beyond the
columns of P count as classes that never occur.
"""

import torch

from sklearn_w2s.neural._balance import balanced_labels

SMALLEST_TARGET = 1e-6


def weighted_cross_entropy(log_proba, targets):
    r"""Return the weighted mean cross-entropy between distributions.

    .. math:: \sum_i w_i \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr) \Big/ \sum_i w_i

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`. Outputs beyond the columns of P have no target probability.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> weighted_cross_entropy(log_proba, torch.tensor([[0.0, 1, 1], [1, 0, 3]]))
    tensor(1.2130)
    """
    distributions, weights = _unpack(targets)
    return _weighted_mean(_cross_entropies(log_proba, distributions), weights)


def kl_divergence(log_proba, targets):
    r"""Return the weighted mean divergence KL(P || q) from the net to the targets.

    .. math:: \sum_i w_i \sum_k P_{ik} \log (P_{ik} / q_{ik}) \Big/ \sum_i w_i

    It differs from `weighted_cross_entropy` by the entropy of the targets, which no
    net can change: the gradients are the same, and zero is the least value.

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5]]).log()
    >>> kl_divergence(log_proba, torch.tensor([[0.25, 0.75, 1.0]]))
    tensor(0.1308)
    """
    distributions, weights = _unpack(targets)
    entropies = torch.special.entr(distributions).sum(dim=1)
    rows = _cross_entropies(log_proba, distributions) - entropies
    return _weighted_mean(rows, weights)


def reverse_kl_divergence(log_proba, targets):
    r"""Return the weighted mean divergence KL(q || P) from the targets to the net.

    .. math:: \sum_i w_i \sum_k q_{ik} \log (q_{ik} / P_{ik}) \Big/ \sum_i w_i

    A target probability below 1e-6 counts as 1e-6, and the row is scaled to sum to
    one again: a zero would make the loss infinite wherever the net is not zero too.

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5]]).log()
    >>> reverse_kl_divergence(log_proba, torch.tensor([[0.25, 0.75, 1.0]]))
    tensor(0.1438)
    """
    distributions, weights = _unpack(targets)
    n_unknown = log_proba.shape[1] - distributions.shape[1]
    floored = torch.nn.functional.pad(distributions, (0, n_unknown))
    floored = floored.clamp_min(SMALLEST_TARGET)
    log_targets = (floored / floored.sum(dim=1, keepdim=True)).log()
    proba, finite = _without_infinities(log_proba)
    return _weighted_mean((proba * (finite - log_targets)).sum(dim=1), weights)


def auxiliary_confidence(log_proba, targets, confidence_weight, *, balance=True):
    r"""Return cross-entropy with the targets and with the net's own hard labels.

    .. math:: (1 - a)\, H(P, q) + a\, H(1_{\hat y}, q)

    H is the weighted mean cross-entropy and a the confidence weight. The hard labels
    :math:`\hat y` of the net are constants: no gradient flows through them.

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.
    confidence_weight : float or tensor of shape ()
        a, from 0 to 1.
    balance : bool, default=True
        Whether the hard labels have the class shares of the targets, as
        `balanced_labels` finds them, instead of being the most probable classes.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> targets = torch.tensor([[0.0, 1, 1], [1, 0, 3]])
    >>> auxiliary_confidence(log_proba, targets, 0.5, balance=False)
    tensor(0.8010)
    """
    distributions, weights = _unpack(targets)
    n_classes = distributions.shape[1]
    known = log_proba[:, :n_classes].detach()
    labels = balanced_labels(known, targets) if balance else known.argmax(dim=1)
    own = torch.nn.functional.one_hot(labels, n_classes).to(distributions.dtype)
    mixed = torch.lerp(distributions, own, torch.as_tensor(confidence_weight).to(own))
    return _weighted_mean(_cross_entropies(log_proba, mixed), weights)


def entropy_regularized(log_proba, targets, confidence_weight):
    r"""Return cross-entropy with the targets and the entropy of the net.

    .. math:: (1 - a)\, H(P, q) + a\, H(q, q)

    H is the weighted mean cross-entropy and a the confidence weight. The net is its
    own soft target. The gradient flows through both places of q: with a constant in
    the first one it would be zero, and the term nothing but a smaller learning rate.

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.
    confidence_weight : float or tensor of shape ()
        a, from 0 to 1.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.25, 0.75]]).log()
    >>> entropy_regularized(log_proba, torch.tensor([[1.0, 0.0, 1.0]]), 0.5)
    tensor(0.9743)
    """
    distributions, weights = _unpack(targets)
    proba, finite = _without_infinities(log_proba)
    entropies = -(proba * finite).sum(dim=1)
    rows = (1 - confidence_weight) * _cross_entropies(log_proba, distributions)
    return _weighted_mean(rows + confidence_weight * entropies, weights)


def confidence_window(log_proba, targets, radius):
    r"""Return cross-entropy with the targets where the net is not confident yet.

    .. math::

        \sum_i w_i\, 1[c_i \le 2 r] \Bigl(-\sum_k P_{ik} \log q_{ik}\Bigr)
        \Big/ \sum_i w_i, \qquad c_i = \frac{K \max_k q_{ik} - 1}{K - 1}

    K is the number of classes and c the confidence of the net, rescaled from 0 (all
    classes alike) to 1. With two classes the window is
    :math:`\max_k q_{ik} \le 1/2 + r`.

    Parameters
    ----------
    log_proba : tensor of shape (n, n_outputs)
        :math:`\log q`.
    targets : tensor of shape (n, n_classes + 1)
        The distribution P of each row and, in the last column, its weight w.
    radius : float
        r. A half keeps every row.

    Returns
    -------
    tensor of shape ()
        The loss, in nats.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> targets = torch.tensor([[0.0, 1, 1], [1, 0, 3]])
    >>> confidence_window(log_proba, targets, 0.15)
    tensor(0.1733)
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

"""Cross-entropy with a target distribution and a weight in every row."""

import torch


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
    distributions, weights = targets[:, :-1], targets[:, -1]
    known = log_proba[:, : distributions.shape[1]]
    # An impossible class may have the log-probability -inf, and 0 * -inf is not 0.
    terms = torch.where(distributions > 0, distributions * known, 0.0)
    # Weights too small for the dtype become zero; a batch of nothing else weighs 0.
    total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
    return -(weights * terms.sum(dim=1)).sum() / total


class SoftCrossEntropyLoss(torch.nn.CrossEntropyLoss):
    """Weighted cross-entropy of logits; the plain loss where targets are class codes.

    Targets of shape (n, n_classes + 1) are those of `weighted_cross_entropy`.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 0.0]])
    >>> SoftCrossEntropyLoss()(logits, torch.tensor([[0.5, 0.5, 2.0]]))
    tensor(0.6931)
    """

    def forward(self, input, target):  # noqa: A002  names of the base class
        """Return the loss of logits of shape (n, n_outputs)."""
        if target.ndim == 1:
            return super().forward(input, target)
        return weighted_cross_entropy(torch.log_softmax(input, dim=1), target)


class SoftNLLLoss(torch.nn.NLLLoss):
    """Weighted cross-entropy of log-probabilities; the plain loss for class codes.

    Targets of shape (n, n_classes + 1) are those of `weighted_cross_entropy`.

    Examples
    --------
    >>> log_proba = torch.tensor([[0.5, 0.5]]).log()
    >>> SoftNLLLoss()(log_proba, torch.tensor([[0.5, 0.5, 2.0]]))
    tensor(0.6931)
    """

    def forward(self, input, target):  # noqa: A002  names of the base class
        """Return the loss of log-probabilities of shape (n, n_outputs)."""
        if target.ndim == 1:
            return super().forward(input, target)
        return weighted_cross_entropy(input, target)


SOFT_CRITERIA = {
    torch.nn.CrossEntropyLoss: SoftCrossEntropyLoss,
    torch.nn.NLLLoss: SoftNLLLoss,
}

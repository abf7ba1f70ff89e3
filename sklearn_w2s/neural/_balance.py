"""Hard labels of a net whose class shares are those of its targets."""

import torch

# More cycles move single rows only.
MAX_CYCLES = 5
SMALLEST_LOG_PROBA = -1e3


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
    # Where no offset can tell rows apart, the class that comes first keeps them.
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

"""From votes that abstain and err to class probabilities."""

import numpy as np
import scipy.sparse as sp

_MOST_STEPS = 200
_TOLERANCE = 1e-5
# A rate of zero would let one vote overrule all others.
_LEAST_RATE = 1e-6


def vote_indicators(codes, n_classes):
    """Return votes as a sparse matrix (n, n_functions * n_classes) of zeros and ones.

    Column ``j * n_classes + k`` is one where function j votes for class k.
    """
    rows, functions = np.nonzero(codes >= 0)
    columns = functions * n_classes + codes[rows, functions]
    shape = len(codes), codes.shape[1] * n_classes
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def vote_shares(votes, prior):
    """Return the share of votes of each class, and the prior where there is no vote."""
    n_classes = len(prior)
    counts = votes @ np.tile(np.eye(n_classes), (votes.shape[1] // n_classes, 1))
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), prior)


def estimate_rates(votes, prior, known, weights, *, smoothing):
    r"""Estimate how often each function casts each vote in each class, by EM.

    Returns shape (n_functions, n_classes, n_classes): share of the rows of class k on
    which function j votes for class l. Source: Dawid and Skene, 1979, with
    :math:`\theta_{jkl} \le \theta_{jll}`, so that the classes keep their names.
    """
    # Rows of NaN in `known`, of shape (n, n_classes), are estimated.
    is_known = ~np.isnan(known).any(axis=1)
    proba = np.where(is_known[:, None], known, vote_shares(votes, prior))
    for _ in range(_MOST_STEPS):
        rates = _rates(votes, weights[:, None] * proba, smoothing)
        previous, proba = proba, vote_posterior(votes, rates, prior)
        proba[is_known] = known[is_known]
        if np.abs(proba - previous).max() < _TOLERANCE:
            break
    return rates


def vote_posterior(votes, rates, prior):
    """Return class probabilities for votes that are independent within a class."""
    n_classes = len(prior)
    log_rates = np.log(rates).transpose(0, 2, 1).reshape(-1, n_classes)
    scores = votes @ log_rates + np.log(np.maximum(prior, _LEAST_RATE))
    scores -= scores.max(axis=1, keepdims=True)
    joint = np.exp(scores)
    return joint / joint.sum(axis=1, keepdims=True)


def expected_accuracies(rates, prior):
    """Return how often each function is right where it votes, NaN if it never does."""
    right = np.einsum("jkk,k->j", rates, prior)
    cast = np.einsum("jkl,k->j", rates, prior)
    silent = cast <= len(prior) * _LEAST_RATE
    return np.where(silent, np.nan, right / cast)


def _rates(votes, mass, smoothing):
    shape = -1, mass.shape[1], mass.shape[1]
    cast = (votes.T @ mass).reshape(shape).transpose(0, 2, 1)
    # `smoothing` rows per class are added, with the votes of all rows.
    overall = cast.sum(axis=1, keepdims=True) / mass.sum()
    rows = mass.sum(axis=0)[None, :, None]
    rates = (cast + smoothing * overall) / (rows + smoothing)
    own = np.diagonal(rates, axis1=1, axis2=2)[:, None, :]
    return np.clip(np.minimum(rates, own), _LEAST_RATE, None)

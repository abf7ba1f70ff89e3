"""When one parent should teach and predict alone."""

import numpy as np

from sklearn_w2s.weak_to_strong._teachers import held_out_opinions

# Many are compared with few rows: one standard error is often luck.
_STANDARD_ERRORS = 2.0
_NEARLY_ALL = 0.9


def held_out_hits(labels, members, weights):
    """Say whose class is right in which held-out row.

    Parameters
    ----------
    labels : Labels
        Labeled rows.
    members : dict of str to Member
        Estimators trained on them.
    weights : ndarray of shape (1 + n_members,)
        Weight of the weak estimator, then of the members.

    Returns
    -------
    hits : dict of str to ndarray of shape (n,) of bool
        By member, "weak" and "all", which is their weighted mean.
    row_weights : ndarray of shape (n,)
        Weights of the rows held out from every member.
    """
    opinions, codes, row_weights = held_out_opinions(labels, members)
    together = np.tensordot(weights, opinions, axes=1)
    names = ["weak", *members, "all"]
    hits = {
        name: proba.argmax(axis=1) == codes
        for name, proba in zip(names, [*opinions, together], strict=True)
    }
    return hits, row_weights


def better_alone(hits, row_weights, weights, candidates):
    r"""Return the candidate that does better without the other members, if any.

    It is one to which nearly all weight fell, or one that is right clearly more often
    than all members together.

    The difference d of two hits, 1 or 0, in a row is averaged over held-out rows. A
    candidate leads if :math:`\bar d` is more than two of its standard errors
    :math:`\sqrt{\mathrm{Var}(d) / n}`, so that a few rows of luck do not silence a
    committee.

    Parameters
    ----------
    hits : dict of str to ndarray of shape (n,) of bool
        See `held_out_hits`.
    row_weights : ndarray of shape (n,)
        Weights of the rows; n is their sum.
    weights : dict of str to float
        Weights of the members.
    candidates : list of str
        Who may be alone.

    Returns
    -------
    str or None
        The candidate that is furthest ahead.
    """
    for name in candidates:
        if weights.get(name, 0.0) > _NEARLY_ALL:
            return name
    leads = {}
    for name in candidates:
        if name not in hits or not row_weights.any():
            continue
        difference = hits[name].astype(float) - hits["all"]
        mean = np.average(difference, weights=row_weights)
        variance = np.average((difference - mean) ** 2, weights=row_weights)
        if mean > _STANDARD_ERRORS * np.sqrt(variance / row_weights.sum()):
            leads[name] = mean
    return max(leads, key=lambda name: leads[name], default=None)

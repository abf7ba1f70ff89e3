"""What rows tell without labels, and the calibration of the weak estimator."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sklearn_w2s._algorithms.indicators import class_coverage, neighbor_consistency
from sklearn_w2s._sklearn import safe_indexing
from sklearn_w2s.model_selection._gap_fold import before_final, final_step

N_NEIGHBORS = 15


def describe(student, opinions, X, truth, labeled, weigh):
    """Return the indicators.

    Parameters
    ----------
    student : classifier
        The weak-to-strong classifier, or a pipeline that ends in one, fitted.
    opinions : Opinions
        Of rows held out.
    X : {ndarray, sparse matrix, data frame} of shape (n, n_features)
        Rows.
    truth : ndarray of shape (n,)
        Labels; anything where there is none.
    labeled : ndarray of shape (n,) of bool
        Which rows have one.
    weigh : callable
        Returns weights of rows, from their labels.

    Returns
    -------
    dict of str to float
        NaN where something cannot be known. See `advise`.
    """
    final = final_step(student)
    of_unlabeled = opinions.of(~labeled)
    said = of_unlabeled.predicted
    weak = said["weak"]
    weights = weigh(weak)

    def discrepancy(first, second):
        if not (first in said and len(weak)):
            return np.nan
        return float(np.average(said[first] != said[second], weights=weights))

    def advantage(rival):
        if not (rival in of_unlabeled.advantage and len(weak)):
            return np.nan
        return float(np.average(of_unlabeled.advantage[rival], weights=weights))

    known = truth[labeled] if labeled.any() else final.classes_
    indicators = {
        "misfit": discrepancy("weak_to_strong", "weak"),
        "view_discrepancy": discrepancy("strong_on_labels", "weak"),
        "label_discrepancy": discrepancy("strong_on_labels", "weak_to_strong"),
        "advantage": advantage("weak"),
        "label_advantage": advantage("strong_on_labels"),
        "class_coverage": class_coverage(weak, known) if len(weak) else np.nan,
        "weak_overconfidence": _overconfidence(opinions.of(labeled), truth),
    }
    return indicators | _of_overlap(student, X, of_unlabeled, _consistency)


def describe_values(student, opinions, X, labeled):
    """Return the indicators of a regressor.

    Parameters
    ----------
    student : regressor
        The weak-to-strong regressor, or a pipeline that ends in one, fitted.
    opinions, X, labeled
        As in `describe`.

    Returns
    -------
    dict of str to float
        See `advise`.
    """
    of_unlabeled = opinions.of(~labeled)
    said = of_unlabeled.predicted
    variance = np.var(said["weak"]) if len(said["weak"]) else 0.0

    def discrepancy(first, second):
        if not (first in said and variance > 0):
            return np.nan
        return float(np.mean((said[first] - said[second]) ** 2) / variance)

    unknown = ("advantage", "label_advantage", "class_coverage", "weak_overconfidence")
    indicators = {
        "misfit": discrepancy("weak_to_strong", "weak"),
        "view_discrepancy": discrepancy("strong_on_labels", "weak"),
        "label_discrepancy": discrepancy("strong_on_labels", "weak_to_strong"),
    } | dict.fromkeys(unknown, np.nan)
    return indicators | _of_overlap(student, X, of_unlabeled, _explained)


def _of_overlap(student, X, of_unlabeled, consistency):
    """Return what a detector says of the rows, nothing where there is none."""
    detector = getattr(final_step(student), "overlap_detector_", None)
    if detector is None:
        return {}
    low, high = detector.overlap_density_interval_
    rows = before_final(student, safe_indexing(X, of_unlabeled.rows))
    weak = of_unlabeled.predicted["weak"]
    return {
        "overlap_density": detector.overlap_density_,
        "overlap_density_low": low,
        "overlap_density_high": high,
        "neighbor_consistency": consistency(detector.represent(rows), weak),
    }


def _explained(rows, values):
    """Return the share of the variance that the mean of the neighbours explains."""
    n_neighbors = min(N_NEIGHBORS, rows.shape[0] - 1)
    if n_neighbors < 1 or not np.var(values) > 0:
        return np.nan
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    means = values[search.kneighbors(return_distance=False)].mean(axis=1)
    return float(1 - np.mean((values - means) ** 2) / np.var(values))


def _overconfidence(opinions, truth):
    if not len(opinions.rows):
        return np.nan
    hits = opinions.predicted["weak"] == truth[opinions.rows]
    return float(np.average(opinions.confidence - hits, weights=opinions.weights))


def _consistency(rows, labels):
    n_neighbors = min(N_NEIGHBORS, rows.shape[0] - 1)
    if n_neighbors < 1:
        return np.nan
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    return neighbor_consistency(labels, search.kneighbors(return_distance=False))

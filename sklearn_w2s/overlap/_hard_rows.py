"""Hard rows: those of little confidence that do not resemble the easy rows."""

import numpy as np

from sklearn_w2s._algorithms.quantile import weighted_quantile
from sklearn_w2s.overlap._measures import mean_abs_cosine
from sklearn_w2s.overlap._references import draw_references
from sklearn_w2s.overlap._thresholds import find_threshold, split_mixture

# Whoever is more confident than so many of the confident rows is not hard.
_LEAST_CONFIDENT_SHARE = 0.25
# If less of the rows of little confidence stays hard, the easy rows told nothing.
_LEAST_SHARE_LEFT = 0.1


class HardRows:
    """Tell hard rows from others.

    Parameters
    ----------
    threshold : str, float, callable or change point estimator
        Smallest confidence that is not hard, "auto" or as `find_threshold` has it.
    threshold_type : {"value", "quantile"}
        What a float threshold means.
    refine : bool
        Whether hard rows must be unlike the easy rows as well.
    max_references : int or None
        Bound on the rows that others are compared with.
    n_jobs : int or None
        Parts of the rows that are compared at the same time.
    """

    def __init__(self, threshold, *, threshold_type, refine, max_references, n_jobs):
        self.threshold = threshold
        self.threshold_type = threshold_type
        self.refine = refine
        self.max_references = max_references
        self.n_jobs = n_jobs

    def fit_predict(self, confidence, rows, weights, rng):
        """Find the thresholds, and say which rows are hard.

        Parameters
        ----------
        confidence : ndarray of shape (n,)
            Confidence of each row.
        rows : {ndarray, csr matrix} of shape (n, n_components)
            Rows in the space where they are compared.
        weights : ndarray of shape (n,)
            Non-negative weights.
        rng : RandomState instance
            Draws the references.

        Returns
        -------
        ndarray of shape (n,) of bool
            Whether a row is hard.
        """
        found = find_threshold(
            self.threshold,
            confidence,
            weights,
            auto="change_point",
            threshold_type=self.threshold_type,
            name="confidence_threshold",
        )
        if found is not None and self._is("published"):
            # There, the row at the break is hard.
            found = np.nextafter(found, np.inf)
        self.confidence_threshold = -np.inf if found is None else float(found)
        self.easy_threshold = np.inf
        self.easy = None
        hard = confidence < self.confidence_threshold
        if self.refine and weights[hard].any() and weights[~hard].any():
            return self._refine(hard, confidence, rows, weights, rng)
        return hard

    def predict(self, confidence, rows):
        """Say which rows are hard, by the thresholds of the fit."""
        hard = confidence < self.confidence_threshold
        if self.easy is None:
            return hard
        return hard & (_scores(self.easy, rows) < self.easy_threshold)

    def _refine(self, hard, confidence, rows, weights, rng):
        """Return the rows that stay hard with a second condition.

        It is not imposed where it would leave hardly any row hard.

        The confident rows that resemble the rows of little confidence least are easy
        beyond doubt. A row that resembles these carries the easy pattern, however
        little its confidence, and a row that does not may owe some confidence to
        chance: hence the higher threshold, where it is ours to choose.
        """
        score = self._compare(hard, rows, weights, rng).score(rows, None)
        threshold = split_mixture(score[~hard], weights[~hard])
        if threshold is None:
            return hard
        easy = self._compare(~hard & (score < threshold), rows, weights, rng)
        easy_score = _scores(easy, rows)
        # Rows that are typical in every column resemble nothing, and tell nothing.
        tells = (score > 0) | (easy_score > 0)
        if not weights[tells].any():
            return hard
        easy_threshold = split_mixture(easy_score[tells], weights[tells])
        if easy_threshold is None:
            return hard
        highest = self.confidence_threshold
        if self._is("auto"):
            share = _LEAST_CONFIDENT_SHARE
            highest = weighted_quantile(confidence[~hard], share, weights[~hard])
        remaining = (confidence < highest) & (easy_score < easy_threshold)
        least = _LEAST_SHARE_LEFT * weights[hard & tells].sum()
        if weights[remaining & tells].sum() < least:
            return hard
        self.easy, self.easy_threshold = easy, easy_threshold
        self.confidence_threshold = highest
        return remaining

    def _is(self, name):
        return isinstance(self.threshold, str) and self.threshold == name

    def _compare(self, region, rows, weights, rng):
        references = draw_references(region, weights, self.max_references, rng)
        return mean_abs_cosine(self.n_jobs).fit(rows, None, references, weights)


def _scores(measure, rows):
    # Thresholds are doubles: a float32 score must not be compared in single precision.
    return measure.score(rows, None).astype(np.float64)

"""From weak probabilities and compared rows to regions."""

import numpy as np

from sklearn_w2s._algorithms.overlap import split_regions
from sklearn_w2s.overlap._confidence import Confidence
from sklearn_w2s.overlap._hard_rows import HardRows
from sklearn_w2s.overlap._measures import fit_score, new_measure, require_numpy
from sklearn_w2s.overlap._references import draw_references
from sklearn_w2s.overlap._thresholds import find_threshold


class Partition:
    """Thresholds and references that part rows into easy, hard and overlap.

    Parameters
    ----------
    confidence, confidence_threshold, overlap_threshold, threshold_type
        Parameters of the detector.
    overlap_measure, refine_hard, max_references, n_jobs
        Parameters of the detector.
    """

    def __init__(
        self,
        *,
        confidence,
        confidence_threshold,
        overlap_threshold,
        threshold_type,
        overlap_measure,
        refine_hard,
        max_references,
        n_jobs,
    ):
        self.confidence = Confidence(confidence)
        self.hard_rows = HardRows(
            confidence_threshold,
            threshold_type=threshold_type,
            refine=refine_hard,
            max_references=max_references,
            n_jobs=n_jobs,
        )
        self.overlap_measure = overlap_measure
        self.measure = new_measure(overlap_measure, n_jobs)
        self.threshold = overlap_threshold
        self.threshold_type = threshold_type
        self.max_references = max_references

    def fit_describe(self, proba, rows, weak_rows, weights, rng):
        """Find thresholds and references, and describe the rows of the fit.

        Parameters
        ----------
        proba : ndarray of shape (n, n_classes)
            Weak probabilities.
        rows : {ndarray, csr matrix} of shape (n, n_components)
            Rows in the space where they are compared.
        weak_rows : {ndarray, csr matrix} of shape (n, n_weak_components)
            Their weak view.
        weights : ndarray of shape (n,)
            Non-negative weights.
        rng : RandomState instance
            Draws the references, and seeds a measure that is random.

        Returns
        -------
        confidence, overlap_score : ndarray of shape (n,)
            Scores.
        regions : ndarray of shape (n,) of str
            "easy", "hard" or "overlap".
        """
        require_numpy(self.overlap_measure, rows)
        confidence = self.confidence.fit(proba, weights).score(proba)
        hard = self.hard_rows.fit_predict(confidence, rows, weights, rng)
        references = draw_references(hard, weights, self.max_references, rng)
        score = fit_score(self.measure, rows, weak_rows, references, weights, rng)
        found = None
        if len(references) and (weights[~hard] > 0).any():
            found = find_threshold(
                self.threshold,
                score[~hard],
                weights[~hard],
                auto="mixture",
                threshold_type=self.threshold_type,
                name="overlap_threshold",
            )
        self.overlap_threshold = np.inf if found is None else found
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

    def describe(self, proba, rows, weak_rows):
        """Describe new rows, as `fit_describe` does."""
        confidence = self.confidence.score(proba)
        score = self.measure.score(rows, weak_rows)
        hard = self.hard_rows.predict(confidence, rows)
        return confidence, score, split_regions(hard, score, self.overlap_threshold)

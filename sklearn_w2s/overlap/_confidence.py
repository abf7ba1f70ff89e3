"""Confidence of the weak estimator, from its probabilities."""

import numpy as np

from sklearn_w2s._algorithms.overlap import (
    balanced_margin_confidence,
    entropy_confidence,
    margin_confidence,
    max_proba_confidence,
)
from sklearn_w2s._validation import check_scores

CONFIDENCES = {
    "balanced_margin": balanced_margin_confidence,
    "margin": lambda proba, _: margin_confidence(proba),
    "max_proba": lambda proba, _: max_proba_confidence(proba),
    "entropy": lambda proba, _: entropy_confidence(proba),
}


class Confidence:
    """A confidence and the shares of the classes that it may need.

    Parameters
    ----------
    kind : str or callable
        A key of `CONFIDENCES`, or a function of the user.
    """

    def __init__(self, kind):
        self.kind = kind

    def fit(self, proba, weights):
        """Learn the shares of the classes among the weak labels."""
        self.class_prior = np.average(proba, axis=0, weights=weights)
        return self

    def score(self, proba):
        """Return the confidence of each row."""
        if callable(self.kind):
            return check_scores(self.kind(proba), len(proba), name="confidence")
        return CONFIDENCES[self.kind](proba, self.class_prior)

"""From weak labels to a strong estimator."""

from sklearn_w2s.weak_to_strong._classifier import WeakToStrongClassifier

__all__ = ["WeakToStrongClassifier"]

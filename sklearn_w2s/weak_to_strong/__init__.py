"""From weak labels to a strong estimator."""

from sklearn_w2s.weak_to_strong._classifier import WeakToStrongClassifier
from sklearn_w2s.weak_to_strong._regressor import WeakToStrongRegressor

__all__ = ["WeakToStrongClassifier", "WeakToStrongRegressor"]

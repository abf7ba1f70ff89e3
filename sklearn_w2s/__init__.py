"""Weak-to-strong generalisation for tabular data, compatible with scikit-learn."""

from sklearn_w2s.overlap import OverlapDetector, OverlapSampler
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier

__all__ = [
    "OverlapDetector",
    "OverlapSampler",
    "UCBSourceSelector",
    "WeakToStrongClassifier",
]

__version__ = "0.1.0.dev0"

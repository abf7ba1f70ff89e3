"""Weak-to-strong generalisation for tabular data, compatible with scikit-learn."""

from sklearn_w2s._version import __version__ as __version__
from sklearn_w2s.overlap import OverlapDetector, OverlapSampler
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier, WeakToStrongRegressor

__all__ = [
    "OverlapDetector",
    "OverlapSampler",
    "UCBSourceSelector",
    "WeakToStrongClassifier",
    "WeakToStrongRegressor",
]

"""Which rows carry both the easy and the hard pattern."""

from sklearn_w2s.overlap._detector import OverlapDetector
from sklearn_w2s.overlap._sampler import OverlapSampler
from sklearn_w2s.overlap._thresholds import NoChangePointWarning

__all__ = ["NoChangePointWarning", "OverlapDetector", "OverlapSampler"]

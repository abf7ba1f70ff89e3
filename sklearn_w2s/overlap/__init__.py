"""Which rows carry both the easy and the hard pattern."""

from sklearn_w2s.overlap._detector import OverlapDetector
from sklearn_w2s.overlap._partition import NoChangePointWarning
from sklearn_w2s.overlap._sampler import OverlapSampler

__all__ = ["NoChangePointWarning", "OverlapDetector", "OverlapSampler"]

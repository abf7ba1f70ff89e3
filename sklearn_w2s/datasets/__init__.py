"""Data whose easy, hard and overlap rows are known."""

from sklearn_w2s.datasets._overlap import make_overlap_classification

__all__ = ["make_overlap_classification"]

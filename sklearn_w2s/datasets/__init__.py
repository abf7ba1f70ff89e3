"""Data whose easy, hard and overlap rows are known."""

from sklearn_w2s.datasets._overlap import make_overlap_classification
from sklearn_w2s.datasets._sources import (
    OverlapSource,
    make_overlap_sources,
    split_sources_by_count,
    split_sources_by_ratio,
)

__all__ = [
    "OverlapSource",
    "make_overlap_classification",
    "make_overlap_sources",
    "split_sources_by_count",
    "split_sources_by_ratio",
]

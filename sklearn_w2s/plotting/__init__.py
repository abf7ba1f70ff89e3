"""Displays of what was found; they store results and draw them."""

from sklearn_w2s.plotting._overlap import OverlapDisplay
from sklearn_w2s.plotting._sources import SourceSelectionDisplay

__all__ = ["OverlapDisplay", "SourceSelectionDisplay"]

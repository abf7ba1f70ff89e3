"""Displays of what was found; they store results and draw them."""

from sklearn_w2s.plotting._gap import GapDisplay, GapLearningCurveDisplay
from sklearn_w2s.plotting._overlap import OverlapDisplay
from sklearn_w2s.plotting._overlap_curve import OverlapCurveDisplay
from sklearn_w2s.plotting._region_score import RegionScoreDisplay
from sklearn_w2s.plotting._sources import SourceSelectionDisplay

__all__ = [
    "GapDisplay",
    "GapLearningCurveDisplay",
    "OverlapCurveDisplay",
    "OverlapDisplay",
    "RegionScoreDisplay",
    "SourceSelectionDisplay",
]

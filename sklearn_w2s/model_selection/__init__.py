"""Cross-validation where some rows have no label, and of what weak labels are worth."""

from sklearn_w2s.model_selection._gap import cross_validate_gap, gap_learning_curve
from sklearn_w2s.model_selection._overlap_curve import overlap_curve
from sklearn_w2s.model_selection._split import (
    LabeledScorer,
    LabeledSplit,
    weak_strong_split,
)

__all__ = [
    "LabeledScorer",
    "LabeledSplit",
    "cross_validate_gap",
    "gap_learning_curve",
    "overlap_curve",
    "weak_strong_split",
]

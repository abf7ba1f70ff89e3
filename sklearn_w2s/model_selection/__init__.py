"""Cross-validation where some rows have no label."""

from sklearn_w2s.model_selection._scorer import LabeledScorer
from sklearn_w2s.model_selection._split import LabeledSplit

__all__ = ["LabeledScorer", "LabeledSplit"]

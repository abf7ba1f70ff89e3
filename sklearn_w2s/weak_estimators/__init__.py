"""Weak estimators that are rules, columns of the table or votes, not learned models."""

from sklearn_w2s.weak_estimators._column_proba import ColumnProbaClassifier
from sklearn_w2s.weak_estimators._function import FunctionClassifier
from sklearn_w2s.weak_estimators._votes import VoteClassifier

__all__ = ["ColumnProbaClassifier", "FunctionClassifier", "VoteClassifier"]

"""The report on whether weak-to-strong pays on a data set."""

from sklearn_w2s.report._cli import main
from sklearn_w2s.report._data import load_table
from sklearn_w2s.report._experiment import make_estimator

__all__ = ["load_table", "main", "make_estimator"]

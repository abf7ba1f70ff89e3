"""The report on whether weak-to-strong pays on a data set."""

from sklearn_w2s.report._cli import main

__all__ = ["main"]

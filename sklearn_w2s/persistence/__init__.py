"""Saving estimators and loading them without running the code of others."""

from sklearn_w2s.persistence._types import trusted_types

__all__ = ["trusted_types"]

"""The same estimators over Dask collections, which need not fit in memory."""

from sklearn_w2s.dask._classifier import WeakToStrongClassifier
from sklearn_w2s.dask._detector import OverlapDetector
from sklearn_w2s.dask._partitions import partition_sources
from sklearn_w2s.dask._regressor import WeakToStrongRegressor

__all__ = [
    "OverlapDetector",
    "WeakToStrongClassifier",
    "WeakToStrongRegressor",
    "partition_sources",
]

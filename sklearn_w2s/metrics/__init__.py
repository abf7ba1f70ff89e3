"""How much of the gap is recovered, how dense the overlap is, how regions fare."""

from sklearn_w2s.metrics._gap import (
    gap_regime,
    performance_gap_recovered,
    performance_gap_recovered_score,
)
from sklearn_w2s.metrics._overlap import overlap_density, region_accuracy

__all__ = [
    "gap_regime",
    "overlap_density",
    "performance_gap_recovered",
    "performance_gap_recovered_score",
    "region_accuracy",
]

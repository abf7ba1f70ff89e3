"""How much of the gap is recovered, how dense the overlap is, how regions fare."""

from sklearn_w2s.metrics._bounds import expansion, misfit, prediction_gap
from sklearn_w2s.metrics._gap import (
    gap_regime,
    performance_gap_recovered,
    performance_gap_recovered_score,
    source_regret,
)
from sklearn_w2s.metrics._overlap import (
    corrected_overlap_density,
    overlap_density,
    overlap_density_interval,
    overlap_regime,
    region_accuracy,
    region_rmse,
)

__all__ = [
    "corrected_overlap_density",
    "expansion",
    "gap_regime",
    "misfit",
    "overlap_density",
    "overlap_density_interval",
    "overlap_regime",
    "performance_gap_recovered",
    "performance_gap_recovered_score",
    "prediction_gap",
    "region_accuracy",
    "region_rmse",
    "source_regret",
]

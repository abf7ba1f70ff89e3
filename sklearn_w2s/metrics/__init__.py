"""How much of the gap is recovered, how dense the overlap is, how regions fare."""

from sklearn_w2s.metrics._density import (
    corrected_overlap_density,
    overlap_density_interval,
    overlap_regime,
)
from sklearn_w2s.metrics._expansion import expansion
from sklearn_w2s.metrics._gap import (
    gap_regime,
    performance_gap_recovered,
    performance_gap_recovered_score,
)
from sklearn_w2s.metrics._misfit import misfit
from sklearn_w2s.metrics._overlap import (
    overlap_density,
    region_accuracy,
    region_rmse,
)
from sklearn_w2s.metrics._prediction_gap import prediction_gap
from sklearn_w2s.metrics._regret import source_regret

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

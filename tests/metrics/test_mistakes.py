"""Shares and regions that are none are refused wherever they are taken."""

import numpy as np
import pytest

from sklearn_w2s.metrics import (
    corrected_overlap_density,
    overlap_density,
    overlap_density_interval,
    overlap_regime,
    region_accuracy,
    region_rmse,
)

BAD_SHARES = [np.nan, -0.1, 1.1, "half", None]


@pytest.mark.parametrize("value", BAD_SHARES)
def test_shares_that_are_none_are_refused_by_every_metric(value):
    for call in (
        lambda: overlap_regime(value),
        lambda: overlap_density_interval(["easy"], confidence_level=value),
        lambda: corrected_overlap_density(
            ["easy"],
            audited_regions=["easy"],
            audited_true_regions=["easy"],
            confidence_level=value,
        ),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()


@pytest.mark.parametrize("regions", [["middle"], [None], [np.nan], [], [1]])
def test_regions_that_are_none_are_refused_by_every_metric(regions):
    for call in (
        lambda: overlap_density(regions),
        lambda: region_accuracy([0] * len(regions), [0] * len(regions), regions),
        lambda: region_rmse([0] * len(regions), [0] * len(regions), regions),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()

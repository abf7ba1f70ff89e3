"""Results are drawn by the display that fits them, and by no other."""

import numpy as np
import pytest
from scipy import stats

from sklearn_w2s.plotting import (
    GapDisplay,
    GapLearningCurveDisplay,
    OverlapCurveDisplay,
    RegionScoreDisplay,
)
from sklearn_w2s.plotting._fits import half_width, score_text

OF_GAP = {"gap_recovered_accuracy": 0.5, "weak_accuracy": [0.5]}
OF_SIZES = {"labeled_sizes": [10], **OF_GAP}
OF_SHARES = {"overlap_share": [0.5], "weak_score": [0.5]}


@pytest.mark.parametrize(
    ("display", "results", "named"),
    [
        (GapDisplay, OF_SIZES, "gap_learning_curve"),
        (GapDisplay, OF_SHARES, "overlap_curve"),
        (RegionScoreDisplay, OF_SIZES, "gap_learning_curve"),
        (GapLearningCurveDisplay, OF_GAP, "cross_validate_gap"),
        (GapLearningCurveDisplay, OF_SHARES, "overlap_curve"),
        (OverlapCurveDisplay, OF_GAP, "cross_validate_gap"),
        (OverlapCurveDisplay, OF_SIZES, "gap_learning_curve"),
    ],
)
def test_results_of_another_function_are_refused_by_its_name(display, results, named):
    with pytest.raises(ValueError, match=f"results are those of {named}, but must be"):
        display.from_cv_results(results)


@pytest.mark.parametrize(
    "display",
    [GapDisplay, GapLearningCurveDisplay, OverlapCurveDisplay, RegionScoreDisplay],
)
@pytest.mark.parametrize("results", [{"test_score": [0.5]}, [0.5], None])
def test_results_of_no_function_are_refused(display, results):
    with pytest.raises(ValueError, match="results must be the dict that"):
        display.from_cv_results(results)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_half_widths_are_those_of_students_interval(level):
    scores = np.random.default_rng(0).normal(size=(3, 5))
    low, high = stats.t.interval(
        level, 4, loc=scores.mean(axis=1), scale=stats.sem(scores, axis=1)
    )
    np.testing.assert_allclose(half_width(scores, level), (high - low) / 2)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.5, "0.500"),
        (0.0, "0.000"),
        (-3.14159, "-3.142"),
        (-1234567.0, "-1.235e+06"),
        (1.5e-5, "1.5e-05"),
        (np.nan, "nan"),
    ],
)
def test_scores_are_told_in_any_unit(score, text):
    assert score_text(score) == text

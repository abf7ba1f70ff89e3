"""Regions follow from thresholds, and thresholds from what the user asks for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklearn_w2s import OverlapDetector
from sklearn_w2s._algorithms.thresholds import weighted_quantile
from sklearn_w2s.overlap._partition import SPLITS, split_mixture

# Hard rows


def mean_abs_cosine(rows, references, weights):
    unit, other = (r / np.linalg.norm(r, axis=1)[:, None] for r in (rows, references))
    return np.average(np.abs(unit @ other.T), axis=1, weights=weights)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("threshold", ["auto", "change_point", "mixture", 0.5])
def test_hard_rows_are_refined_as_documented(
    problem, make_detector, weighted, threshold
):
    X, y, _ = problem
    weights = np.ones(len(X))
    if weighted:
        weights = np.random.default_rng(0).uniform(size=len(X))
    detector = make_detector(confidence_threshold=threshold)
    detector.fit(X, y, sample_weight=weights if weighted else None)
    confidence, rows = detector.confidence_, detector.represent(X)

    start = threshold
    if isinstance(threshold, str):
        split = "change_point" if threshold == "auto" else threshold
        start = SPLITS[split](confidence, weights)
    doubtful = confidence < start
    likeness = mean_abs_cosine(rows, rows[doubtful], weights[doubtful])
    easy = ~doubtful & (
        likeness < split_mixture(likeness[~doubtful], weights[~doubtful])
    )
    similarity = mean_abs_cosine(rows, rows[easy], weights[easy])
    most_similar = split_mixture(similarity, weights)
    if threshold == "auto":
        start = weighted_quantile(confidence[~doubtful], 0.25, weights[~doubtful])

    assert detector.confidence_threshold_ == pytest.approx(start)
    assert detector.easy_threshold_ == pytest.approx(most_similar)
    hard = (confidence < start) & (similarity < most_similar)
    assert_array_equal(detector.get_support("hard"), hard)
    assert 0 < hard.sum() < (confidence < start).sum()


def test_regions_need_no_refinement_where_the_user_names_the_hard_rows(
    problem, make_detector
):
    X, y, _ = problem
    by_value = make_detector(confidence_threshold=0.5, refine_hard=False).fit(X, y)
    assert_array_equal(by_value.get_support("hard"), by_value.confidence_ < 0.5)
    refined = make_detector(confidence_threshold=0.5).fit(X, y)
    assert refined.confidence_threshold_ == 0.5
    assert not refined.get_support("hard")[refined.confidence_ >= 0.5].any()


# Thresholds


@given(hard=st.floats(0, 1), easy=st.floats(0, 1))
def test_quantiles_give_the_share_asked_for(problem, proba, hard, easy):
    X, _, _ = problem
    detector = OverlapDetector(
        threshold_type="quantile",
        confidence_threshold=hard,
        refine_hard=False,
        overlap_threshold=easy,
    ).fit(X, weak_proba=proba)
    is_hard = detector.get_support("hard")
    assert is_hard.mean() == pytest.approx(hard, abs=1 / len(X) + 1e-9)
    # Without a hard row, there is nothing that a row could resemble.
    if is_hard.any():
        share = detector.get_support("easy").sum() / (~is_hard).sum()
        assert share == pytest.approx(easy, abs=1 / (~is_hard).sum() + 1e-9)


def test_thresholds_are_values_or_functions_of_scores_and_weights(problem, proba):
    X, _, _ = problem
    weights = np.arange(len(X)) + 1.0
    seen = {}

    def remember(name, value):
        def threshold(scores, sample_weight):
            seen[name] = scores, sample_weight
            return value

        return threshold

    detector = OverlapDetector(
        confidence_threshold=remember("confidence", 0.5),
        overlap_threshold=remember("overlap", 0.25),
    ).fit(X, weak_proba=proba, sample_weight=weights)
    numbers = OverlapDetector(confidence_threshold=0.5, overlap_threshold=0.25)
    numbers.fit(X, weak_proba=proba, sample_weight=weights)
    assert detector.confidence_threshold_ == numbers.confidence_threshold_ == 0.5
    assert_array_equal(detector.regions_, numbers.regions_)
    hard = detector.get_support("hard")
    assert_array_equal(seen["confidence"][0], detector.confidence_)
    assert_array_equal(seen["confidence"][1], weights)
    assert_array_equal(seen["overlap"][0], detector.overlap_score_[~hard])
    assert_array_equal(seen["overlap"][1], weights[~hard])


@given(hard=st.floats(0, 1), easy=st.floats(0, 1))
def test_a_quantile_bounds_the_hard_rows_that_are_refined(problem, proba, hard, easy):
    X, _, _ = problem
    params = {
        "threshold_type": "quantile",
        "confidence_threshold": hard,
        "overlap_threshold": easy,
    }
    refined = OverlapDetector(**params).fit(X, weak_proba=proba)
    plain = OverlapDetector(refine_hard=False, **params).fit(X, weak_proba=proba)
    assert refined.confidence_threshold_ == plain.confidence_threshold_
    is_hard = refined.get_support("hard")
    assert not is_hard[~plain.get_support("hard")].any()
    if is_hard.any():
        share = refined.get_support("easy").sum() / (~is_hard).sum()
        assert share == pytest.approx(easy, abs=1 / (~is_hard).sum() + 1e-9)


@pytest.mark.parametrize("hard", SPLITS)
@pytest.mark.parametrize("overlap", SPLITS)
def test_splits_go_by_name(problem, proba, hard, overlap):
    X, _, _ = problem
    detector = OverlapDetector(
        confidence_threshold=hard, overlap_threshold=overlap, refine_hard=False
    ).fit(X, weak_proba=proba)
    ones = np.ones(len(X))
    expected = SPLITS[hard](detector.confidence_, ones)
    assert detector.confidence_threshold_ == expected
    is_hard = detector.confidence_ < expected
    scores = detector.overlap_score_[~is_hard]
    assert detector.overlap_threshold_ == SPLITS[overlap](scores, ones[~is_hard])


def test_auto_is_the_change_point_of_confidence_and_the_mixture_of_scores(
    problem, proba
):
    X, _, _ = problem
    auto = OverlapDetector(refine_hard=False).fit(X, weak_proba=proba)
    named = OverlapDetector(
        refine_hard=False,
        confidence_threshold="change_point",
        overlap_threshold="mixture",
    ).fit(X, weak_proba=proba)
    assert auto.confidence_threshold_ == named.confidence_threshold_
    assert auto.overlap_threshold_ == named.overlap_threshold_


@pytest.mark.parametrize("refine", [False, True])
def test_an_estimator_of_ruptures_that_looks_everywhere_is_the_change_point(
    problem, proba, refine
):
    ruptures = pytest.importorskip("ruptures")
    X, _, _ = problem
    binseg = ruptures.Binseg(model="l2", jump=1, min_size=1)
    detectors = [
        OverlapDetector(
            refine_hard=refine, confidence_threshold=split, overlap_threshold=split
        ).fit(X, weak_proba=proba)
        for split in (binseg, "change_point")
    ]
    for name in ("confidence_threshold_", "easy_threshold_", "overlap_threshold_"):
        first, second = (getattr(detector, name) for detector in detectors)
        assert first == second, name
    assert_array_equal(detectors[0].regions_, detectors[1].regions_)
    assert not hasattr(binseg, "signal") or binseg.signal is None
    assert isinstance(clone(detectors[0]).overlap_threshold, ruptures.Binseg)

"""Intervals cover the density as often as they say; regimes are cut where stated."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import (
    corrected_overlap_density,
    overlap_density,
    overlap_density_interval,
    overlap_regime,
)

rows = st.lists(
    st.tuples(st.sampled_from(("easy", "hard", "overlap")), st.integers(0, 3)),
    min_size=1,
    max_size=20,
).filter(lambda rows: any(weight for _, weight in rows))
AUDITED = {
    "audited_regions": ["overlap", "easy", "overlap", "hard"],
    "audited_true_regions": ["overlap", "overlap", "overlap", "easy"],
}


def named(is_overlap):
    return np.where(is_overlap, "overlap", "easy")


def detect(is_overlap, found, mistaken, rng):
    """Name rows as a detector of known rates does."""
    return named(
        rng.uniform(size=len(is_overlap)) < np.where(is_overlap, found, mistaken)
    )


# The interval of the density


@given(rows=rows, level=st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_without_weights_it_is_the_wilson_interval(rows, level):
    regions = np.array([region for region, _ in rows])
    test = binomtest(int((regions == "overlap").sum()), len(regions))
    expected = test.proportion_ci(level, method="wilson")
    interval = overlap_density_interval(regions, confidence_level=level)
    assert interval == pytest.approx(tuple(expected), abs=1e-12)


@given(rows=rows)
def test_it_holds_the_density_and_widens_with_the_level(rows):
    regions, weights = map(np.array, zip(*rows, strict=True))
    density = overlap_density(regions, sample_weight=weights)
    low, high = 1.0, 0.0
    for level in (0.5, 0.9, 0.99):
        inner = (low, high)
        low, high = overlap_density_interval(
            regions, sample_weight=weights, confidence_level=level
        )
        assert 0 <= low <= inner[0]
        assert inner[1] <= high <= 1
        assert low - 1e-15 <= density <= high + 1e-15


@given(rows=rows, factor=st.sampled_from([1e-300, 0.3, 7.0, 1e300]))
def test_only_ratios_of_weights_matter(rows, factor):
    regions, weights = map(np.array, zip(*rows, strict=True))
    expected = overlap_density_interval(regions, sample_weight=weights)
    scaled = overlap_density_interval(regions, sample_weight=weights * factor)
    assert scaled == pytest.approx(expected)


def test_rows_of_weight_zero_tell_nothing():
    regions = np.array(["overlap", "easy", "hard", "easy"])
    weighted = overlap_density_interval(regions, sample_weight=[1, 1, 1, 0])
    assert weighted == pytest.approx(overlap_density_interval(regions[:3]))


def test_unequal_weights_widen_it():
    regions, weights = named(np.arange(100) % 2), np.r_[[10.0, 10.0], np.ones(98)]
    low, high = overlap_density_interval(regions)
    wider = overlap_density_interval(regions, sample_weight=weights)
    assert wider[0] < low < high < wider[1]


def test_it_is_the_interval_of_the_detector():
    X, y, _ = make_overlap_classification(300, random_state=0)
    weights = np.random.default_rng(0).uniform(size=300)
    detector = OverlapDetector(weak_features=slice(0, 20))
    detector.fit(X, np.where(np.arange(300) < 100, y, -1), sample_weight=weights)
    interval = overlap_density_interval(detector.regions_, sample_weight=weights)
    assert detector.overlap_density_interval_ == pytest.approx(interval)
    assert detector.overlap_regime_ == overlap_regime(detector.overlap_density_)


# The corrected density


@given(rows=rows)
def test_a_perfect_detector_needs_no_correction(rows):
    regions, weights = map(np.array, zip(*rows, strict=True))
    audited = ["overlap", "easy", "hard", "overlap"]
    density, (low, high) = corrected_overlap_density(
        regions,
        audited_regions=audited,
        audited_true_regions=audited,
        sample_weight=weights,
    )
    assert density == overlap_density(regions, sample_weight=weights)
    assert 0 <= low <= density <= high <= 1
    assert low < high


def test_known_rates_are_undone_exactly():
    true = np.arange(1000) < 300
    # 240 of 300 overlap rows are found, 70 of 700 others are mistaken for them.
    regions = named(np.r_[np.arange(300) < 240, np.arange(700) < 70])
    density, (low, high) = corrected_overlap_density(
        regions, audited_regions=regions, audited_true_regions=named(true)
    )
    assert overlap_density(regions) == pytest.approx(0.31)
    assert density == pytest.approx(0.3)
    assert density - low == pytest.approx(high - density)
    variance = (
        0.31 * 0.69 / 1000 + 0.3**2 * 0.8 * 0.2 / 300 + 0.7**2 * 0.1 * 0.9 / 700
    ) / 0.7**2
    assert high - low == pytest.approx(2 * 1.96 * variance**0.5, rel=0.01)


@pytest.mark.parametrize(("found", "mistaken"), [(0.9, 0.05), (0.7, 0.2), (1.0, 0.0)])
@pytest.mark.parametrize("true_density", [0.02, 0.15, 0.5, 0.9])
def test_the_interval_covers_the_truth(true_density, found, mistaken):
    rng = np.random.default_rng(0)
    audited = np.arange(200) < 100
    densities, covered = [], []
    for _ in range(300):
        true = rng.uniform(size=500) < true_density
        density, (low, high) = corrected_overlap_density(
            detect(true, found, mistaken, rng),
            audited_regions=detect(audited, found, mistaken, rng),
            audited_true_regions=named(audited),
        )
        densities.append(density)
        covered.append(low <= true_density <= high)
    assert np.mean(covered) >= 0.9
    # Near 0 and 1 clipping moves the mean towards the middle.
    assert np.mean(densities) == pytest.approx(true_density, abs=0.025)


@pytest.mark.parametrize("n_audited", [4, 10, 30])
def test_few_audited_rows_without_an_error_fake_no_certainty(n_audited):
    rng = np.random.default_rng(0)
    audited = np.arange(n_audited) % 2 == 0
    covered = []
    for _ in range(300):
        true = rng.uniform(size=2000) < 0.3
        regions = detect(true, 0.97, 0.03, rng)
        _, (low, high) = corrected_overlap_density(
            regions,
            audited_regions=named(audited),
            audited_true_regions=named(audited),
        )
        covered.append(low <= 0.3 <= high)
    assert np.mean(covered) >= 0.95


def test_more_audited_rows_narrow_the_interval():
    regions, audited = named(np.arange(100) < 30), named(np.arange(10) < 5)
    widths = []
    for times in (1, 10, 100):
        _, (low, high) = corrected_overlap_density(
            regions,
            audited_regions=np.tile(audited, times),
            audited_true_regions=np.tile(audited, times),
        )
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("share", "expected"), [(0.02, 0.0), (0.98, 1.0)])
def test_the_density_is_clipped_with_its_interval(share, expected):
    regions = named(np.arange(100) < 100 * share)
    audited = ["overlap"] * 8 + ["easy"] * 2
    density, (low, high) = corrected_overlap_density(
        regions,
        audited_regions=audited + audited[::-1][:10] + ["easy"] * 6,
        audited_true_regions=["overlap"] * 10 + ["hard"] * 16,
    )
    assert density == expected
    assert 0 <= low <= density <= high <= 1


@pytest.mark.parametrize("kind", ["overlap", "easy"])
def test_audited_rows_of_both_kinds_are_required(kind):
    with pytest.raises(ValueError, match="audited_true_regions has no row that is"):
        corrected_overlap_density(
            ["easy"],
            audited_regions=["easy", "overlap"],
            audited_true_regions=[kind, kind],
        )


@pytest.mark.parametrize(
    "audited",
    [["easy", "overlap"], ["easy", "easy"], ["overlap", "overlap"]],
)
def test_a_detector_that_tells_nothing_is_refused(audited):
    with pytest.raises(ValueError, match=r"audited_regions names .* Pass regions of"):
        corrected_overlap_density(
            ["easy"],
            audited_regions=audited,
            audited_true_regions=["overlap", "hard"],
        )


# What every function refuses, and takes


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, np.nan, "0.95", None])
def test_the_level_is_a_share(level):
    with pytest.raises(ValueError, match=r"confidence_level=.* must be in"):
        overlap_density_interval(["easy"], confidence_level=level)
    with pytest.raises(ValueError, match=r"confidence_level=.* must be in"):
        corrected_overlap_density(["easy"], **AUDITED, confidence_level=level)


@pytest.mark.parametrize("name", ["regions", *AUDITED])
@pytest.mark.parametrize(
    ("bad", "problem"), [(["esay"], "holds 'esay'"), ([], "is empty")]
)
def test_bad_regions_are_named(name, bad, problem):
    with pytest.raises(ValueError, match=rf"^{name} {problem}"):
        corrected_overlap_density(**{"regions": ["easy"]} | AUDITED | {name: bad})


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [np.nan, 1], [1, 1, 1]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        overlap_density_interval(["easy", "hard"], sample_weight=weights)
    with pytest.raises(ValueError, match="weight"):
        corrected_overlap_density(["easy", "hard"], **AUDITED, sample_weight=weights)


def test_audited_rows_must_match():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        corrected_overlap_density(
            ["easy"], **AUDITED | {"audited_regions": ["easy", "overlap"]}
        )


@pytest.mark.parametrize("container", [tuple, np.array, pd.Series, pd.Categorical])
def test_regions_come_in_any_container(container):
    regions = ["easy", "overlap", "overlap", "hard"]
    expected = overlap_density_interval(regions)
    assert overlap_density_interval(container(regions)) == expected
    audited = {name: container(value) for name, value in AUDITED.items()}
    assert corrected_overlap_density(
        container(regions), **audited
    ) == corrected_overlap_density(regions, **AUDITED)


def test_ends_are_plain_floats():
    density, interval = corrected_overlap_density(["easy", "overlap"], **AUDITED)
    ends = (density, *interval, *overlap_density_interval(["easy"]))
    assert {type(end) for end in ends} == {float}


# The regime


@pytest.mark.parametrize(
    ("density", "regime"),
    [
        (0, "low"),
        (np.nextafter(0.1, 0), "low"),
        (0.1, "medium"),
        (np.nextafter(0.2, 0), "medium"),
        (0.2, "high"),
        (1, "high"),
    ],
)
def test_regimes_are_cut_where_stated(density, regime):
    assert overlap_regime(density) == regime
    assert type(overlap_regime(np.float32(density))) is str


@given(densities=st.lists(st.floats(0, 1), min_size=1))
def test_an_array_gets_the_regime_of_each_number(densities):
    regimes = overlap_regime(densities)
    assert regimes.tolist() == [overlap_regime(density) for density in densities]
    assert overlap_regime([densities]).shape == (1, len(densities))


@pytest.mark.parametrize("density", [-1e-9, 1.001, np.nan, np.inf, [0.1, 2.0]])
def test_a_density_is_a_share(density):
    with pytest.raises(ValueError, match=r"density=.* must be in \[0, 1\]"):
        overlap_regime(density)

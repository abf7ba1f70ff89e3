"""Density, its interval, and scores of regions agree with plain counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import (
    corrected_overlap_density,
    overlap_density,
    overlap_density_interval,
    overlap_regime,
    region_accuracy,
    region_rmse,
)

REGIONS = ("easy", "hard", "overlap")
rows = st.lists(
    st.tuples(
        st.sampled_from(REGIONS),
        st.sampled_from("ab"),
        st.sampled_from("ab"),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=20,
).filter(lambda rows: any(weight for *_, weight in rows))


@given(rows=rows)
def test_the_density_counts_overlap_rows(rows):
    regions, _, _, weights = map(np.array, zip(*rows, strict=True))
    assert overlap_density(regions) == pytest.approx(np.mean(regions == "overlap"))
    weighted = overlap_density(regions, sample_weight=weights)
    assert weighted == pytest.approx(overlap_density(np.repeat(regions, weights)))


@given(rows=rows)
def test_regions_together_have_the_accuracy_of_all_rows(rows):
    regions, y_true, y_pred, weights = map(np.array, zip(*rows, strict=True))
    accuracy = region_accuracy(y_true, y_pred, regions, sample_weight=weights)
    assert tuple(accuracy) == REGIONS
    total = sum(
        accuracy[region] * weights[regions == region].sum()
        for region in REGIONS
        if weights[regions == region].any()
    )
    expected = accuracy_score(y_true, y_pred, sample_weight=weights)
    assert total / weights.sum() == pytest.approx(expected)


@given(rows=rows)
def test_a_weight_counts_repetitions_and_zero_removes_a_row(rows):
    regions, y_true, y_pred, weights = map(np.array, zip(*rows, strict=True))
    weighted = region_accuracy(y_true, y_pred, regions, sample_weight=weights)
    repeated = region_accuracy(*np.repeat([y_true, y_pred, regions], weights, axis=1))
    assert weighted == pytest.approx(repeated, nan_ok=True)


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, pd.Series, pd.Categorical]
)
def test_regions_come_in_any_container(container):
    regions = container(["easy", "overlap", "overlap", "hard"])
    assert overlap_density(regions) == 0.5
    accuracy = region_accuracy([0, 1, 1, 0], [0, 1, 0, 1], regions)
    assert accuracy == {"easy": 1.0, "hard": 0.0, "overlap": 0.5}
    assert {type(value) for value in accuracy.values()} == {float}


@pytest.mark.parametrize("regions", [["easy", "Overlap"], [0, 1], ["hard", None]])
def test_an_unknown_region_is_named(regions):
    with pytest.raises(ValueError, match="regions holds"):
        overlap_density(regions)
    with pytest.raises(ValueError, match="regions holds"):
        region_accuracy([0, 1], [0, 1], regions)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="regions is empty"):
        overlap_density([])


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [np.nan, 1], [1, 1, 1]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        overlap_density(["easy", "hard"], sample_weight=weights)


def test_lengths_and_kinds_of_labels_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        region_accuracy([0, 1], [0, 1], ["easy"])
    with pytest.raises(ValueError, match="differ in kind"):
        region_accuracy([0, 1], ["a", "b"], ["easy", "easy"])


@pytest.mark.parametrize("marks", [(-1, -1), (7, 7), (None, -1), (np.nan, -1)])
def test_rows_without_a_true_label_are_left_out(marks):
    mark, missing_label = marks
    y_true, y_pred, regions = [0, 1, mark, 0, mark], [0, 0, 1, 0, 0], list("eeeoh")
    regions = [next(name for name in REGIONS if name[0] == r) for r in regions]
    weights, marker = [1, 3, 9, 1, 9], {"missing_label": missing_label}
    accuracy = region_accuracy(y_true, y_pred, regions, sample_weight=weights, **marker)
    assert accuracy == pytest.approx(
        {"easy": 0.25, "hard": np.nan, "overlap": 1.0}, nan_ok=True
    )
    nobody = region_accuracy([mark] * 2, [0, 1], REGIONS[:2], **marker)
    assert np.isnan(list(nobody.values())).all()


def test_a_marker_that_is_predicted_is_a_class():
    accuracy = region_accuracy([-1, 0, -1], [-1, -1, 0], ["easy"] * 3)
    assert accuracy["easy"] == pytest.approx(1 / 3)


def test_errors_by_region_are_those_of_its_labeled_rows():
    y = np.array([1.0, np.nan, 3.0, -1.0, 5.0])
    said = np.array([1.5, 9.0, 5.0, 0.0, 1.0])
    regions = ["easy", "easy", "hard", "hard", "hard"]
    found = region_rmse(y, said, regions)
    assert found["easy"] == 0.5
    assert found["hard"] == pytest.approx(np.sqrt((4 + 1 + 16) / 3))
    assert np.isnan(found["overlap"])


def test_a_weight_of_two_is_an_error_given_twice():
    y, said = [1.0, 2.0, 4.0], [0.0, 4.0, 1.0]
    weighted = region_rmse(y, said, ["easy"] * 3, sample_weight=[2, 0, 1])
    assert weighted["easy"] == pytest.approx(np.sqrt((1 + 1 + 9) / 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_pred": [1.0]}, "inconsistent numbers"),
        ({"y_pred": [1.0, np.inf]}, "y_pred contains infinity"),
        ({"y_true": ["a", "b"]}, "not a real number"),
        ({"regions": ["easy", "odd"]}, "regions holds 'odd'"),
    ],
)
def test_errors_by_region_refuse_what_is_no_value(changes, message):
    given = {"y_true": [1.0, 2.0], "y_pred": [1.0, 2.0], "regions": ["easy", "hard"]}
    with pytest.raises(ValueError, match=message):
        region_rmse(**given | changes)


# Intervals cover the density as often as they say; regimes are cut where stated


weighted_regions = st.lists(
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


@given(rows=weighted_regions, level=st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_without_weights_it_is_the_wilson_interval(rows, level):
    regions = np.array([region for region, _ in rows])
    test = binomtest(int((regions == "overlap").sum()), len(regions))
    expected = test.proportion_ci(level, method="wilson")
    interval = overlap_density_interval(regions, confidence_level=level)
    assert interval == pytest.approx(tuple(expected), abs=1e-12)


@given(rows=weighted_regions)
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


@given(rows=weighted_regions, factor=st.sampled_from([1e-300, 0.3, 7.0, 1e300]))
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


@given(rows=weighted_regions)
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
    with pytest.raises(ValueError, match=r"confidence_level=.* must be a number in"):
        overlap_density_interval(["easy"], confidence_level=level)
    with pytest.raises(ValueError, match=r"confidence_level=.* must be a number in"):
        corrected_overlap_density(["easy"], **AUDITED, confidence_level=level)


@pytest.mark.parametrize("name", ["regions", *AUDITED])
@pytest.mark.parametrize(
    ("bad", "problem"), [(["esay"], "holds 'esay'"), ([], "is empty")]
)
def test_bad_regions_are_named(name, bad, problem):
    with pytest.raises(ValueError, match=rf"^{name} {problem}"):
        corrected_overlap_density(**{"regions": ["easy"]} | AUDITED | {name: bad})


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [np.nan, 1], [1, 1, 1]])
def test_bad_weights_have_no_interval(weights):
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
def test_an_interval_is_of_regions_in_any_container(container):
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


# Shares and regions that are none are refused wherever they are taken


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

"""Rows are dealt once at most, and in exactly the numbers that were asked for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_w2s.datasets import split_sources_by_count, split_sources_by_ratio

REGIONS = ("easy", "hard", "overlap")
SPLITTERS = [split_sources_by_count, split_sources_by_ratio]

seeds = st.integers(0, 9)
densities = st.lists(st.floats(0, 1), min_size=1, max_size=4)
parts = st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(any)
available = st.tuples(*[st.integers(0, 60)] * 3).filter(any)
shuffled = st.builds(
    lambda counts, seed: np.random.RandomState(seed).permutation(
        np.repeat(REGIONS, counts)
    ),
    available,
    seeds,
)


def count(regions):
    return [int(np.sum(np.asarray(regions) == name)) for name in REGIONS]


def counts_by_source(regions, split, n_sources):
    rows, source = split
    return [count(regions[rows[source == f"source_{k}"]]) for k in range(n_sources)]


def fits(regions, n, densities):
    """Say whether the rows suffice, by the definition."""
    overlap = [round(n * density) for density in densities]
    hard = [(n - o) // 2 for o in overlap]
    easy = [n - o - h for o, h in zip(overlap, hard, strict=True)]
    needed = (sum(easy), sum(hard), sum(overlap))
    return all(a >= b for a, b in zip(count(regions), needed, strict=True))


# By ratio


@given(regions=shuffled, parts=parts, seed=seeds)
def test_by_ratio_all_rows_are_dealt_and_parts_are_off_by_less_than_one(
    regions, parts, seed
):
    ratios = np.array(parts) / sum(parts)
    n_easy, n_hard, n_overlap = count(regions)
    # No source is left without a row.
    assume(max(n_easy, n_hard) >= len(ratios))
    rows, source = split = split_sources_by_ratio(regions, ratios, random_state=seed)
    assert rows.tolist() == list(range(len(regions)))
    assert source.shape == rows.shape
    dealt = np.array(counts_by_source(regions, split, len(ratios)))
    assert dealt.sum(axis=0).tolist() == [n_easy, n_hard, n_overlap]
    assert (np.abs(dealt[:, 2] - n_overlap * ratios) < 1).all()
    assert np.ptp(dealt[:, 0]) <= 1
    assert np.ptp(dealt[:, 1]) <= 1


@given(parts=parts, seed=seeds)
def test_by_ratio_parts_that_are_whole_numbers_are_met_exactly(parts, seed):
    n_sources, n_overlap = len(parts), sum(parts)
    regions = np.repeat(REGIONS, [2 * n_sources, 3 * n_sources, n_overlap])
    ratios = [part / n_overlap for part in parts]
    split = split_sources_by_ratio(regions, ratios, random_state=seed)
    assert counts_by_source(regions, split, n_sources) == [[2, 3, p] for p in parts]


def test_by_ratio_the_largest_remainders_are_rounded_up():
    regions = np.repeat(["overlap", "easy"], [10, 7])
    split = split_sources_by_ratio(regions, (0.24, 0.37, 0.39), random_state=0)
    # Parts of 2.4, 3.7 and 3.9, and three of 2.33, of which the first is as good.
    assert counts_by_source(regions, split, 3) == [[3, 0, 2], [2, 0, 4], [2, 0, 4]]


def test_by_ratio_of_equal_remainders_the_first_are_rounded_up():
    regions = np.repeat(["overlap", "easy"], [45, 40])
    split = split_sources_by_ratio(regions, np.full(40, 1 / 40), random_state=0)
    expected = [[1, 0, 2]] * 5 + [[1, 0, 1]] * 35
    assert counts_by_source(regions, split, 40) == expected


def test_by_ratio_the_densities_are_those_of_the_formula():
    regions = np.repeat(REGIONS, [350, 350, 300])
    dealt = counts_by_source(regions, split_sources_by_ratio(regions), 2)
    found = [overlap / sum(rest) for rest in dealt for overlap in rest[2:]]
    expected = [0.1 * 300 / (0.1 * 300 + 350), 0.9 * 300 / (0.9 * 300 + 350)]
    assert found == pytest.approx(expected)


# By count


@given(regions=shuffled, densities=densities, seed=seeds, n=st.integers(1, 30))
def test_by_count_every_source_has_its_size_and_density(regions, densities, seed, n):
    assume(fits(regions, n, densities))
    rows, source = split = split_sources_by_count(
        regions, densities, n_samples=n, random_state=seed
    )
    assert (np.diff(rows) > 0).all()
    assert len(rows) == len(source) == n * len(densities)
    dealt = counts_by_source(regions, split, len(densities))
    for density, (n_easy, n_hard, n_overlap) in zip(densities, dealt, strict=True):
        assert n_easy + n_hard + n_overlap == n
        assert n_overlap == round(n * density)
        assert n_easy - n_hard in {0, 1}


@given(regions=shuffled, densities=densities)
def test_by_count_sources_are_as_large_as_the_rows_allow(regions, densities):
    fitting = [n for n in range(1, len(regions) + 1) if fits(regions, n, densities)]
    if fitting:
        rows, _ = split_sources_by_count(regions, densities)
        assert len(rows) == max(fitting) * len(densities)
    else:
        with pytest.raises(ValueError, match=r"^n_samples=None with "):
            split_sources_by_count(regions, densities)


@given(regions=shuffled, densities=densities, n=st.integers(1, 80))
def test_by_count_an_impossible_size_is_refused_with_the_largest_one(
    regions, densities, n
):
    assume(not fits(regions, n, densities) and fits(regions, 1, densities))
    with pytest.raises(ValueError, match="Pass n_samples=") as caught:
        split_sources_by_count(regions, densities, n_samples=n)
    largest = int(str(caught.value).split("Pass n_samples=")[1].split()[0])
    assert fits(regions, largest, densities)
    assert not fits(regions, largest + 1, densities)


def test_by_count_the_refusal_says_what_is_short_and_by_how_much():
    regions = np.repeat(REGIONS, [100, 3, 20])
    with pytest.raises(ValueError, match="needs 24 hard rows") as caught:
        split_sources_by_count(regions, (0.1, 0.9), n_samples=50)
    assert str(caught.value) == (
        "n_samples=50 with overlap_densities=(0.1, 0.9) needs 24 hard rows (regions "
        "has 3) and 50 overlap rows (regions has 20). Pass n_samples=8 at most, other "
        "densities or more rows."
    )


def test_by_count_rows_too_few_for_any_size_are_refused():
    with pytest.raises(ValueError, match="needs 2 easy rows") as caught:
        split_sources_by_count(["overlap", "easy"], (0.0, 0.2))
    assert str(caught.value) == (
        "n_samples=None with overlap_densities=(0.0, 0.2) needs 2 easy rows (regions "
        "has 1). Pass other densities or more rows."
    )


# Both


@pytest.mark.parametrize("split", SPLITTERS)
def test_the_seed_decides_which_rows_and_not_how_many(split):
    regions = np.random.RandomState(0).permutation(np.repeat(REGIONS, 40))
    first, again, other = (split(regions, random_state=seed) for seed in (0, 0, 1))
    for one, same in zip(first, again, strict=True):
        assert one.tolist() == same.tolist()
    assert first[1].tolist() != other[1].tolist()
    assert counts_by_source(regions, first, 2) == counts_by_source(regions, other, 2)


@pytest.mark.parametrize("split", SPLITTERS)
def test_rows_of_a_region_are_dealt_at_random(split):
    regions = np.repeat(REGIONS, 2000)
    rows, source = split(regions, random_state=0)
    for name in ("source_0", "source_1"):
        overlap = rows[(source == name) & (regions[rows] == "overlap")]
        assert overlap.mean() == pytest.approx(5000, abs=200)


@pytest.mark.parametrize("split", SPLITTERS)
@pytest.mark.parametrize("container", [list, tuple, pd.Series, np.array])
def test_containers_of_regions_make_no_difference(split, container):
    regions = ["easy", "hard", "overlap", "overlap"] * 10
    expected = split(np.array(regions), random_state=0)
    for one, other in zip(
        split(container(regions), random_state=0), expected, strict=True
    ):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("split", SPLITTERS)
def test_more_than_ten_sources_keep_their_names(split):
    shares = np.full(12, 1 / 12)
    _, source = split(np.repeat(REGIONS, 480), shares, random_state=0)
    assert set(source) == {f"source_{k}" for k in range(12)}


@pytest.mark.parametrize("split", SPLITTERS)
@pytest.mark.parametrize(
    ("regions", "wrong"),
    [
        ([], "is empty: at least one row"),
        (["easy", "both"], "holds 'both'; name each"),
        (["easy", None], "holds None; name each"),
        ([1], "holds 1; name each"),
    ],
)
def test_regions_of_other_names_are_refused(split, regions, wrong):
    with pytest.raises(ValueError, match=f"^regions {wrong}"):
        split(regions)


@pytest.mark.parametrize(
    ("split", "arguments", "message"),
    [
        (split_sources_by_ratio, {"ratios": (0.5, 0.6)}, r"ratios=\(0.5, 0.6\) must"),
        (split_sources_by_ratio, {"ratios": (1.5, -0.5)}, r"ratios\[0\]=1.5 must"),
        (split_sources_by_ratio, {"ratios": []}, r"ratios=\[\] must be a list"),
        (split_sources_by_ratio, {"ratios": 0.5}, "ratios=0.5 must be a list"),
        (
            split_sources_by_count,
            {"overlap_densities": (0.1, float("nan"))},
            r"overlap_densities\[1\]=nan must be a number in \[0, 1\]",
        ),
        (split_sources_by_count, {"overlap_densities": "0.5"}, "overlap_densities"),
        (split_sources_by_count, {"n_samples": 0}, "n_samples=0 must be an integer"),
        (split_sources_by_count, {"n_samples": 2.0}, "n_samples=2.0 must be an int"),
    ],
)
def test_a_bad_argument_is_named_with_its_value(split, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        split(list(REGIONS) * 5, **arguments)


def test_by_ratio_a_source_without_rows_is_refused():
    with pytest.raises(ValueError, match="leave source_0 without a row of the 3 "):
        split_sources_by_ratio(["overlap"] * 3, (0.0, 1.0))

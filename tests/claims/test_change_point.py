"""The change point is the exact split into two means, whichever way it is sought."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.thresholds import change_point

# Sixteenths are exact, so that shifts, scalings and repetitions round nowhere.
exact = st.integers(-160, 160).map(lambda i: i / 16)
scores = st.lists(exact, min_size=2, max_size=25).filter(lambda x: len(set(x)) > 1)
weighted_scores = st.lists(
    st.tuples(exact, st.integers(0, 4)), min_size=2, max_size=25
).filter(lambda pairs: len({x for x, w in pairs if w}) > 1)


def within_group_squares(values, is_low):
    return sum(
        ((group - group.mean()) ** 2).sum()
        for group in (values[is_low], values[~is_low])
    )


def smallest_squares(values):
    """Try every threshold above the smallest score."""
    return min(within_group_squares(values, values < t) for t in np.unique(values)[1:])


@given(values=scores)
def test_it_is_the_best_of_all_splits(values):
    values = np.array(values)
    squares = within_group_squares(values, values < change_point(values))
    assert squares == pytest.approx(smallest_squares(values), abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_only_best_split_of_continuous_scores(seed):
    rng = np.random.default_rng(seed)
    values = rng.beta(*rng.uniform(0.3, 3, 2), size=rng.integers(2, 80))
    threshold = change_point(values)
    candidates = np.sort(values)[1:]
    squares = [within_group_squares(values, values < t) for t in candidates]
    lowest_above = candidates[np.argmin(squares)]
    highest_below = values[values < lowest_above].max()
    assert threshold == pytest.approx((lowest_above + highest_below) / 2)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_break_that_ruptures_finds_when_it_looks_everywhere(seed):
    ruptures = pytest.importorskip("ruptures")
    rng = np.random.default_rng(seed)
    values = np.sort(rng.beta(*rng.uniform(0.3, 3, 2), size=rng.integers(7, 80)))
    search = ruptures.Binseg(model="l2", jump=1, min_size=1).fit(values)
    expected, _ = search.predict(n_bkps=1)
    assert np.sum(values < change_point(values)) == expected


@given(values=scores)
def test_no_split_that_ruptures_finds_is_better(values):
    ruptures = pytest.importorskip("ruptures")
    ordered = np.sort(values)
    search = ruptures.Binseg(model="l2", jump=1, min_size=1).fit(ordered)
    expected = search.cost.sum_of_costs(search.predict(n_bkps=1))
    squares = within_group_squares(ordered, ordered < change_point(values))
    # Of splits that tie, each takes its own; rounding bounds the difference.
    assert squares == pytest.approx(expected, abs=1e-9)


@given(pairs=weighted_scores, seed=st.integers(0, 9))
def test_the_order_of_weighted_scores_does_not_matter(pairs, seed):
    order = np.random.default_rng(seed).permutation(len(pairs))
    values, weights = map(np.array, zip(*pairs, strict=True))
    shuffled = change_point(values[order], weights[order])
    assert shuffled == change_point(values, weights)


@given(values=scores, seed=st.integers(0, 9))
def test_the_order_of_the_scores_does_not_matter(values, seed):
    shuffled = np.random.default_rng(seed).permutation(values)
    assert change_point(shuffled) == change_point(values)


@given(pairs=weighted_scores)
def test_a_weight_counts_repetitions(pairs):
    values, weights = map(np.array, zip(*pairs, strict=True))
    repeated = np.repeat(values, weights)
    assert change_point(values, weights) == change_point(repeated)


@given(pairs=weighted_scores, scale=st.sampled_from([1e-6, 0.3, 7.0, 1e6]))
def test_the_scale_of_the_weights_does_not_matter(pairs, scale):
    values, weights = map(np.array, zip(*pairs, strict=True))
    assert change_point(values, scale * weights) == change_point(values, weights)


@given(values=scores)
def test_equal_scores_are_never_parted(values):
    threshold = change_point(values)
    assert threshold not in set(values)


@given(values=scores, shift=st.integers(-1000, 1000), power=st.integers(-3, 3))
def test_it_moves_with_a_shift_and_a_change_of_units(values, shift, power):
    moved = 2.0**power * (np.array(values) + shift)
    assert change_point(moved) == 2.0**power * (change_point(values) + shift)


@pytest.mark.parametrize(
    "values", [[], [0.5], [0.5, 0.5], [0.0] * 50, [1.0] * 6, [0.1 + 0.2, 0.3]]
)
def test_scores_without_spread_have_no_change_point(values):
    assert change_point(values) is None


@pytest.mark.parametrize("n", range(2, 8))
def test_few_scores_are_parted_as_many_are(n):
    values = np.r_[np.zeros(n - 1), 1.0]
    assert change_point(values) == 0.5


def test_one_change_point_halves_a_spread_rather_than_finding_its_mode():
    rng = np.random.default_rng(0)
    values = np.r_[np.zeros(100), rng.uniform(size=200)]
    threshold = change_point(values)
    assert threshold == pytest.approx(0.39, abs=0.06)
    assert np.sum(values < threshold) == pytest.approx(185, abs=15)

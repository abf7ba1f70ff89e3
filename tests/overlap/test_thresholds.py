import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from sklearn_w2s._algorithms.thresholds import change_point, weighted_quantile
from sklearn_w2s.overlap import NoChangePointWarning
from sklearn_w2s.overlap._partition import SPLITS, find_threshold, split_mixture

SCORES = np.array([0.1, 0.2, 0.3, 0.9, 1.0])
WEIGHTS = np.array([1.0, 2, 1, 1, 5])


def find(
    threshold,
    threshold_type="value",
    scores=SCORES,
    auto="change_point",
    weights=WEIGHTS,
):
    data = scores, weights[: len(scores)]
    named = {"auto": auto, "name": "some_threshold"}
    return find_threshold(threshold, threshold_type, *data, **named)


@pytest.mark.parametrize("threshold_type", ["value", "quantile"])
@pytest.mark.parametrize("name", SPLITS)
def test_auto_is_the_split_that_is_meant(name, threshold_type):
    assert find("auto", threshold_type, auto=name) == SPLITS[name](SCORES, WEIGHTS)


@pytest.mark.parametrize("auto", SPLITS)
def test_a_split_by_name_is_that_one_whatever_auto_is(auto):
    assert find("change_point", auto=auto) == change_point(SCORES, WEIGHTS)
    assert find("mixture", auto=auto) == split_mixture(SCORES, WEIGHTS)


def test_the_published_threshold_looks_at_every_fifth_score():
    scores = np.r_[np.zeros(6), np.ones(10)]
    assert find("published", scores=scores, weights=np.ones(16)) == 0


def test_an_estimator_of_ruptures_that_looks_everywhere_is_the_change_point():
    ruptures = pytest.importorskip("ruptures")
    estimator = ruptures.Binseg(model="l2", jump=1, min_size=1)
    assert find(estimator, auto="mixture") == find("change_point")


@pytest.mark.parametrize("number", [0, 1, 0.5, np.float32(0.5), np.inf, -3.0])
def test_a_number_is_the_value_itself(number):
    assert find(number) == number
    assert type(find(number)) is float


@pytest.mark.parametrize("q", [0, 0.25, 0.5, 1])
def test_a_number_may_be_a_weighted_quantile(q):
    assert find(q, "quantile") == weighted_quantile(SCORES, q, WEIGHTS)


@pytest.mark.parametrize("threshold_type", ["value", "quantile"])
def test_a_function_gives_a_value_whatever_numbers_mean(threshold_type):
    def threshold(scores, weights):
        assert_array_equal(scores, SCORES)
        assert_array_equal(weights, WEIGHTS)
        return 7

    assert find(threshold, threshold_type) == 7.0


@pytest.mark.parametrize("scores", [[0.5], [0.5] * 5, [0.0, 0.0], [-1.0, -1.0]])
@pytest.mark.parametrize("name", ["auto", "published", *SPLITS])
@pytest.mark.parametrize("auto", SPLITS)
def test_scores_that_are_all_equal_have_none_and_a_warning(scores, name, auto):
    with pytest.warns(NoChangePointWarning, match="some_threshold=.* no change point"):
        assert find(name, scores=np.array(scores), auto=auto) is None


@pytest.mark.parametrize(
    ("threshold", "threshold_type", "message"),
    [
        (np.nan, "value", "some_threshold=nan is not a number"),
        (-0.1, "quantile", r"some_threshold=-0.1 .* not in \[0, 1\]"),
        (lambda *_: "high", "value", r"some_threshold\(values, .*='high' is not"),
        (lambda *_: np.nan, "value", r"some_threshold\(values, .*=nan is not"),
    ],
)
def test_what_is_no_threshold_is_refused(threshold, threshold_type, message):
    with pytest.raises(ValueError, match=message):
        find(threshold, threshold_type)


# The split of a mixture

scores_of = st.lists(st.integers(1, 4000), min_size=2, max_size=40).map(
    lambda numbers: np.array(numbers) / 1000
)


def unequal_groups(rng, n_below=900, n_above=100):
    """Logarithms of two normal groups: many in a narrow one, few in a wide one."""
    return np.r_[rng.normal(-3, 0.1, n_below), rng.normal(-1, 0.5, n_above)]


@given(scores=scores_of, negative=st.booleans(), seed=st.integers(0, 99))
def test_a_split_leaves_scores_of_positive_weight_on_both_sides(scores, negative, seed):
    scores = scores - 1 if negative else scores
    weights = np.random.default_rng(seed).integers(0, 3, size=len(scores)) * 1.0
    weights[0] = 1
    counted = scores[weights > 0]
    found = split_mixture(scores, weights)
    if found is None:
        assert np.ptp(counted) == 0
    else:
        assert counted.min() < found <= counted.max()


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_unequal_size_and_spread_part_where_they_are_equally_likely(seed):
    logs = unequal_groups(np.random.default_rng(seed))
    weights = np.ones(len(logs))

    def excess(t):
        return 0.9 * stats.norm.pdf(t, -3, 0.1) - 0.1 * stats.norm.pdf(t, -1, 0.5)

    found = np.log(split_mixture(np.exp(logs), weights))
    assert excess(found - 0.1) > 0 > excess(found + 0.1)
    # The change point cuts the wide group.
    cut = np.log(change_point(np.exp(logs), weights))
    assert np.mean(logs[900:] < cut) > 0.2
    assert np.mean(logs[900:] < found) < 0.05
    assert np.mean(logs[:900] < found) > 0.99


@pytest.mark.parametrize(("factor", "power"), [(1e-6, 1), (1e6, 1), (1, 0.5), (1, 0.1)])
def test_the_split_of_similarities_follows_their_scale_and_power(factor, power):
    scores = np.exp(unequal_groups(np.random.default_rng(0)))
    weights = np.ones(len(scores))
    found = split_mixture(factor * scores**power, weights)
    assert found == pytest.approx(factor * split_mixture(scores, weights) ** power)


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0), (1e6, 0), (1, -5), (1, 2)])
def test_the_split_of_scores_of_any_sign_follows_their_scale_and_shift(factor, shift):
    scores = unequal_groups(np.random.default_rng(0))
    weights = np.ones(len(scores))
    found = split_mixture(factor * (scores + shift), weights)
    expected = factor * (split_mixture(scores, weights) + shift)
    assert scores.max() + shift < 0 or scores.min() + shift < 0
    assert found == pytest.approx(expected)


def test_a_weight_counts_repetitions_in_a_mixture():
    scores = np.exp(unequal_groups(np.random.default_rng(0), 200, 50))
    weights = np.random.default_rng(1).integers(0, 4, size=len(scores))
    repeated = np.repeat(scores, weights)
    expected = split_mixture(repeated, np.ones(len(repeated)))
    assert split_mixture(scores, weights) == pytest.approx(expected)


def test_rows_that_do_not_count_do_not_move_the_split():
    scores = np.exp(unequal_groups(np.random.default_rng(0), 200, 50))
    weights = np.r_[np.ones(250), 0, 0]
    expected = split_mixture(scores, weights[:250])
    assert split_mixture(np.r_[scores, -1e9, 1e9], weights) == expected


def test_a_mode_is_split_off_a_spread():
    scores = np.r_[np.zeros(100), np.linspace(0.005, 1, 200)]
    below = scores < split_mixture(scores, np.ones(300))
    assert below[:100].all()
    assert not below[100:].any()
    # The change point cuts the spread in half.
    assert (scores < change_point(scores)).sum() > 170

"""A change point estimator of ruptures gives the threshold of its one break."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s._algorithms.thresholds import change_point
from sklearn_w2s.overlap._ruptures import (
    published_threshold,
    ruptures_threshold,
)

ruptures = pytest.importorskip("ruptures")

NAME = "some_threshold"
EVERYWHERE = {"jump": 1, "min_size": 1}
EXACT = {
    "Binseg": lambda: ruptures.Binseg(model="l2", **EVERYWHERE),
    "Dynp": lambda: ruptures.Dynp(model="l2", **EVERYWHERE),
    "KernelCPD": lambda: ruptures.KernelCPD(kernel="linear", min_size=1),
    "Pelt": lambda: ruptures.Pelt(model="l2", **EVERYWHERE),
}
ALL = EXACT | {
    "BottomUp": lambda: ruptures.BottomUp(model="l2", **EVERYWHERE),
    "Window": lambda: ruptures.Window(width=10, model="l2", **EVERYWHERE),
}
# Sixteenths are exact, so that no optimum is decided by rounding.
scores_of = st.lists(st.integers(-160, 160).map(lambda i: i / 16), min_size=2)
TWO_GROUPS = np.r_[np.linspace(0, 0.2, 30), np.linspace(0.9, 1, 20)]


def find(estimator, scores, weights=None):
    scores = np.asarray(scores, dtype=np.float64)
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights)
    return ruptures_threshold(estimator, scores, weights.astype(float), name=NAME)


def has_one_best_split(scores):
    """Say whether the best split is better than the second by more than rounding."""
    x = np.sort(scores) - np.mean(scores)
    below = np.arange(1, len(x))
    gains = np.cumsum(x)[:-1] ** 2 * (1 / below + 1 / below[::-1])
    gains = np.sort(gains[np.diff(x) > 0])[::-1]
    return len(gains) == 1 or gains[0] > gains[1] * (1 + 1e-9)


class Breaks:
    """An estimator that breaks where it is told."""

    def __init__(self, *breaks):
        self.breaks = breaks

    def fit(self, signal):
        self.n = len(signal)

    def predict(self, n_bkps):
        return [*self.breaks, self.n]


@pytest.mark.parametrize("name", EXACT)
@given(scores=scores_of)
def test_where_it_looks_everywhere_it_is_the_exact_change_point(name, scores):
    if len(set(scores)) == 1 or has_one_best_split(scores):
        assert find(EXACT[name](), scores) == change_point(scores)


@pytest.mark.parametrize("name", ["Binseg", "Pelt"])
@given(data=st.data(), scores=scores_of)
def test_a_whole_weight_repeats_a_score(name, data, scores):
    counts = data.draw(
        st.lists(st.integers(0, 8), min_size=len(scores), max_size=len(scores)).filter(
            any
        )
    )
    repeated = np.repeat(scores, counts)
    if len(set(repeated)) == 1 or has_one_best_split(repeated):
        threshold = find(EXACT[name](), scores, counts)
        assert threshold == change_point(scores, counts)
        assert threshold == find(EXACT[name](), repeated)


@pytest.mark.parametrize("name", ALL)
def test_two_groups_are_parted_midway_in_whatever_order(name):
    scores = np.random.default_rng(0).permutation(TWO_GROUPS)
    assert find(ALL[name](), scores) == pytest.approx(0.55)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("scores", [[0.5], [0.5] * 20, [0.1 + 0.2, 0.3]])
def test_scores_that_are_all_equal_have_no_change_point(name, scores):
    assert find(ALL[name](), scores) is None


@pytest.mark.parametrize("name", ALL)
def test_the_estimator_is_left_as_it_was(name):
    estimator = ALL[name]()
    estimator.fit(np.arange(30.0)[:, None])
    before = pickle.dumps(estimator)
    find(estimator, TWO_GROUPS)
    assert pickle.dumps(estimator) == before


def test_the_input_is_left_as_it_was():
    scores, weights = np.array([0, 3.0, 1, 9, 8]), np.array([1, 1, 2.0, 1, 0])
    scores.flags.writeable = weights.flags.writeable = False
    assert find(EXACT["Binseg"](), scores, weights) == 6


def test_no_signal_stays_alive_in_a_cache():
    class Inherited(ruptures.Binseg):
        pass

    find(Inherited(**EVERYWHERE), TWO_GROUPS)
    find(EXACT["Dynp"](), TWO_GROUPS)
    assert ruptures.Binseg.single_bkp.cache_info().currsize == 0
    assert ruptures.Dynp.seg.cache_info().currsize == 0


@pytest.mark.parametrize("model", ["l1", "l2", "rbf"])
@pytest.mark.parametrize("seed", range(5))
def test_a_penalty_under_which_pelt_breaks_once_breaks_there(model, seed):
    rng = np.random.default_rng(seed)
    scores = np.sort(np.r_[rng.normal(size=25), rng.normal(2 + seed, size=15)])
    pelt = ruptures.Pelt(model=model, jump=3, min_size=3)
    fitted = copy.deepcopy(pelt).fit(scores[:, None])
    answers = [fitted.predict(pen=pen)[:-1] for pen in np.geomspace(0.01, 1000, 300)]
    places = {answer[0] for answer in answers if len(answer) == 1}
    expected = {(scores[k - 1] + scores[k]) / 2 for k in places}
    assert {find(pelt, scores)} == expected


def test_a_cost_of_the_user_is_what_is_minimised():
    class LeftLength(ruptures.base.BaseCost):
        model, min_size = "", 1

        def fit(self, signal):
            self.signal = signal

        def error(self, start, end):
            return (end - start - 7) ** 2 if start == 0 else 0

    for kind in (ruptures.Binseg, ruptures.Dynp, ruptures.Pelt):
        estimator = kind(custom_cost=LeftLength(), **EVERYWHERE)
        assert find(estimator, np.arange(20.0)) == 6.5


@pytest.mark.parametrize(
    ("position", "threshold"), [(1, 0.5), (2, 0.5), (3, 0.5), (4, 1.5), (5, 1.5)]
)
def test_a_break_between_equal_scores_moves_to_the_nearest_difference(
    position, threshold
):
    # At position 3, both differences are two places away.
    assert find(Breaks(position), [0, 1, 1, 1, 1, 2]) == threshold


def test_neighbouring_floats_are_parted():
    low = 1.0
    high = np.nextafter(low, 2)
    assert find(Breaks(2), [0, low, high]) == high


def test_scores_of_zero_weight_do_not_exist():
    assert find(EXACT["Binseg"](), [0, 1, 5, 99], [1, 1, 1, 0]) == 3
    assert find(EXACT["Binseg"](), [0, 1], [1, 0]) is None


@pytest.mark.parametrize("weight", [0.25, 3, 1e30])
def test_equal_weights_count_every_score_once(weight):
    scores = np.arange(10.0) ** 2
    estimator = ruptures.Binseg(jump=1, min_size=4)
    assert find(estimator, scores, np.full(10, weight)) == find(estimator, scores)


def test_whole_weights_are_relative():
    scores, weights = np.arange(10.0) ** 2, np.arange(1, 11)
    expected = find(EXACT["Binseg"](), scores, weights)
    assert find(EXACT["Binseg"](), scores, 1000 * weights) == expected


@pytest.mark.parametrize("weights", [[1, 1, 0.5], [1, 1, 100], [1, 1, 1e30]])
def test_other_weights_are_refused(weights):
    message = r'some_threshold=Binseg\(...\) counts every score once.*"auto"'
    with pytest.raises(ValueError, match=message):
        find(EXACT["Binseg"](), [0, 1, 5], weights)


@pytest.mark.parametrize("kind", ["Binseg", "BottomUp", "Dynp", "Pelt", "Window"])
@pytest.mark.parametrize(("jump", "min_size"), [(1, 2), (5, 2), (1, 7), (3, 7), (4, 4)])
def test_fewer_scores_than_it_needs_are_refused(kind, jump, min_size):
    estimator = getattr(ruptures, kind)(jump=jump, min_size=min_size)
    needed = -(-min_size // jump) * jump + min_size
    message = (
        rf"some_threshold={kind}\(...\) with min_size={min_size} and jump={jump} needs "
        rf"{needed} scores .* there are {needed - 1}\. Lower"
    )
    with pytest.raises(ValueError, match=message):
        find(estimator, np.arange(needed - 1))
    if kind != "Window":
        assert find(estimator, np.arange(needed)) is not None


def test_an_estimator_that_finds_no_break_is_refused():
    message = r"Window\(...\) found 0 breaks in 50 sorted scores, not one\. Lower its"
    with pytest.raises(ValueError, match=message):
        find(ruptures.Window(width=100), TWO_GROUPS)


def test_an_estimator_of_another_kind_is_refused():
    class Predictor:
        def fit(self, X): ...
        def predict(self, X): ...

    with pytest.raises(
        ValueError,
        match="must be a change point estimator, whose predict takes n_bkps or pen",
    ):
        find(Predictor(), TWO_GROUPS)


# The threshold of the paper's code


def find_published(scores, weights=None):
    scores = np.asarray(scores, dtype=np.float64)
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights)
    return published_threshold(scores, weights, name=NAME)


@given(scores=st.lists(st.floats(0, 1), min_size=7, max_size=80))
def test_the_published_threshold_is_the_score_above_the_break_of_ruptures(scores):
    ordered = np.sort(scores)
    found = find_published(scores)
    if change_point(scores) is None:
        assert found is None
    else:
        break_, _ = ruptures.Binseg(model="l2").fit(ordered).predict(n_bkps=1)
        assert found == ordered[break_]


@given(
    scores=st.lists(st.integers(0, 3), min_size=7, max_size=60).filter(
        lambda scores: len(set(scores)) > 1
    )
)
def test_so_it_is_among_equal_scores_and_where_breaks_are_equally_good(scores):
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    break_, _ = ruptures.Binseg(model="l2").fit(ordered).predict(n_bkps=1)
    assert find_published(scores) == ordered[break_]


@given(data=st.data(), n=st.integers(7, 40))
def test_whole_weights_repeat_its_scores(data, n):
    numbers = st.lists(st.integers(0, 4), min_size=n, max_size=n)
    scores, counts = data.draw(numbers), data.draw(numbers.filter(lambda c: sum(c) > 6))
    repeated = np.repeat(scores, counts)
    # Weights are relative: equal ones count every score once.
    if np.gcd.reduce(counts) == 1 and len(set(repeated)) > 1:
        assert find_published(scores, counts) == find_published(repeated)


def test_it_needs_seven_scores_and_weights_that_repeat():
    assert find_published(np.arange(7)) == 5
    with pytest.raises(ValueError, match=r'="published" .* needs 7 .* are 6\. Pass m'):
        find_published(np.arange(6))
    with pytest.raises(
        ValueError, match=r'="published" counts every score once.*"auto"'
    ):
        find_published(np.arange(9), np.linspace(0.1, 1, 9))

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sklearn_w2s.weak_to_strong._abstention import better_alone

N = 100
PARENTS = ["weak", "strong"]


def first(n_right):
    return np.arange(N) < n_right


def test_who_leads_clearly_is_better_alone():
    hits = {"weak": first(95), "strong": first(90), "all": first(80)}
    assert better_alone(hits, np.ones(N), {}, PARENTS) == "weak"
    assert better_alone(hits, np.ones(N), {}, ["strong"]) == "strong"


def test_a_few_rows_of_luck_are_no_lead():
    hits = {"weak": np.roll(first(82), 20), "all": first(80)}
    assert better_alone(hits, np.ones(N), {}, PARENTS) is None


def test_who_is_no_better_than_all_is_not_alone():
    for n_right in (0, 50, 80):
        hits = {"weak": first(n_right), "all": first(80)}
        assert better_alone(hits, np.ones(N), {}, PARENTS) is None


def test_who_has_nearly_all_the_weight_is_alone():
    hits = {"weak": first(80), "strong": first(80), "all": first(80)}
    for share, expected in [(0.95, "strong"), (0.5, None)]:
        weights = {"weak": 0.0, "strong": share, "forest": 1 - share}
        assert better_alone(hits, np.ones(N), weights, PARENTS) == expected


def test_without_rows_or_candidates_nobody_is_alone():
    hits = {"weak": first(100), "all": first(0)}
    nothing = {name: right[:0] for name, right in hits.items()}
    assert better_alone(nothing, np.ones(0), {}, PARENTS) is None
    assert better_alone(hits, np.ones(N), {}, ["strong"]) is None
    assert better_alone(hits, np.zeros(N), {}, PARENTS) is None


@given(
    hits=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30),
    seed=st.integers(0, 99),
)
def test_a_weight_counts_repetitions(hits, seed):
    weak, everyone = np.array(hits).T
    weights = np.random.default_rng(seed).integers(0, 4, size=len(hits))
    repeated = {"weak": weak.repeat(weights), "all": everyone.repeat(weights)}
    assert better_alone(
        {"weak": weak, "all": everyone}, weights.astype(float), {}, PARENTS
    ) == better_alone(repeated, np.ones(weights.sum()), {}, PARENTS)

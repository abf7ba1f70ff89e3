"""What may change when a run goes on, and what may not."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.sources._checkpoint import rules_of
from sklearn_w2s.sources._setup import make_detector

pytestmark = pytest.mark.filterwarnings("ignore:round:UserWarning")


class Detector(BaseEstimator):
    """Finds overlap by the first column, whatever its parameters are."""

    def __init__(self, weak=None, n_jobs=None, verbose=0):
        self.weak = weak
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0.5, "overlap", "easy")


def worth(power, _, X, __):
    return X[:, 0] ** power


AT_HAND = np.arange(20.0).reshape(10, 2) % 3
LABELS = np.arange(10) % 2
BEFORE = {
    "overlap_detector": Detector(DecisionTreeClassifier(max_depth=3)),
    "reward": functools.partial(worth, 1),
    "detection_rates": (0.9, 0.1),
    "costs": {"a": 1.0, "b": 2.0},
    "batch_size": 10,
    "n_rounds": 6,
    "random_state": 0,
}


def one_cell_changed():
    X = AT_HAND.copy()
    X[4, 1] += 1
    return X


@pytest.fixture(params=["checkpoint", "warm_start"])
def go_on(request, table, tmp_path):
    """Run, and go on by other parameters, in one of both ways."""

    def run(X=AT_HAND, y=LABELS, **other):
        sources = {"a": table(200, 0.2, 1), "b": table(200, 0.6, 2)}
        detector = clone(BEFORE["overlap_detector"])
        params = BEFORE | {"checkpoint": tmp_path, "overlap_detector": detector}
        if request.param == "warm_start":
            params |= {"checkpoint": None, "warm_start": True}
        selector = UCBSourceSelector(**params).fit_sources(sources, AT_HAND, LABELS)
        if request.param == "checkpoint":
            selector = UCBSourceSelector(**params)
        sources |= other.pop("sources", {})
        return selector.set_params(**other).fit_sources(sources, X, y)

    return run


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"batch_size": 7}, "batch_size=10, not 7"),
        ({"burn_in": 3}, "burn_in=1, not 3"),
        ({"detection": "history"}, "detection='frozen', not 'history'"),
        ({"missing_label": None}, "missing_label=-1, not None"),
        ({"random_state": 1}, "random_state=0, not 1"),
        ({"random_state": None}, "random_state=0, not None"),
        ({"reward": None}, "another reward"),
        ({"reward": functools.partial(worth, 2)}, "another reward"),
        ({"reward": lambda _, X, __: X[:, 0]}, "another reward"),
        ({"overlap_detector__weak__max_depth": 4}, "another overlap_detector"),
        ({"overlap_detector": OverlapDetector()}, "another overlap_detector"),
        ({"X": one_cell_changed()}, "another X"),
        ({"X": None, "y": None}, "another X"),
        ({"y": 1 - LABELS}, "another y"),
        ({"detection_rates": (0.9, 0.2)}, "detection_rates of source 'a' are"),
        ({"detection_rates": None}, r"detection_rates .* were \(0.9, 0.1\)"),
    ],
)
def test_what_rows_were_worth_by_may_not_change(go_on, other, message):
    with pytest.raises(ValueError, match=message):
        go_on(**other)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"overlap_detector__n_jobs": 2, "overlap_detector__verbose": 3},
        {"timeout": 60, "max_failures": 9},
        {"X": np.asfortranarray(AT_HAND), "y": LABELS.tolist()},
    ],
)
def test_what_changes_nothing_that_is_found_may_change(go_on, other):
    same, changed = go_on(n_rounds=12), go_on(n_rounds=12, **other)
    assert_array_equal(changed.history_["source"], same.history_["source"])


def test_policy_alpha_and_costs_hold_from_the_next_round_on(go_on):
    costs = {"a": 5.0, "b": 1.0, "c": 3.0}
    policies = {"greedy": {}, "kl_ucb": {"alpha": 50.0}}
    for policy, more in policies.items():
        selector = go_on(policy=policy, costs=costs, n_rounds=14, **more)
        source, cost = selector.history_["source"], selector.history_["cost"]
        before = {"a": 10.0, "b": 20.0}
        assert cost[:6].tolist() == [before[name] for name in source[:6]]
        assert cost[6:].tolist() == [10 * costs[name] for name in source[6:]]
        if policy == "greedy":
            assert set(source[6:]) == {"b"}  # the denser and now the cheaper one


def test_sources_that_appear_take_part_from_the_next_round_on(go_on, table):
    costs = BEFORE["costs"] | {"c": 1.0}
    selector = go_on(n_rounds=14, costs=costs, sources={"c": table(200, 0.9, 3)})
    assert selector.sources_.tolist() == ["a", "b", "c"]
    assert "c" not in selector.history_["source"][:6]
    assert "c" in selector.history_["source"][6:]


def test_costs_that_changed_are_kept_in_the_checkpoint(table, tmp_path):
    def run(n_rounds, cost):
        return UCBSourceSelector(
            overlap_detector=Detector(),
            costs={"a": cost},
            batch_size=10,
            n_rounds=n_rounds,
            checkpoint=tmp_path,
            random_state=0,
        ).fit_sources({"a": table(200, 0.5, 1)})

    for n_rounds, cost in [(2, 1.0), (4, 3.0), (6, 2.0)]:
        costs = run(n_rounds, cost).history_["cost"].tolist()
    assert costs == [10.0, 10, 30, 30, 20, 20]


def test_rules_are_the_same_texts_for_equal_parameters():
    def rules(**params):
        selector = UCBSourceSelector(**params)
        return rules_of(selector, make_detector(selector), AT_HAND, LABELS)

    def make(power):
        return lambda _, X, __: X[:, 0] ** power

    tree = DecisionTreeClassifier().fit(AT_HAND, LABELS)
    assert rules() == rules(overlap_detector=OverlapDetector())
    assert rules(reward=make(2)) == rules(reward=make(2)) != rules(reward=make(3))
    assert rules(overlap_detector=FrozenEstimator(tree)) == rules(
        overlap_detector=FrozenEstimator(DecisionTreeClassifier())
    )
    by_generator = [rules(random_state=np.random.RandomState(seed)) for seed in (0, 1)]
    assert by_generator[0] == by_generator[1] != rules(random_state=0)

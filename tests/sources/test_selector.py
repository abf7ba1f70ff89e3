import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
    parametrize_with_checks,
)

from sklearn_w2s._algorithms.bandit import ArmStatistics
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.sources._bandit import index_values
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier

CHECKED = [
    UCBSourceSelector(),
    UCBSourceSelector(LogisticRegression()),
    UCBSourceSelector(Ridge()),
]


# Some checks fit on rows that are all alike.
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@parametrize_with_checks(CHECKED)
def test_selectors_keep_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_param_validation,
    ],
)
@pytest.mark.parametrize("estimator", CHECKED)
def test_selectors_pass_the_checks_that_are_never_yielded(estimator, check):
    check("UCBSourceSelector", clone(estimator))


@pytest.fixture(scope="module")
def generated_pool():
    """A pool of real detection: a rich source, a poor one, and labeled rows."""
    X, y, regions = make_overlap_classification(1600, random_state=0)
    rng = np.random.RandomState(0)
    to_rich = np.where(regions == "overlap", 0.9, 0.4)
    source = np.where(rng.uniform(size=len(X)) < to_rich, "rich", "poor")
    y[rng.uniform(size=len(y)) > 0.2] = -1
    return X, y, source


def split_detector(**params):
    return OverlapDetector(weak_features=slice(0, 20), **params)


# What is drawn


@given(
    st.integers(20, 120),
    st.integers(1, 4),
    st.integers(1, 25),
    st.one_of(st.none(), st.integers(1, 150)),
    st.one_of(st.none(), st.integers(1, 30)),
    st.sampled_from(["kl_ucb", "ucb1", "paper", "reference", "random"]),
    st.floats(0, 1),
)
def test_no_row_twice_and_no_row_lost(
    known_pool,
    known_selector,
    n,
    n_sources,
    batch_size,
    budget,
    n_rounds,
    policy,
    labeled_share,
):
    X, y, source = known_pool(n, densities=np.linspace(0, 1, n_sources))
    y = np.where(np.arange(n) < labeled_share * n, np.where(X[:, 1] > 0, 3, 2), -1)
    selector = known_selector(
        batch_size=batch_size, budget=budget, n_rounds=n_rounds, policy=policy
    )
    in_pool = (y == -1) if (y == -1).any() else np.ones(n, dtype=bool)
    sizes = np.unique(source[in_pool], return_counts=True)[1]
    if len(sizes) > (n_rounds or n) or np.minimum(sizes, batch_size).sum() > (
        budget or n
    ):
        with pytest.raises(ValueError, match="does not cover the burn-in"):
            selector.fit(X, y, sample_source=source)
        return
    selector.fit(X, y, sample_source=source)

    at_hand = np.flatnonzero(~in_pool)
    drawn = selector.drawn_indices_
    assert len(np.unique(drawn)) == len(drawn)
    assert_array_equal(
        selector.sample_indices_, np.sort(np.concatenate([at_hand, drawn]))
    )
    assert len(selector.sample_indices_) == len(np.unique(selector.sample_indices_))
    n_pool = n - len(at_hand)
    rounds = len(selector.history_["round"])
    assert selector.n_samples_drawn_.sum() == len(drawn) <= (budget or n_pool)
    assert selector.n_pulls_.sum() == rounds <= (n_rounds or np.inf)
    assert len(drawn) in {budget, n_pool} or rounds == n_rounds
    assert selector.exhausted_.all() == (len(drawn) == n_pool)


def test_without_limits_everything_is_selected(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector(SelfTrainingClassifier(LogisticRegression()))
    selector.fit(X, y, sample_source=source)
    assert_array_equal(selector.sample_indices_, np.arange(len(X)))
    assert selector.exhausted_.all()
    whole = SelfTrainingClassifier(LogisticRegression()).fit(X, y)
    assert_array_equal(selector.predict_proba(X), whole.predict_proba(X))


@pytest.mark.parametrize("budget", [96, 100, 333])
def test_the_budget_is_spent_to_the_row(known_pool, known_selector, budget):
    X, y, source = known_pool(1500)
    selector = known_selector(budget=budget).fit(X, y, sample_source=source)
    assert len(selector.drawn_indices_) == budget
    assert selector.history_["n_drawn"][-1] == (budget % 32 or 32)


@pytest.mark.parametrize("n_rounds", [3, 4, 10])
def test_the_rounds_are_counted_with_the_burn_in(known_pool, known_selector, n_rounds):
    X, y, source = known_pool()
    selector = known_selector(n_rounds=n_rounds).fit(X, y, sample_source=source)
    assert len(selector.history_["round"]) == n_rounds
    assert selector.history_["source"][:3].tolist() == ["a", "b", "c"]


def test_rows_with_labels_are_at_hand_and_never_drawn(known_pool, known_selector):
    X, y, source = known_pool(n_labeled=50)
    selector = known_selector(n_rounds=3).fit(X, y, sample_source=source)
    assert_array_equal(selector.sample_indices_[:50], np.arange(50))
    assert (selector.drawn_indices_ >= 50).all()
    assert selector.overlap_detector_.n_rows_ == 50 + 3 * 32


def test_where_every_row_has_a_label_all_rows_are_in_the_pool(
    known_pool, known_selector
):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    selector = known_selector(n_rounds=4).fit(X, y, sample_source=source)
    assert_array_equal(selector.sample_indices_, np.sort(selector.drawn_indices_))
    assert_array_equal(np.unique(selector.overlap_detector_.labels_), [0, 1])


def test_a_source_without_unlabeled_rows_is_empty_from_the_start(
    known_pool, known_selector
):
    X, y, source = known_pool()
    y[source == "b"] = 1
    selector = known_selector(n_rounds=5).fit(X, y, sample_source=source)
    assert selector.sources_.tolist() == ["a", "b", "c"]
    assert selector.exhausted_.tolist() == [False, True, False]
    assert selector.n_samples_drawn_[1] == 0
    assert np.isnan(selector.overlap_density_[1])
    assert np.isnan(selector.ucb_[1])
    assert selector.ranking_[-1] == "b"


def test_one_source_is_assumed_where_none_is_named(known_pool, known_selector):
    X, y, _ = known_pool()
    selector = known_selector(n_rounds=2).fit(X, y)
    assert selector.sources_.tolist() == ["all"]
    assert selector.n_samples_drawn_.tolist() == [64]


@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda s: np.searchsorted(np.unique(s), s),
        pd.Series,
        lambda s: pd.Series(s, dtype="category"),
        pl.Series,
        lambda s: s.astype(object),
    ],
)
def test_sources_may_be_named_in_any_container(known_pool, known_selector, convert):
    X, y, source = known_pool()
    expected = known_selector(n_rounds=6).fit(X, y, sample_source=source)
    selector = known_selector(n_rounds=6).fit(X, y, sample_source=convert(source))
    assert_array_equal(selector.drawn_indices_, expected.drawn_indices_)


# What is learned about the sources


@pytest.mark.parametrize("policy", ["kl_ucb", "ucb1", "paper", "reference"])
def test_history_equals_a_replay(known_pool, known_selector, policy):
    X, y, source = known_pool()
    selector = known_selector(policy=policy, n_rounds=12, alpha=0.7, batch_size=20)
    selector.fit(X, y, sample_source=source)
    history, names = selector.history_, selector.sources_
    pool = np.array([((y == -1) & (source == name)).sum() for name in names])
    pulls, drawn, found = (np.zeros(3, dtype=int) for _ in range(3))
    starts = np.cumsum(history["n_drawn"]) - history["n_drawn"]
    for t, name in enumerate(history["source"]):
        k = int(np.searchsorted(names, name))
        if t < 3:
            assert (k, np.isnan(history["index"][t])) == (t, True)
        else:
            arms = ArmStatistics(
                n_pulls=pulls,
                drawn=drawn,
                found=found,
                cost=np.ones(3),
                sensitivity=np.ones(3),
                fall_out=np.zeros(3),
                is_open=drawn < pool,
                pool=pool,
                horizon=12,
                alpha=0.7,
                rng=None,
            )
            index = np.where(drawn < pool, index_values(policy, arms), -np.inf)
            assert index[k] == index.max() == history["index"][t]
        rows = selector.drawn_indices_[starts[t] : starts[t] + history["n_drawn"][t]]
        assert (source[rows] == name).all()
        assert (y[rows] == -1).all()
        assert history["n_overlap"][t] == (X[rows, 0] == 1).sum()
        pulls[k] += 1
        drawn[k] += len(rows)
        found[k] += history["n_overlap"][t]
        assert history["overlap_density"][t] == found[k] / drawn[k]
    assert_array_equal(selector.n_pulls_, pulls)
    assert_array_equal(selector.n_samples_drawn_, drawn)
    assert_array_equal(selector.overlap_density_, found / drawn)


def test_history_becomes_a_data_frame(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector(n_rounds=7).fit(X, y, sample_source=source)
    frame = pd.DataFrame(selector.history_)
    columns = [
        *("round", "source", "n_drawn", "n_overlap"),
        *("overlap_density", "density_low", "density_high"),
        *("index", "cost", "error"),
    ]
    assert list(frame.columns) == columns
    assert frame.groupby("source")["n_drawn"].sum().sum() == 7 * 32


def test_sources_are_ranked_by_their_density(known_pool, known_selector):
    X, y, source = known_pool(3000)
    selector = known_selector(batch_size=100, budget=1500, policy="random")
    selector.fit(X, y, sample_source=source)
    assert selector.ranking_.tolist() == ["b", "c", "a"]
    assert selector.overlap_density_ == pytest.approx([0.1, 0.5, 0.3], abs=0.08)


def test_once_everything_is_drawn_the_index_is_the_density(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector().fit(X, y, sample_source=source)
    assert selector.ucb_ == pytest.approx(selector.overlap_density_)


def test_the_rich_source_is_drawn_more_than_by_chance(generated_pool):
    X, y, source = generated_pool
    drawn = {}
    for policy in ("kl_ucb", "random"):
        selector = UCBSourceSelector(
            overlap_detector=split_detector(),
            policy=policy,
            budget=480,
            random_state=0,
        ).fit(X, y, sample_source=source)
        assert selector.ranking_[0] == "rich"
        drawn[policy] = dict(
            zip(selector.sources_, selector.n_samples_drawn_, strict=True)
        )
    assert drawn["kl_ucb"]["rich"] > 1.3 * drawn["random"]["rich"]


def test_rewards_come_from_thresholds_fixed_after_the_burn_in(generated_pool):
    X, y, source = generated_pool
    selector = UCBSourceSelector(
        overlap_detector=split_detector(), n_rounds=8, batch_size=50, random_state=0
    ).fit(X, y, sample_source=source)
    detector, found = selector.overlap_detector_, selector.history_["n_overlap"]
    batches = selector.drawn_indices_.reshape(8, 50)
    fitted_on = np.sort(np.concatenate([np.flatnonzero(y != -1), *batches[:2]]))
    assert len(detector.regions_) == len(fitted_on)
    for batch, n_overlap in zip(batches[:2], found[:2], strict=True):
        regions = detector.regions_[np.searchsorted(fitted_on, batch)]
        assert n_overlap == (regions == "overlap").sum()
    for batch, n_overlap in zip(batches[2:], found[2:], strict=True):
        assert n_overlap == (detector.predict(X[batch]) == "overlap").sum()


def test_a_weak_to_strong_classifier_learns_from_the_selection(generated_pool):
    X, y, source = generated_pool
    pair = WeakToStrongClassifier(LogisticRegression(), LogisticRegression())
    selector = UCBSourceSelector(
        pair, overlap_detector=split_detector(), budget=400, random_state=0
    ).fit(X, y, sample_source=source)
    rows = selector.sample_indices_
    assert len(rows) == (y != -1).sum() + 400
    alone = clone(selector.estimator_).fit(X[rows], y[rows])
    assert_array_equal(selector.predict_proba(X), alone.predict_proba(X))
    assert selector.classes_.tolist() == [0, 1]
    assert selector.score(X, y) == alone.score(X, y)


def test_a_frozen_detector_is_used_as_it_is_and_needs_no_labels(generated_pool):
    X, y, source = generated_pool
    detector = split_detector().fit(X[y != -1], y[y != -1])
    selector = UCBSourceSelector(
        overlap_detector=FrozenEstimator(detector), n_rounds=5, random_state=0
    )
    assert not get_tags(selector).target_tags.required
    selector.fit(X, sample_source=source)
    batches = selector.drawn_indices_.reshape(5, 32)
    for batch, n_overlap in zip(batches, selector.history_["n_overlap"], strict=True):
        assert n_overlap == (detector.predict(X[batch]) == "overlap").sum()
    assert len(detector.regions_) == (y != -1).sum()


def test_a_detector_that_needs_labels_raises_without_any(known_pool):
    X, _, source = known_pool()
    with pytest.raises(ValueError, match="requires y to be passed"):
        UCBSourceSelector().fit(X, sample_source=source)


def test_a_callable_policy_chooses(known_pool, known_selector):
    X, y, source = known_pool()

    def prefer_the_last(arms):
        return np.arange(len(arms.drawn))

    selector = known_selector(policy=prefer_the_last, n_rounds=6)
    selector.fit(X, y, sample_source=source)
    assert selector.history_["source"].tolist() == ["a", "b", "c", "c", "c", "c"]


# Seeds


@pytest.mark.parametrize("n_fillers", [0, 3000])
def test_a_fitted_selector_keeps_counts_and_not_the_pool(
    known_pool, known_selector, n_fillers
):
    X, y, source = known_pool()
    X = np.column_stack([X, np.ones((len(X), n_fillers))])
    selector = known_selector(n_rounds=5, batch_size=8).fit(X, y, sample_source=source)
    assert len(pickle.dumps(selector)) < 20_000
    again = pickle.loads(pickle.dumps(selector))
    for name in ("sources_", "ranking_", "history_", "ucb_", "drawn_indices_"):
        assert_equal(getattr(again, name), getattr(selector, name))


def test_after_a_fit_rows_can_still_be_rated(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector(n_rounds=3).fit(X, y, sample_source=source)
    drawn, found = selector.n_samples_drawn_[0], selector.history_["n_overlap"].sum()
    selector.update("a", X[:20])
    assert selector.n_samples_drawn_[0] == drawn + 20
    assert selector.history_["n_overlap"].sum() == found + (X[:20, 0] > 0.5).sum()


@pytest.mark.parametrize("policy", ["kl_ucb", "random"])
def test_the_same_seed_draws_the_same_rows(known_pool, known_selector, policy):
    X, y, source = known_pool()
    first, again, other = (
        known_selector(policy=policy, budget=300, random_state=seed)
        .fit(X, y, sample_source=source)
        .drawn_indices_
        for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert (first != other).any()


def test_nested_random_states_are_seeded(known_pool):
    X, y, source = known_pool()
    y = (X[:, 1] + X[:, 2] > 0).astype(int)
    tree = DecisionTreeClassifier(max_features=1)
    detector = OverlapDetector(DecisionTreeClassifier(max_depth=1))
    selector = UCBSourceSelector(tree, overlap_detector=detector, random_state=0)
    selector.fit(X, y, sample_source=source)
    assert selector.estimator_.random_state is not None
    assert selector.overlap_detector_.weak_estimator.random_state is not None
    assert tree.random_state is None
    unseeded = clone(selector).set_params(random_state=None)
    assert unseeded.fit(X, y, sample_source=source).estimator_.random_state is None


# Errors


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"n_rounds": 2}, "n_rounds=2 does not cover the burn-in, which needs 3"),
        ({"budget": 95}, "budget=95 does not cover the burn-in, which needs 96"),
        ({"budget": 100, "burn_in": 2}, "needs 192: 3 sources, burn_in=2"),
    ],
)
def test_limits_that_leave_sources_unseen_are_refused(
    known_pool, known_selector, limits, message
):
    X, y, source = known_pool()
    with pytest.raises(ValueError, match=message):
        known_selector(**limits).fit(X, y, sample_source=source)


def test_an_estimator_that_learns_the_missing_label_is_refused(
    known_pool, known_selector
):
    X, y, source = known_pool()
    with pytest.raises(
        ValueError, match=r"estimator=LogisticRegression\(.*\) learned missing_label=-1"
    ):
        known_selector(LogisticRegression()).fit(X, y, sample_source=source)


def test_a_detector_of_another_missing_label_is_refused(known_pool):
    X, y, source = known_pool()
    detector = OverlapDetector(missing_label=-9)
    with pytest.raises(ValueError, match=r"overlap_detector=.* learned missing_label"):
        UCBSourceSelector(overlap_detector=detector).fit(X, y, sample_source=source)


def test_rows_without_a_source_are_refused(known_pool, known_selector):
    X, y, source = known_pool()
    with pytest.raises(ValueError, match="sample_source is missing in 1 row"):
        known_selector().fit(X, y, sample_source=[None, *source[1:]])


@pytest.mark.parametrize("wrong", ["y", "sample_source"])
def test_lengths_have_to_agree(known_pool, known_selector, wrong):
    X, y, source = known_pool()
    given_rows = {"y": y, "sample_source": source}
    given_rows[wrong] = given_rows[wrong][:-1]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        known_selector().fit(X, **given_rows)

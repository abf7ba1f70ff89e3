import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.report._data import UNLABELED, Data, load_embedded
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._experiment import (
    ESTIMATORS,
    count_labeled,
    draw_split,
    labels_per_class,
    make_estimator,
    run_seed,
)


def ignore(_step):
    pass


def as_data(table, with_source=False):
    return Data(
        name="table",
        X=table.drop(columns=["income", "place"]),
        y=(table["income"] == "low").to_numpy().astype(int),
        source=table["place"].to_numpy(dtype=object) if with_source else None,
    )


@given(
    counts=st.lists(st.integers(6, 500), min_size=2, max_size=12),
    position=st.floats(0, 1),
)
def test_labels_are_shared_out_in_proportion_and_three_per_class(counts, position):
    counts = np.array(counts)
    least, most = 3 * len(counts), counts.sum() - len(counts)
    n_labeled = least + round(position * (most - least))
    quotas = labels_per_class(counts, n_labeled)
    assert quotas.sum() == n_labeled
    assert (quotas >= 3).all()
    assert (quotas <= counts).all()
    exact = n_labeled * counts / counts.sum()
    if (exact >= 3).all():
        assert (np.abs(quotas - exact) <= 1).all()


@given(
    counts=st.lists(st.integers(10, 200), min_size=2, max_size=6),
    n_unknown=st.integers(0, 50),
    seed=st.integers(0, 10),
)
def test_a_split_hides_labels_and_keeps_the_test_rows_apart(counts, n_unknown, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    y = np.concatenate([y, np.full(n_unknown, UNLABELED)])
    y = np.random.default_rng(seed).permutation(y)
    n_labeled = max(count_labeled(y, None), 3 * len(counts))
    split = draw_split(y, n_labeled, seed)
    everything = np.concatenate([split.train, split.test])
    assert np.array_equal(np.sort(everything), np.arange(len(y)))
    assert np.isin(split.labeled, split.train).all()
    assert len(split.labeled) == n_labeled
    assert (y[split.test] != UNLABELED).all()
    assert (np.bincount(y[split.labeled], minlength=len(counts)) >= 3).all()
    again = draw_split(y, n_labeled, seed)
    assert np.array_equal(split.labeled, again.labeled)
    assert not np.array_equal(split.labeled, draw_split(y, n_labeled, seed + 1).labeled)


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "labeled", "expected"),
    [
        (1000, 2, None, 100),
        (1000, 10, None, 120),
        (100, 2, None, 35),
        (1000, 2, 0.5, 350),
        (1000, 2, 6, 6),
        (1000, 2, 698, 698),
    ],
)
def test_the_number_of_labels_follows_the_option(n_rows, n_classes, labeled, expected):
    y = np.arange(n_rows) % n_classes
    assert count_labeled(y, labeled) == expected


@pytest.mark.parametrize("labeled", [5, 699, 0.001, 0.999])
def test_too_few_or_too_many_labels_are_refused_with_the_bounds(labeled):
    with pytest.raises(InputError, match="it must be 6 to 698"):
        count_labeled(np.arange(1000) % 2, labeled)


def test_the_scores_are_those_of_the_public_estimators():
    data = load_embedded()
    split = draw_split(data.y, count_labeled(data.y, None), seed=0)
    run = run_seed(data, split, "logistic", "extra_trees", 0, ignore)

    weak, strong = make_estimator("logistic", 0), make_estimator("extra_trees", 0)
    partial = data.y.copy()
    partial[np.setdiff1d(split.train, split.labeled)] = -1
    X, X_test = data.X[split.train], data.X[split.test]
    y_test = data.y[split.test]
    model = WeakToStrongClassifier(
        weak, strong, overlap_detector=OverlapDetector(), random_state=0
    ).fit(X, partial[split.train])
    alone = clone(strong).fit(data.X[split.labeled], data.y[split.labeled])
    ceiling = clone(strong).fit(X, data.y[split.train])
    assert run.scores == {
        "weak": np.mean(model.weak_estimator_.predict(X_test) == y_test),
        "weak-to-strong": np.mean(model.predict(X_test) == y_test),
        "strong on labeled rows": np.mean(alone.predict(X_test) == y_test),
        "ceiling": np.mean(ceiling.predict(X_test) == y_test),
    }
    regions = model.overlap_detector_.regions_
    assert run.overlap_density == np.mean(regions == "overlap")
    for region in ("easy", "hard", "overlap"):
        assert run.region_shares[region] == np.mean(regions == region)
    assert run.n_train == len(X)
    assert run.sources == []


def test_hidden_labels_reach_the_ceiling_only(table):
    data = as_data(table, with_source=True)
    split = draw_split(data.y, 40, seed=0)
    hidden = np.setdiff1d(split.train, split.labeled)
    y = data.y.copy()
    y[hidden] = 1 - y[hidden]
    wrong = dataclasses.replace(data, y=y)
    run, other = (run_seed(d, split, "tree", "tree", 0, ignore) for d in (data, wrong))
    assert run.scores["ceiling"] > other.scores["ceiling"]
    for name in ("weak", "weak-to-strong", "strong on labeled rows"):
        assert run.scores[name] == other.scores[name]
    assert run.region_shares == other.region_shares
    assert run.sources == other.sources


def test_test_rows_are_scored_and_nothing_else(table):
    data = as_data(table, with_source=True)
    split = draw_split(data.y, 40, seed=0)
    y = data.y.copy()
    y[split.test] = 1 - y[split.test]
    X = data.X.copy()
    X.iloc[split.test] = X.iloc[split.test].sample(frac=1, random_state=0).to_numpy()
    run, flipped, shuffled = (
        run_seed(d, split, "tree", "tree", 0, ignore)
        for d in (data, dataclasses.replace(data, y=y), dataclasses.replace(data, X=X))
    )
    for name, score in run.scores.items():
        assert flipped.scores[name] == pytest.approx(1 - score)
    for other in (flipped, shuffled):
        assert other.region_shares == run.region_shares
        assert other.sources == run.sources


def test_rows_of_unknown_class_are_unlabeled_and_never_scored(table):
    data = as_data(table)
    y = data.y.copy()
    y[:60] = UNLABELED
    data = dataclasses.replace(data, y=y)
    split = draw_split(y, 40, seed=0)
    run = run_seed(data, split, "tree", "tree", 0, ignore)
    assert run.n_train == 60 + 126
    known = np.setdiff1d(split.train, np.arange(60))
    ceiling = make_estimator("tree", 0).fit(data.X.iloc[known], y[known])
    score = ceiling.score(data.X.iloc[split.test], y[split.test])
    assert run.scores["ceiling"] == score


def make_gappy(table):
    """Add columns that are complete, or empty, in the labeled rows only."""
    data = as_data(table)
    split = draw_split(data.y, 60, seed=0)
    is_labeled = np.isin(np.arange(len(table)), split.labeled)
    numbers = np.random.default_rng(1).normal(size=len(table))
    X = data.X.assign(
        constant=1.0,
        gaps_elsewhere=np.where(is_labeled, numbers, np.nan),
        gaps_in_labeled=np.where(is_labeled, np.nan, numbers),
        text_in_labeled=np.where(is_labeled, "a", None),
        text_elsewhere=np.where(is_labeled, None, "a"),
        id=[f"id {i}" for i in range(len(table))],
    )
    return dataclasses.replace(data, X=X), split


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_estimator_copes_with_columns_unlike_those_of_the_labels(table, name):
    data, split = make_gappy(table)
    for weak, strong in ((name, "tree"), ("tree", name)):
        run = run_seed(data, split, weak, strong, 0, ignore)
        assert all(0.4 < score <= 1 for score in run.scores.values())


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_an_estimator_is_seeded_and_fresh(table, name):
    data = as_data(table)
    estimators = [make_estimator(name, 3) for _ in range(2)]
    first, second = (e.fit(data.X, data.y).predict_proba(data.X) for e in estimators)
    assert np.array_equal(first, second)
    assert not hasattr(ESTIMATORS[name][-1], "classes_")


def test_every_step_is_told(table):
    data = as_data(table, with_source=True)
    split = draw_split(data.y, 40, seed=0)
    steps = []
    run_seed(data, split, "tree", "forest", 0, steps.append)
    assert steps == [
        "weak (tree) and weak-to-strong (forest)",
        "strong on labeled rows (forest)",
        "ceiling (forest)",
        "sources (kl_ucb)",
    ]

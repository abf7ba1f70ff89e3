"""The entrances for rows that are not in memory."""

import sqlite3
from itertools import islice

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_w2s.datasets import make_overlap_classification, make_overlap_sources
from sklearn_w2s.overlap import OverlapDetector
from sklearn_w2s.sources import UCBSourceSelector
from sklearn_w2s.weak_to_strong import WeakToStrongClassifier


class TakesSparse(BaseEstimator):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class FirstColumn(TakesSparse):
    """A detector that reads the region off the first column of any table."""

    def fit(self, X, y=None):
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        return np.where(first_column(X) > 0.5, "overlap", "easy")


class Recorder(TakesSparse):
    """An estimator that keeps what it is fitted on."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        return self


def dense(X):
    return X.toarray() if sp.issparse(X) else np.asarray(X)


def first_column(X):
    return dense(X)[:, 0].astype(float)


def table(n, density, number=0):
    """Rows that say whether they are overlap, and which row of which table they are."""
    rng = np.random.RandomState(number)
    is_overlap = rng.uniform(size=n) < density
    return np.column_stack([is_overlap, number * 10_000 + np.arange(n)]).astype(float)


def labels_of(X):
    return dense(X)[:, 1].astype(int) % 3 == 0


def numbers_of(X):
    return dense(X)[:, 1].astype(int).tolist()


def batches_of(X, size=7):
    return [X[start : start + size] for start in range(0, len(X), size)]


def with_offset(X):
    return lambda n, offset: X[offset : offset + n] if offset < len(X) else None


def without_offset(X):
    rest = iter(X.tolist())

    def source(n):
        return list(islice(rest, n)) or None

    return source


def sql_chunks(X):
    connection = sqlite3.connect(":memory:")
    pd.DataFrame(X, columns=["a", "b"]).to_sql("rows", connection, index=False)
    return pd.read_sql("select * from rows", connection, chunksize=7)


def arrow_reader(X):
    pa = pytest.importorskip("pyarrow")
    arrow = pa.table({"a": X[:, 0], "b": X[:, 1]})
    return pa.RecordBatchReader.from_batches(
        arrow.schema, arrow.to_batches(max_chunksize=7)
    )


def dask_frame(X):
    dataframe = pytest.importorskip("dask.dataframe")
    return dataframe.from_pandas(pd.DataFrame(X, columns=["a", "b"]), npartitions=4)


KINDS = {
    "table": lambda X: X,
    "labeled table": lambda X: (X, labels_of(X)),
    "sparse table": sp.csr_matrix,
    "callable": without_offset,
    "callable with offset": with_offset,
    "generator": lambda X: (batch for batch in batches_of(X)),
    "list of frames": lambda X: [
        pd.DataFrame(b, columns=["a", "b"]) for b in batches_of(X)
    ],
    "arrow": arrow_reader,
    "sql": sql_chunks,
    "polars": lambda X: [
        pl.DataFrame(b, schema=["a", "b"], orient="row") for b in batches_of(X)
    ],
    "dask": dask_frame,
}


def run_on(kind, sizes=(60, 60), densities=(0.1, 0.7), **params):
    params = {"overlap_detector": FirstColumn(), "random_state": 0} | params
    tables = [
        table(n, d, i) for i, (n, d) in enumerate(zip(sizes, densities, strict=True))
    ]
    sources = {name: KINDS[kind](X) for name, X in zip("ab", tables, strict=True)}
    estimator = params.pop("estimator", None)
    return UCBSourceSelector(estimator, **params).fit_sources(sources)


class Counted:
    """Batches that can be read again, and are counted."""

    def __init__(self, X, size=10):
        self.batches = batches_of(X, size)
        self.n_taken = 0

    def __iter__(self):
        for batch in self.batches:
            self.n_taken += 1
            yield batch


def assert_same_history(history, other):
    assert list(history) == list(other)
    for column, values in history.items():
        assert_array_equal(values, other[column], err_msg=column)


# Every kind of source


@pytest.mark.parametrize("kind", KINDS)
def test_all_rows_come_from_the_source_that_is_named_and_none_twice(kind):
    selector = run_on(kind, batch_size=9)
    X, y, source = selector.drawn_samples()
    numbers = np.array(numbers_of(X))
    assert_array_equal(source, np.array(["a", "b"])[numbers // 10_000])
    assert sorted(numbers) == [*range(60), *range(10_000, 10_060)]
    assert_array_equal(
        first_column(X)[source == "b"].mean(), selector.overlap_density_[1]
    )
    assert selector.stop_reason_ == "exhausted"
    assert selector.exhausted_.all()
    if kind == "labeled table":
        assert_array_equal(y, labels_of(X))
    else:
        assert y is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"budget": 50}, "budget"),
        ({"n_rounds": 6}, "n_rounds"),
        ({"cost_budget": 43.5, "costs": {"a": 1, "b": 0.5}}, "cost_budget"),
        ({"confidence": 0.9, "policy": "kl_lucb"}, "confidence"),
    ],
)
def test_limits_are_kept_whatever_the_source(kind, limit, reason):
    selector = run_on(kind, sizes=(200, 200), densities=(0, 1), batch_size=8, **limit)
    history = selector.history_
    assert selector.stop_reason_ == reason
    assert history["n_drawn"].sum() == len(numbers_of(selector.drawn_samples()[0]))
    assert history["n_drawn"].sum() <= limit.get("budget", 400)
    assert len(history["round"]) <= limit.get("n_rounds", 400)
    assert history["cost"].sum() <= limit.get("cost_budget", 400)
    assert selector.ranking_[0] == "b"
    if reason == "budget":
        assert history["n_drawn"].sum() == 50


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_counts_what_was_drawn(kind):
    selector = run_on(kind, budget=100, batch_size=8)
    history = selector.history_
    X, _, source = selector.drawn_samples()
    assert_array_equal(source, np.repeat(history["source"], history["n_drawn"]))
    ends = np.cumsum(history["n_drawn"])
    found = [part.sum() for part in np.split(first_column(X), ends[:-1])]
    assert_array_equal(history["n_overlap"], found)
    assert (history["error"] == "").all()
    assert selector.index_history_.shape == (len(ends), 2)


def test_nothing_is_read_before_it_is_drawn():
    rich, poor = Counted(table(400, 0.9, 1)), Counted(table(400, 0.05, 2))
    unused = iter([np.ones((3, 2))])
    selector = UCBSourceSelector(
        overlap_detector=FirstColumn(), batch_size=10, n_rounds=20, random_state=0
    ).fit_sources({"rich": rich, "poor": poor})
    assert (rich.n_taken, poor.n_taken) == tuple(selector.n_pulls_)
    assert rich.n_taken > poor.n_taken
    UCBSourceSelector(overlap_detector=FirstColumn(), n_rounds=1).fit_sources(
        {"rich": rich, "unused": unused}
    )
    assert len(list(unused)) == 1


def test_a_callable_is_never_asked_for_more_than_a_limit_allows():
    asked = []

    def source(n):
        asked.append(n)
        return table(n, 0.5)

    UCBSourceSelector(
        overlap_detector=FirstColumn(), batch_size=8, budget=21
    ).fit_sources({"a": source})
    assert asked == [8, 8, 5]


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    batch_size=st.integers(1, 20),
    budget=st.one_of(st.none(), st.integers(1, 120)),
    policy=st.sampled_from(["kl_ucb", "ucb_tuned", "thompson", "random", "greedy"]),
    kinds=st.lists(
        st.sampled_from(["table", "callable", "callable with offset", "generator"]),
        min_size=4,
        max_size=4,
    ),
)
def test_no_row_twice_and_none_lost(sizes, batch_size, budget, policy, kinds):
    tables = [table(n, 0.5, i) for i, n in enumerate(sizes)]
    sources = {
        f"s{i}": KINDS[kind](X)
        for i, (kind, X) in enumerate(zip(kinds, tables, strict=False))
    }
    selector = UCBSourceSelector(
        overlap_detector=FirstColumn(),
        batch_size=batch_size,
        budget=budget,
        policy=policy,
        random_state=0,
    ).fit_sources(sources)
    numbers = numbers_of(selector.drawn_samples()[0])
    assert len(set(numbers)) == len(numbers) == min(sum(sizes), budget or np.inf)
    assert set(numbers) <= {n for X in tables for n in numbers_of(X)}
    assert selector.n_samples_drawn_.sum() == len(numbers)


# What is fitted


@pytest.mark.parametrize("kind", ["list of frames", "polars", "sparse table"])
def test_the_estimator_is_fitted_on_the_rows_at_hand_and_those_drawn(kind):
    make = {"list of frames": KINDS["list of frames"], "polars": KINDS["polars"]}
    at_hand = table(20, 0.5, 3)
    like = make[kind](at_hand)[0] if kind in make else sp.csr_matrix(at_hand)
    labels = np.arange(like.shape[0]) % 2
    selector = UCBSourceSelector(
        Recorder(), overlap_detector=FirstColumn(), budget=40, random_state=0
    ).fit_sources({"a": KINDS[kind](table(60, 0.5, 1))}, like, labels)

    fitted = selector.estimator_
    drawn, _, _ = selector.drawn_samples()
    assert type(fitted.X_) is type(like)
    n = like.shape[0]
    assert_array_equal(dense(fitted.X_)[:n], dense(like))
    assert_array_equal(dense(fitted.X_)[n:], dense(drawn))
    assert_array_equal(fitted.y_, [*labels, *([-1] * 40)])


def test_an_estimator_fitted_by_hand_on_the_same_rows_is_the_same():
    X, y, _ = make_overlap_classification(300, random_state=0)
    sources = make_overlap_sources((0.1, 0.5), n_samples=300, random_state=0)
    selector = UCBSourceSelector(
        LogisticRegression(),
        overlap_detector=OverlapDetector(weak_features=slice(0, 20)),
        budget=200,
        random_state=0,
    ).fit_sources(sources, X, y)
    drawn, labels, _ = selector.drawn_samples()
    by_hand = LogisticRegression().fit(
        np.concatenate([X, drawn]), np.concatenate([y, labels])
    )
    assert_allclose(selector.estimator_.coef_, by_hand.coef_)
    assert_array_equal(selector.predict(X), by_hand.predict(X))
    assert_array_equal(selector.classes_, by_hand.classes_)
    assert selector.score(X, y) == by_hand.score(X, y)


def test_unlabeled_rows_are_for_an_estimator_that_takes_them():
    X, y, _ = make_overlap_classification(300, random_state=0)
    sources = {
        name: (lambda n, source=source: source(n)[0])
        for name, source in make_overlap_sources((0.1, 0.5), random_state=0).items()
    }
    params = {
        "overlap_detector": OverlapDetector(weak_features=slice(0, 20)),
        "budget": 100,
        "random_state": 0,
    }
    strong = WeakToStrongClassifier(weak_features=slice(0, 20))
    selector = UCBSourceSelector(strong, **params).fit_sources(sources, X, y)
    assert_array_equal(selector.classes_, np.unique(y))
    with pytest.raises(ValueError, match="learned missing_label=-1"):
        UCBSourceSelector(LogisticRegression(), **params).fit_sources(sources, X, y)


def test_labels_of_some_sources_are_missing_in_others():
    labeled, unlabeled = table(10, 0.5, 1), table(10, 0.5, 2)
    selector = UCBSourceSelector(
        Recorder(), overlap_detector=FirstColumn(), missing_label=7, random_state=0
    ).fit_sources({"a": (labeled, labels_of(labeled).astype(int)), "b": unlabeled})
    X, y, source = selector.drawn_samples()
    assert_array_equal(y[source == "a"], labels_of(X)[source == "a"])
    assert_array_equal(y[source == "b"], 7)
    assert_array_equal(selector.estimator_.y_, y)


@pytest.mark.parametrize("missing_label", [-1, None, "unknown"])
def test_labels_that_are_text_are_missing_in_others(missing_label):
    X = table(10, 0.5, 1)
    labels = np.where(labels_of(X), "yes", "no")
    selector = UCBSourceSelector(
        overlap_detector=FirstColumn(), missing_label=missing_label, random_state=0
    ).fit_sources({"a": (X, labels), "b": table(10, 0.5, 2)})
    X, y, source = selector.drawn_samples()
    expected = np.where(labels_of(X), "yes", "no").astype(object)
    expected[source == "b"] = missing_label
    assert y.tolist() == expected.tolist()


def test_data_frames_keep_their_columns_and_categories():
    colors = pd.CategoricalDtype(["red", "green", "blue"])

    def frame(n, color):
        kinds = pd.Series([color] * n, dtype=colors)
        return pd.DataFrame({"flag": np.arange(n) % 2, "color": kinds})

    selector = UCBSourceSelector(
        Recorder(), overlap_detector=FirstColumn(), random_state=0
    ).fit_sources({"a": frame(5, "red"), "b": [frame(2, "blue"), frame(2, "red")]})
    drawn, _, source = selector.drawn_samples()
    for X in (drawn, selector.estimator_.X_):
        assert X["color"].dtype == colors
        assert X["flag"].dtype.kind == "i"
    assert drawn["color"][source == "b"].tolist() == ["blue", "blue", "red", "red"]
    assert selector.feature_names_in_.tolist() == ["flag", "color"]


def test_the_detector_is_fitted_once_on_the_rows_at_hand_and_the_first_draws():
    class Rows(FirstColumn):
        def fit(self, X, y=None):
            fits.append(len(X))
            return super().fit(X, y)

    fits = []
    UCBSourceSelector(
        overlap_detector=Rows(), batch_size=5, burn_in=2, n_rounds=20, random_state=0
    ).fit_sources(
        {"a": table(200, 0.5, 1), "b": table(200, 0.5, 2)}, table(11, 0.5), None
    )
    assert fits == [11 + 2 * 2 * 5]


def test_a_frozen_detector_is_not_fitted():
    detector = FirstColumn().fit(table(5, 0.5))
    selector = UCBSourceSelector(
        overlap_detector=FrozenEstimator(detector), budget=40, random_state=0
    ).fit_sources({"a": table(60, 0.5, 1)})
    assert selector.overlap_detector_.estimator.n_fits_ == 1


def test_a_fitted_detector_of_the_history_rates_all_rows_by_its_last_fit(
    known_selector,
):
    class AboveMean(BaseEstimator):
        """What is overlap depends on all rows that were there to fit on."""

        def fit(self, X, y=None):
            self.mean_ = X[:, 0].mean()
            self.regions_ = self.predict(X)
            return self

        def predict(self, X):
            return np.where(X[:, 0] > self.mean_, "overlap", "easy")

    rng = np.random.RandomState(0)
    sources = {"a": rng.normal(0, 1, (300, 2)), "b": rng.normal(1, 2, (300, 2))}
    selector = known_selector(
        overlap_detector=AboveMean(), detection="history", n_rounds=12, batch_size=9
    ).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    by_hand = AboveMean().fit(X)
    found = by_hand.predict(X) == "overlap"
    assert selector.overlap_detector_.mean_ == by_hand.mean_
    assert_allclose(
        selector.overlap_density_, [found[source == name].mean() for name in "ab"]
    )
    ends = np.cumsum(selector.history_["n_drawn"])
    per_round = [part.sum() for part in np.split(found, ends[:-1])]
    assert_array_equal(selector.history_["n_overlap"], per_round)

    frozen = known_selector(
        overlap_detector=AboveMean(), n_rounds=12, batch_size=9
    ).fit_sources(sources)
    assert frozen.overlap_detector_.mean_ != by_hand.mean_


# A batch of one region has no threshold.
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("seed", [0, 1])
def test_new_thresholds_for_every_batch_bring_the_densities_together(seed):
    detector = OverlapDetector(weak_features=slice(0, 20), random_state=0)

    def rate_by_thresholds_of_the_batch(fitted, X, _):
        weak = FrozenEstimator(fitted.weak_estimator_)
        own = clone(detector).set_params(weak_estimator=weak)
        return own.fit(X, np.full(len(X), -1)).regions_ == "overlap"

    def densities(reward):
        sources = make_overlap_sources((0.08, 0.44), noise=4, random_state=seed)
        selector = UCBSourceSelector(
            overlap_detector=detector,
            policy="random",
            batch_size=16,
            n_rounds=30,
            reward=reward,
            random_state=0,
        )
        unlabeled = {
            name: (lambda n, source=source: source(n)[0])
            for name, source in sources.items()
        }
        return selector.fit_sources(unlabeled, X, y).overlap_density_

    X, y, _ = make_overlap_classification(400, noise=4, random_state=seed)
    poor, rich = densities(None)
    assert rich - poor > 0.8 * (0.44 - 0.08)
    poor_by_batch, rich_by_batch = densities(rate_by_thresholds_of_the_batch)
    assert 0 < rich_by_batch - poor_by_batch < rich - poor - 0.05


# Entrances agree


def test_fit_and_fit_sources_find_the_same_densities(known_pool, known_selector):
    X, y, source = known_pool(n=3000, n_labeled=60)
    names = np.unique(source)
    drawn = known_selector(budget=1500, policy="random").fit(X, y, sample_source=source)
    tables = {name: X[60:][source[60:] == name] for name in names}
    live = known_selector(budget=1500, policy="random").fit_sources(
        tables, X[:60], y[:60]
    )
    assert_array_equal(live.sources_, drawn.sources_)
    assert_array_equal(live.ranking_, drawn.ranking_)
    assert_allclose(live.overlap_density_, drawn.overlap_density_, atol=0.08)
    assert live.stop_reason_ == drawn.stop_reason_ == "budget"


@pytest.mark.filterwarnings("ignore:round:UserWarning")
@pytest.mark.parametrize("policy", ["kl_ucb", "kl_lucb", "ucb1", "greedy", "paper"])
def test_ask_and_tell_chooses_like_fit_sources(policy):
    def broken(_):
        raise OSError("no answer")

    sources = {
        "a": with_offset(table(300, 0.2, 1)),
        "b": with_offset(table(300, 0.6, 2)),
        "broken": broken,
    }
    params = {"policy": policy, "n_rounds": 30, "batch_size": 10}
    drawn = UCBSourceSelector(
        overlap_detector=FirstColumn(), **params, random_state=0
    ).fit_sources(sources)
    asked = UCBSourceSelector(**params)
    for n, n_overlap, error in zip(
        *(drawn.history_[name] for name in ("n_drawn", "n_overlap", "error")),
        strict=True,
    ):
        name = asked.pull(list(sources))
        if error:
            asked.update(name, error=error.removeprefix(f"source {name!r} "))
        else:
            asked.update(name, n_drawn=n, n_overlap=n_overlap)
    assert asked.pull() is None
    assert_same_history(asked.history_, drawn.history_)
    assert_array_equal(asked.index_history_, drawn.index_history_)


# Sources come and go


def test_a_source_that_is_added_takes_part_from_then_on():
    sources = {}

    def first(n):
        if len(selector_calls) == 5:
            sources["late"] = with_offset(table(200, 1, 2))
        selector_calls.append(n)
        return table(n, 0.1)

    selector_calls = []
    sources["first"] = first
    selector = UCBSourceSelector(
        overlap_detector=FirstColumn(),
        n_rounds=20,
        batch_size=5,
        burn_in=2,
        random_state=0,
    ).fit_sources(sources)
    chosen = selector.history_["source"]
    assert chosen[:8].tolist() == ["first"] * 6 + ["late"] * 2
    assert np.isnan(selector.history_["index"][6:8]).all()
    assert selector.sources_.tolist() == ["first", "late"]
    assert selector.ranking_[0] == "late"
    assert np.isnan(selector.index_history_[:6, 1]).all()


def test_a_source_that_is_removed_fails_and_comes_back_with_the_next_row():
    batches = (batch for batch in batches_of(table(60, 0.9, 2), 20))
    sources = {"gone": batches}
    n_calls = []

    def steady(n):
        n_calls.append(n)
        if len(n_calls) == 1:
            del sources["gone"]
        if len(n_calls) == 3:
            sources["gone"] = batches
        return table(n, 0.1)

    sources["steady"] = steady
    with pytest.warns(UserWarning, match="'gone' is not among the sources any more"):
        selector = UCBSourceSelector(
            overlap_detector=FirstColumn(),
            batch_size=6,
            n_rounds=40,
            max_failures=9,
            random_state=0,
        ).fit_sources(sources)
    X, _, source = selector.drawn_samples()
    numbers = np.array(numbers_of(X))[source == "gone"]
    assert numbers.tolist() == list(range(20_000, 20_060))


def test_names_to_pull_from_may_change_every_round():
    selector = UCBSourceSelector(random_state=0)
    assert selector.pull(["a"]) == "a"
    selector.update("a", n_drawn=10, n_overlap=9)
    assert selector.pull(["a", "b"]) == "b"
    selector.update("b", n_drawn=10, n_overlap=1)
    assert selector.pull(["b"]) == "b"
    selector.update("b", n_drawn=10, n_overlap=1)
    assert selector.pull(["b", "c"]) == "c"
    selector.update("c", n_drawn=10, n_overlap=0)
    assert selector.pull() == "a"
    assert selector.sources_.tolist() == ["a", "b", "c"]


def test_update_takes_draws_that_pull_did_not_ask_for():
    selector = UCBSourceSelector(random_state=0)
    selector.update("a", n_drawn=10, n_overlap=3)
    assert selector.pull() == "a"
    selector.update("new", n_drawn=10, n_overlap=5)
    assert selector.sources_.tolist() == ["a", "new"]
    assert np.isnan(selector.history_["index"]).all()
    assert not np.isnan(selector.index_history_[1, 0])


def test_a_run_can_be_told_more():
    selector = run_on("table", budget=40)
    n_rounds = len(selector.history_["round"])
    selector.update("a", n_drawn=3, n_overlap=1)
    assert len(selector.history_["round"]) == n_rounds + 1


def test_errors_that_update_is_told_retire_a_source():
    selector = UCBSourceSelector(max_failures=2)
    for _ in range(2):
        assert selector.pull(["a"]) == "a"
        selector.update("a", error="gave nothing")
    assert selector.pull(["a"]) is None
    assert selector.exhausted_.tolist() == [True]
    assert selector.history_["error"].tolist() == ["source 'a' gave nothing"] * 2
    assert selector.pull(["a", "b"]) == "b"


@pytest.mark.parametrize(
    "limit",
    [
        {"n_rounds": 3},
        {"budget": 30},
        {"cost_budget": 30},
        {"confidence": 0.9, "alpha": 1e-9},
    ],
)
def test_pull_names_no_source_at_a_limit(limit):
    selector = UCBSourceSelector(batch_size=10, **limit)
    for _ in range(50):
        name = selector.pull(["a", "b"])
        if name is None:
            break
        selector.update(name, n_drawn=10, n_overlap=10 * (name == "b"))
    assert selector.pull() is None
    assert len(selector.history_["round"]) < 50


def test_pull_names_no_source_that_cannot_be_paid():
    costs = {"cheap": 1, "dear": 10}
    selector = UCBSourceSelector(cost_budget=5, costs=costs)
    selector.update("cheap", n_drawn=1, n_overlap=0)
    assert selector.pull(["dear"]) is None
    assert selector.pull(["dear", "cheap"]) == "cheap"


def test_rows_are_rated_by_a_frozen_detector_or_by_a_reward():
    X = table(40, 0.4, 1)
    frozen = FrozenEstimator(FirstColumn().fit(X))
    told = UCBSourceSelector(overlap_detector=frozen).update("a", X)
    assert told.overlap_density_[0] == X[:, 0].mean()
    assert told.n_features_in_ == 2

    def reward(_, X, y):
        return y / len(X) * 20

    paid = UCBSourceSelector(reward=reward).update("a", X, np.ones(40))
    assert paid.overlap_density_[0] == 0.5


def test_a_batch_that_cannot_be_rated_is_not_counted():
    frozen = FrozenEstimator(FirstColumn().fit(table(5, 0.5)))
    selector = UCBSourceSelector(overlap_detector=frozen)
    for _ in range(2):
        selector.update(selector.pull(["a"]), table(5, 0.5))
    selector.pull()
    with pytest.raises(ValueError, match="X has 3 features"):
        selector.update("a", np.ones((4, 3)))
    selector.update("a", table(5, 0.5))
    assert len(selector.history_["round"]) == 3
    assert not np.isnan(selector.history_["index"][2])


def test_2000_draws_are_told_one_by_one():
    selector = UCBSourceSelector(random_state=0)
    rng = np.random.RandomState(0)
    density = {"a": 0.2, "b": 0.4, "c": 0.3}
    for _ in range(2000):
        name = selector.pull(list(density))
        selector.update(name, n_drawn=8, n_overlap=rng.binomial(8, density[name]))
    assert selector.n_pulls_.sum() == 2000
    assert selector.ranking_[0] == "b"
    assert not selector._drawing_.batches


# Errors in arguments


def selector_of(**params):
    return UCBSourceSelector(overlap_detector=FirstColumn(), random_state=0, **params)


ONE_TABLE = {"a": table(40, 0.5)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda s: s.fit_sources([table(5, 1)]),
            TypeError,
            "list object is no mapping",
        ),
        (lambda s: s.fit_sources({"a": 3}), TypeError, "source 'a' is a int"),
        (lambda s: s.fit_sources({}), ValueError, r"sources=\[\] gave no rows"),
        (
            lambda s: s.fit_sources({"a": iter(())}),
            ValueError,
            r"sources=\['a'\] gave no rows",
        ),
        (
            lambda s: s.fit_sources(ONE_TABLE, None, [0, 1]),
            ValueError,
            "y holds labels of X, but X is None",
        ),
        (
            lambda s: s.fit_sources(ONE_TABLE, table(3, 1), [0, 1]),
            ValueError,
            "inconsistent numbers of samples",
        ),
        (lambda s: s.pull(), ValueError, r"sources=None is no list of names"),
        (lambda s: s.pull([]), ValueError, r"sources=\[\] is no list of names"),
        (lambda s: s.pull("web"), ValueError, "sources='web' is no list of names"),
        (lambda s: s.update("a"), ValueError, r"update\('a'\) takes X, or n_drawn"),
        (
            lambda s: s.update("a", n_drawn=3),
            ValueError,
            r"update\('a'\) takes X, or n_drawn",
        ),
        (
            lambda s: s.update("a", table(3, 1), error="late"),
            ValueError,
            "one of the three",
        ),
        (
            lambda s: s.update("a", n_drawn=3, n_overlap=4),
            ValueError,
            "n_overlap=4 of n_drawn=3 rows is impossible",
        ),
        (
            lambda s: s.update("a", n_drawn=0, n_overlap=0),
            ValueError,
            "n_overlap=0 of n_drawn=0 rows is impossible",
        ),
        (
            lambda s: s.update("a", table(3, 1)),
            ValueError,
            "overlap_detector=FirstColumn.* is to be fitted",
        ),
        (lambda s: s.drawn_samples(), NotFittedError, "call fit_sources first"),
        (
            lambda s: s.update("a", n_drawn=1, n_overlap=0).drawn_samples(),
            NotFittedError,
            "call fit_sources first",
        ),
        (
            lambda s: s.fit(table(40, 0.5)).drawn_samples(),
            ValueError,
            r"X\[drawn_indices_\]",
        ),
        (
            lambda s: s.set_params(detection="history").pull(["a"]),
            ValueError,
            "detection='history' fits the detector",
        ),
        (
            lambda s: s.set_params(policy="paper").fit_sources(ONE_TABLE),
            ValueError,
            "policy='paper' needs the number of rounds",
        ),
        (
            lambda s: s.set_params(policy="paper").pull(["a"]),
            ValueError,
            "policy='paper' needs the number of rounds",
        ),
        (
            lambda s: s.set_params(costs={"b": 1}).fit_sources(ONE_TABLE),
            ValueError,
            "costs has no entry for source 'a'",
        ),
        (
            lambda s: s.set_params(timeout=0).fit_sources(ONE_TABLE),
            ValueError,
            "'timeout' parameter",
        ),
        (
            lambda s: (
                s.fit(table(40, 0.5)).set_params(warm_start=True).fit_sources(ONE_TABLE)
            ),
            ValueError,
            "warm_start=True goes on with a run of fit_sources",
        ),
    ],
)
def test_one_clear_error_for_what_does_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        call(selector_of())

"""Rows and labels that are drawn from live sources of every kind."""

import sqlite3
from itertools import islice

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sklearn_w2s.sources import UCBSourceSelector


class Recorder(BaseEstimator):
    """An estimator that keeps what it is fitted on."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X, y=None):
        self.X_, self.y_ = X, y
        return self


def dense(X):
    return X.toarray() if sp.issparse(X) else np.asarray(X)


def first_column(X):
    return dense(X)[:, 0].astype(float)


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


@pytest.fixture(scope="session")
def run_on(known_selector, table):
    """Draw from two sources of a kind."""

    def run(kind, sizes=(60, 60), densities=(0.1, 0.7), **params):
        tables = [
            table(n, d, i)
            for i, (n, d) in enumerate(zip(sizes, densities, strict=True))
        ]
        sources = {name: KINDS[kind](X) for name, X in zip("ab", tables, strict=True)}
        return known_selector(**params).fit_sources(sources)

    return run


class Counted:
    """Batches that can be read again, and are counted."""

    def __init__(self, X, size=10):
        self.batches = batches_of(X, size)
        self.n_taken = 0

    def __iter__(self):
        for batch in self.batches:
            self.n_taken += 1
            yield batch


@pytest.mark.parametrize("kind", KINDS)
def test_all_rows_come_from_the_source_that_is_named_and_none_twice(run_on, kind):
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
def test_limits_are_kept_whatever_the_source(run_on, kind, limit, reason):
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
def test_the_history_counts_what_was_drawn(run_on, kind):
    selector = run_on(kind, budget=100, batch_size=8)
    history = selector.history_
    X, _, source = selector.drawn_samples()
    assert_array_equal(source, np.repeat(history["source"], history["n_drawn"]))
    ends = np.cumsum(history["n_drawn"])
    found = [part.sum() for part in np.split(first_column(X), ends[:-1])]
    assert_array_equal(history["n_overlap"], found)
    assert (history["error"] == "").all()
    assert selector.index_history_.shape == (len(ends), 2)


def test_nothing_is_read_before_it_is_drawn(table, known_regions):
    rich, poor = Counted(table(400, 0.9, 1)), Counted(table(400, 0.05, 2))
    unused = iter([np.ones((3, 2))])
    selector = UCBSourceSelector(
        overlap_detector=known_regions(), batch_size=10, n_rounds=20, random_state=0
    ).fit_sources({"rich": rich, "poor": poor})
    assert (rich.n_taken, poor.n_taken) == tuple(selector.n_pulls_)
    assert rich.n_taken > poor.n_taken
    UCBSourceSelector(overlap_detector=known_regions(), n_rounds=1).fit_sources(
        {"rich": rich, "unused": unused}
    )
    assert len(list(unused)) == 1


def test_a_callable_is_never_asked_for_more_than_a_limit_allows(table, known_regions):
    asked = []

    def source(n):
        asked.append(n)
        return table(n, 0.5)

    UCBSourceSelector(
        overlap_detector=known_regions(), batch_size=8, budget=21
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
def test_no_row_twice_and_none_lost(
    table, known_regions, sizes, batch_size, budget, policy, kinds
):
    tables = [table(n, 0.5, i) for i, n in enumerate(sizes)]
    sources = {
        f"s{i}": KINDS[kind](X)
        for i, (kind, X) in enumerate(zip(kinds, tables, strict=False))
    }
    selector = UCBSourceSelector(
        overlap_detector=known_regions(),
        batch_size=batch_size,
        budget=budget,
        policy=policy,
        random_state=0,
    ).fit_sources(sources)
    numbers = numbers_of(selector.drawn_samples()[0])
    assert len(set(numbers)) == len(numbers) == min(sum(sizes), budget or np.inf)
    assert set(numbers) <= {n for X in tables for n in numbers_of(X)}
    assert selector.n_samples_drawn_.sum() == len(numbers)


@pytest.mark.parametrize("kind", ["list of frames", "polars", "sparse table"])
def test_the_estimator_is_fitted_on_the_rows_at_hand_and_those_drawn(
    table, known_regions, kind
):
    make = {"list of frames": KINDS["list of frames"], "polars": KINDS["polars"]}
    at_hand = table(20, 0.5, 3)
    like = make[kind](at_hand)[0] if kind in make else sp.csr_matrix(at_hand)
    labels = np.arange(like.shape[0]) % 2
    selector = UCBSourceSelector(
        Recorder(), overlap_detector=known_regions(), budget=40, random_state=0
    ).fit_sources({"a": KINDS[kind](table(60, 0.5, 1))}, like, labels)

    fitted = selector.estimator_
    drawn, _, _ = selector.drawn_samples()
    assert type(fitted.X_) is type(like)
    n = like.shape[0]
    assert_array_equal(dense(fitted.X_)[:n], dense(like))
    assert_array_equal(dense(fitted.X_)[n:], dense(drawn))
    assert_array_equal(fitted.y_, [*labels, *([-1] * 40)])


def test_labels_of_some_sources_are_missing_in_others(table, known_regions):
    labeled, unlabeled = table(10, 0.5, 1), table(10, 0.5, 2)
    selector = UCBSourceSelector(
        Recorder(), overlap_detector=known_regions(), missing_label=7, random_state=0
    ).fit_sources({"a": (labeled, labels_of(labeled).astype(int)), "b": unlabeled})
    X, y, source = selector.drawn_samples()
    assert_array_equal(y[source == "a"], labels_of(X)[source == "a"])
    assert_array_equal(y[source == "b"], 7)
    assert_array_equal(selector.estimator_.y_, y)


@pytest.mark.parametrize("missing_label", [-1, None, "unknown"])
def test_labels_that_are_text_are_missing_in_others(
    table, known_regions, missing_label
):
    X = table(10, 0.5, 1)
    labels = np.where(labels_of(X), "yes", "no")
    selector = UCBSourceSelector(
        overlap_detector=known_regions(), missing_label=missing_label, random_state=0
    ).fit_sources({"a": (X, labels), "b": table(10, 0.5, 2)})
    X, y, source = selector.drawn_samples()
    expected = np.where(labels_of(X), "yes", "no").astype(object)
    expected[source == "b"] = missing_label
    assert y.tolist() == expected.tolist()


def test_data_frames_keep_their_columns_and_categories(known_regions):
    colors = pd.CategoricalDtype(["red", "green", "blue"])

    def frame(n, color):
        kinds = pd.Series([color] * n, dtype=colors)
        return pd.DataFrame({"flag": np.arange(n) % 2, "color": kinds})

    selector = UCBSourceSelector(
        Recorder(), overlap_detector=known_regions(), random_state=0
    ).fit_sources({"a": frame(5, "red"), "b": [frame(2, "blue"), frame(2, "red")]})
    drawn, _, source = selector.drawn_samples()
    for X in (drawn, selector.estimator_.X_):
        assert X["color"].dtype == colors
        assert X["flag"].dtype.kind == "i"
    assert drawn["color"][source == "b"].tolist() == ["blue", "blue", "red", "red"]
    assert selector.feature_names_in_.tolist() == ["flag", "color"]

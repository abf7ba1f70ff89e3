"""Errors in what live sources, pull and update are given."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

TABLE = np.eye(40, 2)
ONE_TABLE = {"a": TABLE}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda s: s.fit_sources([TABLE]),
            TypeError,
            "must be a mapping of names to sources, got an object of type list",
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
            lambda s: s.fit_sources(ONE_TABLE, TABLE, [0, 1]),
            ValueError,
            "inconsistent numbers of samples",
        ),
        (lambda s: s.pull(), ValueError, r"must be a list of names, got None"),
        (lambda s: s.pull([]), ValueError, r"must be a list of names, got \[\]"),
        (lambda s: s.pull("web"), ValueError, "must be a list of names, got 'web'"),
        (lambda s: s.update("a"), ValueError, r"update\('a'\) takes exactly one of X"),
        (
            lambda s: s.update("a", n_drawn=3),
            ValueError,
            r"update\('a'\) takes exactly one of X",
        ),
        (
            lambda s: s.update("a", TABLE, error="late"),
            ValueError,
            "exactly one of X, n_drawn with n_overlap, and error",
        ),
        (
            lambda s: s.update("a", n_drawn=3, n_overlap=4),
            ValueError,
            "n_overlap=4 of n_drawn=3 rows is impossible",
        ),
        (
            lambda s: s.update("a", n_drawn=0, n_overlap=0),
            ValueError,
            "n_drawn=0 must be a whole number from 1 to",
        ),
        (
            lambda s: s.update("a", TABLE),
            ValueError,
            "overlap_detector=KnownRegions.* is to be fitted",
        ),
        (lambda s: s.drawn_samples(), NotFittedError, "call fit_sources first"),
        (
            lambda s: s.update("a", n_drawn=1, n_overlap=0).drawn_samples(),
            NotFittedError,
            "call fit_sources first",
        ),
        (
            lambda s: s.fit(TABLE).drawn_samples(),
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
            lambda s: s.fit(TABLE).set_params(warm_start=True).fit_sources(ONE_TABLE),
            ValueError,
            "warm_start=True continues a run of fit_sources",
        ),
    ],
)
def test_one_clear_error_for_what_does_not_fit(known_selector, call, error, message):
    with pytest.raises(error, match=message):
        call(known_selector())


@pytest.mark.parametrize(
    ("n_drawn", "n_overlap"),
    [
        *((n, 1) for n in (np.inf, np.nan, "3", 2.5, True, 10**30, 2**62, -1)),
        *((n, 1) for n in (np.array([3]), [3], np.True_)),
        *((3, n) for n in (np.inf, np.nan, "1", True, -1, 3.5, [1], 10**400)),
    ],
)
def test_counts_that_are_none_are_refused_and_nothing_is_counted(
    known_selector, n_drawn, n_overlap
):
    selector = known_selector().update("a", n_drawn=10, n_overlap=5)
    with pytest.raises(ValueError, match=r"n_drawn=.*n_overlap=|is impossible"):
        selector.update("b", n_drawn=n_drawn, n_overlap=n_overlap)
    assert selector.sources_.tolist() == ["a"]
    assert selector.n_samples_drawn_.tolist() == [10]


@pytest.mark.parametrize("error", ["", " ", 3, OSError("late")])
def test_an_error_is_a_text(known_selector, error):
    with pytest.raises(ValueError, match="must be a description of the failure"):
        known_selector().update("a", error=error)


@pytest.mark.parametrize("outcome", [{"n_drawn": 3, "n_overlap": 1}, {"error": "late"}])
def test_a_source_that_is_retired_cannot_be_updated(known_selector, outcome):
    selector = known_selector(max_failures=1).update("a", error="is away")
    selector.update("b", n_drawn=3, n_overlap=1)
    with pytest.raises(ValueError, match="source 'a' is exhausted_: it was retired"):
        selector.update("a", **outcome)
    assert selector.history_["source"].tolist() == ["a", "b"]
    assert selector.pull(["a"]) is None
    assert selector.pull() == "b"


def test_a_source_without_rows_left_cannot_be_updated(known_selector):
    selector = known_selector().fit_sources(ONE_TABLE)
    with pytest.raises(ValueError, match="no row of it is left"):
        selector.update("a", n_drawn=1, n_overlap=0)


@pytest.mark.parametrize("outcome", [{"n_drawn": 3, "n_overlap": 1}, {"error": "late"}])
@pytest.mark.parametrize("draws_first", [True, False])
def test_a_run_with_updates_is_not_continued(known_selector, outcome, draws_first):
    selector = known_selector(warm_start=True, n_rounds=1, batch_size=5)
    if draws_first:
        selector.fit_sources(ONE_TABLE)
    selector.update("a", **outcome).set_params(n_rounds=4)
    with pytest.raises(ValueError, match="update counted rows that were not kept"):
        selector.fit_sources(ONE_TABLE)
    selector.set_params(warm_start=False).fit_sources(ONE_TABLE)
    assert selector.n_samples_drawn_.tolist() == [20]
    selector.set_params(warm_start=True, n_rounds=5).fit_sources(ONE_TABLE)
    assert selector.n_samples_drawn_.tolist() == [25]


def test_a_run_without_updates_begins_as_if_pull_was_never_called(
    known_selector, tmp_path
):
    params = {"warm_start": True, "n_rounds": 4, "batch_size": 5}
    asked = known_selector(**params, checkpoint=tmp_path / "run")
    asked.pull(["z", "a"])
    asked.fit_sources(ONE_TABLE)
    expected = known_selector(**params).fit_sources(ONE_TABLE)
    assert asked.sources_.tolist() == ["a"]
    np.testing.assert_array_equal(asked.drawn_samples()[0], expected.drawn_samples()[0])
    assert any((tmp_path / "run").iterdir())

"""A run, step by step."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sklearn_w2s.sources._bandit import Limits, SourceBandit
from sklearn_w2s.sources._checkpoint import Journal
from sklearn_w2s.sources._readers import SourceEnded, SourceFailed
from sklearn_w2s.sources._run import DrawnRows, Rater, SelectionRun


class Flags(BaseEstimator):
    """A detector that reads the region off the only column."""

    def fit(self, X, y=None):
        self.n_rows_ = len(X)
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0.5, "overlap", "easy")


class Reader:
    """Gives rows that are all alike, or raises what is planned."""

    size = np.inf

    def __init__(self, name, value=1.0, plan=()):
        self.name = name
        self.value = value
        self.plan = list(plan)
        self.asked = []
        self.has_ended = False

    def read(self, n):
        self.asked.append(n)
        event = self.plan.pop(0) if self.plan else None
        if isinstance(event, BaseException):
            raise event
        return np.full((n, 1), self.value), None


def new_journal(folder):
    journal = Journal(folder)
    journal.open("start")
    return journal


def drawing_of(*readers, refits=False, journal=None, policy="kl_ucb", **limits):
    limits = {"n_rounds": 6, "budget": None, "cost_budget": None} | limits
    bandit = SourceBandit(
        policy=policy,
        alpha=1.0,
        burn_in=1,
        max_failures=3,
        limits=Limits(10, **limits, confidence=None),
        rng=np.random.RandomState(0),
    )
    rater = Rater(DrawnRows(None, None, -1), Flags(), None, None)
    drawing = SelectionRun(bandit, rater, refits=refits, seed=0, journal=journal)
    for reader in readers:
        drawing.add(reader, reader)
    return drawing


def run(drawing, look_for=lambda: None):
    for _ in drawing.rounds():
        look_for()
    return drawing.stop_reason


def sources_of(drawing):
    return [source for source, _ in drawing.batches]


def test_every_source_is_drawn_first_and_the_best_then():
    drawing = drawing_of(Reader("poor", 0.0), Reader("rich", 1.0))
    assert run(drawing) == "n_rounds"
    assert sources_of(drawing) == [0, 1, 1, 1, 1, 1]
    assert drawing.bandit.found.tolist() == [0, 50]


def test_sources_are_looked_for_before_every_step():
    drawing = drawing_of(Reader("first"))
    calls = []

    def look_for():
        calls.append(drawing.bandit.n_rounds)
        if len(calls) == 3:
            late = Reader("late")
            drawing.add(late, late)

    run(drawing, look_for)
    assert calls == list(range(7))
    assert sources_of(drawing)[:3] == [0, 0, 1]


def test_the_last_batch_is_what_the_budget_leaves():
    reader = Reader("a")
    assert run(drawing_of(reader, n_rounds=None, budget=25)) == "budget"
    assert reader.asked == [10, 10, 5]


def test_a_reader_that_has_ended_is_drawn_no_more():
    ending, other = Reader("a"), Reader("b", 0.0)
    ending.has_ended = True
    drawing = drawing_of(ending, other)
    run(drawing)
    assert len(ending.asked) == 1
    assert not drawing.bandit.is_open[0]


def test_an_end_without_rows_is_no_fault():
    drawing = drawing_of(Reader("a", plan=[SourceEnded()]), Reader("b"))
    run(drawing)
    assert not drawing.bandit.is_open[0]
    assert drawing.bandit.n_pulls.tolist() == [0, 6]
    assert (drawing.bandit.history()["error"] == "").all()


def test_a_fault_is_a_round_a_warning_and_a_refused_item():
    fault = SourceFailed("source 'a' gave nonsense", "invalid", batch="nonsense")
    drawing = drawing_of(Reader("a", plan=[fault]))
    with pytest.warns(UserWarning, match="^round 0: source 'a' gave nonsense. It will"):
        run(drawing)
    assert drawing.refused == [(0, "nonsense")]
    assert drawing.bandit.history()["error"].tolist() == [
        "source 'a' gave nonsense",
        *[""] * 5,
    ]


def test_the_detector_is_fitted_once_or_on_all_rows_again():
    once, again = (
        drawing_of(Reader("a"), Reader("b")),
        drawing_of(Reader("a"), Reader("b"), refits=True),
    )
    run(once)
    run(again)
    assert once.rater.detector.n_rows_ == 20
    assert again.rater.detector.n_rows_ == 60
    assert_array_equal(once.bandit.found, again.bandit.found)


def test_a_limit_within_the_first_draws_leaves_a_fitted_detector():
    drawing = drawing_of(*map(Reader, "abcd"), n_rounds=2)
    run(drawing)
    assert drawing.rater.detector.n_rows_ == 20
    assert drawing.bandit.rated.tolist() == [10, 10, 0, 0]
    drawing.bandit.limits.n_rounds = 6
    run(drawing)
    assert drawing.rater.detector.n_rows_ == 40


def test_a_source_that_is_absent_fails_and_keeps_its_place():
    reader, other = Reader("a"), Reader("b", 0.0)
    drawing = drawing_of(reader, other)
    present = iter([["a", "b"], ["a", "b"], ["b"]])

    def look_for():
        drawing.absent = {"a", "b"}.difference(next(present, ["a", "b"]))

    with pytest.warns(
        UserWarning, match="source 'a' is not among the sources any more"
    ):
        run(drawing, look_for)
    assert drawing.opened["a"][0] is reader
    assert drawing.bandit.drawn[0] == 10 * len(reader.asked) > 10


def test_another_source_of_a_known_name_takes_the_place_of_the_first():
    first, second = Reader("a"), Reader("a")
    drawing = drawing_of(first)
    drawing.add(second, second)
    assert drawing.bandit.names == ["a"]
    run(drawing)
    assert first.asked == []


@pytest.mark.parametrize("policy", ["thompson", "random", "kl_ucb"])
@pytest.mark.parametrize("at", range(5))
def test_a_step_that_was_interrupted_is_taken_again(policy, at):
    def readers(plan):
        return Reader("a", 0.0), Reader("b", 1.0, plan)

    expected = drawing_of(*readers([]), policy=policy, n_rounds=20)
    run(expected)
    plan = [None] * at + [KeyboardInterrupt()]
    stopped = drawing_of(*readers(plan), policy=policy, n_rounds=20)
    with pytest.raises(KeyboardInterrupt):
        run(stopped)
    run(stopped)
    assert sources_of(stopped) == sources_of(expected)
    assert_array_equal(stopped.bandit.index_history(), expected.bandit.index_history())


def test_rows_are_kept_where_they_cannot_be_kept_on_disk(tmp_path, monkeypatch):
    def full(_step):
        raise OSError("no space left")

    journal = new_journal(tmp_path)
    drawing = drawing_of(Reader("a"), Reader("b", 0.0), journal=journal)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "write", full)
        with pytest.raises(OSError, match="no space left"):
            run(drawing)
    assert run(drawing) == "n_rounds"
    replayed = drawing_of(journal=new_journal(tmp_path))
    replayed.replay()
    assert sources_of(replayed) == sources_of(drawing)
    assert len(drawing.batches) == 6
    assert_array_equal(replayed.bandit.found, drawing.bandit.found)


@pytest.mark.parametrize("refits", [False, True])
def test_a_replay_reads_no_source_and_has_the_same_history(tmp_path, refits):
    fault = SourceFailed("source 'a' gave nonsense", "invalid", batch="nonsense")
    drawing = drawing_of(
        Reader("a", 0.0, [None, fault]),
        Reader("b", 0.0),
        refits=refits,
        journal=new_journal(tmp_path),
        policy="random",
        n_rounds=15,
    )
    with pytest.warns(UserWarning, match="gave nonsense"):
        run(drawing)
    replayed = drawing_of(journal=new_journal(tmp_path), refits=refits, n_rounds=15)
    replayed.replay()
    assert run(replayed) == "n_rounds"
    for name, values in drawing.bandit.history().items():
        assert_array_equal(values, replayed.bandit.history()[name], err_msg=name)
    assert replayed.refused == drawing.refused
    assert replayed.rater.detector.n_rows_ == drawing.rater.detector.n_rows_
    assert drawing.bandit.rng.uniform() == replayed.bandit.rng.uniform()


def test_open_sources_are_not_pickled():
    reader = Reader("a")
    reader.connection = lambda: None
    drawing = drawing_of(reader)
    run(drawing)
    copy = pickle.loads(pickle.dumps(drawing))
    assert copy.opened == {}
    assert drawing.opened["a"][0] is reader
    assert sources_of(copy) == sources_of(drawing)


def test_a_run_reads_every_row_once_and_rates_it_once():
    class Counting(Flags):
        n_rated = 0

        def predict(self, X):
            type(self).n_rated += len(X)
            return super().predict(X)

    drawing = drawing_of(Reader("a"), Reader("b", 0.0), n_rounds=500)
    drawing.rater = Rater(DrawnRows(None, None, -1), Counting(), None, None)
    run(drawing)
    assert Counting.n_rated == drawing.bandit.drawn.sum() == 5000

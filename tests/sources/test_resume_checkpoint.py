"""A checkpoint goes on in another selector, and in another process."""

import importlib
import os
import pickle
import signal
import subprocess
import sys
from datetime import date
from fractions import Fraction

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_w2s.sources import _run as _drawing
from sklearn_w2s.sources._checkpoint import held, unpack

POLICIES = ["kl_ucb", "kl_lucb", "thompson", "random"]

# The source that never gives a row says so again and again.
pytestmark = pytest.mark.filterwarnings("ignore:round:UserWarning")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", ["tables", "callables", "lists of frames"])
def test_a_checkpoint_goes_on_with_a_raised_limit(
    sources_of, assert_same_run, known_selector, tmp_path, policy, kind
):
    params = {"policy": policy, "batch_size": 10, "checkpoint": tmp_path / "run"}
    for n_rounds in (2, 9, 30):
        selector = known_selector(n_rounds=n_rounds, **params)
        selector.fit_sources(sources_of(kind))
        assert len(selector.history_["round"]) == n_rounds
    whole = known_selector(n_rounds=30, **(params | {"checkpoint": None}))
    assert_same_run(selector, whole.fit_sources(sources_of(kind)))


@settings(max_examples=10)
@given(at=st.integers(1, 15), policy=st.sampled_from(POLICIES))
def test_a_checkpoint_of_an_interrupted_run_goes_on(
    sources_of, stopping, assert_same_run, known_selector, tmp_path_factory, at, policy
):
    folder = tmp_path_factory.mktemp("run")
    params = {"policy": policy, "batch_size": 11, "n_rounds": 22}
    with pytest.raises(KeyboardInterrupt):
        known_selector(checkpoint=folder, **params).fit_sources(
            stopping("callables", at)
        )
    resumed = known_selector(checkpoint=folder, **params)
    resumed.fit_sources(sources_of("callables"))
    expected = known_selector(**params).fit_sources(sources_of("callables"))
    assert_same_run(resumed, expected)


def test_a_checkpoint_keeps_a_run_without_a_seed(sources_of, known_selector, tmp_path):
    params = {"random_state": None, "checkpoint": tmp_path, "batch_size": 10}
    first = known_selector(n_rounds=8, **params).fit_sources(sources_of("tables"))
    again = known_selector(n_rounds=25, **params).fit_sources(sources_of("tables"))
    assert_array_equal(again.history_["source"][:8], first.history_["source"])
    X, _, _ = again.drawn_samples()
    assert_array_equal(X[:80], first.drawn_samples()[0])
    assert len(np.unique(X[:, 1])) == len(X)


def test_other_limits_and_patience_are_no_other_rules(
    sources_of, known_selector, tmp_path
):
    params = {"checkpoint": str(tmp_path), "batch_size": 10}
    known_selector(n_rounds=5, **params).fit_sources(sources_of("tables"))
    selector = known_selector(
        budget=80, cost_budget=1000, max_failures=9, timeout=60, **params
    ).fit_sources(sources_of("tables"))
    assert selector.stop_reason_ == "budget"
    assert selector.n_samples_drawn_.sum() == 80


def frames_of(kind):
    """Make sources of frames with columns of numbers, texts and dates."""
    rng = np.random.RandomState(0)
    sources = {}
    for name, density in {"poor": 0.1, "rich": 0.7}.items():
        columns = {
            "flag": (rng.uniform(size=120) < density).astype(float),
            "text": [f"{name} {i}" for i in range(120)],
            "date": [date(2020, 1, 1 + i % 28) for i in range(120)],
            "mixed": [i if i % 2 else str(i) for i in range(120)],
        }
        if kind == "array":
            X = np.array(list(zip(*columns.values(), strict=True)), dtype=object)
        elif kind == "pandas":
            X = pytest.importorskip("pandas").DataFrame(columns)
        else:
            del columns["mixed"], columns["date"]
            X = pytest.importorskip("polars").DataFrame(columns)
        sources[name] = X, np.array([f"{i % 2}" for i in range(120)], dtype=object)
    return sources


@pytest.mark.parametrize("kind", ["array", "pandas", "polars"])
@pytest.mark.parametrize("detection", ["frozen", "history"])
def test_going_on_reads_no_pickle_and_comes_to_the_same(
    assert_same_run, known_selector, tmp_path, monkeypatch, kind, detection
):
    def refuse(*_):
        raise AssertionError("a pickle was read")

    params = {"batch_size": 7, "policy": "thompson", "detection": detection}
    known_selector(checkpoint=tmp_path, n_rounds=9, **params).fit_sources(
        frames_of(kind)
    )
    for module, name in [
        (pickle, "Unpickler"),
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "_Unpickler"),
        (joblib.numpy_pickle, "NumpyUnpickler"),
    ]:
        monkeypatch.setattr(module, name, refuse)
    resumed = known_selector(checkpoint=tmp_path, n_rounds=22, **params)
    resumed.fit_sources(frames_of(kind))
    whole = known_selector(n_rounds=22, **params).fit_sources(frames_of(kind))
    assert_same_run(resumed, whole)
    assert type(resumed.drawn_samples()[0]) is type(whole.drawn_samples()[0])


@pytest.mark.parametrize("planted", ["start.bin", "step-00000002.bin"])
def test_a_planted_file_runs_nothing(
    sources_of, known_selector, tmp_path, capsys, planted
):
    class Bomb:
        def __reduce__(self):
            return print, ("boom",)

    params = {"checkpoint": tmp_path, "batch_size": 10}
    known_selector(n_rounds=5, **params).fit_sources(sources_of("tables"))
    (tmp_path / planted).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=planted):
        known_selector(n_rounds=9, **params).fit_sources(sources_of("tables"))
    assert capsys.readouterr().out == ""


def test_a_torn_last_step_is_drawn_again(
    sources_of, assert_same_run, known_selector, tmp_path
):
    params = {"checkpoint": tmp_path, "batch_size": 10, "policy": "thompson"}
    known_selector(n_rounds=7, **params).fit_sources(sources_of("tables"))
    last = tmp_path / "step-00000006.bin"
    last.write_bytes(last.read_bytes()[:200])
    with pytest.warns(UserWarning, match="step-00000006.bin was written in part"):
        resumed = known_selector(n_rounds=12, **params).fit_sources(
            sources_of("tables")
        )
    whole = known_selector(n_rounds=12, **(params | {"checkpoint": None}))
    assert_same_run(resumed, whole.fit_sources(sources_of("tables")))


def test_a_batch_that_cannot_be_kept_is_named_and_not_lost(known_selector, tmp_path):
    def source(n, offset):
        asked.append(offset)
        rows = np.zeros((n, 2), dtype=object)
        rows[:, 1] = Fraction(1, 3) if len(asked) == 3 else 1
        return rows

    asked = []
    params = {"checkpoint": tmp_path, "batch_size": 10, "n_rounds": 4}
    selector = known_selector(**params)
    message = "batch of source 'a' cannot be kept .*: it column 1 holds .*Fraction"
    with pytest.raises(TypeError, match=message):
        selector.fit_sources({"a": source})
    selector.set_params(warm_start=True).fit_sources({"a": source})
    assert asked == [0, 10, 20, 20, 30]


@pytest.mark.parametrize("kind", ["generator", "table"])
def test_an_interrupt_while_a_batch_is_kept_loses_no_row(
    table, known_selector, tmp_path, monkeypatch, kind
):
    def interrupted(content):
        calls.append(content)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return unpack(content)

    calls, X = [], table(90, 0.5, 1)
    source = X if kind == "table" else (X[i : i + 13] for i in range(0, 90, 13))
    selector = known_selector(checkpoint=tmp_path, batch_size=10)
    monkeypatch.setattr(_drawing, "unpack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        selector.fit_sources({"a": source})
    selector.set_params(warm_start=True).fit_sources({"a": source})
    assert sorted(selector.drawn_samples()[0][:, 1]) == X[:, 1].tolist()


def test_a_checkpoint_in_use_is_refused_with_the_name_of_the_other(
    sources_of, known_selector, tmp_path
):
    selector = known_selector(checkpoint=tmp_path, n_rounds=4)
    with held(tmp_path), pytest.raises(RuntimeError, match="in use by process"):
        selector.fit_sources(sources_of("tables"))
    selector.fit_sources(sources_of("tables"))


def test_a_run_goes_on_in_its_own_checkpoint_only(sources_of, known_selector, tmp_path):
    params = {"batch_size": 10, "checkpoint": tmp_path / "one"}
    first = known_selector(n_rounds=4, warm_start=True, **params)
    first.fit_sources(sources_of("tables"))
    known_selector(n_rounds=6, **params).fit_sources(sources_of("tables"))
    first.set_params(n_rounds=8)
    with pytest.raises(ValueError, match="was changed by another run"):
        first.fit_sources(sources_of("tables"))
    first.set_params(checkpoint=tmp_path / "two")
    with pytest.raises(ValueError, match=r"checkpoint=.*two.* is not that of the run"):
        first.fit_sources(sources_of("tables"))


def test_a_checkpoint_takes_a_policy_that_cannot_be_pickled(
    sources_of, known_selector, tmp_path
):
    params = {"checkpoint": tmp_path, "batch_size": 10}
    for n_rounds in (5, 9):
        selector = known_selector(
            policy=lambda arms: -arms.drawn, n_rounds=n_rounds, **params
        ).fit_sources(sources_of("tables"))
    assert selector.n_pulls_.tolist() == [3, 3, 3]


def test_a_checkpoint_takes_refused_items_that_cannot_be_pickled(
    table, known_selector, tmp_path
):
    def sources():
        items = [(i for i in range(3)), table(20, 0.5, 1)]
        return {"a": iter(items), "b": table(40, 0.5, 2)}

    selector = known_selector(checkpoint=tmp_path, n_rounds=3).fit_sources(sources())
    [(name, content)] = selector.refused_
    assert name == "a"
    assert "generator" in content
    again = known_selector(checkpoint=tmp_path, n_rounds=3).fit_sources(sources())
    assert again.refused_ == selector.refused_


# Processes that are killed


PLAN = """
import os, signal, warnings
import numpy as np
from sklearn.base import BaseEstimator
from sklearn_w2s.sources import UCBSourceSelector


class Regions(BaseEstimator):
    def fit(self, X, y=None):
        self.regions_ = self.predict(X)
        return self

    def predict(self, X):
        return np.where(X[:, 0] > 0.5, "overlap", "easy")


class Source:
    n_calls = 0
    killed_at = None

    def __init__(self, density, number):
        rng = np.random.RandomState(number)
        flags = rng.uniform(size=400) < density
        self.X = np.column_stack([flags, 1000 * number + np.arange(400)])

    def __call__(self, n, offset):
        Source.n_calls += 1
        if Source.n_calls == Source.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.X[offset : offset + n]


def broken(n):
    raise OSError("no answer")


def run(folder, policy, killed_at=None):
    warnings.simplefilter("ignore")
    Source.n_calls, Source.killed_at = 0, killed_at
    sources = {f"s{i}": Source(0.2 * i, i) for i in range(4)} | {"broken": broken}
    return UCBSourceSelector(
        overlap_detector=Regions(), policy=policy, batch_size=9, burn_in=2,
        n_rounds=40, random_state=0, checkpoint=folder,
    ).fit_sources(sources)
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A module that this process and others can import."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "plan_of_a_run.py").write_text(PLAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("plan_of_a_run")


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
@pytest.mark.parametrize(
    ("killed_at", "policy"),
    [(1, "kl_ucb"), (6, "thompson"), (8, "kl_ucb"), (20, "random")],
)
def test_a_process_that_was_killed_goes_on_in_another(
    assert_same_run, plan, tmp_path, killed_at, policy
):
    code = (
        f"import plan_of_a_run as p; p.run({str(tmp_path)!r}, {policy!r}, {killed_at})"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("step-*"))) >= killed_at - 1

    resumed = plan.run(tmp_path, policy)
    assert plan.Source.n_calls < plan.run(None, policy).n_pulls_.sum() or killed_at == 1
    assert_same_run(resumed, plan.run(None, policy))

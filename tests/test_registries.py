"""A strategy, measure or policy is added by one class or function and one line."""

from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier
from sklearn_w2s.advice import advise
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap._measures import MEASURES, Measure
from sklearn_w2s.sources._bandit import POLICIES, Policy
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, Strategy
from sklearn_w2s.weak_to_strong._teachers import Taught, Teacher

X, TRUTH, _ = make_overlap_classification(400, random_state=0)
Y = np.where(np.arange(400) < 100, TRUTH, -1)
SOURCE = np.arange(400) % 3


class Sharpened(Teacher):
    """A toy teacher, which needs no labels and is surer than the weak estimator."""

    steps = {"Sharpening": 10}

    def teach(self, known, *, step=nullcontext, **_):
        with step("Squaring"), step("Sharpening"):
            proba = known.weak_proba**2 / (known.weak_proba**2).sum(
                axis=1, keepdims=True
            )
        return Taught(proba, proba, None, {}, np.empty(0, dtype=np.intp), {})


class FirstColumn(Measure):
    """A toy measure, which wants dense rows of NumPy."""

    takes_sparse = False
    needs_numpy = True

    def fit(self, rows, weak_rows, hard, weights):
        self.references = rows[hard]
        return self

    def score(self, rows, weak_rows):
        return np.abs(rows[:, 0])


@pytest.fixture
def toy_measure(monkeypatch):
    monkeypatch.setitem(MEASURES, "first_column", lambda _: FirstColumn())
    return OverlapDetector(overlap_measure="first_column", random_state=0)


def test_a_new_measure_serves_the_detector(toy_measure):
    assert not toy_measure.__sklearn_tags__().input_tags.sparse
    toy_measure.fit(X, Y)
    rows = toy_measure.represent(X)
    np.testing.assert_array_equal(toy_measure.score_samples(X), np.abs(rows[:, 0]))


def test_a_new_measure_serves_the_classifier_and_advice(toy_measure):
    model = WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(),
        weak_features=slice(0, 20),
        strategy="overlap",
        overlap_detector=toy_measure,
    )
    assert (model.fit(X, Y).overlap_detector_.overlap_measure) == "first_column"
    advised = advise(model, X, Y, cv=2, random_state=0).estimator
    assert advised.overlap_density_ == model.overlap_density_


def test_a_new_measure_serves_the_selector(toy_measure):
    selector = UCBSourceSelector(overlap_detector=toy_measure, n_rounds=5)
    selector.fit(X, Y, sample_source=SOURCE)
    assert selector.overlap_detector_.overlap_measure == "first_column"


def test_a_new_measure_serves_dask(toy_measure):
    da = pytest.importorskip("dask.array")
    from sklearn_w2s.dask import OverlapDetector as DaskDetector

    detector = DaskDetector(**toy_measure.get_params(deep=False))
    detector.fit(da.from_array(X, (100, -1)), da.from_array(Y, 100))
    alone = toy_measure.fit(X, Y)
    assert detector.overlap_density_ == alone.overlap_density_


@pytest.fixture(params=["sharpened", "first_half", "sure"])
def toy_strategy(request, monkeypatch):
    def keep_sure(proba, *_):
        return proba, (proba.max(axis=1) > 0.6).astype(float)

    def keep_first_half(proba, *_):
        return proba, (np.arange(len(proba)) < len(proba) / 2).astype(float)

    monkeypatch.setitem(STRATEGIES, "sharpened", Strategy(teacher=Sharpened()))
    monkeypatch.setitem(STRATEGIES, "first_half", Strategy(keep_first_half))
    monkeypatch.setitem(STRATEGIES, "sure", Strategy(keep_sure, by_row=True))
    return WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(),
        weak_features=slice(0, 20),
        strategy=request.param,
        store_rows=True,
        random_state=0,
    )


def test_a_new_strategy_serves_the_classifier_and_advice(toy_strategy):
    name = toy_strategy.strategy
    model = toy_strategy.fit(X, Y)
    assert model.strategy_ == name
    learned = np.flatnonzero((Y == -1) & (model.rows_["weight"] > 0))
    assert (learned.max() == 199) == (name == "first_half")
    advice = advise(model, X, Y, cv=2, random_state=0)
    assert advice.strategy == name
    assert advice.estimator.strategy_ == name


def test_a_new_teacher_reports_steps_of_its_own(monkeypatch, capsys):
    monkeypatch.setitem(STRATEGIES, "sharpened", Strategy(teacher=Sharpened()))
    WeakToStrongClassifier(
        LogisticRegression(), LogisticRegression(), strategy="sharpened", verbose=1
    ).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    shown = [
        "(step 1 of 3) Fitting weak_estimator",
        "(step 2 of 3) Sharpening",
        " Squaring",  # without a cost of its own
        "(step 3 of 3) Fitting strong_estimator",
    ]
    assert len(lines) == len(shown)
    assert all(part in line for part, line in zip(shown, lines, strict=True))


def test_a_new_strategy_serves_the_selector(toy_strategy):
    selector = UCBSourceSelector(toy_strategy, n_rounds=8, random_state=0)
    selector.fit(X, Y, sample_source=SOURCE)
    assert selector.estimator_.strategy_ == toy_strategy.strategy


def test_a_new_strategy_serves_dask(toy_strategy):
    da = pytest.importorskip("dask.array")
    from sklearn_w2s.dask import WeakToStrongClassifier as DaskClassifier

    params = toy_strategy.get_params(deep=False)
    names = DaskClassifier().get_params(deep=False)
    model = DaskClassifier(**{n: params[n] for n in names if n in params})
    model.fit(da.from_array(X, (100, -1)), da.from_array(Y, 100))
    assert model.strategy_ == toy_strategy.strategy
    alone = toy_strategy.fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), 1e-6)


def test_a_name_in_no_registry_is_refused_with_all_that_are(toy_strategy):
    toy_strategy.set_params(strategy="unheard_of")
    with pytest.raises(ValueError, match=r"'strategy' .*'sharpened'.* Got 'unh"):
        toy_strategy.fit(X, Y)


def test_a_new_policy_serves_the_selector(monkeypatch):
    policy = Policy(lambda arms: -np.arange(3.0), needs_horizon=True)
    monkeypatch.setitem(POLICIES, "in_order", policy)
    selector = UCBSourceSelector(
        OverlapDetector(LogisticRegression()),
        policy="in_order",
        batch_size=10,
        burn_in=1,
        random_state=0,
    )
    with pytest.raises(ValueError, match="needs the number of rounds"):
        selector.fit_sources({"a": iter([])}, X, Y)
    selector.set_params(n_rounds=8).fit(X, Y, sample_source=SOURCE)
    assert selector.history_["source"].tolist()[3:] == [0] * 5

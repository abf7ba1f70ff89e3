"""Every warning names the line of the user, whatever calls lie between."""

import pickle
import threading
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_w2s
from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
    persistence,
)
from sklearn_w2s._warnings import warn
from sklearn_w2s.advice import advise
from sklearn_w2s.metrics import (
    performance_gap_recovered,
    performance_gap_recovered_score,
)
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
    weak_strong_split,
)
from sklearn_w2s.overlap import NoChangePointWarning
from sklearn_w2s.weak_estimators import (
    ColumnProbaClassifier,
    FunctionClassifier,
    VoteClassifier,
)

PACKAGE = Path(sklearn_w2s.__file__).parent
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
Y = np.where(np.arange(300) < 120, (X[:, 0] > 0).astype(int), -1)
SIGNS = np.where(X[:, 0] > 0, 1, -1)
PROBA = np.full((300, 2), 0.5)
FEW = np.arange(180), np.arange(180, 300)
MANY = np.arange(300), np.arange(180, 300)
SOURCES = np.arange(300) % 2


class Constant(ClassifierMixin, BaseEstimator):
    """A classifier that learns nothing, where there are rows enough."""

    def __init__(self, least=0):
        self.least = least

    def fit(self, X, y, sample_weight=None):
        if len(X) < self.least:
            msg = "too few rows"
            raise ValueError(msg)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def pair(weak=None, strong=None, **params):
    params = {"strategy": "all", "random_state": 0} | params
    return WeakToStrongClassifier(
        weak or GaussianNB(), strong or GaussianNB(), **params
    )


def detector(**params):
    return OverlapDetector(GaussianNB(), random_state=0, **params)


def selector(**params):
    return UCBSourceSelector(overlap_detector=detector(), n_rounds=2, **params)


def never_sure():
    detector = OverlapDetector(confidence=lambda proba: np.zeros(len(proba)))
    return pair(strategy="confident", overlap_detector=detector)


def load(file, read):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(persistence, "__version__", "9.9")
        joblib.dump(pair(), file)
    return read(file)


def load_by_pickle(file):
    return pickle.loads(file.read_bytes())


def fail(_n):
    msg = "no answer"
    raise OSError(msg)


def draw_from_what_fails():
    sources = {"good": X[120:], "bad": fail}
    UCBSourceSelector(
        overlap_detector=detector(), n_rounds=4, max_failures=1
    ).fit_sources(sources, X[:120], Y[:120])


SIGNS_ONLY = {
    "classifier": lambda: pair().fit(X, SIGNS),
    "detector": lambda: detector().fit(X, SIGNS),
    "detector of a stream": lambda: detector().partial_fit(X, SIGNS),
    "detector, fit_transform": lambda: detector().fit_transform(X, SIGNS),
    "sampler": lambda: OverlapSampler(detector()).fit_resample(X, SIGNS),
    "selector": lambda: selector().fit(X, SIGNS, sample_source=SOURCES),
    "selector of sources": lambda: selector().fit_sources({"a": X}, X, SIGNS),
    "columns": lambda: ColumnProbaClassifier([0, 1]).fit(PROBA, SIGNS),
    "function": lambda: FunctionClassifier(lambda X: X[:, 0]).fit(X, SIGNS),
    "votes": lambda: VoteClassifier([0], abstain=0).fit(SIGNS[:, None], SIGNS),
    "split": lambda: list(LabeledSplit(2).split(X, SIGNS)),
    "hiding": lambda: weak_strong_split(X, SIGNS),
    "cross-validation": lambda: cross_validate_gap(pair(), X, SIGNS, cv=2),
    "learning curve": lambda: gap_learning_curve(
        pair(), X, SIGNS, labeled_sizes=[0.5], cv=2
    ),
    "advice": lambda: advise(pair(), X, SIGNS, cv=2),
    "pipeline": lambda: make_pipeline(StandardScaler(), pair()).fit(X, SIGNS),
    "search": lambda: GridSearchCV(
        make_pipeline(StandardScaler(), pair()), {}, cv=2
    ).fit(X, SIGNS),
    "cross_validate": lambda: cross_validate(pair(), X, SIGNS, cv=2),
    "cross_val_score": lambda: cross_val_score(
        pair(), X, SIGNS, cv=LabeledSplit(2), scoring=LabeledScorer()
    ),
}
OTHERS = {
    "column": lambda: pair().fit(X, Y[:, None]),
    "column in a search": lambda: LabeledSplit(2).get_n_splits(X, Y[:, None]),
    "equal confidences": lambda: OverlapDetector().fit(X, weak_proba=PROBA),
    "equal confidences of a stream": lambda: OverlapDetector().partial_fit(
        X, weak_proba=PROBA
    ),
    "equal confidences in a search": lambda: GridSearchCV(
        make_pipeline(StandardScaler(), never_sure()), {}, cv=LabeledSplit(2)
    ).fit(X, Y),
    "hard labels": lambda: pair(
        strong=KNeighborsClassifier(), pseudo_labels="soft"
    ).fit(X, Y),
    "unused thresholds": lambda: pair(
        strategy="auto", overlap_detector=OverlapDetector(confidence_threshold=0.2)
    ).fit(X, Y),
    "labels of one class": lambda: pair(
        FrozenEstimator(GaussianNB().fit(X[:120], Y[:120])), strategy="mix"
    ).fit(X, np.where(Y == 0, 0, -1)),
    "too few labels for the strong estimator": lambda: pair(
        strong=Constant(least=200), strategy="mix"
    ).fit(X, Y),
    "a lesson not learned": lambda: pair(strong=Constant(), strategy="blend").fit(X, Y),
    "scores that are missing": lambda: overlap_curve(
        GaussianNB(),
        GaussianNB(),
        X,
        X[:, 0] > 0,
        np.where(X[:, 1] > 0, "overlap", "easy"),
        n_samples=20,
        scoring=lambda *_: np.nan,
    ),
    "fits that fail": lambda: cross_validate_gap(
        pair(strong=Constant(least=200)), X, X[:, 0] > 0, cv=[FEW, MANY]
    ),
    "no gap": lambda: performance_gap_recovered(0.7, 0.7, 0.6),
    "no gap of labels": lambda: performance_gap_recovered_score(
        [0, 1], [0, 1], [0, 1], [1, 1]
    ),
    "a source that fails": draw_from_what_fails,
}


def warned_at(call):
    """Return the warnings of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        # What is warned of may be refused later.
        with suppress(ValueError):
            call()
    return found


@pytest.mark.parametrize("call", SIGNS_ONLY.values(), ids=SIGNS_ONLY)
def test_a_warning_about_labels_names_the_line_that_passed_them(call):
    found = [w for w in warned_at(call) if "-1 and +1 only" in str(w.message)]

    assert found
    assert {w.filename for w in found} == {__file__}


@pytest.mark.parametrize("call", OTHERS.values(), ids=OTHERS)
def test_other_warnings_name_the_line_that_called(call):
    found = warned_at(call)

    assert found
    assert {w.filename for w in found} == {__file__}


def test_with_dask_too():
    array = pytest.importorskip("dask.array")
    collections = array.from_array(X, chunks=(100, 6)), array.from_array(Y, chunks=100)
    dask = import_module("sklearn_w2s.dask")
    detector = dask.OverlapDetector(confidence=lambda proba: np.zeros(len(proba)))
    found = warned_at(lambda: detector.fit(*collections))

    assert {w.category for w in found} == {NoChangePointWarning}
    assert {w.filename for w in found} == {__file__}


@pytest.mark.parametrize("read", [joblib.load, load_by_pickle])
def test_a_warning_about_another_version_names_the_line_that_reads_the_file(
    tmp_path, read
):
    found = warned_at(lambda: load(tmp_path / "model", read))

    assert [w.filename for w in found] == [__file__]


def test_a_line_gets_the_same_warning_once_by_default():
    call = OTHERS["no gap"]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        call()
        call()

    assert [w.lineno for w in found] == [call.__code__.co_firstlineno]


def test_a_warning_without_a_line_of_the_user_is_not_lost():
    thread = threading.Thread(target=warn, args=("in vain", FutureWarning))
    found = warned_at(lambda: (thread.start(), thread.join()))

    assert [str(w.message) for w in found] == ["in vain"]


def test_no_call_counts_frames_by_hand():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "_warnings.py":
            code = path.read_text("utf-8")
            assert "warnings.warn(" not in code, path
            assert "stacklevel" not in code, path

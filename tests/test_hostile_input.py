"""What a user may feed in by mistake: one clear error, or a documented behaviour.

`CASES` says for every mistake what each entry point makes of it: the message of the
error, or that it works. What takes no rows and labels is tested elsewhere, see
`test_mistakes.py`.
"""

import importlib
import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
)
from sklearn_w2s.advice import advise
from sklearn_w2s.metrics import expansion
from sklearn_w2s.model_selection import (
    LabeledScorer,
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
    weak_strong_split,
)
from sklearn_w2s.overlap import NoChangePointWarning

N_ROWS, N_LABELED, N_FEATURES = 150, 60, 6
WORKS = None
REGIONS = ["easy", "hard", "overlap"]


def make_rows():
    X, y = make_classification(
        N_ROWS, N_FEATURES, n_informative=4, n_redundant=0, random_state=0
    )
    return X, np.where(np.arange(N_ROWS) < N_LABELED, y, -1)


def logistic():
    return LogisticRegression()


def classifier(**params):
    return WeakToStrongClassifier(logistic(), logistic(), random_state=0, **params)


def sources(X):
    n = 0 if X is None else len(X)
    return np.arange(n) % 3


def curve(X, y):
    """Every row needs a label here: those that have none get the first one."""
    if y is not None and np.ndim(y) == 1:
        y = np.where(y == -1, y[:1], y)
    return overlap_curve(
        *(
            logistic(),
            logistic(),
            X,
            y,
            region_names(X),
        ),
        overlap_shares=[0.3],
        n_repeats=1,
        random_state=0,
    )


def region_names(X):
    return np.resize(REGIONS, N_ROWS if X is None else len(X))


def score(X, y):
    """A scorer gets a fitted estimator."""
    rows, labels = make_rows()
    rows = frame(rows) if isinstance(X, pd.DataFrame) else rows
    fitted = classifier(strategy="all").fit(rows, labels)
    return LabeledScorer("accuracy")(fitted, X, y)


def collection(values):
    """Return rows or labels as a collection of Dask."""
    if values is None:
        return None
    if isinstance(values, pd.DataFrame):
        dd = pytest.importorskip("dask.dataframe")
        return dd.from_pandas(values, npartitions=2 if len(values) else 1)
    da = pytest.importorskip("dask.array")
    values = np.asarray(values)
    chunks = (max(1, len(values) // 2), *values.shape[1:])
    return da.from_array(values, chunks=chunks)


def over_dask(name, *parts, **params):
    """Return the call of an estimator of Dask, in this process."""

    def fit(X, y):
        dask = pytest.importorskip("dask")
        estimator = getattr(importlib.import_module("sklearn_w2s.dask"), name)
        with dask.config.set(scheduler="synchronous"):
            X, y = collection(X), collection(y)
            return estimator(*parts, random_state=0, **params).fit(X, y)

    return fit


ESTIMATORS = {
    "detector": lambda: OverlapDetector(logistic(), random_state=0),
    "default detector": lambda: OverlapDetector(random_state=0),
    "classifier": lambda: classifier(strategy="all"),
    "default classifier": lambda: WeakToStrongClassifier(strategy="confidence"),
    "selector": lambda: UCBSourceSelector(
        overlap_detector=OverlapDetector(logistic()), n_rounds=4, random_state=0
    ),
}
FUNCTIONS = {
    "partial_fit": lambda X, y: ESTIMATORS["detector"]().partial_fit(X, y),
    "sampler": lambda X, y: OverlapSampler(OverlapDetector(logistic())).fit_resample(
        X, y
    ),
    "gap": lambda X, y: cross_validate_gap(classifier(strategy="all"), X, y, cv=2),
    "curve": curve,
    "learning curve": lambda X, y: gap_learning_curve(
        classifier(strategy="all"), X, y, labeled_sizes=[0.5], cv=2
    ),
    "split": lambda X, y: weak_strong_split(X, y, labeled_size=0.5, random_state=0),
    "labeled split": lambda X, y: list(LabeledSplit(2).split(X, y)),
    "scorer": score,
    "expansion": lambda X, _: expansion(X, region_names(X)),
    "Dask detector": over_dask("OverlapDetector", logistic()),
    "Dask classifier": over_dask(
        "WeakToStrongClassifier", logistic(), logistic(), strategy="all"
    ),
    "advise": lambda X, y: advise(
        classifier(strategy="all"), X, y, cv=2, random_state=0
    ),
}
GAPS = ["gap", "learning curve"]
SPLITS = ["split", "labeled split"]
DASK = ["Dask detector", "Dask classifier"]
ENTRIES = [*ESTIMATORS, *FUNCTIONS]


@dataclass
class Case:
    """A change of rows or labels, and what comes of it.

    `outcome` holds of all entry points but those in `others`, and those that do not
    read what is changed, the rows or the labels.
    """

    change: object
    outcome: str | None = WORKS
    others: dict = field(default_factory=dict)
    of: str = "both"

    def outcome_of(self, entry):
        if entry in self.others:
            return self.others[entry]
        unread = {"rows": SPLITS, "labels": ["expansion"]}.get(self.of, [])
        return WORKS if entry in unread else self.outcome


def cell(value, *outcomes):
    def change(X):
        X = X.copy()
        X[3, 2] = value
        return X

    return rows(change, *outcomes)


def labels(make, *outcomes):
    return Case(lambda X, y: (X, make(y)), *outcomes, of="labels")


def rows(make, *outcomes):
    return Case(lambda X, y: (make(X), y), *outcomes, of="rows")


def named(outcome, *entries):
    return dict.fromkeys(entries, outcome)


def with_none(X):
    X = X.astype(object)
    X[5, 1] = None
    return X


def frame(X):
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])


def mixed_kinds(y):
    return np.array(
        [-1 if v == -1 else ("one" if i % 2 else 1) for i, v in enumerate(y)],
        dtype=object,
    )


NOT_ENOUGH = "y has one class only"
# What compares estimators asks for classes to compare them on.
FEW_CLASSES = named(r"y has the classes \[", *GAPS, "curve", "split")
NOT_COLLECTION = named("two-dimensional Dask array", *DASK)
LENGTHS = "inconsistent numbers of samples|partitions and y has"
INFINITE = "contains infinity"
NOT_NUMBERS = "could not convert string to float"
MISSING = "contains NaN"
WITHOUT_ROWS = (
    named("y has no label: all 0 values", "labeled split")
    | named("nothing to score: all 0 values", "scorer")
    | named("regions is empty", "expansion")
    | named("X has 0 rows", *DASK)
    | named("each of its 0 rows has a label", "advise")
)
OPEN_TO_MISSING = named(WORKS, "default detector", "default classifier", *GAPS)

CASES = {
    "NaN": cell(np.nan, MISSING, OPEN_TO_MISSING),
    "infinity": cell(np.inf, INFINITE, named(WORKS, *GAPS)),
    "minus infinity": cell(-np.inf, INFINITE, named(WORKS, *GAPS)),
    "None among objects": rows(with_none, MISSING, OPEN_TO_MISSING),
    "missing texts in a frame": rows(
        lambda X: frame(X).assign(c=np.where(X[:, 0] > 0, "a", None)),
        MISSING,
        named(WORKS, "default detector", "default classifier")
        | named(NOT_NUMBERS, "curve", "expansion", "Dask detector")
        | named("Feature names unseen at fit time", "scorer"),
    ),
    "labels of mixed kinds": labels(mixed_kinds, "y holds labels such as"),
    "one class": labels(
        lambda y: np.minimum(y, 0),
        NOT_ENOUGH,
        FEW_CLASSES
        | named(r"y has the classes \[0\]", "advise")
        | named(WORKS, "labeled split", "scorer"),
    ),
    "one class, a text": labels(
        lambda y: np.array(["a" if v >= 0 else -1 for v in y], dtype=object),
        NOT_ENOUGH,
        FEW_CLASSES
        | named(r"y has the classes \['a'\]", "advise")
        | named(WORKS, "labeled split")
        | named("differ in kind", "scorer"),
    ),
    "no label": labels(
        lambda y: np.full(len(y), -1),
        "y has no label",
        FEW_CLASSES | named("nothing to score", "scorer"),
    ),
    "no unlabeled row": Case(
        lambda X, y: (X[:N_LABELED], y[:N_LABELED]),
        WORKS,
        named("each of its 60 rows has a label", "advise"),
    ),
    "continuous labels": labels(
        lambda y: np.where(y == -1, -1, y + np.linspace(0, 0.3, len(y))),
        "Unknown label type: continuous",
        # They split values as well as classes.
        named(WORKS, "split", "labeled split"),
    ),
    "missing labels that are not marked so": labels(
        lambda y: np.where(y == -1, np.nan, y),
        WORKS,
        named(r"y has no label in 90 row\(s\), the first at position 60", "curve"),
    ),
    "two columns of labels": labels(
        lambda y: np.column_stack([y, y]), "y should be a 1d array|one-dimensional Dask"
    ),
    "no y": labels(
        lambda y: None,
        "requires y to be passed",
        named("y should be a 1d array", "split", "advise")
        | named("requires y, but y is None", "labeled split"),
    ),
    "fewer labels than rows": labels(lambda y: y[:-1], LENGTHS),
    "zero rows": Case(
        lambda X, y: (X[:0], y[:0]),
        r"0 sample\(s\)",
        WITHOUT_ROWS | FEW_CLASSES,
    ),
    "zero rows of a frame": Case(
        lambda X, y: (frame(X[:0]), y[:0]),
        r"a data frame of shape \(0, 6\)",
        WITHOUT_ROWS | {k: FEW_CLASSES[k] for k in (*GAPS, "split")},
    ),
    "zero columns": rows(lambda X: X[:, :0], r"0 feature\(s\)"),
    "one row": Case(
        lambda X, y: (X[:1], y[:1]),
        NOT_ENOUGH,
        FEW_CLASSES
        | named("each of its 1 rows has a label", "advise")
        | named("greater than the number of samples: n_samples=1", "labeled split")
        | named('regions has no "hard" row', "expansion")
        | named(WORKS, "scorer"),
    ),
    "one axis": rows(lambda X: X[:, 0], "Expected 2D array", NOT_COLLECTION),
    "three axes": rows(lambda X: X[:, :, None], "array with dim 3", NOT_COLLECTION),
    "no X": rows(
        lambda X: None,
        "got scalar array",
        named("X is None", *GAPS, *SPLITS, "curve", "scorer", "advise")
        | named("X is a NoneType", *DASK),
    ),
    "complex numbers": rows(
        lambda X: X.astype(complex),
        "Complex data not supported",
    ),
    "texts for numbers": rows(
        lambda X: np.full(X.shape, "word"),
        NOT_NUMBERS,
        named(WORKS, "default detector", "default classifier")
        | named("not compatible with arrays of bytes", "scorer", "expansion"),
    ),
    "columns of the same name": rows(
        lambda X: pd.DataFrame(X, columns=list("aabcde")),
        "several columns of the same name",
    ),
    "equal columns": rows(
        lambda X: np.hstack([X, X]), WORKS, named("12 features", "scorer")
    ),
    "constant features": rows(np.zeros_like),
    "huge values": rows(lambda X: X * 1e100),
    "tiny values": rows(lambda X: X * 1e-300),
    "half precision": rows(lambda X: X.astype(np.float16)),
}


def run(entry, X, y):
    """Call an entry point, and return what it gives, and the estimator it fitted."""
    if entry not in ESTIMATORS:
        return FUNCTIONS[entry](X, y), None
    estimator = ESTIMATORS[entry]()
    params = {"sample_source": sources(X)} if entry == "selector" else {}
    return estimator.fit(X, y, **params), estimator


@pytest.fixture
def quiet():
    """Ignore what is said of data in which there is nothing to find."""
    with warnings.catch_warnings():
        for category in (
            NoChangePointWarning,
            FitFailedWarning,
            ConvergenceWarning,
            RuntimeWarning,
        ):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("ignore", "y holds -1 and \\+1 only", UserWarning)
        warnings.filterwarnings("ignore", "y contains no unlabeled", UserWarning)
        warnings.filterwarnings("ignore", "Features .* are constant", UserWarning)
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", CASES)
def test_a_mistake_gives_its_error_or_does_no_harm(entry, name):
    case = CASES[name]
    outcome = case.outcome_of(entry)
    X, y = case.change(*make_rows())

    if outcome is WORKS:
        run(entry, X, y)
        return
    with pytest.raises((ValueError, TypeError), match=outcome):
        run(entry, X, y)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("entry", ESTIMATORS)
@pytest.mark.parametrize("name", ["infinity", "no label", "fewer labels than rows"])
def test_a_failed_fit_leaves_no_estimator_that_predicts(entry, name):
    X, y = make_rows()
    _, estimator = run(entry, X, y)
    params = {"sample_source": sources(X)} if entry == "selector" else {}

    with pytest.raises(ValueError, match=CASES[name].outcome):
        estimator.fit(*CASES[name].change(X, y), **params)

    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    for method in ("predict", "predict_proba", "transform", "score_samples"):
        if hasattr(estimator, method):
            with pytest.raises((NotFittedError, AttributeError)):
                getattr(estimator, method)(X)


class Broken(ClassifierMixin, BaseEstimator):
    """Raises within fit."""

    def fit(self, X, y):
        msg = "the disk is full"
        raise RuntimeError(msg)

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


class Mute(ClassifierMixin, BaseEstimator):
    """Has no probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))


@pytest.mark.parametrize(
    "estimator",
    [
        OverlapDetector(Broken()),
        WeakToStrongClassifier(Broken(), LogisticRegression()),
        WeakToStrongClassifier(LogisticRegression(), Broken(), strategy="all"),
    ],
    ids=["detector", "weak", "strong"],
)
def test_the_error_of_a_part_is_passed_on_and_leaves_nothing_fitted(estimator):
    estimator = clone(estimator)

    with pytest.raises(RuntimeError, match="the disk is full"):
        estimator.fit(*make_rows())

    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)


@pytest.mark.parametrize(
    "estimator",
    [OverlapDetector(Mute()), WeakToStrongClassifier(Mute(), LogisticRegression())],
    ids=["detector", "classifier"],
)
def test_a_weak_estimator_without_probabilities_is_refused(estimator):
    with pytest.raises((TypeError, AttributeError, ValueError), match="predict_proba"):
        clone(estimator).fit(*make_rows())


class Nothing(BaseEstimator):
    """Is no classifier by its tags."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


def test_a_strong_estimator_that_is_no_classifier_is_refused():
    with pytest.raises(
        TypeError, match=r"strong_estimator must be a classifier, got Nothing\(\)"
    ):
        WeakToStrongClassifier(logistic(), Nothing()).fit(*make_rows())


def test_a_strong_estimator_needs_no_probabilities():
    X, y = make_rows()
    model = WeakToStrongClassifier(LogisticRegression(), Mute(), strategy="all")

    assert set(model.fit(X, y).predict(X)) == {0, 1}
    assert not hasattr(model, "predict_proba")


def proba(make):
    """Return weak probabilities of all rows, changed."""
    return make(np.full((N_ROWS, 2), 0.5))


PROBABILITIES = {
    "NaN": (lambda p: p * np.nan, "weak_proba"),
    "infinite": (lambda p: p * np.inf, "weak_proba"),
    "negative": (lambda p: p * [[-1, 3]], "weak_proba"),
    "sums beyond one": (lambda p: p * 2, "sum to"),
    "one column": (lambda p: np.ones((len(p), 1)), "weak_proba"),
    "one axis": (lambda p: p[:, 0], "weak_proba|2D array"),
    "too few rows": (lambda p: p[:-1], "inconsistent numbers|weak_proba"),
    "texts": (lambda p: np.full(p.shape, "half"), "could not convert|weak_proba"),
    "columns of other classes": (
        lambda p: pd.DataFrame(p, columns=["no", "yes"]),
        "weak_proba",
    ),
}


@pytest.mark.parametrize("estimator", [OverlapDetector(), WeakToStrongClassifier()])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_weak_probabilities_that_are_none_are_refused(estimator, name):
    make, message = PROBABILITIES[name]

    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(*make_rows(), weak_proba=proba(make))


@pytest.mark.parametrize("entry", ["detector", "classifier"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[:, :-1], "features"),
        (lambda X: X.drop(columns="x0"), "feature names should match"),
        (lambda X: X.rename(columns={"x0": "z"}), "feature names"),
        (lambda X: X[X.columns[::-1]], "order|feature names"),
        (lambda X: X.assign(x0="word"), "could not convert|word"),
    ],
    ids=["fewer columns", "a column less", "renamed", "reordered", "texts"],
)
def test_rows_of_another_schema_are_refused_at_predict(entry, change, message):
    X, y = make_rows()
    fitted = ESTIMATORS[entry]().fit(frame(X), y)
    new = change(X if message == "features" else frame(X))

    with (
        (
            pytest.warns(UserWarning, match="valid feature names")
            if isinstance(new, np.ndarray)
            else warnings.catch_warnings()
        ),
        pytest.raises(ValueError, match=message),
    ):
        fitted.predict(new)

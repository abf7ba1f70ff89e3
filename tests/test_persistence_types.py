"""The list is what saved estimators are made of: nothing is lacking or needless."""

import os
from importlib import import_module
from operator import methodcaller

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops.io.exceptions import UntrustedTypesFoundException

from sklearn_w2s import (
    OverlapDetector,
    OverlapSampler,
    UCBSourceSelector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)
from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledScorer, LabeledSplit
from sklearn_w2s.overlap._measures import MEASURES
from sklearn_w2s.overlap._representations import REPRESENTATIONS
from sklearn_w2s.persistence import trusted_types
from sklearn_w2s.weak_estimators import (
    ColumnProbaClassifier,
    FunctionClassifier,
    VoteClassifier,
)
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES, VALUE_STRATEGIES

EASY = slice(0, 3)
# Nets and language models are not part of the list.
PACKAGES = [
    "sklearn_w2s",
    "sklearn_w2s.dask",
    "sklearn_w2s.model_selection",
    "sklearn_w2s.weak_estimators",
]


def draw():
    X, y, _ = make_overlap_classification(300, random_state=0)
    y[100:] = -1
    return X, y


def as_frame(X):
    frame = pytest.importorskip("pandas").DataFrame(X[:, :6]).add_prefix("x")
    frame["text"] = np.where(X[:, 6] > 0, "u", "v")
    frame["category"] = frame["text"].astype("category")
    frame["flag"], frame["whole"] = X[:, 7] > 0, (3 * X[:, 8]).astype(int)
    frame.loc[3, "x0"] = np.nan
    return frame


DENSE = {
    # The easy block begins, and ends, with these columns.
    "narrow": lambda X: X[:, [0, 1, 2, 37, 38, 39]],
    "wide": lambda X: np.hstack([X, X**2]),
    "single precision": lambda X: X[:, :30].astype(np.float32),
    "pandas": as_frame,
    "polars": lambda X: pytest.importorskip("polars").from_pandas(as_frame(X)),
}
SPARSE = {
    "csr_array": lambda X: sp.csr_array(np.where(np.abs(X) > 1, X, 0)),
    "csr_matrix": lambda X: sp.csr_matrix(np.where(np.abs(X) > 1, X, 0)),
    "csc_array": lambda X: sp.csc_array(np.where(np.abs(X) > 1, X, 0)),
}
TABLES = DENSE | SPARSE


def largest_dot(rows, hard_rows, _weak_rows):
    return (rows @ hard_rows.T).max(axis=1, initial=0)


def fit_with_dask(name, **params):
    array = pytest.importorskip("dask.array")
    estimator = getattr(import_module("sklearn_w2s.dask"), name)
    X, y = draw()
    return estimator(GaussianNB(), random_state=0, **params).fit(
        array.from_array(X, chunks=(100, -1)), array.from_array(y, chunks=100)
    )


def fit_values_with_dask():
    array = pytest.importorskip("dask.array")
    from sklearn_w2s.dask import WeakToStrongRegressor as DaskRegressor

    X, y = draw()
    model = DaskRegressor(LinearRegression(), LinearRegression(), random_state=0)
    y = np.where(y < 0, np.nan, y)
    return model.fit(array.from_array(X, (100, -1)), array.from_array(y, 100))


def search():
    pair = WeakToStrongClassifier(GaussianNB(), GaussianNB(), random_state=0)
    scorers = {name: LabeledScorer(name) for name in ("accuracy", "roc_auc")}
    splits = LabeledSplit([(np.arange(50), np.arange(50, 100))])
    grid = {"strategy": ["all", "confidence"]}
    return GridSearchCV(pair, grid, cv=splits, scoring=scorers, refit="roc_auc")


ON_ANY_TABLE = {
    "detector": OverlapDetector(random_state=0),
    "selector": UCBSourceSelector(n_rounds=3, random_state=0),
}
ON_NUMBERS = {
    **{
        f"detector, {measure}": OverlapDetector(GaussianNB(), overlap_measure=measure)
        for measure in MEASURES
    },
    **{
        f"detector, {name}": OverlapDetector(GaussianNB(), representation=name)
        for name in REPRESENTATIONS
    },
    "detector, function": OverlapDetector(GaussianNB(), overlap_measure=largest_dot),
    "detector, neighbours": OverlapDetector(
        GaussianNB(), overlap_measure=KNeighborsTransformer(n_neighbors=1)
    ),
    **{
        f"classifier, {strategy}": WeakToStrongClassifier(
            GaussianNB(),
            RandomForestClassifier(5),
            weak_features=EASY,
            strategy=strategy,
        )
        for strategy in STRATEGIES
    },
    "classifier, neighbours": WeakToStrongClassifier(
        KNeighborsClassifier(), KNeighborsClassifier(), strategy="all"
    ),
    "classifier, neighbour search": WeakToStrongClassifier(
        GaussianNB(),
        RandomForestClassifier(5),
        neighbors=KNeighborsTransformer(n_neighbors=10),
    ),
    "selector, classifier": UCBSourceSelector(
        WeakToStrongClassifier(GaussianNB(), GaussianNB(), strategy="all"),
        overlap_detector=OverlapDetector(GaussianNB()),
        policy="thompson",
        n_rounds=3,
    ),
    "search": search(),
    **{
        f"regressor, {strategy}": WeakToStrongRegressor(
            LinearRegression(),
            RandomForestRegressor(5),
            weak_features=EASY,
            strategy=strategy,
        )
        for strategy in VALUE_STRATEGIES
    },
    "detector, values": OverlapDetector(LinearRegression()),
}


def fit(estimator, table):
    X, y = draw()
    weak = getattr(estimator, "weak_estimator", None) or estimator
    if is_regressor(estimator) or is_regressor(weak):
        y = np.where(y < 0, np.nan, y)
    return clone(estimator).fit(TABLES[table](X), y)


def fit_stream():
    return OverlapDetector(GaussianNB(), random_state=0).partial_fit(*draw())


def fit_sources():
    X, y = draw()
    selector = UCBSourceSelector(n_rounds=3, warm_start=True, random_state=0)
    return selector.fit_sources({"only": X[100:]}, X, y)


def tell():
    selector = UCBSourceSelector(n_rounds=3, costs={"only": 2.0}, random_state=0)
    return selector.update(selector.pull(["only"]), n_drawn=5, n_overlap=2)


def fit_outputs():
    X, y = draw()
    both = np.column_stack([y, -y]).astype(float)
    weak = RandomForestRegressor(5, random_state=0).fit(X, both)
    model = WeakToStrongRegressor(
        FrozenEstimator(weak), LinearRegression(), strategy="all"
    )
    return model.fit(X, np.full(both.shape, np.nan))


def vote(method):
    votes = np.array([[0, 1, -1], [1, 1, 0], [0, 0, 1], [1, -1, 1]] * 10)
    return VoteClassifier([0, 1, 2], classes=[0, 1], method=method).fit(votes)


CASES = {
    **{
        f"{name}, {table}": (fit, estimator, table)
        for name, estimator in ON_ANY_TABLE.items()
        for table in TABLES
    },
    **{
        f"default classifier, {table}": (
            fit,
            WeakToStrongClassifier(random_state=0),
            table,
        )
        for table in DENSE
    },
    **{
        f"linear classifier, {table}": (
            fit,
            WeakToStrongClassifier(None, LogisticRegression(), strategy="confident"),
            table,
        )
        for table in SPARSE
    },
    **{
        f"{name}, {table}": (fit, estimator, table)
        for name, estimator in ON_NUMBERS.items()
        for table in ("narrow", "wide")
    },
    "detector of a stream": (fit_stream,),
    "selector of sources": (fit_sources,),
    "selector that is told": (tell,),
    "sampler": (OverlapSampler,),
    "outputs": (fit_outputs,),
    **{
        f"default regressor, {table}": (fit, WeakToStrongRegressor(), table)
        for table in DENSE
    },
    "votes by rule": (vote, "majority"),
    "votes by naive Bayes": (vote, "naive_bayes"),
    "columns": (lambda: ColumnProbaClassifier([0, 1], classes=[0, 1]),),
    "function": (lambda: FunctionClassifier(largest_dot, classes=[0, 1]),),
    # Stands in for that of XGBoost, whose own types are not trusted.
    "codes": (lambda: CodedClassifier(GaussianNB()).fit(*draw()),),
    "split": (lambda: LabeledSplit(3),),
    "scorer": (lambda: LabeledScorer("neg_log_loss"),),
    "Dask detector": (fit_with_dask, "OverlapDetector"),
    "Dask classifier": (fit_with_dask, "WeakToStrongClassifier"),
    "Dask regressor": (fit_values_with_dask,),
}


@pytest.fixture(scope="module")
def saved():
    """Return a function that fits and saves each case once."""
    files = {}

    def save(case):
        if case not in files:
            make, *arguments = CASES[case]
            model = make(*arguments)
            files[case] = model, skops.io.dumps(model)
        return files[case]

    return save


def types_in(file):
    own = f"{largest_dot.__module__}.largest_dot"
    return set(skops.io.get_untrusted_types(data=file)) - {own}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lacking(saved, case):
    model, file = saved(case)

    assert types_in(file) <= set(trusted_types())
    trusted = [*trusted_types(), f"{largest_dot.__module__}.largest_dot"]
    loaded = skops.io.loads(file, trusted=trusted)
    assert type(loaded) is type(model)
    _, _, table = (*CASES[case], None, None)[:3]
    if table is not None and hasattr(model, "predict"):
        X = TABLES[table](draw()[0])
        assert_array_equal(loaded.predict(X), model.predict(X))


def test_nothing_of_this_package_is_needless(saved):
    found = set().union(*(types_in(saved(case)[1]) for case in CASES))

    assert {name for name in trusted_types() if "sklearn_w2s" in name} <= found


def test_every_public_estimator_and_helper_is_tried(saved):
    public = {
        value
        for package in PACKAGES
        for value in vars(import_module(package)).values()
        if isinstance(value, type) and value.__module__.startswith("sklearn_w2s")
    }
    tried = {type(saved(case)[0]) for case in CASES}

    assert public <= tried


@pytest.mark.parametrize(
    "estimator", [OverlapDetector(), WeakToStrongClassifier(strategy="confidence")]
)
def test_nothing_is_lacking_of_tables_of_mixed_columns(estimator):
    X, y = draw()[:2]
    n = len(X)
    table = pd.DataFrame(
        {
            "number": X[:, 0],
            "code": pd.Categorical(np.arange(n) % 7),
            "word": np.where(X[:, 1] > 0, "a", "b"),
            "day": pd.date_range("2024-01-01", periods=n),
        }
    )
    model = clone(estimator).set_params(random_state=0).fit(table, y)
    loaded = skops.io.loads(skops.io.dumps(model), trusted=trusted_types())
    assert_array_equal(loaded.predict(table), model.predict(table))


@pytest.mark.parametrize("code", [os.system, methodcaller("upper"), eval])
def test_code_in_a_file_is_refused(code):
    model = make_pipeline(FunctionTransformer(code), LogisticRegression())
    file = skops.io.dumps(model)

    with pytest.raises(UntrustedTypesFoundException):
        skops.io.loads(file, trusted=trusted_types())


def test_who_writes_to_a_folder_that_the_file_names_is_not_on_the_list(tmp_path):
    X, y = draw()
    selector = UCBSourceSelector(n_rounds=3, checkpoint=tmp_path)
    file = skops.io.dumps(selector.fit_sources({"only": X[100:]}, X, y))

    with pytest.raises(UntrustedTypesFoundException, match="Journal"):
        skops.io.loads(file, trusted=trusted_types())


def test_every_name_on_the_list_exists():
    for name in trusted_types():
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name

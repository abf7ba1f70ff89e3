"""A graph says what the model says: the same classes, and their probabilities."""

import importlib
import sys

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import skl2onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from sklearn_w2s import WeakToStrongClassifier, WeakToStrongRegressor
from sklearn_w2s._coded import CodedClassifier
from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.onnx import as_inputs, register_converters, to_onnx

LABELS = {2: ["no", "yes"], 3: ["low", "middle", "high or 高"]}


def run(graph, X):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, as_inputs(X, session))


def assert_same(model, X, new):
    labels, proba = run(to_onnx(model, X), new)
    expected = model.predict(new)
    same = labels == expected

    assert same.mean() >= 0.999
    assert_allclose(proba[same], model.predict_proba(new)[same], rtol=0, atol=1e-5)
    assert proba.shape == (len(new), len(model.classes_))


def draw_frame(n, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "income": rng.lognormal(10, 1, n),
            "city of birth": rng.choice(["Rome", "Oslo", "Lima", "São Paulo"], n),
            "grade": pd.Categorical(rng.choice(list("abc"), n)),
            "since": pd.Timestamp("1999-02-28 23:59:59.5")
            + pd.to_timedelta(rng.integers(0, 800_000_000, n), unit="s"),
            "wait": pd.to_timedelta(rng.exponential(900, n), unit="s"),
            "member": rng.random(n) < 0.4,
            "code": pd.Categorical(rng.integers(-2, 7, n)),
            "nothing": np.full(n, np.nan),
        }
    )
    score = (frame["age"] > 50) + (frame["city of birth"] == "Rome")
    score = score + frame["since"].dt.month / 12 + rng.normal(0, 0.3, n)
    score = score + frame["code"].astype(int).isin([1, 4])
    for name in ("income", "city of birth", "grade", "since"):
        frame.loc[rng.random(n) < 0.1, name] = None
    return frame, score.to_numpy()


def draw_task(n_classes, n=500):
    frame, score = draw_frame(n)
    ranks = pd.qcut(score, n_classes, labels=False)
    y = np.array(LABELS[n_classes], dtype=object)[ranks]
    y[150:] = None
    return frame, y


def new_frame():
    frame, _ = draw_frame(2_000, seed=1)
    frame.loc[::50, "city of birth"] = "Atlantis"
    frame["code"] = frame["code"].cat.add_categories([99])
    frame.loc[::40, "code"] = 99
    return frame


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("strategy", ["confidence", "blend"])
def test_default_estimators_of_mixed_frames(n_classes, strategy):
    X, y = draw_task(n_classes)
    model = WeakToStrongClassifier(strategy=strategy, random_state=0).fit(X, y)

    assert strategy == "confidence" or model.calibration_ != (1, 0)
    assert_same(model, X, new_frame())


def test_a_weak_estimator_that_predicts_sees_its_columns_alone():
    X, y = draw_task(3)
    columns = ["grade", "age", "city of birth"]
    model = WeakToStrongClassifier(
        strategy="all", weak_features=columns, random_state=0
    ).fit(X, y)
    model.strategy_ = "weak"
    model.estimator_, model.calibration_ = model.weak_estimator_, (1.0, 0.0)

    assert_same(model, X, new_frame())


def test_a_polars_frame_makes_the_same_graph_as_one_of_pandas():
    X, y = draw_task(2)
    X = X.drop(columns=["code", "grade", "nothing"])
    model = WeakToStrongClassifier(strategy="all", random_state=0).fit(X, y)
    new = new_frame()[X.columns]

    of_pandas = run(to_onnx(model, X), new)
    of_polars = run(to_onnx(model, pl.from_pandas(X)), pl.from_pandas(new))

    assert_array_equal(of_pandas[1], of_polars[1])


def test_arrays_of_objects_have_an_input_for_each_column():
    X, y = draw_task(2)
    X = X[["age", "city of birth"]].to_numpy(dtype=object)
    model = WeakToStrongClassifier(strategy="all", random_state=0).fit(X, y)

    assert [i.name for i in to_onnx(model, X).graph.input] == ["x0", "x1"]
    assert_same(model, X, X)


def draw_numbers(dtype=np.float64):
    X, y, _ = make_overlap_classification(1_000, random_state=0)
    y[100:] = -1
    return X[:, :12].astype(dtype), y


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "strong",
    [
        None,
        RandomForestClassifier(20),
        ExtraTreesClassifier(20),
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda strong: type(strong).__name__,
)
def test_numbers_are_one_input(dtype, strong):
    X, y = draw_numbers(dtype)
    # In single precision scikit-learn itself rounds what a calibration raises.
    strategy = "smooth" if dtype == np.float64 else "all"
    model = WeakToStrongClassifier(
        LogisticRegression(), strong, strategy=strategy, random_state=0
    ).fit(X, y)

    (given_input,) = to_onnx(model, X).graph.input
    assert given_input.name == "X"
    assert_same(model, X, X)


def test_missing_numbers():
    X, y = draw_numbers()
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    model = WeakToStrongClassifier(strategy="all", random_state=0).fit(X, y)

    assert_same(model, X, X)


def test_matrices_may_feed_a_weak_estimator_of_some_columns():
    X, y = draw_numbers()
    model = WeakToStrongClassifier(
        strategy="all", weak_features=slice(1, 3), random_state=0
    ).fit(X, y)
    model.strategy_ = "weak"
    model.estimator_, model.calibration_ = model.weak_estimator_, (1.0, 0.0)

    assert_same(model, X, X)


def test_estimators_of_the_user_read_columns_by_name():
    X, y = draw_task(3)
    encoder = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["age", "income"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["text"]),
        ]
    )
    X = X.assign(text=X["city of birth"].fillna("?"))[["text", "income", "age"]]
    strong = make_pipeline(encoder, RandomForestClassifier(10))
    model = WeakToStrongClassifier(None, strong, strategy="all", random_state=0)

    assert_same(model.fit(X, y), X, X)


def test_a_class_that_the_student_never_saw_has_probability_zero():
    X, y = draw_numbers()
    y[0] = 2
    proba = np.tile([0.6, 0.4, 0.0], (len(X), 1))
    proba[::2] = [0.3, 0.7, 0.0]
    model = WeakToStrongClassifier(
        strategy="all",
        include_labeled=False,
        pseudo_labels="hard",
        random_state=0,
    ).fit(X, y, weak_proba=proba)

    assert list(model.estimator_.classes_) == [0, 1]
    assert_same(model, X, X)


def test_a_pipeline_that_ends_in_the_classifier():
    X, y = draw_numbers()
    model = make_pipeline(
        StandardScaler(), WeakToStrongClassifier(strategy="all", random_state=0)
    ).fit(X, y)

    assert_same(model, X, X)


def test_labels_of_a_coded_classifier():
    X, y = draw_numbers()
    labels = np.where(y == -1, 30, y * 10)
    model = CodedClassifier(LogisticRegression()).fit(X, labels)

    assert_same(model, X, X)


def test_other_options_of_skl2onnx_after_the_registration():
    X, y = draw_numbers()
    model = WeakToStrongClassifier(strategy="all", random_state=0).fit(X, y)

    register_converters()
    graph = skl2onnx.to_onnx(
        model, initial_types=[("rows", DoubleTensorType([None, X.shape[1]]))]
    )
    _, proba = run(graph, X[:2])

    assert [set(row) for row in proba] == [{0, 1}] * 2


# Parts


@pytest.mark.parametrize("n_categories", [3, 40, 100, 400])
def test_the_encoder_is_exact(n_categories):
    frame, _ = draw_frame(1_000)
    texts = np.random.default_rng(0).integers(0, n_categories, 1_000).astype(str)
    frame["text"] = pd.Series(texts).mask(frame["age"] < 30)
    new = new_frame()
    new["text"] = np.resize([*texts[:300], "new", None], len(new))

    for parameters in (
        {},
        {"categories": "ordinal", "impute": False, "scale": False},
        {"impute": False, "flag_missing": True},
    ):
        encoder = TabularEncoder(**parameters).fit(frame)
        (rows,) = run(to_onnx(encoder, frame), new)
        assert_allclose(rows, encoder.transform(new), rtol=1e-12, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=50))
def test_calendars_agree_far_from_today(seconds):
    known = pd.date_range("1970-01-01", periods=500, freq="31h").to_frame()
    encoder = TabularEncoder(scale=False, impute=False).fit(known)
    dates = pd.DataFrame({0: np.array(seconds, dtype="M8[s]")})

    (rows,) = run(to_onnx(encoder, known), dates)

    assert_allclose(rows, encoder.transform(dates), rtol=1e-12, atol=1e-9)


def test_gaps_in_texts_are_filled_as_skl2onnx_does_it():
    X = pd.DataFrame({"text": ["a", "b", "?", "a"]})
    imputer = SimpleImputer(missing_values="?", strategy="most_frequent").fit(X)

    (rows,) = run(to_onnx(imputer, X), X)

    assert rows.ravel().tolist() == ["a", "b", "a", "a"]


@pytest.mark.parametrize("n_categories", [4, 30, 100, 250])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_boosting_splits_by_categories(n_categories, n_classes):
    rng = np.random.default_rng(n_categories)
    X = np.column_stack([rng.normal(size=900), rng.integers(0, n_categories, 900)])
    X[rng.random(X.shape) < 0.05] = np.nan
    y = (np.nan_to_num(X[:, 1]) * 7 + (X[:, 0] > 0)) % n_classes
    y = y.astype(int)
    model = HistGradientBoostingClassifier(
        max_iter=10, categorical_features=[1], min_samples_leaf=2
    ).fit(X, y)
    new = X.copy()
    new[::7, 1] = 254.0

    assert_same(model, X, new)


def test_boosting_that_takes_categories_from_a_frame():
    frame, score = draw_frame(800)
    frame = frame[["age", "grade", "code"]]
    model = HistGradientBoostingClassifier(
        max_iter=10, categorical_features="from_dtype"
    ).fit(frame, score > 1.5)

    labels, proba = run(to_onnx(model, frame), frame)

    assert_array_equal(labels, model.predict(frame))
    assert_allclose(proba, model.predict_proba(frame), rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_boosting_of_numbers(loss):
    frame, score = draw_frame(800)
    X = frame[["age", "income"]].to_numpy(dtype=float)
    model = HistGradientBoostingRegressor(max_iter=10, loss=loss)
    model.fit(X, score - score.min())

    (prediction,) = run(to_onnx(model, X), X)

    assert_allclose(prediction[:, 0], model.predict(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["default", "weak", "outputs"])
def test_weak_to_strong_regressors(kind):
    frame, score = draw_frame(500)
    y = np.where(np.arange(500) < 150, score, np.nan)
    model = WeakToStrongRegressor(
        strategy="all", weak_features=["age", "code"], random_state=0
    )
    if kind == "outputs":
        y = np.column_stack([y, -y])
    model.fit(frame, y)
    if kind == "weak":
        model.strategy_, model.estimator_ = "weak", model.weak_estimator_

    (prediction,) = run(to_onnx(model, frame), new_frame())

    expected = model.predict(new_frame())
    assert_allclose(prediction.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)


# Refusals


class Stranger(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.resize(self.classes_, len(X))


@pytest.mark.parametrize(
    ("strong", "message"),
    [
        (Stranger(), "Stranger cannot be converted"),
        (make_pipeline(StandardScaler(), Stranger()), "Stranger cannot be converted"),
        (LinearSVC(), "LinearSVC has no predict_proba"),
    ],
)
def test_estimators_without_a_converter_are_named(strong, message):
    X, y = draw_numbers()
    model = WeakToStrongClassifier(None, strong, strategy="all").fit(X, y)

    with pytest.raises(ValueError, match=message):
        to_onnx(model, X)


def test_a_part_that_skl2onnx_finds_out_about_is_refused_in_one_line():
    X, y = draw_numbers()
    parts = [("strange", Stranger(), slice(None))]
    model = make_pipeline(ColumnTransformer(parts), LogisticRegression())
    model.steps[0][1].transformers_ = [("strange", Stranger().fit(X, y), [0])]
    model.steps[0][1].sparse_output_ = False
    model.steps[1][1].fit(X, y)

    with pytest.raises(ValueError, match=r"^[^\n]*no converter[^\n]*$"):
        to_onnx(model, X)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["", "a"], "the empty text, which stands for a missing value"),
        (pd.Categorical(["b", 1]), "texts alone, or numbers alone"),
        (pd.Categorical(pd.to_datetime(["2020", "2021"])), "alone, or numbers alone"),
    ],
)
def test_categories_that_no_graph_tells_apart_are_refused(values, message):
    X = pd.DataFrame({"text": values})
    encoder = TabularEncoder().fit(X)

    with pytest.raises(ValueError, match=message):
        to_onnx(encoder, X)


def test_ranks_are_refused():
    X, _ = draw_numbers()
    with pytest.raises(ValueError, match='scale="quantile" cannot be converted'):
        to_onnx(TabularEncoder(scale="quantile").fit(X), X)


def test_labels_that_are_neither_whole_numbers_nor_texts_are_refused():
    X, y = draw_numbers()
    model = CodedClassifier(LogisticRegression()).fit(X, y)
    model.classes_ = np.array([-0.5, 0.0, 0.5])

    with pytest.raises(ValueError, match="labels in ONNX are whole numbers or texts"):
        to_onnx(model, X)


def test_labels_that_are_floats_become_whole_numbers():
    X, y = draw_numbers()
    model = WeakToStrongClassifier(strategy="all", missing_label=None, random_state=0)

    assert_same(model.fit(X, np.where(y == -1, np.nan, y)), X, X)


def test_rows_without_a_text_do_not_tell_that_a_column_is_text():
    X, y = draw_task(2)
    model = WeakToStrongClassifier(strategy="all").fit(X, y)

    with pytest.raises(ValueError, match=r"Columns \[2\] were fitted as text"):
        to_onnx(model, X.assign(**{"city of birth": None}))


def test_texts_that_the_estimator_does_not_read_are_named():
    X, y = draw_task(2)
    X = X[["age", "city of birth"]]
    model = WeakToStrongClassifier(strategy="all").fit(X, y)
    model.estimator_ = LogisticRegression().fit([[0.0, 0.0], [1.0, 1.0]], [0, 1])
    model.calibration_ = (1.0, 0.0)

    with pytest.raises(ValueError, match=r"\['city of birth'\] are text"):
        to_onnx(model, X)


def test_another_number_of_columns_is_refused():
    X, y = draw_task(2)
    model = WeakToStrongClassifier(strategy="all").fit(X, y)

    with pytest.raises(ValueError, match="X has 8 columns, but the graph has 9 inputs"):
        run(to_onnx(model, X), X.iloc[:, 1:])
    with pytest.raises(ValueError, match="inputs have 8 columns, but 9 were fitted"):
        to_onnx(model, X.iloc[:, :-1])


def test_sparse_rows_are_refused():
    X, y = draw_numbers()
    model = WeakToStrongClassifier(strategy="all").fit(X, y)

    with pytest.raises(ValueError, match="inputs in ONNX are dense"):
        to_onnx(model, sp.csr_matrix(X))


def test_what_is_not_fitted_is_refused():
    X, _ = draw_numbers()
    with pytest.raises(NotFittedError):
        to_onnx(WeakToStrongClassifier(), X)


def test_without_the_extra_the_import_error_names_it(monkeypatch):
    for name in [n for n in sys.modules if n.startswith("sklearn_w2s.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "skl2onnx", None)

    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[onnx\]"):
        importlib.import_module("sklearn_w2s.onnx")

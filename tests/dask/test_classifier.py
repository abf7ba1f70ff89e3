"""The classifier over collections learns what the one in memory learns."""

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

import sklearn_w2s
from sklearn_w2s.dask import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.dask._base import way_to_fit
from sklearn_w2s.weak_estimators import ColumnProbaClassifier

STRATEGIES = ["all", "confidence", "confident", "overlap"]


def new_models(strong=None, own=None, **params):
    """Return one in memory and one for collections."""
    strong = DecisionTreeClassifier(max_depth=4) if strong is None else strong
    params = {"weak_features": slice(0, 4), "random_state": 0} | params
    return (
        sklearn_w2s.WeakToStrongClassifier(None, strong, **params),
        WeakToStrongClassifier(None, strong, **params, **(own or {})),
    )


def assert_same_fit(model, expected, X):
    assert model.strategy_ == expected.strategy_
    assert model.pseudo_labels_ == expected.pseudo_labels_
    assert_array_equal(model.classes_, expected.classes_)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-9)


# Samples


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("pseudo_labels", ["hard", "soft"])
def test_a_whole_sample_teaches_what_memory_teaches(
    problem, collect, strategy, pseudo_labels
):
    X, y, _ = problem
    expected, model = new_models(strategy=strategy, pseudo_labels=pseudo_labels)
    rows, labels = collect(X, y)
    X = rows.compute()
    model.fit(rows, labels)

    assert_same_fit(model, expected.fit(X, y), X)
    if strategy in STRATEGIES[2:]:
        assert model.overlap_density_ == expected.overlap_density_


def test_weights_count_as_in_memory(problem, collect):
    X, y, _ = problem
    weights = np.random.default_rng(0).choice([0.0, 1.0, 3.0], len(X))
    expected, model = new_models(LogisticRegression(), strategy="confidence")
    rows, labels, sample_weight = collect(X, y, weights)
    X = rows.compute()
    model.fit(rows, labels, sample_weight=sample_weight)

    assert_same_fit(model, expected.fit(X, y, sample_weight=weights), X)


def test_labels_may_be_strings_and_labeled_rows_be_left_out(problem, collect):
    X, y, _ = problem
    y = np.array(["no", "yes", "?"], dtype=object)[y]
    params = {"missing_label": "?", "strategy": "all", "include_labeled": False}
    expected, model = new_models(**params)
    rows, labels = collect(X, y)
    X = rows.compute()
    model.fit(rows, labels)

    assert_same_fit(model, expected.fit(X, y), X)
    assert_array_equal(model.predict(rows).compute(), expected.predict(X))


def test_a_given_weak_estimator_may_label_everything(problem, collect):
    X, y, truth = problem
    expected, model = new_models(strategy="all")
    rows, labels = collect(X, np.full_like(y, -1))
    X = rows.compute()
    seen = X.iloc[:, :4] if hasattr(X, "iloc") else X[:, :4]
    weak = LogisticRegression().fit(seen, truth)
    for each in (expected, model):
        each.set_params(weak_estimator=FrozenEstimator(weak))

    assert_same_fit(model.fit(rows, labels), expected.fit(X, np.full_like(y, -1)), X)
    assert_same_fit(model.fit(rows, None), expected, X)


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(SelectKBest(k=1), LogisticRegression()),
        lambda: DecisionTreeClassifier(class_weight="balanced", min_samples_leaf=20),
    ],
)
def test_soft_labels_give_way_to_hard_ones_where_parts_ignore_weights(make):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 6))
        truth = (X[:, 4] > 0).astype(int)
        p = np.where(truth == 1, 0.6, 0.4)
        rows = da.from_array(np.column_stack([X, 1 - p, p]), chunks=(200, 8))
        weak = ColumnProbaClassifier([6, 7], classes=[0, 1])
        strong = make_pipeline(FunctionTransformer(first_columns), make())
        model = WeakToStrongClassifier(weak, strong, strategy="all", random_state=0)
        model.fit(rows, da.full(600, -1, chunks=200))
        assert model.pseudo_labels_ == "hard"
        assert model.score(rows, da.from_array(truth, chunks=200)) > 0.95


def first_columns(X):
    return X[:, :6]


class Silent(GaussianNB):
    """A classifier whose methods that learn return nothing."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)


@pytest.mark.parametrize("strong_fit", ["sample", "partial_fit"])
def test_what_learning_returns_is_not_asked(problem, collect, strong_fit):
    X, y, _ = problem
    rows, labels = collect(X, y)
    silent, plain = (
        WeakToStrongClassifier(
            kind(), kind(), strategy="all", strong_fit=strong_fit, random_state=0
        ).fit(rows, labels)
        for kind in (Silent, GaussianNB)
    )
    assert isinstance(silent.strong_estimator_, Silent)
    assert_array_equal(silent.predict(rows), plain.predict(rows))


@pytest.mark.parametrize("strategy", ["confidence", "overlap"])
def test_a_sample_of_some_rows_comes_near(long_problem, strategy):
    X, y = long_problem
    detector = OverlapDetector(reservoir_size=2000)
    params = {"weak_features": slice(0, 20), "strategy": strategy}
    expected, model = new_models(
        LogisticRegression(), {"max_rows": 4000}, overlap_detector=detector, **params
    )
    expected.set_params(overlap_detector=sklearn_w2s.OverlapDetector())
    arrays = da.from_array(X, chunks=(3000, 40)), da.from_array(y, chunks=3000)
    model.fit(*arrays)
    agrees = model.predict(X) == expected.fit(X, y).predict(X)

    assert agrees.mean() > 0.95


def test_the_regularisation_is_that_of_the_rows_drawn(problem, collect):
    X, y, _ = problem
    seen = []

    class Watched(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(sample_weight)
            return super().fit(X, y, sample_weight)

    _, model = new_models(Watched(), {"max_rows": 100}, strategy="all")
    model.set_params(pseudo_labels="soft").fit(*collect(X, y))

    assert seen[0].sum() == pytest.approx(100)


def test_an_estimator_without_weights_learns_from_a_sample(problem, collect):
    X, y, _ = problem
    own = {"max_rows": 200}
    _, model = new_models(KNeighborsClassifier(), own, strategy="all")
    model.fit(*collect(X, y))

    assert model.strong_estimator_.n_samples_fit_ == 200


# Block by block


def test_partial_fit_gets_every_block_once_in_order(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)
    X = rows.compute()
    own = {"strong_fit": "partial_fit"}
    params = {"strategy": "all", "pseudo_labels": "hard"}
    _, model = new_models(SGDClassifier(random_state=0), own, **params)
    model.fit(rows, labels)
    expected = SGDClassifier(random_state=0)
    named = np.where(y < 0, model.weak_predict_proba(X).argmax(axis=1), y)
    for start in range(0, len(X), 130):
        part = slice(start, start + 130)
        expected.partial_fit(X[part], named[part], classes=[0, 1])

    assert_allclose(model.strong_estimator_.coef_, expected.coef_)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_estimator_that_sums_up_learns_by_blocks_what_it_learns_at_once(
    problem, collect, strategy
):
    X, y, _ = problem
    own = {"strong_fit": "partial_fit"}
    expected, model = new_models(GaussianNB(), own, strategy=strategy)
    rows, labels = collect(X, y)
    X = rows.compute()
    model.fit(rows, labels)

    assert_same_fit(model, expected.fit(X, y), X)


def test_weights_that_partial_fit_cannot_take_are_refused(problem, collect):
    X, y, _ = problem

    class Unweighted(SGDClassifier):
        def partial_fit(self, X, y, classes=None):
            return super().partial_fit(X, y, classes)

    own = {"strong_fit": "partial_fit"}
    _, model = new_models(Unweighted(), own, strategy="confidence")

    with pytest.raises(TypeError, match=r"Unweighted.partial_fit takes no"):
        model.fit(*collect(X, y))
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_an_estimator_without_partial_fit_is_refused(problem, collect):
    X, y, _ = problem
    _, model = new_models(own={"strong_fit": "partial_fit"})

    with pytest.raises(TypeError, match="DecisionTreeClassifier has none"):
        model.fit(*collect(X, y))


# Estimators for collections


class Distributed(ClassifierMixin, BaseEstimator):
    """A classifier that takes collections only."""

    def fit(self, X, y, sample_weight=None):
        for column in (X, y, sample_weight):
            assert dask.is_dask_collection(column)
        X, y, weights = dask.compute(X, y, sample_weight)
        self.model_ = GaussianNB().fit(np.asarray(X), y, weights)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        assert dask.is_dask_collection(X)
        return self.model_.predict_proba(np.asarray(X.compute()))


Distributed.__module__ = "xgboost.dask"


@pytest.mark.parametrize("strategy", ["all", "confidence"])
def test_an_estimator_for_collections_gets_and_predicts_collections(
    problem, collect, strategy
):
    X, y, _ = problem
    rows, labels = collect(X, y)
    X = rows.compute()
    _, model = new_models(Distributed(), strategy=strategy)
    expected, _ = new_models(GaussianNB(), strategy=strategy)
    model.fit(rows, labels)

    assert model.strong_fit_ == "dask"
    proba = expected.fit(X, y).predict_proba(X)
    assert_allclose(model.predict_proba(rows), proba, atol=1e-9)


@pytest.mark.parametrize(
    ("module", "is_known"),
    [
        ("cuml.dask.ensemble", True),
        ("lightgbm.dask", True),
        ("xgboost.dask", True),
        ("dask_ml.linear_model.glm", False),
        ("lightgbm.sklearn", False),
        ("sklearn.naive_bayes", False),
        ("xgboost.sklearn", False),
    ],
)
def test_only_estimators_known_to_take_collections_get_them_unasked(module, is_known):
    kind = type("Classifier", (), {"__module__": module})

    assert way_to_fit("auto", kind()) == ("dask" if is_known else "sample")


def test_labels_that_an_estimator_for_collections_cannot_take_are_refused(
    problem, collect
):
    X, y, _ = problem
    rows, labels = collect(X, np.where(y == 1, 7, y))
    _, model = new_models(
        type("DaskXGBClassifier", (Distributed,), {"__module__": "xgboost.dask"})()
    )
    with pytest.raises(ValueError, match=r"codes 0, 1, ... only, .* are \[0, 7\]"):
        model.fit(rows, labels)
    assert not [name for name in vars(model) if name.endswith("_")]


# Predictions


def test_predictions_are_lazy_and_those_in_memory(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)
    X = rows.compute()
    _, model = new_models(LogisticRegression())
    model.fit(rows, labels)

    methods = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    for method in (*methods, "weak_predict_proba"):
        output = getattr(model, method)(rows)
        assert dask.is_dask_collection(output)
        assert_allclose(output.compute(), getattr(model, method)(X))


def test_the_score_is_the_accuracy_on_labeled_rows(problem, collect):
    X, y, _ = problem
    weights = np.random.default_rng(0).uniform(size=len(X))
    rows, labels, sample_weight = collect(X, y, weights)
    X = rows.compute()
    _, model = new_models()
    model.fit(rows, labels)
    _, unlabeled = collect(X, np.full_like(y, -1))

    assert model.score(rows, labels) == pytest.approx(model.score(X, y))
    weighted = model.score(rows, labels, sample_weight)
    assert weighted == pytest.approx(model.score(X, y, weights))
    assert np.isnan(model.score(rows, unlabeled))


# What does not fit


def test_a_strategy_that_loses_a_class_gives_way_to_all(problem, collect):
    X, y, _ = problem
    detector = OverlapDetector(confidence_threshold=1e9, refine_hard=False)
    params = {"strategy": "confident", "overlap_detector": detector}
    _, model = new_models(own={"strong_fit": "partial_fit"}, strong=GaussianNB())
    expected, _ = new_models(GaussianNB(), strategy="all")

    rows, labels = collect(X, y)
    X = rows.compute()
    with pytest.warns(UserWarning, match='"all" is used instead'):
        model.set_params(**params).fit(rows, labels)
    assert_same_fit(model, expected.fit(X, y), X)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_rows_that_leave_nothing_to_learn_are_refused(problem, collect):
    X, _, truth = problem
    _, model = new_models(strategy="all", include_labeled=False)

    with pytest.raises(ValueError, match="No row is left to train"):
        model.fit(*collect(X, truth))


@pytest.mark.parametrize("strategy", ["blend", "smooth", "cut_statistic", print])
def test_strategies_that_compare_rows_learn_from_no_stream_of_blocks(
    problem, collect, strategy
):
    X, y, _ = problem
    own = {"strong_fit": "partial_fit"}
    _, model = new_models(GaussianNB(), own, strategy=strategy)

    with pytest.raises(ValueError, match=r'Use strong_fit="sample", or "auto" or one'):
        model.fit(*collect(X, y))


def test_a_detector_with_a_weak_view_of_its_own_is_refused(problem, collect):
    X, y, _ = problem
    _, model = new_models(overlap_detector=OverlapDetector(weak_features=[0]))

    with pytest.raises(ValueError, match="overlap_detector has weak_features"):
        model.fit(*collect(X, y))


# What has no label


@pytest.mark.parametrize("dtype", ["Int64", float, "string", "category", object])
def test_gaps_mark_what_has_no_label(problem, dtype):
    dd = pytest.importorskip("dask.dataframe")
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    names = np.array(["no", "yes"])
    is_text = dtype in ("string", "category", object)
    marked = np.where(y < 0, "", names[y]) if is_text else y
    marker = "" if is_text else -1
    expected, model = new_models(strategy="all", missing_label=marker)
    expected.fit(frame, marked)
    gaps = pd.Series(names[y] if is_text else y).astype(object).mask(y < 0, None)
    labels = dd.from_pandas(gaps.astype(dtype), npartitions=3)
    rows = dd.from_pandas(frame, npartitions=3)

    model.set_params(missing_label=-1).fit(rows, labels)

    assert_same_fit(model, expected, frame)
    assert model.score(rows, labels) == expected.score(frame, marked)


def test_a_y_without_unlabeled_rows_warns_once(problem, collect):
    X, _, truth = problem
    _, model = new_models(strategy="all")
    with pytest.warns(UserWarning, match="y contains no unlabeled samples") as caught:
        model.fit(*collect(X, truth))
    assert len(caught) == 1


def test_a_marker_turned_into_text_warns_once(problem):
    X, y, _ = problem
    _, model = new_models(strategy="all")
    rows = da.from_array(X, chunks=(130, X.shape[1]))
    labels = da.from_array(y.astype(str), chunks=130)
    with pytest.warns(UserWarning, match="'-1' is read as a class") as caught:
        model.fit(rows, labels)
    assert len(caught) == 1

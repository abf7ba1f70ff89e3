import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import get_tags

from sklearn_w2s.sources import UCBSourceSelector


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# Containers


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_reach_the_estimator_with_their_categories(known_pool, library):
    X, _, source = known_pool()
    truth = np.where(X[:, 1] > 0, "yes", "no")
    y = np.where(np.arange(len(X)) < 100, truth, "")
    columns = {
        "x": X[:, 1],
        "z": X[:, 2],
        "colour": np.where(X[:, 2] > 0, "red", "blue"),
    }
    if library == "pandas":
        frame = pd.DataFrame(columns, index=np.arange(len(X))[::-1])
        frame = frame.astype({"colour": "category"})
    else:
        frame = pl.DataFrame(columns, schema_overrides={"colour": pl.Categorical})
    encode = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["colour"]), remainder="passthrough"
    )
    selector = UCBSourceSelector(
        make_pipeline(encode, FirstLabels()),
        missing_label="",
        n_rounds=5,
        random_state=0,
    ).fit(frame, y, sample_source=source)
    assert selector.feature_names_in_.tolist() == ["x", "z", "colour"]
    assert selector.classes_.tolist() == ["no", "yes"]
    assert selector.score(frame, truth) > 0.8
    with pytest.raises(ValueError, match="feature names"):
        selector.predict(frame[["z", "x", "colour"]])


class FirstLabels(LogisticRegression):
    """A classifier that leaves unlabeled rows out."""

    def fit(self, X, y):
        return super().fit(X[y != ""], y[y != ""])


@pytest.mark.skipif(
    not get_tags(LogisticRegression()).input_tags.sparse,
    reason="scikit-learn 1.6.0 does not declare which estimators take sparse input",
)
@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_are_drawn_like_dense_ones(known_pool, convert):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    # The typical value of a column is zero, as it is of sparse columns.
    X = np.where(np.abs(X) > np.median(np.abs(X), axis=0), X, 0)
    selector = UCBSourceSelector(LogisticRegression(), n_rounds=5, random_state=0)
    dense = clone(selector).fit(X, y, sample_source=source)
    sparse_one = clone(selector).fit(convert(X), y, sample_source=source)
    assert_array_equal(dense.drawn_indices_, sparse_one.drawn_indices_)
    assert_array_equal(dense.predict(X), sparse_one.predict(convert(X)))


class Tagged(BaseEstimator):
    """A part that says what it takes."""

    def __init__(self, sparse=False, allow_nan=False, positive_only=False):
        self.sparse = sparse
        self.allow_nan = allow_nan
        self.positive_only = positive_only

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.full(len(X), "easy")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        for name, value in self.get_params().items():
            setattr(tags.input_tags, name, value)
        return tags


@pytest.mark.parametrize("kind", ["sparse", "allow_nan"])
@pytest.mark.parametrize("by_detector", [False, True])
@pytest.mark.parametrize("by_estimator", [False, True])
def test_input_is_welcome_where_detector_and_estimator_take_it(
    kind, by_detector, by_estimator
):
    detector, estimator = Tagged(**{kind: by_detector}), Tagged(**{kind: by_estimator})
    alone = UCBSourceSelector(overlap_detector=FrozenEstimator(detector))
    both = UCBSourceSelector(estimator, overlap_detector=detector)
    assert getattr(get_tags(alone).input_tags, kind) == by_detector
    assert getattr(get_tags(both).input_tags, kind) == (by_detector and by_estimator)


def test_tags_are_those_of_the_estimator():
    tags = get_tags(UCBSourceSelector(FrozenEstimator(LogisticRegression())))
    assert tags.estimator_type == "classifier"
    assert not tags._skip_test
    positive = UCBSourceSelector(Tagged(positive_only=True))
    assert get_tags(positive).input_tags.positive_only


# Metadata, pipelines and searches


def nested_selector():
    return UCBSourceSelector(LogisticRegression(), n_rounds=6, random_state=0)


def test_a_pipeline_hands_sources_on_without_routing(known_pool):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    pipe = make_pipeline(StandardScaler(), nested_selector())
    pipe.fit(X, y, ucbsourceselector__sample_source=source)
    assert pipe[-1].sources_.tolist() == ["a", "b", "c"]
    assert pipe.score(X, y) > 0.9


@pytest.mark.usefixtures("routing")
def test_a_pipeline_hands_sources_on_with_routing(known_pool):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    pipe = make_pipeline(StandardScaler(), nested_selector())
    pipe.fit(X, y, sample_source=source)
    assert pipe[-1].sources_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("routed", [False, True])
def test_a_grid_search_cuts_sources_into_folds(known_pool, routed):
    X, y, source = known_pool()
    y = np.where(np.arange(len(X)) < 200, (X[:, 1] > 0).astype(int), -1)
    selector = UCBSourceSelector(
        SelfTrainingClassifier(LogisticRegression()), n_rounds=6, random_state=0
    )
    grid = {
        "ucbsourceselector__policy": ["kl_ucb", "paper"],
        "ucbsourceselector__estimator__estimator__C": [0.1, 1.0],
    }
    search = GridSearchCV(
        make_pipeline(StandardScaler(), selector), grid, cv=3, error_score="raise"
    )
    name = "sample_source" if routed else "ucbsourceselector__sample_source"
    with sklearn.config_context(enable_metadata_routing=routed):
        search.fit(X, y, **{name: source})
    assert search.best_estimator_[-1].sources_.tolist() == ["a", "b", "c"]
    assert search.best_score_ > 0.9


class RecordsWeights(LogisticRegression):
    def fit(self, X, y, sample_weight=None, note=None):
        self.weights_, self.note_ = sample_weight, note
        return super().fit(X, y, sample_weight)


@pytest.mark.usefixtures("routing")
def test_metadata_is_cut_down_to_the_selected_rows(known_pool, known_selector):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    weight = np.arange(len(X)) + 1.0
    estimator = RecordsWeights().set_fit_request(sample_weight=True, note=True)
    estimator.set_score_request(sample_weight=True)
    selector = known_selector(estimator, n_rounds=5)
    selector.fit(X, y, sample_source=source, sample_weight=weight, note="whole")
    assert_array_equal(selector.estimator_.weights_, weight[selector.sample_indices_])
    assert selector.estimator_.note_ == "whole"
    partly = np.where(np.arange(len(X)) % 2, y, -1)
    odd = slice(1, None, 2)
    assert selector.score(X, partly, sample_weight=weight) == pytest.approx(
        selector.estimator_.score(X[odd], y[odd], sample_weight=weight[odd])
    )


@pytest.mark.parametrize("estimator", [None, LogisticRegression()])
def test_metadata_that_was_not_requested_is_refused(
    known_pool, known_selector, estimator
):
    X, _, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    selector = known_selector(estimator, n_rounds=5)
    with pytest.raises(TypeError, match="sample_weight"):
        selector.fit(X, y, sample_source=source, sample_weight=np.ones(len(X)))
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(TypeError, match="nonsense"),
    ):
        selector.fit(X, y, sample_source=source, nonsense=np.ones(len(X)))


# Sources


def test_a_single_source_is_drawn_from_to_the_end(known_pool, known_selector):
    X, y, _ = known_pool()

    selector = known_selector().fit(X, y, sample_source=["only"] * len(X))

    assert selector.sources_.tolist() == ["only"]


def test_a_source_that_the_fit_has_not_seen_is_no_matter_at_predict(
    known_pool, known_regions
):
    X, y, source = known_pool()
    selector = UCBSourceSelector(
        LogisticRegression(), overlap_detector=known_regions(), n_rounds=3
    )
    is_labeled = y != -1
    selector.fit(X[is_labeled], y[is_labeled], sample_source=source[is_labeled])

    assert set(selector.predict(X)) <= {0, 1}
    with pytest.raises(TypeError, match="sample_source"):
        selector.predict(X, sample_source=np.full(len(X), "unseen"))

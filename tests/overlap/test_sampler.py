import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sklearn_w2s import OverlapDetector, OverlapSampler
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.model_selection import LabeledSplit

EASY_BLOCK = slice(0, 20)
N_LABELED = 150


@pytest.fixture(scope="module")
def data():
    X, y, _ = make_overlap_classification(600, random_state=0)
    y[N_LABELED:] = -1
    return X, y


@pytest.fixture
def sampler():
    detector = OverlapDetector(LogisticRegression(), weak_features=EASY_BLOCK)
    return OverlapSampler(detector)


def test_rows_kept_are_labeled_ones_and_those_of_the_regions(data, sampler):
    X, y = data
    kept, labels = sampler.fit_resample(X, y)

    regions = sampler.overlap_detector_.regions_
    expected = np.flatnonzero((y != -1) | (regions == "overlap"))
    np.testing.assert_array_equal(sampler.sample_indices_, expected)
    np.testing.assert_array_equal(kept, X[expected])
    assert len(labels) == len(expected)


def test_labels_are_true_where_known_and_weak_elsewhere(data, sampler):
    X, y = data
    _, labels = sampler.fit_resample(X, y)

    np.testing.assert_array_equal(labels[:N_LABELED], y[:N_LABELED])
    weak = sampler.overlap_detector_.weak_estimator_
    rows = X[sampler.sample_indices_[N_LABELED:], EASY_BLOCK]
    np.testing.assert_array_equal(labels[N_LABELED:], weak.predict(rows))


def test_all_regions_keep_all_rows(data, sampler):
    X, y = data
    sampler.set_params(regions=["easy", "hard", "overlap"])

    kept, labels = sampler.fit_resample(X, y)

    np.testing.assert_array_equal(kept, X)
    assert set(labels) == {0, 1}


def test_labeled_rows_can_be_left_out(data, sampler):
    X, y = data
    sampler.set_params(include_labeled=False).fit_resample(X, y)

    assert sampler.sample_indices_.min() >= N_LABELED


def test_labels_of_text_stay_texts(data, sampler):
    X, y = data
    names = np.array(["no", "yes", ""], dtype=object)[y]
    sampler.overlap_detector.missing_label = ""

    _, labels = sampler.fit_resample(X, names)

    assert set(labels) == {"no", "yes"}


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_matrix])
def test_frames_stay_frames_and_sparse_rows_sparse(data, sampler, kind):
    X, y = data

    kept, _ = sampler.fit_resample(kind(X), y)

    assert isinstance(kept, kind)


def test_the_input_is_not_changed(data, sampler):
    X, y = data
    before = X.copy(), y.copy()

    sampler.fit_resample(X, y)

    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("regions", [["middle"], []])
def test_unknown_regions_are_refused(data, sampler, regions):
    with pytest.raises(ValueError, match=r"regions=.* must be a list of some of"):
        sampler.set_params(regions=regions).fit_resample(*data)


def test_a_sampler_that_finds_nothing_raises(data, sampler):
    sampler.set_params(include_labeled=False)
    sampler.overlap_detector.set_params(overlap_threshold=np.inf)

    with pytest.raises(ValueError, match="No row lies in regions"):
        sampler.fit_resample(*data)
    assert not hasattr(sampler, "sample_indices_")


def test_a_pipeline_of_imbalanced_learn_takes_it_before_another_sampler(data, sampler):
    X, y = data
    pipeline = make_pipeline(
        sampler,
        RandomUnderSampler(random_state=0),
        RandomForestClassifier(20, random_state=0),
    )

    predicted = clone(pipeline).fit(X, y).predict(X)

    assert set(predicted) == {0, 1}


def test_a_grid_search_chooses_its_regions(data, sampler):
    X, y = data
    pipeline = make_pipeline(sampler, LogisticRegression(C=0.01))
    grid = {"overlapsampler__regions": [["overlap"], ["easy", "overlap"]]}

    search = GridSearchCV(pipeline, grid, cv=LabeledSplit(3)).fit(X, y)

    assert search.best_score_ > 0.5


def as_series(dtype):
    return lambda y: pd.Series(y, index=range(len(y), 0, -1), name="sick", dtype=dtype)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "category"])
def test_a_series_stays_a_series_with_its_index_name_and_dtype(data, sampler, dtype):
    X, y = data
    frame = pd.DataFrame(X, index=range(len(y), 0, -1))

    kept, labels = sampler.fit_resample(frame, as_series(dtype)(y))

    assert labels.index.equals(kept.index)
    assert labels.name == "sick"
    assert str(labels.dtype) == dtype
    _, expected = clone(sampler).fit_resample(X, y)
    np.testing.assert_array_equal(labels.astype(int), expected)


def test_objects_that_held_gaps_become_labels_that_any_classifier_takes(data, sampler):
    X, y = data
    gaps = pd.Series(y, dtype=object).where(y != -1, None)

    kept, labels = sampler.fit_resample(X, gaps)

    assert labels.dtype == np.int64
    LogisticRegression().fit(kept, labels)


def test_lists_stay_lists_and_series_of_polars_such(data, sampler):
    X, y = data
    _, expected = sampler.fit_resample(X, y)

    rows, labels = sampler.fit_resample(X.tolist(), y.tolist())
    assert type(rows) is type(labels) is list
    assert labels == expected.tolist()
    series = pl.Series("sick", y)
    frame, labels = sampler.fit_resample(pl.DataFrame(X), series.replace(-1, None))
    assert isinstance(frame, pl.DataFrame)
    assert labels.equals(pl.Series("sick", expected), check_names=True)

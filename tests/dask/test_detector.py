"""The detector over collections finds what the one in memory finds."""

import pickle

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from splitters import Fickle, drawn_by

import sklearn_w2s
from sklearn_w2s.dask import OverlapDetector, WeakToStrongClassifier, _sample

SETTINGS = {
    "default": {},
    "published": {
        "confidence": "margin",
        "confidence_threshold": "published",
        "refine_hard": False,
        "overlap_threshold": "published",
        "overlap_measure": "max_abs_cosine",
        "representation": "passthrough",
    },
    "quantiles": {
        "confidence_threshold": 0.4,
        "overlap_threshold": 0.5,
        "threshold_type": "quantile",
    },
    "learned": {"overlap_measure": "agreement"},
    "few references": {"max_references": 40},
    "held out": {"cv": 0.3, "representation": "forest"},
}
OUTPUTS = [
    *("confidence_samples", "score_samples", "decision_function"),
    *("represent", "transform"),
]


def new_detectors(weak_estimator=None, **params):
    """Return one in memory and one for collections."""
    params = {"weak_features": slice(0, 4), "random_state": 0} | params
    params["weak_estimator"] = weak_estimator
    return sklearn_w2s.OverlapDetector(**params), OverlapDetector(**params)


def weak_view(X, n_columns):
    return X.iloc[:, :n_columns] if hasattr(X, "iloc") else X[:, :n_columns]


def to_dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


def assert_same_fit(detector, expected):
    for name in ("confidence", "easy", "overlap"):
        attribute = f"{name}_threshold_"
        assert getattr(detector, attribute) == getattr(expected, attribute)
    assert detector.overlap_density_ == expected.overlap_density_
    # Its width depends on a sum of weights, which is rounded partition by partition.
    interval = pytest.approx(expected.overlap_density_interval_, rel=1e-12)
    assert detector.overlap_density_interval_ == interval
    assert_array_equal(to_dense(detector.references_), to_dense(expected.references_))
    assert_array_equal(detector.classes_, expected.classes_)


# While the sample is whole, nothing differs


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_whole_sample_gives_exactly_what_memory_gives(problem, collect, setting):
    X, y, _ = problem
    expected, detector = new_detectors(**SETTINGS[setting])
    rows, labels = collect(X, y)
    X = rows.compute()
    detector.fit(rows, labels)

    assert_same_fit(detector, expected.fit(X, y))
    assert detector.n_samples_seen_ == len(X)
    assert_array_equal(detector.predict(X), expected.predict(X))


def test_weights_count_as_in_memory(problem, collect):
    X, y, _ = problem
    weights = np.random.default_rng(0).choice([0.0, 1.0, 3.0], len(X))
    expected, detector = new_detectors()
    rows, labels, sample_weight = collect(X, y, weights)
    X = rows.compute()
    detector.fit(rows, labels, sample_weight=sample_weight)

    assert_same_fit(detector, expected.fit(X, y, sample_weight=weights))


@pytest.mark.parametrize("is_classifier", [False, True])
def test_a_splitter_that_draws_anew_is_asked_once(problem, collect, is_classifier):
    X, y, _ = problem
    rows, labels = collect(X, y)
    fickle = Fickle()
    fitted = []
    for cv in (fickle, drawn_by(y)):
        _, detector = new_detectors(cv=cv)
        if is_classifier:
            detector.set_params(weak_features=None)
            model = WeakToStrongClassifier(
                strong_estimator=LogisticRegression(),
                overlap_detector=detector,
                random_state=0,
            )
            detector = model.fit(rows, labels).overlap_detector_
        fitted.append(detector if is_classifier else detector.fit(rows, labels))
    assert fickle.n_calls == 1
    assert_same_fit(*fitted)


@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_a_splitter_draws_it_is_worth_its_splits(seed):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), np.arange(120) % 3 - 1
    arrays = da.from_array(X, chunks=(60, 3)), da.from_array(y, chunks=60)
    fickle = Fickle(seed)
    settings = {"overlap_threshold": 0.5, "threshold_type": "quantile"}
    first, second = (
        OverlapDetector(
            LogisticRegression(), cv=cv, confidence_threshold=0.3, **settings
        ).fit(*arrays)
        for cv in (fickle, drawn_by(y, seed=seed))
    )
    assert fickle.n_calls == 1
    assert_same_fit(first, second)


def test_groups_that_are_lacking_are_asked_for(problem, collect):
    X, y, _ = problem
    _, detector = new_detectors(cv=GroupKFold(2))
    with pytest.raises(ValueError, match=r"needs groups.* or pass as cv the splits"):
        detector.fit(*collect(X, y))


def test_a_fitted_weak_estimator_needs_no_labels(problem, collect):
    X, _, truth = problem
    rows, labels = collect(X, truth)
    X = rows.compute()
    weak = FrozenEstimator(LogisticRegression().fit(weak_view(X, 4), truth))
    expected, detector = new_detectors(weak)
    X = rows.compute()

    assert_same_fit(detector.fit(rows), expected.fit(X))
    assert_same_fit(detector.fit(rows, labels), expected.fit(X, truth))


def test_partitions_without_rows_change_nothing(problem):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(9)]).assign(y=y)
    parts = [frame[:0], frame[:300], frame[:0], frame[300:], frame[:0]]
    frame = dd.from_map(lambda part: part, parts, meta=frame[:0])
    expected, detector = new_detectors()
    detector.fit(frame.drop(columns="y"), frame["y"])

    assert_same_fit(detector, expected.fit(X, y))
    assert_array_equal(
        detector.predict(frame.drop(columns="y")).compute(), expected.predict(X)
    )


def test_a_block_of_the_labels_minus_one_and_one_has_unlabeled_rows(problem):
    X, _, truth = problem
    y = np.where(np.arange(600) < 200, truth, -1)
    y[(np.arange(600) >= 400) & (np.arange(600) % 5 == 0)] = 1
    expected, detector = new_detectors()
    arrays = da.from_array(X, chunks=(200, 9)), da.from_array(y, chunks=200)

    assert_same_fit(detector.fit(*arrays), expected.fit(X, y))


# A sample comes near


@pytest.fixture(scope="module")
def fits(long_problem):
    X, y = long_problem
    arrays = da.from_array(X, chunks=(3000, 40)), da.from_array(y, chunks=3000)
    params = {"weak_features": slice(0, 20), "reservoir_size": 2000}
    expected, detector = new_detectors(**params)
    with dask.config.set(scheduler="synchronous"):
        return detector.fit(*arrays), expected.fit(X, y)


def test_a_sample_of_a_tenth_finds_the_density_and_the_regions(fits, long_problem):
    detector, expected = fits
    X, _ = long_problem

    assert detector.overlap_density_ == pytest.approx(
        expected.overlap_density_, abs=0.02
    )
    assert (detector.predict(X) == expected.predict(X)).mean() > 0.97


def test_quantiles_lie_within_the_stated_bound(long_problem, collect):
    X, y = long_problem
    setting = {**SETTINGS["quantiles"], "refine_hard": False, "reservoir_size": 2000}
    expected, detector = new_detectors(weak_features=slice(0, 20), **setting)
    detector.fit(*collect(X, y, chunk=4000))
    expected.fit(X, y)
    bound = np.sqrt(np.log(2 / 0.001) / (2 * 2000))
    below = (expected.confidence_ < detector.confidence_threshold_).mean()

    assert below == pytest.approx(0.4, abs=bound)


def test_the_density_is_that_of_all_rows_not_of_the_sample(long_problem, collect):
    X, y = long_problem
    X, y = X[:5000], y[:5000]
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    rows, labels, sample_weight = collect(X, y, weights, chunk=900)
    X = rows.compute()
    weak = FrozenEstimator(LogisticRegression().fit(weak_view(X, 20)[:500], y[:500]))
    _, detector = new_detectors(weak, weak_features=slice(0, 20), reservoir_size=300)
    X = rows.compute()
    detector.fit(rows, labels, sample_weight=sample_weight)
    is_overlap = detector.predict(X) == "overlap"
    low, high = detector.overlap_density_interval_

    expected = np.average(is_overlap, weights=weights)
    assert detector.overlap_density_ == pytest.approx(expected)
    assert low < expected < high
    assert high - low < 0.03


def test_the_sample_follows_from_the_seed_alone(long_problem, collect):
    X, y = long_problem
    _, detector = new_detectors(weak_features=slice(0, 20), reservoir_size=300)
    collections = collect(X[:4000], y[:4000], chunk=700)
    first = clone(detector).fit(*collections)
    with dask.config.set(scheduler="threads", num_workers=2):
        again = clone(detector).fit(*collections)
    other = clone(detector).set_params(random_state=1).fit(*collections)

    assert_same_fit(again, first)
    assert other.overlap_threshold_ != first.overlap_threshold_


# New rows are judged when asked for


@pytest.mark.parametrize("method", OUTPUTS)
@pytest.mark.parametrize("passthrough", [False, True])
def test_outputs_are_those_in_memory_with_the_type_they_promise(
    problem, collect, method, passthrough
):
    X, y, _ = problem
    rows, labels = collect(X, y)
    X = rows.compute()
    expected, detector = new_detectors(passthrough=passthrough)
    output = getattr(detector.fit(rows, labels), method)(rows)
    values = output.compute()

    assert_allclose(values, getattr(expected.fit(X, y), method)(X), rtol=1e-10)
    if isinstance(output, da.Array):
        assert values.dtype == output.dtype
        assert values.shape == output.shape
    else:
        assert_array_equal(values.index, rows.index.compute())
        assert str(values.dtypes) == str(output.dtypes)


def test_regions_are_categories_in_a_data_frame(problem):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(9)]).assign(y=y)
    frame = dd.from_pandas(frame, npartitions=3)
    rows = frame.drop(columns="y")
    _, detector = new_detectors()
    detector.fit(rows, frame["y"])
    described = rows.assign(region=detector.predict(rows)).compute()

    assert list(described["region"].cat.categories) == ["easy", "hard", "overlap"]
    assert_array_equal(described["region"], detector.predict(rows.compute()))


def test_single_precision_stays(problem):
    X, y, _ = problem
    rows, labels = da.from_array(X.astype(np.float32), chunks=(200, 9)), y
    _, detector = new_detectors(passthrough=True)
    detector.fit(rows, da.from_array(labels, chunks=200))

    assert detector.transform(rows).dtype == np.float32
    assert detector.transform(rows).compute().dtype == np.float32


def test_nothing_is_computed_before_it_is_asked_for(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)
    _, detector = new_detectors()
    detector.fit(rows, labels)

    def fail(_):
        raise AssertionError

    if isinstance(rows, da.Array):
        unready = rows.map_blocks(fail, dtype=rows.dtype, meta=np.empty((0, 0)))
    else:
        unready = rows.map_partitions(fail, meta=rows.partitions[0].compute()[:0])
    for method in ("predict", *OUTPUTS):
        output = getattr(detector, method)(unready)
        with pytest.raises(AssertionError):
            output.compute()


def test_columns_of_arrays_may_lie_in_several_chunks(problem):
    X, y, _ = problem
    rows, labels = da.from_array(X, chunks=(200, 4)), da.from_array(y, chunks=150)
    expected, detector = new_detectors()

    assert_same_fit(detector.fit(rows, labels), expected.fit(X, y))
    assert_array_equal(detector.predict(rows), expected.predict(X))


def test_a_fitted_detector_can_be_pickled_and_goes_on_as_a_stream(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, y)
    X = rows.compute()
    _, detector = new_detectors()
    detector.fit(rows, labels)
    copied = pickle.loads(pickle.dumps(detector))

    assert_array_equal(copied.predict(rows).compute(), detector.predict(X))
    assert copied.partial_fit(rows.partitions[0].compute()).n_samples_seen_ == 130


# What does not fit is refused


def test_rows_in_memory_are_refused_by_fit(problem):
    X, y, _ = problem

    with pytest.raises(TypeError, match=r"X is a ndarray. Pass a Dask data frame"):
        OverlapDetector().fit(X, y)


def test_labels_in_memory_are_refused(problem, collect):
    X, y, _ = problem
    rows, _ = collect(X, y)

    with pytest.raises(TypeError, match=r"y is a ndarray. Pass a Dask series"):
        OverlapDetector().fit(rows, y)


def test_other_partitions_of_labels_are_refused(problem, collect):
    X, y, _ = problem
    rows, _ = collect(X, y)
    labels = dd.from_pandas(pd.Series(y), npartitions=2)

    with pytest.raises(ValueError, match="X has 5 partitions and y has 2"):
        OverlapDetector().fit(rows, labels)


def test_partitions_of_other_lengths_are_refused(problem):
    X, y, _ = problem
    rows = dd.from_pandas(pd.DataFrame(X).rename(columns=str), npartitions=2)
    labels = da.from_array(y, chunks=(400, 200))

    with pytest.raises(
        ValueError, match=r"Partition \d has 300 rows in X, but \d00 in y"
    ):
        OverlapDetector().fit(rows, labels)


def test_too_many_labeled_rows_are_refused(problem, collect, monkeypatch):
    X, y, _ = problem
    monkeypatch.setattr(_sample, "MAX_LABELED", 100)

    with pytest.raises(ValueError, match="more than 100 labeled rows"):
        OverlapDetector().fit(*collect(X, y))


def test_missing_labels_are_refused(problem, collect):
    X, y, _ = problem
    rows, labels = collect(X, np.full_like(y, -1))

    with pytest.raises(ValueError, match="y has no label"):
        OverlapDetector().fit(rows, labels)
    with pytest.raises(ValueError, match="the target y is None"):
        OverlapDetector().fit(rows)


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_weights_that_are_none_are_refused(problem, collect, weight):
    X, y, _ = problem
    weights = np.where(np.arange(len(X)) == 131, weight, 1.0)
    rows, labels, weights = collect(X, y, weights)

    with pytest.raises(ValueError, match=r"sample_weight is .* row 1 of partition 1"):
        OverlapDetector().fit(rows, labels, sample_weight=weights)


def test_rows_that_weigh_nothing_are_refused(problem, collect):
    X, y, _ = problem
    rows, labels, weights = collect(X, y, np.zeros(len(X)))

    with pytest.raises(ValueError, match="none of them of positive weight"):
        OverlapDetector().fit(rows, labels, sample_weight=weights)


def test_a_count_that_fails_leaves_no_fit(problem, collect):
    X, y, _ = problem
    _, detector = new_detectors(LogisticRegression(), reservoir_size=60)
    detector.fit(*collect(X, y))
    X = X.copy()
    X[np.flatnonzero(y < 0)[::100], 0] = np.nan  # few, so that none is in the sample
    rows, labels = collect(X, y)

    with pytest.raises(ValueError, match="NaN"):
        detector.fit(rows, labels)
    with pytest.raises(NotFittedError):
        detector.predict(rows)


def test_a_column_named_like_an_added_one_is_refused(problem):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=["confidence", *"abcdefgh"])
    rows = dd.from_pandas(frame, npartitions=2)
    labels = dd.from_pandas(pd.Series(y), npartitions=2)
    _, detector = new_detectors(passthrough=True)
    detector.fit(rows, labels)

    with pytest.raises(ValueError, match="columns that transform adds"):
        detector.transform(rows)


def test_parameters_are_those_in_memory():
    detector, expected = OverlapDetector(), sklearn_w2s.OverlapDetector()
    assert detector.get_params() == expected.get_params()

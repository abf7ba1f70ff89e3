"""Fitting batch by batch finds what fitting on all rows at once would find."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification

N_LABELED = 120
CUTS = [(N_LABELED,), (150, 151, 240), tuple(range(130, 300, 20))]


@pytest.fixture(scope="module")
def frozen(problem):
    X, y, _ = problem
    weak = LogisticRegression().fit(X[:N_LABELED, :3], y[:N_LABELED])
    return FrozenEstimator(weak)


@pytest.fixture(scope="module")
def proba(problem, frozen):
    return frozen.predict_proba(problem[0][:, :3])


@pytest.fixture(scope="module")
def long():
    """4000 rows and a detector that keeps a quarter of them."""
    X, y, _ = make_overlap_classification(4000, noise=1.0, random_state=0)
    weak = LogisticRegression().fit(X[:500, :20], y[:500])
    detector = OverlapDetector(
        FrozenEstimator(weak),
        weak_features=slice(0, 20),
        reservoir_size=1000,
        random_state=0,
    )
    return X, detector


def stream(detector, X, cuts=CUTS[1], **columns):
    """Pass rows on in pieces that end at the cuts."""
    for piece in np.split(np.arange(X.shape[0]), cuts):
        take = {name: values[piece] for name, values in columns.items()}
        detector.partial_fit(X[piece], **take)
    return detector


def assert_same_fit(detector, expected, X):
    """Require the same thresholds, references and answers."""
    for name in ("confidence", "easy", "overlap"):
        threshold = getattr(detector, f"{name}_threshold_")
        assert threshold == pytest.approx(getattr(expected, f"{name}_threshold_"))
    assert detector.overlap_density_ == pytest.approx(expected.overlap_density_)
    interval = expected.overlap_density_interval_
    assert detector.overlap_density_interval_ == pytest.approx(interval)
    assert detector.overlap_regime_ == expected.overlap_regime_
    assert_allclose(to_dense(detector.references_), to_dense(expected.references_))
    assert_array_equal(detector.classes_, expected.classes_)
    if detector.weak_estimator_ is not None:
        assert_array_equal(detector.predict(X), expected.predict(X))


def to_dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


# While every row is kept, pieces equal the whole


@pytest.mark.parametrize("cuts", [(), *CUTS])
@pytest.mark.parametrize("refine_hard", [True, False])
def test_with_a_frozen_weak_estimator(
    problem, make_detector, frozen, cuts, refine_hard
):
    X, _, _ = problem
    params = {"representation": "passthrough", "refine_hard": refine_hard}
    expected = make_detector(frozen, **params).fit(X)
    assert_same_fit(stream(make_detector(frozen, **params), X, cuts), expected, X)


@pytest.mark.parametrize("cuts", CUTS)
def test_with_weak_probabilities(problem, make_detector, proba, cuts):
    X, _, _ = problem
    detector = make_detector(representation="passthrough")
    expected = clone(detector).fit(X, weak_proba=proba)
    assert_same_fit(stream(detector, X, cuts, weak_proba=proba), expected, X)
    assert detector.weak_estimator_ is None


@pytest.mark.parametrize("cuts", CUTS)
def test_where_the_first_batch_holds_the_labels(problem, make_detector, cuts):
    X, y, _ = problem
    detector = make_detector(representation="passthrough")
    expected = clone(detector).fit(X, y)
    assert_same_fit(stream(detector, X, cuts, y=y), expected, X)


def test_labels_of_later_batches_play_no_part(problem, make_detector):
    X, y, truth = problem
    labeled_late = np.r_[y[:150], truth[150:]]
    detector = stream(make_detector(), X, y=y)
    assert_same_fit(stream(make_detector(), X, y=labeled_late), detector, X)
    unlabeled = make_detector().partial_fit(X[:150], y[:150])
    unlabeled.partial_fit(X[150:151]).partial_fit(X[151:240]).partial_fit(X[240:])
    assert_same_fit(unlabeled, detector, X)


def test_with_weights(problem, make_detector):
    X, y, _ = problem
    weights = np.random.default_rng(0).uniform(size=300)
    detector = make_detector(representation="passthrough")
    expected = clone(detector).fit(X, y, sample_weight=weights)
    assert_same_fit(stream(detector, X, y=y, sample_weight=weights), expected, X)


def test_a_weight_counts_repetitions_and_zero_removes_a_row(
    problem, make_detector, frozen
):
    X, _, _ = problem
    counts = np.random.default_rng(0).integers(0, 3, size=300)
    weighted = stream(make_detector(frozen), X, (150, 240), sample_weight=counts)
    ends = np.cumsum(counts)[[149, 239]]
    repeated = stream(make_detector(frozen), np.repeat(X, counts, axis=0), ends)
    assert weighted.overlap_density_ == pytest.approx(repeated.overlap_density_)
    assert_array_equal(weighted.predict(X), repeated.predict(X))
    assert weighted.n_samples_seen_ == 300


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix])
def test_with_sparse_rows(problem, make):
    X, y, _ = problem
    rows = make(np.where(np.abs(X) > 0.3, X, 0))
    detector = OverlapDetector(LogisticRegression(), representation="passthrough")
    expected = clone(detector).fit(rows, y)
    stream(detector, rows, y=y)
    assert_same_fit(detector, expected, rows)
    assert sparse.issparse(detector.references_)


@pytest.mark.parametrize("kind", [pd, pl])
def test_with_data_frames(problem, kind):
    X, y, _ = problem
    names = [f"column {j}" for j in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    frame["colour"] = np.where(X[:, 0] > 0, "red", "blue")
    frame = frame if kind is pd else pl.from_pandas(frame)
    detector = OverlapDetector(weak_features=[*names[:3], "colour"])
    expected = clone(detector).fit(frame, y)
    # After fit the representation of all rows is at hand.
    whole = clone(detector).fit(frame, y).partial_fit(frame)
    pieces = clone(detector).fit(frame, y)
    for first, end in [(0, 100), (100, 300)]:
        pieces.partial_fit(frame[first:end])
    assert_same_fit(pieces, whole, frame)
    assert pieces.overlap_density_ == pytest.approx(expected.overlap_density_, abs=0.05)
    assert_array_equal(pieces.feature_names_in_, [*names, "colour"])


def test_the_representation_is_that_of_the_first_batch(problem, make_detector, frozen):
    X, _, _ = problem
    scaler = make_pipeline(StandardScaler())
    detector = stream(make_detector(frozen, representation=scaler), X, (100,))
    assert_allclose(detector.representation_[0].mean_, X[:100].mean(axis=0))


# Where rows are left out


def test_a_sample_of_the_rows_has_about_their_density(long):
    X, detector = long
    expected = clone(detector).fit(X).overlap_density_
    for cuts in [(), range(500, 4000, 500)]:
        density = stream(clone(detector), X, cuts).overlap_density_
        assert density == pytest.approx(expected, abs=0.03)


def test_and_about_their_weighted_density(long):
    X, detector = long
    weights = np.random.default_rng(0).exponential(size=4000)
    weights[clone(detector).fit(X).get_support()] *= 3
    expected = clone(detector).fit(X, sample_weight=weights).overlap_density_
    streamed = stream(clone(detector), X, range(500, 4000, 500), sample_weight=weights)
    assert expected > 0.5
    assert streamed.overlap_density_ == pytest.approx(expected, abs=0.03)


def test_later_rows_count_as_much_as_earlier_ones(long):
    X, detector = long
    regions = clone(detector).fit(X).regions_
    expected = (regions == "overlap").mean()
    # The representation comes from the first 500 rows, whose order stays.
    order = 500 + np.argsort(regions[500:] == "overlap", kind="stable")
    for later in (order, order[::-1]):
        ordered = X[np.r_[np.arange(500), later]]
        streamed = stream(clone(detector), ordered, range(500, 4000, 500))
        assert streamed.overlap_density_ == pytest.approx(expected, abs=0.03)


def test_what_is_kept_is_bounded(long):
    X, detector = long
    streamed, sizes = clone(detector).set_params(reservoir_size=300), []
    for end in range(500, 4500, 500):
        streamed.partial_fit(X[end - 500 : end])
        assert {len(column) for column in streamed.reservoir_.columns} == {300}
        assert len(streamed.references_) <= 300
        sizes.append(len(pickle.dumps(streamed)))
    assert max(sizes) < 1.1 * min(sizes)
    assert streamed.n_samples_seen_ == 4000


def test_the_interval_is_that_of_the_rows_kept(long):
    X, detector = long
    widths = []
    for size in (250, 1000, 4000):
        streamed = clone(detector).set_params(reservoir_size=size)
        low, high = stream(streamed, X, (2000,)).overlap_density_interval_
        assert low < streamed.overlap_density_ < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


def test_the_seed_decides_which_rows_are_kept(long):
    X, detector = long
    detector = clone(detector).set_params(reservoir_size=200, max_references=50)
    first, again = (stream(clone(detector), X, (1000,)) for _ in range(2))
    assert_same_fit(again, first, X)
    other = stream(clone(detector).set_params(random_state=1), X, (1000,))
    assert not np.array_equal(other.references_, first.references_)


def test_it_goes_on_after_pickling_as_it_would_have(long):
    X, detector = long
    detector = clone(detector).set_params(max_references=100)
    detector.partial_fit(X[:1500])
    restored = pickle.loads(pickle.dumps(detector))
    for other in (detector, restored):
        other.partial_fit(X[1500:])
    assert_same_fit(restored, detector, X)
    assert restored.n_samples_seen_ == 4000


# fit and partial_fit after each other


def test_after_fit_its_estimator_and_representation_are_kept(problem, make_detector):
    X, y, _ = problem
    detector = make_detector().fit(X, y)
    weak, representation = detector.weak_estimator_, detector.representation_
    detector.partial_fit(X[:90], y[:90]).partial_fit(X[90:200])
    assert detector.weak_estimator_ is weak
    assert detector.representation_ is representation
    assert detector.n_samples_seen_ == 200


def test_after_fit_its_rows_are_forgotten(problem, make_detector, frozen):
    X, _, _ = problem
    detector = make_detector(frozen, representation="passthrough")
    expected = clone(detector).fit(X)
    detector.fit(np.r_[X[:100], 9 * X[100:200]])
    assert_same_fit(detector.partial_fit(X), expected, X)


def test_fit_forgets_the_stream(problem, make_detector, frozen):
    X, y, _ = problem
    detector = stream(make_detector(frozen), X).fit(X[:200], y[:200])
    assert not hasattr(detector, "n_samples_seen_")
    assert not hasattr(detector, "reservoir_")
    assert_same_fit(detector, make_detector(frozen).fit(X[:200], y[:200]), X)
    assert len(detector.regions_) == 200
    assert detector.partial_fit(X[:70]).n_samples_seen_ == 70


def test_nothing_is_said_of_rows_that_are_not_kept(problem, make_detector):
    X, y, _ = problem
    for detector in (make_detector().fit(X, y), make_detector()):
        detector.partial_fit(X, y)
        for name in ("regions_", "confidence_", "overlap_score_"):
            assert not hasattr(detector, name)
        with pytest.raises(AttributeError, match=r"predict\(X\) == 'overlap'"):
            detector.get_support()
        with pytest.raises(ValueError, match="region='esay' is not one of"):
            detector.get_support("esay")


def test_a_stream_can_be_asked_what_a_fit_can(problem, make_detector):
    X, y, _ = problem
    detector = make_detector()
    with pytest.raises(NotFittedError):
        detector.predict(X)
    stream(detector, X, y=y)
    columns = detector.transform(X)
    assert columns.shape == (300, 5)
    assert set(detector.predict(X)) == {"easy", "hard", "overlap"}
    assert_allclose(columns[:, 1], detector.score_samples(X))


def test_parameters_stay_as_they_were(problem, make_detector):
    X, y, _ = problem
    detector = make_detector()
    before = clone(detector).get_params()
    assert stream(detector, X, y=y) is detector
    assert repr(detector.get_params()) == repr(before)


# What is refused


def test_the_first_batch_needs_something_to_learn_from(problem, make_detector):
    X, y, _ = problem
    detector = make_detector(representation="passthrough")
    for labels in (None, np.full(100, -1), np.r_[0, np.full(99, -1)]):
        with pytest.raises(ValueError, match=r"requires y|or pass weak_proba"):
            detector.partial_fit(X[:100], labels)
    assert_same_fit(stream(detector, X, y=y), clone(detector).fit(X, y), X)


@pytest.mark.parametrize("n_columns", [5, 7])
def test_later_batches_have_the_columns_of_the_first(problem, make_detector, n_columns):
    X, y, _ = problem
    detector = make_detector().partial_fit(X, y)
    other = np.ones((10, n_columns))
    with pytest.raises(ValueError, match=r"but OverlapDetector is expecting 6"):
        detector.partial_fit(other)


def test_later_data_frames_have_its_names(problem, make_detector):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=list("abcdef"))
    detector = make_detector().partial_fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        detector.partial_fit(frame.rename(columns={"a": "z"}))


def test_later_probabilities_have_its_classes(problem, make_detector, proba):
    X, _, _ = problem
    detector = make_detector().partial_fit(X, weak_proba=proba)
    three = np.full((300, 3), 1 / 3)
    with pytest.raises(ValueError, match="weak_proba has"):
        detector.partial_fit(X, weak_proba=three)
    named = pd.DataFrame({"no": proba[:, 0], "yes": proba[:, 1]})
    with pytest.raises(ValueError, match="weak_proba has"):
        detector.partial_fit(X, weak_proba=named)
    with pytest.raises(ValueError, match="weak_proba without an estimator"):
        detector.partial_fit(X)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"sample_weight": -np.ones(300)}, "Negative values in data"),
        ({"sample_weight": np.ones(299)}, r"sample_weight.shape == \(299,\)"),
        ({"weak_proba": np.ones((299, 2)) / 2}, "inconsistent numbers of samples"),
        ({"weak_proba": np.full((300, 2), np.nan)}, "weak_proba contains NaN"),
    ],
)
def test_a_batch_that_is_refused_changes_nothing(problem, make_detector, bad, message):
    X, y, _ = problem
    detector = make_detector().partial_fit(X, y)
    before = pickle.dumps(detector)
    with pytest.raises(ValueError, match=message):
        detector.partial_fit(X, **bad)
    assert pickle.dumps(detector) == before


@pytest.mark.parametrize("size", [0, -1, 1.5, None])
def test_the_reservoir_holds_a_row_at_least(problem, make_detector, size):
    X, y, _ = problem
    with pytest.raises(ValueError, match="'reservoir_size' parameter"):
        make_detector(reservoir_size=size).partial_fit(X, y)


def test_metadata_needs_routing(problem, make_detector):
    X, y, _ = problem
    with pytest.raises(TypeError, match="partial_fit got unexpected argument"):
        make_detector().partial_fit(X, y, groups=y)

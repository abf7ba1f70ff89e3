"""Whether the other columns agree with the weak label."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sklearn_w2s import OverlapDetector
from sklearn_w2s._weak import other_columns
from sklearn_w2s.overlap._measures import Agreement

EASY = slice(0, 3)


@pytest.fixture(scope="module")
def swapped():
    """Two views of the same class, one of them another row's in a third of the rows."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    X = rng.normal(size=(600, 6)) + 2 * y[:, None]
    is_swapped = np.arange(600) >= 400
    X[is_swapped, 3:] = rng.permutation(X[is_swapped, 3:])
    return X, np.where(rng.uniform(size=600) < 0.5, y, -1), is_swapped


def detector(**params):
    params = {"weak_features": EASY, "random_state": 0} | params
    return OverlapDetector(LogisticRegression(), overlap_measure="agreement", **params)


def test_it_sees_views_that_do_not_belong_together(swapped):
    X, y, is_swapped = swapped
    score = detector().fit(X, y).overlap_score_
    blind = OverlapDetector(LogisticRegression(), weak_features=EASY).fit(X, y)
    assert roc_auc_score(~is_swapped, score) > 0.65
    assert abs(roc_auc_score(~is_swapped, blind.overlap_score_) - 0.5) < 0.15


def test_the_score_is_the_probability_of_the_weak_label_by_its_share(swapped):
    X, y, _ = swapped
    fitted = detector().fit(X, y)
    measure, labels = (
        fitted.partition_.measure,
        fitted.weak_estimator_.predict(X[:, :3]),
    )
    proba = measure.forest.predict_proba(X[:, 3:])
    expected = proba[np.arange(len(X)), labels] / np.bincount(labels)[labels] * len(X)
    # Labeled rows have out-of-fold weak labels in the fit.
    assert_allclose(fitted.score_samples(X), expected, rtol=0.05)


def test_rows_of_the_fit_are_scored_out_of_bag(swapped):
    X, y, _ = swapped
    weak = FrozenEstimator(LogisticRegression().fit(X[y >= 0, :3], y[y >= 0]))
    fitted = OverlapDetector(
        weak, weak_features=EASY, overlap_measure="agreement", random_state=0
    ).fit(X)
    new = fitted.score_samples(X)
    assert np.mean(fitted.overlap_score_) < np.mean(new)


def test_it_is_repeatable_and_takes_parts(swapped):
    X, y, _ = swapped
    first, second = detector().fit(X, y), detector().fit(X, y)
    assert_array_equal(first.overlap_score_, second.overlap_score_)
    assert_array_equal(first.predict(X)[:50], first.predict(X[:50]))
    stream = detector()
    for part in np.array_split(np.arange(len(X)), 3):
        stream.partial_fit(X[part], y[part])
    assert stream.n_samples_seen_ == len(X)


def test_sparse_rows_are_scored_like_dense_ones(swapped):
    X, y, _ = swapped
    X = np.where(X > 1.5, X, 0)
    dense, thin = detector().fit(X, y), detector().fit(sparse.csr_array(X), y)
    assert_allclose(thin.overlap_score_, dense.overlap_score_)


def test_where_the_weak_estimator_sees_all_columns_so_does_the_forest(swapped):
    X, y, _ = swapped
    fitted = detector(weak_features=None).fit(X, y)
    assert fitted.partition_.measure.forest.n_features_in_ == 6


def test_rows_of_weight_zero_change_nothing(swapped):
    X, y, _ = swapped
    weights = (np.arange(len(X)) < 500).astype(float)
    fitted = detector().fit(X, y, sample_weight=weights)
    assert np.isfinite(fitted.overlap_score_).all()
    assert fitted.partition_.measure.shares.sum() == pytest.approx(1)


def test_a_label_that_is_new_is_agreed_with_by_none():
    rng = np.random.default_rng(0)
    other = rng.normal(size=(60, 2))
    codes = np.repeat([0.0, 2.0], 30)[:, None]
    measure = Agreement()
    scores = measure.fit_score(
        other, np.hstack([codes, other]), [0], np.ones(60), np.random.RandomState(0)
    )
    assert scores.max() > 0
    new = np.hstack([np.full((3, 1), 1.0), other[:3]])
    assert_array_equal(measure.score(other[:3], new), np.zeros(3))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, None),
        ([0, 2], [1, 3]),
        ([-1], [0, 1, 2]),
        (slice(1, None), [0]),
        ([True, False, False, True], [1, 2]),
        (slice(None), None),
    ],
)
def test_other_columns_are_those_not_chosen(columns, expected):
    assert other_columns(np.zeros((2, 4)), columns) == expected


def test_other_columns_of_a_table_are_those_not_named():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(np.zeros((2, 3)), columns=["a", "b", "c"])
    assert other_columns(table, ["c", "a"]) == [1]
    assert other_columns(table, [0]) == [1, 2]

"""The spaces that have a name, and what a detector makes of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsTransformer
from sklearn.utils import get_tags

from sklearn_w2s import OverlapDetector
from sklearn_w2s.overlap._representations import (
    REPRESENTATIONS,
    DeviationEncoder,
    PrincipalDeviations,
)


def test_the_default_space_is_that_of_deviations(problem):
    X, y, _ = problem
    detector = OverlapDetector(LogisticRegression()).fit(X, y)
    assert_array_equal(detector.represent(X), DeviationEncoder().fit(X).transform(X))


def test_principal_components_explain_ninety_percent_of_the_deviations(problem):
    X, y, _ = problem
    detector = OverlapDetector(LogisticRegression(), representation="pca").fit(X, y)
    deviations = DeviationEncoder().fit_transform(X)
    centred = deviations - deviations.mean(axis=0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    n_components = np.searchsorted(np.cumsum(variances) / variances.sum(), 0.9) + 1
    assert n_components < X.shape[1]
    components = detector.represent(X)
    spread = (components - components.mean(axis=0)).T
    assert_allclose(
        spread @ spread.T, np.diag(variances[:n_components]), atol=1e-9 * variances[0]
    )


def test_what_is_typical_is_the_origin_of_principal_components(problem):
    X, y, _ = problem
    detector = OverlapDetector(LogisticRegression(), representation="pca").fit(X, y)
    typical = detector.representation_[0].center_
    assert_allclose(detector.represent([typical]), 0, atol=1e-12)
    assert np.abs(detector.represent([X.mean(axis=0)])).max() > 0.01


# Random trees differ with the number of rows.
@pytest.mark.parametrize("name", [None, *sorted(set(REPRESENTATIONS) - {"forest"})])
def test_a_weight_counts_repetitions_in_named_spaces(problem, frozen, name):
    X, _, _ = problem
    weights = np.random.default_rng(0).integers(0, 4, size=len(X))
    detector = OverlapDetector(
        frozen,
        weak_features=slice(0, 3),
        representation=name,
        overlap_measure="mean_abs_dot",
        random_state=0,
    )
    rows = np.repeat(np.arange(len(X)), weights)
    weighted = clone(detector).fit(X, sample_weight=weights)
    repeated = clone(detector).fit(X[rows])
    assert_allclose(weighted.overlap_score_[rows], repeated.overlap_score_)
    assert_array_equal(weighted.regions_[rows], repeated.regions_)


@pytest.mark.parametrize("shape", [(300, 6), (4, 6), (1, 6), (5, 1)])
def test_principal_axes_are_few_and_orthogonal(shape):
    rows = np.random.default_rng(0).normal(size=shape)
    axes = PrincipalDeviations().fit(rows).axes_
    assert 1 <= len(axes) <= min(shape)
    assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-12)


def test_leaves_are_alike_where_trees_put_rows_into_the_same_one(problem):
    X, y, _ = problem
    detector = OverlapDetector(
        LogisticRegression(),
        representation="forest",
        overlap_measure="max_abs_dot",
        random_state=0,
    ).fit(X, y)
    deviations = detector.representation_[0].transform(X)
    leaves = detector.representation_[-1].forest_.apply(deviations)
    telling = np.column_stack(
        [column != np.argmax(np.bincount(column)) for column in leaves.T]
    )
    hard = detector.get_support("hard")
    shared = (leaves[:, None] == leaves[None, hard]) & telling[:, None]
    assert_array_equal(detector.overlap_score_, shared.sum(axis=2).max(axis=1))
    assert sparse.issparse(detector.references_)


@pytest.mark.parametrize("name", ["forest", "pca"])
def test_a_seed_makes_named_spaces_repeatable(problem, name):
    X, y, _ = problem
    detector = OverlapDetector(
        LogisticRegression(), representation=name, random_state=3
    )
    first, second = (clone(detector).fit(X, y) for _ in range(2))
    assert_array_equal(first.overlap_score_, second.overlap_score_)
    assert_array_equal(first.regions_, second.regions_)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_new_rows_are_judged_in_named_spaces_as_those_of_the_fit(problem, name):
    X, y, _ = problem
    detector = OverlapDetector(
        LogisticRegression(), representation=name, random_state=0
    ).fit(X, y)
    assert set(detector.regions_) == {"easy", "hard", "overlap"}
    assert_array_equal(detector.predict(X[y < 0]), detector.regions_[y < 0])
    assert_allclose(detector.score_samples(X), detector.overlap_score_)


@pytest.mark.parametrize("name", [*REPRESENTATIONS, None])
def test_tags_show_which_named_spaces_take_sparse_rows(problem, name):
    X, y, _ = problem
    detector = OverlapDetector(LogisticRegression(), representation=name)
    if get_tags(detector).input_tags.sparse:
        assert len(detector.fit(sparse.csr_array(X), y).regions_) == len(X)
    else:
        assert name == "pca"
        with pytest.raises(TypeError, match="dense data is required"):
            detector.fit(sparse.csr_array(X), y)


def test_weak_labels_are_the_targets_of_a_transformer(problem, proba):
    X, _, _ = problem
    names = np.array(["no", "yes"])
    y = np.r_[names, np.full(len(X) - 2, "")]
    detector = OverlapDetector(
        representation=LinearDiscriminantAnalysis(),
        overlap_measure="mean_abs_dot",
        missing_label="",
    ).fit(X, y, weak_proba=proba)
    expected = LinearDiscriminantAnalysis().fit(X, names[proba.argmax(axis=1)])
    assert_array_equal(detector.representation_.classes_, names)
    assert_allclose(detector.represent(X), expected.transform(X))


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree", "ball_tree"])
def test_a_search_for_the_nearest_hard_row_is_the_largest_cosine(
    problem, make_detector, algorithm
):
    X, y, _ = problem
    search = KNeighborsTransformer(n_neighbors=1, algorithm=algorithm)
    found = make_detector(overlap_measure=search).fit(X, y)
    exact = make_detector(overlap_measure="max_abs_cosine").fit(X, y)
    assert_allclose(found.overlap_score_, exact.overlap_score_, atol=1e-12)
    assert found.overlap_threshold_ == pytest.approx(exact.overlap_threshold_)
    assert_array_equal(found.regions_, exact.regions_)
    assert_allclose(found.score_samples(X), exact.score_samples(X), atol=1e-12)
    assert not hasattr(search, "n_features_in_")

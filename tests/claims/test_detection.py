"""What detection finds where the truth is known, and where there is nothing to find."""

import numpy as np
import pytest
from measures import EXACT_MEASURES
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap import NoChangePointWarning

EASY_BLOCK = slice(0, 20)
ALL_EASY = {"easy"}


def detect(X, y, **params):
    detector = OverlapDetector(LogisticRegression(), weak_features=EASY_BLOCK, **params)
    return detector.fit(X, y)


# Known regions

SEEDS = range(3)
DENSITIES = [0.1, 0.3, 0.5]
PUBLISHED = {
    "confidence": "margin",
    "confidence_threshold": "published",
    "refine_hard": False,
    "overlap_threshold": "published",
    "overlap_measure": "max_abs_cosine",
    "representation": "passthrough",
}


def known_problem(density, seed, **params):
    """1,500 rows of known regions, a third of them labeled."""
    X, y, regions = make_overlap_classification(
        1500, overlap_density=density, random_state=seed, **params
    )
    y[500:] = -1
    return X, y, regions


def quality(detector, regions):
    """Return the AUC of overlap rows against easy ones, precision and recall."""
    known = regions != "hard"
    overlap = regions == "overlap"
    found = detector.regions_ == "overlap"
    auc = roc_auc_score(overlap[known], detector.overlap_score_[known])
    return auc, precision_score(overlap, found), recall_score(overlap, found)


def share_of_truth(density, regions):
    return density / np.mean(regions == "overlap")


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("absent_noise", "least"), [(0, (0.99, 0.95, 0.95)), (0.5, (0.97, 0.9, 0.9))]
)
def test_overlap_rows_are_found_and_counted(density, seed, absent_noise, least):
    X, y, regions = known_problem(density, seed, absent_noise=absent_noise)
    detector = detect(X, y)
    assert np.greater(quality(detector, regions), least).all()
    counted = share_of_truth(detector.overlap_density_, regions)
    assert counted == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_weak_view_does_not_explain_is_the_hard_pattern(seed):
    X, y, regions = known_problem(0.3, seed)
    detector = detect(X, y, overlap_measure="unexplained")
    assert quality(detector, regions)[0] > 0.99


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_published_detection_is_misled_by_easy_rows_among_the_hard(density, seed):
    X, y, regions = known_problem(density, seed)
    assert quality(detect(X, y, **PUBLISHED), regions)[0] < 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_hard_rows_unlike_easy_ones_are_the_hard_ones(seed):
    X, y, regions = known_problem(0.3, seed)
    hard = regions == "hard"
    refined = detect(X, y)
    assert precision_score(hard, refined.regions_ == "hard") > 0.99
    assert recall_score(hard, refined.regions_ == "hard") > 0.99
    by_confidence = detect(X, y, refine_hard=False)
    assert precision_score(hard, by_confidence.regions_ == "hard") < 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rare_class_does_not_pass_for_doubt(seed):
    X, y, regions = known_problem(0.3, seed, class_weights=(0.9, 0.1))
    balanced = detect(X, y)
    assert np.greater(quality(balanced, regions), (0.99, 0.95, 0.95)).all()
    counted = share_of_truth(balanced.overlap_density_, regions)
    assert counted == pytest.approx(1, abs=0.1)
    # Sure of the frequent class wherever nothing is known.
    plain = detect(X, y, confidence="margin")
    assert quality(plain, regions)[0] < 0.1
    assert share_of_truth(plain.overlap_density_, regions) > 1.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("absent_noise", [0, 0.5])
def test_a_block_is_absent_at_the_typical_values_of_its_columns(seed, absent_noise):
    X, y, regions = known_problem(0.3, seed, absent_noise=absent_noise)
    X += np.random.default_rng(seed).normal(scale=5, size=X.shape[1])
    assert np.greater(quality(detect(X, y), regions), (0.97, 0.9, 0.9)).all()
    as_they_are = detect(X, y, representation="passthrough")
    assert quality(as_they_are, regions)[0] < 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_density_of_new_rows_is_the_true_one(seed):
    X, y, regions = make_overlap_classification((4000,) * 3, random_state=seed)
    y[1000:] = -1
    detector = detect(X[:3000], y[:3000])
    new = {name: X[3000:][regions[3000:] == name] for name in np.unique(regions)}
    true = np.array([0.1, 0.2, 0.4, 0.7])
    found = []
    for density in true:
        n_overlap = round(1500 * density)
        n_other = (1500 - n_overlap) // 2
        rows = [
            new["overlap"][:n_overlap],
            new["easy"][:n_other],
            new["hard"][:n_other],
        ]
        found.append(np.mean(detector.predict(np.concatenate(rows)) == "overlap"))
    assert_allclose(found, true, rtol=0.15)


# Nothing to find


@pytest.fixture(scope="module")
def labeled_problem():
    X, y, _ = make_overlap_classification((40, 40, 40), random_state=0)
    y[60:] = -1
    return X, y


def regions_found(X, y=None, weak=None, **params):
    """Fit, and check that what was fitted answers for old and new rows alike."""
    detector = OverlapDetector(weak, **params).fit(X, y)
    assert len(detector.regions_) == len(X)
    assert detector.transform(X).shape == (len(X), 5)
    assert detector.predict(X[:1]).shape == (1,)
    assert 0 <= detector.overlap_density_ <= 1
    return set(detector.regions_), detector.overlap_density_


@pytest.mark.parametrize("measure", EXACT_MEASURES)
def test_where_confidence_is_constant_every_row_is_easy(labeled_problem, measure):
    X, y = labeled_problem
    weak = FrozenEstimator(DummyClassifier(strategy="prior").fit(X[:60], y[:60]))
    with pytest.warns(NoChangePointWarning, match="confidence_threshold='auto'"):
        found = regions_found(X, weak=weak, overlap_measure=measure)
    assert found == (ALL_EASY, 0)


@pytest.mark.parametrize("measure", EXACT_MEASURES)
def test_where_rows_are_all_alike_no_row_is_overlap(labeled_problem, measure):
    X, _ = labeled_problem
    proba = np.random.default_rng(0).dirichlet([1, 1], size=len(X))
    detector = OverlapDetector(overlap_measure=measure)
    with pytest.warns(NoChangePointWarning, match="overlap_threshold='auto'"):
        detector.fit(np.full(X.shape, 0.1), weak_proba=proba)
    assert set(detector.regions_) == {"easy", "hard"}
    assert detector.overlap_density_ == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_the_weak_view_is_everything_it_explains_everything(
    labeled_problem, dtype
):
    X, y = labeled_problem
    detector = OverlapDetector(
        LogisticRegression(), weak_features=slice(None), overlap_measure="unexplained"
    )
    with pytest.warns(NoChangePointWarning, match="overlap_threshold='auto'"):
        detector.fit(X.astype(dtype), y)
    assert detector.overlap_score_.max() == 0


@pytest.mark.parametrize("measure", EXACT_MEASURES)
@pytest.mark.parametrize(
    ("threshold", "region"), [(2, "hard"), (-1, "easy"), (0, "easy")]
)
def test_where_all_rows_or_none_are_hard_there_is_no_overlap(
    labeled_problem, measure, threshold, region
):
    X, y = labeled_problem
    params = {"confidence_threshold": threshold, "overlap_measure": measure}
    found = regions_found(X, y, LogisticRegression(), **params)
    assert found == ({region}, 0)


@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("n", range(1, 8))
def test_few_rows_are_parted_as_many_are(labeled_problem, n):
    X, y = labeled_problem
    weak = FrozenEstimator(LogisticRegression().fit(X[:60], y[:60]))
    regions, _ = regions_found(X[:n], weak=weak)
    assert ("hard" in regions) == (n > 1)


@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("n_labeled", range(2, 8))
def test_two_labels_are_enough(labeled_problem, n_labeled):
    X, y = labeled_problem
    order = np.r_[np.flatnonzero(y == 0)[:1], np.flatnonzero(y == 1)[:6]]
    y = np.full(len(X), -1)
    y[order[:n_labeled]] = labeled_problem[1][order[:n_labeled]]
    regions_found(X, y, LogisticRegression())
    model = WeakToStrongClassifier(
        LogisticRegression(), LogisticRegression(), strategy="all"
    )
    assert model.fit(X, y).predict(X).shape == y.shape


@pytest.mark.parametrize("make", [OverlapDetector, WeakToStrongClassifier])
def test_labels_of_one_class_are_refused(labeled_problem, make):
    X, y = labeled_problem
    with pytest.raises(ValueError, match=r"y has one class only, \[0\]"):
        make(LogisticRegression()).fit(X, np.where(y == 0, 0, -1))


def test_one_class_is_enough_where_the_weak_estimator_knows_the_others(labeled_problem):
    X, y = labeled_problem
    weak = FrozenEstimator(LogisticRegression().fit(X[:60], y[:60]))
    ones = np.where(y == 0, 0, -1)
    assert regions_found(X, ones, weak)[0] == {"easy", "hard", "overlap"}
    model = WeakToStrongClassifier(weak, LogisticRegression()).fit(X, ones)
    assert set(model.predict(X)) == {0, 1}

"""What detection finds where the truth is known, and where there is nothing to find."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap import NoChangePointWarning
from sklearn_w2s.overlap._measures import MEASURES

EASY_BLOCK = slice(0, 20)
ALL_EASY = {"easy"}


def detect(X, y, **params):
    detector = OverlapDetector(LogisticRegression(), weak_features=EASY_BLOCK, **params)
    return detector.fit(X, y)


# Known regions


@pytest.fixture(scope="module", params=range(5))
def known_problem(request):
    """A third of the rows labeled, exact zeros where a pattern is absent."""
    X, y, regions = make_overlap_classification(
        (500, 500, 500), random_state=request.param
    )
    y[500:] = -1
    return X, y, regions


@pytest.mark.parametrize("measure", ["unexplained", "mean_abs_cosine"])
def test_overlap_rows_are_told_from_easy_ones(known_problem, measure):
    assert ranking(known_problem, measure) > 0.99


def test_the_published_measure_is_misled_by_easy_rows_among_the_hard(known_problem):
    assert ranking(known_problem, "max_abs_cosine") < 0.6


def ranking(problem, measure):
    """Return the AUC of overlap rows against easy ones."""
    X, y, regions = problem
    score = detect(X, y, overlap_measure=measure).overlap_score_
    known = regions != "hard"
    return roc_auc_score(regions[known] == "overlap", score[known])


@pytest.mark.parametrize("seed", range(3))
def test_the_density_of_new_rows_grows_with_the_true_one(seed):
    X, y, regions = make_overlap_classification((4000,) * 3, random_state=seed)
    y[1000:] = -1
    detector = detect(X[:3000], y[:3000])
    new = {name: X[3000:][regions[3000:] == name] for name in np.unique(regions)}
    true = np.array([0.02, 0.1, 0.2, 0.4, 0.7])
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
    assert (np.diff(found) > 0).all()
    # Too low by the same share throughout: overlap rows that the weak estimator is
    # not sure of count as hard.
    shares = np.array(found) / true
    assert shares.min() > 0.55
    assert shares.max() < 1.05


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


@pytest.mark.parametrize("measure", MEASURES)
def test_where_confidence_is_constant_every_row_is_easy(labeled_problem, measure):
    X, y = labeled_problem
    weak = FrozenEstimator(DummyClassifier(strategy="prior").fit(X[:60], y[:60]))
    with pytest.warns(NoChangePointWarning, match='confidence_threshold="auto"'):
        found = regions_found(X, weak=weak, overlap_measure=measure)
    assert found == (ALL_EASY, 0)


@pytest.mark.parametrize("measure", MEASURES)
def test_where_rows_are_all_alike_no_row_is_overlap(labeled_problem, measure):
    X, _ = labeled_problem
    proba = np.random.default_rng(0).dirichlet([1, 1], size=len(X))
    detector = OverlapDetector(overlap_measure=measure)
    with pytest.warns(NoChangePointWarning, match='overlap_threshold="auto"'):
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
    with pytest.warns(NoChangePointWarning, match='overlap_threshold="auto"'):
        detector.fit(X.astype(dtype), y)
    assert detector.overlap_score_.max() == 0


@pytest.mark.parametrize("measure", MEASURES)
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

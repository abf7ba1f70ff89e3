import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measures import EXACT_MEASURES
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_w2s import OverlapDetector
from sklearn_w2s._algorithms.overlap import (
    balanced_margin_confidence,
    margin_confidence,
)
from sklearn_w2s.overlap._partition import CONFIDENCES

N_LABELED = 120
REGIONS = {"easy", "hard", "overlap"}


# What the attributes say


@pytest.mark.parametrize("measure", EXACT_MEASURES)
def test_regions_follow_from_scores_and_thresholds(problem, make_detector, measure):
    X, y, _ = problem
    detector = make_detector(overlap_measure=measure, refine_hard=False).fit(X, y)
    hard = detector.confidence_ < detector.confidence_threshold_
    assert detector.easy_threshold_ == np.inf
    overlap = ~hard & (detector.overlap_score_ >= detector.overlap_threshold_)
    assert_array_equal(detector.regions_ == "hard", hard)
    assert_array_equal(detector.regions_ == "overlap", overlap)
    assert set(detector.regions_) == REGIONS
    assert detector.overlap_density_ == pytest.approx(overlap.mean())
    for region in REGIONS:
        support = detector.get_support(region)
        assert_array_equal(support, detector.regions_ == region)
        rows = detector.get_support(region, indices=True)
        assert_array_equal(rows, np.flatnonzero(support))


def test_the_density_is_weighted(problem, make_detector):
    X, y, _ = problem
    weights = np.random.default_rng(0).uniform(size=len(X))
    detector = make_detector().fit(X, y, sample_weight=weights)
    expected = weights[detector.get_support()].sum() / weights.sum()
    assert detector.overlap_density_ == pytest.approx(expected)


def test_hard_rows_are_the_references(problem, make_detector):
    X, y, _ = problem
    detector = make_detector(overlap_measure="max_dot").fit(X, y)
    hard = detector.get_support("hard")
    assert_array_equal(detector.references_, detector.represent(X)[hard])
    detector.set_params(representation="passthrough").fit(X, y)
    assert_array_equal(detector.references_, X[detector.get_support("hard")])
    assert_array_equal(detector.representation_.transform(X), X)


# Who confidences come from


def first_class(proba):
    return proba[:, 0]


def test_labeled_rows_are_judged_by_estimators_that_did_not_see_them(
    problem, make_detector
):
    X, y, _ = problem
    weak = KNeighborsClassifier(3)
    detector = make_detector(weak, confidence="margin").fit(X, y)
    rows, labels = X[:N_LABELED, :3], y[:N_LABELED]
    out_of_fold = cross_val_predict(
        weak, rows, labels, cv=StratifiedKFold(5), method="predict_proba"
    )
    fitted = weak.fit(rows, labels).predict_proba(X[:, :3])
    assert_allclose(detector.confidence_[:N_LABELED], margin_confidence(out_of_fold))
    assert_allclose(
        detector.confidence_[N_LABELED:], margin_confidence(fitted)[N_LABELED:]
    )


def test_a_memorising_estimator_is_wrong_about_rows_it_did_not_see(
    problem, make_detector
):
    X, y, _ = problem
    detector = make_detector(KNeighborsClassifier(1), confidence=first_class).fit(X, y)
    is_first = y[:N_LABELED] == 0
    assert_array_equal(detector.confidence_samples(X[:N_LABELED]), is_first)
    assert 0.1 < (detector.confidence_[:N_LABELED] != is_first).mean() < 0.5


@pytest.mark.parametrize("measure", EXACT_MEASURES)
def test_unlabeled_rows_are_new_rows(problem, make_detector, measure):
    X, y, _ = problem
    detector = make_detector(overlap_measure=measure).fit(X, y)
    rows = X[N_LABELED:]
    assert_array_equal(detector.predict(rows), detector.regions_[N_LABELED:])
    assert_allclose(detector.score_samples(rows), detector.overlap_score_[N_LABELED:])
    assert_allclose(detector.confidence_samples(rows), detector.confidence_[N_LABELED:])


def test_a_share_is_held_out_once(problem, make_detector):
    X, y, _ = problem
    detector = make_detector(cv=0.25, random_state=0).fit(X, y)
    changed = ~np.isclose(detector.confidence_, detector.confidence_samples(X))
    assert changed.sum() == N_LABELED / 4
    assert not changed[N_LABELED:].any()


def test_the_splits_of_an_iterable_are_of_labeled_rows(problem, make_detector):
    X, y, _ = problem
    shuffled = np.random.default_rng(0).permutation(len(X))
    folds = list(KFold(3).split(np.zeros(N_LABELED)))
    by_list = make_detector(cv=folds).fit(X[shuffled], y[shuffled])
    by_splitter = make_detector(cv=KFold(3)).fit(X[shuffled], y[shuffled])
    assert_array_equal(by_list.confidence_, by_splitter.confidence_)
    assert_array_equal(by_list.regions_, by_splitter.regions_)


def test_probabilities_can_stand_in_for_the_weak_estimator(problem, proba):
    X, y, _ = problem
    detector = OverlapDetector().fit(X, weak_proba=proba)
    expected = balanced_margin_confidence(proba, proba.mean(axis=0))
    assert_array_equal(detector.confidence_, expected)
    assert detector.weak_estimator_ is None
    assert_array_equal(detector.classes_, [0, 1])
    with_labels = OverlapDetector().fit(X, y, weak_proba=proba)
    assert_array_equal(detector.regions_, with_labels.regions_)
    for method in ("predict", "transform", "score_samples", "confidence_samples"):
        with pytest.raises(ValueError, match=r"no weak .*FrozenEstimator"):
            getattr(detector, method)(X)


def test_a_frozen_estimator_predicts_what_probabilities_could_not(
    problem, proba, frozen
):
    X, _, _ = problem
    params = {"weak_features": slice(0, 3)}
    given = OverlapDetector(frozen, **params).fit(X, weak_proba=proba)
    own = OverlapDetector(frozen, **params).fit(X)
    assert_allclose(own.confidence_, given.confidence_)
    assert_array_equal(own.predict(X), given.predict(X))
    assert_array_equal(own.predict(X), own.regions_)
    assert own.weak_estimator_ is frozen


def test_a_rule_needs_no_label(problem):
    X, _, _ = problem
    detector = OverlapDetector(FrozenEstimator(Rule())).fit(X, np.full(len(X), -1))
    assert_array_equal(detector.classes_, ["no", "yes"])
    assert set(detector.predict(X)) <= REGIONS


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier that was never fitted."""

    classes_ = np.array(["no", "yes"])

    def fit(self, X, y):
        raise NotImplementedError

    def predict_proba(self, X):
        yes = 1 / (1 + np.exp(-X[:, 0]))
        return np.column_stack([1 - yes, yes])


# Invariances


@given(seed=st.integers(0, 2**16))
def test_the_order_of_the_rows_does_not_matter(problem, proba, seed):
    X, _, _ = problem
    order = np.random.default_rng(seed).permutation(len(X))
    plain = OverlapDetector().fit(X, weak_proba=proba)
    shuffled = OverlapDetector().fit(X[order], weak_proba=proba[order])
    assert_array_equal(shuffled.regions_, plain.regions_[order])
    assert_allclose(shuffled.overlap_score_, plain.overlap_score_[order])
    assert shuffled.overlap_density_ == plain.overlap_density_


@pytest.mark.parametrize("names", [["no", "yes"], ["yes", "no"], [7, 3], [1.0, 2.0]])
@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_the_names_of_the_classes_do_not_matter(
    problem, make_detector, names, confidence
):
    X, y, _ = problem
    missing = "" if isinstance(names[0], str) else -1
    renamed = np.array([*names, missing])[y]
    plain = make_detector(confidence=confidence).fit(X, y)
    other = make_detector(confidence=confidence, missing_label=missing)
    other.fit(X, renamed)
    assert_array_equal(other.classes_, sorted(names))
    assert_array_equal(other.regions_, plain.regions_)
    assert_allclose(other.confidence_, plain.confidence_, rtol=1e-4)


@pytest.mark.parametrize("measure", EXACT_MEASURES)
@pytest.mark.parametrize("weak", [None, GaussianNB()])
def test_a_weight_counts_repetitions(problem, make_detector, measure, weak):
    X, y, _ = problem
    weights = np.random.default_rng(0).integers(0, 4, size=len(X))
    rows = np.repeat(np.arange(len(X)), weights)
    folds = np.arange(N_LABELED) % 3
    representation = make_pipeline(StandardScaler())
    params = {"overlap_measure": measure, "representation": representation}
    weighted = make_detector(weak, cv=splits(folds), **params)
    weighted.fit(X, y, sample_weight=weights)
    repeated_folds = folds[rows[y[rows] >= 0]]
    repeated = make_detector(weak, cv=splits(repeated_folds), **params)
    repeated.fit(X[rows], y[rows])
    assert_allclose(weighted.confidence_[rows], repeated.confidence_, rtol=1e-3)
    assert_allclose(weighted.overlap_score_[rows], repeated.overlap_score_, rtol=1e-3)
    assert_array_equal(weighted.regions_[rows], repeated.regions_)
    assert weighted.overlap_density_ == pytest.approx(repeated.overlap_density_)


def splits(folds):
    return [
        (np.flatnonzero(folds != f), np.flatnonzero(folds == f))
        for f in np.unique(folds)
    ]


def test_a_row_of_weight_zero_has_no_say(problem, make_detector):
    X, y, _ = problem
    kept = np.random.default_rng(0).uniform(size=len(X)) < 0.7
    weighted = make_detector().fit(X, y, sample_weight=kept)
    without = make_detector().fit(X[kept], y[kept])
    assert_array_equal(weighted.regions_[kept], without.regions_)
    assert_array_equal(weighted.references_, without.references_)
    assert_array_equal(weighted.predict(X), without.predict(X))
    # No estimator saw it, labeled or not, so that it is judged as a new row.
    assert_array_equal(weighted.regions_[~kept], without.predict(X[~kept]))


def test_a_class_may_have_one_row_of_positive_weight(problem, make_detector):
    X, _, truth = problem
    y = np.full(len(X), -1)
    y[:40] = 0
    y[:2] = 1
    weights = np.ones(len(X))
    weights[0] = 0
    detector = make_detector().fit(X, y, sample_weight=weights)
    assert np.isfinite(detector.confidence_).all()
    assert len(truth) == len(detector.regions_)


def test_the_scale_of_equal_weights_does_not_matter(problem, make_detector, frozen):
    X, _, _ = problem
    plain = make_detector(frozen).fit(X)
    for weights in (3.0, np.full(len(X), 0.1)):
        weighted = make_detector(frozen).fit(X, sample_weight=weights)
        assert_array_equal(weighted.regions_, plain.regions_)
        assert weighted.overlap_density_ == pytest.approx(plain.overlap_density_)


def test_the_number_of_jobs_does_not_matter(problem, make_detector):
    X, y, _ = problem
    one, more = make_detector().fit(X, y), make_detector(n_jobs=2).fit(X, y)
    assert_array_equal(one.confidence_, more.confidence_)
    assert_array_equal(one.regions_, more.regions_)


def test_a_seed_makes_fits_repeatable(problem, make_detector):
    X, y, _ = problem
    params = {
        "representation": PCA(2, svd_solver="randomized"),
        "max_references": 5,
        "cv": 0.3,
    }
    detector = make_detector(RandomForestClassifier(5), **params)
    first, second, other = (
        clone(detector).set_params(random_state=seed).fit(X, y) for seed in (1, 1, 2)
    )
    assert_array_equal(first.overlap_score_, second.overlap_score_)
    assert_array_equal(first.references_, second.references_)
    assert not np.array_equal(first.overlap_score_, other.overlap_score_)
    assert isinstance(first.weak_estimator_.random_state, int)
    assert isinstance(first.representation_.random_state, int)


def test_a_seed_set_by_the_user_is_kept(problem, make_detector):
    X, y, _ = problem
    weak = RandomForestClassifier(3, random_state=7)
    detector = make_detector(weak, random_state=0).fit(X, y)
    assert detector.weak_estimator_.random_state == 7


# Bounds


@pytest.mark.parametrize("max_references", [1, 10, 10_000])
def test_references_are_bounded(problem, make_detector, max_references):
    X, y, _ = problem
    detector = make_detector(
        max_references=max_references, overlap_measure="max_dot", random_state=0
    ).fit(X, y)
    hard = detector.represent(X)[detector.get_support("hard")]
    assert len(detector.references_) == min(max_references, len(hard))
    assert {tuple(row) for row in detector.references_} <= {tuple(row) for row in hard}
    assert len(detector.partition_.hard_rows.easy.references) <= max_references


def test_confidence_may_be_a_function(problem, proba):
    X, _, _ = problem
    named = OverlapDetector(confidence="margin").fit(X, weak_proba=proba)
    own = OverlapDetector(confidence=lambda p: np.abs(p[:, 1] - p[:, 0]))
    assert_allclose(own.fit(X, weak_proba=proba).confidence_, named.confidence_)


# Its life


class Counting(LogisticRegression):
    """A classifier that counts its fits."""

    n_fits = 0

    def __init__(self, random_state=None):
        super().__init__(random_state=random_state)

    def fit(self, X, y, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


def test_a_cache_fits_the_weak_estimator_once_for_all_thresholds(
    problem, make_detector, tmp_path
):
    X, y, _ = problem
    Counting.n_fits = 0
    detector = make_detector(Counting(), memory=str(tmp_path), random_state=0)
    results = {}
    for threshold in ("auto", 0.1, 0.2):
        for measure in EXACT_MEASURES:
            detector.set_params(overlap_threshold=threshold, overlap_measure=measure)
            results[threshold, measure] = detector.fit(X, y).regions_
    assert Counting.n_fits == 1 + 5
    detector.set_params(memory=None)
    assert_array_equal(detector.fit(X, y).regions_, results[0.2, "unexplained"])
    assert Counting.n_fits == 2 * (1 + 5)


def test_what_is_fitted_survives_copies(problem, make_detector):
    X, y, _ = problem
    detector = make_detector(overlap_measure="unexplained").fit(X, y)
    for copied in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):
        assert_array_equal(copied.predict(X), detector.predict(X))
        assert_array_equal(copied.regions_, detector.regions_)
    with pytest.raises(NotFittedError):
        clone(detector).predict(X)


@pytest.mark.parametrize("fitted", [False, True])
def test_it_can_be_shown(problem, make_detector, fitted):
    X, y, _ = problem
    detector = make_detector()
    if fitted:
        detector.fit(X, y)
    assert "OverlapDetector" in detector._repr_html_()
    assert repr(detector).startswith("OverlapDetector(")


def test_a_fit_that_fails_leaves_nothing_that_predicts(problem, make_detector):
    X, y, _ = problem
    detector = make_detector()
    for attempt in range(2):
        detector.set_params(overlap_measure=lambda *_: 0)
        with pytest.raises(ValueError, match="overlap_measure returned"):
            detector.fit(X, y)
        with pytest.raises(NotFittedError):
            detector.predict(X)
        detector.set_params(overlap_measure="max_dot").fit(X, y)
        assert len(detector.predict(X)) == 300, attempt


def test_the_parts_of_the_user_are_not_changed(problem):
    X, y, _ = problem
    weak, representation = RandomForestClassifier(3), PCA(2)
    before = repr((vars(weak), vars(representation)))
    OverlapDetector(weak, representation=representation, random_state=0).fit(X, y)
    assert repr((vars(weak), vars(representation))) == before

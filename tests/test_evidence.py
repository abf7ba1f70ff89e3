"""What is called held out was not trained on: each public call splits once."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import (
    GridSearchCV,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from splitters import Fickle, drawn_by

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.advice import advise
from sklearn_w2s.model_selection import (
    LabeledSplit,
    cross_validate_gap,
    gap_learning_curve,
    overlap_curve,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_w2s.overlap.NoChangePointWarning"
)


def noise(n_rows=1000, n_labeled=300):
    """Rows whose labels are nearly chance, so that knowing them by heart shows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 10))
    truth = (X[:, 0] + 3 * rng.normal(size=n_rows) > 0).astype(int)
    return X, truth, np.where(np.arange(n_rows) < n_labeled, truth, -1)


X, TRUTH, Y = noise(400, 120)
LABELED = Y != -1


def model(**params):
    defaults = {
        "weak_estimator": GaussianNB(),
        "strong_estimator": DecisionTreeClassifier(random_state=0),
        "strategy": "all",
        "random_state": 0,
    }
    return WeakToStrongClassifier(**(defaults | params))


def without_times(results):
    """Return results, clocks apart."""
    return {k: v for k, v in results.items() if not k.endswith("_time")}


def of_advise(cv):
    advice = advise(model(), X, Y, cv=cv, random_state=0)
    return {"comparisons": advice.comparisons, "indicators": advice.indicators}


def of_gap(cv):
    run = {"labeled_size": 30, "random_state": 0}
    return without_times(cross_validate_gap(model(), X, Y, cv=cv, **run))


def of_gap_with_labeled_split(cv):
    return of_gap(LabeledSplit(cv))


def of_learning_curve(cv):
    run = {"labeled_sizes": [20, 40], "random_state": 0}
    return without_times(gap_learning_curve(model(), X, Y, cv=cv, **run))


def of_overlap_curve(cv):
    regions = np.where(np.arange(120) % 3, "easy", "overlap")
    run = {"overlap_shares": [0.2, 0.6], "n_repeats": 2, "random_state": 0}
    pair = GaussianNB(), DecisionTreeClassifier(random_state=0)
    return overlap_curve(*pair, X[LABELED], Y[LABELED], regions, cv=cv, **run)


def of_search(cv):
    grid = {"strong_estimator__max_depth": [1, 3]}
    search = GridSearchCV(model(), grid, cv=LabeledSplit(cv), error_score="raise")
    return without_times(search.fit(X, Y).cv_results_)


def of_detector(cv):
    return {"confidence": OverlapDetector(GaussianNB(), cv=cv).fit(X, Y).confidence_}


def of_stream(cv):
    detector = OverlapDetector(GaussianNB(), cv=cv).partial_fit(X, Y)
    return {"threshold": detector.confidence_threshold_}


def of_classifier(cv):
    student = model(strategy="blend", overlap_detector=OverlapDetector(cv=cv))
    student.fit(X, Y)
    return {"evidence": student.evidence_, "proba": student.predict_proba(X)}


@pytest.mark.parametrize(
    "of",
    [
        of_advise,
        of_gap,
        of_gap_with_labeled_split,
        of_learning_curve,
        of_overlap_curve,
        of_search,
        of_detector,
        of_stream,
        of_classifier,
    ],
)
def test_a_splitter_that_draws_anew_is_asked_once_and_is_worth_its_splits(of):
    fickle = Fickle()
    results, expected = of(fickle), of(drawn_by(Y))
    assert fickle.n_calls == 1
    results = {k: v for k, v in results.items() if k in expected}
    np.testing.assert_equal(results, {k: expected[k] for k in results})
    assert results.keys() == expected.keys()


def of_small_classifier(cv):
    student = model(overlap_detector=OverlapDetector(cv=cv)).fit(X, Y)
    return {"regions": student.overlap_detector_.predict(X), "said": student.predict(X)}


def of_labeled_split(cv):
    return list(LabeledSplit(cv).split(X, Y))


@given(
    of=st.sampled_from([of_detector, of_stream, of_small_classifier, of_labeled_split]),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_a_splitter_draws_it_is_worth_its_splits(of, seed):
    fickle = Fickle(seed)
    np.testing.assert_equal(of(fickle), of(drawn_by(Y, seed=seed)))
    assert fickle.n_calls == 1


# By hand


def gains_by_hand(first, second, splits, rows, labels):
    """Return mean over rows of the mean over folds in which they are held out."""
    won, times = np.zeros(len(labels)), np.zeros(len(labels))
    for train, test in splits:
        for estimator, sign in ((first, 1), (second, -1)):
            fitted = estimator.fit(rows[train], labels[train])
            won[test] += sign * (fitted.predict(rows[test]) == labels[test])
        times[test] += 1
    heard = times > 0
    return np.mean(won[heard] / times[heard]), heard.sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: StratifiedKFold(5, shuffle=True, random_state=rng),
        lambda rng: StratifiedShuffleSplit(4, test_size=0.2, random_state=rng),
        lambda rng: RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=rng),
    ],
)
def test_advice_on_noise_is_that_of_cross_validation_by_hand(make):
    rows, _, y = noise()
    cv = make(np.random.RandomState(0))
    known = rows[:300], y[:300]
    splits = list(deepcopy(cv).split(*known))
    advice = advise(model(), rows, y, cv=cv, random_state=0)
    tree, weak = DecisionTreeClassifier(random_state=0), GaussianNB()
    expected, n_heard = gains_by_hand(tree, weak, splits, *known)
    measured = advice.comparisons["strong_on_labels - weak"]
    # Folds drawn twice made +.25 of it, since most rows had been trained on.
    assert abs(expected) < 0.1
    assert measured["difference"] == pytest.approx(expected)
    assert measured["n_rows"] == n_heard
    assert advice.comparisons["weak_to_strong - weak"]["difference"] < 0.1


def test_a_row_that_is_held_out_twice_is_no_more_evidence_than_once():
    once = list(StratifiedKFold(3).split(X[LABELED], Y[LABELED]))
    kind = "strong_on_labels - weak"
    short, long = (
        advise(model(), X, Y, cv=splits, random_state=0).comparisons[kind]
        for splits in (once, [*once, *once])
    )
    assert long["n_rows"] == short["n_rows"] == 120
    assert long["difference"] == pytest.approx(short["difference"])
    assert long["error"] == pytest.approx(short["error"])


def test_the_ceiling_of_a_gap_is_that_of_cross_validation():
    results = cross_validate_gap(
        model(), X[LABELED], Y[LABELED], labeled_size=30, cv=Fickle(), random_state=0
    )
    strong = DecisionTreeClassifier(random_state=0)
    by_hand = cross_val_score(strong, X[LABELED], Y[LABELED], cv=drawn_by(Y))
    assert_allclose(results["ceiling_score"], by_hand)


def test_the_scores_of_a_search_are_those_of_fits_on_the_splits():
    scores = of_search(Fickle())
    by_hand = []
    for train, test in LabeledSplit(drawn_by(Y)).split(X, Y):
        student = model().set_params(strong_estimator__max_depth=3)
        by_hand.append(student.fit(X[train], Y[train]).score(X[test], Y[test]))
    measured = [scores[f"split{k}_test_score"][1] for k in range(3)]
    assert_allclose(measured, by_hand)


def test_confidences_of_a_detector_are_those_of_cross_validation():
    detector = OverlapDetector(GaussianNB(), confidence=first_class, cv=Fickle())
    by_hand = cross_val_predict(
        GaussianNB(), X[LABELED], Y[LABELED], cv=drawn_by(Y), method="predict_proba"
    )
    confidence = detector.fit(X, Y).confidence_[LABELED]
    assert_array_equal(confidence, by_hand[:, 0])


def first_class(proba):
    return proba[:, 0]


def test_a_classifier_takes_the_word_of_a_weak_estimator_that_has_not_seen_the_row():
    """What a tree that knows its rows by heart is worth shows out of sample alone."""
    weak = DecisionTreeClassifier(random_state=0)
    student = model(
        weak_estimator=weak,
        strategy="mix",
        overlap_detector=OverlapDetector(cv=Fickle()),
    ).fit(X, Y)
    by_hand = cross_val_predict(weak, X[LABELED], Y[LABELED], cv=drawn_by(Y))
    accuracy = np.mean(by_hand == Y[LABELED])
    assert student.evidence_["accuracy"]["weak"] == pytest.approx(accuracy)
    assert accuracy < 0.7


# What would be no evidence


@pytest.mark.parametrize(
    "ask",
    [of_advise, of_detector, of_classifier],
)
def test_splits_that_test_what_they_train_on_are_refused(ask):
    rows = np.arange(120)
    with pytest.raises(ValueError, match="Split 0 trains on 60 of the rows"):
        ask([(rows, rows[:60]), (rows[60:], rows[:60])])

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC

from sklearn_w2s.sources import UCBSourceSelector


def test_the_estimator_is_fitted_on_the_selected_rows_in_ascending_order(
    known_pool, known_selector
):
    X, y, source = known_pool()
    y = np.where(X[:, 1] > 0, "yes", "no")
    selector = known_selector(LogisticRegression(), n_rounds=5)
    selector.fit(X, y, sample_source=source)
    rows = selector.sample_indices_
    assert (np.diff(rows) > 0).all()
    alone = LogisticRegression().fit(X[rows], y[rows])
    assert_array_equal(selector.estimator_.coef_, alone.coef_)
    assert selector.classes_.tolist() == ["no", "yes"]
    for method in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
    ):
        assert_array_equal(getattr(selector, method)(X), getattr(alone, method)(X))
    assert selector.score(X, y) == alone.score(X, y)


def test_string_labels_with_a_sentinel_are_partly_unlabeled(known_pool):
    X, y, source = known_pool()
    names = np.array(["no", "yes", ""])[y]
    selector = UCBSourceSelector(missing_label="", n_rounds=5, random_state=0)
    selector.fit(X, names, sample_source=source)
    assert_array_equal(selector.sample_indices_[:60], np.arange(60))
    assert selector.overlap_detector_.classes_.tolist() == ["no", "yes"]


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "decision_function", "score"]
)
def test_without_an_estimator_nothing_predicts(known_pool, known_selector, method):
    X, y, source = known_pool()
    selector = known_selector(n_rounds=3).fit(X, y, sample_source=source)
    assert not hasattr(selector, method)
    assert not hasattr(UCBSourceSelector(), method)
    assert not is_classifier(selector)


def test_methods_are_those_of_the_estimator():
    assert not hasattr(UCBSourceSelector(LinearSVC()), "predict_proba")
    assert hasattr(UCBSourceSelector(LinearSVC()), "decision_function")
    assert is_classifier(UCBSourceSelector(LinearSVC()))


def test_an_estimator_taken_away_predicts_no_more(known_pool, known_selector):
    X, y, source = known_pool()
    y = (X[:, 1] > 0).astype(int)
    selector = known_selector(LogisticRegression()).fit(X, y, sample_source=source)
    selector.set_params(estimator=None).fit(X, y, sample_source=source)
    assert not hasattr(selector, "predict")
    assert not hasattr(selector, "classes_")


def test_an_estimator_added_later_has_to_be_fitted(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector(n_rounds=3).fit(X, y, sample_source=source)
    with pytest.raises(NotFittedError):
        selector.set_params(estimator=LogisticRegression()).predict(X)


def test_a_failed_fit_leaves_the_selector_unfitted(known_pool, known_selector):
    X, y, source = known_pool()
    selector = known_selector(LogisticRegression(), n_rounds=1)
    with pytest.raises(ValueError, match="does not cover the burn-in"):
        selector.fit(X, y, sample_source=source)
    with pytest.raises(NotFittedError):
        selector.predict(X)


def test_score_leaves_unlabeled_rows_out(known_pool, known_selector):
    X, y, source = known_pool()
    truth = (X[:, 1] > 0).astype(int)
    selector = known_selector(SelfTrainingClassifier(LogisticRegression()), n_rounds=5)
    selector.fit(X, y, sample_source=source)
    partly = np.where(np.arange(len(y)) % 3 == 0, truth, -1)
    assert selector.score(X, partly) == selector.score(X[::3], truth[::3])
    assert np.isnan(selector.score(X, np.full(len(X), -1)))
    ones = np.where(truth == 1, 1, -1)
    assert selector.score(X, ones) == selector.score(X[truth == 1], truth[truth == 1])


def test_classes_minus_one_and_one_are_classes_in_score_too(known_pool, known_selector):
    X, _, source = known_pool()
    y = np.where(X[:, 1] > 0, 1, -1)
    selector = known_selector(LogisticRegression())
    with pytest.warns(UserWarning, match="-1 is taken as a class"):
        selector.fit(X, y, sample_source=source)
    assert selector.classes_.tolist() == [-1, 1]
    assert selector.score(X, y) == selector.estimator_.score(X, y)


def test_pickles_predict_alike(known_pool):
    X, y, source = known_pool()
    selector = UCBSourceSelector(
        SelfTrainingClassifier(LogisticRegression()), n_rounds=5, random_state=0
    ).fit(X, y, sample_source=source)
    copy = pickle.loads(pickle.dumps(selector))
    assert_array_equal(copy.predict_proba(X), selector.predict_proba(X))
    assert_array_equal(copy.history_["index"], selector.history_["index"])

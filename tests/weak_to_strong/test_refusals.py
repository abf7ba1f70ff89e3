"""What a weak-to-strong classifier refuses, and what it does in its stead."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier


def make(weak=None, strong=None, **params):
    weak = LogisticRegression() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    return WeakToStrongClassifier(weak, strong, **{"store_rows": True} | params)


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier that was never fitted."""

    classes_ = np.array(["a", "b"])

    def fit(self, X, y):
        raise NotImplementedError

    def predict_proba(self, X):
        raise NotImplementedError


# Guards


@pytest.mark.parametrize("strategy", ["confident", "overlap"])
def test_a_strategy_that_loses_a_class_gives_way_to_all(problem, proba, strategy):
    X, y, _ = problem
    proba = proba.copy()
    proba[proba.argmax(axis=1) == 2] = [0.3, 0.3, 0.4]
    detector = OverlapDetector(
        confidence="margin",
        confidence_threshold=0.15,
        refine_hard=False,
        overlap_threshold=0,
    )
    model = make(strategy=strategy, overlap_detector=detector)
    with pytest.warns(UserWarning, match=rf"'{strategy}' drops .* positions \[2\]"):
        model.fit(X, y, weak_proba=proba)
    assert model.strategy_ == "all"
    plain = make(strategy="all").fit(X, y, weak_proba=proba)
    assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


def test_a_weak_estimator_without_any_confidence_gives_way_to_all(problem):
    X, y, _ = problem
    proba = np.full((len(X), 3), 1 / 3)
    with pytest.warns(UserWarning, match="'confidence' drops all rows"):
        model = make().fit(X, y, weak_proba=proba)
    assert model.strategy_ == "all"


def test_a_class_the_strong_estimator_never_saw_has_probability_zero(problem, proba):
    X, _, _ = problem
    unseen = proba.copy()
    unseen[:, 1] = 0
    unseen /= unseen.sum(axis=1, keepdims=True)
    model = make(pseudo_labels="hard").fit(X, np.full(len(X), -1), weak_proba=unseen)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert_array_equal(model.strong_estimator_.classes_, [0, 2])
    output = model.predict_proba(X)
    assert output.shape == (len(X), 3)
    assert not output[:, 1].any()
    assert_allclose(output.sum(axis=1), 1)
    assert_array_equal(model.classes_[output.argmax(axis=1)], model.predict(X))
    assert np.isneginf(model.predict_log_proba(X)[:, 1]).all()


# Who can do what


def test_an_estimator_without_weights_learns_from_hard_labels(problem):
    X, y, _ = problem
    neighbors = KNeighborsClassifier()
    model = make(strong=neighbors).fit(X, y)
    assert (model.strategy_, model.pseudo_labels_) == ("all", "hard")
    alone = clone(neighbors).fit(X, model.rows_["label"])
    assert_array_equal(model.predict(X), alone.predict(X))
    model.set_params(strategy="confident").fit(X, y)
    assert model.strategy_ == "confident"


@pytest.mark.parametrize(
    ("params", "fit_params", "error", "message"),
    [
        (
            {"strategy": "confidence", "strong": KNeighborsClassifier()},
            {},
            TypeError,
            'strategy="confidence" .*KNeighborsClassifier does not. Use "all"',
        ),
        (
            {"strong": KNeighborsClassifier()},
            {"sample_weight": np.ones(240)},
            TypeError,
            "KNeighborsClassifier.fit takes no sample_weight",
        ),
        (
            {"weak": KNeighborsClassifier()},
            {"sample_weight": np.ones(240)},
            TypeError,
            "KNeighborsClassifier.fit takes no sample_weight",
        ),
        (
            {"strong": make_pipeline(StandardScaler(), KNeighborsClassifier())},
            {"sample_weight": np.ones(240)},
            TypeError,
            "Pipeline.fit takes no sample_weight",
        ),
        (
            {"weak": LinearSVC()},
            {},
            TypeError,
            r"weak_estimator=LinearSVC\(\) has no predict_proba",
        ),
        (
            {"weak": FrozenEstimator(LogisticRegression())},
            {},
            ValueError,
            "weak_estimator=.* has no classes_: fit the classifier before",
        ),
        (
            {"overlap_detector": OverlapDetector(LogisticRegression())},
            {},
            ValueError,
            "overlap_detector has weak_estimator=LogisticRegression.* leave it None",
        ),
        (
            {"overlap_detector": OverlapDetector(weak_features=[0])},
            {},
            ValueError,
            r"overlap_detector has weak_features=\[0\].* leave it None",
        ),
        ({"strategy": "best"}, {}, ValueError, "'strategy' parameter .* must be"),
        ({}, {"sample_weight": np.zeros(240)}, ValueError, "at least one non-zero"),
        ({}, {"sample_weight": -np.ones(240)}, ValueError, "Negative values"),
        (
            {"weak": FrozenEstimator(Rule())},
            {},
            ValueError,
            r"differ in kind: \['a', 'b'\] and \[0, 1, 2\]",
        ),
        (
            {},
            {"weak_proba": np.full((240, 5), 0.2)[:, :2] * 2.5},
            ValueError,
            r"2 columns, but y has the classes \[0, 1, 2\]",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(problem, params, fit_params, error, message):
    X, y, _ = problem
    with pytest.raises(error, match=message):
        make(**params).fit(X, y, **fit_params)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_nothing_to_train_on_is_refused(problem):
    X, _, truth = problem
    with pytest.raises(ValueError, match=r"240 of 240 rows are labeled and include_la"):
        make(include_labeled=False).fit(X, truth)


def test_soft_labels_that_are_not_possible_are_hard_with_a_warning(problem):
    X, y, _ = problem
    model = make(strong=KNeighborsClassifier(), pseudo_labels="soft")
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes neither"):
        model.fit(X, y)
    assert model.pseudo_labels_ == "hard"


@pytest.mark.parametrize("sample_weight", [1.0, 1])
def test_a_weight_of_one_for_all_rows_is_none(problem, sample_weight):
    X, y, _ = problem
    model = make(GaussianNB(), GaussianNB())
    weighted = clone(model).fit(X, y, sample_weight=sample_weight)
    plain = model.fit(X, y)
    assert_allclose(weighted.predict_proba(X), plain.predict_proba(X))

"""What teachers and students learn, seen from the classifier that asks them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES
from sklearn_w2s.weak_to_strong._teachers import Evidence

TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]
N_LABELED = 60


def make(weak=None, strong=None, **params):
    weak = GaussianNB() if weak is None else weak
    strong = GaussianNB() if strong is None else strong
    return WeakToStrongClassifier(
        weak, strong, random_state=0, store_rows=True, **params
    )


@pytest.fixture(scope="module")
def larger():
    """Rows enough for a teacher: labels of the first, all true labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(320, 4))
    truth = (X[:, :2].sum(axis=1) + 0.5 * rng.normal(size=320) > 0).astype(int)
    return X, np.where(np.arange(320) < 100, truth, -1), truth


# Evidence


@pytest.mark.parametrize("strategy", ["mix", "blend"])
def test_the_evidence_is_told(problem, strategy):
    X, y, _ = problem
    model = make(strategy=strategy).fit(X, y)
    weights = model.evidence_["weights"]
    assert sum(weights.values()) == pytest.approx(1)
    members = {"mix": {"strong"}, "blend": {"strong", "trees", "kernels", "graph"}}
    assert set(weights) == {"weak", *members[strategy]}
    for measure in ("log_likelihood", "accuracy"):
        scores = model.evidence_[measure]
        assert set(scores) <= {*weights, "all"}
        assert all(weights[name] == 0 for name in weights if name not in scores)
    assert max(model.evidence_["log_likelihood"].values()) < 0


def test_a_mix_of_one_estimator_with_itself_is_that_estimator(problem):
    X, y, _ = problem
    model = make(strategy="mix", pseudo_labels="hard").fit(X, y)
    alone = GaussianNB().fit(X[y >= 0], y[y >= 0])
    # Rare classes are raised a little.
    agree = model.rows_["label"][y < 0] == alone.predict(X[y < 0])
    assert agree.mean() > 0.98
    assert_allclose(list(model.evidence_["weights"].values()), 0.5)


# Columns that labeled rows lack


@pytest.fixture(scope="module")
def upgraded(larger):
    X, y, truth = larger
    X = X.copy()
    X[:, 1] = 1.5 * truth + np.random.default_rng(1).normal(size=len(X))
    X[:100, 1] = np.nan
    return X, y, truth


class Numbers(ClassifierMixin, BaseEstimator):
    """A naive Bayes classifier to whom gaps are zeros, and who keeps its rows."""

    def fit(self, X, y, sample_weight=None):
        self.rows_ = X
        self.model_ = GaussianNB().fit(np.nan_to_num(X), y, sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(np.nan_to_num(X))

    def predict_proba(self, X):
        return self.model_.predict_proba(np.nan_to_num(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


@pytest.mark.parametrize("strategy", TAUGHT)
def test_rows_that_lack_columns_do_not_train_the_strong_estimator(upgraded, strategy):
    X, y, truth = upgraded
    model = make(Numbers(), Numbers(), strategy=strategy).fit(X, y)
    assert not model.rows_["weight"][y >= 0].any()
    assert not np.isnan(model.strong_estimator_.rows_).any()
    assert "strong" not in model.evidence_.get("weights", {})
    new = np.where(np.isnan(X), 0, X)
    assert np.mean(model.predict(new) == truth) > 0.7


def test_columns_that_labels_never_saw_correct_what_labels_taught(upgraded):
    X, y, truth = upgraded
    unlabeled = y < 0
    blind, sighted = (
        make(Numbers(), Numbers(), strategy=strategy).fit(X, y).rows_["label"]
        for strategy in ("blend", "co_train")
    )

    def accuracy(labels):
        return np.mean(labels[unlabeled] == truth[unlabeled])

    assert accuracy(sighted) > accuracy(blind)


def test_one_labeled_row_that_knows_a_column_is_enough(upgraded):
    X, y, _ = upgraded
    X = X.copy()
    X[0, 1] = 0.0
    model = make(Numbers(), Numbers(), strategy="mix").fit(X, y)
    assert model.rows_["weight"][y >= 0].all()


@pytest.mark.parametrize("strategy", ["mix", "blend"])
def test_labeled_rows_can_be_left_out(larger, strategy):
    X, y, _ = larger
    model = make(strategy=strategy, include_labeled=False).fit(X, y)
    learned = model.rows_["weight"] > 0
    assert not learned[y >= 0].any()
    # A tenth is what the student is held against.
    assert learned[y < 0].mean() == pytest.approx(0.9)
    assert "strong" not in model.evidence_["weights"]


# Two views


@pytest.mark.parametrize("columns", [None, [0, 1, 2, 3]])
def test_one_view_cannot_be_co_trained(problem, columns):
    X, y, _ = problem
    with pytest.raises(ValueError, match="strategy needs two views: set weak_features"):
        make(strategy="co_train", weak_features=columns).fit(X, y)


def test_a_second_view_that_knows_the_class_corrects_the_first(problem):
    _, y, truth = problem
    rng = np.random.default_rng(0)
    X = np.column_stack([truth + rng.normal(size=240), truth + rng.normal(size=240)])
    model = make(strategy="co_train", weak_features=[0]).fit(X, y)
    unlabeled = y < 0
    taught = np.mean(model.rows_["label"][unlabeled] == truth[unlabeled])
    weak = model.weak_estimator_.predict(X[unlabeled, :1])
    assert taught > np.mean(weak == truth[unlabeled]) + 0.03


# Without labels, without an estimator


@pytest.mark.parametrize("strategy", ["mix", "blend"])
def test_a_frozen_rule_needs_no_labels(problem, strategy):
    X, _, truth = problem
    weak = FrozenEstimator(DecisionTreeClassifier(max_depth=3).fit(X, truth))
    model, y = make(weak, strategy=strategy), np.full(len(X), -1)
    with pytest.warns(
        UserWarning, match='two classes at least, and y has 0, so that "s'
    ):
        model.fit(X, y)
    assert model.strategy_ == "smooth"
    assert model.evidence_ == {}
    with pytest.raises(ValueError, match="needs labels of two classes at least"):
        model.set_params(fallback="raise").fit(X, y)
    model = make(weak, strategy="smooth").fit(X, y)
    assert np.mean(model.predict(X) == truth) > np.mean(weak.predict(X) == truth) - 0.05


def test_a_frozen_rule_that_sees_other_columns_predicts_as_well(problem):
    X, _, truth = problem
    weak = FrozenEstimator(GaussianNB().fit(X[:, :2], truth))
    model = make(weak, strategy="smooth", weak_features=[0, 1])
    model.fit(X, np.full(len(X), -1))
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore:strategy=.* needs labels of two cl:UserWarning")
@pytest.mark.parametrize("strategy", TAUGHT)
@pytest.mark.parametrize("labels", [False, True])
def test_probabilities_alone_teach_but_do_not_predict(problem, proba, strategy, labels):
    X, y, truth = problem
    y = y if labels else np.full(len(X), -1)
    columns = [0, 1] if strategy == "co_train" and labels else None
    model = make(strategy=strategy, weak_features=columns)
    model.fit(X, y, weak_proba=proba)
    # A weak estimator is at hand only where it is given fitted.
    assert model.weak_estimator_ is None
    assert np.mean(model.predict(X) == truth) > 0.7


@pytest.mark.filterwarnings("ignore:strategy=.* needs labels of two cl:UserWarning")
def test_labels_of_one_class_teach_nothing_else(problem):
    X, y, truth = problem
    weak = FrozenEstimator(GaussianNB().fit(X[:100], truth[:100]))
    for strategy in ("mix", "blend", "smooth"):
        model = make(weak, strategy=strategy).fit(X, np.where(y == 0, 0, -1))
        assert model.strategy_ == "smooth"
        assert set(model.predict(X)) == {0, 1, 2}


def test_a_strong_estimator_that_needs_more_labels_learns_from_the_others(problem):
    X, y, truth = problem
    y = np.where(np.arange(240) < 12, truth, -1)
    model = make(strong=CalibratedClassifierCV(GaussianNB()), strategy="mix")
    with pytest.warns(UserWarning, match="cannot be trained on 12 labeled rows"):
        model.fit(X, y)
    assert model.evidence_["weights"] == {"weak": 1.0, "strong": 0.0}
    assert set(model.predict(X)) <= {0, 1, 2}


# Abstention


class Constant(ClassifierMixin, BaseEstimator):
    """Knows the class shares and nothing else, whatever it is taught."""

    def fit(self, X, y, sample_weight=None):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier that was never fitted, right about odd stripes, but never sure."""

    classes_ = np.array([0, 1])

    def fit(self, X, y):
        raise NotImplementedError

    def predict_proba(self, X):
        is_odd = np.floor(3 * X[:, 0]).astype(int) % 2
        return 0.4 + 0.2 * np.eye(2)[is_odd]

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


@pytest.fixture
def striped(larger):
    X, _, _ = larger
    truth = Rule().predict(X)
    return X, np.where(np.arange(len(X)) < 100, truth, -1), truth


def test_a_weak_estimator_that_is_right_more_often_is_left_alone(striped):
    X, y, truth = striped
    model = make(FrozenEstimator(Rule()), DecisionTreeClassifier(max_depth=8))
    model.fit(X, y)
    assert model.strategy_ == "weak"
    assert_array_equal(model.predict(X), truth)
    assert_allclose(model.predict_proba(X), Rule().predict_proba(X))
    assert model.evidence_["accuracy"]["weak"] == 1
    assert model.evidence_["weights"]["weak"] > 0.9
    # A strategy that was asked for is not given up.
    model.set_params(strategy="blend").fit(X, y)
    assert model.strategy_ == "blend"


def test_a_weak_estimator_that_cannot_be_asked_is_not_left_alone(striped):
    X, y, _ = striped
    model = WeakToStrongClassifier(random_state=0)
    model.set_params(strong_estimator=DecisionTreeClassifier(max_depth=6))
    model.fit(X, y, weak_proba=Rule().predict_proba(X))
    assert model.strategy_ == "blend"
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_who_learns_more_from_the_labels_alone_is_left_alone(larger, monkeypatch):
    X, y, _ = larger
    monkeypatch.setattr(Evidence, "better_alone", lambda *_: "strong")
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = make(strong=tree, strategy="auto").fit(X, y)
    assert model.strategy_ == "strong_on_labels"
    alone = tree.fit(X[y >= 0], y[y >= 0])
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_auto_is_a_blend_where_all_together_know_more(larger):
    X, y, truth = larger
    model = make(DecisionTreeClassifier(max_depth=1), GaussianNB()).fit(X, y)
    assert model.strategy_ == "blend"
    assert model.estimator_ is model.strong_estimator_
    assert model.score(X, truth) > 0.75


def test_who_has_not_learned_its_lesson_is_told_of(larger):
    X, y, truth = larger
    with pytest.warns(UserWarning, match="Constant.*has not learned what it was taug"):
        make(strong=Constant(), strategy="blend").fit(X, y)
    # Where it may, the weak estimator predicts in its stead.
    model = make(strong=Constant()).fit(X, y)
    assert model.strategy_ == "weak"
    assert model.score(X, truth) > 0.75


# Few rows


@pytest.mark.parametrize("strategy", TAUGHT)
@pytest.mark.parametrize("n_unlabeled", [1, 2, 5])
def test_few_unlabeled_rows_are_enough(problem, strategy, n_unlabeled):
    X, y, _ = problem
    kept = N_LABELED + n_unlabeled
    columns = [0, 1] if strategy == "co_train" else None
    model = make(strategy=strategy, weak_features=columns).fit(X[:kept], y[:kept])
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("strategy", ["mix", "blend", "smooth"])
def test_one_label_of_each_class_is_enough(problem, strategy):
    X, _, truth = problem
    y = np.full(len(X), -1)
    first = np.unique(truth, return_index=True)[1]
    y[first] = truth[first]
    model = WeakToStrongClassifier(
        LogisticRegression(),
        LogisticRegression(),
        strategy=strategy,
        random_state=0,
    )
    assert set(model.fit(X, y).predict(X)) == {0, 1, 2}

"""What of the rows teachers get to know, and what is told of each."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.weak_to_strong import _rows
from sklearn_w2s.weak_to_strong._rows import _draw_labels, _folds_among


def make(weak=None, strong=None, **params):
    weak = GaussianNB() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    params = {"random_state": 0, "store_rows": True} | params
    return WeakToStrongClassifier(weak, strong, **params)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    truth = (X[:, 0] + 0.5 * rng.normal(size=500) > 0).astype(int)
    return X, np.where(np.arange(500) < 120, truth, -1), truth


# Samples and folds


def test_a_sample_of_the_labels_has_some_of_every_class(monkeypatch):
    monkeypatch.setattr(_rows, "MAX_LABELED", 200)
    codes = np.zeros(1000, dtype=int)
    codes[[3, 500, 999]] = 1
    codes[100:160] = 2
    chosen = _draw_labels(codes, 0)
    assert len(np.unique(chosen)) == 200
    assert_array_equal(chosen, np.sort(chosen))
    counts = np.bincount(codes[chosen])
    assert counts[1] == 3
    assert counts[2] >= 50
    assert_array_equal(_draw_labels(codes[:150], 0), np.arange(150))


def test_more_labels_than_members_learn_from_are_no_trouble(rows, monkeypatch):
    X, _, truth = rows
    monkeypatch.setattr(_rows, "MAX_LABELED", 60)
    y = np.where(np.arange(500) < 250, truth, -1)
    y[:240][truth[:240] == 1] = 0
    y[:2] = 1
    assert set(make(strategy="blend").fit(X, y).classes_) == {0, 1}


def test_folds_are_those_of_the_rows_that_are_left():
    folds = [(np.array([0, 1, 2]), np.array([3, 4])), (np.array([3, 4]), np.array([0]))]
    chosen, codes = np.array([0, 2, 4]), np.array([0, 1, 1])
    ((train, test),) = _folds_among(folds, chosen, codes, 5)
    assert_array_equal(train, [0, 1])
    assert_array_equal(test, [2])


def test_groups_of_alike_rows_do_not_vouch_for_each_other():
    """Labels are pure chance by group, which a row of the group would give away."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X = rng.normal(size=(40, 3))[groups] + 1e-3 * rng.normal(size=(200, 3))
    labels = rng.integers(2, size=40)[groups]
    folds = list(GroupKFold(5).split(X, labels, groups))
    X = np.vstack([X, rng.normal(size=(300, 3))])
    y = np.concatenate([labels, np.full(300, -1)])
    model = make(strategy="blend", overlap_detector=OverlapDetector(cv=folds))
    accuracy = model.fit(X, y).evidence_["accuracy"]
    assert max(accuracy.values()) < 0.75


def test_probabilities_of_rows_never_held_out_are_no_evidence(rows):
    X, y, _ = rows
    weak = DecisionTreeClassifier(min_samples_leaf=3, random_state=0)
    accuracy = {}
    for cv in (5, 0.3):
        detector = OverlapDetector(cv=cv)
        model = make(weak, strategy="mix", overlap_detector=detector).fit(X, y)
        accuracy[cv] = model.evidence_["accuracy"]["weak"]
    assert accuracy[0.3] == pytest.approx(accuracy[5], abs=0.15)
    assert accuracy[0.3] < 0.97


# Weights


@pytest.mark.parametrize("scale", [1e-3, 1e-6])
def test_the_unit_of_weights_that_count_no_rows_does_not_matter(rows, scale):
    X, y, _ = rows
    one, other = (
        make(strong=GaussianNB(), strategy="blend").fit(
            X, y, sample_weight=np.full(500, weight)
        )
        for weight in (1.0, scale)
    )
    for name, weight in one.evidence_["weights"].items():
        assert other.evidence_["weights"][name] == pytest.approx(weight, abs=0.02)


def test_weights_reach_the_student_by_the_name_that_it_requested(rows):
    X, y, _ = rows
    weights = np.random.default_rng(0).integers(1, 100, size=500).astype(float)
    with config_context(enable_metadata_routing=True):
        strong = LogisticRegression().set_fit_request(sample_weight="sw")
        model = make(strong=strong, strategy="blend").fit(X, y, sw=weights)
    learned = model.rows_["weight"][:120]
    assert_allclose(learned / learned[0], weights[:120] / weights[0])


# Classes


class Reversed(ClassifierMixin, BaseEstimator):
    """A naive Bayes classifier that names its classes the other way round."""

    def fit(self, X, y, sample_weight=None):
        self.model_ = GaussianNB().fit(X, y, sample_weight)
        self.classes_ = self.model_.classes_[::-1]
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)[:, ::-1]

    def predict(self, X):
        return self.model_.predict(X)


@pytest.mark.parametrize("strategy", ["all", "blend"])
@pytest.mark.parametrize("part", ["weak", "strong"])
def test_classes_may_come_in_any_order(rows, strategy, part):
    X, y, _ = rows
    plain = make(**{part: GaussianNB()}, strategy=strategy).fit(X, y)
    other = make(**{part: Reversed()}, strategy=strategy).fit(X, y)
    assert_array_equal(other.classes_, [0, 1])
    assert_allclose(other.predict_proba(X), plain.predict_proba(X))
    predicted = other.predict_proba(X).argmax(axis=1)
    assert_array_equal(other.classes_[predicted], other.predict(X))


def test_one_class_of_hard_labels_is_softened_even_where_rows_are_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(11_000, 2))
    second = np.where(X[:, 0] > 2.7, 0.6, 0.001)
    proba = np.column_stack([1 - second, second])
    y = np.full(len(X), -1)
    model = WeakToStrongClassifier(random_state=0, strategy="smooth")
    assert model.fit(X, y, weak_proba=proba).predict_proba(X).shape == (len(X), 2)


# Measures


def test_a_class_that_no_held_out_row_is_of_can_be_scored():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = np.where(np.arange(400) < 100, (X[:, 0] > 0).astype(int), -1)
    y[0] = 2
    for scoring in ("neg_log_loss", "balanced_accuracy"):
        model = make(strategy="blend", scoring=scoring).fit(X, y)
        assert_array_equal(model.classes_, [0, 1, 2])


def test_a_measure_gets_the_rows_and_their_weights(rows):
    X, y, _ = rows
    seen = []

    def cost(model, X, y):
        seen.append(X)
        return -log_loss(y, model.predict_proba(X))

    make(strategy="mix", scoring=cost).fit(X, y)
    assert_array_equal(seen[0], X[:120])
    weighted = []

    def weighted_loss(y, proba, sample_weight=None):
        weighted.append(sample_weight)
        return log_loss(y, proba)

    scorer = make_scorer(
        weighted_loss, greater_is_better=False, response_method="predict_proba"
    )
    weights = np.random.default_rng(0).uniform(1, 2, size=500)
    make(strategy="mix", scoring=scorer).fit(X, y, sample_weight=weights)
    assert_allclose(weighted[0], weights[:120])


def test_no_measure_is_refused_before_anything_is_fitted(rows):
    X, y, _ = rows
    with pytest.raises(ValueError, match="nonsense"):
        make(strategy="all", scoring="nonsense").fit(X, y)


# The table


def test_members_are_told_of_labeled_rows_as_held_out(rows):
    X, y, truth = rows
    table = make(strategy="blend").fit(X, y).rows_
    predicted = [
        name for name in table if name.endswith("_label") and name != "weak_label"
    ]
    assert predicted
    for name in predicted:
        known = np.array([value is not None for value in table[name]])
        hits = (table[name] == truth)[known]
        assert hits.mean() > 0.75
        assert not (table[name] == table["weak_label"])[:120].all()


def test_a_rule_has_said_what_it_said(rows):
    X, y, truth = rows
    weak = FrozenEstimator(GaussianNB().fit(X[:50], truth[:50]))
    table = make(weak, strategy="blend").fit(X, y).rows_
    assert_array_equal(table["weak_label"], weak.predict(X))


def test_a_cache_does_not_ask_how_many_jobs_there_are(rows, tmp_path):
    X, y, _ = rows
    for n_jobs in (None, 1):
        make(strategy="blend", memory=str(tmp_path), n_jobs=n_jobs).fit(X, y)
    folder = tmp_path / "joblib" / "sklearn_w2s" / "weak_to_strong" / "_teachers"
    assert len(list(folder.rglob("output.pkl"))) == 1

"""Rules that are too sure of themselves, inside CalibratedClassifierCV."""

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from packaging.version import Version
from rows_table import stacked
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.weak_estimators import (
    ColumnProbaClassifier,
    FunctionClassifier,
    VoteClassifier,
)

KNOWS_TEMPERATURE = Version(sklearn.__version__) >= Version("1.8")
# Isotonic regression takes more than a hundred labels, unless scores are few.
SMOOTH = ["sigmoid", "temperature"] if KNOWS_TEMPERATURE else ["sigmoid"]
NAMES = np.array(["no", "yes"])
N_LABELED, N = 100, 2000
UNLABELED = np.arange(N) >= N_LABELED


def overconfident(X):
    share = 1 / (1 + np.exp(-8 * np.asarray(X)[:, 0]))
    return np.column_stack([1 - share, share])


def sign(X):
    return NAMES[(np.asarray(X)[:, 0] > 0).astype(int)]


def sign_or_silence(X):
    answers = sign(X).astype(object)
    answers[np.abs(np.asarray(X)[:, 0]) < 0.3] = None
    return answers


def table(x):
    """Return rows with the evidence itself, scores made of it, and votes."""
    rng = np.random.default_rng(1)
    score = overconfident(x[:, None])
    own = np.where(x > 0, 1, 0)
    votes = [np.where(np.abs(x) > 0.2, own, -1), *[own] * 5]
    return np.column_stack([x, score, *votes, rng.normal(size=len(x))])


@pytest.fixture(scope="module")
def rows():
    """Return rows whose true probabilities are known, and their labels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    y = NAMES[(rng.random(N) < 1 / (1 + np.exp(-x))).astype(int)]
    return table(x), y


def votes_by_name(X):
    """Return votes by name, the empty string where a function abstains."""
    return np.array(["no", "yes", ""], dtype=object)[np.asarray(X)[:, 3:9].astype(int)]


class NamedVotes(VoteClassifier):
    """Votes that are read from columns of numbers."""

    def _ballots(self, X):
        return super()._ballots(votes_by_name(X))


RULES = {
    "probabilities": FunctionClassifier(
        overconfident, classes=["no", "yes"], missing_label=""
    ),
    "labels": FunctionClassifier(sign, classes=["yes", "no"], missing_label=""),
    "labels or silence": FunctionClassifier(
        sign_or_silence, classes=["no", "yes"], missing_label=""
    ),
    "one column": ColumnProbaClassifier(2, classes=["no", "yes"], missing_label=""),
    "columns by class": ColumnProbaClassifier({"yes": 2, "no": 1}, missing_label=""),
    "majority": NamedVotes(abstain="", classes=["no", "yes"], missing_label=""),
    "copied votes": NamedVotes(abstain="", method="naive_bayes", missing_label=""),
}
each_rule = pytest.mark.parametrize("name", RULES)


def fitted(name, X):
    """Return a rule as it is before any label is seen."""
    rule = clone(RULES[name])
    return rule.fit(X) if name == "copied votes" else rule


# What the calibration is worth


@each_rule
@pytest.mark.parametrize("method", SMOOTH)
def test_a_hundred_labels_calibrate_a_rule_that_is_too_sure(name, method, rows):
    X, y = rows
    rule = fitted(name, X)
    modest = CalibratedClassifierCV(FrozenEstimator(rule), method=method)
    modest.fit(X[~UNLABELED], y[~UNLABELED])
    before, after = (
        log_loss(y[UNLABELED], model.predict_proba(X[UNLABELED]))
        for model in (rule, modest)
    )
    assert after < before
    # Knowing nothing costs log 2.
    assert after < np.log(2)


@given(
    counts=st.lists(st.integers(1, 30), min_size=4, max_size=4).filter(
        lambda c: c[1] * c[2] <= c[0] * c[3] and min(c[0] + c[2], c[1] + c[3]) >= 2
    )
)
def test_isotonic_calibration_returns_the_frequencies(counts):
    # Answers "no" and "yes" where y is "no" and "yes", in this order.
    answers = np.repeat([-1.0, -1.0, 1.0, 1.0], counts)[:, None]
    y = NAMES[np.repeat([0, 1, 0, 1], counts)]
    rule = FunctionClassifier(sign, classes=["no", "yes"], missing_label="")
    modest = CalibratedClassifierCV(rule, method="isotonic", cv=2, ensemble=False)
    proba = modest.fit(answers, y).predict_proba([[-1.0], [1.0]])
    frequencies = [counts[1] / sum(counts[:2]), counts[3] / sum(counts[2:])]
    assert_allclose(proba[:, 1], frequencies, atol=1e-12)


@pytest.mark.parametrize("name", sorted(RULES.keys() - {"copied votes"}))
def test_a_rule_needs_no_freezing_where_there_is_no_ensemble(name, rows):
    X, y = rows[0][~UNLABELED], rows[1][~UNLABELED]
    frozen, plain = (
        CalibratedClassifierCV(estimator, ensemble=False).fit(X, y).predict_proba(X)
        for estimator in (FrozenEstimator(RULES[name]), RULES[name])
    )
    assert_allclose(plain, frozen)


@pytest.mark.parametrize("method", [*SMOOTH, "isotonic"])
def test_the_order_in_which_classes_are_named_does_not_matter(method, rows):
    X, y = rows[0][~UNLABELED], rows[1][~UNLABELED]
    models = [
        CalibratedClassifierCV(
            ColumnProbaClassifier(columns, classes=classes, missing_label=""),
            method=method,
            ensemble=False,
        ).fit(X, y)
        for columns, classes in (([1, 2], ["no", "yes"]), ([2, 1], ["yes", "no"]))
    ]
    for model in models:
        assert_array_equal(model.classes_, ["no", "yes"])
    assert_allclose(models[0].predict_proba(X), models[1].predict_proba(X))


@pytest.mark.skipif(not KNOWS_TEMPERATURE, reason="needs 1.8 or later")
def test_a_temperature_changes_no_predicted_class(rows):
    X, y = rows
    modest = CalibratedClassifierCV(
        RULES["probabilities"], method="temperature", ensemble=False
    ).fit(X[~UNLABELED], y[~UNLABELED])
    assert_array_equal(modest.predict(X), RULES["probabilities"].predict(X))


def test_more_than_two_classes_are_calibrated():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=900)
    says = np.where(rng.random(900) < 0.7, y, rng.integers(3, size=900))
    X = np.eye(3)[says]
    rule = ColumnProbaClassifier({0: 0, 1: 1, 2: 2})
    modest = CalibratedClassifierCV(rule, ensemble=False).fit(X[:150], y[:150])
    assert_array_equal(modest.predict(X), says)
    assert modest.predict_proba(X).max(axis=1) == pytest.approx(0.8, abs=0.1)


# Inside the estimators of this package


@each_rule
@pytest.mark.parametrize("missing", ["", None, -1])
def test_it_is_a_weak_estimator_of_unlabeled_rows(name, missing, rows):
    X, y = rows
    y = y.astype(object)
    y[UNLABELED] = missing
    modest = CalibratedClassifierCV(FrozenEstimator(fitted(name, X)))
    model = WeakToStrongClassifier(
        modest,
        DecisionTreeClassifier(max_depth=2),
        strategy="confidence",
        missing_label=missing,
        store_rows=True,
    ).fit(X, y)
    assert_array_equal(model.classes_, ["no", "yes"])
    assert model.score(X, rows[1]) > 0.6
    # Nobody is surer than the labels warrant.
    assert stacked(model, "weak_proba")[UNLABELED].max() < 0.99


@each_rule
def test_the_detector_takes_it(name, rows):
    X, y = rows
    modest = CalibratedClassifierCV(FrozenEstimator(fitted(name, X)))
    detector = OverlapDetector(modest, missing_label="")
    detector.fit(X, np.where(UNLABELED, "", y))
    assert detector.confidence_.max() < 1
    assert set(detector.predict(X)) <= {"easy", "hard", "overlap"}


def test_a_data_frame_is_handed_to_the_rule(rows):
    pd = pytest.importorskip("pandas")
    X, y = rows
    frame = pd.DataFrame({"x": X[:, 0], "score": X[:, 2], "word": "a"})
    weak = CalibratedClassifierCV(
        ColumnProbaClassifier("score", classes=["no", "yes"]), ensemble=False
    )
    model = WeakToStrongClassifier(weak, missing_label="", random_state=0)
    model.fit(frame, pd.Series(np.where(UNLABELED, "", y)))
    assert_array_equal(model.weak_estimator_.feature_names_in_, list(frame))
    assert model.score(frame, y) > 0.6


def test_the_weak_view_can_be_columns_of_scores_that_the_strong_one_lacks(rows):
    X, y = rows
    model = WeakToStrongClassifier(
        CalibratedClassifierCV(
            ColumnProbaClassifier([0, 1], classes=["no", "yes"]), ensemble=False
        ),
        LogisticRegression(),
        weak_features=[1, 2],
        missing_label="",
    ).fit(X, np.where(UNLABELED, "", y))
    assert model.weak_estimator_.n_features_in_ == 2
    assert model.score(X, y) > 0.6


def test_twenty_labels_are_enough(rows):
    X, y = rows[0], np.where(np.arange(N) < 20, rows[1], "")
    modest = CalibratedClassifierCV(RULES["probabilities"], cv=2, ensemble=False)
    model = WeakToStrongClassifier(
        modest,
        LogisticRegression(),
        overlap_detector=OverlapDetector(cv=2),
        missing_label="",
    ).fit(X[:500], y[:500])
    proba = [
        estimator.predict_proba(X[500:])
        for estimator in (model.weak_estimator_, RULES["probabilities"])
    ]
    after, before = (log_loss(rows[1][500:], p) for p in proba)
    assert after < before


def test_calibrated_once_and_frozen_it_needs_no_label(rows):
    X, y = rows
    modest = CalibratedClassifierCV(RULES["one column"], ensemble=False)
    modest.fit(X[~UNLABELED], y[~UNLABELED])
    model = WeakToStrongClassifier(
        FrozenEstimator(modest),
        LogisticRegression(),
        missing_label="",
        store_rows=True,
    ).fit(X, np.full(N, ""))
    assert_allclose(stacked(model, "weak_proba"), modest.predict_proba(X))


# Weights


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_weight_counts_a_label_so_many_times(method, rows):
    X, y = rows[0][:60], rows[1][:60]
    weights = np.arange(60) % 4
    modest = CalibratedClassifierCV(
        RULES["probabilities"], method=method, cv=2, ensemble=False
    )
    repeated = np.repeat(np.arange(60), weights)
    weighted = clone(modest).fit(X, y, sample_weight=weights)
    assert_allclose(
        weighted.predict_proba(X),
        clone(modest).fit(X[repeated], y[repeated]).predict_proba(X),
        atol=1e-3,
    )


@pytest.mark.parametrize("routing", [False, True])
def test_weights_of_a_meta_estimator_reach_the_calibration(routing, rows):
    X, y = rows[0][:300], np.where(UNLABELED, "", rows[1])[:300]
    weights = np.where(np.arange(300) % 2, 1.0, 3.0)
    with sklearn.config_context(enable_metadata_routing=routing):
        modest = CalibratedClassifierCV(RULES["probabilities"], ensemble=False)
        strong = LogisticRegression()
        if routing:
            modest.set_fit_request(sample_weight=True)
            strong.set_fit_request(sample_weight=True)
        model = WeakToStrongClassifier(modest, strong, missing_label="")
        model.fit(X, y, sample_weight=weights)
        alone = clone(modest).fit(X[:100], y[:100], sample_weight=weights[:100])
    assert_allclose(model.weak_estimator_.predict_proba(X), alone.predict_proba(X))

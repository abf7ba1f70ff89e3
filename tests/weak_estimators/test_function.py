import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from rows_table import stacked
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.weak_estimators import FunctionClassifier

X = np.array([[-2.0, 0.0], [-1.0, 1.0], [1.0, 0.0], [2.0, 1.0]])
MARKS = ["a", "b", "c"]


def sign(X):
    return (np.asarray(X)[:, 0] > 0).astype(int)


def two_columns(X):
    share = 1 / (1 + np.exp(-np.asarray(X)[:, 0]))
    return np.column_stack([1 - share, share])


def constant(value):
    return lambda X: np.broadcast_to(value, (len(X), *np.shape(value)))


# What the function says


def test_labels_become_probabilities_of_one():
    rule = FunctionClassifier(sign, classes=[0, 1])
    assert_array_equal(rule.predict_proba(X), [[1, 0], [1, 0], [0, 1], [0, 1]])
    assert_array_equal(rule.predict(X), [0, 0, 1, 1])
    assert rule.score(X, [0, 0, 1, 0]) == 0.75


def test_probabilities_are_handed_on():
    rule = FunctionClassifier(two_columns, classes=[0, 1])
    assert_array_equal(rule.predict_proba(X), two_columns(X))


def test_columns_of_probabilities_follow_the_classes_as_named():
    rule = FunctionClassifier(two_columns, classes=["spam", "ham"])
    assert_array_equal(rule.classes_, ["ham", "spam"])
    assert_array_equal(rule.predict_proba(X), two_columns(X)[:, ::-1])


def test_columns_of_a_data_frame_are_named_by_the_classes():
    pd = pytest.importorskip("pandas")

    def frame(X):
        return pd.DataFrame(two_columns(X), columns=["spam", "ham"])

    rule = FunctionClassifier(frame, classes=["ham", "spam"])
    assert_array_equal(rule.predict_proba(X), two_columns(X)[:, ::-1])
    with pytest.raises(ValueError, match=r"columns \['spam', 'ham'\].*\['a', 'b'\]"):
        FunctionClassifier(frame, classes=["a", "b"]).predict_proba(X)


@given(st.lists(st.sampled_from([*MARKS, None]), min_size=1, max_size=20))
def test_every_label_is_one_hot_and_every_abstention_the_prior(answers):
    prior = [0.2, 0.3, 0.5]
    rule = FunctionClassifier(
        lambda X: np.array(answers, dtype=object), classes=MARKS, class_prior=prior
    )
    proba = rule.predict_proba(np.zeros((len(answers), 1)))
    for row, answer in zip(proba, answers, strict=True):
        expected = prior if answer is None else np.eye(3)[MARKS.index(answer)]
        assert_array_equal(row, expected)


@pytest.mark.parametrize(
    "answer", [["a", None, "b"], ["a", np.nan, "b"], np.array(["a", None, "b"])]
)
def test_a_gap_abstains_whatever_else_does(answer):
    rule = FunctionClassifier(lambda X: answer, classes=["a", "b"], abstain="?")
    proba = rule.predict_proba(np.zeros((3, 1)))
    assert_array_equal(proba, [[1, 0], [0.5, 0.5], [0, 1]])


@pytest.mark.parametrize("abstain", [-1, np.nan, 7.5])
def test_any_value_can_mark_an_abstention(abstain):
    rule = FunctionClassifier(constant(abstain), classes=[0, 1], abstain=abstain)
    assert_array_equal(rule.predict_proba(X), np.full((4, 2), 0.5))


def test_the_class_prior_is_in_the_order_of_the_classes_named():
    rule = FunctionClassifier(
        constant(""), classes=["b", "a"], abstain="", class_prior=[0.9, 0.1]
    )
    assert_array_equal(rule.predict_proba(X)[0], [0.1, 0.9])


# What it gets


def test_it_gets_data_frames_as_they_are():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"text": ["buy now", None], "n": [1.0, np.nan]})
    rule = FunctionClassifier(
        lambda X: X["text"].str.contains("buy", na=False).to_numpy(),
        classes=[False, True],
    )
    assert_array_equal(rule.predict(table), [True, False])
    assert_array_equal(rule.fit(table).feature_names_in_, ["text", "n"])


def test_it_gets_polars_frames_as_they_are():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"text": ["buy now", "hello"]})
    rule = FunctionClassifier(
        lambda X: X["text"].str.contains("buy"), classes=[False, True]
    )
    assert_array_equal(rule.predict(table), [True, False])


def test_it_gets_sparse_rows():
    rule = FunctionClassifier(lambda X: X.toarray()[:, 0] > 0, classes=[False, True])
    assert_array_equal(rule.predict(sparse.csr_matrix(X)), X[:, 0] > 0)


# Fit


def test_with_classes_it_predicts_without_fit_and_without_a_trace():
    rule = FunctionClassifier(sign, classes=[1, 0])
    before = dict(vars(rule))
    check_is_fitted(rule)
    rule.predict(X)
    assert vars(rule) == before
    check_is_fitted(clone(rule))


def test_fit_changes_no_prediction():
    rule = FunctionClassifier(two_columns, classes=[1, 0])
    before = rule.predict_proba(X)
    assert_array_equal(rule.fit(X, [0, 0, 1, -1]).predict_proba(X), before)
    assert rule.n_features_in_ == 2
    with pytest.raises(ValueError, match="features"):
        rule.predict(X[:, :1])


def test_weights_change_no_rule_but_rows_of_weight_zero_name_no_class():
    rule = FunctionClassifier(sign)
    rule.fit(X, [0, 1, -1, 3], sample_weight=[1.0, 0.5, 2.0, 0.0])
    assert_array_equal(rule.classes_, [0, 1])
    assert_array_equal(rule.predict(X), sign(X))
    with pytest.raises(ValueError, match="Negative"):
        rule.fit(X, [0, 1, -1, 3], sample_weight=[1, 1, 1, -1])


def test_without_classes_they_are_those_of_the_labeled_rows():
    rule = FunctionClassifier(sign)
    with pytest.raises(NotFittedError):
        rule.predict(X)
    assert not hasattr(rule, "classes_")
    assert_array_equal(rule.fit(X, [0, 1, -1, 3]).classes_, [0, 1, 3])
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(rule))


def test_a_fit_that_fails_forgets_the_former_one():
    rule = FunctionClassifier(sign).fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="one class"):
        rule.fit(X, [0, 0, -1, 0])
    with pytest.raises(NotFittedError):
        rule.predict(X)


def test_it_is_cloned_and_pickled():
    rule = FunctionClassifier(sign, classes=[0, 1]).fit(X)
    for copy in (clone(rule), pickle.loads(pickle.dumps(rule))):
        assert_array_equal(copy.predict(X), rule.predict(X))
        assert copy.func is sign


# Refusals


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda X: [0], r"shape \(1,\) for 4 rows"),
        (lambda X: 1, r"shape \(\) for 4 rows"),
        (constant(2), r"func\(X\) gives 2 in row 0.*classes=\[...\]"),
        (constant("1"), r"func\(X\) gives '1' in row 0"),
        (constant(np.inf), r"func\(X\) must give class labels.*infinity"),
        (constant(0.5), r"func\(X\) must give class labels"),
        (constant([1.0]), r"gives 1 column\(s\).*2 classes"),
        (constant([0.2, 0.3, 0.5]), r"gives 3 column\(s\).*2 classes"),
        (constant([0.6, 0.6]), r"sum to 1; row 0 is \[0.6, 0.6\]"),
        (constant([-0.5, 1.5]), "non-negative"),
        (constant([np.nan, 1.0]), "finite"),
        (constant(["x", "y"]), "numbers as probabilities"),
    ],
)
def test_an_answer_that_is_none_is_refused(answer, message):
    rule = FunctionClassifier(answer, classes=[0, 1])
    with pytest.raises(ValueError, match=message):
        rule.predict_proba(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"classes": [1]}, r"classes=\[1\] must name 2"),
        ({"classes": [1, 1, 0]}, "twice"),
        ({"classes": ["a", 1]}, "all strings or numbers"),
        ({"classes": "ab"}, "classes"),
        ({"classes": [0, 1], "class_prior": [1.0]}, "one finite number per class"),
        ({"classes": [0, 1], "class_prior": [0.5, 0.6]}, "class_prior.*sum to 1"),
        ({"classes": [0, 1], "func": None}, "'func' parameter"),
        ({}, "requires y.*classes"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(params, message):
    rule = FunctionClassifier(**({"func": constant(None)} | params))
    with pytest.raises(ValueError, match=message):
        rule.fit(X).predict(X)


# As a weak estimator


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 3))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("strategy", ["all", "overlap"])
def test_as_a_weak_estimator_it_needs_no_label(rows, frozen, strategy):
    rule = FunctionClassifier(two_columns, classes=[0, 1])
    model = WeakToStrongClassifier(
        FrozenEstimator(rule) if frozen else rule,
        LogisticRegression(),
        strategy=strategy,
        store_rows=True,
    )
    model.fit(rows, np.full(len(rows), -1))
    assert_array_equal(stacked(model, "weak_proba"), rule.predict_proba(rows))
    assert_array_equal(model.classes_, [0, 1])
    assert model.score(rows, sign(rows)) > 0.9


def test_as_a_weak_estimator_it_sees_its_columns_and_leaves_labels_alone(rows):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(rows, columns=["p", "q", "r"])
    y = np.where(np.arange(len(rows)) < 60, rows[:, 1] > 0, -1)
    model = WeakToStrongClassifier(
        FunctionClassifier(lambda X: (X["q"] > 0).astype(int), classes=[0, 1]),
        LogisticRegression(),
        weak_features=["q"],
    )
    assert model.fit(table, y).score(table, rows[:, 1] > 0) > 0.9


def test_classes_that_only_the_labels_know_are_kept(rows):
    y = np.full(len(rows), -1)
    y[:10] = 2
    rule = FunctionClassifier(sign, classes=[0, 1])
    model = WeakToStrongClassifier(rule, LogisticRegression()).fit(rows, y)
    assert_array_equal(model.classes_, [0, 1, 2])


def test_it_may_have_been_fitted_on_other_columns(rows):
    rule = FunctionClassifier(sign, classes=[0, 1]).fit(rows)
    model = WeakToStrongClassifier(
        rule, LogisticRegression(), weak_features=[0], store_rows=True
    ).fit(rows, np.full(len(rows), -1))
    assert model.weak_estimator_ is not rule
    assert_array_equal(stacked(model, "weak_proba"), rule.predict_proba(rows))


def test_without_classes_it_is_fitted_on_the_labeled_rows(rows):
    y = np.where(np.arange(len(rows)) < 40, sign(rows), -1)
    rule = FunctionClassifier(sign)
    model = WeakToStrongClassifier(rule, LogisticRegression()).fit(rows, y)
    assert_array_equal(model.weak_estimator_.classes_, [0, 1])
    assert not hasattr(rule, "classes_")


def test_a_pipeline_that_ends_in_it_is_fitted_all_the_same(rows):
    y = np.where(np.arange(len(rows)) < 40, sign(rows), -1)
    rule = FunctionClassifier(sign, classes=[0, 1])
    model = WeakToStrongClassifier(
        make_pipeline(StandardScaler(), rule), LogisticRegression()
    )
    check_is_fitted(model.fit(rows, y).weak_estimator_[0])


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_its_parameters_can_be_searched(rows):
    model = WeakToStrongClassifier(
        FunctionClassifier(sign, classes=[0, 1]), LogisticRegression()
    )
    search = GridSearchCV(
        model, {"weak_estimator__func": [constant(0), sign]}, cv=2
    ).fit(rows, sign(rows))
    assert search.best_score_ > 0.9


def test_a_detector_needs_no_labels_beside_a_rule():
    rows = np.random.default_rng(0).normal(size=(200, 4))
    rule = FunctionClassifier(two_columns, classes=[0, 1])
    detector = OverlapDetector(rule).fit(rows)
    expected = OverlapDetector().fit(rows, weak_proba=rule.predict_proba(rows))
    assert_array_equal(detector.regions_, expected.regions_)
    assert detector.predict(rows).shape == (200,)

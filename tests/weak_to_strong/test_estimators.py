"""Estimators of the user, with ways of their own, give what they give elsewhere."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import recall_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier


@pytest.fixture(scope="module", params=[2, 3], ids=["two", "three"])
def rows(request):
    """Rows of two or three classes, a sixth of them labeled, and the truth."""
    X, y = make_classification(
        600, 8, n_informative=5, n_classes=request.param, random_state=0
    )
    return X, np.where(np.arange(600) < 100, y, -1), y


# Classes in another order


class Ordered(ClassifierMixin, BaseEstimator):
    """A logistic regression whose classes stand in ascending or descending order."""

    def __init__(self, step=1):
        self.step = step

    def fit(self, X, y, sample_weight=None):
        self.model_ = LogisticRegression().fit(X, y, sample_weight)
        self.classes_ = self.model_.classes_[:: self.step]
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)[:, :: self.step]

    def decision_function(self, X):
        decisions = self.model_.decision_function(X)
        return (
            decisions * self.step if decisions.ndim == 1 else decisions[:, :: self.step]
        )


@pytest.mark.parametrize("strategy", ["auto", "all", "overlap", "smooth", "mix"])
def test_the_order_of_the_classes_of_an_estimator_does_not_matter(rows, strategy):
    X, y, _ = rows
    plain, other = (
        WeakToStrongClassifier(
            Ordered(step),
            Ordered(step),
            strategy=strategy,
            store_rows=True,
            random_state=0,
        ).fit(X, y)
        for step in (1, -1)
    )
    assert_array_equal(other.classes_, np.unique(y[y >= 0]))
    assert_allclose(other.predict_proba(X), plain.predict_proba(X))
    assert_allclose(other.decision_function(X), plain.decision_function(X))
    assert_array_equal(other.predict(X), plain.predict(X))
    for name, column in plain.rows_.items():
        if column.dtype.kind == "f":
            assert_allclose(other.rows_[name], column)


def test_a_frozen_estimator_may_name_its_classes_in_any_order(rows):
    X, y, truth = rows
    frozen = [
        FrozenEstimator(Ordered(step).fit(X[:100], truth[:100])) for step in (1, -1)
    ]
    nothing = np.full(len(y), -1)
    plain, other = (
        WeakToStrongClassifier(weak, GaussianNB(), strategy="all").fit(X, nothing)
        for weak in frozen
    )
    assert_allclose(other.predict_proba(X), plain.predict_proba(X))


def test_decisions_have_a_column_for_a_class_that_was_never_learned(rows):
    X, _, truth = rows
    n_classes = len(np.unique(truth))
    # Nobody names the last class, so that the strong estimator never learns it.
    proba = np.zeros((len(X), n_classes + 1))
    proba[np.arange(len(X)), truth] = 1
    model = WeakToStrongClassifier(None, LogisticRegression(), strategy="all")
    model.fit(X, np.full(len(X), -1), weak_proba=proba)
    decisions = model.decision_function(X)
    assert decisions.shape == (len(X), n_classes + 1)
    assert np.isneginf(decisions[:, -1]).all()
    assert_array_equal(model.classes_[decisions.argmax(axis=1)], model.predict(X))


# What `fit` returns, and what appears after it


class Silent(Ordered):
    """A classifier whose `fit` returns nothing."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)


@pytest.mark.parametrize("strategy", ["all", "overlap", "mix"])
def test_what_fit_returns_is_not_asked(rows, strategy):
    X, y, _ = rows
    silent, plain = (
        WeakToStrongClassifier(make(), make(), strategy=strategy, random_state=0).fit(
            X, y
        )
        for make in (Silent, Ordered)
    )
    assert isinstance(silent.estimator_, Silent)
    assert_allclose(silent.predict_proba(X), plain.predict_proba(X))
    detector = OverlapDetector(Silent()).fit(X, y)
    assert isinstance(detector.weak_estimator_, Silent)


class SilentScaler(StandardScaler):
    """A transformer whose `fit` returns nothing."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)


def test_what_fit_returns_is_not_asked_of_representations_and_in_selections(rows):
    X, y, _ = rows
    silent, plain = (
        OverlapDetector(LogisticRegression(), representation=scaler()).fit(X, y)
        for scaler in (SilentScaler, StandardScaler)
    )
    assert_array_equal(silent.regions_, plain.regions_)
    selector = UCBSourceSelector(
        Silent(),
        overlap_detector=OverlapDetector(Silent()),
        n_rounds=3,
        random_state=0,
    )
    labeled = y >= 0
    selector.fit(X[labeled], y[labeled], sample_source=np.arange(100) % 3)
    assert selector.predict(X).shape == (600,)


def test_probabilities_that_appear_after_fit_are_used(rows):
    X, y, _ = rows
    stack = StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], cv=3)
    assert not hasattr(stack, "predict_proba")
    for weak, strong in [
        (stack, GaussianNB()),
        (make_pipeline(MinMaxScaler(), stack), GaussianNB()),
        (GaussianNB(), stack),
    ]:
        model = WeakToStrongClassifier(weak, strong, strategy="mix", random_state=0)
        model.fit(X, y)
        assert model.strategy_ == "mix"
        assert set(model.evidence_["weights"]) == {"weak", "strong"}
        assert model.predict_proba(X).shape == (600, len(model.classes_))


def test_an_estimator_without_probabilities_is_no_member_and_no_weak_one(rows):
    X, y, _ = rows
    model = WeakToStrongClassifier(GaussianNB(), RidgeClassifier(), strategy="mix")
    assert model.fit(X, y).evidence_["weights"]["weak"] == 1
    with pytest.raises(
        TypeError, match=r"weak_estimator=RidgeClassifier.* no predict_"
    ):
        WeakToStrongClassifier(RidgeClassifier()).fit(X, y)


# Thresholds inside


@pytest.fixture(scope="module")
def rare():
    """Rows of which a tenth is of the second class, and the truth."""
    X, y = make_classification(
        1500, 8, n_informative=5, weights=[0.9], flip_y=0.05, random_state=1
    )
    return X, np.where(np.arange(1500) < 300, y, -1), y


def thresholded(estimator):
    return FixedThresholdClassifier(estimator, threshold=0.1)


@pytest.mark.parametrize("strategy", ["all", "confidence", "overlap"])
@pytest.mark.parametrize("pseudo_labels", ["auto", "hard"])
def test_hard_labels_are_what_the_weak_estimator_predicts(
    rare, strategy, pseudo_labels
):
    X, y, _ = rare
    model = WeakToStrongClassifier(
        thresholded(LogisticRegression()),
        HistGradientBoostingClassifier(max_iter=10),
        strategy=strategy,
        pseudo_labels=pseudo_labels,
        store_rows=True,
        random_state=0,
    ).fit(X, y)
    assert model.pseudo_labels_ == "hard"
    predicted = model.weak_estimator_.predict(X)
    assert (
        predicted.mean()
        > 2 * (model.weak_estimator_.predict_proba(X)[:, 1] > 0.5).mean()
    )
    taught = (y < 0) & (model.rows_["weight"] > 0)
    assert_array_equal(model.rows_["label"][taught], predicted[taught])
    assert_array_equal(model.rows_["weak_label"], predicted)


@pytest.mark.parametrize(
    "params", [{"strategy": "all", "pseudo_labels": "soft"}, {"strategy": "mix"}]
)
def test_labels_that_follow_probabilities_in_place_of_a_threshold_are_warned_of(
    rare, params
):
    X, y, _ = rare
    model = WeakToStrongClassifier(
        thresholded(LogisticRegression()), GaussianNB(), random_state=0, **params
    )
    with pytest.warns(UserWarning, match="other classes than those of its largest"):
        model.fit(X, y)


def test_without_a_threshold_labels_are_the_likeliest(rare):
    X, y, _ = rare
    model = WeakToStrongClassifier(LogisticRegression(), GaussianNB(), strategy="all")
    assert model.fit(X, y).pseudo_labels_ == "soft"


def test_the_strong_estimator_keeps_its_threshold(rare):
    X, y, truth = rare
    strong = thresholded(RandomForestClassifier(20, random_state=0))
    model = WeakToStrongClassifier(LogisticRegression(), strong, random_state=0)
    predicted = model.fit(X, y).predict(X)
    assert_array_equal(predicted, model.estimator_.predict(X))
    likeliest = model.classes_[model.predict_proba(X).argmax(axis=1)]
    assert recall_score(truth, predicted) > recall_score(truth, likeliest)


# Columns that a callable names


def test_integers_that_a_callable_returns_are_names_where_columns_have_such_names(rows):
    X, y, _ = rows
    texts = np.array(["a", "b"])[(X[:, :1] > 0).astype(int)]
    frame = pd.DataFrame(X[:, :4], columns=[1, 2, 3, 4])
    frame.insert(0, 0, texts[:, 0])
    model = WeakToStrongClassifier(
        LogisticRegression(),
        weak_features=lambda X: X.select_dtypes("number").columns,
        strategy="all",
    ).fit(frame, y)
    expected = LogisticRegression().fit(X[:100, :4], y[:100])
    assert_allclose(model.weak_estimator_.coef_, expected.coef_)
    named = frame.rename(columns=str)
    by_position = WeakToStrongClassifier(
        LogisticRegression(), weak_features=lambda _: [1, 2, 3, 4], strategy="all"
    ).fit(named, y)
    assert_allclose(by_position.weak_estimator_.coef_, expected.coef_)


# Soft labels by repetition


class Ignorant(TransformerMixin, BaseEstimator):
    """Keeps the column that goes with the labels most, and ignores weights."""

    def fit(self, X, y):
        correlations = np.corrcoef(np.column_stack([X, y]).T)[-1, :-1]
        self.column_ = int(np.argmax(np.abs(correlations)))
        return self

    def transform(self, X):
        return np.asarray(X)[:, [self.column_]]


def selecting():
    return make_pipeline(SelectKBest(k=1), LogisticRegression())


def counting():
    return make_pipeline(SelectKBest(chi2, k=2), MultinomialNB())


def encoding():
    # Random codes of the first column's values, as of a category.
    coded = make_column_transformer((TargetEncoder(), [3]))
    return make_pipeline(coded, LogisticRegression())


def unknown():
    columns = make_column_transformer((Ignorant(), [0, 1, 2]))
    return make_pipeline(columns, LogisticRegression())


def balanced_boosting():
    return HistGradientBoostingClassifier(class_weight="balanced", max_iter=3)


def balanced_tree():
    return DecisionTreeClassifier(
        class_weight="balanced", min_samples_leaf=20, random_state=0
    )


MISLED = [selecting, counting, encoding, unknown, balanced_boosting, balanced_tree]


def vendor_problem(seed):
    """Rows of which one column tells the class, and the vendor's sure probability."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(600, 4))
    X[:, 3] = rng.integers(0, 30, size=600)
    truth = ((X[:, 2] + 0.01 * rng.normal(size=600)) > 0.5).astype(int)
    truth[X[:, 3] < 10] = 1
    p = np.where(truth == 1, 0.9, 0.1)
    return X, truth, np.column_stack([1 - p, p])


# Whether a model of one column can learn its lesson is not asked here.
@pytest.mark.filterwarnings("ignore:strong_estimator .* has not learned:UserWarning")
@pytest.mark.parametrize("make", MISLED)
@pytest.mark.parametrize("strategy", ["auto", "all"])
def test_auto_loses_nothing_that_hard_labels_know(make, strategy):
    scores = {"auto": [], "hard": []}
    for seed in range(10):
        X, truth, proba = vendor_problem(seed)
        for kind, found in scores.items():
            model = WeakToStrongClassifier(
                strong_estimator=make(),
                strategy=strategy,
                pseudo_labels=kind,
                random_state=0,
            ).fit(X[:400], np.full(400, -1), weak_proba=proba[:400])
            found.append(model.score(X[400:], truth[400:]))
    assert np.mean(scores["auto"]) >= np.mean(scores["hard"]) - 0.01


def test_a_perfect_vendor_is_followed_through_a_selection_of_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 20))
    truth = (X[:, 7] > 0).astype(int)
    p = np.where(truth == 1, 0.6, 0.4)
    model = WeakToStrongClassifier(strong_estimator=selecting(), strategy="all")
    model.fit(X, np.full(2000, -1), weak_proba=np.column_stack([1 - p, p]))
    assert model.score(X, truth) > 0.99


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (selecting, "has a part that ignores weights, SelectKBest"),
        (counting, "has a part that ignores weights, SelectKBest"),
        (balanced_boosting, "counts rows, since class_weight='balanced'"),
        (unknown, "has a part that ignores weights, Ignorant"),
        (balanced_tree, "counts rows, since class_weight='balanced'"),
        (
            lambda: RandomForestClassifier(oob_score=True, random_state=0),
            "counts rows, since oob_score=True",
        ),
    ],
)
def test_soft_labels_that_are_asked_for_warn_of_what_they_lose(make, reason):
    X, _, proba = vendor_problem(0)
    model = WeakToStrongClassifier(
        strong_estimator=make(), strategy="all", pseudo_labels="soft"
    )
    with pytest.warns(UserWarning, match=reason):
        model.fit(X, np.full(600, -1), weak_proba=proba)
    assert model.pseudo_labels_ == "soft"


def test_soft_labels_that_are_asked_for_give_way_where_copies_would_be_held_out():
    X, _, proba = vendor_problem(0)
    model = WeakToStrongClassifier(
        strong_estimator=encoding(), strategy="all", pseudo_labels="soft"
    )
    with pytest.warns(UserWarning, match="Pipeline holds out rows by itself"):
        model.fit(X, np.full(600, -1), weak_proba=proba)
    assert model.pseudo_labels_ == "hard"


@pytest.mark.parametrize(
    "name", ["BalancedRandomForestClassifier", "RUSBoostClassifier"]
)
def test_what_draws_rows_by_their_class_finds_the_rare_one(rare, name):
    ensembles = pytest.importorskip("imblearn.ensemble")
    X, _, truth = rare
    p = np.where(truth == 1, 0.6, 0.1)
    model = WeakToStrongClassifier(
        strong_estimator=getattr(ensembles, name)(n_estimators=20),
        strategy="all",
        random_state=0,
    ).fit(X[:1000], np.full(1000, -1), weak_proba=np.column_stack([1 - p, p])[:1000])
    assert model.pseudo_labels_ == "hard"
    assert recall_score(truth[1000:], model.predict(X[1000:])) > 0.6
    model.set_params(pseudo_labels="soft")
    with pytest.warns(UserWarning, match="counts rows, since sampling_strategy="):
        model.fit(
            X[:100], np.full(100, -1), weak_proba=np.column_stack([1 - p, p])[:100]
        )


@pytest.mark.parametrize("make", [balanced_boosting, balanced_tree])
def test_balanced_class_weights_find_the_rare_class(rare, make):
    X, _, truth = rare
    p = np.where(truth == 1, 0.6, 0.1)
    recalls = []
    for strong in (make(), make().set_params(class_weight=None)):
        model = WeakToStrongClassifier(strong_estimator=strong, strategy="all")
        model.fit(X[:1000], np.full(1000, -1), weak_proba=np.c_[1 - p, p][:1000])
        recalls.append(recall_score(truth[1000:], model.predict(X[1000:])))
    assert recalls[0] > max(0.6, recalls[1] + 0.1)


def test_an_out_of_bag_score_is_the_accuracy_on_new_rows():
    X, truth, proba = vendor_problem(0)
    model = WeakToStrongClassifier(
        strong_estimator=RandomForestClassifier(oob_score=True, random_state=0),
        strategy="all",
    ).fit(X[:400], np.full(400, -1), weak_proba=proba[:400])
    assert model.pseudo_labels_ == "hard"
    accuracy = model.score(X[400:], truth[400:])
    assert accuracy > 0.9
    assert model.estimator_.oob_score_ == pytest.approx(accuracy, abs=0.05)


def test_soft_labels_that_lose_nothing_stay_the_default():
    X, _, proba = vendor_problem(0)
    for strong in (
        LogisticRegression(),
        make_pipeline(MinMaxScaler(), GaussianNB()),
        HistGradientBoostingClassifier(max_iter=5),
        None,
    ):
        model = WeakToStrongClassifier(strong_estimator=strong, strategy="all")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(X, np.full(600, -1), weak_proba=proba)
        assert model.pseudo_labels_ == "soft"

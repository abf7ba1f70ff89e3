"""Batches teach what their parts learn from batches by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsTransformer
from sklearn.neural_network import MLPRegressor

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier, WeakToStrongRegressor
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

X, TRUTH, _ = make_overlap_classification(
    600, n_easy_features=4, n_hard_features=5, noise=0.8, random_state=0
)
Y = np.where(np.arange(600) % 4 == 0, TRUTH, -1)
VALUES = X[:, 0] + X[:, 5]
BATCHES = [slice(start, start + 150) for start in range(0, 600, 150)]
WEIGHTS = 1.0 + np.arange(600) % 3
WEAK = slice(0, 4)


def classifier(strong=None, weak=None, **params):
    return WeakToStrongClassifier(
        GaussianNB() if weak is None else weak,
        SGDClassifier(random_state=0) if strong is None else strong,
        **{"weak_features": WEAK, "random_state": 0} | params,
    )


def learn(model, y, batches=BATCHES, weights=None, **options):
    for batch in batches:
        if weights is not None:
            options["sample_weight"] = weights[batch]
        model.partial_fit(X[batch], y[batch], **options)
    return model


class Unweighted(SGDClassifier):
    """A classifier whose `partial_fit` takes no weights."""

    def partial_fit(self, X, y, classes=None):
        return super().partial_fit(X, y, classes)


@pytest.mark.parametrize("weighted", [True, False])
def test_labeled_batches_are_what_the_strong_estimator_gets(weighted):
    weights = WEIGHTS if weighted else None
    model = learn(classifier(), TRUTH, weights=weights, classes=[0, 1])
    by_hand = learn(
        SGDClassifier(random_state=0), TRUTH, weights=weights, classes=[0, 1]
    )
    assert_array_equal(model.strong_estimator_.coef_, by_hand.coef_)
    assert_array_equal(model.predict(X), by_hand.predict(X))
    assert not hasattr(model, "rows_")


@pytest.mark.parametrize("weighted", [True, False])
def test_labeled_batches_of_values_are_what_the_strong_estimator_gets(weighted):
    weights = WEIGHTS if weighted else None
    parts = SGDRegressor(random_state=0), SGDRegressor(random_state=1)
    model = learn(WeakToStrongRegressor(*parts), VALUES, weights=weights)
    by_hand = learn(clone(parts[1]), VALUES, weights=weights)
    assert_array_equal(model.predict(X), by_hand.predict(X))
    assert model.strategy_ == "all"


def test_the_weak_estimator_learns_from_labeled_rows_of_its_columns_alone():
    model = learn(classifier(), Y, classes=[0, 1])
    by_hand = GaussianNB()
    for batch in BATCHES:
        rows, y = X[batch, WEAK], Y[batch]
        by_hand.partial_fit(rows[y >= 0], y[y >= 0], classes=[0, 1])
    assert_array_equal(model.weak_estimator_.theta_, by_hand.theta_)


def test_the_strong_estimator_learns_true_labels_and_weak_ones_by_confidence():
    model = learn(classifier(pseudo_labels="hard"), Y, classes=[0, 1])
    weak, strong = GaussianNB(), SGDClassifier(random_state=0)
    for batch in BATCHES:
        rows, y = X[batch], Y[batch]
        known = y >= 0
        weak.partial_fit(rows[known][:, WEAK], y[known], classes=[0, 1])
        proba = weak.predict_proba(rows[:, WEAK])
        margin = np.where(known, 1, np.abs(proba[:, 1] - proba[:, 0]))
        labels = np.where(known, y, proba.argmax(axis=1))
        strong.partial_fit(rows, labels, [0, 1], margin / margin.mean())
    assert model.strategy_ == "confidence"
    assert_allclose(model.strong_estimator_.coef_, strong.coef_)


def test_soft_labels_give_each_row_once_for_each_class():
    model = classifier(GaussianNB(), strategy="all", pseudo_labels="soft")
    learn(model, Y, classes=[0, 1])
    assert model.pseudo_labels_ == "soft"
    assert model.strong_estimator_.class_count_.sum() == pytest.approx(600)
    hard = classifier(GaussianNB(), strategy="all", pseudo_labels="hard")
    counts = learn(hard, Y, classes=[0, 1]).strong_estimator_.class_count_
    assert_array_equal(counts, counts.round())


def test_later_batches_may_have_no_label():
    model = learn(classifier(), TRUTH, BATCHES[:1], classes=[0, 1])
    theta = model.weak_estimator_.theta_.copy()
    before = model.strong_estimator_.coef_.copy()
    learn(model, np.full(600, -1), BATCHES[1:])
    assert_array_equal(model.weak_estimator_.theta_, theta)
    assert (model.strong_estimator_.coef_ != before).any()


def test_a_class_may_come_late():
    y = np.where((np.arange(600) < 150) & (TRUTH == 1), -1, TRUTH)
    weak = SGDClassifier(loss="log_loss", random_state=0)
    model = learn(classifier(weak=weak), y, BATCHES[:1], classes=[0, 1])
    assert_array_equal(model.classes_, [0, 1])
    learn(model, y, BATCHES[1:])
    assert model.score(X, TRUTH) > 0.6


def test_a_given_weak_estimator_names_the_classes_and_learns_nothing():
    weak = FrozenEstimator(GaussianNB().fit(X[:, WEAK], TRUTH))
    model = learn(classifier(weak=weak), np.full(600, -1))
    assert_array_equal(model.classes_, [0, 1])
    assert_array_equal(model.weak_estimator_.theta_, weak.theta_)
    weak = FrozenEstimator(SGDRegressor(random_state=0).fit(X, VALUES))
    model = WeakToStrongRegressor(weak, SGDRegressor(random_state=0))
    learn(model, np.full(600, np.nan))
    by_hand = learn(SGDRegressor(random_state=0), weak.predict(X))
    # The sums of a batch and of all rows round differently.
    assert_allclose(model.predict(X), by_hand.predict(X), rtol=1e-9, atol=1e-12)


def test_batches_go_on_where_a_fit_has_ended():
    model = classifier(GaussianNB(), strategy="mix").fit(X[:300], Y[:300])
    n_learned = model.strong_estimator_.class_count_.sum()
    model.set_params(strategy="all").partial_fit(X[300:], Y[300:])
    assert model.strong_estimator_.class_count_.sum() == pytest.approx(n_learned + 300)
    assert model.calibration_ == (1.0, 0.0)
    assert not hasattr(model, "evidence_")
    again = model.fit(X[:300], Y[:300])
    assert again.strong_estimator_.class_count_.sum() <= 300.01


def test_labeled_rows_may_be_left_out():
    model = classifier(GaussianNB(), include_labeled=False)
    learn(model, TRUTH, BATCHES[:1], classes=[0, 1])
    with pytest.raises(NotFittedError):
        model.predict(X)
    learn(model, Y, BATCHES[1:])
    assert model.strong_estimator_.class_count_.sum() == pytest.approx(
        (Y[150:] < 0).sum()
    )


def test_whose_partial_fit_takes_no_weights_learns_from_all_hard_labels():
    model = learn(classifier(Unweighted(random_state=0)), Y, classes=[0, 1])
    assert (model.strategy_, model.pseudo_labels_) == ("all", "hard")


@pytest.mark.parametrize(
    "model",
    [
        WeakToStrongClassifier(),
        WeakToStrongRegressor(),
        classifier(LogisticRegression()),
        classifier(weak=LogisticRegression()),
        WeakToStrongRegressor(SGDRegressor()),
    ],
)
def test_who_has_a_part_without_partial_fit_has_none(model):
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        model.partial_fit(X, Y)
    assert "has no partial_fit" in str(error.value.__cause__)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        *(
            ({"strategy": name}, f"strategy='{name}' compares rows")
            for name in STRATEGIES
            if name not in ("all", "confidence")
        ),
        ({"strategy": lambda *_: None}, "compares rows with others"),
        ({"store_rows": True}, "store_rows=True is for the rows of one fit"),
        ({"overlap_detector": OverlapDetector()}, "Leave overlap_detector at"),
        ({"neighbors": KNeighborsTransformer()}, "Leave neighbors at its default"),
    ],
)
def test_what_needs_all_rows_at_once_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        learn(classifier(**params), Y, classes=[0, 1])


@pytest.mark.parametrize(
    ("strong", "params"),
    [
        (Unweighted(), {"strategy": "confidence"}),
        (Unweighted(), {"pseudo_labels": "soft"}),
        (Unweighted(), {"weights": WEIGHTS}),
    ],
)
def test_weights_that_partial_fit_does_not_take_are_refused(strong, params):
    weights = params.pop("weights", None)
    with pytest.raises(TypeError, match="takes no sample_weight"):
        learn(classifier(strong, **params), Y, weights=weights, classes=[0, 1])


def test_batches_that_do_not_fit_are_refused():
    model = classifier()
    with pytest.raises(ValueError, match="the first call of partial_fit needs all"):
        learn(model, Y)
    with pytest.raises(ValueError, match="The first batch needs labeled rows"):
        learn(model, np.full(600, -1), classes=[0, 1])
    with pytest.raises(ValueError, match="y has the class 7, which is none of"):
        learn(model, np.where(Y == 1, 7, Y), classes=[0, 1])
    with pytest.raises(NotFittedError):
        model.predict(X)
    learn(model, Y, BATCHES[:1], classes=[0, 1])
    with pytest.raises(ValueError, match="differs from the classes of the first call"):
        learn(model, Y, classes=[0, 2])
    with pytest.raises(ValueError, match="expecting 9 features"):
        model.partial_fit(X[:, :5], Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.partial_fit(X, Y[:5])
    with pytest.raises(ValueError, match="one output"):
        WeakToStrongRegressor(SGDRegressor(), MLPRegressor()).partial_fit(X, X[:, :2])
    given = classifier().fit(X, Y, weak_proba=np.column_stack([1 - TRUTH, TRUTH]))
    with pytest.raises(ValueError, match="Fit anew with weak_estimator"):
        learn(given, Y)

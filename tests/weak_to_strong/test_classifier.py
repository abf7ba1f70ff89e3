import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from rows_table import stacked
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s._algorithms.overlap import margin_confidence
from sklearn_w2s._fitting import takes_weights
from sklearn_w2s.weak_to_strong._strategies import STRATEGIES

N_LABELED = 60
TAUGHT = [name for name, strategy in STRATEGIES.items() if strategy.teacher]
NEIGHBORLY = [n for n, strategy in STRATEGIES.items() if strategy.needs_neighbors]
PLAIN = [name for name in STRATEGIES if name not in {*TAUGHT, *NEIGHBORLY}]
STRONG = [
    LogisticRegression(),
    DecisionTreeClassifier(random_state=0),
    HistGradientBoostingClassifier(max_iter=5),
    GaussianNB(),
    make_pipeline(StandardScaler(), LogisticRegression()),
]


def make(weak=None, strong=None, **params):
    weak = LogisticRegression() if weak is None else weak
    strong = LogisticRegression() if strong is None else strong
    return WeakToStrongClassifier(weak, strong, **{"store_rows": True} | params)


def two_views(strategy):
    """Return the parameters without which a strategy has nothing to work with."""
    return {"weak_features": [0, 1, 3]} if strategy == "co_train" else {}


# What the strong estimator learns from


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@pytest.mark.parametrize("strategy", [*STRATEGIES, "auto"])
@pytest.mark.parametrize("strong", STRONG, ids=lambda e: type(e).__name__)
def test_where_every_row_is_labeled_nothing_is_weak(problem, strategy, strong):
    X, _, truth = problem
    model = make(strong=strong, strategy=strategy).fit(X, truth)
    alone = clone(strong).fit(X, truth)
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    assert_array_equal(model.predict(X), alone.predict(X))
    assert_array_equal(model.rows_["label"], truth)
    assert_array_equal(model.rows_["weight"], np.ones(len(X)))
    assert model.strategy_ == {
        "auto": "confidence" if takes_weights(strong) else "all",
        **dict.fromkeys(TAUGHT, "strong_on_labels"),
    }.get(strategy, strategy)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
@pytest.mark.parametrize("strong", STRONG[:-1], ids=lambda e: type(e).__name__)
def test_where_every_row_is_labeled_weights_are_those_of_the_user(problem, strong):
    X, _, truth = problem
    weights = np.random.default_rng(0).uniform(size=len(X))
    model = make(strong=strong).fit(X, truth, sample_weight=weights)
    alone = clone(strong).fit(X, truth, sample_weight=weights)
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_true_labels_stand_and_others_are_weak(problem):
    X, y, truth = problem
    model = make(GaussianNB(), strategy="all", pseudo_labels="hard").fit(X, y)
    labeled = y >= 0
    weak = GaussianNB().fit(X[labeled], y[labeled])
    assert_array_equal(model.rows_["label"], np.where(labeled, truth, weak.predict(X)))
    assert_array_equal(stacked(model, "weak_proba"), weak.predict_proba(X))
    alone = LogisticRegression().fit(X, model.rows_["label"])
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    assert set(stacked(model, "target").ravel()) == {0, 1}


def test_soft_labels_are_rows_repeated_once_per_class(problem, proba):
    X, y, truth = problem
    strong = LogisticRegression(tol=1e-10, max_iter=1000)
    model = make(strong=strong, strategy="all", pseudo_labels="soft")
    model.fit(X, y, weak_proba=proba)
    targets = np.where((y >= 0)[:, None], np.eye(3)[truth], proba)
    assert_allclose(stacked(model, "target"), targets)
    alone = clone(strong).fit(
        np.repeat(X, 3, axis=0), np.tile(np.arange(3), len(X)), targets.ravel()
    )
    assert_allclose(model.predict_proba(X), alone.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("strong", STRONG, ids=lambda e: type(e).__name__)
def test_soft_labels_that_are_sure_are_hard_labels(problem, strong, proba):
    X, y, _ = problem
    sure = np.eye(3)[proba.argmax(axis=1)]
    soft, hard = (
        make(strong=strong, pseudo_labels=kind).fit(X, y, weak_proba=sure)
        for kind in ("soft", "hard")
    )
    assert_array_equal(soft.predict_proba(X), hard.predict_proba(X))


@pytest.mark.parametrize("pseudo_labels", ["hard", "soft"])
@pytest.mark.parametrize("strategy", PLAIN)
def test_weights_follow_from_the_strategy(problem, strategy, pseudo_labels):
    X, y, _ = problem
    params = {"strategy": strategy, "pseudo_labels": pseudo_labels}
    model = make(overlap_detector=OverlapDetector(), **params).fit(X, y)
    assert model.strategy_ == strategy
    regions = model.rows_["region"]
    unlabeled = y < 0
    weights = {
        "all": np.ones(len(X)),
        "confidence": margin_confidence(stacked(model, "weak_proba")),
        "confident": regions != "hard",
        "overlap": regions == "overlap",
    }[strategy]
    expected = np.where(unlabeled, weights, 1.0)
    assert_allclose(model.rows_["weight"], expected / expected[expected > 0].mean())
    assert model.rows_["weight"][expected > 0].mean() == pytest.approx(1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_detector_is_the_one_that_would_be_fitted_by_hand(problem, strategy):
    X, y, _ = problem
    params = {"overlap_threshold": 0.4, "threshold_type": "quantile", "cv": 3}
    detector = OverlapDetector(**params)
    model = make(weak_features=[0, 1, 2], overlap_detector=detector, strategy=strategy)
    by_hand = OverlapDetector(LogisticRegression(), weak_features=[0, 1, 2], **params)
    model.fit(X, y)
    by_hand.fit(X, y)
    assert_array_equal(model.rows_["region"], by_hand.regions_)
    assert_array_equal(model.rows_["confidence"], by_hand.confidence_)
    assert_array_equal(model.rows_["overlap_score"], by_hand.overlap_score_)
    assert_array_equal(model.overlap_detector_.predict(X), by_hand.predict(X))
    assert model.overlap_density_ == by_hand.overlap_density_
    assert detector.weak_estimator is None


def test_regions_are_not_looked_for_in_vain(problem):
    X, y, _ = problem
    model = make(strategy="overlap").fit(X, y)
    assert model.overlap_density_ == model.overlap_detector_.overlap_density_
    model.set_params(strategy="all").fit(X, y)
    assert not hasattr(model, "overlap_detector_")
    assert not hasattr(model, "overlap_density_")


def test_labeled_rows_can_be_left_out(problem):
    X, y, _ = problem
    model = make(include_labeled=False, strategy="all", pseudo_labels="hard").fit(X, y)
    assert_array_equal(model.rows_["weight"] > 0, y < 0)
    alone = LogisticRegression().fit(X[y < 0], model.rows_["label"][y < 0])
    assert_array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_unlabeled_rows_of_unknown_weight_zero_are_left_out(problem):
    X, y, _ = problem
    kept = np.random.default_rng(0).uniform(size=len(X)) < 0.6
    for strategy in [*PLAIN, *NEIGHBORLY, "mix"]:
        model = make(strategy=strategy, random_state=0).fit(X, y, sample_weight=kept)
        alone = make(strategy=strategy, random_state=0).fit(X[kept], y[kept])
        assert_allclose(model.predict_proba(X), alone.predict_proba(X), rtol=1e-6)
        assert not model.rows_["weight"][~kept].any()


# Without labels


@pytest.mark.parametrize("missing", [-1, None, "", np.nan])
def test_a_frozen_estimator_needs_no_labels(problem, missing):
    X, y, _ = problem
    weak = GaussianNB().fit(X[:N_LABELED], np.array(["a", "b", "c"])[y[:N_LABELED]])
    model = make(FrozenEstimator(weak), missing_label=missing, strategy="confident")
    model.fit(X, np.full(len(X), missing))
    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert model.weak_estimator_.estimator is weak
    assert_array_equal(stacked(model, "weak_proba"), weak.predict_proba(X))
    assert_array_equal(model.rows_["label"], weak.predict(X))
    assert set(model.predict(X)) == {"a", "b", "c"}


def test_a_frozen_estimator_may_know_fewer_classes_than_the_labels(problem):
    X, y, _ = problem
    known = (y >= 0) & (y < 2)
    weak = FrozenEstimator(GaussianNB().fit(X[known], y[known]))
    # It was fitted on all columns, which leaves no other view.
    for strategy in [name for name in STRATEGIES if name != "co_train"]:
        model = make(weak, strategy=strategy).fit(X, y)
        assert_array_equal(model.classes_, [0, 1, 2])
        assert not stacked(model, "weak_proba")[:, 2].any()
        assert set(model.predict(X)) == {0, 1, 2}


@pytest.mark.filterwarnings("ignore:strategy=.* needs labels of two cl:UserWarning")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("labels", [False, True])
def test_probabilities_can_stand_in_for_the_weak_estimator(
    problem, proba, strategy, labels
):
    X, y, _ = problem
    y = y if labels else np.full(len(X), -1)
    model = WeakToStrongClassifier(
        strong_estimator=LogisticRegression(),
        strategy=strategy,
        store_rows=True,
        **two_views(strategy),
    ).fit(X, y, weak_proba=proba)
    assert_array_equal(stacked(model, "weak_proba"), proba)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.weak_estimator_ is None
    assert (model.predict(X) == problem[2]).mean() > 0.6


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier that was never fitted."""

    classes_ = np.array(["a", "b"])

    def fit(self, X, y):
        raise NotImplementedError

    def predict_proba(self, X):
        second = 1 / (1 + np.exp(-X[:, 0]))
        return np.column_stack([1 - second, second])


def test_probabilities_are_given_beside_a_frozen_estimator(problem, proba):
    X, _, _ = problem
    model = make(FrozenEstimator(Rule()), missing_label="", strategy="confident")
    model.fit(X, np.full(len(X), ""), weak_proba=proba[:, :2] + proba[:, 2:] / 2)
    assert_array_equal(model.classes_, ["a", "b"])
    assert_array_equal(model.overlap_detector_.predict(X[:1]).shape, 1)


# Invariances


@given(seed=st.integers(0, 2**16))
@pytest.mark.parametrize("strategy", PLAIN)
def test_the_order_of_the_rows_does_not_matter(problem, proba, strategy, seed):
    X, y, _ = problem
    order = np.random.default_rng(seed).permutation(len(X))
    model = make(strong=GaussianNB(), strategy=strategy)
    plain = clone(model).fit(X, y, weak_proba=proba)
    shuffled = clone(model).fit(X[order], y[order], weak_proba=proba[order])
    assert_array_equal(shuffled.rows_["label"], plain.rows_["label"][order])
    assert_allclose(shuffled.rows_["weight"], plain.rows_["weight"][order])
    assert_allclose(shuffled.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("strategy", [*PLAIN, *NEIGHBORLY, "mix"])
@pytest.mark.parametrize("names", [["a", "b", "c"], ["c", "a", "b"], [30, 10, 20]])
def test_the_names_of_the_classes_do_not_matter(problem, strategy, names):
    X, y, _ = problem
    missing = "" if isinstance(names[0], str) else -1
    named = np.array([*names, missing])[y]
    model = make(GaussianNB(), GaussianNB(), strategy=strategy, random_state=0)
    plain = clone(model).fit(X, y)
    other = clone(model).set_params(missing_label=missing).fit(X, named)
    assert_array_equal(other.classes_, sorted(names))
    assert_array_equal(other.predict(X), np.array(names)[plain.predict(X)])
    columns = np.argsort(names)
    assert_allclose(other.predict_proba(X), plain.predict_proba(X)[:, columns])
    assert_allclose(other.rows_["weight"], plain.rows_["weight"])


def my_strategy(weak_proba, *_):
    """Trust the first class less."""
    return weak_proba, 1 - weak_proba[:, 0] / 2


@pytest.mark.parametrize("strategy", [*PLAIN, my_strategy])
@pytest.mark.parametrize("pseudo_labels", ["hard", "soft"])
@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        (LogisticRegression(tol=1e-8), LogisticRegression(tol=1e-8)),
        (GaussianNB(), DecisionTreeClassifier(max_depth=3, random_state=0)),
        (
            make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8)),
            make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8)),
        ),
    ],
    ids=["linear", "tree", "pipelines"],
)
def test_a_weight_counts_repetitions(problem, weak, strong, strategy, pseudo_labels):
    X, y, _ = problem
    weights = np.random.default_rng(1).integers(0, 4, size=len(X))
    rows = np.repeat(np.arange(len(X)), weights)
    folds = np.arange(N_LABELED) % 3

    def fit(rows, sample_weight=None):
        cv = splits(folds[rows[rows < N_LABELED]])
        detector = OverlapDetector(cv=cv)
        params = {"strategy": strategy, "pseudo_labels": pseudo_labels}
        model = make(weak, strong, overlap_detector=detector, **params)
        return model.fit(X[rows], y[rows], sample_weight=sample_weight)

    weighted, repeated = fit(np.arange(len(X)), weights), fit(rows)
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)
    assert_allclose(
        weighted.rows_["weight"][rows] / weights[rows],
        repeated.rows_["weight"],
        rtol=1e-4,
    )
    assert weighted.overlap_density_ == pytest.approx(repeated.overlap_density_)


def splits(folds):
    return [
        (np.flatnonzero(folds != f), np.flatnonzero(folds == f))
        for f in np.unique(folds)
    ]


def test_the_number_of_jobs_does_not_matter(problem):
    X, y, _ = problem
    with parallel_config(backend="threading"):
        one, two = (make(strategy="overlap", n_jobs=n).fit(X, y) for n in (1, 2))
    assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_a_seed_makes_fits_repeatable(problem):
    X, y, _ = problem
    forest = RandomForestClassifier(5)
    model = make(forest, forest, strategy="confident", random_state=3)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    other = clone(model).set_params(random_state=4).fit(X, y)
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


# Its life


@pytest.mark.parametrize("random_state", [None, 0])
def test_a_cache_fits_the_weak_estimator_once(
    problem, counting, tmp_path, random_state
):
    X, y, _ = problem
    weak = counting()
    for strategy in (*PLAIN, my_strategy):
        for threshold in ("auto", 0.2, 0.6):
            for strong in (LogisticRegression(), GaussianNB()):
                detector = OverlapDetector(overlap_threshold=threshold)
                detector.set_params(threshold_type="quantile")
                make(
                    weak,
                    strong,
                    strategy=strategy,
                    overlap_detector=detector if strategy != "all" else None,
                    memory=str(tmp_path),
                    random_state=random_state,
                ).fit(X, y)
    # Once on all labeled rows, and once on each of five folds.
    assert counting.n_fits == 1 + 5


def test_what_is_fitted_survives_copies(problem):
    X, y, _ = problem
    model = make(strategy="confident").fit(X, y)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(copied.predict_proba(X), model.predict_proba(X))
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@pytest.mark.parametrize("model", [make(), WeakToStrongClassifier()])
def test_it_can_be_shown(problem, model):
    X, y, _ = problem
    assert "WeakToStrongClassifier" in model._repr_html_()
    assert "WeakToStrongClassifier" in clone(model).fit(X, y)._repr_html_()


def test_the_parts_of_the_user_are_not_changed(problem):
    X, y, _ = problem
    parts = RandomForestClassifier(3), RandomForestClassifier(3), OverlapDetector()
    before = repr([vars(part) for part in parts])
    weak, strong, detector = parts
    for strategy in ("confidence", "blend"):
        params = {"strategy": strategy, "random_state": 0}
        make(weak, strong, overlap_detector=detector, **params).fit(X, y)
    assert repr([vars(part) for part in parts]) == before


def test_data_of_the_user_are_not_changed(problem, proba):
    X, y, _ = (array.copy() for array in problem)
    weights, proba = np.ones(len(X)), proba.copy()
    for array in (X, y, weights, proba):
        array.setflags(write=False)

    def meddle(weak_proba, regions, representation, labeled, rng):
        weak_proba[:] = rng.dirichlet([1, 1, 1], size=len(weak_proba))
        labeled[:] = regions == representation[:, 0]
        return weak_proba, np.ones(len(weak_proba))

    model = make(strategy=meddle).fit(X, y, weak_proba=proba, sample_weight=weights)
    assert_array_equal(stacked(model, "weak_proba"), proba)
    assert_array_equal(model.rows_["label"][:N_LABELED], y[:N_LABELED])


def test_a_fit_that_fails_leaves_nothing_that_predicts(problem):
    X, y, _ = problem
    model = make()
    for _ in range(2):
        with pytest.raises(ValueError, match="y has no label"):
            model.fit(X, np.full(len(X), -1))
        with pytest.raises(NotFittedError):
            model.predict(X)
        assert model.fit(X, y).predict(X).shape == y.shape


def test_methods_are_those_of_the_strong_estimator():
    assert not hasattr(make(strong=LinearSVC()), "predict_proba")
    assert hasattr(make(strong=LinearSVC()), "decision_function")
    assert not hasattr(make(strong=GaussianNB()), "decision_function")
    assert hasattr(WeakToStrongClassifier(), "predict_proba")


# Scores


def test_score_leaves_unlabeled_rows_out(problem):
    X, y, truth = problem
    model = make().fit(X, y)
    correct = model.predict(X) == truth
    assert model.score(X, y) == correct[:N_LABELED].mean()
    assert model.score(X, truth) == correct.mean()
    assert np.isnan(model.score(X, np.full(len(X), -1)))
    weights = np.arange(len(X)) + 1.0
    expected = np.average(correct[:N_LABELED], weights=weights[:N_LABELED])
    assert model.score(X, y, weights) == pytest.approx(expected)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, y[:-1])


def test_minus_one_and_one_are_classes_where_there_is_no_other(problem):
    X, _, truth = problem
    y = np.where(truth > 0, 1, -1)
    with pytest.warns(UserWarning, match="-1 is taken as a class"):
        model = make().fit(X, y)
    assert_array_equal(model.classes_, [-1, 1])
    assert model.score(X, y) == (model.predict(X) == y).mean()

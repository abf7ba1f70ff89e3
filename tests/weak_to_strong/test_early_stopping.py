"""A strong estimator that stops early does so on true labels that it never learns."""

from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s import (
    OverlapDetector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)
from sklearn_w2s.weak_to_strong._base import LEAST_TO_STOP_ON

N, N_LABELED = 1400, 600
TAKES_ROWS = "X_val" in signature(HistGradientBoostingClassifier.fit).parameters
needs_rows = pytest.mark.skipif(
    not TAKES_ROWS, reason="scikit-learn 1.6 takes no validation rows"
)


@pytest.fixture(scope="module")
def rows():
    """Rows whose first column tells their position, labels of some, and the truth."""
    X, y = make_classification(
        N, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0
    )
    X = np.column_stack([np.arange(N), X])
    truth = np.array(["a", "b", "c"], dtype=object)[y]
    known = np.random.default_rng(0).permutation(N)[:N_LABELED]
    return X, np.where(np.isin(np.arange(N), known), truth, None), truth


FITS = []


class Recording:
    """Keep what is passed to `fit`."""

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        FITS.append((X, y, sample_weight, X_val, y_val, sample_weight_val))
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        passed = {name: value for name, value in given.items() if value is not None}
        return super().fit(X, y, sample_weight, **passed)


class Boosting(Recording, HistGradientBoostingClassifier):
    """Boosting that keeps what is passed to `fit`."""


class BoostingOfValues(Recording, HistGradientBoostingRegressor):
    """The same for values."""


def boosting(early_stopping=True, **params):
    return Boosting(
        max_iter=15,
        early_stopping=early_stopping,
        n_iter_no_change=3,
        random_state=0,
        **params,
    )


def teach(strong, X, y, *, weak=None, sample_weight=None, **params):
    """Fit, and return the classifier with what its last strong estimator was given."""
    FITS.clear()
    model = WeakToStrongClassifier(
        weak or GaussianNB(),
        strong,
        missing_label=None,
        random_state=0,
        store_rows=True,
        **params,
    ).fit(X, y, sample_weight=sample_weight)
    return model, FITS[-1]


def is_labeled(y):
    return np.array([label is not None for label in y])


def first_fold(y):
    """Return positions of the labeled rows that the first of five folds holds out."""
    labeled = np.flatnonzero(is_labeled(y))
    folds = StratifiedKFold(5).split(labeled, y[labeled].astype(str))
    return labeled[next(iter(folds))[1]]


@needs_rows
@pytest.mark.parametrize("strategy", ["auto", "mix", "smooth", "all", "confident"])
def test_it_stops_on_the_labeled_rows_of_the_first_fold(rows, strategy):
    X, y, truth = rows
    model, (X_train, _, _, X_val, y_val, _) = teach(boosting(), X, y, strategy=strategy)
    assert model.strategy_ != "strong_on_labels"
    held = first_fold(y)
    assert len(held) >= LEAST_TO_STOP_ON
    assert_array_equal(X_val[:, 0], held)
    assert_array_equal(y_val, truth[held])
    assert not np.isin(X_train[:, 0], held).any()
    assert not model.rows_["weight"][held].any()
    others = np.setdiff1d(np.flatnonzero(is_labeled(y)), held)
    assert np.isin(others, X_train[:, 0]).all()


@needs_rows
@pytest.mark.parametrize("early_stopping", [False, "auto"])
def test_it_learns_all_rows_where_it_does_not_stop(rows, early_stopping):
    X, y, _ = rows
    model, (X_train, *_, X_val, _, _) = teach(
        boosting(early_stopping), X, y, strategy="all"
    )
    assert X_val is None
    assert_array_equal(np.unique(X_train[:, 0]), np.arange(N))
    assert model.strong_estimator_.n_iter_ == 15


@needs_rows
def test_the_rows_before_they_are_repeated_decide_on_auto(rows, monkeypatch):
    X, y, _ = rows
    rest = N - len(first_fold(y))
    for least, stops in [(rest - 1, True), (rest, False)]:
        monkeypatch.setattr("sklearn_w2s._early_stopping.MOST_WITHOUT_STOPPING", least)
        _, (X_train, *_, X_val, _, _) = teach(
            boosting("auto"), X, y, strategy="all", pseudo_labels="hard"
        )
        assert (X_val is not None) == stops
        assert len(X_train) == (rest if stops else N)


@needs_rows
def test_few_labels_are_all_learned(rows):
    X, y, _ = rows
    few = np.where(np.arange(N) < 900, y, None)
    assert len(first_fold(few)) < LEAST_TO_STOP_ON
    for strategy in ("all", "mix"):
        _, (X_train, *_, X_val, _, _) = teach(boosting(), X, few, strategy=strategy)
        assert X_val is None
        assert np.isin(np.flatnonzero(is_labeled(few)), X_train[:, 0]).all()


@needs_rows
def test_without_labels_it_stops_as_it_does_alone(rows):
    X, _, truth = rows
    weak = FrozenEstimator(GaussianNB().fit(X, truth.astype(str)))
    none = np.full(N, None, dtype=object)
    _, (X_train, *_, X_val, _, _) = teach(
        boosting(), X, none, weak=weak, strategy="all"
    )
    assert X_val is None
    assert len(X_train) == N


@needs_rows
def test_rows_reach_the_last_step_of_a_pipeline_as_others_do(rows):
    X, y, _ = rows
    pipe = make_pipeline(StandardScaler(), boosting())
    model, (X_train, _, _, X_val, _, _) = teach(
        pipe, X, y, strategy="all", pseudo_labels="hard"
    )
    scaler, held = model.strong_estimator_[0], first_fold(y)
    assert_array_equal(X_val, scaler.transform(X[held]))
    assert_array_equal(X_train, scaler.transform(np.delete(X, held, axis=0)))
    assert_allclose(scaler.mean_, np.delete(X, held, axis=0).mean(axis=0))


@needs_rows
def test_weights_of_validation_rows_are_those_of_the_user(rows):
    X, y, _ = rows
    weights = np.random.default_rng(1).integers(0, 4, size=N).astype(float)
    _, (X_train, *_, X_val, _, found) = teach(
        boosting(), X, y, strategy="all", sample_weight=weights
    )
    positions = X_val[:, 0].astype(int)
    assert_array_equal(found, weights[positions])
    assert found.all()
    assert not np.isin(X_train[:, 0], positions).any()


@needs_rows
def test_equal_rows_are_held_out_together(rows):
    X, y, _ = rows
    twice, labels = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    _, (X_train, *_, X_val, _, _) = teach(boosting(), twice, labels, strategy="mix")
    _, counts = np.unique(X_val[:, 0], return_counts=True)
    assert (counts == 2).all()
    assert not np.isin(X_train[:, 0], X_val[:, 0]).any()


@needs_rows
def test_the_folds_of_the_user_decide(rows):
    X, y, _ = rows
    labeled = np.flatnonzero(is_labeled(y))
    groups = labeled % 4
    folds = list(GroupKFold(4).split(labeled, groups=groups))
    _, (*_, X_val, _, _) = teach(
        boosting(), X, y, strategy="all", overlap_detector=OverlapDetector(cv=folds)
    )
    assert_array_equal(X_val[:, 0], labeled[folds[0][1]])


@needs_rows
def test_rows_that_it_may_not_learn_may_still_stop_it(rows):
    X, y, _ = rows
    _, (X_train, *_, X_val, _, _) = teach(
        boosting(), X, y, strategy="all", include_labeled=False
    )
    assert_array_equal(X_val[:, 0], first_fold(y))
    assert_array_equal(np.unique(X_train[:, 0]), np.flatnonzero(~is_labeled(y)))


@needs_rows
def test_rows_that_lack_columns_do_not_stop_it(rows):
    X, y, _ = rows
    lacking = X.copy()
    lacking[is_labeled(y), -1] = np.nan
    weak = DecisionTreeClassifier(max_depth=3, random_state=0)
    _, (*_, X_val, _, _) = teach(
        boosting(), lacking, y, weak=weak, weak_features=[1, 2], strategy="mix"
    )
    assert X_val is None


@needs_rows
@pytest.mark.parametrize("strategy", ["mix", "all"])
def test_where_no_row_is_split_off_labels_are_soft(rows, strategy):
    X, y, _ = rows
    few = np.where(np.arange(N) < 900, y, None)
    for labels, chosen, expected in [
        (y, "auto", "soft"),
        (y, "hard", "hard"),
        (few, "auto", "hard"),
    ]:
        model, _ = teach(boosting(), X, labels, strategy=strategy, pseudo_labels=chosen)
        assert model.pseudo_labels_ == expected


@needs_rows
def test_many_classes_are_not_all_copied(rows, monkeypatch):
    X, y, _ = rows
    monkeypatch.setattr("sklearn_w2s.weak_to_strong._student._MOST_COPIES", 2)
    model, (*_, X_val, _, _) = teach(boosting(), X, y, strategy="smooth")
    assert X_val is not None
    assert model.pseudo_labels_ == "hard"


@needs_rows
def test_the_same_seed_stops_at_the_same_tree(rows):
    X, y, _ = rows
    first, second = (teach(boosting(), X, y, strategy="mix")[0] for _ in range(2))
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))


@needs_rows
def test_rows_that_the_user_passes_are_used_alone(rows):
    X, y, truth = rows
    with config_context(enable_metadata_routing=True):
        strong = boosting().set_fit_request(
            X_val=True, y_val=True, sample_weight=False, sample_weight_val=False
        )
        FITS.clear()
        WeakToStrongClassifier(
            LogisticRegression(max_iter=1000).set_fit_request(sample_weight=False),
            strong,
            missing_label=None,
            strategy="all",
            random_state=0,
        ).fit(X, y, X_val=X[:50], y_val=truth[:50])
    X_train, *_, X_val, _, _ = FITS[-1]
    assert_array_equal(X_val, X[:50])
    assert len(X_train) == N


@needs_rows
@pytest.mark.parametrize("strategy", ["auto", "all"])
def test_labels_alone_are_split_by_the_estimator_itself(rows, strategy):
    X, _, truth = rows
    with pytest.warns(UserWarning, match="no unlabeled samples"):
        model, (X_train, *_, X_val, _, _) = teach(
            boosting(), X, truth, strategy=strategy
        )
    if model.strategy_ == "strong_on_labels":
        assert X_val is None
        assert len(X_train) == N


@needs_rows
@pytest.mark.parametrize("strategy", ["mix", "all"])
def test_values_are_held_out_as_labels_are(rows, strategy):
    X, y, _ = rows
    values = X[:, 1] + np.sin(X[:, 2])
    labeled = is_labeled(y)
    FITS.clear()
    strong = BoostingOfValues(max_iter=15, early_stopping=True, random_state=0)
    model = WeakToStrongRegressor(
        Ridge(), strong, strategy=strategy, random_state=0, store_rows=True
    ).fit(X, np.where(labeled, values, np.nan))
    X_train, *_, X_val, y_val, _ = FITS[-1]
    held = X_val[:, 0].astype(int)
    assert len(held) == N_LABELED / 5
    assert labeled[held].all()
    assert_array_equal(y_val, values[held])
    assert not np.isin(X_train[:, 0], held).any()
    assert not model.rows_["weight"][held].any()


@pytest.mark.skipif(TAKES_ROWS, reason="scikit-learn takes validation rows")
def test_scikit_learn_1_6_holds_rows_out_by_itself(rows):
    X, y, _ = rows
    strong = HistGradientBoostingClassifier(early_stopping=True, random_state=0)
    model = WeakToStrongClassifier(
        GaussianNB(), strong, missing_label=None, strategy="all", store_rows=True
    ).fit(X, y)
    assert model.rows_["weight"].all()


# Boosting libraries


def from_library(library, name, **params):
    return getattr(pytest.importorskip(library), name)(**params)


def xgboost(kind):
    return from_library(
        "xgboost", f"XGB{kind}", n_estimators=300, early_stopping_rounds=5, n_jobs=1
    )


def lightgbm(kind):
    return from_library(
        "lightgbm",
        f"LGBM{kind}",
        n_estimators=300,
        early_stopping_round=5,
        n_jobs=1,
        verbose=-1,
    )


def catboost(kind):
    return from_library(
        "catboost",
        f"CatBoost{kind}",
        iterations=300,
        early_stopping_rounds=5,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
        random_state=0,
    )


def n_trees(estimator):
    """Return how many trees an estimator of any of the libraries predicts with."""
    estimator = getattr(estimator, "estimator_", estimator)
    if hasattr(estimator, "best_iteration"):
        return estimator.best_iteration + 1
    return getattr(estimator, "best_iteration_", None) or estimator.tree_count_


LIBRARIES = pytest.mark.parametrize("make", [xgboost, lightgbm, catboost])


@LIBRARIES
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_libraries_stop_on_true_labels(rows, make, weighted, in_pipeline, capsys):
    X, y, truth = rows
    strong, weights = make("Classifier"), np.linspace(1, 2, N) if weighted else None
    if in_pipeline:
        strong = make_pipeline(StandardScaler(), strong)
    model = WeakToStrongClassifier(
        GaussianNB(),
        strong,
        missing_label=None,
        strategy="all",
        pseudo_labels="hard",
        store_rows=True,
        random_state=0,
    ).fit(X, y, sample_weight=weights)
    assert capsys.readouterr().out == ""
    held = first_fold(y)
    assert not model.rows_["weight"][held].any()
    fitted = model.strong_estimator_[-1] if in_pipeline else model.strong_estimator_
    assert n_trees(fitted) < 300
    assert model.score(X, truth) > 0.5


@pytest.mark.filterwarnings("error:strong_estimator=.* cannot be trained:UserWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@LIBRARIES
def test_libraries_are_members_of_a_teacher(rows, make):
    X, y, truth = rows
    model = WeakToStrongClassifier(
        GaussianNB(),
        make("Classifier"),
        missing_label=None,
        strategy="mix",
        random_state=0,
    ).fit(X, y, sample_weight=np.linspace(1, 2, N))
    assert "strong" in model.evidence_["weights"]
    assert model.score(X, truth) > model.weak_estimator_.score(X, truth)


@LIBRARIES
def test_libraries_stop_on_true_values(rows, make):
    X, y, _ = rows
    values = X[:, 1] + np.sin(X[:, 2])
    model = WeakToStrongRegressor(
        Ridge(), make("Regressor"), strategy="all", store_rows=True, random_state=0
    ).fit(X, np.where(is_labeled(y), values, np.nan))
    assert (model.rows_["weight"] == 0).sum() == N_LABELED / 5
    assert n_trees(model.strong_estimator_) < 300

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sklearn_w2s._cross_fit import (
    alike_rows,
    held_out_folds,
    out_of_bag_proba,
    out_of_fold_proba,
)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, rng.permutation(np.repeat([0, 1, 2], 20))


def predict(estimator, X, y, cv=None, sample_weight=None, classes=None, **params):
    everyone, rng = np.full(len(y), True), np.random.RandomState(0)
    return out_of_fold_proba(
        estimator,
        X,
        y,
        np.unique(y) if classes is None else classes,
        folds=held_out_folds(
            cv, X, y, everyone, sample_weight, rng=rng, split_params={}
        ),
        sample_weight=sample_weight,
        params=params,
        n_jobs=None,
    )


@pytest.mark.parametrize("cv", [None, 3, KFold(4), StratifiedKFold(2)])
def test_it_is_cross_validated_prediction(rows, cv):
    X, y = rows
    expected = cross_val_predict(
        GaussianNB(), X, y, cv=5 if cv is None else cv, method="predict_proba"
    )
    assert_array_equal(predict(GaussianNB(), X, y, cv), expected)


class Memory(ClassifierMixin, BaseEstimator):
    """A classifier that is sure of the first class for rows that it saw."""

    def fit(self, X, y):
        self.classes_, self.rows_ = np.unique(y), X
        return self

    def predict_proba(self, X):
        seen = (X[:, None] == self.rows_[None]).all(axis=2).any(axis=1)
        others = np.zeros((len(X), len(self.classes_) - 2))
        return np.column_stack([seen, ~seen, others])


@pytest.mark.parametrize("cv", [None, 4, 0.25, KFold(3), ShuffleSplit(9)])
def test_no_row_is_predicted_by_an_estimator_that_saw_it(rows, cv):
    X, y = rows
    assert Memory().fit(X, y).predict_proba(X)[:, 0].all()
    proba = predict(Memory(), X, y, cv)
    held_out = np.isfinite(proba).all(axis=1)
    assert held_out.any()
    assert not proba[held_out, 0].any()


def test_rows_that_are_held_out_twice_get_the_mean(rows):
    X, y = rows
    splitter = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    folds = list(splitter.split(X, y))
    halves = [predict(GaussianNB(), X, y, folds[i : i + 3]) for i in (0, 3)]
    assert_allclose(predict(GaussianNB(), X, y, splitter), np.mean(halves, axis=0))


def test_rows_that_are_never_held_out_are_nan(rows):
    X, y = rows
    proba = predict(GaussianNB(), X, y, [(np.arange(30, 60), np.arange(10))])
    assert_array_equal(np.isnan(proba).any(axis=1), np.arange(60) >= 10)


def test_a_share_is_held_out_once_from_every_class(rows):
    X, y = rows
    proba = predict(GaussianNB(), X, y, 0.25)
    held_out = ~np.isnan(proba).any(axis=1)
    assert_array_equal(np.bincount(y[held_out]), [5, 5, 5])


@given(
    counts=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    cv=st.sampled_from([None, 2, 10, 0.5]),
    seed=st.integers(0, 99),
)
def test_small_classes_have_fewer_folds_and_lonely_rows_stay(counts, cv, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    X = rng.normal(size=(len(y), 2))
    # Enough rows for one of each class on both sides of a single split.
    n_repeated = sum(n for n in counts if n > 1)
    many = sum(n > 1 for n in counts)
    if isinstance(cv, float) and 0 < n_repeated < 2 * many + 1:
        return
    proba = predict(KNeighborsClassifier(1), X, y, cv)
    lonely = np.bincount(y)[y] == 1
    assert np.isnan(proba[lonely]).all()
    if not isinstance(cv, float):
        assert np.isfinite(proba[~lonely]).all()


def test_lonely_rows_are_trained_on(rows):
    X, _ = rows
    y = np.r_[np.zeros(30, int), np.ones(29, int), 2]
    proba = predict(GaussianNB(var_smoothing=0.1), X, y)
    assert (proba[:-1, 2] > 0).any()


def test_rows_of_weight_zero_are_not_trained_on_and_not_held_out(rows):
    X, y = rows
    weights = np.random.default_rng(1).integers(0, 2, size=60).astype(float)
    kept = weights > 0
    proba = predict(GaussianNB(), X, y, sample_weight=weights)
    assert_allclose(proba[kept], predict(GaussianNB(), X[kept], y[kept]))
    assert np.isnan(proba[~kept]).all()


@pytest.mark.parametrize("cv", [None, 3, 0.4])
def test_a_row_given_twice_is_held_out_with_its_equal(cv):
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    which = np.repeat(np.arange(20), np.arange(20) % 3 + 1)
    once, folds = (
        held_out_folds(
            cv,
            X[rows],
            y[rows],
            np.ones(len(rows), dtype=bool),
            None,
            rng=np.random.RandomState(0),
            split_params={},
        )
        for rows in (np.arange(20), which)
    )
    for (train, test), (train_once, test_once) in zip(folds, once, strict=True):
        assert_array_equal(np.unique(which[train]), train_once)
        assert_array_equal(np.unique(which[test]), test_once)
        assert len(train) + len(test) == len(which)


def test_equal_rows_are_one_unless_their_labels_differ():
    X, codes = np.array([[1], [1], [1], [2], [2], [3]]), np.array([0, 0, 0, 1, 1, 0])
    first, which = alike_rows(X, codes)
    assert_array_equal(first, [0, 3, 5])
    assert_array_equal(which, [0, 0, 0, 1, 1, 2])
    codes[2] = 1
    assert_array_equal(alike_rows(X, codes), [np.arange(6)] * 2)


@pytest.mark.parametrize("cv", [None, 0.4])
def test_the_names_of_the_classes_decide_on_no_fold(cv):
    X, y = np.arange(30.0)[:, None], np.arange(30) ** 2 % 3
    first, second = (
        held_out_folds(
            cv,
            X,
            names[y],
            np.ones(30, dtype=bool),
            None,
            rng=np.random.RandomState(0),
            split_params={},
        )
        for names in (np.array([0, 1, 2]), np.array(["c", "a", "b"]))
    )
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])


def test_a_splitter_holds_out_rows_of_weight_zero_too(rows):
    X, y = rows
    weights = np.where(np.arange(60) % 3, 1.0, 0.0)
    proba = predict(GaussianNB(), X, y, KFold(3), sample_weight=weights)
    assert np.isfinite(proba).all()
    train, test = next(KFold(3).split(X))
    train = train[weights[train] > 0]
    alone = GaussianNB().fit(X[train], y[train])
    assert_allclose(proba[test], alone.predict_proba(X[test]))


def test_a_class_that_a_fold_lacks_has_probability_zero_there(rows):
    X, y = rows
    train = np.flatnonzero(y != 1)
    proba = predict(GaussianNB(), X, y, [(train, np.flatnonzero(y == 1))])
    assert not proba[y == 1, 1].any()
    assert_allclose(proba[y == 1].sum(axis=1), 1)


@pytest.mark.parametrize("convert", [np.array, list])
def test_splits_may_be_masks_or_lists(rows, convert):
    X, y = rows
    train, test = next(KFold(3).split(X))
    expected = predict(GaussianNB(), X, y, [(train, test)])
    if convert is np.array:
        mask = np.isin(np.arange(60), train)
        splits = [(mask, ~mask)]
    else:
        splits = [(train.tolist(), test.tolist())]
    assert_array_equal(predict(GaussianNB(), X, y, splits), expected)


class Recorder(LogisticRegression):
    """A classifier that demands the note of each row."""

    def fit(self, X, y, sample_weight=None, note=None, whole=None):
        assert_array_equal(note, X[:, 0])
        assert whole == "whole"
        return super().fit(X, y, sample_weight)


def test_arguments_of_fit_are_cut_into_folds(rows):
    X, y = rows
    predict(Recorder(), X, y, note=X[:, 0], whole="whole")


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (1, r"cv=1 does not split the 60 labeled rows: .*n_splits=2 or more"),
        (0.001, r"cv=0.001 does not split the 60 labeled rows"),
        (2.5, r"cv=2.5 does not split the 60 labeled rows"),
        ("many", "cv='many' does not split the 60 labeled rows: Expected"),
        (KFold(100), r"cv=KFold\(.*\) does not split .* n_splits=100 greater than"),
        ([(np.arange(1, 60), [0]), ([0, 0], [1])], r"one class only to train on"),
        ([([0, 1, 2], [3]), ([0, 1, 2], [1, 2])], r"Split 1 trains on 2 of .* row 1"),
        ([(np.arange(60) < 9, np.arange(60) < 3)], r"Split 0 trains on 3 of the rows"),
        (iter(()), r"no split\. An iterator can be read only once: pass a list"),
        (GroupKFold(2), r"GroupKFold\(.* needs groups.*enable_metadata_routing=True"),
    ],
)
def test_splits_that_are_none_are_refused(rows, cv, message):
    X, y = rows
    with pytest.raises(ValueError, match=message):
        predict(GaussianNB(), X, y, cv)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("forest", [RandomForestClassifier, RandomForestRegressor])
def test_out_of_bag_is_that_of_scikit_learn(forest, kind):
    rng = np.random.default_rng(0)
    rows = kind(rng.normal(size=(80, 3)))
    targets = rng.dirichlet(np.ones(3), size=80)
    if forest is RandomForestClassifier:
        targets = targets.argmax(axis=1)
    fitted = forest(60, oob_score=True, random_state=0).fit(rows, targets)
    theirs = getattr(fitted, "oob_decision_function_", None)
    theirs = fitted.oob_prediction_ if theirs is None else theirs
    assert_allclose(out_of_bag_proba(fitted, rows), theirs, rtol=1e-12)


def test_what_every_tree_has_seen_is_not_known_out_of_bag():
    forest = RandomForestClassifier(3, random_state=0)
    rows, labels = np.arange(6.0)[:, None], np.array([0, 1, 0, 1, 0, 1])
    proba = out_of_bag_proba(forest.fit(rows, labels), rows)
    seen = np.all([np.isin(range(6), s) for s in forest.estimators_samples_], axis=0)
    assert seen.any()
    assert_array_equal(np.isnan(proba).all(axis=1), seen)


@pytest.mark.parametrize("cv", [None, 3, 0.3])
def test_equal_rows_are_held_out_together_where_their_values_are_equal(cv):
    X = np.repeat(np.arange(20.0), 2)[:, None]
    for values, stay_together in ((X[:, 0], True), (np.arange(40.0), False)):
        folds = held_out_folds(
            cv,
            X,
            values,
            np.full(40, True),
            None,
            rng=np.random.RandomState(0),
            split_params={},
            are_values=True,
        )
        shared = [np.isin(X[test], X[train]).any() for train, test in folds]
        assert not any(shared) if stay_together else any(shared)

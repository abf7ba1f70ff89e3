import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from sklearn_w2s._cross_fit import held_out_folds
from sklearn_w2s._weak import WeakPredictor, fit_weak, resolve_columns, select_columns

N_LABELED = 30


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    labels = np.array(["a", "b"])[(X[:N_LABELED, 0] > 0).astype(int)]
    return X, labels, np.arange(80) < N_LABELED


def fit(estimator, rows, **params):
    X, labels, labeled = rows
    defaults = {
        "columns": None,
        "weak_proba": None,
        "sample_weight": None,
        "params": {},
        "folds": None,
        "memory": None,
        "n_jobs": None,
        "seeds": None,
    }
    return fit_weak(estimator, X, labels, labeled, **defaults | params)


def folds(rows, cv=None, rng=None):
    return held_out_folds(cv, *rows, None, rng=rng, split_params={})


# The fitted estimator


def test_it_is_fitted_on_labeled_rows_and_asked_for_all(rows):
    X, labels, _ = rows
    estimator = GaussianNB()
    predictor, proba = fit(estimator, rows)
    alone = GaussianNB().fit(X[:N_LABELED], labels)
    assert_array_equal(proba, alone.predict_proba(X))
    assert_array_equal(predictor.proba(X[:3]), proba[:3])
    assert_array_equal(predictor.classes, ["a", "b"])
    assert predictor.estimator is not estimator
    assert not hasattr(estimator, "classes_")


def test_it_sees_its_columns_only(rows):
    X, labels, _ = rows
    predictor, proba = fit(GaussianNB(), rows, columns=[0, 2])
    alone = GaussianNB().fit(X[:N_LABELED, [0, 2]], labels)
    assert_array_equal(proba, alone.predict_proba(X[:, [0, 2]]))
    assert_array_equal(predictor.view(X), X[:, [0, 2]])


def test_labeled_rows_alone_are_cross_fitted(rows):
    X, _, labeled = rows
    predictor, proba = fit(GaussianNB(), rows, folds=folds(rows))
    in_sample = predictor.proba(X)
    assert_array_equal(proba[~labeled], in_sample[~labeled])
    assert (proba[labeled] != in_sample[labeled]).any(axis=1).all()


def test_rows_that_are_never_held_out_keep_in_sample_probabilities(rows):
    X, _, _ = rows
    splits = [(np.arange(10, N_LABELED), np.arange(10))]
    predictor, proba = fit(GaussianNB(), rows, folds=splits)
    changed = (proba != predictor.proba(X)).any(axis=1)
    assert_array_equal(changed, np.arange(80) < 10)


def test_weights_and_arguments_are_cut_to_labeled_rows(rows):
    class Recorder(GaussianNB):
        def fit(self, X, y, sample_weight=None, note=None):
            self.seen_ = sample_weight, note
            return super().fit(X, y, sample_weight)

    weights, notes = np.arange(80.0) + 1, np.arange(80)
    params = {"note": notes}
    predictor, _ = fit(Recorder(), rows, sample_weight=weights, params=params)
    assert_array_equal(predictor.estimator.seen_[0], weights[:N_LABELED])
    assert_array_equal(predictor.estimator.seen_[1], notes[:N_LABELED])


def test_unset_seeds_are_set(rows):
    seeds = np.random.RandomState(3)
    predictor, _ = fit(RandomForestClassifier(2), rows, seeds=seeds)
    assert isinstance(predictor.estimator.random_state, int)
    predictor, _ = fit(RandomForestClassifier(2), rows)
    assert predictor.estimator.random_state is None


# Frozen estimators and probabilities


def test_a_frozen_estimator_is_used_as_it_is(rows):
    X, _, _ = rows
    frozen = FrozenEstimator(GaussianNB().fit(X, np.where(X[:, 1] > 0, "b", "c")))
    predictor, proba = fit(frozen, rows, folds=folds(rows))
    assert predictor.estimator is frozen
    # Its classes and those of the labels.
    assert_array_equal(predictor.classes, ["a", "b", "c"])
    assert not proba[:, 0].any()
    assert_array_equal(proba[:, 1:], frozen.predict_proba(X))


def test_probabilities_that_are_given_are_taken(rows):
    X, _, _ = rows
    given = np.random.default_rng(1).dirichlet([1, 1], size=80)
    predictor, proba = fit(GaussianNB(), rows, weak_proba=given)
    assert_array_equal(proba, given)
    assert predictor.estimator is None
    with pytest.raises(ValueError, match=r"no weak labels.*FrozenEstimator"):
        predictor.proba(X)


def test_probabilities_stand_in_for_those_of_a_frozen_estimator(rows):
    X, _, _ = rows
    frozen = FrozenEstimator(GaussianNB().fit(X, np.where(X[:, 1] > 0, "a", "b")))
    given = np.full((80, 2), 0.5)
    predictor, proba = fit(frozen, rows, weak_proba=given)
    assert_array_equal(proba, given)
    assert_array_equal(predictor.proba(X), frozen.predict_proba(X))


def test_a_predictor_names_classes_that_its_estimator_does_not_know(rows):
    X, _, _ = rows
    known = GaussianNB().fit(X, X[:, 0] > 0)
    predictor = WeakPredictor(known, None, np.array([False, 0.5, True]))
    assert_array_equal(predictor.proba(X)[:, [0, 2]], known.predict_proba(X))


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (LinearSVC(), TypeError, r"weak_estimator=LinearSVC\(\) has no predict_proba"),
        (FrozenEstimator(GaussianNB()), ValueError, "has no classes_: fit the class"),
    ],
)
def test_what_gives_no_probabilities_is_refused(rows, estimator, error, message):
    with pytest.raises(error, match=message):
        fit(estimator, rows)


def test_a_frozen_estimator_without_probabilities_is_refused(rows):
    X, _, _ = rows
    frozen = FrozenEstimator(LinearSVC().fit(X, X[:, 0] > 0))
    with pytest.raises(
        TypeError, match=r"FrozenEstimator.* has no predict_proba. Wrap"
    ):
        fit(frozen, rows)


# The cache


class Counting(LogisticRegression):
    """A logistic regression that counts its fits."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


def count(rows, memory, **params):
    Counting.n_fits = 0
    _, proba = fit(Counting(C=params.pop("C", 1.0)), rows, memory=memory, **params)
    return Counting.n_fits, proba


def test_the_cache_knows_what_a_fit_depends_on(rows, tmp_path):
    memory = str(tmp_path)
    X, labels, labeled = rows
    first, expected = count(rows, memory)
    again, proba = count(rows, memory)
    assert (first, again) == (1, 0)
    assert_array_equal(proba, expected)
    # The fit on all labeled rows is shared with that of strategies without regions.
    assert count(rows, memory, folds=folds(rows))[0] == 5
    assert count(rows, memory, folds=folds(rows), n_jobs=1)[0] == 0
    assert count(rows, memory, folds=folds(rows, 3))[0] == 3
    for changed in (
        {"C": 2.0},
        {"columns": [0]},
        {"sample_weight": np.arange(80) + 1.0},
    ):
        assert count(rows, memory, **changed)[0] == 1
    assert count((X, labels[::-1], labeled), memory)[0] == 1
    assert count((X + 1, labels, labeled), memory)[0] == 1
    # Rows without a label are not seen by a fit.
    other = np.where(labeled[:, None], X, 7)
    assert count((other, labels, labeled), memory)[0] == 0


def test_a_seeded_split_is_found_again(rows, tmp_path):
    counts = []
    for seed in (0, 0, 1):
        rng = np.random.RandomState(seed)
        split = folds(rows, 0.3, rng)
        counts.append(count(rows, str(tmp_path), folds=split, seeds=rng)[0])
    assert counts[1] == 0
    assert counts[2] > 0


# Columns


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, None),
        (1, [1]),
        (np.int64(1), [1]),
        ([2, 0], [2, 0]),
        ((0, 2), [0, 2]),
        (range(2), [0, 1]),
        (np.array([2]), [2]),
        (np.array([True, False, True]), [True, False, True]),
        (slice(1, None), slice(1, None)),
        (lambda X: [X.shape[1] - 1], [2]),
        (lambda _: None, None),
    ],
)
def test_columns_become_plain_lists_or_slices(columns, expected):
    X = np.arange(6.0).reshape(2, 3)
    chosen = resolve_columns(columns, X)
    assert chosen == expected
    assert type(chosen) is type(expected)
    for rows in (X, sparse.csr_array(X)):
        view = select_columns(rows, chosen)
        assert view.shape[1] == (3 if expected is None else X[:, expected].shape[1])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], r"mine=\[\] chooses no column of X; name one at least"),
        (slice(5, 9), "chooses no column"),
        ([False] * 3, "chooses no column"),
        ([3], r"mine=\[3\] does not choose columns of X"),
        ([True], "a mask of 1 values for 3 columns"),
        (True, "a mask of 1 values for 3 columns"),
        ("a", "mine='a' does not choose columns of X"),
        (0.5, "mine=0.5 does not choose columns of X"),
        ([0.5], r"mine=\[0.5\] does not choose columns of X"),
        ([[0, 1]], "does not choose columns of X"),
    ],
)
def test_what_chooses_no_columns_is_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        resolve_columns(columns, np.zeros((2, 3)), name="mine")


def test_probabilities_are_near_those_of_rows_alone(rows):
    X, _, _ = rows
    predictor, proba = fit(LogisticRegression(), rows)
    assert_allclose(
        np.vstack([predictor.proba(X[i : i + 1]) for i in range(80)]), proba
    )

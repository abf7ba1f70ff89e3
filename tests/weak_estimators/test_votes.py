import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_w2s import WeakToStrongClassifier
from sklearn_w2s.weak_estimators import VoteClassifier
from sklearn_w2s.weak_estimators._votes import (
    estimate_rates,
    expected_accuracies,
    vote_indicators,
    vote_posterior,
    vote_shares,
)

UNIFORM = np.array([0.5, 0.5])
ACCURACIES = np.array([0.95, 0.8, 0.7, 0.6, 0.55])
BALLOTS = arrays(
    np.int64, st.tuples(st.integers(1, 20), st.just(4)), elements=st.integers(-1, 2)
)


def majority(**params):
    return VoteClassifier(**({"classes": [0, 1, 2]} | params))


def naive_bayes(**params):
    return majority(method="naive_bayes", **params)


def simulate(n, *, n_classes=3, coverage=0.7, seed=0):
    """Return votes of functions of known accuracy, and the true classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    shape = n, len(ACCURACIES)
    wrong = (y[:, None] + rng.integers(1, n_classes, size=shape)) % n_classes
    votes = np.where(rng.random(shape) < ACCURACIES, y[:, None], wrong)
    return np.where(rng.random(shape) < coverage, votes, -1), y


@pytest.fixture(scope="module")
def simulated():
    return simulate(3000)


# The majority


@given(BALLOTS)
def test_the_majority_is_the_share_of_votes(votes):
    proba = majority().predict_proba(votes)
    for row, cast in zip(proba, votes, strict=True):
        counts = np.bincount(cast[cast >= 0], minlength=3)
        share = counts / counts.sum() if counts.any() else np.full(3, 1 / 3)
        assert_allclose(row, share)


def test_rows_without_votes_get_the_class_prior():
    model = majority(classes=["c", "a"], class_prior=[0.9, 0.1], abstain="")
    assert_array_equal(model.predict_proba([["", ""], ["c", ""]]), [[0.1, 0.9], [0, 1]])


def test_the_majority_needs_classes_or_fit():
    check_is_fitted(clone(majority()))
    with pytest.raises(NotFittedError):
        VoteClassifier().predict([[0, 1]])


def test_classes_are_those_of_votes_and_labels():
    votes = [[0, -1], [-1, 3], [-1, -1]]
    assert_array_equal(VoteClassifier().fit(votes).classes_, [0, 3])
    assert_array_equal(VoteClassifier().fit(votes, [-1, -1, 5]).classes_, [0, 3, 5])
    # A function that knows one class only abstains by -1: it does not vote for it.
    assert_array_equal(VoteClassifier().fit([[1, 0], [-1, -1]]).classes_, [0, 1])


# Naive Bayes


@pytest.mark.parametrize("coverage", [1.0, 0.5])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_accuracies_are_recovered_without_labels(n_classes, coverage):
    votes, _ = simulate(8000, n_classes=n_classes, coverage=coverage)
    model = naive_bayes(classes=range(n_classes)).fit(votes)
    assert_allclose(model.accuracies_, ACCURACIES, atol=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_it_beats_the_majority_where_accuracies_differ(seed):
    votes, y = simulate(3000, seed=seed)
    model = naive_bayes().fit(votes)
    assert model.score(votes, y) > majority().score(votes, y) + 0.05


def test_probabilities_are_those_of_bayes_rule(simulated):
    votes, _ = simulated
    prior = np.array([0.5, 0.3, 0.2])
    model = naive_bayes(class_prior=prior).fit(votes)
    for row, cast in zip(model.predict_proba(votes[:50]), votes, strict=False):
        joint = prior.copy()
        for function, vote in enumerate(cast):
            if vote >= 0:
                joint *= model.vote_rates_[function, :, vote]
        assert_allclose(row, joint / joint.sum())


def test_the_rates_are_a_fixed_point(simulated):
    votes, _ = simulated
    model = naive_bayes(smoothing=1e-9).fit(votes)
    proba = model.predict_proba(votes)
    for vote in range(3):
        cast = ((votes == vote).T @ proba) / proba.sum(axis=0)
        assert_allclose(model.vote_rates_[:, :, vote], cast, atol=1e-4)


def test_rates_of_labeled_rows_are_counted(simulated):
    votes, y = simulated
    model = naive_bayes(smoothing=1e-9).fit(votes, y)
    for k in range(3):
        expected = [(votes[y == k] == vote).mean(axis=0) for vote in range(3)]
        assert_allclose(model.vote_rates_[:, k], np.transpose(expected), atol=1e-9)


@given(arrays(np.int64, 60, elements=st.integers(0, 3)).filter(np.any))
def test_a_weight_counts_a_row_so_many_times(weights):
    votes, y = simulate(60)
    y[30:] = -1
    repeated = np.repeat(np.arange(60), weights)
    model = naive_bayes().fit(votes, y, sample_weight=weights)
    expected = naive_bayes().fit(votes[repeated], y[repeated])
    assert_allclose(model.vote_rates_, expected.vote_rates_, rtol=1e-8)


def test_rows_of_weight_zero_name_no_class():
    votes, y = [[0, -1], [-1, 3], [4, 4]], [-1, -1, 5]
    for method in ("majority", "naive_bayes"):
        model = VoteClassifier(method=method).fit(votes, y, sample_weight=[1, 2, 0])
        assert_array_equal(model.classes_, [0, 3])


def test_some_labels_can_correct_a_majority_that_errs():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=1000)
    # Two copies of a poor function outvote a good one.
    poor = np.where(rng.random(1000) < 0.6, y, 1 - y)
    good = np.where(rng.random(1000) < 0.9, y, 1 - y)
    votes = np.column_stack([poor, poor, good])
    model = naive_bayes(classes=[0, 1])
    known = np.where(np.arange(1000) < 700, y, -1)
    assert model.fit(votes).score(votes, y) < 0.7
    assert model.fit(votes, known).score(votes[700:], y[700:]) > 0.85


def test_functions_are_never_worse_than_chance(simulated):
    votes, _ = simulated
    rates = naive_bayes().fit(votes).vote_rates_
    own = np.diagonal(rates, axis1=1, axis2=2)
    assert (rates <= own[:, None, :]).all()


def test_the_order_of_rows_functions_and_classes_does_not_matter(simulated):
    votes, _ = simulated
    rng = np.random.default_rng(1)
    rows, functions = rng.permutation(len(votes)), rng.permutation(5)
    proba = naive_bayes().fit(votes).predict_proba(votes)
    shuffled = votes[rows][:, functions]
    assert_allclose(
        naive_bayes().fit(shuffled).predict_proba(shuffled), proba[rows], atol=1e-6
    )
    renamed = np.array([1, 2, 0, -1])[votes]
    assert_allclose(
        naive_bayes().fit(renamed).predict_proba(renamed),
        proba[:, [2, 0, 1]],
        atol=1e-6,
    )


def test_a_function_that_never_votes_changes_nothing(simulated):
    votes, _ = simulated
    silent = np.column_stack([votes, np.full(len(votes), -1)])
    model = naive_bayes().fit(silent)
    expected = naive_bayes().fit(votes).predict_proba(votes)
    assert_allclose(model.predict_proba(silent), expected)
    assert np.isnan(model.accuracies_[-1])


def test_it_is_deterministic_and_must_be_fitted(simulated):
    votes, _ = simulated
    first, second = naive_bayes().fit(votes), naive_bayes().fit(votes)
    assert_array_equal(first.vote_rates_, second.vote_rates_)
    with pytest.raises(NotFittedError):
        naive_bayes().predict(votes)


@given(BALLOTS)
def test_probabilities_are_distributions_whatever_the_votes(votes):
    for model in (majority(), naive_bayes()):
        proba = model.fit(votes).predict_proba(votes)
        assert (proba >= 0).all()
        assert_allclose(proba.sum(axis=1), 1)


# Rows


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("method", ["majority", "naive_bayes"])
def test_votes_may_be_columns_of_a_table(library, method):
    frames = pytest.importorskip(library)
    table = frames.DataFrame(
        {
            "text": ["buy", "hello", "free", None],
            "lf1": ["spam", "ham", "", ""],
            "lf2": ["spam", "", "spam", ""],
        }
    )
    model = VoteClassifier(["lf1", "lf2"], abstain="", method=method).fit(table)
    assert_array_equal(model.predict(table), ["spam", "ham", "spam", "ham"])
    assert_array_equal(model.feature_names_in_, ["text", "lf1", "lf2"])


@pytest.mark.parametrize("abstain", [-1, None, np.nan, ""])
@pytest.mark.parametrize("classes", [[0, 1], None])
def test_missing_votes_are_abstentions_whatever_marks_them(abstain, classes):
    votes = np.array([[0.0, np.nan], [np.nan, 1.0]])
    model = VoteClassifier(abstain=abstain, classes=classes)
    for cast in (votes, votes.astype(object), np.where(votes >= 0, votes, None)):
        assert_array_equal(model.fit(cast).predict_proba(cast), np.eye(2))


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "category", float, None])
def test_gaps_in_columns_of_a_table_are_abstentions(dtype):
    if dtype is None:
        pl = pytest.importorskip("polars")
        votes = pl.DataFrame({"a": [0, None], "b": [None, 1]})
    else:
        pytest.importorskip("pyarrow")
        pd = pytest.importorskip("pandas")
        votes = pd.DataFrame({"a": [0, None], "b": [None, 1]}, dtype=object)
        votes = votes.astype(dtype)
    for abstain in (-1, None):
        model = VoteClassifier(abstain=abstain).fit(votes)
        assert_array_equal(model.classes_, [0, 1])
        assert_array_equal(model.predict_proba(votes), np.eye(2))


def test_a_vote_that_reads_like_an_abstention_is_a_class_with_a_warning():
    votes = np.array([["a", "-1"], ["-1", "b"]])
    with pytest.warns(UserWarning, match="'-1' is read as a class, since abstain=-1"):
        model = VoteClassifier().fit(votes)
    assert_array_equal(model.classes_, ["-1", "a", "b"])


def test_score_leaves_rows_without_a_label_out():
    votes = np.array([[0, 0], [1, 1], [1, -1]])
    model = VoteClassifier(classes=[0, 1])
    for y in ([0, 0, -1], [0, 0, None], [0.0, 0.0, np.nan]):
        assert model.score(votes, y) == 0.5
    assert model.score(votes, [0, -1, 0], sample_weight=[3, 1, 1]) == 0.75


def test_it_is_cloned_and_pickled(simulated):
    votes, _ = simulated
    model = naive_bayes(columns=[0, 1, 4]).fit(votes)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict_proba(votes), model.predict_proba(votes))
    again = clone(model).fit(votes)
    assert_array_equal(again.predict_proba(votes), model.predict_proba(votes))


@pytest.mark.parametrize(
    ("params", "votes", "message"),
    [
        ({}, [[0, 7]], r"column 1 of the votes gives 7 in row 0.*\[0, 1, 2\]"),
        ({}, [[0, -2]], "gives -2 in row 0"),
        ({}, [[0.5, 1.0]], "column 0 of the votes must give class labels"),
        ({"classes": None}, [[1, -1]], "classes=\\[...\\]"),
        ({"columns": [5]}, [[0, 1]], "columns=\\[5\\] does not choose"),
        ({"method": "mean"}, [[0, 1]], "'method' parameter"),
        ({"smoothing": 0}, [[0, 1]], "'smoothing' parameter"),
        ({"class_prior": [0.5, 0.5]}, [[0, 1]], "one finite number per class"),
    ],
)
def test_what_does_not_fit_is_refused(params, votes, message):
    with pytest.raises(ValueError, match=message):
        majority(**params).fit(votes)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Votes and y name classes by strings and"):
        VoteClassifier().fit([[0, 1], [1, 0]], ["a", "b"])
    with pytest.raises(ValueError, match="y gives 5 in row 1"):
        naive_bayes().fit([[0, 1], [1, 2]], [-1, 5])


# As a weak estimator


@pytest.mark.parametrize("method", ["majority", "naive_bayes"])
def test_as_a_weak_estimator_it_needs_no_label(method, simulated):
    votes, y = simulated
    rng = np.random.default_rng(0)
    X = np.hstack([votes, np.eye(3)[y] + 0.3 * rng.normal(size=(len(y), 3))])
    weak = majority(columns=slice(0, 5), method=method)
    if method == "naive_bayes":
        weak = FrozenEstimator(weak.fit(X))
    model = WeakToStrongClassifier(weak, LogisticRegression(), strategy="all")
    model.fit(X, np.full(len(X), -1))
    assert model.score(X, y) > weak.score(X, y)


# Real functions


def test_estimated_rates_are_worth_more_than_counts_on_real_functions(shared_data):
    pd = pytest.importorskip("pandas")
    index = json.loads((shared_data / "index.json").read_text("utf-8"))
    scores = {"majority": [], "naive_bayes": []}
    for entry in [e for e in index.values() if e.get("lf")]:
        votes = pd.read_csv(shared_data / entry["lf_file"]).filter(regex="^lf")
        target = pd.read_csv(shared_data / entry["file"])["target"]
        y = np.unique(target, return_inverse=True)[1]
        for method, collected in scores.items():
            model = VoteClassifier(classes=np.unique(y), method=method).fit(votes)
            collected.append(model.score(votes, y))
    assert len(scores["majority"]) == 4
    gain = np.subtract(scores["naive_bayes"], scores["majority"])
    assert gain.mean() > 0.02
    assert gain.min() > -0.06


def unknown(n):
    return np.full((n, 2), np.nan)


def test_indicators_are_one_column_per_function_and_class():
    votes = vote_indicators(np.array([[0, 1], [-1, 0]]), 2)
    assert_array_equal(votes.toarray(), [[1, 0, 0, 1], [0, 0, 1, 0]])


def test_votes_that_are_never_cast_leave_the_prior():
    votes = vote_indicators(np.full((3, 2), -1), 2)
    prior = np.array([0.3, 0.7])
    rates = estimate_rates(votes, prior, unknown(3), np.ones(3), smoothing=1.0)
    assert_array_equal(vote_shares(votes, prior), np.tile(prior, (3, 1)))
    assert_allclose(vote_posterior(votes, rates, prior), np.tile(prior, (3, 1)))
    assert np.isnan(expected_accuracies(rates, prior)).all()


def test_a_perfect_function_has_accuracy_one():
    codes = np.tile(np.arange(40)[:, None] % 2, 3)
    rates = estimate_rates(
        vote_indicators(codes, 2), UNIFORM, unknown(40), np.ones(40), smoothing=1e-9
    )
    assert_allclose(expected_accuracies(rates, UNIFORM), 1, atol=1e-5)


@pytest.mark.parametrize("smoothing", [1e-9, 1.0, 1e6])
def test_smoothing_draws_rates_to_those_of_all_rows(smoothing):
    codes = np.tile(np.arange(40)[:, None] % 2, 3)
    known = np.eye(2)[codes[:, 0]]
    rates = estimate_rates(
        vote_indicators(codes, 2), UNIFORM, known, np.ones(40), smoothing=smoothing
    )
    expected = (20 + smoothing * 0.5) / (20 + smoothing)
    assert_allclose(np.diagonal(rates, axis1=1, axis2=2), expected)


def test_a_class_of_prior_zero_stays_next_to_impossible():
    codes = np.array([[0, 1], [1, 1]])
    prior = np.array([1.0, 0.0])
    votes = vote_indicators(codes, 2)
    rates = estimate_rates(votes, prior, unknown(2), np.ones(2), smoothing=1.0)
    proba = vote_posterior(votes, rates, prior)
    assert np.isfinite(proba).all()
    assert (proba[:, 0] > 0.99).all()

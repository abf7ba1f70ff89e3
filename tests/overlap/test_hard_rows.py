"""Hard rows have little confidence and, refined, do not resemble the easy rows."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_w2s._algorithms.thresholds import change_point, weighted_quantile
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.overlap._measures import Similarity
from sklearn_w2s.overlap._partition import HardRows, NoChangePointWarning
from sklearn_w2s.overlap._ruptures import published_threshold


@pytest.fixture(scope="module")
def example():
    """Confidences that know the easy block only, rows, weights and true regions."""
    X, _, regions = make_overlap_classification(
        (300, 300, 300), noise=1.5, absent_noise=0.2, random_state=0
    )
    easy_block = X[:, :20]
    # The distance from the boundary between the classes, which chance makes small
    # for some rows that carry the easy pattern.
    direction = np.linalg.svd(easy_block, full_matrices=False)[2][0]
    confidence = np.tanh(np.abs(easy_block @ direction) / 2)
    weights = np.random.default_rng(0).integers(1, 4, size=900).astype(float)
    return confidence, X, weights, regions


def make(threshold="auto", *, threshold_type="value", refine=True, most=None):
    return HardRows(
        threshold,
        threshold_type,
        refine=refine,
        max_references=most,
        n_jobs=None,
    )


def rng():
    return np.random.RandomState(0)


# One condition


def test_unrefined_rows_are_hard_below_the_change_point(example):
    confidence, rows, weights, _ = example
    hard_rows = make(refine=False)
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    assert_array_equal(hard, confidence < change_point(confidence, weights))
    assert hard_rows.confidence_threshold == change_point(confidence, weights)
    assert hard_rows.easy_threshold == np.inf


def test_by_the_published_threshold_the_row_at_the_break_is_hard(example):
    confidence, rows, weights, _ = example
    hard_rows = make("published", refine=False)
    hard = hard_rows.fit_predict(confidence, rows, np.ones(len(weights)), rng())
    last = published_threshold(confidence, np.ones(len(weights)), name="")
    assert_array_equal(hard, confidence <= last)
    assert last < hard_rows.confidence_threshold <= confidence[~hard].min()
    assert_array_equal(hard_rows.predict(confidence, rows), hard)


@pytest.mark.parametrize("threshold", [0.3, lambda values, weights: 0.3])
def test_unrefined_rows_are_hard_below_a_threshold_of_the_user(example, threshold):
    confidence, rows, weights, _ = example
    hard = make(threshold, refine=False).fit_predict(confidence, rows, weights, rng())
    assert_array_equal(hard, confidence < 0.3)


def test_a_quantile_is_weighted(example):
    confidence, rows, weights, _ = example
    hard_rows = make(0.4, threshold_type="quantile", refine=False)
    hard_rows.fit_predict(confidence, rows, weights, rng())
    expected = weighted_quantile(confidence, 0.4, weights)
    assert hard_rows.confidence_threshold == expected


# The second condition


@pytest.mark.parametrize("threshold", ["auto", "change_point", "mixture", 0.5])
def test_refined_rows_lie_below_both_thresholds(example, threshold):
    confidence, rows, weights, _ = example
    hard_rows = make(threshold)
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    likeness = hard_rows.easy.score(rows, None)
    below = (confidence < hard_rows.confidence_threshold) & (
        likeness < hard_rows.easy_threshold
    )
    assert_array_equal(hard, below)
    assert np.isfinite(hard_rows.easy_threshold)
    assert 0 < hard.sum() < len(hard)


def test_refining_finds_the_hard_rows_where_confidence_alone_cannot(example):
    confidence, rows, weights, regions = example
    truth = regions == "hard"
    plain = make(refine=False).fit_predict(confidence, rows, weights, rng())
    refined = make().fit_predict(confidence, rows, weights, rng())
    assert (plain == truth).mean() < 0.93
    assert (refined == truth).mean() > 0.97


def test_easy_references_are_confident_and_mostly_easy(example):
    confidence, rows, weights, regions = example
    hard_rows = make()
    hard_rows.fit_predict(confidence, rows, weights, rng())
    unit = Similarity(cosine=True, reduce="mean").fit(
        rows, None, np.arange(len(rows)), weights
    )
    matches = (hard_rows.easy.references[:, None] == unit.references[None]).all(axis=2)
    references = matches.argmax(axis=1)
    assert matches.any(axis=1).all()
    assert (confidence[references] >= change_point(confidence, weights)).all()
    assert (regions[references] == "easy").mean() > 0.9


def test_only_an_automatic_threshold_is_raised(example):
    confidence, rows, weights, _ = example
    split = change_point(confidence, weights)
    automatic, chosen = make(), make("change_point")
    for hard_rows in (automatic, chosen):
        hard_rows.fit_predict(confidence, rows, weights, rng())
    confident = confidence >= split
    quartile = weighted_quantile(confidence[confident], 0.25, weights[confident])
    assert automatic.confidence_threshold == quartile > split
    assert chosen.confidence_threshold == split


@pytest.mark.parametrize("threshold", ["change_point", 0.5])
def test_below_a_chosen_threshold_refining_only_takes_hard_rows_away(
    example, threshold
):
    confidence, rows, weights, _ = example
    plain = make(threshold, refine=False)
    hard = plain.fit_predict(confidence, rows, weights, rng())
    refined = make(threshold).fit_predict(confidence, rows, weights, rng())
    assert not (refined & ~hard).any()
    assert refined.sum() < hard.sum()


@pytest.mark.parametrize("most", [None, 50])
def test_new_rows_are_judged_as_those_of_the_fit(example, most):
    confidence, rows, weights, _ = example
    hard_rows = make(most=most)
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    assert_array_equal(hard_rows.predict(confidence, rows), hard)
    assert_array_equal(hard_rows.predict(confidence[::9], rows[::9]), hard[::9])
    if most is not None:
        assert len(hard_rows.easy.references) == most


def test_a_weight_counts_repetitions_and_zero_removes_a_row(example):
    confidence, rows, weights, _ = example
    counts = weights.astype(int) - 1
    weighted, repeated = make(), make()
    hard = weighted.fit_predict(confidence, rows, counts.astype(float), rng())
    again = repeated.fit_predict(
        np.repeat(confidence, counts),
        np.repeat(rows, counts, axis=0),
        np.ones(counts.sum()),
        rng(),
    )
    assert_array_equal(np.repeat(hard, counts), again)
    assert weighted.confidence_threshold == repeated.confidence_threshold
    assert weighted.easy_threshold == pytest.approx(repeated.easy_threshold)


def test_sparse_rows_are_compared_as_dense_ones(example):
    confidence, rows, weights, _ = example
    hard = make().fit_predict(confidence, rows, weights, rng())
    sparse_rows = sparse.csr_array(rows)
    again = make().fit_predict(confidence, sparse_rows, weights, rng())
    assert_array_equal(again, hard)


# Where there is nothing to refine


def assert_plain(hard_rows, hard, expected):
    assert_array_equal(hard, expected)
    assert hard_rows.easy_threshold == np.inf
    assert hard_rows.easy is None


@pytest.mark.parametrize(("threshold", "is_hard"), [(-1.0, False), (2.0, True)])
def test_all_or_no_rows_are_hard(example, threshold, is_hard):
    confidence, rows, weights, _ = example
    hard_rows = make(threshold)
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    assert_plain(hard_rows, hard, np.full(len(rows), is_hard))
    assert hard_rows.confidence_threshold == threshold


def test_equal_confidences_leave_no_row_hard(example):
    _, rows, weights, _ = example
    hard_rows = make()
    with pytest.warns(NoChangePointWarning, match="confidence_threshold='auto'"):
        hard = hard_rows.fit_predict(np.full(900, 0.5), rows, weights, rng())
    assert_plain(hard_rows, hard, np.zeros(900, dtype=bool))
    assert hard_rows.confidence_threshold == -np.inf


def test_rows_of_weight_zero_are_no_reason_to_refine(example):
    confidence, rows, _, _ = example
    weights = (confidence >= 0.5).astype(float)
    hard_rows = make(0.5)
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    assert_plain(hard_rows, hard, confidence < 0.5)


@pytest.mark.parametrize("rows", [np.ones((900, 3)), np.zeros((900, 3))])
def test_rows_that_are_all_alike_tell_nothing(example, rows):
    confidence, _, weights, _ = example
    hard_rows = make()
    hard = hard_rows.fit_predict(confidence, rows, weights, rng())
    assert_plain(hard_rows, hard, confidence < change_point(confidence, weights))


@pytest.mark.parametrize(("n_unlike", "is_refined"), [(5, False), (30, True)])
def test_nothing_is_refined_where_hardly_any_row_would_stay_hard(n_unlike, is_refined):
    # Of the 100 rows of little confidence only the first are unlike the confident ones.
    rows = np.tile([1.0, 0.0], (300, 1))
    rows[:n_unlike] = [0.0, 1.0]
    rows += np.random.default_rng(0).normal(scale=0.01, size=rows.shape)
    confidence = np.where(np.arange(300) < 100, 0.1, 0.9)
    hard_rows = make(0.5)
    hard = hard_rows.fit_predict(confidence, rows, np.ones(300), rng())
    if is_refined:
        assert_array_equal(hard, np.arange(300) < n_unlike)
    else:
        assert_plain(hard_rows, hard, np.arange(300) < 100)

"""The best expectation is chosen, and more labels or rows only where they help."""

import numpy as np
import pytest

from sklearn_w2s.advice._expectation import (
    Decision,
    Standing,
    decide,
    densest_source,
    is_clear,
    plan,
    rows_to_tell,
    source_table,
)

LEVEL = 0.95


def decided(gain, lead, error=0.001, strategy="blend"):
    names = ["weak_to_strong", "strong_on_labels"][: 1 if lead is None else 2]
    mean = np.array([gain, gain - (lead or 0.0)])[: len(names)]
    standing = Standing(names, mean, error**2 * np.eye(len(names)))
    return decide(standing, strategy)


@pytest.mark.parametrize(
    ("gain", "lead", "choice", "runner_up"),
    [
        (0.05, 0.02, "weak_to_strong", "strong_on_labels"),
        (0.02, 0.05, "weak_to_strong", "weak"),
        (0.05, -0.02, "strong_on_labels", "weak_to_strong"),
        (-0.02, 0.05, "weak", "weak_to_strong"),
        (-0.02, -0.05, "strong_on_labels", "weak"),
        (0.02, None, "weak_to_strong", "weak"),
        (-0.02, None, "weak", "weak_to_strong"),
    ],
)
def test_the_largest_expectation_is_chosen(gain, lead, choice, runner_up):
    decision = decided(gain, lead)
    assert (decision.choice, decision.runner_up) == (choice, runner_up)
    scores = {"weak": 0.0, "weak_to_strong": gain}
    if lead is not None:
        scores["strong_on_labels"] = gain - lead
    assert decision.lead == pytest.approx(scores[choice] - scores[runner_up])
    assert is_clear(decision, LEVEL)


def test_of_equals_the_weak_estimator_is_chosen():
    assert decided(0.0, 0.0).choice == "weak"
    assert decided(0.0, 0.0).probability == pytest.approx(0.5)


def test_a_lead_within_its_noise_is_not_clear():
    assert not is_clear(decided(0.05, 0.02, error=0.05), LEVEL)


def test_a_classifier_that_abstained_stays_what_it_is():
    for strategy in ("weak", "strong_on_labels"):
        decision = decided(0.5, 0.5, strategy=strategy)
        assert decision.choice == strategy
        assert decision.runner_up is None


UNCLEAR = Decision("weak_to_strong", "weak", 0.02, 0.7)
CLEAR = UNCLEAR._replace(probability=0.99)


def test_labels_are_collected_where_they_would_tell():
    step = plan(UNCLEAR, 0.1, 100, 5000, None, LEVEL)
    assert step.next_step == "collect_labels"
    assert step.n_more_labels == int(np.ceil(rows_to_tell(0.02, 0.1, LEVEL) - 100))


def test_that_many_labels_bring_the_lower_end_of_the_interval_to_zero():
    n = rows_to_tell(0.02, 0.1, LEVEL)
    assert 1.96 * np.sqrt(0.1 / n) == pytest.approx(0.02, rel=1e-3)
    assert rows_to_tell(0.0, 0.1, LEVEL) == np.inf


def test_nobody_is_sent_for_more_labels_than_there_are_rows():
    assert plan(UNCLEAR, 0.1, 100, 50, None, LEVEL).next_step is None
    assert plan(CLEAR, 0.1, 100, 5000, None, LEVEL).next_step is None


def test_rows_are_bought_where_overlap_helps_and_the_source_is_clear():
    assert plan(CLEAR, 0.1, 100, 5000, "shop", LEVEL).source == "shop"
    weak = CLEAR._replace(choice="weak", runner_up="weak_to_strong")
    assert plan(weak, 0.1, 100, 5000, "shop", LEVEL).next_step is None


def test_sources_are_listed_densest_first_with_their_intervals():
    source = np.repeat(["a", "b", "c"], [100, 300, 50])
    overlap = np.concatenate([np.arange(n) < d for n, d in ((100, 10), (300, 150))])
    table = source_table(np.concatenate([overlap, np.zeros(50, bool)]), source, LEVEL)
    assert table["source"].tolist() == ["b", "a", "c"]
    assert table["overlap_density"] == pytest.approx([0.5, 0.1, 0.0])
    assert (table["low"] <= table["overlap_density"]).all()
    assert (table["high"] >= table["overlap_density"]).all()
    assert densest_source(table, LEVEL) == "b"


def test_no_source_is_named_without_a_clear_difference():
    source = np.repeat(["a", "b"], 50)
    overlap = np.arange(100) % 2 == 0
    assert densest_source(source_table(overlap, source, LEVEL), LEVEL) is None
    alone = source_table(overlap, np.repeat("a", 100), LEVEL)
    assert densest_source(alone, LEVEL) is None

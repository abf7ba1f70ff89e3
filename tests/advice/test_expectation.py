"""Expectations are priors until labels show more, and priors are those measured."""

import csv
from pathlib import Path

import numpy as np
import pytest

from sklearn_w2s.advice._expectation import (
    GAIN,
    LEAD,
    PAIRS,
    PRIORS,
    VIEWS,
    Decision,
    Prior,
    Standing,
    decide,
    densest_source,
    expect,
    is_clear,
    kind_of,
    plan,
    source_table,
)

MEASURED = Path(__file__).parents[2] / "benchmarks" / "results" / "advice_priors.csv"
INDICATORS = {
    GAIN.differ: 0.2,
    GAIN.advantage: 0.1,
    LEAD.differ: 0.1,
    LEAD.advantage: 0.04,
}
SOME = {GAIN: Prior(0.5, 0.2), LEAD: Prior(0.5, 0.2)}


def measured(gain, lead, error):
    values = {GAIN: gain, LEAD: lead, VIEWS: gain - lead}
    return {pair.name: {"difference": values[pair], "error": error} for pair in PAIRS}


def test_priors_are_those_of_the_committed_table():
    with MEASURED.open(encoding="utf-8") as file:
        table = {(row["kind"], row["pair"]): row for row in csv.DictReader(file)}
    assert len(table) == sum(len(by_pair) for by_pair in PRIORS.values())
    for kind, by_pair in PRIORS.items():
        for pair, prior in by_pair.items():
            row = table[kind, pair.name]
            assert prior == Prior(float(row["slope"]), float(row["spread"]))


def test_without_labels_the_expectation_is_the_prior():
    gain = expect(INDICATORS, {}, SOME).of("weak_to_strong", "weak")
    assert gain.mean == pytest.approx(0.5 * 0.1)
    assert gain.error == pytest.approx(0.2 * 0.2, rel=1e-3)


def test_many_labels_overrule_the_prior():
    standing = expect(INDICATORS, measured(-0.03, -0.08, 1e-5), SOME)
    assert standing.of("weak_to_strong", "weak").mean == pytest.approx(-0.03, abs=1e-4)
    lead = standing.of("weak_to_strong", "strong_on_labels")
    assert lead.mean == pytest.approx(-0.08, abs=1e-4)


def test_few_labels_move_it_a_little():
    standing = expect(INDICATORS, measured(-0.03, -0.08, 0.2), SOME)
    gain = standing.of("weak_to_strong", "weak")
    assert -0.03 < gain.mean < 0.05
    assert gain.mean == pytest.approx(0.05, abs=0.01)


def test_leads_are_consistent_and_change_sign_with_the_order():
    standing = expect(INDICATORS, measured(0.04, 0.01, 0.02), SOME)
    gain = standing.of("weak_to_strong", "weak").mean
    lead = standing.of("weak_to_strong", "strong_on_labels").mean
    other = standing.of("strong_on_labels", "weak").mean
    assert gain - lead == pytest.approx(other)
    assert standing.of("weak", "weak_to_strong").mean == pytest.approx(-gain)


def test_more_labels_are_more_certain():
    errors = [
        expect(INDICATORS, measured(0.04, 0.01, error), SOME)
        .of("weak_to_strong", "weak")
        .error
        for error in (0.1, 0.03, 0.01)
    ]
    assert errors == sorted(errors, reverse=True)


def test_unknown_disagreements_tell_nothing():
    unknown = dict.fromkeys(INDICATORS, np.nan)
    standing = expect(unknown, measured(0.04, 0.01, 0.02), SOME)
    assert standing.of("weak_to_strong", "weak").mean == pytest.approx(0.04, abs=0.002)


def test_an_interval_holds_its_mean_and_grows_with_the_level():
    gain = expect(INDICATORS, {}, SOME).of("weak_to_strong", "weak")
    low, high = gain.interval(0.95)
    lower, higher = gain.interval(0.99)
    assert lower < low < gain.mean < high < higher


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ("blend", "taught"),
        ("mix", "taught"),
        ("weak", "taught"),
        ("smooth", "smoothing"),
        ("overlap", "imitating"),
        (len, "imitating"),
    ],
)
def test_kinds_of_strategies(strategy, kind):
    assert kind_of(strategy) == kind


# The best expectation is chosen, and more labels or rows only where they help

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
    # That many bring the lower end of the interval to zero.
    n = 100 + step.n_more_labels
    assert 1.96 * np.sqrt(0.1 / n) == pytest.approx(0.02, rel=1e-3)
    unknown = UNCLEAR._replace(lead=0.0)
    assert plan(unknown, 0.1, 100, 5000, None, LEVEL).next_step is None


def test_no_more_labels_are_asked_for_than_there_are_rows():
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

"""Expectations are priors until labels say more, and priors are those measured."""

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
    Prior,
    expect,
    kind_of,
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

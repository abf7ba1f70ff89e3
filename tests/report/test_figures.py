import dataclasses

import numpy as np
import pytest

from sklearn_w2s.report._figures import gap_figure, region_figure


@pytest.fixture
def known(study):
    return study.findings.study


def test_the_gap_is_told_in_words_where_there_is_one(study, known):
    told = {
        **known.results,
        "gap_recovered": 0.5,
        "gap_recovered_interval": np.array([0.4, 0.6]),
    }
    verdict = dataclasses.replace(study.findings.verdict, has_gap=True)
    figure = gap_figure(told, verdict, "accuracy")
    assert "0.50 of the gap recovered (95% interval 0.40 to 0.60)" in figure
    assert "accuracy: 2 folds, mean with 95% interval" in figure
    without = gap_figure(told, dataclasses.replace(verdict, has_gap=False), "accuracy")
    assert "; no gap beyond its noise." in without
    assert "50%" not in without


def test_accuracies_by_region_are_means_over_splits(known):
    figure = region_figure(known)
    mean = np.nanmean(known.results["region_accuracy"]["weak"]["easy"])
    assert f"easy rows: weak {mean:.3f}," in figure


def test_a_region_without_rows_has_no_accuracy(known):
    results = known.results
    told = {
        **results,
        "region_share": {**results["region_share"], "hard": np.zeros(2)},
        "region_accuracy": {
            name: {**regions, "hard": np.full(2, np.nan)}
            for name, regions in results["region_accuracy"].items()
        },
    }
    assert "; hard rows: none; " in region_figure(
        dataclasses.replace(known, results=told)
    )


def test_without_hidden_labels_no_ceiling_is_told(known):
    measures = {k: v for k, v in known.measures.items() if k != "ceiling"}
    figure = region_figure(dataclasses.replace(known, measures=measures))
    assert "ceiling" not in figure.split('aria-label="')[1].split('"')[0]

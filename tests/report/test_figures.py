import numpy as np
import pytest

from sklearn_w2s.report._figures import (
    gap_figure,
    overlap_figure,
    region_figure,
    source_figure,
)


@pytest.fixture
def results(study):
    return study.findings.results


def test_the_gap_is_told_in_words_where_there_is_one(results):
    told = {
        **results,
        "gap_recovered": 0.5,
        "gap_recovered_interval": np.array([0.4, 0.6]),
    }
    figure = gap_figure(told, "accuracy")
    assert "50% of the gap recovered, interval 40% to 60%." in figure
    assert "accuracy: 2 folds, mean with 95% interval" in figure


def test_where_there_is_no_gap_the_words_say_so(results):
    told = {**results, "gap_recovered": np.nan}
    assert "; no gap beyond its noise." in gap_figure(told, "accuracy")


def test_accuracies_by_region_are_means_over_splits(results):
    figure = region_figure(results)
    mean = np.nanmean(results["region_accuracy"]["weak"]["easy"])
    assert f"easy rows: weak {mean:.3f}," in figure
    total = results["weak_score"].mean()
    assert f"all rows: weak {total:.3f}," in figure


def test_a_region_without_rows_has_no_accuracy(results):
    told = {
        **results,
        "region_share": {**results["region_share"], "hard": np.zeros(2)},
        "region_accuracy": {
            name: {**regions, "hard": np.full(2, np.nan)}
            for name, regions in results["region_accuracy"].items()
        },
    }
    assert "; hard rows: none; " in region_figure(told)


def test_without_thresholds_the_words_say_so(study):
    model = study.advice.estimator
    assert ", threshold " in overlap_figure(model)

    class Flat:
        confidence_threshold_, overlap_threshold_ = -np.inf, np.inf

    class Model:
        overlap_detector_ = Flat
        rows_ = model.rows_ | {"region": np.full(len(model.rows_["region"]), "hard")}

    figure = overlap_figure(Model)
    assert ", no threshold." in figure
    assert "rows that are not hard: there is none." in figure


def test_the_rows_drawn_of_the_sources_are_told(study):
    selector = study.findings.sources.selector
    figure = source_figure(selector)
    most = selector.n_samples_drawn_.max()
    assert f" {most} rows" in figure
    assert figure.count('role="img"') == 3

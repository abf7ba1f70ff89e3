"""Density and accuracies of regions agree with plain counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from sklearn_w2s.metrics import overlap_density, region_accuracy, region_rmse

REGIONS = ("easy", "hard", "overlap")
rows = st.lists(
    st.tuples(
        st.sampled_from(REGIONS),
        st.sampled_from("ab"),
        st.sampled_from("ab"),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=20,
).filter(lambda rows: any(weight for *_, weight in rows))


@given(rows=rows)
def test_the_density_counts_overlap_rows(rows):
    regions, _, _, weights = map(np.array, zip(*rows, strict=True))
    assert overlap_density(regions) == pytest.approx(np.mean(regions == "overlap"))
    weighted = overlap_density(regions, sample_weight=weights)
    assert weighted == pytest.approx(overlap_density(np.repeat(regions, weights)))


@given(rows=rows)
def test_regions_together_have_the_accuracy_of_all_rows(rows):
    regions, y_true, y_pred, weights = map(np.array, zip(*rows, strict=True))
    accuracy = region_accuracy(y_true, y_pred, regions, sample_weight=weights)
    assert tuple(accuracy) == REGIONS
    total = sum(
        accuracy[region] * weights[regions == region].sum()
        for region in REGIONS
        if weights[regions == region].any()
    )
    expected = accuracy_score(y_true, y_pred, sample_weight=weights)
    assert total / weights.sum() == pytest.approx(expected)


@given(rows=rows)
def test_a_weight_counts_repetitions_and_zero_removes_a_row(rows):
    regions, y_true, y_pred, weights = map(np.array, zip(*rows, strict=True))
    weighted = region_accuracy(y_true, y_pred, regions, sample_weight=weights)
    repeated = region_accuracy(*np.repeat([y_true, y_pred, regions], weights, axis=1))
    assert weighted == pytest.approx(repeated, nan_ok=True)


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, pd.Series, pd.Categorical]
)
def test_regions_come_in_any_container(container):
    regions = container(["easy", "overlap", "overlap", "hard"])
    assert overlap_density(regions) == 0.5
    accuracy = region_accuracy([0, 1, 1, 0], [0, 1, 0, 1], regions)
    assert accuracy == {"easy": 1.0, "hard": 0.0, "overlap": 0.5}
    assert {type(value) for value in accuracy.values()} == {float}


@pytest.mark.parametrize("regions", [["easy", "Overlap"], [0, 1], ["hard", None]])
def test_an_unknown_region_is_named(regions):
    with pytest.raises(ValueError, match="regions holds"):
        overlap_density(regions)
    with pytest.raises(ValueError, match="regions holds"):
        region_accuracy([0, 1], [0, 1], regions)


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="regions is empty"):
        overlap_density([])


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [np.nan, 1], [1, 1, 1]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        overlap_density(["easy", "hard"], sample_weight=weights)


def test_lengths_and_kinds_of_labels_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        region_accuracy([0, 1], [0, 1], ["easy"])
    with pytest.raises(ValueError, match="differ in kind"):
        region_accuracy([0, 1], ["a", "b"], ["easy", "easy"])


@pytest.mark.parametrize("marks", [(-1, -1), (7, 7), (None, -1), (np.nan, -1)])
def test_rows_without_a_true_label_are_left_out(marks):
    mark, missing_label = marks
    y_true, y_pred, regions = [0, 1, mark, 0, mark], [0, 0, 1, 0, 0], list("eeeoh")
    regions = [next(name for name in REGIONS if name[0] == r) for r in regions]
    weights, marker = [1, 3, 9, 1, 9], {"missing_label": missing_label}
    accuracy = region_accuracy(y_true, y_pred, regions, sample_weight=weights, **marker)
    assert accuracy == pytest.approx(
        {"easy": 0.25, "hard": np.nan, "overlap": 1.0}, nan_ok=True
    )
    nobody = region_accuracy([mark] * 2, [0, 1], REGIONS[:2], **marker)
    assert np.isnan(list(nobody.values())).all()


def test_a_marker_that_is_predicted_is_a_class():
    accuracy = region_accuracy([-1, 0, -1], [-1, -1, 0], ["easy"] * 3)
    assert accuracy["easy"] == pytest.approx(1 / 3)


def test_errors_by_region_are_those_of_its_labeled_rows():
    y = np.array([1.0, np.nan, 3.0, -1.0, 5.0])
    said = np.array([1.5, 9.0, 5.0, 0.0, 1.0])
    regions = ["easy", "easy", "hard", "hard", "hard"]
    found = region_rmse(y, said, regions)
    assert found["easy"] == 0.5
    assert found["hard"] == pytest.approx(np.sqrt((4 + 1 + 16) / 3))
    assert np.isnan(found["overlap"])


def test_a_weight_of_two_is_an_error_given_twice():
    y, said = [1.0, 2.0, 4.0], [0.0, 4.0, 1.0]
    weighted = region_rmse(y, said, ["easy"] * 3, sample_weight=[2, 0, 1])
    assert weighted["easy"] == pytest.approx(np.sqrt((1 + 1 + 9) / 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_pred": [1.0]}, "inconsistent numbers"),
        ({"y_pred": [1.0, np.inf]}, "y_pred contains infinity"),
        ({"y_true": ["a", "b"]}, "not a real number"),
        ({"regions": ["easy", "odd"]}, "regions holds 'odd'"),
    ],
)
def test_errors_by_region_refuse_what_is_no_value(changes, message):
    given = {"y_true": [1.0, 2.0], "y_pred": [1.0, 2.0], "regions": ["easy", "hard"]}
    with pytest.raises(ValueError, match=message):
        region_rmse(**given | changes)

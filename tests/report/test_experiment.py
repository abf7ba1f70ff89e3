import dataclasses

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap
from sklearn_w2s.report import make_estimator
from sklearn_w2s.report._data import Data
from sklearn_w2s.report._errors import InputError
from sklearn_w2s.report._experiment import compare, count_labeled, make_model, take_pool

SCORES = ("weak", "weak_to_strong", "strong_on_labels", "ceiling")


def as_data(table, n_missing=0):
    y = table["income"].to_numpy(dtype=object).copy()
    y[:n_missing] = None
    return Data(
        name="table",
        X=table.drop(columns=["income", "place"]),
        y=y,
        source=table["place"].to_numpy(dtype=object),
        rows=np.arange(1, len(table) + 1),
    )


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "labeled", "expected"),
    [
        (1000, 2, None, 100),
        (1000, 10, None, 120),
        (100, 2, None, 35),
        (1000, 2, 0.5, 350),
        (1000, 2, 6, 6),
        (1000, 2, 698, 698),
    ],
)
def test_the_number_of_labels_follows_the_option(n_rows, n_classes, labeled, expected):
    labels = np.arange(n_rows) % n_classes
    assert count_labeled(labels, labeled) == expected


@pytest.mark.parametrize("labeled", [5, 699, 0.001, 0.999])
def test_too_few_or_too_many_labels_are_refused_with_the_bounds(labeled):
    with pytest.raises(InputError, match="it must be 6 to 698"):
        count_labeled(np.arange(1000) % 2, labeled)


def test_the_results_are_those_of_cross_validate_gap_called_by_hand(table):
    data = as_data(table, n_missing=30)
    results = compare(make_model("tree", "forest", None), data, 40, 2, 2)
    expected = cross_validate_gap(
        WeakToStrongClassifier(
            make_estimator("tree"),
            make_estimator("forest"),
            overlap_detector=OverlapDetector(),
            missing_label=None,
        ),
        data.X,
        data.y,
        labeled_size=40,
        cv=StratifiedShuffleSplit(2, test_size=0.3, random_state=0),
        random_state=0,
    )
    for name in SCORES:
        key = f"{name}_score"
        assert np.array_equal(results[key], expected[key])
    assert np.array_equal(
        results["gap_recovered"], expected["gap_recovered"], equal_nan=True
    )
    assert results["n_labeled"].tolist() == [40, 40]
    assert results["n_test"].tolist() == [63, 63]
    assert results["n_unlabeled"].tolist() == [137, 137]


def test_a_fit_that_fails_is_no_number(table):
    broken = make_model("tree", "tree", None).set_params(strategy=print)
    with pytest.raises(TypeError):
        compare(broken, as_data(table), 40, 1, 1)


def test_a_file_with_unlabeled_rows_is_the_pool_as_it_is(table):
    data = as_data(table, n_missing=30)
    pool = take_pool(data, 40)
    assert pool.X is data.X
    assert pool.y is data.y
    assert pool.truth is data.y
    assert pool.source is data.source
    assert not pool.is_hidden


@pytest.mark.parametrize("has_source", [True, False])
def test_of_labeled_rows_the_pool_is_the_training_part_of_the_first_split(
    table, has_source
):
    data = as_data(table)
    if not has_source:
        data = dataclasses.replace(data, source=None)
    pool = take_pool(data, 40)
    cv = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    ((train, _),) = cv.split(data.X, data.y.astype(str))
    assert pool.rows.tolist() == (train + 1).tolist()
    assert pool.truth.tolist() == data.y[train].tolist()
    known = np.array([label is not None for label in pool.y])
    assert known.sum() == 40
    assert pool.y[known].tolist() == pool.truth[known].tolist()
    assert pool.X.equals(data.X.iloc[train])
    assert pool.is_hidden
    if has_source:
        assert pool.source.tolist() == data.source[train].tolist()
    else:
        assert pool.source is None

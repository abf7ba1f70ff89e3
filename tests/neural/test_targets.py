import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skorch.dataset import Dataset, ValidSplit

from sklearn_w2s._algorithms.weak_labels import one_hot
from sklearn_w2s.neural._targets import (
    OnLabels,
    check_distributions,
    labels_of,
    pack,
)

ROWS = np.zeros((2, 1))


@given(arrays(np.int64, 6, elements=st.integers(0, 3)))
def test_labels_of_packed_one_hot_targets_are_the_codes(codes):
    targets = pack(one_hot(codes, 4), np.arange(1.0, 7.0))

    np.testing.assert_array_equal(labels_of(targets), codes)
    np.testing.assert_array_equal(labels_of(torch.tensor(targets)), codes)
    np.testing.assert_array_equal(labels_of(codes), codes)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_packed_weights_of_any_scale_survive_single_precision(scale):
    targets = pack(np.eye(2), np.array([1.0, 2.0]) * scale)

    np.testing.assert_array_equal(targets[:, -1].astype(np.float32), [0.5, 1.0])


def test_columns_are_put_in_the_order_of_the_sorted_classes():
    distributions, classes = check_distributions(
        [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]], ["c", "a", "b"], ROWS
    )

    np.testing.assert_array_equal(classes, ["a", "b", "c"])
    np.testing.assert_array_equal(distributions, [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3]])


@pytest.mark.parametrize(
    ("distributions", "classes", "message"),
    [
        ([[0.5, 0.5], [0.5, 0.6]], [0, 1], r"row 1 is \[0.5, 0.6\]"),
        ([[1.5, -0.5], [0.5, 0.5]], [0, 1], "row 0 .* predict_proba"),
        ([[0.5, np.nan], [0.5, 0.5]], [0, 1], "distributions contains NaN"),
        ([[0.5, 0.5]], [0, 1], "inconsistent numbers of samples"),
        ([[0.5, 0.5], [0.5, 0.5]], [0, 1, 2], "2 columns, but classes is"),
        ([[0.5, 0.5], [0.5, 0.5]], ["a", "a"], "one different class label"),
    ],
)
def test_wrong_distributions_are_refused(distributions, classes, message):
    with pytest.raises(ValueError, match=message):
        check_distributions(distributions, classes, ROWS)


def test_a_stratified_split_of_packed_targets_is_that_of_the_labels():
    codes = np.tile([0, 0, 0, 1], 10)
    targets = pack(one_hot(codes, 2), np.ones(40))
    split = ValidSplit(5, stratified=True)

    _, expected = split(Dataset(codes, codes), codes)
    _, valid = OnLabels(split)(Dataset(targets, targets), targets)

    np.testing.assert_array_equal(valid.indices, expected.indices)
    assert codes[valid.indices].mean() == 0.25


def test_scores_are_shown_class_codes_through_their_own_extractor():
    targets = torch.tensor(pack(one_hot([1, 0], 2), np.ones(2)))

    np.testing.assert_array_equal(OnLabels(torch.Tensor.numpy)(targets), [1, 0])

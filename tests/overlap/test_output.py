import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import accuracy_score, confusion_matrix

from sklearn_w2s.overlap._output import RegionArray

NAMES = np.array(["easy", "hard", "overlap", "easy"])
REGIONS = NAMES.view(RegionArray)


def test_close_means_equal():
    assert np.isclose(REGIONS, NAMES).all()
    assert np.isclose(NAMES, REGIONS).all()
    assert_array_equal(np.isclose(REGIONS, "easy"), NAMES == "easy")
    assert np.isclose(REGIONS, REGIONS[::-1]).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    "function",
    [
        np.unique,
        np.sort,
        np.asarray,
        lambda regions: regions == "hard",
        lambda regions: np.concatenate([regions, regions]),
        lambda regions: np.where(regions == "hard", 1, 0),
        lambda regions: accuracy_score(NAMES, regions),
        lambda regions: confusion_matrix(regions, NAMES),
        lambda regions: regions.tolist(),
        lambda regions: pickle.loads(pickle.dumps(regions)),
    ],
)
def test_in_all_else_it_is_a_plain_array(function):
    assert_array_equal(function(REGIONS), function(NAMES))


def test_numpy_itself_has_no_close_strings():
    with pytest.raises(TypeError):
        np.isclose(NAMES, NAMES)


@pytest.mark.parametrize(
    "mask", [REGIONS == "easy", NAMES == REGIONS, ~(REGIONS != "easy")]
)
def test_masks_and_shares_of_regions_are_plain(mask):
    assert type(mask) is np.ndarray
    assert round(mask.mean(), 1) in {0.5, 1.0}

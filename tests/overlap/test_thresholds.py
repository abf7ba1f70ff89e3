import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_w2s._algorithms.change_point import change_point
from sklearn_w2s._algorithms.quantile import weighted_quantile
from sklearn_w2s.overlap import NoChangePointWarning
from sklearn_w2s.overlap._thresholds import find_threshold

SCORES = np.array([0.1, 0.2, 0.3, 0.9, 1.0])
WEIGHTS = np.array([1.0, 2, 1, 1, 5])


def find(threshold, threshold_type="value", scores=SCORES):
    return find_threshold(
        threshold,
        scores,
        WEIGHTS[: len(scores)],
        threshold_type=threshold_type,
        name="some_threshold",
    )


@pytest.mark.parametrize("threshold_type", ["value", "quantile"])
def test_auto_is_the_weighted_change_point(threshold_type):
    assert find("auto", threshold_type) == change_point(SCORES, WEIGHTS)


@pytest.mark.parametrize("number", [0, 1, 0.5, np.float32(0.5), np.inf, -3.0])
def test_a_number_is_the_value_itself(number):
    assert find(number) == number
    assert type(find(number)) is float


@pytest.mark.parametrize("q", [0, 0.25, 0.5, 1])
def test_a_number_may_be_a_weighted_quantile(q):
    assert find(q, "quantile") == weighted_quantile(SCORES, q, WEIGHTS)


@pytest.mark.parametrize("threshold_type", ["value", "quantile"])
def test_a_function_gives_a_value_whatever_numbers_mean(threshold_type):
    def threshold(scores, weights):
        assert_array_equal(scores, SCORES)
        assert_array_equal(weights, WEIGHTS)
        return 7

    assert find(threshold, threshold_type) == 7.0


@pytest.mark.parametrize("scores", [[0.5], [0.5] * 5, [0.0, 0.0]])
def test_scores_that_are_all_equal_have_none_and_a_warning(scores):
    with pytest.warns(NoChangePointWarning, match="some_threshold=.* no change point"):
        assert find("auto", scores=np.array(scores)) is None


@pytest.mark.parametrize(
    ("threshold", "threshold_type", "message"),
    [
        (np.nan, "value", "some_threshold=nan is not a number"),
        (-0.1, "quantile", r"some_threshold=-0.1 .* not in \[0, 1\]"),
        (lambda *_: "high", "value", r"some_threshold\(values, .*='high' is not"),
        (lambda *_: np.nan, "value", r"some_threshold\(values, .*=nan is not"),
    ],
)
def test_what_is_no_threshold_is_refused(threshold, threshold_type, message):
    with pytest.raises(ValueError, match=message):
        find(threshold, threshold_type)

"""The display draws the accuracy in each region, with its interval."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_w2s import OverlapDetector
from sklearn_w2s.datasets import make_overlap_classification
from sklearn_w2s.metrics import region_accuracy
from sklearn_w2s.plotting import RegionAccuracyDisplay

COLUMNS = ("easy", "hard", "overlap", "all")


def labels(n=120, names=("weak", "strong", "ceiling")):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=n)
    regions = rng.choice(COLUMNS[:3], size=n, p=[0.5, 0.3, 0.2])
    wrong = rng.random((len(names), n)) < 0.3
    return y, regions, dict(zip(names, np.where(wrong, 1 - y, y), strict=True))


def test_accuracies_are_those_of_the_regions_and_of_all_rows():
    y, regions, predictions = labels()
    display = RegionAccuracyDisplay.from_predictions(y, regions, predictions)
    for accuracy, predicted in zip(display.accuracy, predictions.values(), strict=True):
        expected = region_accuracy(y, predicted, regions)
        assert accuracy.tolist() == [*expected.values(), np.mean(predicted == y)]
    counts = [np.sum(regions == region) for region in COLUMNS[:3]]
    assert display.n_rows.tolist() == [*counts, len(y)]


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_are_those_of_wilson(level):
    y, regions, predictions = labels()
    display = RegionAccuracyDisplay.from_predictions(
        y, regions, predictions, confidence_level=level
    )
    for i, predicted in enumerate(predictions.values()):
        for j, region in enumerate(COLUMNS):
            rows = np.full(len(y), True) if region == "all" else regions == region
            n_right = int(np.sum(predicted[rows] == y[rows]))
            expected = binomtest(n_right, int(rows.sum())).proportion_ci(
                level, method="wilson"
            )
            drawn = (display.low[i, j], display.high[i, j])
            assert drawn == pytest.approx(tuple(expected), abs=1e-12)


def test_marks_stand_at_the_accuracies_side_by_side():
    y, regions, predictions = labels()
    display = RegionAccuracyDisplay.from_predictions(y, regions, predictions)
    assert tuple(display.marks_) == tuple(predictions)
    places = []
    for i, (points, _, (bars,)) in enumerate(display.marks_.values()):
        assert points.get_ydata().tolist() == display.accuracy[i].tolist()
        assert np.rint(points.get_xdata()).tolist() == [0, 1, 2, 3]
        places.append(points.get_xdata())
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends[:, 0], display.low[i])
        np.testing.assert_allclose(ends[:, 1], display.high[i])
    assert (np.diff(places, axis=0) > 0.1).all()
    np.testing.assert_allclose(np.mean(places, axis=0), np.arange(4), atol=1e-12)


def test_labels_and_legend_name_regions_rows_and_predictors():
    y, regions, predictions = labels(names=("_weak", "$5 rule", "ceiling"))
    display = RegionAccuracyDisplay.from_predictions(y, regions, predictions)
    ticks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert [text.split("\n")[0] for text in ticks] == list(COLUMNS)
    assert ticks[-1] == "all\n120 rows"
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(predictions)
    assert legend.get_title().get_text() == "with 95% intervals"
    assert display.ax_.get_ylabel() == "accuracy"
    display.figure_.canvas.draw()


def test_a_region_without_rows_has_no_mark():
    display = RegionAccuracyDisplay.from_predictions(
        [0, 1], ["easy", "easy"], {"weak": [0, 0]}
    )
    assert np.isnan(display.accuracy[0]).tolist() == [False, True, True, False]
    assert np.isnan(display.low[0]).tolist() == [False, True, True, False]
    assert display.ax_.get_xticklabels()[1].get_text() == "hard\n0 rows"
    display.figure_.canvas.draw()


def test_estimators_are_drawn_by_what_they_predict(plt):
    X, y, regions = make_overlap_classification(300, random_state=0)
    ax = plt.subplots()[1]
    estimators = {
        "constant": DummyClassifier().fit(X, y),
        "logistic": LogisticRegression().fit(X, y),
    }
    detector = OverlapDetector(random_state=0).fit(X, y)
    for given in (regions, detector):
        named = regions if given is regions else detector.predict(X)
        display = RegionAccuracyDisplay.from_estimator(estimators, X, y, given, ax=ax)
        expected = RegionAccuracyDisplay.from_predictions(
            y, named, {name: each.predict(X) for name, each in estimators.items()}
        )
        assert display.ax_ is ax
        np.testing.assert_array_equal(display.accuracy, expected.accuracy)


def test_twelve_predictors_differ_without_their_colours():
    names = [str(i) for i in range(12)]
    display = RegionAccuracyDisplay.from_predictions(*labels(names=names))
    looks = {
        (marks[0].get_marker(), marks[0].get_markerfacecolor() == "white")
        for marks in display.marks_.values()
    }
    assert len(looks) == 12


def test_names_of_classes_and_series_are_welcome():
    y, regions, predictions = labels()
    names = np.array(["no", "yes"])
    display = RegionAccuracyDisplay.from_predictions(
        pd.Series(names[y]),
        pd.Series(regions),
        {name: names[each] for name, each in predictions.items()},
        capsize=0,
    )
    same = RegionAccuracyDisplay.from_predictions(y, regions, predictions)
    np.testing.assert_array_equal(display.accuracy, same.accuracy)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions": [0, 1]}, "predictions=.* must be a dict"),
        ({"predictions": {}}, "must be a dict"),
        ({"regions": ["easy", "dull"]}, "regions holds 'dull'"),
        ({"regions": ["easy"]}, "inconsistent numbers"),
        ({"predictions": {"weak": ["a", "b"]}}, "differ in kind"),
        ({"confidence_level": 95}, "confidence_level=95 must be in"),
    ],
)
def test_bad_input_is_refused(changes, message):
    given = {"y_true": [0, 1], "regions": ["easy"] * 2, "predictions": {"a": [0, 1]}}
    with pytest.raises(ValueError, match=message):
        RegionAccuracyDisplay.from_predictions(**{**given, **changes})


def test_tables_of_another_shape_and_names_given_twice_are_refused():
    numbers = {name: np.ones((2, 4)) for name in ("accuracy", "low", "high")}
    given = {**numbers, "n_rows": [1, 1, 1, 3], "names": ["a", "b"]}
    with pytest.raises(ValueError, match=r"low has shape \(2, 3\)"):
        RegionAccuracyDisplay(**{**given, "low": np.ones((2, 3))})
    with pytest.raises(ValueError, match="are not unique"):
        RegionAccuracyDisplay(**{**given, "names": ["a", "a"]})
    with pytest.raises(ValueError, match="n_rows"):
        RegionAccuracyDisplay(**{**given, "n_rows": [1]})


def test_matplotlib_is_asked_for_when_it_is_missing(hide_matplotlib):
    hide_matplotlib()
    with pytest.raises(ImportError, match=r"pip install sklearn-w2s\[plot\]"):
        RegionAccuracyDisplay.from_predictions([0], ["easy"], {"weak": [0]})

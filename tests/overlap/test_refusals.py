"""What a detector refuses: the argument, its value and the fix are named."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.svm import LinearSVC

from sklearn_w2s import OverlapDetector


def returns(value):
    return lambda *_: value


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"weak_estimator": LinearSVC()},
            r"LinearSVC\(\) has no predict_proba.*Calibr",
        ),
        (
            {"weak_estimator": FrozenEstimator(LogisticRegression())},
            "weak_estimator=.*has no classes_: fit the classifier before",
        ),
        ({"weak_features": [9]}, r"weak_features=\[9\] does not choose columns of X"),
        ({"weak_features": []}, r"weak_features=\[\] chooses no column"),
        ({"weak_features": "a"}, "weak_features='a' does not choose"),
        ({"weak_features": 0.5}, "weak_features=0.5 does not choose"),
        ({"confidence": returns(0)}, r"confidence returned an array of shape \(\)"),
        ({"confidence": lambda p: p}, r"confidence returned .*\(300, 2\).*\(300,\)"),
        (
            {"confidence": lambda p: np.where(p[:, 0] > 0.5, np.nan, 1)},
            r"confidence returned nan for row \d+; it must return finite",
        ),
        ({"confidence_threshold": np.nan}, "confidence_threshold=nan is not a number"),
        (
            {"overlap_threshold": returns(None)},
            r"overlap_threshold\(values, sample_weight\)=None is not a number",
        ),
        (
            {"overlap_threshold": 1.5, "threshold_type": "quantile"},
            r"overlap_threshold=1.5 with .*quantile.* not in \[0, 1\]",
        ),
        ({"overlap_measure": returns([1])}, r"overlap_measure returned .*shape \(1,\)"),
        (
            {"overlap_measure": lambda rows, *_: np.full(len(rows), np.inf)},
            "overlap_measure returned inf for row 0",
        ),
        ({"overlap_measure": "cosine"}, "'overlap_measure' parameter .* must be"),
        ({"max_references": 0}, "'max_references' parameter .* must be"),
        ({"cv": 1}, "cv=1 does not split the 120 labeled rows"),
        ({"cv": 1.5}, "cv=1.5 does not split the 120 labeled rows"),
        ({"cv": "five"}, "cv='five' does not split the 120 labeled rows"),
    ],
)
def test_bad_parameters_are_named_and_refused(problem, make_detector, params, message):
    X, y, _ = problem
    with pytest.raises((ValueError, TypeError), match=message):
        make_detector(params.pop("weak_estimator", None), **params).fit(X, y)


def test_folds_of_one_class_are_refused(problem, make_detector):
    X, y, _ = problem
    order = np.argsort(y, kind="stable")
    with pytest.raises(ValueError, match=r"cv=KFold\(.* one class only to train"):
        make_detector(cv=KFold(2)).fit(X[order], y[order])


@pytest.mark.parametrize(
    ("fit_params", "message"),
    [
        ({}, "requires y to be passed, but the target y is None"),
        ({"y": np.full(300, -1)}, r"y has no label; weak_estimator needs labeled"),
        ({"y": np.r_[[0], np.full(299, -1)]}, r"one class only, \[0\]"),
        ({"y": np.zeros(299)}, r"inconsistent numbers of samples: \[300, 299\]"),
        ({"weak_proba": np.ones((300, 1))}, r"1 column.*np.column_stack"),
        ({"weak_proba": np.ones((300, 2))}, r"sum to 1; row 0 is \[1.0, 1.0\]"),
        ({"weak_proba": np.full((299, 2), 0.5)}, r"numbers of samples: \[300, 299\]"),
    ],
)
def test_bad_data_are_named_and_refused(problem, fit_params, message):
    X, _, _ = problem
    with pytest.raises(ValueError, match=message):
        OverlapDetector(LogisticRegression()).fit(X, **fit_params)


def test_a_region_that_does_not_exist_is_refused(problem, make_detector):
    X, y, _ = problem
    with pytest.raises(ValueError, match=r"region='harder' is not one of \['easy'"):
        make_detector().fit(X, y).get_support("harder")

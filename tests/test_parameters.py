"""Natural mistakes in names of parameters and in arguments are answered."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sklearn_w2s import OverlapDetector, UCBSourceSelector, WeakToStrongClassifier


def test_a_parameter_of_a_part_is_named_with_its_prefix():
    with pytest.raises(
        ValueError,
        match=r"'overlap_threshold' for WeakToStrongClassifier: did you mean "
        r"overlap_detector__overlap_threshold, with overlap_detector=OverlapDetector",
    ):
        WeakToStrongClassifier().set_params(overlap_threshold=0.5)
    model = WeakToStrongClassifier(LogisticRegression())
    with pytest.raises(ValueError, match=r"mean weak_estimator__C\?"):
        model.set_params(C=2.0)
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense' for estimator"):
        model.set_params(nonsense=1)


@pytest.mark.parametrize(
    ("estimator", "name", "example"),
    [
        (
            WeakToStrongClassifier(),
            "overlap_detector__overlap_threshold",
            r"overlap_detector=OverlapDetector\(\)",
        ),
        (WeakToStrongClassifier(), "weak_estimator__C", "weak_estimator=an estimator"),
        (OverlapDetector(), "weak_estimator__C", "weak_estimator=an estimator"),
        (
            UCBSourceSelector(),
            "overlap_detector__cv",
            r"overlap_detector=OverlapDetector\(\)",
        ),
    ],
)
def test_a_part_that_is_none_has_no_parameters(estimator, name, example):
    with pytest.raises(ValueError, match=f"which is None. Pass {example} first"):
        estimator.set_params(**{name: 1})


def test_a_search_says_which_part_is_missing():
    search = GridSearchCV(
        WeakToStrongClassifier(), {"overlap_detector__overlap_threshold": [0.1, 0.2]}
    )
    with pytest.raises(ValueError, match=r"which is None\. Pass overlap_detector="):
        search.fit(np.zeros((20, 2)), [0, 1] * 10)


def test_a_part_and_its_parameters_can_be_set_at_once():
    model = WeakToStrongClassifier()
    model.set_params(
        overlap_detector=OverlapDetector(), overlap_detector__overlap_threshold=0.3
    )
    assert model.overlap_detector.overlap_threshold == 0.3


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_unlabeled_rows_belong_into_x(method):
    X, y = np.zeros((4, 2)), [0, 1, 0, 1]
    estimators = [OverlapDetector()]
    if method == "fit":
        estimators.append(WeakToStrongClassifier())
    for estimator in estimators:
        fit = getattr(estimator, method)
        message = rf"{method} takes the unlabeled rows in X: .* missing_label=-1"
        with pytest.raises(TypeError, match=message):
            fit(X, y, X)
        with pytest.raises(TypeError, match=message):
            fit(X, y, X_unlabeled=X)

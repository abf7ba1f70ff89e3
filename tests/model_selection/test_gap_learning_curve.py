"""A learning curve is a row of comparisons on the same folds."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import cross_validate_gap, gap_learning_curve

X, Y = load_digits(n_class=3, return_X_y=True)
X, Y = X[:240] / 16, Y[:240]
MODEL = WeakToStrongClassifier(
    GaussianNB(),
    LogisticRegression(max_iter=500),
    weak_features=slice(0, 32),
    strategy="all",
)


def test_each_size_is_a_comparison_of_its_own():
    run = {"cv": 3, "random_state": 0}
    curve = gap_learning_curve(MODEL, X, Y, labeled_sizes=[20, 0.5], **run)
    assert curve["labeled_sizes"].tolist() == [20, 0.5]
    for position, size in enumerate((20, 0.5)):
        expected = cross_validate_gap(MODEL, X, Y, labeled_size=size, **run)
        for name, values in expected.items():
            if not name.endswith("_time"):
                np.testing.assert_array_equal(curve[name][position], values)
    assert curve["ceiling_fit_time"].shape == (2, 3)
    assert curve["gap_recovered_interval"].shape == (2, 2)


def test_unlabeled_rows_grow_beside_a_fixed_number_of_labels():
    curve = gap_learning_curve(
        MODEL,
        X,
        Y,
        labeled_sizes=20,
        unlabeled_sizes=[10, 60, None],
        cv=3,
        random_state=0,
    )
    assert curve["n_labeled"].tolist() == [[20] * 3] * 3
    assert curve["n_unlabeled"].tolist() == [[10] * 3, [60] * 3, [140] * 3]
    assert (curve["weak_score"] == curve["weak_score"][0]).all()


def test_all_sizes_have_the_folds_of_a_splitter_that_shuffles():
    cv = StratifiedKFold(3, shuffle=True)
    curve = gap_learning_curve(
        MODEL, X, Y, labeled_sizes=[0.2, 0.5], cv=cv, random_state=0
    )
    np.testing.assert_array_equal(curve["ceiling_score"][0], curve["ceiling_score"][1])


def test_regions_are_stacked_by_their_names():
    estimator = WeakToStrongClassifier(
        GaussianNB(),
        LogisticRegression(max_iter=500),
        overlap_detector=OverlapDetector(confidence_threshold=0.99),
        strategy="all",
    )
    curve = gap_learning_curve(
        estimator, X, Y, labeled_sizes=[30, 60], cv=3, random_state=0
    )
    assert curve["region_share"]["hard"].shape == (2, 3)
    assert curve["region_accuracy"]["weak"]["easy"].shape == (2, 3)


@pytest.mark.parametrize("sizes", [([10, 20], [1, 2, 3]), ([], None)])
def test_sizes_that_do_not_pair_are_refused(sizes):
    labeled, unlabeled = sizes
    with pytest.raises(ValueError, match="must be equally many"):
        gap_learning_curve(
            MODEL, X, Y, labeled_sizes=labeled, unlabeled_sizes=unlabeled, cv=3
        )

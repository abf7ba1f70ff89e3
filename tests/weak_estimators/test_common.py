"""Scikit-learn's own checks, as far as they give rows that a classifier can read."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)

from sklearn_w2s.weak_estimators import (
    ColumnProbaClassifier,
    FunctionClassifier,
    VoteClassifier,
)


class Abstaining:
    """A function whose name, unlike an address, is the same in every process."""

    def __call__(self, X):
        return np.full(X.shape[0], None)

    def __repr__(self):
        return "abstaining"


# What the rows of a check hold is what these classifiers predict from; nothing else is
# learned that could make up for rows that hold something else.
HOLD_OTHER_VOTES = {
    "check_classifiers_classes",  # fractions
    "check_classifiers_one_label",  # votes for more than the one class of y
    "check_classifiers_train",  # fractions
    "check_estimators_pickle",  # missing values
    "check_positive_only_tag_during_fit",  # fractions
    "check_sample_weight_equivalence_on_dense_data",  # fractions
}
HOLD_NO_PROBABILITIES = {
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_one_label",
    "check_classifiers_train",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weights_list",
    "check_sample_weights_not_an_array",
    "check_sample_weights_not_overwritten",
    "check_sample_weights_pandas_series",
    "check_sample_weights_shape",
    "check_supervised_y_2d",
}
VOTES = [VoteClassifier(), VoteClassifier(method="naive_bayes")]
READERS = [
    *((estimator, HOLD_OTHER_VOTES) for estimator in VOTES),
    (ColumnProbaClassifier(0), HOLD_NO_PROBABILITIES),
]
READABLE = [
    pytest.param(estimator, check, id=f"{estimator}-{name}-{position}")
    for estimator, unreadable in READERS
    for position, (estimator, check) in enumerate(
        estimator_checks_generator(estimator, legacy=True)
    )
    if (name := getattr(check, "func", check).__name__) not in unreadable
]


@parametrize_with_checks([FunctionClassifier(Abstaining())])
def test_every_check_passes_with_a_function(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), READABLE)
def test_every_check_passes_whose_rows_can_be_read(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator", [FunctionClassifier(Abstaining()), *VOTES, ColumnProbaClassifier(0)]
)
def test_parameters_are_validated_and_no_tag_hides_the_estimator(estimator):
    name = type(estimator).__name__
    estimator_checks.check_param_validation(name, clone(estimator))
    assert not get_tags(estimator)._skip_test
    assert not get_tags(estimator).no_validation

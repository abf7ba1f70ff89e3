"""Scikit-learn's own checks, those that it never selects included."""

import inspect
import re
from importlib.util import find_spec
from unittest import SkipTest

import pytest
from measures import EXACT_MEASURES
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)
from sklearn.utils.validation import has_fit_parameter

from sklearn_w2s import (
    OverlapDetector,
    UCBSourceSelector,
    WeakToStrongClassifier,
    WeakToStrongRegressor,
)

pytestmark = pytest.mark.usefixtures("few_folds")


def scaled_logistic():
    return make_pipeline(StandardScaler(), LogisticRegression())


def boosting():
    return HistGradientBoostingClassifier(max_iter=10)


DETECTORS = [
    OverlapDetector(),
    *(OverlapDetector(LogisticRegression(), overlap_measure=m) for m in EXACT_MEASURES),
    OverlapDetector(LogisticRegression(), refine_hard=False),
    # Cosines along the single axis that some of the checks leave are all one.
    OverlapDetector(
        LogisticRegression(), representation="pca", overlap_measure="mean_abs_dot"
    ),
    OverlapDetector(scaled_logistic(), passthrough=True),
    OverlapDetector(
        LogisticRegression(),
        confidence="entropy",
        confidence_threshold=0.3,
        overlap_threshold=0.5,
        threshold_type="quantile",
        missing_label=None,
    ),
    OverlapDetector(Ridge(solver="sparse_cg", tol=1e-10)),
]
CLASSIFIERS = [
    WeakToStrongClassifier(),
    *(
        WeakToStrongClassifier(LogisticRegression(), LogisticRegression(), **params)
        for params in (
            {},
            {"strategy": "all"},
            {"strategy": "confident"},
            {"strategy": "overlap"},
            {"strategy": "smooth"},
            {"strategy": "cut_statistic"},
            {"strategy": "mix"},
            {"strategy": "blend"},
            {"pseudo_labels": "hard", "missing_label": None},
            {"overlap_detector": OverlapDetector(), "strategy": "confidence"},
        )
    ),
    # Both have partial_fit.
    WeakToStrongClassifier(GaussianNB(), GaussianNB(), strategy="all"),
    WeakToStrongClassifier(LogisticRegression(), boosting()),
    WeakToStrongClassifier(boosting(), boosting(), strategy="all"),
    WeakToStrongClassifier(DummyClassifier(strategy="prior"), LogisticRegression()),
    WeakToStrongClassifier(scaled_logistic(), scaled_logistic(), strategy="all"),
]
REGRESSORS = [
    WeakToStrongRegressor(),
    *(
        WeakToStrongRegressor(Ridge(), LinearRegression(), strategy=strategy)
        for strategy in ("auto", "all", "smooth", "cut_statistic", "mix", "blend")
    ),
    WeakToStrongRegressor(Ridge(), HistGradientBoostingRegressor(max_iter=10)),
    WeakToStrongRegressor(
        DummyRegressor(),
        make_pipeline(StandardScaler(), LinearRegression()),
        strategy="all",
    ),
]
TREES = WeakToStrongClassifier(LogisticRegression(), DecisionTreeClassifier())
PERCEPTRON = WeakToStrongClassifier(
    LogisticRegression(),
    MLPClassifier(hidden_layer_sizes=8, solver="lbfgs", max_iter=50),
    strategy="all",
)
SELECTORS = [
    UCBSourceSelector(),
    UCBSourceSelector(LogisticRegression()),
    UCBSourceSelector(
        WeakToStrongClassifier(
            LogisticRegression(), LogisticRegression(), strategy="all"
        )
    ),
]
ESTIMATORS = [*DETECTORS, *CLASSIFIERS, *REGRESSORS, *SELECTORS]

# As it does for SelfTrainingClassifier: the checks know no unlabeled rows.
ALL_LABELED = pytest.mark.filterwarnings(
    "ignore:y contains no unlabeled samples:UserWarning"
)
# Pure leaves have classes of probability zero.
LOG_OF_ZERO = pytest.mark.filterwarnings(
    "ignore:divide by zero encountered in log:RuntimeWarning"
)
NEVER_YIELDED = [
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
    "check_param_validation",
]
NEVER_YIELDED_FOR_TRANSFORMERS = [
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
# The subject of every check that says nothing of these estimators, and the checks
# that others call.
OTHER_SUBJECTS = re.compile(
    "cluster|outlier|multilabel|classifier_multioutput|class_weight|array_api|sparsify"
    "|nonsquare|non_negative|stateless|not_supporting_multiclass"
    "|check_estimator$|check_classifiers_predictions|check_estimators_data_not_an_array"
)


def run(check, *arguments):
    """Run a check that must not be skipped unless a library is not installed."""
    try:
        check(*arguments)
    except SkipTest as skip:
        missing = [name for name in ("pandas", "polars") if not find_spec(name)]
        if not any(name in str(skip) for name in missing):
            pytest.fail(f"skipped: {skip}")
        raise


@ALL_LABELED
# A y of NaN has no label, which is an error later on.
@pytest.mark.filterwarnings(
    "ignore:strategy=.* needs (labels of two|5 labels):UserWarning"
)
# The few rows of a check can be alike in all scores.
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@parametrize_with_checks([*DETECTORS, *CLASSIFIERS, *REGRESSORS])
def test_every_check_of_scikit_learn_passes(estimator, check):
    run(check, estimator)


# Burn-in batches of these small pools can hold rows that are all alike.
@ALL_LABELED
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@parametrize_with_checks(SELECTORS)
def test_every_check_passes_with_sources(estimator, check):
    run(check, estimator)


@ALL_LABELED
@LOG_OF_ZERO
@parametrize_with_checks([TREES])
def test_every_check_passes_with_trees(estimator, check):
    run(check, estimator)


@pytest.mark.skipif(
    not has_fit_parameter(MLPClassifier(), "sample_weight"),
    reason="before scikit-learn 1.7 the perceptron takes no sample_weight",
)
@ALL_LABELED
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([PERCEPTRON])
def test_every_check_passes_with_a_perceptron(estimator, check):
    run(check, estimator)


@ALL_LABELED
@LOG_OF_ZERO
@pytest.mark.filterwarnings("ignore::sklearn_w2s.overlap.NoChangePointWarning")
@pytest.mark.parametrize("name", NEVER_YIELDED)
@pytest.mark.parametrize("estimator", [*ESTIMATORS, TREES])
def test_checks_that_scikit_learn_does_not_select_pass(name, estimator):
    run(getattr(estimator_checks, name), type(estimator).__name__, clone(estimator))


# These checks fit on data frames and go on with arrays.
@pytest.mark.filterwarnings(
    "ignore:X (has|does not have valid) feature names:UserWarning"
)
@pytest.mark.parametrize("name", NEVER_YIELDED_FOR_TRANSFORMERS)
@pytest.mark.parametrize("detector", DETECTORS)
def test_checks_of_transformers_that_scikit_learn_does_not_select_pass(name, detector):
    run(getattr(estimator_checks, name), "OverlapDetector", clone(detector))


@pytest.mark.parametrize("estimator", [*ESTIMATORS, TREES, PERCEPTRON])
def test_no_tag_hides_an_estimator_from_the_checks(estimator):
    assert not get_tags(estimator)._skip_test
    assert not get_tags(estimator).no_validation
    assert not get_tags(estimator).non_deterministic
    assert len(list(yielded(estimator))) > 35


def test_every_check_that_is_not_run_is_about_another_subject():
    defined = {
        name
        for name, function in vars(estimator_checks).items()
        if name.startswith("check_")
        and inspect.isroutine(function)
        and function.__module__ == estimator_checks.__name__
    }
    ran = {name for estimator in ESTIMATORS for name in yielded(estimator)}
    left = defined - ran - {*NEVER_YIELDED, *NEVER_YIELDED_FOR_TRANSFORMERS}
    assert [name for name in sorted(left) if not OTHER_SUBJECTS.search(name)] == []


def yielded(estimator):
    for _, check in estimator_checks_generator(estimator, legacy=True):
        yield getattr(check, "func", check).__name__

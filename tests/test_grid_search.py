"""Searches over nested parameters, where y holds unlabeled rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_w2s import OverlapDetector, WeakToStrongClassifier
from sklearn_w2s.model_selection import LabeledScorer, LabeledSplit

THRESHOLDS = ["auto", 0.25, 0.75]
STRATEGIES = ["all", "confident", "overlap"]
GRID = {
    "overlap_detector__overlap_threshold": THRESHOLDS,
    "strategy": STRATEGIES,
}


@pytest.fixture
def table():
    """Mixed columns with gaps, and a target of which two thirds are unlabeled."""
    rng = np.random.default_rng(0)
    n = 300
    size = rng.normal(size=n)
    colour = rng.choice(["red", "green", "blue"], size=n)
    signal = size + (colour == "red") + rng.normal(scale=0.5, size=n)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            "colour": pd.Categorical(colour),
            "note": np.where(rng.random(n) < 0.2, None, colour),
            "flag": rng.random(n) < 0.5,
        },
        index=rng.permutation(n) + 1000,
    )
    y_true = (signal > 0.3).astype(int)
    y = np.where(rng.random(n) < 1 / 3, y_true, -1)
    return frame, y, y_true


def classifier(**params):
    strong = make_pipeline(
        FunctionTransformer(lambda X: X[["size", "colour", "flag"]]),
        HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype"),
    )
    return WeakToStrongClassifier(
        strong_estimator=strong,
        overlap_detector=OverlapDetector(threshold_type="quantile"),
        random_state=0,
        **params,
    )


def test_a_search_over_thresholds_and_strategies_scores_the_labeled_rows(table):
    X, y, y_true = table
    scoring = ["roc_auc", "accuracy", "neg_log_loss"]
    search = GridSearchCV(
        classifier(), GRID, cv=LabeledSplit(3), scoring=scoring, refit="accuracy"
    )

    search.fit(X, y)

    results = search.cv_results_
    assert len(results["params"]) == len(THRESHOLDS) * len(STRATEGIES)
    for name in scoring:
        assert np.isfinite(results[f"mean_test_{name}"]).all()
    assert search.classes_.tolist() == [0, 1]
    assert np.mean(search.predict(X) == y_true) > max(y_true.mean(), 0.7)


def test_a_cache_changes_no_score(table, tmp_path):
    X, y, _ = table

    grid = {**GRID, "strategy": ["overlap"]}
    scores = [
        GridSearchCV(classifier(memory=memory), grid, cv=LabeledSplit(3))
        .fit(X, y)
        .cv_results_["mean_test_score"]
        for memory in (None, str(tmp_path))
    ]

    np.testing.assert_array_equal(*scores)


def test_other_splitters_work_with_the_scorer_or_with_the_own_score(table):
    X, y, _ = table
    folds = StratifiedKFold(3)

    own, scorer = (
        cross_val_score(classifier(), X, y, cv=folds, scoring=scoring)
        for scoring in (None, LabeledScorer("accuracy"))
    )

    np.testing.assert_array_equal(own, scorer)
    assert own.mean() > 0.6


def test_string_labels_with_a_sentinel_are_searched_alike(table):
    X, y, _ = table
    named = np.array(["no", "yes", ""])[y]

    plain, strings = (
        GridSearchCV(
            classifier(missing_label=marker),
            {"strategy": ["all", "overlap"]},
            cv=LabeledSplit(3, missing_label=marker),
        )
        .fit(X, target)
        .cv_results_["mean_test_score"]
        for marker, target in ((-1, y), ("", named))
    )

    np.testing.assert_allclose(plain, strings)


class Counting(LogisticRegression):
    """A classifier that counts its fits."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


def on_numbers(classifier):
    encode = make_column_transformer((SimpleImputer(), ["size", "flag"]))
    return make_pipeline(encode, classifier)


@pytest.mark.parametrize("random_state", [None, 0])
def test_a_cache_fits_the_weak_estimator_once_per_fold(table, tmp_path, random_state):
    X, y, _ = table
    Counting.n_fits = 0
    model = WeakToStrongClassifier(
        on_numbers(Counting()),
        on_numbers(LogisticRegression()),
        overlap_detector=OverlapDetector(threshold_type="quantile"),
        memory=str(tmp_path),
        random_state=random_state,
    )
    grid = {**GRID, "strong_estimator__logisticregression__C": [0.1, 1.0]}

    GridSearchCV(model, grid, cv=LabeledSplit(3), error_score="raise").fit(X, y)

    # Three training sets and all rows: one fit each, and five to cross-fit.
    assert Counting.n_fits == (3 + 1) * (1 + 5)


def test_parameters_of_every_depth_are_searched(table):
    X, y, _ = table
    scale = make_column_transformer(
        (StandardScaler(), ["size"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    weak = on_numbers(LogisticRegression())
    model = classifier().set_params(weak_estimator=weak)
    grid = {
        "columntransformer__standardscaler__with_mean": [True, False],
        "weaktostrongclassifier__weak_estimator__logisticregression__C": [0.1, 1.0],
        "weaktostrongclassifier__overlap_detector__overlap_measure": ["max_dot"],
        "weaktostrongclassifier__strategy": ["confident"],
    }

    search = GridSearchCV(
        make_pipeline(scale, model), grid, cv=LabeledSplit(3), error_score="raise"
    ).fit(X, y)

    assert len(search.cv_results_["params"]) == 4
    fitted = search.best_estimator_[-1]
    assert fitted.overlap_detector_.overlap_measure == "max_dot"
    assert fitted.strong_estimator_[-1].is_categorical_.tolist() == [False, True, False]


def test_a_detector_is_searched_inside_a_pipeline(table):
    X, _, y_true = table
    detector = OverlapDetector(threshold_type="quantile", passthrough=True)
    pipe = make_pipeline(detector, on_numbers(LogisticRegression()))

    search = GridSearchCV(
        pipe, {"overlapdetector__overlap_threshold": [0.2, 0.8]}, error_score="raise"
    ).fit(X, y_true)

    assert search.best_score_ > 0.6


def test_every_training_set_holds_all_unlabeled_rows(table):
    X, y, _ = table

    models = cross_validate(
        classifier().set_params(store_rows=True),
        X,
        y,
        cv=LabeledSplit(3),
        return_estimator=True,
    )["estimator"]

    n_labeled = np.sum(y >= 0)
    for model in models:
        n_rows = len(model.rows_["label"])
        assert n_rows == pytest.approx(len(y) - n_labeled / 3, abs=1)

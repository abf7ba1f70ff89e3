"""A score of the labeled rows is the inner scorer's, whatever the other rows are."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import coo_matrix, csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_w2s.model_selection import LabeledScorer

X, Y_TRUE = make_classification(160, flip_y=0.2, random_state=0)
LABELED = np.random.default_rng(0).random(160) < 0.6
Y = np.where(LABELED, Y_TRUE, -1)
WEIGHTS = np.random.default_rng(1).integers(1, 5, 160).astype(float)
MODEL = LogisticRegression(C=0.01).fit(X[:40], Y_TRUE[:40])
NAMES = ["accuracy", "roc_auc", "neg_log_loss", "balanced_accuracy", "f1"]


def plain_scorer(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


def expected(name, weights=None):
    arguments = {} if weights is None else {"sample_weight": weights[LABELED]}
    return get_scorer(name)(MODEL, X[LABELED], Y_TRUE[LABELED], **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_it_scores_the_labeled_rows(name):
    assert LabeledScorer(name)(MODEL, X, Y) == expected(name)
    assert LabeledScorer(get_scorer(name))(MODEL, X, Y) == expected(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
def test_weights_are_cut_to_the_labeled_rows(name, container):
    score = LabeledScorer(name)(MODEL, X, Y, sample_weight=container(WEIGHTS))
    assert score == pytest.approx(expected(name, WEIGHTS))


@pytest.mark.parametrize("container", [np.asarray, csr_array, coo_matrix])
def test_arrays_and_sparse_matrices_are_cut(container):
    assert LabeledScorer("roc_auc")(MODEL, container(X), Y) == expected("roc_auc")


@pytest.mark.parametrize("library", [pd, pl])
def test_data_frames_are_cut_by_position_and_keep_their_names(library):
    columns = [f"x{i}" for i in range(X.shape[1])]
    frame = library.DataFrame(dict(zip(columns, X.T, strict=True)))
    model = LogisticRegression(C=0.01).fit(frame[:40], Y_TRUE[:40])
    if library is pd:
        frame.index = frame.index[::-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LabeledScorer("roc_auc")(model, frame, Y) == expected("roc_auc")


def test_lists_are_cut():
    score = LabeledScorer(plain_scorer)(MODEL, X.tolist(), Y.tolist())
    assert score == expected("accuracy")


@pytest.mark.parametrize("missing_label", ["", None])
def test_string_labels_are_scored(missing_label):
    names = np.array(["no", "yes"])
    model = LogisticRegression().fit(X, names[Y_TRUE])
    y = np.where(LABELED, names[Y_TRUE], missing_label)
    scorer = LabeledScorer(missing_label=missing_label)
    wanted = accuracy_score(names[Y_TRUE][LABELED], model.predict(X[LABELED]))
    assert scorer(model, X, y) == wanted
    assert scorer(model, X, pd.Series(y, dtype=object)) == wanted


def test_a_fold_that_holds_minus_one_and_one_only_is_not_taken_for_two_classes():
    y = np.where(Y == 0, -1, Y)
    labeled = y == 1
    score = LabeledScorer()(MODEL, X, y)
    assert score == accuracy_score(y[labeled], MODEL.predict(X[labeled]))


def test_minus_one_is_a_class_where_the_estimator_knows_it_as_one():
    y = np.where(Y_TRUE == 0, -1, 1)
    model = LogisticRegression().fit(X, y)
    score = LabeledScorer()(model, X, y)
    assert score == accuracy_score(y, model.predict(X))


def test_nothing_labeled_is_refused():
    with pytest.raises(ValueError, match="all 3 values of y are the missing label -1"):
        LabeledScorer()(MODEL, X[:3], [-1] * 3)


def test_a_missing_y_is_refused():
    with pytest.raises(ValueError, match="y is None"):
        LabeledScorer()(MODEL, X, None)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LabeledScorer()(MODEL, X, Y[:-1])


@pytest.mark.parametrize("scoring", ["acuracy", None, ["accuracy"], accuracy_score])
def test_what_is_no_scorer_is_refused_at_once(scoring):
    with pytest.raises(ValueError, match="scor"):
        LabeledScorer(scoring)


def test_it_survives_pickling_and_cloning_of_a_search():
    copy = pickle.loads(pickle.dumps(LabeledScorer("roc_auc", missing_label=-1)))
    assert copy(MODEL, X, Y) == expected("roc_auc")
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, scoring=copy)
    assert clone(search).scoring(MODEL, X, Y) == expected("roc_auc")


def test_it_is_shown_with_its_arguments():
    assert repr(LabeledScorer("f1")) == "LabeledScorer('f1', missing_label=-1)"


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss"])
def test_any_splitter_is_scored_on_the_labeled_rows(scoring):
    model = SelfTrainingClassifier(LogisticRegression())
    cv = StratifiedKFold(3)
    arguments = {"cv": cv, "scoring": LabeledScorer(scoring), "error_score": "raise"}
    result = cross_validate(model, X, Y, return_estimator=True, **arguments)
    for (_, test), fitted, score in zip(
        cv.split(X, Y), result["estimator"], result["test_score"], strict=True
    ):
        rows = test[Y[test] != -1]
        assert score == get_scorer(scoring)(fitted, X[rows], Y[rows])
    search = GridSearchCV(model, {"threshold": [0.7, 0.9]}, **arguments).fit(X, Y)
    assert search.score(X, Y) == get_scorer(scoring)(search, X[LABELED], Y[LABELED])


def test_several_scorers_work_side_by_side():
    result = cross_validate(
        SelfTrainingClassifier(LogisticRegression()),
        X,
        Y,
        scoring={name: LabeledScorer(name) for name in NAMES},
        error_score="raise",
    )
    for name in NAMES:
        assert np.isfinite(result[f"test_{name}"]).all()


def weighted_folds(scoring):
    """Return the scores of a weighted fit, by a scorer that may ask for weights."""
    search = GridSearchCV(
        LogisticRegression().set_fit_request(sample_weight=True),
        {"C": [0.01]},
        scoring=scoring,
        cv=3,
        error_score="raise",
    )
    search.fit(X, Y_TRUE, sample_weight=WEIGHTS)
    return [search.cv_results_[f"split{i}_test_score"][0] for i in range(3)]


def test_metadata_routing_is_that_of_the_inner_scorer():
    with config_context(enable_metadata_routing=True):
        inner = get_scorer("accuracy").set_score_request(sample_weight=True)
        with_weights = weighted_folds(LabeledScorer(inner))
        assert with_weights == weighted_folds(inner)
        inner = get_scorer("accuracy").set_score_request(sample_weight=False)
        without = weighted_folds(LabeledScorer(inner))
        assert without == weighted_folds(inner)
        assert with_weights != without
        several = {
            "weighted": LabeledScorer(
                get_scorer("accuracy").set_score_request(sample_weight=True)
            ),
            "plain": LabeledScorer(inner),
        }
        result = cross_validate(
            LogisticRegression(C=0.01).set_fit_request(sample_weight=True),
            X,
            Y_TRUE,
            cv=3,
            scoring=several,
            params={"sample_weight": WEIGHTS},
        )
        assert result["test_weighted"].tolist() == with_weights
        assert result["test_plain"].tolist() == without


def test_routed_metadata_of_any_name_are_cut_to_the_labeled_rows():
    def count_and_compare(y_true, y_pred, costs, offset):
        assert len(costs) == len(y_true)
        return float(np.sum(costs * (y_true == y_pred)) + offset)

    with config_context(enable_metadata_routing=True):
        inner = make_scorer(count_and_compare).set_score_request(
            costs=True, offset=True
        )
        score = LabeledScorer(inner)(MODEL, X, Y, costs=WEIGHTS, offset=2)
    hits = MODEL.predict(X) == Y
    assert score == WEIGHTS[LABELED & hits].sum() + 2


def test_without_routing_searches_pass_weights_to_scorers_that_take_them():
    assert LabeledScorer("accuracy")._accept_sample_weight()
    assert not LabeledScorer(plain_scorer)._accept_sample_weight()
    arguments = {"cv": 3, "error_score": "raise"}
    plain, labeled = (
        GridSearchCV(
            LogisticRegression(), {"C": [0.01, 1]}, scoring=scoring, **arguments
        )
        .fit(X, Y_TRUE, sample_weight=WEIGHTS)
        .cv_results_["mean_test_score"]
        for scoring in ("accuracy", LabeledScorer("accuracy"))
    )
    assert plain.tolist() == labeled.tolist()

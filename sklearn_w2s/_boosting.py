"""Boosting libraries learn distributions over the classes without repeated rows.

Each learns by the gradients and Hessians that its own objective has on one row for each
class, weighted by its probability. What is fitted has the standard objective.
"""

import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import clone

_TREES = "max_depth n_estimators learning_rate subsample reg_alpha reg_lambda"
_SETTINGS = "random_state n_jobs importance_type colsample_bytree min_child_weight"

_ROWS_AT_ONCE = 2**11


class _Learner(NamedTuple):
    """How a classifier of a library learns distributions."""

    fit: Callable
    least_version: tuple[int, int]
    most_classes: float
    ignores_labels: frozenset  # parameters for which the kind of labels does not matter
    standard: dict  # values of others, besides None, that mean what happens here


def takes_distributions(estimator, n_classes=None):
    """Return whether `fit_distributions` does what the estimator does with labels."""
    # Subclasses may mean something else and are not trusted.
    kind = type(estimator)
    learner = _LEARNERS.get((kind.__module__, kind.__name__))
    if learner is None or (n_classes or np.inf) > learner.most_classes:
        return False
    means_the_same = all(
        name in learner.ignores_labels or value in learner.standard.get(name, ())
        for name, value in estimator.get_params(deep=False).items()
        if value is not None
    )
    if not means_the_same:
        return False
    library = import_module(kind.__module__.split(".")[0])
    version = tuple(map(int, library.__version__.split(".")[:2]))
    return version >= learner.least_version


def fit_distributions(estimator, X, distributions, classes, weights):
    """Fit a classifier that `takes_distributions` on no fewer rows than classes."""
    totals = weights @ distributions
    named = totals > 0
    if not named.all():
        distributions = distributions[:, named]
    kind = type(estimator)
    fit = _LEARNERS[kind.__module__, kind.__name__].fit
    fit(estimator, X, distributions, classes[named], weights, totals[named])
    return estimator


def _objective(distributions, weights, factor, start=0.0, least=0.0):
    """Return a function from scores to gradients and Hessians of the log loss.

    It adds `start` to the scores and writes gradients to `out`, perhaps the scores.
    """
    # Few rows at a time, so that besides Hessians no new array is as long as they are.
    hessians = None

    def gradients(scores, out):
        nonlocal hessians
        if hessians is None:
            # Taken once; where it is taken for each tree, gaps between others stay.
            hessians = np.empty_like(scores, dtype=np.float32)
        for first in range(0, len(scores), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            proba, targets, w = scores[rows] + start, distributions[rows], weights[rows]
            if proba.ndim == 1:
                proba, targets = expit(proba), targets[:, 1]
            else:
                proba, w = softmax(proba, axis=1), w[:, None]
            hessians[rows] = np.maximum(factor * w * proba * (1 - proba), least)
            out[rows] = w * (proba - targets)
        return out, hessians

    return gradients


def _fit_xgboost(estimator, X, distributions, _, weights, totals):
    n_classes, base_score = len(totals), estimator.base_score
    codes = np.arange(n_classes, dtype=np.min_scalar_type(n_classes))
    labels = np.resize(codes, len(distributions))
    # A sum of zero has no split, and no leaf.
    factor, least = (1, 1e-16) if n_classes == 2 else (2, 1e-6)
    gradients = _objective(distributions, weights, factor, least=least)

    def objective(_, scores, sample_weight):  # noqa: ARG001
        # They are a copy of the library's.
        return gradients(scores, out=scores)

    name = "binary:logistic" if n_classes == 2 else "multi:softprob"
    try:
        if base_score is None:
            estimator.base_score = _intercept(type(estimator), totals)
        # XGBoost computes with these gradients and keeps its own objective.
        estimator.objective = objective
        estimator.fit(X, labels, sample_weight=weights)
    finally:
        estimator.objective, estimator.base_score = name, base_score


def _intercept(kind, totals):
    """Return what XGBoost starts from, as its version does with these class weights."""
    codes = np.arange(len(totals))
    few = kind(n_estimators=1, n_jobs=1).fit(
        np.zeros((len(codes), 1)), codes, sample_weight=totals
    )
    config = json.loads(few.get_booster().save_config())
    return config["learner"]["learner_model_param"]["base_score"]


def _fit_lightgbm(estimator, X, distributions, classes, weights, totals):
    n_classes = len(totals)
    if n_classes == 2:
        factor, start = 1.0, np.log(totals[1] / totals[0])
        name, header = "binary", "binary sigmoid:1"
    else:
        factor, start = n_classes / (n_classes - 1), np.log(totals / totals.sum())
        name, header = "multiclass", f"multiclass num_class:{n_classes}"
    gradients = _objective(distributions, weights, factor, start)

    def objective(_, scores):
        # They are the library's own.
        return gradients(scores, out=np.empty_like(scores, dtype=np.float32))

    # Labels only give which classes there are.
    labels = np.resize(classes, len(distributions))
    library = import_module("lightgbm.basic")
    try:
        estimator.set_params(objective=objective)
        estimator.fit(X, labels, sample_weight=weights)
    except library.LightGBMError as error:
        if "num_features" not in str(error):
            raise
        # Without a column to split on its own objective alone finds the class shares.
        _, codes = np.unique(labels, return_inverse=True)
        shares = (totals / np.bincount(codes))[codes]
        estimator.set_params(objective=None).fit(X, labels, sample_weight=shares)
        return
    finally:
        estimator.set_params(objective=None)
        # What it was fitted with is kept beside the parameter.
        estimator._objective = name  # noqa: SLF001
    booster = estimator.booster_
    _add_to_first_trees(booster, np.atleast_1d(start))
    text = booster.model_to_string(num_iteration=-1)
    text = re.sub(
        r"^(max_feature_idx=.*)$", rf"\1\nobjective={header}", text, count=1, flags=re.M
    )
    text = text.replace("[objective: custom]", f"[objective: {name}]")
    booster.model_from_string(text)
    booster.params["objective"] = name


def _add_to_first_trees(booster, start):
    """Add to the trees what training started from, as LightGBM does by itself."""
    trees = booster.dump_model(num_iteration=1)["tree_info"]
    for position, (tree, value) in enumerate(zip(trees, start, strict=True)):
        for leaf in range(tree["num_leaves"]):
            output = booster.get_leaf_output(position, leaf)
            booster.set_leaf_output(position, leaf, output + value)


_OF_COLUMNS_AND_OUTPUT = frozenset(
    [
        "cat_features",
        "verbose",
        "silent",
        "logging_level",
        "metric_period",
        "train_dir",
        "allow_writing_files",
    ]
)


class _StopAtOnce:
    def after_iteration(self, _):
        return False


def _fit_catboost(estimator, X, distributions, classes, weights, _):
    params = estimator.get_params()
    others = {k: v for k, v in params.items() if k not in _OF_COLUMNS_AND_OUTPUT}

    def hard(n):
        return type(estimator)(**others, allow_writing_files=False).fit(
            np.arange(n)[:, None],
            np.resize(classes, n),
            callbacks=[_StopAtOnce()],
            logging_level="Silent",
        )

    soft = clone(estimator).set_params(loss_function="CrossEntropy")
    if not {"learning_rate", "eta"} & set(params):
        # It depends on the number of rows, and CrossEntropy would choose none.
        soft.set_params(learning_rate=_learning_rate(hard, len(distributions)))
    soft.fit(X, distributions[:, 1].astype(np.float32), sample_weight=weights)
    known = soft.get_metadata()
    known["class_params"] = hard(2).get_metadata()["class_params"]
    known["params"] = known["params"].replace('"CrossEntropy"', '"Logloss"')
    state = soft.__getstate__()
    for name in {"loss_function", "learning_rate"} - set(params):
        state.pop(name, None)
    estimator.__setstate__(state | params)


def _learning_rate(hard, n):
    """Return what CatBoost chooses for n rows, without the memory that they take."""
    # Up to its bound of 0.5 that is a power of their number.
    few, many = 128, 8192
    if n <= many:
        return hard(n).learning_rate_
    low, high = hard(few).learning_rate_, hard(many).learning_rate_
    exponent = np.log(high / low) / np.log(many / few)
    return min(0.5, round(float(high * (n / many) ** exponent), 6))


_LEARNERS = {
    ("xgboost.sklearn", "XGBClassifier"): _Learner(
        _fit_xgboost,
        (2, 1),
        np.inf,
        frozenset(
            f"""{_TREES} {_SETTINGS} max_leaves max_bin grow_policy verbosity
            tree_method gamma max_delta_step sampling_method colsample_bylevel
            colsample_bynode base_score missing num_parallel_tree monotone_constraints
            interaction_constraints device validate_parameters enable_categorical
            feature_types feature_weights max_cat_to_onehot max_cat_threshold
            eval_metric callbacks""".split()
        ),
        {
            "objective": ("binary:logistic", "multi:softprob"),
            "booster": ("gbtree",),
            "scale_pos_weight": (1,),
            "multi_strategy": ("one_output_per_tree",),
        },
    ),
    ("lightgbm.sklearn", "LGBMClassifier"): _Learner(
        _fit_lightgbm,
        (4, 0),
        np.inf,
        frozenset(
            f"""{_TREES} {_SETTINGS} num_leaves subsample_for_bin subsample_freq
            min_split_gain min_child_samples verbose verbosity max_bin min_data_in_bin
            deterministic force_row_wise force_col_wise categorical_feature cat_smooth
            cat_l2 max_cat_to_onehot max_cat_threshold min_data_per_group extra_trees
            path_smooth colsample_bynode monotone_constraints max_delta_step
            device_type""".split()
        ),
        {"boosting_type": ("gbdt",)},
    ),
    ("catboost.core", "CatBoostClassifier"): _Learner(
        _fit_catboost,
        (1, 2),
        2,
        frozenset(
            f"""{_TREES} iterations num_trees num_boost_round eta depth l2_leaf_reg
            random_seed random_state thread_count verbose silent logging_level
            metric_period allow_writing_files train_dir cat_features one_hot_max_size
            border_count max_bin feature_border_type nan_mode rsm colsample_bylevel
            bootstrap_type bagging_temperature random_strength grow_policy
            min_data_in_leaf min_child_samples max_leaves num_leaves
            leaf_estimation_iterations leaf_estimation_method""".split()
        ),
        {"loss_function": ("Logloss",), "task_type": ("CPU",)},
    ),
}

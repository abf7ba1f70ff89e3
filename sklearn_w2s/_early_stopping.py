"""Early stopping of boosting on validation rows: who stops on them, and how they pass.

Libraries are known by the names of their classes, so that none is imported.
"""

from importlib import import_module
from inspect import signature

from sklearn.pipeline import Pipeline

from sklearn_w2s._coded import CodedClassifier

# Histogram gradient boosting stops early by default where there are more rows.
MOST_WITHOUT_STOPPING = 10_000
_BASES = {
    ("sklearn", "BaseHistGradientBoosting"),
    ("xgboost", "XGBModel"),
    ("lightgbm", "LGBMModel"),
    ("catboost", "CatBoost"),
}
# By these arguments of `fit` users pass validation rows themselves.
_OF_USERS = {"X_val", "eval_set", "eval_X"}
_ROUNDS_OF_LIGHTGBM = (
    "early_stopping_round",
    "early_stopping_rounds",
    "early_stopping",
    "n_iter_no_change",
)
_DETECTORS_OF_CATBOOST = (
    "early_stopping_rounds",
    "od_type",
    "od_pval",
    "use_best_model",
)


def stops_early(estimator, n_rows, params):
    """Say whether an estimator stops early and its `fit` takes rows to decide it on.

    It learns from `n_rows` rows; `params` are the arguments of `fit` without these.
    """
    if isinstance(estimator, Pipeline):
        *before, last = [step for _, step in estimator.steps]
        # What resamples rows cannot transform others.
        transforms = all(
            step in (None, "passthrough") or hasattr(step, "transform")
            for step in before
        )
        return transforms and stops_early(last, n_rows, params)
    if isinstance(estimator, CodedClassifier):
        return stops_early(estimator.estimator, n_rows, params)
    library = _library_of(estimator)
    if library is None or _OF_USERS & set(params):
        return False
    own = estimator.get_params(deep=False)
    if library == "sklearn":
        chosen = own["early_stopping"]
        is_on = chosen is True or (chosen == "auto" and n_rows > MOST_WITHOUT_STOPPING)
        # Without a fraction it is to stop on the rows that it learns from, and before
        # scikit-learn 1.7 it takes no others.
        takes = "X_val" in signature(estimator.fit).parameters
        return is_on and takes and own["validation_fraction"] is not None
    if library == "xgboost":
        rounds, callbacks = own.get("early_stopping_rounds"), own.get("callbacks")
        return bool(rounds) or _has_callback(callbacks, "EarlyStopping")
    if library == "lightgbm":
        rounds = max((own.get(name) or 0) for name in _ROUNDS_OF_LIGHTGBM)
        return rounds > 0 or _has_callback(
            params.get("callbacks"), "_EarlyStoppingCallback"
        )
    # With a share of its own CatBoost refuses other rows.
    detects = any(own.get(name) for name in _DETECTORS_OF_CATBOOST)
    return detects and not own.get("eval_fraction")


def validation_arguments(estimator, X, y, weights):
    """Return the arguments of `fit` that pass validation rows; weights may be None."""
    if isinstance(estimator, CodedClassifier):
        return validation_arguments(estimator.estimator, X, y, weights)
    library = _library_of(estimator)
    if library == "sklearn":
        rows, named = {"X_val": X, "y_val": y}, {"sample_weight_val": weights}
    elif library == "xgboost":
        # By default it prints a line for each tree.
        rows = {"eval_set": [(X, y)], "verbose": False}
        named = {"sample_weight_eval_set": [weights]}
    elif library == "lightgbm":
        # LightGBM 4.7 deprecates pairs, but does not code the labels of `eval_y`.
        is_old = "eval_set" in signature(estimator.fit).parameters
        rows = {"eval_set": [(X, y)]} if is_old else {"eval_X": X, "eval_y": y}
        named = {"eval_sample_weight": [weights]}
    elif weights is None:
        rows, named = {"eval_set": (X, y)}, {}
    else:
        own = estimator.get_params()
        kinds = ("cat_features", "text_features", "embedding_features")
        columns = {kind: own[kind] for kind in kinds if kind in own}
        pool = import_module("catboost").Pool
        return {"eval_set": pool(X, y, weight=weights, **columns)}
    return rows if weights is None else rows | named


def _library_of(estimator):
    for base in type(estimator).__mro__:
        library = base.__module__.split(".")[0]
        if (library, base.__name__) in _BASES:
            return library
    return None


def _has_callback(callbacks, name):
    return any(type(callback).__name__ == name for callback in callbacks or ())

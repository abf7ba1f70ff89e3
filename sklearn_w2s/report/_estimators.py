"""The estimators that the report knows by name."""

from typing import Any, Literal

from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_w2s._sklearn import seed_nested
from sklearn_w2s._tabular import (
    default_strong_estimator,
    default_strong_regressor,
    default_weak_regressor,
    linear_pipeline,
    tree_pipeline,
)
from sklearn_w2s.report._errors import InputError

ESTIMATORS = {
    "boosting": default_strong_estimator(),
    "extra_trees": tree_pipeline(ExtraTreesClassifier()),
    "forest": tree_pipeline(RandomForestClassifier()),
    "logistic": linear_pipeline(LogisticRegression(max_iter=2000)),
    "mlp": linear_pipeline(MLPClassifier(learning_rate_init=0.01)),
    "naive_bayes": linear_pipeline(GaussianNB()),
    "tree": tree_pipeline(DecisionTreeClassifier(max_depth=3)),
}


REGRESSORS = {
    "boosting": default_strong_regressor(),
    "extra_trees": tree_pipeline(ExtraTreesRegressor()),
    "forest": tree_pipeline(RandomForestRegressor()),
    "linear": default_weak_regressor(),
    "mlp": linear_pipeline(
        TransformedTargetRegressor(
            MLPRegressor(learning_rate_init=0.01, max_iter=500),
            transformer=StandardScaler(),
        )
    ),
    "tree": tree_pipeline(DecisionTreeRegressor(max_depth=3)),
}
BY_TASK = {"classification": ESTIMATORS, "regression": REGRESSORS}
# What the report takes where it is not told.
WEAK = {"classification": "logistic", "regression": "linear"}
STRONG = "extra_trees"


def make_estimator(
    name: str,
    random_state: int | None = None,
    *,
    task: Literal["classification", "regression"] = "classification",
) -> Any:
    """Return one of the estimators of the report, behind an encoder of mixed tables.

    Parameters
    ----------
    name : str
        As in the options ``--weak`` and ``--strong`` of the console script: "boosting",
        "extra_trees", "forest", "mlp" or "tree"; for classes also "logistic" and
        "naive_bayes", for a quantity "linear". "tree" is a decision tree of depth 3;
        all others have nearly the defaults of scikit-learn.
    random_state : int, default=None
        Seeds the estimator, if it draws. None leaves that to whoever fits it.
    task : {"classification", "regression"}, default="classification"
        What it is to predict.

    Returns
    -------
    classifier or regressor instance
        Unfitted. It takes data frames with numbers, dates, categories and gaps.

    Raises
    ------
    ValueError
        If there is no such estimator for the task.

    Examples
    --------
    >>> from sklearn_w2s.report import make_estimator
    >>> make_estimator("tree")[-1]
    DecisionTreeClassifier(max_depth=3)
    >>> make_estimator("linear", task="regression")[-1]
    Ridge()
    """
    known = BY_TASK.get(task, {})
    if name not in known:
        names = ", ".join(sorted(known)) or "none, as the task is unknown"
        msg = f"name={name!r} must be one of {names} (task={task!r})."
        raise InputError(msg)
    return seed_nested(clone(known[name]), random_state)

"""The estimators that the report knows by name."""

from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s._sklearn import seed_nested
from sklearn_w2s._tabular import (
    default_strong_estimator,
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


def make_estimator(name, random_state=None):
    """Return one of the classifiers of the report, behind an encoder of mixed tables.

    Parameters
    ----------
    name : {"boosting", "extra_trees", "forest", "logistic", "mlp", "naive_bayes", \
            "tree"}
        As in the options ``--weak`` and ``--strong`` of the console script. "tree" is a
        decision tree of depth 3; all others have nearly the defaults of scikit-learn.
    random_state : int, default=None
        Seeds the classifier, if it draws. None leaves that to whoever fits it.

    Returns
    -------
    classifier instance
        Unfitted. It takes data frames with numbers, dates, categories and gaps.

    Raises
    ------
    ValueError
        If there is no such classifier.

    Examples
    --------
    >>> from sklearn_w2s.report import make_estimator
    >>> make_estimator("tree")[-1]
    DecisionTreeClassifier(max_depth=3)
    """
    if name not in ESTIMATORS:
        msg = f"name={name!r} must be one of {', '.join(sorted(ESTIMATORS))}."
        raise InputError(msg)
    return seed_nested(clone(ESTIMATORS[name]), random_state)

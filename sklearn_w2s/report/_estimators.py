"""The estimators that the report knows by name."""

from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from sklearn_w2s._tabular import TabularEncoder
from sklearn_w2s.report._errors import InputError


def _linear(classifier):
    """Return a classifier behind scaled numbers and indicators of categories."""
    return make_pipeline(TabularEncoder(), classifier)


def _trees(classifier):
    """Return a classifier behind numbers, gaps included, and codes of categories."""
    encoder = TabularEncoder(categories="ordinal", impute=False, scale=False)
    return make_pipeline(encoder, classifier)


ESTIMATORS = {
    "boosting": _trees(HistGradientBoostingClassifier()),
    "extra_trees": _trees(ExtraTreesClassifier()),
    "forest": _trees(RandomForestClassifier()),
    "logistic": _linear(LogisticRegression(max_iter=2000)),
    "mlp": _linear(MLPClassifier(learning_rate_init=0.01)),
    "naive_bayes": _linear(GaussianNB()),
    "tree": _trees(DecisionTreeClassifier(max_depth=3)),
}


def make_estimator(name):
    """Return one of the classifiers of the report, behind an encoder of mixed tables.

    Parameters
    ----------
    name : {"boosting", "extra_trees", "forest", "logistic", "mlp", "naive_bayes", \
            "tree"}
        As in the options ``--weak`` and ``--strong`` of the console script. "tree" is a
        decision tree of depth 3; all others have nearly the defaults of scikit-learn.

    Returns
    -------
    Pipeline
        Unfitted, with `random_state` as scikit-learn sets it. It takes data frames with
        numbers, categories and gaps.

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
    return clone(ESTIMATORS[name])

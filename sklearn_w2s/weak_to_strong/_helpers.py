"""Helper estimators: cheap, and unlike each other in what they can learn."""

from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline


def make_helpers(kernel_map, n_jobs):
    """Return classifiers for the rows of a view, by name.

    Few labels tell little about which family of functions fits; the mean over families
    is better than any of them.

    Parameters
    ----------
    kernel_map : FrozenEstimator
        That of the view.
    n_jobs : int or None
        Trees fitted at the same time.

    Returns
    -------
    dict of str to classifier
        Unfitted and unseeded.
    """
    # The wide tolerance stops early, which tells no worse and takes a quarter of the
    # time; no table has been seen to need a tenth of the steps allowed.
    network = MLPClassifier((64,), solver="lbfgs", alpha=1.0, tol=1e-2, max_iter=2_000)
    # Deeper trees fit some hundred labels by heart.
    boosting = HistGradientBoostingClassifier(
        max_iter=60, max_depth=3, min_samples_leaf=10
    )
    return {
        "boosting": boosting,
        "forest": RandomForestClassifier(300, n_jobs=n_jobs),
        "extra_trees": ExtraTreesClassifier(300, n_jobs=n_jobs),
        "logistic": LogisticRegression(C=0.1, max_iter=2_000),
        "kernel": make_pipeline(kernel_map, LogisticRegression(C=10.0, max_iter=2_000)),
        "network": BaggingClassifier(network, n_estimators=5, bootstrap=False),
    }


def make_soft_forest(n_jobs):
    """Return a forest that learns class probabilities and smooths them.

    Parameters
    ----------
    n_jobs : int or None
        Trees fitted at the same time.

    Returns
    -------
    RandomForestRegressor
        Unfitted and unseeded; it keeps predictions of rows by trees without them.
    """
    return RandomForestRegressor(
        200, min_samples_leaf=5, max_features=0.33, oob_score=True, n_jobs=n_jobs
    )

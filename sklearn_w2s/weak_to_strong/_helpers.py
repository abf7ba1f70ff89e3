"""Helper estimators: cheap, and unlike each other in what they can learn."""

import numpy as np
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import has_fit_parameter

from sklearn_w2s._cross_fit import out_of_bag_proba
from sklearn_w2s._sklearn import routing_enabled

N_TREES = 150
N_SOFT_TREES = 150
N_ROUNDS = 60


def make_helpers(kernel_map, n_jobs, *, weighted):
    """Return classifiers for the rows of a view, by name.

    Few labels tell little about which family of functions fits; the mean over families
    is better than any of them.

    Parameters
    ----------
    kernel_map : transformer instance
        That of the view, fitted.
    n_jobs : int or None
        Trees fitted at the same time.
    weighted : bool
        Whether they are fitted with weights; those that take none are left out.

    Returns
    -------
    dict of str to classifier
        Unfitted and unseeded.
    """
    # The wide tolerance stops early, which tells no worse. Kinks of the loss, as of
    # rectifiers, would make the solver stall now and then.
    network = MLPClassifier(
        (64,), activation="tanh", solver="lbfgs", alpha=1.0, tol=1e-2, max_iter=2_000
    )
    # Histograms are for more rows: their threads wait for each other on so few.
    boosting = GradientBoostingClassifier(
        n_estimators=N_ROUNDS, min_samples_leaf=5, subsample=0.7
    )
    classifiers = {
        "boosting": boosting,
        "forest": RandomForestClassifier(N_TREES, n_jobs=n_jobs),
        "extra_trees": ExtraTreesClassifier(N_TREES, n_jobs=n_jobs),
        "logistic": LogisticRegression(C=0.1, max_iter=2_000),
        "kernel": LogisticRegression(C=10.0, max_iter=2_000),
        "network": network,
    }
    if weighted:
        classifiers = {
            name: _requesting_weights(classifier)
            for name, classifier in classifiers.items()
            if has_fit_parameter(classifier, "sample_weight")
        }
    classifiers["kernel"] = make_pipeline(
        _apply_fitted(kernel_map), classifiers["kernel"]
    )
    if not weighted:  # bags drawn by weight may lose a class
        classifiers["network"] = BaggingClassifier(
            network, n_estimators=5, bootstrap=False
        )
    return classifiers


def _apply_fitted(transformer):
    # Clones of a FrozenEstimator are one object, which threads would share.
    applied = FunctionTransformer(transformer.transform, accept_sparse=True)
    return applied.set_output(transform="default")


def _requesting_weights(classifier):
    # Users have no handle on a helper to request weights for it.
    if routing_enabled():
        classifier.set_fit_request(sample_weight=True)
    return classifier


def make_soft_forest(n_jobs):
    """Return a forest that learns class probabilities and smooths them.

    Parameters
    ----------
    n_jobs : int or None
        Trees fitted at the same time.

    Returns
    -------
    RandomForestRegressor
        Unfitted and unseeded.
    """
    return RandomForestRegressor(
        N_SOFT_TREES,
        min_samples_leaf=5,
        max_features=0.33,
        n_jobs=n_jobs,
    )


def out_of_bag(forest, rows, chosen):
    """Return what trees say of rows that they have not seen.

    Parameters
    ----------
    forest : RandomForestRegressor
        Fitted on the chosen rows.
    rows : {ndarray, csr matrix} of shape (n, n_encoded)
        Rows.
    chosen : ndarray of int
        Positions of those that the forest was fitted on, sorted.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Probabilities.
    """
    proba = np.full((rows.shape[0], forest.n_outputs_), np.nan)
    proba[chosen] = out_of_bag_proba(forest, rows[chosen])
    # Every tree may have seen a row of great weight.
    others = np.flatnonzero(np.isnan(proba[:, 0]))
    if len(others):
        proba[others] = forest.predict(rows[others])
    return proba

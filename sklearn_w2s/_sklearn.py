"""The only door to scikit-learn's private names and to its version differences.

Every difference is listed in `SHIMS` with the version that makes it needless; a test
fails once the supported floor has reached that version.
"""

import numpy as np
from sklearn import get_config
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight

__all__ = [
    "SHIMS",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names_in",
    "check_weights",
    "fit_context",
    "raise_for_params",
    "route_intermediate_fit",
    "routing_enabled",
    "safe_indexing",
    "seed_nested",
]

SHIMS = {"check_weights: all-zero weights": "1.9", "route_intermediate_fit": "1.9"}


def check_weights(sample_weight, X):
    """Return positive-sum, non-negative float weights, one per row of X.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), float or None
        None counts every row once.
    X : array-like of shape (n, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n,)
        Float64 weights.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or if all are zero.
    """
    weights = _check_sample_weight(
        sample_weight=sample_weight, X=X, dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        msg = "Sample weights must contain at least one non-zero number."
        raise ValueError(msg)
    return weights


def routing_enabled():
    """Say whether metadata routing is switched on."""
    return get_config()["enable_metadata_routing"]


def raise_for_params(params, owner, method):
    """Refuse metadata that nothing would receive.

    Parameters
    ----------
    params : dict
        Extra keyword arguments of the method.
    owner : object
        Estimator whose method was called.
    method : str
        Its name.

    Raises
    ------
    TypeError
        If there is any parameter and metadata routing is off.
    """
    if params and not routing_enabled():
        msg = (
            f"{type(owner).__name__}.{method} got unexpected argument(s) "
            f"{sorted(params)}. To pass them on to its sub-estimators, switch on "
            "sklearn.set_config(enable_metadata_routing=True) and request them there."
        )
        raise TypeError(msg)


def route_intermediate_fit(mapping):
    """Add the route by which Pipeline fits its intermediate steps up to 1.8."""
    return mapping.add(caller="fit_transform", callee="fit")


def seed_nested(estimator, random_state):
    """Seed every unset `random_state` of an estimator and of its parts, in place.

    Parameters
    ----------
    estimator : estimator instance
        Freshly cloned.
    random_state : int, RandomState instance or None
        None leaves the estimator as it is.

    Returns
    -------
    estimator instance
        The same object.
    """
    if random_state is None:
        return estimator
    rng = check_random_state(random_state)
    unset = {
        name: int(rng.randint(np.iinfo(np.int32).max))
        for name, value in sorted(estimator.get_params(deep=True).items())
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    return estimator.set_params(**unset) if unset else estimator

"""The only module with private names and version differences of scikit-learn.

`SHIMS` lists the version that makes each difference unnecessary; a test fails once
the lowest supported version has reached it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn import __version__, get_config
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _array_api, metaestimators
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._user_interface import _message_with_time as message_with_time
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Estimators whose fits have no context, since there are no callbacks."""

        def _init_callback_context(self, **_):
            return None


__all__ = [
    "SHIMS",
    "CallbackSupportMixin",
    "Function",
    "HasMethods",
    "Interval",
    "StrOptions",
    "available_if",
    "check_feature_names_in",
    "check_weights",
    "dispatches_arrays",
    "fit_context",
    "message_with_time",
    "move_like",
    "namespace_of",
    "raise_for_params",
    "route_intermediate",
    "routing_enabled",
    "safe_indexing",
    "to_numpy",
    "visual_block",
]

SHIMS = {
    "CallbackSupportMixin": "1.9",
    "check_weights: all-zero weights": "1.9",
    "dispatches_arrays": "1.9",
    "route_intermediate": "1.9",
    "visual_block: place of the class": "1.7",
}


Function = TypeVar("Function", bound=Callable[..., Any])


def available_if(check: Callable[[Any], bool]) -> Callable[[Function], Function]:
    """Return scikit-learn's decorator of methods, with their type preserved."""
    return metaestimators.available_if(check)


def visual_block(kind, parts, **names):
    """Return a block of the diagram of an estimator."""
    try:
        from sklearn.utils._repr_html.estimator import _VisualBlock
    except ImportError:
        from sklearn.utils._estimator_html_repr import _VisualBlock
    return _VisualBlock(kind, parts, **names)


def dispatches_arrays():
    """Return whether this scikit-learn computes with arrays of other libraries."""
    return tuple(map(int, __version__.split(".")[:2])) >= (1, 9)


def namespace_of(X):
    """Return the namespace and device of an array, (None, None) for NumPy."""
    dispatched = get_config()["array_api_dispatch"] and hasattr(X, "__dlpack__")
    if not dispatched or isinstance(X, np.ndarray):
        return None, None
    if not dispatches_arrays():
        msg = (
            f"Arrays such as {type(X).__name__} need scikit-learn 1.9 or later; this "
            f"is {__version__}. Update it, or set array_api_dispatch=False."
        )
        raise ValueError(msg)
    xp, _, device = _array_api.get_namespace_and_device(X)
    return xp, device


def to_numpy(array):
    """Return an array of another library as a NumPy array, anything else unchanged."""
    xp, _ = namespace_of(array)
    return array if xp is None else _array_api.move_to(array, xp=np, device="cpu")


def move_like(array, X):
    """Return a NumPy array in the namespace and on the device of X."""
    xp, device = namespace_of(X)
    return array if xp is None else _array_api.move_to(array, xp=xp, device=device)


def check_weights(sample_weight, X):
    """Return float64 weights, not all zero, one per row of X; ones for None."""
    weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
    weights = np.asarray(to_numpy(weights), dtype=np.float64)
    if not weights.any():
        msg = "Sample weights must contain at least one non-zero number."
        raise ValueError(msg)
    return weights


def routing_enabled():
    """Return whether metadata routing is enabled."""
    return get_config()["enable_metadata_routing"]


def raise_for_params(params, owner, method):
    """Raise TypeError if there is metadata while metadata routing is disabled."""
    if params and not routing_enabled():
        msg = (
            f"{type(owner).__name__}.{method} got unexpected argument(s) "
            f"{sorted(params)}. To pass them on to its sub-estimators, switch on "
            "sklearn.set_config(enable_metadata_routing=True) and request them there."
        )
        raise TypeError(msg)


def route_intermediate(mapping, callee):
    """Add the route by which Pipeline fits its intermediate steps up to 1.8."""
    return mapping.add(caller="fit_transform", callee=callee)

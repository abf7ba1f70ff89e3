"""The decorator of every fit."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from sklearn_w2s._sklearn import fit_context as checked_parameters
from sklearn_w2s._warnings import keeps_filters

Function = TypeVar("Function", bound=Callable[..., Any])
# Other methods continue from a former call, and keep its results if interrupted.
_BEGIN_ANEW = {"fit", "fit_resample"}


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Function], Function]:
    """Return a decorator that checks parameters and makes a fit complete or undone.

    An interrupted fit leaves no fitted attribute, and no change of warning filters.
    """
    checked = checked_parameters(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )

    def decorate(method: Function) -> Function:
        @wraps(method)
        def whole_or_nothing(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            begins_anew = method.__name__ in _BEGIN_ANEW
            if begins_anew:
                forget_fit(estimator)
            try:
                return method(estimator, *args, **kwargs)
            except BaseException:  # includes an interrupt
                if begins_anew:
                    forget_fit(estimator)
                raise

        return cast("Function", keeps_filters(checked(whole_or_nothing)))

    return decorate


def forget_fit(estimator):
    """Remove the fitted attributes of an estimator, also those of former settings."""
    # Otherwise a fit that fails would leave the former one predicting.
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)

"""What every fit begins and ends with, whether it is finished or stopped."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from sklearn_w2s._sklearn import fit_context as checked_parameters
from sklearn_w2s._warnings import keeps_filters

Function = TypeVar("Function", bound=Callable[..., Any])
# Others go on from a former call, and keep what they have if they are stopped.
_BEGIN_ANEW = {"fit", "fit_resample"}


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Function], Function]:
    """Return a decorator of fits that checks parameters first.

    A fit begins without fitted attributes and leaves none if it is stopped, and does
    not change the filters of warnings.
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
            except BaseException:  # an interrupt is none of the exceptions
                if begins_anew:
                    forget_fit(estimator)
                raise

        return cast("Function", keeps_filters(checked(whole_or_nothing)))

    return decorate


def forget_fit(estimator):
    """Remove the fitted attributes of an estimator.

    A fit that fails must not leave the former one predicting, and attributes that only
    some settings give must not outlive a change of settings.
    """
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)

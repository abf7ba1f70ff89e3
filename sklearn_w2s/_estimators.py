"""What estimators share: the decorator of fits, seeds, and parameters of parts."""

import threading
import warnings
from collections.abc import Callable
from functools import wraps
from multiprocessing.dummy import DummyProcess
from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sklearn_w2s._sklearn import Function
from sklearn_w2s._sklearn import fit_context as checked_parameters

# Other methods continue from a former call, and keep its results if interrupted.
_BEGIN_ANEW = {"fit", "fit_resample"}


def fit_context(
    *, prefer_skip_nested_validation: bool, one_table: bool = False
) -> Callable[[Function], Function]:
    """Return a decorator that checks parameters and makes a fit complete or undone.

    An interrupted fit leaves no fitted attribute, and no change of warning filters.
    `one_table` refuses a third table in `fit(X, y)`, where others expect the unlabeled
    rows.
    """
    checked = checked_parameters(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )

    def decorate(method: Function) -> Function:
        begins_anew = method.__name__ in _BEGIN_ANEW

        @wraps(method)
        def whole_or_nothing(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            if one_table and (len(args) > 2 or "X_unlabeled" in kwargs):
                msg = (
                    f"{type(estimator).__name__}.{method.__name__} takes the unlabeled "
                    "rows in X: stack them under the labeled ones, and mark them in y "
                    f"with missing_label={estimator.missing_label!r}. Besides X and y, "
                    "pass arguments by name."
                )
                raise TypeError(msg)
            if begins_anew:
                forget_fit(estimator)
            before = set(threading.enumerate())
            # Worker threads may change filters, see `keeps_filters`.
            with warnings.catch_warnings():
                try:
                    return method(estimator, *args, **kwargs)
                except BaseException:  # includes an interrupt
                    # At once: the wait may be interrupted too.
                    if begins_anew:
                        forget_fit(estimator)
                    _wait_for_workers(before)
                    raise

        return cast("Function", checked(whole_or_nothing))

    return decorate


def _wait_for_workers(before):
    """Wait for the threads of pools that were not there before, and will end."""
    # A pool that is stopped does not wait for tasks that its threads have begun, and it
    # may just have replaced a thread.
    while workers := [
        thread
        for thread in set(threading.enumerate()) - before
        if isinstance(thread, DummyProcess)
    ]:
        for worker in workers:
            worker.join()


def forget_fit(estimator):
    """Remove the fitted attributes of an estimator, also those of former settings."""
    # Otherwise a fit that fails would leave the former one predicting.
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)


class NestedParamsMixin(BaseEstimator):
    """Explain parameters of parts that lack their prefix, or whose part is None."""

    def _default_parts(self):
        """Return the parts that replace those that are None, by parameter."""
        return {}

    def set_params(self, **params: Any) -> Self:
        """Set the parameters of this estimator, and of its parts.

        Parameters
        ----------
        **params : dict
            Values by name; those of parts are named ``<part>__<parameter>``.

        Returns
        -------
        estimator instance
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter, or no part that could have it.
        """
        own = self.get_params(deep=False)
        parts = self._default_parts()
        for name in params:
            head, nested, _ = name.partition("__")
            if nested and head in own and params.get(head, own[head]) is None:
                example = f"{parts[head]!r}" if head in parts else "an estimator"
                msg = (
                    f"{name} sets a parameter of {head}, which is None. Pass "
                    f"{head}={example} first."
                )
                raise ValueError(msg)
            if not nested and name not in own:
                self._suggest_part(name, own, parts)
        return super().set_params(**params)

    def _suggest_part(self, name, own, parts):
        """Raise an error that names the part which has such a parameter, if one has."""
        for head, value in own.items():
            part = parts.get(head) if value is None else value
            is_part = hasattr(part, "get_params") and not isinstance(part, type)
            if is_part and name in part.get_params(deep=False):
                needs = f", with {head}={part!r}" if value is None else ""
                msg = (
                    f"Invalid parameter {name!r} for {type(self).__name__}: did you "
                    f"mean {head}__{name}{needs}?"
                )
                raise ValueError(msg)


def draw_seed(rng):
    """Return a seed drawn from a RandomState."""
    return int(rng.randint(np.iinfo(np.int32).max))


def seed_nested(estimator, random_state):
    """Set each `random_state` of a fresh clone and its parts that is None, in place."""
    if random_state is None:
        return estimator
    rng = check_random_state(random_state)
    unset = {
        name: draw_seed(rng)
        for name, value in sorted(estimator.get_params(deep=True).items())
        if (name == "random_state" or name.endswith("__random_state")) and value is None
    }
    return estimator.set_params(**unset) if unset else estimator

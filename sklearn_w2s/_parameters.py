"""Errors for parameters and arguments that were meant for another place."""

from functools import wraps
from typing import Any, Self, cast

from sklearn.base import BaseEstimator

from sklearn_w2s._sklearn import Function


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


def takes_one_table(fit: Function) -> Function:
    """Return `fit(X, y)` with an error for a third table, as of the unlabeled rows."""

    @wraps(fit)
    def checked(self, *args, **params):
        if len(args) > 2 or "X_unlabeled" in params:
            msg = (
                f"{type(self).__name__}.{fit.__name__} takes the unlabeled rows in X: "
                "stack them under the labeled ones, and mark them in y with "
                f"missing_label={self.missing_label!r}. Besides X and y, pass "
                "arguments by name."
            )
            raise TypeError(msg)
        return fit(self, *args, **params)

    return cast(Function, checked)

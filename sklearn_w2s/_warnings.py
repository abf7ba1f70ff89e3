"""Warnings that point at the user's line."""

import warnings
from functools import wraps
from inspect import currentframe
from typing import Any

# Packages that call this one on behalf of the user, and itself.
_BETWEEN = {
    "dask",
    "distributed",
    "imblearn",
    "joblib",
    "pickle",
    "sklearn",
    "sklearn_w2s",
    "skops",
}


def warn(message, category=UserWarning):
    """Warn at the innermost line outside `_BETWEEN`.

    In a thread or process of joblib or Dask, that is the line where it began.
    """
    frame: Any = currentframe()
    while frame.f_back is not None and _is_between(frame):
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        # As `warnings.warn` keeps it, so that a line gets the same warning once.
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def keeps_filters(function):
    """Return a function that leaves the warning filters as they were."""

    # Scikit-learn's workers set filters and reset them. Where they are threads, these
    # steps interleave, and the filters of a worker would stay.
    @wraps(function)
    def call(*args, **kwargs):
        with warnings.catch_warnings():
            return function(*args, **kwargs)

    return call


def _is_between(frame):
    root, _, _ = frame.f_globals.get("__name__", "").partition(".")
    return root in _BETWEEN

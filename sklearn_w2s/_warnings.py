"""Warnings that name the line of the user."""

import warnings
from functools import wraps
from inspect import currentframe
from typing import Any

# Who calls this package on behalf of the user.
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
    """Warn of the line that called, through whatever estimators and searches.

    Parameters
    ----------
    message : str
        What to say.
    category : type, default=UserWarning
        Class of the warning.

    Notes
    -----
    The line is the innermost that belongs to none of `_BETWEEN`. A thread or process of
    joblib or Dask has none: its warnings name the line where it began.
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
        # As `warnings.warn` keeps it, so that a line is told of the same thing once.
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def keeps_filters(function):
    """Return a function that leaves the filters of warnings as they were.

    Scikit-learn's workers set filters and set them back. Where they are threads, these
    steps cross one another, and the filters of a worker would stay.
    """

    @wraps(function)
    def call(*args, **kwargs):
        with warnings.catch_warnings():
            return function(*args, **kwargs)

    return call


def _is_between(frame):
    root, _, _ = frame.f_globals.get("__name__", "").partition(".")
    return root in _BETWEEN

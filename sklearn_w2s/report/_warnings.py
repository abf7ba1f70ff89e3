"""Warnings as lines of the report."""

import re
import warnings
from contextlib import contextmanager


@contextmanager
def warnings_as_notes(tell):
    """Tell each warning that would be shown, once, instead of writing it to stderr.

    Warnings that differ in their numbers alone are one.

    Which warnings are shown, ignored or raised stays the choice of the user's filters.

    Parameters
    ----------
    tell : callable
        Gets the text of a warning.
    """
    told = set()

    def tell_once(message, category, *_args, **_kwargs):
        text = f"{' '.join(str(message).split())} ({category.__name__})"
        without_numbers = re.sub(r"\d+", "0", text)
        if without_numbers not in told:
            told.add(without_numbers)
            tell(text)

    shown_before = warnings.showwarning
    warnings.showwarning = tell_once
    try:
        yield
    finally:
        warnings.showwarning = shown_before

"""What can be wrong with a user's file or options, and warnings as notes."""

import re
import warnings
from contextlib import contextmanager

MAX_LISTED = 10


class InputError(ValueError):
    """One sentence for the user: what is wrong, where, and the fix."""


def listed(names):
    """Return names as words, the first ten of many."""
    names = [str(name) for name in names]
    more = len(names) - MAX_LISTED
    shown = ", ".join(names[:MAX_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown


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

"""What can be wrong with a user's file or options."""

MAX_LISTED = 10


class InputError(ValueError):
    """One sentence for the user: what is wrong, where, and the fix."""


def listed(names):
    """Return names as words, the first ten of many."""
    names = [str(name) for name in names]
    more = len(names) - MAX_LISTED
    shown = ", ".join(names[:MAX_LISTED])
    return f"{shown} and {more} more" if more > 0 else shown

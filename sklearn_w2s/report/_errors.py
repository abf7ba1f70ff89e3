"""What can be wrong with a user's file or options."""


class InputError(ValueError):
    """One sentence for the user: what is wrong, where, and the fix."""

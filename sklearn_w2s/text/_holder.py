"""What is loaded when it is first needed, and left out of copies."""


class Holder:
    """Keeps what was loaded last, and leaves it out of pickles."""

    def __init__(self):
        self._settings = None
        self._content = None

    def get(self, load, settings):
        """Return what `load` gives for these settings, loaded once."""
        if settings != self._settings:
            # Two models at a time may be more than memory holds.
            self._settings = self._content = None
            self._content = load(settings)
            self._settings = settings
        return self._content

    def __reduce__(self):
        return Holder, ()

"""What is loaded when it is first needed, and left out of copies."""


class Holder:
    """Keeps what was loaded last, and leaves it out of pickles.

    Examples
    --------
    >>> import pickle
    >>> from sklearn_w2s.text._holder import Holder
    >>> holder = Holder()
    >>> holder.get(str.upper, "weights")
    'WEIGHTS'
    >>> vars(pickle.loads(pickle.dumps(holder)))
    {'_settings': None, '_content': None}
    """

    def __init__(self):
        self._settings = None
        self._content = None

    def get(self, load, settings):
        """Return what was loaded with these settings.

        Parameters
        ----------
        load : callable
            Loads, given the settings.
        settings : object
            What to load; the content held is replaced where it had others.

        Returns
        -------
        object
            The content.
        """
        if settings != self._settings:
            # Two models at a time may be more than memory holds.
            self._settings = self._content = None
            self._content = load(settings)
            self._settings = settings
        return self._content

    def __reduce__(self):
        return Holder, ()

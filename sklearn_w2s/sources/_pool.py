"""Rows of a table that are drawn in random order, source by source."""

from sklearn_w2s.sources._readers import SourceEnded


class PoolReader:
    """Read the rows of one source of a table, without replacement.

    Parameters
    ----------
    name : str
        Name of the source.
    rows : ndarray of int
        Rows of the table in the order in which they are drawn.

    Attributes
    ----------
    size : int
        Rows in all.
    """

    def __init__(self, name, rows):
        self.name = name
        self.size = len(rows)
        self._rows = rows
        self._start = 0

    @property
    def has_ended(self):
        """Whether no row is left."""
        return self._start == self.size

    def read(self, n):
        """Return the next rows.

        Parameters
        ----------
        n : int
            Rows at most.

        Returns
        -------
        ndarray of int
            Rows, one at least.

        Raises
        ------
        SourceEnded
            If no row is left.
        """
        if self.has_ended:
            msg = f"source {self.name!r} has no rows left"
            raise SourceEnded(msg)
        batch = self._rows[self._start : self._start + n]
        self._start += len(batch)
        return batch

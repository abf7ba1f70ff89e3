"""Steps of a run on disk, so that a run that was killed goes on."""

import os
from pathlib import Path

import joblib


class Journal:
    """One file for each step of a run, written before the next one begins.

    A step costs the same however many came before. Files are moved into place whole, so
    that a process can be killed at any time.

    Parameters
    ----------
    folder : path-like
        Where the files are; it is made where it is missing.

    Notes
    -----
    Files are read by :func:`joblib.load`, which runs code that they hold: read only
    what you wrote.
    """

    def __init__(self, folder):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._n_steps = sum(1 for _ in self._folder.glob("step-*.joblib"))

    def open(self, start):
        """Return how the run began, and note it where it has not begun.

        Parameters
        ----------
        start : object
            How it would begin.

        Returns
        -------
        object
            How it began.
        """
        path = self._folder / "start.joblib"
        if not path.exists():
            self._save(start, path)
        return joblib.load(path)

    def read(self):
        """Yield the steps in their order.

        Yields
        ------
        object
            Steps as they were written.
        """
        for number in range(self._n_steps):
            yield joblib.load(self._path(number))

    def write(self, step):
        """Add a step.

        Parameters
        ----------
        step : object
            Anything that can be pickled.
        """
        self._save(step, self._path(self._n_steps))
        self._n_steps += 1

    def _save(self, content, path):
        unfinished = self._folder / "unfinished"
        with unfinished.open("wb") as file:
            joblib.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    def _path(self, number):
        return self._folder / f"step-{number:08d}.joblib"

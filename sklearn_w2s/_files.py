"""Files that are written whole, or not at all."""

import os
import tempfile
from pathlib import Path

# What is left where a process was killed begins like this.
UNFINISHED = "unfinished-"


def replace_file(path, content):
    """Write a file that only its owner may read, in place of the former one or a link.

    Parameters
    ----------
    path : Path
        Where it is to be.
    content : bytes
        All of it.

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.
    """
    # The name is new and nobody can guess it, so that no link can wait there.
    number, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
